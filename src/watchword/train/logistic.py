"""Logistic regression with an L2 penalty: few examples, many numbers, classes that weigh alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# What the sum could still fall by, as a share of it, at which one more step is the last: near the
# minimum a step of Newton's squares the error.
CLOSE = 1e-10
STEPS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Rotated:
    """Examples in the directions they span, which loses nothing that a penalised fit could use.

    The best weights are a mixture of the examples, so with fewer examples than numbers it is enough
    to look for them in the examples' own span: n unknowns in place of F, and one rotation serves
    every strength of the penalty.

    Attributes:
        x: (n,R) examples after standardising, in R <= min(n, F) directions.
        back: (R,F) directions.
        mean: (F,) of the examples.
        scale: (F,) their standard deviation; 1 where they do not differ.
    """

    x: Floats
    back: Floats
    mean: Floats
    scale: Floats


def rotate(examples: Floats) -> Rotated:
    """The (n,F) examples, standardised and rotated."""
    mean = examples.mean(axis=0)
    scale = examples.std(axis=0)
    scale[scale < 1e-12] = 1.0
    standard = (examples - mean) / scale
    if len(standard) > standard.shape[1]:
        return Rotated(standard, np.eye(standard.shape[1]), mean, scale)
    # Directions from the examples' products with each other: a tenth of the time of a singular
    # value decomposition. Those of a hundred-thousandth of the widest say nothing.
    squares, left = np.linalg.eigh(standard @ standard.T)
    kept = squares > squares.max(initial=0.0) * 1e-10
    sizes = np.sqrt(squares[kept])
    return Rotated(left[:, kept] * sizes, left[:, kept].T @ standard / sizes[:, None], mean, scale)


def fit_logistic(x: Floats, truth: NDArray[np.bool_], strength: float) -> tuple[Floats, float]:
    """Weights (R,) and bias that minimise |w|²/2 + strength · Σ cᵢ log(1 + exp(−yᵢ(w·xᵢ + b))).

    y is 1 or -1, and c makes both classes weigh alike: n / (2 · examples of the class). The bias
    is not penalised. That is scikit-learn's LogisticRegression with C = strength and balanced
    classes. Newton's method with halved steps; the sum is convex, so it ends at the one minimum.

    Args:
        x: (n,R) examples.
        truth: (n,) which hold the event; both kinds must occur.
        strength: C, higher is a weaker penalty.

    Raises:
        ValueError: one class only, or a strength that is not positive.
    """
    positive = int(truth.sum())
    if not 0 < positive < len(truth):
        raise ValueError(
            f"{positive} of {len(truth)} examples hold the event; both kinds must occur"
        )
    if not strength > 0:
        raise ValueError(f"strength is {strength}, it must be positive")
    share = np.where(truth, len(truth) / (2 * positive), len(truth) / (2 * (len(truth) - positive)))
    wide = np.column_stack([x, np.ones(len(x))])
    # The last unknown is the bias, which pays no penalty.
    penalty = np.append(np.ones(x.shape[1]), 0.0)
    at = np.zeros(wide.shape[1])
    value, slope, curve = _loss(at, wide, truth, strength * share, penalty)
    for _ in range(STEPS):
        step = np.linalg.solve(curve, slope)
        if slope @ step <= CLOSE * value:
            at = at - step
            break
        size = 1.0
        while size > 1e-8:
            tried = _loss(at - size * step, wide, truth, strength * share, penalty)
            if tried[0] <= value:
                break
            size /= 2
        else:
            break  # no step lowers the sum any more: this is the minimum to machine precision
        at = at - size * step
        value, slope, curve = tried
    return at[:-1], float(at[-1])


def _loss(
    at: Floats, wide: Floats, truth: NDArray[np.bool_], share: Floats, penalty: Floats
) -> tuple[float, Floats, Floats]:
    """The sum to minimise at a point, its gradient and its second derivatives."""
    logits = wide @ at
    signed = np.where(truth, -logits, logits)
    value = 0.5 * float(penalty @ at**2) + float(share @ np.logaddexp(0, signed))
    chance = 0.5 * (1 + np.tanh(0.5 * logits))
    slope = penalty * at + wide.T @ (share * (chance - truth))
    curve = wide.T @ (wide * (share * chance * (1 - chance))[:, None])
    # Far from the boundary all examples may be certain: a trace keeps the bias solvable.
    curve[np.diag_indices_from(curve)] += penalty + 1e-12
    return value, slope, curve


def log_loss(logits: Floats, truth: NDArray[np.bool_]) -> float:
    """Mean over both classes of the mean negative log-likelihood; NaN if a class is absent."""
    each = np.logaddexp(0, np.where(truth, -logits, logits))
    if truth.all() or not truth.any():
        return float("nan")
    return float(each[truth].mean() + each[~truth].mean()) / 2
