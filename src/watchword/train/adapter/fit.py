"""From embeddings of annotated videos to an adapter in a folder, which can be taken up again.

The folder holds ``config.json``, ``metrics.jsonl``, ``curves.png``, ``checkpoint/`` and, once
training ended, ``adapter.onnx``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from watchword.errors import CalibrationError
from watchword.evidence.adapter import FILE, AdapterSpec
from watchword.evidence.head import STEP_SLACK
from watchword.train.adapter.export import export_adapter
from watchword.train.adapter.loop import Training
from watchword.train.adapter.metrics import Division, divide, judge
from watchword.train.adapter.options import AdapterOptions as AdapterOptions
from watchword.train.adapter.options import Origin as Origin
from watchword.train.adapter.run_folder import (
    best_epoch,
    claim,
    describe,
    write_curves,
    write_history,
)
from watchword.train.adapter.windows import TrainingVideo

# What each epoch came to: epoch, loss and its parts, auc, level, seconds, windows.
Listener = Callable[[Mapping[str, Any]], None]

_OVER = {"frame": "pictures", "video": "videos", "made": "pictures, some displaced on purpose"}


@dataclass(frozen=True, slots=True, eq=False)
class AdapterFit:
    """A training that ended.

    Attributes:
        spec: what the adapter carries.
        folder: where everything lies.
        history: what each epoch came to.
        best: number of the epoch whose weights were kept, from 1.
        train: names of the videos it learned from.
        validation: names of those it was validated on.
        baselines: AUC on those of what learned nothing, by name.
        difference: largest difference between the model and its ONNX graph.
        notes: what there is to say of it, for people.
    """

    spec: AdapterSpec
    folder: Path
    history: tuple[Mapping[str, Any], ...]
    best: int
    train: tuple[str, ...]
    validation: tuple[str, ...]
    baselines: Mapping[str, float]
    difference: float
    notes: tuple[str, ...]

    @property
    def adapter(self) -> Path:
        """The file to use."""
        return self.folder / FILE


def fit_adapter(
    videos: Sequence[TrainingVideo],
    options: AdapterOptions | None = None,
    *,
    origin: Origin,
    folder: str | Path,
    resume: bool = False,
    overwrite: bool = False,
    listener: Listener | None = None,
) -> AdapterFit:
    """An adapter trained on the videos, with everything about it in the folder.

    A training that was broken off and taken up again ends, on one machine, with the same bits as
    one that was not. The weights kept are those of the best epoch on the videos held out.

    Args:
        videos: with embeddings of one encoder and rate, and the labels that the objective needs.
        options: how.
        origin: of the embeddings.
        folder: made if absent. Of what lies there only files of an earlier training are replaced.
        resume: go on with what the folder holds; begin if it holds nothing yet.
        overwrite: replace the training that the folder holds.
        listener: told what each epoch came to.

    Raises:
        CalibrationError: videos without the labels that are needed, of one class only, of other
            widths or rates than each other; the folder's training is another or damaged.
        OutputError: the folder is taken; no space, no permission.
    """
    options = options or AdapterOptions()
    folder = Path(folder)
    rate = _checked(videos, options, origin)
    division = divide(
        videos,
        share=options.validation,
        seed=options.seed,
        frames=options.objective == "frame",
    )
    told = describe(videos, options, origin, division)
    kept = claim(folder, told, resume=resume, overwrite=overwrite)
    training = Training(
        [videos[number] for number in division.train],
        [videos[number] for number in division.validation],
        options,
        prompts=origin.prompts,
        soft=origin.soft,
    )
    baselines = _baselines(training, [videos[number] for number in division.validation])
    if kept is not None:
        training.restore(kept)
    for epoch in training.epochs():
        training.save(folder, told["key"])
        write_history(folder, training.history)
        if listener is not None:
            listener(epoch)
    history, best = tuple(training.history), best_epoch(training.history)
    said = (division.note, *training.notes, _beaten(history[best - 1]["auc"], baselines))
    notes = tuple(note for note in said if note)
    facts = _facts(videos, options, division, {**history[best - 1], "baselines": baselines}, notes)
    spec = _spec(videos, options, origin, rate, facts)
    write_curves(folder, history)
    difference = export_adapter(training.best_model(), spec, folder / FILE, overwrite=True)
    train, validation = (
        tuple(videos[number].name for number in side)
        for side in (division.train, division.validation)
    )
    return AdapterFit(spec, folder, history, best, train, validation, baselines, difference, notes)


def _baselines(training: Training, held_out: Sequence[TrainingVideo]) -> dict[str, float]:
    """AUC on the videos held out: of the model before its first step, and of what sees nothing."""
    before = training.validated()
    found = {"untrained": before["auc"]}
    if before["level"] == "frame":
        middles = [-np.abs(np.linspace(-1, 1, len(one.rows))) for one in held_out]
        found["middle of the video"] = judge(held_out, middles, frames=True).auc
    return {name: value for name, value in found.items() if value is not None}


def _beaten(auc: float | None, baselines: Mapping[str, float]) -> str:
    """What there is to warn of."""
    better = [name for name, value in baselines.items() if auc is not None and value >= auc]
    if not better:
        return ""
    return (
        f"on the videos held out it is no better than what learned nothing ({', '.join(better)}); "
        "more videos of other cameras help, and so may source: motion"
    )


def _checked(videos: Sequence[TrainingVideo], options: AdapterOptions, origin: Origin) -> float:
    """Pictures a second of the videos, if they can be learned from."""
    widths = sorted({one.rows.shape[1] for one in videos})
    if len(widths) != 1:
        got = f"are {' and '.join(map(str, widths))} numbers wide" if widths else "are none"
        raise CalibrationError(
            f"the embeddings of the videos {got}; an adapter learns from one encoder's embeddings"
        )
    if origin.prompts is not None and origin.prompts.shape != (2, widths[0]):
        raise CalibrationError(
            f"the generic prompts have shape {origin.prompts.shape}, the embeddings are "
            f"{widths[0]} wide; both must come from one encoder, and features have no prompts"
        )
    _check_labels(videos, options)
    return _rate(videos)


def _check_labels(videos: Sequence[TrainingVideo], options: AdapterOptions) -> None:
    """CalibrationError unless the labels are there that the objective learns from."""
    if options.objective == "normal":
        _refuse(
            [v.name for v in videos if v.video_label],
            "normal learns from normal footage alone, and these hold something abnormal",
            "leave them out, or choose objective: frame or video",
        )
        return
    frames = options.objective == "frame"
    _refuse(
        [v.name for v in videos if (v.frame_labels if frames else v.video_label) is None],
        f"{options.objective} needs labels of {'pictures' if frames else 'videos'}, and these have "
        "none",
        "leave them out" + (", or choose objective: video" if frames else ""),
    )
    positive = any(v.video_label for v in videos)
    normal = any(not v.frame_labels.all() if frames else not v.video_label for v in videos)  # type: ignore[union-attr]
    if not (positive and normal):
        raise CalibrationError(
            f"objective {options.objective} learns to tell two classes, and nothing is "
            f"{'normal' if positive else 'abnormal'} in {len(videos)} videos; add some that are, "
            + ("or choose objective: normal" if normal else "as footage where nothing happens")
        )


def _refuse(names: Sequence[str], problem: str, remedy: str) -> None:
    if names:
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        raise CalibrationError(f"objective {problem}: {', '.join(names[:5])}{more}; {remedy}")


def _rate(videos: Sequence[TrainingVideo]) -> float:
    """Pictures a second, the median over videos; CalibrationError if they differ."""
    steps = {
        one.name: float(one.edges_s[-2] - one.edges_s[0]) / (len(one.rows) - 1)
        for one in videos
        if len(one.rows) > 1
    }
    if not steps:
        raise CalibrationError("no video has two pictures: there is nothing temporal to learn")
    middle = float(np.median(list(steps.values())))
    for name, step in steps.items():
        if not 1 / STEP_SLACK <= step / middle <= STEP_SLACK:
            raise CalibrationError(
                f"{name} has {1 / step:.3g} pictures a second, most videos {1 / middle:.3g}, and "
                "how a picture follows from those before depends on that; embed all at one rate "
                "(--rate)"
            )
    return 1 / middle


def _spec(
    videos: Sequence[TrainingVideo],
    options: AdapterOptions,
    origin: Origin,
    rate: float,
    facts: Mapping[str, Any],
) -> AdapterSpec:
    return AdapterSpec(
        width=videos[0].rows.shape[1],
        source=options.source,
        layers=options.temporal_transformer_layers,
        heads=options.temporal_heads,
        clip_length=options.clip_length,
        stride=options.stride,
        causal=options.causal,
        rate=rate,
        encoder=origin.encoder,
        encoder_name=origin.encoder_name,
        temperature=options.temperature,
        objective=options.objective,
        facts=facts,
    )


def _facts(
    videos: Sequence[TrainingVideo],
    options: AdapterOptions,
    division: Division,
    best: Mapping[str, Any],
    notes: Sequence[str],
) -> dict[str, Any]:
    """What it learned from, and how well it did. Videos held out are among them: they chose it."""
    splits = {one.split for one in videos}
    groups = len({one.group for one in videos})
    judged = f"validated on {len(division.validation)}" if division.validation else "none held out"
    auc = "" if best["auc"] is None else f", AUC {best['auc']:.3f} over {_OVER[best['level']]}"
    return {
        "videos": [one.name for one in videos],
        "fingerprints": [one.fingerprint or "" for one in videos],
        "split": splits.pop() if len(splits) == 1 else None,
        "groups": groups,
        "validation": [videos[number].name for number in division.validation],
        "seed": options.seed,
        "figures": {name: best[name] for name in ("auc", "level", "epoch", "baselines")},
        "notes": list(notes),
        "sentence": (
            f"trained on {len(division.train)} of {len(videos)} videos of {groups} groups, "
            f"{judged}{auc}"
        ),
    }
