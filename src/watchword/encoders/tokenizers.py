"""Sentences into token ids, with nothing cut off or injected unseen.

Cleaning follows the published ``tokenizer.json`` of a model (for CLIP: NFC, spaces, lower case; no
repair of HTML entities or smart quotes). What a user types can never become one of the model's own
marks: CLIP pools at the first end mark it meets, so a typed one would cut the sentence short.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.processors import TemplateProcessing

from watchword.errors import ModelFileError, PromptError

CLIP_START = "<|startoftext|>"
CLIP_END = "<|endoftext|>"

_CLIP_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
_UNKNOWN = {"[UNK]", "<unk>"}
_NO_PUNCTUATION = str.maketrans({"_": " ", **{c: "" for c in string.punctuation if c != "_"}})


@dataclass(frozen=True, slots=True)
class TextRules:
    """How a model wants its sentences, beyond what its tokenizer file says.

    Attributes:
        context: tokens the model can take, start and end included.
        pad_id: token that fills a short sentence.
        pad_to_context: fill every sentence up to ``context`` (models that pool at the last place,
            or look at the filling, need it).
        canonical: lower case, no punctuation, single spaces, as SigLIP was trained with.
    """

    context: int = 77
    pad_id: int = 0
    pad_to_context: bool = False
    canonical: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class TokenBatch:
    """Sentences of one length: ``ids`` and ``mask`` (n,length) int64, ``rows`` where they stood."""

    rows: tuple[int, ...]
    ids: NDArray[np.int64]
    mask: NDArray[np.int64]


class TextTokens:
    """Turns sentences into token ids under the rules of one model.

    Args:
        tokenizer: as its file says; padding and truncation in it are switched off.
        rules: the model's own.
    """

    def __init__(self, tokenizer: Tokenizer, rules: TextRules) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        self.rules = rules
        added = tokenizer.get_added_tokens_decoder().items()
        self._marks = {at: t.content for at, t in added if t.special and t.content not in _UNKNOWN}

    def ids(self, text: str, *, truncate: bool = False) -> list[int]:
        """Token ids of a sentence with its start and end, not padded.

        Raises:
            PromptError: the sentence is too long and ``truncate`` is off, or holds one of the
                model's own marks.
        """
        encoded = self._tokenizer.encode(self._cleaned(text))
        added = encoded.special_tokens_mask
        body = self._tokenizer.encode(self._cleaned(text), add_special_tokens=False).ids
        typed = sorted({self._marks[token] for token in body if token in self._marks})
        if typed:
            raise PromptError(
                f"{_brief(text)} holds {', '.join(typed)}, a mark the model reads as its own (or a "
                "character it has no token for); write the sentence without it"
            )
        over = len(encoded.ids) - self.rules.context
        if over <= 0:
            return list(encoded.ids)
        if not truncate:
            raise PromptError(
                f"{_brief(text)} has {len(encoded.ids)} tokens, the model takes "
                f"{self.rules.context}; shorten the sentence or say it in two"
            )
        # The end mark must survive the cut: CLIP pools at it.
        tail = added[::-1].index(0)
        kept = encoded.ids[: len(encoded.ids) - tail - over]
        return [*kept, *encoded.ids[len(encoded.ids) - tail :]]

    def count(self, text: str) -> tuple[int, int]:
        """(tokens of the sentence with start and end, tokens the model can take)."""
        return len(self._tokenizer.encode(self._cleaned(text)).ids), self.rules.context

    def batches(
        self, texts: Sequence[str], *, limit: int, truncate: bool = False
    ) -> Iterator[TokenBatch]:
        """Sentences of equal length together, at most ``limit`` at once.

        No sentence is padded because of its neighbours, so its vector cannot depend on them.
        """
        lists = [self.ids(text, truncate=truncate) for text in texts]
        by_length: dict[int, list[int]] = {}
        for row, ids in enumerate(lists):
            length = self.rules.context if self.rules.pad_to_context else len(ids)
            by_length.setdefault(length, []).append(row)
        for length, rows in by_length.items():
            for at in range(0, len(rows), limit):
                part = tuple(rows[at : at + limit])
                yield self._batch(part, [lists[row] for row in part], length)

    def _batch(self, rows: tuple[int, ...], lists: list[list[int]], length: int) -> TokenBatch:
        ids = np.full((len(rows), length), self.rules.pad_id, np.int64)
        mask = np.zeros_like(ids)
        for at, tokens in enumerate(lists):
            ids[at, : len(tokens)] = tokens
            mask[at, : len(tokens)] = 1
        return TokenBatch(rows, ids, mask)

    def _cleaned(self, text: str) -> str:
        if not self.rules.canonical:
            return text
        return " ".join(text.translate(_NO_PUNCTUATION).lower().split())


def clip_tokenizer(vocab: dict[str, int], merges: Sequence[tuple[str, str]]) -> Tokenizer:
    """CLIP's byte-pair tokenizer out of its two tables, as the hub's ``tokenizer.json`` has it."""
    tokenizer = Tokenizer(
        models.BPE(vocab=vocab, merges=list(merges), unk_token=CLIP_END, end_of_word_suffix="</w>")
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_CLIP_WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(mark, special=True, normalized=False) for mark in (CLIP_START, CLIP_END)]
    )
    tokenizer.post_processor = TemplateProcessing(
        single=f"{CLIP_START} $A {CLIP_END}",
        special_tokens=[(mark, vocab[mark]) for mark in (CLIP_START, CLIP_END)],
    )
    return tokenizer


def read_tokenizer(directory: Path) -> tuple[Tokenizer, tuple[Path, ...]]:
    """The tokenizer of a model directory, and the files it was read from.

    Raises:
        ModelFileError: there is none, or it cannot be read.
    """
    for file in (directory / "tokenizer.json", directory / "textual" / "tokenizer.json"):
        if file.is_file():
            try:
                return Tokenizer.from_file(str(file)), (file,)
            except Exception as exc:
                raise ModelFileError(f"{file} is no tokenizer: {exc}; fetch it again") from exc
    tables = (directory / "vocab.json", directory / "merges.txt")
    if all(table.is_file() for table in tables):
        return _from_tables(*tables), tables
    raise ModelFileError(
        f"{directory} holds no tokenizer.json (nor vocab.json with merges.txt); "
        "copy it from where the model came from"
    )


def _from_tables(vocab: Path, merges: Path) -> Tokenizer:
    try:
        lines = merges.read_text("utf-8").split("\n")
        pairs = [line.split(" ") for line in lines if line and not line.startswith("#version")]
        return clip_tokenizer(json.loads(vocab.read_text("utf-8")), [(a, b) for a, b in pairs])
    except Exception as exc:
        raise ModelFileError(
            f"{vocab} and {merges} are no CLIP vocabulary: {exc!r}; fetch them again"
        ) from exc


def _brief(text: str) -> str:
    """The sentence in quotes, its middle left out if it would fill the screen."""
    return repr(text if len(text) <= 80 else f"{text[:50]} ... {text[-20:]}")
