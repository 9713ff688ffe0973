"""The report says what was found, on what it rests, and lets nothing in or out."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pages import Page, browse, overhang
from watchword.config import Config, load_config
from watchword.events.tracker import EventRule, LabelRule
from watchword.evidence.prompts import load_bank
from watchword.output.pictures import Pictures, pictures_at
from watchword.output.report import reason, verdict, write_report
from watchword.output.strips import overview_moments, wanted_moments
from watchword.types import (
    Annotation,
    Decision,
    Detection,
    Event,
    Prompt,
    PromptBank,
    Scores,
    Span,
)

HOSTILE = (
    "<script>document.title='fired'</script>",
    '"><img src=x onerror="document.title=\'fired\'">',
    "'; document.title='fired'; '",
    "</script><script>document.title='fired'</script>",
    "{{ 7 * 7 }} 🦌 & co",
)


def report(detection: Detection, path: Path, **settings: object) -> Page:
    strips = int(str(settings.pop("strips", 24)))
    pictures = pictures_at(detection.info, wanted_moments(detection, strips=strips))
    write_report(detection, path, pictures=pictures, strips=strips, **settings)  # type: ignore[arg-type]
    return Page(path.read_text(encoding="utf-8"))


def hostile_detection(make_detection: Callable[..., Detection], source: Path) -> Detection:
    bank = PromptBank(
        tuple(Prompt(text, text) for text in HOSTILE), templates=("{} </pre>",), name=HOSTILE[0]
    )
    events = tuple(
        Event(text, 0.5 * k, 0.5 * k + 0.4, score=0.9, peak_s=0.5 * k)
        for k, text in enumerate(HOSTILE)
    )
    made = make_detection(source, bank=bank, events=events, notice=HOSTILE[1])
    coverage = replace(made.coverage, notes=HOSTILE)
    info = replace(made.info, codec=HOSTILE[0])
    provenance = replace(
        made.provenance, versions={HOSTILE[0]: HOSTILE[1]}, config={HOSTILE[2]: HOSTILE[3]}
    )
    return replace(made, coverage=coverage, info=info, provenance=provenance)


def test_a_report_says_the_verdict_the_events_the_notice_and_how_to_repeat_it(
    detection: Detection, tmp_path: Path
) -> None:
    page = report(detection, tmp_path / "report.html")
    places = [
        page.text.index(words)
        for words in (
            "2 events were found: deer, debris.",
            "Timeline",
            "0:00:01.0 – 0:00:02.5 1.5 s · peak score 0.875 at 0:00:01.5",
            "0:00:04.0 – 0:00:04.4",
            "Good for large, plain scenes",
            "5.8 of 6.0 (96.7 %)",
            "2 of 60",
            f"watchword detect {detection.info.source} --bank prompts.yaml --config config.yaml",
            "a deer on the road",
            "enter: 0.5",
        )
    ]
    assert places == sorted(places)


def test_the_prompts_and_settings_of_a_report_can_be_read_back(
    make_detection: Callable[..., Detection], video: Path, tmp_path: Path
) -> None:
    bank = PromptBank(
        (
            Prompt("it's a: #deer", "yes"),
            Prompt("a deer 🦌", "yes", weight=2.5),
            Prompt("an empty - road", "yes", "normal"),
            Prompt("null", "no: label"),
        ),
        templates=("{}", "a photo of {}"),
        name="odd: name",
    )
    made = make_detection(video, bank=bank, events=())
    config = Config(events=EventRule(enter=0.7, per_label={"yes": LabelRule(min_s=2.0)}))
    provenance = replace(made.provenance, config=config.to_dict())
    report(replace(made, provenance=provenance), tmp_path / "report.html")
    _, *files = re.findall(r"<pre>(.*?)</pre>", (tmp_path / "report.html").read_text(), re.DOTALL)
    for name, text in zip(("prompts.yaml", "config.yaml"), files, strict=True):
        (tmp_path / name).write_text(html.unescape(text))
    read = load_bank(tmp_path / "prompts.yaml")
    assert set(read.prompts) == set(bank.prompts)
    assert (read.labels, read.templates, read.name) == (bank.labels, bank.templates, bank.name)
    assert load_config(tmp_path / "config.yaml") == config


def test_every_event_has_a_strip_whose_peak_is_marked(detection: Detection, tmp_path: Path) -> None:
    page = report(detection, tmp_path / "report.html")
    figures = [a for tag, a in page.tags if tag == "figure"]
    assert len(figures) == 12
    assert sum("peak" in str(a["class"]) for a in figures) == 2
    pictures = [str(a["src"]) for tag, a in page.tags if tag == "img"]
    assert len(pictures) == 24
    assert all(source.startswith("data:image/jpeg;base64,/9j/") for source in pictures)


def test_a_report_asks_the_network_for_nothing(detection: Detection, tmp_path: Path) -> None:
    page = report(detection, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert re.findall(r"(?:https?:)?//[\w.]+", re.sub(r"base64,[^\"]+|// Reads.*", "", text)) == []
    assert not any(tag in ("link", "iframe", "base", "object", "embed") for tag, _ in page.tags)
    policy = next(a["content"] for tag, a in page.tags if "content-security" in str(a).lower())
    assert str(policy).startswith("default-src 'none'; img-src data:;")


def test_names_of_any_kind_are_text_and_nothing_else(
    make_detection: Callable[..., Detection], video: Path, tmp_path: Path
) -> None:
    source = tmp_path / "a <b> & 'c' \"d\" 🦌.mp4"
    shutil.copy(video, source)
    page = report(hostile_detection(make_detection, source), tmp_path / "report.html")
    assert sum(tag == "script" for tag, _ in page.tags) == 2
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    for text in (*HOSTILE, source.name):
        assert " ".join(text.split()) in page.text


def test_the_truth_is_drawn_beside_the_scores(detection: Detection, tmp_path: Path) -> None:
    truth = Annotation("v", (Span("deer", 1.2, 2.6), Span("fire", 5.0, 5.5)), ("deer", "fire"))
    page = report(detection, tmp_path / "report.html", annotation=truth)
    drawn = [a for a in page.named("i", "truth") if a.get("title")]
    assert [a["style"] for a in drawn] == [
        "left:20.0%;width:23.333%", "left:83.333%;width:8.333%",
    ]  # fmt: skip
    assert "truth, as people marked it (2 spans)" in page.text


def test_without_events_the_highest_scores_are_shown_with_the_threshold(
    make_detection: Callable[..., Detection], video: Path, tmp_path: Path
) -> None:
    quiet = make_detection(video, events=())
    page = report(quiet, tmp_path / "report.html")
    peak = float(np.nanmax(quiet.scores.values))
    assert "No event was found." in page.text
    assert f"highest score {peak:.3f}".removesuffix("0") in page.text
    assert len(page.named("article", "miss")) == 2
    assert len(page.named("figure", "peak")) == 2


def test_a_score_that_reached_the_threshold_without_an_event_is_not_said_to_be_below_it(
    detection: Detection, tmp_path: Path
) -> None:
    page = report(replace(detection, events=()), tmp_path / "report.html")
    assert "but the settings ask for more than reaching it" in page.text


def test_two_hundred_events_stay_usable(
    make_detection: Callable[..., Detection], tmp_path: Path, video: Path
) -> None:
    events = tuple(
        Event("deer", 0.025 * k, 0.025 * k + 0.02, score=0.5 + k / 500, peak_s=0.025 * k)
        for k in range(200)
    )
    path = tmp_path / "report.html"
    page = report(make_detection(video, events=events), path, strips=10)
    assert "shown for the 10 events with the highest scores of 200" in page.text
    assert len(page.named("article", "card")) == 10
    targets = {f"#{a['id']}" for _, a in page.tags if str(a.get("id")).startswith("event-")}
    links = {a["href"] for a in page.named("a", "event")}
    assert len(links) == 200
    assert links == targets
    assert path.stat().st_size < 3_000_000


def test_a_video_of_which_nothing_was_measured_is_not_called_quiet(
    detection: Detection, tmp_path: Path
) -> None:
    scores = Scores(np.full((3, 1), np.nan), np.arange(4.0), ("deer",), "cosine")
    unmeasured = replace(
        detection, scores=scores, events=(), decision=Decision("v", None, None, 0.5, "any_event")
    )
    assert verdict(unmeasured) == "Nothing could be measured in this video."
    page = report(unmeasured, tmp_path / "report.html")
    assert "could not be judged" in page.text
    assert "3 of 3" in page.text


def test_many_labels_do_not_bury_those_that_events_and_the_truth_have(
    make_detection: Callable[..., Detection], video: Path, tmp_path: Path
) -> None:
    labels = tuple(f"label {k}" for k in range(30))
    bank = PromptBank(tuple(Prompt(label, label) for label in labels))
    events = tuple(Event(f"label {k}", k - 23, k - 22.5, score=0.1) for k in range(24, 29))
    truth = Annotation("v", (Span("never scored", 1.0, 2.0),), ("never scored",))
    made = make_detection(video, bank=bank, events=events)
    page = report(made, tmp_path / "report.html", annotation=truth)
    assert "5 events were found: label 24, label 25, label 26, label 27, and 1 more." in page.text
    assert len(page.named("div", "lane")) == 12
    assert len(page.named("a", "event")) == 5
    assert [a for a in page.named("i", "truth") if a.get("title")] != []
    assert "19 more labels are in scores.parquet" in page.text


def test_missing_pictures_are_said(detection: Detection, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(detection, path, pictures=Pictures(problem="Pictures could not be taken: <why>."))
    page = Page(path.read_text())
    assert "Pictures could not be taken: <why>." in page.text
    assert not any(tag == "img" for tag, _ in page.tags)


def test_an_event_says_what_raised_it_how_rare_that_is_and_what_a_score_means(
    unusual: Detection, tmp_path: Path
) -> None:
    page = report(unusual, tmp_path / "report.html")
    for words in (
        "Watched for, without words: unusual .",
        "peak 3.60 (1 in 4,000), event from 2.00",
        "scores are of kind surprise (1 in 10^x)",
        "A score of 3 is as rare as 1 in 1,000",
        "raised by motion (1 in 4,000), change (1 in 20)",
        "coloured from 1.68, full from 4.68 (half and twice the score from which an event begins",
        f"watchword detect {unusual.info.source} --config config.yaml",
    ):
        assert words in page.text
    assert "prompts.yaml" not in page.text


def test_what_was_fitted_stands_in_the_command_that_repeats_the_run(
    unusual: Detection, tmp_path: Path
) -> None:
    fitted = {"normal": {"sentence": "Normal is as in 16 clips."}}
    learned = replace(unusual, provenance=replace(unusual.provenance, fitted=fitted))
    page = report(learned, tmp_path / "report.html")
    assert f"detect {unusual.info.source} --normal MEMORY --config config.yaml" in page.text
    assert "Normal is as in 16 clips." in page.text


def test_each_part_has_a_lane_and_each_cut_a_mark(unusual: Detection, tmp_path: Path) -> None:
    page = report(unusual, tmp_path / "report.html")
    assert len(page.named("div", "part")) == 2
    marks = [a for a in page.named("i", "cut") if a.get("title")]
    assert {(a["style"], a["title"]) for a in marks} == {("left:75.0%", "cut, 0:00:04.5")}
    assert len(marks) == 3
    assert [a["data-lane"] for _, a in page.tags if "data-lane" in a] == ["0", "1", "2"]
    assert "cut to another scene (1)" in page.text


def test_heat_lies_over_the_pictures_of_its_moment_and_boxes_only_within_the_event(
    unusual: Detection, tmp_path: Path
) -> None:
    page = report(unusual, tmp_path / "report.html")
    overlays = [str(a["src"]) for a in page.named("img", "heat")]
    inside = page.named("figure", "inside")
    assert len(overlays) == len(inside) == 4
    assert all(source.startswith("data:image/png;base64,") for source in overlays)
    assert len(page.named("i", "box")) == 2 * len(inside)
    assert page.named("i", "box")[0]["style"] == "left:62.50%;top:16.67%;width:25.00%;height:33.33%"


def test_a_surprise_without_parts_heat_or_events_is_shown(
    unusual: Detection, tmp_path: Path
) -> None:
    bare = replace(unusual, parts=None, heat=None, events=(), cuts_s=())
    page = report(bare, tmp_path / "report.html")
    assert "highest score 3.60 (1 in 4,000)" in page.text
    assert not page.named("div", "part")
    assert "show where" not in page.text


@pytest.mark.browser
@pytest.mark.parametrize("width", [1200, 390])
def test_in_a_browser_long_and_hostile_names_of_evidence_fit_and_do_nothing(
    unusual: Detection, tmp_path: Path, width: int
) -> None:
    named = replace(unusual.parts, labels=(HOSTILE[0], "long" * 40))
    event = replace(unusual.events[0], raised_by=((HOSTILE[1], 3.6), ("long" * 40, 1.3)))
    made = replace(
        unusual,
        parts=named,
        events=(event,),
        heat=replace(unusual.heat, unit=HOSTILE[3]),
    )
    path = tmp_path / "report.html"
    report(made, path)
    assert overhang(path, tmp_path, width=width) <= 0
    assert "<title>fired" not in browse(path, tmp_path / "profile", "--dump-dom")


@pytest.mark.browser
def test_in_a_browser_the_heat_can_be_taken_off(unusual: Detection, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    report(unusual, path)
    # The page's policy lets no other script run: it is taken off to try the switch.
    text = re.sub(r"<meta http-equiv[^>]+>", "", path.read_text())
    ask = (
        "var seen=[1,2].map(function(){var now=getComputedStyle(document.querySelector('.heat'))"
        ".display;document.getElementById('heat').click();return now});document.title=seen"
    )
    path.write_text(text.replace("</body>", f"<script>{ask}</script></body>"))
    assert "<title>block,none</title>" in browse(path, tmp_path / "profile", "--dump-dom")


@pytest.mark.browser
def test_in_a_browser_no_hostile_name_runs_and_the_pages_own_script_does(
    make_detection: Callable[..., Detection], video: Path, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    report(hostile_detection(make_detection, video), path)
    dumped = browse(path, tmp_path / "profile", "--dump-dom")
    assert "<title>fired" not in dumped
    assert f"<title>{video.name} · Watchword</title>" in dumped
    assert html.escape(HOSTILE[0], quote=False) in dumped
    # A pointer over the timeline reads it off: the page's own script passes its content policy.
    moved = path.with_name("moved.html")
    poke = "document.querySelector('.plot').dispatchEvent(new PointerEvent('pointermove'))"
    text = re.sub(r"<meta http-equiv[^>]+>", "", path.read_text())
    moved.write_text(text.replace("</body>", f"<script>{poke}</script></body>"))
    assert '<body class="reading">' in browse(moved, tmp_path / "other", "--dump-dom")


@pytest.mark.browser
def test_the_content_policy_lets_the_pages_own_script_run_and_no_other(
    detection: Detection, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    report(detection, path)
    # The page's own script reads the series: spoil it, and the browser logs that the script ran.
    spoilt = (
        path.read_text().replace('"edges":', '"edges-":').replace('{"edges-"', '{broken "edges-"')
    )
    path.write_text(spoilt.replace("</body>", "<script>document.title='fired'</script></body>"))
    log = browse(path, tmp_path / "profile", "--dump-dom", "--enable-logging=stderr", "--v=0")
    assert "<title>fired" not in log
    assert "SyntaxError" in log


@pytest.mark.browser
@pytest.mark.parametrize("width", [1200, 500, 390])
def test_in_a_browser_the_page_fits_the_width_of_the_screen(
    make_detection: Callable[..., Detection], video: Path, tmp_path: Path, width: int
) -> None:
    path = tmp_path / "report.html"
    report(hostile_detection(make_detection, video), path)
    assert overhang(path, tmp_path, width=width) <= 0


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        (Decision("v", None, 0.0, 1.0, "any_event"), "0 events, 1 is enough"),
        (Decision("v", "a", 1.0, 1.0, "any_event"), "1 event, 1 is enough"),
        (Decision("v", "a", 3.0, 2.0, "any_event"), "3 events, 2 are enough"),
        (Decision("v", "a", 0.25, 0.1, "share"), "by the rule share, 0.25 reaches 0.10"),
        (Decision("v", None, 0.05, 0.1, "share"), "by the rule share, 0.05 stays below 0.10"),
        (Decision("v", None, None, 0.1, "share"), "nothing was measured"),
    ],
)
def test_the_verdict_gives_its_reason_in_the_words_of_its_rule(
    decision: Decision, said: str
) -> None:
    assert reason(decision) == said


def test_no_picture_stands_where_nothing_was_measured() -> None:
    values = np.full((24, 1), 0.2, np.float32)
    values[12:] = np.nan
    scores = Scores(values, np.arange(25.0), ("a",), "contrast")
    moments = overview_moments(scores)
    assert [seen for _, seen in moments] == [at_s < 12 for at_s, _ in moments]
    assert 0 < sum(seen for _, seen in moments) < len(moments)


ASKED = {
    "question": "Will it burn?",
    "digits": False,
    "label": "fire",
    "of": "folder",
    "clip_s": 4.0,
    "stride_s": 0.5,
    "pictures": 8,
    "least_s": 1.0,
}


@pytest.mark.parametrize(
    ("asked", "light", "words"),
    [
        ({}, True, "--light LIGHT"),
        (ASKED, False, "--model MODEL --question 'Will it burn?' --label fire --clip-s 4"),
        (
            {**ASKED, "of": "server", "digits": True},
            False,
            "--endpoint URL --endpoint-model NAME --question 'Will it burn?(0: No, 1: Yes)'",
        ),
        (
            {**ASKED, "cascade": {"budget": 0.2, "answers": {"slope": 2.0, "offset": 0.0}}},
            True,
            "--pictures 8 --cascade LIGHT --budget 20% --answered TABLE",
        ),
        (
            {**ASKED, "cascade": {"budget": 7, "answers": {"slope": 1.0, "offset": 0.0}}},
            True,
            "--cascade LIGHT --budget 7 --config config.yaml",
        ),
    ],
)
def test_a_run_of_risk_says_what_was_asked_and_how_to_ask_it_again(
    detection: Detection, tmp_path: Path, asked: dict[str, Any], light: bool, words: str
) -> None:
    fitted = {"risk": {"sentence": "Head fitted on 9 windows."}} if light else {}
    made = replace(detection.provenance, asked=asked, fitted=fitted)
    page = report(replace(detection, bank=None, provenance=made), tmp_path / "report.html")
    assert "watchword risk predict" in page.text
    assert words in page.text
    assert ("Will it burn? 8 pictures of the last 4 s, every 0.5 s" in page.text) == bool(asked)
