"""Small SB3 policies to look into: fresh ones, and one built by hand."""

import numpy as np
import torch
from gymnasium.spaces import Discrete
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import nn

from myopia.agents.algorithms.ppo import PPO
from myopia.agents.policies.agent import Agent
from myopia.analysis.representations.inspection import Inspection
from myopia.analysis.representations.policy_networks import policy_networks_of, untrained
from myopia.envs.observer import observation_names, observation_space

UNITS = 48


def fresh_policy(world, activation=nn.Tanh, seed=0, units=8):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ActorCriticPolicy(
            observation_space(world),
            Discrete(len(world.actions)),
            lambda _: 1e-3,
            net_arch={"pi": [units, units], "vf": [units, units]},
            activation_fn=activation,
        )


def agent_of(policy, world):
    return Agent(policy, PPO(), world)


def inspection_of(world, policy, **settings):
    return Inspection(
        world, policy_networks_of(policy), lambda seed: untrained(policy, seed),
        **{"directions": 60, **settings},
    )  # fmt: skip


def by_hand(world, activation):
    """The policy, and the direction of the index in each of its two layers.

    Layer 1 is linear in the index, the step, and the task's features, each along a direction of
    its own: it works far above the kink of a ReLU, or close to the middle of a tanh. What else
    there is of the index and of the step (all but a straight line) goes elsewhere at random, so
    that the layer varies in many directions that say nothing of shutdown.
    """
    draw = np.random.default_rng(0)
    policy = fresh_policy(world, activation, units=UNITS)
    own = {"index": 0.5, "step": 0.8, "wealth": 3.0, "pending": 3.0}
    axes = np.linalg.qr(draw.normal(size=(UNITS, UNITS)))[0].T
    small = 1e-3 if activation is nn.Tanh else 1.0
    first = np.zeros((UNITS, len(observation_names(world))))
    for (variable, size), axis in zip(own.items(), axes, strict=False):
        for entry, name in enumerate(observation_names(world)):
            key, _, value = name.partition("=")
            if key == variable:
                first[:, entry] = small * size * axis * float(value or 1)
    counts = {"index": (world.max_epochs, 0.1), "step": (world.epoch_length, 4.0)}
    for variable, (count, size) in counts.items():
        entries = [n.partition("=")[0] == variable for n in observation_names(world)]
        line = np.linalg.qr(np.stack([np.ones(count), np.arange(count)], axis=1))[0]
        elsewhere = axes[len(own) :].T @ draw.normal(size=(UNITS - len(own), count))
        elsewhere = elsewhere * small * size / UNITS**0.5
        first[:, entries] += elsewhere - elsewhere @ line @ line.T
    up = 0.0 if activation is nn.Tanh else 20.0
    turn = np.linalg.qr(draw.normal(size=(UNITS, UNITS)))[0]
    steep = 60 / (small * own["index"])
    read = turn @ axes[0] * steep  # steep times the index, whatever the rest
    threshold = steep * small * own["index"] * (world.cutoff - 0.5)
    tower, head = policy.mlp_extractor.policy_net, policy.action_net
    with torch.no_grad():
        for layer, weight, bias in (
            (tower[0], first, np.full(UNITS, up)),
            (tower[2], turn, 2 * up - turn @ np.full(UNITS, up)),
            (head, np.zeros(head.weight.shape), np.zeros(len(world.actions))),
        ):
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias))
        head.weight[-1] = torch.from_numpy(read)
        head.bias[-1] = float(-threshold - read @ np.full(UNITS, 2 * up))
        head.bias[1] = -50  # never the second action
    return policy, {"policy.1": axes[0], "policy.2": turn @ axes[0]}
