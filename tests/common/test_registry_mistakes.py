"""What people get wrong when they add something: an error that says what was expected."""

import dataclasses
from pathlib import Path

import pytest

from myopia.agents.algorithms.base import ALGORITHMS
from myopia.agents.algorithms.dqn import DQN
from myopia.analysis.measures.measure import MEASURES, in_words, measure
from myopia.analysis.measures.score import Row, Score
from myopia.analysis.probes.probe import PROBES, probe, run_probes
from myopia.analysis.report.figure import figure
from myopia.analysis.report.scores import SCORES
from myopia.cli import main as cli
from myopia.common.registry import Registry
from myopia.envs import make_sb3, make_world
from myopia.envs.credit.credit import CREDITS, Credit, credit_mode
from myopia.envs.index import INDEX_MODES, Index, index_mode
from myopia.envs.schedule import SCHEDULES, Schedule, schedule
from myopia.envs.schedules.linear import Linear
from myopia.superposition.metrics.metric import metric
from myopia.superposition.toy.experiments.experiment import experiment


@pytest.fixture(autouse=True)
def _as_it_was():
    """What the tests register is forgotten."""
    every: list[Registry] = [
        *(ALGORITHMS, MEASURES, PROBES, CREDITS, INDEX_MODES, SCHEDULES),
    ]
    before = [(one, list(one)) for one in every]
    yield
    for one, names in before:
        for name in [name for name in one if name not in names]:
            one.remove(name)


def function(*arguments):
    """Does nothing."""


@pytest.mark.parametrize(
    ("decorator", "arguments", "facts", "said"),
    [
        (figure, (function,), {}, "place=..., caption=..., name=...?"),
        (figure, (function,), {"place": 1, "title": "x"}, "place=..., caption=..."),
        (figure, (90,), {}, "got 90"),
        (metric, (function,), {}, "of=..., only=...?"),
        (experiment, (function,), {}, "training=..."),
        (measure, (function,), {"entry": ("x",)}, "entries=...?, probabilities=...?"),
    ],
)
def test_decorators(decorator, arguments, facts, said: str) -> None:
    with pytest.raises(TypeError, match="is registered with") as caught:
        decorator(**facts)(*arguments) if facts else decorator(*arguments)
    assert said in str(caught.value)


@pytest.mark.parametrize("register", [schedule, index_mode, ALGORITHMS.register])
def test_settings_are_frozen_dataclasses(register) -> None:
    class Plain:
        total_timesteps = model_class = policy_class = 1

    with pytest.raises(TypeError, match=r"expected a class under @dataclasses.dataclass\(frozen"):
        register(Plain)


def test_another_name_is_read_back() -> None:
    @schedule(name="falls")
    @dataclasses.dataclass(frozen=True)
    class Falling(Linear):
        """As linear."""

    assert str(Schedule.parse("falls:cutoff=3")) == "falls:cutoff=3,upkeep=0.5"

    @index_mode(name="same")
    @dataclasses.dataclass(frozen=True)
    class Same(Index):
        """As exact."""

    assert str(Index.parse("same")) == "same"
    assert str(Index.parse("exact")) == "exact"

    @ALGORITHMS.register(name="fancy")
    @dataclasses.dataclass(frozen=True)
    class Fancy(DQN):
        """As DQN."""

    assert ALGORITHMS["fancy"]().kind == "fancy"
    assert ALGORITHMS["dqn"]().kind == "dqn"


def test_a_credit_mode_with_one_field_is_read_and_written() -> None:
    @credit_mode
    @dataclasses.dataclass(frozen=True)
    class Part(CREDITS["discount"]):
        """As discount."""

        form = "part:P"

    assert str(Credit.of("part:0.50")) == "part:0.5"
    with pytest.raises(TypeError, match="expected a form such as 'nameless'"):
        credit_mode(name="nameless")(Part)


def test_own_fields_of_q_learners_are_theirs() -> None:
    @ALGORITHMS.register
    @dataclasses.dataclass(frozen=True)
    class Slow(DQN):
        """DQN that follows itself slowly."""

        tau: float = 1.0

    settings = Slow(num_envs=2, hidden=(4,), buffer_size=100, tau=0.25)
    credit = Credit.of("lifetime")
    model = settings.build(make_sb3("Work", 2, seed=0), credit, 0, "cpu", None)
    assert model.tau == 0.25


@pytest.mark.parametrize("kind", [name for name in ALGORITHMS if name != "recurrentppo"])
def test_every_setting_of_an_algorithm_reaches_its_model(kind: str) -> None:
    settings = ALGORITHMS[kind](num_envs=2, hidden=(4,))
    model = settings.build(
        settings.env(make_world("Work"), Credit.of("lifetime"), 0),
        Credit.of("lifetime"),
        0,
        "cpu",
        None,
    )
    elsewhere = {"num_envs", "hidden", "anneal", "ent_fraction", "quantiles", "ent_coef"}
    for field in dataclasses.fields(settings):
        if field.name not in elsewhere:
            assert hasattr(model, field.name), field.name


def test_an_index_that_shows_what_there_is_no_entry_for() -> None:
    @index_mode
    @dataclasses.dataclass(frozen=True)
    class Far(Index):
        """A hundred times the index."""

        def show(self, index, draw, max_epochs):
            return index * 100

    with pytest.raises(ValueError, match=r"index far: shows 0\.\.1200, expected -12\.\.24"):
        make_world("Work", index="far")


def test_a_probe_that_looks_otherwise() -> None:
    @probe
    def twice_as_long(world):
        """Is it as it was."""
        return {"twice": world.replace(max_epochs=24)}

    def agent(observations):
        import numpy as np

        return np.full((len(observations), 3), 1 / 3)

    with pytest.raises(ValueError, match="probe 'twice-as-long': 'twice' looks otherwise"):
        run_probes(make_world("Work"), agent, "twice-as-long")


def test_entries_rows_and_scores_that_are_taken() -> None:
    for key in ("world", "class", "probes"):
        with pytest.raises(ValueError, match=r"has an entry .* of its own"):
            measure(entries=(key,), name="own")(function)
    measure(rows=(Row("return", "own", 300),), name="own")(function)
    with pytest.raises(ValueError, match="two measures tell a row 'return'"):
        in_words({}, None)
    MEASURES.remove("own")
    measure(scores={"return": Score("r", "own", "own")}, name="own")(function)
    with pytest.raises(ValueError, match="two measures have a score 'return'"):
        list(SCORES)


@pytest.mark.parametrize("text", ["def f(:\n", "x = 1\n", "PLACE = 'a'\n", "PLACE: int = 5\n", ""])
def test_one_bad_command_takes_no_other_down(text: str, tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "commands"
    folder.mkdir()
    for file in (Path(cli.__file__).parent / "commands").glob("*.py"):
        (folder / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "zz_bad.py").write_text(text)
    monkeypatch.setattr(cli, "__file__", str(tmp_path / "main.py"))
    monkeypatch.setattr("myopia.cli.commands.__path__", [str(folder)])
    known = cli.commands()
    assert next(iter(known)) == "envs"
    assert known["zz-bad"] == "(cli/commands/zz_bad.py is no command: see its PLACE)"
