"""An evaluation as JSON, and back.

The document has these keys; null is not defined or not measured, and NaN never stands in it::

    watchword_evaluation  version of this description, "1"
    headline              the verdict in words
    threshold             score from which a window counts as an event, or null
    figures               [{name, level, title, value, why, low, high, unit, better, note,
                            baselines: {always, never, random, centre, shorter, oracle}}]
    confusions            {level: {tn, fp, fn, tp}}
    findings              [{code, sentence, serious, videos}]
    protocol, made        {name: how it was measured, and what}
    notes                 [sentence]
    tables                [{name, title, columns, rows, note, best}]
    curves                [{name, title, x_title, y_title, x, y, marks, chance}]
    lanes                 [{video, edges_s, values, truth_s, found_s}]

Curves and lanes are there to be drawn again: they hold at most 1,000 points, the highest score of
each stretch. The full series is in the predictions that were evaluated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from watchword.errors import DatasetError
from watchword.evaluation.report.standing import headline
from watchword.evaluation.report.thinning import thin_curve, thin_lane
from watchword.evaluation.result import Curve, Evaluation, Figure, Finding, Lane, Table

VERSION = "1"
_COUNTS = ("tn", "fp", "fn", "tp")


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation as plain JSON values, as the module describes them."""
    document = {
        "watchword_evaluation": VERSION,
        "headline": headline(evaluation),
        "threshold": evaluation.threshold,
        "figures": [
            {name: getattr(figure, name) for name in Figure.__slots__}
            for figure in evaluation.figures
        ],
        "confusions": {
            level: dict(zip(_COUNTS, counts, strict=True))
            for level, counts in evaluation.confusions.items()
        },
        "findings": [
            {name: getattr(finding, name) for name in Finding.__slots__}
            for finding in evaluation.findings
        ],
        "protocol": evaluation.protocol,
        "made": evaluation.made,
        "notes": evaluation.notes,
        "tables": [
            {name: getattr(table, name) for name in Table.__slots__} for table in evaluation.tables
        ],
        "curves": [
            {name: getattr(thin, name) for name in Curve.__slots__}
            for thin in map(thin_curve, evaluation.curves)
        ],
        "lanes": [
            {name: getattr(thin, name) for name in Lane.__slots__}
            for thin in map(thin_lane, evaluation.lanes)
        ],
    }
    plain: dict[str, Any] = plain_json(document)
    return plain


def from_json(document: Mapping[str, Any], *, file: str = "evaluation") -> Evaluation:
    """The evaluation of a document; curves and lanes as thin as they were written.

    Raises:
        DatasetError: the document is of another version, lacks a part, or a part is damaged.
    """
    version = document.get("watchword_evaluation")
    if version != VERSION:
        raise DatasetError(
            file,
            f"is no evaluation of version {VERSION} (watchword_evaluation is {version!r}); "
            "evaluate again with this version of Watchword",
        )
    try:
        return Evaluation(
            figures=tuple(Figure(**part) for part in document["figures"]),
            protocol=document["protocol"],
            tables=tuple(_table(part) for part in document["tables"]),
            confusions={
                level: (counts["tn"], counts["fp"], counts["fn"], counts["tp"])
                for level, counts in document["confusions"].items()
            },
            findings=tuple(
                Finding(**{**part, "videos": tuple(part["videos"])})
                for part in document["findings"]
            ),
            notes=tuple(document["notes"]),
            curves=tuple(_curve(part) for part in document["curves"]),
            lanes=tuple(_lane(part) for part in document["lanes"]),
            threshold=document["threshold"],
            made=document["made"],
        )
    except KeyError as exc:
        raise DatasetError(file, f"lacks {exc}; it is no whole evaluation") from exc
    except (TypeError, ValueError, AttributeError) as exc:
        raise DatasetError(file, f"is damaged: {exc}; evaluate again") from exc


def _table(part: Mapping[str, Any]) -> Table:
    rows = tuple(tuple(row) for row in part["rows"])
    return Table(**{**part, "columns": tuple(part["columns"]), "rows": rows})


def _curve(part: Mapping[str, Any]) -> Curve:
    chance = part["chance"]
    return Curve(
        **{
            **part,
            "x": np.array(part["x"], np.float64),
            "y": np.array(part["y"], np.float64),
            "marks": tuple((x, y, words) for x, y, words in part["marks"]),
            "chance": None if chance is None else ((*chance[0],), (*chance[1],)),
        }
    )


def _lane(part: Mapping[str, Any]) -> Lane:
    return Lane(
        part["video"],
        np.array(part["edges_s"], np.float64),
        np.array(part["values"], np.float32),
        tuple((start, end) for start, end in part["truth_s"]),
        tuple((start, end) for start, end in part["found_s"]),
    )


def plain_json(value: Any) -> Any:
    """JSON's own types; what is not finite becomes null."""
    if isinstance(value, np.ndarray):
        # Of single precision the shortest digits that mean the same number.
        digits = map(str, value) if value.dtype == np.float32 else None
        return plain_json(value.tolist() if digits is None else [float(each) for each in digits])
    if isinstance(value, np.generic):
        return plain_json(value.item())
    if isinstance(value, Mapping):
        return {str(key): plain_json(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain_json(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int, bool)):
        return value
    return str(value)
