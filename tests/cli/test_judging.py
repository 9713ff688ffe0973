"""From detections to figures, thresholds and heads, and back to detections, as a user goes.

Small noisy videos of two labels, red and green, and long ones in which nothing happens; the fake
encoder knows colours. The command runs in this process, through its entry point.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from synthetic import make_video
from watchword.cli import main
from watchword.evaluation.calibrate.calibration_file import read_calibration
from watchword.evaluation.datasets.formats import read_records
from watchword.evaluation.datasets.record import clock_of_pts
from watchword.output.folder import read_run
from watchword.video.frame_times import frame_times

WORDS = ("-p", "red", "-p", "green", "-n", "blue", "--model", "fake")
COLOURS = {"red": (205, 40, 60), "green": (40, 205, 60), "": (60, 60, 190)}
QUICK = ("--samples", "50")
SHARED = (
    *("clips", "quiet", "truth.csv", "quiet.csv"),
    *("runs", "calm", "chosen.yaml", "runs-judged"),
)
EVENTS = [
    ("red", 1.0, 2.4), ("green", 0.6, 2.0), ("red", 0.4, 1.9), ("green", 1.6, 3.0),
    ("red", 2.0, 3.4), ("green", 1.0, 2.2), ("", 0, 0), ("", 0, 0),
]  # fmt: skip


def film(path: Path, seconds: float, event: tuple[str, float, float], seed: int) -> None:
    """Blue with noise that a threshold has to get along with, and an event."""
    rng = np.random.default_rng(seed)
    label, start, end = event

    def paint(index: int, at_s: float) -> NDArray[np.uint8]:
        colour = np.array(COLOURS[label if start <= at_s < end else ""], np.int64)
        noisy = (colour + rng.integers(-45, 46, 3)).clip(0, 255).astype(np.uint8)
        return np.broadcast_to(noisy, (48, 64, 3)).copy()

    make_video(path, seconds=seconds, rate=10, size=(64, 48), painter=paint)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Videos, their truth, what was detected in them, a calibration and an evaluation of that."""
    folder = tmp_path_factory.mktemp("judging")
    rows = ["video,label,start_s,end_s,split,group"]
    (folder / "clips").mkdir()
    (folder / "quiet").mkdir()
    for i, event in enumerate(EVENTS):
        film(folder / f"clips/v{i}.mp4", 4, event, i)
        label, start, end = event
        times = f"{label},{start},{end}" if label else ",,"
        rows.append(f"v{i}.mp4,{times},{'train' if i % 4 < 2 else 'test'},room {i % 4}")
    quiet = ["video,label,start_s,end_s,group"]
    for camera in ("door", "yard"):
        film(folder / f"quiet/{camera}.mp4", 60, ("", 0, 0), len(camera) + (camera == "yard"))
        quiet.append(f"{camera}.mp4,,,,{camera}")
    (folder / "truth.csv").write_text("\n".join(rows) + "\n")
    (folder / "quiet.csv").write_text("\n".join(quiet) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WATCHWORD_HOME", str(folder / "home"))
        patch.chdir(folder)
        Asking(patch, None)("detect", "clips", *WORDS, "-o", "runs", "-q")
        Asking(patch, None)("detect", "quiet", *WORDS, "-o", "calm", "-q")
        # What many tests begin with is made once.
        Asking(patch, None)("calibrate", "runs", "truth.csv", "-o", "chosen.yaml", *QUICK)
        Asking(patch, None)("evaluate", "runs", "truth.csv", "-o", "runs-judged", *QUICK)
        yield folder


@dataclass
class Asking:
    """The command in this process: its words in, its output out, its status checked."""

    patch: pytest.MonkeyPatch
    caught: pytest.CaptureFixture[str] | None

    def __call__(self, *words: object, code: int = 0) -> str:
        """Standard output; standard error where the status is that of wrong use."""
        self.patch.setattr("sys.argv", ["watchword", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main.run()
        out, err = self.caught.readouterr() if self.caught else ("", "")
        assert (left.value.code or 0) == code, (out, err)
        assert "Traceback" not in err
        return " ".join(err.split()) if code in (1, 2) else out


@pytest.fixture
def ask(
    made: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Asking:
    """The command, run in a folder from which the videos and runs are seen."""
    for name in SHARED:
        (tmp_path / name).symlink_to(made / name)
    monkeypatch.setenv("WATCHWORD_HOME", str(made / "home"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    return Asking(monkeypatch, capsys)


def boxed(text: str) -> dict[str, str]:
    """Cells of tables of two columns, by the first."""
    rows = re.findall(r"^│ ?\*? *(\S.*?) *│ *(\S+) *│$", text, re.M)
    return dict(rows)


def figures(text: str) -> dict[str, float | None]:
    return {one["name"]: one["value"] for one in json.loads(text)["figures"]}


def found(folder: Path) -> dict[str, list[tuple[str, float, float]]]:
    """Events of each run in a folder."""
    return {
        run.name: [(e.label, e.start_s, e.end_s) for e in read_run(run).events]
        for run in sorted(folder.iterdir())
        if (run / "detection.json").is_file()
    }


# --- evaluate, compare ---------------------------------------------------------------------------


def test_an_evaluation_is_a_card_a_folder_and_a_document(ask: Asking) -> None:
    card = ask("evaluate", "runs", "truth.csv", "-o", "judged", *QUICK)
    assert max(map(len, card.splitlines())) <= 80
    assert "Report: judged/report.html" in card
    page = Path("judged/report.html").read_text(encoding="utf-8")
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)[^\"]+", page)
    names = {path.name for path in Path("judged").iterdir()}
    assert {"report.html", "evaluation.json", "card.md"} <= names
    assert Path("judged/tables/per_video.csv").is_file()
    told = ask("evaluate", "runs", "truth.csv", "--json", *QUICK)
    assert figures(told) == figures(Path("judged/evaluation.json").read_text())
    assert figures(told)["auc_micro"] > 0.9
    assert "--overwrite" in ask("evaluate", "runs", "truth.csv", "-o", "judged", code=1)
    ask("evaluate", "runs", "truth.csv", "-o", "judged", "--overwrite", *QUICK)


def test_strict_refuses_what_looks_at_the_test_data(ask: Asking) -> None:
    ask("evaluate", "runs", "truth.csv", "--strict", *QUICK)
    refused = ask(
        "evaluate", "runs", "truth.csv", "--strict", "--normalise", "global", *QUICK, code=2
    )
    assert "Scores are stretched" in refused
    told = ask(
        "evaluate", "runs", "truth.csv", "--calibration", "chosen.yaml", "--strict", *QUICK, code=2
    )
    assert "calibrat" in told


def test_two_runs_are_compared_with_a_truth_or_as_they_were_evaluated(ask: Asking) -> None:
    ask("detect", "clips", *WORDS, "--kind", "margin", "-o", "margins", "-q")
    card = ask("compare", "runs", "margins", "truth.csv", *QUICK)
    assert "runs" in card
    assert "margins" in card
    ask("evaluate", "margins", "truth.csv", "-o", "margins-judged", *QUICK)
    told = json.loads(ask("compare", "runs-judged", "margins-judged", "--json", "-o", "both"))
    assert told
    assert Path("both/comparison.json").is_file()
    assert "TRUTH" in ask("compare", "runs-judged", "margins-judged", *QUICK, code=2)
    assert "evaluat" in ask("compare", "runs", "margins", code=2)


@pytest.mark.parametrize("ending", ["cvat.xml", "labelstudio.json"])
def test_what_is_exported_for_a_labelling_tool_reads_back_as_truth(
    ask: Asking, ending: str
) -> None:
    path = Path(f"v2.{ending}")
    ask("export", "runs/v2", path)
    if ending == "labelstudio.json":
        # What a person accepts becomes an annotation; a model's prediction alone is no truth.
        assert "marks no event" in ask("evaluate", "runs/v2", path, code=2)
        (task,) = json.loads(path.read_text())
        path.write_text(json.dumps([{**task, "annotations": task.pop("predictions")}]))
    ask("datasets", "check", path, "--videos", "clips")
    told = figures(ask("evaluate", "runs/v2", path, "--videos", "clips", "--json", *QUICK))
    assert found(Path("runs"))["v2"]
    assert (told["event_f1"], told["iou_mask"], told["f1"]) == (1.0, 1.0, 1.0)
    read = read_records(path)[0].annotation(clock_of_pts(frame_times("clips/v2.mp4")))
    assert [(s.label, s.start_s, s.end_s) for s in read.spans] == [
        (label, pytest.approx(start), pytest.approx(end))
        for label, start, end in found(Path("runs"))["v2"]
    ]


# --- calibrate and detect ------------------------------------------------------------------------


def test_a_threshold_is_chosen_used_and_judged_alike(ask: Asking) -> None:
    told = ask(
        *("calibrate", "runs", "truth.csv", "-o", "c.yaml", "--plots", "plots"),
        *("--smooth", "none", "--smooth", "0.2", "--smooth", "mean:0.5", *QUICK),
    )
    assert max(map(len, told.splitlines()[:-4])) <= 80
    assert "leave one video out, 8 videos" in told
    assert "watchword detect --calibration c.yaml" in told
    chosen = read_calibration("c.yaml")
    assert chosen.events is not None
    assert float(boxed(told)["chosen threshold"]) == pytest.approx(chosen.events["enter"], abs=1e-3)
    assert chosen.fitted_on.positives == 6
    assert {"calibration.txt", "sweep_all.png", "folds.csv"} <= {
        path.name for path in Path("plots").iterdir()
    }
    ask("detect", "clips", *WORDS, "--calibration", "c.yaml", "-o", "again", "-q")
    settings = read_run(Path("again/v0")).provenance.config
    assert settings["events"]["enter"] == chosen.events["enter"]
    assert settings["smoothing"] == chosen.smoothing
    assert found(Path("again")) != found(Path("runs"))
    # What evaluate judges with the calibration is what detect found with it.
    planned = ask("evaluate", "runs", "truth.csv", "--calibration", "c.yaml", "--json", *QUICK)
    done = ask("evaluate", "again", "truth.csv", "--json", *QUICK)
    assert figures(planned) == figures(done)
    assert figures(done) != figures(ask("evaluate", "runs", "truth.csv", "--json", *QUICK))


def test_scores_saved_smoothed_are_judged_unsmoothed_if_so_calibrated(ask: Asking) -> None:
    ask("calibrate", "runs", "truth.csv", "-o", "c.yaml", "--smooth", "none", *QUICK)
    ask("detect", "clips", *WORDS, "--calibration", "c.yaml", "-o", "again", "-q")
    planned = ask("evaluate", "runs", "truth.csv", "--calibration", "c.yaml", "--json", *QUICK)
    assert figures(planned) == figures(ask("evaluate", "again", "truth.csv", "--json", *QUICK))


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("-p", "red", "-n", "blue", "--model", "fake"), "prompt bank"),
        (WORDS[:-2], "encoder (fake) is fake-1"),
        ((*WORDS, "--kind", "margin"), "score kind is contrast, this one is margin"),
        ((*WORDS, "--set", "score.pool=mean"), "score.pool"),
        ((*WORDS, "--rate", "5"), "leave out --rate"),
        ((*WORDS, "--adaptive"), "leave out --adaptive"),
        ((*WORDS, "-t", "0.3"), "leave out --threshold"),
        ((*WORDS, "--set", "events.min_s=1"), "leave out events.min_s=1"),
        ((*WORDS, "--set", "sampling.rate=5"), "leave out sampling.rate=5"),
    ],
)
def test_a_calibration_is_refused_for_what_it_was_not_made_for(
    ask: Asking, words: Sequence[str], named: str
) -> None:
    told = ask("detect", "clips/v0.mp4", *words, "--calibration", "chosen.yaml", "-o", "x", code=2)
    assert named in told
    assert not Path("x").exists()


def test_runs_made_otherwise_are_not_judged_with_a_calibration(ask: Asking) -> None:
    ask("detect", "clips", *WORDS, "--rate", "5", "-o", "slow", "-q")
    slow = ask("evaluate", "slow", "truth.csv", "--calibration", "chosen.yaml", code=2)
    assert "sampling.rate is 10.0, this one is 5.0" in slow
    assert "sampling.rate" in ask("drift", "chosen.yaml", "slow", code=2)
    ask("detect", "clips", "-p", "red", "-n", "blue", "--model", "fake", "-o", "red", "-q")
    assert "prompt bank" in ask("drift", "chosen.yaml", "red", code=2)
    assert "--calibration sets" in ask(
        "evaluate", "runs", "truth.csv", "--calibration", "chosen.yaml", "-t", "0.2", code=2
    )


def test_a_threshold_is_reported_on_another_split(ask: Asking) -> None:
    told = ask("calibrate", "runs", "truth.csv", "--on", "train", "--report", "test", *QUICK)
    assert "split test, 4 videos" in told
    assert "split train of truth.csv (4 videos)" in " ".join(told.split())
    left = ask("calibrate", "runs", "truth.csv", "--leave-out", "group", *QUICK)
    assert "leave one group out, 4 groups" in left


def test_each_label_gets_its_threshold_and_detect_uses_them(ask: Asking) -> None:
    told = ask("calibrate", "runs", "truth.csv", "--by-label", "-o", "c.yaml", *QUICK)
    assert "red: Chosen for F1" in told
    assert "green: Chosen for F1" in told
    limits = read_calibration("c.yaml").events["per_label"]
    assert set(limits) == {"red", "green"}
    ask("detect", "clips", *WORDS, "--calibration", "c.yaml", "-o", "again", "-q")
    planned = ask("evaluate", "runs", "truth.csv", "--calibration", "c.yaml", "--json", *QUICK)
    assert figures(planned) == figures(ask("evaluate", "again", "truth.csv", "--json", *QUICK))


def test_votes_are_the_verdicts_that_detect_gives(ask: Asking) -> None:
    told = ask(
        "calibrate", "runs", "truth.csv", "--votes", "-o", "v.yaml", "--plots", "plots",
    )  # fmt: skip
    assert {"grid.png", "confusion.png"} <= {path.name for path in Path("plots").iterdir()}
    ask("detect", "clips", *WORDS, "--calibration", "v.yaml", "-o", "again", "-q")
    decisions = {i: read_run(Path(f"again/v{i}")).decision for i in range(len(EVENTS))}
    assert {one.rule for one in decisions.values()} == {"balanced"}
    hits = [decisions[i].positive for i in range(len(EVENTS))]
    truth = [bool(label) for label, _, _ in EVENTS]
    both = sum(h and t for h, t in zip(hits, truth, strict=True))
    f1 = 2 * both / (sum(hits) + sum(truth))
    assert float(boxed(told)["value on the data it was chosen on"]) == pytest.approx(f1, abs=1e-3)
    refused = ask("evaluate", "runs", "truth.csv", "--calibration", "v.yaml", code=2)
    assert "verdict on whole videos" in refused


def test_a_long_table_is_thinned_in_the_terminal_and_whole_in_the_file(ask: Asking) -> None:
    told = ask(
        *("calibrate", "runs", "truth.csv", "--plots", "plots", *QUICK),
        *("--min", "0.001", "--max", "0.996", "--step", "0.005"),
    )
    shown = told[: told.index("Chosen")].count("\n")
    assert shown < 80
    assert "of 200 rows" in told
    assert "   * 0." in told
    with Path("plots/threshold_sweep.csv").open() as file:
        assert len(list(csv.reader(file))) == 201


# --- budgets and drift ---------------------------------------------------------------------------


def test_a_budget_too_small_for_the_footage_is_refused_with_what_is_possible(ask: Asking) -> None:
    told = ask("calibrate", "calm", "--budget", "2/day", "-o", "b.yaml", code=2)
    assert "cannot be promised yet" in told
    assert "hours of footage without events and there are 0.0" in told
    assert not Path("b.yaml").exists()
    told = ask("calibrate", "calm", "--budget", "2/day", "--uncertified", "-o", "b.yaml")
    assert boxed(told)["alarms a day that are allowed"].startswith("2")
    assert "so little footage cannot promise" in told
    assert not read_calibration("b.yaml").promise.certified


def test_a_budget_is_kept_counted_and_watched_for_drift(ask: Asking) -> None:
    told = ask("calibrate", "calm", "--budget", "60/hour", "-o", "b.yaml")
    kept = read_calibration("b.yaml").promise
    assert kept.certified
    assert int(boxed(told)["alarms counted on held-out footage"]) == kept.achieved
    assert "held-out hours" in told
    ask("detect", "quiet", *WORDS, "--calibration", "b.yaml", "-o", "again", "-q")
    assert sum(map(len, found(Path("again")).values())) <= 2
    ask("detect", "clips", *WORDS, "--calibration", "b.yaml", "-o", "alarms", "-q")
    assert all(found(Path("alarms"))[f"v{i}"] for i in range(6))
    assert "look as they did" in ask("drift", "b.yaml", "calm")
    assert "too little footage" in ask("drift", "b.yaml", "runs/v0", code=4)
    film(Path("dusk.mp4"), 110, ("red", 0, 110), 9)
    ask("detect", "dusk.mp4", *WORDS, "-o", "dusk", "-q")
    assert "expect more false alarms" in ask("drift", "b.yaml", "dusk", code=3)


def test_a_budget_with_a_truth_takes_the_footage_without_events(ask: Asking) -> None:
    told = ask("calibrate", "runs", "truth.csv", "--budget", "2/day", "--block", "1", code=2)
    assert "of 43199 blocks of 1 s" in told
    told = ask("calibrate", "runs", "truth.csv", "--budget", "900/hour", "--block", "0.5")
    assert "6 videos that hold events are left out" in told


def test_each_camera_gets_a_calibration_of_its_own(ask: Asking) -> None:
    words = ("calibrate", "calm", "quiet.csv", "--budget", "120/hour")
    told = ask(*words, "--per-camera", "-o", "cameras")
    assert "for camera door only" in told
    one, other = (read_calibration(f"cameras/{name}.yaml") for name in ("door", "yard"))
    assert one.events["enter"] != other.events["enter"]
    ask(*words, "--camera", "yard", "-o", "yard.yaml")
    assert read_calibration("yard.yaml").events == other.events
    assert "there are door, yard" in ask(*words, "--camera", "roof", code=2)
    assert "is there already" in ask(*words, "--per-camera", "-o", "cameras", code=1)
    assert "names cameras" in ask("calibrate", "calm", "--budget", "9/day", "--per-camera", code=2)
    ask("detect", "quiet/door.mp4", *WORDS, "--calibration", "cameras/door.yaml", "-o", "x", "-q")


# --- wrong use -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ((), "give the truth, or --budget"),
        (("none.csv",), "none.csv: cannot be read"),
        (("quiet.csv",), "no video is in both"),
        (("truth.csv", "--objective", "f2"), "objective is 'f2', it must be one of f1"),
        (("truth.csv", "--beta", "2"), "--beta goes with --objective f_beta"),
        (("truth.csv", "--min", "0.1"), "--min, --max and --step go together"),
        (("truth.csv", "--on", "train"), "--on and --report go together"),
        (("truth.csv", "--on", "train", "--report", "val"), "splits are test, train"),
        (("truth.csv", "--leave-out", "room"), "must be video or group"),
        (("truth.csv", "--smooth", "loess:1"), "--smooth is 'loess:1'"),
        (("truth.csv", "--confidence", "0.9"), "--confidence goes with --budget"),
        (("truth.csv", "--votes", "--by-label"), "--by-label has no part in --votes"),
        (("truth.csv", "--votes", "--objective", "event_f1"), "a grid counts videos"),
        (("--budget", "2"), "a positive number a day or hour"),
        (("--budget", "9/day", "--votes"), "--votes has no part in --budget"),
        (("--budget", "9/day", "--smooth", "1", "--smooth", "2"), "takes one --smooth"),
        (("truth.csv", "--label", "purple"), "no annotation has label 'purple'"),
    ],
)
def test_calibrate_refuses_in_words(ask: Asking, words: Sequence[str], named: str) -> None:
    assert named in ask("calibrate", "runs", *words, "-o", "c.yaml", code=2)
    assert not Path("c.yaml").exists()


