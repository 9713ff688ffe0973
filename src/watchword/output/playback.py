"""Pictures of a video from a moment on, each with the time it is shown: for strips, clips, drawing.

Time 0 is where a player starts. A folder of pictures plays at the rate it was read with.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from watchword.output.film import FilePlayer, open_container
from watchword.output.shown import Player
from watchword.output.slides import FolderPlayer
from watchword.types import VideoInfo


@contextmanager
def open_player(info: VideoInfo) -> Iterator[Player]:
    """The video of ``info``, open for reading.

    Raises:
        VideoError: it cannot be read any more.
    """
    if Path(info.source).is_dir():
        yield FolderPlayer(info)
        return
    with open_container(info.source) as container:
        yield FilePlayer(info.source, container)
