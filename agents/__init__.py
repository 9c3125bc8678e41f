"""Training: Stable-Baselines3 agents in the worlds."""

from myopia.common.search_path import import_libraries

import_libraries("torch", "torch.utils.tensorboard", "stable_baselines3", "sb3_contrib", "polars")
import_libraries("safetensors.torch", "rich.progress", "tqdm.rich")
