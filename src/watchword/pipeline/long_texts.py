"""Sentences into vectors, however long: refused, cut with an announcement, or averaged by parts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from watchword.encoders.base import Encoder, unit_rows
from watchword.errors import PromptError

Long = Literal["error", "truncate", "chunks"]
LONG: tuple[Long, ...] = ("error", "truncate", "chunks")

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def encode_text(
    encoder: Encoder, text: str, *, long: Long = "error", prefix: str = ""
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """The unit vector (D,) of a text after a prefix, and what was done to make it fit.

    Args:
        encoder: with its limit of tokens.
        text: of any length.
        long: what becomes of a text with more tokens than the model takes: ``error`` refuses it,
            ``truncate`` keeps its beginning and the end token, ``chunks`` cuts it between
            sentences, or between words where a sentence is too long, into parts that fit. The
            vector is then the mean of the parts' unit vectors, weighted by their tokens without
            start and end, and scaled to unit length.
        prefix: stands before the text, and before every part of it.

    Raises:
        PromptError: the text is empty, or too long and may not be cut.
    """
    if long not in LONG:
        raise ValueError(f"long is {long!r}, it must be one of {', '.join(LONG)}")
    if not text.strip():
        raise PromptError("a text is empty; say what to compare with")
    used, allowed = encoder.count_tokens(prefix + text)
    if used <= allowed:
        return encoder.encode_texts([prefix + text])[0], ()
    if long == "error":
        raise PromptError(
            f"{_brief(prefix + text)} has {used} tokens, the model takes {allowed}; shorten it, or "
            "allow truncate or chunks (--long, or long= in Python)"
        )
    if long == "truncate":
        note = (
            f"{_brief(prefix + text)} has {used} tokens, the model takes {allowed}: cut after "
            f"{allowed}, the end token kept; the last {used - allowed} play no part"
        )
        return encoder.encode_texts([prefix + text], truncate=True)[0], (note,)
    parts = pieces(text, lambda part: encoder.count_tokens(prefix + part)[0] <= allowed)
    marks = encoder.count_tokens("")[0]
    weights = np.array([encoder.count_tokens(part)[0] - marks for part in parts], np.float64)
    vectors = encoder.encode_texts([prefix + part for part in parts]).astype(np.float64)
    mean = unit_rows((weights @ vectors / weights.sum())[None], "the mean of a long text's parts")
    note = (
        f"{_brief(prefix + text)} has {used} tokens, the model takes {allowed}: the mean of "
        f"{len(parts)} parts stands for it, weighted by their tokens"
    )
    return mean[0], (note,)


def pieces(text: str, fits: Callable[[str], bool]) -> tuple[str, ...]:
    """The text in parts that fit, as few as its sentences allow; no word is left out.

    Raises:
        PromptError: a single word does not fit.

    >>> pieces("One two. Three four five. Six.", lambda part: len(part.split()) <= 3)
    ('One two.', 'Three four five.', 'Six.')
    """
    parts: list[str] = []
    for sentence in _SENTENCE_END.split(text.strip()):
        for unit in [sentence] if fits(sentence) else sentence.split():
            joined = f"{parts[-1]} {unit}" if parts else unit
            if parts and fits(joined):
                parts[-1] = joined
            elif fits(unit):
                parts.append(unit)
            else:
                raise PromptError(
                    f"the word {_brief(unit)} alone has more tokens than the model takes; "
                    "break it up"
                )
    return tuple(parts)


def _brief(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:40]} ... {text[-12:]}")
