"""Population-based training (arXiv 1711.09846): selection between learners, as an outer loop.

Selection on what an epoch pays looks across epochs even where no learner does: who inherits a good
state from its own past scores better (arXiv 2009.09153).
"""

import contextlib
import copy
import dataclasses
import logging
import math
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.utils import LinearSchedule

from myopia.agents.fast_ppo.rollout_callback import RolloutCallback
from myopia.agents.population.fitness import RANKS, Fitness
from myopia.agents.population.lockstep import Lockstep
from myopia.agents.population.selection import Selection, SelectionLog
from myopia.agents.population.swapping import SharedWorlds
from myopia.agents.runs.checkpoint import load_checkpoint, save_checkpoint
from myopia.agents.runs.run import RunConfig, RunFolder
from myopia.agents.training.checkpoint_callback import RunCheckpointCallback
from myopia.agents.training.device import choose_device
from myopia.agents.training.episode_log import LifetimeCallback, LifetimeLog
from myopia.agents.training.rng_state import preserve_rng_state
from myopia.agents.training.train import CHECKPOINT_SECONDS, clear, close_logger, finish, learn
from myopia.common import specs
from myopia.common.errors import check_at_least, check_choice
from myopia.common.files import (
    TEMPORARY,
    read_json,
    read_object,
    reading,
    rewrite_json,
    write_json,
)
from myopia.common.links import check_default, check_links
from myopia.common.search_path import safe_imports
from myopia.envs import World

logger = logging.getLogger(__name__)


MOST_MEMBERS = 1000
"""Each is a model and a thread."""


@dataclasses.dataclass(frozen=True)
class PopulationConfig:
    """A population: member i is `run` with its seed plus i.

    Every `interval` steps of each member the worst `share` copy weights, optimiser and learning
    rate of a uniform member of the best `share`; then every learning rate is multiplied by 1.2 or
    0.8. `rank` is what they are ranked on, and `swap` is context swapping. `spread` is the standard
    deviation of what each member's action logits are shifted by at the start: SB3's fresh policies
    are all nearly uniform, and selection among equals selects nothing.
    """

    run: RunConfig
    members: int = 8
    rank: str = "epoch"
    interval: int = 10_240
    share: float = 0.2
    swap: bool = False
    spread: float = 0.0

    def __post_init__(self) -> None:
        check_choice("rank", self.rank, RANKS)
        if not 2 <= self.members <= MOST_MEMBERS:
            raise ValueError(
                f"a population needs at least 2 members, and at most {MOST_MEMBERS}, got "
                f"{self.members}"
            )
        check_at_least(self, interval=1, spread=0)
        if self.swap and self.run.credit != "lifetime" and self.run.settings.greedy:
            raise ValueError(
                f"{self.run.algorithm} is told of boundaries by its env, which --swap exchanges: "
                f"expected credit lifetime or an on-policy algorithm, got credit {self.run.credit}"
            )
        if self.spread and self.run.settings.greedy:
            raise ValueError(f"spread shifts logits, and {self.run.algorithm} has none: expected 0")
        if not 0 < self.share <= 0.5:
            raise ValueError(f"share must lie above 0 and at most .5, got {self.share}")

    def member(self, index: int) -> RunConfig:
        """The config of one member."""
        return dataclasses.replace(self.run, seed=self.run.seed + index)

    @property
    def id(self) -> str:
        """The run's, and how it is selected."""
        return f"{self.run.id}{self._selected}"

    @property
    def default_folder(self) -> Path:
        """`runs/<id>`, or the folder of the population under its old id where there is one.

        Raises ValueError where it is a link.
        """
        old = Path("runs") / f"{self.run.old_id}{self._selected}"
        return check_default(old if old.exists() else Path("runs") / self.id)

    @property
    def _selected(self) -> str:
        swap = "-swap" if self.swap else ""
        return f"-{self.members}x-{self.rank}-{self.interval}{swap}"

    @staticmethod
    def of(values: Any) -> "PopulationConfig | None":
        """From the JSON of one; None where it is none."""
        try:
            return PopulationConfig(**{**values, "run": RunConfig(**values["run"])})
        except (TypeError, KeyError, ValueError):
            return None


FACTORS = (1.2, 0.8)
"""After each selection a learning rate is multiplied by one of these (arXiv 2009.09153)."""


