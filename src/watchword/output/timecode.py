"""Seconds as people and file formats write them."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss.s, to a tenth.

    >>> clock(3725.46)
    '1:02:05.5'
    """
    tenths = round(seconds * 10)
    sign = "-" if tenths < 0 else ""
    minutes, tenths = divmod(abs(tenths), 600)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours}:{minutes:02d}:{tenths // 10:02d}.{tenths % 10}"


def stamp(seconds: float, *, point: str) -> str:
    """Seconds as hh:mm:ss and milliseconds after ``point``, as subtitles have them.

    >>> stamp(3725.4567, point=",")
    '01:02:05,457'
    """
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    minutes, whole = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{whole:02d}{point}{thousandths:03d}"


def frame_code(frame: int, *, nominal: int) -> str:
    """A 0-based frame number as non-drop HH:MM:SS:FF, ``nominal`` frames to the second (SMPTE 12M).

    >>> frame_code(1799, nominal=30)
    '00:00:59:29'
    """
    seconds, left = divmod(frame, nominal)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}:{left:02d}"
