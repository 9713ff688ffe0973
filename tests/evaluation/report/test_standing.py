"""The verdict: what is reached beside what knows nothing, in words that do not flatter."""

from __future__ import annotations

from dataclasses import replace

import pytest

from watchword.evaluation.report.standing import headline, standing, standings
from watchword.evaluation.result import Evaluation, Figure, Finding

AUC = Figure(
    "auc_micro", "frame", "AUC, micro", 0.82, low=0.75, high=0.88,
    baselines={"always": 0.5, "never": 0.5, "random": 0.5, "centre": 0.65, "oracle": 0.99},
)  # fmt: skip


def evaluation(*figures: Figure, findings: tuple[Finding, ...] = ()) -> Evaluation:
    return Evaluation(figures, {}, findings=findings)


@pytest.mark.parametrize(
    ("value", "low", "high", "verdict"),
    [
        (0.82, 0.75, 0.88, "better"),
        (0.82, 0.64, 0.95, "unclear"),
        (0.82, 0.65, 0.95, "unclear"),
        (0.82, None, None, "unclear"),
        (0.65, 0.60, 0.70, "no better"),
        (0.46, 0.31, 0.62, "no better"),
        (None, None, None, "undefined"),
    ],
)
def test_a_figure_is_better_only_if_its_whole_interval_is(
    value: float | None, low: float | None, high: float | None, verdict: str
) -> None:
    found = standing(replace(AUC, value=value, low=low, high=high))
    assert found.verdict == verdict
    if value is not None:
        assert found.best == ("centre", 0.65)


def test_the_oracle_is_no_rival_and_chance_is_what_many_guesses_come_to() -> None:
    beside = {"always": 0.5, "never": 0.5, "random": 0.5, "oracle": 0.9}
    assert standing(replace(AUC, baselines=beside)).best == ("random", 0.5)
    assert standing(replace(AUC, baselines={"oracle": 0.9})).verdict == "alone"
    assert standing(replace(AUC, baselines={"always": None})).verdict == "alone"


@pytest.mark.parametrize(("high", "verdict"), [(0.9, "better"), (1.1, "unclear"), (3.0, "unclear")])
def test_where_lower_is_better_the_other_end_counts(high: float, verdict: str) -> None:
    error = Figure("e", "frame", "error", 0.8, low=0.1, high=high, better="lower",
                   baselines={"random": 1.0, "centre": 1.2})  # fmt: skip
    found = standing(error)
    assert found.best == ("random", 1.0)
    assert found.verdict == verdict


@pytest.mark.parametrize(
    "figure",
    [
        Figure("recall", "frame", "recall", 0.5, baselines={"always": 1.0, "random": 0.3}),
        Figure("fa", "event", "false alarms", 3.0, better="lower", baselines={"never": 0.0}),
    ],
)
def test_half_of_a_bargain_is_not_called_worse_than_flagging_everything(figure: Figure) -> None:
    assert standing(figure).verdict == "one-sided"


def test_the_best_of_many_thresholds_is_not_compared_with_guesses_that_had_one() -> None:
    assert standing(replace(AUC, note="chosen on this data: 0.3")).verdict == "chosen here"


def test_a_prior_that_is_perfect_is_a_rival_all_the_same() -> None:
    found = standing(replace(AUC, baselines={"always": 0.5, "shorter": 1.0}))
    assert found.verdict == "no better"


def test_a_paired_difference_is_trusted_over_two_intervals() -> None:
    surely = Figure("auc_over_centre", "frame", "above centre", 0.17, low=-0.02, high=0.3)
    first, _ = standings(evaluation(AUC, surely))
    assert first.verdict == "unclear"
    first, _ = standings(evaluation(AUC, replace(surely, low=0.02)))
    assert first.verdict == "better"
    wide = replace(AUC, low=0.4)
    assert standings(evaluation(wide, replace(surely, low=0.02)))[0].verdict == "better"


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        (AUC, "Better than a ruler: AUC (micro) 0.82 [0.75, 0.88]; "
              "the middle of the video alone reaches 0.65."),
        (replace(AUC, value=0.464, low=0.31, high=0.62),
         "No better than a ruler: AUC (micro) 0.46 [0.31, 0.62]; "
         "the middle of the video alone reaches 0.65."),
        (replace(AUC, value=0.71, low=0.58),
         "Not clearly better than a ruler: AUC (micro) 0.71 [0.58, 0.88]; "
         "the middle of the video alone reaches 0.65."),
        (replace(AUC, value=0.6504, low=0.6, high=0.7),
         "Not clearly better than a ruler: AUC (micro) 0.650 [0.600, 0.700]; "
         "the middle of the video alone reaches 0.650."),
        (replace(AUC, low=None, high=None),
         "Not clearly better than a ruler: AUC (micro) 0.82; "
         "the middle of the video alone reaches 0.65. "
         "Without an interval nobody can tell whether the difference is luck."),
        (replace(AUC, baselines={}),
         "AUC (micro) 0.82 [0.75, 0.88]; no guess that knows nothing is there to compare it with."),
        (Figure("f1", "frame", "F1", 0.41, low=0.2, high=0.5, baselines={"always": 0.47}),
         "No better than flagging everything: F1 0.41 [0.20, 0.50]; "
         "flagging everything reaches 0.47."),
        (replace(AUC, value=None, why="one class only."),
         "Nothing could be measured: one class only."),
    ],
)  # fmt: skip
def test_the_verdict_is_said_in_plain_words(figure: Figure, said: str) -> None:
    assert headline(evaluation(figure)) == said


def test_serious_findings_are_in_the_verdict_and_others_are_not() -> None:
    serious, mild = Finding("a", "b"), Finding("c", "d", serious=False)
    assert headline(evaluation(AUC, findings=(serious, mild))).endswith(
        "Read the warning below before you rely on it."
    )
    assert "the 2 warnings below" in headline(evaluation(AUC, findings=(serious, serious)))
    assert "warning" not in headline(evaluation(AUC, findings=(mild,)))


def test_the_verdict_is_about_what_was_not_chosen_on_the_data_and_can_be_compared() -> None:
    tuned = replace(AUC, note="chosen on this data: threshold 0.3")
    f1 = Figure("f1", "event", "F1 at tIoU 0.5", 0.3, baselines={"always": 0.5})
    assert "F1 at tIoU 0.5 0.30" in headline(evaluation(tuned, f1))
    alone = Figure("auc_macro", "frame", "AUC, macro", 0.7)
    assert "F1 at tIoU 0.5 0.30" in headline(evaluation(alone, f1))
    assert "AUC (macro) 0.70" in headline(evaluation(alone))


def test_nothing_at_all_is_said_to_be_nothing() -> None:
    assert headline(evaluation()) == "Nothing could be measured."


def test_a_baseline_of_another_name_is_named_as_it_is() -> None:
    said = headline(evaluation(replace(AUC, baselines={"centre x shorter": 0.9})))
    assert said.startswith("No better than centre x shorter: AUC (micro) 0.82")


def test_what_was_only_tuned_is_not_called_unmeasured() -> None:
    said = headline(evaluation(replace(AUC, note="chosen on this data")))
    assert said == "What was measured was chosen on this very data and proves nothing."
