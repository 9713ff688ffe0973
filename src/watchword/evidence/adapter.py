"""Frozen embeddings seen in their time: a trained temporal model as an ONNX graph, without PyTorch.

An adapter reads windows of ``clip_length`` pictures and gives each picture a vector that knows what
lies around it (in the same space, so that sentences can still be compared with it) and the
probability of the abnormal, by the prompts it learned in training. `train/adapter` makes adapters.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from watchword.errors import CalibrationError
from watchword.evidence.adapter_motion import motion_rows
from watchword.evidence.adapter_windows import AdapterStream, adapt_rows
from watchword.evidence.head import STEP_SLACK, mean_step_s
from watchword.features import Features
from watchword.types import Embeddings, Scores

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Source = Literal["vectors", "features", "motion"]
Objective = Literal["frame", "video", "normal"]

SOURCES: tuple[Source, ...] = get_args(Source)

FILE = "adapter.onnx"
FORMAT = "watchword adapter 1"
KEY = "watchword_adapter"
_MADE = "Adapters are made with: watchword train adapter"


@dataclass(frozen=True, slots=True)
class AdapterSpec:
    """What an adapter reads, how it was made and what it learned from.

    Attributes:
        width: D, numbers of a picture it reads.
        source: "vectors", of the space of words, "features", what the picture network sees, or
            "motion", how that differs from the pictures before.
        layers: of the temporal transformer.
        heads: of its attention.
        clip_length: T, pictures of a window.
        stride: pictures from one window to the next where windows are merged.
        causal: whether a picture's value rests on nothing that comes after it.
        rate: pictures a second that it was trained at.
        encoder: fingerprint of the encoder whose embeddings it reads.
        encoder_name: its name.
        temperature: cosine that makes one unit of the softmax over its learned prompts.
        objective: what it learned from: labels of pictures, of videos, or normal footage alone.
        labels: what its probability is of.
        facts: what it was trained on: videos, fingerprints, split, groups, sentence, figures.
    """

    width: int
    source: Source
    layers: int
    heads: int
    clip_length: int
    stride: int
    causal: bool
    rate: float
    encoder: str
    encoder_name: str
    temperature: float
    objective: Objective
    labels: tuple[str, ...] = ("abnormal",)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("width", "layers", "heads", "clip_length", "stride"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, it must be at least 1")
        if self.stride > self.clip_length:
            raise ValueError(
                f"stride is {self.stride}, it must not exceed clip_length {self.clip_length}, or "
                "pictures between windows would not be looked at"
            )
        for name in ("rate", "temperature"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"{name} is {getattr(self, name)}, it must be a positive number")
        if self.source not in SOURCES:
            raise ValueError(f"source is {self.source!r}, it must be one of {', '.join(SOURCES)}")
        if self.objective not in ("frame", "video", "normal"):
            raise ValueError(f"objective is {self.objective!r}, it must be frame, video or normal")
        if len(self.labels) != 1:
            raise ValueError(f"labels are {self.labels}, it must be one")

    def to_json(self) -> str:
        """The text that an adapter's file carries; the same spec gives the same text."""
        return json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True, allow_nan=False)


def spec_from_json(text: str) -> AdapterSpec:
    """The spec of such a text; ValueError or TypeError if it is none."""
    told = json.loads(text)
    if not isinstance(told, dict) or told.pop("format", None) != FORMAT:
        raise ValueError(f"it is no file of the format {FORMAT!r}")
    facts = told.get("facts")
    if not isinstance(facts, dict) or not {"videos", "fingerprints"} <= set(facts):
        raise ValueError("it does not say which videos it was trained on")
    return AdapterSpec(**{**told, "labels": tuple(told["labels"])})


class Adapter:
    """A trained adapter, ready to run.

    Args:
        spec: what it reads and what it learned from.
        session: of onnxruntime, with inputs ``x`` and ``seen``, outputs ``adapted`` and
            ``probability``.
        fingerprint: 16 hex digits of its file: equal means the same values.
    """

    def __init__(self, spec: AdapterSpec, session: Any, fingerprint: str = "") -> None:
        self.spec = spec
        self.fingerprint = fingerprint
        self._session = session

    def run(self, x: Floats, seen: Bools) -> tuple[Floats, Floats]:
        """Vectors (n,T,D) and probability (n,T) of windows (n,T,D), as ``Run`` says."""
        adapted, probability = self._session.run(
            ["adapted", "probability"], {"x": np.ascontiguousarray(x), "seen": seen}
        )
        return adapted, probability

    def adapt(self, rows: Floats) -> tuple[Floats, Floats]:
        """What it makes of one video's rows (N,D): see `adapt_rows`.

        Raises:
            CalibrationError: the rows are of another width.
        """
        _check_width(self.spec, rows.shape[1])
        spec = self.spec
        return adapt_rows(
            self.run,
            np.asarray(rows, np.float32),
            length=spec.clip_length,
            stride=spec.stride,
            causal=spec.causal,
        )

    def stream(self) -> AdapterStream:
        """A fresh stream; CalibrationError if the adapter looks ahead."""
        if not self.spec.causal:
            raise CalibrationError(
                "the adapter looks at pictures to come, which a stream does not have; train a "
                "causal one (causal: true)"
            )
        return AdapterStream(self.run, self.spec.clip_length)

    def as_fitted(self) -> dict[str, Any]:
        """What provenance keeps of it: its fingerprint, what it was trained on, and a sentence.

        The videos' fingerprints are those that are known.
        """
        facts = dict(self.spec.facts)
        known = [one for one in facts.get("fingerprints", ()) if one]
        listed = {"videos": list(facts.get("videos", ())), "fingerprints": known}
        return {"fingerprint": self.fingerprint, **facts, **listed}

    def __repr__(self) -> str:
        spec = self.spec
        return f"Adapter({spec.objective}, {spec.source}, encoder={spec.encoder_name!r})"


