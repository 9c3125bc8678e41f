"""Maps `front/` to the package `myopia`, and `envs/ agents/ ...` to `myopia.<folder>`.

Pure TOML cannot put a prefix before discovered packages, and a typed list would silently lose
forgotten ones; everything else stands in `pyproject.toml`.
"""

from setuptools import find_packages, setup

FOLDERS = ["envs", "agents", "superposition", "analysis", "cli"]

setup(
    package_dir={"myopia": "front", **{f"myopia.{folder}": folder for folder in FOLDERS}},
    packages=[
        "myopia",
        *(f"myopia.{package}" for package in find_packages("front")),
        *(
            f"myopia.{package}"
            for folder in FOLDERS
            for package in find_packages(include=[folder, f"{folder}.*"])
        ),
    ],
)
