"""Folders of questions about the next seconds: what is refused, and what is made of annotations."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from risk_clips import SEED_4, make_dataset
from synthetic import Painter, frame_number, make_video, numbered
from watchword.errors import DatasetError, OutputError
from watchword.evaluation.datasets.record import Record
from watchword.run.fitting import Found, TruthOptions, find_pairs
from watchword.run.manifest import Job
from watchword.run.risk_data import MARK, QUESTION, RiskDataOptions, write_risk_dataset
from watchword.run.risk_folder import read_risk_dataset
from watchword.train.risk.windows import WindowOptions
from watchword.types import Span
from watchword.video.fingerprint import fingerprint
from watchword.video.reader import open_video
from watchword.video.sampling import Sampling

SHORT = WindowOptions(clip_s=1.0)


def rewrite(file: Path, row: int, **changes: object) -> None:
    """Changes one line of a JSONL file; None takes a key out."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines[row] = {k: v for k, v in {**lines[row], **changes}.items() if v is not None}
    file.write_text("\n".join(map(json.dumps, lines)))


@pytest.fixture
def seed_4(tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "freeway", {"train": 4, "val": 2, "test": 2})


def drives(folder: Path, count: int, *, seconds: float = 8.0) -> Found:
    """Half of the drives end in an impact at 6 s, marked from 5.5 s on; the others are normal."""
    pairs = []
    for at in range(count):
        path = folder / f"drive{at}.mp4"
        make_video(path, seconds=seconds, rate=10, painter=_drive(at))
        crash = at % 2 == 0
        record = Record(
            path.name,
            "made",
            spans=(Span("collision", 5.5, 7.0),) if crash else (),
            anomalous=crash,
            group=f"road {at // 2}",
            accident=6.0 if crash else None,
        )
        pairs.append((Job(str(path)), record))
    return Found(tuple(pairs))


def test_the_folders_of_seed_4_are_read_as_they_are(seed_4: Path) -> None:
    dataset = read_risk_dataset(seed_4)
    assert [one.label for one in dataset.train] == [0, 1, 0, 1]
    first = dataset.train[0]
    assert first.video == seed_4 / "train" / "train0.mp4"
    assert (first.text, first.start_s, first.end_s) == (SEED_4, None, None)
    assert dataset.counts["val"] == {"yes": 1, "no": 1, "groups": 2}


def test_a_label_other_than_0_and_1_is_refused_by_row(seed_4: Path) -> None:
    rewrite(seed_4 / "train.jsonl", 2, label=2)
    with pytest.raises(DatasetError, match=r"train\.jsonl, row 3: label must be 0 or 1, got 2"):
        read_risk_dataset(seed_4)


def test_a_line_without_question_is_refused_by_row(seed_4: Path) -> None:
    rewrite(seed_4 / "val.jsonl", 1, text=" ")
    with pytest.raises(DatasetError, match=r"val\.jsonl, row 2: text must be a question"):
        read_risk_dataset(seed_4)


def test_a_clip_that_is_not_there_is_named(seed_4: Path) -> None:
    (seed_4 / "train" / "train1.mp4").unlink()
    with pytest.raises(DatasetError, match=r"row 2: names 'train1\.mp4', which is not in"):
        read_risk_dataset(seed_4)


def test_clips_that_cannot_be_read_are_named_before_training(seed_4: Path) -> None:
    (seed_4 / "test" / "test0.mp4").write_bytes(b"no video at all")
    with pytest.raises(DatasetError, match=r"1 clips cannot be read: .*test0\.mp4"):
        read_risk_dataset(seed_4)
    assert len(read_risk_dataset(seed_4, check_clips=False).test) == 2


def test_an_empty_split_is_refused(seed_4: Path) -> None:
    (seed_4 / "val.jsonl").write_text("\n")
    with pytest.raises(DatasetError, match=r"val\.jsonl: is empty"):
        read_risk_dataset(seed_4)


