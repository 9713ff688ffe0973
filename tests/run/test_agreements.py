"""Pairs of folders and manifests into one table that can be gone on with."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from pipeline_clips import RED, coloured
from watchword.config import Config, apply
from watchword.encoders.fake import FakeEncoder
from watchword.errors import DatasetError, OutputError
from watchword.pipeline.agreement import Agreement
from watchword.run.agreements import COLUMNS, PairOptions, PairRow, run_pairs
from watchword.run.pairs import Pair, pairs_by_stem, pairs_of_seed, read_pairs


def agreement(**sections: object) -> Agreement:
    config = apply(Config(), {"sampling": {"rate": None}, **sections})
    return Agreement(config, encoder=FakeEncoder())


def table_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def compared(pairs: tuple[Pair, ...], table: Path, **options: object) -> list[PairRow]:
    return list(run_pairs(agreement(), pairs, table, options=PairOptions(**options)))  # type: ignore[arg-type]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Three videos, of which one is damaged and one has no reference; and a reference alone."""
    videos, references = tmp_path / "videos", tmp_path / "references"
    videos.mkdir()
    references.mkdir()
    coloured(videos / "a.mp4", seconds=2, red=(0, 1))
    (videos / "b.mp4").write_bytes(b"no video")
    coloured(videos / "c.mp4", seconds=1)
    (references / "a.txt").write_text("a red\nwall\n")
    Image.new("RGB", (32, 24), RED).save(references / "a.png")
    (references / "b.txt").write_text("a blue wall")
    (references / "z.txt").write_text("nobody's")
    return videos, references


def test_stems_pair_videos_with_texts_and_pictures(folders: tuple[Path, Path]) -> None:
    videos, references = folders
    found = pairs_by_stem(videos, references)
    assert [(pair.name, pair.kind, pair.second) for pair in found.pairs] == [
        ("a.mp4", "video-to-image", str(references / "a.png")),
        ("a.mp4", "video-to-text", "a red wall"),
        ("b.mp4", "video-to-text", "a blue wall"),
        ("c.mp4", "video-to-text", ""),
    ]
    assert found.pairs[3].problem is not None
    assert found.alone == (str(references / "z.txt"),)


def test_folders_without_a_common_stem_are_refused(tmp_path: Path, folders: tuple) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.txt").write_text("x")
    with pytest.raises(DatasetError, match=r"such as a\.txt"):
        pairs_by_stem(folders[0], tmp_path / "other")
    with pytest.raises(DatasetError, match="cannot be read"):
        pairs_by_stem(folders[0], tmp_path / "absent")


