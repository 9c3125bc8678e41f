"""Representations: metrics, their audit, toy models of superposition, loss curves.

Knows nothing of reinforcement learning but what is handed to it.
"""

from myopia.superposition.metrics import *  # noqa: F403
from myopia.superposition.metrics import __all__ as __all__
