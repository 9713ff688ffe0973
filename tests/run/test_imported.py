"""An import gives back exactly what was read, and warns of sentences that tell the answer."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from watchword.cli.imports import import_
from watchword.errors import DatasetError, OutputError, PromptError
from watchword.evaluation.datasets.formats import read_records
from watchword.evaluation.predictions.prediction import Made, Prediction
from watchword.evaluation.predictions.read import read_predictions
from watchword.evaluation.predictions.saved import write_saved
from watchword.evidence.words import ScoreOptions, score_cosines
from watchword.run.imported import ImportOptions, import_predictions
from watchword.types import Event, Prompt, PromptBank, Scores, Span

SCENE = {
    "video": "video_001.mp4",
    "type": "animal",
    "description": "two deer running onto the road",
    "total_frames": 4,
    "target_hazard": "deer",
    "events": [{"start": 1, "end": 3}],
}
PROMPTS = ["animal", "road"]
BANK = PromptBank((Prompt("animal", "animal"), Prompt("road", "", "normal")))
RATED = ImportOptions(rate=10)


@pytest.fixture
def seed_1(tmp_path):
    """Two scenes as seed 1 lays them out, each asked with its own description."""
    folder = tmp_path / "seed"
    for inner in ("clip_scores", "annotations"):
        (folder / inner).mkdir(parents=True)
    rng = np.random.default_rng(1)
    for name, own in (("scene_001", "two deer"), ("scene_002", "a moose")):
        values = rng.uniform(0.15, 0.35, (3, 5)).astype(np.float32)
        values[0, 2] = np.nan
        np.save(folder / "clip_scores" / f"{name}.npy", values)
        prompts = json.dumps({"prompts": [*PROMPTS, own]})
        (folder / "clip_scores" / f"{name}_prompts.json").write_text(prompts)
        (folder / "annotations" / f"{name}.mp4.json").write_text(json.dumps(SCENE))
    return folder


def same(a, b):
    """Whether two predictions say the same, wherever they stand."""
    for field in dataclasses.fields(Prediction):
        one, other = getattr(a, field.name), getattr(b, field.name)
        if isinstance(one, Scores):
            np.testing.assert_array_equal(one.values, other.values)
            np.testing.assert_array_equal(one.edges_s, other.edges_s)
            for name in ("labels", "kind", "video", "made_by"):
                assert getattr(one, name) == getattr(other, name)
        elif field.name == "events" and one is not None:
            assert repr(one) == repr(other)  # NaN is not equal to itself
        elif field.name != "where":
            assert one == other, field.name


def test_what_seed_1_wrote_comes_back_unchanged(seed_1, tmp_path):
    before = read_predictions(seed_1, rate=10)
    done = import_predictions(seed_1, tmp_path / "out", options=RATED)
    after = read_predictions(tmp_path / "out")
    assert [f.name for f in done.folders] == ["scene_001", "scene_002"]
    for one, other in zip(before, after, strict=True):
        same(one, other)
    assert after[0].where == str(tmp_path / "out" / "scene_001")


def test_everything_a_prediction_can_hold_comes_back(tmp_path):
    scores = Scores([[0.25], [np.nan]], [0.5, 1 / 3 + 0.5, 2], ("x",), "margin", "print", "words a")
    whole = Prediction(
        video="a/b.mp4",
        where="somewhere",
        scores=scores,
        raw=dataclasses.replace(scores, values=[[0.5], [0.125]]),
        events=(Event("x", 0.1, 0.2), Event("y", 1, 2, 0.5, 1.5)),
        verdict=0.1,
        positive=False,
        segments=scores,
        maps="maps.npy",
        path="/videos/b.mp4",
        rate=29.97,
        video_fingerprint="print",
        made=Made("clip", "sha", BANK, "sha", ("a", "b"), {"method": "mean"}, {"enter": 0.5}),
    )
    (tmp_path / "a").mkdir()
    write_saved(whole, tmp_path / "a")
    (found,) = read_predictions(tmp_path)
    same(whole, found)


def test_tables_of_seeds_2_and_5_come_back_unchanged(tmp_path):
    header = "segment_uid,video_id,split,true_class,pred_class,score,is_anomaly"
    (tmp_path / "2.csv").write_text(f"{header}\nv_seg_0000,v,test,Abuse,x,0.25,True\n")
    (tmp_path / "5.csv").write_text(
        "Filename,Mean_CLIP_Score,Median_CLIP_Score\na.mp4,0.262500,0.261230\n"
    )
    for name in ("2", "5"):
        import_predictions(tmp_path / f"{name}.csv", tmp_path / name)
        (before,) = read_predictions(tmp_path / f"{name}.csv")
        (after,) = read_predictions(tmp_path / name)
        same(before, after)


def test_the_scenes_truth_lies_beside_as_our_own(seed_1, tmp_path):
    done = import_predictions(seed_1, tmp_path / "out", options=RATED)
    assert done.annotations == tmp_path / "out" / "annotations.json"
    truth, other = (record.annotation() for record in read_records(done.annotations))
    assert other.video == "scene_002"
    assert (truth.video, truth.duration_s, truth.anomalous) == ("scene_001", 0.4, True)
    assert truth.spans == (Span("animal", 0.1, 0.3),)
    assert "deer" not in done.annotations.read_text()


def test_sentences_of_single_videos_are_named(seed_1, tmp_path):
    done = import_predictions(seed_1, tmp_path / "out", options=RATED)
    (warning,) = done.warnings
    assert warning.startswith("sentences that differ between videos: 'two deer', 'a moose'")
    assert read_predictions(tmp_path / "out")[0].scores.labels == (*PROMPTS, "two deer")


def test_videos_asked_alike_are_no_warning(seed_1, tmp_path):
    done = import_predictions(
        seed_1 / "clip_scores" / "scene_001.npy", tmp_path / "out", options=RATED
    )
    assert done.warnings == ()
    assert done.annotated == 1


def test_a_bank_weighs_the_cosines_anew(seed_1, tmp_path):
    options = dataclasses.replace(RATED, bank=BANK, words=ScoreOptions("margin"))
    import_predictions(seed_1, tmp_path / "out", options=options)
    raw = read_predictions(seed_1, rate=10)[0].scores
    found = read_predictions(tmp_path / "out")[0]
    expected = score_cosines(raw, BANK, options=ScoreOptions("margin"))
    np.testing.assert_array_equal(found.scores.values, expected.values)
    assert (found.scores.kind, found.scores.labels) == ("margin", ("animal",))
    assert (found.made.bank, found.made.sentences) == (BANK, BANK.texts)


def test_a_bank_of_sentences_nobody_asked_is_refused_before_anything_is_written(seed_1, tmp_path):
    other = PromptBank((Prompt("smoke", "fire"), Prompt("road", "", "normal")))
    with pytest.raises(PromptError, match="hold nothing of 'smoke'"):
        import_predictions(seed_1, tmp_path / "out", options=dataclasses.replace(RATED, bank=other))
    assert not (tmp_path / "out").exists()


def test_verdicts_cannot_be_weighed(tmp_path):
    (tmp_path / "v.csv").write_text("video,score\na,1\n")
    with pytest.raises(PromptError, match="holds no scores of sentences"):
        import_predictions(tmp_path / "v.csv", tmp_path / "o", options=ImportOptions(bank=BANK))


def test_an_import_is_replaced_only_when_told(seed_1, tmp_path):
    out = tmp_path / "out"
    import_predictions(seed_1, out, options=RATED)
    with pytest.raises(OutputError, match="is there already"):
        import_predictions(seed_1, out, options=RATED)
    import_predictions(seed_1, out, options=dataclasses.replace(RATED, overwrite=True))
    assert len(read_predictions(out)) == 2


def test_videos_of_one_name_get_folders_of_their_own(tmp_path):
    table = "video,score\na/clip.mp4,1\nb/clip.mp4,0\nannotations,0.5\n"
    (tmp_path / "v.csv").write_text(table)
    done = import_predictions(tmp_path / "v.csv", tmp_path / "out")
    names = [folder.name for folder in done.folders]
    assert names == ["clip.mp4", "clip.mp4-2", "annotations-2"]


def test_a_damaged_import_is_named(seed_1, tmp_path):
    done = import_predictions(seed_1, tmp_path / "out", options=RATED)
    (done.folders[0] / "imported.json").write_text('{"watchword_import": 1}')
    with pytest.raises(DatasetError, match="scene_001: is no import that can be read"):
        read_predictions(tmp_path / "out")
    (done.folders[0] / "imported.json").write_text('{"watchword_import": 2}')
    with pytest.raises(DatasetError, match="is no import of version 1"):
        read_predictions(tmp_path / "out")


@pytest.mark.shared
def test_the_scenes_of_seed_1_itself_are_imported(shared, tmp_path):
    folder = shared / "data" / "clip_hazard_signals"
    options = dataclasses.replace(RATED, rate=30)
    done = import_predictions(folder, tmp_path / "out", options=options)
    before = read_predictions(folder, rate=30)
    after = read_predictions(tmp_path / "out")
    for one, other in zip(before, after, strict=True):
        same(one, other)
    assert done.annotated == len(after) == 14
    (warning,) = done.warnings
    own = warning.split(": ")[1].split("; ")[0].split(", ")
    # Two a scene but for scene_005; "debris" is a prompt of all, two scenes share a target.
    assert len(own) == 24
    assert "'two deer running onto the road'" in own


class TestCommand:
    def call(self, *words):
        app = typer.Typer()
        app.command()(import_)
        return CliRunner().invoke(app, [str(word) for word in words])

    def test_folders_are_printed_and_warnings_told(self, seed_1, tmp_path):
        said = self.call(seed_1, "-o", tmp_path / "out", "--rate", 10)
        assert said.exit_code == 0, said.output
        assert "warning: sentences that differ between videos" in said.stderr
        assert "; the truth of 2 in " in said.stderr
        assert said.stdout.splitlines()[0] == str(tmp_path / "out" / "scene_001")

    def test_a_bank_file_and_a_kind(self, seed_1, tmp_path):
        bank = tmp_path / "bank.yaml"
        bank.write_text("labels: {animal: [animal]}\nnormal: [road]\n")
        words = ("--rate", 10, "--bank", bank, "--kind", "margin")
        said = self.call(seed_1, "-o", tmp_path / "out", *words)
        assert said.exit_code == 0, said.output
        assert read_predictions(tmp_path / "out")[0].scores.kind == "margin"

    @pytest.mark.parametrize("words", [("--rate", 0), ("--kind", "likelihood")])
    def test_wrong_words_are_refused(self, seed_1, tmp_path, words):
        assert self.call(seed_1, "-o", tmp_path / "out", *words).exit_code == 2
