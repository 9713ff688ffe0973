"""A comparison: which run is better, and whether that could be luck."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from watchword.errors import OutputError
from watchword.evaluation.compare import Comparison, Difference
from watchword.evaluation.report.cells import columns_wide
from watchword.evaluation.report.comparison import (
    comparison_card,
    comparison_headline,
    comparison_json,
    comparison_markdown,
    write_comparison,
)
from watchword.evaluation.result import Evaluation, Table

MICRO = Difference("auc_micro", "frame", "AUC, micro", 0.465, 0.824, 0.359, 0.12, 0.55, 0.002)


@pytest.fixture
def contrast(dashcam: Evaluation) -> Comparison:
    return Comparison(
        ("maximum", "contrast"),
        (
            Difference("best_f1", "frame", "best F1", 0.4, 0.6, 0.2, 0.1, 0.3, 0.01,
                       note="chosen on this data"),
            Difference("f1", "frame", "F1", 0.406, 0.51, 0.104, -0.05, 0.24, 0.19),
            MICRO,
            Difference("false_alarms", "event", "false alarms", 41.3, 20.1, -21.2, -30.0, -9.5,
                       0.004, better="lower", unit="1/h"),
            Difference("delay", "event", "delay", 1.2, None, None, unit="s", note="not defined"),
        ),
        Table("per_video", "Each video in both runs", ("video", "auc maximum", "auc contrast"),
              (("scene_001", 0.62, 0.7), ("scene_005", None, None))),
        dashcam,
        dashcam,
        ("scene_005 has one class only.",),
    )  # fmt: skip


def said_of(comparison: Comparison, **change: object) -> str:
    changed = replace(MICRO, **change)  # type: ignore[arg-type]
    return comparison_headline(replace(comparison, differences=(changed,)))


def test_the_verdict_is_about_the_figure_the_cards_begin_with(contrast: Comparison) -> None:
    assert comparison_headline(contrast) == (
        "contrast is better than maximum: "
        "AUC, micro 0.824 against 0.465, difference +0.359 [+0.12, +0.55]."
    )


def test_better_needs_an_interval_without_zero_on_the_better_side(contrast: Comparison) -> None:
    assert said_of(contrast, low=-0.01).startswith("contrast cannot be told from maximum")
    assert said_of(contrast, low=0.0).startswith("contrast cannot be told from maximum")
    assert said_of(contrast, low=None, high=None).startswith(
        "Whether contrast differs from maximum by more than luck is not known"
    )
    worse = {"difference": -0.359, "low": -0.55, "high": -0.12}
    assert said_of(contrast, **worse).startswith("contrast is worse than maximum")
    assert said_of(contrast, better="lower", **worse).startswith("contrast is better than maximum")
    assert said_of(contrast, difference=None, second=None).endswith(
        "no figure is defined for both."
    )


def test_what_was_chosen_on_the_data_is_not_spoken_of(contrast: Comparison) -> None:
    only = replace(contrast, differences=contrast.differences[:1])
    assert "cannot be compared" in comparison_headline(only)


def test_the_card_has_both_runs_every_difference_and_marks_what_is_sure(
    contrast: Comparison,
) -> None:
    text = comparison_card(contrast)
    lines = {line[:14].rstrip("0123456789. "): line for line in text.splitlines()}
    assert "maximum: No better than a ruler" in text
    assert lines["+ AUC, micro"].split() == [
        "+", "AUC,", "micro", "0.465", "0.824", "+0.359", "[+0.12,", "+0.55]", "0.002",
    ]  # fmt: skip
    assert re.search(r"^  F1 +0.406 ", text, re.MULTILINE)
    assert lines["+ false alarms"].split()[3:8] == ["41.30", "/h", "20.10", "/h", "-21.20"]
    assert "1.200 s" in lines["  delay"]
    assert "Of 4 figures about 1 would do so by luck alone." in " ".join(text.split())
    assert "│ scene_005 │         – │         – │" in text
    assert "- scene_005 has one class only." in text
    assert max(map(columns_wide, text.splitlines())) <= 80
    assert "Too long for the card: Each video in both runs (2 rows)." in comparison_card(
        contrast, rows=1
    )


@pytest.mark.parametrize(
    "names", [("same", "same"), ("", "x"), ("p", "95 %"), ("a" * 40, "b" * 40)]
)
def test_any_two_names_give_two_columns(contrast: Comparison, names: tuple[str, str]) -> None:
    text = comparison_card(replace(contrast, names=names))
    assert all(number in text for number in ("0.465", "0.824", "+0.359", "0.002"))
    assert max(map(columns_wide, text.splitlines())) <= 80


def test_hostile_names_order_nothing(contrast: Comparison, attacks: tuple[str, ...]) -> None:
    for attack in attacks:
        named = replace(
            contrast,
            names=(attack, attack + "2"),
            differences=tuple(replace(d, title=attack, note=attack) for d in contrast.differences),
            notes=(attack,),
        )
        text = comparison_card(named)
        assert all(character.isprintable() or character == "\n" for character in text)
        assert max(map(columns_wide, text.splitlines())) <= 80
        assert "<script" not in comparison_markdown(named).replace("\\<", "")


def test_the_folder_holds_card_markdown_json_and_tables(
    contrast: Comparison, tmp_path: Path
) -> None:
    folder = write_comparison(contrast, tmp_path / "out")
    assert sorted(file.name for file in folder.iterdir()) == [
        "card.md", "card.txt", "comparison.json", "differences.csv", "per_video.csv",
    ]  # fmt: skip
    document = json.loads((folder / "comparison.json").read_text())
    assert document == json.loads(json.dumps(comparison_json(contrast), allow_nan=False))
    assert document["differences"][2]["difference"] == 0.359
    text = (folder / "card.md").read_text()
    assert r"| frame | AUC, micro | 0.465 | 0.824 | \+0.359 | \[\+0.12, \+0.55\] | 0.002 |" in text
    assert 'frame,"AUC, micro",0.465,0.824,0.359,0.12,0.55,0.002,,' in (
        (folder / "differences.csv").read_text()
    )
    with pytest.raises(OutputError, match="is there already"):
        write_comparison(contrast, folder)
    write_comparison(contrast, folder, overwrite=True)


def test_a_level_of_which_neither_run_has_anything_is_one_line(contrast: Comparison) -> None:
    nothing = Difference("pixel_auc", "pixel", "AUC of pixels", None, None, None)
    text = comparison_card(replace(contrast, differences=(*contrast.differences, nothing)))
    assert "\nPixels: not defined in either run.\n" in text
