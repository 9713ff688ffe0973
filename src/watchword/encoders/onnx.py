"""Encoders that run as ONNX graphs: the built-in one, the catalogue's, and any like directory."""

from __future__ import annotations

import hashlib
import math
import mmap
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from watchword.encoders.base import Seen, finite_maps, nothing_seen, unit_rows
from watchword.encoders.dense import seen_part
from watchword.encoders.dense_onnx import PlaceGraph
from watchword.encoders.directory import OnnxFiles
from watchword.encoders.images import VERSION, prepare
from watchword.encoders.specs import EncoderSpec
from watchword.encoders.tokenizers import TextTokens, read_tokenizer
from watchword.errors import EncoderError, MissingDependency, ModelFileError
from watchword.places import Part

# device: (execution provider, what installs it).
PROVIDERS = {
    "cpu": ("CPUExecutionProvider", "pip install onnxruntime"),
    "cuda": ("CUDAExecutionProvider", "pip install onnxruntime-gpu"),
    "tensorrt": ("TensorrtExecutionProvider", "pip install onnxruntime-gpu tensorrt"),
    "openvino": ("OpenVINOExecutionProvider", "pip install onnxruntime-openvino"),
    "coreml": ("CoreMLExecutionProvider", "pip install onnxruntime (on macOS)"),
}
_IMAGE_OUTPUTS = ("image_embeds", "pooler_output", "embedding", "output")
_FEATURES, _MAPS = "features", "feature_map"
_TEXT_OUTPUTS = ("text_embeds", "pooler_output", "embedding", "output")
_FLOATS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_INTEGERS = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
_TEXT_BATCH = 32


def available_devices() -> tuple[str, ...]:
    """The devices ONNX models can run on here, by the names ``--device`` takes."""
    present = set(ort.get_available_providers())
    return tuple(device for device, (provider, _) in PROVIDERS.items() if provider in present)


@dataclass(frozen=True, slots=True, eq=False)
class _PictureGraph:
    """Which tensors of a picture graph hold what; None where it gives no features or maps."""

    input: Any
    vectors: Any
    dim: int
    features: Any | None
    maps: Any | None

    def wanted(self, *, maps: bool) -> dict[str, Any]:
        """The outputs to ask for, by what they are in ``Seen``."""
        told = {
            "vectors": self.vectors,
            "features": self.features,
            "maps": self.maps if maps else None,
        }
        return {name: output for name, output in told.items() if output is not None}


@dataclass(frozen=True, slots=True, eq=False)
class _TextGraph:
    """A loaded sentence graph: which output holds the vectors, and how many sentences a run."""

    session: ort.InferenceSession
    output: Any
    limit: int


