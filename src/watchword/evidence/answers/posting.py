"""One JSON request to a server that may be busy, with nothing sent anywhere else."""

from __future__ import annotations

import http.client
import json
import random
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from watchword.errors import AnswerError

# Busy, or in trouble that passes.
_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Retry:
    """How long a request may take and how often it is tried again.

    Attributes:
        timeout_s: seconds a try may take.
        retries: tries after the first.
        first_wait_s: seconds before the second try; each later wait is twice as long (0.5).
    """

    timeout_s: float
    retries: int
    first_wait_s: float = 0.5


class _NoDetour(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: the key would go with the request."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        return None


def post_json(
    address: str, told: Mapping[str, Any], headers: Mapping[str, str], retry: Retry
) -> Any:
    """What a server answers to a JSON request.

    A busy server (429, 5xx) and a broken connection are tried again after a growing wait, or the
    one the server names.

    Raises:
        AnswerError: it refuses, stays busy, cannot be reached, or answers no JSON.
    """
    body = json.dumps(told).encode()
    request = urllib.request.Request(
        address, body, {"Content-Type": "application/json", **headers}, method="POST"
    )
    for attempt in range(retry.retries + 1):
        wait_s = retry.first_wait_s * 2**attempt * (1 + random.random() / 4)
        try:
            return _send(request, address, retry.timeout_s)
        except urllib.error.HTTPError as exc:
            problem, named_s = _refusal(address, exc)
            wait_s = max(wait_s, named_s)
            if exc.code not in _AGAIN:
                raise AnswerError(problem) from exc
        except (OSError, http.client.HTTPException) as exc:
            reason = getattr(exc, "reason", None) or exc
            problem = f"{address} cannot be reached: {reason}; is the server running?"
        if attempt < retry.retries:
            time.sleep(min(wait_s, _LONGEST_WAIT_S))
    raise AnswerError(f"{problem} (tried {retry.retries + 1} times)")


def _send(request: urllib.request.Request, address: str, timeout_s: float) -> Any:
    opener = urllib.request.build_opener(_NoDetour)
    with opener.open(request, timeout=timeout_s) as answer:
        content = answer.read()
    try:
        return json.loads(content)
    except ValueError as exc:
        raise AnswerError(f"{address} answered no JSON: {content[:100]!r}") from exc


def _refusal(address: str, exc: urllib.error.HTTPError) -> tuple[str, float]:
    """What the server says, and how many seconds it asks to wait."""
    with exc:
        said = exc.read(500).decode("utf-8", "replace").strip()
    if 300 <= exc.code < 400:
        said = f"it points to {exc.headers.get('Location')}; give that address if it is yours"
    named = exc.headers.get("Retry-After", "")
    return f"{address} answered {exc.code}: {said or exc.reason}", (
        float(named) if named.isdigit() else 0.0
    )
