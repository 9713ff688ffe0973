"""Each label by itself: its scores, its events, and a threshold of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from watchword.errors import CalibrationError
from watchword.evaluation.calibrate.choose import Choice, ChoiceOptions, Thresholds, choose
from watchword.evaluation.calibrate.objectives import localised
from watchword.evaluation.cases import Case


def choose_by_label(
    cases: Sequence[Case],
    thresholds: Thresholds = None,
    options: ChoiceOptions | None = None,
) -> dict[str, Choice]:
    """A threshold for each label, chosen on its own scores and events as `choose` does.

    Raises:
        CalibrationError: videos have scores of different labels, or a label cannot be calibrated;
            the message names it.
    """
    kept, _ = localised(cases)
    chosen = {}
    for label in common_labels(kept):
        try:
            chosen[label] = choose([of_label(case, label) for case in kept], thresholds, options)
        except CalibrationError as exc:
            raise CalibrationError(f"label {label}: {exc}") from exc
    return chosen


def common_labels(cases: Sequence[Case]) -> tuple[str, ...]:
    """The labels that every case has scores of; CalibrationError if they differ."""
    found = {case.scores.labels: case.name for case in cases if case.scores is not None}
    if len(found) > 1:
        (first, one), (second, other), *_ = found.items()
        raise CalibrationError(
            f"{one} has scores of {', '.join(first)} and {other} of {', '.join(second)}; "
            "thresholds by label need the same labels everywhere"
        )
    return next(iter(found))


def of_label(case: Case, label: str) -> Case:
    """The case as if there were no other label: its scores, and its events.

    Raises:
        KeyError: its scores know no such label.
    """
    assert case.scores is not None
    values = case.scores[label][:, None]
    spans = tuple(span for span in case.annotation.spans if span.label == label)
    annotation = replace(case.annotation, spans=spans, labels=(label,), anomalous=bool(spans))
    scores = replace(case.scores, values=values, labels=(label,))
    return replace(case, scores=scores, annotation=annotation)
