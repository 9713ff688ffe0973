"""The one door through which predictions are read, whoever wrote them: the content says how."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from watchword.errors import DatasetError
from watchword.evaluation.predictions import activitynet, matrix, runs, saved, segments, tables
from watchword.evaluation.predictions.heat_maps import is_map, with_maps
from watchword.evaluation.predictions.prediction import Prediction
from watchword.evaluation.predictions.rows import columns_of
from watchword.evaluation.predictions.series import load_json
from watchword.types import Kind

META_SCORES, META = "frame_scores.npy", "meta.json"
# Seed 1's repository keeps its matrices in a folder of this name.
SEED_1 = "clip_scores"
READABLE = (
    "a run folder of 'watchword detect' or a folder of them, NAME.npy with NAME_prompts.json, "
    "one NAME.npy a video, frame_scores.npy with meta.json, a .npz of arrays by video, seed 2's "
    "segment and video CSVs, seed 5's score CSV, ActivityNet's results JSON, or a CSV or JSONL "
    "with the columns video,start_s,end_s,score or video,frame,score or video,time_s,score or "
    "video,score"
)
MOST_NAMED = 10


def read_predictions(
    path: str | Path, *, rate: float | None = None, kind: Kind = "cosine"
) -> tuple[Prediction, ...]:
    """What was predicted about each video, from a file or folder of any kind that we know.

    Heat maps that lie beside it are part of it (see ``heat_maps``).

    Args:
        path: file or folder; docs of the readers beside this one tell the formats.
        rate: pictures a second, for files that count pictures and hold no times.
        kind: what scores are in files that do not say; a cosine has no threshold of its own.

    Raises:
        DatasetError: nothing that we know, damaged files (all are named), a video that stands
            twice, cells that make no sense; with file and row.
    """
    path = Path(path)
    if not path.exists():
        raise DatasetError(str(path), "is not there")
    if path.is_dir():
        found = _folder(path, rate=rate, kind=kind)
    else:
        found = _file(path, rate=rate, kind=kind)
    _distinct(found, path)
    return with_maps(found, path)


def _file(path: Path, *, rate: float | None, kind: Kind) -> tuple[Prediction, ...]:
    ending = path.suffix.lower()
    if path.name in (runs.MARK, saved.MARK, "scores.parquet"):
        return _folder(path.parent, rate=rate, kind=kind)
    if ending == ".npy":
        return _array(path, rate=rate, kind=kind)
    if ending == ".npz":
        return matrix.read_npz(path, rate=rate, kind=kind)
    if ending == ".json" and activitynet.is_results(load_json(path)):
        return activitynet.read_results(path, rate=rate)
    if not path.stat().st_size:
        raise DatasetError(str(path), "is empty")
    columns = () if ending == ".json" else columns_of(path)
    if segments.is_segments(columns):
        return segments.read_segments(path, rate=rate, kind=kind)
    if segments.is_videos(columns):
        return segments.read_videos(path)
    read = tables.find_table(columns)
    if read is None:
        shown = ", ".join(columns[:MOST_NAMED]) + (" ..." if len(columns) > MOST_NAMED else "")
        told = f"has the columns {shown}" if columns else "holds no predictions that we know"
        if ending == ".json":
            told += "; predictions come first, then the truth"
        raise DatasetError(str(path), f"{told}; what can be read is {READABLE}")
    return read(path, rate=rate, kind=kind)


def _array(path: Path, *, rate: float | None, kind: Kind) -> tuple[Prediction, ...]:
    if matrix.is_matrix(path):
        return (matrix.read_matrix(path, rate=rate),)
    meta = path.with_name(META)
    if path.name == META_SCORES and meta.is_file():
        return matrix.read_by_meta(path, meta, rate=rate, kind=kind)
    return (matrix.read_series(path, rate=rate, kind=kind),)


def _folder(folder: Path, *, rate: float | None, kind: Kind) -> tuple[Prediction, ...]:
    """What a folder holds; tables beside run folders say less than these and are left."""
    saved_ones = _tree(folder)
    if saved_ones:
        return saved_ones
    tables_of_seed_2 = folder / "segments.csv", folder / "videos.csv"
    if all(file.is_file() for file in tables_of_seed_2):
        return segments.read_both(*tables_of_seed_2, rate=rate, kind=kind)
    arrays = [
        file
        for file in sorted(folder.glob("*.npy"))
        if not file.name.endswith(matrix.EDGES) and not is_map(file)
    ]
    if arrays:
        _same_sort(arrays, folder)
        return _each(arrays, lambda file: _array(file, rate=rate, kind=kind), folder)
    if (folder / SEED_1).is_dir():
        return _folder(folder / SEED_1, rate=rate, kind=kind)
    files = [file for file in sorted(folder.iterdir()) if _is_table(file)]
    if len(files) == 1:
        return _file(files[0], rate=rate, kind=kind)
    if files:
        names = ", ".join(file.name for file in files)
        raise DatasetError(str(folder), f"holds several predictions, give one of them: {names}")
    raise DatasetError(str(folder), f"holds nothing that can be read, which would be {READABLE}")


def _tree(folder: Path) -> tuple[Prediction, ...]:
    """Every run and import at any depth; none if there is not a trace of one."""
    traces = {
        file.parent
        for name in (runs.MARK, saved.MARK, "scores.parquet")
        for file in folder.rglob(name)
        # What a run that was broken off left under a hidden name was never finished.
        if not any(part.startswith(".") for part in file.relative_to(folder).parts)
    }
    return _each(sorted(traces), _saved_or_run, folder)


def _saved_or_run(folder: Path) -> tuple[Prediction, ...]:
    if (folder / saved.MARK).is_file():
        return (saved.read_saved(folder),)
    return (runs.read_run_folder(folder),)


def _each(
    places: Iterable[Path], read: Callable[[Path], tuple[Prediction, ...]], folder: Path
) -> tuple[Prediction, ...]:
    """All that stands in the places; one error that tells what is wrong with each broken one."""
    found: list[Prediction] = []
    problems: list[DatasetError] = []
    for place in places:
        try:
            found.extend(read(place))
        except DatasetError as exc:
            problems.append(exc)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        told = "\n".join(f"  {problem}" for problem in problems[:MOST_NAMED])
        raise DatasetError(str(folder), f"holds {len(problems)} that cannot be read:\n{told}")
    return tuple(found)


def _same_sort(arrays: Sequence[Path], folder: Path) -> None:
    """DatasetError if some arrays have sentences and others do not: one of them is a mistake."""
    without = [file.name for file in arrays if not matrix.is_matrix(file)]
    if 0 < len(without) < len(arrays):
        raise DatasetError(
            str(folder), f"holds matrices, but {', '.join(without)} has no {matrix.PROMPTS} beside"
        )


def _is_table(path: Path) -> bool:
    if path.suffix.lower() == ".npz":
        return True
    if path.suffix.lower() == ".json":
        return activitynet.is_results(load_json(path))
    columns = columns_of(path) if path.suffix.lower() in (".csv", ".jsonl", ".ndjson") else ()
    return (
        segments.is_segments(columns)
        or segments.is_videos(columns)
        or tables.find_table(columns) is not None
    )


def _distinct(found: Sequence[Prediction], path: Path) -> None:
    seen: dict[str, Prediction] = {}
    for prediction in found:
        first = seen.setdefault(prediction.video, prediction)
        if first is not prediction:
            raise DatasetError(
                str(path),
                f"{prediction.video!r} was predicted twice: {first.where} and {prediction.where}",
            )
