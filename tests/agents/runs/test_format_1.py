"""Run folders that an earlier version wrote, before ids left out defaults: they open and go on.

Each run in `format_1/` is of `Work max_epochs=6` with networks of 4 units; all but `done` stopped
half way.
"""

import dataclasses
import json
from pathlib import Path

import pytest
from stable_baselines3.common.callbacks import BaseCallback
from support.runs import copied

import myopia
from myopia.agents.monitoring.elicitation import Elicitation
from myopia.agents.monitoring.evaluation_callback import EvaluationCallback
from myopia.agents.population.population import PopulationConfig, train_population
from myopia.agents.runs import run as runs
from myopia.agents.runs.run import RunConfig
from myopia.agents.training.train import train
from myopia.analysis.evaluation.capability import cross_epoch_capability
from myopia.common.files import read_json

OLD = Path(__file__).parent / "format_1"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return copied(OLD, tmp_path / "runs")


def test_a_finished_one_opens_and_reports(old: Path) -> None:
    before = read_json(old / "done" / "evaluation.json")
    found, _ = myopia.evaluate(old / "done")
    for name in ("return", "usefulness", "regret"):  # competence is defined otherwise now
        assert found.measures[name] == pytest.approx(before[name], rel=1e-5), name
    page = myopia.write_report(old / "done", old / "page.html")
    assert "done" in page.read_text(encoding="utf-8")
    after = read_json(old / "done" / "evaluation.json")
    assert "probes" not in after, "what was asked by older definitions is not kept"


@pytest.mark.parametrize("name", ["ppo", "window", "dqn"])
def test_an_interrupted_one_goes_on(old: Path, name: str) -> None:
    config = RunConfig.read(old / name)
    assert read_json(old / name / "run.json").get("numerics") is None
    assert train(config, old / name) == old / name
    record = read_json(old / name / "run.json")
    assert (record["status"], record["numerics"]) == ("done", runs.NUMERICS)
    assert myopia.evaluate(old / name)[0].measures["return"] is not None


@pytest.mark.parametrize("name", ["ppo", "dqn"])
def test_one_that_is_interrupted_again_at_once_goes_on(old: Path, name: str) -> None:
    """Before its first checkpoint of this version the old one, without a checksum, counts."""

    class AtOnce(BaseCallback):
        def _on_step(self) -> bool:
            raise KeyboardInterrupt

    config = RunConfig.read(old / name)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            train(config, old / name, callbacks=[AtOnce()])
        assert read_json(old / name / "run.json")["format"] == 1
    train(config, old / name, checkpoint_seconds=0)
    assert read_json(old / name / "run.json")["format"] == 2


def test_an_evaluated_one_goes_on_with_what_was_evaluated(old: Path) -> None:
    folder = old / "cadence"
    config, path = RunConfig.read(folder), folder / "cadence.json"
    before = read_json(path)["evaluations"]
    callback = EvaluationCallback(
        config.settings,
        config.make_world(),
        cross_epoch_capability,
        path,
        elicitation=Elicitation(32),
    )
    train(config, folder, callbacks=[callback])
    after = read_json(path)["evaluations"]
    assert before
    assert after[: len(before)] == before
    assert len(after) > len(before)


def test_a_population_goes_on(old: Path) -> None:
    folder = old / "population"
    asked = PopulationConfig.of(read_json(folder / "population.json"))
    assert asked is not None
    selections = read_json(folder / "selection.json")
    train_population(asked, folder)
    assert read_json(folder / "member-01" / "run.json")["status"] == "done"
    assert read_json(folder / "selection.json")[: len(selections)] == selections


def test_the_old_id_is_looked_up_first(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(old.parent)
    config = RunConfig.read(old / "ppo")
    assert config.default_folder == Path("runs") / config.id
    assert config.old_id == "Work-ppo-606372d8b9", "as the version that wrote it called it"
    copied(old / "ppo", old / config.old_id)
    assert config.default_folder == Path("runs") / config.old_id
    assert train(config) == Path("runs") / config.old_id


def test_other_numerics_refuse_to_go_on(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "NUMERICS", 2)
    files = {path: path.read_bytes() for path in (old / "ppo").rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match="begun with numerics 1, and this version, which has 2"):
        train(RunConfig.read(old / "ppo"), old / "ppo")
    assert files == {path: path.read_bytes() for path in (old / "ppo").rglob("*") if path.is_file()}
    assert train(RunConfig.read(old / "done"), old / "done"), "a finished one needs no other"
    myopia.evaluate(old / "done")


def test_ids_leave_out_what_is_at_its_default() -> None:
    plain = RunConfig("Investment", {})
    assert plain.dials == myopia.make("Investment").dials()
    same = RunConfig("Investment", {"gain": 0.5}, algo="ppo:gamma=1", credit="lifetime", seed=0)
    assert (same, same.id) == (plain, plain.id)
    others = [
        RunConfig("Investment", {"gain": 0.6}),
        RunConfig("Investment", {}, algo="ppo:gamma=.9"),
        RunConfig("Investment", {}, algo="a2c"),
        RunConfig("Investment", {}, credit="epoch"),
        RunConfig("Investment", {}, seed=1),
        RunConfig("Investment", {}, total_timesteps=1000),
        RunConfig("Work", {}),
    ]
    assert len({one.id for one in [plain, *others]}) == 1 + len(others)


def test_a_field_that_is_younger_than_the_file(old: Path) -> None:
    """A config that says less is the one whose other words are at their defaults."""
    file = old / "done" / "config.json"
    values = json.loads(file.read_text())
    config = RunConfig.read(old / "done")
    for name in ("shutdown", "index", "channel"):
        del values["dials"][name]
    values["algo"] = values["algo"].replace(",vf_coef=0.5", "").replace("gamma=1,", "")
    file.write_text(json.dumps(values))
    assert values["algo"] != dataclasses.asdict(config)["algo"]
    assert RunConfig.read(old / "done") == config


def test_other_definitions_are_judged_again_or_left_out(old: Path, tmp_path: Path) -> None:
    judged = old / "done" / "evaluation.json"
    judged.write_text(json.dumps({**read_json(judged), "measures": 0}))
    with pytest.raises(ValueError, match=r"no evaluated run in it .*judged by definitions 0"):
        myopia.load(old / "done")
    copied(OLD / "done", old / "other")
    myopia.evaluate(old / "other", probes="bait")
    results = myopia.load(old)
    assert [run.folder.name for runs in results.conditions.values() for run in runs] == ["other"]
    assert any("runs/done: judged by definitions 0" in one for one in results.missing)
    myopia.evaluate(old / "done", probes="index-shifted")
    assert read_json(judged)["probes"].keys() == {"index-shifted"}, "old ones are not mixed in"
    myopia.evaluate(old / "done", probes="bait")
    assert read_json(judged)["probes"].keys() == {"index-shifted", "bait"}
