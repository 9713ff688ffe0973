"""A hub on this machine: the part of the protocol that huggingface_hub needs to list and fetch."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REVISIONS = ("main", COMMIT)


class Hub(ThreadingHTTPServer):
    """Repositories by name, each a dict of path to content, and what goes wrong on the way.

    ``cut`` names a file whose connection breaks half way, ``requests`` are those that came.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repos: dict[str, dict[str, bytes]] = {}
        self.cut: str | None = None
        self.requests: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serve() -> Iterator[Hub]:
    """A hub that answers until the block ends."""
    hub = Hub()
    thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        thread.join()
        hub.server_close()


class Handler(BaseHTTPRequestHandler):
    """Answers /OWNER/NAME/resolve/REVISION/FILE and /api/models/OWNER/NAME/revision/REVISION."""

    server: Hub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Stays silent."""

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        self.server.requests.append(f"{self.command} {path}")
        parts = path.removeprefix("/api/models").strip("/").split("/")
        repo, revision, file = "/".join(parts[:2]), parts[3], "/".join(parts[4:])
        files = self.server.repos.get(repo)
        if files is None:
            self._missing("RepoNotFound")
        elif revision not in REVISIONS:
            self._missing("RevisionNotFound")
        elif path.startswith("/api/"):
            self._list(repo, files)
        elif file not in files:
            self._missing("EntryNotFound")
        else:
            self._send(file, files[file])

    def _missing(self, code: str) -> None:
        self._reply(404, {"X-Error-Code": code, "X-Error-Message": code}, b"")

    def _list(self, repo: str, files: Mapping[str, bytes]) -> None:
        siblings = [{"rfilename": name} for name in files]
        told = json.dumps({"id": repo, "sha": COMMIT, "siblings": siblings})
        self._reply(200, {"Content-Type": "application/json"}, told.encode())

    def _send(self, file: str, content: bytes) -> None:
        start = int((self.headers.get("Range") or "bytes=0-")[6:].split("-")[0])
        digest = hashlib.sha256(content).hexdigest()
        headers = {
            "ETag": f'"{digest}"',
            "X-Linked-ETag": f'"{digest}"',
            "X-Linked-Size": str(len(content)),
            "X-Repo-Commit": COMMIT,
        }
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        # What breaks, breaks for good: half of it comes once, and nothing when asked to go on.
        limit = None if self.server.cut != file else 0 if start else len(content) // 2
        self._reply(206 if start else 200, headers, content[start:], limit=limit)

    def _reply(
        self, status: int, headers: Mapping[str, str], body: bytes, *, limit: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[:limit])
