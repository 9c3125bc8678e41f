"""S-curves: the batched descent against a slow one, the flow, and the readings."""

import math

import numpy as np
import pytest
import torch

from myopia.superposition.curves import Descent, Sweep, answers, descend, scales, summary
from myopia.superposition.curves.descent import factors
from myopia.superposition.curves.figures import curve_figure, flow_of, plateau_figure
from myopia.superposition.curves.ode import flow, half_loss_time, random_start, scalars
from myopia.superposition.curves.reading import bump, drop_width, find_plateaus

SMALL = {"d": 12, "steps": 40, "seeds": 2}


@pytest.mark.parametrize("loss", ["mse", "cross-entropy"])
@pytest.mark.parametrize("optimiser", ["gradient", "adam"])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_descent_is_autograd_one_seed_at_a_time(loss, optimiser, decay):
    descent = Descent(
        rank=3, loss=loss, optimiser=optimiser, learning_rate=0.01, weight_decay=decay, **SMALL
    )
    run = descend(descent)
    assert run.steps.tolist() == list(range(41))
    for seed in range(2):
        truth_a, truth_b, a, b = (f[seed].double() for f in factors(descent))
        C = truth_a @ truth_b.T
        p = C.flatten().softmax(0)
        rate = (
            0.01 / torch.linalg.matrix_norm(C, 2)
            if (loss, optimiser) == ("mse", "gradient")
            else 0.01
        )
        a, b = (f.clone().requires_grad_() for f in (a, b))
        kind = torch.optim.SGD if optimiser == "gradient" else torch.optim.AdamW
        more = {} if optimiser == "gradient" else {"weight_decay": decay}
        plain = kind([a, b], lr=rate, **more)
        for step in range(41):
            Z = a @ b.T
            if loss == "mse":
                value = (C - Z).square().sum() / 2
            else:
                value = (p * (p.log() - Z.flatten().log_softmax(0))).sum()
            assert float(run.loss[seed, step]) == pytest.approx(value.item(), rel=1e-4, abs=1e-5)
            plain.zero_grad()
            value.backward()
            if optimiser == "gradient":
                with torch.no_grad():
                    for f in (a, b):
                        f.mul_(1 - rate * decay)
            plain.step()


def test_a_seed_does_not_depend_on_its_batch():
    together = descend(Descent(rank=2, d=10, steps=20, seeds=3))
    alone = descend(Descent(rank=2, d=10, steps=20, seeds=1, first_seed=2))
    assert torch.allclose(together.loss[2], alone.loss[0], rtol=1e-5)


def test_what_a_run_says_of_its_target():
    descent = Descent(rank=2, loss="cross-entropy", **SMALL)
    run = descend(descent)
    truth_a, truth_b, *_ = factors(descent)
    p = (truth_a[0] @ truth_b[0].T).double().flatten().softmax(0)
    entropy = float(-(p * p.log()).sum())
    assert float(run.perplexity[0]) == pytest.approx(math.exp(entropy))
    assert float(run.reference[0]) == pytest.approx(math.log(144) - entropy)


def test_flow_keeps_the_truth_and_agrees_with_descent():
    s = np.array([50.0])
    still = flow(np.array([[math.sqrt(50), math.sqrt(50), 0, 0]]), s, np.linspace(0, 5, 6))
    assert np.allclose(still, 0, atol=1e-6)
    run = descend(Descent(rank=1, steps=1500, seeds=3, spread=0.3))
    _, loss = flow_of(run)
    gap = np.abs(run.loss.numpy() - loss) / (run.sigma_max.numpy()[:, None] ** 2 / 2)
    assert gap.max() <= 0.02


def test_scalars_split_a_vector():
    along, rest = scalars(np.array([0.0, 2.0, 0.0]), np.array([3.0, -5.0, 4.0]))
    assert (along, rest) == (-5, 5)


def test_half_loss_time_is_where_the_flow_crosses():
    start, s = random_start(5, 0.1, 100, np.random.default_rng(0))
    times = half_loss_time(start, s)
    for i, time in enumerate(times):
        at = flow(start[[i]], s[[i]], np.array([0, time - 0.002, time + 0.002]))[0, 1:]
        assert at[0] > s[i] ** 2 / 4 > at[1]


def test_drop_width_of_a_known_curve():
    steps = np.arange(1001.0)
    loss = np.where(steps < 100, 2.0, np.where(steps < 200, 2 - (steps - 100) * 0.015, 0.5))
    # the line crosses 1.1 at step 160 and .9 at step 173.3
    assert drop_width(steps, loss, 1.0) == pytest.approx(math.log(173.333 / 160), abs=1e-4)
    assert drop_width(steps, loss, 0.1) is None
    assert drop_width(steps, 0 * loss + 1, 1.0) is None


def test_plateaus_of_a_staircase():
    steps = np.unique(np.geomspace(1, 10_000, 3000).round())
    tau = np.log(steps)
    falls = [(math.log(50), 0.4), (math.log(1000), 0.4)]
    loss = np.exp(-sum(2 / (1 + np.exp(-(tau - at) / 0.05)) * share for at, share in falls))
    found = find_plateaus(steps, loss, 1.0, 0.03)
    assert found.initial is not None
    assert found.count == 3
    assert found.later[0][0] == pytest.approx(50, rel=0.6)
    steep = find_plateaus(steps, 1 / steps, 1.0, 0.3)
    assert steep.count == 0
    assert find_plateaus(steps, 0 * steps + 0.01, 1.0, 0.3).count == 0
    assert find_plateaus(steps, 0 * steps + 1, 1.0, 0.03).count == 1


def test_bump():
    assert bump(np.array([0, 0.5, 0.3, 1.0])) == pytest.approx(0.2)
    assert bump(np.array([0.0, 1.0])) == 0


def test_settings_are_checked():
    with pytest.raises(ValueError, match="rank must be at most d = 5, but is 6"):
        Descent(rank=6, d=5)
    with pytest.raises(ValueError, match="steps must be at least 1"):
        Descent(rank=1, steps=0)
    with pytest.raises(ValueError, match="spread must be positive"):
        Descent(rank=1, spread=0)


def test_a_small_sweep_is_answered_and_drawn():
    sweep = Sweep(seeds=2, mse_steps=60, cross_entropy_steps=60, d=12)
    runs = [descend(setting) for setting in sweep.settings()]
    assert len(runs) == 16
    rows = [summary(run) for run in runs]
    scaled = [summary(descend(setting)) for setting in scales(sweep, (0.1, 1.0))]
    answered = answers(rows, scaled)
    assert set(answered["median KL in nats by rank"]) == {1, 2, 10, 12}
    drawn = curve_figure(runs).axes[0].lines[0].get_ydata()
    expected = runs[0].loss[0, 1:] / runs[0].reference[0]
    assert np.allclose(drawn, expected)
    last = plateau_figure(rows, scaled).axes[-1]
    assert list(last.lines[0].get_xdata()) == [0.1, 1.0]
