from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from evaluation.calibrate.calibrate_cases import ar1, case
from watchword.errors import CalibrationError
from watchword.evaluation.calibrate.blocks import Blocks, block_maxima, reference_of
from watchword.evaluation.calibrate.calibration import Calibration, FittedOn
from watchword.evaluation.calibrate.drift import drift

BLOCK_S = 5.0


def scores(values):
    return case("v", values).scores


def reference(values):
    one = scores(values)
    return reference_of([one], block_maxima([one], BLOCK_S))


@pytest.mark.parametrize("phi", [0.0, 0.8])
def test_the_same_footage_rarely_drifts(phi) -> None:
    found = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        known = reference(ar1(rng, 1500, phi))
        found.append(drift(known, [scores(ar1(rng, 1000, phi))]).drifted)
    assert np.mean(found) <= 0.10


def test_blocks_that_resemble_their_neighbours_do_not_cry_wolf() -> None:
    # Without the discount for neighbours, half of these would be called drift.
    found, plain = [], []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        old, new = ar1(rng, 3000, 0.95), scores(ar1(rng, 2000, 0.95))
        found.append(drift(reference(old), [new]).drifted)
        maxima = [block_maxima([one], BLOCK_S).pooled for one in (scores(old), new)]
        plain.append(ks_2samp(*maxima).pvalue < 0.05)
    assert np.mean(plain) > 0.3
    assert np.mean(found) <= 0.12


@pytest.mark.parametrize(("shift", "word"), [(1.0, "higher"), (-1.0, "lower")])
def test_a_shift_is_caught_and_named(shift, word) -> None:
    caught = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        found = drift(reference(ar1(rng, 1500, 0.5)), [scores(ar1(rng, 1000, 0.5) + shift)])
        caught += bool(found.drifted and word in found.sentence)
    assert caught >= 19


def test_the_distance_is_that_of_kolmogorov_and_smirnov() -> None:
    rng = np.random.default_rng(0)
    old, new = rng.random(1000).astype(np.float32), rng.random(500).astype(np.float32) + 0.05
    found = drift(reference(old), [scores(new)])
    maxima = [block_maxima([scores(one)], BLOCK_S).pooled for one in (old, new)]
    known = ks_2samp(*maxima)
    assert found.distance == pytest.approx(known.statistic, abs=1e-6)
    assert found.blocks == 100


def test_too_little_footage_says_how_much_is_needed() -> None:
    rng = np.random.default_rng(1)
    found = drift(reference(rng.random(1000)), [scores(rng.random(50))])
    assert found.drifted is None
    assert found.p is None
    assert "10 whole blocks of 5 s" in found.sentence
    assert "1.7 minutes" in found.sentence


def test_a_calibration_without_reference_or_of_another_kind_is_refused() -> None:
    rng = np.random.default_rng(2)
    made = {
        "kind": "margin",
        "objective": "f1",
        "fitted_on": FittedOn("d", None, ("v",)),
        "created": "now",
        "version": "0",
        "events": {"enter": 0.5},
    }
    with pytest.raises(CalibrationError, match="too little footage to compare"):
        drift(Calibration(**made), [scores(rng.random(500))])
    held = Calibration(**made, reference=reference(rng.random(1000)))
    with pytest.raises(CalibrationError, match="for margin scores, these are cosine"):
        drift(held, [scores(rng.random(500))])
    with pytest.raises(ValueError, match="level"):
        drift(held, [], level=0.0)


def test_scores_that_never_vary_are_like_themselves() -> None:
    found = drift(reference(np.full(500, 0.3)), [scores(np.full(500, 0.3))])
    assert found.drifted is False
    assert Blocks(5.0, (np.full(100, 0.3),)).correlation is None
