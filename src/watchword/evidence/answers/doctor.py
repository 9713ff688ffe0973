"""What a model directory holds and lacks, told without torch and without loading it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from watchword.errors import ModelFileError, PromptError
from watchword.evidence.answers.files import read_json, read_tokens
from watchword.evidence.answers.prompt import AROUND, IMAGE, REPLY, WHOLE
from watchword.evidence.answers.question import CRASH, Question, read_question
from watchword.evidence.answers.reading import find_reading
from watchword.evidence.answers.smol_inputs import image_tokens
from watchword.evidence.answers.weights import Weights, read_weights

Level = Literal["fine", "note", "lack"]
# The parts a SmolVLM is made of, as its tensors are called.
_PARTS = ("model.vision_model.", "model.connector.", "model.text_model.")
_GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: ``lack`` keeps the model from answering, ``note`` does not."""

    level: Level
    what: str
    told: str


def check_directory(path: str | Path) -> list[Finding]:
    """What a local model directory holds and lacks, most basic first.

    Looked at: config.json, weights (each shard whole, all parts there), tokenizer and its marks,
    preprocessing, chat template, and whether yes and no are a token each.
    """
    where = Path(path)
    if not where.is_dir():
        return [Finding("lack", "directory", f"{where} is no directory; give a downloaded model's")]
    found: list[Finding] = []
    try:
        config = read_json(where / "config.json")
    except ModelFileError as exc:
        return [Finding("lack", "config.json", str(exc))]
    pictures = _pictures if _smol(config) else _processor
    checks = (_architecture, _weights, _words, pictures, _template)
    names = ("architecture", "weights", "tokenizer", "pictures", "chat template")
    for check, name in zip(checks, names, strict=True):
        try:
            found.extend(check(where, config))
        except ModelFileError as exc:
            found.append(Finding("lack", name, str(exc)))
    return found


def ready(findings: list[Finding]) -> bool:
    """Whether nothing is lacking."""
    return all(one.level != "lack" for one in findings)


def _smol(config: dict[str, Any]) -> bool:
    return config.get("model_type") == "smolvlm"


def _architecture(where: Path, config: dict[str, Any]) -> Iterator[Finding]:  # noqa: ARG001
    kind, names = config.get("model_type"), config.get("architectures") or []
    told = f"{kind}, {', '.join(map(str, names)) or 'no architecture named'}"
    if not kind:
        yield Finding("lack", "architecture", "config.json names no model_type")
    elif not isinstance(config.get("vision_config"), dict):
        yield Finding("lack", "architecture", f"{told}: it has no vision_config, so it cannot look")
    elif _smol(config):
        yield Finding("fine", "architecture", f"{told}: asked with the prompt of its training")
    else:
        yield Finding("note", "architecture", f"{told}: asked by its own chat template")
    if config.get("auto_map"):
        yield Finding("note", "own code", "it names code of its own (auto_map), which is never run")


def _weights(where: Path, config: dict[str, Any]) -> Iterator[Finding]:
    weights = read_weights(where)
    yield Finding("fine", "weights", _size(weights))
    if _smol(config):
        absent = [part for part in _PARTS if not any(n.startswith(part) for n in weights.shapes)]
        if absent:
            yield Finding("lack", "parts", f"no weights of {', '.join(absent)}")
        else:
            yield Finding("fine", "parts", "picture network, connector and language model")


def _size(weights: Weights) -> str:
    count = weights.count
    kinds = ", ".join(sorted(weights.dtypes))
    return (
        f"{count / 1e6:,.1f} million in {weights.files} file(s), stored as {kinds}; in memory "
        f"{2 * count / _GIB:.2f} GiB as bfloat16, {4 * count / _GIB:.2f} GiB as float32"
    )


