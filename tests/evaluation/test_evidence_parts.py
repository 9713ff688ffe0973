"""Parts of the evidence are judged by themselves, and beside the score combined of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from evaluation.making import cases, prediction, record
from watchword.errors import DatasetError
from watchword.evaluation.evaluate import EvaluationOptions, evaluate
from watchword.evaluation.predictions.prediction import Made
from watchword.evaluation.predictions.saved import read_saved, write_saved
from watchword.evidence.smooth import Smoothing, smooth
from watchword.types import Scores

QUICK = EvaluationOptions(samples=60)
KINDS = {"evidence": {"kinds": ["change", "normality"]}}


def combined(videos=6, windows=40, seed=0, *, gain=0.0, made=None):
    """Predictions of kind surprise: normality knows more than change, their mean most of all."""
    rng = np.random.default_rng(seed)
    given, truth = [], []
    for number in range(videos):
        event = np.zeros(windows)
        event[15:25] = number % 2
        parts = np.abs(rng.normal(size=(windows, 2))) + event[:, None] * [0.5, 1.0]
        parts[0] = np.nan
        parts[1, 0] = np.nan
        values = np.nan_to_num(parts.mean(axis=1)) + gain * event
        one = prediction(f"v{number}", values, labels=("unusual",), kind="surprise")
        edges, names = one.scores.edges_s, ("change", "normality")
        own = Scores(parts.astype(np.float32), edges, names, "surprise")
        given.append(replace(one, parts=own, made=made or Made(config=KINDS)))
        spans = [(15, 25)] if number % 2 else []
        truth.append(record(f"v{number}", *spans, label="fall", duration_s=float(windows)))
    return given, truth


def test_each_part_is_judged_on_its_windows_and_the_combined_score_on_its_own():
    given, truth = combined()
    made = cases(given, truth)
    table = evaluate(made, QUICK).table("parts")
    rows = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert list(rows) == ["change", "normality", "combined"]
    for k, name in enumerate(("change", "normality")):
        true = np.concatenate([case.truth[2 - k :] if k else case.truth[2:] for case in made.cases])
        part = np.concatenate([p.parts.values[2 - k :, k] for p in given])
        whole = np.concatenate([p.scores.values[2 - k :, 0] for p in given])
        row = rows[name]
        assert row["windows"] == len(true)
        assert row["auc_micro"] == pytest.approx(roc_auc_score(true, part))
        assert row["ap"] == pytest.approx(average_precision_score(true, part))
        gain = roc_auc_score(true, whole) - roc_auc_score(true, part)
        assert row["gain"] == pytest.approx(gain)
        assert row["low"] <= gain <= row["high"]
    card = evaluate(made, QUICK)
    for name in ("auc_micro", "auc_macro", "ap"):
        assert rows["combined"][name] == pytest.approx(card[name].value)


@pytest.mark.parametrize(("gain", "words"), [(3.0, "is not below"), (-3.0, "is below")])
def test_it_is_said_whether_the_combined_score_is_below_its_best_part(gain, words):
    table = evaluate(cases(*combined(gain=gain)), QUICK).table("parts")
    assert f"The combined score {words} its best part, normality: " in table.note


def test_parts_are_smoothed_like_the_scores_they_are_compared_with():
    given, truth = combined()
    smoothing = Smoothing("mean", 4.0)
    made = cases(given, truth, smoothing=smoothing)
    expected = smooth(given[1].parts, smoothing).values
    assert np.array_equal(made.cases[1].parts.values, expected, equal_nan=True)
    plain = cases(given, truth)
    assert plain.cases[1].parts is given[1].parts


def test_words_that_were_saved_smoothed_are_not_smoothed_again():
    given, truth = combined()
    saved = Made(config=KINDS, smoothing={"method": "mean", "width_s": 4.0})
    named = Scores(
        given[0].parts.values, given[0].parts.edges_s, ("words: a", "change"), "surprise"
    )
    given = [replace(one, made=saved, parts=named) for one in given]
    smoothing = Smoothing("mean", 4.0)
    assert cases(given, truth).cases[0].parts is named
    assert cases(given, truth, smoothing=smoothing).cases[0].parts is None
    with pytest.raises(DatasetError, match="holds the part 'words: a' smoothed"):
        cases(given, truth, smoothing=smoothing, part="words: a")
    assert evaluate(cases(given, truth, part="words: a"), QUICK).protocol["smoothing"] == (
        "mean of 4 s, as saved"
    )
    cases(given, truth, smoothing=smoothing, part="change")


def test_a_part_in_place_of_the_score_has_no_events_and_no_threshold():
    given, truth = combined()
    ruled = Made(config=KINDS, rule={"enter": 1.0})
    given = [replace(one, events=(), verdict=1.0, positive=True, made=ruled) for one in given]
    card = evaluate(cases(given, truth, part="change"), QUICK)
    assert card.threshold is None
    assert card["f1"].value is None
    assert card["event_f1"].value is None
    assert "parts" not in [table.name for table in card.tables]
    assert card.protocol["scores"] == "surprise; only the part 'change' of the evidence"
    beside = evaluate(cases(given, truth), QUICK).table("parts").rows[0]
    assert card["auc_micro"].value == pytest.approx(beside[2])
    own = evaluate(cases(given, truth, part="change"), replace(QUICK, threshold=1.5))
    assert own["f1"].value is not None


def test_a_part_that_is_not_there_is_an_error_that_lists_the_parts():
    given, truth = combined()
    with pytest.raises(DatasetError, match=r"no part 'words'.*parts are change, normality"):
        cases(given, truth, part="words")
    with pytest.raises(DatasetError, match="holds no parts of the evidence"):
        cases([replace(one, parts=None) for one in given], truth, part="words")
    with pytest.raises(ValueError, match="part or label, not both"):
        cases(given, truth, part="change", label="fall")


def test_scores_without_words_meet_any_event_and_need_no_prompts():
    given, truth = combined(made=Made(config=KINDS, rule={"enter": 1.6}))
    # A truth that knows the word is no sign that anybody copied it from there.
    card = evaluate(cases(given, truth), QUICK)
    assert card.confusions["frame"][3] > 0
    assert "'unusual', not what" in card["map_mean"].note
    assert card["map_mean"].value is not None
    assert card.protocol["prompts"] == "none: the scores rest on no sentences"
    assert card.made["evidence"] == "change + normality"
    assert not [finding for finding in card.findings if finding.code.startswith("prompt")]


def test_an_import_keeps_the_parts(tmp_path):
    (one, *_), _ = combined(videos=1)
    write_saved(one, tmp_path)
    kept = read_saved(tmp_path).parts
    assert kept.labels == ("change", "normality")
    assert np.array_equal(kept.values, one.parts.values, equal_nan=True)


def memory(**more):
    facts = {"fingerprint": "f", "videos": ["quiet/n.mp4"], "fingerprints": ["x"], "seconds": 9.0}
    return Made(config=KINDS, fitted={"normal": facts | more})


def codes(made):
    return {f.code: f for f in evaluate(cases(*combined(made=made)), QUICK).findings}


def test_a_memory_of_evaluated_videos_is_named_and_that_of_the_video_itself_is_not():
    found = codes(memory(videos=["v1", "v3"], fingerprints=["x", "y"]))["fitted_on_test"]
    assert found.serious
    assert found.videos == ("v1", "v3")
    assert found.sentence == (
        "The memory of normal footage was learned from videos that are evaluated: v1, v3."
    )
    assert not {code for code in codes(memory()) if code.startswith("fitted")}
    itself = codes(memory(videos=["v1"], fingerprints=[], itself=True))
    assert not {code for code in itself if code.startswith(("fitted", "duplicate_across"))}
    unknown = codes(memory(videos=[]))["fitted_unknown"].sentence
    assert unknown.startswith("The memory of normal footage does not say which videos it was learn")
