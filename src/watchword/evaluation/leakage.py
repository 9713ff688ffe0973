"""The leakage guard: signs that an evaluation rests on what its test data told beforehand.

It compares words, names, fingerprints and scores. It does not catch synonyms and translations of an
annotation, words taken from an annotation that it is not shown, a list of videos that was falsified
together with its fingerprints, or a copy of a video that was filmed or scored anew with much noise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from watchword.errors import LeakageError
from watchword.evaluation.cases import Case
from watchword.evaluation.duplicates import alike
from watchword.evaluation.matching import Cases
from watchword.evaluation.names import name_key
from watchword.evaluation.predictions.prediction import Made, Prediction
from watchword.evaluation.result import Finding
from watchword.evaluation.settling import Settled
from watchword.evaluation.truth_texts import truth_labels, truth_texts
from watchword.evaluation.wording import Words, distinct, likeness, sentences_of, words_of

_SHOWN = 5
# Labels of so many words are sentences about one video rather than a class of events.
_LABEL_WORDS = 3


def find_leaks(
    cases: Cases,
    *,
    settled: Settled | None = None,
    chosen_on: Sequence[str] | None = None,
    truth_files: Sequence[Path] = (),
    best: Sequence[str] = (),
) -> tuple[Finding, ...]:
    """What makes the figures mean less than they seem, serious findings first.

    Args:
        cases: what is evaluated.
        settled: the threshold in use; None leaves it unchecked.
        chosen_on: videos that a given threshold was chosen on; None if that is not known.
        truth_files: annotation files or folders, beside those that the cases name.
        best: names of figures that no other threshold raises on these very videos.
    """
    findings = [
        *_prompts(cases, (*cases.truth_files, *truth_files)),
        *_sentences_of_some(cases),
        *_fitted(cases),
        *_threshold(cases, settled, chosen_on, best),
        *_normalised(cases),
        *_copies(cases),
    ]
    return tuple(sorted(findings, key=lambda finding: not finding.serious))


def refuse_leaks(findings: Iterable[Finding]) -> None:
    """Nothing, if no finding is serious.

    Raises:
        LeakageError: some are; all of them are told.
    """
    serious = [finding for finding in findings if finding.serious]
    if serious:
        told = "\n".join(f"- {finding.sentence}" for finding in serious)
        raise LeakageError(
            f"the evaluation would rest on what its test data told beforehand:\n{told}\n"
            "mend these, or evaluate without --strict and report them"
        )


# --- prompts


def _prompts(cases: Cases, files: Sequence[Path]) -> list[Finding]:
    asked = distinct(s for case in cases.cases for s in _sentences(case.prediction))
    if not asked:
        return []
    named = _names_in_prompts(cases, asked)
    if not files:
        known = any(c.prediction.made.bank or c.prediction.made.sentences for c in cases.cases)
        sentence = "No annotation file was there to compare the prompts with."
        return [*named, *([Finding("prompts_unchecked", sentence, serious=False)] * known)]
    labels = {words_of(text).tokens for file in files for text in truth_labels(file)}
    short = {tokens for tokens in labels if len(set(tokens)) <= _LABEL_WORDS}
    texts = {text for file in files for text in truth_texts(file)}
    texts |= {" ".join(tokens) for tokens in labels - short}
    truths = [
        words
        for words in distinct(part for text in texts for part in (text, *sentences_of(text)))
        if words.tokens not in short
    ]
    repeats, resembles = [], []
    for prompt in asked:
        if prompt.tokens in short:
            continue
        found = [(likeness(prompt, truth), truth) for truth in truths]
        repeated = [truth for kind, truth in found if kind == "repeats"]
        if repeated:
            repeats.append((prompt, repeated[0]))
        else:
            resembles += [(prompt, truth) for kind, truth in found if kind == "resembles"][:1]
    return [
        *_wording("prompt_repeats_truth", "repeat what annotations say of a video", repeats),
        *_wording("prompt_resembles_truth", "share words with annotations", resembles),
        *named,
    ]


def _wording(code: str, does: str, pairs: Sequence[tuple[Words, Words]]) -> list[Finding]:
    if not pairs:
        return []
    shown = "; ".join(f"{p.text!r} beside {t.text[:80]!r}" for p, t in pairs[:_SHOWN])
    more = f"; and {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else ""
    sentence = f"{len(pairs)} sentences {does}: {shown}{more}."
    return [Finding(code, sentence, serious=code == "prompt_repeats_truth")]


def _names_in_prompts(cases: Cases, asked: Sequence[Words]) -> list[Finding]:
    """A prompt that names a video: only names with a digit, which no sentence has by accident."""
    found = []
    for case in cases.cases:
        name = _bare(name_key(case.annotation.video)[-1])
        if len(name) >= 5 and any(c.isdigit() for c in name) and not name.isdigit():
            found += [(p.text, case.name) for p in asked if name in _bare(p.text)]
    if not found:
        return []
    shown = "; ".join(f"{text!r} names {video}" for text, video in found[:_SHOWN])
    videos = tuple(dict.fromkeys(video for _, video in found))
    return [Finding("prompt_names_video", f"Sentences name videos: {shown}.", videos=videos)]


def _bare(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _sentences(prediction: Prediction) -> list[str]:
    """Every sentence that had a part in a prediction, inside its templates and without."""
    made = prediction.made
    found = list(made.sentences)
    if made.bank is not None:
        found += made.bank.texts
        found += [
            template.replace("{}", text)
            for template in made.bank.templates
            if template.strip() != "{}"
            for text in made.bank.texts
        ]
    if prediction.scores is not None:
        # Labels of raw cosines are the sentences; others may be, and nobody else would say.
        found += prediction.scores.labels
    return found


def _sentences_of_some(cases: Cases) -> list[Finding]:
    asked = [set(_sentences(case.prediction)) for case in cases.cases]
    counts = Counter(sentence for own in asked for sentence in own)
    if len(cases) < 2 or all(count == len(cases) for count in counts.values()):
        return []
    odd = [sentence for sentence, count in counts.items() if count < len(cases)]
    videos = tuple(
        case.name
        for case, own in zip(cases.cases, asked, strict=True)
        if any(sentence in own for sentence in odd)
    )
    shown = ", ".join(repr(sentence) for sentence in sorted(odd)[:_SHOWN])
    more = f" and {len(odd) - _SHOWN} more" if len(odd) > _SHOWN else ""
    sentence = (
        f"{len(odd)} sentences were not asked of every video: {shown}{more}. Sentences made for "
        "one video know what is in it, and scores of different sentences cannot be pooled."
    )
    return [Finding("sentence_of_one_video", sentence, videos=videos)]


# --- what was learned


def _fitted(cases: Cases) -> list[Finding]:
    findings: dict[tuple[str, str], tuple[bool, list[str]]] = {}
    for case in cases.cases:
        for what, facts in case.prediction.made.fitted.items():
            for code, sentence, serious, videos in _judged(cases, what, facts):
                _, found = findings.setdefault((code, sentence), (serious, []))
                found += [video for video in videos if video not in found]
    return [
        Finding(code, _listed(sentence, videos), serious, tuple(videos))
        for (code, sentence), (serious, videos) in findings.items()
    ]


def _judged(cases: Cases, what: str, facts: Any) -> list[tuple[str, str, bool, list[str]]]:
    """What is wrong with one thing that was fitted: code, sentence, seriousness, videos."""
    if not isinstance(facts, Mapping) or not facts.get("videos"):
        sentence = f"The {what} does not say which videos it was fitted on."
        return [("fitted_unknown", sentence, True, [])]
    found = []
    prints = set(_texts(facts.get("fingerprints")))
    named, alike_named = _named_alike(cases.cases, _texts(facts["videos"]))
    printed = [c.name for c in cases.cases if c.prediction.video_fingerprint in prints]
    same = list(dict.fromkeys([*named, *printed]))
    if same:
        sentence = f"The {what} was fitted on videos that are evaluated"
        found.append(("fitted_on_test", sentence, True, same))
    elif alike_named:
        sentence = f"The {what} was fitted on videos of the same name in other folders"
        found.append(("fitted_on_namesake", sentence, False, alike_named))
    split = cases.options.split
    if split is not None and facts.get("split") == split and not same:
        sentence = f"The {what} was fitted on a split that is called {split!r} like this one."
        found.append(("fitted_on_same_split", sentence, False, []))
    known = any(case.prediction.video_fingerprint for case in cases.cases)
    if known and len(prints) < len(_texts(facts["videos"])):
        sentence = f"The {what} lacks fingerprints of its videos: renamed ones are not noticed."
        found.append(("fitted_by_name_only", sentence, False, []))
    return found


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(part) for part in value] if isinstance(value, Iterable) else []


def _named_alike(cases: Sequence[Case], videos: Sequence[str]) -> tuple[list[str], list[str]]:
    """Cases that one of the videos names, and those that share only the file's name with one."""
    keys = [name_key(video) for video in videos]
    by_stem: dict[str, list[tuple[str, ...]]] = {}
    for key in keys:
        by_stem.setdefault(key[-1].casefold(), []).append(key)
    same: list[str] = []
    namesakes: list[str] = []
    for case in cases:
        own = name_key(case.annotation.video), name_key(case.prediction.video)
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


