"""Run folders that something happened to: damage, kills, other processes, read-only disks."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from stable_baselines3.common.callbacks import BaseCallback
from support.runs import copied, forged, interrupted, tiny

from myopia.agents.runs.checkpoint import load_checkpoint
from myopia.agents.runs.run import RunFolder
from myopia.agents.training import train as training
from myopia.agents.training.parallel import train_many
from myopia.agents.training.train import train
from myopia.analysis.evaluation.evaluate_run import evaluate_run
from myopia.common.files import locked, read_json, rewrite_json, sweep, write_text

STATE = "checkpoint/state.safetensors"


@pytest.fixture(scope="module")
def half(tmp_path_factory) -> Path:
    """A run of PPO that was interrupted; copies of it are damaged."""
    return interrupted(tmp_path_factory.mktemp("half") / "run")


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> bytes:
    """The weights of the run that nobody interrupted."""
    folder = train(tiny(), tmp_path_factory.mktemp("whole") / "run")
    return (folder / "weights.safetensors").read_bytes()


def fresh_model():
    config = tiny()
    env = config.settings.env(config.make_world(), config.credit_mode, 0)
    return config, config.settings.build(env, config.credit_mode, 0, "cpu", None)


def refused(path: Path) -> str:
    """The sentence with which a checkpoint is refused; the model is as it was before."""
    config, model = fresh_model()
    before = {name: value.clone() for name, value in model.policy.state_dict().items()}
    with pytest.raises(ValueError) as caught:
        load_checkpoint(path, model, (config.id,))
    for name, value in model.policy.state_dict().items():
        assert (value == before[name]).all()
    assert model.num_timesteps == 0
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 700
    assert str(path) in text
    return text


def test_any_byte_is_noticed(half: Path, tmp_path: Path) -> None:
    good = (half / STATE).read_bytes()
    rng, path = np.random.default_rng(0), tmp_path / "state.safetensors"
    places = {*range(0, 64, 3), *rng.integers(0, len(good), 60).tolist(), len(good) - 1}
    for place in places:
        bad = bytearray(good)
        bad[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(bad)
        assert "is damaged" in refused(path)
    for length in (0, 1, 8, 100, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:length])
        assert "is damaged" in refused(path)
    path.write_bytes(good + b"\0")
    assert "is damaged" in refused(path)


def without(prefix: str):
    def change(facts, arrays):
        for name in [name for name in arrays if name.startswith(prefix)]:
            del arrays[name]

    return change


def with_array(name: str, function):
    def change(facts, arrays):
        arrays[name] = function(arrays[name])

    return change


def with_fact(*path: str, value):
    def change(facts, arrays):
        where = facts
        for key in path[:-1]:
            where = where[key]
        where[path[-1]] = value

    return change


FORGERIES = {
    "no optimiser": (without("optimizer/"), "optimizer/0/step is missing"),
    "half an optimiser": (without("optimizer/3/exp_avg_sq"), "optimizer/3/exp_avg_sq is missing"),
    "no lifetimes": (without("env/"), "key is missing"),
    "no weights": (without("policy/"), "is missing"),
    "a generator less": (without("generator/python"), "generator/python is missing"),
    "another kind": (with_array("last/obs", lambda x: x.astype(float)), "last/obs is float64"),
    "another shape": (
        with_array("env/cell", lambda x: x[:-1].copy()),
        "cell is int64 of the shape (3,)",
    ),
    "a cell beyond": (
        with_array("env/cell", lambda x: x * 0 + 10**9),
        "cell lies outside",
    ),
    "a negative cell": (
        with_array("env/cell", lambda x: x * 0 - 1),
        "cell lies outside",
    ),
    "one more": (
        lambda facts, arrays: arrays.update({"policy/more": np.zeros(2)}),
        "nothing is expected under the name 'policy/more'",
    ),
    "a buffer": (
        lambda facts, arrays: arrays.update({"buffer/rows": np.zeros((3, 4))}),
        "steps that wait have the columns rows",
    ),
    "episodes": (with_fact("episodes", value=[{"r": "x", "l": 1}]), "episodes are no list"),
    "the generator": (with_fact("action_space", value={"a": 1}), "the generator of actions"),
    "numpy's place": (with_fact("numpy", value=10**6), "expected 0..624"),
    "counters": (with_fact("counters", value=[1]), "it has no counters"),
    "not finite": (with_fact("counters", "ent_coef", value=float("nan")), "counter 'ent_coef'"),
    "extra": (with_fact("extra", value=None), "how long the training took"),
    "the run": (with_fact("run", value=["x"]), "it names no run"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_what_is_not_what_would_be_written_is_refused(
    name: str, half: Path, tmp_path: Path
) -> None:
    change, said = FORGERIES[name]
    path = copied(half, tmp_path / "run") / STATE
    forged(path, change)
    assert said in refused(path)
    with pytest.raises(ValueError, match="is damaged"):
        train(tiny(), tmp_path / "run")


def test_a_forgery_that_changes_nothing_is_none(half: Path, tmp_path: Path, whole: bytes) -> None:
    folder = copied(half, tmp_path / "run")
    forged(folder / STATE, lambda facts, arrays: None)
    train(tiny(), folder)
    assert (folder / "weights.safetensors").read_bytes() == whole


def test_the_checksum_cannot_be_left_out(half: Path, tmp_path: Path) -> None:
    """But in folders of format 1, which had none."""
    from safetensors import safe_open
    from safetensors.numpy import save_file

    folder = copied(half, tmp_path / "run")
    with safe_open(folder / STATE, framework="numpy") as file:
        facts = file.metadata()["facts"]
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(arrays, folder / STATE, metadata={"facts": facts})
    assert "its checksum is not" in refused(folder / STATE)


@pytest.mark.parametrize("damage", ["gone", "another", "grown"])
def test_lifetimes_of_the_run_are_checked(damage: str, half: Path, tmp_path: Path) -> None:
    folder = copied(half, tmp_path / "run")
    parts = sorted((folder / "checkpoint" / "episodes").iterdir())
    if damage == "gone":
        parts[0].unlink()
    elif damage == "another":
        pl.read_parquet(parts[0]).with_columns(pl.col("reward") + 1).write_parquet(parts[0])
    else:
        parts[0].write_bytes(parts[0].read_bytes() + b"x")
    with pytest.raises(ValueError, match=f"{parts[0].name} is missing or damaged: delete"):
        train(tiny(), folder)


def test_parts_after_the_checkpoint_are_not_counted(half: Path, tmp_path: Path) -> None:
    folder = copied(half, tmp_path / "run")
    expected = pl.read_parquet(train(tiny(), tmp_path / "whole") / "episodes.parquet")
    parts = sorted((folder / "checkpoint" / "episodes").iterdir())
    shutil.copy(parts[0], parts[0].with_name("000000009999.parquet"))
    train(tiny(), folder)
    assert pl.read_parquet(folder / "episodes.parquet").equals(expected)
    assert not (folder / "checkpoint" / "episodes").exists()


def test_a_kill_before_the_run_is_done_loses_nothing(
    tmp_path: Path, whole: bytes, monkeypatch
) -> None:
    """What a run goes on from is removed only after run.json says that it is done."""
    record = RunFolder._record

    def killed(self, status, *arguments):
        if status == "done":
            raise KeyboardInterrupt
        record(self, status, *arguments)

    monkeypatch.setattr(RunFolder, "_record", killed)
    with pytest.raises(KeyboardInterrupt):
        train(tiny(), tmp_path, checkpoint_seconds=0)
    assert (tmp_path / STATE).exists()
    monkeypatch.undo()
    steps: list[int] = []

    class Count(BaseCallback):
        def _on_step(self) -> bool:
            steps.append(self.num_timesteps)
            return True

    train(tiny(), tmp_path, callbacks=[Count()])
    assert 0 < len(steps) < 200, "only what came after the last checkpoint is trained again"
    assert (tmp_path / "weights.safetensors").read_bytes() == whole
    assert not (tmp_path / STATE).exists()


@pytest.mark.parametrize("again", [train, lambda one, out: train_many([one], [out])])
def test_what_a_run_went_on_from_goes_though_a_kill_came_after_it_was_done(
    again, tmp_path: Path, monkeypatch
) -> None:
    def killed(folder: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "clear", killed)
    with pytest.raises(KeyboardInterrupt):
        train(tiny(), tmp_path, checkpoint_seconds=0)
    assert read_json(tmp_path / "run.json")["status"] == "done"
    assert (tmp_path / STATE).exists()
    assert (tmp_path / "checkpoint" / "episodes").exists()
    monkeypatch.undo()
    again(tiny(), tmp_path)
    assert [path.name for path in (tmp_path / "checkpoint").iterdir()] == ["weights"]


def test_two_processes_do_not_train_in_one_folder(tmp_path: Path) -> None:
    with (
        locked(tmp_path),
        pytest.raises(ValueError, match="is being written to by another process"),
    ):
        train(tiny(), tmp_path)
    train(tiny(), tmp_path)
    assert read_json(tmp_path / "run.json")["status"] == "done"


PROGRAM = """
import sys
from support.runs import tiny
sys.argv = ["myopia", "train", "Work", "--total-timesteps", "100000000", "--out", sys.argv[1]]
from myopia.cli.main import main
sys.exit(main())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_its_cause(number: int, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "run")],
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:
        for _ in range(600):
            if (tmp_path / "run" / "checkpoint" / "weights").exists():
                break
            time.sleep(0.1)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == (130 if number == signal.SIGINT else 143)
    assert said.decode().splitlines()[-1].startswith("myopia: interrupted")
    record = read_json(tmp_path / "run" / "run.json")
    assert (record["status"], record["cause"]) == ("interrupted", "the same command goes on")


