from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluation.calibrate.calibrate_cases import case, random_cases
from watchword.errors import CalibrationError
from watchword.evaluation.calibrate.choose import ChoiceOptions, choose, choose_on_split
from watchword.evaluation.calibrate.held_out import Picked, leave_one_out, pick
from watchword.evaluation.calibrate.labels import choose_by_label
from watchword.evaluation.calibrate.objectives import Objective
from watchword.evaluation.calibrate.thresholds import best_of, threshold_range
from watchword.evaluation.metrics.confusion import Confusion, confusion

THRESHOLDS = threshold_range(-2.0, 3.0, 0.1)


def counts(cases, threshold) -> Confusion:
    total = Confusion(0, 0, 0, 0)
    for one in cases:
        total = total + confusion(one.truth, one.series >= np.float32(threshold))
    return total


def slow_best(cases) -> float:
    f1 = np.array([counts(cases, t).f1 for t in THRESHOLDS], float)
    return THRESHOLDS[best_of(f1)]


def test_leave_one_out_is_what_a_slow_loop_gives() -> None:
    cases = random_cases(np.random.default_rng(0))
    found = choose(cases, THRESHOLDS)
    total = Confusion(0, 0, 0, 0)
    for fold, one in zip(found.folds, cases, strict=True):
        others = [c for c in cases if c is not one]
        assert fold.threshold == slow_best(others)
        assert fold.held_out == one.name
        total = total + counts([one], fold.threshold)
    assert found.value == pytest.approx(total.f1)
    assert found.threshold == slow_best(cases)
    assert found.apparent == pytest.approx(counts(cases, found.threshold).f1)
    assert found.always == pytest.approx(counts(cases, -99).f1)
    assert found.never == 0.0
    assert found.low < found.value < found.high
    assert found.reported_on == "leave one video out, 8 videos"
    assert found.spread[0] <= found.spread[1] <= found.spread[2]


def test_a_nested_choice_never_looks_at_what_is_left_out() -> None:
    rng = np.random.default_rng(1)
    good = random_cases(rng, videos=6, gain=2.0)
    noise = [replace(c, scores=case(c.name, rng.standard_normal(60)).scores) for c in good]
    found = choose({"noise": noise, "good": good}, THRESHOLDS)
    assert found.variant == "good"
    assert {fold.variant for fold in found.folds} == {"good"}
    # Whatever a video says, what is chosen without it stays.
    for number in range(5):
        lying = {
            name: [
                replace(c, scores=case(c.name, 9 - 18 * c.truth).scores) if i == number else c
                for i, c in enumerate(cases)
            ]
            for name, cases in (("noise", noise), ("good", good))
        }
        again = choose(lying, THRESHOLDS).folds[number]
        before = found.folds[number]
        assert (again.variant, again.threshold) == (before.variant, before.threshold)
        assert again.value != before.value


def test_choosing_among_noise_is_not_rewarded() -> None:
    # What is chosen on noise looks good where it was chosen, and is worth nothing elsewhere.
    apparent, honest = [], []
    for seed in range(15):
        rng = np.random.default_rng(seed)
        videos = random_cases(rng, videos=8, gain=0.0)
        variants = {
            f"noise {n}": [
                replace(c, scores=case(c.name, rng.standard_normal(60)).scores) for c in videos
            ]
            for n in range(8)
        }
        options = ChoiceOptions(Objective("youden"), samples=10)
        found = choose(variants, threshold_range(-2, 2, 0.25), options)
        apparent.append(found.apparent)
        honest.append(found.value)
    assert np.mean(apparent) > 0.06
    assert np.mean(honest) < 0.02


def test_a_variant_stands_by_what_it_reaches_elsewhere() -> None:
    # Each candidate of the pliable variant suits one group by chance: it is best on the data it is
    # chosen on (50 mistakes of 100 against 55), and worse (60) on a group left out.
    groups = 6
    mistakes = {"pliable": np.full((groups, groups), 60.0), "steady": np.full((groups, 1), 55.0)}
    np.fill_diagonal(mistakes["pliable"], 0.0)
    sums = {
        name: np.stack([100 - wrong, wrong, 0 * wrong, 0 * wrong], axis=-1)
        for name, wrong in mistakes.items()
    }
    assert pick(sums, Objective("cost")) == Picked("steady", 0)
    chosen, kept = leave_one_out(sums, Objective("cost"))
    assert {one.variant for one in chosen} == {"steady"}
    assert kept[:, 1].tolist() == [55.0] * groups


def test_groups_are_left_out_whole() -> None:
    cases = random_cases(np.random.default_rng(3), videos=9)
    grouped = [
        replace(c, annotation=replace(c.annotation, group=f"camera {i % 3}"))
        for i, c in enumerate(cases)
    ]
    found = choose(grouped, THRESHOLDS, ChoiceOptions(leave_out="group"))
    assert [fold.held_out for fold in found.folds] == [f"group camera {n}" for n in range(3)]
    others = [c for i, c in enumerate(cases) if i % 3 != 1]
    assert found.folds[1].threshold == slow_best(others)
    assert found.reported_on == "leave one group out, 3 groups"


