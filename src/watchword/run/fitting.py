"""From videos and a truth file to a fitted head: the truth of each video beside its vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from watchword.errors import DatasetError, EncoderError, VideoError
from watchword.evaluation.datasets.clock import clock_for
from watchword.evaluation.datasets.formats import read_records
from watchword.evaluation.datasets.locate import find_video, videos_below
from watchword.evaluation.datasets.record import Record
from watchword.evaluation.names import match_names
from watchword.evaluation.result import Cell, Table
from watchword.evidence.head_file import head_bytes
from watchword.evidence.words import PromptVectors, score_words, text_bank
from watchword.pipeline.embed import Listener, VideoEncoder
from watchword.run.arrays import write_bytes
from watchword.run.manifest import Job
from watchword.train.examples import LabelledVideo
from watchword.train.head import FitOptions, FitResult, fit_head
from watchword.types import PromptBank


@dataclass(frozen=True, slots=True)
class TruthOptions:
    """Where the truth lies and how it is read.

    Attributes:
        path: file or folder of annotations.
        format: name of its format; None tells it from the content.
        split: only this one; None is all.
        videos: folder that the videos lie in, where none are given by themselves; None is that of
            the truth file.
        rate: frames a second, for truth that counts frames.
    """

    path: Path
    format: str | None = None
    split: str | None = None
    videos: Path | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Videos with their records, and sentences on what has no partner."""

    pairs: tuple[tuple[Job, Record], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Source:
    """A video as names are matched."""

    video: str
    where: str = "the videos given"


def find_pairs(sources: Sequence[str], truth: TruthOptions) -> Found:
    """Each video with what is true of it.

    Args:
        sources: paths of videos; empty takes those that the truth names, from its folder.
        truth: where the truth lies.

    Raises:
        DatasetError: the truth cannot be read, a name could mean several videos, or no video of it
            is there.
    """
    read = read_records(truth.path, format=truth.format, split=truth.split)
    # As an evaluation does: where nobody looked, nothing is learned.
    records = tuple(r for r in read if r.spans or r.anomalous is not None)
    if not records:
        raise DatasetError(
            str(truth.path),
            "marks no event and calls no video normal; say which videos are normal",
        )
    if sources:
        named = [_Source(source) for source in sources]
        matched = match_names(named, records)
        pairs = [(Job(sources[i]), records[j]) for i, j in sorted(matched.items())]
        extra = len(sources) - len(pairs)
    else:
        folder = truth.videos or (truth.path if truth.path.is_dir() else truth.path.parent)
        among, extra = videos_below(folder), 0
        pairs = [
            (Job(str(path)), record)
            for record in records
            if (path := find_video(record.video, folder, among=among)) is not None
        ]
    if not pairs:
        raise DatasetError(
            str(truth.path),
            f"names {len(records)} videos, as {records[0].video!r}, and none of them is there; "
            "name the folder they lie in (--videos)",
        )
    counts = {
        "videos without annotation were left out": extra,
        "annotated videos were not found and left out": len(records) - len(pairs),
        "annotations neither mark an event nor call the video normal, and were left out": len(read)
        - len(records),
    }
    return Found(tuple(pairs), tuple(f"{count} {what}" for what, count in counts.items() if count))


def fit_videos(
    encoder: VideoEncoder,
    found: Found,
    options: FitOptions,
    *,
    truth: TruthOptions,
    bank: PromptBank | None = None,
    listener: Callable[[Job], Listener] | None = None,
) -> FitResult:
    """A head fitted on the videos; those that cannot be read are notes.

    Args:
        encoder: gives their vectors, from its cache where it has them.
        found: videos and their records.
        options: what to learn and how.
        truth: how records become annotations.
        bank: sentences whose score the head is compared with; None compares with none.
        listener: gives, for a video that starts, the function told of its progress.

    Raises:
        CalibrationError: nothing can be learned from them, or nothing validated.
        DatasetError: an annotation that does not fit its video.
    """
    prompts = None if bank is None else text_bank(bank, encoder.encoder.encode_texts)
    labelled, notes = [], list(found.notes)
    for job, record in found.pairs:
        try:
            heard = listener(job) if listener else None
            labelled.append(_labelled(encoder, job, record, truth, prompts, heard))
        except (VideoError, EncoderError) as exc:
            notes.append(f"left out: {exc}")
    result = fit_head(labelled, options, encoder_name=encoder.encoder.name)
    return replace(result, notes=(*notes, *result.notes))


def write_head(result: FitResult, path: Path, *, overwrite: bool = False) -> None:
    """The head as a file; OutputError if one is there already or it cannot be written."""
    write_bytes(path, head_bytes(result.head), overwrite=overwrite)


def fit_tables(result: FitResult) -> tuple[Table, ...]:
    """Figures and learning curve of each label."""
    tables = []
    for fit in result.labels:
        figures = tuple((f.title, f.value, f.low, f.high) for f in fit.figures)
        told = [
            f"{f.title}: {f.why or f.note}"
            for f in fit.figures
            if f.why or (f.note and not f.name.startswith("gain_"))
        ]
        curve: tuple[tuple[Cell, ...], ...] = tuple(
            (point.labels, point.mean, point.spread, point.seeds) for point in fit.curve
        )
        tables += [
            Table(
                f"{fit.label}-figures",
                f"{fit.label}: on what it had not seen ({fit.positives} examples hold it)",
                ("figure", "value", "from", "to"),
                figures,
                note="; ".join(["95 % intervals: bootstrap over groups, paired for gains", *told]),
            ),
            Table(
                f"{fit.label}-curve",
                f"{fit.label}: learning curve",
                ("labels", "AUC", "sd", "draws"),
                curve,
                note=fit.advice,
            ),
        ]
    return tuple(table for table in tables if table.rows)


def _labelled(
    encoder: VideoEncoder,
    job: Job,
    record: Record,
    truth: TruthOptions,
    prompts: PromptVectors | None,
    listener: Listener | None,
) -> LabelledVideo:
    clock = clock_for(record, videos=None, path=job.source, rate=truth.rate)
    annotation = record.annotation(clock)
    embeddings = encoder.embed(job.source, listener=listener).embeddings
    if prompts is None:
        return LabelledVideo(annotation, embeddings)
    scale = encoder.encoder.scale
    scores = score_words(
        embeddings,
        prompts,
        options=encoder.config.score,
        alpha=scale.alpha,
        tau=scale.tau,
        temperature=scale.temperature,
    )
    return LabelledVideo(annotation, embeddings, scores)