def test_the_table_has_the_seeds_columns_first_and_a_bad_file_is_a_row(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    table = tmp_path / "clip_score_results.csv"
    rows = compared(pairs_by_stem(*folders).pairs, table)
    header = table.read_text().splitlines()[0].split(",")
    assert header[:3] == ["Filename", "Mean_CLIP_Score", "Median_CLIP_Score"]
    written = table_of(table)
    assert [row["Filename"] for row in written] == ["a.mp4", "a.mp4", "b.mp4", "c.mp4"]
    (text,) = agreement().video_text(folders[0] / "a.mp4", "a red wall")
    assert written[1]["Mean_CLIP_Score"] == f"{text.mean:.6f}"
    assert written[1]["Median_CLIP_Score"] == f"{text.median:.6f}"
    assert written[1]["hessel_prefixed"] == f"{text.definitions['hessel_prefixed']:.6f}"
    assert written[1]["ref_clipscore"] == ""
    assert written[2]["Mean_CLIP_Score"] == ""
    assert "b.mp4" in written[2]["Error"]
    assert "named c in" in written[3]["Error"]
    assert [row.error is None for row in rows] == [True, True, False, False]


def test_what_is_there_is_not_computed_again(folders: tuple[Path, Path], tmp_path: Path) -> None:
    table, pairs = tmp_path / "t.csv", pairs_by_stem(*folders).pairs
    compared(pairs, table)
    before = table.read_text()
    rows = compared(pairs, table)
    # Errors are tried again: the file may have been mended.
    assert [row.reused for row in rows] == [True, True, False, False]
    assert table.read_text() == before
    coloured(folders[0] / "b.mp4", seconds=1)
    rows = compared(pairs, table)
    assert rows[2].error is None
    assert len(table_of(table)) == 4


@pytest.mark.parametrize("change", ["video", "text", "reference", "sampling", "long", "encoder"])
def test_what_changes_the_number_computes_the_row_again(tmp_path: Path, change: str) -> None:
    video, table = coloured(tmp_path / "a.mp4", seconds=1), tmp_path / "t.csv"
    pair = Pair(str(video), "red", "video-to-text")
    asked, options = agreement(cache={"enabled": False}), PairOptions()
    list(run_pairs(asked, [pair], table))
    (again,) = run_pairs(asked, [pair], table)
    assert again.reused
    if change == "video":
        coloured(video, seconds=1, red=(0, 1))
    elif change == "text":
        pair = Pair(str(video), "blue", "video-to-text")
    elif change == "reference":
        pair = Pair(str(video), "red", "video-to-text", references=("a red wall",))
    elif change == "sampling":
        asked = agreement(sampling={"rate": None, "every": 5})
    elif change == "long":
        options = PairOptions(long="truncate")
    else:
        other = FakeEncoder()
        other.fingerprint = "fake-2"
        asked = Agreement(asked.videos.config, encoder=other)
    (row,) = run_pairs(asked, [pair], table, options=options)
    assert not row.reused
    # A changed row takes the place of the old one; another text is another pair.
    assert len(table_of(table)) == (2 if change == "text" else 1)


def test_an_interrupted_run_goes_on_and_ends_in_order(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    table, pairs = tmp_path / "t.csv", pairs_by_stem(*folders).pairs
    rows = run_pairs(agreement(), pairs[1:], table)
    next(rows)
    rows.close()
    assert len(table_of(table)) == 1
    with table.open("a") as file:
        # What a crash in the middle of a write leaves behind.
        file.write('b.mp4,0.12,"half of a te')
    rows = compared(pairs, table)
    assert [row.reused for row in rows] == [False, True, False, False]
    assert [row["Compared_With"] for row in table_of(table)] == [pair.second for pair in pairs]


def test_rows_about_other_pairs_stay(folders: tuple[Path, Path], tmp_path: Path) -> None:
    table, pairs = tmp_path / "t.csv", pairs_by_stem(*folders).pairs
    compared(pairs[:1], table)
    compared(pairs[1:2], table)
    assert len(table_of(table)) == 2
    compared(pairs[1:2], table, overwrite=True)
    assert len(table_of(table)) == 1


def test_a_file_of_someone_else_is_not_touched(folders: tuple[Path, Path], tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("Filename,Mean_CLIP_Score,Median_CLIP_Score\na.mp4,0.1,0.1\n")
    with pytest.raises(OutputError, match="--overwrite"):
        compared(pairs_by_stem(*folders).pairs, table)
    assert table.read_text().endswith("a.mp4,0.1,0.1\n")
    with pytest.raises(OutputError, match="is a folder"):
        compared(pairs_by_stem(*folders).pairs, tmp_path)


def test_the_seeds_names_pair_results_with_originals(tmp_path: Path) -> None:
    results, inputs = tmp_path / "results", tmp_path / "inputs"
    results.mkdir()
    inputs.mkdir()
    for name in ("source1_1", "source10_1", "source2_1", "source1_7"):
        coloured(results / f"{name}.mp4", seconds=1, red=(0, 1))
    (results / "source1_2_3.mp4").write_bytes(b"")
    (results / "notes.txt").write_text("")
    coloured(inputs / "original1.mp4", seconds=2, red=(0, 1))
    found = pairs_of_seed(results, inputs)
    assert [pair.name for pair in found.pairs] == [
        "source1_1.mp4", "source1_7.mp4", "source2_1.mp4", "source10_1.mp4",
    ]  # fmt: skip
    assert found.alone == (str(results / "source1_2_3.mp4"),)
    rows = compared(found.pairs, tmp_path / "out" / "clip_score_results.csv")
    assert "original7.mp4 is not there" in str(rows[1].error)
    assert rows[0].cells["Frames"] == "25"
    assert float(rows[0].cells["Mean_CLIP_Score"]) == pytest.approx(1.0, abs=1e-5)
    assert "left out from 1.00 s on" in rows[0].cells["Notes"]
    with pytest.raises(DatasetError, match=r"source1_2\.mp4"):
        pairs_of_seed(inputs, results)


def test_manifests_of_both_kinds_give_the_same_pairs(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(
        "video,image,text,image2,video2,ref1,ref2,rater\n"
        'v.mp4,,"a cat, asleep",,,a cat,a kitten,5\n'
        "v.mp4,,,,w.mp4,,,\n"
        "v.mp4,p.png,,,,,,\n"
        ",p.png,,/q.png,,,,\n"
        "https://host/v.mp4,,a dog,,,,,\n"
    )
    rows = [
        {"video": "v.mp4", "text": "a cat, asleep", "ref": ["a cat", "a kitten"]},
        {"video": "v.mp4", "video2": "w.mp4"},
        {"video": "v.mp4", "image": "p.png"},
        {"image": "p.png", "image2": "/q.png"},
        {"video": "https://host/v.mp4", "text": "a dog"},
    ]
    (tmp_path / "m.jsonl").write_text("\n".join(map(json.dumps, rows)))
    pairs = read_pairs(tmp_path / "m.csv").pairs
    assert pairs == read_pairs(tmp_path / "m.jsonl").pairs
    assert pairs[0] == Pair(
        str(tmp_path / "v.mp4"), "a cat, asleep", "video-to-text", ("a cat", "a kitten")
    )
    assert [pair.kind for pair in pairs[1:]] == [
        "video-to-video", "video-to-image", "image-to-image", "video-to-text",
    ]  # fmt: skip
    assert pairs[3].second == "/q.png"
    assert pairs[4].first == "https://host/v.mp4"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        (
            "m.csv",
            "video,text\nv.mp4,\n",
            r"row 2: gives video \(columns: video, text\); a pair is",
        ),
        ("m.csv", "video,text,video2\nv.mp4,cat,w.mp4\n", "gives video, text, video2"),
        ("m.csv", "video,text\n", "holds no pair"),
        ("m.csv", "video,text\nv.mp4,a cat, asleep\n", "3 cells under 2 columns"),
        ("m.jsonl", '{"video": "v.mp4", "text": "a", "ref": 3}', "ref is 3"),
        ("m.jsonl", "[1]", "an object is needed"),
        ("m.txt", "v.mp4", "a manifest is .csv or .jsonl"),
    ],
)
def test_manifests_that_are_none_say_where(
    tmp_path: Path, name: str, content: str, problem: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DatasetError, match=problem):
        read_pairs(tmp_path / name)


def test_a_name_that_no_file_can_have_is_a_row(tmp_path: Path) -> None:
    pairs = [Pair("x" * 5000 + ".mp4", "red", "video-to-text")]
    (row,) = compared(pairs, tmp_path / "t.csv")
    assert "cannot be opened" in str(row.error)


def test_a_url_is_never_taken_as_unchanged(tmp_path: Path) -> None:
    pair = Pair("http://127.0.0.1:9/v.mp4", "red", "video-to-text")
    table = tmp_path / "t.csv"
    (row,) = compared((pair,), table)
    assert row.error is not None
    assert row.cells["Made_Of"] == ""
    # Even if it had been measured.
    cells = {**row.cells, "Error": "", "Mean_CLIP_Score": "0.5"}
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerow(cells)
    (again,) = compared((pair,), table)
    assert not again.reused
