"""Which sentences of a bank help, from saved cosines and truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from watchword.errors import DatasetError, PromptError
from watchword.evaluation.datasets.formats import read_records
from watchword.evaluation.matching import CaseOptions, load_cases
from watchword.evaluation.predictions.prediction import Prediction
from watchword.evaluation.predictions.read import read_predictions
from watchword.evaluation.prompt_ranking import Ranking, RankOptions, rank_prompts
from watchword.evidence.words import ScoreOptions
from watchword.run.arrays import read_prompt_scores
from watchword.run.judging import Sources
from watchword.types import Prompt, PromptBank

EVENT = "event"


def rank_bank(
    sources: Sources,
    options: CaseOptions,
    ranking: RankOptions,
    *,
    bank: PromptBank | None = None,
) -> Ranking:
    """What each sentence of a bank is worth on annotated videos.

    Args:
        sources: run folders of `detect`, matrices of `score` or of seed 1; and the truth.
        options: which videos.
        ranking: how; fields of its ``score`` that are None are as the runs had them.
        bank: which sentences speak for what; None is the bank of the runs. Imported cosines have
            none: with ``score`` of kind cosine, each sentence is then one of "event".

    Raises:
        DatasetError: no cosines of sentences, or files that do not belong together.
        PromptError: no bank, or runs of several.
    """
    found = read_predictions(sources.predictions, rate=options.rate)
    chosen = bank or _common_bank(found, plain=ranking.score.kind == "cosine")
    score = _as_in_runs(ranking.score, found)
    cosines = tuple(_with_cosines(one) for one in found)
    cases = load_cases(
        cosines, read_records(sources.annotations, format=sources.format), options=options
    ).cases
    return rank_prompts(
        {case.name: case.scores for case in cases if case.scores is not None},
        {case.name: case.annotation for case in cases},
        chosen,
        options=replace(ranking, score=score),
    )


def _common_bank(predictions: Sequence[Prediction], *, plain: bool) -> PromptBank:
    banks = {one.made.bank_fingerprint: one.made.bank for one in predictions}
    if len(banks) > 1:
        raise PromptError(f"the runs were made with {len(banks)} banks; name the one to rank")
    (bank,) = banks.values()
    if bank is not None:
        return bank
    if not plain:
        raise PromptError(
            "these scores name no bank; say which sentences are what (--bank), or rank each by its "
            "own cosine (--kind cosine --threshold 0.25)"
        )
    return PromptBank(
        tuple(Prompt(sentence, EVENT) for sentence in _common_sentences(predictions)),
        name="sentences of the scores",
    )


def _common_sentences(predictions: Sequence[Prediction]) -> list[str]:
    """Those that every video was asked, in their order; others tell of single videos."""
    asked = [one.scores.labels for one in predictions if one.scores is not None]
    common = [text for text in asked[0] if all(text in own for own in asked)] if asked else []
    if not common:
        raise PromptError("there is no sentence that every video was asked; nothing can be ranked")
    return common


def _as_in_runs(options: ScoreOptions, predictions: Sequence[Prediction]) -> ScoreOptions:
    """The options, with alpha, tau and temperature of the runs where nothing else was said."""
    used = predictions[0].made.config.get("score") or {}
    scale: dict[str, Any] = {
        name: used.get(name) if getattr(options, name) is None else getattr(options, name)
        for name in ("alpha", "tau", "temperature")
    }
    return replace(options, **scale)


def _with_cosines(prediction: Prediction) -> Prediction:
    scores = prediction.scores
    if prediction.made.bank is not None:
        scores = read_prompt_scores(Path(prediction.where))
    if scores is None or scores.kind != "cosine":
        raise DatasetError(
            prediction.where,
            "holds no cosines of sentences; run folders of 'detect' and matrices of 'score' do",
        )
    return replace(prediction, scores=scores, raw=None, events=None)
