"""Crash risk of many drives, and light models from annotated ones: from paths to files."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from watchword.errors import CalibrationError, DatasetError, EncoderError, OutputError, VideoError
from watchword.evaluation.datasets.clock import clock_for
from watchword.evidence.light_file import light_bytes
from watchword.evidence.platt import Platt
from watchword.output.folder import write_run
from watchword.pipeline.embed import Listener, VideoEncoder
from watchword.pipeline.risk import RiskWatch
from watchword.run.arrays import write_bytes
from watchword.run.batch import BatchOptions, Row, run_folders
from watchword.run.fitting import Found, TruthOptions
from watchword.run.manifest import Job
from watchword.train.light import Footage, LightOptions, LightResult, fit_light
from watchword.train.platt import fit_platt


def run_risk(
    watch: RiskWatch,
    jobs: Sequence[Job],
    *,
    options: BatchOptions | None = None,
    listener: Callable[[Job], Listener] | None = None,
) -> Iterator[Row]:
    """One row a drive, each finished and on disk before the next begins.

    A drive that cannot be read is a row with its error. A responder that cannot answer ends all:
    it would not answer for the next one either.

    Args:
        watch: what tells the risk.
        jobs: the drives.
        options: what to leave behind; ``tables`` plays no part.
        listener: gives, for a job that starts, the function told of its progress.

    Raises:
        OutputError: before anything is read, when a folder that a run would write is taken.
        AnswerError: the responder cannot answer.
    """
    options = options or BatchOptions()
    folders = run_folders(jobs, options)
    for job, folder in zip(jobs, folders, strict=True):
        try:
            risk = watch.watch(job.source, listener=listener(job) if listener else None)
            if folder is not None:
                write_run(
                    risk.detection,
                    folder,
                    options=watch.config.output,
                    raw_scores=risk.raw_scores,
                    prompt_scores=None,
                    annotation=options.annotation,
                    overwrite=options.overwrite,
                )
            yield Row(job, risk.detection, folder)
        except (VideoError, EncoderError, OutputError) as exc:
            yield Row(job, error=str(exc))


def fit_light_videos(
    encoder: VideoEncoder,
    found: Found,
    options: LightOptions,
    *,
    truth: TruthOptions,
    listener: Callable[[Job], Listener] | None = None,
) -> LightResult:
    """A light model of the videos; those that cannot be read are notes.

    Raises:
        CalibrationError: nothing can be learned from them, or nothing validated.
        DatasetError: an annotation that does not fit its video.
    """
    footage, notes = [], list(found.notes)
    for job, record in found.pairs:
        try:
            annotation = record.annotation(
                clock_for(record, videos=None, path=job.source, rate=truth.rate)
            )
            seen = encoder.embed(job.source, listener=listener(job) if listener else None)
            footage.append(Footage(annotation, seen.embeddings, seen.features))
        except (VideoError, EncoderError) as exc:
            notes.append(f"left out: {exc}")
    return fit_light(footage, options, encoder_name=encoder.encoder.name, notes=notes)


def answers_platt(path: Path, *, split: str = "val") -> Platt:
    """What puts a responder's answers right, from a table of answers that were held out.

    Args:
        path: CSV with the columns ``split``, ``label`` (1 or 0) and ``probability``, as a training
            of risk leaves as ``probabilities.csv``.
        split: rows of this split count.

    Raises:
        DatasetError: it cannot be read, or lacks a column.
        CalibrationError: too few rows of a class.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["split"] == split]
        said = [float(row["probability"]) for row in rows]
        truth = [int(row["label"]) for row in rows]
    except (OSError, KeyError, TypeError, ValueError) as exc:
        raise DatasetError(
            str(path), f"must hold the columns split, label and probability: {exc!r}"
        ) from exc
    if not rows:
        raise DatasetError(str(path), f"holds no row of the split {split!r}")
    try:
        return fit_platt(said, truth)
    except CalibrationError as exc:
        raise CalibrationError(f"the rows of {path} of the split {split!r}: {exc}") from exc


def write_light(result: LightResult, path: Path, *, overwrite: bool = False) -> None:
    """The model as a file; OutputError if one is there already or it cannot be written."""
    write_bytes(path, light_bytes(result.light), overwrite=overwrite)
