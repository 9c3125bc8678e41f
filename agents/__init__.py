"""Training: Stable-Baselines3 agents in the worlds."""

from typing import TYPE_CHECKING

from myopia.common.lazy import lazy_names
from myopia.common.search_path import import_libraries

import_libraries("torch", "torch.utils.tensorboard", "stable_baselines3", "sb3_contrib", "polars")
import_libraries("safetensors.torch", "rich.progress", "tqdm.rich")

if TYPE_CHECKING:
    from myopia.agents.algorithms.base import ALGORITHMS, Algorithm
    from myopia.agents.credit import CreditedRollouts
    from myopia.agents.fast_ppo.parallel import learn_in_parallel
    from myopia.agents.fast_ppo.ppo import FastPPO
    from myopia.agents.monitoring.alarm import Alarm
    from myopia.agents.monitoring.effective_compute import BaselineEquivalentCompute
    from myopia.agents.monitoring.elicitation import Elicitation
    from myopia.agents.monitoring.evaluation_callback import EvaluationCallback
    from myopia.agents.monitoring.learning_curve import LearningCurve
    from myopia.agents.monitoring.schedule import EvaluationSchedule
    from myopia.agents.policies.agent import Agent, RecurrentAgent
    from myopia.agents.policies.sb3_zip import load_sb3_zip
    from myopia.agents.population.population import PopulationConfig, train_population
    from myopia.agents.runs.run import RunConfig, RunFolder
    from myopia.agents.training.checkpoint_callback import DivergedError
    from myopia.agents.training.episode_log import LifetimeCallback
    from myopia.agents.training.parallel import train_many
    from myopia.envs.credit.credit import Credit

_NAMES = {
    "ALGORITHMS": "myopia.agents.algorithms.base:ALGORITHMS",
    "Agent": "myopia.agents.policies.agent:Agent",
    "Alarm": "myopia.agents.monitoring.alarm:Alarm",
    "Algorithm": "myopia.agents.algorithms.base:Algorithm",
    "BaselineEquivalentCompute": (
        "myopia.agents.monitoring.effective_compute:BaselineEquivalentCompute"
    ),
    "Credit": "myopia.envs.credit.credit:Credit",
    "CreditedRollouts": "myopia.agents.credit:CreditedRollouts",
    "DivergedError": "myopia.agents.training.checkpoint_callback:DivergedError",
    "Elicitation": "myopia.agents.monitoring.elicitation:Elicitation",
    "EvaluationCallback": "myopia.agents.monitoring.evaluation_callback:EvaluationCallback",
    "EvaluationSchedule": "myopia.agents.monitoring.schedule:EvaluationSchedule",
    "FastPPO": "myopia.agents.fast_ppo.ppo:FastPPO",
    "LearningCurve": "myopia.agents.monitoring.learning_curve:LearningCurve",
    "LifetimeCallback": "myopia.agents.training.episode_log:LifetimeCallback",
    "PopulationConfig": "myopia.agents.population.population:PopulationConfig",
    "RecurrentAgent": "myopia.agents.policies.agent:RecurrentAgent",
    "RunConfig": "myopia.agents.runs.run:RunConfig",
    "RunFolder": "myopia.agents.runs.run:RunFolder",
    "learn_in_parallel": "myopia.agents.fast_ppo.parallel:learn_in_parallel",
    "load_sb3_zip": "myopia.agents.policies.sb3_zip:load_sb3_zip",
    "train_many": "myopia.agents.training.parallel:train_many",
    "train_population": "myopia.agents.population.population:train_population",
}

__all__ = [
    "ALGORITHMS",
    "Agent",
    "Alarm",
    "Algorithm",
    "BaselineEquivalentCompute",
    "Credit",
    "CreditedRollouts",
    "DivergedError",
    "Elicitation",
    "EvaluationCallback",
    "EvaluationSchedule",
    "FastPPO",
    "LearningCurve",
    "LifetimeCallback",
    "PopulationConfig",
    "RecurrentAgent",
    "RunConfig",
    "RunFolder",
    "learn_in_parallel",
    "load_sb3_zip",
    "train_many",
    "train_population",
]

__getattr__, __dir__ = lazy_names(__name__, _NAMES)
