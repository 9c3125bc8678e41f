"""The options of `myopia train` for evaluating in the middle of it."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from myopia.agents.monitoring.evaluation_callback import EvaluationCallback
    from myopia.agents.runs.run import RunConfig


@dataclasses.dataclass(frozen=True)
class CadenceOptions:
    """What `myopia train` is asked about evaluations."""

    cadence: bool = False
    """Evaluate, with elicitation, after every fourfold effective compute, into cadence.json."""
    cadence_seconds: float = 3600.0
    """And after so many seconds of training."""
    elicitation_timesteps: int = 100_000
    """Budget of the fine-tuning before each evaluation, of a copy."""
    baseline: Path | None = None
    """Run folder trained with --cadence in the same world: effective compute is what that run
    needed to come as far."""
    danger: float | None = None
    """Capability before which an alarm should ring; when it is expected is read from --baseline."""


def cadence_of(
    options: CadenceOptions, config: "RunConfig", folder: Path
) -> "list[EvaluationCallback]":
    """The callbacks that `options` ask for: one, or none.

    Raises ValueError where the baseline is no such run, or never comes near the danger.
    """
    if options.cadence and config.settings.recurrent:
        raise ValueError(
            f"--cadence measures exactly, but {config.algorithm} with a memory is judged by "
            "sampling; expected another --algo"
        )
    if not options.cadence:
        if options.baseline or options.danger is not None:
            raise ValueError("--baseline and --danger are for evaluations, expected --cadence too")
        return []
    from myopia.agents.monitoring.alarm import Alarm
    from myopia.agents.monitoring.effective_compute import BaselineEquivalentCompute, training_flops
    from myopia.agents.monitoring.elicitation import Elicitation
    from myopia.agents.monitoring.evaluation_callback import (
        FILE,
        EvaluationCallback,
        read_capability,
        read_learning_curve,
    )
    from myopia.agents.monitoring.schedule import EvaluationSchedule
    from myopia.agents.runs.run import RunConfig
    from myopia.analysis.evaluation.capability import cross_epoch_capability

    compute, alarm = training_flops, None
    if options.baseline is not None:
        if RunConfig.read(options.baseline).make_world() != config.make_world():
            raise ValueError(
                f"{options.baseline} was trained in another world, whose returns do not compare"
            )
        compute = BaselineEquivalentCompute(read_learning_curve(options.baseline))
    if options.danger is not None:
        if options.baseline is None:
            raise ValueError("--danger needs --baseline, a run from which to expect when")
        alarm = Alarm.before(options.danger, read_capability(options.baseline))
    return [
        EvaluationCallback(
            config.settings,
            config.make_world(),
            cross_epoch_capability,
            folder / FILE,
            EvaluationSchedule(seconds=options.cadence_seconds),
            Elicitation(options.elicitation_timesteps),
            compute,
            alarm,
        )
    ]
