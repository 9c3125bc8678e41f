"""Maps the root folders `envs/ agents/ superposition/ analysis/ cli/` to `myopia.<folder>`.

Pure TOML cannot put a prefix before discovered packages, and a typed list would silently lose
forgotten ones; everything else stands in `pyproject.toml`.
"""

from setuptools import find_packages, setup

FOLDERS = ["envs", "agents", "superposition", "analysis", "cli"]

setup(
    package_dir={f"myopia.{folder}": folder for folder in FOLDERS},
    packages=[
        f"myopia.{package}"
        for folder in FOLDERS
        for package in find_packages(include=[folder, f"{folder}.*"])
    ],
)
