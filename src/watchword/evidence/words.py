"""How strongly each label speaks in each window: sentences weighed against pictures.

Per label, the cosines of its event sentences are pooled to u⁺ and those of the normal sentences
that serve it to u⁻; a kind of score is a formula over the two:

=========== ==================================================== ===========================
kind        formula                                              source
=========== ==================================================== ===========================
contrast    sigmoid((alpha·u⁺ − u⁻) / tau)                       NOVA, arXiv 2609.06360
margin      u⁺ − u⁻                                              best minus best: pool "max"
cosine      u⁺                                                   CLIP, arXiv 2103.00020
probability exp(u⁺/t) / (Σ over labels exp(u⁺/t) + exp(u⁻/t))    CLIP's zero-shot softmax
=========== ==================================================== ===========================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from watchword.errors import KindMismatch, PromptError
from watchword.types import Embeddings, PromptBank, Role, Scores

WordKind = Literal["contrast", "margin", "cosine", "probability"]
Pool = Literal["top_share", "max"]
EncodeTexts = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """How sentences and pictures become scores.

    Attributes:
        kind: contrast, margin, cosine or probability, as the table above says.
        pool: how a label's cosines become one: "top_share" is the mean of the highest, weighted by
            the sentences' weights; "max" is the highest alone, whatever its weight.
        top_share: share of a label's sentences that "top_share" takes, in (0, 1]; their number is
            rounded half down, at least one (NOVA: 0.5), so that of up to three sentences the best
            one speaks alone.
        alpha: factor of u⁺ in contrast; None is the encoder's own.
        tau: cosine that makes one unit of the sigmoid in contrast; None is the encoder's own.
        temperature: cosine that makes one unit of the softmax; None is the encoder's own.
    """

    kind: WordKind = "contrast"
    pool: Pool = "top_share"
    top_share: float = 0.5
    alpha: float | None = None
    tau: float | None = None
    temperature: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("contrast", "margin", "cosine", "probability"):
            raise ValueError(
                f"kind is {self.kind!r}, it must be contrast, margin, cosine or probability"
            )
        if self.pool not in ("top_share", "max"):
            raise ValueError(f"pool is {self.pool!r}, it must be top_share or max")
        if not 0 < self.top_share <= 1:
            raise ValueError(f"top_share is {self.top_share}, it must lie in (0, 1]")
        for name in ("alpha", "tau", "temperature"):
            _positive(name, getattr(self, name))


@dataclass(frozen=True, slots=True, eq=False)
class PromptVectors:
    """A bank and its sentences as unit vectors (P,D), a row for each of ``bank.texts``."""

    bank: PromptBank
    vectors: NDArray[np.float32]

    def __post_init__(self) -> None:
        vectors = np.array(self.vectors, np.float32, order="C")
        if vectors.ndim != 2 or len(vectors) != len(self.bank.texts):
            raise ValueError(
                f"vectors have shape {vectors.shape}, the bank has {len(self.bank.texts)} sentences"
            )
        if not np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3):
            raise ValueError("every row of vectors must have unit length")
        vectors.flags.writeable = False
        object.__setattr__(self, "vectors", vectors)

    def __repr__(self) -> str:
        return f"PromptVectors({self.bank.name!r}, vectors={self.vectors.shape})"


def text_bank(bank: PromptBank, encode: EncodeTexts) -> PromptVectors:
    """The bank's sentences as vectors: each the mean over the templates, at unit length again.

    Args:
        bank: sentences and templates.
        encode: gives unit rows (N,D) of N sentences, as an encoder's ``encode_texts``.
    """
    filled = [t.replace("{}", text) for text in bank.texts for t in bank.templates]
    rows = np.asarray(encode(filled), np.float64)
    if rows.ndim != 2 or len(rows) != len(filled):
        raise ValueError(f"encode gave shape {rows.shape} for {len(filled)} sentences")
    means = rows.reshape(len(bank.texts), len(bank.templates), -1).mean(axis=1)
    norms = np.linalg.norm(means, axis=1, keepdims=True)
    return PromptVectors(bank, np.asarray(means / norms, np.float32))


def prompt_cosines(embeddings: Embeddings, prompts: PromptVectors) -> Scores:
    """Cosine of every window and sentence: Scores whose labels are the sentences of the bank."""
    return Scores(
        _cosines(embeddings, prompts).T,
        embeddings.edges_s,
        prompts.bank.texts,
        "cosine",
        video=embeddings.video,
        made_by=f"words cosine {embeddings.encoder}",
    )


def score_words(
    embeddings: Embeddings,
    prompts: PromptVectors,
    *,
    options: ScoreOptions | None = None,
    alpha: float = 1.0,
    tau: float = 0.03,
    temperature: float = 0.01,
) -> Scores:
    """How strongly each label of the bank speaks in each window: Scores (T,K) of ``options.kind``.

    A window whose embedding is NaN stays NaN.

    Args:
        embeddings: T windows.
        prompts: the bank as vectors of the same encoder.
        options: kind and pooling.
        alpha: the encoder's own scale, used where the options give none.
        tau: likewise.
        temperature: likewise.

    Raises:
        PromptError: the kind compares with normal sentences and a label has none.
        ValueError: embeddings and prompts of different width.
    """
    options = _settled(options or ScoreOptions(), alpha, tau, temperature)
    _need_normal(prompts.bank, options.kind)
    return Scores(
        _values(_cosines(embeddings, prompts), prompts.bank, options).T,
        embeddings.edges_s,
        prompts.bank.labels,
        options.kind,
        video=embeddings.video,
        made_by=f"words {options.kind} {embeddings.encoder}",
    )


def score_cosines(
    cosines: Scores,
    bank: PromptBank,
    *,
    options: ScoreOptions | None = None,
    alpha: float = 1.0,
    tau: float = 0.03,
    temperature: float = 0.01,
) -> Scores:
    """What ``score_words`` gives, from saved cosines of sentences: Scores (T,K).

    Args:
        cosines: (T,P) of kind cosine, whose labels are sentences; others than the bank's may be
            among them and have no part in it. A window of NaN stays NaN.
        bank: which of the sentences speak for what. Its templates have no part in it: the cosines
            say nothing of how their sentences were worded around.
        options: as for ``score_words``.
        alpha: likewise.
        tau: likewise.
        temperature: likewise.

    Raises:
        PromptError: a sentence of the bank is not among the labels, or the kind compares with
            normal sentences and a label has none.
        KindMismatch: the scores are no cosines.
    """
    options = _settled(options or ScoreOptions(), alpha, tau, temperature)
    if cosines.kind != "cosine":
        raise KindMismatch(f"scores of kind {cosines.kind} cannot be re-scored, only cosines can")
    missing = [text for text in bank.texts if text not in cosines.labels]
    if missing:
        raise PromptError(
            f"the cosines hold nothing of {', '.join(map(repr, missing))}; "
            f"they were saved for {', '.join(map(repr, cosines.labels))}"
        )
    _need_normal(bank, options.kind)
    columns = [cosines.labels.index(text) for text in bank.texts]
    return Scores(
        _values(np.ascontiguousarray(cosines.values.T[columns]), bank, options).T,
        cosines.edges_s,
        bank.labels,
        options.kind,
        video=cosines.video,
        made_by=f"words {options.kind} {cosines.made_by.removeprefix('words cosine ')}".strip(),
    )


def _settled(options: ScoreOptions, alpha: float, tau: float, temperature: float) -> ScoreOptions:
    """The options with the encoder's scale where they give none."""
    for name, value in (("alpha", alpha), ("tau", tau), ("temperature", temperature)):
        _positive(name, value)
    return replace(
        options,
        alpha=_or(options.alpha, alpha),
        tau=_or(options.tau, tau),
        temperature=_or(options.temperature, temperature),
    )


