"""Fitting a head: the model itself, splits by group, figures, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import check_grad
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from watchword.errors import CalibrationError
from watchword.evaluation.result import Figure
from watchword.evidence.head import score_head
from watchword.evidence.pooled import PoolOptions, pool_clip
from watchword.train.crossval import choose_strength, fit_one, held_out_logits
from watchword.train.examples import LabelledVideo, make_examples
from watchword.train.figures import verdict
from watchword.train.folds import grouped_folds, usable_folds
from watchword.train.head import FitOptions, fit_head
from watchword.train.learning_curve import CurvePoint, advice, learning_curve
from watchword.train.logistic import _loss, fit_logistic, log_loss, rotate
from watchword.train.look_alikes import join_look_alikes
from watchword.types import Annotation, Coverage, Embeddings, Scores, Span

DIM = 12
QUICK = FitOptions(unit="clip", samples=100, sizes=(), seeds=2)


# --- The model -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "width"), [(8, 50), (60, 300), (400, 20), (30, 30)])
@pytest.mark.parametrize("strength", [1e-4, 1e-2, 1.0])
def test_weights_are_those_of_scikit_learn(count, width, strength):
    draw = np.random.default_rng(count)
    x = draw.standard_normal((count, width)) * draw.uniform(0.1, 3, width) + 1
    truth = x[:, 0] + draw.standard_normal(count) > 1.5
    truth[:2] = [True, False]
    basis = rotate(x)
    weights, bias = fit_logistic(basis.x, truth, strength)
    theirs = LogisticRegression(C=strength, class_weight="balanced", tol=1e-10, max_iter=10_000)
    theirs.fit((x - basis.mean) / basis.scale, truth)
    np.testing.assert_allclose(weights @ basis.back, theirs.coef_[0], atol=1e-4)
    assert bias == pytest.approx(theirs.intercept_[0], abs=1e-4)


def test_slope_and_curve_are_the_derivatives():
    draw = np.random.default_rng(3)
    wide = np.column_stack([draw.standard_normal((20, 4)), np.ones(20)])
    truth, share = draw.random(20) < 0.3, draw.uniform(0.5, 2, 20)
    penalty, at = np.array([1.0, 1, 1, 1, 0]), draw.standard_normal(5)
    value = lambda p: _loss(p, wide, truth, share, penalty)[0]  # noqa: E731
    slope = lambda p: _loss(p, wide, truth, share, penalty)[1]  # noqa: E731
    assert check_grad(value, slope, at) < 1e-5
    curve = _loss(at, wide, truth, share, penalty)[2]
    for i, step in enumerate(np.eye(5) * 1e-6):
        np.testing.assert_allclose((slope(at + step) - slope(at)) / 1e-6, curve[i], atol=1e-3)


def test_both_classes_weigh_alike():
    x = np.zeros((10, 1))
    _, bias = fit_logistic(x, np.arange(10) < 2, 1.0)
    assert bias == pytest.approx(0, abs=1e-9)


def test_separable_examples_end():
    x = np.array([[-1.0], [-2], [1], [2]])
    weights, _ = fit_logistic(x, x[:, 0] > 0, 1e6)
    assert math.isfinite(weights[0])
    assert weights[0] > 1


@pytest.mark.parametrize("truth", [[True] * 4, [False] * 4])
def test_one_class_is_refused(truth):
    with pytest.raises(ValueError, match="both kinds"):
        fit_logistic(np.eye(4), np.array(truth), 1.0)
    with pytest.raises(ValueError, match="strength"):
        fit_logistic(np.eye(2), np.array([True, False]), 0.0)


def test_numbers_that_never_differ_do_no_harm():
    x = np.column_stack([np.arange(6.0), np.full(6, 7.0)])
    model = fit_one(x, np.arange(6) > 2, list("abcdef"), folds=3, seed=0)
    assert model.weights[1] == 0
    assert np.isfinite(model.logits(x)).all()


def test_log_loss_weighs_classes_alike():
    logits = np.array([0.0, 0, 0, 5])
    want = (math.log(2) + math.log1p(math.exp(-5))) / 2
    assert log_loss(logits, np.array([False, False, False, True])) == pytest.approx(want)
    assert math.isnan(log_loss(logits, np.ones(4, bool)))


# --- Splits --------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=60),
    st.integers(2, 6),
    st.integers(0, 3),
)
def test_a_group_is_in_one_fold(made, folds, seed):
    groups, truth = [str(group) for group, _ in made], np.array([held for _, held in made])
    fold = grouped_folds(groups, truth, folds=folds, seed=seed)
    assert len(set(zip(groups, fold.tolist(), strict=True))) == len(set(groups))
    assert set(fold) == set(range(min(folds, len(set(groups)))))
    for kept, held in usable_folds(fold, truth):
        assert not {groups[i] for i in np.flatnonzero(kept)} & {
            groups[i] for i in np.flatnonzero(held)
        }
        assert truth[kept].any()
        assert not truth[kept].all()


def test_folds_share_the_events():
    groups = [f"g{i}" for i in range(20)]
    truth = np.arange(20) < 10
    fold = grouped_folds(groups, truth, folds=5, seed=0)
    assert [int(truth[fold == f].sum()) for f in range(5)] == [2] * 5
    assert [int((fold == f).sum()) for f in range(5)] == [4] * 5
    with pytest.raises(ValueError, match="folds"):
        grouped_folds(groups, truth, folds=1, seed=0)


def test_a_model_does_not_see_the_group_it_scores():
    """Labels are of the scene alone: known scenes are easy, a new scene is a matter of chance."""
    draw = np.random.default_rng(0)
    scenes = draw.standard_normal((20, 40)) * 3
    truth = np.repeat(draw.permutation(20) < 10, 6)
    x = np.repeat(scenes, 6, axis=0) + draw.standard_normal((120, 40)) * 0.1
    grouped = held_out_logits(x, truth, np.repeat(np.arange(20), 6).astype(str), folds=5, seed=0)
    mixed = held_out_logits(x, truth, np.arange(120).astype(str), folds=5, seed=0)
    assert roc_auc_score(truth, mixed) > 0.95
    assert roc_auc_score(truth, grouped) < 0.75


def test_changing_a_group_changes_nothing_of_its_own_model():
    draw = np.random.default_rng(1)
    x, groups = draw.standard_normal((30, 5)), [f"g{i // 3}" for i in range(30)]
    truth = np.arange(30) % 3 == 0
    logits = held_out_logits(x, truth, groups, folds=10, seed=0)
    flipped = truth.copy()
    flipped[3:5] = flipped[3:5][::-1]
    again = held_out_logits(x, flipped, groups, folds=10, seed=0)
    np.testing.assert_allclose(again[3:6], logits[3:6])
    assert not np.allclose(again[6:], logits[6:])


def test_no_strength_is_chosen_where_nothing_can_be_held_out():
    x, truth = np.random.default_rng(0).standard_normal((6, 3)), np.arange(6) < 3
    assert choose_strength(x, truth, ["a"] * 6, folds=3, seed=0) is None
    # Leaving either group out leaves one kind.
    assert choose_strength(x, truth, ["a"] * 3 + ["b"] * 3, folds=3, seed=0) is None
    assert np.isnan(held_out_logits(x, truth, ["a"] * 6, folds=3, seed=0)).all()


def test_a_learning_curve_rises_and_ends_with_all():
    draw = np.random.default_rng(2)
    truth = np.arange(80) % 2 == 0
    x = draw.standard_normal((80, 30))
    x[truth, :6] += 0.8
    points = learning_curve(
        x, truth, [f"g{i}" for i in range(80)], folds=4, seeds=3, sizes=(5, 20, 500)
    )
    assert [point.labels for point in points] == [5, 20, 60]
    assert points[-1].mean > points[0].mean
    assert all(point.seeds == 3 for point in points)
    assert learning_curve(x, truth, ["a"] * 80, folds=4, seeds=3) == ()


def test_advice():
    def points(*means):
        return [CurvePoint(10 * i, mean, 0.01, 5) for i, mean in enumerate(means, 1)]

    assert advice(points(0.6, 0.7)).startswith("More labels are likely to help")
    assert advice(points(0.6, 0.605)).startswith("More labels of this kind may not help")
    assert advice(points(0.6)) == ""


# --- Videos --------------------------------------------------------------------------------------


def vectors(rows: np.ndarray, *, step_s: float = 0.1, encoder: str = "enc-1") -> Embeddings:
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    edges = np.arange(len(rows) + 1) * step_s
    return Embeddings(rows.astype(np.float32), edges, encoder, None, Coverage(len(rows)))


def clips(count: int = 24, seed: int = 0, **options) -> list[LabelledVideo]:
    """Scenes of their own; in every other one pictures change more along four directions."""
    draw = np.random.default_rng(seed)
    made = []
    for i in range(count):
        noise = draw.standard_normal((20, DIM)) * 0.1
        held = i % 2 == 0
        if held:
            noise[:, :4] *= 3
        labels = ("fight",) if held else ()
        truth = Annotation(f"clip{i}.mp4", (), labels, anomalous=held, **options)
        made.append(LabelledVideo(truth, vectors(draw.standard_normal(DIM) + noise)))
    return made


def long_videos(count: int = 8, seed: int = 0) -> list[LabelledVideo]:
    """Twenty seconds each; for seven of them, from 5 s or later, along one direction more."""
    draw = np.random.default_rng(seed)
    made = []
    for i in range(count):
        rows = draw.standard_normal((200, DIM))
        start = 50 + 23 * i % 80
        rows[start : start + 70, 0] += 1.5
        span = Span("fall", start / 10, start / 10 + 7)
        made.append(LabelledVideo(Annotation(f"v{i}.mp4", (span,), ("fall",)), vectors(rows)))
    return made


def test_clips_are_learned_and_judged():
    result = fit_head(clips(), QUICK, encoder_name="mini")
    (fit,) = result.labels
    assert (fit.label, fit.positives) == ("fight", 12)
    assert fit["auc"].value > 0.9
    assert fit["auc"].low <= fit["auc"].value <= fit["auc"].high
    assert fit["auc_change"].value > 0.9
    head = result.head
    assert head.labels == ("fight",)
    assert (head.encoder, head.encoder_name) == ("enc-1", "mini")
    assert head.pool == PoolOptions("mean+std+change", 2.0)
    assert head.facts.videos[:2] == ("clip0.mp4", "clip1.mp4")
    assert (head.facts.examples, head.facts.groups) == (24, 24)
    assert head.facts.figures["fight"]["auc"][0] == fit["auc"].value
    assert "24 clips of 24 groups" in head.facts.sentence
    new = [score_head(video.embeddings, head).values[-1, 0] for video in clips(seed=9)]
    assert roc_auc_score(np.arange(24) % 2 == 0, new) > 0.9


def test_the_head_gives_what_was_fitted():
    videos = clips()
    result = fit_head(videos, QUICK)
    x = np.stack([pool_clip(video.embeddings, "mean+std+change") for video in videos])
    model = fit_one(x, np.arange(24) % 2 == 0, [video.group for video in videos], folds=5, seed=0)
    got = [score_head(video.embeddings, result.head).values[-1, 0] for video in videos]
    np.testing.assert_allclose(got, 1 / (1 + np.exp(-model.logits(x))), atol=1e-5)


def test_windows_are_learned_and_judged():
    options = FitOptions(window_s=1.0, samples=100, sizes=())
    result = fit_head(long_videos(), options)
    (fit,) = result.labels
    assert fit["auc"].value > 0.9
    assert fit["auc_macro"].value > 0.9
    assert fit["auc_centre"].value < fit["auc"].value
    assert result.head.facts.examples == 8 * 40  # every half second
    scores = score_head(long_videos(seed=5)[0].embeddings, result.head)
    truth = (scores.edges_s[:-1] >= 5.5) & (scores.edges_s[:-1] < 12)
    calm = scores.edges_s[:-1] > 13.5
    assert np.nanmean(scores["fall"][truth]) > np.nanmean(scores["fall"][calm]) + 0.3


def test_window_examples_are_what_the_head_sees():
    video, pool = long_videos(1)[0], PoolOptions("mean", 1.0)
    made = make_examples([video], ["fall"], unit="window", pool=pool, every_s=0.5, merged=False)
    rows = video.embeddings.vectors
    np.testing.assert_allclose(made.x[0], rows[0:5].mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(made.x[9], rows[40:50].mean(axis=0), atol=1e-6)
    # The window that ends at 5 s is still before the event, which begins then.
    assert not made.truth[9, 0]
    assert made.truth[10, 0]


def test_labels_by_one_against_the_rest_and_merged():
    videos = clips(24)
    videos = [
        replace(v, annotation=replace(v.annotation, labels=("crash",)))
        if i in (0, 4, 8, 12, 16, 20)
        else v
        for i, v in enumerate(videos)
    ]
    both = fit_head(videos, QUICK)
    assert both.head.labels == ("crash", "fight")
    assert both.head.facts.positives == {"crash": 6, "fight": 6}
    one = fit_head(videos, replace(QUICK, merged="trouble"))
    assert one.head.facts.positives == {"trouble": 12}
    assert fit_head(videos, replace(QUICK, labels=("crash",))).head.labels == ("crash",)
    with pytest.raises(CalibrationError, match=r"no video holds 'fire'.*crash, fight"):
        fit_head(videos, replace(QUICK, labels=("fire",)))


def scored(video: LabelledVideo, value: float) -> LabelledVideo:
    count = len(video.embeddings)
    values = np.full((count, 1), value, np.float32)
    words = Scores(values, video.embeddings.edges_s, ("fight",), "contrast")
    return replace(video, zero_shot=words)


def test_it_says_whether_it_beats_the_words():
    draw = np.random.default_rng(0)
    by_chance = [scored(v, draw.random()) for v in clips(40)]
    (fit,) = fit_head(by_chance, QUICK).labels
    assert fit["gain_zero_shot"].low > 0
    assert "it beats the zero-shot score" in fit.verdict
    perfect = [scored(v, float(v.annotation.positive)) for v in clips(40)]
    (fit,) = fit_head(perfect, QUICK).labels
    assert fit["auc_zero_shot"].value == 1
    assert "beats the zero-shot score" not in fit.verdict.replace("not reliably beat", "")
    assert "zero-shot" not in fit_head(clips(), QUICK).labels[0].verdict


def test_a_prior_worse_than_chance_is_nothing_to_beat():
    auc = Figure("auc", "video", "AUC", 0.7, low=0.6, high=0.8)
    prior = [
        Figure("auc_shorter", "video", "AUC of the video being short", 0.3, low=0.2, high=0.4),
        Figure("gain_shorter", "video", "gain", 0.4, low=0.3, high=0.5),
    ]
    assert verdict("x", [auc, *prior]).endswith("it had not seen; better than chance.")
    prior[0] = replace(prior[0], value=0.65)
    assert "beats the video being short (0.650" in verdict("x", [auc, *prior])
    unsure = replace(auc, low=0.45)
    assert verdict("x", [unsure]).endswith("not reliably better than chance.")


def test_a_zero_shot_score_that_is_partly_missing_is_compared_where_it_is_there():
    videos = [scored(v, np.nan if i < 4 else i % 3 / 2) for i, v in enumerate(clips(24))]
    (fit,) = fit_head(videos, QUICK).labels
    want = roc_auc_score((np.arange(24) % 2 == 0)[4:], [i % 3 for i in range(4, 24)])
    assert fit["auc_zero_shot"].value == pytest.approx(want)


def test_no_interval_from_four_groups():
    videos = [
        replace(v, annotation=replace(v.annotation, group=f"camera {i % 4}"))
        for i, v in enumerate(long_videos())
    ]
    (fit,) = fit_head(videos, FitOptions(samples=50, sizes=())).labels
    assert fit["auc"].value is not None
    assert fit["auc"].low is None


def test_what_was_not_measured_is_left_out_and_counted():
    videos = clips()
    blind = Embeddings(np.full((20, DIM), np.nan), np.arange(21) * 0.1, "enc-1", None, Coverage(0))
    result = fit_head([*videos, replace(videos[0], embeddings=blind)], QUICK)
    assert result.head.facts.examples == 24
    assert any(note.startswith("1 examples were left out") for note in result.notes)


def test_look_alikes_are_told_and_held_out_together():
    videos = clips(24)
    twins = [
        replace(v, annotation=replace(v.annotation, video=f"twin of {v.annotation.video}"))
        for v in videos
    ]
    # The mean picture tells the scene and nothing of the event.
    result = fit_head([*videos, *twins], replace(QUICK, pooling="mean"))
    (fit,) = result.labels
    assert fit["auc"].value > 0.8
    assert fit["auc_apart"].value < 0.7
    assert any("48 groups look like 24 scenes" in note for note in result.notes)
    assert "auc_apart" not in [f.name for f in fit_head(videos, QUICK).labels[0].figures]


def test_look_alikes_join_however_indirectly():
    near = [vectors(np.array([[math.cos(a), math.sin(a)]] * 3)) for a in (0, 0.25, 0.5, 2.0)]
    assert join_look_alikes(near, ["a", "b", "c", "d"]) == ("a", "a", "a", "d")
    assert join_look_alikes(near, ["a", "b", "c", "b"]) == ("a", "a", "a", "a")
    assert join_look_alikes(near, ["a", "b", "c", "d"], limit=0.99) == ("a", "b", "c", "d")


def test_clips_of_one_picture_are_seen_by_their_mean():
    draw = np.random.default_rng(0)
    videos = [
        LabelledVideo(
            Annotation(f"p{i}", (), ("red",) * (i % 2), anomalous=i % 2 == 1),
            vectors(draw.standard_normal((1, DIM)) + 3 * (i % 2)),
        )
        for i in range(12)
    ]
    result = fit_head(videos, replace(QUICK, pooling="mean"))
    assert result.labels[0]["auc"].value > 0.8
    assert score_head(videos[1].embeddings, result.head).values[0, 0] > 0.5
    with pytest.raises(CalibrationError, match=r"0 clips are too few.*12 more"):
        fit_head(videos, QUICK)


def test_it_names_the_split_that_it_learned_from():
    assert fit_head(clips(split="train"), QUICK).head.as_fitted()["split"] == "train"
    mixed = [*clips(split="train"), *clips(seed=1, split="test")]
    assert fit_head(mixed, QUICK).head.as_fitted()["split"] is None


def test_the_same_videos_give_the_same_head():
    assert fit_head(clips(), QUICK).head.fingerprint == fit_head(clips(), QUICK).head.fingerprint


# --- Refusals ------------------------------------------------------------------------------------


def test_too_few_examples():
    with pytest.raises(CalibrationError, match="4 clips are too few"):
        fit_head(clips(4), QUICK)
    assert fit_head(clips(6), QUICK).head.facts.examples == 6


@pytest.mark.parametrize("held", [True, False])
def test_one_class_only(held):
    videos = [v for v in clips(24) if v.annotation.positive == held]
    with pytest.raises(CalibrationError, match="both kinds"):
        fit_head(videos, QUICK)


def test_one_group_only_unless_asked():
    videos = clips(12, group="camera 1")
    with pytest.raises(CalibrationError, match=r"nothing could be said.*--unvalidated"):
        fit_head(videos, QUICK)
    result = fit_head(videos, replace(QUICK, unvalidated=True))
    assert result.labels[0].figures == ()
    assert "nothing of it was validated" in result.head.facts.sentence
    assert any("a usual one" in note for note in result.notes)


def test_a_label_known_from_one_group_only():
    videos = [
        replace(v, annotation=replace(v.annotation, group="a" if v.annotation.positive else None))
        for v in clips(12)
    ]
    with pytest.raises(CalibrationError, match="nothing could be said of how good 'fight'"):
        fit_head(videos, QUICK)
    assert fit_head(videos, replace(QUICK, unvalidated=True)).labels[0].figures == ()


def test_two_encoders():
    videos = clips(12)
    videos[3] = replace(videos[3], embeddings=replace(videos[3].embeddings, encoder="enc-2"))
    with pytest.raises(CalibrationError, match="enc-1 and enc-2"):
        fit_head(videos, QUICK)


def test_nothing_to_learn_from():
    with pytest.raises(CalibrationError, match="no videos"):
        fit_head([], QUICK)


def test_windows_need_times():
    with pytest.raises(CalibrationError, match=r"clip0.mp4 is only said to hold.*--clip"):
        fit_head(clips(), FitOptions())


def test_too_many_windows(monkeypatch):
    monkeypatch.setattr("watchword.train.examples.MOST", 50)
    with pytest.raises(CalibrationError, match=r"160 windows.*50.*--every-s"):
        fit_head(long_videos(), FitOptions())


@pytest.mark.parametrize(
    "values",
    [
        {"unit": "frame"},
        {"pooling": "max"},
        {"window_s": 0},
        {"every_s": math.nan},
        {"folds": 1},
        {"samples": 0},
        {"sizes": (1,)},
        {"labels": ("a",), "merged": "b"},
    ],
)
def test_options_are_checked(values):
    with pytest.raises(ValueError, match=r"must be|not both"):
        FitOptions(**values)


# --- Real clips ----------------------------------------------------------------------------------


@pytest.mark.shared
def test_fights_on_real_clips(shared: Path):
    """Forty clips of each kind at five pictures a second: better than chance and than words."""
    from watchword.config import Config
    from watchword.pipeline.embed import VideoEncoder
    from watchword.run.fitting import Found, TruthOptions, find_pairs, fit_videos
    from watchword.video.sampling import Sampling

    truth = TruthOptions(shared / "data" / "fight_surv" / "labels.json")
    found = find_pairs([], truth)
    kinds = {held: [p for p in found.pairs if p[1].anomalous is held] for held in (True, False)}
    some = Found((*kinds[True][:80:2], *kinds[False][:80:2]))
    encoder = VideoEncoder(Config(sampling=Sampling(rate=5)))
    options = FitOptions(unit="clip", merged="fight", samples=200, sizes=(5, 20), seeds=3)
    result = fit_videos(encoder, some, options, truth=truth)
    (fit,) = result.labels
    assert fit.positives == 40
    assert fit["auc"].value > 0.65
    assert fit["auc"].low > 0.5
    assert fit.curve[-1].mean > fit.curve[0].mean


@pytest.mark.shared
def test_crashes_on_real_clips_are_not_claimed(shared: Path):
    """What cannot be learned from 61 clips is said so, beside a prior that does better."""
    from watchword.config import Config
    from watchword.evidence.prompts import bank_from_prompts
    from watchword.pipeline.embed import VideoEncoder
    from watchword.run.fitting import TruthOptions, find_pairs, fit_videos

    truth = TruthOptions(shared / "data" / "crash_cctv" / "labels.json")
    options = FitOptions(unit="clip", merged="crash", samples=200, sizes=())
    bank = bank_from_prompts(["crash=a car crash"], normal=["cars driving on a road"])
    found = find_pairs([], truth)
    (fit,) = fit_videos(VideoEncoder(Config()), found, options, truth=truth, bank=bank).labels
    assert fit["auc"].low < 0.5 < fit["auc"].high
    assert "does not reliably beat the zero-shot score" in fit.verdict
    assert fit["auc_shorter"].value > fit["auc"].value


@pytest.mark.shared
def test_falls_of_two_people_have_no_interval(shared: Path):
    """Nine clips of two subjects: held out by subject, and no interval from two groups."""
    from watchword.config import Config
    from watchword.pipeline.embed import VideoEncoder
    from watchword.run.fitting import TruthOptions, find_pairs, fit_videos

    truth = TruthOptions(shared / "data" / "gmdcsa24" / "labels.json")
    options = FitOptions(window_s=1.0, samples=50, sizes=())
    result = fit_videos(VideoEncoder(Config()), find_pairs([], truth), options, truth=truth)
    assert result.head.facts.groups == 2
    figure = result.labels[0]["auc"]
    assert figure.value is not None
    assert (figure.low, figure.high) == (None, None)
