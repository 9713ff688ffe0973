"""Scores against ratings: the figures are scipy's, intervals hold, files are read strictly."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import stats

from watchword.errors import DatasetError
from watchword.evaluation.correlate import correlate
from watchword.evaluation.rated import Column, read_rated

RNG = np.random.default_rng(0)
SCORES = RNG.normal(size=60)
RATINGS = np.clip(np.round(SCORES + RNG.normal(size=60)), -1, 2)


def test_figures_are_those_of_scipy():
    found = correlate(SCORES, RATINGS, samples=10)
    expected = {
        "kendall_b": stats.kendalltau(SCORES, RATINGS, variant="b"),
        "kendall_c": stats.kendalltau(SCORES, RATINGS, variant="c"),
        "spearman": stats.spearmanr(SCORES, RATINGS),
        "pearson": stats.pearsonr(SCORES, RATINGS),
    }
    for name, answer in expected.items():
        assert getattr(found, name).value == pytest.approx(answer.statistic, abs=1e-12)
    assert (found.items, found.groups, found.level) == (60, None, 0.95)


def test_the_interval_is_near_that_of_scipys_bootstrap():
    answer = stats.bootstrap(
        (SCORES, RATINGS),
        lambda x, y: stats.pearsonr(x, y).statistic,
        paired=True,
        vectorized=False,
        method="percentile",
        n_resamples=2000,
        rng=np.random.default_rng(1),
    ).confidence_interval
    found = correlate(SCORES, RATINGS, samples=2000).pearson.interval
    assert (found.low, found.high) == pytest.approx((answer.low, answer.high), abs=0.02)


def test_resamples_are_drawn_whole_by_group():
    # Within a group all items are the same: drawing items would count each four times.
    groups = np.repeat(np.arange(15), 4)
    scores, ratings = SCORES[:15][groups], RATINGS[:15][groups]
    by_item = correlate(scores, ratings, samples=500).spearman.interval
    by_group = correlate(scores, ratings, groups=[f"g{g}" for g in groups], samples=500)
    single = correlate(SCORES[:15], RATINGS[:15], samples=500).spearman.interval
    found = by_group.spearman.interval
    assert by_group.groups == 15
    assert found.high - found.low > 1.5 * (by_item.high - by_item.low)
    # The same seed draws the same groups as it draws items where each is its own group.
    assert (found.low, found.high) == pytest.approx((single.low, single.high), abs=1e-12)


def test_the_same_seed_gives_the_same_interval():
    first, again = (correlate(SCORES, RATINGS, samples=50, seed=3) for _ in range(2))
    other = correlate(SCORES, RATINGS, samples=50, seed=4)
    assert first == again
    assert first.spearman.interval != other.spearman.interval


def test_a_constant_list_has_no_correlation():
    found = correlate(SCORES, np.ones(60), samples=20)
    for name in ("kendall_b", "kendall_c", "spearman", "pearson"):
        one = getattr(found, name)
        assert one.value is None
        assert (one.interval.low, one.interval.high, one.interval.undefined) == (None, None, 20)


def test_perfect_order_is_one():
    found = correlate([1, 2, 3, 4], [1, 4, 9, 16], samples=20)
    assert found.kendall_b.value == 1
    assert found.spearman.value == pytest.approx(1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1], [1], None), "N of 2 or more"),
        (([1, 2], [1, 2, 3], None), r"scores have shape \(2,\) and ratings \(3,\)"),
        (([1, math.nan, 3], [1, 2, 3], None), "1 of 3 pairs hold NaN or infinity"),
        (([1, 2, 3], [1, math.inf, 3], None), "1 of 3 pairs hold NaN or infinity"),
        (([1, 2], [1, 2], ["a"]), "1 groups for 2 items"),
        (([1, 2], [1, 2], ["a", "a"]), "2 or more groups are needed"),
    ],
)
def test_what_gives_no_correlation_is_refused(arguments, message):
    scores, ratings, groups = arguments
    with pytest.raises(ValueError, match=message):
        correlate(scores, ratings, groups=groups)


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


RATED = {
    "ratings.csv": 'clip,people,prompt\nb.mp4,2,dog\na.mp4,4.5,cat\n"c, d.mp4",1,dog\n',
    "ratings.jsonl": (
        '{"clip": "b.mp4", "people": [1, 3, 2], "prompt": "dog"}\n'
        '{"clip": "a.mp4", "people": 4.5, "prompt": "cat"}\n'
        '{"clip": "c, d.mp4", "people": "1", "prompt": "dog"}\n'
    ),
    "list.json": (
        '[{"clip": "b.mp4", "people": 2, "prompt": "dog"},'
        ' {"clip": "a.mp4", "people": 4.5, "prompt": "cat"},'
        ' {"clip": "c, d.mp4", "people": 1, "prompt": "dog"}]'
    ),
    "object.json": (
        '{"notes": ["x"], "of": [{"clip": "b.mp4", "people": 2, "prompt": "dog"},'
        ' {"clip": "a.mp4", "people": 4.5, "prompt": "cat"},'
        ' {"clip": "c, d.mp4", "people": 1, "prompt": "dog"}]}'
    ),
    "named.json": (
        '{"b.mp4": {"people": 2, "prompt": "dog"}, "a.mp4": {"people": 4.5, "prompt": "cat"},'
        ' "c, d.mp4": {"people": 1, "prompt": "dog"}}'
    ),
}
SCORED = 'Filename,Mean_CLIP_Score\na.mp4,0.25\nb.mp4,0.2\n"c, d.mp4",0.15\n'


@pytest.mark.parametrize("name", RATED)
def test_two_files_are_joined_by_name_whatever_they_are_written_in(tmp_path, name):
    scores = write(tmp_path / "clip_score_results.csv", SCORED)
    ratings = write(tmp_path / name, RATED[name])
    found = read_rated(Column(scores, "Mean_CLIP_Score"), Column(ratings, "people"), group="prompt")
    assert found.names == ("a.mp4", "b.mp4", "c, d.mp4")
    assert found.scores.tolist() == [0.25, 0.2, 0.15]
    assert found.ratings.tolist() == [4.5, 2.0, 1.0]
    assert found.groups == ("cat", "dog", "dog")
    assert found.left_out == ()


def test_both_columns_of_one_file_need_no_name(tmp_path):
    file = write(tmp_path / "both.csv", "score,people\n0.1,1\n0.2,2\n")
    found = read_rated(Column(file, "score"), Column(file, "people"))
    assert found.names == ("row 2", "row 3")
    assert (found.scores.tolist(), found.ratings.tolist()) == ([0.1, 0.2], [1, 2])
    assert found.groups is None


def test_a_name_column_can_be_said_and_a_group_may_stand_with_the_scores(tmp_path):
    scores = write(tmp_path / "a.csv", "key,s,video,g\nx,1,1.mp4,p\ny,2,1.mp4,q\n")
    ratings = write(tmp_path / "b.csv", "of,r\ny,5\nx,4\n")
    found = read_rated(Column(scores, "s", "key"), Column(ratings, "r", "of"), group="g")
    assert found.ratings.tolist() == [4, 5]
    assert found.groups == ("p", "q")
    both = write(tmp_path / "c.csv", "of,r,g\ny,5,there\nx,4,here\n")
    found = read_rated(Column(scores, "s", "key"), Column(both, "r", "of"), group="g")
    assert found.groups == ("here", "there")


def test_what_has_no_partner_is_refused_or_left_out_and_listed(tmp_path):
    scores = write(tmp_path / "a.csv", "name,s\nx,1\ny,\nz,3\nu,4\n")
    ratings = write(tmp_path / "b.csv", "name,r\nx,1\ny,2\nz,NaN\nu,4\nw,5\n")
    columns = Column(scores, "s"), Column(ratings, "r")
    with pytest.raises(DatasetError) as error:
        read_rated(*columns)
    assert "items without a score: 2 (y, w); items without a rating: 1 (z)" in str(error.value)
    found = read_rated(*columns, leave_out=True)
    assert found.names == ("x", "u")
    assert found.left_out == ("y", "z", "w")
    assert found.ratings.tolist() == [1, 4]


BAD = [
    ("s.csv", "name,s\nx,1\nx,2\n", "s.csv, row 3: names 'x' a second time, after row 2"),
    ("s.csv", "name,s\nx,1\n ,2\n", "s.csv, row 3: has no name under 'name'"),
    ("s.csv", "name,s\nx,1\ny,good\n", "s.csv, row 3: 's' must be a number, got 'good'"),
    ("s.csv", "name,s\nx,1\ny,inf\n", "row 3: 's' must be a number, got 'inf'"),
    ("s.csv", "name,score\nx,1\ny,2\n", "has no values under 's'; its columns are name, score"),
    ("s.csv", "key,s\nx,1\ny,2\n", "no column that names its items .* it has key, s; say which"),
    ("s.csv", "name,s\nx,1,2\n", "has 3 cells under 2 columns"),
    ("s.csv", "", "is empty"),
    ("s.csv", "name,s\n", "has no values under 's'; its columns are none"),
    ("s.tsv", "name\ts\n", r"ends in .tsv; .csv, .json or .jsonl is needed"),
    ("s.json", "{", "is not JSON"),
    ("s.json", "[1, 2]", "must be a list of objects, an object with one such list"),
    ("s.json", '{"a": [{"s": 1}], "b": [{"s": 2}]}', "must be a list of objects"),
    ("s.json", '[{"name": "x", "s": true}, {"name": "y", "s": 1}]', "row 1: 's' must be a number"),
    ("s.json", '[{"name": "x", "s": {"t": 1}}]', "row 1: 's' must be a number"),
    ("s.jsonl", '{"name": "x", "s": 1}\n[]\n', "row 2: holds"),
    ("s.csv", "name,s\nx,1\n", "gives 1 items with a score and a rating; 2 are needed"),
]


@pytest.mark.parametrize(("name", "text", "message"), BAD)
def test_files_that_cannot_be_trusted_are_refused_by_place(tmp_path, name, text, message):
    scores = write(tmp_path / name, text)
    ratings = write(tmp_path / "r.csv", "name,r\nx,1\ny,2\n")
    with pytest.raises(DatasetError, match=message):
        read_rated(Column(scores, "s"), Column(ratings, "r"), leave_out=True)


def test_a_missing_file_or_group_is_named(tmp_path):
    ratings = write(tmp_path / "r.csv", "name,r,g\nx,1,a\ny,2,\n")
    with pytest.raises(DatasetError, match=r"none\.csv: cannot be read"):
        read_rated(Column(tmp_path / "none.csv", "s"), Column(ratings, "r"))
    with pytest.raises(DatasetError, match="has no values under 'h'; its columns are name, r, g"):
        read_rated(Column(ratings, "r"), Column(ratings, "r"), group="h")
    with pytest.raises(DatasetError, match="row 3: 'row 3' has no group under 'g'"):
        read_rated(Column(ratings, "r"), Column(ratings, "r"), group="g")


def test_the_mean_over_raters_has_no_hole(tmp_path):
    rows = [{"s": 1, "r": [1, 2]}, {"s": 2, "r": [3, None]}, {"s": 3, "r": [5, 6]}]
    file = write(tmp_path / "r.json", json.dumps(rows))
    found = read_rated(Column(file, "s"), Column(file, "r"), leave_out=True)
    assert found.ratings.tolist() == [1.5, 5.5]
    assert found.left_out == ("row 2",)


@pytest.mark.shared
@pytest.mark.parametrize("metric", ["CLIPScore", "UMTScore"])
def test_fetv_is_read_and_grouped_by_prompt(shared, metric):
    path = shared / "data" / "fetv" / "all_ratings.json"
    found = read_rated(
        Column(path, f"published.{metric}"), Column(path, "human.alignment"), group="prompt_id"
    )
    ratings = json.loads(path.read_text())["ratings"]
    people = [np.mean(one["human"]["alignment"]) for one in ratings]
    np.testing.assert_allclose(found.ratings, people)
    assert len(set(found.groups)) < len(found.names) / 3
    by_prompt = correlate(found.scores, found.ratings, groups=found.groups, samples=200)
    scores = [one["published"][metric] for one in ratings]
    tau = stats.kendalltau(people, scores, variant="c").statistic
    assert by_prompt.kendall_c.value == pytest.approx(tau, abs=1e-12)
    assert by_prompt.kendall_c.interval.low < tau < by_prompt.kendall_c.interval.high
    # Agreement with people is beyond chance, and far from perfect.
    assert by_prompt.kendall_c.interval.low > 0
    assert by_prompt.kendall_c.interval.high < 0.5


@pytest.mark.shared
def test_fetv_in_two_files_is_joined_by_clip(shared, tmp_path):
    path = shared / "data" / "fetv" / "labels.json"
    labels = json.loads(path.read_text())
    lines = [f"{one['clip']},{one['published']['CLIPScore']}" for one in reversed(labels)]
    scores = write(tmp_path / "s.csv", "Filename,score\n" + "\n".join(lines) + "\n")
    found = read_rated(Column(scores, "score"), Column(path, "human.alignment"))
    one = read_rated(Column(path, "published.CLIPScore"), Column(path, "human.alignment"))
    assert found.scores.tolist() == one.scores.tolist()[::-1]
    assert found.ratings.tolist() == one.ratings.tolist()[::-1]
