"""Many videos, one after the other: each is finished and on disk before the next begins.

One bad video is a row with its error; the others finish. An interruption loses only the video it
falls into.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from watchword.errors import EncoderError, NormalityError, OutputError, VideoError
from watchword.events.thresholds import threshold_or_balance
from watchword.output.atomic import check_file
from watchword.output.folder import check_run_folder, write_run
from watchword.output.tables import SegmentRow, VideoRow, write_segment_csv, write_video_csv
from watchword.pipeline.detector import Detector, Examined
from watchword.pipeline.embed import Listener
from watchword.run.manifest import Job
from watchword.types import Annotation, Detection

# What is wrong with one video, and loses no other.
_BAD = (VideoError, EncoderError, OutputError, NormalityError)

# Seed 2's tables: segments, and videos.
TABLES = ("segments.csv", "videos.csv")


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one video: a detection and its folder, or an error.

    ``segments`` and ``video`` are seed 2's rows about it, empty and None unless asked for.
    """

    job: Job
    detection: Detection | None = None
    folder: Path | None = None
    error: str | None = None
    segments: tuple[SegmentRow, ...] = ()
    video: VideoRow | None = None


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """What a batch leaves behind.

    Attributes:
        folder: where run folders go, one a video; None writes nothing.
        overwrite: replace run folders that are there already.
        tables: also judge segments, for seed 2's tables.
        annotation: the truth, drawn into the report of a single video.
    """

    folder: Path | None = None
    overwrite: bool = False
    tables: bool = False
    annotation: Annotation | None = None


def run_batch(
    detector: Detector,
    jobs: Sequence[Job],
    *,
    options: BatchOptions | None = None,
    listener: Callable[[Job], Listener] | None = None,
) -> Iterator[Row]:
    """One row a job, in order, as each is finished.

    Args:
        detector: what to look for and how.
        jobs: the videos.
        options: what to leave behind.
        listener: gives, for a job that starts, the function told of its progress.

    Raises:
        OutputError: before anything is read, when a folder that a run would write is taken.
        KindMismatch: likewise, when tables are asked for and no threshold of segments is known.
    """
    options = options or BatchOptions()
    folders = run_folders(jobs, options)
    if options.tables:
        # Before an hour is spent: some kinds of score have no threshold of their own.
        segment_threshold(detector)
        if options.folder is not None:
            for name in TABLES:
                check_file(options.folder / name, overwrite=options.overwrite)
    for job, folder in zip(jobs, folders, strict=True):
        try:
            yield _run(detector, job, folder, options, listener(job) if listener else None)
        except _BAD as exc:
            yield Row(job, error=str(exc))


def run_folders(jobs: Sequence[Job], options: BatchOptions) -> list[Path | None]:
    """The folder of each job, distinct; OutputError if one is taken and may not be replaced."""
    if options.folder is None:
        return [None] * len(jobs)
    folders: list[Path | None] = []
    used: set[str] = set()
    for job in jobs:
        plain = re.sub(r"[^\w.-]+", "_", job.video_id).strip("._") or "video"
        name, count = plain, 1
        while name in used:
            count += 1
            name = f"{plain}-{count}"
        used.add(name)
        folders.append(options.folder / name)
    for folder in folders:
        if folder is not None:
            check_run_folder(folder, overwrite=options.overwrite)
    return folders


def segment_threshold(detector: Detector) -> float:
    """The score from which a segment is anomalous; KindMismatch if none is given nor natural."""
    config = detector.config
    return threshold_or_balance(
        config.decision.segment_threshold, detector.kind, "decision.segment_threshold"
    )


def write_tables(rows: Sequence[Row], folder: Path, *, overwrite: bool = False) -> None:
    """Seed 2's tables of segments and videos, of every video that could be read.

    Raises:
        OutputError: a file is there already, or cannot be written.
    """
    write_segment_csv(
        [segment for row in rows for segment in row.segments],
        folder / TABLES[0],
        overwrite=overwrite,
    )
    write_video_csv(
        [row.video for row in rows if row.video is not None],
        folder / TABLES[1],
        overwrite=overwrite,
    )


def default_folder(now: datetime.datetime | None = None) -> Path:
    """A folder of this run's own under ``watchword-runs``, named by the time."""
    stamp = (now or datetime.datetime.now()).strftime("%Y-%m-%d_%H%M%S")
    return Path("watchword-runs") / stamp


def _run(
    detector: Detector,
    job: Job,
    folder: Path | None,
    options: BatchOptions,
    listener: Listener | None,
) -> Row:
    examined = detector.examine(job.source, listener=listener)
    detection, embeddings = examined.detection, examined.embedded.embeddings
    if folder is not None:
        write_run(
            detection,
            folder,
            options=detector.config.output,
            raw_scores=examined.raw_scores,
            prompt_scores=None if detector.bank is None else detector.prompt_scores(embeddings),
            annotation=options.annotation,
            overwrite=options.overwrite,
        )
    row = Row(job, detection, folder)
    if not options.tables:
        return row
    segment_rows, video_row = _tables(detector, job, examined)
    return replace(row, segments=segment_rows, video=video_row)


def _tables(
    detector: Detector, job: Job, examined: Examined
) -> tuple[tuple[SegmentRow, ...], VideoRow]:
    """Seed 2's rows: each segment's strongest label and score, and the share that is anomalous."""
    share_threshold = detector.config.decision.share_threshold
    scores = detector.segment_scores(examined.embedded.embeddings, examined.detection.scores)
    threshold = segment_threshold(detector)
    rows = []
    for number, values in enumerate(scores.values):
        measured = not np.isnan(values).any()
        best = int(values.argmax())
        score = float(values[best]) if measured else math.nan
        rows.append(
            SegmentRow(
                segment_uid=f"{job.video_id}_seg_{number:04d}",
                video_id=job.video_id,
                split=job.split,
                true_class=job.true_class,
                pred_class=scores.labels[best] if measured else "",
                score=score,
                is_anomaly=score >= threshold,
            )
        )
    anomalous = sum(row.is_anomaly for row in rows)
    # Of the segments that were measured: what nobody saw is neither normal nor anomalous.
    seen = sum(not math.isnan(row.score) for row in rows)
    ratio = anomalous / seen if seen else math.nan
    video = VideoRow(
        video_id=job.video_id,
        split=job.split,
        true_class=job.true_class,
        total_segments=len(rows),
        anomaly_segments=anomalous,
        anomaly_ratio=ratio,
        video_is_anomaly=ratio >= share_threshold,
    )
    return tuple(rows), video
