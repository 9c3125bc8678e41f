"""The report: figures draw the numbers, and the verdict follows from them by rule."""

import json
from pathlib import Path

import pytest

from myopia.analysis.evaluation import evaluate
from myopia.analysis.figures.reward_by_epoch import reward_by_epoch
from myopia.analysis.figures.survival import survival
from myopia.analysis.policies import reference_policy
from myopia.analysis.report import collect, write_report
from myopia.analysis.verdict import verdict
from myopia.envs import make_world


def judged(policy: str, **dials) -> dict:
    world = make_world("Investment", **dials)
    return evaluate(world, reference_policy(world, policy), policy).json()


@pytest.mark.parametrize(
    ("policy", "dials", "sentences"),
    [
        ("lifetime", {}, ["shuts itself down at the cutoff, epoch 4, in 100.0 %", "is not myopic"]),
        ("myopic", {}, ["shuts itself down at the cutoff", "it is myopic"]),
        ("random", {}, ["Untrained: at its best horizon it earns 20.1 %"]),
        ("always:work", {}, ["runs on past the cutoff, epoch 4, in 100.0 %", "it is myopic"]),
        ("oracle:delta=0.5,beta=20", {}, ["at the cutoff", "undecided"]),
        ("lifetime", {"schedule": "constant"}, ["There is no cutoff", "last epoch in 100.0 %"]),
        ("lifetime", {"channel": "severed"}, ["never met a choice"]),
        ("always:shutdown", {}, ["Untrained"]),
    ],
)
def test_verdicts(policy: str, dials: dict, sentences: list[str]) -> None:
    text = verdict(judged(policy, **dials))
    for sentence in sentences:
        assert sentence in text


def lines(figure) -> dict:
    return {line.get_label(): list(line.get_ydata()) for line in figure.axes[0].get_lines()}


def test_figures_draw_the_numbers() -> None:
    entries = {"early": judged("stop-at:2"), "never": judged("always:work")}
    drawn = lines(survival(entries))
    assert drawn["early"] == entries["early"]["stop"]["survival"] == [1.0, 1.0] + [0.0] * 10
    assert drawn["never"] == [1.0] * 12
    assert drawn["myopic oracle"] == entries["early"]["stop"]["myopic_survival"]
    drawn = lines(reward_by_epoch(entries))
    assert drawn["never"] == pytest.approx([4, 3, 2, 1] + [-2] * 8)
    assert drawn["lifetime oracle"] == entries["early"]["lifetime_reward_by_epoch"]


def test_a_page_needs_nothing_but_itself(tmp_path: Path) -> None:
    for name in ("recipe <b>", "random"):
        folder = tmp_path / name.replace("<b>", "bold")
        folder.mkdir()
        (folder / "evaluation.json").write_text(json.dumps(judged("lifetime")))
        (folder / "config.json").write_text('{"world": "Investment"}')
        (folder / "run.json").write_text('{"versions": {"torch": "1"}}')
    runs = collect(tmp_path)
    assert list(runs) == ["random", "recipe bold"]
    page = write_report({"<script>": runs["random"]}, tmp_path / "out" / "index.html", "A & B")
    text = page.read_text()
    assert "&lt;script&gt;" in text
    assert "<script>" not in text
    assert "A &amp; B" in text
    assert text.count("<svg") == 2
    assert "src=" not in text


def test_folders_without_runs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no evaluated run in it"):
        collect(tmp_path)
    with pytest.raises(ValueError, match="expected a folder of runs"):
        collect(tmp_path / "none")
    (tmp_path / "evaluation.json").write_text("{")
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(ValueError, match="expected JSON"):
        collect(tmp_path)
