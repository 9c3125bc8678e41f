"""A stranger's agent: opened without running anything, or refused in one sentence."""

import base64
import contextlib
import inspect
import io
import json
import pickle
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import stable_baselines3
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sb3_contrib import QRDQN, MaskablePPO, RecurrentPPO
from stable_baselines3 import A2C, DQN, PPO

from myopia.agents.algorithms.base import ALGORITHMS
from myopia.agents.credit import Credit
from myopia.agents.policies.agent import RecurrentAgent
from myopia.agents.policies.safe_zip import MOST_BYTES
from myopia.agents.policies.sb3_zip import load_sb3_zip
from myopia.agents.training.rng_state import preserve_rng_state
from myopia.envs import World, make_sb3, make_world
from myopia.envs.observer import observation_space

RELU = {"activation_fn": torch.nn.ReLU}
MEMORY = {"lstm_hidden_size": 6, "net_arch": {"pi": [5], "vf": [4]}}
STRANGERS = {
    "ppo": (PPO, {"net_arch": {"pi": [8, 5], "vf": [7]}, **RELU}),
    "ppo-linear": (PPO, {"net_arch": []}),
    "ppo-default": (PPO, {}),
    "a2c": (A2C, {"net_arch": [6, 6], "activation_fn": torch.nn.ELU}),
    "maskableppo": (MaskablePPO, {"net_arch": [6]}),
    "dqn": (DQN, {"net_arch": [9, 7], "activation_fn": torch.nn.Tanh}),
    "qrdqn": (QRDQN, {"net_arch": [8], "n_quantiles": 5}),
    "recurrentppo": (RecurrentPPO, MEMORY),
    "recurrentppo-deep": (RecurrentPPO, {**MEMORY, "n_lstm_layers": 2}),
    "recurrentppo-shared": (
        RecurrentPPO,
        {**MEMORY, "shared_lstm": True, "enable_critic_lstm": False},
    ),
    "recurrentppo-plain": (RecurrentPPO, {**MEMORY, "enable_critic_lstm": False}),
}
"""What others may have trained: SB3's own classes, and policies unlike our presets'."""


def world() -> World:
    return make_world("Investment", shutdown="boundary")


def stranger(kind: str = "ppo"):
    algorithm, kwargs = STRANGERS[kind]
    policy = "MlpLstmPolicy" if algorithm is RecurrentPPO else "MlpPolicy"
    model = algorithm(policy, make_sb3(world(), 2), policy_kwargs=kwargs, seed=1, device="cpu")
    for parameter in model.policy.parameters():  # far from the nearly uniform start
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=torch.manual_seed(2))
    return model


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("stranger") / "agent.zip"
    stranger().save(path)
    return path


def rewritten(source: Path, target: Path, **changes: bytes | None) -> Path:
    """A copy of a zip with members replaced, or left out where None; `_` stands for a dot."""
    names = {name.replace(".", "_"): name for name in ("data", "policy.pth", "policy.safetensors")}
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            change = changes.get(name.replace(".", "_"), old.read(name))
            if change is not None:
                new.writestr(name, change)
    assert set(changes) <= names.keys()
    return target


def with_data(source: Path, target: Path, **changes) -> Path:
    data = json.loads(zipfile.ZipFile(source).read("data"))
    return rewritten(source, target, data=json.dumps({**data, **changes}).encode())


def with_weights(source: Path, target: Path, weights) -> Path:
    buffer = io.BytesIO()
    torch.save(weights, buffer)
    return rewritten(source, target, policy_pth=buffer.getvalue())


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(io.BytesIO(zipfile.ZipFile(path).read("policy.pth")), weights_only=True)


