"""The page: the verdict first, true to the numbers, nothing comes in and nothing runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pages import Page, browse, overhang
from watchword.evaluation.report.drawing import gauges, panels, strips
from watchword.evaluation.report.page import page, tally, write_page
from watchword.evaluation.report.standing import standings
from watchword.evaluation.result import Curve, Evaluation, Figure, Lane


def test_the_page_tells_in_the_order_of_a_reader(dashcam: Evaluation) -> None:
    text = Page(page(dashcam)).text
    places = [
        text.index(words)
        for words in (
            "Evaluation of OpenAI CLIP ViT-B/32",
            "No better than a ruler: AUC (micro)",
            "Of 8 figures that can be compared",
            "Warning. Sentences 39 and 40",
            "The threshold 0.28 equals the best",
            "Beside what knows nothing of the picture AUC, micro frame",
            "centre 0.65",
            "Curves ROC",
            "Videos, with the truth scene_001",
            "Every figure Frame by frame",
            "Confusion matrix, frame level",
            "2,241 55.5 %",
            "Per video",
            "How it was measured unit windows of one frame",
            "How to repeat it watchword evaluate clip_scores annotations",
        )
    ]
    assert places == sorted(places)


def test_the_tally_counts_what_can_be_compared(dashcam: Evaluation) -> None:
    assert tally(standings(dashcam)).endswith(
        "0 are surely better, 2 better but perhaps by luck, 6 no better."
    )
    assert tally(standings(dashcam)[:1]) == ""


def test_a_gauge_stands_where_its_numbers_are(dashcam: Evaluation) -> None:
    drawn = {gauge.standing.figure.name: gauge for gauge in gauges(standings(dashcam))}
    assert set(drawn) == {
        "precision", "f1", "auc_micro", "auc_macro", "auc_normalised", "ap",
        "iou_best_interval", "event_f1",
    }  # fmt: skip
    micro = drawn["auc_micro"]
    assert (micro.left, micro.low, micro.high, micro.guess) == (46.5, 31.0, 62.0, 64.6)
    assert [tick.left for tick in micro.ticks] == [50, 50, 50, 64.6, 61, 69]
    marked = Page(page(dashcam)).named("i", "dot")
    assert next(a["style"] for a in marked if a.get("style")) == "left:46.5%"


def test_of_too_many_figures_those_that_sum_up_are_drawn_and_the_others_counted(
    dashcam: Evaluation,
) -> None:
    micro = dashcam["auc_micro"]
    families = tuple(replace(micro, name=f"map_{k:02d}") for k in range(30))
    many = replace(dashcam, figures=(*families, micro, replace(micro, name="video_f1")))
    names = [gauge.standing.figure.name for gauge in gauges(standings(many))]
    assert names == ["auc_micro", "video_f1"]
    assert "The other 30 figures that can be compared" in Page(page(many)).text
    assert "The other" not in Page(page(dashcam)).text


def test_an_interval_that_leaves_the_axis_ends_with_it() -> None:
    figure = Figure("f", "frame", "F", 0.99, low=-0.2, high=1.3, baselines={"random": 0.5})
    (gauge,) = gauges(standings(Evaluation((figure,), {})))
    assert (gauge.low, gauge.high) == (0, 100)


def path_points(path: str) -> Iterator[tuple[float, float]]:
    for pair in path.removeprefix("M").split("L"):
        x, y = pair.split()
        yield float(x), float(y)


def test_a_curve_is_drawn_to_scale_with_its_marks() -> None:
    x = np.array([0.0, 0.5, 1.0])
    curve = Curve("roc", "", "", "", x, x**2, ((0.5, 0.25, "here"),), ((0, 0), (1, 1)))
    (panel,) = panels([curve])
    first, middle, last = path_points(panel.line)
    assert middle == (pytest.approx((first[0] + last[0]) / 2), pytest.approx(
        first[1] + (last[1] - first[1]) / 4, abs=0.1))  # fmt: skip
    assert panel.marks[0][:2] == (pytest.approx(middle[0]), pytest.approx(middle[1], abs=0.1))
    assert panel.chance == (first[0], first[1], last[0], last[1])
    assert [text for _, text in panel.x_ticks] == ["0", "0.2", "0.4", "0.6", "0.8", "1"]


@pytest.mark.parametrize("values", [[1e-9, 2e-9], [5.0, 5.0], [-3e6, 4e6], [0.27, 0.29]])
def test_any_scale_has_a_few_ticks_inside_it(values: list[float]) -> None:
    y = np.array(values)
    (panel,) = panels([Curve("c", "", "", "", np.array([0.0, 1.0]), y)])
    heights = [height for height, _ in panel.y_ticks]
    assert 2 <= len(heights) <= 7
    assert all(9.9 <= height <= 205.1 for height in heights)
    assert len({text for _, text in panel.y_ticks}) == len(heights)


def test_a_curve_of_nothing_is_not_drawn() -> None:
    nothing = np.array([np.nan, np.nan])
    assert panels([Curve("c", "", "", "", nothing, nothing)]) == ()


def test_truth_and_events_lie_where_they_happened_on_one_scale_for_all() -> None:
    edges = np.arange(11.0) + 2
    low = np.array([0.0] * 4 + [np.nan] * 2 + [1.0] * 4, np.float32)
    lanes = [
        Lane("a", edges, low, ((4.0, 7.0), (11.0, 99.0)), ((2.0, 3.0),)),
        Lane("b", edges, low * 10, (), ()),
    ]
    (a, b), scale = strips(lanes, 12.0)
    assert a.truth == ((20, 30), (90, 10))
    assert a.found == ((0, 10),)
    assert a.gaps == ((40, 20),)
    assert scale.tolist() == pytest.approx([-0.6, 12.6])
    heights = [float(h) for h in re.findall(r"V([\d.]+)H", b.line)]
    assert heights == pytest.approx([95.45] * 4 + [19.7] * 4, abs=0.01)
    assert b.line.count("M") == 2


def test_a_video_of_which_nothing_was_measured_is_a_gap() -> None:
    lane = Lane("v", np.arange(4.0), np.full(3, np.nan, np.float32), (), ())
    (strip,), _ = strips([lane], None)
    assert (strip.gaps, strip.line) == (((0, 100),), "")


def test_names_of_any_kind_are_text_and_nothing_else(
    hostile: Evaluation, attacks: tuple[str, ...]
) -> None:
    text = page(hostile)
    shown = Page(text)
    assert not any(tag in ("script", "img", "iframe", "object", "link") for tag, _ in shown.tags)
    assert not any(name.startswith("on") for _, attributes in shown.tags for name in attributes)
    for attack in attacks[:3]:
        assert " ".join(attack.split()) in shown.text
    assert "\\x1b[31mred\\x07 \\u202eback" in shown.text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_the_page_asks_the_network_for_nothing_and_runs_nothing(dashcam: Evaluation) -> None:
    text = page(dashcam)
    assert re.findall(r"(?:https?:)?//[\w.]+", text) == []
    assert "url(" not in text
    assert 'content="default-src &#39;none&#39;' in text or "content=\"default-src 'none'; " in text
    assert "script-src" not in text


def test_pages_of_odd_evaluations_say_what_they_have(
    undefined: Evaluation, videos_only: Evaluation
) -> None:
    nothing = Page(page(undefined)).text
    assert "Nothing could be measured: no event in any of the videos." in nothing
    assert "not measured, no event in any of the videos." in nothing
    absent = ("Curves", "Videos, with", "Beside", "How to repeat")
    assert not any(words in nothing for words in absent)
    videos = Page(page(videos_only)).text
    assert "Better than a ruler: AUC 0.91" in videos
    assert "48 87.3 %" in videos


def test_long_tables_are_folded_and_the_longest_are_cut_aloud(hostile: Evaluation) -> None:
    shown = Page(page(hostile))
    assert "500 rows" in shown.text
    assert sum(tag == "details" for tag, _ in shown.tags) == 1
    (table,) = hostile.tables
    longer = replace(hostile, tables=(replace(table, rows=table.rows * 3),))
    text = page(longer)
    assert "The first 1000 of 1500 rows" in text
    assert text.count("=1+1") == 1000


def test_a_million_points_make_no_heavy_page(dashcam: Evaluation, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    x = np.sort(random.random(1_000_000))
    edges = np.arange(100_001) / 30
    lanes = tuple(
        Lane(f"v{k}", edges, random.random(100_000).astype(np.float32), (), ()) for k in range(6)
    )
    heavy = replace(dashcam, curves=(Curve("roc", "", "", "", x, x),), lanes=lanes)
    write_page(heavy, tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 500_000


@pytest.mark.browser
def test_in_a_browser_no_hostile_name_runs(hostile: Evaluation, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_page(hostile, path)
    dumped = browse(path, tmp_path / "profile", "--dump-dom")
    assert "<title>Evaluation · Watchword</title>" in dumped
    # Even a script that got past the template would not run: the page's policy allows none.
    path.write_text(
        path.read_text().replace("</body>", "<script>document.title='fired'</script></body>")
    )
    assert "<title>fired" not in browse(path, tmp_path / "other", "--dump-dom")


@pytest.mark.browser
@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("kind", ["dashcam", "hostile"])
def test_in_a_browser_the_page_fits_the_width_of_the_screen(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, width: int
) -> None:
    path = tmp_path / "report.html"
    write_page(request.getfixturevalue(kind), path)
    assert overhang(path, tmp_path, width=width) <= 0
    # The measurement itself sees what is too wide.
    path.write_text(path.read_text().replace("</header>", "<pre style='width:1400px'></header>"))
    assert overhang(path, tmp_path, width=width) > 0


def test_a_page_without_the_command_still_says_what_was_measured(dashcam: Evaluation) -> None:
    text = Page(page(replace(dashcam, made={"kind": "cosine"}))).text
    assert text.endswith("How to repeat it kind cosine")
    assert text.startswith("Evaluation · Watchword")
