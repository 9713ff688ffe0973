"""The values between stages keep what they promise, and say what broke it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.types import (
    Annotation,
    Coverage,
    Decision,
    Embeddings,
    Event,
    Frames,
    Prompt,
    PromptBank,
    Scores,
    Span,
    VideoInfo,
)

INFO = VideoInfo("v", 4, 2)
TIMES = st.floats(0, 100, allow_nan=False)


def frames(count: int = 3) -> Frames:
    pixels = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 4, 3), np.uint8)
    return Frames(pixels, np.arange(count) / 10, np.full(count, 0.1), INFO)


def test_arrays_are_read_only_once_they_are_inside() -> None:
    for array in (frames().pixels, Scores([[0.1]], [0, 1], ("a",), "cosine").values):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_frames_slice_like_an_array_and_show_shapes_not_pixels() -> None:
    part = frames(5)[1:4]
    assert (len(part), part.pixels[0, 0, 0, 0], part.pts_s[0]) == (3, 1, 0.1)
    assert repr(part) == "Frames(pixels=(3, 2, 4, 3), source='v')"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"pts_s": [0, 0.2, 0.1]}, "rise strictly"),
        ({"duration_s": [0.1, 0, 0.1]}, "must be positive"),
        ({"pts_s": [0, 1]}, r"pts_s has shape \(2,\), it must be 3"),
        ({"pixels": np.zeros((3, 2, 4))}, "it must be anyxanyxanyx3"),
    ],
)
def test_frames_that_break_a_promise_are_refused(fields: dict[str, Any], message: str) -> None:
    whole = frames()
    given = {"pixels": whole.pixels, "pts_s": whole.pts_s, "duration_s": whole.duration_s} | fields
    with pytest.raises(ValueError, match=message):
        Frames(**given, info=INFO)


@pytest.mark.parametrize(
    ("vectors", "edges_s", "message"),
    [
        ([[2.0, 0.0]], [0, 1], "unit length"),
        ([[1.0, np.nan]], [0, 1], None),
        ([[1.0, 0.0]], [0, 0], "strictly rising"),
        ([[1.0, 0.0]], [0, np.inf], "finite"),
        ([[1.0, 0.0]], [0, 1, 2], r"edges_s has shape \(3,\)"),
    ],
)
def test_embeddings_have_unit_rows_or_none(vectors: Any, edges_s: Any, message: str | None) -> None:
    if message is None:
        assert len(Embeddings(vectors, edges_s, "e", None, Coverage(1))) == 1
        return
    with pytest.raises(ValueError, match=message):
        Embeddings(vectors, edges_s, "e", None, Coverage(1))


@pytest.mark.parametrize(
    ("values", "labels", "kind", "message"),
    [
        ([[1.2]], ("a",), "contrast", r"must lie in \[0, 1\]"),
        ([[np.inf]], ("a",), "cosine", "finite"),
        ([[0.1, 0.2]], ("a", "a"), "cosine", "unique"),
        ([[0.1, 0.2]], ("a",), "cosine", "it must be anyx1"),
        ([[0.1]], ("a",), "logit", "kind is 'logit'"),
    ],
)
def test_scores_that_break_a_promise_are_refused(
    values: Any, labels: tuple[str, ...], kind: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Scores(values, [0, 1], labels, kind)


def test_scores_are_looked_up_by_label_and_an_unknown_one_names_the_known() -> None:
    scores = Scores([[0.1, np.nan]], [0, 1], ("a", "b"), "cosine")
    assert scores["a"].tolist() == pytest.approx([0.1])
    assert np.isnan(scores["b"][0])
    with pytest.raises(KeyError, match="known are a, b"):
        scores["c"]


@pytest.mark.parametrize(
    ("prompts", "templates", "message"),
    [
        ((), ("{}",), "at least one event prompt"),
        ((Prompt("x", "", "normal"),), ("{}",), "at least one event prompt"),
        ((Prompt("x", "a"), Prompt("x", "a")), ("{}",), "stands twice"),
        ((Prompt("x", "a"), Prompt("y", "b", "normal")), ("{}",), "without an event prompt: b"),
        ((Prompt("x", "a"),), ("no place",), "must hold {} exactly once"),
        ((Prompt("x", "a"),), (), "there must be one"),
    ],
)
def test_banks_that_break_a_promise_are_refused(
    prompts: tuple[Prompt, ...], templates: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        PromptBank(prompts, templates)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"text": "  "}, "empty"),
        ({"text": "x", "role": "maybe"}, "event or normal"),
        ({"text": "x", "weight": 0}, "positive"),
        ({"text": "x", "weight": float("nan")}, "positive"),
    ],
)
def test_prompts_that_make_no_sense_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Prompt(label="a", **fields)


def test_a_normal_prompt_without_a_label_serves_every_label() -> None:
    bank = PromptBank(
        (Prompt("deer", "a"), Prompt("fire", "b"), Prompt("road", "", "normal"),
         Prompt("smoke", "b", "normal"))
    )  # fmt: skip
    assert [p.text for p in bank.of("a", "normal")] == ["road"]
    assert [p.text for p in bank.of("b", "normal")] == ["road", "smoke"]


@given(TIMES, TIMES, TIMES, TIMES)
def test_iou_is_symmetric_and_that_of_sets_of_moments(
    a: float, b: float, c: float, d: float
) -> None:
    if abs(a - b) < 1e-3 or abs(c - d) < 1e-3:
        return
    one, two = Span("x", min(a, b), max(a, b)), Span("y", min(c, d), max(c, d))
    assert one.iou(two) == pytest.approx(two.iou(one))
    assert one.iou(one) == pytest.approx(1)
    moments = np.linspace(0, 100, 200_001)
    inside = [(moments >= s.start_s) & (moments < s.end_s) for s in (one, two)]
    either = (inside[0] | inside[1]).sum()
    if either > 1000:
        assert one.iou(two) == pytest.approx((inside[0] & inside[1]).sum() / either, abs=0.01)


@pytest.mark.parametrize("times", [(1, 1), (2, 1), (float("nan"), 1), (0, float("inf"))])
def test_a_span_ends_after_it_starts(times: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="must end after it starts"):
        Span("x", *times)
    with pytest.raises(ValueError, match="must end after it starts"):
        Event("x", *times)


def test_truth_of_a_window_is_that_of_its_middle() -> None:
    truth = Annotation("v", (Span("a", 1, 3), Span("b", 2.5, 4)), ("a", "b"))
    assert truth.mask(np.arange(6.0)).tolist() == [
        [False, False], [True, False], [True, True], [False, True], [False, False],
    ]  # fmt: skip
    assert [span.label for span in truth] == ["a", "b"]


def test_what_was_not_measured_is_not_positive() -> None:
    assert not Decision("v", None, None, 0.0, "share").positive
    assert Decision("v", "a", 0.5, 0.5, "share").positive


def test_shares_of_coverage_are_unknown_rather_than_guessed() -> None:
    assert Coverage(3, covered_s=1.0).share is None
    assert Coverage(4, reused=1, covered_s=1.0, expected_s=4.0).share == 0.25
    assert Coverage(4, reused=1).reused_share == 0.25
    assert Coverage(0).reused_share == 0
