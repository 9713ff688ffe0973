"""What others wrote, in our own layout: a folder a video, and their truth beside it.

Scores of any file that ``read_predictions`` knows are kept as they are, or weighed anew with a bank
of one's own where they are cosines of its sentences.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from watchword.errors import PromptError
from watchword.evaluation.datasets.clip_signals import is_scene, scene_record
from watchword.evaluation.datasets.record import FrameClock
from watchword.evaluation.predictions.prediction import Made, Prediction
from watchword.evaluation.predictions.read import SEED_1, read_predictions
from watchword.evaluation.predictions.saved import FILES, MARK, write_saved
from watchword.evaluation.predictions.series import load_json
from watchword.evidence.prompts import fingerprint
from watchword.evidence.words import ScoreOptions, score_cosines
from watchword.output.atomic import check_file, check_folder, new_file, new_folder
from watchword.types import Annotation, Kind, PromptBank

# Where the truth of foreign scenes lies, and the file that holds it as our own.
ANNOTATIONS = "annotations"
OWN_ANNOTATIONS = "annotations.json"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How foreign scores are taken.

    Attributes:
        rate: pictures a second, for files that hold no times.
        kind: what the scores are, where the files do not say; None is cosine.
        bank: sentences to weigh the cosines with; None keeps the scores as they are.
        words: how the bank weighs them; alpha, tau and temperature that are None are 1, 0.03, 0.01.
        overwrite: replace imports that are there already.
    """

    rate: float | None = None
    kind: Kind | None = None
    bank: PromptBank | None = None
    words: ScoreOptions | None = None
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import wrote.

    Attributes:
        folders: a folder for each video.
        annotations: the file of the truth that lay beside the scores; None if there was none.
        annotated: how many videos it speaks of.
        warnings: sentences that a reader of later numbers must know.
    """

    folders: tuple[Path, ...]
    annotations: Path | None
    annotated: int
    warnings: tuple[str, ...]


def import_predictions(
    source: str | Path, folder: str | Path, *, options: ImportOptions | None = None
) -> Imported:
    """Foreign predictions as folders of ours, which ``read_predictions`` gives back unchanged.

    Args:
        source: file or folder of seed 1, 2 or 5, or anything else that ``read_predictions`` knows.
        folder: where a folder a video goes, and ``annotations.json`` if seed 1's scene files lie
            beside the scores.
        options: rate, bank and the like.

    Raises:
        DatasetError: the source cannot be read.
        PromptError: a video's scores lack a sentence of the bank.
        OutputError: a folder is taken; no space, no permission.
    """
    options = options or ImportOptions()
    source, folder = Path(source), Path(folder)
    found = read_predictions(source, rate=options.rate, kind=options.kind or "cosine")
    warnings = differing_sentences(found)
    if options.bank is not None:
        found = tuple(_weighed(prediction, options.bank, options.words) for prediction in found)
    names = _names(prediction.video for prediction in found)
    truths = [find_scene(source, prediction, rate=options.rate) for prediction in found]
    told = [_own_annotation(truth) for truth in truths if truth is not None]
    # Before anything is written: an import is there whole or not at all.
    for name in names:
        check_folder(folder / name, mark=MARK, overwrite=options.overwrite)
    if told:
        check_file(folder / OWN_ANNOTATIONS, overwrite=options.overwrite)
    for name, prediction in zip(names, found, strict=True):
        with new_folder(
            folder / name, mark=MARK, ours=FILES.__contains__, overwrite=options.overwrite
        ) as to:
            write_saved(prediction, to)
    if told:
        with new_file(folder / OWN_ANNOTATIONS, overwrite=options.overwrite) as made:
            text = json.dumps(told, ensure_ascii=False, indent=2, allow_nan=False)
            made.write_text(text + "\n", encoding="utf-8")
    return Imported(
        tuple(folder / name for name in names),
        folder / OWN_ANNOTATIONS if told else None,
        len(told),
        warnings,
    )


def differing_sentences(predictions: Sequence[Prediction]) -> tuple[str, ...]:
    """A warning that names the sentences which only some of the videos were asked with.

    Seed 1 asks each video with its own description and target, which tell the answer.
    """
    asked = [p.scores.labels for p in predictions if p.scores is not None and p.made.sentences]
    counts = Counter(sentence for labels in asked for sentence in labels)
    own = [sentence for sentence, count in counts.items() if count < len(asked)]
    if not own:
        return ()
    return (
        f"sentences that differ between videos: {', '.join(map(repr, own))}; if they tell what is "
        "in a video they give its truth away; weigh the scores with a bank without them (--bank)",
    )


def find_scene(source: Path, prediction: Prediction, *, rate: float | None) -> Annotation | None:
    """The truth of seed 1's scene file for a video, beside its scores or in ``annotations``.

    Raises:
        DatasetError: the scene file is damaged, or an event is not in the video.
    """
    root = source if source.is_dir() else source.parent
    places = (root, root / SEED_1, root / ANNOTATIONS, root.parent / ANNOTATIONS)
    for place in places:
        for ending in (".mp4.json", ".json"):
            path = place / f"{Path(prediction.video).name}{ending}"
            if not path.is_file():
                continue
            found = load_json(path)
            if isinstance(found, dict) and is_scene(found):
                clock = None if rate is None else FrameClock(rate=rate, origin="--rate")
                record = replace(scene_record(found, file=str(path)), video=prediction.video)
                return record.annotation(clock)
    return None


def _weighed(prediction: Prediction, bank: PromptBank, words: ScoreOptions | None) -> Prediction:
    if prediction.scores is None:
        raise PromptError(f"{prediction.where} holds no scores of sentences to weigh with a bank")
    made = Made(
        bank=bank,
        bank_fingerprint=fingerprint(bank),
        sentences=bank.texts,
    )
    return replace(
        prediction,
        scores=score_cosines(prediction.scores, bank, options=words),
        raw=None,
        events=None,
        verdict=None,
        positive=None,
        made=made,
    )


def _names(videos: Iterable[str]) -> list[str]:
    """Distinct folder names, those that stand for the truth not among them."""
    used = {ANNOTATIONS, OWN_ANNOTATIONS}
    names = []
    for video in videos:
        last = video.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
        plain = re.sub(r"[^\w.-]+", "_", last).strip("._") or "video"
        name, count = plain, 1
        while name in used:
            count += 1
            name = f"{plain}-{count}"
        used.add(name)
        names.append(name)
    return names


def _own_annotation(truth: Annotation) -> dict[str, Any]:
    return {
        "video": truth.video,
        "duration_s": truth.duration_s,
        "anomalous": truth.anomalous,
        "labels": list(truth.labels),
        "spans": [
            {"label": span.label, "start_s": span.start_s, "end_s": span.end_s}
            for span in truth.spans
        ],
    }
