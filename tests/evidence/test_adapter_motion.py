"""How a picture differs from those before it: what it depends on, and what it does not."""

from __future__ import annotations

import numpy as np
import pytest

from watchword.evidence.adapter_motion import WIDTH, motion_prompts, motion_rows


def scene(count: int = 60, *, seed: int = 0, jump: int | None = None) -> np.ndarray:
    """Unit rows that wander a little around one picture, and further from ``jump`` on."""
    chance = np.random.default_rng(seed)
    rows = chance.standard_normal(40)[None] + 0.1 * chance.standard_normal((count, 40))
    if jump is not None:
        rows[jump : jump + 8] += 0.5 * chance.standard_normal((8, 40))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def edges(count: int) -> np.ndarray:
    return np.arange(count + 1) / 5


def change(rows: np.ndarray) -> np.ndarray:
    normal, abnormal = motion_prompts()
    return motion_rows(rows, edges(len(rows))) @ (abnormal - normal)


def test_rows_are_of_unit_length_and_so_are_the_prompts() -> None:
    made = motion_rows(scene(), edges(60))
    assert made.shape == (60, WIDTH)
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(motion_prompts(), axis=1), 1, atol=1e-6)


def test_what_moves_more_is_nearer_to_the_abnormal_prompt() -> None:
    found = change(scene(jump=30))
    assert found[30:38].min() > found[5:30].max()


def test_the_same_movement_elsewhere_gives_the_same_rows() -> None:
    rows = scene()
    turn = np.linalg.qr(np.random.default_rng(1).standard_normal((40, 40)))[0]
    turned = (rows @ turn).astype(np.float32)
    np.testing.assert_allclose(
        motion_rows(turned, edges(60)), motion_rows(rows, edges(60)), atol=1e-4
    )


@pytest.mark.parametrize("count", [1, 2, 3, 31])
def test_what_comes_later_has_no_say(count: int) -> None:
    whole = motion_rows(scene(jump=30), edges(60))
    part = motion_rows(scene(jump=30)[:count], edges(count))
    np.testing.assert_allclose(part, whole[:count], atol=1e-6)


def test_holes_stay_holes_and_after_them_and_after_cuts_all_begins_anew() -> None:
    rows = scene(40)
    rows[10:13] = np.nan
    made = motion_rows(rows, edges(40))
    assert np.isnan(made[10:13]).all()
    np.testing.assert_allclose(made[13:], motion_rows(rows[13:], edges(40)[13:]), atol=1e-6)
    joined = np.concatenate([scene(20), scene(20, seed=5)])
    cut = motion_rows(joined, edges(40))
    np.testing.assert_allclose(cut[20:], motion_rows(joined[20:], edges(40)[20:]), atol=1e-6)
    assert motion_rows(rows[:0], np.zeros(1)).shape == (0, WIDTH)


def test_values_are_their_formulas() -> None:
    rows, at = scene(30).astype(np.float64), 25
    made = motion_rows(scene(30), edges(30))[at].astype(np.float64)
    made *= 2 / made[0]
    step = np.linalg.norm(np.diff(rows, axis=0), axis=1)
    for column, back in enumerate((1, 2, 4, 8), start=1):
        far = np.linalg.norm(rows[at] - rows[at - back])
        assert made[column] == pytest.approx(np.log(far + 0.05) + 1.2, abs=1e-4)
    bend = np.linalg.norm(rows[at] - 2 * rows[at - 1] + rows[at - 2])
    assert made[5] == pytest.approx(np.log(bend + 0.05) + 1.2, abs=1e-4)
    long = step[:at].mean()  # less than ten seconds: a plain mean
    assert made[8] == pytest.approx(np.log(long + 0.05) + 1.2, abs=1e-4)
    assert made[11] == pytest.approx(np.log(step[at - 1] + 0.05) - np.log(long + 0.05), abs=1e-4)
    away = np.linalg.norm(rows[at] - rows[:at].mean(axis=0))
    assert made[13] == pytest.approx(np.log(away + 0.05) + 1.0, abs=1e-4)