def test_one_split_chooses_and_another_reports() -> None:
    rng = np.random.default_rng(4)
    fit, report = random_cases(rng, videos=6), random_cases(rng, videos=5)
    report = [replace(c, name=f"test {c.name}") for c in report]
    found = choose_on_split(fit, report, THRESHOLDS, split="test")
    assert found.threshold == slow_best(fit)
    assert found.value == pytest.approx(counts(report, found.threshold).f1)
    assert found.apparent == pytest.approx(counts(fit, found.threshold).f1)
    assert found.always == pytest.approx(counts(report, -99).f1)
    assert found.reported_on == "split test, 5 videos"
    assert found.spread is None
    assert len(found.tables()) == 1


def test_a_video_in_both_splits_is_refused_by_name_and_by_content() -> None:
    a = [case("a", [0, 1], [(1, 2)], fingerprint="f1")]
    b = [case("b", [0, 1], [(1, 2)], fingerprint="f1")]
    c = [case("c", [0, 1], [(1, 2)], fingerprint="f2")]
    for report in (a, b):
        with pytest.raises(CalibrationError, match="both chosen and reported on"):
            choose_on_split(a, report, np.array([0.5]))
    assert choose_on_split(a, c, np.array([0.5])).value == 1.0


def test_too_few_videos_or_classes_are_refused() -> None:
    good = random_cases(np.random.default_rng(5), videos=4)
    with pytest.raises(CalibrationError, match="2 videos are too few"):
        choose(good[:2], THRESHOLDS)
    with pytest.raises(CalibrationError, match="none of the"):
        choose([case(f"v{n}", [1, 2, 3]) for n in range(4)])
    single = [good[0], *(case(f"n{n}", [1, 2, 3]) for n in range(4))]
    with pytest.raises(CalibrationError, match="only video v0 holds something with an event"):
        choose(single, THRESHOLDS)
    whole = [good[0], *(case(f"n{n}", [1, 2], [(0, 2)]) for n in range(4))]
    with pytest.raises(CalibrationError, match="only video v0 holds something without"):
        choose(whole, THRESHOLDS)
    with pytest.raises(CalibrationError, match="same name"):
        choose([good[0], *good], THRESHOLDS)


def test_variants_must_be_the_same_videos() -> None:
    cases = random_cases(np.random.default_rng(6))
    with pytest.raises(ValueError, match="other videos"):
        choose({"a": cases, "b": cases[::-1]}, THRESHOLDS)


def test_a_precision_out_of_reach_is_refused_with_what_is_reached() -> None:
    cases = random_cases(np.random.default_rng(7), gain=0.0)
    options = ChoiceOptions(Objective("recall_at_precision", precision=0.999))
    with pytest.raises(CalibrationError, match="the highest is 0"):
        choose(cases, threshold_range(-2, 1, 0.1), options)
    strong = random_cases(np.random.default_rng(7), gain=4.0)
    found = choose(
        strong,
        threshold_range(-2, 6, 0.1),
        replace(options, objective=Objective("recall_at_precision", precision=0.8)),
    )
    whole = counts(strong, found.threshold)
    assert whole.precision >= 0.8
    assert any("precision is" in note for note in found.notes)


def test_cost_prefers_the_cheaper_mistake() -> None:
    cases = random_cases(np.random.default_rng(8), gain=1.0)
    dear = choose(cases, THRESHOLDS, ChoiceOptions(Objective("cost", false_alarm=10.0)))
    cheap = choose(cases, THRESHOLDS, ChoiceOptions(Objective("cost", miss=10.0)))
    assert cheap.threshold < dear.threshold


def test_scores_that_say_nothing_are_told_to_be_no_better_than_always_on() -> None:
    cases = [
        replace(c, scores=case(c.name, np.random.default_rng(i).standard_normal(60)).scores)
        for i, c in enumerate(random_cases(np.random.default_rng(9), gain=0.0))
    ]
    found = choose(cases, THRESHOLDS)
    assert found.value <= found.always
    assert any("every window an event" in note for note in found.notes)


def test_labels_get_a_threshold_each() -> None:
    rng = np.random.default_rng(10)
    cases = []
    for number in range(6):
        values = rng.random((30, 2))
        values[5:10, 0] += 1.0
        values[20:25, 1] += 3.0
        spans = [("a", 5, 10), ("b", 20, 25)]
        cases.append(case(f"v{number}", values, spans, labels=("a", "b")))
    found = choose_by_label(cases, threshold_range(0, 4, 0.05))
    assert found["a"].threshold == pytest.approx(1.0, abs=0.15)
    assert 1.0 < found["b"].threshold < 3.1
    assert found["b"].value == 1.0
    lonely = [
        replace(c, annotation=replace(c.annotation, spans=c.annotation.spans[:1])) for c in cases
    ]
    with pytest.raises(CalibrationError, match="label b: none of the"):
        choose_by_label(lonely)


def test_windows_not_measured_change_nothing() -> None:
    cases = random_cases(np.random.default_rng(11))
    holed = []
    for one in cases:
        values = np.append(one.scores.values[:, 0], [np.nan] * 5)
        spans = [(s.start_s, s.end_s) for s in one.annotation.spans]
        holed.append(case(one.name, values, spans))
    assert choose(holed, THRESHOLDS) == choose(cases, THRESHOLDS)
