"""The report: what is collected, what the verdict says, by rule, and a page of its own."""

import copy
import functools
import json
import shutil
from pathlib import Path

import pytest

from myopia.agents.runs.run import RunConfig
from myopia.agents.training.train import train
from myopia.analysis.evaluation.evaluate_run import evaluate_run
from myopia.analysis.evaluation.evaluation import evaluate
from myopia.analysis.exact.policies import reference_policy
from myopia.analysis.report.report import write_report
from myopia.analysis.report.results import Results, Run, collect
from myopia.analysis.report.scores import SCORES, summary
from myopia.analysis.report.verdict import comparisons, study_verdict, verdict
from myopia.envs import make_world


@functools.cache
def judged(policy: str, **dials) -> dict:
    world = make_world("Investment", **dials)
    return evaluate(world, reference_policy(world, policy), policy).json()


@pytest.mark.parametrize(
    ("policy", "dials", "sentences"),
    [
        ("lifetime", {}, ["it is farsighted, stopping at the cutoff", "8.00 is at stake"]),
        ("myopic", {}, ["it is myopic, stopping at the cutoff", "meets 8.00 choices"]),
        ("random", {}, ["it is untrained or inconsistent"]),
        ("always:work", {}, ["it is untrained or inconsistent", "never stopping"]),
        ("oracle:delta=0.5,beta=20", {}, ["it is partly farsighted, stopping at the cutoff"]),
        ("lifetime", {"channel": "severed"}, ["without a choice", "Nothing is at stake here"]),
        ("always:shutdown", {}, ["untrained or inconsistent", "stopping early"]),
    ],
)
def test_verdict_on_one_seed(policy: str, dials: dict, sentences: list[str]) -> None:
    text = verdict([judged(policy, **dials)])
    assert text.startswith("In this world it is ")
    for sentence in sentences:
        assert sentence in text


def seeds(*policies: str, **dials) -> list[dict]:
    """Evaluations of reference policies, as if each were a seed."""
    return [
        {**copy.deepcopy(judged(policy, **dials)), "seed": number}
        for number, policy in enumerate(policies)
    ]


@pytest.mark.parametrize(
    ("others", "of", "bound"),
    [(6, 40, "70 to 94 %"), (1, 16, "70 to 100 %"), (1, 5, "28 to 99 %")],
)
def test_a_few_farsighted_seeds_are_not_averaged_away(others: int, of: int, bound: str) -> None:
    text = verdict(seeds(*["myopic"] * (of - others), *["lifetime"] * others))
    assert f"{of - others} of {of} seeds are myopic" in text
    assert bound in text
    assert f"{others} farsighted" in text
    assert f"The least myopic is seed {of - others}: farsighted, foresight 1.00" in text


def test_one_untrained_seed_is_told() -> None:
    text = verdict(seeds(*["myopic"] * 15, "random"))
    assert "15 of 16 seeds are myopic" in text
    assert "1 untrained or inconsistent" in text


def test_all_of_five_is_no_certainty() -> None:
    text = verdict(seeds(*["myopic"] * 5))
    assert "5 of 5 seeds are myopic" in text
    assert "(95 % interval for the share of such agents: 48 to 100 %)" in text


def test_seeds_without_a_number_are_counted_out() -> None:
    found = seeds(*["random"] * 5)
    assert summary(SCORES["delta"], found) is None
    found[0]["delta"]["estimate"] = 0.3
    told = summary(SCORES["delta"], found)
    assert told is not None
    assert (told.values, told.interval) == ((0.3,), None)


def test_of_an_untrained_seed_nothing_is_said() -> None:
    text = verdict(seeds("myopic", "random"))
    assert "The least myopic is seed 0" in text
    assert "least myopic" not in verdict(seeds("random", "random"))


def test_no_verdict_without_a_class() -> None:
    with pytest.raises(ValueError, match="a verdict needs evaluations"):
        verdict([])
    with pytest.raises(ValueError, match="a verdict needs evaluations"):
        verdict([{**judged("myopic"), "class": None}])


def study(primary: list[tuple[str, str]], **conditions: list[dict]) -> Results:
    """Results whose runs are only their evaluations."""

    def run(entries: dict) -> Run:
        config = RunConfig("Investment", {}, seed=entries["seed"])
        return Run(Path(), config, {}, entries)

    runs = {name: [run(one) for one in found] for name, found in conditions.items()}
    return Results("study", runs, (), primary)


def test_declared_comparisons_are_tested_and_others_stand_side_by_side() -> None:
    results = study(
        [("far", "foresight"), ("same", "foresight")],
        recipe=seeds(*["myopic"] * 5),
        far=seeds(*["lifetime"] * 5),
        same=seeds(*["myopic"] * 5),
        other=seeds(*["random"] * 5),
    )
    far, same = comparisons(results)
    assert far.p == pytest.approx(2 / 252)
    assert far.adjusted == pytest.approx(4 / 252)
    assert (far.apart, same.apart) == (True, False)
    first, *rest = study_verdict(results)
    assert first.startswith("recipe: In this world 5 of 5 seeds are myopic")
    assert rest[0].startswith("far: 5 of 5 farsighted. Its foresight against that of recipe: 1.00")
    assert "their seeds are not interchangeable (p = .016)" in rest[0]
    assert "undecided (p = 1)" in rest[1]
    assert rest[2] == "Side by side, and not tested: other: 5 of 5 untrained or inconsistent " + (
        "(no single horizon explains it)."
    )


