"""The global random generators, preserved: what happens inside leaves them as they were."""

import contextlib
import random
from collections.abc import Iterator

import numpy as np
import torch


@contextlib.contextmanager
def preserve_rng_state() -> Iterator[None]:
    """Restore the generators of Python, numpy and torch (on every device) at the end.

    SB3 draws fresh weights, explores and shuffles with the global generators. Whatever evaluates,
    fine-tunes or loads an agent beside a training run does it in here, and the run goes on as if
    nothing had happened.
    """
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002
    # a GPU that nobody has used yet has no generator that could be disturbed
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(legacy)  # noqa: NPY002
