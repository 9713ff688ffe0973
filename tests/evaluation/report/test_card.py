"""The card and its Markdown: the verdict first, everything on 80 columns, names only text."""

from __future__ import annotations

import re
from dataclasses import replace

from watchword.evaluation.report.card import card
from watchword.evaluation.report.cells import columns_wide
from watchword.evaluation.report.markdown import escaped, markdown, markdown_table
from watchword.evaluation.result import Evaluation, Figure, Table


def test_the_card_says_verdict_warnings_figures_matrix_tables_and_protocol_in_this_order(
    dashcam: Evaluation,
) -> None:
    text = card(dashcam)
    places = [
        text.index(words)
        for words in (
            "No better than a ruler: AUC (micro)",
            "!! Sentences 39 and 40",
            "scene_001, scene_002, scene_003, scene_004, scene_005 and 9 more",
            "!  The threshold 0.28 equals",
            "Frame by frame",
            "- AUC, micro        0.465 [0.31, 0.62]  0.500 0.500  0.500  0.646   0.610  0.690",
            "(3) chosen on this data",
            "Events",
            "false alarms (1)                     41.30 /h [30.2, 55.9]",
            "Whole videos: not measured, one class only",
            "Baselines: always: flagging everything",
            "│ is event  │      2241 │      1800 │",
            "Per video",
            "Per type",
            "Too long for the card: Sweep (31 rows).",
            "threshold: 0.28, given by hand",
            "command: watchword evaluate",
            "- scene_005: the annotation has 5125",
        )
    ]
    assert places == sorted(places)


def test_every_line_of_every_card_fits_a_terminal_and_orders_it_to_nothing(
    dashcam: Evaluation, hostile: Evaluation, undefined: Evaluation, videos_only: Evaluation
) -> None:
    for evaluation in (dashcam, hostile, undefined, videos_only):
        text = card(evaluation)
        assert all(character.isprintable() or character == "\n" for character in text)
        assert max(map(columns_wide, text.splitlines())) <= 80


def test_what_is_not_defined_is_a_dash_with_its_reason_and_never_a_number(
    undefined: Evaluation,
) -> None:
    text = card(undefined)
    assert text.startswith("Nothing could be measured: no event in any of the videos.")
    assert "Frame by frame: not measured, no event in any of the videos\n" in text
    assert "Events: not measured, no event in any of the videos\n" in text
    assert not re.search(r"\d\.\d\d", text + markdown(undefined))


def test_long_titles_are_folded_and_not_cut(dashcam: Evaluation) -> None:
    title = "area under the curve of all the windows of all the videos that were measured"
    figure = replace(dashcam["auc_micro"], title=title)
    text = card(replace(dashcam, figures=(figure,)))
    level = text[text.index("Frame by frame") :]
    words = re.findall(r"[a-z]+", level[: level.index("\n\n")])
    assert [word for word in words if word in title.split()] == title.split()


def test_tables_of_up_to_so_many_rows_are_on_the_card(dashcam: Evaluation) -> None:
    assert "Too long for the card: Per video (14 rows), Sweep (31 rows)." in " ".join(
        card(dashcam, rows=13).split()
    )
    assert "Too long" not in card(dashcam, rows=31)


def test_many_notes_are_counted_and_not_all_printed(dashcam: Evaluation) -> None:
    text = card(replace(dashcam, notes=tuple(f"note {k}." for k in range(40))))
    assert "note 11." in text
    assert "note 12." not in text
    assert "and 28 more, in evaluation.json" in text


def test_markdown_has_every_table_and_figure(dashcam: Evaluation) -> None:
    text = markdown(dashcam)
    assert text.startswith(r"**No better than a ruler: AUC \(micro\)")
    assert r"| AUC, micro | 0.465 | \[0.31, 0.62\] | 0.500 | 0.500 | 0.500 | 0.646 |" in text
    assert "> **Warning.** Sentences 39 and 40" in text
    assert text.count("| scene\\_0") == 14
    assert "**0.130**" in text


def test_markdown_shows_names_as_they_are(attacks: tuple[str, ...]) -> None:
    for attack in (*attacks, "a|b", "*b*", "[x](http://y)", "# h", "`c`", "1 < 2 ~~s~~ $x$"):
        row = markdown_table(Table("t", "T", ("name", "n"), ((attack, 1),))).splitlines()[-1]
        assert not re.search(r"(?<!\\)[<>*`\[\]$~]", row)
        assert len(re.findall(r"(?<!\\)\|", row)) == 3
        assert re.sub(r"\\(?=[^\w\s])", "", escaped("x" + attack.split("\x1b")[0])) == (
            "x" + attack.split("\x1b")[0]
        )


def test_an_undefined_unit_is_printed_as_it_is() -> None:
    figure = Figure("speed", "frame", "speed", 12.345, unit="m/\x1bs")
    assert "12.35 m/\\x1bs" in card(Evaluation((figure,), {}))


def test_a_figure_without_a_value_among_others_is_a_dash_with_a_footnote(
    dashcam: Evaluation,
) -> None:
    figures = (dashcam["f1"], replace(dashcam["f1"], title="J", value=None, why="one class only"))
    text = card(replace(dashcam, figures=figures))
    assert re.search(r"^  J \(1\) +– ", text, re.MULTILINE)
    assert "(1) not defined: one class only" in text
