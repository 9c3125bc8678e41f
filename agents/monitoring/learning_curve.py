"""A learning curve made monotone, to be read in both directions."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import isotonic_regression


class LearningCurve:
    """Score against compute: the least-squares fit that never falls (Barlow et al. 1972).

    Between the points it is linear in the logarithm of compute; beyond its ends it is constant.
    `increasing=False` is for a loss, whose fit never rises.
    """

    def __init__(
        self, compute: Sequence[float], score: Sequence[float], increasing: bool = True
    ) -> None:
        """Points in any order; those at the same compute are averaged.

        Raises ValueError where there are none, where they do not pair up, where a compute is not
        above 0, or where one is not finite.
        """
        x, y = np.asarray(compute, dtype=np.float64), np.asarray(score, dtype=np.float64)
        if x.ndim != 1 or x.shape != y.shape or not len(x):
            raise ValueError(
                "a learning curve needs one score for each compute, and at least one of them; "
                f"got shapes {x.shape} and {y.shape}"
            )
        if not (np.isfinite(x).all() and np.isfinite(y).all() and (x > 0).all()):
            raise ValueError("a learning curve needs finite scores, at finite compute above 0")
        self.increasing = increasing
        self._sign = 1.0 if increasing else -1.0
        self.points, place, times = np.unique(x, return_inverse=True, return_counts=True)
        means = np.bincount(place, self._sign * y) / times
        self._fit = isotonic_regression(means, weights=times.astype(float)).x

    @property
    def fit(self) -> np.ndarray:
        """The fitted score at `points`, (n,)."""
        return self._sign * self._fit

    def at(self, compute: float) -> float:
        """The fitted score at this compute."""
        return float(self._sign * np.interp(math.log(compute), np.log(self.points), self._fit))

    def compute_at(self, score: float) -> float | None:
        """The least compute at which the curve is as good as `score`; None where it never is.

        A score no better than the first point's is reached there.
        """
        aim = self._sign * score
        after = int(np.searchsorted(self._fit, aim, side="left"))
        if after == len(self._fit):
            return None
        if after == 0:
            return float(self.points[0])
        low, high = self._fit[after - 1], self._fit[after]
        start, end = np.log(self.points[after - 1 : after + 1])
        return float(np.exp(start + (end - start) * (aim - low) / (high - low)))
