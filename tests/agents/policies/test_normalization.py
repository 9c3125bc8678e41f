"""Agents that were trained on normalised observations, and zips that are named or written oddly."""

import base64
import contextlib
import io
import json
import logging
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecNormalize

from myopia.agents.policies.normalization import read_normalization
from myopia.agents.policies.safe_pickle import Kept, read_pickle
from myopia.agents.policies.sb3_zip import load_sb3_zip
from myopia.analysis.evaluation.open_subject import evaluate_subject, open_subject
from myopia.cli.main import main
from myopia.envs import make_sb3, make_world


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model that saw normalised observations, and what was saved of it."""
    folder = tmp_path_factory.mktemp("normalised")
    env = VecNormalize(make_sb3("Investment", 4, seed=0), clip_obs=1.5)
    model = PPO("MlpPolicy", env, n_steps=64, batch_size=64, seed=0, device="cpu")
    model.learn(512)
    model.save(folder / "agent.zip")
    env.save(str(folder / "normal.pkl"))
    return model, env, folder


def observations() -> np.ndarray:
    return np.random.default_rng(0).random((9, 18)).astype(np.float32)


@pytest.mark.parametrize("trust", [False, True])
def test_what_it_sees_goes_through_the_statistics(trained, trust: bool) -> None:
    model, env, folder = trained
    world = make_world("Investment")
    agent = load_sb3_zip(folder / "agent.zip", "ppo", world, trust, folder / "normal.pkl")
    seen = torch.as_tensor(env.normalize_obs(observations()), dtype=torch.float32)
    expected = model.policy.get_distribution(seen).distribution.probs.detach()
    np.testing.assert_allclose(agent(observations()), expected.numpy(), atol=1e-7)
    plain = load_sb3_zip(folder / "agent.zip", "ppo", world, trust)
    assert np.abs(plain(observations()) - agent(observations())).max() > 1e-3


@pytest.mark.parametrize("trust", [False, True])
def test_a_zip_that_looks_so_is_told(trained, trust: bool, caplog, tmp_path) -> None:
    _, _, folder = trained
    world = make_world("Investment")
    with caplog.at_level(logging.WARNING):
        load_sb3_zip(folder / "agent.zip", "ppo", world, trust)
    assert "--vecnormalize FILE" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        load_sb3_zip(folder / "agent.zip", "ppo", world, trust, folder / "normal.pkl")
        model = PPO("MlpPolicy", make_sb3(world, 4, seed=0), n_steps=64, batch_size=64)
        model.learn(64)
        model.save(tmp_path / "plain.zip")
        load_sb3_zip(tmp_path / "plain.zip", "ppo", world, trust)
    assert "--vecnormalize" not in caplog.text


def test_statistics_of_other_things_are_refused(trained, tmp_path) -> None:
    _, env, folder = trained
    with pytest.raises(ValueError, match=r"its mean has the shape \(18,\), expected \(7,\)"):
        read_normalization(folder / "normal.pkl", 7)
    cases = {
        "no pickle": b"abc",
        "another thing": pickle.dumps({"norm_obs": True}),
        "cut": (folder / "normal.pkl").read_bytes()[:-40],
        "empty": b"",
        "a list": pickle.dumps([1, 2]),
    }
    for name, data in cases.items():
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(ValueError, match="no statistics of VecNormalize") as caught:
            read_normalization(path, 18)
        assert "\n" not in str(caught.value)
    env.norm_obs = False
    env.save(str(tmp_path / "rewards only.pkl"))
    env.norm_obs = True
    assert read_normalization(tmp_path / "rewards only.pkl", 18) is None
    with pytest.raises(OSError, match="nowhere"):
        read_normalization(tmp_path / "nowhere", 18)


class Runs:
    """Whatever a pickle may call as it is opened."""

    def __init__(self, what, *args) -> None:
        self.what, self.args = what, args

    def __reduce__(self):
        return self.what, self.args


@pytest.mark.parametrize(
    "hostile",
    [
        Runs(os.system, "touch ran"),
        Runs(eval, "open('ran', 'w')"),
        Runs(exec, "open('ran', 'w')"),
        Runs(getattr, "os", "system"),
        Runs(np.load, "ran"),
        Runs(Path.touch, Path("ran")),
    ],
)
def test_nothing_in_a_pickle_is_run(hostile, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        found = read_pickle(pickle.dumps([hostile, 3], protocol))
        assert isinstance(found[0], Kept)
        assert found[1] == 3
    assert not list(tmp_path.iterdir())


def test_an_array_is_no_larger_than_it_may_be() -> None:
    data = pickle.dumps(np.zeros(3))
    huge = data.replace(b"K\x03\x85", b"J\xff\xff\xff\x7f\x85", 1)
    assert huge != data
    with pytest.raises(ValueError, match="damaged, or no pickle"):
        read_pickle(huge)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_a_pickle_or_told(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        read_pickle(data)


@settings(max_examples=40, deadline=None)
@given(shape=st.lists(st.integers(0, 4), min_size=1, max_size=3), protocol=st.integers(3, 5))
def test_arrays_come_back_as_they_were(shape: list[int], protocol: int) -> None:
    for dtype in (np.float32, np.float64, np.int64, bool):
        array = np.random.default_rng(0).random(shape).astype(dtype)
        np.testing.assert_array_equal(read_pickle(pickle.dumps(array, protocol)), array)


def rewritten(path: Path, out: Path, **members) -> Path:
    """The zip with some members made anew from what they were."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, members.get(name.partition(".")[0], lambda same: same)(data))
    return out


