"""Each resample's figures are those of its videos measured by themselves."""

from __future__ import annotations

import numpy as np
import pytest

from watchword.evaluation.anticipation_bootstrap import (
    resampled_ap,
    resampled_lead_at_false_alarms,
    resampled_leads,
)
from watchword.evaluation.bootstrap import bootstrap_weights
from watchword.evaluation.metrics.anticipation import (
    AnticipationCase,
    anticipation_ap,
    mean_time_to_accident,
    time_to_accident_at_false_alarms,
    tta_at_recall,
)

PER_HOUR = 60.0


def videos(rng, count, digits):
    """Videos of several lengths; few digits make ties."""
    made = []
    for number in range(count):
        scores = rng.uniform(size=rng.integers(5, 40)).round(digits)
        edges = np.arange(len(scores) + 1) * 0.5
        accident = float(rng.uniform(0.3, edges[-1])) if number % 2 else None
        made.append(AnticipationCase(scores, edges, accident))
    return made


def lead_all(cases):
    found = time_to_accident_at_false_alarms(cases, [PER_HOUR])
    return None if found is None else found[0].lead_all_s


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("digits", [1, 6])
def test_a_resample_is_its_videos_measured_again(seed, digits):
    rng = np.random.default_rng(seed)
    cases = videos(rng, int(rng.integers(2, 12)), digits)
    weights = bootstrap_weights(len(cases), 40, seed)
    mtta, at_recall = resampled_leads(cases, weights)
    fast = {
        anticipation_ap: resampled_ap(cases, weights),
        mean_time_to_accident: mtta,
        tta_at_recall: at_recall,
        lead_all: resampled_lead_at_false_alarms(cases, weights, PER_HOUR),
    }
    for row, drawn in enumerate(weights):
        again = [case for case, count in zip(cases, drawn, strict=True) for _ in range(count)]
        for measure, values in fast.items():
            slow = measure(again)
            if slow is None:
                assert np.isnan(values[row]), measure
            else:
                assert values[row] == pytest.approx(slow, abs=1e-12), measure
