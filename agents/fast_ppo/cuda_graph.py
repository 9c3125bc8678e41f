"""A function on CUDA tensors as a CUDA graph: one launch for all its kernels."""

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._pytree import tree_flatten, tree_unflatten

from myopia.agents.fast_ppo.flat_parameters import FlatParameters

WARM = 3
"""Calls before capture, in which libraries set up what must not be set up within a graph."""


class GraphedFunction:
    """Calls `function` by replaying a graph of it, one for each combination of input shapes.

    `function` takes and returns (nested tuples of) tensors, waits for nothing on the CPU, and may
    write `parameters` only. Its results are overwritten by the next call.
    """

    def __init__(
        self, function: Callable[..., Any], parameters: FlatParameters | None = None
    ) -> None:
        self._function, self._parameters = function, parameters
        self._captured: dict[Any, tuple[torch.cuda.CUDAGraph, list[torch.Tensor], Any]] = {}

    def __call__(self, *arguments: Any) -> Any:
        """The function's results."""
        given, shape = tree_flatten(arguments)
        key = (str(shape), tuple(None if x is None else (x.shape, x.dtype) for x in given))
        if key not in self._captured:
            self._captured[key] = self._capture(given, shape)
        graph, inputs, results = self._captured[key]
        for mine, value in zip(inputs, given, strict=True):
            if mine is not None:
                mine.copy_(value)
        graph.replay()
        return results

    def _capture(self, given: list[Any], shape: Any) -> tuple[Any, ...]:
        # the inputs get addresses of their own, for the graph reads always there
        inputs = [None if x is None else x.clone() for x in given]
        arguments = tree_unflatten(inputs, shape)
        written = [] if self._parameters is None else self._parameters.written()
        before = [tensor.clone() for tensor in written]
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM):
                self._function(*arguments)
        torch.cuda.current_stream().wait_stream(aside)
        for tensor, value in zip(written, before, strict=True):
            tensor.copy_(value)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            results = self._function(*arguments)
        return graph, inputs, results
