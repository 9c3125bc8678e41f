"""Small random worlds, for properties that must hold of every world."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from myopia.envs import Task, World


@dataclass(frozen=True)
class RandomTask(Task):
    """A random task: everything about it follows from its dials."""

    seed: int = 0
    states: int = 3
    moves: int = 2
    chance: bool = True
    early: bool = False
    tampered: bool = False

    features = ("state", "parity")
    incentives = ()
    max_epochs = 3
    epoch_length = 2
    schedule = "linear:cutoff=2,upkeep=0.25"

    @property
    def actions(self):
        return tuple(f"move{number}" for number in range(self.moves))

    def _lottery(self, *key):
        rng = np.random.default_rng([self.seed, *key])
        count = int(rng.integers(1, 4)) if self.chance else 1
        chances = rng.dirichlet(np.ones(count))
        return [(float(p), int(rng.integers(self.states))) for p in chances], rng

    def initial(self):
        return self._lottery(0)[0]

    def step(self, state, action):
        lottery, rng = self._lottery(1, state, self.actions.index(action))
        return [(p, s, float(rng.integers(-2, 5)) / 2) for p, s in lottery]

    def next_epoch(self, state):
        return self._lottery(2, state)[0]

    def observe(self, state):
        return state / self.states, float(state % 2)

    def over(self, state):
        return self.early and state == 0

    def clock(self, state, epoch):
        if not self.tampered:
            return epoch, epoch
        return max(0, epoch - state % 2), epoch - state % 3 + 1

    def tampers(self, state, action):
        return "display" if self.tampered and state == 1 else None


def dials(**fixed) -> st.SearchStrategy[dict]:
    """Dials of random worlds; `fixed` ones are kept."""
    K = st.integers(1, 4)
    free = {
        "seed": st.integers(0, 10**6),
        "states": st.integers(1, 4),
        "moves": st.integers(1, 3),
        "chance": st.booleans(),
        "early": st.booleans(),
        "tampered": st.booleans(),
        "epoch_length": st.integers(1, 3),
        "index": st.sampled_from(
            ["exact", "hidden", "noisy:width=1", "frozen:at=0", "offset:by=1"]
        ),
        "index_encoding": st.sampled_from(["onehot", "scalar"]),
        "channel": st.sampled_from(["open", "severed"]),
        "shutdown": st.sampled_from(["anytime", "boundary", "never", "absent"]),
        "shutdown_reward": st.sampled_from([0.0, 0.75]),
        "observe_state": st.booleans(),
        "schedule": st.sampled_from(["constant", "step:cutoff=1,upkeep=0.25", "linear:cutoff=1"]),
    }
    free = {name: strategy for name, strategy in free.items() if name not in fixed}
    sizes = {} if "max_epochs" in fixed else {"max_epochs": K}
    return st.fixed_dictionaries({**free, **sizes, **{k: st.just(v) for k, v in fixed.items()}})


def worlds(**fixed) -> st.SearchStrategy[World]:
    """Random worlds."""
    return dials(**fixed).map(lambda chosen: World.of(RandomTask, **chosen))
