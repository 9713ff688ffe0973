"""Say in words what to watch for; get when it happens in the video.

Public names load on first use, so that ``import watchword`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "Agreement": "watchword.pipeline.agreement",
    "Annotation": "watchword.types",
    "Calibration": "watchword.evaluation.calibrate.calibration",
    "ClipScoreMetric": "watchword.evaluation.metrics.clipscore_metric",
    "Config": "watchword.config",
    "Detection": "watchword.types",
    "Detector": "watchword.pipeline.detector",
    "Embeddings": "watchword.types",
    "Event": "watchword.types",
    "EventRule": "watchword.events.tracker",
    "EventTracker": "watchword.events.tracker",
    "Frames": "watchword.types",
    "Prompt": "watchword.types",
    "PromptBank": "watchword.types",
    "Sampling": "watchword.video.sampling",
    "Scores": "watchword.types",
    "Span": "watchword.types",
    "WatchwordError": "watchword.errors",
    "compare": "watchword.evaluation.compare",
    "decide": "watchword.events.decide",
    "detect_events": "watchword.events.tracker",
    "evaluate": "watchword.evaluation.evaluate",
    "load_bank": "watchword.evidence.prompts",
    "load_cases": "watchword.evaluation.matching",
    "load_encoder": "watchword.encoders.catalog",
    "open_video": "watchword.video.reader",
    "read_calibration": "watchword.evaluation.calibrate.calibration_file",
    "read_predictions": "watchword.evaluation.predictions.read",
    "read_records": "watchword.evaluation.datasets.formats",
    "score_words": "watchword.evidence.words",
    "write_run": "watchword.output.folder",
}

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'watchword' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
