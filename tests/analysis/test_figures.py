"""Figures draw the numbers of the table, seed by seed."""

import contextlib
import functools

import numpy as np
import pytest

from myopia.analysis.evaluation.evaluation import evaluate, evaluate_agent
from myopia.analysis.exact.discount_fit import GRID
from myopia.analysis.exact.policies import reference_policy
from myopia.analysis.report.figure import FIGURES, NothingToDraw
from myopia.analysis.report.figures.conflict_map import conflict_map
from myopia.analysis.report.figures.delta_profile import delta_profile
from myopia.analysis.report.figures.index_response import index_response
from myopia.analysis.report.figures.learning_curves import learning_curves
from myopia.analysis.report.figures.reward_by_epoch import reward_by_epoch
from myopia.analysis.report.figures.sacrifice import sacrifice
from myopia.analysis.report.figures.scores import scores
from myopia.analysis.report.figures.survival import survival
from myopia.analysis.report.scores import SCORES, summary
from myopia.envs import make_world


@functools.cache
def judged(policy: str, **dials) -> dict:
    world = make_world("Investment", **dials)
    return evaluate(world, reference_policy(world, policy), policy).json()


def table() -> dict:
    soft = [judged(f"oracle:delta={delta},beta=5") for delta in (0.2, 0.5, 0.8)]
    return {"soft": soft, "early": [judged("stop-at:2")], "never": [judged("always:work")]}


def lines(axis) -> list[tuple[str, list[float]]]:
    return [(line.get_label(), list(line.get_ydata())) for line in axis.get_lines()]


def drawn(axis, curve) -> int:
    """How often a panel draws this curve."""
    return sum(len(y) == len(curve) and np.allclose(y, curve) for _, y in lines(axis))


def panel(figure, name: str):
    return next(axis for axis in figure.axes if axis.get_title(loc="left") == name)


@pytest.mark.parametrize(
    ("draw", "curve"),
    [
        (survival, lambda entries: entries["stop"]["survival"]),
        (reward_by_epoch, lambda entries: entries["reward_by_epoch"]),
        (delta_profile, lambda e: np.array(e["delta"]["profile"]) - max(e["delta"]["profile"])),
    ],
)
def test_a_panel_has_every_seed_and_their_median(draw, curve) -> None:
    figure = draw(table())
    for name, seeds in table().items():
        axis = panel(figure, name)
        for entries in seeds:
            assert drawn(axis, curve(entries))
        if len(seeds) > 1:
            median = np.median([curve(entries) for entries in seeds], axis=0)
            named = dict(lines(axis))["median"]
            np.testing.assert_allclose(named, median)


def test_oracles_and_cutoff_stand_beside() -> None:
    entries = judged("lifetime")
    axis = panel(survival({"a": [entries]}), "a")
    assert dict(lines(axis))["myopic oracle"] == entries["stop"]["myopic_survival"]
    cutoff = next(line for line in axis.get_lines() if line.get_label() == "cutoff")
    assert list(cutoff.get_xdata()) == [3.5, 3.5]
    axis = panel(reward_by_epoch({"a": [entries]}), "a")
    assert dict(lines(axis))["lifetime oracle"] == entries["lifetime_reward_by_epoch"]
    assert entries["lifetime_reward_by_epoch"][:4] == pytest.approx([0, 9, 6, 3])


def test_scores() -> None:
    figure = scores(table())
    for score in SCORES.values():
        axis = panel(figure, score.label)
        dots = [line for line in axis.get_lines() if line.get_marker() == "o"]
        assert [len(line.get_xdata()) for line in dots] == [
            len(score.values(seeds)) for seeds in table().values()
        ]
        np.testing.assert_array_equal(dots[0].get_xdata(), score.values(table()["soft"]))
        bars = [line for line in axis.get_lines() if line.get_marker() == "|"]
        found = [summary(score, seeds) for seeds in table().values()]
        assert [line.get_xdata()[0] for line in bars] == [one.median for one in found if one]