class Payload:
    """Unpickled, it writes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.write_text, (self.mark, "run")


@pytest.mark.parametrize("kind", STRANGERS)
def test_it_acts_as_the_model_that_was_saved(kind: str, tmp_path: Path) -> None:
    model = stranger(kind)
    model.save(tmp_path / "agent.zip")
    safe = load_sb3_zip(tmp_path / "agent.zip", kind.partition("-")[0], world())
    trusted = load_sb3_zip(tmp_path / "agent.zip", kind.partition("-")[0], world(), trust=True)
    space = observation_space(world())
    rows = np.random.default_rng(0).uniform(0, 1, (50, *space.shape)).astype(np.float32)
    if isinstance(safe, RecurrentAgent):
        assert isinstance(trusted, RecurrentAgent)
        ours = theirs = None
        state, starts = None, np.ones(50)
        for _ in range(3):
            mine, ours = safe.step(rows, ours, starts)
            other, theirs = trusted.step(rows, theirs, starts)
            np.testing.assert_array_equal(mine, other)
            action, state = model.predict(rows, state, starts, deterministic=True)
            np.testing.assert_array_equal(mine.argmax(axis=1), action)
            starts = np.zeros(50)
        return
    mine = safe(rows)
    np.testing.assert_array_equal(mine, trusted(rows))
    masks = {"action_masks": mine > 0} if kind == "maskableppo" else {}
    action, _ = model.predict(rows, deterministic=True, **masks)
    np.testing.assert_array_equal(mine.argmax(axis=1), action)
    if kind in ("ppo", "a2c"):
        with torch.no_grad():
            expected = model.policy.get_distribution(torch.as_tensor(rows)).distribution.probs
        np.testing.assert_allclose(mine, expected, rtol=1e-6)


@pytest.mark.parametrize("algo", sorted(ALGORITHMS))
def test_our_own_zips_open_too(algo: str, tmp_path: Path) -> None:
    ours, credit = ALGORITHMS[algo](), Credit.of("lifetime")
    with preserve_rng_state():
        model = ours.build(ours.env(world(), credit, 0), credit, 0, "cpu", None)
    model.save(tmp_path / "model.zip")
    for trust in (False, True):
        opened = load_sb3_zip(tmp_path / "model.zip", algo, world(), trust).policy.state_dict()
        for name, weight in model.policy.state_dict().items():
            assert torch.equal(opened[name], weight)


def test_greedy_is_all_on_the_best_action(saved: Path, tmp_path: Path) -> None:
    rows = np.eye(*observation_space(world()).shape, dtype=np.float32)
    agent = load_sb3_zip(saved, "ppo", world())
    sampled, agent.greedy = agent(rows), True
    np.testing.assert_array_equal(agent(rows), np.eye(3)[sampled.argmax(axis=1)])
    stranger("recurrentppo").save(tmp_path / "a.zip")
    agent = load_sb3_zip(tmp_path / "a.zip", "recurrentppo", world())
    assert isinstance(agent, RecurrentAgent)
    starts = np.ones(len(rows))
    (sampled, _), agent.greedy = agent.step(rows, None, starts), True
    np.testing.assert_array_equal(
        agent.step(rows, None, starts)[0], np.eye(3)[sampled.argmax(axis=1)]
    )


def test_the_global_generators_are_left_alone(saved: Path) -> None:
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    for trust in (False, True):
        load_sb3_zip(saved, "ppo", world(), trust)
    assert torch.equal(before[0], torch.random.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()  # noqa: NPY002


ENTRIES = ("policy_class", "policy_kwargs", "observation_space", "learning_rate", "planted")


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_payload_in_the_data_is_never_decoded(
    entry: str, saved: Path, tmp_path: Path, caplog
) -> None:
    mark = tmp_path / "mark"
    blob = base64.b64encode(pickle.dumps(Payload(mark))).decode()
    plain = json.loads(zipfile.ZipFile(saved).read("data")).get(entry, {})
    plain = plain if isinstance(plain, dict) else {}
    planted = with_data(
        saved, tmp_path / "a.zip", **{entry: {":type:": "", **plain, ":serialized:": blob}}
    )
    rows = np.zeros((1, *observation_space(world()).shape), dtype=np.float32)
    expected = load_sb3_zip(saved, "ppo", world())(rows)
    caplog.clear()
    np.testing.assert_array_equal(load_sb3_zip(planted, "ppo", world())(rows), expected)
    assert re.search(rf"what is pickled in it was left closed: .*{entry}", caplog.text)
    assert not mark.exists()
    with contextlib.suppress(ValueError):  # whether or not SB3 can go on with what it finds
        load_sb3_zip(planted, "ppo", world(), trust=True)
    assert mark.read_text() == "run"  # the payload was a real one


@pytest.mark.parametrize("entry", ["policy_class", "policy_kwargs"])
def test_a_payload_in_place_of_what_is_read_is_refused(
    entry: str, saved: Path, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    blob = base64.b64encode(pickle.dumps(Payload(mark))).decode()
    pickled = {":type:": "<class 'dict'>", ":serialized:": blob}
    planted = with_data(saved, tmp_path / "a.zip", **{entry: pickled})
    with pytest.raises(ValueError, match=r"cannot be read|not there in plain text"):
        load_sb3_zip(planted, "ppo", world())
    assert not mark.exists()


@pytest.mark.parametrize("place", ["beside", "instead"])
def test_a_payload_in_the_weights_is_not_run(place: str, saved: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    weights = {**weights_of(saved), "x": Payload(mark)} if place == "beside" else Payload(mark)
    planted = with_weights(saved, tmp_path / "a.zip", weights)
    with pytest.raises(
        ValueError, match=r"holds something other than weights.*nothing in it was run"
    ):
        load_sb3_zip(planted, "ppo", world())
    assert not mark.exists()
    pickled = rewritten(saved, tmp_path / "b.zip", policy_pth=pickle.dumps(Payload(mark)))
    with pytest.raises(ValueError, match="nothing in it was run"):
        load_sb3_zip(pickled, "ppo", world())
    assert not mark.exists()
    torch.load(io.BytesIO(zipfile.ZipFile(planted).read("policy.pth")), weights_only=False)
    assert mark.exists()  # the payload was a real one


class OwnPolicy(stable_baselines3.ppo.MlpPolicy):
    """A function of its own, on weights of the usual names and shapes."""


class OwnExtractor(stable_baselines3.common.torch_layers.FlattenExtractor):
    """As above."""


class OwnActivation(torch.nn.Tanh):
    """As above."""


@pytest.mark.parametrize(
    ("policy", "kwargs", "said"),
    [
        (OwnPolicy, {}, "OwnPolicy|test_sb3_zip.*is not that of ppo, expected stable_baselines3"),
        ("MlpPolicy", {"features_extractor_class": OwnExtractor}, "features_extractor_class=.*Own"),
        (
            "MlpPolicy",
            {"activation_fn": OwnActivation},
            "activation .*OwnActivation.* is not known",
        ),
    ],
)
def test_what_cannot_be_rebuilt_is_named(policy, kwargs, said: str, tmp_path: Path) -> None:
    model = PPO(policy, make_sb3(world(), 2), policy_kwargs=kwargs, device="cpu")
    model.save(tmp_path / "a.zip")
    with pytest.raises(ValueError, match=said):
        load_sb3_zip(tmp_path / "a.zip", "ppo", world())
    load_sb3_zip(tmp_path / "a.zip", "ppo", world(), trust=True)


def test_a_setting_that_is_not_known_is_named(saved: Path, tmp_path: Path) -> None:
    changed = with_data(saved, tmp_path / "a.zip", policy_kwargs={"use_magic": True})
    with pytest.raises(ValueError, match="cannot rebuild a policy with the setting 'use_magic'"):
        load_sb3_zip(changed, "ppo", world())
    changed = with_data(saved, tmp_path / "a.zip", action_space={":type:": "<class 'x.Multi'>"})
    with pytest.raises(
        ValueError, match=r"expected action_space to be a Discrete, got <class 'x.M"
    ):
        load_sb3_zip(changed, "ppo", world())


def test_another_algorithm_or_world_is_said(saved: Path) -> None:
    with pytest.raises(ValueError, match=r"not that of dqn, did you mean --algo a2c or ppo\?"):
        load_sb3_zip(saved, "dqn", world())
    with pytest.raises(ValueError, match="unknown algorithm 'pppo', did you mean 'ppo'"):
        load_sb3_zip(saved, "pppo", world())
    with pytest.raises(
        ValueError, match=r"does not fit a ppo policy in Work, .* expected 16 columns"
    ):
        load_sb3_zip(saved, "ppo", make_world("Work"))
    with pytest.raises(ValueError, match=r"trained on observations of shape .* but Work has"):
        load_sb3_zip(saved, "ppo", make_world("Work"), trust=True)


@pytest.mark.parametrize("trust", [False, True])
def test_an_agent_without_a_shutdown_is_one_of_another_world(
    trust: bool, saved: Path, tmp_path: Path
) -> None:
    absent, path = world().replace(shutdown="absent"), tmp_path / "a.zip"
    PPO("MlpPolicy", make_sb3(absent, 2), device="cpu").save(path)
    rows = np.eye(*observation_space(absent).shape, dtype=np.float32)
    assert load_sb3_zip(path, "ppo", absent, trust)(rows).shape == (len(rows), 2)
    for other, its_world in ((path, world()), (saved, absent)):
        with pytest.raises(ValueError, match=r"does not fit a ppo policy|3 actions|2 actions"):
            load_sb3_zip(other, "ppo", its_world, trust)


@pytest.mark.parametrize("algo", ["dqn", "qrdqn", "recurrentppo"])
def test_weights_of_another_network_are_named(algo: str, saved: Path, tmp_path: Path) -> None:
    model = stranger(algo)
    model.save(tmp_path / "a.zip")
    mixed = with_weights(tmp_path / "a.zip", tmp_path / "b.zip", weights_of(saved))
    with pytest.raises(ValueError, match=f"does not fit a {algo} policy in Investment"):
        load_sb3_zip(mixed, algo, world())


@pytest.mark.parametrize("shape", [(), (3,), (24, 7), (2, 3, 4)])
def test_memories_of_no_shape_are_named(shape: tuple[int, ...], tmp_path: Path) -> None:
    model = stranger("recurrentppo")
    model.save(tmp_path / "a.zip")
    weights = {**weights_of(tmp_path / "a.zip"), "lstm_actor.weight_hh_l0": torch.zeros(shape)}
    odd = with_weights(tmp_path / "a.zip", tmp_path / "b.zip", weights)
    with pytest.raises(ValueError, match="does not fit a recurrentppo policy"):
        load_sb3_zip(odd, "recurrentppo", world())


def test_sizes_are_bounded(saved: Path, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("data", "w", force_zip64=True) as data,
    ):
        for _ in range(MOST_BYTES // (1 << 24) + 1):
            data.write(bytes(1 << 24))
    assert bomb.stat().st_size < MOST_BYTES / 100
    with pytest.raises(ValueError, match=f"unpacks to .* bytes, expected at most {MOST_BYTES}"):
        load_sb3_zip(bomb, "ppo", world())
    nested = rewritten(saved, tmp_path / "nested.zip", policy_pth=bomb.read_bytes())
    with pytest.raises(ValueError, match=r"policy\.pth in .* unpacks to"):
        load_sb3_zip(nested, "ppo", world())
    huge = {**weights_of(saved), "action_net.bias": torch.zeros(1).expand(1 << 40)}
    with pytest.raises(ValueError, match=r"action_net.bias claims the shape"):
        load_sb3_zip(with_weights(saved, tmp_path / "huge.zip", huge), "ppo", world())
    # small files whose widths would make a large network
    wide = {f"mlp_extractor.policy_net.{2 * i}.weight": torch.zeros(1 << 20, 1) for i in range(3)}
    with pytest.raises(ValueError, match=r"expected 1048576 columns|expected .* columns"):
        load_sb3_zip(with_weights(saved, tmp_path / "w.zip", wide), "ppo", world())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w | {"action_net.bias": w["action_net.bias"] * torch.nan}, "NaN or infinity"),
        (lambda w: w | {"action_net.bias": w["action_net.bias"].long()}, "no dense tensor of real"),
        (lambda w: w | {"action_net.bias": "text"}, "is a str, expected a tensor"),
        (lambda w: w | {"more": torch.zeros(1)}, "more is there, but not expected"),
        (
            lambda w: {k: v for k, v in w.items() if k != "value_net.bias"},
            "value_net.bias is missing",
        ),
        (lambda w: w | {"action_net.bias": torch.zeros(9)}, r"shape \(9,\), expected \(3,\)"),
        (lambda w: list(w), "expected names with tensors, got list"),
    ],
)
def test_weights_that_are_none(change, said: str, saved: Path, tmp_path: Path) -> None:
    changed = with_weights(saved, tmp_path / "a.zip", change(dict(weights_of(saved))))
    with pytest.raises(ValueError, match=said):
        load_sb3_zip(changed, "ppo", world())


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ({"data": None}, "it has no 'data'"),
        ({"policy_pth": None}, r"it has no 'policy\.pth'"),
        ({"data": b"{"}, "no JSON"),
        ({"data": b"[]"}, "no JSON of Stable-Baselines3: expected an object"),
        ({"data": b"[" * 100_000}, "no JSON"),
        ({"data": b"\xff"}, "no JSON"),
        ({"data": b"{}"}, "policy, which cannot be read"),
    ],
)
def test_data_that_is_none(member, said: str, saved: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        load_sb3_zip(rewritten(saved, tmp_path / "a.zip", **member), "ppo", world())


def test_no_file_and_no_zip(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_sb3_zip(tmp_path / "none.zip", "ppo", world())
    (tmp_path / "text.zip").write_text("no zip")
    for trust in (False, True):
        with pytest.raises(ValueError, match="zip"):
            load_sb3_zip(tmp_path / "text.zip", "ppo", world(), trust)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_damage_gives_the_agent_or_one_sentence(saved: Path, tmp_path: Path, data) -> None:
    whole = saved.read_bytes()
    if data.draw(st.booleans()):
        damaged = whole[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        place = data.draw(st.integers(0, len(whole) - 1))
        damaged = whole[:place] + bytes([data.draw(st.integers(0, 255))]) + whole[place + 1 :]
    (tmp_path / "a.zip").write_bytes(damaged)
    said = refusal(tmp_path / "a.zip")
    assert "\n" not in said
    assert len(said) < 500


def refusal(path: Path) -> str:
    """What is said of this file, or nothing where it opens."""
    try:
        load_sb3_zip(path, "ppo", world())
    except ValueError as error:
        return str(error)
    return ""


def test_the_policies_are_as_this_code_knows_them() -> None:
    """A setting that a new SB3 adds is refused until somebody has thought about it."""
    from myopia.agents.policies import sb3_zip as module

    known = {"activation_fn", *module.HARMLESS, *module.READ_FROM_WEIGHTS, *module.WITHOUT_EFFECT}
    for kind in ALGORITHMS.values():
        parameters = inspect.signature(kind.policy_class).parameters
        assert set(parameters) - {"observation_space", "action_space", "lr_schedule"} <= known
