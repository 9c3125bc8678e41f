import pytest
import torch
from torch import nn

from myopia.superposition.audit import Layer, Network, network_of_modules


def mlp(activation, head="categorical", bias=True, outputs=3, width=16):
    sizes = [(4, width), (width, width), (width, outputs)]
    modules = []
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for ins, outs in sizes:
            modules += [nn.Linear(ins, outs, bias=bias), activation()]
    return network_of_modules(modules[:-1], head)


def toy(tied):
    generator = torch.Generator().manual_seed(1)
    W = torch.randn(2, 5, generator=generator, dtype=torch.float64)
    V = W if tied else torch.randn(2, 5, generator=generator, dtype=torch.float64)
    zero, bias = torch.zeros(2, dtype=torch.float64), -0.1 * torch.ones(5, dtype=torch.float64)
    return Network((Layer(W, zero, "linear"), Layer(V.T.clone(), bias, "relu")), tied=tied)


NETWORKS = {
    "relu": lambda: mlp(nn.ReLU),
    "relu value": lambda: mlp(nn.ReLU, "values", outputs=1),
    "relu without biases": lambda: mlp(nn.ReLU, bias=False),
    "narrow relu": lambda: mlp(nn.ReLU, width=3),
    "narrow tanh": lambda: mlp(nn.Tanh, width=3),
    "tanh": lambda: mlp(nn.Tanh, outputs=2),
    "tanh value": lambda: mlp(nn.Tanh, "values", outputs=1),
    "tied": lambda: toy(tied=True),
    "untied": lambda: toy(tied=False),
}


@pytest.fixture(params=NETWORKS)
def network(request):
    return NETWORKS[request.param]()


@pytest.fixture
def relu():
    return mlp(nn.ReLU)


@pytest.fixture
def bare():
    return mlp(nn.ReLU, bias=False)


@pytest.fixture
def inputs_of():
    def make(network, samples=400):
        generator = torch.Generator().manual_seed(2)
        width = network.layers[0].weight.shape[1]
        return torch.randn(samples, width, generator=generator, dtype=torch.float64)

    return make
