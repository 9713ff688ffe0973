"""Risk of a drive, from a responder, a light model, and both in a cascade."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from risk_drives import Painter, drive, light, plain
from watchword.config import apply
from watchword.encoders.fake import FakeEncoder
from watchword.errors import VideoError
from watchword.evidence.answers.question import CRASH, Question
from watchword.evidence.cascade import CascadeOptions
from watchword.evidence.light import Light
from watchword.pipeline.clips import SlideOptions
from watchword.pipeline.risk import Risk, RiskWatch

SLIDE = SlideOptions(clip_s=2.0, stride_s=0.5, pictures=4, least_s=0.5)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Light:
    return light(tmp_path_factory.mktemp("drives"))


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drive(tmp_path_factory.mktemp("crash") / "crash.mp4", 4.0)


def cascade(learned: Light, crash: Path, options: CascadeOptions) -> tuple[Risk, Painter]:
    asked = Painter()
    watch = RiskWatch(
        light=learned,
        responder=asked,
        slide=SLIDE,
        cascade=options,
        config=plain(),
        encoder=FakeEncoder(),
    )
    return watch.watch(crash), asked


def answers_of(risk: Risk) -> np.ndarray:
    assert risk.detection.parts is not None
    return risk.detection.parts["answers"]


def test_a_responder_gives_a_probability_every_stride(crash):
    asked = Painter()
    risk = RiskWatch(responder=asked, slide=SLIDE, config=plain()).watch(crash)
    scores = risk.detection.scores
    assert scores.kind == "probability"
    assert scores.labels == ("collision",)
    assert scores.edges_s == pytest.approx(np.arange(13) * 0.5)
    assert scores.values[:, 0] == pytest.approx([0.05] * 6 + [0.95] * 6)
    (event,) = risk.detection.events
    assert (event.start_s, event.end_s) == pytest.approx((3.0, 6.0))
    assert risk.detection.decision.positive
    assert set(asked.batches) == {3}
    assert {len(clip) for clip in asked.clips[4:]} == {4}


def test_no_answer_rests_on_what_comes_after_it(crash, tmp_path):
    whole, part = Painter(), Painter()
    RiskWatch(responder=whole, slide=SLIDE, config=plain()).watch(crash)
    early = apply(plain(), {"sampling": {"end_s": 3.5}})
    RiskWatch(responder=part, slide=SLIDE, config=early).watch(crash)
    for short, long in zip(part.clips, whole.clips, strict=False):
        assert (short.pictures == long.pictures).all()
        assert (short.at_s == long.at_s).all()
    assert len(part.clips) == 7


def test_the_question_names_the_scores(crash):
    question = Question("Is it on fire?", label="fire")
    risk = RiskWatch(responder=Painter(), question=question, slide=SLIDE, config=plain())
    assert risk.watch(crash).detection.scores.labels == ("fire",)


def test_a_light_model_warns_before_the_accident(learned, crash):
    watch = RiskWatch(light=learned, config=plain(), encoder=FakeEncoder())
    found = watch.watch(crash).detection
    before = [event for event in found.events if event.start_s < 4.0]
    assert before
    assert before[0].start_s == pytest.approx(3.1, abs=0.4)
    assert found.provenance.fitted["risk"]["videos"]
    assert found.provenance.fitted["risk"]["lead_s"] == 1.0


def test_smoothing_is_causal_whatever_the_config_says(learned, crash):
    smooth = apply(plain(), {"smoothing": {"method": "gaussian", "width_s": 1.0}})
    watch = RiskWatch(light=learned, config=smooth, encoder=FakeEncoder())
    early = replace(smooth, sampling=replace(smooth.sampling, end_s=3.5))
    part = RiskWatch(light=learned, config=early, encoder=FakeEncoder())
    whole, short = (one.watch(crash).detection.scores.values[:, 0] for one in (watch, part))
    np.testing.assert_allclose(short, whole[: len(short)], atol=1e-6)


def test_a_cascade_asks_no_more_than_its_budget(learned, crash):
    for budget, most in ((3, 3), (0.25, 3), (0, 0), (1.0, 12)):
        risk, asked = cascade(learned, crash, CascadeOptions(budget=budget, margin=None))
        assert len(asked.clips) <= most
        assert risk.bought is not None
        assert risk.bought.asked == len(asked.clips)
        assert risk.bought.allowed == most
        assert int((~np.isnan(answers_of(risk))).sum()) == risk.bought.asked
        assert risk.bought.sentence in risk.detection.coverage.notes


def test_without_a_budget_the_cascade_is_the_light_model(learned, crash):
    risk, _ = cascade(learned, crash, CascadeOptions(budget=0))
    alone = RiskWatch(light=learned, config=plain(), encoder=FakeEncoder()).watch(crash)
    ends = risk.raw_scores.edges_s[1:]
    last = np.searchsorted(alone.raw_scores.edges_s[:-1], ends - 1e-6) - 1
    np.testing.assert_allclose(
        risk.raw_scores.values[:, 0], alone.raw_scores.values[last, 0], rtol=1e-5
    )
    assert risk.bought.crossed == 0
    assert not risk.bought.turned


def test_answers_change_only_windows_that_were_asked_about(learned, crash):
    nothing, _ = cascade(learned, crash, CascadeOptions(budget=0))
    some, _ = cascade(learned, crash, CascadeOptions(budget=4, margin=None, weight=1.0))
    answers = answers_of(some)
    asked = ~np.isnan(answers)
    before, after = nothing.raw_scores.values[:, 0], some.raw_scores.values[:, 0]
    np.testing.assert_array_equal(before[~asked], after[~asked])
    np.testing.assert_allclose(after[asked], answers[asked], rtol=1e-5)


def test_what_cannot_be_read_is_said(tmp_path):
    with pytest.raises(VideoError, match=r"absent\.mp4"):
        RiskWatch(responder=Painter(), config=plain()).watch(tmp_path / "absent.mp4")


def test_something_must_tell_the_risk():
    with pytest.raises(ValueError, match="light model or a responder"):
        RiskWatch()
    with pytest.raises(ValueError, match="needs both"):
        RiskWatch(responder=Painter(), cascade=CascadeOptions())


def test_what_was_asked_and_of_what_is_kept(learned, crash):
    risk, _ = cascade(learned, crash, CascadeOptions(budget=3))
    asked = risk.detection.provenance.asked
    assert asked["question"] == CRASH.text
    assert (asked["clip_s"], asked["stride_s"], asked["of"]) == (2.0, 0.5, "folder")
    assert asked["cascade"]["budget"] == 3
    alone = RiskWatch(light=learned, config=plain(), encoder=FakeEncoder()).watch(crash)
    assert alone.detection.provenance.asked == {}


def test_a_cascade_keeps_both_of_its_curves(learned, crash):
    parts = cascade(learned, crash, CascadeOptions(budget=3))[0].detection.parts
    nothing = cascade(learned, crash, CascadeOptions(budget=0))[0]
    assert parts is not None
    assert parts.labels == ("light", "answers")
    np.testing.assert_array_equal(parts["light"], nothing.raw_scores.values[:, 0])
    assert set(parts["answers"][~np.isnan(parts["answers"])].astype(float).round(2)) <= {0.05, 0.95}
