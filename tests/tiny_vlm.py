"""A SmolVLM with random weights in the files of the real one, small enough for every test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

IMAGE_SIZE = 32
PATCH = 8
SCALE = 2
IMAGE_TOKENS = (IMAGE_SIZE // PATCH) ** 2 // SCALE**2
# In the order of the real vocabulary, where these come first.
FIRST = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
LAST = ("<fake_token_around_image>", "<image>", "<global-img>", "<video>", "<end_of_utterance>")
# The words that one token stands for, with and without a space before them.
WORDS = ("Yes", "No", "yes", "no", "Frame", "from", "User", "frames", "video")
# The file of the real model, so that other chat models' code path can be tested with it too.
CHAT_TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}"
    "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}"
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}"
    "{% elif line['type'] == 'video' %}{{ '<video>' }}{% endif %}{% endfor %}"
    "<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)


def tiny_tokenizer() -> Tokenizer:
    """Bytes, a few words and the marks of SmolVLM; digits stand alone, as in the real one."""
    pieces = [*FIRST, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        for end in range(1, len(word)):
            merges.append((word[:end], word[end]))
        merges.append(("Ġ", word))
    unique = list(dict.fromkeys(merges))
    pieces += [one + two for one, two in unique]
    vocab = {piece: at for at, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=unique))
    split = [
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False),
    ]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(split)
    tokenizer.decoder = decoders.ByteLevel()
    marks = [AddedToken(mark, special=True, normalized=False) for mark in (*FIRST, *LAST)]
    tokenizer.add_special_tokens(marks)
    return tokenizer


def tiny_vlm(folder: Path, *, seed: int = 0, context: int = 1024, shards: bool = False) -> Path:
    """Writes the model and gives its folder: 4 tokens a picture of 32 x 32, about 70,000 weights.

    ``context`` is how many tokens it reads, ``shards`` writes the weights in several files.
    """
    import torch
    from transformers import (
        PreTrainedTokenizerFast,
        SmolVLMConfig,
        SmolVLMForConditionalGeneration,
    )

    folder.mkdir(parents=True, exist_ok=True)
    made = tiny_tokenizer()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made,
        bos_token="<|im_start|>",
        eos_token="<end_of_utterance>",
        pad_token="<|im_end|>",
        unk_token="<|endoftext|>",
        extra_special_tokens={
            "image_token": "<image>",
            "fake_image_token": "<fake_token_around_image>",
            "global_image_token": "<global-img>",
            "end_of_utterance_token": "<end_of_utterance>",
            "video_token": "<video>",
        },
        model_max_length=context,
    )
    tokenizer.save_pretrained(folder)
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    text = {
        **small,
        "model_type": "llama",
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "vocab_size": made.get_vocab_size(),
        "max_position_embeddings": context,
        "pad_token_id": made.token_to_id("<|im_end|>"),
        "bos_token_id": made.token_to_id("<|im_start|>"),
        "eos_token_id": made.token_to_id("<end_of_utterance>"),
    }
    vision = {
        **small,
        "model_type": "smolvlm_vision",
        "num_attention_heads": 4,
        "image_size": IMAGE_SIZE,
        "patch_size": PATCH,
    }
    config = SmolVLMConfig(
        text_config=text,
        vision_config=vision,
        scale_factor=SCALE,
        image_token_id=made.token_to_id("<image>"),
    )
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    model = SmolVLMForConditionalGeneration(config)
    torch.random.set_rng_state(state)
    # As drawn, the weights are so small that every answer would be nearly the same.
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.mul_(6)
    model.save_pretrained(folder, max_shard_size="100KB" if shards else "5GB")
    for name, told in _small_files().items():
        (folder / name).write_text(json.dumps(told, indent=2), encoding="utf-8")
    return folder


def _small_files() -> dict[str, dict[str, Any]]:
    """How pictures and texts are prepared, in the words of the real files."""
    longest = {"longest_edge": IMAGE_SIZE}
    return {
        "preprocessor_config.json": {
            "do_convert_rgb": True,
            "do_image_splitting": True,
            "do_normalize": True,
            "do_pad": True,
            "do_rescale": True,
            "do_resize": True,
            "image_mean": [0.5, 0.5, 0.5],
            "image_processor_type": "SmolVLMImageProcessor",
            "image_std": [0.5, 0.5, 0.5],
            "max_image_size": longest,
            "processor_class": "SmolVLMProcessor",
            "resample": 1,
            "rescale_factor": 1 / 255,
            "size": {"longest_edge": 4 * IMAGE_SIZE},
            "video_sampling": {"fps": 1, "max_frames": 64, "video_size": longest},
        },
        "processor_config.json": {
            "image_seq_len": IMAGE_TOKENS,
            "processor_class": "SmolVLMProcessor",
        },
        "chat_template.json": {"chat_template": CHAT_TEMPLATE},
    }
