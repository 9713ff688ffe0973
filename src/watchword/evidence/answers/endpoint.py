"""A model behind an OpenAI-compatible server, asked for the probabilities of its first token.

A server lists the most probable tokens only. What is not listed is known within bounds; an answer
is given where they lie close together, and refused where they do not.
"""

from __future__ import annotations

import base64
import hashlib
import io
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.errors import AnswerError, MissingDependency
from watchword.evidence.answers.base import Clip, look
from watchword.evidence.answers.chat import introduced
from watchword.evidence.answers.posting import Retry, post_json
from watchword.evidence.answers.question import ORDERS, Question, ask

VERSION = "endpoint answers 1"
_TOP = 20
# Keeps log-odds finite where a server says that an answer is certain.
_CERTAIN = 1e-6
# A token can spell an answer with and without a space before it.
_SPELLINGS_PER_WORD = 2


@dataclass(frozen=True, slots=True)
class EndpointOptions:
    """Which server is asked, and how.

    Attributes:
        url: base of its interface, such as http://localhost:8000/v1.
        model: as the server calls it.
        key_env: environment variable that holds the key; "" sends none (default).
        pictures: of a clip that are sent (default: 8).
        edge: longest edge of a sent picture, in pixels (default: 512).
        quality: of its JPEG, 1 to 95 (default: 90).
        swap: ask with yes first and with no first, and average the two logits (default: yes).
        at_once: requests that are under way together (default: 4).
        tolerance: widest bounds, in probability, that still are an answer (default: 0.1).
        timeout_s: seconds a request may take (default: 60).
        retries: of a request that the server was too busy for (default: 4).
    """

    url: str
    model: str
    key_env: str = ""
    pictures: int = 8
    edge: int = 512
    quality: int = 90
    swap: bool = True
    at_once: int = 4
    tolerance: float = 0.1
    timeout_s: float = 60.0
    retries: int = 4

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"url is {self.url!r}, it must begin with http:// or https://")
        if not self.model:
            raise ValueError("model must name a model as the server calls it")
        for name in ("pictures", "edge", "at_once"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, it must be at least 1")
        if not 1 <= self.quality <= 95:
            raise ValueError(f"quality is {self.quality}, it must be from 1 to 95")
        if not 0 < self.tolerance <= 1:
            raise ValueError(f"tolerance is {self.tolerance}, it must be above 0 and at most 1")
        if self.timeout_s <= 0 or self.retries < 0:
            raise ValueError("timeout_s must be positive and retries at least 0")


class Endpoint:
    """A server that answers questions about clips.

    The server's weights cannot be seen from here: ``fingerprint`` is of its address and the model's
    name, and does not change when what lies behind them does.

    Args:
        options: which server, and how it is asked.

    Raises:
        MissingDependency: the variable that should hold the key is empty.
    """

    def __init__(self, options: EndpointOptions) -> None:
        self._options = options
        self._headers = _headers(options.key_env)
        self._address = options.url.rstrip("/") + "/chat/completions"
        self.name, self.pictures = options.model, options.pictures
        orders = ORDERS if options.swap else ORDERS[:1]
        self.batch_size = max(1, options.at_once // len(orders))
        self._orders = orders
        sent = (options.pictures, options.edge, options.quality, options.tolerance, len(orders))
        said = (VERSION, self._address, options.model, *map(str, sent))
        self.fingerprint = hashlib.sha256("\n".join(said).encode()).hexdigest()

    def answer(self, clips: Sequence[Clip], question: Question) -> NDArray[np.float32]:
        """(N,) probability of yes: the middle of its bounds.

        Raises:
            AnswerError: the server cannot be reached or refuses, lists no probabilities, names
                neither yes nor no, or leaves bounds wider than the tolerance.
        """
        bounds = self.bounds(clips, question)
        width = bounds[:, 1] - bounds[:, 0]
        if (width > self._options.tolerance).any():
            worst = int(width.argmax())
            low, high = bounds[worst]
            raise AnswerError(
                f"{self.name} answered beside yes and no: the probability lies somewhere from "
                f"{low:.2f} to {high:.2f}, wider than the tolerance {self._options.tolerance}; "
                "have the server list more tokens, put the question otherwise, or allow more"
            )
        return np.asarray(bounds.mean(axis=1), np.float32)

    def bounds(self, clips: Sequence[Clip], question: Question) -> NDArray[np.float64]:
        """(N,2) lowest and highest probability of yes that what the server lists allows."""
        if not clips:
            return np.zeros((0, 2))
        todo = [
            (clip, ask(question, order=order))
            for clip in (look(clip, self.pictures) for clip in clips)
            for order in self._orders
        ]
        with ThreadPoolExecutor(self._options.at_once) as pool:
            told = list(pool.map(lambda one: self._listed(*one), todo))
        each = np.array([yes_bounds(listed, question, self.name) for listed in told])
        odds = np.clip(each, _CERTAIN, 1 - _CERTAIN).reshape(len(clips), len(self._orders), 2)
        return np.asarray(1 / (1 + np.exp(-np.log(odds / (1 - odds)).mean(axis=1))))

    def _listed(self, clip: Clip, words: str) -> Mapping[str, float]:
        """Probability of each token that the server lists for the start of its answer."""
        options = self._options
        pictures = [_picture(one, options) for one in clip.pictures]
        content = [*pictures, {"type": "text", "text": introduced(words, clip)}]
        request = {
            "model": options.model,
            "messages": [{"role": "user", "content": content}],
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": True,
            "top_logprobs": _TOP,
        }
        retry = Retry(options.timeout_s, options.retries)
        return listed_tokens(post_json(self._address, request, self._headers, retry), self.name)


def listed_tokens(told: Any, who: str) -> dict[str, float]:
    """Probability by token of a completion's first token; AnswerError if it lists none."""
    try:
        listed = told["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        # Some servers list the chosen token twice; others write two tokens as the same text.
        unique = {(str(one["token"]), float(one["logprob"])) for one in listed}
        found: dict[str, float] = {}
        for token, logprob in unique:
            found[token] = found.get(token, 0.0) + math.exp(logprob)
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as exc:
        raise AnswerError(
            f"the server gave no token probabilities for {who}; it must support logprobs and "
            "top_logprobs for chat completions"
        ) from exc
    if not found or not all(0 <= share <= 1.001 for share in found.values()):
        raise AnswerError(f"the server's token probabilities for {who} are none: {found}")
    return found


def yes_bounds(listed: Mapping[str, float], question: Question, who: str) -> tuple[float, float]:
    """Lowest and highest probability of yes against no that a list of tokens allows.

    A token that is not listed is at most as probable as the last listed one, and all of them
    together at most what the listed ones leave.

    Raises:
        AnswerError: neither yes nor no is listed.
    """
    left = max(0.0, 1 - sum(listed.values()))
    last = min(listed.values())
    sums, hidden = [], []
    for words in (question.yes, question.no):
        shares = [share for token, share in listed.items() if token.strip() in words]
        sums.append(sum(shares))
        missing = max(0, _SPELLINGS_PER_WORD * len(words) - len(shares))
        hidden.append(min(left, missing * last))
    (yes, no), (more_yes, more_no) = sums, hidden
    if not yes + no:
        top = ", ".join(repr(token) for token in sorted(listed, key=listed.__getitem__)[::-1][:5])
        raise AnswerError(
            f"{who} named neither {question.yes[0]} nor {question.no[0]}: its most probable tokens "
            f"are {top}; it may write its thoughts first: switch that off, or ask otherwise"
        )
    return yes / (yes + no + more_no), (yes + more_yes) / (yes + more_yes + no)


def _picture(pixels: NDArray[np.uint8], options: EndpointOptions) -> dict[str, Any]:
    """A picture as a chat message holds it: a JPEG in the address itself."""
    from PIL import Image

    image = Image.fromarray(pixels)
    image.thumbnail((options.edge, options.edge), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=options.quality)
    content = base64.b64encode(file.getvalue()).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{content}"}}


def _headers(key_env: str) -> dict[str, str]:
    if not key_env:
        return {}
    key = os.environ.get(key_env, "").strip()
    if not key:
        raise MissingDependency(
            f"the server's key (environment variable {key_env})", f"export {key_env}=..."
        )
    return {"Authorization": f"Bearer {key}"}
