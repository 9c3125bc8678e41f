"""Rank 1 under gradient flow on MSE closes on four scalars: the oracle for descent.

With s = |a*||b*|, p and q the components of the learned factors along the truth, P and Q the
norms of the rest: `p' = s q - p (q²+Q²)`, `q' = s p - q (p²+P²)`, `P' = -P (q²+Q²)`,
`Q' = -Q (p²+P²)`, `L = [s² - 2 s p q + (p²+P²)(q²+Q²)] / 2`.
"""

import math

import numpy as np
from scipy.integrate import solve_ivp


def flow(start: np.ndarray, s: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The loss (systems, times) of many independent systems, solved as one.

    Args:
        start: (systems, 4), p, q, P, Q at time 0.
        s: (systems,).
        times: rising, in units of 1 / s of each system.
    """
    # in units of sqrt(s) for the scalars and 1 / s for time every system has s = 1
    scaled = start.T / np.sqrt(s)

    def slope(_: float, flat: np.ndarray) -> np.ndarray:
        p, q, P, Q = flat.reshape(4, -1)
        a, b = p * p + P * P, q * q + Q * Q
        return np.concatenate([q - p * b, p - q * a, -P * b, -Q * a])

    solution = solve_ivp(
        slope, (0, times[-1]), scaled.ravel(), "DOP853", times, rtol=1e-9, atol=1e-12
    )
    p, q, P, Q = solution.y.reshape(4, len(s), -1)
    return s[:, None] ** 2 / 2 * (1 - 2 * p * q + (p * p + P * P) * (q * q + Q * Q))


def scalars(truth: np.ndarray, learned: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Component along the truth and norm of the rest, (...) each, of vectors (..., d)."""
    unit = truth / np.linalg.norm(truth, axis=-1, keepdims=True)
    along = (unit * learned).sum(-1)
    return along, np.linalg.norm(learned - along[..., None] * unit, axis=-1)


def half_loss_time(start: np.ndarray, s: np.ndarray) -> np.ndarray:
    """When the loss is first below s²/4, (systems,), in units of 1 / s; NaN if not by 40."""
    times = np.linspace(0, 40, 20_001)
    below = flow(start, s, times) < s[:, None] ** 2 / 4
    first = np.where(below.any(1), times[below.argmax(1)], np.nan)
    return first - (times[1] - times[0]) / 2  # the crossing lies in the cell before


def predicted_half_loss_time(start: np.ndarray, s: np.ndarray) -> np.ndarray:
    """`ln[(s / m0² - 1) x / (1 - x)] / 2` in units of 1 / s: x = 1 - 1/√2, m0 = |p0 + q0| / 2.

    Right for a small start, where only the growing direction p = q counts.
    """
    x = 1 - 1 / math.sqrt(2)
    m0 = np.abs(start[:, 0] + start[:, 1]) / 2
    return np.log((s / m0**2 - 1) * x / (1 - x)) / 2


def random_start(
    systems: int, spread: float, d: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(systems, 4) starts and s (systems,) as they fall out of factors of N(0, 1)."""
    truth = np.linalg.norm(generator.normal(size=(systems, 2, d)), axis=-1)
    along = spread * generator.normal(size=(systems, 2))
    rest = spread * np.sqrt(generator.chisquare(d - 1, size=(systems, 2)))
    return np.concatenate([along, rest], axis=1), truth.prod(1)
