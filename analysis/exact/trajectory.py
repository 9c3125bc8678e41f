"""The likeliest course of a policy, as names of actions."""

import numpy as np

from myopia.analysis.exact.transition_model import transition_model_of
from myopia.envs.world import World


def likeliest_actions(world: World, policy: np.ndarray) -> list[list[str]]:
    """One list of actions for each epoch: always the likeliest state, action and outcome.

    Ties go to the first in the order of states and actions.
    """
    model = transition_model_of(world)
    course: list[list[str]] = []
    state = int(model.start.argmax())
    for k in range(model.K):
        course.append([])
        for t in range(model.T):
            action = int(policy[k, t, state].argmax())
            course[-1].append(world.actions[action])
            if action == model.A - 1 and model.shuts_down[t]:
                return course
            row = state * model.A + action
            closing = model.closing[t][[row]].toarray()[0]
            if closing.sum() > 0.5:
                state = int((model.landing_probability.T @ closing).argmax())
                break
            state = int(model.within[t][[row]].toarray()[0].argmax())
    return course
