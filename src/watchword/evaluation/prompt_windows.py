"""Saved cosines of sentences beside the truth, window by window over all videos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.errors import DatasetError, KindMismatch, PromptError
from watchword.types import Annotation, PromptBank, Scores

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class PromptWindows:
    """All measured windows of all videos in a row.

    Attributes:
        cosines: (N,P) of the bank's sentences; its edges only count windows.
        truth: (N,) of each label of the bank, and of any event under "".
        any_event: (N,) whether any event covers the window's middle.
        cuts: (V+1,) where each video begins, and N.
        notes: what was left out, and what was compared with what.
    """

    cosines: Scores
    truth: dict[str, Bools]
    any_event: Bools
    cuts: NDArray[np.intp]
    notes: tuple[str, ...]

    @property
    def videos(self) -> int:
        """V, how many videos the windows come from."""
        return len(self.cuts) - 1

    def thinned(self, most: int) -> PromptWindows:
        """Every n-th window, so that there are no more than ``most``; itself if there are not."""
        step = -(-len(self.any_event) // most)
        if step <= 1:
            return self
        values = self.cosines.values[::step]
        return PromptWindows(
            replace(self.cosines, values=values, edges_s=np.arange(len(values) + 1.0)),
            {label: truth[::step] for label, truth in self.truth.items()},
            self.any_event[::step],
            -(-self.cuts // step),
            (*self.notes, f"random halves were scored on one window in {step} only"),
        )

    def split(self, series: NDArray[Any]) -> list[NDArray[Any]]:
        """The parts of an (N,) series that belong to each video."""
        return np.split(series, self.cuts[1:-1])


def gather(
    cosines: Mapping[str, Scores], annotations: Mapping[str, Annotation], bank: PromptBank
) -> PromptWindows:
    """The windows of the videos that are in both mappings, under the same names.

    Raises:
        DatasetError: no video is in both, or none of them says when its events are.
        PromptError: the cosines lack a sentence of the bank.
        KindMismatch: the scores are no cosines.
    """
    both = [name for name in cosines if name in annotations]
    if not both:
        raise DatasetError(
            "annotations", f"name none of the {len(cosines)} videos that there are cosines of"
        )
    timed = [name for name in both if annotations[name].localised]
    parts, masks, lost = [], [], 0
    known = {label for name in timed for label in annotations[name].labels}
    for name in timed:
        scores = cosines[name]
        _check(scores, bank, name)
        values = scores.values[:, [scores.labels.index(text) for text in bank.texts]]
        used = ~np.isnan(values).any(axis=1)
        if not used.any():
            continue
        lost += int((~used).sum())
        parts.append(values[used])
        masks.append(_masks(annotations[name], scores, bank, known)[used])
    if not parts:
        raise DatasetError(
            "annotations", "no video that says when its events are has windows that were measured"
        )
    values, mask = np.concatenate(parts), np.concatenate(masks)
    notes = _notes(len(cosines), both, timed, len(parts), lost)
    if unknown := [label for label in bank.labels if label not in known]:
        notes += (f"not annotated, so judged on any event: {', '.join(unknown)}",)
    cuts = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    columns = {label: mask[:, number] for number, label in enumerate(bank.labels)}
    flat = Scores(values, np.arange(len(values) + 1.0), bank.texts, "cosine")
    return PromptWindows(flat, {**columns, "": mask[:, -1]}, mask[:, -1], cuts, notes)


def _check(scores: Scores, bank: PromptBank, name: str) -> None:
    if scores.kind != "cosine":
        raise KindMismatch(
            f"scores of {name} are of kind {scores.kind}; sentences are ranked by cosines"
        )
    missing = [text for text in bank.texts if text not in scores.labels]
    if missing:
        raise PromptError(
            f"the cosines of {name} hold nothing of {', '.join(map(repr, missing[:3]))}"
            f"{' and others' if len(missing) > 3 else ''}; score the videos with this bank, or "
            "rank the bank that they were scored with"
        )


def _masks(annotation: Annotation, scores: Scores, bank: PromptBank, known: set[str]) -> Bools:
    """(T,K+1) truth of each label of the bank, and of any event."""
    own = annotation.mask(scores.edges_s)
    any_event = np.asarray(own.any(axis=1))
    nothing = np.zeros(len(any_event), bool)
    columns = [
        any_event
        if label not in known
        else own[:, annotation.labels.index(label)]
        if label in annotation.labels
        else nothing
        for label in bank.labels
    ]
    return np.stack([*columns, any_event], axis=1)


def _notes(
    given: int, both: Sequence[str], timed: Sequence[str], used: int, lost: int
) -> tuple[str, ...]:
    counts = {
        "videos without annotation were left out": given - len(both),
        "videos were left out, since their truth does not say when": len(both) - len(timed),
        "videos were left out, since nothing in them was measured": len(timed) - used,
        "windows were left out, since they were not measured": lost,
    }
    return tuple(f"{count} {what}" for what, count in counts.items() if count)
