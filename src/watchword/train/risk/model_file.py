"""A trained model of risk as a folder: what training changed, and what it was changed from.

``risk.json`` says what it is, ``weights.safetensors`` holds what was trained: safetensors and JSON,
so nothing in it is ever executed. The video-language model stays where it is, unless it was merged
into the folder.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from watchword.errors import ModelFileError
from watchword.evidence.answers.files import Digest, directory_fingerprint, read_json, sha256
from watchword.evidence.answers.loading import quiet
from watchword.output.atomic import new_folder
from watchword.train.risk.inputs import RiskInputs
from watchword.train.risk.lora import merge_lora
from watchword.train.risk.model import RiskModel, build_model, put_weights
from watchword.train.risk.options import RiskTrainOptions

SPEC, WEIGHTS = "risk.json", "weights.safetensors"
FORMAT = "watchword risk model 1"
_WITH_A_MODEL = ("*.json", "*.txt", "*.jinja", "*.model")


@dataclass(frozen=True, slots=True)
class RiskSpec:
    """What a trained model is.

    Attributes:
        base: directory of the video-language model; "." is the folder itself.
        base_fingerprint: of its weights and small files.
        options: how it was trained.
        questions: the texts it was trained on; it answers no others.
        clip_s: median length of its stretches, in seconds; None where it is not known.
        facts: what it was trained on, and how well it did.
    """

    base: str
    base_fingerprint: str
    options: RiskTrainOptions
    questions: tuple[str, ...]
    clip_s: float | None
    facts: Mapping[str, Any]


def save_model(folder: Path, spec: RiskSpec, weights: Mapping[str, Tensor]) -> None:
    """Writes the folder of a model; an earlier one there is replaced."""
    with new_folder(folder, mark=SPEC, ours={SPEC, WEIGHTS}.__contains__, overwrite=True) as made:
        save_file({n: one.contiguous() for n, one in weights.items()}, made / WEIGHTS)
        _write_spec(made, spec)


def read_spec(folder: Path) -> RiskSpec:
    """What the model in a folder is.

    Raises:
        ModelFileError: there is none, or it is damaged.
    """
    told = read_json(folder / SPEC)
    if told.get("format") != FORMAT:
        raise ModelFileError(
            f"{folder / SPEC} is of the format {told.get('format')!r}, {FORMAT!r} is needed; "
            "train it anew with this version"
        )
    try:
        said = dict(told["options"])
        known = {one.name for one in fields(RiskTrainOptions)}
        options = RiskTrainOptions(**{n: _as_tuple(v) for n, v in said.items() if n in known})
        return RiskSpec(
            base=told["base"],
            base_fingerprint=told["base_fingerprint"],
            options=options,
            questions=tuple(told["questions"]),
            clip_s=told["clip_s"],
            facts=told["facts"],
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise ModelFileError(f"{folder / SPEC} is damaged: {exc}; train it anew") from exc


def base_of(
    folder: Path, spec: RiskSpec, base: str | Path | None = None, *, digest: Digest = sha256
) -> Path:
    """The directory of the video-language model, checked to be the one that was trained.

    Raises:
        ModelFileError: it is not there, or is another.
    """
    place = Path(base) if base is not None else folder / spec.base
    if not place.is_dir():
        raise ModelFileError(
            f"{folder} was trained on the model in {place}, which is not there; name its folder "
            "(--model), or merge trained models where both are"
        )
    if directory_fingerprint(place, digest, ()) != spec.base_fingerprint:
        raise ModelFileError(
            f"{place} is not the model that {folder} was trained on: its weights or small files "
            "differ; name the folder of the right one"
        )
    return place


def load_risk_model(
    folder: Path, options: RiskTrainOptions, base: Path
) -> tuple[RiskModel, RiskInputs]:
    """The model with its trained weights, ready to be asked, and what makes its input.

    Args:
        folder: the trained model's.
        options: as it was trained, or on another device.
        base: directory of the video-language model.

    Raises:
        ModelFileError: weights are absent, damaged, or of another model.
    """
    inputs = RiskInputs(base)
    model = build_model(base, inputs.image_token_id, options)
    put_weights(model, read_weights(folder))
    return model.eval(), inputs


def read_weights(folder: Path) -> dict[str, Tensor]:
    """What was trained, by name; ModelFileError if it cannot be read."""
    try:
        weights: dict[str, Tensor] = load_file(folder / WEIGHTS)
    except (OSError, SafetensorError) as exc:
        raise ModelFileError(
            f"{folder / WEIGHTS} cannot be read: {exc}; copy the folder again, or train anew"
        ) from exc
    return weights


def merge_model(
    folder: Path, to: Path, *, base: str | Path | None = None, overwrite: bool = False
) -> Path:
    """One folder that holds all of a trained model: LoRA's matrices are added to the weights.

    It needs neither peft nor the directory of the video-language model any more, and answers as
    before up to rounding.

    Args:
        folder: the trained model's.
        to: where the merged model goes.
        base: directory of the video-language model; None is where it was in training.
        overwrite: replace an earlier one.

    Raises:
        ModelFileError: a file is absent, damaged, or of another model.
        OutputError: the place is taken.
    """
    spec = read_spec(folder)
    place = base_of(folder, spec, base)
    # In full: what was trained in bfloat16 loses nothing, and sums are not rounded to it.
    told = replace(spec.options, device="cpu", dtype="float32", threads=None)
    if told.tuning == "qlora":
        told = replace(told, tuning="lora")
    model, _ = load_risk_model(folder, told, place)
    merge_lora(model.vlm)
    # What was trained is in the model that comes along: only the head is beside it.
    whole = replace(told, tuning="full", freeze=("vision", "connector", "text"))
    with new_folder(to, mark=SPEC, ours=_is_of_model, overwrite=overwrite) as made:
        for pattern in _WITH_A_MODEL:
            for file in place.glob(pattern):
                if file.name not in (SPEC, "model.safetensors.index.json"):
                    shutil.copyfile(file, made / file.name)
        inner = made / "made"
        with quiet():
            model.vlm.save_pretrained(inner)
        for file in inner.iterdir():
            if file.suffix == ".safetensors" or file.name.endswith(".index.json"):
                file.rename(made / file.name)
        shutil.rmtree(inner)
        kept = {f"head.{name}": one for name, one in model.head.state_dict().items()}
        save_file(kept, made / WEIGHTS)
        fingerprint = directory_fingerprint(made, sha256, ())
        _write_spec(made, replace(spec, base=".", base_fingerprint=fingerprint, options=whole))
    return to


def _write_spec(made: Path, spec: RiskSpec) -> None:
    told = {"format": FORMAT, **asdict(spec)}
    (made / SPEC).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _is_of_model(name: str) -> bool:
    return Path(name).suffix in (".json", ".safetensors", ".txt", ".jinja", ".model")


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
