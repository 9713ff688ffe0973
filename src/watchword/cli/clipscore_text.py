"""Results of ``clipscore`` in words, within 80 columns: seed 5's lines, then every definition."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

import numpy as np

from watchword.evaluation.correlate import Correlation, Correlations
from watchword.evaluation.metrics.clipscore import DEFINITIONS, aggregate
from watchword.pipeline.agreed import Agreed
from watchword.run.agreements import PairRow

_WIDTH = 80
_NAME = max(map(len, DEFINITIONS))
_SPREAD = ("min", "max", "std")

# What seed 5 calls the two sides.
_SIDES = {
    "video-to-text": ("Video", "Text prompt"),
    "video-to-image": ("Video", "Reference image"),
    "video-to-video": ("Video 1", "Video 2"),
    "image-to-text": ("Image", "Text prompt"),
    "image-to-image": ("Image 1", "Image 2"),
}


def report(results: Sequence[Agreed], *, verbose: bool = False) -> str:
    """Everything about comparisons of one video or picture, as lines."""
    lines = [f"Using device: {results[0].device}"]
    name, _ = _SIDES[results[0].kind]
    lines.append(f"{name}: {results[0].first}")
    for one in results:
        lines += _of_one(one, verbose=verbose)
    lines += ["", *_wrapped(f"Model: {results[0].model}. {_comparable(results[0])}")]
    return "\n".join(lines)


def batch_report(rows: Sequence[PairRow], alone: Sequence[str], *, verbose: bool = False) -> str:
    """A line for each pair, a second one with the spread if asked for, and what else to know."""
    lines = []
    for row in rows:
        if row.error is not None:
            lines += _wrapped(f"{row.pair.name}: ERROR {row.error}")
            continue
        mean, median = (
            float(row.cells[name]) if row.cells[name] else float("nan")
            for name in ("Mean_CLIP_Score", "Median_CLIP_Score")
        )
        there = " (was there)" if row.reused else ""
        lines.append(
            f"{row.pair.name}: mean {mean:.4f}, median {median:.4f}, "
            f"{_counted(int(row.cells['Frames']), 'frame')}{there}"
        )
        if verbose:
            spread = (f"{how} {float(row.cells[how]):.4f}" for how in _SPREAD if row.cells[how])
            lines.append(f"    {', '.join(spread)}")
        if row.cells["Notes"]:
            lines += _wrapped(f"  Note: {row.cells['Notes']}", indent=4)
    bad = sum(row.error is not None for row in rows)
    if bad:
        lines.append(f"{bad} of {len(rows)} pairs could not be compared")
    if alone:
        shown = ", ".join(alone[:5]) + (" and more" if len(alone) > 5 else "")
        lines += _wrapped(f"Files that belong to no pair, {len(alone)}: {shown}")
    models = {row.cells["Model"] for row in rows} - {""}
    if models:
        lines.append(f"Model: {', '.join(sorted(models))}")
    return "\n".join(lines)


def correlation_report(
    found: Correlations, left_out: Sequence[str], *, score: str, rating: str
) -> str:
    """How scores agree with ratings, a line for each correlation."""
    over = f"{found.items} items" + (f" in {found.groups} groups" if found.groups else "")
    named = (
        ("Kendall tau-b", found.kendall_b),
        ("Kendall tau-c", found.kendall_c),
        ("Spearman rho", found.spearman),
        ("Pearson r", found.pearson),
    )
    lines = [f"{score} against {rating}, {over}"]
    lines += [f"  {name:<14} {_correlation(one, found.level)}" for name, one in named]
    if left_out:
        shown = ", ".join(left_out[:5]) + (" and more" if len(left_out) > 5 else "")
        lines += _wrapped(
            f"Note: items left out, without a score or a rating: {len(left_out)} ({shown})"
        )
    drawn = "groups" if found.groups else "items"
    lines += _wrapped(
        f"Intervals: percentiles of {found.kendall_b.interval.samples} resamples of {drawn}."
    )
    return "\n".join(lines)


def _correlation(one: Correlation, level: float) -> str:
    if one.value is None:
        return "not defined: scores or ratings are all the same"
    low, high = one.interval.low, one.interval.high
    if low is None or high is None:
        return f"{one.value:7.4f}, no interval: most resamples leave it undefined"
    return f"{one.value:7.4f}, {level:.0%} interval {low:.4f} to {high:.4f}"


def _of_one(one: Agreed, *, verbose: bool) -> Iterator[str]:
    _, other = _SIDES[one.kind]
    if other == "Text prompt":
        yield from _wrapped(f"{other}: {one.second!r}")
    else:
        yield f"{other}: {one.second}"
    if verbose:
        yield from _of_frames(one)
    yield ""
    yield "Results:"
    if one.kind.startswith("image"):
        yield f"  CLIP Score ({one.kind}): {_value(one.mean)}"
    else:
        what = "Frame pairs" if one.kind == "video-to-video" else "Frames"
        yield f"  {what} analyzed: {one.frames}"
        yield f"  Mean CLIP Score ({one.kind}): {_value(one.mean)}"
        yield f"  Median CLIP Score ({one.kind}): {_value(one.median)}"
    yield ""
    yield f"Definitions (cosines of {_counted(one.frames, 'picture')}):"
    for name, value in one.definitions.items():
        line = f"  {name:<{_NAME}} {_value(value):>9}  "
        yield from _wrapped(line + DEFINITIONS[name].formula, indent=len(line))
    reasons: dict[str, list[str]] = {}
    for name, reason in one.undefined.items():
        reasons.setdefault(reason, []).append(name)
    for reason, names in reasons.items():
        yield from _wrapped(f"– {', '.join(names)}: {reason}")
    if one.definitions["evalcrafter_clip_temp"] is not None:
        yield from _wrapped(f"evalcrafter_clip_temp: {DEFINITIONS['evalcrafter_clip_temp'].note}")
    if one.failed:
        yield from _wrapped(
            f"Note: not decoded and not counted: {_counted(one.failed, 'picture')} of {one.first}"
        )
    for note in one.notes:
        yield from _wrapped(f"Note: {note}")


def _of_frames(one: Agreed) -> Iterator[str]:
    yield ""
    for number, (at_s, cosine) in enumerate(zip(one.pts_s, one.cosines, strict=True), start=1):
        said = "not measured" if np.isnan(cosine) else f"{cosine:.4f}"
        beside = "" if one.matched_s is None else f" with {one.matched_s[number - 1]:.3f} s"
        yield f"  Frame {number} ({at_s:.3f} s{beside}): {said}"
    yield ""
    yield "[Score statistics:]"
    for how in ("min", "max", "mean", "median", "std"):
        yield f"  {how.capitalize()}: {_value(aggregate(one.cosines, how))}"


def _comparable(one: Agreed) -> str:
    """Whether the numbers may stand beside published ones."""
    if one.notice:
        return (
            f"{one.notice} Its numbers are not comparable with published CLIPScores, which come "
            "from CLIP ViT-B/32 or ViT-L/14."
        )
    return "Numbers are comparable only with those of the same model and definition."


def _value(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _wrapped(text: str, *, indent: int = 2) -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent=" " * indent, break_on_hyphens=False)
