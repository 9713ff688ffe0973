"""A server that speaks as OpenAI's does: a small real one, which checks what it is asked."""

from __future__ import annotations

import base64
import io
import json
import math
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from PIL import Image

from watchword.errors import AnswerError, MissingDependency
from watchword.evidence.answers import posting
from watchword.evidence.answers.base import Clip, Responder
from watchword.evidence.answers.endpoint import Endpoint, EndpointOptions, listed_tokens, yes_bounds
from watchword.evidence.answers.question import CRASH, read_question

DIGITS = read_question("Crash?(0: No, 1: Yes)")
# What a leaning model says: to the option named first.
LEANING = {
    "Answer Yes or No.": {" Yes": 0.8, " No": 0.2},
    "Answer No or Yes.": {"No": 0.5, "Yes": 0.5},
}


class Stub(ThreadingHTTPServer):
    """Chat completions: ``refusals`` go out first, then ``tokens`` by how the question ends."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), StubHandler)
        self.seen: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.refusals: list[tuple[int, dict[str, str]]] = []
        self.tokens: dict[str, dict[str, float]] = LEANING
        self.body: bytes | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class StubHandler(BaseHTTPRequestHandler):
    server: Stub

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        told = json.loads(self.rfile.read(length))
        self.server.seen.append(told)
        self.server.paths.append(self.path)
        self.server.headers.append(dict(self.headers))
        if self.server.refusals:
            code, headers = self.server.refusals.pop(0)
            self._send(code, headers, b'{"error": "the server says why"}')
            return
        self._send(200, {}, self.server.body or json.dumps(self._answer(told)).encode())

    def _answer(self, told: dict[str, Any]) -> dict[str, Any]:
        text = told["messages"][0]["content"][-1]["text"]
        ends = [end for end in self.server.tokens if text.endswith(end)]
        shares = self.server.tokens[ends[0]]
        listed = [{"token": one, "logprob": math.log(share)} for one, share in shares.items()]
        first = {"token": listed[0]["token"], "top_logprobs": listed}
        return {"choices": [{"logprobs": {"content": [first]}}]}

    def _send(self, code: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    monkeypatch.setenv("no_proxy", "*")
    with Stub() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that were waited, without waiting them."""
    slept: list[float] = []
    monkeypatch.setattr(posting.time, "sleep", slept.append)
    return slept


def endpoint(stub: Stub, **told: Any) -> Endpoint:
    return Endpoint(EndpointOptions(stub.url, "watcher", **told))


def test_both_orders_are_asked_and_averaged_as_logits(stub: Stub, make_clip: Any) -> None:
    asked = endpoint(stub)
    assert isinstance(asked, Responder)
    made = asked.answer([make_clip(), make_clip()], CRASH)
    middle = 1 / (1 + math.exp(-(math.log(4) + 0) / 2))
    assert made == pytest.approx([middle, middle], abs=1e-6)
    assert len(stub.seen) == 4
    assert endpoint(stub, swap=False).answer([make_clip()], CRASH) == pytest.approx([0.8])


def test_a_request_is_what_the_interface_asks_for(stub: Stub, make_clip: Any) -> None:
    endpoint(stub, pictures=3, edge=32, swap=False).answer([make_clip(8)], CRASH)
    (told,) = stub.seen
    (turn,) = told.pop("messages")
    assert told == {
        "model": "watcher",
        "max_tokens": 1,
        "temperature": 0,
        "logprobs": True,
        "top_logprobs": 20,
    }
    assert stub.paths == ["/v1/chat/completions"]
    assert stub.headers[0]["Content-Type"] == "application/json"
    assert "Authorization" not in stub.headers[0]
    assert turn["role"] == "user"
    *pictures, text = turn["content"]
    assert text["text"].startswith("These 3 pictures are from 4 seconds of video, oldest first. Is")
    for picture in pictures:
        kind, content = picture["image_url"]["url"].split(",")
        image = Image.open(io.BytesIO(base64.b64decode(content)))
        assert (kind, image.format, image.size) == ("data:image/jpeg;base64", "JPEG", (32, 18))
    assert len(pictures) == 3


