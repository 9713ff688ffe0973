"""Where a figure stands beside what knows nothing of the picture, and that in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from watchword.evaluation.report.cells import decimals_for, number, plain
from watchword.evaluation.result import Evaluation, Figure, Level

Verdict = Literal[
    "better", "unclear", "no better", "chosen here", "one-sided", "alone", "undefined"
]

MARKS: dict[Verdict, str] = {
    "better": "+",
    "unclear": "?",
    "no better": "-",
    "chosen here": " ",
    "one-sided": " ",
    "alone": " ",
    "undefined": " ",
}
MEANINGS: dict[Verdict, str] = {
    "better": "better than all that knows nothing of the picture, interval and all",
    "unclear": "better, but not so surely that it could not be luck",
    "no better": "no better than the best such guess",
}
SHORT: dict[Verdict, str] = {
    "better": "better",
    "unclear": "better, perhaps by luck",
    "no better": "no better",
}
BASELINE_WORDS = {
    "always": "flagging everything",
    "never": "flagging nothing",
    "random": "chance",
    "centre": "the middle of the video alone",
    "shorter": "the length of the video alone",
    "oracle": "knowing which videos hold an event",
}
# What the note of a figure says that was chosen by looking at the truth it is measured with.
CHOSEN_HERE = "chosen on this data"
# One side of a bargain: a recall of 1 or no false alarms are had for nothing.
_PERFECT = {"higher": 1.0, "lower": 0.0}
LEVEL_TITLES: dict[Level, str] = {
    "frame": "Frame by frame",
    "event": "Events",
    "video": "Whole videos",
    "pixel": "Pixels",
    "anticipation": "Ahead of the accident",
}
_UNITS = {"": "", "s": " s", "1/h": " an hour"}
_SHORT_UNITS = {"": "", "s": " s", "1/h": " /h"}
# Both are measured by where something lies and how long it is.
_RULERS = ("centre", "shorter")
# What a summary begins with, where it is there: it needs no threshold and hides no video.
_HEADLINE_LEVELS: tuple[Level, ...] = ("frame", "video", "event", "pixel", "anticipation")
_HEADLINE_WORDS = ("auc_micro", "auc", "map", "ap", "f1", "")
# Differences that were bootstrapped pair by pair: they tell more than two intervals do.
_PAIRED = {("auc_micro", "centre"): "auc_over_centre"}


@dataclass(frozen=True, slots=True)
class Standing:
    """A figure beside its best baseline that knows nothing: by name and value, or None.

    ``verdict`` is "one-sided" where flagging everything or nothing is perfect, as for recall: such
    a figure says nothing without its other half. It is "chosen here" where the number is the best
    of many on this very data: guesses that were not given that choice are no match for it.
    """

    figure: Figure
    verdict: Verdict
    best: tuple[str, float] | None = None


def standing(figure: Figure, *, paired: Figure | None = None) -> Standing:
    """How a figure compares with the best of its baselines; the oracle is not one of them.

    Args:
        figure: the number.
        paired: the bootstrapped difference from that baseline, if there is one; without it the
            figure's own interval is compared with the baseline's number.
    """
    if figure.value is None:
        return Standing(figure, "undefined")
    sign = 1 if figure.better == "higher" else -1
    known = [
        (name, value)
        for name, value in figure.baselines.items()
        if value is not None and name != "oracle"
    ]
    if not known:
        return Standing(figure, "alone")
    # Where several guesses come to the same, as for an AUC of 0.5, that is chance.
    best = max(known, key=lambda item: (sign * item[1], item[0] == "random"))
    if CHOSEN_HERE in figure.note:
        return Standing(figure, "chosen here", best)
    if best[0] in ("always", "never") and best[1] == _PERFECT[figure.better]:
        return Standing(figure, "one-sided", best)
    if paired is not None and paired.low is not None:
        surely = paired.low > 0
    else:
        end = figure.low if sign > 0 else figure.high
        surely = end is not None and sign * (end - best[1]) > 0
    if sign * (figure.value - best[1]) <= 0:
        return Standing(figure, "no better", best)
    return Standing(figure, "better" if surely else "unclear", best)


def standings(evaluation: Evaluation) -> tuple[Standing, ...]:
    """Every figure with its standing, in the order of the evaluation."""
    by_name = {figure.name: figure for figure in evaluation.figures}
    made = []
    for figure in evaluation.figures:
        plainly = standing(figure)
        best = "" if plainly.best is None else plainly.best[0]
        paired = by_name.get(_PAIRED.get((figure.name, best), ""))
        made.append(standing(figure, paired=paired) if paired else plainly)
    return tuple(made)


def headline(evaluation: Evaluation) -> str:
    """What the model reaches and what knows nothing reaches, in plain words.

    Serious findings are announced in it: a good number that leaks is no good number.
    """
    chosen = headline_standing(standings(evaluation))
    serious = sum(finding.serious for finding in evaluation.findings)
    warned = ""
    if serious:
        them = "the warning" if serious == 1 else f"the {serious} warnings"
        warned = f" Read {them} below before you rely on it."
    if chosen is None:
        if any(figure.value is not None for figure in evaluation.figures):
            return f"What was measured was chosen on this very data and proves nothing.{warned}"
        why = next((figure.why for figure in evaluation.figures if figure.why), "")
        return f"Nothing could be measured{': ' + why.rstrip('.') if why else ''}.{warned}"
    return _sentence(chosen) + warned


def headline_standing(found: Sequence[Standing]) -> Standing | None:
    """The figure that a summary begins with: one with a baseline where there is one."""
    candidates = (
        each
        for compared in (True, False)
        for level in _HEADLINE_LEVELS
        for word in _HEADLINE_WORDS
        for each in found
        if each.figure.level == level
        and word in each.figure.name
        and each.figure.name not in _PAIRED.values()
        and each.verdict in ((*MEANINGS,) if compared else ("alone", "one-sided"))
        and CHOSEN_HERE not in each.figure.note
    )
    return next(candidates, None)


def value_text(figure: Figure) -> str:
    """The number with its unit, to three digits; "–" if it is not defined."""
    text = number(figure.value, decimals=decimals_for([figure.value]))
    if figure.value is None:
        return text
    return text + short_unit(figure.unit)


def short_unit(unit: str) -> str:
    """What stands behind a number of that unit in a table, blank and all."""
    return _SHORT_UNITS.get(unit, f" {plain(unit)}")


def baseline_text(figure: Figure, name: str) -> str:
    """The same number for a baseline; nothing where it has none."""
    value = figure.baselines.get(name)
    return "" if value is None else number(value, decimals=decimals_for([figure.value, value]))


def interval_text(figure: Figure) -> str:
    """The 95 % interval in brackets; nothing if there is none."""
    decimals = max(0, decimals_for([figure.value, figure.high]) - 1)
    return _interval(figure, decimals)


def _interval(figure: Figure, decimals: int) -> str:
    if figure.low is None or figure.high is None:
        return ""
    # Rounded first: an end that is nearly 0 is 0 here, as it says nothing finer than the other end.
    low, high = (
        number(round(end, decimals), decimals=decimals) for end in (figure.low, figure.high)
    )
    return f"[{low}, {high}]"


def _sentence(found: Standing) -> str:
    figure, best = found.figure, found.best
    name, comma, kind = figure.title.partition(", ")
    title = f"{name} ({kind})" if comma else name
    assert figure.value is not None
    unit = _UNITS.get(figure.unit, f" {figure.unit}")
    decimals = 2
    if best is not None and abs(figure.value - best[1]) < 0.01:
        decimals = 3
    reached = number(figure.value, decimals=decimals) + unit
    reached = " ".join(filter(None, (title, reached, _interval(figure, decimals))))
    if best is None or found.verdict == "one-sided":
        return f"{reached}; no guess that knows nothing is there to compare it with."
    words = {
        "better": "Better than",
        "unclear": "Not clearly better than",
        "no better": "No better than",
    }[found.verdict]
    guessed = BASELINE_WORDS.get(best[0], best[0])
    rival = "a ruler" if best[0] in _RULERS else guessed
    guess = number(best[1], decimals=decimals) + unit
    without = "" if figure.low is not None or found.verdict == "no better" else (
        " Without an interval nobody can tell whether the difference is luck."
    )  # fmt: skip
    return f"{words} {rival}: {reached}; {guessed} reaches {guess}.{without}"
