"""Boxes: aligned, never too wide, and nothing in them that a terminal would obey."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.evaluation.report.boxes import box
from watchword.evaluation.report.cells import columns_wide, folded, number, plain, texts
from watchword.evaluation.result import Cell, Table


def test_a_box_of_seed_ones_table_is_drawn_with_a_whole_border_and_undefined_cells() -> None:
    table = Table(
        "iou",
        "IoU at 0.20",
        ("video", "Row1", "Row2"),
        (("scene_001", 0.6732, 0.663), ("scene_005", None, float("nan")), ("scene_006", 0.0, 1.0)),
    )
    assert box(table) == "\n".join(
        [
            "IoU at 0.20",
            "┌───────────┬───────┬───────┐",
            "│ video     │  Row1 │  Row2 │",
            "├───────────┼───────┼───────┤",
            "│ scene_001 │ 0.673 │ 0.663 │",
            "│ scene_005 │     – │     – │",
            "│ scene_006 │ 0.000 │ 1.000 │",
            "└───────────┴───────┴───────┘",
        ]
    )


def test_the_best_row_is_marked_and_said() -> None:
    table = Table("s", "", ("threshold", "F1"), ((0.1, 0.4), (0.2, 0.6)), best=1)
    lines = box(table).splitlines()
    assert [line for line in lines if "* " in line] == ["│   * 0.200 │ 0.600 │", "* best"]


def test_a_wide_table_becomes_boxes_of_like_width_that_all_begin_with_the_first_column() -> None:
    names = ("video", *(f"prompt {k}" for k in range(1, 13)))
    rows = tuple((f"scene_{k:03d}", *(k / 100 + p / 1000 for p in range(12))) for k in range(3))
    text = box(Table("t", "", names, rows), width=60)
    assert text.count("┌") == 3
    assert text.count("scene_002") == 3
    assert all(text.count(f"prompt {k} ") == 1 for k in range(1, 13))
    widths = [columns_wide(line) for line in text.splitlines() if line.startswith("┌")]
    assert max(widths) <= 60
    assert max(widths) - min(widths) <= 12


cells = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=60)
)  # fmt: skip


@settings(max_examples=80)
@given(
    st.integers(1, 6).flatmap(
        lambda k: st.tuples(
            st.lists(st.text(max_size=30), min_size=k, max_size=k),
            st.lists(st.lists(cells, min_size=k, max_size=k), max_size=4),
        )
    ),
    st.integers(24, 100),
)
def test_whatever_the_cells_hold_every_line_fits_and_borders_stand_under_each_other(
    parts: tuple[list[str], list[list[Cell]]], width: int
) -> None:
    columns, rows = parts
    table = Table("t", "", tuple(columns), tuple(map(tuple, rows)))
    text = box(table, width=width)
    assert all(character.isprintable() or character == "\n" for character in text)
    lines = text.split("\n")
    assert all(columns_wide(line) <= width for line in lines)
    if rows:
        tops = [n for n, line in enumerate(lines) if line.startswith("┌")] + [len(lines)]
        for first, last in pairwise(tops):
            assert len({columns_wide(line) for line in lines[first:last]}) == 1


@pytest.mark.parametrize(
    "character", ["\x1b", "\x07", "\x9b", "\u202e", "\u200b", "\ud800", "\x00"]
)
def test_what_a_terminal_would_obey_is_written_out(character: str) -> None:
    text = box(Table(f"t{character}", f"a{character}b", (f"c{character}",), ((f"d{character}",),)))
    assert character not in text
    assert text.count("\\") == 3


def test_wide_characters_take_two_columns_and_accents_none() -> None:
    assert columns_wide("鹿e\u0301") == 3
    lines = box(Table("t", "", ("名",), (("鹿鹿",), ("deer",)))).splitlines()
    assert {columns_wide(line) for line in lines} == {8}


def test_nothing_of_a_long_name_is_lost() -> None:
    name = "a_very_long_video_name_" * 5
    lines = box(Table("t", "", ("video", "n"), ((name, 1),)), width=40).splitlines()
    assert "".join(line.split("│")[1].strip() for line in lines[3:-1]) == name
    assert folded("one two three", 8) == ("one two", "three")


def test_numbers_of_a_column_have_the_same_decimals_and_little_is_not_nothing() -> None:
    assert texts([0.5, 61.25, None, 7]) == ("0.50", "61.25", "–", "7")
    assert texts([5400.4, 0.5]) == ("5400", "0.5")
    assert number(0.0001) == "0.0001"
    assert number(-0.0) == "0.000"
    assert number(float("inf")) == "∞"
    assert texts([True, False, "x"]) == ("yes", "no", "x")


def test_a_table_without_columns_or_room_is_refused() -> None:
    with pytest.raises(ValueError, match="no columns"):
        box(Table("t", "", (), ()))
    with pytest.raises(ValueError, match="at least 24"):
        box(Table("t", "", ("a",), ()), width=23)


def test_a_table_without_rows_says_so() -> None:
    assert box(Table("t", "Nothing", ("a",), ())) == "Nothing\n(no rows)"


def test_plain_keeps_ordinary_text() -> None:
    assert plain("two deer 🦌, 100 %") == "two deer 🦌, 100 %"


@pytest.mark.shared
def test_seed_ones_published_box_is_drawn_from_its_own_numbers(shared: Path) -> None:
    folder = shared / "data/clip_hazard_signals/published_results"
    published = (folder / "generic_results.txt").read_text().splitlines()
    rows = [line.strip("│ ").split("│") for line in published if line.startswith("│")][1:]
    parsed = [(name.strip(), *(float(cell) for cell in cells)) for name, *cells in rows]
    table = Table("g", "", ("video", "Row1", "Row2", "Row3", "Row4", "Row5"), tuple(parsed))
    ours = [line.strip("│ ").split("│") for line in box(table).splitlines() if "scene_" in line]
    assert len(ours) == 14
    for line, theirs in zip(ours, rows, strict=True):
        assert [c.strip() for c in line] == [c.strip().replace("nan", "–") for c in theirs]
    with (folder / "threshold_sweep.csv").open() as file:
        header, *sweep = csv.reader(file)
    text = box(Table("s", "", tuple(header), tuple(tuple(map(float, row)) for row in sweep)))
    assert text.count("0.520") >= 10
