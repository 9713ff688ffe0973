"""Options that several commands share, and the Config they amount to.

Each is a short word for a setting of the config file; what has no word of its own is reached with
``--set section.field=value``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from watchword.config import Config
    from watchword.types import PromptBank

Videos = Annotated[
    list[str] | None,
    typer.Argument(help="Video files, folders, globs or URLs.", show_default=False),
]
Prompts = Annotated[
    list[str] | None,
    typer.Option(
        "--prompt",
        "-p",
        help="What to watch for, as 'a deer on the road' or 'deer=a deer'. Repeat.",
    ),
]
Normal = Annotated[
    list[str] | None,
    typer.Option("--normal", "-n", help="What the usual scene looks like. Repeat."),
]
Bank = Annotated[
    str | None, typer.Option("--bank", "-b", help="A prompt bank: a starter's name or a YAML file.")
]
Model = Annotated[
    str | None, typer.Option("--model", "-m", help="Catalogue name, directory or hf:OWNER/REPO.")
]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, tensorrt, openvino or coreml.")]
Rate = Annotated[float | None, typer.Option(help="Pictures a second to look at (10 unless said).")]
EveryFrame = Annotated[bool, typer.Option("--every-frame", help="Look at every frame.")]
Every = Annotated[int | None, typer.Option(help="Look at every n-th frame.")]
Start = Annotated[str | None, typer.Option(help="Look from here on: seconds or h:mm:ss.")]
End = Annotated[str | None, typer.Option(help="Look up to here: seconds or h:mm:ss.")]
Region = Annotated[
    str | None, typer.Option(help="Look only at this part of the picture: X,Y,WIDTH,HEIGHT.")
]
Adaptive = Annotated[
    bool, typer.Option("--adaptive", help="Reuse the embedding of pictures that did not change.")
]
ConfigFile = Annotated[Path | None, typer.Option("--config", "-c", help="YAML file of settings.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="One setting, as events.min_s=0.5. Repeat."),
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Neither use nor keep embeddings.")]
TruthFormat = Annotated[
    str | None, typer.Option("--format", help="Format of the truth; told from its content.")
]
TruthVideos = Annotated[
    Path | None, typer.Option("--videos", help="Folder of the videos that the truth names.")
]
TruthRate = Annotated[
    float | None, typer.Option("--truth-rate", help="Frames a second that the truth counts in.")
]


def build_config(
    *,
    file: Path | None,
    overrides: Sequence[str] | None,
    words: dict[str, Any],
    sampling: dict[str, Any] | None = None,
) -> Config:
    """Defaults, then the file, then the words of the command line, then ``--set``.

    Args:
        file: YAML file of settings.
        overrides: ``section.field=value`` strings.
        words: option values by ``section.field``; those that are None were not given.
        sampling: the sampling fields that were given, which only hold together.
    """
    from watchword.config import apply, load_config

    said: dict[str, dict[str, Any]] = {"sampling": sampling or {}}
    for name, value in words.items():
        if value is not None:
            section, field = name.split(".")
            said.setdefault(section, {})[field] = value
    config = apply(load_config(file), said, where="command line")
    return load_config(overrides=overrides or (), base=config)


def encoding_words(
    model: str | None, device: str | None, *, adaptive: bool, no_cache: bool
) -> dict[str, Any]:
    """The settings of encoding that the options amount to; None where nothing was said."""
    return {
        "encoder.name": model,
        "encoder.device": device,
        "stillness.enabled": adaptive or None,
        "cache.enabled": False if no_cache else None,
    }


def sampling_words(
    *,
    rate: float | None,
    every_frame: bool,
    every: int | None,
    start: str | None,
    end: str | None,
    region: str | None,
) -> dict[str, Any]:
    """The sampling settings that the options amount to; BadParameter if they contradict."""
    from watchword.video.sampling import parse_region, parse_time

    if sum((rate is not None, every_frame, every is not None)) > 1:
        raise typer.BadParameter("give one of --rate, --every-frame and --every")
    fields: dict[str, Any] = {}
    if rate is not None:
        fields["rate"] = rate
    if every_frame or every is not None:
        fields["rate"] = None
        fields["every"] = every or 1
    if start is not None:
        fields["start_s"] = parse_time(start)
    if end is not None:
        fields["end_s"] = parse_time(end)
    if region is not None:
        fields["region"] = parse_region(region)
    return fields


def choose_bank(
    prompts: Sequence[str] | None, normal: Sequence[str] | None, bank: str | None
) -> PromptBank:
    """The bank that the options amount to; BadParameter if they give none or two."""
    from watchword.evidence.prompts import bank_from_prompts, list_banks, load_bank

    if bank is not None and prompts:
        raise typer.BadParameter("give --prompt or --bank, not both")
    if bank is not None:
        if normal:
            raise typer.BadParameter("--normal goes with --prompt; a bank holds its own")
        return load_bank(bank)
    if not prompts:
        raise typer.BadParameter(
            "say what to watch for: --prompt 'a deer on the road', or --bank with one of "
            f"{', '.join(list_banks())} or a YAML file"
        )
    return bank_from_prompts(prompts, normal=normal or ())
