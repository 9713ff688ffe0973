"""Files from the hub into a folder, with the hub's and the network's errors said in our words."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import (  # type: ignore[attr-defined]
    EntryNotFoundError,
    GatedRepoError,
    HFValidationError,
    # Parent of its network errors; which HTTP library it comes from changes with the version.
    HTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils.tqdm import tqdm

from watchword.errors import EncoderError

# (file, bytes so far, bytes in all or None)
Progress = Callable[[str, int, int | None], None]


def is_offline(*, said: bool | None = None) -> bool:
    """Whether nothing may be fetched: as said, else as WATCHWORD_OFFLINE or HF_HUB_OFFLINE say."""
    if said is not None:
        return said
    told = (os.environ.get(name, "") for name in ("WATCHWORD_OFFLINE", "HF_HUB_OFFLINE"))
    return any(value.strip().lower() in ("1", "true", "yes", "on") for value in told)


def list_files(repo: str, revision: str) -> tuple[str, tuple[str, ...]]:
    """(commit, paths of every file) of a repository on the hub.

    Raises:
        EncoderError: there is no such repository or revision, or no connection.
    """
    with _in_our_words(repo, revision):
        info = HfApi(endpoint=_endpoint()).model_info(repo, revision=revision)
        return info.sha or revision, tuple(file.rfilename for file in info.siblings or ())


def fetch(
    repo: str,
    *,
    revision: str,
    paths: Sequence[str],
    folder: Path,
    progress: Progress | None = None,
) -> None:
    """Files of a repository into a folder, under their own paths.

    Raises:
        EncoderError: a file, the repository or the revision does not exist, the connection failed,
            or the folder cannot be written.
    """
    for path in paths:
        with _in_our_words(repo, revision, path):
            hf_hub_download(
                repo,
                path,
                revision=revision,
                local_dir=folder,
                endpoint=_endpoint(),
                tqdm_class=_reporter(path, progress),
            )


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT") or None


def _reporter(path: str, progress: Progress | None) -> type[tqdm]:
    """A progress bar that shows nothing and tells ``progress`` instead."""

    class Reporter(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._done = int(kwargs.get("initial", 0))
            self._total = kwargs.get("total")
            super().__init__(*args, **{**kwargs, "disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> bool | None:
            self._done += int(n or 0)
            if progress is not None:
                progress(path, self._done, self._total)
            return None

    return Reporter


@contextmanager
def _in_our_words(repo: str, revision: str, path: str = "") -> Iterator[None]:
    what = f"{repo}@{revision}" + (f", file {path}" if path else "")
    try:
        yield
    except GatedRepoError as exc:
        raise EncoderError(
            f"{what} asks for an agreement on its page first; accept it there and log in with: "
            "hf auth login"
        ) from exc
    except RevisionNotFoundError as exc:
        raise EncoderError(
            f"{what}: the hub has no such revision; name another as hf:{repo}@REVISION"
        ) from exc
    except RepositoryNotFoundError as exc:
        raise EncoderError(
            f"{what}: the hub has no such repository, or it is private; check the name"
        ) from exc
    except EntryNotFoundError as exc:
        # Also raised, as LocalEntryNotFoundError, where the hub cannot be reached at all.
        if isinstance(exc, FileNotFoundError):
            raise EncoderError(_no_connection(what, exc)) from exc
        raise EncoderError(f"{what}: the repository has no such file") from exc
    except HFValidationError as exc:
        raise EncoderError(f"{what} is no repository name: {exc}; write OWNER/NAME") from exc
    except HTTPError as exc:
        raise EncoderError(_no_connection(what, exc)) from exc
    except OSError as exc:
        raise EncoderError(_storage(what, exc) or _no_connection(what, exc)) from exc


def _no_connection(what: str, exc: Exception) -> str:
    return (
        f"{what} could not be fetched: {exc}; check the connection (HF_ENDPOINT names another hub) "
        "and run the command again"
    )


def _storage(what: str, exc: OSError) -> str | None:
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{what} could not be stored: the disk is full; free some space and run it again"
    if exc.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR):
        return (
            f"{what} could not be stored: {exc}; set WATCHWORD_HOME to a folder that can be written"
        )
    return None
