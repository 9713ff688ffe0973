"""What to watch for, as a bank: from a YAML file, from a starter bank, or from a few sentences.

A bank file looks like this; ``templates``, ``weight`` and a label's own ``normal`` are optional::

    name: driving
    templates: ["{}", "a photo of {}"]
    labels:
      animal:
        event: ["a deer on the road", {text: "a moose crossing a street", weight: 2}]
        normal: ["a dog on a leash on the pavement"]
      debris: ["a tyre lying on the road"]
    normal: ["an empty road"]

Under ``labels`` a plain list is a label's event sentences. Normal sentences at the foot serve every
label, those inside a label serve that label only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from watchword.errors import OutputError, PromptError
from watchword.evidence.bank_file import parse_bank
from watchword.types import Prompt, PromptBank

BANKS = Path(__file__).resolve().parent / "banks"

# What `bank_from_prompts` compares with when it is told nothing of the scene: short names of common
# scenes, which every dual encoder knows. People are not among them, because people are often what
# is watched for. Sentences about the user's own camera always work better.
GENERAL_NORMAL = (
    "a room",
    "a street",
    "a road",
    "a landscape",
    "a building",
    "cars driving on a road",
    "an object",
    "an empty place",
)


def list_banks() -> tuple[str, ...]:
    """Names of the starter banks, sorted.

    >>> "driving" in list_banks()
    True
    """
    return tuple(sorted(file.stem for file in BANKS.glob("*.yaml")))


def load_bank(source: str | Path) -> PromptBank:
    """The bank of a YAML file, or the starter bank of that name.

    A string that is the name of a starter bank is always that bank; write ``./fire`` for a file.

    Args:
        source: name of a starter bank, or path of a YAML file.

    Raises:
        PromptError: no such bank, or a file that cannot be read as one: with file and line.
    """
    if isinstance(source, str) and source in list_banks():
        path = BANKS / f"{source}.yaml"
    else:
        path = Path(source)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        raise PromptError(
            f"there is no such bank; give a YAML file or a starter bank: {', '.join(list_banks())}",
            file=str(source),
        ) from exc
    except UnicodeDecodeError as exc:
        raise PromptError(f"is not UTF-8 text ({exc}); save it as UTF-8", file=str(path)) from exc
    except OSError as exc:
        raise PromptError(f"cannot be read: {exc.strerror or exc}", file=str(path)) from exc
    return parse_bank(text, file=str(path), name=path.stem)


def bank_from_prompts(texts: Sequence[str], *, normal: Sequence[str] = ()) -> PromptBank:
    """A bank of a few sentences, as ``-p`` on the command line gives them.

    Args:
        texts: event sentences. A sentence is its own label; ``label=sentence`` names another, and
            sentences of one label stand together.
        normal: what the scene usually shows. If empty, ``GENERAL_NORMAL`` stands in, less any
            sentence that is itself watched for.

    Raises:
        PromptError: nothing to watch for, an empty sentence, or the same one twice.

    >>> bank_from_prompts(["animal=a deer on the road", "smoke"]).labels
    ('animal', 'smoke')
    """
    if isinstance(texts, str) or isinstance(normal, str):
        raise TypeError("texts and normal are sequences of sentences, not one string")
    if not texts:
        raise PromptError("there is nothing to watch for; give at least one sentence")
    events = _by_label([_event(text) for text in texts])
    if normal:
        usual = [text.strip() for text in normal]
    else:
        watched = {prompt.text.casefold() for prompt in events}
        usual = [text for text in GENERAL_NORMAL if text not in watched]
    try:
        return PromptBank((*events, *(Prompt(text, "", "normal") for text in usual)))
    except ValueError as exc:
        raise PromptError(str(exc)) from exc


def _by_label(prompts: Sequence[Prompt]) -> list[Prompt]:
    """The prompts with those of a label side by side, otherwise in the same order."""
    order = {label: i for i, label in enumerate(dict.fromkeys(p.label for p in prompts))}
    return sorted(prompts, key=lambda prompt: order[prompt.label])


def write_bank(bank: PromptBank, path: str | Path, *, overwrite: bool = False) -> Path:
    """The path of a YAML file, now holding the bank, that ``load_bank`` reads back.

    Raises:
        OutputError: the file is there already and may not be replaced, or cannot be written.
    """
    target = Path(path)
    text = yaml.safe_dump(
        {"name": bank.name, **_plain(bank)}, sort_keys=False, allow_unicode=True, width=100
    )
    try:
        with target.open("w" if overwrite else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as exc:
        raise OutputError(f"{target} is there already; choose another name or overwrite") from exc
    except OSError as exc:
        raise OutputError(f"{target} cannot be written: {exc.strerror or exc}") from exc
    return target


def fingerprint(bank: PromptBank) -> str:
    """Short hash over what a bank says (not its name): equal means equal scores.

    >>> fingerprint(bank_from_prompts(["smoke"])) == fingerprint(bank_from_prompts(["fire"]))
    False
    """
    text = json.dumps(_plain(bank), sort_keys=False, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _event(text: str) -> Prompt:
    label, equals, sentence = (part.strip() for part in text.partition("="))
    if not equals:
        sentence = label
    if not label or not sentence:
        raise PromptError(
            f"prompt {text!r} is empty; write a sentence such as 'a deer on the road', "
            "or label=sentence"
        )
    return Prompt(sentence, label)


def _plain(bank: PromptBank) -> dict[str, Any]:
    """The bank as a bank file's mapping, less its name."""
    labels = {
        label: {
            role: [_entry(p) for p in bank.prompts if p.label == label and p.role == role]
            for role in ("event", "normal")
        }
        for label in bank.labels
    }
    return {
        "templates": list(bank.templates),
        "labels": labels,
        "normal": [_entry(p) for p in bank.prompts if not p.label],
    }


def _entry(prompt: Prompt) -> str | dict[str, Any]:
    if prompt.weight == 1:
        return prompt.text
    return {"text": prompt.text, "weight": float(prompt.weight)}
