"""The weights of several policies of one shape in one tensor, and Adam on it.

Row s of every tensor is model s. The policies' own parameters, and the moments in their
optimisers, are views of it: what SB3 saves and predicts with is always what was learned.
"""

import functools
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.policies import ActorCriticPolicy

from myopia.agents.fast_ppo.layout import lay_out


class FlatParameters:
    """P numbers for each of S policies: `values`, `gradients`, Adam's moments, each (S, P)."""

    def __init__(self, policies: Sequence[ActorCriticPolicy], order: Sequence[str]) -> None:
        """`order`: the names of all parameters, as they are to lie side by side."""
        self.policies = list(policies)
        named = dict(policies[0].named_parameters())
        self.shapes = {name: named[name].shape for name in order}
        ends = list(itertools.accumulate((s.numel() for s in self.shapes.values()), initial=0))
        self._places = dict(zip(self.shapes, itertools.pairwise(ends), strict=True))
        some = next(iter(named.values()))
        _, numbers = lay_out([ends[-1]])  # filled up with zeros, which stay zeros
        size = (len(policies), numbers)
        self.values, self.gradients, self._first, self._second = (
            torch.zeros(size, dtype=some.dtype, device=some.device) for _ in range(4)
        )
        # the parameters of each policy, and their places in every tensor that an update learns
        self._own = [
            [
                (parameter, *(self._view(x, name)[row] for x in self._learned()))
                for name, parameter in policy.named_parameters()
            ]
            for row, policy in enumerate(policies)
        ]
        self.bind()

    def of(self, *names: str) -> tuple[torch.Tensor, torch.Tensor]:
        """The weights of these names and their gradients, (S, *shape) each; views.

        Several ones must lie side by side; they are joined along the first axis of their shape.
        """
        return self._view(self.values, *names), self._view(self.gradients, *names)

    def bind(self) -> None:
        """Take over what the policies and their optimisers hold, wherever it is not here yet."""
        for policy, own in zip(self.policies, self._own, strict=True):
            for parameter, value, first, second in own:
                state: dict[str, Any] = policy.optimizer.state[parameter]
                if not state:
                    zeros = torch.zeros_like(parameter)
                    state |= {"step": torch.tensor(0.0), "exp_avg": zeros, "exp_avg_sq": zeros}
                if not _is(parameter, value):
                    parameter.data = value.copy_(parameter.data)
                if not _is(state["exp_avg"], first):
                    state["exp_avg"] = first.copy_(state["exp_avg"])
                if not _is(state["exp_avg_sq"], second):
                    state["exp_avg_sq"] = second.copy_(state["exp_avg_sq"])

    def written(self) -> list[torch.Tensor]:
        """Every tensor that an update writes."""
        return [self.gradients, *self._learned()]

    def plan(self, updates: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Adam's step sizes and scales of the second moment for the next updates, (S, updates)."""
        sizes, scales = [], []
        for policy in self.policies:
            group = policy.optimizer.param_groups[0]
            first, second = _corrections(*group["betas"], self._steps(policy), updates)
            sizes.append(group["lr"] / first)
            scales.append(second)
        like = {"dtype": self.values.dtype, "device": self.values.device}
        return torch.tensor(np.stack(sizes), **like), torch.tensor(np.stack(scales), **like)

    def clip(self, most: torch.Tensor) -> None:
        """Scale each model's gradient down to a norm of at most `most` (S, 1)."""
        norm = torch.linalg.vector_norm(self.gradients, dim=1, keepdim=True)
        self.gradients.mul_((most / norm.add_(1e-6)).clamp_(max=1.0))

    def step(self, size: torch.Tensor, scale: torch.Tensor, active: torch.Tensor | None) -> None:
        """Adam (arXiv 1412.6980, algorithm 1); `size`, `scale` (S, 1) come from `plan`.

        Models that are not `active` (S, 1) are left as they are.
        """
        group = self.policies[0].optimizer.param_groups[0]
        (beta1, beta2), epsilon = group["betas"], group["eps"]
        before = None
        if active is not None:
            before = [tensor.clone() for tensor in self._learned()]
        self._first.lerp_(self.gradients, 1 - beta1)
        self._second.mul_(beta2).addcmul_(self.gradients, self.gradients, value=1 - beta2)
        change = self._second.sqrt().mul_(scale).add_(epsilon)
        self.values.sub_(torch.div(self._first, change, out=change).mul_(size))
        if active is not None and before is not None:
            for tensor, old in zip(self._learned(), before, strict=True):
                torch.where(active, tensor, old, out=tensor)

    def count(self, updates: Sequence[int]) -> None:
        """Tell the optimisers how many updates each of them has made."""
        for policy, made in zip(self.policies, updates, strict=True):
            steps = [state["step"] for state in policy.optimizer.state.values()]
            torch._foreach_add_(steps, made)  # type: ignore[reportPrivateImportUsage]

    @staticmethod
    def _steps(policy: ActorCriticPolicy) -> int:
        return int(next(iter(policy.optimizer.state.values()))["step"])

    def _view(self, tensor: torch.Tensor, *names: str) -> torch.Tensor:
        start, end = self._places[names[0]][0], self._places[names[-1]][1]
        return tensor[:, start:end].unflatten(1, (-1, *self.shapes[names[0]][1:]))

    def _learned(self) -> list[torch.Tensor]:
        return [self.values, self._first, self._second]


def _is(tensor: torch.Tensor, other: torch.Tensor) -> bool:
    return tensor.data_ptr() == other.data_ptr()


@functools.lru_cache(maxsize=8)
def _corrections(
    beta1: float, beta2: float, done: int, updates: int
) -> tuple[np.ndarray, np.ndarray]:
    """By what Adam corrects its moments in the updates after `done`: models often share it."""
    counts = range(done + 1, done + updates + 1)
    first = [1 - beta1**n for n in counts]
    return np.array(first), np.array([1 / math.sqrt(1 - beta2**n) for n in counts])


def adam_settings(policy: ActorCriticPolicy) -> dict[str, Any]:
    """The settings of the policy's optimiser, but for the learning rate.

    Raises ValueError where it is not plain Adam.
    """
    group = policy.optimizer.param_groups[0]
    plain = type(policy.optimizer) is torch.optim.Adam and len(policy.optimizer.param_groups) == 1
    if not plain or group["weight_decay"] or group["amsgrad"] or group["maximize"]:
        raise ValueError(
            "this PPO updates by Adam without weight decay or amsgrad, expected SB3's default "
            f"optimiser, got {policy.optimizer}: use stable_baselines3.PPO"
        )
    return {"betas": group["betas"], "eps": group["eps"]}
