"""Small pictures of given moments of a video, for the report."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from watchword.errors import VideoError
from watchword.output.playback import open_player
from watchword.output.shown import Player, Shown
from watchword.types import VideoInfo

# Seconds ahead from which seeking is taken to be faster than decoding on.
_FAR_S = 8.0
_JPEG_QUALITY = 78


@dataclass(frozen=True, slots=True)
class Pictures:
    """JPEG files by the moment they were asked for; ``problem`` says why some are missing."""

    jpegs: Mapping[float, bytes] = field(default_factory=dict)
    problem: str = ""


def pictures_at(info: VideoInfo, moments_s: Sequence[float], *, width: int = 160) -> Pictures:
    """The pictures on screen at the given moments, at most ``width`` pixels wide.

    A video that cannot be read is no error here: the answer says so in ``problem``, with what
    could be taken until then.
    """
    jpegs: dict[float, bytes] = {}
    problem = ""
    try:
        with open_player(info) as player:
            _take(player, sorted(set(moments_s)), width, jpegs)
    except VideoError as exc:
        problem = f"Pictures could not be taken: {exc}."
    missing = len(set(moments_s)) - len(jpegs)
    if missing and not problem:
        problem = f"{missing} pictures could not be taken: nothing there can be decoded."
    return Pictures(jpegs, problem)


def _take(player: Player, moments_s: list[float], width: int, into: dict[float, bytes]) -> None:
    while len(into) < len(moments_s):
        before = len(into)
        _take_run(player, moments_s, width, into)
        if len(into) == before:
            return


def _take_run(player: Player, moments_s: list[float], width: int, into: dict[float, bytes]) -> None:
    """Plays from the first moment that is open until the next one is far ahead, or to the end."""
    held: Shown | None = None
    begun = len(into)
    for shown in player.play(moments_s[begun]):
        due = [m for m in moments_s[len(into) :] if m < shown.time_s - 1e-6]
        _keep(held or shown, due, width, into)
        if len(into) == len(moments_s):
            return
        if len(into) > begun and moments_s[len(into)] > shown.time_s + _FAR_S:
            return
        held = shown
    if held is not None:
        _keep(held, moments_s[len(into) :], width, into)


def _keep(shown: Shown, moments_s: Sequence[float], width: int, into: dict[float, bytes]) -> None:
    if not moments_s:
        return
    file = io.BytesIO()
    shown.draw(width).save(file, "JPEG", quality=_JPEG_QUALITY)
    into.update(dict.fromkeys(moments_s, file.getvalue()))