def load_adapter(path: str | Path, *, threads: int = 1) -> Adapter:
    """The adapter in a file, or in the folder of a training.

    Args:
        path: ``adapter.onnx``, or the folder that holds it.
        threads: of the model; it is small, so that one serves best beside a video reader.

    Raises:
        CalibrationError: it is absent, damaged, or no adapter of a version that is known.
    """
    import onnxruntime as ort

    file = Path(path) / FILE if Path(path).is_dir() else Path(path)
    options = ort.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    try:
        content = file.read_bytes()
        session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        spec = spec_from_json(session.get_modelmeta().custom_metadata_map.get(KEY, "null"))
        _check_graph(session, spec)
    # onnxruntime has a class of its own for every trouble.
    except Exception as exc:
        raise CalibrationError(f"{file} cannot be used as an adapter: {exc}. {_MADE}") from exc
    return Adapter(spec, session, hashlib.sha256(content).hexdigest()[:16])


def _check_graph(session: Any, spec: AdapterSpec) -> None:
    """ValueError unless the graph reads and gives what the spec says."""
    length, width = spec.clip_length, spec.width
    wanted = {"x": [length, width], "seen": [length]}
    gives = {"adapted": [length, width], "probability": [length]}
    for tensors, shapes in ((session.get_inputs(), wanted), (session.get_outputs(), gives)):
        got = {one.name: list(one.shape[1:]) for one in tensors}
        if got != shapes:
            raise ValueError(f"its graph has {got} where {shapes} is needed")


def check_adapter(
    adapter: Adapter,
    *,
    encoder: str,
    encoder_name: str,
    width: int | None = None,
    rate: float | None = None,
) -> None:
    """Nothing, if the adapter reads what this encoder makes of a video.

    Args:
        adapter: the adapter.
        encoder: fingerprint of the encoder at hand.
        encoder_name: its name.
        width: of the vectors or features that it gives, whichever the adapter reads; None leaves
            it unchecked.
        rate: pictures a second that are looked at; None leaves it unchecked.

    Raises:
        CalibrationError: it was trained on another encoder, width or rate; says what to do.
    """
    spec = adapter.spec
    if spec.encoder != encoder:
        raise CalibrationError(
            f"the adapter was trained on the encoder {spec.encoder_name} ({spec.encoder}), not on "
            f"{encoder_name} ({encoder}); choose that model, or train an adapter for this one"
        )
    if width is not None:
        _check_width(spec, width)
    if rate is not None and not 1 / STEP_SLACK <= rate / spec.rate <= STEP_SLACK:
        raise CalibrationError(
            f"the adapter was trained at {spec.rate:.3g} pictures a second, these come at "
            f"{rate:.3g}, and how a picture follows from those before depends on that; look at "
            f"{spec.rate:.3g} pictures a second (--rate), or train an adapter at this rate"
        )


def _check_width(spec: AdapterSpec, width: int) -> None:
    if width != spec.width:
        raise CalibrationError(
            f"the adapter reads {spec.source} that are {spec.width} wide, these are {width}; "
            "train an adapter for this encoder"
        )


def score_adapter(embeddings: Embeddings, features: Features | None, adapter: Adapter) -> Scores:
    """Probability of the abnormal in each picture: Scores (T,1) of kind "probability".

    NaN for pictures that were not measured.

    Args:
        embeddings: of the video.
        features: of the same pictures; needed by an adapter that reads features or motion.
        adapter: the adapter.

    Raises:
        CalibrationError: it was trained on another encoder, width or rate, or needs features and
            there are none of these pictures.
    """
    rows = _rows_for(embeddings, features, adapter)
    _, probability = adapter.adapt(rows)
    return Scores(
        probability[:, None],
        embeddings.edges_s,
        adapter.spec.labels,
        "probability",
        video=embeddings.video,
        made_by=f"adapter {adapter.fingerprint} {embeddings.encoder}",
    )


def adapted(embeddings: Embeddings, adapter: Adapter) -> Embeddings:
    """The embeddings as the adapter sees them in their time, for sentences to be compared with.

    Raises:
        CalibrationError: it was trained on another encoder, width or rate, or reads features
            or motion, of which no sentence speaks.
    """
    if adapter.spec.source != "vectors":
        raise CalibrationError(
            f"the adapter reads {adapter.spec.source}, of which no sentence speaks; leave the "
            "sentences out, or train an adapter with source: vectors"
        )
    vectors, _ = adapter.adapt(_rows_for(embeddings, None, adapter))
    return replace(embeddings, vectors=vectors)


def _rows_for(embeddings: Embeddings, features: Features | None, adapter: Adapter) -> Floats:
    step = mean_step_s(embeddings)
    check_adapter(
        adapter,
        encoder=embeddings.encoder,
        encoder_name="the one of these embeddings",
        rate=None if step is None else 1 / step,
    )
    if adapter.spec.source == "vectors":
        return np.asarray(embeddings.vectors)
    if features is None or not np.array_equal(features.edges_s, embeddings.edges_s):
        got = "none were kept" if features is None else "there are others here"
        raise CalibrationError(
            f"the adapter reads {adapter.spec.source}, a row a window of the embeddings, and of "
            f"features {got}; embed with "
            "features, one picture a window, or train an adapter with source: vectors"
        )
    rows = features.rows(slice(None))
    return motion_rows(rows, features.edges_s) if adapter.spec.source == "motion" else rows
