"""What the built-in model is worth on real clips, beside what knows nothing of the picture.

    python benchmarks/worth.py FOLDER [--write]

FOLDER holds a folder a set with clips and their ``labels.json``. Words come from the starter banks,
unchanged; thresholds are chosen by leaving one video out. With --write the table goes into the
README.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from watchword.config import Config, apply
from watchword.errors import CalibrationError
from watchword.evaluation.calibrate.choose import ChoiceOptions, choose
from watchword.evaluation.evaluate import EvaluationOptions, evaluate
from watchword.evaluation.matching import CaseOptions, Cases
from watchword.evaluation.result import Figure
from watchword.evaluation.settling import rule_of
from watchword.evidence.prompts import load_bank
from watchword.pipeline.detector import Detector
from watchword.run.batch import BatchOptions, run_batch
from watchword.run.judging import Sources, read_cases
from watchword.run.manifest import Job
from watchword.video.reader import find_videos

README = Path(__file__).resolve().parent.parent / "README.md"


@dataclass(frozen=True)
class Set:
    """A set of clips: its folder, which part is tested, and the bank that it is asked with."""

    name: str
    bank: str
    part: str = ""
    split: str | None = None


SETS = (
    Set("dada", "driving"),
    Set("cctv_accident", "driving"),
    Set("ucf_crime", "surveillance"),
    Set("ucsd_ped2", "surveillance", "test", "test"),
    Set("cuhk_avenue", "surveillance", "test", "test"),
    Set("gmdcsa24", "falls"),
)


def cases_of(one: Set, folder: Path, runs: Path) -> Cases:
    """The clips of a set with their scores, encoded unless they are in the cache."""
    config = apply(Config(), {"output": {"report": False}})
    detector = Detector(load_bank(one.bank), config=config)
    clips = find_videos([str(folder / one.name / one.part)])
    rows = run_batch(detector, [Job(clip) for clip in clips], options=BatchOptions(runs / one.name))
    failed = [row.error for row in rows if row.error]
    if failed:
        sys.exit("\n".join(failed))
    sources = Sources(runs / one.name, folder / one.name / "labels.json")
    return read_cases(sources, CaseOptions(split=one.split))


def held_out(cases: Cases) -> tuple[str, str]:
    """F1 with the threshold chosen on the other videos, and that of an alarm that is always on."""
    rule = cases.cases[0].prediction.made.rule
    options = ChoiceOptions(rule=None if rule is None else rule_of(rule))
    try:
        choice = choose(cases.cases, None, options)
    except CalibrationError as exc:
        return f"({exc})", ""
    if choice.value is None or choice.always is None:
        return "–", "–"
    return f"{choice.value:.2f} ({choice.low:.2f} to {choice.high:.2f})", f"{choice.always:.2f}"


def row(one: Set, cases: Cases) -> str:
    """A line of the table."""
    evaluation = evaluate(cases, EvaluationOptions())
    auc = evaluation["auc_micro"]
    f1, always = held_out(cases)
    return (
        f"| {one.name}, {len(cases)} clips | {one.bank} | {said(auc)} "
        f"| {known(auc.baselines.get('centre'))} | {f1} | {always} |"
    )


def said(figure: Figure) -> str:
    """A figure with its interval."""
    if figure.value is None or figure.low is None:
        return known(figure.value)
    return f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})"


def known(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    lines = [
        "| clips | bank | AUC, micro | centre of the video | F1, threshold held out | always on |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    with tempfile.TemporaryDirectory() as runs:
        for one in SETS:
            lines.append(row(one, cases_of(one, asked.folder, Path(runs))))
            print(lines[-1], flush=True)
    if asked.write:
        text = README.read_text(encoding="utf-8")
        table = "<!-- worth -->\n" + "\n".join(lines) + "\n<!-- /worth -->"
        made = re.sub(r"<!-- worth -->.*<!-- /worth -->", lambda _: table, text, flags=re.DOTALL)
        README.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