def test_a_folder_without_training_is_refused_and_one_without_test_is_told(seed_4: Path) -> None:
    (seed_4 / "test.jsonl").unlink()
    assert "there is no test.jsonl" in read_risk_dataset(seed_4).notes
    (seed_4 / "train.jsonl").unlink()
    with pytest.raises(DatasetError, match=r"holds no train\.jsonl"):
        read_risk_dataset(seed_4)


def test_training_with_one_answer_only_is_refused(seed_4: Path) -> None:
    for row in (1, 3):
        rewrite(seed_4 / "train.jsonl", row, label=0)
    with pytest.raises(DatasetError, match="0 examples with label 1 and 4 with 0"):
        read_risk_dataset(seed_4)


def test_a_group_in_two_splits_is_refused(seed_4: Path) -> None:
    for split in ("train", "val"):
        rewrite(seed_4 / f"{split}.jsonl", 0, group="camera 1")
    with pytest.raises(DatasetError, match="group 'camera 1' stands in train and val"):
        read_risk_dataset(seed_4)


def test_the_same_video_under_another_name_in_another_split_is_refused(seed_4: Path) -> None:
    shutil.copy(seed_4 / "train" / "train1.mp4", seed_4 / "test" / "test1.mp4")
    with pytest.raises(DatasetError, match=r"is the same file as .* stands in train and test"):
        read_risk_dataset(seed_4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start_s": "0"}, "start_s must be seconds, got '0'"),
        ({"start_s": -1.0}, "start_s must be 0 or more"),
        ({"start_s": 1.0, "end_s": 0.5}, "must lie after start_s"),
    ],
)
def test_times_that_are_none_are_refused(
    seed_4: Path, changes: dict[str, object], message: str
) -> None:
    rewrite(seed_4 / "train.jsonl", 0, **changes)
    with pytest.raises(DatasetError, match=message):
        read_risk_dataset(seed_4)


def test_what_is_written_is_read_again_in_grouped_splits(tmp_path: Path) -> None:
    options = RiskDataOptions(windows=SHORT, shares=(0.5, 0.25, 0.25), crf=10)
    dataset = write_risk_dataset(drives(tmp_path, 8), tmp_path / "made", options)
    counts = dataset.counts
    assert [counts[s]["groups"] for s in ("train", "val", "test")] == [2, 1, 1]
    assert (counts["train"]["yes"], counts["val"]["yes"], counts["test"]["yes"]) == (8, 4, 4)
    assert {one.text for _, one in dataset} == {QUESTION}
    told = json.loads((tmp_path / "made" / MARK).read_text())
    assert told["counts"]["train"] == {"yes": 8, "no": counts["train"]["no"]}


def test_a_cut_clip_is_as_long_as_asked_and_holds_no_picture_of_what_follows(
    tmp_path: Path,
) -> None:
    options = RiskDataOptions(windows=SHORT, shares=(1, 0, 0), crf=10)
    dataset = write_risk_dataset(drives(tmp_path, 2), tmp_path / "made", options)
    positive = [one for one in dataset.train if one.label]
    assert sorted(one.lead_s for one in positive if one.lead_s) == [0.5, 1.0, 1.5, 2.0]
    for one in dataset.train:
        assert one.cut_from is not None
        assert one.cut_fingerprint == fingerprint(one.cut_from)
    for one in positive:
        with open_video(one.video, sampling=Sampling(rate=None)) as stream:
            frames = list(stream)
        numbers = [frame_number(picture) for part in frames for picture in part.pixels]
        ends = 60 - round(10 * (one.lead_s or 0))
        assert numbers == list(range(ends - 10, ends))
        last = frames[-1]
        assert last.pts_s[-1] + last.duration_s[-1] == pytest.approx(1.0, abs=1e-3)


