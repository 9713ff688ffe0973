"""From videos and a truth file to a trained adapter: embeddings of the cache beside the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from watchword.config import Config, apply
from watchword.encoders.base import Encoder
from watchword.encoders.torch import TorchEncoder
from watchword.errors import (
    CalibrationError,
    ConfigError,
    EncoderError,
    MissingDependency,
    VideoError,
)
from watchword.evaluation.datasets.clock import clock_for
from watchword.evaluation.datasets.record import Record
from watchword.evidence.adapter import Objective, Source
from watchword.evidence.adapter_motion import motion_prompts, motion_rows
from watchword.output.atomic import new_file
from watchword.pipeline.embed import Embedded, Listener, VideoEncoder
from watchword.run.fitting import Found, TruthOptions
from watchword.run.manifest import Job
from watchword.train.adapter.config_file import AdapterConfig
from watchword.train.adapter.options import AdapterOptions, Origin
from watchword.train.adapter.windows import TrainingVideo
from watchword.types import Annotation

if TYPE_CHECKING:
    from watchword.train.adapter.fit import AdapterFit

REPORT = "report.md"

# What each epoch came to, by name.
EpochListener = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Footage:
    """Videos to learn from, and sentences on what was left out."""

    videos: tuple[TrainingVideo, ...]
    notes: tuple[str, ...] = ()


def need_torch() -> None:
    """Nothing, if PyTorch is there.

    Raises:
        MissingDependency: it is not, with the way to get it.
    """
    for package in ("torch", "safetensors"):
        if find_spec(package) is None:
            raise MissingDependency(
                f"{package}, which training needs,", "pip install 'watchword[train]'"
            )


def settled_for_training(config: AdapterConfig, base: Config) -> Config:
    """The settings of encoding that a config amounts to.

    Raises:
        ConfigError: windows of several pictures, which an adapter makes itself.
    """
    said: dict[str, dict[str, Any]] = {}
    if config.model is not None:
        said["encoder"] = {"name": config.model}
    if config.rate is not None:
        said["sampling"] = {"rate": config.rate}
    settings = apply(base, said, where="config of the training")
    if settings.windows.length != 1 or settings.windows.stride != 1:
        raise ConfigError(
            f"windows.length is {settings.windows.length} and windows.stride "
            f"{settings.windows.stride}; an adapter sees single pictures, so both must be 1; its "
            "own windows are clip_length and stride"
        )
    return settings


def training_options(config: AdapterConfig) -> AdapterOptions:
    """How to train, as the config says.

    Raises:
        ConfigError: a value that is not allowed.
    """
    try:
        return TypeAdapter(AdapterOptions).validate_python(dict(config.training))
    except ValidationError as exc:
        problems = [
            ".".join(map(str, (*one["loc"],))) + f": {one['msg'].removeprefix('Value error, ')}"
            for one in exc.errors()
        ]
        raise ConfigError(f"config of the training: {'; '.join(problems).lstrip(': ')}") from exc


def training_videos(
    encoder: VideoEncoder,
    found: Found,
    truth: TruthOptions,
    *,
    source: Source,
    listener: Callable[[Job], Listener] | None = None,
) -> Footage:
    """What the encoder sees of each video, beside its truth; those that cannot be read are notes.

    Nothing is decoded that the cache holds already.

    Args:
        encoder: gives the embeddings.
        found: videos and their records.
        truth: how records become annotations.
        source: what is learned from, as `AdapterOptions` says.
        listener: gives, for a video that starts, the function told of its progress.

    Raises:
        CalibrationError: none of the videos could be read.
        DatasetError: an annotation that does not fit its video.
    """
    videos: list[TrainingVideo] = []
    notes = list(found.notes)
    for job, record in found.pairs:
        try:
            embedded = encoder.embed(job.source, listener=listener(job) if listener else None)
            annotation = _annotation(record, job, truth)
        except (VideoError, EncoderError) as exc:
            notes.append(f"left out: {exc}")
            continue
        videos.append(training_video(embedded, annotation, source, notes))
    if not videos:
        raise CalibrationError(
            f"no videos to learn from: none of {len(found.pairs)} could be read. "
            + "; ".join(notes[-3:])
        )
    return Footage(tuple(videos), tuple(notes))


def training_video(
    embedded: Embedded, annotation: Annotation, source: Source, notes: list[str]
) -> TrainingVideo:
    """One video as training sees it; what falls between its pictures is told in ``notes``."""
    embeddings, features = embedded.embeddings, embedded.features
    rows = embeddings.vectors if source == "vectors" else features.rows(slice(None))
    if source == "motion":
        rows = motion_rows(rows, features.edges_s)
    labels: NDArray[np.bool_] | None = None
    if annotation.localised:
        labels = np.asarray(annotation.mask(embeddings.edges_s).any(axis=1))
        if annotation.positive and not labels.any():
            notes.append(
                f"{annotation.video}: its events fall between the pictures that are looked at; "
                "only the video as a whole is learned from, unless --rate is raised"
            )
            labels = None
    return TrainingVideo(
        name=annotation.video,
        group=annotation.group or annotation.video,
        rows=rows,
        edges_s=embeddings.edges_s,
        frame_labels=labels,
        video_label=annotation.positive,
        fingerprint=embeddings.video,
        split=annotation.split,
    )


def train_adapter(
    encoder: VideoEncoder,
    footage: Footage,
    config: AdapterConfig,
    folder: Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    listener: EpochListener | None = None,
) -> AdapterFit:
    """An adapter trained on the footage as the config says, with everything about it in the folder.

    Args:
        encoder: that the footage was embedded with.
        footage: the videos.
        config: how, and the sentences that the generic rows begin from.
        folder: where it all goes.
        resume: go on with what the folder holds.
        overwrite: replace an earlier training.
        listener: told what each epoch came to.

    Raises:
        CalibrationError: the footage lacks the labels that the objective needs.
        ConfigError: a value that is not allowed.
        OutputError: the folder is taken.
    """
    # Here, because it loads PyTorch.
    from watchword.train.adapter.fit import fit_adapter

    options = training_options(config)
    if "objective" not in config.training:
        options = replace(options, objective=objective_for(footage.videos))
    prompts = prompts_for(options.source, encoder, config)
    fit = fit_adapter(
        footage.videos,
        options,
        origin=Origin(
            encoder.encoder.fingerprint,
            encoder.encoder.name,
            prompts,
            soft_prompts(encoder.encoder, config, options),
        ),
        folder=folder,
        resume=resume,
        overwrite=overwrite,
        listener=listener,
    )
    with new_file(fit.folder / REPORT, overwrite=True) as to:
        to.write_text(training_report(fit, footage.notes), encoding="utf-8")
    return fit


def objective_for(videos: Sequence[TrainingVideo]) -> Objective:
    """What can be learned from the labels there are: of pictures, else of videos, else normality.

    That is "frame" where some pictures are known to be abnormal, "video" where some videos are, and
    "normal" where nothing is.
    """
    if any(one.frame_labels is not None and one.frame_labels.any() for one in videos):
        return "frame"
    return "video" if any(one.video_label for one in videos) else "normal"


def training_report(fit: AdapterFit, notes: Sequence[str] = ()) -> str:
    """What a training came to, as Markdown: how well it did, on what, and each epoch."""
    spec = fit.spec
    lines = [
        "# Temporal adapter",
        "",
        f"The adapter was {spec.facts['sentence']}.",
        "",
        f"- Reads the {spec.source} of {spec.encoder_name} at {spec.rate:.3g} pictures a second,",
        f"  {spec.clip_length} at a time{', only those before' if spec.causal else ''}.",
        f"- Weights of epoch {fit.best} of {len(fit.history)}.",
        f"- The ONNX graph differs from the model by {fit.difference:.1e} at most.",
        f"- Learned from: {', '.join(fit.train)}.",
        f"- Validated on: {', '.join(fit.validation) or 'nothing'}.",
        *(f"- Note: {note}" for note in (*notes, *fit.notes)),
        "",
        *_standing(fit),
        "The adapter's figure chose the epoch, so it flatters; test on other videos:",
        "",
        f"    watchword test --adapter {fit.folder} --annotations TRUTH",
        "",
        "![Losses and validation AUC by epoch](curves.png)",
        "",
        "| epoch | loss | validation loss | AUC |",
        "|---|---|---|---|",
    ]
    for epoch in fit.history:
        loss, auc = epoch["validation_loss"], epoch["auc"]
        held = f"{'' if loss is None else f'{loss:.4f}'} | {'' if auc is None else f'{auc:.3f}'}"
        lines.append(f"| {epoch['epoch']} | {epoch['loss']:.4f} | {held} |")
    return "\n".join(lines) + "\n"


def prompts_for(
    source: Source, encoder: VideoEncoder, config: AdapterConfig
) -> NDArray[np.float32] | None:
    """(2,D) what the generic rows begin from; None is at random, as no sentence is of features."""
    if source == "motion":
        return motion_prompts()
    return sentence_rows(encoder, config) if source == "vectors" else None


def _standing(fit: AdapterFit) -> list[str]:
    """Its figure beside what learned nothing, as a table."""
    best = fit.history[fit.best - 1]["auc"]
    if best is None:
        return []
    rows = {"this adapter": best, **fit.baselines, "always": 0.5}
    return [
        "| on the videos held out | AUC |",
        "|---|---|",
        *(f"| {name} | {value:.3f} |" for name, value in rows.items()),
        "",
    ]


def soft_prompts(
    encoder: Encoder, config: AdapterConfig, options: AdapterOptions
) -> Callable[[], Any] | None:
    """What makes prompts that learn through the encoder's text tower; None where that cannot be.

    It takes a CLIP in PyTorch, and one sentence for each class: several have no one place before
    which learned vectors could stand.
    """
    if options.source != "vectors" or not options.context or not isinstance(encoder, TorchEncoder):
        return None
    from watchword.train.adapter.prompts import TOWERS, SoftPrompts

    generic = config.generic_prompts
    sentences = (*generic.normal, *generic.abnormal)
    if len(sentences) != 2 or encoder.model.config.model_type not in TOWERS:
        return None
    return partial(SoftPrompts, encoder.model, encoder.tokens, sentences, context=options.context)


def sentence_rows(encoder: VideoEncoder, config: AdapterConfig) -> NDArray[np.float32]:
    """(2,D) what the generic rows begin from: mean of the normal, then of the abnormal sentences.

    Raises:
        PromptError: a sentence that the encoder cannot take.
    """
    generic = config.generic_prompts
    means = [
        np.asarray(encoder.encoder.encode_texts(sentences), np.float64).mean(axis=0)
        for sentences in (generic.normal, generic.abnormal)
    ]
    rows = np.stack(means)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def _annotation(record: Record, job: Job, truth: TruthOptions) -> Annotation:
    clock = clock_for(record, videos=None, path=job.source, rate=truth.rate)
    return record.annotation(clock)
