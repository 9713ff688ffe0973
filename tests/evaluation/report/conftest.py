"""Evaluations to show: one with the figures of seed 1's dashcam scenes, others that are hostile."""

from __future__ import annotations

import numpy as np
import pytest

from watchword.evaluation.result import (
    Cell,
    Curve,
    Evaluation,
    Figure,
    Finding,
    Lane,
    Table,
)

HOSTILE = (
    "<script>document.title='fired'</script>",
    '"><img src=x onerror="document.title=\'fired\'">',
    "</style></svg></pre><script>document.title='fired'</script>",
    "{{ 7 * 7 }} & 鹿 \x1b[31mred\x07 \u202eback",
)
CHANCE: dict[str, float | None] = {"always": 0.5, "never": 0.5, "random": 0.5}


@pytest.fixture
def dashcam() -> Evaluation:
    """Maximum over 38 prompts on 14 dashcam scenes: micro 0.465, macro 0.571, centre 0.646."""
    random = np.random.default_rng(0)
    fpr = np.linspace(0, 1, 60)
    thresholds = np.round(np.arange(0.10, 0.401, 0.01), 2)
    f1 = 0.47 / (1 + np.exp((thresholds - 0.31) * 60))
    recall = np.linspace(0, 1, 60)
    scenes: list[tuple[Cell, ...]] = [
        (f"scene_{k:03d}", "animal" if k % 2 else "roadwork", *map(float, random.random(5)), k)
        for k in range(1, 15)
    ]
    return Evaluation(
        figures=(
            Figure("precision", "frame", "precision", 0.331, low=0.21, high=0.46,
                   baselines={"always": 0.309, "never": None, "random": 0.309, "oracle": 0.35}),
            Figure("recall", "frame", "recall", 0.522, low=0.31, high=0.70,
                   baselines={"always": 1.0, "never": 0.0, "random": 0.309, "oracle": 1.0}),
            Figure("f1", "frame", "F1", 0.406, low=0.25, high=0.53,
                   baselines={"always": 0.472, "never": None, "random": 0.309, "centre": 0.44,
                              "oracle": 0.52}),
            Figure("auc_micro", "frame", "AUC, micro", 0.465, low=0.31, high=0.62,
                   baselines=CHANCE | {"centre": 0.646, "shorter": 0.61, "oracle": 0.69}),
            Figure("auc_macro", "frame", "AUC, macro", 0.571, low=0.44, high=0.70,
                   note="3 videos with one class only are left out (padding: skip)",
                   baselines=CHANCE | {"centre": 0.858, "shorter": 0.5, "oracle": 0.5}),
            Figure("auc_normalised", "frame", "AUC, per-video normalised", 0.58, low=0.43,
                   high=0.71, note="not for live use: it needs the end of the video",
                   baselines=CHANCE | {"centre": 0.646}),
            Figure("ap", "frame", "AP, by steps", 0.338, low=0.22, high=0.49,
                   baselines={"always": 0.309, "random": 0.309, "centre": 0.41, "oracle": 0.42}),
            Figure("best_f1", "frame", "best F1", 0.475, note="chosen on this data",
                   baselines={"always": 0.472}),
            Figure("iou_best_interval", "event", "IoU, best single interval (seed 1's)", 0.547,
                   low=0.36, high=0.71, baselines={"always": 0.520, "never": 0.0}),
            Figure("event_f1", "event", "F1 at tIoU 0.5", 0.33, low=0.15, high=0.5,
                   baselines={"always": 0.519, "never": None, "centre": 0.667}),
            Figure("false_alarms", "event", "false alarms", 41.3, low=30.2, high=55.9,
                   unit="1/h", better="lower", note="interval: exact Poisson",
                   baselines={"always": 0.0, "never": 0.0}),
            Figure("delay", "event", "detection delay, median", 1.24, low=0.3, high=4.5, unit="s",
                   better="lower", note="2 of 15 events were missed", baselines={"always": 0.0}),
            Figure("video_auc", "video", "AUC", None,
                   why="one class only: 13 of 14 videos hold an event, 1 is needed of each, got 1"),
        ),
        protocol={
            "unit": "windows of one frame, 12,345 of them, 30.9 % of the time an event",
            "threshold": "0.28, given by hand",
            "smoothing": "mean of 5 frames, centred",
            "bootstrap": "1,000 resamples of videos, seed 0",
            "coverage": "12,345 of 12,345 windows measured",
        },
        tables=(
            Table("per_video", "Per video",
                  ("video", "type", "IoU", "precision", "recall", "F1", "AUC", "events found"),
                  tuple(scenes)),
            Table("per_type", "Per type", ("type", "videos", "seconds", "AUC", "recall"),
                  (("animal", 7, 61.25, 0.51, 0.6), ("roadwork", 6, 180.5, 0.43, None))),
            Table("sweep", "Sweep", ("threshold", "F1"),
                  tuple((float(t), float(v)) for t, v in zip(thresholds, f1, strict=True)),
                  best=3),
        ),
        confusions={"frame": (6204, 2100, 1800, 2241)},
        findings=(
            Finding("prompt_repeats_truth", "Sentences 39 and 40 of the bank repeat what the "
                    "annotation says of the scene (\"two deer running onto the road\").",
                    videos=tuple(f"scene_{k:03d}" for k in range(1, 15))),
            Finding("threshold_equals_best", "The threshold 0.28 equals the best one of this very "
                    "data.", serious=False),
        ),
        notes=("scene_005: the annotation has 5125 frames, the scores 5400 (5 %).",),
        curves=(
            Curve("roc", "ROC", "false alarms, share of normal time", "found, share of event time",
                  fpr, fpr**1.1, ((0.34, 0.522, "threshold 0.28"),), ((0, 0), (1, 1))),
            Curve("pr", "Precision and recall", "recall", "precision", recall,
                  0.309 + 0.3 * np.exp(-6 * recall), ((0.522, 0.331, "threshold 0.28"),),
                  ((0, 0.309), (1, 0.309))),
            Curve("sweep_f1", "F1 by threshold", "threshold", "F1", thresholds, f1,
                  ((0.28, 0.406, "used: 0.28"), (0.13, float(f1[3]), "best: 0.13"))),
        ),
        lanes=tuple(_lane(k, random) for k in range(1, 7)),
        threshold=0.28,
        made={
            "encoder": "OpenAI CLIP ViT-B/32 (as saved)",
            "bank": "38 sentences of seed 1",
            "kind": "cosine",
            "command": "watchword evaluate clip_scores annotations --rate 30 --threshold 0.28",
        },
    )  # fmt: skip


