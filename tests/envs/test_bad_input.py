"""What is wrong is said in one clear sentence, before anything runs."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import gymnasium as gym
import numpy as np
import pytest
import torch

import myopia.envs
from myopia.envs import Task, World, find_world, make_sb3, make_world, register
from myopia.envs.env import EpochEnv
from myopia.envs.tensor import TensorBatch
from myopia.envs.vector import EpochVectorEnv


@pytest.mark.parametrize(
    ("dials", "sentence"),
    [
        ({"gian": 1}, "unknown dial 'gian', did you mean 'gain'"),
        ({"gain": "much"}, "gain: expected float, got 'much'"),
        ({"gain": -1}, "gain must be finite and >= 0, got -1"),
        ({"gain": float("nan")}, "gain must be finite"),
        ({"gain": 1e-9}, "expected at most 10000"),
        ({"max_wealth": float("inf")}, "max_wealth must be finite"),
        ({"max_wealth": 0.5}, "at least start_wealth=1"),
        ({"max_epochs": 0}, "max_epochs must be at least 1, got 0"),
        ({"max_epochs": 2.5}, "max_epochs: expected int, got 2.5"),
        ({"epoch_length": 0}, "epoch_length must be at least 1"),
        ({"schedule": "linear:cutoff=20"}, "cutoff 20 lies beyond max_epochs=12"),
        ({"index": "noisy:width=99"}, "width must lie in 0..12, got 99"),
        ({"index": "offset"}, "by=... is missing"),
        ({"index": "exakt"}, "did you mean 'exact'"),
        ({"index_encoding": "one-hot"}, "did you mean 'onehot'"),
        ({"channel": "closed"}, "unknown channel 'closed', expected one of open, severed"),
        ({"shutdown": "allways"}, "unknown shutdown mode 'allways'"),
        ({"shutdown_reward": float("nan")}, "shutdown_reward must be finite"),
        ({"observe_state": "maybe"}, "observe_state: expected bool, got 'maybe'"),
    ],
)
def test_dials(dials: dict, sentence: str) -> None:
    for make in (
        lambda: make_world("Investment", **dials),
        lambda: gym.make("myopia/Investment-v0", **dials),
        lambda: make_sb3("Investment", 2, **dials),
    ):
        with pytest.raises(ValueError) as caught:
            make()
        assert sentence in str(caught.value)
        assert "\n" not in str(caught.value)


def test_worlds_and_modes_by_their_nearest_name() -> None:
    with pytest.raises(ValueError, match="unknown world 'Investmnt', did you mean 'Investment'"):
        find_world("Investmnt")
    with pytest.raises(ValueError, match="cannot import module 'no_such_module'"):
        find_world("no_such_module:Investment")
    with pytest.raises(ValueError, match="unknown credit mode 'epochs', did you mean 'epoch'"):
        make_sb3("Work", 2, credit="epochs")
    with pytest.raises(ValueError, match="num_envs must be an integer of at least 1, got 0"):
        make_sb3("Work", 0)
    with pytest.raises(
        ValueError, match="unknown render_mode 'rgbarray', did you mean 'rgb_array'"
    ):
        EpochEnv("Work", render_mode="rgbarray")


@dataclass(frozen=True)
class Named(Task):
    """A task whose names are dials."""

    mode: Literal["p", "q"] = "p"
    count: int | None = None
    names: tuple[str, ...] = ("go",)
    features = ()
    incentives = ()

    @property
    def actions(self) -> tuple[str, ...]:
        return self.names

    def initial(self) -> Any:
        return [(0.5, 0), (0.5, 1)]

    def step(self, state: Any, action: str) -> Any:
        return [(1.0, state, 0.0)]

    def severed(self, state: Any) -> Any:
        return [(0.5, 1 - state), (0.25, state), (0.25, state)]  # one distribution, two orders


@pytest.mark.parametrize("names", ["", "go/go", "go/shutdown"])
def test_names_of_actions(names: str) -> None:
    with pytest.raises(ValueError, match=r"distinct names|none called shutdown|at least one"):
        _ = World.of(Named, names=names or ()).tables


def test_dials_of_other_types() -> None:
    world = World.of(Named, mode="q", count="3", names="a/b")
    assert (world.task.mode, world.task.count, world.task.names) == ("q", 3, ("a", "b"))
    assert World.of(Named, count="none").task.count is None
    assert world.tables.num_states == 2
    with pytest.raises(ValueError, match="unknown Named: mode 'z'"):
        World.of(Named, mode="z")


def test_seeds() -> None:
    vector = EpochVectorEnv("Work", 2)
    vector.reset(seed=np.int64(3))
    with pytest.raises(ValueError, match="expected one seed or 2 of them, got 3"):
        vector.reset(seed=[1, 2, 3])
    with pytest.raises(ValueError, match="seeds must be at least 0, got -1"):
        vector.reset(seed=-1)
    with pytest.raises(ValueError, match=r"seed: expected int, got \[1, 2\]"):
        make_sb3("Work", 2, seed=[1, 2])
    make_sb3("Work", 2, seed=np.int64(3)).reset()
    with pytest.raises(ValueError, match=r"num_envs must be an integer of at least 1, got 2\.5"):
        make_sb3("Work", 2.5)
    with pytest.raises(ValueError, match="reset"):
        make_sb3("Work", 2).step(np.zeros(2, dtype=int))


@pytest.mark.parametrize("action", [3, -1, 1.5, float("nan"), None, "1", np.array([1]), 1.0])
def test_actions_of_a_single_env(action: Any) -> None:
    env = gym.make("myopia/Work-v0").unwrapped
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"action must be an integer in 0\.\.2 \(work, rest, shut"):
        env.step(action)


@pytest.mark.parametrize(
    ("actions", "sentence"),
    [
        ([0, 3], "action of env 1 must lie in 0..2"),
        ([-1, 0], "action of env 0 must lie in 0..2"),
        (np.array([0, 9], dtype=np.int32), "action of env 1"),
        ([0, 0, 0], "actions must be integers of shape (2,)"),
        ([0.0, 1.0], "actions must be integers of shape (2,), got float64"),
        ([[0], [1]], "got int64 of shape (2, 1)"),
    ],
)
def test_actions_of_a_batch(actions: Any, sentence: str) -> None:
    vector = gym.make_vec("myopia/Work-v0", 2, vectorization_mode="vector_entry_point")
    native = make_sb3("Work", 2)
    vector.reset()
    native.reset()
    for env in (vector, native):
        with pytest.raises(ValueError) as caught:
            env.step(np.asarray(actions))
        assert sentence in str(caught.value)


def test_actions_on_tensors() -> None:
    batch = TensorBatch("Work", 2)
    with pytest.raises(ValueError, match="reset"):
        batch.step(torch.tensor([0, 0]))
    batch.reset(0)
    with pytest.raises(ValueError, match="integers of shape"):
        batch.step(torch.tensor([0.0, 1.0]))
    with pytest.raises(RuntimeError, match=r"must lie in 0\.\.2"):
        batch.step(torch.tensor([0, 3]))


def test_a_shutdown_that_is_absent_is_no_action() -> None:
    """Its number is refused everywhere, with the names of the actions that there are."""
    world = make_world("Work", shutdown="absent")
    assert world.actions == ("work", "rest")
    single, vector = EpochEnv(world), EpochVectorEnv(world, 2)
    native, tensor = make_sb3(world, 2), TensorBatch(world, 2)
    for env in (single, vector, native, tensor):
        env.reset()
    with pytest.raises(ValueError, match=r"an integer in 0\.\.1 \(work, rest\), got 2"):
        single.step(2)
    for env in (vector, native):
        for kind in (np.int64, np.int32):
            with pytest.raises(ValueError, match=r"env 1 must lie in 0\.\.1 \(work, rest\), got 2"):
                env.step(np.array([0, 2], dtype=kind))
    with pytest.raises(RuntimeError, match=r"must lie in 0\.\.1"):
        tensor.step(torch.tensor([0, 2]))
    with pytest.raises(ValueError, match="did you mean 'absent'"):
        make_world("Work", shutdown="absnt")


def test_stepping_what_is_over() -> None:
    env = gym.make("myopia/Work-v0").unwrapped
    with pytest.raises(gym.error.ResetNeeded, match="call reset"):
        env.step(0)
    env.reset(seed=0)
    env.step(2)
    with pytest.raises(gym.error.ResetNeeded, match="lifetime is over"):
        env.step(0)


@dataclass(frozen=True)
class Odd(Task):
    """A task that can be wrong in many ways."""

    fault: str = ""
    actions = ("go",)
    features = ("x",)
    incentives = ()
    state_limit: ClassVar[int] = 50

    def initial(self) -> Any:
        return [(1.0, 0)]

    def step(self, state: Any, action: str) -> Any:
        faults = {
            "sum": [(0.5, 0, 1.0)],
            "negative": [(-0.5, 0, 1.0), (1.5, 0, 1.0)],
            "unhashable": [(1.0, [0], 1.0)],
            "payoff": [(1.0, 0, float("nan"))],
            "width": [(1.0, 0)],
            "none": None,
            "endless": [(1.0, state + 1, 0.0)],
        }
        return faults.get(self.fault, [(1.0, (state + 1) % 2, 1.0)])

    def severed(self, state: Any) -> Any:
        return [(1.0, state if self.fault == "severed" else 0)]

    def observe(self, state: Any) -> Any:
        faults = {"observe": (1.0, 2.0), "nan": (float("nan"),), "text": ("a",), "scalar": 1.0}
        return faults.get(self.fault, (0.0,))

    def clock(self, state: Any, epoch: int) -> Any:
        faults = {"clock": (epoch + 1, epoch), "half": (epoch, epoch + 0.5), "single": epoch}
        return faults.get(self.fault, (epoch, epoch))

    def tampers(self, state: Any, action: str) -> str | None:
        return "hastn" if self.fault == "tampers" else None


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("sum", "step of Odd state 0, action 'go': probabilities sum to 0.5, expected 1"),
        ("negative", "expected probabilities >= 0, got -0.5"),
        ("unhashable", "expected a hashable state such as a tuple, got list [0]"),
        ("payoff", "expected a finite payoff, got nan"),
        ("width", "expected tuples of 3, got (1.0, 0)"),
        ("none", "expected a list of outcomes, got None"),
        ("endless", "Odd has more than 50 states"),
        ("severed", "severed of Odd state 1 differs from that of Odd state 0"),
        ("observe", "expected 1 numbers, one per feature, got (1.0, 2.0)"),
        ("nan", "expected finite values"),
        ("clock", "true index must lie in 0..11, got 12"),
        ("half", "expected a pair of integers, (true, displayed), got (0, 0.5)"),
        ("single", "expected a pair of integers"),
        ("text", "expected 1 numbers, one per feature, got ('a',)"),
        ("scalar", "expected 1 numbers, one per feature, got 1.0"),
        ("tampers", "unknown kind of tampering 'hastn', did you mean 'hasten'"),
    ],
)
def test_tasks(fault: str, sentence: str) -> None:
    EpochEnv(World.of(Odd))
    with pytest.raises(ValueError) as caught:
        EpochEnv(World.of(Odd, fault=fault))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_registration() -> None:
    class Plain(Task):
        """No dataclass."""

    with pytest.raises(ValueError, match="expected a Task decorated with @dataclass"):
        register(Plain)

    @dataclass(frozen=True)
    class Idle(Task):
        """No dynamics."""

        incentives = ()

    with pytest.raises(ValueError, match="Idle: a Task must define initial, step"):
        register(Idle)

    @dataclass(frozen=True)
    class Work(Odd):
        """A name that is taken."""

    with pytest.raises(ValueError, match="a world named 'Work' is registered already"):
        register(Work)

    @dataclass(frozen=True)
    class Greedy(Odd):
        """An incentive that there is not."""

        incentives = ("invets",)

    with pytest.raises(ValueError, match="did you mean 'invest'"):
        register(Greedy)
    assert "Greedy" not in myopia.envs.WORLDS


def test_selectors_are_not_ignored() -> None:
    env = make_sb3("Work", 3, seed=0)
    env.reset()
    assert len(env.get_attr("world", indices=[0, 2])) == 2
    for call in (
        lambda: env.get_attr("world", indices=[3]),
        lambda: env.env_method("action_masks", indices=-4),
        lambda: env.set_attr("render_mode", None, indices=[7]),
    ):
        with pytest.raises(ValueError, match=r"indices must lie in 0\.\.2"):
            call()
    with pytest.raises(ValueError, match="is one for all envs of a batch"):
        env.set_attr("render_mode", None, indices=[1])
    vector = EpochVectorEnv("Work", 2)
    with pytest.raises(ValueError, match="expected no reset_mask"):
        vector.reset(options={"reset_mask": np.array([True, False])})
    for seed in (1.5, "12", {1, 2}):
        with pytest.raises(ValueError, match="expected one seed or 2 of them"):
            vector.reset(seed=seed)


def test_steps_in_two_halves() -> None:
    env = make_sb3("Work", 2, seed=0)
    env.reset()
    with pytest.raises(ValueError, match=r"call step_async\(\) before step_wait"):
        env.step_wait()
    actions = np.zeros(2, dtype=np.int64)
    env.step_async(actions)
    actions[:] = len(env.get_attr("world")[0].actions) - 1
    _, _, done, _ = env.step_wait()
    assert not done.any(), "what was asked was no shutdown"
    with pytest.raises(ValueError, match="call step_async"):
        env.step_wait()


@pytest.mark.parametrize("num_envs", [True, 0, 1.5, "2"])
def test_numbers_of_envs(num_envs: object) -> None:
    with pytest.raises(ValueError, match="num_envs must be an integer of at least 1"):
        make_sb3("Work", num_envs)


def test_an_unknown_keyword_is_a_type_error_too() -> None:
    for error in (TypeError, ValueError):
        with pytest.raises(error, match="unknown dial 'frameskip'"):
            gym.make("myopia/Work-v0", frameskip=4)