def _words(where: Path, config: dict[str, Any]) -> Iterator[Finding]:
    """The tokenizer: its marks, its size against the model's, and yes and no."""
    tokens = read_tokens(where)
    size = tokens.get_vocab_size()
    rows = (config.get("text_config") or {}).get("vocab_size")
    if isinstance(rows, int) and size > rows:
        yield Finding("lack", "tokenizer", f"it knows {size} tokens, the model {rows}")
    else:
        yield Finding("fine", "tokenizer", f"{size} tokens")
    if _smol(config):
        yield from _marks(tokens, config)
    for question, name in ((CRASH, "yes and no"), (read_question("?(0: No, 1: Yes)"), "1 and 0")):
        yield _answers(tokens, question, name, config)


def _marks(tokens: Any, config: dict[str, Any]) -> Iterator[Finding]:
    absent = [mark for mark in (IMAGE, AROUND, WHOLE) if tokens.token_to_id(mark) is None]
    known, told = tokens.token_to_id(IMAGE), config.get("image_token_id")
    if absent:
        yield Finding("lack", "marks", f"the tokenizer has no {', '.join(absent)}")
    elif known != told:
        said = f"{IMAGE} is {known} to the tokenizer and {told} to the model"
        yield Finding("lack", "marks", f"{said}: they are of different models")
    else:
        yield Finding("fine", "marks", f"{IMAGE} is {known} to tokenizer and model")


def _answers(tokens: Any, question: Question, name: str, config: dict[str, Any]) -> Finding:
    prompt = REPLY if _smol(config) else "assistant\n"
    try:
        reading = find_reading(
            lambda text: list(tokens.encode(text, add_special_tokens=False).ids), question, prompt
        )
    except PromptError as exc:
        return Finding("note" if question.digits else "lack", name, str(exc))
    after = ", after a space of their own" if reading.lead else ""
    return Finding("fine", name, f"one token each{after}: {reading.yes} and {reading.no}")


def _pictures(where: Path, config: dict[str, Any]) -> Iterator[Finding]:
    """SmolVLM's preprocessing against the size its picture network takes."""
    per_picture, edge = image_tokens(where, config)
    told = read_json(where / "preprocessor_config.json")
    text = config["text_config"].get("max_position_embeddings")
    yield Finding(
        "fine", "pictures", f"{edge} x {edge}, {per_picture} tokens each; {text} tokens are read"
    )
    size = (told.get("max_image_size") or {}).get("longest_edge")
    if size != edge:
        yield Finding("note", "pictures", f"preprocessor_config.json says {size}; {edge} is used")
    beside = where / "processor_config.json"
    if beside.is_file():
        said = read_json(beside).get("image_seq_len")
        if said not in (None, per_picture):
            problem = f"processor_config.json says {said} tokens a picture, config.json"
            yield Finding("lack", "pictures", f"{problem} makes it {per_picture}")


def _processor(where: Path, config: dict[str, Any]) -> Iterator[Finding]:  # noqa: ARG001
    """What prepares pictures for another chat model: whether its file is there, and what it is."""
    names = ("preprocessor_config.json", "processor_config.json")
    there = [name for name in names if (where / name).is_file()]
    if not there:
        yield Finding("lack", "pictures", f"neither {' nor '.join(names)} is there")
        return
    told: dict[str, Any] = {}
    for name in there:
        told |= read_json(where / name)
    kind = told.get("processor_class") or told.get("image_processor_type") or "not named"
    yield Finding("note", "pictures", f"prepared by {kind}; some of these need torchvision")


def _template(where: Path, config: dict[str, Any]) -> Iterator[Finding]:
    files = [
        name for name in ("chat_template.jinja", "chat_template.json") if (where / name).is_file()
    ]
    beside = where / "tokenizer_config.json"
    inside = beside.is_file() and bool(read_json(beside).get("chat_template"))
    if files or inside:
        yield Finding("fine", "chat template", ", ".join(files) or "in tokenizer_config.json")
    elif _smol(config):
        yield Finding("note", "chat template", "none; SmolVLM's prompt is known without it")
    else:
        yield Finding("lack", "chat template", "none, so that its prompt is not known")
