"""A sample of an environment's own steps, compared with the table that it carries."""

from __future__ import annotations

import random
from typing import Any

import gymnasium as gym
import numpy as np

from rl_envs.extraction.content import References
from rl_envs.extraction.contents import Contents
from rl_envs.extraction.frequencies import LEAST_LIKELY, Frequencies
from rl_envs.extraction.global_random import GlobalGenerators
from rl_envs.extraction.layers import Layers
from rl_envs.mdp.finite_mdp import FiniteMDP

# So many steps are taken, in episodes of at most so many.
STEPS, EPISODE = 2_000, 100

# Rewards may differ by the rounding of single precision.
ROUNDING = 1e-6


def check_table(env: Any, mdp: FiniteMDP) -> None:
    """Take random steps in an environment whose observations are a table's states, and look each up in it.

    The environment is left as it was. A sample proves nothing about states that it does not reach.

    Args:
        env: the environment, without wrappers.
        mdp: the table that it carries.

    Raises:
        ValueError: a step that the table says cannot happen, or frequencies that it does not have.
    """
    if type(env).step is gym.Env.step:
        return  # a table alone: there is nothing that it could differ from
    layers = Layers(env)
    shared = GlobalGenerators(env)
    rng = np.random.default_rng(0)
    try:
        Contents(layers, References(np.random.default_rng(0), random.Random(0), layers.parts))
        _play(env, mdp, rng)
    finally:
        layers.give_back()
        shared.restore()


def _play(env: Any, mdp: FiniteMDP, rng: np.random.Generator) -> None:
    counts = Frequencies()
    starts = np.flatnonzero(mdp.start).tolist()
    start_probabilities = mdp.start[starts].tolist()
    name = type(env).__name__
    taken = 0
    while taken < STEPS:
        state = int(env.reset(seed=0)[0] if not taken else env.reset()[0])
        if state not in starts:
            raise ValueError(
                f"the table of {name} must be what reset() does, but reset() gave state {state}, which has probability "
                f"0 in initial_state_distrib; {ADVICE}"
            )
        counts.add(start_probabilities, starts.index(state), "start")
        for _ in range(EPISODE):
            action = int(rng.integers(mdp.num_actions))
            observation, reward, terminated = env.step(action)[:3]
            taken += 1
            next_state, reward, terminated = int(observation), float(reward), bool(terminated)
            possible = mdp.probability[state, action] > 0
            fits = (
                possible
                & (mdp.next_state[state, action] == next_state)
                & (np.abs(mdp.reward[state, action] - reward) <= ROUNDING * max(1.0, abs(reward)))
                & (mdp.terminated[state, action] == terminated)
            )
            if not fits.any():
                raise ValueError(
                    f"the table of {name} must be what step() does, but action {action} in state {state} led to state "
                    f"{next_state} with reward {reward:g}{' and ended the episode' if terminated else ''}, where P has "
                    f"{_listed(mdp, state, action)}; {ADVICE}"
                )
            which = int(np.flatnonzero(possible)[np.argmax(fits[possible])])
            counts.add(mdp.probability[state, action][possible].tolist(), int(np.count_nonzero(possible[:which])))
            state = next_state
            if terminated or taken >= STEPS:
                break
    p_value = counts.p_value()
    if p_value < LEAST_LIKELY:
        raise ValueError(
            f"the table of {name} must be what step() does, but outcomes as frequent as those of {taken:,} steps have "
            f"probability {p_value:.1e} in it; {ADVICE}"
        )


ADVICE = "truth(env, explore=True) walks the environment and finds the table that it has"


def _listed(mdp: FiniteMDP, state: int, action: int) -> str:
    """The outcomes of a pair in words."""
    outcomes = []
    for k in np.flatnonzero(mdp.probability[state, action]):
        end = " and the end" if mdp.terminated[state, action, k] else ""
        outcomes.append(f"state {mdp.next_state[state, action, k]} with reward {mdp.reward[state, action, k]:g}{end}")
    return " or ".join(outcomes)
