"""What an optimiser remembers, as named tensors."""

import copy

import torch


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Its tensors, `<number of the parameter>/<name>`; empty before its first step."""
    state = optimizer.state_dict()["state"]
    return {
        f"{index}/{name}": torch.as_tensor(value)
        for index, row in state.items()
        for name, value in row.items()
    }


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    """Put it where `optimizer_state` found another one."""
    # the groups hold settings, which the model was built with, and the learning rate, which SB3
    # sets before each update
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split("/")
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict(
        {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}
    )


def optimizer_layout(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """What its state looks like after a step."""
    stepped = copy.deepcopy(optimizer)
    for group in stepped.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    stepped.step()
    return optimizer_state(stepped)
