"""An encoder that knows eight colours, for tests and documentation: the same everywhere."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from watchword.encoders.base import ScoreScale, Seen, unit_rows
from watchword.encoders.images import square
from watchword.encoders.specs import CATALOG
from watchword.errors import PromptError

CONTEXT = 77
_SPEC = CATALOG["fake"]
_DIM = 64

COLOURS = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "grey": (128, 128, 128),
    "gray": (128, 128, 128),
}


def _noise(word: str, dim: int) -> NDArray[np.float64]:
    """A fixed direction for a word, unit length."""
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "little")
    drawn = np.random.default_rng(seed).standard_normal(dim)
    return np.asarray(drawn / np.linalg.norm(drawn))


# The colours' corners of the cube, and one direction each: a picture is spread over the corners by
# how near its mean colour is to each.
_PALETTE = {name: rgb for name, rgb in COLOURS.items() if name != "gray"}
_CORNERS = np.array(list(_PALETTE.values()), np.float64) / 255
_DIRECTIONS = np.linalg.qr(np.stack([_noise(f"colour {name}", _DIM) for name in _PALETTE], axis=1))[
    0
].T


def _colour_vectors(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    distance = np.linalg.norm(colours[:, None, :] - _CORNERS[None], axis=2)
    return np.asarray(np.exp(-6 * distance) @ _DIRECTIONS)


class FakeEncoder:
    """Pictures by their mean colour, sentences by the colour words in them; maps are the colours.

    >>> encoder = FakeEncoder()
    >>> red = np.full((1, 16, 16, 3), (255, 0, 0), np.uint8)
    >>> picture = encoder.embed_images(encoder.prepare(red))
    >>> red, blue = encoder.encode_texts(["a red picture", "a blue picture"]) @ picture[0]
    >>> bool(red > 0.8), bool(blue < 0.2)
    (True, True)
    """

    name = "fake"
    dim = _DIM
    feature_dim: int | None = None
    map_shape: tuple[int, int, int] | None = (3, 16, 16)
    fingerprint = "fake-1"
    notice = _SPEC.notice
    scale = ScoreScale()
    device = "cpu"
    batch_size = 16
    picture_size = None

    def prepare(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N,3,16,16) float32 in 0 to 1 of pictures (N,H,W,3) uint8."""
        small = square(pixels, _SPEC.preprocessing)
        return np.ascontiguousarray(small.transpose(0, 3, 1, 2), np.float32) / np.float32(255)

    def see(self, prepared: NDArray[np.float32], *, maps: bool = False) -> Seen:
        """Vectors (N,64) by mean colour, maps (N,3,16,16) of the colours; no features."""
        means = prepared.mean(axis=(2, 3), dtype=np.float64)
        vectors = unit_rows(_colour_vectors(means), "fake (pictures)")
        return Seen(vectors, maps=prepared if maps else None)

    def embed_images(self, prepared: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unit rows (N,64) by mean colour."""
        return self.see(prepared).vectors

    def encode_texts(self, texts: Sequence[str], *, truncate: bool = False) -> NDArray[np.float32]:
        """Unit rows (N,64): colour words, with a third as much of every other word's direction.

        Raises:
            PromptError: a sentence is longer than 77 tokens and ``truncate`` is off.
        """
        rows = [self._sentence(text, truncate=truncate) for text in texts]
        return unit_rows(np.stack(rows) if rows else np.zeros((0, _DIM)), "fake (sentences)")

    def count_tokens(self, text: str) -> tuple[int, int]:
        """(words plus start and end, 77)."""
        return len(_words(text)) + 2, CONTEXT

    def _sentence(self, text: str, *, truncate: bool) -> NDArray[np.float64]:
        used, allowed = self.count_tokens(text)
        if used > allowed and not truncate:
            raise PromptError(
                f"{text!r} has {used} tokens, the model takes {allowed}; shorten the sentence"
            )
        words = _words(text)[: allowed - 2]
        colours = np.array([COLOURS[word] for word in words if word in COLOURS], np.float64)
        others = [_noise(word, _DIM) for word in words if word not in COLOURS]
        rest = np.sum(others, axis=0) if others else _noise("", _DIM)
        if not len(colours):
            return np.asarray(rest)
        named = _colour_vectors(colours / 255).sum(axis=0)
        return np.asarray(
            named / np.linalg.norm(named) + 0.33 * rest / max(1.0, float(np.linalg.norm(rest)))
        )


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
