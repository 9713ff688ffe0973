"""Predictions meet the truth of the same video, or an error says which do not, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluation.making import A, B, cases, no_clock, prediction, record
from watchword.errors import DatasetError, KindMismatch
from watchword.evaluation.datasets.record import FrameClock, FrameSpan, Record
from watchword.evaluation.matching import CaseOptions, load_cases
from watchword.evaluation.names import match_names, name_key, short_names
from watchword.evaluation.predictions.prediction import Prediction
from watchword.evidence.smooth import Smoothing
from watchword.types import Event


def pairs(predicted, annotated):
    left = [prediction(name, A) for name in predicted]
    right = [record(name) for name in annotated]
    return {right[a].video: left[b].video for a, b in match_names(right, left).items()}


def test_names_match_by_stem_whatever_the_folder_and_ending():
    assert pairs(["runs/a.mp4"], ["/data/test/a.avi"]) == {"/data/test/a.avi": "runs/a.mp4"}


def test_dots_in_a_name_are_no_ending():
    assert name_key("The.Movie.part1") == ("The.Movie.part1",)
    assert name_key("x/v=S-7rRLrxnVQ__#1_label_B4-0-0.MP4")[-1] == "v=S-7rRLrxnVQ__#1_label_B4-0-0"


def test_equal_stems_are_told_apart_by_folders():
    found = pairs(["out/b/001.mp4", "out/a/001.mp4"], ["a/001", "b/001"])
    assert found == {"a/001": "out/a/001.mp4", "b/001": "out/b/001.mp4"}


def test_a_settled_pair_leaves_the_other_free():
    assert pairs(["a/001", "b/001"], ["a/001", "001"]) == {"a/001": "a/001", "001": "b/001"}


def test_a_name_that_could_mean_two_videos_is_refused():
    with pytest.raises(DatasetError, match=r"could mean 2 videos.*a/001.*b/001"):
        pairs(["a/001", "b/001"], ["001"])


@pytest.mark.parametrize(
    ("segment_id", "name"),
    [
        ("test_Abuse_Abuse028_x264", "Abuse/Abuse028_x264.mp4"),
        ("test_Normal_Normal_Videos_003_x264", "Normal_Videos_003_x264"),
        ("train_Road_Accidents_RoadAccidents001", "RoadAccidents001"),
    ],
)
def test_ids_with_split_and_class_match_on_either_side(segment_id, name):
    assert pairs([segment_id], [name]) == {name: segment_id}
    assert pairs([name], [segment_id]) == {segment_id: name}


def test_short_names_keep_what_tells_videos_apart():
    assert short_names(["x/a/1.mp4", "x/b/1.mp4", "x/b/2.mp4"]) == ("a/1", "b/1", "2")


def test_duplicates_name_both_places():
    twice = [prediction("a.mp4", A), replace(prediction("a.avi", A), where="second.parquet")]
    with pytest.raises(DatasetError, match=r"second.parquet.*a.mp4.parquet"):
        cases(twice, [record("a")])
    with pytest.raises(DatasetError, match=r"row 2.*row 1"):
        cases([prediction("a", A)], [record("a", where="t, row 1"), record("a", where="t, row 2")])


def test_missing_predictions_are_listed_and_counted():
    annotated = [record(f"v{i:02d}") for i in range(13)]
    with pytest.raises(DatasetError, match=r"12 of 13 .*'v10' and 2 more"):
        cases([prediction("v00", A)], annotated)
    found = cases([prediction("v00", A)], annotated, partial=True)
    assert len(found) == 1
    assert len(found.missing) == 12
    assert "12 of 13 annotated videos have no prediction" in found.notes[0]


def test_predictions_without_annotation_are_a_note_and_kept_aside():
    found = cases([prediction("a", A), prediction("z", B)], [record("a")])
    assert found.names == ("a",)
    assert [other.video for other in found.others] == ["z"]
    assert "1 predictions have no annotation: 'z'" in found.notes[0]


def test_nothing_in_common_shows_names_of_both_sides():
    with pytest.raises(DatasetError, match=r"predictions are of 'p1', 'p2', 'p3' and 1 more.*'r1'"):
        cases([prediction(f"p{i}", A) for i in range(1, 5)], [record("r1")])


def test_nothing_at_all_is_refused():
    with pytest.raises(DatasetError, match="there are none"):
        cases([], [record("a")])
    with pytest.raises(DatasetError, match="there are none"):
        cases([prediction("a", A)], [])


def test_a_split_is_chosen_and_an_unknown_one_lists_those_there_are():
    truth = [record("a", split="train"), record("b", split="test")]
    found = cases([prediction("a", A), prediction("b", B)], truth, split="test")
    assert found.names == ("b",)
    assert [r.video for r in found.other_records] == ["a"]
    with pytest.raises(DatasetError, match="splits are test, train"):
        cases([prediction("a", A)], truth, split="val")


def test_kinds_are_not_mixed():
    with pytest.raises(KindMismatch, match=r"contrast.*margin"):
        cases([prediction("a", A), prediction("b", B, kind="margin")], [record("a"), record("b")])


@pytest.mark.parametrize(("duration_s", "notes"), [(10.0, 0), (10.04, 0), (10.6, 1), (9.5, 1)])
def test_lengths_that_nearly_agree_are_a_note(duration_s, notes):
    found = cases([prediction("a", A * 10, step_s=0.1)], [record("a", duration_s=duration_s)])
    assert len(found.cases[0].notes) == notes


@pytest.mark.parametrize("duration_s", [300.0, 0.4, 12.0])
def test_lengths_that_cannot_belong_together_are_refused(duration_s):
    with pytest.raises(DatasetError, match=r"factor of .* wrong frame rate or unit"):
        cases([prediction("a", A * 10, step_s=0.1)], [record("a", duration_s=duration_s)])


def test_the_length_tolerance_can_be_widened():
    made = [prediction("a", A * 10, step_s=0.1)], [record("a", duration_s=12.0)]
    assert cases(*made, length_tolerance=0.25).cases[0].notes


def test_frames_need_a_clock_and_take_the_rate_of_the_predictions():
    truth = Record("a", "t", spans=(FrameSpan("event", 2, 5),), labels=("event",), frame_count=10)
    with pytest.raises(DatasetError, match="--rate"):
        cases([prediction("a", A)], [truth])
    found = cases([prediction("a", A, rate=1.0)], [truth])
    assert found.cases[0].annotation.spans[0].end_s == 5.0
    twice_as_fast = load_cases(
        [prediction("a", A, step_s=0.5)], [truth], clock=lambda *_: FrameClock(rate=2.0)
    )
    assert twice_as_fast.cases[0].annotation.spans[0].end_s == 2.5


def test_one_label_of_truth_and_prediction():
    values = np.stack([A, B], axis=1)
    truth = [record("a", (2, 5), label="x"), record("b", (1, 2), label="y")]
    predicted = [
        replace(
            prediction(name, values, labels=("x", "y")),
            events=(Event("x", 1, 2, 0.9), Event("y", 3, 4, 0.9)),
            verdict=0.9,
            positive=True,
        )
        for name in "ab"
    ]
    one, other = cases(predicted, truth, label="x").cases
    assert one.series.tolist() == pytest.approx(A)
    assert [event.label for event in one.prediction.events] == ["x"]
    assert one.prediction.verdict is None
    assert (one.annotation.positive, other.annotation.positive) == (True, False)
    with pytest.raises(DatasetError, match="labels are x, y"):
        cases(predicted, truth, label="z")
    with pytest.raises(DatasetError, match="has no label 'x'; labels are event"):
        cases([prediction("a", A), prediction("b", B)], truth, label="x")


def test_smoothing_takes_the_raw_scores_and_drops_saved_events():
    plain = prediction("a", A)
    flat = replace(plain.scores, values=np.full((10, 1), 0.5))
    saved = replace(plain, raw=plain.scores, scores=flat, events=(Event("event", 1, 2, 0.9),))
    kept = cases([saved], [record("a")]).cases[0]
    assert kept.series.tolist() == [0.5] * 10
    assert kept.prediction.events
    mean = Smoothing("mean", width_s=3.0)
    smoothed = cases([saved], [record("a")], smoothing=mean).cases[0]
    assert smoothed.series[1] == pytest.approx(np.mean(A[:3]))
    assert smoothed.prediction.events is None


def test_stretching_by_video_and_together():
    made = [prediction("a", A), prediction("b", np.array(B) / 2)], [record("a"), record("b")]
    alone = cases(*made, normalise="per_video")
    assert [(c.series.min(), c.series.max()) for c in alone.cases] == [(0, 1), (0, 1)]
    together = cases(*made, normalise="global")
    assert together.cases[1].series.max() == pytest.approx((0.35 - 0.05) / 0.85)
    flat = cases([prediction("a", [0.3] * 5)], [record("a")], normalise="per_video").cases[0]
    assert flat.series.tolist() == [0.0] * 5
    assert "every score is the same" in flat.notes[0]


def test_a_video_without_times_is_noted():
    found = cases([prediction("a", A)], [record("a", anomalous=True)])
    assert "nobody said when" in found.cases[0].notes[0]


@pytest.mark.parametrize("wrong", [{"normalise": "z"}, {"length_tolerance": -1}])
def test_wrong_options_are_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        CaseOptions(**wrong)


def test_the_default_clock_asks_for_the_rate():
    truth = Record("a", "t", spans=(FrameSpan("event", 2, 5),), labels=("event",), frame_count=10)
    found = load_cases([prediction("a", A)], [truth], options=CaseOptions(rate=1.0))
    assert found.cases[0].annotation.spans[0].start_s == 2.0
    assert no_clock(truth, None) is None


def test_events_past_the_end_look_like_another_unit():
    late = Prediction("a", "p.csv, row 2", events=(Event("event", 2000.0, 5000.0, 0.9),))
    with pytest.raises(DatasetError, match=r"row 2.*ends at 5000\.00 s.*seconds"):
        cases([late], [record("a", (2, 5), duration_s=10.0)])
    fine = Prediction("a", "p.csv, row 2", events=(Event("event", 2.0, 10.5, 0.9),))
    assert len(cases([fine], [record("a", (2, 5), duration_s=10.0)])) == 1


def test_scores_of_which_none_was_measured_are_refused():
    nothing = [prediction("a", [np.nan] * 10), prediction("b", [np.nan] * 10)]
    truth = [record("a", (2, 5)), record("b")]
    with pytest.raises(DatasetError, match=r"a\.parquet.*no score that was measured"):
        cases(nothing, truth)
    assert len(cases([nothing[0], prediction("b", B)], truth)) == 2


def test_rates_and_cosines_that_cannot_be_are_told():
    truth = [record("a", (2, 5), rate=30.0)]
    assert (
        "states 30 frames a second; 3 was" in cases([prediction("a", A)], truth, rate=3.0).notes[0]
    )
    assert cases([prediction("a", A)], truth, rate=30.0).notes == ()
    percent = prediction("a", [100 * a for a in A], kind="cosine")
    assert "Scores reach 90, which no cosine does" in cases([percent], truth).notes[0]
    assert cases([prediction("a", A, kind="cosine")], truth).notes == ()


def test_the_split_that_was_meant_is_named():
    truth = [record("a", (2, 5), split="test"), record("b", split="train")]
    with pytest.raises(DatasetError, match="--split test"):
        cases([prediction("a", A)], truth)
    with pytest.raises(DatasetError) as other:
        cases([prediction("a", A)], [*truth, record("c", split="test")])
    assert "--split" not in str(other.value)


def test_names_that_macos_spells_with_loose_accents_match():
    made = cases([prediction("Cafe\u0301", A)], [record("Caf\u00e9", (2, 5))])
    assert len(made) == 1


def test_a_video_that_nobody_looked_at_is_left_out_and_counted():
    truth = [record("a", (2, 4)), record("b", anomalous=None), record("c")]
    made = cases([prediction(name, A) for name in ("a", "b", "c")], truth)
    assert made.names == ("a", "c")
    (note,) = (note for note in made.notes if "neither marks" in note)
    assert "'b'" in note
    with pytest.raises(DatasetError, match="marks no event and calls no video normal"):
        cases([prediction("b", A)], [record("b", anomalous=None)])


def test_an_end_that_was_put_right_is_among_the_notes_of_its_video():
    late = Record("a", "truth.csv, row 1", (FrameSpan("x", 4, 11),), frame_count=10, rate=1.0)
    made = load_cases([prediction("a", A)], [late], clock=no_clock)
    assert any("one frame after the video" in note for note in made.cases[0].notes)