def test_pictures_are_sent_oldest_first_and_not_enlarged(stub: Stub) -> None:
    shades = np.stack([np.full((16, 16, 3), shade, np.uint8) for shade in (10, 120, 240)])
    endpoint(stub, swap=False).answer([Clip(shades, np.arange(3.0), 0.0, 3.0)], CRASH)
    sent = [part["image_url"]["url"] for part in stub.seen[0]["messages"][0]["content"][:-1]]
    images = [Image.open(io.BytesIO(base64.b64decode(one.split(",")[1]))) for one in sent]
    assert [image.size for image in images] == [(16, 16)] * 3
    assert [round(np.asarray(image).mean(), -1) for image in images] == [10, 120, 240]


def test_the_key_comes_from_the_environment(
    stub: Stub, make_clip: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CAMERA_KEY", raising=False)
    with pytest.raises(MissingDependency, match="CAMERA_KEY"):
        endpoint(stub, key_env="CAMERA_KEY")
    monkeypatch.setenv("CAMERA_KEY", "secret-one")
    asked = endpoint(stub, key_env="CAMERA_KEY")
    asked.answer([make_clip()], CRASH)
    assert stub.headers[0]["Authorization"] == "Bearer secret-one"
    monkeypatch.setenv("CAMERA_KEY", "secret-two")
    assert endpoint(stub, key_env="CAMERA_KEY").fingerprint == asked.fingerprint


def test_a_busy_server_is_asked_again_after_a_growing_wait(
    stub: Stub, make_clip: Any, waits: list[float]
) -> None:
    stub.refusals = [(503, {}), (429, {}), (429, {"Retry-After": "7"})]
    assert endpoint(stub, swap=False).answer([make_clip()], CRASH) == pytest.approx([0.8])
    assert len(stub.seen) == 4
    assert 0.5 <= waits[0] < 0.7
    assert 1.0 <= waits[1] < 1.3
    assert waits[2] == 7


def test_a_server_that_stays_busy_is_given_up(
    stub: Stub, make_clip: Any, waits: list[float]
) -> None:
    stub.refusals = [(500, {})] * 9
    with pytest.raises(AnswerError, match=r"answered 500: .*says why.*tried 3 times"):
        endpoint(stub, swap=False, retries=2).answer([make_clip()], CRASH)
    assert len(stub.seen) == 3


def test_a_refusal_is_told_at_once_and_without_the_key(
    stub: Stub, make_clip: Any, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMERA_KEY", "secret-one")
    stub.refusals = [(401, {})]
    with pytest.raises(AnswerError, match=r"answered 401: .*says why") as told:
        endpoint(stub, swap=False, key_env="CAMERA_KEY").answer([make_clip()], CRASH)
    assert not waits
    assert "secret-one" not in str(told.value)


def test_nothing_is_sent_where_a_server_points_to(stub: Stub, make_clip: Any) -> None:
    stub.refusals = [(307, {"Location": f"{stub.url}/elsewhere"})]
    with pytest.raises(AnswerError, match="it points to"):
        endpoint(stub, swap=False).answer([make_clip()], CRASH)
    assert len(stub.seen) == 1


def test_a_server_that_is_not_there_is_told(make_clip: Any, waits: list[float]) -> None:
    options = EndpointOptions("http://127.0.0.1:9/v1", "watcher", retries=1, swap=False)
    with pytest.raises(AnswerError, match="cannot be reached"):
        Endpoint(options).answer([make_clip()], CRASH)
    assert len(waits) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>", "no JSON"),
        (b"{}", "no token probabilities"),
        (b'{"choices": [{"logprobs": null}]}', "logprobs and top_logprobs"),
        (b'{"choices": [{"logprobs": {"content": []}}]}', "logprobs and top_logprobs"),
    ],
)
def test_an_answer_without_probabilities_is_an_error(
    stub: Stub, make_clip: Any, body: bytes, said: str
) -> None:
    stub.body = body
    with pytest.raises(AnswerError, match=said):
        endpoint(stub, swap=False).answer([make_clip()], CRASH)


