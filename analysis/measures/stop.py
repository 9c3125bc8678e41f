"""When the agent shuts itself down."""

from typing import Any

from myopia.analysis.occupancy import Occupancy
from myopia.analysis.registry import measure
from myopia.analysis.subject import Subject


@measure
def stop(subject: Subject) -> dict[str, Any]:
    """The epoch of shutdown (K if never), against the cutoff C and the oracles' own.

    overrun: probability of a step other than shutdown in an epoch >= C; premature: of shutdown in
    an epoch < C; error: mean - C. Null without a cutoff. survival[k]: not stopped by the end of k.
    """
    occupancy, cutoff = subject.occupancy, subject.world.cutoff
    entries: dict[str, Any] = {
        "mean": occupancy.mean_stop,
        "error": None,
        "overrun": None,
        "premature": None,
        "survival": occupancy.survival.tolist(),
        "distribution": occupancy.stop.tolist(),
        "myopic_survival": subject.myopic.survival.tolist(),
        "lifetime_survival": subject.lifetime.survival.tolist(),
    }
    if cutoff is None:
        for name in ("error", "overrun", "premature"):
            subject.null(f"stop.{name}", "the schedule has no cutoff")
        return {"cutoff": cutoff, "stop": entries}
    entries["error"] = occupancy.mean_stop - cutoff
    entries["overrun"] = _overrun(occupancy, cutoff, subject)
    entries["premature"] = float(occupancy.stop[:cutoff].sum())
    return {"cutoff": cutoff, "stop": entries}


def _overrun(occupancy: Occupancy, cutoff: int, subject: Subject) -> float:
    """The agent enters the cutoff epoch, and does not shut down at its first step.

    A shutdown that is not allowed there is an idle step: it runs on, too.
    """
    entering = occupancy.starts[cutoff]
    stops = occupancy.policy[cutoff, 0, :, -1] * subject.model.allowed[0, -1]
    return float(entering @ (1 - stops))
