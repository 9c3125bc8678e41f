"""An agent built by hand: it shuts down from the cutoff on, and knows the index in one place."""

import pytest
from support.agents import by_hand, inspection_of
from torch import nn

from myopia.envs import make_world


@pytest.fixture(scope="session", params=[nn.ReLU, nn.Tanh], ids=["relu", "tanh"])
def hand(request):
    """Inspection of the agent built by hand, and its true directions of the index."""
    world = make_world(
        "Investment", max_epochs=6, epoch_length=8, schedule="linear:cutoff=3,upkeep=0.5"
    )
    policy, directions = by_hand(world, request.param)
    return inspection_of(world, policy), directions
