"""The leakage guard: signs that an evaluation rests on what its test data told beforehand.

It compares words, names, fingerprints and scores, and looks whether a threshold or a smoothing that
nobody vouches for happens to be the best there is. It does not catch:

* synonyms, translations and misspellings of an annotation, or three of its words in another order
  where it is a long paragraph;
* words from an annotation that it is not shown: it reads the files of the truth, and JSON and CSV
  files beside a single one;
* prompts that were tried on the test data until they worked;
* a list of videos that was falsified or shortened together with its fingerprints;
* thresholds and smoothing that were tuned here to something short of the best, or for a figure that
  is not looked at;
* stretched scores that were smoothed, cut off or mixed afterwards, or divided by each video's
  highest score where scores end at 1 anyway;
* a copy of a video that was cropped or filmed anew, or one of which there is no prediction here,
  unless its name or fingerprint tells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from watchword.errors import LeakageError
from watchword.evaluation.duplicates import alike, alike_together
from watchword.evaluation.learned import fitted_findings, learned_from, listed, named_alike
from watchword.evaluation.matching import Cases
from watchword.evaluation.names import name_key
from watchword.evaluation.predictions.prediction import Prediction
from watchword.evaluation.result import Finding
from watchword.evaluation.settling import Settled
from watchword.evaluation.stretching import looks_stretched
from watchword.evaluation.truth_texts import truth_labels, truth_texts
from watchword.evaluation.tuning import tuned
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
    nearly_best: Sequence[str] = (),
) -> tuple[Finding, ...]:
    """What makes the figures mean less than they seem, serious findings first.

    Args:
        cases: what is evaluated.
        settled: the threshold in use; None leaves it unchecked.
        chosen_on: videos that a given threshold was chosen on; None if that is not known.
        truth_files: annotation files or folders, beside those that the cases name.
        best: names of figures that no other threshold raises on these very videos.
        nearly_best: names of figures that none of the thresholds a few steps away raises.
    """
    findings = [
        *_prompts(cases, (*cases.truth_files, *truth_files)),
        *_sentences_of_some(cases),
        *fitted_findings(cases),
        *_chosen_on(cases, chosen_on),
        *tuned(
            cases,
            settled,
            best=best,
            nearly_best=nearly_best,
            vouched=chosen_on is not None,
        ),
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
    sentence = f"Sentences that {does} ({len(pairs)}): {shown}{more}."
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
    if prediction.scores is not None and prediction.scores.kind != "surprise":
        # Labels of raw cosines are the sentences; others may be, and nobody else would say. Those
        # of surprise are none.
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
        f"Sentences that not every video was asked ({len(odd)}): {shown}{more}. Those made for "
        "one video know what is in it, and scores of different sentences cannot be pooled."
    )
    return [Finding("sentence_of_one_video", sentence, videos=videos)]


# --- thresholds


def _chosen_on(cases: Cases, chosen_on: Sequence[str] | None) -> list[Finding]:
    if chosen_on is None:
        return []
    if not chosen_on:
        sentence = "The threshold was chosen on data, but its list of videos is empty."
        return [Finding("threshold_unknown", sentence)]
    same, _ = named_alike(cases.cases, chosen_on)
    if not same:
        return []
    sentence = listed("The threshold was chosen on videos that are evaluated", same)
    return [Finding("threshold_on_test", sentence, videos=tuple(same))]


# --- normalisation and copies


def _normalised(cases: Cases) -> list[Finding]:
    said = [c.name for c in cases.cases if c.prediction.made.normalised]
    if cases.options.normalise != "none" or said:
        sentence = (
            "Scores are stretched with the lowest and highest of the videos that are tested: no "
            "live system could do that."
        )
        return [Finding("normalised_on_test", sentence, videos=tuple(said))]
    seen = looks_stretched([c.prediction.scores for c in cases.cases if c.prediction.scores])
    if not seen:
        return []
    sentence = f"{seen} in every video: they look stretched with the tested videos themselves."
    return [Finding("looks_normalised", sentence)]


def _copies(cases: Cases) -> list[Finding]:
    tested = [case.prediction for case in cases.cases]
    every = [*tested, *cases.others]
    names = [*cases.names, *(other.video for other in cases.others)]
    pairs: dict[tuple[int, int], str] = {}
    tables = _tables(every)
    for one, other in (*alike([_series(p) for p in every]), *alike_together(tables)):
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
    learned = {name_key(v)[-1] for c in cases.cases for v in learned_from(c.prediction.made)}
    serious = [pair for pair in across if name_key(pair[1])[-1] in elsewhere | learned]
    return [
        *_pairs("duplicate_across_splits", "are in another split or were learned from", serious),
        *_pairs("duplicate_outside", "are not evaluated", [p for p in across if p not in serious]),
        *_pairs("duplicate_in_set", "are evaluated too and count twice", inside),
        *_same_names(cases),
    ]


def _series(prediction: Prediction) -> np.ndarray[Any, np.dtype[np.float32]]:
    scores = prediction.raw if prediction.raw is not None else prediction.scores
    if scores is None:
        return np.empty(0, np.float32)
    return np.asarray(np.fmax.reduce(scores.values, axis=1, initial=np.nan), np.float32)


def _tables(predictions: Sequence[Prediction]) -> list[np.ndarray[Any, np.dtype[np.float32]]]:
    """(T,K) scores of each under the labels that all with scores share."""
    known = [p.raw if p.raw is not None else p.scores for p in predictions]
    sets = [set(scores.labels) for scores in known if scores is not None]
    labels = sorted(set.intersection(*sets)) if sets else []
    if not labels:
        return [np.empty((0, 0), np.float32) for _ in known]
    return [
        np.empty((0, len(labels)), np.float32)
        if scores is None
        else scores.values[:, [scores.labels.index(label) for label in labels]]
        for scores in known
    ]


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
    same, namesakes = named_alike(cases.cases, [r.video for r in cases.other_records])
    findings = []
    if same:
        sentence = listed("Videos stand in another split too", same)
        findings.append(Finding("video_in_two_splits", sentence, videos=tuple(same)))
    if namesakes:
        sentence = listed("Videos have the name of one in another split's folder", namesakes)
        findings.append(
            Finding("namesake_in_split", sentence, serious=False, videos=tuple(namesakes))
        )
    return findings
