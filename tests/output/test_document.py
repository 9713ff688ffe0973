"""The document of a detection: complete, without NaN, and what its schema says."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.output.document import from_document, json_schema, to_document
from watchword.types import Decision, Detection, Event, Scores

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "schema" / "detection-1.json"


def test_the_published_schema_is_the_generated_one() -> None:
    assert SCHEMA.read_text() == json.dumps(json_schema(), indent=2) + "\n"


def test_a_document_validates_against_the_published_schema(detection: Detection) -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    document = to_document(detection)
    jsonschema.validate(document, schema)
    for spoilt in ({**document, "extra": 1}, {**document, "schema_version": "2"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(spoilt, schema)


def test_a_document_says_what_was_found_and_counts_what_was_not_measured(
    detection: Detection,
) -> None:
    document = to_document(detection)
    assert document["events"][0] == {
        "label": "deer",
        "start_s": 1.0,
        "end_s": 2.5,
        "duration_s": 1.5,
        "score": 0.875,
        "peak_s": 1.5,
        "raised_by": [],
        "boxes": [],
    }
    assert document["decision"]["positive"] is True
    assert document["scores"]["labels"][0] == {
        "label": "deer", "score": 0.875, "at_s": 1.5, "unmeasured": 2,
    }  # fmt: skip
    assert document["coverage"]["failed"] == 2
    assert document["video"]["rate_fraction"] == "10"


def test_what_was_not_measured_is_null_and_an_infinite_setting_a_word(
    detection: Detection,
) -> None:
    unmeasured = replace(
        detection,
        scores=Scores(np.full((3, 1), np.nan), np.arange(4.0), ("deer",), "cosine"),
        events=(Event("deer", 0.0, 1.0),),
        decision=Decision("v", None, None, 0.5, "any_event"),
        provenance=replace(detection.provenance, config={"a": {"b": math.inf}}),
    )
    document = json.loads(json.dumps(to_document(unmeasured), allow_nan=False))
    assert document["events"][0]["score"] is None
    assert document["scores"]["labels"][0] == {
        "label": "deer", "score": None, "at_s": None, "unmeasured": 3,
    }  # fmt: skip
    assert document["provenance"]["config"] == {"a": {"b": "Infinity"}}


times = st.floats(0, 1e5, allow_nan=False)
events = st.builds(
    lambda label, start_s, length_s, score: Event(
        label, start_s, start_s + length_s + 1e-3, score=score, peak_s=start_s
    ),
    st.text(max_size=20),
    times,
    times,
    st.floats(-1, 1, allow_nan=False),
)


@given(found=st.lists(events, max_size=5), rate=st.fractions(1, 240) | st.none())
def test_a_detection_comes_back_from_its_document_as_it_was(
    make_detection: Callable[..., Detection], found: list[Event], rate: Fraction | None
) -> None:
    detection = replace(make_detection("some.mp4", rate=rate), events=tuple(found))
    text = json.dumps(to_document(detection), allow_nan=False)
    back = from_document(json.loads(text), scores=detection.scores)
    for part in ("info", "bank", "events", "decision", "coverage", "provenance", "notice"):
        assert getattr(back, part) == getattr(detection, part)


def test_a_document_that_is_none_is_refused(detection: Detection) -> None:
    with pytest.raises(ValueError, match="not a detection document of version 1"):
        from_document({"schema_version": "1"}, scores=detection.scores)
    other = Scores(np.zeros((3, 1)), np.arange(4.0), ("bear",), "cosine")
    with pytest.raises(ValueError, match="belong to another document"):
        from_document(to_document(detection), scores=other)


def test_a_document_says_which_evidence_raised_an_event_and_where_it_was(
    unusual: Detection,
) -> None:
    document = to_document(unusual)
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert document["prompts"] is None
    event = document["events"][0]
    assert event["raised_by"] == [
        {"part": "motion", "surprise": pytest.approx(3.6)},
        {"part": "change", "surprise": pytest.approx(1.3)},
    ]
    assert event["boxes"][0] == {
        "left": 0.625, "top": pytest.approx(1 / 6), "right": 0.875, "bottom": 0.5, "score": 4.0,
    }  # fmt: skip
    assert [part["label"] for part in document["parts"]["labels"]] == ["motion", "change"]
    assert document["heat"] == {
        "unit": "surprise (1 in 10^x)", "made_by": "motion",
        "windows": 60, "height": 6, "width": 8,
    }  # fmt: skip
    assert document["cuts_s"] == [4.5]


def test_parts_that_were_not_measured_are_null_and_come_back(unusual: Detection) -> None:
    event = replace(unusual.events[0], raised_by=(("motion", 3.6), ("change", math.nan)))
    document = json.loads(json.dumps(to_document(replace(unusual, events=(event,)))))
    assert document["events"][0]["raised_by"][1] == {"part": "change", "surprise": None}
    back = from_document(document, scores=unusual.scores, parts=unusual.parts, heat=unusual.heat)
    name, value = back.events[0].raised_by[1]
    assert name == "change"
    assert math.isnan(value)


def test_a_document_from_before_there_were_parts_is_still_read(detection: Detection) -> None:
    document = to_document(detection)
    for key in ("parts", "heat", "cuts_s"):
        del document[key]
    for event in (*document["events"], *document["decision"]["evidence"]):
        del event["raised_by"], event["boxes"]
    assert from_document(document, scores=detection.scores).events == detection.events


def test_parts_and_maps_of_another_document_are_refused(unusual: Detection) -> None:
    document = to_document(unusual)
    with pytest.raises(ValueError, match="the parts belong to another document"):
        from_document(document, scores=unusual.scores, heat=unusual.heat)
    for heat in (None, replace(unusual.heat, unit="distance")):
        with pytest.raises(ValueError, match="the heat maps belong to another document"):
            from_document(document, scores=unusual.scores, parts=unusual.parts, heat=heat)