def _values(
    cosines: NDArray[np.float32], bank: PromptBank, options: ScoreOptions
) -> NDArray[np.float32]:
    """(K,T) of the cosines (P,T) of the bank's sentences, with options that are settled."""
    event = np.stack([_pooled(cosines, bank, label, "event", options) for label in bank.labels])
    if options.kind == "cosine":
        return event
    normal = _normal_sides(cosines, bank, options)
    if options.kind == "margin":
        return np.asarray(event - normal)
    assert options.alpha is not None
    assert options.tau is not None
    assert options.temperature is not None
    if options.kind == "contrast":
        return _sigmoid((options.alpha * event - normal) / options.tau)
    return _softmax(event, normal, options.temperature)


def _cosines(embeddings: Embeddings, prompts: PromptVectors) -> NDArray[np.float32]:
    """(P,T): a row a sentence, so that pooling over sentences works on whole rows."""
    width = embeddings.vectors.shape[1]
    if prompts.vectors.shape[1] != width:
        raise ValueError(
            f"embeddings are {width} wide, prompts {prompts.vectors.shape[1]}; "
            "both must come from the same encoder"
        )
    with np.errstate(invalid="ignore"):  # rows of NaN are windows that were not measured
        return np.asarray(prompts.vectors @ embeddings.vectors.T)


