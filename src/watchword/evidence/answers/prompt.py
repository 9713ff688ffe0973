"""SmolVLM's prompt, word for word as its own processor writes it.

That processor needs torchvision and num2words; the text it makes is short enough to be made here.
The sentences are those the model was trained with (transformers, processing_smolvlm.py,
Apache-2.0); a test holds them against the installed transformers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from watchword.evidence.answers.base import Clip

INTRO = (
    "You are provided the following series of {frame_count} frames from a {video_duration} "
    "[H:MM:SS] video.\n"
)
STAMP = "\nFrame from {timestamp}:"
OUTRO = "\n\n"
START, END, REPLY = "<|im_start|>User: ", "<end_of_utterance>\n", "Assistant:"
AROUND, WHOLE, IMAGE = "<fake_token_around_image>", "<global-img>", "<image>"
_ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen"),
    *("fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def number_in_words(number: int) -> str:
    """A number from 0 to 999 in English words, as num2words spells it.

    >>> number_in_words(64), number_in_words(120)
    ('sixty-four', 'one hundred and twenty')
    """
    if not 0 <= number <= 999:
        raise ValueError(f"number is {number}, it must be from 0 to 999")
    if number < 20:
        return (*_ONES, *_TEENS)[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens - 2] + (f"-{_ONES[ones]}" if ones else "")
    hundreds, rest = divmod(number, 100)
    tail = f" and {number_in_words(rest)}" if rest else ""
    return f"{_ONES[hundreds]} hundred{tail}"


def picture_mark(image_tokens: int) -> str:
    """What stands for one picture: as many ``<image>`` as the model makes tokens of it."""
    return f"{AROUND}{WHOLE}{IMAGE * image_tokens}{AROUND}"


def video_prompt(words: str, at_s: Sequence[float], duration_s: float, image_tokens: int) -> str:
    """The whole prompt up to where the answer begins.

    Args:
        words: what is asked, options included.
        at_s: of each picture, seconds from the start of the clip.
        duration_s: of the clip, in seconds.
        image_tokens: of one picture.
    """
    intro = INTRO.format(
        frame_count=number_in_words(len(at_s)),
        video_duration=str(timedelta(seconds=_whole(duration_s))),
    )
    mark = picture_mark(image_tokens)
    frames = "".join(STAMP.format(timestamp=_stamp(_whole(at))) + mark for at in at_s)
    return f"{START}{intro}{frames}{OUTRO}{words}{END}{REPLY}"


def clip_prompt(words: str, clip: Clip, image_tokens: int) -> str:
    """The prompt about a clip, which is a video of its own: its times count from its start."""
    at_s = [float(at) - clip.start_s for at in clip.at_s]
    return video_prompt(words, at_s, clip.end_s - clip.start_s, image_tokens)


def _whole(seconds: float) -> int:
    """Whole seconds; what rounding left just below one counts as it."""
    return max(0, int(round(seconds, 3)))


def _stamp(seconds: int) -> str:
    return f"{seconds // 60:02d}:{seconds % 60:02d}"
