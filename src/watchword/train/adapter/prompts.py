"""Learned prompts through a text tower: learned vectors before the words of a sentence.

    [start] v1 ... vn  a normal scene    [end]     normal
    [start] w1 ... wn  an abnormal event [end]     abnormal

The tower is frozen; only v and w learn (CoOp, arXiv 2109.01134; AnomalyCLIP, arXiv
2310.18961). Direct rows (`GenericRows`) can go anywhere in the space; these stay where sentences
lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from watchword.encoders.tokenizers import TextTokens
from watchword.errors import PromptError
from watchword.train.adapter.model import GenericRows

# Model types of transformers whose text tower reads as CLIP's does.
TOWERS = ("clip",)

# Standard deviation that CLIP's own token vectors were drawn with.
_SPREAD = 0.02


class SoftPrompts(nn.Module):  # type: ignore[misc]
    """Two prompts (2,D) through the text tower of a CLIP: normal, then abnormal.

    The tower is no part of ``state_dict``; its weights are frozen where they are.

    Args:
        clip: a transformers CLIPModel; ``TorchEncoder.model``.
        tokens: its tokenizer, which gives sentences their start and end.
        sentences: what stands behind the learned vectors: normal, abnormal.
        context: n, learned vectors of each; 0 leaves the sentences as they are.

    Raises:
        ValueError: the model is no CLIP, or ``sentences`` are not two.
        PromptError: a sentence is too long, or holds one of the model's own marks.
    """

    def __init__(
        self, clip: Any, tokens: TextTokens, sentences: Sequence[str], *, context: int = 12
    ) -> None:
        super().__init__()
        kind = getattr(clip.config, "model_type", None)
        if kind not in TOWERS:
            raise ValueError(
                f"the model is {kind!r}; prompts are learned through the text tower of "
                f"{', '.join(TOWERS)} only, and directly (GenericRows) for others"
            )
        if len(sentences) != 2:
            raise ValueError(f"there are {len(sentences)} sentences, two are needed: normal first")
        room = tokens.rules.context - context
        ids = [tokens.ids(text) for text in sentences]
        for text, own in zip(sentences, ids, strict=True):
            if len(own) > room:
                raise PromptError(
                    f"{text!r} has {len(own)} tokens, and beside {context} learned ones the model "
                    f"takes {room}; shorten the sentence, or learn fewer"
                )
        # A list is not looked into for modules, so the tower is not saved with the prompts.
        self._tower = [clip.requires_grad_(requires_grad=False)]
        self._words = [self._embedded(own) for own in ids]
        size = self._words[0].shape[-1]
        self.context = nn.Parameter(torch.randn(2, context, size) * _SPREAD)

    def forward(self) -> Tensor:
        """The prompts (2,D), of unit length; the tower runs once for each, whatever the batch."""
        rows = [self._row(own, words) for own, words in zip(self.context, self._words, strict=True)]
        return normalize(torch.stack(rows), dim=-1)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def fixed(self) -> GenericRows:
        """The same prompts as rows, which need no tower: for use and export."""
        rows = self().float().cpu().numpy()
        return GenericRows(rows.shape[1], rows)

    def _embedded(self, ids: Sequence[int]) -> Tensor:
        table = self._tower[0].text_model.embeddings.token_embedding
        with torch.no_grad():
            return table(torch.tensor(ids, device=table.weight.device)).clone()

    def _row(self, learned: Tensor, words: Tensor) -> Tensor:
        """One sentence through the tower, read at its end mark, which is its last token."""
        from transformers.masking_utils import create_causal_mask

        clip = self._tower[0]
        text = clip.text_model
        learned = learned.to(words)
        spliced = torch.cat([words[:1], learned, words[1:]])[None]
        inner = text.embeddings(inputs_embeds=spliced)
        mask = create_causal_mask(
            config=text.config, inputs_embeds=inner, attention_mask=None, past_key_values=None
        )
        told = text.encoder(inputs_embeds=inner, attention_mask=mask, is_causal=True)
        end = text.final_layer_norm(told.last_hidden_state[:, -1])
        row: Tensor = clip.text_projection(end)[0]
        return row.to(self.context)
