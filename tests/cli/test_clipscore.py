"""``watchword clipscore`` and ``clipscore correlate`` as people and scripts use them."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image
from scipy import stats
from typer.testing import CliRunner

from pipeline_clips import BLUE, RED, coloured
from watchword.cli.clipscore import app
from watchword.errors import DatasetError, OutputError, PromptError, VideoError
from watchword.evaluation.metrics.clipscore import DEFINITIONS


def run(*words: object, code: int = 0, fake: bool = True) -> Result:
    model = ("--model", "fake") if fake else ()
    result = CliRunner().invoke(app, [*map(str, words), *model], prog_name="clipscore")
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    coloured(tmp_path / "clip.mp4", seconds=2, red=(0, 1))
    Image.new("RGB", (32, 24), RED).save(tmp_path / "red.png")
    Image.new("RGB", (32, 24), BLUE).save(tmp_path / "blue.png")
    return Path("clip.mp4")


def said(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


def test_it_prints_what_the_seed_prints_then_every_definition_within_80_columns(
    clip: Path,
) -> None:
    result = run("--video", clip, "--image", "red.png")
    assert result.stdout.startswith(
        "Using device: cpu\n"
        "Video: clip.mp4\n"
        "Reference image: red.png\n"
        "\n"
        "Results:\n"
        "  Frames analyzed: 50\n"
        "  Mean CLIP Score (video-to-image): 0."
    )
    assert "  Median CLIP Score (video-to-image): 0." in result.stdout
    for name in ("raw_cosine", "hundred_cosine", "hessel", "torchmetrics", "evalcrafter"):
        assert f"\n  {name}" in result.stdout
    assert '– hessel_prefixed: needs a text with "A photo depicts" before it' in said(result.stdout)
    assert "R = best reference" in said(result.stdout)
    assert "normalisation" in said(result.stdout)
    assert "Model: fake." in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_the_built_in_model_says_that_it_is_no_clip(clip: Path) -> None:
    result = run("--image", "red.png", "--text", "red", fake=False)
    assert "Model: mini. This is the small built-in model, not CLIP." in said(result.stdout)
    assert "not comparable with published CLIPScores" in said(result.stdout)


def test_two_videos_and_two_pictures_are_named_as_the_seed_names_them(clip: Path) -> None:
    pair = run("--video", clip, "--video2", clip).stdout
    assert "Video 1: clip.mp4\nVideo 2: clip.mp4\n" in pair
    assert "  Frame pairs analyzed: 50\n  Mean CLIP Score (video-to-video): 1.0000\n" in pair
    pictures = run("--image", "red.png", "--image2", "red.png").stdout
    assert "Image 1: red.png\nImage 2: red.png\n" in pictures
    assert "\nResults:\n  CLIP Score (image-to-image): 1.0000\n" in pictures


def test_verbose_adds_every_frame_and_statistics(clip: Path) -> None:
    result = run("--video", clip, "--text", "red", "-v")
    assert "  Frame 50 (1.960 s): " in result.stdout
    for name in ("Min", "Max", "Mean", "Median", "Std"):
        assert f"\n  {name}: 0." in result.stdout or f"\n  {name}: -0." in result.stdout
    paired = run("--video", clip, "--video2", clip, "--align", "time", "-v").stdout
    assert "  Frame 2 (0.040 s with 0.040 s): 1.0000" in paired


def test_json_and_csv_hold_the_same_numbers_for_several_texts(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("blue\n\na green wall\n")
    result = run(
        "--video", clip, "--text", "red", "--text-file", "texts.txt", "--json", "--csv", "t.csv"
    )
    document = json.loads(result.stdout)
    assert [one["second"] for one in document["results"]] == ["red", "blue", "a green wall"]
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for one, row in zip(document["results"], rows, strict=True):
        mean = one["definitions"]["raw_cosine"]["value"]
        assert row["Mean_CLIP_Score"] == f"{mean:.6f}"
    assert "cosines" not in document["results"][0]
    again = run("--video", clip, "--text", "red", "--csv", "t.csv", code=1)
    assert isinstance(again.exception, OutputError)


def test_references_long_texts_and_sampling(clip: Path) -> None:
    result = run("--video", clip, "--text", "red", "--reference", "a red wall", "--every", "5")
    assert "Frames analyzed: 10" in result.stdout
    assert "ref_clipscore " in result.stdout
    refused = run("--video", clip, "--text", "red " * 90, code=1)
    assert isinstance(refused.exception, PromptError)
    cut = run("--video", clip, "--text", "red " * 90, "--long", "truncate")
    assert "the last 15 play no part" in said(cut.stdout)
    assert "Frames analyzed: 2\n" in run("--video", clip, "--text", "red", "--rate", 1).stdout


def test_a_settings_file_may_say_which_frames(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("sampling: {rate: 5}\n")
    assert "analyzed: 10" in run("--video", clip, "--text", "red", "--config", "c.yaml").stdout
    again = run("--video", clip, "--text", "red", "--config", "c.yaml", "--every-frame")
    assert "analyzed: 50" in again.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "nothing to compare"),
        (("--video", "clip.mp4"), "got --video; give"),
        (("--video", "clip.mp4", "--text", "a", "--image", "red.png"), "got --video --image"),
        (("--video", "clip.mp4", "--image2", "red.png"), "got --video --image2"),
        (("--image", "red.png", "--image2", "red.png", "--reference", "a"), "--reference is a"),
        (("--video", "clip.mp4", "--text", "a", "--align", "middle"), "--align is 'middle'"),
        (("--video", "clip.mp4", "--text", "a", "--align", "time"), "--align is about two videos"),
        (("--image", "a.png", "--image2", "b.png", "--long", "chunks"), "--long is about texts"),
        (("--video", "clip.mp4", "--text", "a", "--long", "cut"), "--long is 'cut'"),
        (("--videos", "."), "--videos and --references go together"),
        (("--batch", "--input-folder", "."), "--batch needs"),
        (("--manifest", "m.csv", "--video", "clip.mp4"), "give one of --videos"),
        (("--video", "clip.mp4", "--text", "a", "--output-folder", "o"), "goes with --batch"),
        (("--video", "clip.mp4", "--text", "a", "--rate", "1", "--every", "2"), "give one of"),
    ],
)
def test_wrong_use_says_what_to_do(clip: Path, words: tuple[str, ...], message: str) -> None:
    result = run(*words, code=2)
    assert message in said(result.stderr)


def test_what_cannot_be_read_is_named(clip: Path) -> None:
    for words in (("--video", "none.mp4"), ("--image", "none.png")):
        assert isinstance(run(*words, "--text", "red", code=1).exception, VideoError)


def test_folders_make_a_table_and_go_on_with_it(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / "r").mkdir()
    coloured(tmp_path / "v" / "a.mp4", seconds=1)
    (tmp_path / "v" / "b.mp4").write_bytes(b"no video")
    (tmp_path / "r" / "a.txt").write_text("red")
    (tmp_path / "r" / "b.txt").write_text("blue")
    first = run("--videos", "v", "--references", "r")
    assert "a.mp4: mean " in first.stdout
    assert "b.mp4: ERROR" in first.stdout
    assert "1 of 2 pairs could not be compared" in first.stdout
    assert "Table: clip_score_results.csv" in first.stdout
    assert (tmp_path / "clip_score_results.csv").is_file()
    again = run("--videos", "v", "--references", "r", "--json")
    good, bad = json.loads(again.stdout)["results"]
    assert (good["reused"], bad["reused"]) == (True, False)
    assert (good["Frames"], good["Failed"], good["Error"]) == (25, 0, None)
    assert good["hundred_cosine"] == pytest.approx(100 * good["Mean_CLIP_Score"], abs=1e-3)
    assert (bad["Mean_CLIP_Score"], bad["Frames"]) == (None, None)
    assert "b.mp4" in bad["Error"]


def test_the_seeds_batch_mode(clip: Path, tmp_path: Path) -> None:
    for folder, name in (("res", "source1_1"), ("in", "original1")):
        (tmp_path / folder).mkdir()
        coloured(tmp_path / folder / f"{name}.mp4", seconds=1)
    words = ("--result-folder", "res", "--input-folder", "in", "--output-folder", "out")
    run("--batch", *words)
    lines = (tmp_path / "out" / "clip_score_results.csv").read_text().splitlines()
    assert lines[0].startswith("Filename,Mean_CLIP_Score,Median_CLIP_Score,")
    assert lines[1].startswith("source1_1.mp4,1.000000,1.000000,")
    missing = run("--batch", "--result-folder", "res", "--input-folder", "none", code=1)
    assert isinstance(missing.exception, DatasetError)


def test_a_folder_run_says_what_was_left_out_and_on_request_the_spread(
    clip: Path, tmp_path: Path
) -> None:
    coloured(tmp_path / "short.mp4", seconds=1, red=(0, 1))
    (tmp_path / "m.csv").write_text("video,video2\nclip.mp4,short.mp4\n")
    words = ("--manifest", "m.csv", "--csv", "t.csv")
    shown = run(*words).stdout
    assert "clip.mp4 is longer: it was left out from 1.00 s on" in said(shown)
    assert "std" not in shown
    assert "    min 1.0000, max 1.0000, std 0.0000\n" in run(*words, "-v").stdout


def test_a_very_long_text_is_shown_within_80_columns(clip: Path) -> None:
    shown = run("--image", "red.png", "--text", "red " * 90, "--long", "chunks").stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert shown.count("red ") > 80


def test_all_bad_is_status_1(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("video,text\nnone.mp4,red\n")
    run("--manifest", "m.csv", code=1)


def test_the_python_examples_of_the_page_run(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).resolve().parent.parent.parent
    monkeypatch.chdir(root)
    page = (root / "docs" / "clipscore.md").read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(code, "clipscore.md", "exec"), names)
    assert names["scores"]["hessel"] is not None  # type: ignore[index]


def test_the_page_names_every_definition_and_option_that_there_is() -> None:
    page = Path(__file__).resolve().parents[2].joinpath("docs", "clipscore.md").read_text("utf-8")
    for name in DEFINITIONS:
        assert f"`{name}`" in page
    known = run("--help", fake=False).output + run("correlate", "--help", fake=False).output
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", page)):
        assert option in known, option


# Scores against people's ratings.


def rated(path: Path) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    people = rng.integers(1, 6, 40)
    scores = people + rng.normal(0, 1.5, 40)
    lines = [f"v{n}.mp4,{s:.6f},{p},{n % 8}" for n, (s, p) in enumerate(zip(scores, people))]  # noqa: B905
    path.write_text("Filename,Mean_CLIP_Score,rating,prompt\n" + "\n".join(lines) + "\n")
    return scores, people


def test_correlations_are_those_of_scipy(tmp_path: Path) -> None:
    scores, people = rated(tmp_path / "s.csv")
    result = run("correlate", tmp_path / "s.csv", "--samples", 50, "--json", fake=False)
    found = json.loads(result.stdout)
    for name, expected in (
        ("kendall_b", stats.kendalltau(scores, people, variant="b")),
        ("kendall_c", stats.kendalltau(scores, people, variant="c")),
        ("spearman", stats.spearmanr(scores, people)),
        ("pearson", stats.pearsonr(scores, people)),
    ):
        assert found[name]["value"] == pytest.approx(expected.statistic, abs=1e-6)
    assert found["items"] == 40


def test_correlations_are_printed_with_intervals_over_groups(tmp_path: Path) -> None:
    rated(tmp_path / "s.csv")
    words = ("correlate", tmp_path / "s.csv", tmp_path / "s.csv", "--group", "prompt")
    result = run(*words, "--samples", 50, fake=False)
    assert "Mean_CLIP_Score against rating, 40 items in 8 groups" in result.stdout
    assert "95% interval" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_files_that_name_their_items_otherwise_are_joined_on_request(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("Filename,key,s\na.mp4,x,1\na.mp4,y,2\nb.mp4,z,3\n")
    (tmp_path / "r.csv").write_text("of,clip,r\nz,1.mp4,30\ny,1.mp4,20\nx,2.mp4,10\n")
    words = ("correlate", tmp_path / "s.csv", tmp_path / "r.csv", "--score", "s", "--rating", "r")
    named = ("--score-name", "key", "--rating-name", "of", "--samples", 5, "--json")
    found = json.loads(run(*words, *named, fake=False).stdout)
    assert found["pearson"]["value"] == pytest.approx(1)
    refused = run(*words, "--score-name", "of", fake=False, code=1)
    assert "has no name under 'of'; its columns are Filename, key, s" in str(refused.exception)


def test_items_without_a_score_are_refused_or_left_out_aloud(tmp_path: Path) -> None:
    rated(tmp_path / "s.csv")
    with (tmp_path / "s.csv").open("a") as file:
        file.write("bad.mp4,,3,1\n")
    refused = run("correlate", tmp_path / "s.csv", fake=False, code=1)
    assert isinstance(refused.exception, DatasetError)
    kept = run("correlate", tmp_path / "s.csv", "--leave-out", "--samples", 20, fake=False)
    assert "40 items" in kept.stdout
    assert "without a score or a rating: 1 (row 42)" in said(kept.stdout)


@pytest.mark.shared
def test_fetv_ratings_correlate_through_the_command(shared: Path) -> None:
    result = run(
        "correlate", shared / "data" / "fetv" / "all_ratings.json", "--score",
        "published.CLIPScore", "--rating", "human.alignment", "--group", "prompt_id",
        "--samples", 20, "--json", fake=False,
    )  # fmt: skip
    found = json.loads(result.stdout)
    # The published pair, 0.177 and 0.243, is of all 3,017 ratings; tests/evaluation has it.
    assert found["kendall_c"]["value"] == pytest.approx(0.177, abs=0.01)
    assert found["spearman"]["value"] == pytest.approx(0.243, abs=0.01)
