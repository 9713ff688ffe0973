"""On real recordings the output room sees the pictures and times that a plain decoder sees."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from watchword.output.export.numbering import number_frames
from watchword.output.export.writers import export
from watchword.output.pictures import pictures_at
from watchword.types import Detection, Event, VideoInfo

CLIPS = ("misc/vtest.mp4", "misc/dashcam.mp4", "dada/1_008.mp4", "misc/car-detection.mp4")


def plain_decode(path: Path) -> tuple[list[float], list[Image.Image]]:
    """Every frame from the first to the last, small and grey, with its time."""
    with av.open(str(path)) as container:
        start_s = (container.start_time or 0) / av.time_base
        shown = [
            (
                frame.time - start_s,
                Image.fromarray(frame.to_ndarray(format="rgb24")).resize((32, 18)),
            )
            for frame in container.decode(video=0)
            if frame.time is not None
        ]
    return [at_s for at_s, _ in shown], [picture.convert("L") for _, picture in shown]


@pytest.mark.shared
@pytest.mark.parametrize("name", CLIPS)
def test_a_real_clip_gives_the_pictures_and_the_frame_numbers_of_a_plain_decoder(
    shared: Path, make_detection: Callable[..., Detection], tmp_path: Path, name: str
) -> None:
    path = shared / "data" / name
    times_s, pictures = plain_decode(path)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        info = VideoInfo(str(path), stream.width, stream.height, rate=stream.average_rate)
    np.testing.assert_allclose(number_frames(info).times_s, times_s, atol=1e-6)

    moments_s = [float(m) for m in np.random.default_rng(0).uniform(0, times_s[-1], 6)]
    taken = pictures_at(info, moments_s, width=320)
    for moment_s in moments_s:
        found = Image.open(io.BytesIO(taken.jpegs[moment_s])).resize((32, 18)).convert("L")
        expected = int(np.searchsorted(times_s, moment_s + 1e-6, "right")) - 1
        off = [np.abs(np.asarray(found, float) - np.asarray(p, float)).mean() for p in pictures]
        assert off[expected] <= min(off) + 0.5

    first, last = len(times_s) // 3, len(times_s) // 3 + 10
    event = Event("deer", times_s[first], times_s[last], score=0.9, peak_s=times_s[first])
    folder = export(make_detection(path, events=(event,)), tmp_path / "e.clips")
    clip_s, clip = plain_decode(folder / "event-001-deer.mp4")
    np.testing.assert_allclose(clip_s, np.array(times_s[first:last]) - times_s[first], atol=1e-3)
    for found, wanted in zip(clip, pictures[first:last], strict=True):
        assert np.abs(np.asarray(found, float) - np.asarray(wanted, float)).mean() < 6