def old_format(data: bytes) -> bytes:
    weights, out = torch.load(io.BytesIO(data), weights_only=True), io.BytesIO()
    torch.save(weights, out, _use_new_zipfile_serialization=False)
    return out.getvalue()


def test_the_format_before_torch_1_6_is_read(trained, tmp_path) -> None:
    _, _, folder = trained
    old = rewritten(folder / "agent.zip", tmp_path / "old.zip", policy=old_format)
    one, other = (
        load_sb3_zip(path, "ppo", make_world("Investment")) for path in (folder / "agent.zip", old)
    )
    np.testing.assert_array_equal(one(observations()), other(observations()))
    for damage in (lambda data: old_format(data)[:200], lambda data: b"PK" + data[2:90]):
        bad = rewritten(folder / "agent.zip", tmp_path / "bad.zip", policy=damage)
        with pytest.raises(ValueError, match=r"bad\.zip"):
            load_sb3_zip(bad, "ppo", make_world("Investment"))
    hostile = pickle.dumps(Runs(os.system, "touch " + str(tmp_path / "ran")))
    bad = rewritten(folder / "agent.zip", tmp_path / "bad.zip", policy=lambda data: hostile)
    with pytest.raises(ValueError, match="nothing in it was run"):
        load_sb3_zip(bad, "ppo", make_world("Investment"))
    assert not (tmp_path / "ran").exists()


def test_a_hint_that_cannot_be_read_is_none(trained, tmp_path) -> None:
    _, _, folder = trained

    def spoilt(data: bytes) -> bytes:
        entries = json.loads(data)
        entries["_last_obs"][":serialized:"] = base64.b64encode(b"cno\nmore\n.").decode() + "=="
        return json.dumps(entries).encode()

    path = rewritten(folder / "agent.zip", tmp_path / "spoilt.zip", data=spoilt)
    assert load_sb3_zip(path, "ppo", make_world("Investment"))(observations()).shape == (9, 3)


@pytest.mark.parametrize("name", ["agent", "agent.model", "agent.zip.1", "agent.v1.zip"])
def test_a_zip_is_known_by_what_it_is(trained, name: str, tmp_path) -> None:
    _, _, folder = trained
    shutil.copy(folder / "agent.zip", tmp_path / name)
    opened = open_subject(tmp_path / name, "Investment", algo="ppo")
    assert opened.name == name
    with pytest.raises(ValueError, match="needs the world and the algorithm"):
        open_subject(str(tmp_path / name))
    found = open_subject(str(folder / "agent"), "Investment", algo="ppo")  # SB3 adds the suffix
    assert found.name == "agent.zip"
    with pytest.raises(ValueError, match="are for a zip"):
        open_subject(str(folder / "normal.pkl"), "Investment", algo="ppo")


def test_by_command_and_in_python(trained, capsys) -> None:
    _, _, folder = trained
    zipped, statistics = str(folder / "agent.zip"), str(folder / "normal.pkl")
    evaluation, _ = evaluate_subject(zipped, "Investment", algo="ppo", vecnormalize=statistics)
    words = ["evaluate", zipped, "Investment", "--algo", "ppo", "--vecnormalize", statistics]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["return"] == evaluation.json()["return"]
    assert main(["evaluate", "random", "Investment", "--vecnormalize", statistics]) == 2
    assert "are for a zip" in capsys.readouterr().err