def _pooled(
    cosines: NDArray[np.float32], bank: PromptBank, label: str, role: Role, options: ScoreOptions
) -> NDArray[np.float32]:
    """(T,) pooled cosine of a label's sentences of one role."""
    chosen = {prompt.text: prompt.weight for prompt in bank.of(label, role)}
    rows = cosines[[bank.texts.index(text) for text in chosen]]
    if options.pool == "max":
        return np.asarray(rows.max(axis=0))
    weights = np.array(list(chosen.values()), np.float32)
    count = max(1, math.ceil(options.top_share * len(rows) - 0.5))
    if (weights == weights[0]).all():
        top = rows if count == len(rows) else np.partition(rows, -count, axis=0)[-count:]
        return np.asarray(top.mean(axis=0))
    best = np.argpartition(rows, -count, axis=0)[-count:]
    shares = weights[best]
    weighted = (np.take_along_axis(rows, best, axis=0) * shares).sum(axis=0)
    return np.asarray(weighted / shares.sum(axis=0))


def _normal_sides(
    cosines: NDArray[np.float32], bank: PromptBank, options: ScoreOptions
) -> NDArray[np.float32]:
    """(K,T) pooled normal cosine of each label; -inf where a label has no normal sentence.

    Labels that have none of their own share one row's work, which is most of it.
    """
    shared: dict[tuple[str, ...], NDArray[np.float32]] = {}
    for label in bank.labels:
        texts = tuple(prompt.text for prompt in bank.of(label, "normal"))
        if texts and texts not in shared:
            shared[texts] = _pooled(cosines, bank, label, "normal", options)
    nothing = np.full(cosines.shape[1], -np.inf, np.float32)
    return np.stack(
        [
            shared.get(tuple(prompt.text for prompt in bank.of(label, "normal")), nothing)
            for label in bank.labels
        ]
    )


def _need_normal(bank: PromptBank, kind: WordKind) -> None:
    """A softmax over several labels can do without; over one label alone it would always be 1."""
    if kind == "cosine" or (kind == "probability" and len(bank.labels) > 1):
        return
    lacking = [label for label in bank.labels if not bank.of(label, "normal")]
    if lacking:
        raise PromptError(
            f"{kind} compares with normal sentences and {', '.join(map(repr, lacking))} has none; "
            "add what the scene usually shows (normal: in a bank, --normal on the command line), "
            "or choose kind cosine"
        )


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    # tanh neither overflows nor leaves [0, 1].
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)), np.float32)


def _softmax(
    event: NDArray[np.float32], normal: NDArray[np.float32], temperature: float
) -> NDArray[np.float32]:
    # In logarithms, because a label's own normal sentences may lie far from those of the others.
    logits = event / np.float32(temperature)
    with np.errstate(invalid="ignore"):  # NaN where not measured
        rivals = np.logaddexp.reduce(logits, axis=0)
        total = np.logaddexp(rivals, normal / np.float32(temperature))
    return np.asarray(np.exp(np.minimum(logits - total, 0)), np.float32)


def _positive(name: str, value: float | None) -> None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} is {value}, it must be a positive number")


def _or(chosen: float | None, own: float) -> float:
    return own if chosen is None else chosen
