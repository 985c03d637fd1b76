"""Deliberate faults, planted one at a time: the contract must catch each. A check that cannot fail proves nothing."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from rl_envs import exact as exact_module
from rl_envs.envs import tabular_env as env_module
from rl_envs.envs.tabular_env import TabularEnv
from rl_envs.mdp.finite_mdp import FiniteMDP
from rl_envs.worlds import observation as observation_module
from rl_envs.worlds.observation import Features, Index
from rl_envs.worlds.world import World
from tests import contract

SLIPPERY = ("rl_envs/LineWalk-v0", {"slip": 0.2})
PLAIN = ("rl_envs/LineWalk-v0", {})
ONE_HOT = ("rl_envs/LineWalkOneHot-v0", {"slip": 0.2})
# Its rows behind the goal are like any other, so looking past the end is not worth 0 as in worlds that stay put there.
CLIFF = ("CliffWalking-v1" if "CliffWalking-v1" in gym.registry else "CliffWalking-v0", {})

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Fault:
    """A fault, where it is planted, and the check that must catch it."""

    name: str
    caught_by: str
    plant: Plant
    environment: tuple[str, dict[str, Any]] = SLIPPERY


def change_step(change: Callable[[TabularEnv, Any, tuple[Any, ...]], tuple[Any, ...]]) -> Plant:
    """A fault in what `step` returns: change(env, observation before, returned row) -> row."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        original = TabularEnv.step

        def step(self: TabularEnv, action: Any) -> tuple[Any, ...]:
            before = self.world.observation.of(self._state)
            return change(self, before, original(self, action))

        patch.setattr(TabularEnv, "step", step)

    return plant


