"""Where the threshold of an evaluation comes from, and which events are judged with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.evaluation.cases import Case
from watchword.evaluation.matching import Cases
from watchword.events.thresholds import BALANCE
from watchword.events.tracker import EventRule, LabelRule, detect_events
from watchword.types import Event, Kind, Scores


@dataclass(frozen=True, slots=True)
class Settled:
    """What counts as a hit.

    Attributes:
        threshold: score from which a window is a hit; None if there is none.
        origin: where it came from, in words.
        rule: how hits become events; None if there is no threshold.
        saved: whether events and decisions are taken as they were saved.
        by_hand: whether someone chose the threshold.
    """

    threshold: float | None
    origin: str
    rule: EventRule | None
    saved: bool
    by_hand: bool = False

    def hits(self, scores: Scores) -> NDArray[np.bool_] | None:
        """(T,) whether a label reaches its threshold in each window; None without a threshold."""
        if self.rule is None:
            return None
        enters = [self.rule.limits(label).enter for label in scores.labels]
        return np.asarray((scores.values >= np.array(enters, np.float32)).any(axis=1))

    def events(self, case: Case) -> tuple[Event, ...] | None:
        """The events of a case; None if there is nothing to make them of."""
        saved = case.prediction.events
        if saved is not None and (self.saved or case.scores is None):
            return saved
        if case.scores is None or self.rule is None:
            return None
        rule = self.rule
        if rule.per_label:
            own = {k: v for k, v in rule.per_label.items() if k in case.scores.labels}
            rule = replace(rule, per_label=own)
        return detect_events(case.scores, rule)


def settle(
    cases: Cases, *, threshold: float | None, origin: str, rule: EventRule | None
) -> Settled:
    """The threshold and the event rule of an evaluation.

    A threshold that is given wins; then the one the predictions were made with, if the scores are
    still those it was chosen for; then the kind's own, as the point where event and normal
    sentences fit equally well. A part of the evidence has none but a given one.

    Args:
        cases: what is evaluated.
        threshold: given threshold in the unit of the scores, or None.
        origin: where a given threshold came from, in words.
        rule: how hits become events, where it is not the predictions' own; its ``enter`` counts as
            a given threshold.
    """
    made = _common_rule(cases)
    saved = rule is None and threshold is None and cases.options.as_saved
    if threshold is None and rule is not None:
        threshold = rule.enter
    if threshold is not None:
        given = _at(rule or made or EventRule(union=True), threshold)
        return Settled(
            threshold,
            origin or "given by hand",
            given,
            saved=False,
            # The balance is the same for all data: who gives it has chosen nothing.
            by_hand=threshold != _balance(cases) or cases.options.normalise != "none",
        )
    if made is not None and made.enter is not None and cases.options.as_saved:
        chosen = made if rule is None else _at(rule, made.enter)
        return Settled(
            made.enter,
            "saved with the predictions",
            chosen,
            saved=saved,
            by_hand=made.enter != _balance(cases),
        )
    kind = _kind(cases)
    own = cases.options.normalise == "none" and cases.options.part is None
    if kind is not None and kind in BALANCE and own:
        balance = BALANCE[kind]
        words = (
            "the usual one of surprise"
            if kind == "surprise"
            else f"where event and normal sentences fit equally well in {kind} scores"
        )
        return Settled(balance, words, _at(rule or made or EventRule(union=True), balance), saved)
    return Settled(None, "none", None, saved=saved)


def _balance(cases: Cases) -> float | None:
    kind = _kind(cases)
    return None if kind is None else BALANCE.get(kind)


def _kind(cases: Cases) -> Kind | None:
    return next((case.scores.kind for case in cases.cases if case.scores is not None), None)


def _at(rule: EventRule, threshold: float) -> EventRule:
    """The rule with this threshold for every label."""
    own = rule.per_label if rule.enter == threshold else {}
    exit_ = None if rule.exit is None else min(rule.exit, threshold)
    return replace(rule, enter=threshold, exit=exit_, per_label=own, kind=None)


def _common_rule(cases: Cases) -> EventRule | None:
    """The event rule that all predictions were made with; None if they differ or do not say."""
    rules = [case.prediction.made.rule for case in cases.cases]
    if not rules or rules[0] is None or any(rule != rules[0] for rule in rules):
        return None
    return rule_of(rules[0])


def rule_of(fields: Mapping[str, Any]) -> EventRule:
    """The rule from its saved fields."""
    own = {
        label: limits if isinstance(limits, LabelRule) else LabelRule(**limits)
        for label, limits in (fields.get("per_label") or {}).items()
    }
    return EventRule(**{**fields, "per_label": own})
