"""Hypothesis strategies for random tables and worlds: padding, terminations, noise, random starts, all observations."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from hypothesis import strategies as st

from rl_envs.mdp.finite_mdp import FiniteMDP
from rl_envs.worlds.observation import Features, Index, Labels, Observation, OneHot
from rl_envs.worlds.world import StateNumber, World

OBSERVATIONS = ("index", "labels", "multi_discrete", "box", "one_hot")


def random_table(
    seed: int,
    *,
    num_states: int = 4,
    num_actions: int = 2,
    num_outcomes: int = 3,
    padding: float = 0.3,
    terminating: float = 0.2,
    noisy: bool = False,
    num_starts: int = 1,
    discount: float = 0.9,
) -> FiniteMDP:
    """A table drawn from a seed.

    Args:
        seed: of the generator that draws it.
        num_states: S.
        num_actions: A.
        num_outcomes: K.
        padding: how often an outcome has probability 0, wherever in its row it stands.
        terminating: how often an outcome ends the episode.
        noisy: whether rewards have noise.
        num_starts: in how many states an episode may begin.
        discount: gamma.
    """
    generator = np.random.default_rng(seed)
    shape = (num_states, num_actions, num_outcomes)
    # The fourth power spreads the probabilities over many orders of magnitude.
    weights = generator.random(shape) ** 4 + 1e-9
    weights[generator.random(shape) < padding] = 0
    weights[..., generator.integers(num_outcomes)] += weights.sum(axis=2) == 0
    start = np.zeros(num_states)
    start[generator.choice(num_states, size=num_starts, replace=False)] = generator.random(num_starts) + 0.01
    return FiniteMDP(
        probability=weights / weights.sum(axis=2, keepdims=True),
        next_state=generator.integers(num_states, size=shape),
        reward=generator.standard_normal(shape).round(2),
        terminated=generator.random(shape) < terminating,
        start=start / start.sum(),
        discount=discount,
        reward_std=generator.random(shape) if noisy else None,
    )


def observation_of(kind: str, num_states: int, generator: np.random.Generator) -> Observation:
    """An observation of the given kind; all but the index may show two states alike."""
    if kind == "labels":
        labels = generator.integers(num_states, size=num_states)
        return Labels(np.unique(labels, return_inverse=True)[1].reshape(-1))
    if kind == "multi_discrete":
        return Features(generator.integers(3, size=(num_states, 2)), sizes=3)
    if kind == "box":
        return Features(generator.random((num_states, 3)), low=0.0, high=1.0)
    if kind == "one_hot":
        return OneHot(Features(generator.integers(3, size=(num_states, 2)), sizes=3))
    return Index(num_states)


def world_of(
    mdp: FiniteMDP,
    *,
    observation: Observation | None = None,
    max_episode_steps: int | None = None,
    simultaneous: tuple[int, ...] = (),
    goal_states: np.ndarray | None = None,
    action_info: dict[str, np.ndarray] | None = None,
) -> World:
    """A world with the least around a table."""
    return World(
        name="Random",
        mdp=mdp,
        max_episode_steps=max_episode_steps,
        action_names=tuple(f"action {action}" for action in range(mdp.num_actions)),
        observation=observation or Index(mdp.num_states),
        drawing=StateNumber(mdp.num_states),
        simultaneous=simultaneous,
        goal_states=goal_states,
        action_info=action_info or {},
    )


def spec_of(world: World, **changes: Any) -> EnvSpec:
    """The specification under which a world would be registered, for `gym.make` and `gym.make_vec`."""
    arguments: dict[str, Any] = {
        "id": "tests/Random-v0",
        "entry_point": "rl_envs.envs.tabular_env:TabularEnv",
        "vector_entry_point": "rl_envs.envs.tabular_vector_env:TabularVectorEnv",
        "max_episode_steps": world.max_episode_steps,
        "kwargs": {"world": world},
    }
    return EnvSpec(**{**arguments, **changes})


@st.composite
def tables(draw: st.DrawFn, max_states: int = 5, max_actions: int = 4, max_outcomes: int = 6) -> FiniteMDP:
    """Random finite MDPs."""
    num_states = draw(st.integers(1, max_states), label="num_states")
    return random_table(
        draw(st.integers(0, 2**32 - 1), label="seed of the table"),
        num_states=num_states,
        num_actions=draw(st.integers(1, max_actions), label="num_actions"),
        num_outcomes=draw(st.integers(1, max_outcomes), label="num_outcomes"),
        padding=draw(st.sampled_from([0.0, 0.3, 0.8]), label="padding"),
        terminating=draw(st.sampled_from([0.0, 0.1, 0.5, 1.0]), label="terminating"),
        noisy=draw(st.booleans(), label="noisy"),
        num_starts=draw(st.integers(1, num_states), label="num_starts"),
        discount=draw(st.sampled_from([0.0, 0.5, 0.95, 1.0]), label="discount"),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Random worlds: a table, an observation, perhaps a goal, a time limit, numbers in info, simultaneous choices."""
    mdp = draw(tables())
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1), label="seed of the observation"))
    observation = observation_of(draw(st.sampled_from(OBSERVATIONS), label="observation"), mdp.num_states, generator)
    splits = {4: [(), (4,), (2, 2)], 2: [(), (2,), (1, 2)]}.get(mdp.num_actions, [(), (mdp.num_actions,)])
    regret = generator.standard_normal((mdp.num_states, mdp.num_actions))
    return world_of(
        mdp,
        observation=observation,
        max_episode_steps=draw(st.none() | st.integers(1, 6), label="max_episode_steps"),
        simultaneous=draw(st.sampled_from(splits), label="simultaneous"),
        goal_states=draw(st.sampled_from([None, generator.random(mdp.num_states) < 0.5]), label="goal_states"),
        action_info=draw(st.sampled_from([{}, {"regret": regret}, {"regret": regret, "cost": regret**2}])),
    )


def random_action(env: gym.Env, generator: np.random.Generator) -> Any:
    """A valid action of a single environment: a plain int, or a row of integers."""
    if isinstance(env.action_space, gym.spaces.MultiDiscrete):
        return generator.integers(env.action_space.nvec)
    return int(generator.integers(env.action_space.n))