def change_action(change: Callable[[TabularEnv, Any], Any]) -> Plant:
    """A fault in what `step` does with the action."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        original = TabularEnv.step
        patch.setattr(TabularEnv, "step", lambda self, action: original(self, change(self, action)))

    return plant


def change_reset(change: Callable[[TabularEnv, Callable[..., Any], dict[str, Any]], Any]) -> Plant:
    """A fault in `reset`: change(env, original reset bound to it, keywords) -> (observation, info)."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        original = TabularEnv.reset

        def reset(self: TabularEnv, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
            return change(self, lambda **given: original(self, **given), {"seed": seed, "options": options})

        patch.setattr(TabularEnv, "reset", reset)

    return plant


def change_world(change: Callable[[World], World]) -> Plant:
    """A fault in the world that an environment is made with."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        original = env_module.build
        patch.setattr(env_module, "build", lambda world, **arguments: change(original(world, **arguments)))

    return plant


def hold(**attributes: Any) -> Plant:
    """A fault in an attribute of the class."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        for name, value in attributes.items():
            patch.setattr(TabularEnv, name, value, raising=False)

    return plant


def stale_after_reset(env: TabularEnv, reset: Callable[..., Any], keywords: dict[str, Any]) -> Any:
    before = env.world.observation.of(env._state)
    _, info = reset(**keywords)
    return before, info


def without_seed(env: TabularEnv, reset: Callable[..., Any], keywords: dict[str, Any]) -> Any:
    return reset(**{**keywords, "seed": None})


def seed_always_zero(env: TabularEnv, reset: Callable[..., Any], keywords: dict[str, Any]) -> Any:
    return reset(**{**keywords, "seed": 0})


def seed_before_looking(env: TabularEnv, reset: Callable[..., Any], keywords: dict[str, Any]) -> Any:
    """Reseeds first and refuses the options afterwards, so that a refused call has changed the generator."""
    gym.Env.reset(env, seed=keywords.get("seed"))
    return reset(**{**keywords, "seed": None})


def uniform_start(env: TabularEnv, reset: Callable[..., Any], keywords: dict[str, Any]) -> Any:
    if "state" in (keywords.get("options") or {}):
        return reset(**keywords)
    reset(**keywords)
    state = int(env.np_random.integers(1, env.world.mdp.num_states - 1))
    return reset(options={"state": state})


def use_global_generator(env: TabularEnv, action: Any) -> Any:
    np.random.random()  # noqa: NPY002 - the fault itself
    return action


def swap(env: TabularEnv, action: Any) -> Any:
    return 1 - action if type(action) is int and action in (0, 1) else action


def wrap_around(env: TabularEnv, action: Any) -> Any:
    return action % 2 if isinstance(action, (int, np.integer)) else action


def never_ends(patch: pytest.MonkeyPatch) -> None:
    original = TabularEnv.step

    def step(self: TabularEnv, action: Any) -> Any:
        self._running = True
        return original(self, action)

    patch.setattr(TabularEnv, "step", step)


def one_array_for_all(patch: pytest.MonkeyPatch) -> None:
    original = observation_module.OneHot.of
    kept: dict[int, np.ndarray] = {}

    def of(self: Any, state: int) -> np.ndarray:
        array = kept.setdefault(id(self), original(self, state))
        array[:] = original(self, state)
        return array

    patch.setattr(observation_module.OneHot, "of", of)


def forget_generator(patch: pytest.MonkeyPatch) -> None:
    original = TabularEnv.set_state

    def set_state(self: TabularEnv, saved: dict[str, Any]) -> None:
        generator = self.np_random.bit_generator.state
        original(self, saved)
        self.np_random.bit_generator.state = generator

    patch.setattr(TabularEnv, "set_state", set_state)


def equal_weights(patch: pytest.MonkeyPatch) -> None:
    original = TabularEnv._look_up

    def look_up(self: TabularEnv, pair: int) -> Any:
        outcomes = original(self, pair)
        self._cumulative[pair] = [(k + 1) / len(outcomes) for k in range(len(outcomes))]
        return outcomes

    patch.setattr(TabularEnv, "_look_up", look_up)


def only_plain_integers(env: TabularEnv, action: Any) -> Any:
    if type(action) not in (int, np.int64):
        raise gym.error.InvalidAction(f"{action!r}")
    return action


def swap_arguments_in_specification(patch: pytest.MonkeyPatch) -> None:
    """What the specification says differs from what was made: slip is dropped on the way."""
    original = env_module.build
    made: list[int] = []

    def build(world: Any, **arguments: Any) -> World:
        made.append(1)
        if len(made) > 1:
            arguments["slip"] = 0.9
        return original(world, **arguments)

    patch.setattr(env_module, "build", build)


def padded_table(patch: pytest.MonkeyPatch) -> None:
    """Outcomes that cannot happen are listed too."""
    original = FiniteMDP.transitions

    def transitions(self: FiniteMDP) -> Any:
        table = original(self)
        table[0][0].append((0.0, 0, 0.0, False))
        return table

    patch.setattr(FiniteMDP, "transitions", transitions)


def limit_off_by_one(patch: pytest.MonkeyPatch) -> None:
    original = gym.wrappers.TimeLimit.__init__

    def init(self: Any, env: gym.Env, max_episode_steps: int) -> None:
        original(self, env, max_episode_steps + 1)

    patch.setattr(gym.wrappers.TimeLimit, "__init__", init)


def bootstrap_through_terminal_steps(patch: pytest.MonkeyPatch) -> None:
    """The solver is handed a table in which nothing ends: the classic wrong mask."""
    original = exact_module.solve

    def solve(mdp: FiniteMDP, *args: Any, **keywords: Any) -> Any:
        forgetful = replace(mdp, terminated=np.zeros_like(mdp.terminated), reward=mdp.reward + 0.0)
        return original(forgetful, *args, **keywords)

    patch.setattr(exact_module, "solve", solve)


def discrete_from_one(patch: pytest.MonkeyPatch) -> None:
    original = Index.__init__

    def init(self: Index, num_states: int) -> None:
        original(self, num_states)
        self.space = spaces.Discrete(num_states, start=1)

    patch.setattr(Index, "__init__", init)
    patch.setattr(Index, "of", lambda self, state: state + 1)
    patch.setattr(Index, "batch", lambda self, states: np.asarray(states, dtype=np.int64) + 1)


def infinite_bounds(world: World) -> World:
    rows = np.arange(world.mdp.num_states, dtype=np.float32)[:, None]
    return replace(world, observation=Features(rows, low=-np.inf, high=np.inf))


FAULTS = (
    Fault("bootstrap through a terminal step", "the_optimum_is_proved_twice", bootstrap_through_terminal_steps, CLIFF),
    Fault("time limit off by one", "episodes_end_in_time", limit_off_by_one, PLAIN),
    Fault(
        "wrong side of the cumulative distribution",
        "uniforms_fall_on_the_right_side",
        lambda patch: patch.setattr(env_module, "bisect_right", bisect_left),
    ),
    Fault("ignored seed", "the_seed_decides_everything", change_reset(without_seed)),
    Fault("every seed the same", "the_seed_decides_everything", change_reset(seed_always_zero)),
    Fault("swapped actions", "samples_follow_the_table", change_action(swap)),
    Fault("swapped actions without chance", "samples_follow_the_table", change_action(swap), PLAIN),
    Fault("stale observation after reset", "the_observation_is_that_of_the_state", change_reset(stale_after_reset)),
    Fault(
        "observation of the state before the step",
        "the_observation_is_that_of_the_state",
        change_step(lambda env, before, row: (before, *row[1:])),
    ),
    Fault("every outcome equally likely", "samples_follow_the_table", equal_weights),
    Fault("starts anywhere", "first_states_follow_their_distribution", change_reset(uniform_start)),
    Fault("one array handed out for ever", "values_have_exact_types", one_array_for_all, ONE_HOT),
    Fault(
        "rewards as NumPy numbers",
        "values_have_exact_types",
        change_step(lambda env, before, row: (row[0], np.float64(row[1]), *row[2:])),
    ),
    Fault(
        "flags as NumPy bools",
        "values_have_exact_types",
        change_step(lambda env, before, row: (*row[:2], np.bool_(row[2]), *row[3:])),
    ),
    Fault(
        "info with another key at reset",
        "info_has_one_form",
        change_reset(lambda env, reset, keywords: (reset(**keywords)[0], {})),
    ),
    Fault(
        "info under a name that wrappers use",
        "info_has_one_form",
        change_step(lambda env, before, row: (*row[:4], {**row[4], "episode": np.int64(1)})),
    ),
    Fault(
        "success at every end",
        "success_is_told_where_there_is_a_goal",
        change_step(lambda env, before, row: (*row[:4], {"is_success": np.int8(row[2])})),
        PLAIN,
    ),
    Fault("actions out of range wrap around", "bad_use_is_refused_and_changes_nothing", change_action(wrap_around)),
    Fault("a refused reset has reseeded", "bad_use_is_refused_and_changes_nothing", change_reset(seed_before_looking)),
    Fault("the episode never ends", "the_step_after_the_end_is_refused", never_ends),
    Fault("set_state forgets the generator", "a_copy_goes_on_as_the_original", forget_generator),
    Fault("observations counted from 1", "spaces_are_plain", discrete_from_one, PLAIN),
    Fault("a Box without bounds", "spaces_are_plain", change_world(infinite_bounds), PLAIN),
    Fault("the global generator is used", "global_randomness_is_left_alone", change_action(use_global_generator)),
    Fault("an attribute that other libraries read", "libraries_find_what_they_look_for", hold(num_envs=1)),
    Fault("the step returns four things", "follows_gymnasium", change_step(lambda env, before, row: row[:3] + row[4:])),
    Fault("only plain integers are actions", "every_kind_of_integer_is_an_action", change_action(only_plain_integers)),
    Fault("the specification says something else", "the_specification_travels", swap_arguments_in_specification),
    Fault("P lists what cannot happen", "toy_text_tables_say_the_same", padded_table),
    Fault("no frames per second", "libraries_find_what_they_look_for", hold(metadata={"render_modes": []})),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_caught(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    check = getattr(contract, fault.caught_by)
    env_id, arguments = fault.environment
    check(lambda: gym.make(env_id, **arguments))
    fault.plant(monkeypatch)
    with pytest.raises((AssertionError, TypeError, KeyError, ValueError, gym.error.Error, Warning)):
        check(lambda: gym.make(env_id, **arguments))
