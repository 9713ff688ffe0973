"""The folder of an evaluation: everything a reader needs, written whole or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from watchword.errors import DatasetError
from watchword.evaluation.report.card import card
from watchword.evaluation.report.csv_files import write_tables
from watchword.evaluation.report.document import from_json, to_json
from watchword.evaluation.report.markdown import markdown
from watchword.evaluation.report.page import write_page
from watchword.evaluation.result import Evaluation
from watchword.output.atomic import new_folder

_DOCUMENT = "evaluation.json"
_FILES = (_DOCUMENT, "card.txt", "card.md", "report.html")
# Folders inside it, and the files in them that are ours to replace.
_INNER = {"tables": ".csv", "plots": ".png"}


def write_evaluation(
    evaluation: Evaluation, folder: str | Path, *, plots: bool = True, overwrite: bool = False
) -> Path:
    """The evaluation in a folder of its own; returns the folder.

    It holds ``evaluation.json``, ``card.txt``, ``card.md``, ``report.html``, the tables as
    ``tables/*.csv`` and the pictures as ``plots/*.png``.

    Args:
        evaluation: what to write.
        folder: where; made if absent. Files of a user's in it are never touched, only in
            ``tables`` and ``plots`` those that end as ours do.
        plots: whether to draw the pictures; the page has its own.
        overwrite: replace the files of an evaluation that is there already.

    Raises:
        OutputError: the folder is taken; no space, no permission.
    """
    folder = Path(folder)
    with new_folder(folder, mark=_DOCUMENT, ours=_FILES.__contains__, overwrite=overwrite) as to:
        text = json.dumps(to_json(evaluation), ensure_ascii=False, indent=1, allow_nan=False)
        _write(to / _DOCUMENT, text + "\n")
        _write(to / "card.txt", card(evaluation))
        _write(to / "card.md", markdown(evaluation))
        write_page(evaluation, to / "report.html")
        write_tables(evaluation, to / "tables")
        if plots:
            # Here, because matplotlib takes longer to load than all the rest to write.
            from watchword.evaluation.report.plot_files import write_plots

            write_plots(evaluation, to / "plots")
        _make_room(folder, to)
    return folder


def read_evaluation(path: str | Path) -> Evaluation:
    """The evaluation that a folder, or the JSON file in it, holds.

    Raises:
        DatasetError: there is none, or it cannot be read.
    """
    path = Path(path)
    file = path / _DOCUMENT if path.is_dir() else path
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise DatasetError(str(file), f"cannot be read as an evaluation: {exc}") from exc
    if not isinstance(document, dict):
        raise DatasetError(str(file), "is no evaluation: it holds no JSON object")
    return from_json(document, file=str(file))


def _make_room(folder: Path, made: Path) -> None:
    """Moves the folders inside an earlier evaluation out of the way of the new ones.

    They go to the hidden folder beside ``made``, which is removed in the end; what is not ours in
    them is copied over first.
    """
    for name, ending in _INNER.items():
        old = folder / name
        if not old.is_dir():
            continue
        for file in old.iterdir():
            if file.suffix != ending:
                (made / name).mkdir(exist_ok=True)
                copy = shutil.copytree if file.is_dir() else shutil.copy2
                copy(file, made / name / file.name)
        old.rename(made.parent / f"earlier-{name}")


def _write(path: Path, text: str) -> None:
    # A name may hold what UTF-8 cannot: half a pair of surrogates.
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
