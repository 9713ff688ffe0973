"""Anticipation: are accidents told beforehand, how early, and at how many false alarms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from watchword.evaluation.anticipation_bootstrap import (
    resampled_ap,
    resampled_lead_at_false_alarms,
    resampled_leads,
)
from watchword.evaluation.baselines import centre, shorter
from watchword.evaluation.bootstrap import Weights
from watchword.evaluation.cases import Case
from watchword.evaluation.levels.part import Part, Replicates, absent, with_interval
from watchword.evaluation.metrics.anticipation import (
    AnticipationCase,
    always_on,
    anticipation_ap,
    horizon_curve,
    mean_time_to_accident,
    mean_time_to_accident_common,
    time_to_accident_at_false_alarms,
    tta_at_recall,
)
from watchword.evaluation.result import Cell, Curve, Figure, Table

TITLES = {
    "anticipation_ap": "Average precision before the accident",
    "ap_ahead": "Average precision 0.5, 1 and 1.5 s before it, mean",
    "ap_ahead_0.5": "Average precision 0.5 s before the accident",
    "ap_ahead_1": "Average precision 1 s before the accident",
    "ap_ahead_1.5": "Average precision 1.5 s before the accident",
    "tta_at_10_alarms": "Time to accident at 10 false alarms an hour",
    "mtta": "Mean time to accident over all thresholds",
    "tta_r80": "Time to accident at recall 0.8",
}
_RATES = (1.0, 10.0, 60.0, 360.0)
_HEADLINE_RATE = 10.0
# Those whose mean is the score of the Nexar challenge.
_AHEAD_S = (0.5, 1.0, 1.5)
# Draws whose mean stands for scores that are random in each window.
_DRAWS = 5
_HORIZONS_S = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)


def anticipation_level(cases: Sequence[Case], weights: Weights) -> Part:
    """The anticipation level's figures, tables and horizon curve.

    Videos count whose accident is known and those that hold no event; a video with an event but no
    accident says nothing of what is to come.

    Args:
        cases: the videos.
        weights: (B,V) how often each was drawn in each resample.
    """
    made = {
        place: _case(case)
        for place, case in enumerate(cases)
        if case.scores is not None and len(case.scores)
        if case.annotation.accident_s is not None or not case.annotation.positive
    }
    kept = [place for place, one in made.items() if one is not None]
    judged = [one for one in made.values() if one is not None]
    if not any(case.accident_s is not None for case in judged):
        return Part(figures=absent(TITLES, "anticipation", "no accident is annotated"))
    rates = time_to_accident_at_false_alarms(judged, _RATES)
    own, longest = _measured(judged), always_on(judged)
    beside = {name: _measured(guess) for name, guess in _guesses(judged).items()}
    chance = _of_chance(judged)
    common = mean_time_to_accident_common(_nought_to_one(judged))
    accidents = sum(case.accident_s is not None for case in judged)
    no_calm = "there is no video without an accident"
    missed = "missed accidents count as 0 s"
    base = accidents / len(judged)
    scale = "seconds to each video's own accident; alarms that are always on do best here" + (
        ""
        if common is None
        else f"; in the scale of the common code, which multiplies by the "
        f"clip's length, {common:.2f} s"
    )
    silent = "no accident is announced"
    told: dict[str, tuple[str, str, dict[str, float | None]]] = {
        "anticipation_ap": (no_calm, "", {"always": base, "random": base}),
        **_said_ahead(judged),
        "tta_at_10_alarms": (
            no_calm,
            f"{missed}; what is always on raises too many alarms to count",
            {"always": 0.0, "never": 0.0, "random": chance["tta_at_10_alarms"]},
        ),
        "mtta": (silent, scale, {"always": longest, "random": chance["mtta"]}),
        "tta_r80": (silent, "", {"always": longest, "random": chance["tta_r80"]}),
    }
    figures = tuple(
        _figure(
            name,
            own[name],
            why,
            {**baselines, **{guess: found[name] for guess, found in beside.items()}},
            note,
        )
        for name, (why, note, baselines) in told.items()
    )
    tables: tuple[Table, ...] = (
        ()
        if rates is None
        else (
            Table(
                "lead_at_false_alarms",
                "How early, at how many false alarms",
                ("allowed_per_hour", "false_alarms", "hours", "threshold", "recall", "lead_s"),
                tuple(
                    (r.allowed_per_hour, r.false_alarms, r.hours, r.threshold, r.recall, r.lead_s)
                    for r in rates
                ),
                note="lead_s: mean of the accidents that are announced",
            ),
        )
    )
    table, curves = _horizons(judged)
    again = _resampled(judged, weights[:, kept])
    return Part(
        figures=tuple(with_interval(figure, again[figure.name]) for figure in figures),
        tables=(*tables, table),
        curves=curves,
        replicates=again,
    )


def _measured(cases: Sequence[AnticipationCase]) -> dict[str, float | None]:
    rates = time_to_accident_at_false_alarms(cases, [_HEADLINE_RATE])
    return {
        "anticipation_ap": anticipation_ap(cases),
        **_ahead(cases),
        "tta_at_10_alarms": None if rates is None else rates[0].lead_all_s,
        "mtta": mean_time_to_accident(cases),
        "tta_r80": tta_at_recall(cases),
    }


def _ahead(cases: Sequence[AnticipationCase]) -> dict[str, float | None]:
    """Average precision so long before the accident, and the mean of the three."""
    found = [point.ap for point in horizon_curve(cases, _AHEAD_S)]
    known = [ap for ap in found if ap is not None]
    mean = sum(known) / len(known) if len(known) == len(found) else None
    return {"ap_ahead": mean, **dict(zip(_names_ahead(), found, strict=True))}


def _names_ahead() -> tuple[str, ...]:
    return tuple(f"ap_ahead_{horizon_s:g}" for horizon_s in _AHEAD_S)


def _said_ahead(
    cases: Sequence[AnticipationCase],
) -> dict[str, tuple[str, str, dict[str, float | None]]]:
    """Why each may be undefined, what to know of it, and what knows nothing gets."""
    why = "no accident, or no video without one, has a window so early"
    told: dict[str, tuple[str, str, dict[str, float | None]]] = {}
    bases: list[float] = []
    for name, point in zip(_names_ahead(), horizon_curve(cases, _AHEAD_S), strict=True):
        seen = len(cases) - point.left_out
        base = point.accidents / seen if seen else 0.0
        bases.append(base)
        note = f"{point.left_out} videos begin later" if point.left_out else ""
        told[name] = (why, note, {"always": base, "random": base})
    mean = sum(bases) / len(bases)
    return {"ap_ahead": (why, "", {"always": mean, "random": mean}), **told}


def _of_chance(cases: Sequence[AnticipationCase]) -> dict[str, float | None]:
    """What scores reach that are random in each window: the mean of some draws."""
    draw = np.random.default_rng(0)
    found = [
        _measured([replace(case, scores=draw.random(len(case.scores))) for case in cases])
        for _ in range(_DRAWS)
    ]
    means: dict[str, float | None] = {}
    for name in found[0]:
        known = [value for one in found if (value := one[name]) is not None]
        means[name] = sum(known) / len(known) if known else None
    return means


def _guesses(cases: Sequence[AnticipationCase]) -> dict[str, list[AnticipationCase]]:
    """The videos with scores that know nothing of the picture, or only which hold an accident."""
    found: dict[str, list[AnticipationCase]] = {"centre": [], "shorter": [], "oracle": []}
    for case in cases:
        length_s = float(case.edges_s[-1] - case.edges_s[0])
        middles = (case.edges_s[:-1] + case.edges_s[1:]) / 2 - case.edges_s[0]
        flat = np.ones(len(case.scores))
        for name, scores in {
            "centre": centre(middles / length_s),
            "shorter": flat * shorter(length_s),
            "oracle": flat * (case.accident_s is not None),
        }.items():
            found[name].append(replace(case, scores=scores))
    return found


def _resampled(cases: Sequence[AnticipationCase], weights: Weights) -> dict[str, Replicates]:
    mtta, at_recall = resampled_leads(cases, weights)
    ahead = [resampled_ap(cases, weights, horizon_s) for horizon_s in _AHEAD_S]
    return {
        "anticipation_ap": resampled_ap(cases, weights),
        "ap_ahead": np.mean(ahead, axis=0),
        **dict(zip(_names_ahead(), ahead, strict=True)),
        "tta_at_10_alarms": resampled_lead_at_false_alarms(cases, weights, _HEADLINE_RATE),
        "mtta": mtta,
        "tta_r80": at_recall,
    }


def _case(case: Case) -> AnticipationCase | None:
    """The measured windows; None if nothing lies before the accident."""
    assert case.scores is not None
    series, edges = case.series, case.scores.edges_s
    measured = ~np.isnan(series)
    if not measured.any():
        return None
    # A hole takes the score before it: no alarm can begin in it.
    last = np.maximum.accumulate(np.where(measured, np.arange(len(series)), -1))
    first = int(np.flatnonzero(measured)[0])
    accident_s = case.annotation.accident_s
    if accident_s is not None and accident_s <= edges[first] + 1e-6:
        return None
    return AnticipationCase(series[last[first:]].astype(np.float64), edges[first:], accident_s)


def _nought_to_one(cases: Sequence[AnticipationCase]) -> list[AnticipationCase]:
    """The cases with scores stretched to 0..1, over which the common code places thresholds."""
    low = min(float(case.scores.min()) for case in cases)
    high = max(float(case.scores.max()) for case in cases)
    width = (high - low) or 1.0
    return [replace(case, scores=(case.scores - low) / width) for case in cases]


def _figure(
    name: str,
    value: float | None,
    why: str,
    baselines: dict[str, float | None],
    note: str = "",
) -> Figure:
    return Figure(
        name,
        "anticipation",
        TITLES[name],
        value,
        "" if value is not None else why,
        unit="s" if "tta" in name else "",
        note=note,
        baselines={} if value is None else baselines,
    )


def _horizons(cases: Sequence[AnticipationCase]) -> tuple[Table, tuple[Curve, ...]]:
    points = horizon_curve(cases, _HORIZONS_S)
    rows: list[tuple[Cell, ...]] = [(p.horizon_s, p.ap, p.accidents, p.left_out) for p in points]
    table = Table(
        "horizon",
        "Average precision so long before the accident",
        ("horizon_s", "ap", "accidents", "left_out"),
        tuple(rows),
    )
    known = [(p.horizon_s, p.ap) for p in points if p.ap is not None]
    if not known:
        return table, ()
    x, y = (np.array(values, np.float64) for values in zip(*known, strict=True))
    title = ("How early it is known", "Seconds before the accident", "Average precision")
    return table, (Curve("horizon", *title, x, y),)
