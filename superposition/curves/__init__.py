"""Loss curves of multi-component learning: one S for every component, or not."""

from myopia.superposition.curves.descent import Curves, Descent, descend
from myopia.superposition.curves.ode import flow, half_loss_time, predicted_half_loss_time
from myopia.superposition.curves.reading import Plateaus, drop_width, find_plateaus
from myopia.superposition.curves.study import Sweep, answers, run_all, scales, summary

__all__ = [
    "Curves",
    "Descent",
    "Plateaus",
    "Sweep",
    "answers",
    "descend",
    "drop_width",
    "find_plateaus",
    "flow",
    "half_loss_time",
    "predicted_half_loss_time",
    "run_all",
    "scales",
    "summary",
]