def test_a_folder_that_is_renamed_stops_its_run(tmp_path: Path) -> None:
    class Rename(BaseCallback):
        def _on_step(self) -> bool:
            if self.num_timesteps > 1000 and (tmp_path / "run").exists():
                (tmp_path / "run").rename(tmp_path / "other")
            return True

    with pytest.raises(ValueError, match="was renamed or removed while its run was trained"):
        train(tiny(), tmp_path / "run", checkpoint_seconds=0, callbacks=[Rename()])
    assert not (tmp_path / "run").exists()


def test_what_a_kill_left_is_swept(half: Path, tmp_path: Path) -> None:
    folder = copied(half, tmp_path / "run")
    litter = folder / "checkpoint" / ".state.safetensors.ab12_xyz.safetensors"
    litter.write_bytes(b"half")
    mine = folder / ".notes"
    mine.write_text("mine")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    theirs = folder / f".evaluation.json.{gone.pid}-ab12_xyz.json"
    being_written = folder / f".evaluation.json.{os.getpid()}-ab12_xyz.json"
    for path in (theirs, being_written):
        path.write_bytes(b"half")
    sweep(folder)
    assert not litter.exists()
    assert not theirs.exists()
    assert being_written.exists()
    assert mine.read_text() == "mine"
    litter.write_bytes(b"half")
    train(tiny(), folder)
    assert not litter.exists()


