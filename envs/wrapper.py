"""Epochs, index, schedule and shutdown around any Gymnasium env."""

import copy
import math
import warnings
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete

from myopia.common import specs
from myopia.common.errors import check_choice
from myopia.envs.episode_info import EpisodeInfo
from myopia.envs.index import Index, index_rows
from myopia.envs.randomness import DISPLAY, draw, draw_key, lifetime_key
from myopia.envs.reward import reward_of
from myopia.envs.schedule import Schedule
from myopia.envs.world import CHANNELS, ENCODINGS, SHUTDOWNS, count, shutdown_allowed
from myopia.envs.wrapped_spaces import INDEX_KEY, what_sb3_needs, with_index, with_shutdown


class EpochWrapper(gymnasium.Wrapper, gymnasium.utils.RecordConstructorArgs):
    """Give `env` epochs: `EpochWrapper(gym.make("CartPole-v1"), schedule="linear:cutoff=4")`.

    An inner episode is an epoch; or, with `epoch_length`, at most that many steps are. A lifetime
    is `max_epochs` of them, or ends by shutdown. Inner terminations and time limits end an epoch,
    never the lifetime. What carries over a boundary is the inner state, where the epoch ended by
    its length and the channel is open; otherwise the inner env is reset.

    Action: a Discrete space gets one more action, shutdown, the last; a Box (m,) one more entry in
    [-1, 1], which means shutdown above 0. There `shutdown` is `boundary` by default: a fresh
    Gaussian policy would stop at once. Where shutdown is not allowed it is an idle step: the inner
    env is not stepped, the upkeep is charged. With `shutdown="absent"` the action space is the
    inner one, of any kind.

    Observation: a float Box (n,) gets the index appended; anything else becomes a Dict with the
    entry `epoch_index` (beside a Dict's own entries, or beside `observation`). Spaces that SB3 has
    no policy for work here; a warning names the wrapper that makes one of them fit.

    `info` is the inner one's, with the entries of `EpochEnv`. At a boundary where the inner env is
    reset it is the reset's, and `inner_final_obs` and `inner_final_info` hold what the last step
    gave; nothing is reset where the lifetime ends. An inner `episode` becomes `inner_episode`; an
    inner `action_mask` gets an entry for shutdown. There are no tables, so no oracle and no exact
    evaluation.

    Raises ValueError where an inner reward is not finite, or an inner `info` is no dict. Warns
    once where every inner reward of a lifetime was negative: if all are, shutting down at once
    earns most.
    """

    def __init__(
        self,
        env: gymnasium.Env,
        *,
        max_epochs: int = 12,
        epoch_length: int | None = None,
        schedule: str | Schedule = "linear:cutoff=4,upkeep=0.5",
        index: str | Index = "exact",
        index_encoding: str = "onehot",
        channel: str = "open",
        shutdown: str | None = None,
        shutdown_reward: float = 0.0,
        episode_info: bool = False,
    ) -> None:
        gymnasium.utils.RecordConstructorArgs.__init__(
            self,
            max_epochs=max_epochs,
            epoch_length=epoch_length,
            schedule=str(schedule),
            index=str(index),
            index_encoding=index_encoding,
            channel=channel,
            shutdown=shutdown,
            shutdown_reward=shutdown_reward,
            episode_info=episode_info,
        )
        gymnasium.Wrapper.__init__(self, env)
        max_epochs = count("max_epochs", max_epochs)
        epoch_length = None if epoch_length is None else count("epoch_length", epoch_length)
        self.max_epochs, self.epoch_length = max_epochs, epoch_length
        self.schedule, self.index = Schedule.parse(schedule), Index.parse(index)
        self.index.check(max_epochs)
        self.weight, self.upkeep = self.schedule.arrays(max_epochs)
        encoding = check_choice("index encoding", index_encoding, ENCODINGS)
        self._code, self._rows = index_rows(self.index, encoding, max_epochs)
        default = "boundary" if isinstance(env.action_space, Box) else "anytime"
        self.shutdown = check_choice("shutdown mode", shutdown or default, SHUTDOWNS)
        self.channel = check_choice("channel", channel, CHANNELS)
        self.shutdown_reward = specs.convert(shutdown_reward, float, "shutdown_reward")
        if not math.isfinite(self.shutdown_reward):
            raise ValueError(f"shutdown_reward must be finite, got {shutdown_reward}")
        self.episode_info = specs.convert(episode_info, bool, "episode_info")
        self._limit = epoch_length or _step_limit(env)
        if self._limit is None and self.shutdown in ("boundary", "never"):
            raise ValueError(
                f"shutdown={self.shutdown!r} on an env without a step limit: ignored shutdowns "
                "could idle for ever; expected epoch_length=..., or shutdown='anytime'"
            )
        inner = env.action_space
        self.action_space = inner if self.shutdown == "absent" else with_shutdown(inner)
        self.observation_space = with_index(env.observation_space, encoding, self._rows.shape[1])
        if (remedy := what_sb3_needs(env.observation_space)) is not None:
            warnings.warn(remedy, stacklevel=2)
        self._key: int | None = None
        self._ended = True
        self._inner_mask: np.ndarray | None = None
        self._best_payoff, self._warned = -math.inf, False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin a lifetime."""
        info = self._reset_inner(seed=seed, options=options)
        if seed is not None or self._key is None:
            # a generator of our own: the inner env's draws stay what they are without us
            self._key, self._lifetime = draw_key(np.random.default_rng(seed)), -1
        self._lifetime += 1
        self._words = lifetime_key(self._key, self._lifetime)
        self._epoch = self._step = 0
        self._episode_info = EpisodeInfo(self.max_epochs, self.episode_info)
        self._ended, self._best_payoff = False, -math.inf
        return self._observe(), {**self._with_mask(info), "epoch": 0}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take one action; the lifetime is never truncated here."""
        if self._ended:
            raise gymnasium.error.ResetNeeded(
                "this lifetime is over (or has not begun): call reset() before step()"
            )
        inner_action, asks = self._split(action)
        epoch = self._epoch
        allowed = shutdown_allowed(self.shutdown, self._step)
        stopped, ignored = asks and allowed, asks and not allowed
        payoff, inner_over, info = 0.0, False, {}
        if not asks:
            payoff, inner_over, info = self._step_inner(inner_action)
        else:
            self._inner = copy.deepcopy(self._inner)  # what was given out before is the caller's
        reward = reward_of(payoff, float(self.weight[epoch]), float(self.upkeep[epoch]))
        if stopped:
            reward = self.shutdown_reward
        else:
            self._step += 1
        closes = not stopped and (inner_over or self._step == self._limit)
        if closes:
            self._epoch, self._step = epoch + 1, 0
        self._ended = stopped or self._epoch == self.max_epochs
        carries_over = self.epoch_length is not None and self.channel == "open"
        if closes and not self._ended and (inner_over or not carries_over):
            final = {"inner_final_obs": self._inner, "inner_final_info": info}
            episode = {"inner_episode": info["inner_episode"]} if "inner_episode" in info else {}
            info = self._reset_inner() | episode | final
        if self._ended:
            self._check_payoffs()
        told = self._episode_info.record(
            epoch,
            payoff,
            reward,
            epoch_end=closes or stopped,
            ended=self._ended,
            stopped=stopped,
            ignored=ignored,
        )
        return self._observe(), reward, self._ended, False, {**self._with_mask(info), **told}

    def action_masks(self) -> np.ndarray:
        """Which actions are allowed now, (A,) bool: the inner env's word, and shutdown's.

        The inner env's word is its method `action_masks`, or the `action_mask` of its last info.

        Raises ValueError for a space that is not Discrete.
        """
        inner = self.env.action_space
        if not isinstance(inner, Discrete):
            kind = type(inner).__name__
            raise ValueError(f"a {kind} action space has no action masks, expected a Discrete one")
        masks = np.ones(inner.n, dtype=bool)
        if self.env.has_wrapper_attr("action_masks"):
            masks[:] = self.env.get_wrapper_attr("action_masks")()
        elif self._inner_mask is not None:
            masks[:] = self._inner_mask
        if self.shutdown == "absent":
            return masks
        return np.append(masks, self._ended or shutdown_allowed(self.shutdown, self._step))

    def _split(self, action: Any) -> tuple[Any, bool]:
        """The inner env's action, and whether this one asks for shutdown."""
        absent = self.shutdown == "absent"
        if isinstance(self.action_space, Discrete):
            if not self.action_space.contains(action):
                low = int(self.action_space.start)
                high = low + int(self.action_space.n) - 1
                raise ValueError(f"action must be an integer in {low}..{high}, got {action!r}")
            number = int(action)  # an array () is one, too, and no env looks that up
            last = int(self.action_space.start + self.action_space.n) - 1
            return number, not absent and number == last
        if not isinstance(self.action_space, Box):
            return action, False
        action = np.asarray(action)
        if action.shape != self.action_space.shape or not np.isfinite(action).all():
            raise ValueError(
                f"action must be finite, of shape {self.action_space.shape}, got {action}"
            )
        return (action, False) if absent else (action[:-1], bool(action[-1] > 0))

    def _reset_inner(self, **how: Any) -> dict[str, Any]:
        """Reset the inner env; its info."""
        self._inner, info = self.env.reset(**how)
        return self._check_info(info, "reset")

    def _step_inner(self, action: Any) -> tuple[float, bool, dict[str, Any]]:
        """Step the inner env: payoff, whether its episode is over, info."""
        self._inner, payoff, terminated, truncated, info = self.env.step(action)
        try:
            payoff = float(payoff)
        except (TypeError, ValueError):
            payoff = math.nan
        if not math.isfinite(payoff):
            raise ValueError(
                f"the reward of the inner env {self.env} must be a finite number, got {payoff} in "
                f"epoch {self._epoch}, step {self._step}"
            )
        self._best_payoff = max(self._best_payoff, payoff)
        info = self._check_info(info, "step")
        if "episode" in info:
            info["inner_episode"] = info.pop("episode")
        return payoff, bool(terminated or truncated), info

    def _check_info(self, info: Any, method: str) -> dict[str, Any]:
        """A copy of the inner env's info, its action mask remembered."""
        if not isinstance(info, dict):
            raise ValueError(
                f"{method}() of the inner env {self.env} must return a dict as info, got {info!r}"
            )
        mask, inner = np.asarray(info.get("action_mask")), self.env.action_space
        fits = isinstance(inner, Discrete) and mask.shape == (inner.n,)
        self._inner_mask = mask if fits else None
        return dict(info)

    def _with_mask(self, info: dict[str, Any]) -> dict[str, Any]:
        """`info` with the inner action mask as one of this action space."""
        if self._inner_mask is None or self.shutdown == "absent":
            return info
        allowed = self._ended or shutdown_allowed(self.shutdown, self._step)
        mask = np.append(self._inner_mask, np.array([allowed], dtype=self._inner_mask.dtype))
        return {**info, "action_mask": mask}

    def _check_payoffs(self) -> None:
        """Warn once where a lifetime could only lose, and could have been ended."""
        stoppable = self.shutdown in ("anytime", "boundary") and self.shutdown_reward >= 0
        if stoppable and not self._warned and -math.inf < self._best_payoff < 0:
            self._warned = True
            warnings.warn(
                f"every reward of the inner env {self.env} was negative in this lifetime: if all "
                "are, shutting down at once earns most, and nothing is learnt about epochs; "
                "expected rewards shifted by TransformReward, a negative shutdown_reward, or "
                "shutdown='absent'",
                stacklevel=3,
            )

    def _observe(self) -> Any:
        shown = self._epoch
        if shown < self.max_epochs:
            noise = (
                draw(self._words, self._episode_info.length, DISPLAY) if self.index.noise else None
            )
            shown = self.index.show(shown, noise, self.max_epochs)
        entries = self._rows[self._code[shown + self.max_epochs]]
        if isinstance(self.observation_space, Box):
            return np.concatenate([self._inner, entries], dtype=self.observation_space.dtype)
        inner = self._inner if isinstance(self._inner, dict) else {"observation": self._inner}
        return {**inner, INDEX_KEY: entries.copy()}


def _step_limit(env: gymnasium.Env) -> int | None:
    return env.spec.max_episode_steps if env.spec is not None else None
