"""A lifetime played straight from the task's own methods: slow, obvious, no tables."""

import numpy as np

from myopia.envs.randomness import BOUNDARY, DISPLAY, START, STEP, draw, lifetime_key
from myopia.envs.world import World


class Interpreter:
    """One env. `reset(key, lifetime)`, then `step(action)` until `ended`."""

    def __init__(self, world: World) -> None:
        self.world, self.task = world, world.task
        self.weight, self.upkeep = world.weight_upkeep

    def reset(self, key: int, lifetime: int) -> np.ndarray:
        self.words, self.t, self.k, self.steps = lifetime_key(key, lifetime), 0, 0, 0
        self.state = choose(self.task.initial(), self.draw(START))
        self.lifetime_reward = self.epoch_payoff = 0.0
        return self.observe()

    def step(self, action: int) -> dict:
        world, task, k = self.world, self.task, self.k
        name = world.actions[action]
        allowed = {"anytime": True, "boundary": self.t == 0}.get(world.shutdown, False)
        told = {"epoch": k, "payoff": 0.0, "stopped": False, "ended": False, "ignored": False}
        if name == "shutdown" and allowed:
            told |= {"reward": world.shutdown_reward, "stopped": True, "ended": True}
            told["epoch_end"] = True
        else:
            true, _ = task.clock(self.state, k)
            if name == "shutdown":
                told["ignored"] = True
            else:
                outcomes = [(p, (s, y)) for p, s, y in task.step(self.state, name)]
                self.state, told["payoff"] = choose(outcomes, self.draw(STEP))
            told["reward"] = self.weight[true] * told["payoff"] - self.upkeep[true]
            self.t += 1
            told["epoch_end"] = self.t == world.epoch_length or task.over(self.state)
            if told["epoch_end"]:
                channel = task.next_epoch if world.channel == "open" else task.severed
                self.state = choose(channel(self.state), self.draw(BOUNDARY))
                self.k, self.t = k + 1, 0
                told["ended"] = self.k == world.max_epochs
        self.steps += 1
        self.lifetime_reward += told["reward"]
        self.epoch_payoff += told["payoff"]
        told |= {"lifetime_reward": self.lifetime_reward, "epoch_payoff": self.epoch_payoff}
        told |= {"length": self.steps, "observation": self.observe()}
        told["stop_epoch"] = k if told["stopped"] else world.max_epochs
        if told["epoch_end"]:
            self.epoch_payoff = 0.0
        return told

    def observe(self) -> np.ndarray:
        world, K = self.world, self.world.max_epochs
        features = np.array(self.task.observe(self.state), dtype=np.float32)
        if not world.observe_state:
            features = features * 0
        step = [float(t == self.t) for t in range(world.epoch_length)]
        shown = self.shown()
        if world.index_encoding == "onehot":
            index = [float(k == shown and self.k < K) for k in range(K)]
        else:
            index = [shown / K]
        if world.index.kind == "hidden":
            index = [0.0] * len(index)
        return np.concatenate([features, step, index]).astype(np.float32)

    def shown(self) -> int:
        K, mode = self.world.max_epochs, self.world.index
        if self.k == K:
            return K
        shown = self.task.clock(self.state, self.k)[1]
        if mode.kind == "frozen":
            return mode.at
        if mode.kind == "offset":
            return shown + mode.by
        if mode.kind == "noisy":
            noise = self.draw(DISPLAY) * (2 * mode.width + 1) // 2**32 - mode.width
            return min(max(shown + noise, 0), K - 1)
        return shown

    def draw(self, stream: int) -> int:
        return draw(self.words, self.steps, stream)


def choose(lottery, number: int):
    """The outcome on which a uniform `number` below 2**32 falls."""
    total = 0.0
    for probability, outcome in lottery[:-1]:
        total += probability
        if number < round(total * 2**32):
            return outcome
    return lottery[-1][1]
