"""A training of risk from a data set to a folder: checkpoints, figures, probabilities, the model.

The folder holds ``config.json``, ``metrics.jsonl`` (a line an epoch), ``probabilities/`` (every
example of training and validation after each epoch), ``probabilities.csv`` (every example, by the
model that was kept), ``checkpoint/`` and ``model/``, which answers questions.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from watchword.errors import CalibrationError, OutputError
from watchword.evidence.answers.files import directory_fingerprint, sha256
from watchword.output.atomic import holds_something, new_file
from watchword.train.checkpoint import FOLDERS, has_checkpoint
from watchword.train.risk.checkpoint import load_state, save_state
from watchword.train.risk.examples import SPLITS, RiskDataset
from watchword.train.risk.learned import learned_of, length_s
from watchword.train.risk.loop import RiskTraining, drawn
from watchword.train.risk.metrics import best_epoch, judge, write_probabilities
from watchword.train.risk.model import put_weights, trained_weights
from watchword.train.risk.model_file import RiskSpec, read_weights, save_model
from watchword.train.risk.options import RiskTrainOptions
from watchword.video.fingerprint import fingerprint

CONFIG, METRICS, PROBABILITIES, MODEL = (
    "config.json",
    "metrics.jsonl",
    "probabilities.csv",
    "model",
)
FORMAT = "watchword risk run 1"
_EACH = "probabilities"
# What may differ where a training is taken up again.
_FREE = ("threads", "keep_mib", "save_steps")

# What each epoch came to, by name.
EpochListener = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class RiskFit:
    """What a training came to.

    Attributes:
        folder: of the training.
        model: folder of the model that was kept.
        best: its epoch, from 1.
        history: each epoch: ``epoch``, figures of ``train`` and ``val``, ``steps``, ``seconds``.
        figures: of the kept model by split; those of test had no part in anything.
        notes: what a reader should know.
    """

    folder: Path
    model: Path
    best: int
    history: tuple[dict[str, Any], ...]
    figures: Mapping[str, Mapping[str, float | None]]
    notes: tuple[str, ...] = ()


def train_risk(
    dataset: RiskDataset,
    directory: str | Path,
    options: RiskTrainOptions,
    folder: str | Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    listener: EpochListener | None = None,
) -> RiskFit:
    """A video-language model taught to answer the data set's questions.

    Args:
        dataset: what it learns from.
        directory: of the video-language model (the SmolVLM family).
        options: how.
        folder: where all goes; see the module.
        resume: go on with the training that the folder holds; on a CPU the result is the same to
            the bit as without the interruption.
        overwrite: replace an earlier training.
        listener: told what each epoch came to.

    Raises:
        OutputError: the folder is taken.
        CalibrationError: it holds another training, or there is nothing to learn.
        PromptError: a question is longer than the model reads.
        AnswerError: out of memory; the message says which batch would fit.
        ModelFileError: the model lacks a part or a file that is needed.
        MissingDependency: something that the options ask for is not there.
        VideoError: a clip cannot be read.
    """
    directory, folder = Path(directory).resolve(), Path(folder)
    base = directory_fingerprint(directory, sha256, ())
    told = _describe(dataset, directory, base, options)
    _check_claim(folder, told, resume=resume, overwrite=overwrite)
    training = RiskTraining(dataset, directory, options)
    if resume and has_checkpoint(folder):
        training.restore(load_state(folder))
    _begin(folder, told, resume=resume)
    key = str(told["key"])
    spec = RiskSpec(
        str(directory), base, options, training.questions, length_s(dataset), learned_of(dataset)
    )
    for epoch in training.epochs(lambda: save_state(training.state(key, ended=False), folder)):
        _keep(folder, training, spec, dataset)
        save_state(training.state(key, ended=True), folder)
        if listener:
            listener(epoch)
    return _conclude(folder, training, spec, dataset)


def _describe(
    dataset: RiskDataset, directory: Path, base: str, options: RiskTrainOptions
) -> dict[str, Any]:
    """What ``config.json`` says; its ``key`` is of all that the weights depend on."""
    told = asdict(options)
    digest = hashlib.sha256(base.encode())
    prints = {one.video: fingerprint(one.video) for _, one in dataset}
    for split, one in dataset:
        said = [split, prints[one.video], one.start_s, one.end_s, one.text, one.label]
        digest.update(json.dumps(said).encode())
    fixed = {name: value for name, value in told.items() if name not in _FREE}
    data = digest.hexdigest()[:16]
    key = hashlib.sha256(json.dumps([fixed, data], sort_keys=True).encode()).hexdigest()[:16]
    return {
        "format": FORMAT,
        "key": key,
        "data": data,
        "options": told,
        "base": {"directory": str(directory), "fingerprint": base},
        "counts": dataset.counts,
    }


def _check_claim(folder: Path, told: Mapping[str, Any], *, resume: bool, overwrite: bool) -> None:
    if not holds_something(folder):
        return
    try:
        found = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise OutputError(
            f"{folder} was not made by a training of risk (it has no {CONFIG} of one), so nothing "
            "in it is touched; choose another folder"
        )
    if not resume and not overwrite:
        raise OutputError(
            f"{folder} holds a training already; go on with it (--resume), replace it "
            "(--overwrite), or choose another folder"
        )
    if resume and found.get("key") != told["key"]:
        raise CalibrationError(
            f"{folder} holds another training: {_difference(found, told)}; give it the same, "
            "train anew with --overwrite, or choose another folder"
        )


def _difference(found: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    before = found.get("options", {})
    changed = [
        f"{name} was {before.get(name)!r} and is {value!r}"
        for name, value in json.loads(json.dumps(told["options"])).items()
        if name not in _FREE and before.get(name) != value
    ]
    return ", ".join(changed) or "its clips, questions or labels, or the model, were others"


def _begin(folder: Path, told: Mapping[str, Any], *, resume: bool) -> None:
    if not resume:
        for name in (*FOLDERS, _EACH, MODEL):
            shutil.rmtree(folder / name, ignore_errors=True)
        for name in (METRICS, PROBABILITIES):
            (folder / name).unlink(missing_ok=True)
    with new_file(folder / CONFIG, overwrite=True) as to:
        to.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _keep(folder: Path, training: RiskTraining, spec: RiskSpec, dataset: RiskDataset) -> None:
    """Writes what an epoch came to, and the model if it is the best so far."""
    history = training.history
    with new_file(folder / METRICS, overwrite=True) as to:
        to.write_text("".join(json.dumps(one) + "\n" for one in history), encoding="utf-8")
    write_probabilities(
        folder / _EACH / f"epoch-{len(history):03d}.csv",
        [
            ("train", dataset.train, training.odds),
            ("val", dataset.val, training.val_odds()),
        ],
    )
    if best_epoch(history) == len(history):
        facts = {
            **spec.facts,
            "epoch": len(history),
            "counts": dataset.counts,
            "yes_weight": training.yes_weight,
            "tokens": training.tokens,
            "val": history[-1]["val"],
        }
        kept = replace(spec, facts=facts)
        save_model(folder / MODEL, kept, trained_weights(training.model))


def _conclude(
    folder: Path, training: RiskTraining, spec: RiskSpec, dataset: RiskDataset
) -> RiskFit:
    """Answers of the kept model to every example."""
    put_weights(training.model, read_weights(folder / MODEL))
    with drawn(spec.options, 0):
        odds = {split: training.answers(split) for split in SPLITS}
    write_probabilities(
        folder / PROBABILITIES, [(split, dataset.of(split), odds[split]) for split in SPLITS]
    )
    figures: dict[str, dict[str, float | None]] = {
        split: judge(training.lessons[split].labels, odds[split], yes_weight=training.yes_weight)
        for split in SPLITS
    }
    best = best_epoch(training.history)
    return RiskFit(
        folder,
        folder / MODEL,
        best,
        tuple(training.history),
        figures,
        (*dataset.notes, *_notes(dataset, training)),
    )


def _notes(dataset: RiskDataset, training: RiskTraining) -> list[str]:
    notes = []
    if not dataset.val:
        notes.append("there is no validation, so the model of the last epoch was kept")
    else:
        notes.append("validation chose the epoch, so its figures flatter")
    if training.yes_weight != 1.0:
        notes.append(
            f"a yes weighs {training.yes_weight:.3g} times a no, so probabilities are as if both "
            "were equally frequent"
        )
    return notes
