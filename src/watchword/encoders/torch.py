"""Encoders that run in PyTorch: any CLIP or SigLIP dual encoder that transformers loads.

For GPUs and for training. Weights come from safetensors only and no code from a repository is run.
Pictures and sentences are prepared exactly as for the ONNX backend.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.encoders.base import Seen, unit_rows
from watchword.encoders.dense import seen_part, unit_places
from watchword.encoders.dense_torch import place_shape, see_places
from watchword.encoders.directory import read_json
from watchword.encoders.images import VERSION, prepare
from watchword.encoders.specs import EncoderSpec
from watchword.encoders.tokenizers import TextTokens, read_tokenizer
from watchword.errors import EncoderError, MissingDependency, ModelFileError
from watchword.places import Part

# config.json's model_type: the class of transformers that loads it.
MODELS = {"clip": "CLIPModel", "siglip": "SiglipModel", "metaclip_2": "MetaClip2Model"}
_PRECISIONS = ("float32", "float16", "bfloat16")
_BATCH = {"cpu": 8, "cuda": 64}
_TEXT_BATCH = 64


def load_model(directory: Path) -> Any:
    """The transformers model in a directory, in float32 on the CPU, ready to be asked.

    Raises:
        MissingDependency: torch or transformers is not installed.
        ModelFileError: the directory holds another kind of model, or weights that do not fit.
    """
    try:
        import transformers
    except ImportError as exc:
        raise MissingDependency("the torch backend", "pip install 'watchword[torch]'") from exc
    kind = read_json(directory / "config.json").get("model_type")
    if kind not in MODELS:
        raise ModelFileError(
            f"{directory / 'config.json'} says model_type {kind!r}; the torch backend loads "
            f"{', '.join(MODELS)}"
        )
    try:
        with _no_progress_bars():
            model, report = getattr(transformers, MODELS[kind]).from_pretrained(
                directory,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except Exception as exc:
        raise ModelFileError(f"{directory} cannot be loaded: {exc}") from exc
    # transformers fills what is missing with random numbers and only warns.
    if report["missing_keys"]:
        missing = ", ".join(sorted(report["missing_keys"])[:5])
        raise ModelFileError(f"{directory} lacks weights: {missing}; fetch it again")
    return model.float().eval()


@contextmanager
def _no_progress_bars() -> Iterator[None]:
    """Keeps transformers from drawing on the terminal, and leaves its switch as it was."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