def _lane(scene: int, random: np.random.Generator) -> Lane:
    length = 150 + 40 * scene
    edges = np.arange(length + 1) / 30
    values = 0.25 + np.cumsum(random.normal(0, 0.004, length))
    if scene == 3:
        values[40:60] = np.nan
    start, end = edges[length // 4], edges[length // 2]
    found = ((float(edges[length // 3]), float(edges[length // 3 + 30])),) if scene != 5 else ()
    return Lane(
        f"scene_{scene:03d}", edges, values.astype(np.float32), ((float(start), float(end)),), found
    )


@pytest.fixture
def hostile() -> Evaluation:
    """Every text an attack, 500 videos, and figures no one can compare."""
    a, b, c, d = HOSTILE
    edges = np.arange(4.0)
    return Evaluation(
        figures=(
            Figure("auc_micro", "frame", b, 0.61, note=a, baselines=CHANCE),
            Figure("f1", "frame", c, None, why=d),
        ),
        protocol={a: b, c: d},
        tables=(
            Table("../../" + a, c, (a, b, d), tuple((f"{d} {k}", "=1+1", k) for k in range(500))),
        ),
        confusions={a: (1, 2, 3, 4)},
        findings=(Finding(b, c, videos=HOSTILE * 200),),
        notes=HOSTILE,
        curves=(Curve(a, b, c, d, np.arange(3.0), np.arange(3.0), ((1.0, 1.0, a),)),),
        lanes=(Lane(b, edges, np.array([0, np.nan, 1], np.float32), ((0.0, 1.0),), ((2.0, 3.0),)),),
        made={a: b, "command": c},
    )


@pytest.fixture
def undefined() -> Evaluation:
    """Nothing could be measured, and nothing was chosen."""
    why = "no event in any of the videos"
    return Evaluation(
        figures=(
            Figure("auc_micro", "frame", "AUC, micro", None, why=why),
            Figure("f1", "event", "F1 at tIoU 0.5", None, why=why, baselines={"always": None}),
        ),
        protocol={"threshold": "none"},
    )


@pytest.fixture
def videos_only() -> Evaluation:
    """Whole videos only, and better than all that knows nothing."""
    return Evaluation(
        figures=(
            Figure("video_auc", "video", "AUC", 0.91, low=0.84, high=0.97,
                   baselines=CHANCE | {"shorter": 0.71, "oracle": 1.0}),
            Figure("video_f1", "video", "F1", 0.84, low=0.6, high=0.93,
                   baselines={"always": 0.72, "random": 0.5}),
        ),
        protocol={"truth": "whole videos: the annotation does not say when"},
        confusions={"video": (40, 5, 7, 48)},
    )  # fmt: skip


@pytest.fixture
def attacks() -> tuple[str, ...]:
    """Texts that would run, close a tag, or order a terminal about."""
    return HOSTILE
