"""How well events are told from the rest: rows a set, with goals and what looks at no picture."""

from __future__ import annotations

from collections.abc import Sequence

from normality_runs import (
    ALL_KINDS,
    OTHER_SETS,
    Bench,
    Predictions,
    of_part,
    of_words,
    since_start,
    where_told,
)
from watchword.evaluation.result import Evaluation, Figure

Row = list[str]

# Set down before anything was measured (the project's issue 5): AUC of all windows together.
GOALS = {"ucsd_ped2": 0.96, "cuhk_avenue": 0.82}
CHANGE_GOALS = {"dada": 0.80, "ucf_crime": 0.82, "cctv_accident": 0.82}
PIXEL_GOALS = {"ucsd_ped2": (0.985, 0.95)}
NORMALITY = ("motion", "appearance")


def camera_row(bench: Bench, name: str, *, itself: bool) -> Row:
    """A set that comes with normal footage, against a memory of that or each clip itself."""
    found = bench.compared_with_itself(name) if itself else bench.remembered(name)
    clips = len(bench.clips(name, "test"))
    parts = [of_part(found, label) for label in NORMALITY]
    whole = bench.judged(name, found)
    changed = "–" if itself else both(bench.judged(name, bench.remembered(name, change=True)))
    goal = None if itself else GOALS[name]
    return [
        f"{name}, {counted(len(found), clips)}",
        against(itself=itself),
        *(both(bench.judged(name, part)) for part in parts),
        f"**{both(whole)}**{interval(whole['auc_micro'])}",
        reached(whole["auc_micro"].value, goal),
        gain(bench, name, found, parts),
        changed,
        centre(whole),
        both(bench.judged(name, since_start(found))),
    ]


def place_row(bench: Bench, name: str, *, itself: bool) -> Row:
    """Of the same, where in the picture; and what the default threshold makes of it."""
    found = bench.compared_with_itself(name) if itself else bench.remembered(name)
    whole = bench.judged(name, found, pixels=True)
    goals = (None, None) if itself else PIXEL_GOALS.get(name, (None, None))
    row = [f"{name}, {counted(len(found), len(bench.clips(name, 'test')))}", against(itself=itself)]
    for figure, goal in zip(("pixel_auc", "aupro"), goals, strict=True):
        row += [known(whole[figure].value), reached(whole[figure].value, goal)]
    f1 = whole["f1"]
    return [*row, known(f1.value), known(f1.baselines.get("always"))]


def plain_row(bench: Bench, name: str) -> Row:
    """A set without normal footage, as ``detect`` tells it when nothing else is given."""
    found = bench.dated(name, bench.plain(name))
    own = bench.dated(name, bench.compared_with_itself(name))
    parts = [of_part(found, label) for label in ("change", *NORMALITY)]
    change, whole = bench.judged(name, parts[0]), bench.judged(name, found)
    return [
        f"{name}, {len(found)} clips",
        both(change),
        reached(change["auc_micro"].value, CHANGE_GOALS.get(name)),
        some(bench, name, own, found),
        f"**{both(whole)}**{interval(whole['auc_micro'])}",
        gain(bench, name, found, [own, *parts]),
        centre(whole),
        both(bench.judged(name, since_start(found))),
    ]


def told_row(bench: Bench, name: str) -> Row:
    """The same set with words beside."""
    told = bench.detected(
        f"{name}-words", bench.clips(name), changes=ALL_KINDS, prompts=OTHER_SETS[name]
    )
    found, clips = bench.dated(name, told), bench.dated(name, bench.plain(name))
    words = of_words(found)
    parts = [words, *(of_part(found, label) for label in ("change", *NORMALITY))]
    return [
        f"{name}, {counted(len(found), len(clips))}",
        OTHER_SETS[name],
        both(bench.judged(name, words)),
        both(bench.judged(name, parts[1])),
        f"**{both(bench.judged(name, found))}**",
        gain(bench, name, found, parts),
    ]


def gain(bench: Bench, name: str, whole: Predictions, parts: Sequence[Predictions]) -> str:
    """By how much the whole lies above its best part, each where the part tells something."""
    gains = []
    for part in (part for part in parts if part):
        together = bench.judged(name, where_told(whole, part))["auc_micro"].value
        own = bench.judged(name, part)["auc_micro"].value
        if together is not None and own is not None:
            gains.append(together - own)
    return f"{min(gains):+.3f}" if gains else "–"


def some(bench: Bench, name: str, part: Predictions, whole: Predictions) -> str:
    """The figures of a part, and of how many clips."""
    if not part:
        return "no clip is long enough"
    return f"{both(bench.judged(name, part))} ({counted(len(part), len(whole))})"


def both(evaluation: Evaluation) -> str:
    """AUC over all windows / mean over videos."""
    return f"{known(evaluation['auc_micro'].value)} / {known(evaluation['auc_macro'].value)}"


def centre(evaluation: Evaluation) -> str:
    """The same of a score that is higher the nearer the middle of its video."""
    names = ("auc_micro", "auc_macro")
    return " / ".join(known(evaluation[name].baselines.get("centre")) for name in names)


def interval(figure: Figure) -> str:
    """Behind a figure, between what it lies over videos; nothing where that is not known."""
    if figure.low is None or figure.high is None:
        return ""
    return f" ({figure.low:.2f} to {figure.high:.2f})"


def reached(value: float | None, goal: float | None) -> str:
    """The goal of a figure, and whether it was reached."""
    if goal is None:
        return "–"
    return f"{goal:g} {'reached' if value is not None and value >= goal else 'missed'}"


def counted(some: int, every: int) -> str:
    """How many clips, of how many."""
    return f"{every} clips" if some == every else f"{some} of {every} clips"


def against(*, itself: bool) -> str:
    return "the clip itself" if itself else "a memory"


def known(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
