"""Fitting light models of risk, and Platt's curve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.calibration import _SigmoidCalibration

from risk_drives import footage
from watchword.errors import CalibrationError
from watchword.evaluation.foreseen import LeadOptions
from watchword.evidence.platt import logit
from watchword.train.head import FitOptions
from watchword.train.light import LightOptions, fit_light
from watchword.train.platt import fit_platt

HOW = FitOptions(window_s=1.0, every_s=0.3, sizes=(), samples=20, folds=4, whole=True)


@pytest.fixture(scope="module")
def drives(tmp_path_factory: pytest.TempPathFactory):
    return footage(tmp_path_factory.mktemp("drives"))


@pytest.fixture(scope="module")
def result(drives):
    return fit_light(drives, LightOptions(fit=HOW), encoder_name="fake")


def test_what_announces_itself_is_learned(result):
    (label,) = result.fit.labels
    assert label["auc"].value > 0.9
    assert label["auc"].value > label["auc_later"].value
    assert result.brier[1] < result.base
    assert result.light.label == "collision"
    assert result.light.lead_s == 1.0


def test_nothing_from_the_accident_on_is_looked_at(drives, result):
    spoiled = []
    for one in drives:
        at_s = one.annotation.accident_s
        vectors = one.embeddings.vectors.copy()
        if at_s is not None:
            later = one.embeddings.edges_s[1:] > at_s + 0.01
            vectors[later] = np.roll(vectors[later], 7, axis=1)
        values = replace(one.features, values=vectors)
        seen = replace(one.embeddings, vectors=vectors)
        spoiled.append(replace(one, embeddings=seen, features=values))
    again = fit_light(spoiled, LightOptions(fit=HOW), encoder_name="fake")
    assert again.light.fingerprint == result.light.fingerprint


def test_the_start_of_a_video_teaches_nothing(result):
    # Every window has a whole second before it: 8 drives of at most 6 s, one in 0.3 s.
    assert result.light.head.facts.examples <= 8 * (6.0 - 1.0) / 0.3 + 8


def test_an_event_without_an_accident_is_left_out_and_counted(drives):
    unknown = replace(drives[0].annotation, accident_s=None)
    footage_ = [replace(drives[0], annotation=unknown), *drives[1:]]
    result = fit_light(footage_, LightOptions(fit=HOW))
    assert "1 videos have an event but no known accident, and were left out" in result.notes
    taken = fit_light(footage_, LightOptions(LeadOptions(events=True), fit=HOW))
    assert len(taken.light.head.facts.videos) == len(drives)


def test_footage_that_teaches_nothing_is_refused(drives):
    unknown = [replace(one, annotation=replace(one.annotation, accident_s=None)) for one in drives]
    with pytest.raises(CalibrationError, match="annotate when accidents happen"):
        fit_light([one for one in unknown if one.annotation.positive], LightOptions(fit=HOW))
    with pytest.raises(CalibrationError, match="both kinds"):
        fit_light([one for one in drives if not one.annotation.positive], LightOptions(fit=HOW))


def test_whole_clips_are_no_risk():
    with pytest.raises(ValueError, match="window"):
        LightOptions(fit=FitOptions(unit="clip"))


@pytest.mark.parametrize("seed", range(4))
def test_the_curve_is_that_of_scikit_learn(seed):
    draw = np.random.default_rng(seed)
    said = draw.random(200)
    truth = draw.random(200) < said**2
    ours = fit_platt(said, truth)
    theirs = _SigmoidCalibration().fit(logit(said), truth)
    assert (ours.slope, ours.offset) == pytest.approx((-theirs.a_, -theirs.b_), rel=1e-3, abs=1e-3)


def test_scores_that_tell_nothing_become_the_share_of_positives():
    said = np.linspace(0.01, 0.99, 100)
    truth = said < 0.3
    right = fit_platt(said, truth)(said)
    assert right == pytest.approx(np.full(100, 0.29), abs=0.02)
    assert (np.diff(right) > 0).all()


def test_too_few_examples_are_refused():
    with pytest.raises(CalibrationError, match="3 positive and 20 negative"):
        fit_platt(np.full(23, 0.5), [1] * 3 + [0] * 20)


def test_a_model_that_reaches_no_default_threshold_says_so(drives, result):
    assert not any("no event begins at 0.5" in note for note in result.notes)
    rows = [
        replace(
            one,
            features=replace(
                one.features,
                values=one.features.values[:1].repeat(len(one.features.values), axis=0),
            ),
        )
        for one in drives
    ]
    blind = fit_light(rows, LightOptions(fit=HOW), encoder_name="fake")
    (note,) = [note for note in blind.notes if "no event begins at 0.5" in note]
    assert note.startswith("what it had not seen it never called more probable than 0.")
