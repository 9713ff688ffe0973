"""Risk of many drives, and what held-out answers say of a responder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from risk_drives import Painter, drive, plain
from watchword.errors import CalibrationError, DatasetError
from watchword.pipeline.clips import SlideOptions
from watchword.pipeline.risk import RiskWatch
from watchword.run.batch import BatchOptions
from watchword.run.manifest import Job
from watchword.run.risk import answers_platt, run_risk
from watchword.train.platt import fit_platt


def test_one_bad_drive_loses_no_other(tmp_path):
    good = drive(tmp_path / "good.mp4", 3.0)
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    watch = RiskWatch(responder=Painter(), slide=SlideOptions(2.0, 0.5, 4), config=plain())
    jobs = [Job(str(bad)), Job(str(good))]
    rows = list(run_risk(watch, jobs, options=BatchOptions(folder=tmp_path / "runs")))
    assert rows[0].error is not None
    assert rows[1].detection is not None
    assert (tmp_path / "runs" / "good" / "report.html").is_file()


def table(path: Path, rows: list[tuple[str, int, float]]) -> Path:
    lines = ["split,label,probability", *(f"{a},{b},{c}" for a, b, c in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_held_out_answers_put_a_responder_right(tmp_path):
    draw = np.random.default_rng(0)
    said = draw.random(60)
    truth = (draw.random(60) < said).astype(int)
    rows = [("val", int(t), float(p)) for t, p in zip(truth, said, strict=True)]
    path = table(tmp_path / "probabilities.csv", [*rows, ("train", 1, 0.0)])
    assert answers_platt(path) == fit_platt(said, truth)


def test_a_table_without_what_is_needed_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("split,label\nval,1\n")
    with pytest.raises(DatasetError, match="columns split, label and probability"):
        answers_platt(path)
    with pytest.raises(DatasetError, match="no row of the split 'val'"):
        answers_platt(table(path, [("train", 1, 0.5)]))
    with pytest.raises(CalibrationError, match=r"a\.csv of the split 'val': 1 positive"):
        answers_platt(table(path, [("val", 1, 0.5)]))
