"""A folder with one of everything that a command opens, made once and damaged in copies."""

import contextlib
import json
import os
from pathlib import Path

from myopia.agents.runs.run import RunConfig
from myopia.agents.training.train import train
from myopia.cli.main import main
from support.runs import ALGO, Interrupt

STUDY = """title = "Small"
seeds = [0, 1]
probes = ["bait"]
primary = ["longer: foresight"]

[base]
world = "Work"
algo = "{algo}"
total_timesteps = 400

[conditions.plain]

[conditions.longer]
max_epochs = 14
schedule = "linear:cutoff=4,upkeep=0.5"
"""

AGENT = """import numpy as np

def choose(observations):
    return np.full((len(observations), 3), 1 / 3)
"""

COMMANDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "run": (
        ("evaluate", "run", "--json"),
        ("report", "run", "--out", "page.html"),
        ("train", "Work", "--algo", ALGO, "--total-timesteps", "2400", "--out", "run"),
        ("represent", "run", "--out", "inside", "--directions", "3"),
    ),
    "half": (
        ("train", "Work", "--algo", ALGO, "--total-timesteps", "2400", "--out", "half"),
        ("report", "half", "--out", "page.html"),
    ),
    "study": (
        ("study", "study.toml", "--out", "study", "--workers", "1", "--json"),
        ("report", "study", "--out", "page.html"),
        ("evaluate", "study", "--json"),
    ),
    "cadence": (("report", "cadence", "--out", "page.html"), ("evaluate", "cadence", "--json")),
    "population": (
        (
            *("train", "Work", "--algo", ALGO, "--total-timesteps", "800", "--population", "3"),
            *("--interval", "256", "--rank", "epoch", "--out", "population"),
        ),
        ("report", "population", "--out", "page.html"),
    ),
    "study.toml": (("study", "study.toml", "--out", "other", "--workers", "1"),),
    "agent.zip": (("evaluate", "agent.zip", "Work", "--algo", "ppo", "--json"),),
}
"""What stands at the top of the corpus -> the commands that open it."""


def make_corpus(folder: Path) -> Path:
    """Fill `folder`; takes half a minute."""
    before = Path.cwd()
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    try:
        asked = ("train", "Work", "--algo", ALGO, "--total-timesteps", "2400")
        assert main([*asked, "--out", "run"]) == 0
        assert main(["evaluate", "run", "--probe", "bait", "--json"]) == 0
        assert main(["represent", "run", "--directions", "3"]) == 0
        config = RunConfig.read(Path("run"))
        with contextlib.suppress(KeyboardInterrupt):
            train(config, "half", checkpoint_seconds=0, callbacks=[Interrupt(2000)])
        Path("study.toml").write_text(STUDY.format(algo=ALGO), encoding="utf-8")
        assert main(["study", "study.toml", "--out", "study", "--workers", "1", "--json"]) == 0
        assert main([*asked, "--cadence", "--out", "cadence"]) == 0
        assert main(["evaluate", "cadence", "--json"]) == 0
        assert main([*COMMANDS["population"][0]]) == 0
        Path("agent.zip").write_bytes(Path("run/model.zip").read_bytes())
        Path("my_agent.py").write_text(AGENT, encoding="utf-8")
        json.loads(Path("run/evaluation.json").read_text(encoding="utf-8"))
    finally:
        os.chdir(before)
    return folder
