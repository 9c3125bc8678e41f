"""Imports torch and Stable-Baselines3 safely, before the modules that need them do."""

from myopia.common.search_path import import_libraries

import_libraries("torch", "torch.utils.tensorboard", "stable_baselines3")
