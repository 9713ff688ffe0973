"""Which split of a truth file a command means that was told none."""

from __future__ import annotations

from dataclasses import replace

from watchword.evaluation.datasets.formats import read_records
from watchword.run.fitting import TruthOptions


def settled_split(truth: TruthOptions, own: str) -> tuple[TruthOptions, tuple[str, ...]]:
    """The truth with a split, and a note where one was chosen.

    Where the truth has several splits and one of them is ``own``, that is it; a training must not
    learn from what a test is for, only because nobody said so.

    Args:
        truth: as it was asked for; a split that was named stays.
        own: "train" or "test".

    Raises:
        DatasetError: the truth cannot be read.
    """
    if truth.split is not None:
        return truth, ()
    splits = {record.split for record in read_records(truth.path, format=truth.format)}
    if len(splits) < 2 or own not in splits:
        return truth, ()
    others = ", ".join(sorted(str(one or "none") for one in splits - {own}))
    note = (
        f"only the split {own!r} of {truth.path.name} is used, not {others}; --split names another"
    )
    return replace(truth, split=own), (note,)
