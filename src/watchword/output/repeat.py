"""The command that repeats a run, with words in capitals for what its report does not hold."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from watchword.types import Detection

# What stands in the command for what was fitted, by its name in the provenance.
_FITTED_WORDS = {
    "head": "--head HEAD",
    "adapter": "--adapter ADAPTER",
    "normal": "--normal MEMORY",
}
_LIGHT = "risk"
_OF = {"folder": "--model MODEL", "server": "--endpoint URL --endpoint-model NAME"}


def command(detection: Detection) -> str:
    """The command that repeats the run with the files that the report holds."""
    source, made = shlex.quote(detection.info.source), detection.provenance
    if is_risk(detection):
        parts = ["watchword risk predict", source, *_risk_words(made.fitted, made.asked)]
    else:
        parts = ["watchword detect", source]
        if detection.bank is not None:
            parts.append("--bank prompts.yaml")
        parts += [words for what, words in _FITTED_WORDS.items() if what in made.fitted]
    return " ".join((*parts, "--config config.yaml"))


def is_risk(detection: Detection) -> bool:
    """Whether the scores are of risk, by a question or by a light model."""
    return bool(detection.provenance.asked) or _LIGHT in detection.provenance.fitted


def needs_files(detection: Detection) -> bool:
    """Whether the command has words in capitals."""
    return is_risk(detection) or bool(_FITTED_WORDS.keys() & detection.provenance.fitted.keys())


def _risk_words(fitted: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    if not asked:
        return ["--light LIGHT"]
    question = asked["question"] + ("(0: No, 1: Yes)" if asked["digits"] else "")
    words = [
        _OF[asked["of"]],
        f"--question {shlex.quote(question)}",
        f"--label {shlex.quote(asked['label'])}",
        *(
            f"--{name} {asked[key]:g}"
            for name, key in (("clip-s", "clip_s"), ("stride-s", "stride_s"))
        ),
        f"--pictures {asked['pictures']}",
    ]
    if _LIGHT in fitted:
        words += ["--cascade LIGHT", *_cascade_words(asked["cascade"])]
    return words


def _cascade_words(cascade: Mapping[str, Any]) -> list[str]:
    budget = cascade["budget"]
    said = f"{100 * budget:.6g}%" if isinstance(budget, float) else str(budget)
    as_given = cascade["answers"] == {"slope": 1.0, "offset": 0.0}
    return [f"--budget {said}", *([] if as_given else ["--answered TABLE"])]
