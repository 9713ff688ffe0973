"""What the light model of crash risk is worth on real clips, beside what knows nothing of them.

    python benchmarks/risk.py FOLDER [--write]

FOLDER holds a folder a set with clips and their ``labels.json``. Every figure is of windows whose
drive was held out, with its bootstrap interval over drives. Windows are judged only where a whole
look lies before them: in published clips accidents come late, and what can tell how long ago a clip
began (a half-empty look does) needs no picture. The time since the start stands beside all figures.
``--write`` puts the table into docs/risk.md.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

from watchword.config import Config
from watchword.errors import CalibrationError
from watchword.evaluation.datasets.clock import clock_for
from watchword.evaluation.foreseen import LeadOptions
from watchword.evaluation.result import Figure
from watchword.evidence.light import seen_by
from watchword.pipeline.embed import VideoEncoder
from watchword.run.fitting import TruthOptions, find_pairs
from watchword.train.examples import LabelledVideo
from watchword.train.head import FitOptions, LabelFit, fit_head
from watchword.train.light import Footage, LightOptions, fit_light

# What marks are about: in cctv_accident an event is an accident from its first frame on.
SETS = {"dada": False, "dad": False, "cctv_accident": True}
LEADS_S = (1.0, 2.0)
CLIPS = "crash_cctv"
PAGE = Path(__file__).resolve().parent.parent / "docs" / "risk.md"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
RIVALS = ("auc_change", "auc_later", "auc_shorter")


def footage_of(name: str, folder: Path, encoder: VideoEncoder) -> list[Footage]:
    """A set's clips with what is true of them, encoded unless they are in the cache."""
    made = []
    for job, record in find_pairs([], TruthOptions(folder / name / "labels.json")).pairs:
        clock = clock_for(record, videos=None, path=job.source, rate=None)
        seen = encoder.embed(job.source)
        annotation = record.annotation(clock)
        if SETS.get(name) and annotation.accident_s is None and annotation.spans:
            start_s = min(span.start_s for span in annotation.spans)
            annotation = replace(annotation, accident_s=start_s)
        video = f"{name}/{annotation.video}"
        made.append(Footage(replace(annotation, video=video), seen.embeddings, seen.features))
    return made


def row(what: str, footage: list[Footage], lead_s: float, *, whole: bool = True) -> str:
    """A line of the table, and the minute it took."""
    how = replace(LightOptions().fit, whole=whole)
    began = time.perf_counter()
    try:
        result = fit_light(footage, LightOptions(LeadOptions(lead_s), fit=how))
    except CalibrationError as exc:
        return f"| {what} | {lead_s:g} | ({exc}) |" + " |" * 7
    seconds = time.perf_counter() - began
    fit = result.fit.labels[0]
    facts = result.light.head.facts
    said = "–" if result.brier is None else f"{result.brier[1]:.3f} / {result.base:.3f}"
    return (
        f"| {what} | {lead_s:g} | {facts.positives['collision']} of {facts.examples}, "
        f"{facts.groups} | {cells(fit)} | {said} | {seconds:.0f} s |"
    )


def cells(fit: LabelFit) -> str:
    """AUC, its mean over videos, and the rivals."""
    by_name = {figure.name: figure for figure in fit.figures}
    wanted = ("auc", "auc_macro", *RIVALS)
    return " | ".join(shown(by_name.get(name)) for name in wanted)


def shown(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return "–"
    if figure.low is None:
        return f"{figure.value:.2f}"
    return f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})"


def whole_clips(footage: list[Footage]) -> str:
    """Is there a crash in the clip: what is foreseen nowhere, told afterwards."""
    videos = [
        LabelledVideo(one.annotation, seen_by(one.embeddings, one.features, "features"))
        for one in footage
    ]
    fit = fit_head(videos, FitOptions(unit="clip", merged="crash", sizes=())).labels[0]
    held = f"{fit.positives} of {len(videos)} clips"
    return f"| {CLIPS}, whole clips | – | {held} | {cells(fit)} | – | – |"


def table(folder: Path) -> str:
    """All rows as Markdown."""
    encoder = VideoEncoder(Config())
    known = {name: footage_of(name, folder, encoder) for name in SETS}
    together = [one for footage in known.values() for one in footage]
    heads = ("clips", "lead s", "positive windows, videos", "AUC", "AUC within videos")
    beside = ("change alone", "time since the start", "short videos", "Brier / base rate", "fit")
    lines = [f"| {' | '.join((*heads, *beside))} |", "| --- " * (len(heads) + len(beside)) + "|"]
    for lead_s in LEADS_S:
        lines += [row(name, known[name], lead_s) for name in SETS]
        lines.append(row("all", together, lead_s))
        lines.append(row("all, looks cut short too", together, lead_s, whole=False))
    lines.append(whole_clips(footage_of(CLIPS, folder, encoder)))
    said = "AUC of always-on and of random alarms is 0.5; intervals: 95 %, bootstrap over videos."
    return "\n".join((*lines, "", said))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help="put the table into docs/risk.md")
    given = parser.parse_args()
    text = table(given.folder)
    print(text)
    if given.write:
        head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        tail = rest.partition(END)[2]
        PAGE.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
