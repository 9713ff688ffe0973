"""Options that say which predictions are judged against which truth, shared by several commands."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from watchword.evaluation.matching import CaseOptions
    from watchword.evidence.smooth import Smoothing
    from watchword.run.judging import Sources
    from watchword.types import Kind

Predictions = Annotated[
    Path,
    typer.Argument(help="Run folders of 'detect', matrices of 'score', or tables.", metavar="PATH"),
]
Truth = Annotated[
    Path,
    typer.Argument(help="The truth, in any format of 'datasets formats'.", metavar="PATH"),
]
Format = Annotated[
    str | None,
    typer.Option("--format", help="Format of the truth, if its content leaves doubt."),
]
Split = Annotated[str | None, typer.Option(help="Only videos of this split.")]
Videos = Annotated[
    Path | None, typer.Option(help="Folder of the videos, for the times of their frames.")
]
Rate = Annotated[
    float | None, typer.Option(help="Frames a second, where files count frames and hold no times.")
]
Label = Annotated[str | None, typer.Option(help="Only this label of predictions and truth.")]
EvidencePart = Annotated[
    str | None,
    typer.Option(
        "--part", help="Judge this part of the evidence (a kind) instead of the combined score."
    ),
]
ScoreKind = Annotated[
    str, typer.Option("--kind", help="What scores are, in files that do not say.")
]
Smooth = Annotated[
    str | None,
    typer.Option(
        help="Smooth the raw scores: seconds of a Gaussian, or METHOD:SECONDS, as mean:0.5. "
        "Unless given they stay as they were saved."
    ),
]
Partial = Annotated[
    bool, typer.Option("--partial", help="Allow videos of the truth that nothing was predicted of.")
]
Samples = Annotated[int, typer.Option(help="Bootstrap resamples of the videos.")]
Seed = Annotated[int, typer.Option(help="Of the resamples.")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace results that are there already.")
]


def width() -> int:
    """Columns of the terminal, 80 at least; 80 where the output is no terminal."""
    return max(80, get_terminal_size((80, 24)).columns)


def command_of(context: typer.Context) -> str:
    """The command as it was given, to repeat it: what stands at its default is left out."""
    words = ["watchword", str(context.info_name)]
    for parameter in context.command.params:
        value = context.params.get(str(parameter.name))
        if value is None or value is False or value == parameter.default:
            continue
        flag = [] if parameter.param_type_name == "argument" else [max(parameter.opts, key=len)]
        values = value if isinstance(value, (list, tuple)) else [value]
        for one in values:
            words += flag if one is True else [*flag, str(one)]
    return shlex.join(words)


def given(context: typer.Context, names: Sequence[str]) -> list[str]:
    """The flags of those parameters that were given on the command line."""
    return [
        max(parameter.opts, key=len)
        for parameter in context.command.params
        if parameter.name in names
        and (source := context.get_parameter_source(parameter.name)) is not None
        and source.name == "COMMANDLINE"
    ]


def sources(predictions: Path, truth: Path, format_: str | None, kind: str) -> Sources:
    """Where predictions and truth lie; BadParameter for an unknown kind of score."""
    from watchword.run.judging import Sources

    return Sources(predictions, truth, format=format_, kind=kind_of(kind))


def kind_of(name: str) -> Kind:
    """The kind of score of that name; BadParameter if there is none."""
    from watchword.types import KINDS

    for known in KINDS:
        if name == known:
            return known
    raise typer.BadParameter(f"--kind is {name!r}, it must be one of {', '.join(KINDS)}")


def smoothing_of(text: str | None) -> Smoothing:
    """The smoothing that ``--smooth`` asks for; none where it was not given.

    >>> smoothing_of("mean:0.5").method
    'mean'
    """
    from watchword.evidence.smooth import Smoothing

    if text is None or text in ("none", "none:0"):
        return Smoothing()
    method, _, seconds = text.rpartition(":")
    try:
        return Smoothing(method or "gaussian", float(seconds))  # type: ignore[arg-type]
    except ValueError as exc:
        raise typer.BadParameter(
            f"--smooth is {text!r}; give seconds, or METHOD:SECONDS with mean, gaussian or median"
        ) from exc


def case_options(
    *,
    split: str | None,
    videos: Path | None,
    rate: float | None,
    label: str | None,
    smooth: str | None,
    partial: bool,
    normalise: str = "none",
    part: str | None = None,
) -> CaseOptions:
    """Which videos are judged, and what is done to their scores before."""
    from watchword.evaluation.matching import CaseOptions

    if part is not None and label is not None:
        raise typer.BadParameter("--part has no labels; leave --label out")
    return CaseOptions(
        split=split,
        videos=videos,
        rate=rate,
        label=label,
        partial=partial,
        smoothing=smoothing_of(smooth),
        normalise=normalise,  # type: ignore[arg-type]
        part=part,
    )
