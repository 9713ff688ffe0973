"""Any chat model that transformers loads and that looks at several pictures, on this machine.

Its own processor writes the prompt: pictures oldest first, then one sentence of what they are.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchword.errors import MissingDependency, ModelFileError, PromptError
from watchword.evidence.answers.base import AnswerOptions, Clip, as_probability, look
from watchword.evidence.answers.batches import run_in_batches
from watchword.evidence.answers.files import Digest, directory_fingerprint, sha256
from watchword.evidence.answers.loading import batch_of, dtype_of, load_model, quiet
from watchword.evidence.answers.question import ORDERS, Question, ask
from watchword.evidence.answers.reading import Reading, find_reading, refuse_marks

VERSION = "chat answers 1"


def introduced(words: str, clip: Clip) -> str:
    """The question, after a sentence on what the pictures before it are."""
    length = f"{clip.end_s - clip.start_s:g}"
    if len(clip) == 1:
        return f"This picture is from a video. {words}"
    return f"These {len(clip)} pictures are from {length} seconds of video, oldest first. {words}"


class ChatVlm:
    """A chat model that answers questions zero-shot; ``model`` is the transformers model.

    Args:
        directory: the model's files.
        options: how it runs.
        digest: sha256 of a file, for the fingerprint.

    Raises:
        MissingDependency: torch, transformers, a CUDA device, or what its processor needs (often
            torchvision) is not there.
        ModelFileError: files are absent, damaged, or hold no chat model that looks.
    """

    def __init__(self, directory: Path, options: AnswerOptions, *, digest: Digest = sha256) -> None:
        self.model = load_model(directory, options)
        self._processor = _processor(directory)
        self.name, self.pictures = directory.resolve().name, options.pictures
        self.batch_size = batch_of(options)
        orders = "both orders" if options.swap else "one order"
        said = (VERSION, dtype_of(options), options.device, str(options.pictures), orders)
        self.fingerprint = directory_fingerprint(directory, digest, said)
        self._orders = ORDERS if options.swap else ORDERS[:1]
        known = self._processor.tokenizer.added_tokens_decoder
        self._marks = {one: mark.content for one, mark in known.items()}
        told = inspect.signature(self.model.forward).parameters
        self._last_only = {"logits_to_keep": 1} if "logits_to_keep" in told else {}

    def answer(self, clips: Sequence[Clip], question: Question) -> NDArray[np.float32]:
        """(N,) probability of yes; with both orders their logits are averaged.

        Raises:
            AnswerError: one clip alone does not fit into memory, or an answer is no number.
            PromptError: the question and the pictures are more tokens than the model reads.
        """
        looked = [look(clip, self.pictures) for clip in clips]
        if not looked:
            return np.zeros(0, np.float32)
        words = [ask(question, order=order) for order in self._orders]
        for one in words:
            refuse_marks(self._encode, self._marks, one)
        reading = find_reading(self._encode, question, self._prompt(words[0], looked[0]))
        logits, self.batch_size = run_in_batches(
            lambda part: self._logits(part, words, reading), looked, self.batch_size
        )
        return as_probability(logits, self.name)

    def _logits(
        self, clips: Sequence[Clip], words: Sequence[str], reading: Reading
    ) -> NDArray[np.float64]:
        """(N, orders) log-odds of yes."""
        import torch

        pairs = [(clip, one) for clip in clips for one in words]
        prompts = [self._prompt(one, clip) + reading.lead for clip, one in pairs]
        # As transformers has it: the tokenizer adds its beginning where the template did not.
        begin = self._processor.tokenizer.bos_token
        inputs = self._processor(
            text=prompts,
            images=[_pictures(clip) for clip, _ in pairs],
            padding=True,
            return_tensors="pt",
            add_special_tokens=not (begin and prompts[0].startswith(begin)),
        )
        self._check_length(inputs["input_ids"].shape[1])
        inputs = inputs.to(self.model.device, self.model.dtype)
        with torch.inference_mode():
            made = self.model(**inputs, **self._last_only, use_cache=False)
        last = made.logits[:, -1].float().cpu().numpy()
        return reading.logit(last).reshape(len(clips), len(words))

    def _prompt(self, words: str, clip: Clip) -> str:
        pictures = [{"type": "image"}] * len(clip)
        content = [*pictures, {"type": "text", "text": introduced(words, clip)}]
        turn = {"role": "user", "content": content}
        made = self._processor.apply_chat_template(
            [turn], add_generation_prompt=True, tokenize=False
        )
        return str(made)

    def _encode(self, text: str) -> list[int]:
        return list(self._processor.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _check_length(self, count: int) -> None:
        config = getattr(self.model.config, "text_config", self.model.config)
        allowed = getattr(config, "max_position_embeddings", None)
        if allowed is not None and count > allowed:
            raise PromptError(
                f"the prompt with its pictures is {count} tokens, {allowed} are allowed; shorten "
                "the question or look at fewer pictures"
            )


def _pictures(clip: Clip) -> list[Any]:
    from PIL import Image

    return [Image.fromarray(picture) for picture in clip.pictures]


def _processor(directory: Path) -> Any:
    """What makes a model's input, padding on the left, with a chat template."""
    from transformers import AutoProcessor

    try:
        with quiet():
            processor = AutoProcessor.from_pretrained(
                directory, local_files_only=True, trust_remote_code=False
            )
    except ImportError as exc:
        needs = "torchvision" if "torchvision" in str(exc).lower() else "a package"
        raise MissingDependency(
            f"{needs}, which the processor of {directory} needs ({str(exc).strip()[:200]}),",
            f"pip install {needs}" if needs == "torchvision" else "pip, as the message says",
        ) from exc
    except Exception as exc:
        raise ModelFileError(f"the processor of {directory} cannot be loaded: {exc}") from exc
    tokenizer = getattr(processor, "tokenizer", None)
    if tokenizer is None or not (
        getattr(processor, "chat_template", None) or getattr(tokenizer, "chat_template", None)
    ):
        raise ModelFileError(
            f"{directory} has no chat template (chat_template.jinja or .json): it is no chat model "
            "that can be asked, or a file is missing"
        )
    tokenizer.padding_side = "left"
    return processor
