"""Which stretches a question about the next seconds is asked of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.train.risk.windows import WindowOptions, choose_windows
from watchword.types import Annotation, Span


def annotated(*spans: tuple[float, float], accident_s: float | None = None) -> Annotation:
    marked = tuple(Span("collision", *span) for span in spans)
    return Annotation("a.mp4", marked, ("collision",), accident_s=accident_s)


def test_stretches_end_the_leads_before_the_impact() -> None:
    found = choose_windows(annotated((8.0, 12.0), accident_s=10.0), 15.0, WindowOptions(clip_s=3.0))
    yes = [(one.start_s, one.end_s, one.lead_s) for one in found if one.label]
    assert yes == [(5.0, 8.0, 2.0), (5.5, 8.5, 1.5), (6.0, 9.0, 1.0), (6.5, 9.5, 0.5)]


def test_none_is_called_safe_from_where_the_danger_is_marked() -> None:
    found = choose_windows(annotated((4.0, 12.0), accident_s=10.0), 15.0, WindowOptions(clip_s=2.0))
    assert max(one.end_s for one in found if not one.label) <= 4.0


def test_a_stretch_reaches_into_no_earlier_event() -> None:
    found = choose_windows(annotated((5.0, 6.0), (9.0, 10.0)), 20.0, WindowOptions(clip_s=2.0))
    second = [one for one in found if one.label and one.end_s > 6.0]
    assert [one.lead_s for one in second] == [1.0, 0.5]
    assert all(one.start_s >= 6.0 for one in second)


def test_a_video_that_is_positive_as_a_whole_gives_nothing() -> None:
    vague = Annotation("a.mp4", (), ("collision",), anomalous=True)
    assert choose_windows(vague, 60.0, WindowOptions()) == ()


def test_a_normal_video_gives_negatives_spread_over_all_of_it() -> None:
    normal = Annotation("a.mp4", (), ("collision",), anomalous=False)
    found = choose_windows(normal, 24.0, WindowOptions(clip_s=4.0, negatives=4))
    assert [(one.end_s, one.label, one.lead_s) for one in found] == [
        (6.5, 0, None),
        (11.5, 0, None),
        (16.5, 0, None),
        (21.5, 0, None),
    ]


def test_events_of_other_labels_do_not_count() -> None:
    other = Annotation("a.mp4", (Span("fire", 5.0, 6.0),), ("fire", "collision"))
    found = choose_windows(other, 10.0, WindowOptions(clip_s=2.0, label="collision"))
    assert found
    assert not any(one.label for one in found)


@given(
    event=st.floats(0.5, 30),
    length=st.floats(0.5, 10),
    clip_s=st.floats(0.5, 5),
    negatives=st.integers(0, 8),
)
def test_every_stretch_is_of_one_length_and_before_the_event(
    event: float, length: float, clip_s: float, negatives: int
) -> None:
    options = WindowOptions(clip_s=clip_s, negatives=negatives)
    truth = annotated((event, event + length))
    for one in choose_windows(truth, event + length + 5, options):
        assert one.end_s - one.start_s == pytest.approx(clip_s)
        assert one.start_s >= -1e-9
        assert one.end_s <= event - (min(options.leads_s) if one.label else options.clear_s) + 1e-9
        assert one.lead_s == pytest.approx(event - one.end_s)


@pytest.mark.parametrize(
    "wrong", [{"clip_s": 0}, {"leads_s": ()}, {"leads_s": (-1.0,)}, {"clear_s": 2.0}]
)
def test_options_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        WindowOptions(**wrong)  # type: ignore[arg-type]
