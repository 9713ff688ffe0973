"""Several kinds of evidence on one scale, and the one score that is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from watchword.errors import CalibrationError, NormalityError
from watchword.evidence.choice import UNUSUAL
from watchword.evidence.combine import CombineOptions, beside, combine, raised_by
from watchword.evidence.normality.worth import tail_worth
from watchword.evidence.surprise import Tail
from watchword.types import Event, Scores

# Share of a video's windows that are calm: those in which the other evidence sees least.
CALM = 0.8
# Parts of a video whose windows are taken to be alike.
GROUPS = 8
# What stands before the label of words among the parts, so that none has the name of another part.
WORDS = "words: "


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """Evidence weighed together, of kind surprise.

    Attributes:
        scores: (T,K) of each label of the words, or of ``unusual``.
        parts: (T,P) what each kind of evidence says.
    """

    scores: Scores
    parts: Scores


def weigh(words: Scores | None, others: Sequence[Scores]) -> Weighed:
    """One score a label, and the parts that it was made of.

    What change and normality see has no name: it counts for the label whose words are strongest in
    that window, and for the others as nothing seen, so that one event does not raise every label.

    Args:
        words: surprise (T,K) of the sentences or the head; None: nothing names what is found.
        others: surprise (T,·) of change and normality, at least one.
    """
    if words is None:
        combined = combine(others, CombineOptions(UNUSUAL))
        return Weighed(combined.scores, combined.parts)
    strongest = np.nan_to_num(words.values, nan=-np.inf)
    named_so = strongest >= strongest.max(axis=1, keepdims=True)
    made = [
        combine([_one(words, label), *_where(here, others)], CombineOptions(label)).scores
        for label, here in zip(words.labels, named_so.T, strict=True)
    ]
    values = np.concatenate([one.values for one in made], axis=1)
    named = replace(words, labels=tuple(WORDS + label for label in words.labels))
    return Weighed(replace(made[0], values=values, labels=words.labels), beside([named, *others]))


def raised(event: Event, parts: Scores) -> Event:
    """The event with what each part says at its peak; of the words, what they say of its label."""
    own = [i for i, name in enumerate(parts.labels) if _speaks_of(name, event.label)]
    labels = tuple(parts.labels[i] for i in own)
    return raised_by(event, replace(parts, values=parts.values[:, own], labels=labels))


def _speaks_of(part: str, label: str) -> bool:
    return not part.startswith(WORDS) or part == WORDS + label


def surprise_of(scores: Scores, tails: Mapping[str, Tail]) -> Scores:
    """Scores (T,K) as surprise, each label by its own tail on normal footage."""
    columns = [tails[label].surprise(scores[label]) for label in scores.labels]
    made_by = f"{scores.made_by}, beside normal footage"
    return replace(scores, values=np.stack(columns, axis=1), kind="surprise", made_by=made_by)


def calm_tails(words: Scores, others: Sequence[Scores]) -> dict[str, Tail]:
    """What sentences say in the video's own calm windows: the visual anchor of its scores.

    Calm are the four fifths of the windows in which the other evidence sees least, so that an event
    that is seen by its change is not its own measure. Windows beside each other are alike: the
    tails are no surer of themselves than eighths of the video, which differ as they do, are worth.

    Raises:
        NormalityError: too few windows to know what is usual, or all alike.
    """
    strongest = _strongest(others)
    calm = strongest <= np.nanquantile(strongest, CALM)
    try:
        return {label: _tail(words, label, calm) for label in words.labels}
    except CalibrationError as exc:
        raise NormalityError(
            f"what the words say of the video's calm windows is no measure for them: {exc}; weigh "
            "words alone, or beside a memory (watchword normal learn)"
        ) from exc


def _tail(words: Scores, label: str, calm: NDArray[np.bool_]) -> Tail:
    known = calm & ~np.isnan(words[label])
    groups = np.arange(len(words)) * GROUPS // max(len(words), 1)
    seconds = float(np.diff(words.edges_s)[known].sum())
    return tail_worth(words[label][known].astype(np.float64), groups[known], seconds)


def _strongest(others: Sequence[Scores]) -> NDArray[np.float32]:
    values = np.concatenate([one.values for one in others], axis=1)
    return np.asarray(np.fmax.reduce(values, axis=1), np.float32)


def _where(here: NDArray[np.bool_], others: Sequence[Scores]) -> list[Scores]:
    """The evidence in these windows; elsewhere 0, as of what has nothing to say."""
    return [
        replace(one, values=np.where(here[:, None] | np.isnan(one.values), one.values, 0))
        for one in others
    ]


def _one(scores: Scores, label: str) -> Scores:
    return replace(scores, values=scores[label][:, None], labels=(WORDS + label,))
