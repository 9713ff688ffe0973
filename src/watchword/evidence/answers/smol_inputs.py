"""What a SmolVLM reads: prompt, tokens and pixels of clips, the same in training and in use.

Only the pixels need transformers (its picture processor on PIL, which does without torchvision).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.errors import ModelFileError, PromptError
from watchword.evidence.answers.base import Clip
from watchword.evidence.answers.files import read_json, read_tokens
from watchword.evidence.answers.prompt import AROUND, IMAGE, WHOLE, clip_prompt
from watchword.evidence.answers.reading import refuse_marks

# Too small to be seen, and still not zero in float16.
_NEARLY_ZERO = 1e-6


class SmolInputs:
    """Makes a SmolVLM's input of clips and words; ``image_tokens`` stand for one picture.

    Args:
        directory: the model's: config.json, tokenizer.json, preprocessor_config.json.

    Raises:
        ModelFileError: one of them is absent or damaged, or they do not fit together.
    """

    def __init__(self, directory: Path) -> None:
        config = read_json(directory / "config.json")
        self._tokens = read_tokens(directory)
        self.image_token_id = _check_marks(directory, config, self._tokens)
        self.image_tokens, self.image_size = image_tokens(directory, config)
        known = self._tokens.get_added_tokens_decoder()
        self._marks = {one: mark.content for one, mark in known.items()}
        text = config["text_config"]
        self.context = int(text.get("max_position_embeddings") or 2048)
        pad = text.get("pad_token_id")
        self.pad_id = pad if isinstance(pad, int) else 0
        told = read_json(directory / "preprocessor_config.json")
        # Pictures of a video are brought to this size before they are made square.
        video = told.get("video_sampling", {}).get("video_size")
        self._size = video or {"longest_edge": self.image_size}
        self._directory = directory
        self._processor: Any = None

    def prompt(self, words: str, clip: Clip, *, lead: str = "") -> str:
        """The prompt about a clip up to where the answer begins; ``lead`` stands at its end.

        Raises:
            PromptError: the words hold one of the tokenizer's marks, which would be obeyed.
        """
        refuse_marks(self.encode, self._marks, words)
        return clip_prompt(words, clip, self.image_tokens) + lead

    def encode(self, text: str) -> list[int]:
        """Token ids of a text; marks in it are read as such, none are added."""
        return list(self._tokens.encode(text, add_special_tokens=False).ids)

    def check_length(self, prompt: str, pictures: int) -> int:
        """How many tokens a prompt is; PromptError if the model cannot read as many."""
        count = len(self.encode(prompt))
        if count > self.context:
            words = count - pictures * self.image_tokens
            raise PromptError(
                f"the prompt is {count} tokens ({pictures} pictures of {self.image_tokens}, "
                f"{words} of text), {self.context} are allowed; shorten the question or look at "
                "fewer pictures"
            )
        return count

    def pixels(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n,3,S,S) model input of pictures (n,H,W,3), each made square as a whole."""
        if self._processor is None:
            self._processor = _processor(self._directory)
        made = self._processor(
            images=[list(pictures)],
            size=self._size,
            max_image_size={"longest_edge": self.image_size},
            do_image_splitting=False,
            input_data_format="channels_last",
            return_tensors="np",
        )["pixel_values"][0]
        # The model takes a picture of zeros for padding and leaves it out.
        made[~made.any(axis=(1, 2, 3))] = _NEARLY_ZERO
        return np.asarray(made, np.float32)

    def pad(self, prompts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(ids, mask) of prompts: see `pad_rows`."""
        return self.pad_rows([self.encode(prompt) for prompt in prompts])

    def pad_rows(
        self, rows: Sequence[Sequence[int]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(ids, mask) each (N,L): tokens of different length, padded on the left.

        So the last column is the last token of every row. `positions` goes with them.
        """
        longest = max(map(len, rows))
        ids = np.full((len(rows), longest), self.pad_id, np.int64)
        mask = np.zeros_like(ids)
        for at, row in enumerate(rows):
            ids[at, longest - len(row) :] = row
            mask[at, longest - len(row) :] = 1
        return ids, mask


def positions(mask: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,L) position of each token, counted from the first that is no padding."""
    return np.asarray(np.maximum(mask.cumsum(axis=1) - 1, 0), np.int64)


def image_tokens(directory: Path, config: dict[str, Any]) -> tuple[int, int]:
    """(tokens of a picture, pixels of its edge); ModelFileError if config.json does not say."""
    vision, scale = config.get("vision_config"), config.get("scale_factor")
    if not (isinstance(vision, dict) and isinstance(config.get("text_config"), dict) and scale):
        raise ModelFileError(
            f"{directory / 'config.json'} lacks vision_config, text_config or scale_factor: it is "
            "no SmolVLM; see what is missing with: watchword risk doctor"
        )
    size, patch = vision.get("image_size", 224), vision.get("patch_size", 32)
    if not all(isinstance(one, int) and one > 0 for one in (size, patch, scale)):
        raise ModelFileError(
            f"{directory / 'config.json'} says image_size {size}, patch_size {patch}, scale_factor "
            f"{scale}; whole numbers are needed"
        )
    return (size // patch) ** 2 // scale**2, size


def _check_marks(directory: Path, config: dict[str, Any], tokens: Any) -> int:
    """The id of ``<image>``; ModelFileError if tokenizer and model do not agree on it."""
    lacking = [mark for mark in (IMAGE, AROUND, WHOLE) if tokens.token_to_id(mark) is None]
    if lacking:
        raise ModelFileError(
            f"{directory / 'tokenizer.json'} has no {', '.join(lacking)}: it is no tokenizer of a "
            "SmolVLM; fetch the model's own"
        )
    known, told = int(tokens.token_to_id(IMAGE)), config.get("image_token_id")
    if known != told:
        raise ModelFileError(
            f"{directory}: {IMAGE} is {known} to the tokenizer and {told} to the model; they are "
            "of different models"
        )
    return known


def _processor(directory: Path) -> Any:
    from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

    return SmolVLMImageProcessorPil.from_pretrained(directory, local_files_only=True)
