"""Chat models that are asked by their own processor: a tiny LLaVA, which needs no torchvision."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tiny_vlm import tiny_tokenizer
from watchword.errors import MissingDependency, ModelFileError, PromptError
from watchword.evidence.answers.base import AnswerOptions, Clip
from watchword.evidence.answers.chat import ChatVlm, introduced
from watchword.evidence.answers.local import load_responder
from watchword.evidence.answers.question import CRASH, Question, ask, read_question

pytestmark = pytest.mark.torch
TEMPLATE = (
    "{% for message in messages %}{{ message['role'].upper() }}: "
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>\n"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %} ASSISTANT:{% endif %}"
)


@pytest.fixture(scope="session")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LLaVA with random weights: 16 tokens a picture."""
    import torch
    from transformers import (
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
        PreTrainedTokenizerFast,
    )
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    path = tmp_path_factory.mktemp("models") / "tiny-llava"
    made = tiny_tokenizer()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<|im_end|>",
        extra_special_tokens={"image_token": "<image>"},
    )
    size = {"height": 32, "width": 32}
    LlavaProcessor(
        CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=size),
        tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=TEMPLATE,
    ).save_pretrained(path)
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    vision = CLIPVisionConfig(**small, num_attention_heads=4, image_size=32, patch_size=8)
    text = LlamaConfig(
        **small,
        num_attention_heads=4,
        vocab_size=made.get_vocab_size(),
        max_position_embeddings=512,
        pad_token_id=made.token_to_id("<|im_end|>"),
    )
    torch.manual_seed(0)
    model = LlavaForConditionalGeneration(
        LlavaConfig(
            vision_config=vision, text_config=text, image_token_id=made.token_to_id("<image>")
        )
    )
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.mul_(6)
    model.save_pretrained(path)
    return path


def loaded(path: Path, **told: Any) -> ChatVlm:
    made = load_responder(path, AnswerOptions(threads=1, **told))
    assert isinstance(made, ChatVlm)
    return made


@pytest.mark.parametrize("question", [CRASH, read_question("Crash?(0: No, 1: Yes)")])
def test_an_answer_does_not_depend_on_its_batch(
    llava: Path, make_clip: Any, question: Question
) -> None:
    clips = [make_clip(4), make_clip(1, 5.0), make_clip(2), make_clip(4)]
    alone = loaded(llava, batch=1).answer(clips, question)
    together = loaded(llava, batch=3).answer(clips, question)
    assert np.abs(together - alone).max() < 1e-5
    assert alone.std() > 0.01


def test_the_answer_is_the_softmax_of_the_models_next_token(llava: Path, make_clip: Any) -> None:
    import torch
    from PIL import Image

    clip, model = make_clip(3), loaded(llava, swap=False)
    words = introduced(ask(CRASH, order="yes_first"), clip)
    text = f"USER: <image>\n<image>\n<image>\n{words} ASSISTANT:"
    pictures = [Image.fromarray(one) for one in clip.pictures]
    inputs = model._processor(text=text, images=pictures, return_tensors="pt")
    with torch.no_grad():
        logits = model.model(**inputs).logits[0, -1].double().exp()
    ids = tiny_tokenizer().encode(" Yes yes No no").ids
    yes, no = logits[ids[:2]].sum(), logits[ids[2:]].sum()
    assert model.answer([clip], CRASH)[0] == pytest.approx(float(yes / (yes + no)), abs=1e-5)


def test_the_question_says_what_the_pictures_are(make_clip: Any) -> None:
    clip = make_clip(8)
    assert introduced("Is it?", clip).startswith("These 8 pictures are from 4 seconds of video")
    one = Clip(clip.pictures[:1], clip.at_s[:1], 0.0, 4.0)
    assert introduced("Is it?", one) == "This picture is from a video. Is it?"


def test_a_prompt_too_long_says_how_many_tokens_it_got(llava: Path, make_clip: Any) -> None:
    with pytest.raises(PromptError, match=r"is \d+ tokens, 512 are allowed"):
        loaded(llava).answer([make_clip(4)], Question("Is it? " * 90))


def test_a_question_cannot_smuggle_in_the_models_marks(llava: Path, make_clip: Any) -> None:
    with pytest.raises(PromptError, match="mark of the model"):
        loaded(llava).answer([make_clip(1)], Question("Is it? <image>"))


def test_a_model_without_chat_template_is_refused(llava: Path, tmp_path: Path) -> None:
    import shutil

    path = shutil.copytree(llava, tmp_path / "mute")
    (path / "chat_template.jinja").unlink()
    with pytest.raises(ModelFileError, match="no chat template"):
        load_responder(path)


@pytest.mark.skipif(find_spec("torchvision") is not None, reason="torchvision is installed")
def test_a_processor_that_needs_torchvision_says_so(smolvlm: Path) -> None:
    with pytest.raises(MissingDependency, match="pip install torchvision"):
        ChatVlm(smolvlm, AnswerOptions())
