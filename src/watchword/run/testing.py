"""From annotated videos to figures in one go: every video detected, then all of them judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from watchword.config import Config, apply
from watchword.errors import DatasetError
from watchword.evaluation.evaluate import EvaluationOptions
from watchword.evaluation.matching import CaseOptions
from watchword.evaluation.report.folder import write_evaluation
from watchword.evaluation.result import Evaluation
from watchword.evidence.adapter import Adapter
from watchword.evidence.head import STEP_SLACK
from watchword.evidence.prompts import bank_from_prompts
from watchword.output.atomic import check_folder
from watchword.pipeline.detector import Detector
from watchword.pipeline.embed import Listener
from watchword.run.batch import BatchOptions, Row, run_batch
from watchword.run.fitting import Found, TruthOptions
from watchword.run.judging import Question, Sources
from watchword.run.manifest import Job
from watchword.train.adapter.config_file import AdapterConfig, check_states
from watchword.types import PromptBank

# What lies in the folder of a test.
RUNS, EVALUATION = "runs", "evaluation"
MARK = "evaluation.json"


@dataclass(frozen=True, slots=True)
class Tested:
    """What a test gave: a row a video, and what they are worth together."""

    rows: tuple[Row, ...]
    evaluation: Evaluation


def settled_for_test(config: AdapterConfig, adapter: Adapter | None, base: Config) -> Config:
    """The settings of a test: the adapter's rate unless another is said, the best sentence alone.

    Args:
        config: what was said.
        adapter: what is tested; None tests the sentences alone.
        base: settings that it does not speak of.

    Raises:
        ConfigError: the config says of the adapter what it is not.
    """
    said: dict[str, dict[str, object]] = {"score": {"kind": config.score, "pool": "max"}}
    rate = config.rate
    if adapter is not None:
        check_states(config, adapter.spec)
        rate = rate or _rate_for(adapter.spec.rate, base.sampling.rate)
    if rate is not None:
        said["sampling"] = {"rate": rate}
    if config.model is not None:
        said["encoder"] = {"name": config.model}
    if config.threshold is not None:
        said["events"] = {"enter": config.threshold}
    return apply(base, said, where="config of the test")


def _rate_for(trained: float, usual: float | None) -> float | None:
    """None where the usual rate will do; else the one trained at, which was measured, rounded."""
    if usual is not None and 1 / STEP_SLACK <= usual / trained <= STEP_SLACK:
        return None
    return float(f"{trained:.2g}")


def semantic_bank(config: AdapterConfig) -> PromptBank | None:
    """The sentences of the test, beside what they compete with; None if there are none."""
    if not config.semantic_prompts:
        return None
    normal = config.normal_prompts or config.generic_prompts.normal
    return bank_from_prompts(config.semantic_prompts, normal=normal)


def check_test_folder(folder: Path, *, overwrite: bool) -> None:
    """Nothing, if a test may be written there.

    Raises:
        OutputError: an evaluation is there already, or something that is not ours.
    """
    check_folder(folder / EVALUATION, mark=MARK, overwrite=overwrite)


def detect_and_judge(
    detector: Detector,
    found: Found,
    truth: TruthOptions,
    folder: Path,
    *,
    options: EvaluationOptions,
    overwrite: bool = False,
    listener: Callable[[Job], Listener] | None = None,
) -> Tested:
    """Detects in every video, judges all of them, and leaves both in the folder.

    ``folder/runs`` holds a run folder a video, ``folder/evaluation`` what `write_evaluation` gives.
    Videos that are not there or cannot be read are left out, and the evaluation counts them.

    Args:
        detector: what is tested.
        found: the videos with their records.
        truth: where these come from.
        folder: where everything goes.
        options: how figures are measured.
        overwrite: replace what an earlier test left.
        listener: gives, for a video that starts, the function told of its progress.

    Raises:
        DatasetError: no video could be read, or the truth does not fit them.
        OutputError: the folder is taken.
    """
    check_test_folder(folder, overwrite=overwrite)
    jobs = [job for job, _ in found.pairs]
    batch = BatchOptions(folder=folder / RUNS, overwrite=overwrite)
    rows = tuple(run_batch(detector, jobs, options=batch, listener=listener))
    if not any(row.detection for row in rows):
        raise DatasetError(
            str(truth.path), f"none of its {len(rows)} videos could be looked at: {rows[0].error}"
        )
    cases = CaseOptions(split=truth.split, videos=truth.videos, rate=truth.rate, partial=True)
    sources = Sources(folder / RUNS, truth.path, format=truth.format)
    evaluation = Question(sources, cases, options).answered()
    write_evaluation(evaluation, folder / EVALUATION, overwrite=overwrite)
    return Tested(rows, evaluation)
