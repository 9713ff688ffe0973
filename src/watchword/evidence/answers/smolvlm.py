"""SmolVLM on this machine: yes or no from the token that would come next.

The picture network sees each picture once, as clips that slide over a drive share most of theirs.
A question in two orders is read once up to where the orders part.
"""

from __future__ import annotations

import copy
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.errors import AnswerError
from watchword.evidence.answers.base import AnswerOptions, Clip, as_probability, look
from watchword.evidence.answers.batches import run_in_batches
from watchword.evidence.answers.files import Digest, directory_fingerprint, sha256
from watchword.evidence.answers.loading import batch_of, dtype_of, load_model
from watchword.evidence.answers.question import ORDERS, Question, ask
from watchword.evidence.answers.reading import Reading, find_reading
from watchword.evidence.answers.smol_inputs import SmolInputs, positions

VERSION = "smolvlm answers 1"
# Pictures whose tokens are kept: a minute at two a second.
_KEPT = 128


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question as it goes to the model: in its first order, and the tokens each order ends in.

    The tokens before the ends are those that all orders share.
    """

    words: str
    ends: tuple[tuple[int, ...], ...]
    reading: Reading


class SmolVlm:
    """A SmolVLM that answers questions zero-shot; ``model`` is the transformers model.

    Args:
        directory: the model's files.
        options: how it runs.
        digest: sha256 of a file, for the fingerprint.

    Raises:
        MissingDependency: torch, transformers or a CUDA device is not there.
        ModelFileError: files are absent, damaged, or do not fit together.
    """

    def __init__(self, directory: Path, options: AnswerOptions, *, digest: Digest = sha256) -> None:
        self.inputs = SmolInputs(directory)
        self.model = load_model(directory, options)
        self.name, self.pictures = directory.resolve().name, options.pictures
        self.batch_size = batch_of(options)
        orders = "both orders" if options.swap else "one order"
        said = (VERSION, dtype_of(options), options.device, str(options.pictures), orders)
        self.fingerprint = directory_fingerprint(directory, digest, said)
        self._orders = ORDERS if options.swap else ORDERS[:1]
        self._seen: OrderedDict[bytes, Any] = OrderedDict()

    def answer(self, clips: Sequence[Clip], question: Question) -> NDArray[np.float32]:
        """(N,) probability of yes; with both orders their logits are averaged.

        A batch too large for the memory is halved, and stays so.

        Raises:
            AnswerError: one clip alone does not fit, or an answer is no number.
            PromptError: the question and the pictures are more tokens than the model reads.
        """
        looked = [look(clip, self.pictures) for clip in clips]
        if not looked:
            return np.zeros(0, np.float32)
        asked = self._ask(question, looked)
        logits, self.batch_size = run_in_batches(
            lambda part: self._logits(part, asked), looked, self.batch_size
        )
        return as_probability(logits, self.name)

    def _ask(self, question: Question, clips: Sequence[Clip]) -> _Asked:
        """The question in its orders, after a check that it fits with the largest clip."""
        inputs, largest = self.inputs, max(clips, key=len)
        words = [ask(question, order=order) for order in self._orders]
        reading = find_reading(inputs.encode, question, inputs.prompt(words[0], largest))
        prompts = [inputs.prompt(one, largest, lead=reading.lead) for one in words]
        for prompt in prompts:
            inputs.check_length(prompt, len(largest))
        rows = [inputs.encode(prompt) for prompt in prompts]
        # At least one token is left to each end, whose logits are the answer.
        alike = takewhile(lambda tokens: len(set(tokens)) == 1, zip(*rows, strict=False))
        common = min(sum(1 for _ in alike), *(len(row) - 1 for row in rows))
        return _Asked(words[0], tuple(tuple(row[common:]) for row in rows), reading)

    def _logits(self, clips: Sequence[Clip], asked: _Asked) -> NDArray[np.float64]:
        """(N, orders) log-odds of yes."""
        import torch

        prompts = [self.inputs.prompt(asked.words, clip, lead=asked.reading.lead) for clip in clips]
        shared = [self.inputs.encode(prompt)[: -len(asked.ends[0])] for prompt in prompts]
        ids, mask = self.inputs.pad_rows(shared)
        with torch.inference_mode():
            pictures = [one for clip in clips for one in self._see(clip)]
            told = self._read(mask, inputs_embeds=self._picture(ids, pictures))
            kept = told.past_key_values
            logits = []
            for end in asked.ends:
                tail = np.tile(np.array(end, np.int64), (len(clips), 1))
                longer = np.hstack([mask, np.ones_like(tail)])
                told = self._read(
                    longer, input_ids=self._tensor(tail), past_key_values=copy.deepcopy(kept)
                )
                logits.append(told.logits[:, -1].float().cpu().numpy())
        return np.stack([asked.reading.logit(one) for one in logits], axis=1)

    def _read(self, mask: NDArray[np.int64], **tokens: Any) -> Any:
        """What the language model makes of tokens, the last ones that ``mask`` is about."""
        count = next(iter(tokens.values())).shape[1]
        return self.model(
            **tokens,
            attention_mask=self._tensor(mask),
            position_ids=self._tensor(positions(mask)[:, -count:]),
            logits_to_keep=1,
            use_cache=True,
        )

    def _picture(self, ids: NDArray[np.int64], pictures: Sequence[Any]) -> Any:
        """Embedded tokens with the pictures' own in place of their marks."""
        import torch

        tokens = self._tensor(ids)
        embedded = self.model.get_input_embeddings()(tokens)
        marked = (tokens == self.inputs.image_token_id).unsqueeze(-1)
        return embedded.masked_scatter(marked, torch.cat(list(pictures)).to(embedded.dtype))

    def _tensor(self, values: NDArray[Any]) -> Any:
        import torch

        return torch.from_numpy(np.ascontiguousarray(values)).to(self.model.device)

    def _see(self, clip: Clip) -> list[Any]:
        """The tokens of each picture, (image_tokens, width) tensors; known ones are not remade."""
        keys = [hashlib.blake2b(one.tobytes(), digest_size=16).digest() for one in clip.pictures]
        fresh = [at for at, key in enumerate(keys) if key not in self._seen]
        if fresh:
            made = self._look_at(clip.pictures[fresh])
            self._seen.update((keys[at], tokens) for at, tokens in zip(fresh, made, strict=True))
        for key in keys:
            self._seen.move_to_end(key)
        tokens = [self._seen[key] for key in keys]
        while len(self._seen) > max(_KEPT, len(clip)):
            self._seen.popitem(last=False)
        return tokens

    def _look_at(self, pictures: NDArray[np.uint8]) -> Any:
        """(n, image_tokens, width) tensor of what the picture network makes of them."""
        import torch

        pixels = self._tensor(self.inputs.pixels(pictures))
        told = self.model.model.get_image_features(pixels[None])
        parts = getattr(told, "pooler_output", told)
        made = torch.cat(list(parts)).reshape(-1, self.inputs.image_tokens, parts[0].shape[-1])
        if len(made) != len(pictures):
            raise AnswerError(f"{self.name} made {len(made)} of {len(pictures)} pictures")
        return made
