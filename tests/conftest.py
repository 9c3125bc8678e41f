"""Shared by the tests: worlds small enough to check by hand, and random ones."""

import pytest

from myopia.envs import WORLDS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `world_name` runs once for every registered world that ships."""
    if "world_name" in metafunc.fixturenames:
        shipped = [n for n, t in WORLDS.items() if t.__module__.startswith("myopia.envs.worlds.")]
        metafunc.parametrize("world_name", sorted(shipped))
