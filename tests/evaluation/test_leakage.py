"""People who try to fool the guard, and honest ones whom it must leave alone."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score

from evaluation.making import A, B, cases, noisy, prediction, record, tiny
from watchword.errors import LeakageError
from watchword.evaluation.duplicates import alike, alike_together
from watchword.evaluation.evaluate import EvaluationOptions, evaluate
from watchword.evaluation.leakage import find_leaks, refuse_leaks
from watchword.evaluation.predictions.prediction import Made, Prediction
from watchword.evaluation.truth_texts import truth_labels, truth_texts
from watchword.evaluation.wording import likeness, words_of
from watchword.evidence.smooth import Smoothing
from watchword.types import Prompt, PromptBank

SCENE = {
    "video": "video_001.mp4",
    "type": "animal",
    "description": "two deer running onto the road",
    "total_frames": 10,
    "target_hazard": "deer",
    "events": [{"start": 2, "end": 5}],
}


@pytest.fixture
def truth(tmp_path):
    path = tmp_path / "scene.json"
    path.write_text(json.dumps(SCENE))
    return path


def found(made, truth=None, **more):
    files = () if truth is None else (truth,)
    return {f.code: f for f in find_leaks(made, truth_files=files, **more)}


def asked(*texts, templates=("{}",)):
    bank = PromptBank(tuple(Prompt(text, "event") for text in texts), templates)
    return tiny(Made(bank=bank))


# --- words


@pytest.mark.parametrize(
    "prompt",
    [
        "two deer running onto the road",
        "Two DEER, running onto the Road!",
        "2 deer running onto a road",
        "two deer runs onto the roads",
        "onto the road, running: two deer",
        "two deer running",
        "a dashcam picture of two deer running onto the road",
        "two de\u200ber running onto the road",
        "ｔｗｏ ｄｅｅｒ running onto the road",
        "two_deer-running onto/the road",
    ],
)
def test_a_prompt_that_repeats_the_truth_is_caught(truth, prompt):
    assert found(asked(prompt), truth)["prompt_repeats_truth"].serious


@pytest.mark.parametrize(
    "prompt",
    [
        "animal",
        "animals",
        "a car on a road",
        "two people",
        "an elk crossing",
        "cow running",
        "road",
    ],
)
def test_generic_prompts_and_labels_pass(truth, prompt):
    codes = found(asked(prompt), truth)
    assert not {"prompt_repeats_truth", "prompt_resembles_truth"} & codes.keys()


@pytest.mark.parametrize(
    "prompt", ["deer", "the deer", "deer running", "deer running onto the muddy road"]
)
def test_a_word_of_the_truth_is_told_and_not_refused(truth, prompt):
    assert not found(asked(prompt), truth)["prompt_resembles_truth"].serious


def test_prompts_hidden_in_templates_and_normal_sentences_are_caught(truth):
    hidden = asked("deer", templates=("two {} running onto the road",))
    assert "prompt_repeats_truth" in found(hidden, truth)
    bank = PromptBank(
        (Prompt("a hazard", "event"), Prompt("two deer running onto the road", "", "normal"))
    )
    assert "prompt_repeats_truth" in found(tiny(Made(bank=bank)), truth)
    assert "prompt_repeats_truth" in found(tiny(Made(sentences=("two deer running",))), truth)


def test_synonyms_are_not_caught_and_the_guard_says_so(truth):
    from watchword.evaluation import leakage

    assert "prompt_repeats_truth" not in found(asked("a pair of stags on the lane"), truth)
    assert "synonyms" in leakage.__doc__


@pytest.mark.parametrize(
    "prompt",
    [
        "two d\u0435\u0435r running onto the r\u043ead",  # Cyrillic
        "tw\u03bf deer running onto the r\u03bfad",  # Greek
        "t w o d e e r r u n n i n g o n t o t h e r o a d",
        "twodeerrunningontotheroad",
        "two\u3164deer running onto the road",
        "tw\u00f6 d\u00e9er r\u00fanning \u00f6nto the road",
    ],
)
def test_letters_that_only_look_the_same_and_blanks_do_not_hide_the_truth(truth, prompt):
    assert found(asked(prompt), truth)["prompt_repeats_truth"].serious


def test_the_truth_scattered_over_a_long_prompt_is_told(truth):
    padding = " ".join(f"sunny{i} street{i}" for i in range(8))
    prompt = f"two {padding} deer {padding} running {padding} road"
    assert not found(asked(prompt), truth)["prompt_resembles_truth"].serious


DITCH = "a lorry lies upside down in a ditch"


def test_files_beside_the_truth_are_looked_at(truth):
    beside = truth.with_name("captions.csv")
    beside.write_text("video,caption\nvideo_001.mp4,a stag leaps over the crash barrier\n")
    (truth.with_name("my_prompts.json")).write_text(json.dumps({"text": DITCH}))
    assert found(asked("stag leaps over crash barrier"), truth)["prompt_repeats_truth"].serious
    assert "prompt_repeats_truth" not in found(asked(DITCH), truth)
    (truth.with_name("my_words.json")).write_text(json.dumps({"text": DITCH}))
    assert found(asked(DITCH), truth)["prompt_repeats_truth"].serious


@pytest.mark.parametrize(
    "ours",
    [
        {"schema_version": "1", "watchword": "0.1.0", "bank": {"text": DITCH}},
        {"results": [{"schema_version": "1", "watchword": "0", "text": DITCH}]},
        {"watchword_evaluation": "1", "notes": [DITCH]},
    ],
)
def test_a_document_of_ours_beside_the_truth_is_no_truth_whatever_its_name(truth, ours):
    truth.with_name("result.json").write_text(json.dumps(ours, indent=2))
    assert "prompt_repeats_truth" not in found(asked(DITCH), truth)
    other = {"video": "a.mp4", "watchword": "0.1.0", "text": DITCH}
    truth.with_name("result.json").write_text(json.dumps(other))
    assert found(asked(DITCH), truth)["prompt_repeats_truth"].serious


def test_a_question_that_is_asked_of_every_video_says_nothing_of_one(tmp_path):
    path = tmp_path / "questions.jsonl"
    question = "Is a vehicle collision likely to happen within 2 seconds?"
    rows = [{"video": f"{i}.mp4", "text": question, "label": i % 2} for i in range(6)]
    path.write_text("\n".join(map(json.dumps, rows)))
    assert "prompt_repeats_truth" not in found(asked(question), path)
    path.write_text("\n".join(map(json.dumps, rows[:3])))
    assert found(asked(question), path)["prompt_repeats_truth"].serious


def test_without_an_annotation_file_the_guard_says_that_it_did_not_look():
    assert not found(asked("two deer running"))["prompts_unchecked"].serious


def test_the_files_of_the_records_are_looked_at_without_being_named(truth):
    made = cases(
        [prediction("a", A, made=Made(sentences=("two deer running",)))],
        [record("a", (2, 5), where=f"{truth}, row 3")],
    )
    assert "prompt_repeats_truth" in found(made)


@pytest.mark.parametrize(
    ("text", "caught"), [("what abuse 028_x264 shows", True), ("abuse", False), ("28", False)]
)
def test_a_prompt_that_names_a_video(text, caught):
    made = Made(sentences=(text,))
    video = cases([prediction("Abuse028_x264", A, made=made)], [record("Abuse028_x264", (2, 5))])
    assert ("prompt_names_video" in found(video)) == caught


def test_sentences_of_one_video_are_caught_whatever_the_truth_says(truth):
    common = ("hazard", "object")
    made = cases(
        [
            prediction("a", A, made=Made(sentences=(*common, "zwei Rehe"))),
            prediction("b", B, made=Made(sentences=common)),
        ],
        [record("a", (2, 5)), record("b")],
    )
    finding = found(made)["sentence_of_one_video"]
    assert finding.serious
    assert finding.videos == ("a",)
    assert "sentence_of_one_video" not in found(tiny(Made(sentences=common)))


def test_texts_are_read_from_every_kind_of_file(tmp_path):
    (tmp_path / "a.json").write_text(
        json.dumps(
            [{"meta": {"hivau_summary": ["A man falls.", {"x": "He gets up"}]}, "cls": "Fall"}]
        )
    )
    (tmp_path / "b.jsonl").write_text('{"text": "Will it crash?", "label": "1"}\nno json\n')
    (tmp_path / "c.csv").write_text("video,cause,type\nx.mp4,driver asleep,crash\n")
    (tmp_path / "d.txt").write_text("Abuse028_x264  Abuse  165  240\na man kicks a small dog\n")
    (tmp_path / "e_prompts.json").write_text(json.dumps({"prompts": ["never truth"]}))
    (tmp_path / "broken.json").write_bytes(b"\xff\xfe{")
    texts = {"A man falls.", "He gets up", "Will it crash?", "driver asleep"}
    assert truth_texts(tmp_path) == {*texts, "a man kicks a small dog"}
    assert truth_labels(tmp_path) == {"Fall", "crash"}


def test_a_label_that_is_a_sentence_counts_as_text(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("video,label\nx,man in red shirt steals handbag\n")
    assert "prompt_repeats_truth" in found(asked("man in red shirt steals handbag"), path)


def test_a_short_prompt_is_not_found_in_a_long_paragraph_by_accident():
    story = words_of(" ".join(f"word{i}" for i in range(40)) + " person street walking dog car")
    assert likeness(words_of("car person word3"), story) is None
    assert likeness(words_of("person street walking"), story) == "repeats"
    assert likeness(words_of("car, dog and a walking person"), story) == "repeats"
    assert likeness(words_of("car dog person word3"), story) is None


# --- what was learned


def calibrated(**facts):
    made = Made(fitted={"calibration": facts})
    return cases(
        [
            prediction("test/a.mp4", A, made=made, video_fingerprint="fa"),
            prediction("test/b.mp4", B, made=made, video_fingerprint="fb"),
        ],
        [record("test/a", (2, 5), split="test"), record("test/b", split="test")],
        split="test",
    )


@pytest.mark.parametrize(
    "facts",
    [
        {"videos": ["test/a.mp4"], "fingerprints": ["fa"]},
        {"videos": ["A.avi"], "fingerprints": ["other"]},
        {"videos": ["/elsewhere/renamed.mp4"], "fingerprints": ["fa"]},
    ],
)
def test_what_was_fitted_on_a_test_video_is_caught(facts):
    finding = found(calibrated(**facts))["fitted_on_test"]
    assert finding.serious
    assert finding.videos == ("a",)


@pytest.mark.parametrize("facts", [{}, {"videos": []}, {"fingerprints": ["x"]}])
def test_an_emptied_list_of_videos_is_caught(facts):
    assert found(calibrated(**facts))["fitted_unknown"].serious


def test_a_list_robbed_of_its_fingerprints_is_caught():
    assert found(calibrated(videos=["elsewhere/renamed.mp4"]))["fitted_by_name_only"].serious


@pytest.mark.parametrize("name", ["test_Fall_a", "train_Fall_a.mp4"])
def test_names_with_split_and_class_in_front_are_seen_through(name):
    assert found(calibrated(videos=[name], fingerprints=["x"]))["fitted_on_test"].serious


def test_honest_calibrations_pass():
    codes = found(calibrated(videos=["train/x.mp4"], fingerprints=["fx"], split="train"))
    assert not codes


def test_namesakes_and_lists_without_fingerprints_are_told_only():
    codes = found(calibrated(videos=["train/a.mp4", "x.mp4"], fingerprints=["fx"], split="test"))
    assert {"fitted_on_namesake", "fitted_by_name_only", "fitted_on_same_split"} <= codes.keys()
    assert not any(finding.serious for finding in codes.values())


def test_a_threshold_that_was_chosen_here():
    made = tiny()
    options = EvaluationOptions(samples=10, threshold=0.8)
    codes = {f.code: f for f in evaluate(made, options).findings}
    assert codes["threshold_is_best"].serious
    other = evaluate(made, replace(options, threshold=0.3))
    assert not other.findings
    chosen = evaluate(made, replace(options, threshold_videos=("a",)))
    assert any(f.code == "threshold_on_test" and f.serious for f in chosen.findings)
    nowhere = evaluate(made, replace(options, threshold_videos=()))
    assert any(f.code == "threshold_unknown" and f.serious for f in nowhere.findings)
    elsewhere = evaluate(made, replace(options, threshold=0.3, threshold_videos=("z",)))
    assert not elsewhere.findings


def test_the_balance_is_nobodys_choice():
    made = tiny()
    assert not evaluate(made, EvaluationOptions(samples=10)).findings


def test_smoothing_and_stretching_of_this_evaluation():
    smoothed = found(tiny(smoothing=Smoothing("mean", 1.0)))
    assert not smoothed["smoothing_here"].serious
    tuned = found(tiny(smoothing=Smoothing("mean", 3.0)))
    assert tuned["smoothing_here"].serious
    assert "smoothing_here" not in found(tiny(smoothing=Smoothing("mean", 3.0)), chosen_on=("z",))
    assert found(tiny(normalise="per_video"))["normalised_on_test"].serious
    assert found(tiny(normalise="global"))["normalised_on_test"].serious
    assert found(tiny(Made(normalised="per video")))["normalised_on_test"].serious


def test_stretching_that_nobody_declared():
    made = noisy(videos=4)
    rows = []
    for case in made.cases:
        values = case.scores.values[:, 0].astype(float)
        values = (values - values.min()) / (values.max() - values.min())
        rows.append(prediction(case.name, values))
    secret = cases(rows, [record(case.name) for case in made.cases])
    assert found(secret)["looks_normalised"].serious
    halved = [prediction(row.video, row.scores.values / 2 + 0.25) for row in rows]
    told = found(cases(halved, [record(row.video) for row in halved]))["looks_normalised"]
    assert told.serious
    assert "0.25 to 0.75" in told.sentence
    # A short video among them is no excuse.
    more = [*rows, prediction("short", [0.3, 0.4])]
    assert "looks_normalised" in found(cases(more, [record(row.video) for row in more]))
    scored = []
    for case in made.cases:
        values = case.scores.values[:, 0].astype(float)
        values = (values - values.mean()) / values.std()
        scored.append(prediction(case.name, values, kind="margin"))
    told = found(cases(scored, [record(case.name) for case in made.cases]))["looks_normalised"]
    assert "standard deviation 1" in told.sentence
    assert "looks_normalised" not in found(made)
    clipped = cases(
        [prediction(f"v{i}", [0.0] * 10 + [1.0] * 10) for i in range(4)],
        [record(f"v{i}") for i in range(4)],
    )
    assert "looks_normalised" not in found(clipped)


# --- copies


def series(seed, size=200):
    return np.random.default_rng(seed).normal(size=size).cumsum()


@pytest.mark.parametrize(
    "copied",
    [
        lambda x: x,
        lambda x: 3 * x - 1,
        lambda x: x[40:],
        lambda x: x[:120],
        lambda x: np.concatenate([series(9, 50), x[20:150]]),
        lambda x: np.repeat(x, 2),
        lambda x: x + np.random.default_rng(1).normal(size=len(x)) * 1e-3,
    ],
    ids=["same", "rescaled", "late", "early", "inside", "slower", "noise"],
)
def test_copies_are_found_by_their_scores(copied):
    original = series(0)
    assert alike([series(1), original, copied(original)]) == ((1, 2),)


def test_videos_that_are_no_copies_are_left_alone():
    straight = np.linspace(0, 1, 100)
    bump = np.exp(-(np.linspace(-3, 3, 100) ** 2))
    others = [straight, straight * 2, bump, np.roll(bump, 3), np.zeros(100), np.ones(100)]
    short = [np.array([0.1, 0.9]), np.array([0.1, 0.9])]
    assert alike([*(series(i) for i in range(30)), *short, straight, np.zeros(100)]) == ()
    assert (0, 2) not in alike(others)
    assert alike([np.full(50, np.nan), np.full(50, np.nan)]) == ()
    assert alike([]) == ()


def test_copies_that_were_encoded_anew_are_found_by_their_labels_together():
    rng = np.random.default_rng(3)
    original = rng.normal(size=(90, 9)).cumsum(axis=0)
    anew = original + rng.normal(size=original.shape)
    others = [rng.normal(size=(90, 9)).cumsum(axis=0) for _ in range(20)]
    assert alike([original.max(axis=1), anew.max(axis=1)]) == ()
    assert alike_together([*others, original, anew]) == ((20, 21),)
    assert alike_together([original[:, :3], anew[:, :3]]) == ()
    assert alike_together([original[:10], anew[:10]]) == ()


def test_smooth_series_that_agree_by_chance_are_no_copies():
    rng = np.random.default_rng(5)
    kernel = np.ones(40) / 40
    smooth = [
        np.stack([np.convolve(c, kernel, "same") for c in rng.normal(size=(6, 120))], axis=1)
        for _ in range(40)
    ]
    assert alike_together(smooth) == ()
    empty = np.empty((0, 6))
    assert alike_together([empty, np.ones((50, 6)), np.full((50, 6), np.nan)]) == ()


@pytest.mark.shared
def test_a_real_video_that_stands_in_the_set_twice_is_found(shared):
    from watchword.config import Config
    from watchword.pipeline.detector import Detector

    # As the guard does: before smoothing.
    detector = Detector("driving", config=Config(smoothing=Smoothing()))
    found_files = sorted((shared / "data" / "ucf_crime").rglob("RoadAccidents0*.mp4"))
    tables = [detector.detect(file).scores.values for file in found_files]
    names = [f"{file.parent.name}/{file.stem}" for file in found_files]
    pairs = [{names[a], names[b]} for a, b in alike_together(tables)]
    assert pairs == [
        {
            "test_original/RoadAccidents017_x264",
            "test_panel_crop/RoadAccidents017_x264",
        }
    ]


def test_a_copy_in_the_calibrations_list_or_another_split_is_serious():
    x = 1 / (1 + np.exp(-series(0)))
    made = Made(fitted={"calibration": {"videos": ["holiday.mp4"], "fingerprints": ["h"]}})
    predicted = [prediction("a", x, made=made), prediction("holiday", x[:150], made=made)]
    across = cases(predicted, [record("a", (2, 5))])
    assert found(across)["duplicate_across_splits"].serious
    plain = [replace(p, made=Made()) for p in predicted]
    truth = [record("a", (2, 5), split="test"), record("holiday", split="train")]
    assert found(cases(plain, truth, split="test"))["duplicate_across_splits"].serious
    assert not found(cases(plain, [record("a")]))["duplicate_outside"].serious
    inside = found(cases(plain, [record("a"), record("holiday")]))["duplicate_in_set"]
    assert not inside.serious
    assert inside.videos == ("a", "holiday")


def test_copies_are_found_by_their_content():
    predicted = [
        prediction("a", A, video_fingerprint="same"),
        prediction("b", B, video_fingerprint="same"),
    ]
    assert (
        "by their content"
        in found(cases(predicted, [record("a"), record("b")]))["duplicate_in_set"].sentence
    )


def test_a_video_in_two_splits_is_caught_and_a_namesake_told():
    test = [record("a", split="test"), record("b", split="test")]
    predicted = [prediction("a", A), prediction("b", B)]
    same = cases(predicted, [*test, record("a.avi", split="train")], split="test")
    assert found(same)["video_in_two_splits"].serious
    far = [
        record("testing/01", split="test"),
        record("training/01", split="train"),
    ]
    namesake = cases([prediction("testing/01", A)], far, split="test")
    assert not found(namesake)["namesake_in_split"].serious


# --- what follows


def test_strict_refuses_and_lists_every_serious_finding(truth):
    made = asked("two deer running onto the road")
    strict = EvaluationOptions(samples=10, strict=True, truth_files=(truth,))
    with pytest.raises(LeakageError, match="two deer running onto the road"):
        evaluate(made, strict)
    assert evaluate(asked("animal"), strict).findings == ()
    warned = evaluate(made, replace(strict, strict=False))
    assert [finding.serious for finding in warned.findings] == [True]
    refuse_leaks(())


def test_serious_findings_stand_first(truth):
    codes = find_leaks(
        tiny(Made(sentences=("deer", "two deer running")), smoothing=Smoothing("mean", 3.0)),
        truth_files=(truth,),
    )
    assert [finding.serious for finding in codes] == sorted(
        (finding.serious for finding in codes), reverse=True
    )
    assert len(codes) == 3


def swept(threshold, made=None, **more):
    options = EvaluationOptions(samples=10, threshold=threshold, **more)
    return {f.code: f for f in evaluate(made or noisy(videos=8, windows=80), options).findings}


def test_the_best_of_a_coarse_sweep_is_told_and_its_neighbours_are_not():
    made = noisy(videos=8, windows=80)
    truth = np.concatenate([case.truth for case in made.cases])
    values = np.concatenate([case.series for case in made.cases])
    grid = np.round(np.arange(0.05, 0.96, 0.05), 2)
    f1 = [f1_score(truth, values >= t) for t in grid]
    assert "threshold_is_best" in swept(float(grid[np.argmax(f1)]))
    assert "threshold_is_best" not in swept(0.93)


def test_where_flagging_everything_is_best_there_was_nothing_to_choose():
    made = noisy(videos=4, windows=80, lift=-3.0)
    assert not any(f.serious for f in swept(1e-6, made).values())


def test_the_balance_given_by_hand_is_no_choice_and_a_calibration_vouches():
    best = swept(0.8, tiny())["threshold_is_best"]
    assert best.serious
    assert "threshold_is_best" not in swept(0.5, tiny())
    assert not swept(0.8, tiny(), threshold_videos=("z",))


def test_something_else_that_was_fitted_vouches_for_no_threshold():
    head = tiny(Made(fitted={"head": {"videos": ["z"]}}))
    assert swept(0.8, head)["threshold_is_best"].serious
    calibrated_run = tiny(Made(fitted={"calibration": {"videos": ["z"]}}))
    assert swept(0.8, calibrated_run)["threshold_is_best"].serious


def test_the_best_threshold_for_whole_videos_is_caught_too():
    scores = [*np.linspace(0.1, 0.6, 8), *np.linspace(0.45, 0.9, 8)]
    predicted = [Prediction(f"v{i}", "p.csv", verdict=float(s)) for i, s in enumerate(scores)]
    truth = [record(f"v{i}", anomalous=i >= 8) for i in range(16)]
    made = cases(predicted, truth)
    f1 = [f1_score(np.arange(16) >= 8, np.array(scores) >= t) for t in scores]
    assert swept(float(scores[int(np.argmax(f1))]), made)["threshold_is_best"].serious
    assert "threshold_is_best" not in swept(0.2, made)
