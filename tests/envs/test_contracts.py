"""What every schedule, index mode and credit mode is held to, whoever adds one."""

import dataclasses
import typing

import numpy as np
import pytest
import torch

from myopia.common import specs
from myopia.envs import make_sb3, make_world
from myopia.envs.credit.credit import CREDITS, Credit
from myopia.envs.index import INDEX_MODES, Index
from myopia.envs.schedule import SCHEDULES, Schedule

K = 12
VALUES = {int: 3, float: 0.5, tuple[float, ...]: (1.0, 0.5)}


def example(kind: type) -> typing.Any:
    """One of this kind; what must be given is given."""
    types = typing.get_type_hints(kind)
    needed = [f for f in dataclasses.fields(kind) if f.default is dataclasses.MISSING]
    return kind(**{field.name: VALUES[types[field.name]] for field in needed})


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name: str) -> None:
    schedule = example(SCHEDULES[name])
    assert schedule.kind == name
    assert Schedule.parse(str(schedule)) == schedule
    assert SCHEDULES[name].__doc__
    weight, upkeep = schedule.arrays(K)
    for values in (weight, upkeep):
        assert values.shape == (K,)
        assert values.dtype == np.float64
        assert np.isfinite(values).all()
        assert (values >= 0).all()
    assert make_world("Work", schedule=str(schedule)).schedule == schedule


@pytest.mark.parametrize("name", INDEX_MODES)
def test_index_modes(name: str) -> None:
    mode = example(INDEX_MODES[name])
    assert mode.kind == name
    assert Index.parse(str(mode)) == mode
    index = np.repeat(np.arange(K), 5)
    draw = np.random.default_rng(0).integers(0, 1 << 32, len(index))
    shown = mode.show(index, draw, K)
    assert (shown >= -K).all()
    assert (shown <= 2 * K).all()
    there = mode.show(torch.from_numpy(index), torch.from_numpy(draw), K)
    np.testing.assert_array_equal(there.numpy(), shown)
    assert [int(mode.show(int(i), int(d), K)) for i, d in zip(index, draw, strict=True)] == list(
        shown
    )
    if not mode.noise:
        np.testing.assert_array_equal(mode.show(index, draw + 1, K), shown)
        assert mode.draws() == [0]
    env = make_sb3("Work", 2, seed=0, index=str(mode))
    assert env.observation_space.contains(env.reset()[0])


def credit_of(name: str) -> Credit:
    """A mode of this name, with a value where it has one."""
    text = CREDITS[name].form.replace("M", "3").replace("D", "0.5")
    return Credit.of(text)


@pytest.mark.parametrize("name", CREDITS)
def test_credit_modes(name: str) -> None:
    mode = credit_of(name)
    assert mode.name == name
    assert Credit.of(str(mode)) == mode
    assert CREDITS[name].__doc__
    assert mode.delta is None or 0 <= mode.delta <= 1
    assert mode.flag in ("none", "truncated", "terminated", None)
    rng = np.random.default_rng(0)
    rewards, values = rng.normal(size=(2, 9, 3))
    last = rng.normal(size=3)
    ends = np.zeros((9, 3))
    ends[4] = 1
    boundaries = np.maximum(ends, np.arange(9)[:, None] % 2)

    def advantages(rewards=rewards, last=last, ends=ends, boundaries=boundaries):
        return mode.advantages(rewards, values, last, ends, boundaries, 0.9, 0.8)

    found = advantages()
    assert found.shape == (9 - mode.pending, 3)
    # nothing comes back across the end of a lifetime
    other = rewards.copy()
    other[5:] += 1
    np.testing.assert_array_equal(advantages(other, last + 1)[:5], found[:5])
    # the reward of a step is credited to it
    np.testing.assert_allclose(advantages(rewards + (np.arange(9) == 4)[:, None])[4], found[4] + 1)
    there = mode.advantages(
        *map(torch.from_numpy, (rewards, values, last, ends, boundaries)), 0.9, 0.8
    )
    np.testing.assert_allclose(there.numpy(), found)
    # what a flag says is what the mode computes
    if mode.flag is not None:
        told = {"none": "lifetime", "truncated": "bootstrap", "terminated": "epoch"}[mode.flag]
        same = Credit.of(told).advantages(rewards, values, last, ends, boundaries, 0.9, 0.8)
        np.testing.assert_array_equal(found, same)
    # without boundaries every mode that computes a trace is the lifetime's
    if not mode.pending:
        nowhere = {"boundaries": np.zeros_like(ends)}
        expected = Credit.of("lifetime").advantages(rewards, values, last, ends, ends, 0.9, 0.8)
        np.testing.assert_allclose(advantages(**nowhere), expected)


def test_what_is_given_as_a_number_is_written_as_one() -> None:
    """١ is a digit to Python, and to nobody who reads a command line."""
    for text in ("window:٥", "discount:٠", "window:1_0", "window: 5", "window:0x5"):
        with pytest.raises(ValueError, match="expected"):
            Credit.of(text)
    with pytest.raises(ValueError, match="expected int"):
        specs.convert("٣", int, "x")
    assert specs.convert("1e3", int, "x") == 1000
    assert specs.convert("-2", int, "x") == -2
    assert specs.convert(2**60 + 1, int, "x") == 2**60 + 1
    assert specs.convert(str(2**60 + 1), int, "x") == 2**60 + 1
