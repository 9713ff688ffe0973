"""CLIP scores of many pairs, taken batch by batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.encoders.base import Encoder, encode_images
from watchword.evaluation.metrics.clipscore import PREFIX, TOP_K, all_definitions, cosines
from watchword.evaluation.metrics.consistency import unit_directions

Floats = NDArray[np.float64]


class ClipScoreMetric:
    """Every definition of the CLIP score over pairs of a picture and a text, for training loops.

    ``update`` takes a batch, ``compute`` gives all definitions over the pairs so far, ``merge``
    joins what two processes have counted, ``reset`` starts anew. It keeps up to four numbers a
    pair. Arrays may be numpy's or anything that numpy can read; tensors of torch are detached and
    brought to the CPU, without torch being imported here.

    With an encoder it also takes pictures and sentences, and then adds the published definitions
    by putting the prefix before the sentences.

    Args:
        encoder: what turns pictures and sentences into vectors; None takes vectors only.
        prefix: put before each sentence for the definitions that have one; None leaves them out.
        logit_scale: the factor itself; with an encoder, 1 / its temperature if not said.
        truncate: whether sentences that are too long for the encoder are cut, keeping the end
            token, instead of being an error.
        top_k: how many pairs the mean of the highest takes.
    """

    def __init__(
        self,
        encoder: Encoder | None = None,
        *,
        prefix: str | None = PREFIX,
        logit_scale: float | None = None,
        truncate: bool = False,
        top_k: int = TOP_K,
    ) -> None:
        if logit_scale is None and encoder is not None:
            logit_scale = 1 / encoder.scale.temperature
        self._encoder = encoder
        self._prefix = prefix
        self._logit_scale = logit_scale
        self._truncate = truncate
        self._top_k = top_k
        self._batches: list[dict[str, Floats]] = []
        # A faulty setting is told here, not after an epoch.
        self._definitions({"cosines": np.empty(0)})

    @property
    def pairs(self) -> int:
        """Pairs that were measured."""
        return sum(int((~np.isnan(batch["cosines"])).sum()) for batch in self._batches)

    @property
    def left_out(self) -> int:
        """Pairs whose picture or text was not measured (a row of NaN)."""
        return sum(len(batch["cosines"]) for batch in self._batches) - self.pairs

    def update(
        self, images: Any, texts: Any, *, prefixed: Any = None, references: Any = None
    ) -> None:
        """Take pairs: picture i with text i; a single text goes with all pictures.

        Args:
            images: vectors (N,D), NaN where not measured; with an encoder also pictures, uint8 RGB,
                (N,H,W,3) or (N,3,H,W).
            texts: vectors (N,D) or (1,D); with an encoder also sentences, or one.
            prefixed: vectors of the texts with the prefix; of sentences they are made here.
            references: vectors (N,R,D) of each text's reference texts, rows of NaN where it has
                fewer than R; with an encoder also N sequences of sentences. Of vectors they give
                the definition without prefix, of sentences both.

        Raises:
            ValueError: shapes that do not fit, no pair, or references or prefixed texts in some
                batches only.
            TypeError: sentences or pictures without an encoder, or pictures that are not uint8.
            PromptError: a sentence is too long for the encoder.
        """
        rows = self._image_vectors(images)
        bare = self._text_vectors(texts, "")
        batch = {"cosines": _paired(rows, bare, "texts")}
        if references is not None:
            nearest = _nearest(bare, self._reference_vectors(references, ""))
            batch["references"] = np.broadcast_to(nearest, len(rows))
        if prefixed is None and self._prefix is not None and _is_text(texts):
            prefixed = self._text_vectors(texts, self._prefix)
            if references is not None and _holds_text(references):
                nearest = _nearest(prefixed, self._reference_vectors(references, self._prefix))
                batch["prefixed_references"] = np.broadcast_to(nearest, len(rows))
        if prefixed is not None:
            batch["prefixed"] = _paired(rows, self._text_vectors(prefixed, ""), "prefixed")
        self._refuse_mixture(batch)
        # What does not go together is told with the batch that brings it, not at the end.
        self._definitions(batch)
        self._batches.append(batch)

    def compute(self) -> dict[str, float | None]:
        """Every definition by name over the pairs so far; None where what it needs is missing.

        Pairs have no order, so the consistencies of videos are None.
        """
        if not self._batches:
            return self._definitions({"cosines": np.empty(0)})
        names = self._batches[0]
        return self._definitions(
            {name: np.concatenate([batch[name] for batch in self._batches]) for name in names}
        )

    def reset(self) -> None:
        """Forget all pairs."""
        self._batches.clear()

    def merge(self, other: ClipScoreMetric) -> None:
        """Take over the pairs of another metric of the same settings; the other keeps its own.

        Raises:
            ValueError: other settings, another encoder, or references on one side only.
        """
        if self._settings() != other._settings():
            raise ValueError(
                f"settings differ: {self._settings()} here, {other._settings()} in the other"
            )
        for batch in other._batches[:1]:
            self._refuse_mixture(batch)
        self._batches.extend(other._batches)

    def _settings(self) -> dict[str, object]:
        return {
            "encoder": None if self._encoder is None else self._encoder.fingerprint,
            "prefix": self._prefix,
            "logit_scale": self._logit_scale,
            "truncate": self._truncate,
            "top_k": self._top_k,
        }

    def _definitions(self, held: dict[str, Floats]) -> dict[str, float | None]:
        return all_definitions(
            held["cosines"],
            prefixed=held.get("prefixed"),
            references=_column(held.get("references")),
            prefixed_references=_column(held.get("prefixed_references")),
            logit_scale=self._logit_scale,
            top_k=self._top_k,
        )

    def _refuse_mixture(self, batch: dict[str, Floats]) -> None:
        first = self._batches[0] if self._batches else batch
        if first.keys() != batch.keys():
            raise ValueError(
                f"these pairs give {', '.join(batch)}; those before gave {', '.join(first)}; give "
                "the same for all, or reset first"
            )

    def _image_vectors(self, images: Any) -> Floats:
        array = _array(images)
        if array.ndim != 4:
            return _vectors(array, "images")
        if array.dtype != np.uint8:
            raise TypeError(f"pictures are {array.dtype}, they must be uint8 RGB (0 to 255)")
        if array.shape[3] != 3:
            array = np.moveaxis(array, 1, 3)
        if array.shape[3] != 3:
            raise ValueError("pictures must be (N,H,W,3) or (N,3,H,W)")
        vectors = encode_images(self._needed_encoder(), np.ascontiguousarray(array))
        return np.asarray(vectors, np.float64)

    def _text_vectors(self, texts: Any, prefix: str) -> Floats:
        if not _is_text(texts):
            return _vectors(_array(texts), "texts")
        sentences = [texts] if isinstance(texts, str) else texts
        return (
            self._needed_encoder()
            .encode_texts([prefix + text for text in sentences], truncate=self._truncate)
            .astype(np.float64)
        )

    def _reference_vectors(self, references: Any, prefix: str) -> list[Floats]:
        """For each text the vectors (R,D) of its references."""
        if _holds_text(references):
            if not all(references):
                raise ValueError("a text has no reference; give each one, or give none at all")
            return [self._text_vectors(sentences, prefix) for sentences in references]
        table = _array(references)
        if table.ndim != 3:
            raise ValueError(f"references have shape {table.shape}, they must be (N, R, D)")
        return [_vectors(own, "references") for own in table]

    def _needed_encoder(self) -> Encoder:
        if self._encoder is None:
            raise TypeError("pictures and sentences need an encoder; give one, or give vectors")
        return self._encoder


def _column(nearest: Floats | None) -> Floats | None:
    return None if nearest is None else nearest[:, None]


def _is_text(texts: Any) -> bool:
    return isinstance(texts, str) or (
        isinstance(texts, (list, tuple)) and bool(texts) and isinstance(texts[0], str)
    )


def _holds_text(references: Any) -> bool:
    return isinstance(references, (list, tuple)) and any(_is_text(own) for own in references)


def _array(values: Any) -> NDArray[Any]:
    """Values as an array; a tensor is taken off its graph and its device first."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        if values.is_floating_point():
            values = values.double()  # numpy knows no bfloat16
    return np.asarray(values)


