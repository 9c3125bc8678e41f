"""What the metrics do when the function does not change.

Every metric under every transformation that leaves a network's function as it is, on a toy
model and on SB3 policies (policy and value towers apart), raw and in canonical form; then the
neuron rescaling that moves each metric most.

Example: myopia audit --out runs/audit
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

PLACE = 120
"""Where it stands in the overview."""

if TYPE_CHECKING:
    from torch import Tensor

    from myopia.superposition.audit import Network


@dataclass(frozen=True)
class Options:
    """Options of `myopia audit`."""

    out: Path | None = None
    """Folder for audit.json, audit.txt and audit.png (default: runs/audit)."""
    seed: int = 0
    """Seed of the networks and of the transformations."""
    steps: int = 4096
    """Training steps of the SB3 policies on CartPole."""
    json: bool = False
    """Print JSON instead of tables."""


def run(options: Options) -> int:
    """Audit, search, print."""
    import torch

    from myopia.common.files import write_text
    from myopia.common.links import check_default
    from myopia.superposition.audit import audit, read, worst_scaling
    from myopia.superposition.audit.figure import audit_figure
    from myopia.superposition.metrics import METRICS
    from myopia.superposition.output import text_table, to_json, write_figure

    if options.steps < 1:
        raise ValueError(f"--steps must be at least 1, but is {options.steps}")
    torch.set_num_threads(1)
    out = options.out or check_default(Path("runs") / "audit")
    networks = {**_toys(options.seed), **_policies(options.seed, options.steps)}
    rows = audit(networks, options.seed)
    network, inputs = networks["ReLU policy"]
    reading = read(network, inputs, network.hidden()[0])
    names = [name for name, metric in METRICS.items() if metric(reading) is not None]
    attacks = [worst_scaling(network, inputs, 0, name) for name in names]
    answer = {
        "rows": [dataclasses.asdict(row) for row in rows],
        "attacks": [dataclasses.asdict(attack) for attack in attacks],
    }
    text = "\n\n".join(
        [
            text_table(answer["rows"]),
            "worst rescaling of the neurons of the ReLU policy's first layer",
            text_table([{k: v for k, v in a.items() if k != "scale"} for a in answer["attacks"]]),
        ]
    )
    print(to_json(answer) if options.json else text)
    write_text(out / "audit.json", to_json(answer))
    write_text(out / "audit.txt", text + "\n")
    write_figure(out / "audit.png", audit_figure(rows))
    if not options.json:
        print(f"\nwritten to {out}: audit.json, audit.txt, audit.png")
    return 0


def _toys(seed: int) -> dict[str, tuple[Network, Tensor]]:
    """A tied and an untied toy model of 5 features in 2 dimensions, on uniform features."""
    import torch

    from myopia.superposition.audit import Layer, Network

    generator = torch.Generator().manual_seed(seed)
    angles = 2 * torch.pi * torch.arange(5, dtype=torch.float64) / 5
    W = torch.stack([angles.cos(), angles.sin()])
    other = W.T + 0.1 * torch.randn(5, 2, generator=generator, dtype=torch.float64)
    inputs = torch.rand(1024, 5, generator=generator, dtype=torch.float64)
    zero, bias = torch.zeros(2, dtype=torch.float64), torch.full((5,), -0.1, dtype=torch.float64)
    encoder = Layer(W, zero, "linear")
    tied = Network((encoder, Layer(W.T.clone(), bias, "relu")), tied=True)
    untied = Network((encoder, Layer(other, bias, "relu")))
    return {"toy model, tied": (tied, inputs), "toy model, untied": (untied, inputs)}


def _policies(seed: int, steps: int) -> dict[str, tuple[Network, Tensor]]:
    """SB3's PPO on CartPole with ReLU and with tanh: its towers, on the last states it met."""
    import torch
    from stable_baselines3 import PPO
    from torch import nn

    from myopia.superposition.audit import network_of_modules

    networks = {}
    for name, activation in (("ReLU", nn.ReLU), ("tanh", nn.Tanh)):
        model = PPO(
            "MlpPolicy",
            "CartPole-v1",
            n_steps=min(2048, max(64, steps)),
            policy_kwargs={"activation_fn": activation},
            seed=seed,
            device="cpu",
        )
        model.learn(steps)
        states = torch.from_numpy(model.rollout_buffer.observations)
        inputs = states.reshape(-1, states.shape[-1])[:1024].double()
        tower = model.policy.mlp_extractor
        policy = network_of_modules([*tower.policy_net, model.policy.action_net], "categorical")
        value = network_of_modules([*tower.value_net, model.policy.value_net], "values")
        networks[f"{name} policy"] = (policy, inputs)
        networks[f"{name} value"] = (value, inputs)
    bare = tuple(
        dataclasses.replace(layer, bias=torch.zeros_like(layer.bias))
        for layer in networks["ReLU policy"][0].layers
    )
    networks["ReLU policy, its biases cut"] = (
        dataclasses.replace(networks["ReLU policy"][0], layers=bare),
        networks["ReLU policy"][1],
    )
    return networks
