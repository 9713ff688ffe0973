"""What a browser makes of a page: its tags and text, and what headless Chromium says of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def named(self, tag: str, kind: str) -> list[dict[str, str | None]]:
        return [
            a for name, a in self.tags if name == tag and kind in (a.get("class") or "").split()
        ]


def browse(page: Path, profile: Path, *options: str) -> str:
    """What headless Chromium says of a page."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.fail("needs Chromium")
    quiet = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ]  # fmt: skip
    result = subprocess.run(
        [browser, *quiet, f"--user-data-dir={profile}", *options, page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return result.stdout + result.stderr


def overhang(page: Path, folder: Path, *, width: int) -> int:
    """Pixels by which the page is wider than a screen of that width; the page is in a frame.

    Chromium makes no window narrower than 500 pixels, but a frame may be.
    """
    text = re.sub(r"<meta http-equiv[^>]+>", "", page.read_text(encoding="utf-8"))
    say = "parent.document.title = document.documentElement.scrollWidth - window.innerWidth"
    inner = folder / "inner.html"
    inner.write_text(text.replace("</body>", f"<script>{say}</script></body>"), encoding="utf-8")
    outer = folder / "outer.html"
    outer.write_text(
        f'<title>0</title><iframe src="inner.html" style="width:{width}px;height:900px;border:0">'
    )
    options = ("--dump-dom", "--allow-file-access-from-files", "--window-size=1300,1000")
    found = re.search(r"<title>(-?\d+)</title>", browse(outer, folder / "profile", *options))
    assert found is not None
    return int(found[1])