@safe_imports()
def train_population(
    config: PopulationConfig,
    out: str | Path | None = None,
    device: str = "auto",
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> Path:
    """Train the members in lock step into `out`/member-00 and so on, each an ordinary run folder.

    `selection.json` tells every selection. A finished population is left as it is; an interrupted
    one goes on from its last checkpoint, which is written between two rounds, `interval` steps
    apart. Raises ValueError for a folder that holds another one, or a damaged checkpoint.
    """
    world = config.run.make_world()
    chosen, why = choose_device(device, config.run.settings)
    logger.info("device %s: %s", chosen, why)
    folder = config.default_folder if out is None else Path(out)
    asked = dataclasses.asdict(config)
    check_links(folder)
    record = folder / "population.json"
    if record.exists() and PopulationConfig.of(read_json(record)) != config:
        raise ValueError(f"{folder} holds another population, expected a new folder")
    folders = [
        RunFolder(folder / f"member-{index:02d}", config.member(index))
        for index in range(config.members)
    ]
    if (folder / "checkpoint" / "state.json").exists():
        for one in folders:
            one.check_numerics()
    rewrite_json(record, asked)
    if all(one.done for one in folders):
        logger.info("%s is done already", folder)
    else:
        with preserve_rng_state():
            _Population(config, folder, folders, world, chosen, checkpoint_seconds).train()
    remove_checkpoint(folder / "checkpoint")
    for one in folders:
        clear(one.path)
    return folder


class _Population:
    def __init__(
        self,
        config: PopulationConfig,
        path: Path,
        folders: list[RunFolder],
        world: World,
        device: str,
        checkpoint_seconds: float,
    ) -> None:
        self.config, self.folders, self.device = config, folders, device
        self.log, self.lockstep = SelectionLog(path / "selection.json"), Lockstep()
        self.kept, self.seconds = path / "checkpoint", checkpoint_seconds
        self.generator = np.random.default_rng(config.run.seed)
        settings, credit = config.run.settings, config.run.credit_mode
        shared = None
        if config.swap:
            shared = SharedWorlds(
                world, config.members, settings.num_envs, config.run.seed, self.lockstep
            )
        self.models: list[Any] = []
        self.scores, self.lifetimes, self.callbacks = [], [], []
        for index, one in enumerate(folders):
            seed = one.config.seed
            env = settings.env(world, credit, seed) if shared is None else shared.view(index)
            logs = one.path / "tensorboard"
            self.models.append(settings.build(env, credit, seed, device, logs))
            _shift(self.models[-1].policy, config.spread, self.generator)
            self.scores.append(Fitness(config.rank))
            self.lifetimes.append(LifetimeLog(one.path / "episodes.parquet", world.max_epochs))
            checkpoint_callback = RunCheckpointCallback(one.path, float("inf"), lambda: None)
            self.callbacks.append(
                [
                    checkpoint_callback,
                    LifetimeCallback(self.lifetimes[-1]),
                    self.scores[-1],
                    _Pause(self),
                ]
            )
        self.rates = [float(settings.learning_rate)] * config.members  # type: ignore[attr-defined]
        self.earlier = [0.0] * config.members  # seconds that an interrupted training took
        if (self.kept / "state.json").exists():
            self._resume()
        self._written = time.monotonic()

    def train(self) -> None:
        """All members, to the end."""
        try:
            self.lockstep.run(
                [lambda index=index: self._member(index) for index in range(len(self.models))]
            )
        except BaseException:
            self.log.write()
            raise

    def _member(self, index: int) -> None:
        folder, model, callbacks = self.folders[index], self.models[index], self.callbacks[index]
        with folder.recorded(self.device):
            folder.add_seconds(self.earlier[index])
            try:
                learn(model, self.config.run.steps, callbacks)
                finish(folder.path, model, callbacks[0], self.lifetimes[index])
                self.log.write()  # what is done is not asked again: the log is there before
            finally:
                close_logger(model)

    def between_rounds(self, timesteps: int) -> None:
        """Every member waits after as many steps: select, and keep what must not be lost."""
        if self.config.rank != "none":
            self.select(timesteps)
        if time.monotonic() - self._written >= self.seconds:
            self._checkpoint(timesteps)
            self._written = time.monotonic()

    def _checkpoint(self, timesteps: int) -> None:
        """Keep all members as they are; the files of a round count once `state.json` names it."""
        for index, (one, model) in enumerate(zip(self.folders, self.models, strict=True)):
            one.check_place()
            extra = {
                "episodes": self.lifetimes[index].checkpoint(timesteps),
                "seconds": one.seconds(),
                "looked": self.callbacks[index][0].looked,
                "score": self.scores[index].state(),
            }
            save_checkpoint(self._member_file(timesteps, index), model, one.config.id, extra)
        self.log.write()
        state = {
            "population": dataclasses.asdict(self.config),
            "timesteps": timesteps,
            "rates": self.rates,
            "generator": self.generator.bit_generator.state,
        }
        write_json(self.kept / "state.json", state)
        _remove_rounds(self.kept, but=self._member_file(timesteps, 0).parent.name)

    def _resume(self) -> None:
        state = read_object(self.kept / "state.json")
        with reading(self.kept / "state.json", f"delete {self.kept} to train from the start"):
            self._go_on(state)

    def _go_on(self, state: dict[str, Any]) -> None:
        if PopulationConfig.of(state.get("population")) != self.config:
            raise ValueError(
                f"{self.kept} is of another population: delete it to train from the start"
            )
        timesteps = specs.convert(state["timesteps"], int, "timesteps")
        rates = [specs.convert(rate, float, "rate") for rate in state["rates"]]
        if len(rates) != len(self.models) or not all(math.isfinite(r) and r > 0 for r in rates):
            raise ValueError(f"its rates are {str(rates)[:80]}, expected one for each member")
        for index, (one, model) in enumerate(zip(self.folders, self.models, strict=True)):
            file = self._member_file(timesteps, index)
            extra = load_checkpoint(
                file,
                model,
                (one.config.id, one.config.old_id),
                whole=self.kept,
            )
            self.lifetimes[index].restore(extra.get("episodes"), timesteps)
            self.earlier[index] = extra["seconds"]
            self.scores[index].restore(extra["score"])
            checkpoint_callback, *_, pause = self.callbacks[index]
            checkpoint_callback.looked, pause.selected = extra["looked"], timesteps
        self.log.read(timesteps)
        self.generator.bit_generator.state = state["generator"]
        self._set_rates(rates)
        logger.info("%s goes on after %d steps of each member", self.kept.parent, timesteps)

    def _member_file(self, timesteps: int, index: int) -> Path:
        return self.kept / f"{timesteps:012d}" / f"member-{index:02d}.safetensors"

    def _set_rates(self, rates: list[float]) -> None:
        self.rates = rates
        for model, rate in zip(self.models, rates, strict=True):
            _set_rate(model, rate)

    def select(self, timesteps: int) -> None:
        """Replace the worst by the best, then vary every learning rate."""
        scores = [score.take() for score in self.scores]
        count = max(1, round(self.config.share * len(scores)))
        if any(score is None for score in scores):
            return  # somebody has finished nothing yet: there is no ranking
        order = self.generator.permutation(len(scores))  # ties are broken at random
        order = order[np.argsort(np.array(scores, dtype=float)[order], kind="stable")]
        best = order[-count:]
        copied = {int(loser): int(self.generator.choice(best)) for loser in order[:count]}
        for loser, winner in copied.items():
            source, target = self.models[winner].policy, self.models[loser].policy
            target.load_state_dict(source.state_dict())
            # a copy: torch would let both optimisers go on with the same moments
            target.optimizer.load_state_dict(copy.deepcopy(source.optimizer.state_dict()))
            self.rates[loser] = self.rates[winner]
        self._set_rates([rate * float(self.generator.choice(FACTORS)) for rate in self.rates])
        picked = sorted(int(index) for index in best)
        rates = list(self.rates)
        self.log.add(Selection(timesteps, self.config.rank, scores, picked, copied, rates))


ROUND = re.compile(r"\d{12}")
MEMBER = re.compile(r"member-\d{2,}\.safetensors")
"""Folders and files of a population's checkpoint."""


def remove_checkpoint(kept: Path) -> None:
    """Remove what `_Population` wrote into its checkpoint, and the folder if nothing else is in it.

    What others put there stays, and links are not followed.
    """
    if kept.is_symlink() or not kept.is_dir():
        return
    (kept / "state.json").unlink(missing_ok=True)
    _remove_files(kept, TEMPORARY)
    _remove_rounds(kept)
    _remove_empty(kept)


def _remove_rounds(kept: Path, but: str | None = None) -> None:
    for old in kept.iterdir():
        if old.name == but or not ROUND.fullmatch(old.name) or old.is_symlink() or old.is_file():
            continue
        _remove_files(old, MEMBER)
        _remove_files(old, TEMPORARY)
        _remove_empty(old)


def _remove_files(folder: Path, names: re.Pattern[str]) -> None:
    for file in folder.iterdir():
        if names.fullmatch(file.name) and not file.is_dir():
            file.unlink()


def _remove_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):  # it holds what is not ours
        folder.rmdir()


class _Pause(RolloutCallback):
    """Waits for the other members between rollouts; the first of them then acts for all."""

    def __init__(self, population: _Population) -> None:
        super().__init__()
        self.population, self.selected = population, 0

    def _on_rollout_start(self) -> None:
        population = self.population
        if self.num_timesteps - self.selected < population.config.interval:
            return
        self.selected = self.num_timesteps
        population.lockstep.wait()
        if self.model is population.models[0]:
            population.between_rounds(self.num_timesteps)


def _shift(policy: Any, spread: float, generator: np.random.Generator) -> None:
    """Add normal noise to the bias of every action logit; none, and no draw, where it is 0."""
    if spread:
        with torch.no_grad():
            bias = policy.action_net.bias
            noise = generator.normal(scale=spread, size=len(bias))
            bias += torch.as_tensor(noise, dtype=bias.dtype, device=bias.device)


def _set_rate(model: BaseAlgorithm, rate: float) -> None:
    annealed = isinstance(model.learning_rate, LinearSchedule)
    model.learning_rate = LinearSchedule(rate, 0.0, 1.0) if annealed else rate
    model._setup_lr_schedule()