class OnnxEncoder:
    """A picture graph and a sentence graph that share a space.

    Args:
        directory: where tokenizer and graphs lie.
        files: the two graphs.
        spec: what the model is said to be; checked against what the graphs are.
        digest: sha256 of a file.
        device: cpu, cuda, tensorrt, openvino or coreml.
        threads: on a CPU; None is every core.

    Raises:
        ModelFileError: a graph is damaged or has other tensors than a dual encoder's.
        MissingDependency: the device's execution provider is not installed.
        EncoderError: the device was asked for and could not be started.
    """

    def __init__(
        self,
        directory: Path,
        *,
        files: OnnxFiles,
        spec: EncoderSpec,
        digest: Callable[[Path], str],
        device: str = "cpu",
        threads: int | None = None,
    ) -> None:
        self.name, self.notice, self.scale = spec.name, spec.notice, spec.scale
        size = spec.preprocessing.image_size
        self.picture_size = (size, size) if spec.reader_scales else None
        self._spec = spec
        self._files = files
        self._threads = threads
        self._text: _TextGraph | None = None
        self.device = device
        # On a CPU, runs of one thread side by side beat one run of many: no layer waits for its
        # slowest thread, and a core that the video reader needs delays one run only.
        self._side_by_side = (threads or _cores()) if device == "cpu" else 1
        self._vision = _session(files.vision, device=device, threads=1)
        self._tensors = _picture_tensors(self._vision, files.vision, spec)
        self.dim = self._tensors.dim
        features, maps = self._tensors.features, self._tensors.maps
        self.feature_dim: int | None = None if features is None else features.shape[1]
        self.map_shape: tuple[int, int, int] | None = (
            None if maps is None else tuple(maps.shape[1:])
        )
        self._step = 1 if _must_run_alone(self._vision, files.vision) else spec.batch
        self.batch_size = spec.batch
        self._pool = ThreadPoolExecutor(self._side_by_side, thread_name_prefix="watchword-onnx")
        self._places = PlaceGraph(
            files.vision,
            self._vision,
            load=partial(_session, files.vision, device=device, threads=1),
            name=spec.name,
            dim=self.dim,
        )
        tokenizer, tokenizer_files = read_tokenizer(directory)
        self._tokens = TextTokens(tokenizer, spec.text)
        self.fingerprint = self._identity((files.vision, files.text, *tokenizer_files), digest)

    def prepare(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Model input (N,3,S,S) float32 of pictures (N,H,W,3) uint8 RGB."""
        return prepare(pixels, self._spec.preprocessing)

    def see(self, prepared: NDArray[np.float32], *, maps: bool = False) -> Seen:
        """Vectors, features and, if asked for, maps of prepared pictures, in one run of the graph.

        Raises:
            EncoderError: the model gives NaN or infinity.
        """
        if not len(prepared):
            return nothing_seen(self, maps=maps)
        wanted = self._tensors.wanted(maps=maps)
        names = [output.name for output in wanted.values()]
        step = min(self._step, math.ceil(len(prepared) / self._side_by_side))
        parts = [prepared[at : at + step] for at in range(0, len(prepared), step)]
        input_name = self._tensors.input.name
        runs = list(self._pool.map(lambda p: _run(self._vision, names, {input_name: p}), parts))
        found = dict(zip(wanted, map(np.concatenate, zip(*runs, strict=True)), strict=True))
        what = f"{self.name} (pictures)"
        return Seen(
            unit_rows(found["vectors"], what),
            unit_rows(found["features"], f"{what}, features") if "features" in found else None,
            finite_maps(found["maps"], f"{what}, maps") if "maps" in found else None,
        )

    def embed_images(self, prepared: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unit rows (N,D) of prepared pictures; EncoderError if the model gives NaN."""
        return self.see(prepared).vectors

    @property
    def place_shape(self) -> tuple[int, int] | None:
        """(h,w) of the grid of places; None if the graph gives whole pictures only."""
        return self._places.shape

    def seen_part(self, width: int, height: int) -> Part:
        """The part of a picture of that size that the places cover."""
        return seen_part(self._spec.preprocessing, width, height)

    def embed_places(self, prepared: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unit rows (N,h,w,D) of prepared pictures; EncoderError if the graph gives none."""
        return self._places.embed(prepared, step=self._step, pool=self._pool)

    def encode_texts(self, texts: Sequence[str], *, truncate: bool = False) -> NDArray[np.float32]:
        """Unit rows (N,D) of sentences; PromptError if one is too long and not ``truncate``."""
        rows = np.zeros((len(texts), self.dim), np.float32)
        if not texts:
            return rows
        graph = self._text_graph()
        for batch in self._tokens.batches(texts, limit=graph.limit, truncate=truncate):
            feeds = _sentence_feeds(graph.session, self._files.text, batch.ids, batch.mask)
            (vectors,) = _run(graph.session, [graph.output.name], feeds)
            rows[list(batch.rows)] = vectors
        return unit_rows(rows, f"{self.name} (sentences)")

    def count_tokens(self, text: str) -> tuple[int, int]:
        """(tokens of the sentence including start and end, tokens the model can take)."""
        return self._tokens.count(text)

    def _text_graph(self) -> _TextGraph:
        """The sentence graph, loaded when the first sentence comes."""
        if self._text is None:
            path = self._files.text
            session = _session(path, device=self.device, threads=self._threads)
            output = _sentence_output(session, path, self.dim)
            limit = 1 if _must_run_alone(session, path) else _TEXT_BATCH
            self._text = _TextGraph(session, output, limit)
        return self._text

    def _identity(self, files: tuple[Path, ...], digest: Callable[[Path], str]) -> str:
        # Weights kept beside a graph (FILE.data, FILE_data) are part of it.
        beside = [path for file in files for path in sorted(file.parent.glob(f"{file.name}?data*"))]
        parts = (
            *(digest(file) for file in (*files, *beside)),
            VERSION,
            repr(self._spec.preprocessing),
            repr(self._spec.text),
            self._files.precision,
            self.device,
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _session(
    path: Path, graph: bytes | None = None, *, device: str, threads: int | None
) -> ort.InferenceSession:
    """A loaded graph: that of the file, or the given one, which was made of it."""
    if device not in PROVIDERS:
        raise ValueError(f"device is {device!r}, it must be one of {', '.join(PROVIDERS)}")
    provider, install = PROVIDERS[device]
    if device not in available_devices():
        raise MissingDependency(f"onnxruntime's {provider} for device {device}", install)
    options = ort.SessionOptions()
    # Threads that spin while they wait take the cores the video reader needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(graph or str(path), options, providers=[provider])
    except Exception as exc:
        raise ModelFileError(
            f"{path} cannot be loaded by onnxruntime {ort.__version__} on {device}: {exc}"
        ) from exc
    if session.get_providers()[0] != provider:
        raise EncoderError(
            f"{device} was asked for and onnxruntime could not start {provider} (it would run on "
            f"{session.get_providers()[0]}); check the driver and its libraries, or use cpu"
        )
    return session


def _picture_tensors(session: ort.InferenceSession, path: Path, spec: EncoderSpec) -> _PictureGraph:
    """The tensors of a picture graph, checked against the spec."""
    size = spec.preprocessing.image_size
    inputs = session.get_inputs()
    fits = (
        len(inputs) == 1
        and len(inputs[0].shape) == 4
        and inputs[0].type in _FLOATS
        and (inputs[0].shape[0] == 1 or not isinstance(inputs[0].shape[0], int))
        and all(
            got == want or not isinstance(got, int)
            for got, want in zip(inputs[0].shape[1:], (3, size, size), strict=True)
        )
    )
    if not fits:
        raise ModelFileError(
            f"{path} takes {_listed(inputs)}; one float input (batch,3,{size},{size}) is needed"
        )
    output = _pick(session, path, _IMAGE_OUTPUTS)
    width = output.shape[1] if isinstance(output.shape[1], int) else spec.dim
    if width is None or (spec.dim is not None and width != spec.dim):
        raise ModelFileError(
            f"{path} gives {_listed([output])}; width {spec.dim or '(unknown)'} is needed"
        )
    return _PictureGraph(
        inputs[0],
        output,
        width,
        features=_beside(session, _FEATURES, sizes=1, vectors=output),
        maps=_beside(session, _MAPS, sizes=3, vectors=output),
    )


def _beside(session: ort.InferenceSession, name: str, *, sizes: int, vectors: Any) -> Any | None:
    """The output of that name if it is (batch, and so many known sizes) of floats."""
    for output in session.get_outputs():
        known = [size for size in output.shape[1:] if isinstance(size, int)]
        fits = len(output.shape) == 1 + sizes == 1 + len(known) and output.type in _FLOATS
        if output.name == name and output.name != vectors.name and fits:
            return output
    return None


def _sentence_output(session: ort.InferenceSession, path: Path, dim: int) -> Any:
    output = _pick(session, path, _TEXT_OUTPUTS)
    if isinstance(output.shape[1], int) and output.shape[1] != dim:
        raise ModelFileError(
            f"{path} gives {_listed([output])}; its pictures have width {dim}, so must sentences"
        )
    return output


def _pick(session: ort.InferenceSession, path: Path, preferred: Sequence[str]) -> Any:
    """The output that holds the vectors: a preferred name, or the only (batch, width) there is."""
    outputs = [o for o in session.get_outputs() if len(o.shape) == 2 and o.type in _FLOATS]
    named = {output.name: output for output in outputs}
    for name in preferred:
        if name in named:
            return named[name]
    if len(outputs) == 1:
        return outputs[0]
    raise ModelFileError(
        f"{path} gives {_listed(session.get_outputs())}; one of {', '.join(preferred)}, or a "
        "single (batch, width) of floats, is needed"
    )


def _sentence_feeds(
    session: ort.InferenceSession, path: Path, ids: NDArray[np.int64], mask: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    feeds: dict[str, NDArray[Any]] = {}
    for tensor in session.get_inputs():
        if tensor.type not in _INTEGERS or len(tensor.shape) != 2:
            raise ModelFileError(
                f"{path} takes {_listed(session.get_inputs())}; token ids (batch, length) as "
                "int64 or int32, and at most a mask beside them, are needed"
            )
        if "mask" in tensor.name:
            values = mask
        elif "type" in tensor.name:
            values = np.zeros_like(ids)
        else:
            values = ids
        feeds[tensor.name] = values.astype(_INTEGERS[tensor.type], copy=False)
    return feeds


def _run(
    session: ort.InferenceSession, names: list[str], feeds: dict[str, Any]
) -> list[NDArray[np.float32]]:
    """The outputs of those names, as float32."""
    kinds = {tensor.name: tensor.type for tensor in session.get_inputs()}
    cast = {
        name: values.astype(_FLOATS.get(kinds[name], values.dtype), copy=False)
        for name, values in feeds.items()
    }
    try:
        return [np.asarray(values, np.float32) for values in session.run(names, cast)]
    except Exception as exc:
        shapes = ", ".join(f"{name} {values.shape}" for name, values in cast.items())
        raise EncoderError(f"the model failed on {shapes}: {exc}") from exc


def _must_run_alone(session: ort.InferenceSession, path: Path) -> bool:
    """Whether pictures may not share a batch: the graph takes one, or lets them affect each other.

    Dynamic int8 takes one activation scale over the whole batch, so a vector would depend on its
    neighbours. The operator's name stands in the file as plain bytes.
    """
    if session.get_inputs()[0].shape[0] == 1:
        return True
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(b"DynamicQuantize") >= 0


def _listed(tensors: Sequence[Any]) -> str:
    return ", ".join(f"{t.name} {t.type} {tuple(t.shape)}" for t in tensors) or "nothing"
