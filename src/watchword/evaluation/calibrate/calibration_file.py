"""A calibration as a small YAML file that people can read, and back, strictly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from watchword.errors import CalibrationError
from watchword.evaluation.calibrate.calibration import Calibration, described, plain
from watchword.output.atomic import new_file

# The first key of the file: what it is, and how to read it.
MARK = "watchword_calibration"
FORMAT = 1
HEAD = (
    "# Thresholds that `watchword calibrate` chose, for `watchword detect --calibration`, which\n"
    "# refuses any other encoder, prompt bank or kind of score than those named here.\n"
)
# What a reader should know of a key, above it in the file.
REMARKS = {
    "objective": "what was optimised, and what it reaches on data that had no part in the choice",
    "fitted_on": "never evaluate on these videos with these thresholds",
    "encoder": "what the scores were made with; null is not known",
    "score": "settings, as in a config file",
    "reference": "what scores looked like there, to notice drift",
    "promise": "the budget of false alarms, and what it rests on",
}
ORDER = (
    *("kind", "objective", "value", "low", "high", "always", "reported_on"),
    *("encoder", "encoder_fingerprint", "bank", "bank_fingerprint"),
    *("score", "pictures", "smoothing", "events", "segments", "decision"),
    *("fitted_on", "camera", "promise", "reference", "created", "version"),
)


def write_calibration(
    calibration: Calibration, path: str | Path, *, overwrite: bool = False
) -> None:
    """The calibration as a YAML file with remarks.

    Raises:
        OutputError: something is there already and may not be replaced; no space, no permission.
        CalibrationError: it holds something that could not be read again.
    """
    held = plain(calibration)
    _parsed(held, str(path))
    parts = [HEAD, _dumped({MARK: FORMAT})]
    for key in ORDER:
        remark = REMARKS.get(key)
        parts.append((f"\n# {remark}\n" if remark else "") + _dumped({key: held[key]}))
    with new_file(path, overwrite=overwrite) as made:
        made.write_text("".join(parts), encoding="utf-8")


def read_calibration(path: str | Path) -> Calibration:
    """The calibration in a YAML file.

    Raises:
        CalibrationError: names the file and the key that is unknown, missing or not what it must
            be.
    """
    try:
        found = yaml.load(Path(path).read_text(encoding="utf-8"), _Once)
    except (OSError, UnicodeDecodeError) as exc:
        raise CalibrationError(f"{path} cannot be read: {exc}") from exc
    except (yaml.YAMLError, RecursionError) as exc:
        raise CalibrationError(f"{path} is not YAML: {exc}") from exc
    if not isinstance(found, dict) or MARK not in found:
        raise CalibrationError(
            f"{path} is no calibration (it has no key {MARK}); `watchword calibrate` writes one"
        )
    mark = found.pop(MARK)
    if mark != FORMAT or isinstance(mark, bool):
        raise CalibrationError(
            f"{path}: {MARK} is {mark!r}, this Watchword reads {FORMAT}; calibrate anew"
        )
    return _parsed(found, str(path))


def _parsed(held: dict[Any, Any], where: str) -> Calibration:
    try:
        # By way of JSON, whose lists may become tuples while all else stays strict.
        text = json.dumps(held)
        return TypeAdapter(Calibration).validate_json(text, strict=True)
    except ValidationError as exc:
        raise CalibrationError(f"{where}: {described(exc)}") from exc
    except (TypeError, ValueError, RecursionError) as exc:
        raise CalibrationError(
            f"{where} holds something other than texts, numbers and lists: {exc}"
        ) from exc


class _Once(yaml.SafeLoader):
    """YAML in which a key may stand once: of two, one would be dropped without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} stands twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


def _dumped(part: dict[str, Any]) -> str:
    """One key as YAML: what is innermost stands in one line."""
    nested = any(isinstance(value, dict | list) for value in part.values())
    flow = None if nested else False
    text: str = yaml.safe_dump(
        part, default_flow_style=flow, sort_keys=False, allow_unicode=True, width=98
    )
    return text
