"""The evaluation cadence: what the agent could do by now, asked in the middle of training."""

import dataclasses
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from myopia.agents.algorithms.base import Algorithm
from myopia.agents.fast_ppo.rollout_callback import RolloutCallback
from myopia.agents.monitoring.alarm import Alarm
from myopia.agents.monitoring.effective_compute import Compute, mean_return, training_flops
from myopia.agents.monitoring.elicitation import Elicitation
from myopia.agents.monitoring.learning_curve import LearningCurve
from myopia.agents.monitoring.schedule import ComputeSpent, EvaluationSchedule
from myopia.agents.policies.agent import Agent, agent_of
from myopia.agents.training.rng_state import preserve_rng_state
from myopia.common.files import read_json, write_json
from myopia.envs import World

logger = logging.getLogger(__name__)

Measure = Callable[[World, Agent], Mapping[str, Any]]
"""Judges an agent in a world; JSON values, among them `capability`: a number, or None."""

FILE = "cadence.json"
"""In the run folder."""


class EvaluationCallback(RolloutCallback):
    """Evaluates a copy of the agent between rollouts, on a schedule, and after the last one.

    The copy is measured in the world of the elicitation, before and after it was fine-tuned there;
    its capability is the larger one. With `alarm`, a capability at its level is told. Training
    goes on as if nothing had happened: no weight, counter or generator of it is touched.

    `path` (`cadence.json`) is replaced after each evaluation; it also keeps the learning curve,
    mean return against compute spent, from which `effective_compute.py` reads back for another run.
    """

    state_name = "Cadence"
    """Under which a checkpoint keeps `state()`."""

    def __init__(
        self,
        settings: Algorithm,
        world: World,
        measure: Measure,
        path: Path,
        evaluation_schedule: EvaluationSchedule | None = None,
        elicitation: Elicitation | None = None,
        compute: Compute = training_flops,
        alarm: Alarm | None = None,
    ) -> None:
        """Raise ValueError where the algorithm learns nothing within the elicitation's budget."""
        super().__init__()
        self.settings, self.world, self.measure, self.path = settings, world, measure, path
        self.evaluation_schedule = evaluation_schedule or EvaluationSchedule()
        self.elicitation = elicitation or Elicitation()
        self.compute, self.alarm = compute, alarm
        self.elicitation.check(settings)
        self.evaluations: list[dict[str, Any]] = []
        self.curve: list[tuple[float, float]] = []
        self._seconds, self._resumed = 0.0, time.monotonic()
        self._before = 0.0  # what was spent at the previous occasion
        self._last: ComputeSpent | None = None  # for which the last evaluation holds
        self._updates = 0  # that the weights had seen then

    def state(self) -> dict[str, Any]:
        """What must go on when an interrupted run does, as JSON."""
        return {
            "evaluations": self.evaluations,
            "learning_curve": self.curve,
            "seconds_since": self._since(),
            "spent_before": self._before,
            "last": self._last and dataclasses.asdict(self._last),
            "updates": self._updates,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state()` gave."""
        self.evaluations = list(state["evaluations"])
        self.curve = [(compute, score) for compute, score in state["learning_curve"]]
        self._seconds, self._before = state["seconds_since"], state["spent_before"]
        self._last, self._updates = (
            state["last"] and ComputeSpent(**state["last"]),
            state["updates"],
        )

    def _on_training_start(self) -> None:
        self._resumed = time.monotonic()

    def _on_rollout_start(self) -> None:
        now = ComputeSpent(training_flops(self.model), self.compute(self.model))
        self._note_score(now.spent)
        # rollouts are alike: the next one ends as much later as this one began
        following, self._before = 2 * now.spent - self._before, now.spent
        if self._last is not None and self._updates == self.model._n_updates:
            self._stands(now)  # a Q-learner's first steps only fill its replay buffer
        elif self.evaluation_schedule.due(self._last, now, following, self._since()):
            self._evaluate(now)

    def _on_training_end(self) -> None:
        if self._last is None or self._updates != self.model._n_updates:
            self._evaluate(ComputeSpent(training_flops(self.model), self.compute(self.model)))

    def _stands(self, now: ComputeSpent) -> None:
        """The last evaluation is one of the present weights."""
        self._last, self._updates = now, self.model._n_updates
        self._seconds, self._resumed = 0.0, time.monotonic()

    def _since(self) -> float:
        """Seconds of training since the last evaluation."""
        return self._seconds + time.monotonic() - self._resumed

    def _note_score(self, compute: float) -> None:
        """A point of the learning curve, 20 of them while compute grows by e."""
        score = mean_return(self.model)
        if score is not None and (not self.curve or compute > 1.05 * self.curve[-1][0]):
            self.curve.append((compute, score))

    def _evaluate(self, now: ComputeSpent) -> None:
        world = self.elicitation.world(self.world)
        with preserve_rng_state():
            copy = self.settings.policy(world)
            copy.load_state_dict(self.model.policy.state_dict())
            before = dict(self.measure(world, agent_of(copy, self.settings, world)))
            elicited = self.elicitation.elicited(copy, self.settings, world)
            after = dict(self.measure(world, elicited))
        capabilities = [m["capability"] for m in (before, after) if m["capability"] is not None]
        capability = max(capabilities, default=None)
        rings = self.alarm is not None and capability is not None and self.alarm.rings(capability)
        self.evaluations.append(
            {
                "timesteps": self.num_timesteps,
                **dataclasses.asdict(now),
                "return": mean_return(self.model),
                "before": before,
                "after": after,
                "capability": capability,
                "alarm": rings,
            }
        )
        if rings:
            logger.warning(
                "alarm after %d steps: capability %.3g, the level is %.3g",
                *(self.num_timesteps, capability, self.alarm.level),  # type: ignore[union-attr]
            )
        write_json(
            self.path,
            {
                "rhythm": dataclasses.asdict(self.evaluation_schedule),
                "elicitation": dataclasses.asdict(self.elicitation),
                "alarm": self.alarm and self.alarm.level,
                "evaluations": self.evaluations,
                "learning_curve": self.curve,
            },
        )
        self._stands(now)


def read_learning_curve(folder: Path) -> LearningCurve:
    """Mean return against compute spent, of a run that was trained with a cadence.

    Raises ValueError where it was not, or no lifetime ended in it.
    """
    return _curve(folder, lambda kept: kept["learning_curve"])


def read_capability(folder: Path) -> LearningCurve:
    """Capability against effective compute, of a run that was trained with a cadence.

    Raises ValueError where it was not, or no capability was measured.
    """
    return _curve(
        folder,
        lambda kept: [
            (one["effective"], one["capability"])
            for one in kept["evaluations"]
            if one["effective"] > 0 and one["capability"] is not None
        ],
    )


def _curve(folder: Path, points: Callable[[Any], list[Any]]) -> LearningCurve:
    path = folder / FILE
    try:
        compute, score = zip(*points(read_json(path)), strict=True)
    except (KeyError, TypeError, ValueError) as error:
        if not path.exists():
            raise ValueError(f"{folder} was not trained with --cadence: it has no {FILE}") from None
        raise ValueError(f"{path} holds nothing to make a learning curve of: {error}") from None
    return LearningCurve(compute, score)
