"""The prompt, held against what the installed transformers would write."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import jinja2
import pytest

from watchword.evidence.answers.prompt import number_in_words, video_prompt

CASES = {
    0: "zero",
    7: "seven",
    13: "thirteen",
    20: "twenty",
    21: "twenty-one",
    64: "sixty-four",
    99: "ninety-nine",
    100: "one hundred",
    101: "one hundred and one",
    345: "three hundred and forty-five",
}


@pytest.mark.parametrize("number", CASES)
def test_numbers_are_spelled_as_num2words_does(number: int) -> None:
    assert number_in_words(number) == CASES[number]


def test_every_number_has_a_spelling_of_its_own() -> None:
    assert len({number_in_words(number) for number in range(1000)}) == 1000
    for number in (-1, 1000):
        with pytest.raises(ValueError, match="0 to 999"):
            number_in_words(number)


def theirs(words: str, rate: float, frames: list[int], total: int, image_tokens: int) -> str:
    """The prompt by transformers' own template and processor, but for the number's spelling."""
    from transformers.models.smolvlm import processing_smolvlm as module

    processor = SimpleNamespace(
        image_seq_len=image_tokens,
        image_token="<image>",
        fake_image_token="<fake_token_around_image>",
        global_image_token="<global-img>",
    )
    metadata = SimpleNamespace(
        fps=rate, timestamps=[frame / rate for frame in frames], duration=total / rate
    )
    video = {
        "pixel_values": SimpleNamespace(shape=(1, len(frames))),
        "video_metadata": [metadata],
    }
    part = module.SmolVLMProcessor.replace_video_token(processor, video, 0)
    content = [{"type": "video"}, {"type": "text", "text": words}]
    told = jinja2.Environment(autoescape=False).from_string(
        module.DEFAULT_CHAT_TEMPLATE, {"messages": None}
    )
    text = told.render(messages=[{"role": "user", "content": content}], add_generation_prompt=True)
    return text.replace("<video>", part)


@pytest.mark.torch
@pytest.mark.parametrize(("rate", "count"), [*itertools.product((2.0, 25.0, 0.5), (1, 8, 21, 64))])
def test_the_prompt_is_the_processors_own(
    rate: float, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers.models.smolvlm import processing_smolvlm as module

    monkeypatch.setattr(module, "num2words", number_in_words)
    frames = [7 * one for one in range(count)]
    total = frames[-1] + 3
    ours = video_prompt("Is it?", [frame / rate for frame in frames], total / rate, 4)
    assert ours == theirs("Is it?", rate, frames, total, 4)


def test_times_count_from_the_start_of_the_clip_and_survive_rounding() -> None:
    prompt = video_prompt("Is it?", [0.0, 0.1 * 3 + 0.7 - 1e-9, 61.5], 3661.0, 1)
    assert "Frame from 00:00:" in prompt
    assert "Frame from 00:01:" in prompt
    assert "Frame from 01:01:" in prompt
    assert "three frames from a 1:01:01 [H:MM:SS] video" in prompt