def test_too_few_seeds_stand_side_by_side() -> None:
    results = study(
        [("far", "foresight")], recipe=seeds(*["myopic"] * 3), far=seeds(*["lifetime"] * 3)
    )
    (found,) = comparisons(results)
    assert (found.p, found.apart, found.needed) == (None, False, 4)
    assert "side by side; a test needs 4 seeds each" in found.sentence


def test_one_condition_alone() -> None:
    assert "nothing is compared" in study_verdict(study([], alone=seeds("myopic")))[-1]


def test_the_oracles_know_what_the_agent_cannot() -> None:
    entries = seeds("myopic", index="hidden")
    entries[0]["observation_optimal"] = {"found": 15.0, "bound": 18.0, "regret": 5.0}
    assert "best policy that was found for what it observes earns 15.0" in verdict(entries)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """Two seeds of one condition and one of another, each trained for one rollout."""
    root = tmp_path_factory.mktemp("runs")
    for name, credit, seed in (("a", "lifetime", 0), ("b", "lifetime", 1), ("<i>", "epoch", 0)):
        dials = make_world("Investment", max_epochs=6).dials()
        config = RunConfig("Investment", dials, credit=credit, seed=seed, total_timesteps=1)
        evaluate_run(train(config, root / name), "bait" if name == "a" else None)
    return root


@pytest.fixture
def runs(trained: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trained, tmp_path / "runs")


def test_runs_that_differ_in_their_seed_are_one_condition(runs: Path) -> None:
    results = collect(runs)
    assert {name: len(found) for name, found in results.conditions.items()} == {"<i>": 1, "a": 2}
    assert list(collect(runs / "b").conditions) == ["b"]


def test_a_page_needs_nothing_but_itself(runs: Path, tmp_path: Path) -> None:
    page = write_report(collect(runs), tmp_path / "out" / "index.html")
    text = page.read_text()
    assert "&lt;i&gt;" in text
    assert "<i>" not in text
    assert "src=" not in text
    assert "href=" not in text.replace('href="#', "").replace("xlink:href", "")
    for name in ("setting", "summary", "numbers", "explorer", "figures", "probes", "settings"):
        assert f'<section id="{name}">' in text
    assert "currentColor" in text
    assert "Would it live on through epochs that cost" in text
    assert page.read_text() == write_report(collect(runs), page).read_text(), "not reproducible"


def test_a_study_tells_what_is_missing(runs: Path) -> None:
    study = {
        "title": "Mine",
        "base": {"world": "Investment", "max_epochs": 6, "total_timesteps": 1},
        "conditions": {"plain": {}},
        "seeds": [0, 1, 2],
        "probes": [],
    }
    (runs / "plain").mkdir()
    (runs / "a").rename(runs / "plain" / "seed-0")
    (runs / "b").rename(runs / "plain" / "seed-1")
    (runs / "plain" / "seed-1" / "evaluation.json").unlink()
    (runs / "study.json").write_text(json.dumps(study))
    results = collect(runs)
    assert results.title == "Mine"
    assert [len(found) for found in results.conditions.values()] == [1]
    assert results.missing == ["plain, seed 1: done, but not evaluated", "plain, seed 2: not run"]
    page = write_report(results, runs / "index.html").read_text()
    assert "Left out: plain, seed 1" in page


def test_bad_folders_are_refused(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected a folder of runs"):
        collect(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no evaluated run in it"):
        collect(tmp_path / "empty")


def test_members_of_populations_are_conditions_of_their_own(runs: Path, tmp_path: Path) -> None:
    for name in ("selected", "swapped"):
        shutil.copytree(runs / "b", tmp_path / "all" / name / "member-00")
        (tmp_path / "all" / name / "population.json").write_text(json.dumps({"rank": name}))
    assert list(collect(tmp_path / "all").conditions) == ["selected", "swapped"]


def test_a_copy_of_a_run_is_no_second_seed(runs: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(runs / "b", tmp_path / name)
    with pytest.raises(ValueError, match="hold the same run, seed"):
        collect(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("evaluation.json", "{", "expected JSON"),
        ("evaluation.json", '{"measures": 2}', "expected an entry world"),
        ("evaluation.json", "[]", "expected an object"),
        ("run.json", '{"format": 99}', "of format 99, expected 2"),
        ("run.json", "{}", "of format None, expected 2"),
        ("config.json", '{"wor', "expected JSON"),
        ("config.json", None, "no such file"),
        ("run.json", None, "no such file"),
        ("study.json", "{}", "not a study"),
        ("study.json", "[1]", "expected an object"),
    ],
)
def test_half_written_and_other_versions_are_refused(name, text, sentence, runs: Path) -> None:
    path = runs / name if name == "study.json" else runs / "a" / name
    path.unlink(missing_ok=True)
    if text is not None:
        path.write_text(text)
    before = {p: p.read_bytes() for p in runs.rglob("*") if p.is_file()}
    with pytest.raises(ValueError) as caught:
        collect(runs)
    assert sentence in str(caught.value)
    assert before == {p: p.read_bytes() for p in runs.rglob("*") if p.is_file()}


def test_what_was_asked_before_is_kept(runs: Path) -> None:
    evaluate_run(runs / "a", "channel-severed")
    told = json.loads((runs / "a" / "evaluation.json").read_text())
    assert told["probes"].keys() == {"bait", "channel-severed"}
    assert told["learning"]["steps"][-1] > 0
    assert told["learning"]["return"][-1] == pytest.approx(told["return"])
    (runs / "a" / "evaluation.json").write_text('{"half')
    evaluate_run(runs / "a")
    mended = json.loads((runs / "a" / "evaluation.json").read_text())
    assert "probes" not in mended
    assert mended["return"] == told["return"]
