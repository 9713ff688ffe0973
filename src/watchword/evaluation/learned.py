"""What predictions were learned from, and whether that is what they are tested on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from watchword.evaluation.cases import Case
from watchword.evaluation.matching import Cases
from watchword.evaluation.names import inner_names, name_key
from watchword.evaluation.predictions.prediction import Made
from watchword.evaluation.result import Finding

_SHOWN = 5
# What is called otherwise than in a run's files, and was not fitted.
_LEARNED = {
    "normal": ("memory of normal footage", "learned from"),
    "risk": ("light model of risk", "fitted on"),
    "answers": ("video-language model", "trained on"),
}


def fitted_findings(cases: Cases) -> list[Finding]:
    """What is wrong with heads, calibrations and memories: learned from what is tested, or unsaid.

    A memory that a video was measured with while it was made of that very video is no leak.
    """
    findings: dict[tuple[str, str], tuple[bool, list[str]]] = {}
    for case in cases.cases:
        for what, facts in case.prediction.made.fitted.items():
            if _of_itself(facts):
                continue
            for code, sentence, serious, videos in _judged(cases, what, facts):
                _, found = findings.setdefault((code, sentence), (serious, []))
                found += [video for video in videos if video not in found]
    return [
        Finding(code, listed(sentence, videos), serious, tuple(videos))
        for (code, sentence), (serious, videos) in findings.items()
    ]


def _of_itself(facts: Any) -> bool:
    """Whether it was learned from the very video that it is used on, while looking at it."""
    return isinstance(facts, Mapping) and facts.get("itself") is True


def _judged(cases: Cases, what: str, facts: Any) -> list[tuple[str, str, bool, list[str]]]:
    """What is wrong with one thing that was fitted: code, sentence, seriousness, videos."""
    name, made = _LEARNED.get(what, (what, "fitted on"))
    if not isinstance(facts, Mapping) or not facts.get("videos"):
        sentence = f"The {name} does not say which videos it was {made}."
        return [("fitted_unknown", sentence, True, [])]
    found = []
    prints = set(_texts(facts.get("fingerprints")))
    named, alike_named = named_alike(cases.cases, _texts(facts["videos"]))
    printed = [c.name for c in cases.cases if c.prediction.video_fingerprint in prints]
    same = list(dict.fromkeys([*named, *printed]))
    if same:
        sentence = f"The {name} was {made} videos that are evaluated"
        found.append(("fitted_on_test", sentence, True, same))
    elif alike_named:
        sentence = f"The {name} was {made} videos of the same name in other folders"
        found.append(("fitted_on_namesake", sentence, False, alike_named))
    split = cases.options.split
    if split is not None and facts.get("split") == split and not same:
        sentence = f"The {name} was {made} a split that is called {split!r} like this one."
        found.append(("fitted_on_same_split", sentence, False, []))
    known = [bool(case.prediction.video_fingerprint) for case in cases.cases]
    if any(known) and len(prints) < len(_texts(facts["videos"])):
        sentence = f"The {name} lacks fingerprints of its videos: renamed ones are not noticed."
        # Where every video here has one, a list that has none was made by hand or was robbed.
        found.append(("fitted_by_name_only", sentence, all(known) and not prints, []))
    return found


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(part) for part in value] if isinstance(value, Iterable) else []


def named_alike(cases: Sequence[Case], videos: Sequence[str]) -> tuple[list[str], list[str]]:
    """Cases that one of the videos names, and those that share only the file's name with one."""
    keys = [name_key(video) for video in videos]
    by_stem: dict[str, list[tuple[str, ...]]] = {}
    for key in keys:
        for stem in (key[-1], *inner_names(key[-1])):
            by_stem.setdefault(stem.casefold(), []).append((*key[:-1], stem))
    same: list[str] = []
    namesakes: list[str] = []
    for case in cases:
        named = name_key(case.annotation.video), name_key(case.prediction.video)
        own = [(*k[:-1], stem) for k in named for stem in (k[-1], *inner_names(k[-1]))]
        candidates = [key for one in own for key in by_stem.get(one[-1].casefold(), ())]
        if not candidates:
            continue
        agrees = any(_agree(one, key) for one in own for key in candidates)
        (same if agrees else namesakes).append(case.name)
    return same, namesakes


def _agree(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether both names have the same file and, where both say, the same folder."""
    depth = min(len(one), len(other), 2)
    ends = one[-depth:], other[-depth:]
    return [part.casefold() for part in ends[0]] == [part.casefold() for part in ends[1]]


def learned_from(made: Made) -> list[str]:
    """The other videos that anything in a prediction was learned from."""
    return [
        video
        for facts in made.fitted.values()
        if isinstance(facts, Mapping) and not _of_itself(facts)
        for video in _texts(facts.get("videos"))
    ]


def listed(sentence: str, videos: Sequence[str]) -> str:
    """The sentence with the first few of the videos; as it is where there are none."""
    if not videos:
        return sentence
    more = f" and {len(videos) - _SHOWN} more" if len(videos) > _SHOWN else ""
    return f"{sentence}: {', '.join(videos[:_SHOWN])}{more}."
