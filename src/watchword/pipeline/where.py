"""Where in the picture the words of events are: their pictures looked at again, place by place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from watchword.config import Config
from watchword.encoders.base import Encoder
from watchword.encoders.dense import place_encoder
from watchword.errors import ConfigError
from watchword.evidence.dense import words_heat
from watchword.evidence.words import PromptVectors, ScoreOptions
from watchword.places import Heat
from watchword.types import Event, PromptBank, Scores
from watchword.video.reader import VideoStream

# Times from different arithmetic differ in their last digits; no video clock is finer than this.
TOLERANCE_S = 1e-6


def check_where(encoder: Encoder, config: Config, *, bank: PromptBank | None) -> None:
    """Nothing, if it can be told where words are; said before a video is read.

    Raises:
        ConfigError: there are no sentences, or windows are not single pictures.
        EncoderError: the encoder gives vectors of whole pictures only.
    """
    place_encoder(encoder)
    if bank is None:
        raise ConfigError("evidence.where shows where sentences are, and there are none")
    if config.windows.length != 1 or config.windows.stride != 1:
        raise ConfigError(
            f"evidence.where looks at single pictures; windows.length is {config.windows.length} "
            f"and windows.stride {config.windows.stride}, both must be 1"
        )


def words_where(
    stream: VideoStream,
    encoder: Encoder,
    prompts: PromptVectors,
    events: Sequence[Event],
    scores: Scores,
    options: ScoreOptions,
) -> Heat | None:
    """Where the words of each event are, in the windows of the scores; None without an event.

    Where events overlap, it is the one with the highest score. Windows outside events are not
    looked at: NaN.

    Args:
        stream: the video, from its beginning, with the pictures that the scores are of.
        encoder: of the prompts.
        prompts: the bank as vectors.
        events: what was found.
        scores: what it was found in, a picture a window.
        options: how the cosines of a label's sentences are pooled.

    Raises:
        EncoderError: the encoder gives vectors of whole pictures only.
    """
    places = place_encoder(encoder)
    label_at = _labels(events, scores)
    seen = places.seen_part(stream.info.width, stream.info.height)
    found: NDArray[np.float16] | None = None
    for frames in stream:
        at = np.searchsorted(scores.edges_s, frames.pts_s + TOLERANCE_S, side="right") - 1
        wanted = np.array([label_at[i] is not None for i in at], bool)
        if not wanted.any():
            continue
        vectors = places.embed_places(encoder.prepare(frames.pixels[wanted]))
        for window, vector in zip(at[wanted], vectors, strict=True):
            label = label_at[window]
            assert label is not None
            edges = scores.edges_s[window : window + 2]
            heat = words_heat(vector[None], edges, prompts, label=label, options=options, seen=seen)
            if found is None:
                found = np.full((len(scores), *heat.values.shape[1:]), np.nan, np.float16)
            found[window] = heat.values[0]
    if found is None:
        return None
    return Heat(found, scores.edges_s, "cosine", f"{encoder.name} places")


def _labels(events: Sequence[Event], scores: Scores) -> list[str | None]:
    """The label of the strongest event in each window."""
    labels: list[str | None] = [None] * len(scores)
    starts = scores.edges_s[:-1]
    for event in sorted(events, key=lambda event: event.score):
        inside = (starts >= event.start_s - TOLERANCE_S) & (starts < event.end_s - TOLERANCE_S)
        for i in np.flatnonzero(inside):
            labels[i] = event.label
    return labels
