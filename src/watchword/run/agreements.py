"""Many pairs into one table, row by row, so that an interrupted run goes on where it stopped.

The table is seed 5's ``clip_score_results.csv`` with more columns. Each row ends with ``Made_Of``,
a hash over the content of the files, the texts, the model's fingerprint, and the settings that
decide the numbers. A row whose hash would come out the same is not computed again; one with an
error is, and so is one of a URL, whose content cannot be vouched for.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import watchword
from watchword.encoders.store import cache_folder
from watchword.errors import CacheMismatch, EncoderError, OutputError, PromptError, VideoError
from watchword.evaluation.metrics.clipscore import DEFINITIONS
from watchword.output.atomic import check_file, new_file
from watchword.pipeline.agreed import Agreed
from watchword.pipeline.agreement import Agreement
from watchword.pipeline.alignment import Align
from watchword.pipeline.embed import Listener
from watchword.pipeline.long_texts import Long
from watchword.run.pairs import Pair
from watchword.video.fingerprint import FingerprintMemo

SEED_COLUMNS = ("Filename", "Mean_CLIP_Score", "Median_CLIP_Score")
COLUMNS = (
    *SEED_COLUMNS,
    *("Compared_With", "Kind", "Path", "Frames", "Failed", *DEFINITIONS),
    *("Model", "Notes", "Error", "Made_Of"),
)

_NUMBERS = (*SEED_COLUMNS[1:], *DEFINITIONS)
_COUNTS = ("Frames", "Failed")

Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PairOptions:
    """How pairs are compared.

    Attributes:
        align: of two videos, as ``Agreement.video_video`` has it.
        long: what becomes of texts that are too long, as ``Agreement.video_text`` has it.
        overwrite: begin the table anew rather than go on with it.
    """

    align: Align = "frame"
    long: Long = "error"
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class PairRow:
    """What became of one pair: its cells in the table; ``reused`` says that they were there."""

    pair: Pair
    cells: Cells
    reused: bool = False

    @property
    def error(self) -> str | None:
        """Why it could not be compared, or None."""
        return self.cells["Error"] or None

    def to_json(self) -> dict[str, object]:
        """Plain JSON values by the table's column names; an empty cell is null."""
        told: dict[str, object] = {name: text or None for name, text in self.cells.items()}
        for name, text in self.cells.items():
            if text and name in _NUMBERS:
                told[name] = float(text)
            if text and name in _COUNTS:
                told[name] = int(text)
        return told | {"reused": self.reused}


def run_pairs(
    agreement: Agreement,
    pairs: Sequence[Pair],
    table: str | Path,
    *,
    options: PairOptions = PairOptions(),
    listener: Callable[[Pair], Listener] | None = None,
) -> Iterator[PairRow]:
    """One row a pair, in order, each in the table before the next begins.

    A table that is there already is gone on with; its rows about other pairs stay. In the end it is
    in the order of the pairs.

    Raises:
        OutputError: at the path lies something that is no such table, or it cannot be written.
    """
    path = Path(table)
    known = _known(path, overwrite=options.overwrite)
    _write(path, known)
    standing = {
        (*_place_of(cells), cells["Made_Of"]): cells
        for cells in known
        if cells["Made_Of"] and not cells["Error"]
    }
    finished: list[Cells] = []
    for pair in pairs:
        hashed = _made_of(agreement, pair, options)
        there = standing.get((pair.first, pair.second, hashed))
        cells = there or _computed(agreement, pair, hashed, options, listener)
        finished.append(cells)
        if there is None:
            _append(path, cells)
        yield PairRow(pair, cells, reused=there is not None)
    wanted = {(pair.first, pair.second) for pair in pairs}
    _write(path, [*(cells for cells in known if _place_of(cells) not in wanted), *finished])


def _place_of(cells: Cells) -> tuple[str, str]:
    return cells["Path"], cells["Compared_With"]


def _computed(
    agreement: Agreement,
    pair: Pair,
    hashed: str,
    options: PairOptions,
    listener: Callable[[Pair], Listener] | None,
) -> Cells:
    if pair.problem is not None:
        return _cells(pair, hashed, error=pair.problem)
    try:
        agreed = compare(agreement, pair, options, listener(pair) if listener else None)
    except (VideoError, EncoderError, PromptError, CacheMismatch) as exc:
        return _cells(pair, hashed, error=str(exc))
    return _cells(pair, hashed, agreed)