def test_sacrifice_and_payback() -> None:
    seeds = {"lifetime": [judged("lifetime")], "myopic": [judged("myopic")]}
    axis = sacrifice(seeds).axes[0]
    heights = [bar.get_height() for bar in axis.patches]
    lifetime = seeds["lifetime"][0]
    assert heights == pytest.approx(
        [lifetime["sacrifice"], 0, lifetime["payback"]["carry"], 0, 0, 0], abs=1e-9
    )
    assert lifetime["sacrifice"] == pytest.approx(4)


def test_conflict_map() -> None:
    seeds = {name: [judged(name)] for name in ("lifetime", "myopic", "random")}
    figure = conflict_map(seeds)
    image = panel(figure, "invest conflicts").get_images()[0].get_array()
    assert image.shape == (3, 12)
    assert image[0, 0] == pytest.approx(1)
    assert image[1, 0] == pytest.approx(0)
    assert image[2, 0] == pytest.approx(1 / 3)
    assert np.isnan(image[:, 4:].filled(np.nan)).all(), "past the cutoff there is no conflict"


def test_conflict_by_epoch_adds_up() -> None:
    entries = judged("random")
    by_epoch = entries["conflict_by_epoch"]["invest"]
    share = sum(by_epoch["farsighted"]) / sum(by_epoch["met"])
    assert share == pytest.approx(entries["conflict"]["invest"]["farsighted"])


def test_index_response() -> None:
    world = make_world("Work", index="exact")

    def agent(observations: np.ndarray) -> np.ndarray:
        stops = observations[:, 4 + 3] == 1  # shown index 3
        return np.stack([1.0 - stops, 0 * stops, 1.0 * stops], axis=1)

    seeds = [evaluate_agent(world, agent).json()]
    axis = panel(index_response({"counts": seeds}), "counts")
    assert drawn(axis, np.eye(13)[3]) == 1
    shaded = [patch.get_x() + patch.get_width() / 2 for patch in axis.patches]
    assert shaded == [12]


def test_learning_curves() -> None:
    steps = [0, 100, 200]
    seeds = [
        judged("myopic") | {"learning": {"steps": steps, "competence": good, "ahead": ahead}}
        for good, ahead in (([0.1, 0.5, 1.0], [None, 0.2, 0.9]), ([0.2, 0.6, 0.9], [0.1, 0.3, 1.0]))
    ]
    axis = panel(learning_curves({"a": seeds}), "a")
    for entries in seeds:
        assert drawn(axis, entries["learning"]["competence"]) == 1
    assert drawn(axis, seeds[1]["learning"]["ahead"]) == 1
    np.testing.assert_allclose(dict(lines(axis))["competence"], [0.15, 0.55, 0.95])
    assert {tuple(line.get_xdata()) for line in axis.get_lines()} == {tuple(steps)}


def test_the_profile_peaks_where_the_estimate_is() -> None:
    entries = judged("oracle:delta=0.5,beta=5")["delta"]
    assert GRID[np.argmax(entries["profile"])] == pytest.approx(entries["best"], abs=0.01)


@pytest.mark.parametrize("name", FIGURES)
def test_what_cannot_be_drawn_is_said(name: str) -> None:
    """A severed world, judged by a table: no conflict, no δ, no displayed index."""
    severed = {"severed": [judged("lifetime", channel="severed")]}
    draw = FIGURES[name].draw
    if name in ("index_response", "delta_profile", "conflict_map", "learning_curves"):
        with pytest.raises(NothingToDraw):
            draw(severed)
        return
    with contextlib.suppress(NothingToDraw):
        assert draw(severed).axes


def test_more_conditions_than_fit_in_a_row() -> None:
    many = {f"condition {number}": [judged("myopic")] for number in range(6)}
    figure = survival(many)
    shown = [axis.get_title(loc="left") for axis in figure.axes if axis.get_visible()]
    assert shown == list(many)