def test_an_evaluation_that_was_killed_leaves_nothing(half: Path, tmp_path: Path) -> None:
    folder = train(tiny(), copied(half, tmp_path / "run"))
    litter = folder / ".evaluation.json.ab12_xyz.json"
    litter.write_text("half")
    others = folder / ".notes.json.ab12_xyz.json"
    others.write_text("of somebody who writes it now")
    evaluate_run(folder)
    assert not litter.exists()
    assert others.exists()


def test_files_may_be_rewritten_by_several_at_once(tmp_path: Path) -> None:
    path = tmp_path / "file.json"

    def write(number: int) -> None:
        for _ in range(50):
            rewrite_json(path, [number] * 1000)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for one in writers:
        one.start()
    for one in writers:
        one.join(60)
    found = read_json(path)
    assert len(found) == 1000
    assert len(set(found)) == 1
    assert [one.name for one in tmp_path.iterdir()] == ["file.json"]


WRITER = """
import sys, numpy
from safetensors.numpy import save_file
arrays = {"a": numpy.zeros(30_000_000)}
print("ready", flush=True)
while True:
    save_file(arrays, sys.argv[1])
"""


def test_what_safetensors_leaves_when_it_is_killed_is_swept(tmp_path: Path) -> None:
    """It fills a file of its own, under a name of its own, beside the one that it was given."""
    path = tmp_path / "state.safetensors"
    for _ in range(20):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.05)
            process.kill()
        if [one for one in tmp_path.iterdir() if one != path]:
            break
    sweep(tmp_path)
    assert [one for one in tmp_path.iterdir() if one != path] == []


def test_no_thread_is_left(tmp_path: Path) -> None:
    train(tiny(), tmp_path / "0")
    before = threading.active_count()
    for number in range(1, 4):
        train(tiny(seed=number), tmp_path / str(number))
    assert threading.active_count() <= before


def test_the_users_mask_is_kept(tmp_path: Path) -> None:
    code = (
        "import os, sys; os.umask(0o027)\n"
        "from pathlib import Path\n"
        "from myopia.common.files import write_text\n"
        "write_text(Path(sys.argv[1]), 'x')\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "file")], check=True)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


@pytest.fixture
def read_only(monkeypatch):
    """A disk on which nothing can be written; the tests may run as root, whom no mode stops."""

    def refuse(*arguments, **settings):
        raise OSError(30, "Read-only file system")

    def begin():
        monkeypatch.setattr("tempfile.mkstemp", refuse)
        monkeypatch.setattr(Path, "mkdir", refuse)

    return begin


def test_a_finished_run_on_a_read_only_disk(tmp_path: Path, read_only) -> None:
    folder = train(tiny(), tmp_path / "run")
    read_only()
    assert train(tiny(), folder) == folder
    evaluation, _ = evaluate_run(folder)
    assert evaluation.measures["return"] is not None
    with pytest.raises(OSError, match="Read-only"):
        write_text(tmp_path / "x", "y")


def test_the_state_of_a_callback_is_checked(tmp_path: Path) -> None:
    class Keeps(BaseCallback):
        def _on_step(self) -> bool:
            return True

        def state(self):
            return {"seen": 3}

        def restore(self, state):
            self.seen = state["seen"] + 1

    class Stop(Keeps):
        def _on_step(self) -> bool:
            if self.num_timesteps > 1500:
                raise KeyboardInterrupt
            return True

    with pytest.raises(KeyboardInterrupt):
        train(tiny(), tmp_path, checkpoint_seconds=0, callbacks=[Stop()])
    forged(tmp_path / STATE, with_fact("extra", "callbacks", value={"Keeps": {"seen": "x"}}))
    with pytest.raises(ValueError, match="the state of Keeps"):
        train(tiny(), tmp_path, callbacks=[Keeps()])
    assert training.CHECKPOINT_SECONDS == 30
    assert json.loads((tmp_path / "run.json").read_text())["format"] == 2
