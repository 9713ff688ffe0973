"""Anticipation: are accidents told beforehand, how early, and at how many false alarms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from watchword.evaluation.cases import Case
from watchword.evaluation.levels.part import Part, absent
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
    "tta_at_10_alarms": "Time to accident at 10 false alarms an hour",
    "mtta": "Mean time to accident over all thresholds",
    "tta_r80": "Time to accident at recall 0.8",
}
_RATES = (1.0, 10.0, 60.0, 360.0)
_HEADLINE_RATE = 10.0
_HORIZONS_S = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)


def anticipation_level(cases: Sequence[Case]) -> Part:
    """The anticipation level's figures, tables and horizon curve.

    Videos count whose accident is known and those that hold no event; a video with an event but no
    accident says nothing of what is to come.
    """
    watched = [case for case in cases if case.scores is not None and len(case.scores)]
    judged = [
        made
        for case in watched
        if case.annotation.accident_s is not None or not case.annotation.positive
        if (made := _case(case)) is not None
    ]
    if not any(case.accident_s is not None for case in judged):
        return Part(figures=absent(TITLES, "anticipation", "no accident is annotated"))
    rates = time_to_accident_at_false_alarms(judged, _RATES)
    ap = anticipation_ap(judged)
    mtta, r80, longest = mean_time_to_accident(judged), tta_at_recall(judged), always_on(judged)
    common = mean_time_to_accident_common(_nought_to_one(judged))
    accidents = sum(case.accident_s is not None for case in judged)
    no_calm = "there is no video without an accident"
    missed = "missed accidents count as 0 s"
    base = accidents / len(judged)
    at_rate = None if rates is None else rates[_RATES.index(_HEADLINE_RATE)].lead_all_s
    scale = "seconds to each video's own accident; alarms that are always on do best here" + (
        ""
        if common is None
        else f"; in the scale of the common code, which multiplies by the "
        f"clip's length, {common:.2f} s"
    )
    figures = (
        _figure("anticipation_ap", ap, no_calm, {"always": base, "random": base}),
        _figure("tta_at_10_alarms", at_rate, no_calm, {"never": 0.0}, missed),
        _figure("mtta", mtta, "no accident is announced", {"always": longest}, scale),
        _figure("tta_r80", r80, "no accident is announced", {"always": longest}),
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
    return Part(figures=figures, tables=(*tables, table), curves=curves)


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
    baselines: dict[str, float | None] | dict[str, float],
    note: str = "",
) -> Figure:
    return Figure(
        name,
        "anticipation",
        TITLES[name],
        value,
        "" if value is not None else why,
        unit="" if name == "anticipation_ap" else "s",
        note=note,
        baselines={} if value is None else dict(baselines),
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
