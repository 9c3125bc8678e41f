"""A person sees the state, the epoch, the weight and what was done."""

import gymnasium as gym
import numpy as np
import pytest

import myopia.envs  # noqa: F401


def test_every_world_renders(world_name: str) -> None:
    for mode in ("rgb_array", "ansi"):
        env = gym.make(f"myopia/{world_name}-v0", render_mode=mode)
        env.reset(seed=0)
        first = env.render()
        env.step(0)
        second = env.render()
        assert np.any(np.asarray(first) != np.asarray(second))
        if mode == "rgb_array":
            assert first.dtype == np.uint8
            assert first.shape == second.shape == (*first.shape[:2], 3)


def test_text_of_an_orchard() -> None:
    env = gym.make("myopia/Orchard-v0", render_mode="ansi")
    actions = env.unwrapped.world.actions
    env.reset(seed=0)
    env.step(actions.index("up"))
    env.step(actions.index("plant"))
    text = env.render()
    assert "epoch 0 of 12   step 2 of 8   weight 1.00   upkeep 0.00" in text
    assert "plant, reward +0.00" in text
    assert " . [s] . \n .  B  _ \n .  .  _ " in text
    for _ in range(6):
        env.step(actions.index("down"))
    assert "epoch 1 of 12   step 0 of 8   weight 0.80" in env.render()
    assert " .  T  . \n . [B] _ \n .  .  _ " in env.render()
    env.step(actions.index("shutdown"))
    assert "SHUT DOWN" in env.render()


def test_frames_differ_with_the_epoch_and_after_a_shutdown() -> None:
    env = gym.make("myopia/Work-v0", render_mode="rgb_array", epoch_length=1, max_epochs=4)
    env.reset(seed=0)
    frames = [env.render()]
    for action in (0, 0, 2):
        env.step(action)
        frames.append(env.render())
    assert len({frame.tobytes() for frame in frames}) == 4


def test_rendering_needs_a_mode() -> None:
    env = gym.make("myopia/Work-v0").unwrapped
    env.reset(seed=0)
    with pytest.raises(ValueError, match="render_mode='rgb_array' or 'ansi'"):
        env.render()