def _threshold(
    cases: Cases, settled: Settled | None, chosen_on: Sequence[str] | None, best: Sequence[str]
) -> list[Finding]:
    findings = []
    if chosen_on is not None:
        same, _ = _named_alike(cases.cases, chosen_on)
        if same:
            sentence = _listed("The threshold was chosen on videos that are evaluated", same)
            findings.append(Finding("threshold_on_test", sentence, videos=tuple(same)))
        elif not chosen_on:
            sentence = "The threshold was chosen on data, but its list of videos is empty."
            findings.append(Finding("threshold_unknown", sentence))
    fitted = any(case.prediction.made.fitted for case in cases.cases)
    if settled is not None and settled.by_hand and not fitted and best:
        sentence = (
            f"The threshold {settled.threshold:.6g} gives the best {' and '.join(best)} that any "
            "could on this very data; if it was chosen by that, the figure flatters."
        )
        findings.append(Finding("threshold_is_best", sentence, serious=False))
    if cases.options.smoothing.method != "none":
        sentence = (
            "Smoothing was set for this evaluation; if it was chosen by these figures, "
            "they flatter."
        )
        findings.append(Finding("smoothing_here", sentence, serious=False))
    return findings


# --- normalisation and copies


def _normalised(cases: Cases) -> list[Finding]:
    said = [c.name for c in cases.cases if c.prediction.made.normalised]
    if cases.options.normalise != "none" or said:
        sentence = (
            "Scores are stretched with the lowest and highest of the videos that are tested: no "
            "live system could do that."
        )
        return [Finding("normalised_on_test", sentence, videos=tuple(said))]
    ranges = [_touched(case) for case in cases.cases if case.prediction.scores is not None]
    if len(ranges) >= 3 and all(found == (0.0, 1.0) for found in ranges):
        sentence = "Every video's scores reach from exactly 0 to exactly 1: they look stretched."
        return [Finding("looks_normalised", sentence)]
    return []