class TorchEncoder:
    """A dual encoder in PyTorch; ``model`` is the transformers model, for training.

    Args:
        directory: where config.json, model.safetensors and the tokenizer lie.
        spec: what the model is said to be.
        digest: sha256 of a file.
        device: cpu or cuda.
        precision: auto (float32), float32, float16 or bfloat16.
        threads: on a CPU; None leaves torch's own choice. It holds for the whole process.

    Raises:
        MissingDependency: torch, transformers or a CUDA device is not there.
        ModelFileError: the directory holds another kind of model, or damaged weights.
    """

    def __init__(
        self,
        directory: Path,
        *,
        spec: EncoderSpec,
        digest: Callable[[Path], str],
        device: str = "cpu",
        precision: str = "auto",
        threads: int | None = None,
    ) -> None:
        if device not in _BATCH:
            raise ValueError(f"device is {device!r}, the torch backend runs on cpu or cuda")
        kind = "float32" if precision == "auto" else precision
        if kind not in _PRECISIONS:
            raise ValueError(
                f"precision is {kind!r}, the torch backend takes {', '.join(_PRECISIONS)}"
            )
        self.model = load_model(directory)
        self._torch = _torch(device, threads)
        self.name, self.notice, self.scale = spec.name, spec.notice, spec.scale
        self.batch_size = _BATCH[device]
        # The model's own preprocessing scales: a reader's scaler would give other pixels.
        self.picture_size: tuple[int, int] | None = None
        self.feature_dim: int | None = None
        self.map_shape: tuple[int, int, int] | None = None
        self._spec, self.device = spec, device
        self.model.to(device=device, dtype=getattr(self._torch, kind))
        tokenizer, tokenizer_files = read_tokenizer(directory)
        self._tokens = TextTokens(tokenizer, spec.text)
        self.dim = self._check(directory)
        self.place_shape = place_shape(self.model)
        weights = (*sorted(directory.glob("*.safetensors")), *tokenizer_files)
        parts = (
            *(digest(file) for file in weights),
            digest(directory / "config.json"),
            VERSION,
            repr(spec.preprocessing),
            repr(spec.text),
            f"torch {kind} {device}",
        )
        self.fingerprint = hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def tokens(self) -> TextTokens:
        """How sentences become numbers, for training through the text tower."""
        return self._tokens

    def prepare(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Model input (N,3,S,S) float32 of pictures (N,H,W,3) uint8 RGB."""
        return prepare(pixels, self._spec.preprocessing)

    def see(self, prepared: NDArray[np.float32], *, maps: bool = False) -> Seen:  # noqa: ARG002
        """Vectors of prepared pictures: these models have neither features nor maps."""
        return Seen(self.embed_images(prepared))

    def embed_images(self, prepared: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unit rows (N,D) of prepared pictures; EncoderError if the model gives NaN."""
        step = self.batch_size
        parts = [
            self._vectors("get_image_features", pixel_values=prepared[at : at + step])
            for at in range(0, len(prepared), step)
        ]
        if not parts:
            return np.zeros((0, self.dim), np.float32)
        return unit_rows(np.concatenate(parts), f"{self.name} (pictures)")

    def seen_part(self, width: int, height: int) -> Part:
        """The part of a picture of that size that the places cover."""
        return seen_part(self._spec.preprocessing, width, height)

    def embed_places(self, prepared: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unit rows (N,h,w,D) of prepared pictures; EncoderError if the model gives NaN."""
        step = self.batch_size
        parts = [
            self._run(self._places, pixel_values=prepared[at : at + step])
            for at in range(0, len(prepared), step)
        ]
        if not parts:
            return np.zeros((0, *self.place_shape, self.dim), np.float32)
        return unit_places(np.concatenate(parts), f"{self.name} (places)")

    def encode_texts(self, texts: Sequence[str], *, truncate: bool = False) -> NDArray[np.float32]:
        """Unit rows (N,D) of sentences; PromptError if one is too long and not ``truncate``."""
        rows = np.zeros((len(texts), self.dim), np.float32)
        for batch in self._tokens.batches(texts, limit=_TEXT_BATCH, truncate=truncate):
            rows[list(batch.rows)] = self._vectors("get_text_features", input_ids=batch.ids)
        return unit_rows(rows, f"{self.name} (sentences)")

    def count_tokens(self, text: str) -> tuple[int, int]:
        """(tokens of the sentence including start and end, tokens the model can take)."""
        return self._tokens.count(text)

    def _vectors(self, method: str, **inputs: NDArray[Any]) -> NDArray[np.float32]:
        return self._run(getattr(self.model, method), **inputs)

    def _places(self, pixel_values: Any) -> Any:
        return see_places(self.model, pixel_values)[1]

    def _run(self, ask: Callable[..., Any], **inputs: NDArray[Any]) -> NDArray[np.float32]:
        torch = self._torch
        tensors = {name: torch.from_numpy(np.array(values)) for name, values in inputs.items()}
        moved = {
            name: tensor.to(self.device, self.model.dtype if tensor.is_floating_point() else None)
            for name, tensor in tensors.items()
        }
        try:
            with torch.inference_mode():
                answer = ask(**moved)
        except (RuntimeError, ValueError) as exc:
            shapes = ", ".join(f"{name} {values.shape}" for name, values in inputs.items())
            raise EncoderError(f"{self.name} failed on {shapes}: {exc}") from exc
        # transformers 5 wraps the vectors; their name for the projected ones is pooler_output.
        vectors = getattr(answer, "pooler_output", answer)
        return np.asarray(vectors.float().cpu().numpy(), np.float32)

    def _check(self, directory: Path) -> int:
        """D, found by asking both towers; ModelFileError if the files do not fit together."""
        size = self._spec.preprocessing.image_size
        try:
            width = self._vectors(
                "get_image_features", pixel_values=np.zeros((1, 3, size, size), np.float32)
            ).shape[1]
            (batch,) = self._tokens.batches(["a"], limit=1)
            other = self._vectors("get_text_features", input_ids=batch.ids).shape[1]
        except (EncoderError, IndexError) as exc:
            raise ModelFileError(
                f"{directory}: model, preprocessing and tokenizer do not fit together: {exc}"
            ) from exc
        if width != other or self._spec.dim not in (None, width):
            raise ModelFileError(
                f"{directory}: pictures have width {width}, sentences {other}, "
                f"config.json says {self._spec.dim}"
            )
        return int(width)


def _torch(device: str, threads: int | None) -> Any:
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise MissingDependency(
            "a CUDA device that this torch can use",
            "pip install torch --index-url of your CUDA version (see pytorch.org), and a driver",
        )
    if threads is not None and device == "cpu":
        torch.set_num_threads(threads)
    return torch