def test_two_videos_or_one_class_are_too_few(ask: Asking) -> None:
    few = Path("few")
    few.mkdir()
    for name in ("v0", "v6"):
        shutil.copytree(Path("runs", name), few / name)
    assert "6 of 8 annotated videos" in ask("calibrate", "few", "truth.csv", code=2)
    told = ask("calibrate", "few", "truth.csv", "--partial", code=2)
    assert "2 videos are too few" in told
    rows = ["video,label,start_s,end_s", *(f"v{i}.mp4,red,0,4" for i in range(8))]
    Path("all.csv").write_text("\n".join(rows))
    assert "nothing to tell apart" in ask("calibrate", "runs", "all.csv", code=2)
    assert "each of the 8 videos" in ask("calibrate", "runs", "all.csv", "--votes", code=2)
    told = ask("calibrate", "runs", "all.csv", "--budget", "9/hour", code=2)
    assert "each of the 8 videos holds an event" in told


def test_scores_that_were_not_measured_are_refused(ask: Asking) -> None:
    rows = ["video,time_s,score"]
    rows += [f"v{i}.mp4,{t},nan" for i in range(8) for t in range(4)]
    Path("nan.csv").write_text("\n".join(rows))
    assert "all are NaN or empty" in ask("calibrate", "nan.csv", "truth.csv", code=2)
    # Events without scores over time have no threshold.
    rows = ["video,start_s,end_s,score", *(f"v{i}.mp4,1,2,0.5" for i in range(8))]
    Path("events.csv").write_text("\n".join(rows))
    told = ask("calibrate", "events.csv", "truth.csv", code=2)
    assert "no video has both scores over time" in told
    told = ask("calibrate", "events.csv", "truth.csv", "--votes", code=2)
    assert "neither segment scores nor scores over time" in told


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("watchword_calibration: 1", "watchword_calibration: [1"), "is not YAML"),
        (("watchword_calibration", "calibration"), "is no calibration"),
        (("watchword_calibration: 1", "watchword_calibration: 7"), "calibrate anew"),
        (("objective: f1", "objektive: f1"), "objektive is not known"),
        (("min_s: 0.5", "min_s: soon"), "events.min_s"),
        (("kind: contrast\n\n", "kind: margin\n\n"), "margin"),
    ],
)
def test_a_damaged_calibration_is_refused_by_every_reader(
    ask: Asking, change: tuple[str, str], named: str
) -> None:
    text = Path("chosen.yaml").read_text()
    assert change[0] in text
    Path("bad.yaml").write_text(text.replace(*change))
    assert named in ask("drift", "bad.yaml", "runs", code=2)
    assert named in ask("evaluate", "runs", "truth.csv", "--calibration", "bad.yaml", code=2)
    assert named in ask("detect", "clips/v0.mp4", *WORDS, "--calibration", "bad.yaml", code=2)


