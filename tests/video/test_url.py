"""Videos over HTTP, from a real server."""

from __future__ import annotations

import functools
import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthetic import make_video
from video.reading import EVERY, Read
from watchword.errors import VideoError
from watchword.video.reader import ReadOptions


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass

    def copyfile(self, source: object, outputfile: object) -> None:
        # FFmpeg hangs up as soon as it has read enough.
        try:
            super().copyfile(source, outputfile)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
        httpd.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["a.ts", "a.mkv", "a.webm"])
def test_a_url_gives_the_pictures_of_the_file_behind_it(
    tmp_path: Path, server: str, name: str
) -> None:
    times = make_video(tmp_path / name)
    got = Read(f"{server}/{name}")
    assert got.numbers == list(range(len(times)))
    assert got.pts_s.tolist() == pytest.approx(times)
    assert got.info.fingerprint is None


def test_a_url_of_nothing_tells_what_the_server_said(server: str) -> None:
    with pytest.raises(VideoError, match=r"cannot be fetched: .*404"):
        Read(f"{server}/absent.mp4")


def test_a_page_is_not_a_video(tmp_path: Path, server: str) -> None:
    (tmp_path / "index.html").write_text("<html><body>no video</body></html>")
    with pytest.raises(VideoError, match=r"cannot be fetched|is text"):
        Read(f"{server}/index.html")


def test_nobody_listening_is_an_error() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(VideoError, match="cannot be fetched: connection refused"):
        Read(f"http://127.0.0.1:{port}/a.mp4")


def test_a_silent_server_is_given_up_after_the_time_limit() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a.mp4"
        with pytest.raises(VideoError, match="no answer within the time limit"):
            Read(url, EVERY, ReadOptions(timeout_s=0.3))