def test_without_cutting_lines_name_the_videos_where_they_lie(tmp_path: Path) -> None:
    found = drives(tmp_path, 2)
    options = RiskDataOptions(windows=SHORT, shares=(1, 0, 0), cut=False)
    dataset = write_risk_dataset(found, tmp_path / "made", options)
    assert {one.video for one in dataset.train} == {Path(job.source) for job, _ in found.pairs}
    ends = [one.end_s for one in dataset.train if one.label]
    assert ends == pytest.approx([4.0, 4.5, 5.0, 5.5])
    assert not list((tmp_path / "made").rglob("*.mp4"))


def test_splits_that_the_truth_states_stay_and_validation_comes_from_training(
    tmp_path: Path,
) -> None:
    found = drives(tmp_path, 8)
    pairs = [
        (job, Record(**{**fields(record), "split": "test" if at >= 6 else "train"}))
        for at, (job, record) in enumerate(found.pairs)
    ]
    options = RiskDataOptions(windows=SHORT, shares=(0.6, 0.4, 0.0), cut=False)
    dataset = write_risk_dataset(Found(tuple(pairs)), tmp_path / "made", options)
    assert {one.group for one in dataset.test} == {"road 3"}
    assert {one.group for one in (*dataset.train, *dataset.val)} == {"road 0", "road 1", "road 2"}
    assert dataset.counts["val"]["groups"] == 1
    assert "splits are those that the truth states" in dataset.notes


def _drive(number: int) -> Painter:
    """Pictures numbered from 100 times the drive's number on, so that no two are the same."""
    paint = numbered()
    return lambda index, at_s: paint(index + 100 * number, at_s)


def fields(record: Record) -> dict[str, object]:
    return {name: getattr(record, name) for name in Record.__slots__}


def test_the_same_seed_writes_the_same_lines(tmp_path: Path) -> None:
    found = drives(tmp_path, 6)
    options = RiskDataOptions(windows=SHORT, cut=False)
    for name in ("one", "other"):
        write_risk_dataset(found, tmp_path / name, options)
    for split in ("train", "val", "test"):
        one, other = (tmp_path / name / f"{split}.jsonl" for name in ("one", "other"))
        assert one.exists() == other.exists()
        if one.exists():
            assert one.read_text() == other.read_text()


def test_an_earlier_data_set_is_replaced_only_when_asked_and_nothing_else_with_it(
    tmp_path: Path,
) -> None:
    found, made = drives(tmp_path, 4), tmp_path / "made"
    write_risk_dataset(found, made, RiskDataOptions(windows=SHORT, shares=(1, 0, 0)))
    (made / "notes.md").write_text("mine")
    uncut = RiskDataOptions(windows=SHORT, shares=(1, 0, 0), cut=False)
    with pytest.raises(OutputError, match="is there already"):
        write_risk_dataset(found, made, uncut)
    write_risk_dataset(found, made, uncut, overwrite=True)
    assert sorted(p.name for p in made.iterdir()) == [MARK, "notes.md", "train.jsonl"]


def test_videos_too_short_for_a_stretch_before_the_event_are_counted(tmp_path: Path) -> None:
    long = RiskDataOptions(windows=WindowOptions(clip_s=6.0))
    with pytest.raises(
        DatasetError, match=r"give 0 with yes.*2 videos with an event have less than 6 s"
    ):
        write_risk_dataset(drives(tmp_path, 4), tmp_path / "made", long)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "wrong", [{"shares": (0, 1, 0)}, {"shares": (1, 1)}, {"text": " "}, {"crf": 60}]
)
def test_options_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RiskDataOptions(**wrong)  # type: ignore[arg-type]


@pytest.mark.shared
def test_real_drives_give_both_answers_in_every_split(shared: Path, tmp_path: Path) -> None:
    found = find_pairs([], TruthOptions(shared / "data" / "dad" / "labels.json"))
    options = RiskDataOptions(windows=SHORT, shares=(0.6, 0.2, 0.2), cut=False)
    dataset = write_risk_dataset(found, tmp_path / "made", options)
    checked = read_risk_dataset(tmp_path / "made")
    assert checked.counts == dataset.counts
    assert all(count["yes"] and count["no"] for count in checked.counts.values())
