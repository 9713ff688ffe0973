"""Videos made for tests, with known times and known pictures, and ways to damage them.

``make_video`` writes one; ``frame_number`` reads back which of its pictures a test was given.
"""

from __future__ import annotations

import random
import struct
import wave
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Painter = Callable[[int, float], NDArray[np.uint8]]

TIME_BASE = Fraction(1, 90_000)
BITS = 12


def numbered(size: tuple[int, int] = (160, 120)) -> Painter:
    """Pictures that carry their number as 12 black or white stripes, from left to right."""
    width, height = size

    def paint(index: int, at_s: float) -> NDArray[np.uint8]:
        bits = [255 if index >> bit & 1 else 0 for bit in range(BITS)]
        columns = np.arange(width) * BITS // width
        row = np.array(bits, np.uint8)[columns]
        return np.broadcast_to(row[None, :, None], (height, width, 3)).copy()

    return paint


def frame_number(picture: NDArray[np.uint8]) -> int:
    """The number that ``numbered`` painted, whatever the picture was scaled or coded to."""
    width = picture.shape[1]
    middle = [(2 * bit + 1) * width // (2 * BITS) for bit in range(BITS)]
    rows = slice(picture.shape[0] // 3, max(picture.shape[0] * 2 // 3, picture.shape[0] // 3 + 1))
    return sum(1 << bit for bit, x in enumerate(middle) if picture[rows, x].mean() > 127)


def coloured(
    *spans: tuple[float, float, tuple[int, int, int]],
    size: tuple[int, int] = (160, 120),
    background: tuple[int, int, int] = (0, 0, 255),
) -> Painter:
    """Pictures of one colour, which is another during each (start_s, end_s, colour)."""

    def paint(index: int, at_s: float) -> NDArray[np.uint8]:
        colour = background
        for start_s, end_s, other in spans:
            if start_s <= at_s < end_s:
                colour = other
        return np.broadcast_to(np.array(colour, np.uint8), (size[1], size[0], 3)).copy()

    return paint


def make_video(
    path: Path,
    *,
    seconds: float = 2.0,
    rate: int | Fraction = 25,
    size: tuple[int, int] = (160, 120),
    painter: Painter | None = None,
    times_s: Sequence[float] | None = None,
    codec: str | None = None,
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
) -> list[float]:
    """Write a video whose container follows from its ending; returns the times of its pictures.

    ``painter`` maps (number, time) to a picture (H,W,3); the default numbers them. ``times_s``
    replaces the constant rate. Without B-frames unless ``options`` asks for them.
    """
    rate = Fraction(rate)
    if times_s is None:
        times_s = [float(k / rate) for k in range(round(seconds * rate))]
    paint = painter or numbered(size)
    codec = codec or {".webm": "libvpx", ".avi": "mpeg4", ".gif": "gif"}.get(path.suffix, "libx264")
    constant = path.suffix in (".avi", ".gif")
    base = 1 / rate if constant else TIME_BASE
    defaults = {"preset": "ultrafast", "crf": "10", "bf": "0", "g": "25"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            codec,
            rate=rate,
            options={**(defaults if codec == "libx264" else {}), **(options or {})},
        )
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        stream.codec_context.time_base = base
        stream.time_base = base
        if codec in ("mpeg4", "libvpx"):
            stream.bit_rate = 4_000_000
        for index, at_s in enumerate(times_s):
            frame = av.VideoFrame.from_ndarray(paint(index, at_s), format="rgb24")
            frame = frame.reformat(format=pix_fmt)
            frame.pts, frame.time_base = round(at_s / base), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return list(times_s)


def make_folder(
    folder: Path, *, pictures: int, size: tuple[int, int] = (160, 120), name: str = "{}.jpg"
) -> Path:
    """A folder of numbered pictures 0.jpg, 1.jpg, ... (no leading zeros: 10 sorts before 2)."""
    folder.mkdir(parents=True)
    paint = numbered(size)
    for index in range(pictures):
        Image.fromarray(paint(index, 0.0)).save(folder / name.format(index), quality=95)
    return folder


def make_sound(path: Path) -> Path:
    """One second of silence as a WAV file."""
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\0" * 16000)
    return path


# a, b, u, c, d, v, x, y, w of ISO/IEC 14496-12, by the degrees counter-clockwise that undo them.
MATRICES = {
    "0": (1, 0, 0, 1),
    "90": (0, -1, 1, 0),
    "180": (-1, 0, 0, -1),
    "270": (0, 1, -1, 0),
    "mirrored": (-1, 0, 0, 1),
    "flipped": (1, 0, 0, -1),
    "transposed": (0, 1, 1, 0),
}


def turn(path: Path, way: str) -> None:
    """Give an MP4 the display matrix of ``MATRICES[way]``, as phones do for upright recordings."""
    data = bytearray(path.read_bytes())
    a, b, c, d = (value << 16 for value in MATRICES[way])
    at = data.index(b"tkhd")
    # Type, version and flags, then times, track and duration (20 bytes; version 1: 32), then 16.
    at += 8 + (32 if data[at + 4] == 1 else 20) + 16
    struct.pack_into(">9i", data, at, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(bytes(data))


def cut(path: Path, *, start: float = 0.0, end: float = 1.0) -> Path:
    """Keep only the bytes between two shares of a file's length."""
    data = path.read_bytes()
    path.write_bytes(data[int(len(data) * start) : int(len(data) * end)])
    return path


def _cut_out(out: bytearray, at: int, length: int, rng: random.Random) -> None:
    del out[at : at + length]


def _zeroed(out: bytearray, at: int, length: int, rng: random.Random) -> None:
    out[at : at + length] = bytes(len(out[at : at + length]))


def _overwritten(out: bytearray, at: int, length: int, rng: random.Random) -> None:
    out[at : at + length] = rng.randbytes(len(out[at : at + length]))


def _put_in(out: bytearray, at: int, length: int, rng: random.Random) -> None:
    out[at:at] = rng.randbytes(length)


def _doubled(out: bytearray, at: int, length: int, rng: random.Random) -> None:
    out[at : at + length] *= 2


def _head_spoiled(out: bytearray, at: int, length: int, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 20)):
        out[rng.randrange(min(len(out), 2048))] = rng.randrange(256)


def _tail_spoiled(out: bytearray, at: int, length: int, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 20)):
        out[-rng.randint(1, min(len(out), 2048))] = rng.randrange(256)


def _bits_flipped(out: bytearray, at: int, length: int, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 200)):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)


def _end_lost(out: bytearray, at: int, length: int, rng: random.Random) -> None:
    del out[at:]


def _start_lost(out: bytearray, at: int, length: int, rng: random.Random) -> None:
    del out[:at]


DAMAGES = (
    _end_lost,
    _start_lost,
    _cut_out,
    _zeroed,
    _overwritten,
    _put_in,
    _doubled,
    _head_spoiled,
    _tail_spoiled,
    _bits_flipped,
)


def damaged(data: bytes, seed: int) -> bytes:
    """The bytes of a file with one of ten kinds of damage, the same for the same seed."""
    rng = random.Random(seed)
    out = bytearray(data)
    at = rng.randrange(len(out))
    DAMAGES[seed % len(DAMAGES)](out, at, rng.randint(1, max(1, len(out) // 10)), rng)
    return bytes(out)
