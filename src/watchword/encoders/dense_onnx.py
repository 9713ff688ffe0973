"""Vectors of places from ONNX graphs: an output of the picture graph, or nodes kept beside it.

A graph made with places has the output ``place_embeds`` (batch, h, w, D). The built-in model keeps
the nodes for it in ``places.onnx``, without weights: the bytes of the two files, one after the
other, are one graph, since ONNX files are protocol buffers and those merge when joined
(protobuf.dev, "Encoding", on fields that stand twice). It is opened when first asked, and the
picture graph itself stays as quick as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.encoders.dense import unit_places
from watchword.errors import EncoderError, ModelFileError

PLACE_OUTPUT = "place_embeds"
ADDED_NODES = "places.onnx"


class PlaceGraph:
    """Where a picture graph's vectors of places come from, if it has any.

    Args:
        vision: the picture graph's file.
        session: the graph, loaded.
        load: gives a session of a graph's bytes.
        name: of the model, for messages.
        dim: D, the width of its vectors.
    """

    def __init__(
        self, vision: Path, session: Any, *, load: Callable[[bytes], Any], name: str, dim: int
    ) -> None:
        self._vision, self._load, self._name, self._dim = vision, load, name, dim
        self._session: Any = session if _output(session) else None
        self._added = vision.with_name(ADDED_NODES)
        self._lock = Lock()

    @property
    def shape(self) -> tuple[int, int] | None:
        """(h,w) of the grid of places; None if the graph gives whole pictures only.

        Raises:
            ModelFileError: the output for places is not (batch, h, w, width) with h and w fixed.
        """
        session = self._open()
        if session is None:
            return None
        told = _output(session).shape
        if len(told) != 4 or not all(isinstance(side, int) for side in told[1:3]):
            raise ModelFileError(
                f"{self._vision} gives {PLACE_OUTPUT} {told}; (batch, h, w, {self._dim}) is needed"
            )
        return told[1], told[2]

    def embed(
        self, prepared: NDArray[np.float32], *, step: int, pool: Executor
    ) -> NDArray[np.float32]:
        """Unit rows (N,h,w,D) of prepared pictures, run ``step`` at a time on the pool.

        Raises:
            EncoderError: the graph has no places, fails, or gives NaN.
        """
        if self.shape is None:
            raise EncoderError(
                f"{self._name} gives no {PLACE_OUTPUT}; make the graphs with "
                "`watchword models export MODEL FOLDER --places`"
            )
        if not len(prepared):
            return np.zeros((0, *self.shape, self._dim), np.float32)
        parts = [prepared[at : at + step] for at in range(0, len(prepared), step)]
        return unit_places(
            np.concatenate(list(pool.map(self._run, parts))), f"{self._name} (places)"
        )

    def _open(self) -> Any:
        with self._lock:
            if self._session is None and self._added.is_file():
                graph = self._vision.read_bytes() + self._added.read_bytes()
                session = self._load(graph)
                if _output(session) is None:
                    raise ModelFileError(f"{self._added} adds no {PLACE_OUTPUT}; fetch it again")
                self._session = session
            return self._session

    def _run(self, part: NDArray[np.float32]) -> NDArray[np.float32]:
        session = self._session
        (told,) = session.get_inputs()
        kind = np.float16 if told.type == "tensor(float16)" else np.float32
        try:
            (vectors,) = session.run([PLACE_OUTPUT], {told.name: part.astype(kind, copy=False)})
        except Exception as exc:
            raise EncoderError(f"{self._name} failed on {part.shape}: {exc}") from exc
        return np.asarray(vectors, np.float32)


def _output(session: Any) -> Any:
    return next((one for one in session.get_outputs() if one.name == PLACE_OUTPUT), None)
