"""Jobs on a Ray cluster: the same groups, the same function, the same files.

`RAY_ADDRESS` names the cluster; without it Ray starts one on this machine. Run folders are written
by the machine that ran the job, so the machines must share the folder of the study.
"""

import logging
import os
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from myopia.analysis.studies.execution.job import Event, Job, run_group
from myopia.common.search_path import always_safe_imports


def run_ray(groups: Sequence[Sequence[Job]], workers: int) -> Iterator[Event]:
    """Run every group as a Ray task, at most `workers` at once; every future is read.

    What dies is tried again as in `run_local`.

    Raises ValueError, at once, where Ray is not installed.
    """
    return _follow(_ray(), groups, workers)


def _follow(ray: Any, groups: Sequence[Sequence[Job]], workers: int) -> Iterator[Event]:
    address = os.environ.get("RAY_ADDRESS")
    local = {} if address else {"num_cpus": workers, "include_dashboard": False}
    ray.init(
        address=address,
        logging_level=logging.ERROR,
        log_to_driver=False,
        configure_logging=False,
        **local,
    )
    task = ray.remote(num_cpus=1, max_retries=0)(_run)
    waiting, running = deque(groups), {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                group = waiting.popleft()
                running[task.remote(group)] = group
                yield Event(group, "began", {})
            ended, _ = ray.wait(list(running), num_returns=1)
            for future in ended:
                group = running.pop(future)
                try:
                    yield Event(group, "ended", ray.get(future))
                except ray.exceptions.RayError as error:  # the worker died, or its machine
                    if len(group) > 1:
                        waiting.extend([job] for job in group)
                        yield Event(group, "returned", {})
                        continue
                    yield Event(group, "ended", {group[0].name: f"{type(error).__name__}: {error}"})
    finally:
        ray.shutdown()


def _run(group: Sequence[Job]) -> dict[str, str]:
    always_safe_imports()
    import torch

    torch.set_num_threads(1)
    return run_group(group)


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise ValueError(
            "backend ray: Ray is not installed; expected pip install 'myopia[cluster]', "
            "or --backend local"
        ) from None
    return ray