def _touched(case: Case) -> tuple[float, float] | None:
    """Lowest and highest score of a video, if each is reached by few windows only."""
    assert case.prediction.scores is not None
    values = case.prediction.scores.values
    values = values[~np.isnan(values)]
    if len(values) < 8:
        return None
    low, high = float(values.min()), float(values.max())
    # Scores that are cut off at their bounds touch these often; a stretched series hardly ever.
    often = max(int((values == low).sum()), int((values == high).sum())) > 0.1 * len(values)
    return None if often else (low, high)


def _copies(cases: Cases) -> list[Finding]:
    tested = [case.prediction for case in cases.cases]
    every = [*tested, *cases.others]
    names = [*cases.names, *(other.video for other in cases.others)]
    pairs: dict[tuple[int, int], str] = {}
    for one, other in alike([_series(prediction) for prediction in every]):
        pairs[(one, other)] = "by their scores"
    first: dict[str, int] = {}
    for place, prediction in enumerate(every):
        if prediction.video_fingerprint is not None:
            other = first.setdefault(prediction.video_fingerprint, place)
            if other != place:
                pairs[(other, place)] = "by their content"
    inside = [(names[a], names[b], how) for (a, b), how in pairs.items() if b < len(tested)]
    across = [(names[a], names[b], how) for (a, b), how in pairs.items() if a < len(tested) <= b]
    elsewhere = {name_key(record.video)[-1] for record in cases.other_records}
    learned = {name_key(v)[-1] for c in cases.cases for v in _learned_from(c.prediction.made)}
    serious = [pair for pair in across if name_key(pair[1])[-1] in elsewhere | learned]
    return [
        *_pairs("duplicate_across_splits", "are in another split or were learned from", serious),
        *_pairs("duplicate_outside", "are not evaluated", [p for p in across if p not in serious]),
        *_pairs("duplicate_in_set", "are evaluated too and count twice", inside),
        *_same_names(cases),
    ]


def _learned_from(made: Made) -> list[str]:
    return [
        video
        for facts in made.fitted.values()
        if isinstance(facts, Mapping)
        for video in _texts(facts.get("videos"))
    ]


def _series(prediction: Prediction) -> np.ndarray[Any, np.dtype[np.float32]]:
    scores = prediction.raw if prediction.raw is not None else prediction.scores
    if scores is None:
        return np.empty(0, np.float32)
    return np.asarray(np.fmax.reduce(scores.values, axis=1, initial=np.nan), np.float32)


def _pairs(code: str, are: str, pairs: Sequence[tuple[str, str, str]]) -> list[Finding]:
    if not pairs:
        return []
    shown = "; ".join(f"{a} and {b} ({how})" for a, b, how in pairs[:_SHOWN])
    more = f"; and {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else ""
    sentence = f"Videos look like copies of others that {are}: {shown}{more}."
    serious = code == "duplicate_across_splits"
    videos = tuple(dict.fromkeys(name for pair in pairs for name in pair[:2]))
    return [Finding(code, sentence, serious, videos)]


def _same_names(cases: Cases) -> list[Finding]:
    """Videos that another split names too."""
    same, namesakes = _named_alike(cases.cases, [r.video for r in cases.other_records])
    findings = []
    if same:
        sentence = _listed("Videos stand in another split too", same)
        findings.append(Finding("video_in_two_splits", sentence, videos=tuple(same)))
    if namesakes:
        sentence = _listed("Videos have the name of one in another split's folder", namesakes)
        findings.append(
            Finding("namesake_in_split", sentence, serious=False, videos=tuple(namesakes))
        )
    return findings


def _listed(sentence: str, videos: Sequence[str]) -> str:
    if not videos:
        return sentence
    more = f" and {len(videos) - _SHOWN} more" if len(videos) > _SHOWN else ""
    return f"{sentence}: {', '.join(videos[:_SHOWN])}{more}."