def compare(
    agreement: Agreement, pair: Pair, options: PairOptions, listener: Listener | None = None
) -> Agreed:
    """How well the two things of a pair agree.

    Raises:
        VideoError: one of them cannot be read.
        PromptError: its text is empty, or too long.
    """
    first, second = pair.first, pair.second
    if pair.kind == "video-to-video":
        return agreement.video_video(first, second, align=options.align, listener=listener)
    if pair.kind == "video-to-image":
        return agreement.video_image(first, second, listener=listener)[0]
    if pair.kind == "image-to-image":
        return agreement.image_image(first, second)
    known, long = pair.references, options.long
    if pair.kind == "image-to-text":
        return agreement.image_text(first, second, references=known, long=long)[0]
    return agreement.video_text(first, second, references=known, long=long, listener=listener)[0]


def row_of(agreed: Agreed) -> Cells:
    """The cells of one result, for a table of its own; ``Made_Of`` is left empty."""
    name = agreed.first.rstrip("/").replace("\\", "/").rsplit("/", 1)[-1]
    cells = dict.fromkeys(COLUMNS, "")
    cells |= {
        "Filename": name,
        "Mean_CLIP_Score": _number(agreed.mean),
        "Median_CLIP_Score": _number(agreed.median),
        "Compared_With": agreed.second,
        "Kind": agreed.kind,
        "Path": agreed.first,
        "Frames": str(agreed.frames),
        "Failed": str(agreed.failed),
        "Model": agreed.model,
        "Notes": "; ".join(agreed.notes),
    }
    return cells | {name: _number(value) for name, value in agreed.definitions.items()}


def write_table(rows: Sequence[Cells], table: str | Path, *, overwrite: bool = False) -> None:
    """The rows as a CSV file; OutputError if it is there already, or cannot be written."""
    check_file(Path(table), overwrite=overwrite)
    _write(Path(table), rows)


def _cells(pair: Pair, hashed: str, agreed: Agreed | None = None, *, error: str = "") -> Cells:
    found = dict.fromkeys(COLUMNS, "") if agreed is None else dict(row_of(agreed))
    said = {"Filename": pair.name, "Compared_With": pair.second, "Path": pair.first}
    return found | said | {"Kind": pair.kind, "Error": error, "Made_Of": hashed}


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _made_of(agreement: Agreement, pair: Pair, options: PairOptions) -> str:
    """What decides a row's numbers, hashed; of its own each time where a file cannot vouch."""
    memo = FingerprintMemo(cache_folder() / "fingerprints.json")
    files = [pair.first] if pair.kind.endswith("text") else [pair.first, pair.second]
    contents: list[str | None] = []
    for file in files:
        try:
            contents.append(memo.fingerprint(file))
        except (VideoError, OSError):
            contents.append(None)
    if pair.problem is not None or None in contents:
        # A URL, or a file that cannot be read: nothing says that it is still what it was.
        return ""
    parts = [
        watchword.__version__,
        agreement.encoder.fingerprint,
        agreement.videos.looking,
        *(pair.kind, *map(str, contents), *pair.references),
        pair.second if pair.kind.endswith("text") else "",
        options.align if pair.kind == "video-to-video" else "",
        options.long if pair.kind.endswith("text") else "",
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _known(path: Path, *, overwrite: bool) -> list[Cells]:
    """The rows of a table that is there; those that a crash left unfinished are dropped."""
    if overwrite or not path.is_file():
        check_file(path, overwrite=overwrite)
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = list(csv.reader(file)) or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise OutputError(f"{path} cannot be gone on with: {exc}; choose another file") from exc
    if tuple(header) != COLUMNS:
        raise OutputError(
            f"{path} is no table of this version of Watchword (its columns differ), so nothing in "
            "it is touched; choose another file, or replace it with --overwrite"
        )
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows if len(row) == len(COLUMNS)]


def _write(path: Path, rows: Sequence[Cells]) -> None:
    with (
        new_file(path, overwrite=True) as made,
        made.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _append(path: Path, cells: Cells) -> None:
    """Adds a row in one write; half of one, after a crash, is told by its missing cells."""
    line = io.StringIO(newline="")
    csv.DictWriter(line, COLUMNS, lineterminator="\n").writerow(cells)
    try:
        with path.open("ab", buffering=0) as file:
            file.write(line.getvalue().encode())
    except OSError as exc:
        raise OutputError(f"{path} cannot be written: {exc.strerror}; make room") from exc
