"""Scene files of CLIP Signals for Hazardous Scenes: frame numbers of one hazard in a dashcam video.

``{"video": "video_001.mp4", "type": "animal", "total_frames": 192, "events": [{"start": 22,
"end": 150}], ...}``. Frames count from 0 and ``end`` is the first frame after the hazard: the files
mark a whole video as 0 to ``total_frames``. The label is ``type`` (in older files, which lack it,
"hazard"); ``description`` and ``target_hazard`` tell the answer in words and are not read, so that
they cannot reach a prompt.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchword.errors import DatasetError
from watchword.types import Annotation, Span

NEEDED = ("video", "total_frames", "events")


def is_scene(found: Mapping[str, Any]) -> bool:
    """Whether a JSON object has the keys of a scene file."""
    return "events" in found and "total_frames" in found


def parse_scene(
    found: Mapping[str, Any],
    *,
    file: str,
    rate: float | None = None,
    pts_s: ArrayLike | None = None,
) -> Annotation:
    """The truth of a scene file in seconds.

    Args:
        found: the file's JSON object.
        file: what an error names.
        rate: frames a second; the duration is then ``total_frames`` long.
        pts_s: (N,) times of the video's frames in seconds, used instead of a rate; the last frame
            lasts as long as the one before it.

    Raises:
        DatasetError: neither rate nor times, a missing key, or a frame that is not in the video.
    """
    for key in NEEDED:
        if key not in found:
            raise DatasetError(file, f"lacks {key!r}; a scene file holds {', '.join(NEEDED)}")
    edges = _edges(found["total_frames"], file, rate, pts_s)
    label = str(found.get("type") or "hazard")
    events = found["events"]
    if not isinstance(events, list):
        raise DatasetError(file, f"events must be a list, got {events!r}")
    spans = tuple(_span(event, label, edges, file, row) for row, event in enumerate(events, 1))
    return Annotation(
        video=str(found["video"]),
        spans=spans,
        labels=(label,) if spans else (),
        duration_s=float(edges[-1]),
        anomalous=bool(spans),
    )


def _edges(
    total_frames: Any, file: str, rate: float | None, pts_s: ArrayLike | None
) -> NDArray[np.float64]:
    """(N+1,) start of each frame and the end of the last, in seconds."""
    if pts_s is not None:
        pts = np.asarray(pts_s, np.float64)
        if pts.ndim != 1 or len(pts) < 2 or not (np.diff(pts) > 0).all():
            raise ValueError("pts_s must be two or more times that rise strictly")
        return np.append(pts, 2 * pts[-1] - pts[-2])
    if rate is None:
        raise DatasetError(
            file, "counts frames; give the video's frame rate (--rate) or its frame times"
        )
    if not (math.isfinite(rate) and rate > 0):
        raise ValueError(f"rate is {rate}, it must be a positive number of frames a second")
    if not _whole(total_frames) or total_frames < 1:
        raise DatasetError(file, f"total_frames must be a whole number, got {total_frames!r}")
    return np.arange(total_frames + 1) / rate


def _span(event: Any, label: str, edges: NDArray[np.float64], file: str, row: int) -> Span:
    if not isinstance(event, dict) or not (_whole(event.get("start")) and _whole(event.get("end"))):
        raise DatasetError(file, f"an event must hold frames start and end, got {event!r}", row=row)
    start, end = event["start"], event["end"]
    if not 0 <= start < end <= len(edges) - 1:
        raise DatasetError(
            file,
            f"event [{start}, {end}) must lie within the {len(edges) - 1} frames of the video and "
            "end after it starts",
            row=row,
        )
    return Span(label, float(edges[start]), float(edges[end]))


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
