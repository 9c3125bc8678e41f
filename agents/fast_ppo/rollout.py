"""Rollouts: the policies stay what they are, so what they do with an observation is looked up."""

from collections.abc import Callable
from typing import NamedTuple

import torch

from myopia.agents.fast_ppo.layout import Spans, lay_out
from myopia.agents.fast_ppo.model_group import ModelGroup
from myopia.agents.fast_ppo.simulator import Trace
from myopia.envs.batch import STATE

Choose = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""(keys, chances) -> actions, (E,) each."""


class Rollout(NamedTuple):
    """What is learned from; tensors (steps, E)."""

    keys: torch.Tensor  # (steps + 1, E): the numbers of the observations, the last one included
    actions: torch.Tensor
    rewards: torch.Tensor
    ends: torch.Tensor
    boundaries: torch.Tensor


class RolloutCollector:
    """Acts in all envs of a group."""

    def __init__(self, group: ModelGroup) -> None:
        self.group = group
        self._every: torch.Tensor | None = None
        if (
            max(observer.count for observer in group.simulator.observers)
            <= group.steps * group.envs
        ):
            keys = torch.arange(group.simulator.num_keys, device=group.device)
            self._every = group.observations(keys, group.simulator.spans)

    def roll(
        self,
        chances: torch.Tensor,
        *state: torch.Tensor,
        on_step: Callable[[torch.Tensor], bool] | None = None,
    ) -> tuple[Rollout, Trace, tuple[torch.Tensor, ...]] | None:
        """Act for as many steps as there are `chances` (steps, E), from the lifetimes in `state`.

        Returns what is learned from, what happened, and the state reached. `on_step` is given the
        actions (E,) of each step; where it returns False the rollout is given up: None.
        """
        simulator, dtype = self.group.simulator, self.group.dtype
        simulator.resume(dict(zip(STATE, state, strict=True)))
        choose = self.chooser()
        keys, actions = [simulator.keys], []
        for chance in chances:
            actions.append(choose(simulator.keys, chance))
            simulator.step(actions[-1])
            keys.append(simulator.keys)
            if on_step is not None and not on_step(actions[-1]):
                return None
        trace = simulator.trace()
        rollout = Rollout(
            torch.stack(keys),
            torch.stack(actions),
            trace.reward.float().to(dtype),  # SB3's envs pay in float32
            trace.ended.to(dtype),
            trace.epoch_end.to(dtype),
        )
        reached = simulator.state()
        return rollout, trace, tuple(reached[name] for name in STATE)

    def chooser(self) -> Choose:
        """How the present policies choose.

        Where there are fewer observations than steps to take, all of them are worked out at once.
        """
        group = self.group
        if self._every is not None:
            table = self._edges(self._every, group.simulator.spans)
            table = table.T.contiguous()
            return lambda keys, chance: _fall(table.index_select(0, keys).T, chance)
        spans, total = lay_out([group.envs] * group.models)
        if total == group.models * group.envs:
            return lambda keys, chance: _fall(
                self._edges(group.observations(keys, spans), spans), chance
            )
        places = torch.cat([torch.arange(*span, device=group.device) for span in spans])

        def choose(keys: torch.Tensor, chance: torch.Tensor) -> torch.Tensor:
            filled = keys.new_zeros(total).index_copy_(0, places, keys)
            edges = self._edges(group.observations(filled, spans), spans)
            return _fall(edges.index_select(1, places), chance)

        return choose

    def _edges(self, observations: torch.Tensor, spans: Spans) -> torch.Tensor:
        """Cumulated probabilities of all actions but the last, (A - 1, rows)."""
        probabilities = self.group.networks.logits(observations, spans).softmax(0)
        return probabilities.cumsum(0)[:-1]


def _fall(edges: torch.Tensor, chance: torch.Tensor) -> torch.Tensor:
    """The action on which each draw falls; edges (A - 1, E), chance (E,)."""
    return (chance >= edges).sum(0)
