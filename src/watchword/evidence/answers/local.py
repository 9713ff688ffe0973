"""A responder out of a model directory, whichever kind of model lies in it."""

from __future__ import annotations

from pathlib import Path

from watchword.errors import ModelFileError
from watchword.evidence.answers.base import AnswerOptions, Responder
from watchword.evidence.answers.chat import ChatVlm
from watchword.evidence.answers.files import Digest, read_json, sha256
from watchword.evidence.answers.smolvlm import SmolVlm


def load_responder(
    directory: str | Path, options: AnswerOptions | None = None, *, digest: Digest = sha256
) -> Responder:
    """What answers questions with the model in a local directory.

    SmolVLM (model_type smolvlm) gets the prompt it was trained with; any other model is asked by
    its own processor and chat template.

    Args:
        directory: as it was downloaded; nothing is fetched.
        options: how it runs.
        digest: sha256 of a file; pass one that remembers, as weights take seconds.

    Raises:
        MissingDependency: an optional package or device is not there.
        ModelFileError: the directory is absent, or its files are no such model.
    """
    where, how = Path(directory), options or AnswerOptions()
    if not where.is_dir():
        raise ModelFileError(f"{where} is no directory; give that of a downloaded model")
    kind = read_json(where / "config.json").get("model_type")
    made = SmolVlm if kind == "smolvlm" else ChatVlm
    return made(where, how, digest=digest)