# --- imports, sentences, heads -------------------------------------------------------------------


def test_seed_folders_are_imported_judged_and_calibrated_but_not_detected_with(
    ask: Asking,
) -> None:
    seed = Path("seed")
    (seed / "clip_scores").mkdir(parents=True)
    (seed / "annotations").mkdir()
    rng = np.random.default_rng(3)
    for i in range(4):
        values = rng.uniform(0.1, 0.2, (2, 40)).astype(np.float32)
        values[0, 10 : 20 + i] += 0.08
        np.save(seed / f"clip_scores/scene_{i}.npy", values)
        prompts = json.dumps({"prompts": ["red", "blue"]})
        (seed / f"clip_scores/scene_{i}_prompts.json").write_text(prompts)
        scene = {"video": f"scene_{i}.mp4", "type": "car", "description": "a car", "target_hazard":
                 "car", "total_frames": 40, "events": [{"start": 10, "end": 20 + i}]}  # fmt: skip
        (seed / f"annotations/scene_{i}.mp4.json").write_text(json.dumps(scene))
    ask("import", "seed", "-o", "ours", "--rate", "10")
    told = ask("evaluate", "ours", "ours/annotations.json", "--json", *QUICK)
    assert figures(told)["auc_micro"] > 0.8
    ask("calibrate", "ours", "ours/annotations.json", "-o", "c.yaml", *QUICK)
    assert read_calibration("c.yaml").encoder_fingerprint is None
    told = ask("detect", "clips/v0.mp4", *WORDS, "--kind", "cosine", "--calibration", "c.yaml",
               code=2)  # fmt: skip
    assert "imported scores" in told
    assert "--rate" in ask("import", "seed", "-o", "other", code=2)
    rank = ("prompts", "rank", "ours", "ours/annotations.json", "--samples", "20", "--subsets", "9")
    assert "--kind cosine" in ask(*rank, code=2)
    told = ask(*rank, "--kind", "cosine", "-t", "0.2")
    assert "Sentences on 4 videos" in told
    assert re.search(r"│ red +│ event +│ event +│ helps", told)


