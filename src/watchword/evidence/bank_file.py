"""A bank's YAML text into a bank; whatever is wrong is said with its file and line."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

import yaml

from watchword.errors import PromptError
from watchword.types import Prompt, PromptBank, Role

BANK_KEYS = ("name", "templates", "labels", "normal")
LABEL_KEYS = ("event", "normal")
PROMPT_KEYS = ("text", "weight")

Node = yaml.Node


def parse_bank(text: str, *, file: str, name: str) -> PromptBank:
    """The bank that a YAML text describes; ``watchword.evidence.prompts`` shows the format.

    Args:
        text: the YAML.
        file: what an error names.
        name: the bank's name if the text gives none.

    Raises:
        PromptError: with the line, what is allowed, and the nearest known word.
    """
    return _BankFile(file).bank(text, name)


@dataclass(frozen=True, slots=True)
class _BankFile:
    """Holds the file's name while its nodes are read, so that each error can say it."""

    file: str

    def bank(self, text: str, name: str) -> PromptBank:
        keys = self._mapping(self._root(text), BANK_KEYS, "a bank")
        if "labels" not in keys:
            raise PromptError(
                "holds no labels; add 'labels:' with at least one event sentence", file=self.file
            )
        prompts = list(self._labels(keys["labels"]))
        if "normal" in keys:
            prompts += self._prompts(keys["normal"], "", "normal")
        return PromptBank(
            tuple(prompts),
            templates=self._templates(keys["templates"]) if "templates" in keys else ("{}",),
            name=self._text(keys["name"], "a name") if "name" in keys else name,
        )

    def _root(self, text: str) -> Node:
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except (yaml.YAMLError, RecursionError) as exc:
            mark = getattr(exc, "problem_mark", None)
            problem = getattr(exc, "problem", None) or str(exc).splitlines()[0]
            raise PromptError(
                f"is not YAML: {problem}", file=self.file, line=mark.line + 1 if mark else None
            ) from exc
        if root is None:
            raise PromptError(
                f"is empty; a bank holds {_listed(BANK_KEYS)}, of which labels is needed",
                file=self.file,
            )
        return root

    def _labels(self, node: Node) -> Iterator[Prompt]:
        labels = self._mapping(node, None, "labels")
        if not labels:
            self._fail(node, "labels is empty; name at least one label with an event sentence")
        for label, value in labels.items():
            if isinstance(value, yaml.MappingNode):
                sides = self._mapping(value, LABEL_KEYS, f"label {label!r}")
            else:
                sides = {"event": value}
            if "event" not in sides:
                self._fail(value, f"label {label!r} has no event sentence; add 'event: [...]'")
            events = self._prompts(sides["event"], label, "event")
            if not events:
                self._fail(sides["event"], f"label {label!r} has no event sentence; add one")
            yield from events
            if "normal" in sides:
                yield from self._prompts(sides["normal"], label, "normal")

    def _prompts(self, node: Node, label: str, role: Role) -> list[Prompt]:
        """The sentences of one label and role: a list, or a single sentence."""
        entries = node.value if isinstance(node, yaml.SequenceNode) else [node]
        prompts: list[Prompt] = []
        for entry in entries:
            prompt = self._prompt(entry, label, role)
            if any(prompt.text == other.text for other in prompts):
                self._fail(entry, f"sentence {prompt.text!r} stands twice here; remove one")
            prompts.append(prompt)
        return prompts

    def _prompt(self, node: Node, label: str, role: Role) -> Prompt:
        if not isinstance(node, yaml.MappingNode):
            return Prompt(self._text(node, "a sentence"), label, role)
        keys = self._mapping(node, PROMPT_KEYS, "a sentence")
        if "text" not in keys:
            self._fail(node, "a sentence with a weight looks like {text: ..., weight: 2}")
        weight = self._weight(keys["weight"]) if "weight" in keys else 1.0
        return Prompt(self._text(keys["text"], "a sentence"), label, role, weight)

    def _weight(self, node: Node) -> float:
        try:
            weight = float(node.value)
        except (TypeError, ValueError):
            weight = math.nan
        if not (math.isfinite(weight) and weight > 0):
            self._fail(node, f"weight is {_shown(node)}; it must be a positive number")
        return weight

    def _templates(self, node: Node) -> tuple[str, ...]:
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self._fail(node, 'templates must be a list such as ["{}", "a photo of {}"]')
        templates = []
        for entry in node.value:
            template = self._text(entry, "a template")
            if template.count("{}") != 1:
                self._fail(entry, f"template {template!r} must hold {{}} exactly once")
            templates.append(template)
        return tuple(templates)

    def _text(self, node: Node, what: str) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self._fail(node, f"{what} must be text, got {_shown(node)}")
        text = str(node.value).strip()
        if not text:
            self._fail(node, f"{what} is empty; write it out or remove the line")
        if not node.tag.endswith(":str"):
            self._fail(node, f"{what} is {_shown(node)}; put it in quotes if it is meant as text")
        return text

    def _mapping(self, node: Node, allowed: tuple[str, ...] | None, what: str) -> dict[str, Node]:
        """Keys as they are written (a label may be called ``no``), each at most once."""
        if not isinstance(node, yaml.MappingNode):
            keys = "labels as keys" if allowed is None else f"the keys {_listed(allowed)}"
            self._fail(node, f"{what} must hold {keys}, got {_shown(node)}")
        found: dict[str, Node] = {}
        for key_node, value in node.value:
            key = str(key_node.value).strip() if isinstance(key_node, yaml.ScalarNode) else ""
            if not key:
                self._fail(key_node, f"{what} has a key that is not a word")
            if allowed is not None and key not in allowed:
                near = difflib.get_close_matches(key, allowed, n=1, cutoff=0.4)
                hint = f"did you mean {near[0]!r}? " if near else ""
                self._fail(
                    key_node, f"{what} has no key {key!r}; {hint}allowed are {_listed(allowed)}"
                )
            if key in found:
                self._fail(key_node, f"{key!r} stands twice in {what}; join the two")
            found[key] = value
        return found

    def _fail(self, node: Node, problem: str) -> NoReturn:
        raise PromptError(problem, file=self.file, line=node.start_mark.line + 1)


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(words)


def _shown(node: Node) -> str:
    kinds: dict[type[Node], str] = {yaml.MappingNode: "a mapping", yaml.SequenceNode: "a list"}
    return kinds.get(type(node)) or repr(node.value)
