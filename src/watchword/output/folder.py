"""The folder of a run: everything that one detection leaves behind, written whole or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from watchword.errors import OutputError
from watchword.output.atomic import check_folder, holds_something, new_folder
from watchword.output.document import from_document, read_document, write_document
from watchword.output.maps import EDGES, MAPS, read_maps, write_maps
from watchword.output.pictures import Pictures, pictures_at
from watchword.output.report import write_report
from watchword.output.series import (
    read_parquet,
    read_parts_parquet,
    write_matrix,
    write_parquet,
)
from watchword.output.strips import wanted_moments
from watchword.output.tables import write_events
from watchword.types import Annotation, Detection, Scores

_DOCUMENT = "detection.json"
RUN_FILES = (
    _DOCUMENT,
    "events.csv",
    "scores.npy",
    "prompts.json",
    "scores.parquet",
    "report.html",
    "plot.png",
    MAPS,
    EDGES,
)


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """What a run folder holds beside the results themselves.

    Attributes:
        report: whether to write ``report.html``.
        pictures: whether the report holds pictures of the video.
        picture_width: width of these pictures, in pixels.
        strips: how many events, the strongest first, get a film strip.
        plot: whether to write ``plot.png``, the five sentences (or labels) with the highest peaks.
        heat: whether to keep where in the picture it is, if that was measured: ``maps.npy``, the
            overlays in the report, and the boxes of events.
    """

    report: bool = True
    pictures: bool = True
    picture_width: int = 160
    strips: int = 24
    plot: bool = False
    heat: bool = True

    def __post_init__(self) -> None:
        if not 16 <= self.picture_width <= 1920:
            raise ValueError(f"picture_width is {self.picture_width}, it must be 16 to 1920")
        if self.strips < 0:
            raise ValueError(f"strips is {self.strips}, it must not be negative")


def write_run(
    detection: Detection,
    folder: str | Path,
    *,
    options: OutputOptions | None = None,
    raw_scores: Scores | None = None,
    prompt_scores: Scores | None = None,
    pictures: Pictures | None = None,
    annotation: Annotation | None = None,
    overwrite: bool = False,
) -> Path:
    """Everything about a detection, in a folder of its own; returns the folder.

    Args:
        detection: what was found.
        folder: where; made if absent. Files of a user's in it are never touched.
        options: what to write.
        raw_scores: the scores before smoothing, so that another smoothing can be tried later.
        prompt_scores: raw cosine of every sentence (T, sentences), for seed 1's matrix and plot.
        pictures: for the report; None takes them from the video.
        annotation: the truth, drawn beside the scores.
        overwrite: replace the files of a run that is there already.

    Raises:
        OutputError: the folder is taken; no space, no permission.
    """
    options = options or OutputOptions()
    folder = Path(folder)
    if not options.heat:
        detection = replace(detection, heat=None)
    with new_folder(folder, mark=_DOCUMENT, ours=RUN_FILES.__contains__, overwrite=overwrite) as to:
        write_document(detection, to / _DOCUMENT)
        write_events(detection, to / "events.csv")
        write_parquet(
            detection.scores,
            to / "scores.parquet",
            raw_scores=raw_scores,
            prompt_scores=prompt_scores,
            parts=detection.parts,
        )
        if prompt_scores is not None:
            write_matrix(prompt_scores, to)
        if detection.heat is not None:
            write_maps(detection.heat, to)
        if options.plot:
            _write_plot(detection, to / "plot.png", prompt_scores, annotation)
        if options.report:
            taken = _pictures(detection, options) if pictures is None else pictures
            write_report(
                detection,
                to / "report.html",
                pictures=taken,
                annotation=annotation,
                strips=options.strips,
            )
    return folder


def run_exists(folder: str | Path) -> bool:
    """Whether something lies where a run would be written."""
    return holds_something(Path(folder))


def check_run_folder(folder: str | Path, *, overwrite: bool = False) -> None:
    """Nothing, if a run may be written there; OutputError that says why not otherwise."""
    check_folder(Path(folder), mark=_DOCUMENT, overwrite=overwrite)


def read_run(folder: str | Path) -> Detection:
    """The detection that a run folder holds, to export or look at again.

    Raises:
        OutputError: the folder is no run of this version, or its files are damaged.
    """
    folder = Path(folder)
    try:
        document = json.loads((folder / _DOCUMENT).read_text(encoding="utf-8"))
        about, table = read_document(document).heat, folder / "scores.parquet"
        return from_document(
            document,
            scores=read_parquet(table),
            parts=read_parts_parquet(table),
            heat=None if about is None else read_maps(folder, about.unit, about.made_by),
        )
    except (OSError, ValueError, EOFError) as exc:
        raise OutputError(f"{folder} is no run that can be read: {exc}") from exc


def _write_plot(
    detection: Detection, path: Path, prompt_scores: Scores | None, annotation: Annotation | None
) -> None:
    # Here, because matplotlib takes longer to load than all the rest of a run folder to write.
    from watchword.output.plots import plot_scores

    curves = detection.scores if prompt_scores is None else prompt_scores
    path.write_bytes(plot_scores(curves, events=detection.events, annotation=annotation))


def _pictures(detection: Detection, options: OutputOptions) -> Pictures:
    if not options.pictures:
        return Pictures(problem="Pictures were not asked for (output.pictures is false).")
    moments_s = wanted_moments(detection, strips=options.strips)
    return pictures_at(detection.info, moments_s, width=options.picture_width)