def _vectors(array: NDArray[Any], what: str) -> Floats:
    if array.ndim != 2 or not np.issubdtype(array.dtype, np.floating):
        raise ValueError(
            f"{what} are {array.dtype} of shape {array.shape}; vectors (N, D) are needed"
        )
    return np.asarray(array, np.float64)


def _paired(images: Floats, texts: Floats, what: str) -> Floats:
    """Cosine of each picture with its own text (N,)."""
    if not len(images) or len(texts) not in (1, len(images)) or images.shape[1] != texts.shape[1]:
        raise ValueError(
            f"images have shape {images.shape} and {what} {texts.shape}; (N, D) and (N, D) or "
            "(1, D) are needed, N of 1 or more"
        )
    rows, columns = unit_directions(images, "images"), unit_directions(texts, what)
    paired: Floats = np.einsum("nd,nd->n", rows, columns)
    return np.clip(paired, -1.0, 1.0)


def _nearest(texts: Floats, references: list[Floats]) -> Floats:
    """Of each text the highest cosine with one of its own references (M,)."""
    if len(references) != len(texts):
        raise ValueError(f"{len(references)} lists of references for {len(texts)} texts")
    pairs = zip(texts, references, strict=True)
    nearest = [float(np.fmax.reduce(cosines(text[None], own)[0])) for text, own in pairs]
    return np.array(nearest, np.float64)