def test_neither_yes_nor_no_is_an_error_that_shows_what_came(stub: Stub, make_clip: Any) -> None:
    stub.tokens = {".": {"<think>": 0.9, "The": 0.1}}
    with pytest.raises(AnswerError, match=r"neither Yes nor No.*'<think>', 'The'"):
        endpoint(stub, swap=False).answer([make_clip()], CRASH)


def test_bounds_hold_whatever_the_unlisted_tokens_are() -> None:
    """Against every way to share what is left among spellings that are not listed."""
    listed = {"Yes": 0.5, " yes": 0.1, "Maybe": 0.2, "So": 0.05}
    low, high = yes_bounds(listed, CRASH, "it")
    rng = np.random.default_rng(0)
    made = []
    for _ in range(5000):
        # Two spellings of yes and four of no are not listed: each at most 0.05, together 0.15.
        hidden = rng.dirichlet(np.full(7, 0.3))[:6] * 0.15
        if hidden.max() <= 0.05:
            yes, no = 0.6 + hidden[:2].sum(), hidden[2:].sum()
            made.append(yes / (yes + no))
    assert low <= min(made)
    assert max(made) <= high == 1
    assert low == pytest.approx(0.6 / 0.75)


def test_wide_bounds_are_no_answer(stub: Stub, make_clip: Any) -> None:
    stub.tokens = {".": {"Yes": 0.3, "Well": 0.2, "The": 0.1}}
    with pytest.raises(AnswerError, match=r"somewhere from 0\.\d+ to 1\.00, wider than .* 0\.1"):
        endpoint(stub, swap=False).answer([make_clip()], CRASH)
    assert endpoint(stub, swap=False, tolerance=1).answer([make_clip()], CRASH)[0] < 1
    stub.tokens = {".": {"Yes": 0.98, "Well": 0.001}}
    made = endpoint(stub, swap=False).answer([make_clip()], CRASH)[0]
    assert 0.99 < made < 1


def test_digits_are_read_with_their_spaces(stub: Stub, make_clip: Any) -> None:
    stub.tokens = {")": {" 1": 0.3, "1": 0.1, "0": 0.6}}
    assert endpoint(stub).answer([make_clip()], DIGITS) == pytest.approx([0.4], abs=1e-6)


def test_a_token_listed_twice_counts_once_and_two_of_one_text_add_up() -> None:
    def told(*listed: tuple[str, float]) -> dict[str, Any]:
        tokens = [{"token": one, "logprob": math.log(share)} for one, share in listed]
        return {"choices": [{"logprobs": {"content": [{"top_logprobs": tokens}]}}]}

    assert listed_tokens(told(("Yes", 0.5), ("Yes", 0.5)), "it") == pytest.approx({"Yes": 0.5})
    assert listed_tokens(told(("Yes", 0.5), ("Yes", 0.2)), "it") == pytest.approx({"Yes": 0.7})


def test_no_clips_ask_nothing(stub: Stub) -> None:
    assert endpoint(stub).answer([], CRASH).shape == (0,)
    assert not stub.seen


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"url": "file:///etc/passwd"}, "http"),
        ({"model": ""}, "model"),
        ({"pictures": 0}, "pictures"),
        ({"quality": 100}, "quality"),
        ({"tolerance": 0}, "tolerance"),
        ({"timeout_s": 0}, "timeout_s"),
    ],
)
def test_options_out_of_range_are_refused(told: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        EndpointOptions(**{"url": "http://localhost:8000/v1", "model": "watcher", **told})


def test_the_fingerprint_follows_address_model_and_what_is_sent(stub: Stub) -> None:
    first = endpoint(stub)
    others = [endpoint(stub, pictures=4), endpoint(stub, edge=64), endpoint(stub, swap=False)]
    assert len({first.fingerprint, *(one.fingerprint for one in others)}) == 4
    assert endpoint(stub, timeout_s=5).fingerprint == first.fingerprint
