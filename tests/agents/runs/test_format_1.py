"""Run folders that an earlier version wrote: finished ones open, others do not go on.

Each run in `format_1/` is of `Work max_epochs=6` with networks of 4 units; all but `done` stopped
half way.
"""

import dataclasses
import json
from pathlib import Path

import pytest
from support.runs import copied

import myopia
from myopia.agents.population.population import PopulationConfig, train_population
from myopia.agents.runs import run as runs
from myopia.agents.runs.run import RunConfig
from myopia.agents.training.train import train
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


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["ppo", "window", "dqn", "cadence"])
def test_an_interrupted_one_is_of_other_numerics(old: Path, name: str) -> None:
    """It would end with other weights than where it began: refused, and nothing is changed."""
    before, config = files_of(old / name), RunConfig.read(old / name)
    assert read_json(old / name / "run.json").get("numerics") is None
    with pytest.raises(ValueError, match="begun with numerics 1, and this version, which has 2"):
        train(config, old / name)
    assert files_of(old / name) == before


def test_an_interrupted_population_is_of_other_numerics(old: Path) -> None:
    folder = old / "population"
    asked, before = PopulationConfig.of(read_json(folder / "population.json")), files_of(folder)
    assert asked is not None
    with pytest.raises(ValueError, match="begun with numerics 1, and this version, which has 2"):
        train_population(asked, folder)
    assert files_of(folder) == before


def test_one_that_was_interrupted_before_its_first_checkpoint_begins_anew(old: Path) -> None:
    folder = old / "ppo"
    (folder / "checkpoint" / "state.safetensors").unlink()
    train(RunConfig.read(folder), folder)
    record = read_json(folder / "run.json")
    assert (record["status"], record["numerics"], record["format"]) == ("done", runs.NUMERICS, 2)


def test_the_old_id_is_looked_up_first(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(old.parent)
    config = RunConfig.read(old / "ppo")
    assert config.default_folder == Path("runs") / config.id
    assert config.old_id == "Work-ppo-606372d8b9", "as the version that wrote it called it"
    copied(old / "ppo", old / config.old_id)
    assert config.default_folder == Path("runs") / config.old_id
    finished = RunConfig.read(old / "done")
    copied(old / "done", old / finished.old_id)
    assert train(finished) == Path("runs") / finished.old_id


def test_a_finished_one_needs_no_numerics(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "NUMERICS", 99)
    assert train(RunConfig.read(old / "done"), old / "done") == old / "done"
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