def test_sentences_are_ranked(ask: Asking) -> None:
    told = ask("prompts", "rank", "runs", "truth.csv", "--samples", "20", "--subsets", "10")
    assert max(map(len, told.splitlines())) <= 80
    assert "red" in told
    assert "green" in told


FIT = (
    *("fit", "clips", "-a", "truth.csv", "--model", "fake", "--as", "odd", "-q"),
    *("--every-s", "0.5", "--folds", "3"),
)


def test_a_head_is_fitted_used_and_judged(ask: Asking) -> None:
    told = ask(
        *(*FIT, "-o", "odd.head.safetensors", "--window-s", "0.5", *WORDS[:-2]),
        *("--plots", "learned"),
    )
    assert {path.name for path in Path("learned").iterdir()} == {
        *("fit.txt", "odd-figures.csv", "odd-curve.csv", "odd-curve.png"),
    }
    with Path("learned/odd-curve.csv").open() as file:
        assert next(csv.reader(file)) == ["labels", "AUC", "sd", "draws"]
    assert "is there" in ask(*FIT, "-o", "two.head.safetensors", "--plots", "learned", code=1)
    assert max(map(len, told.splitlines()[:20])) <= 80
    assert "AUC, held-out windows" in told
    assert "AUC of the zero-shot score" in told
    head = ("--head", "odd.head.safetensors", "--model", "fake")
    ask("detect", "clips", *head, "-o", "heads", "-q")
    assert figures(ask("evaluate", "heads", "truth.csv", "--json", *QUICK))["auc_micro"] > 0.9
    refused = ask("evaluate", "heads", "truth.csv", "--strict", *QUICK, code=2)
    assert "head" in refused
    assert "encoder" in ask("detect", "clips", "--head", "odd.head.safetensors", code=2)
    ask("calibrate", "heads", "truth.csv", "-o", "h.yaml", *QUICK)
    ask("detect", "clips", *head, "--calibration", "h.yaml", "-o", "again", "-q")
    assert "prompt bank" in ask("detect", "clips", *WORDS, "--kind", "probability",
                                "--calibration", "h.yaml", code=2)  # fmt: skip
    assert "leave out --rate" in ask(
        "detect", "clips", *head, "--calibration", "h.yaml", "--rate", "1", code=2
    )


def test_a_head_is_refused_where_it_does_not_fit(ask: Asking) -> None:
    ask(*FIT, "-o", "odd.head.safetensors", "--window-s", "0.5")
    head = ("--head", "odd.head.safetensors", "--model", "fake")
    assert "a head gives probabilities" in ask("detect", "clips", *head, "--kind", "margin", code=2)
    assert "takes the place of" in ask("detect", "clips", *head, "-p", "red", code=2)
    slow = ask("detect", "clips/v0.mp4", *head, "--rate", "1", "-o", "x", "-q", code=2)
    assert "odd.head" in slow or "head" in slow
    Path("bad.head").write_bytes(b"no head")
    for name in ("bad.head", "none.head"):
        told = ask("detect", "clips", "--head", name, "--model", "fake", code=2)
        assert f"{name} cannot be used as a head" in told
    Path("few.csv").write_text("video,label,start_s,end_s\nv0.mp4,red,0,4\nv1.mp4,red,0,4\n")
    assert "both kinds are needed" in ask("fit", "clips", "-a", "few.csv", "--model", "fake", "-q",
                                  "-o", "few.head", code=2)  # fmt: skip
    assert not Path("few.head").exists()
