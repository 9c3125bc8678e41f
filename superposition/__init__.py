"""Representations: metrics, their audit, toy models of superposition, loss curves.

Knows nothing of reinforcement learning but what is handed to it.
"""

from myopia.common.search_path import import_libraries

import_libraries("torch", "scipy.stats", "matplotlib.figure", "safetensors.torch")

from myopia.superposition.metrics import *  # noqa: E402, F403
from myopia.superposition.metrics import __all__ as __all__  # noqa: E402
