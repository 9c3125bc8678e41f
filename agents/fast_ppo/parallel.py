"""Several models in one program: other seeds, and other worlds of the same shape."""

import itertools
from collections.abc import Sequence
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback

from myopia.agents.fast_ppo.engine import Engine
from myopia.agents.fast_ppo.ppo import FastPPO
from myopia.agents.fast_ppo.rollout_callback import needs_steps


def learn_in_parallel(
    models: Sequence[FastPPO],
    total_timesteps: int,
    callbacks: Sequence[Any] | None = None,
    log_interval: int = 1,
    tb_log_name: str = "PPO",
    reset_num_timesteps: bool = True,
) -> None:
    """`model.learn(total_timesteps, callback)` for all of `models` at once, a callback for each.

    On a CPU each model ends with the weights, bit for bit, that it would have had alone. A model
    whose callback stops it leaves the others. Raises ValueError where the models differ in shape
    or where a callback must be called at every step.
    """
    callbacks = callbacks if callbacks is not None else [None] * len(models)
    learners: list[tuple[FastPPO, BaseCallback]] = []
    total = 0
    for model, given in zip(models, callbacks, strict=True):
        total, callback = model._setup_learn(
            total_timesteps, given, reset_num_timesteps, tb_log_name
        )
        if needs_steps(callback):
            raise ValueError(
                "models that learn together are told of their steps after each rollout, expected "
                f"each a RolloutCallback, got {type(given).__name__}"
            )
        callback.on_training_start(locals(), globals())
        learners.append((model, callback))
    _loop(learners, total, log_interval)
    for _, callback in learners:
        callback.on_training_end()


def _loop(learners: list[tuple[FastPPO, BaseCallback]], total: int, log_interval: int) -> None:
    engine = Engine([model for model, _ in learners])
    iteration = 0
    while learners[0][0].num_timesteps < total:
        iteration += 1
        for _, callback in learners:
            callback.on_rollout_start()
        engine.load()
        traces = engine.collect()
        engine.unload()
        active = []
        for (model, callback), trace in zip(learners, traces, strict=True):
            active.append(model.report_rollout(trace, callback))
            if active[-1]:
                callback.on_rollout_end()
                model._update_current_progress_remaining(model.num_timesteps, total)
                if iteration % log_interval == 0:
                    model.dump_logs(iteration)
                model.prepare_update()
        record = engine.update(active)
        for number, (model, _) in enumerate(learners):
            if active[number]:
                model.log_update(record, number)
        if not all(active):
            learners = list(itertools.compress(learners, active))
            if not learners:
                return
            engine = Engine([model for model, _ in learners])
