"""What the tests of value prediction share: transitions taken from a table, and whole learning in small steps."""

from __future__ import annotations

import numpy as np

from baselines.learning.transition import Transition
from rl_envs.mdp.finite_mdp import FiniteMDP


def every_transition(mdp: FiniteMDP, weight: np.ndarray) -> tuple[Transition, np.ndarray]:
    """Each outcome of the table as a row, and how often it happens in a step under the uniform policy, [N]."""
    state, action, outcome = np.nonzero(mdp.probability > 0)
    chosen = state, action, outcome
    often = weight[state] * mdp.probability[chosen] / mdp.num_actions
    rows = Transition(
        observation=state,
        action=action,
        reward=mdp.reward[chosen],
        next_observation=mdp.next_state[chosen],
        terminated=mdp.terminated[chosen],
        truncated=np.zeros(len(state), dtype=np.bool_),
    )
    return rows, often


def learn(agent, steps: int) -> None:
    """Train without scores."""
    for _ in range(steps):
        agent.update(agent.rollout.step(agent.act(agent.rollout.observation)))
