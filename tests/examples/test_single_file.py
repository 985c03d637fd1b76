"""The single-file examples: short, self-contained, right at the ends of episodes, and equal to the populations."""

from __future__ import annotations

import ast
import importlib
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

import baselines
import rl_envs
from baselines.agents.actor_critic import ActorCritic, ActorCriticConfig
from baselines.agents.dqn import DQN, DQNConfig
from baselines.agents.q_learning import QLearning
from baselines.agents.reinforce import Reinforce, ReinforceConfig
from baselines.agents.sarsa import Sarsa
from baselines.agents.tabular import TabularConfig

REPOSITORY = Path(__file__).parent.parent.parent
FOLDER = REPOSITORY / "examples" / "single_file"
FILES = sorted(FOLDER.glob("*.py"))
NAMES = [path.stem for path in FILES]
TABULAR, VALUES = ("q_learning", "sarsa"), ("q_learning", "sarsa", "dqn")

# Enough for an update of each, and for values that have settled.
FEW_STEPS = {"q_learning": 200, "sarsa": 200, "reinforce": 200, "dqn": 700, "a2c": 200, "ppo": 512}
MORE_STEPS = {"q_learning": 500, "sarsa": 500, "reinforce": 600, "dqn": 2_500, "a2c": 2_400, "ppo": 3_072}


def example(name: str) -> ModuleType:
    return importlib.import_module(f"examples.single_file.{name}")


def env_fn_of(world: str) -> Callable[[], gym.Env[Any, Any]]:
    return partial(gym.make, f"rl_envs/{world}-v0")


def test_there_are_six() -> None:
    assert NAMES == ["a2c", "dqn", "ppo", "q_learning", "reinforce", "sarsa"]


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_each_is_under_130_lines_and_imports_nothing_but_what_it_is_taught_with(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) < 130
    imported = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.module is not None
            imported.add(node.module.partition(".")[0])
    assert imported - set(sys.stdlib_module_names) <= {"gymnasium", "numpy", "torch", "rl_envs"}


@pytest.mark.parametrize("name", NAMES)
def test_each_passes_as_a_script(name: str) -> None:
    done = subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py"), "--steps", str(FEW_STEPS[name]), "--seed", "1"],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    module, answers = example(name), rl_envs.truth("LineWalk")
    policy = module.train(env_fn_of("LineWalk"), FEW_STEPS[name], 1, module.Settings(discount=answers.mdp.discount))
    assert f"exact score {answers.score(policy):.3f}" in done.stdout


@pytest.mark.parametrize("name", ["dqn", "ppo"])
def test_where_there_is_no_table_the_script_plays_episodes(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [name, "--env", "CartPole-v1", "--steps", "64"])  # too few for an update
    example(name).main()
    printed = re.fullmatch(r"mean return of 20 greedy episodes (\d+)\n", capsys.readouterr().out)
    assert printed is not None
    assert 8 <= int(printed[1]) <= 500


class SameNumbers(np.random.Generator):
    """Gives a single-file agent the numbers by which run 0 of a population acts: two a step, the second to choose."""

    def __init__(self, population: Any) -> None:
        super().__init__(np.random.PCG64(0))
        self._population, self._choice = population, 0.0

    def random(self) -> float:  # type: ignore[override]
        explore, self._choice = (float(self._population.uniform()[0]) for _ in range(2))
        return explore

    def integers(self, high: int) -> int:  # type: ignore[override]
        return int(self._choice * high)

    def choice(self, options: np.ndarray) -> Any:  # type: ignore[override]
        return options[int(self._choice * len(options))]


class RunOfAPopulation(gym.Env[Any, Any]):
    """The copy of the world in which run 0 of a population would learn."""

    def __init__(self, population: Any) -> None:
        self._rollout = population.rollout
        self.observation_space, self.action_space = population.task.observation_space, population.task.action_space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        return self._rollout.observation[0], {}  # it was reset in the step that ended the episode before

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        step = self._rollout.step(np.array([action]))
        return step.next_observation[0], float(step.reward[0]), bool(step.terminated[0]), bool(step.truncated[0]), {}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("world", "arguments"), [("LineWalk", {"size": 12, "slip": 0.2}), ("SubtaskGrid", {})])
@pytest.mark.parametrize(("name", "cls"), [("q_learning", QLearning), ("sarsa", Sarsa)])
def test_with_the_same_random_numbers_a_table_is_that_of_the_population_to_the_byte(
    name: str, cls: Any, world: str, arguments: dict[str, Any], seed: int
) -> None:
    """The two share no line of code, only a copy of the world and a stream of uniform random numbers."""
    task, module, decay = baselines.make_task(world, **arguments), example(name), 500
    settings = module.Settings(discount=task.discount)
    matched = TabularConfig(
        step_size=settings.step_size,
        step_size_half_life=settings.step_size_half_life,
        epsilon=settings.epsilon,
        final_epsilon=settings.final_epsilon,
        epsilon_steps=decay,
    )
    population = cls(task, seed=seed, config=matched)
    terminations = truncations = 0
    while True:
        step = population.rollout.step(population.act(population.rollout.observation))
        population.update(step)
        terminations, truncations = terminations + step.terminated.sum(), truncations + step.truncated.sum()
        # The population's Sarsa learns from a step when the next action is known; at an episode's end none waits.
        fits = decay / population.steps * population.steps == decay  # not one unit in the last place beside it
        if population.steps >= 1_000 and (step.terminated | step.truncated).all() and fits:
            break
    assert truncations > 0
    assert terminations > 0 or world == "SubtaskGrid"

    lender = cls(task, seed=seed, config=matched)  # it lends its world and its numbers, and learns nothing
    settings = replace(settings, exploration_fraction=decay / population.steps)
    policy = module.train(lambda: RunOfAPopulation(lender), population.steps, SameNumbers(lender), settings)
    assert np.ptp(policy.q) > 0 or world == "SubtaskGrid"
    assert policy.q.tobytes() == population.q[0].tobytes()
    np.testing.assert_array_equal(task.truth.score(policy), population.exact_score()[0])


def matched_dqn(settings: Any, steps: int) -> DQNConfig:
    return DQNConfig(
        hidden=(settings.hidden, settings.hidden),
        learning_rate=settings.learning_rate,
        learning_rate_steps=steps,
        batch_size=settings.batch_size,
        replay_capacity=settings.capacity,
        learning_starts=settings.learning_starts,
        train_every=settings.train_every,
        target_every=settings.target_every,
        n_step=settings.n_step,
        double=True,
        max_gradient_norm=np.inf,
        final_epsilon=settings.final_epsilon,
        epsilon_steps=int(settings.exploration_fraction * steps),
    )


def matched_a2c(settings: Any, steps: int) -> ActorCriticConfig:
    return ActorCriticConfig(
        num_envs=settings.num_envs,
        n_step=settings.num_steps,
        hidden=(settings.hidden,),
        learning_rate=settings.learning_rate,
        value_weight=settings.value_weight,
        entropy_weight=settings.entropy_weight,
        max_gradient_norm=settings.max_gradient_norm,
    )


def matched_reinforce(settings: Any, steps: int) -> ReinforceConfig:
    return ReinforceConfig(policy="network", hidden=(settings.hidden,), step_size=settings.learning_rate)


# In the midst of learning, where the population's means are about 0.93, 0.95 and 0.66. Between runs the scores have
# standard deviations of about 0.015, 0.03 and 0.35, so the tolerances are three standard errors or more.
@pytest.mark.parametrize(
    ("name", "cls", "matched", "steps", "runs", "tolerance"),
    [
        ("dqn", DQN, matched_dqn, 900, 10, 0.03),
        ("a2c", ActorCritic, matched_a2c, 800, 12, 0.03),
        ("reinforce", Reinforce, matched_reinforce, 600, 24, 0.25),
    ],
)
def test_with_the_same_settings_the_mean_score_is_that_of_the_population(
    name: str, cls: Any, matched: Callable[[Any, int], Any], steps: int, runs: int, tolerance: float
) -> None:
    module, answers = example(name), rl_envs.truth("RandomMDP")
    settings = module.Settings(discount=answers.mdp.discount)
    population = cls("RandomMDP", runs=100, config=matched(settings, steps))
    theirs = baselines.train(population, steps=steps, checkpoints=1).scores[-1]
    ours = [answers.score(module.train(env_fn_of("RandomMDP"), steps, seed, settings)) for seed in range(runs)]
    assert np.mean(ours) == pytest.approx(theirs.mean(), abs=tolerance)
    assert theirs.mean() < 0.99  # else the comparison says nothing about how fast they learn


@pytest.mark.parametrize(("name", "steps"), [("dqn", 1_500), ("a2c", 1_600), ("ppo", 4_096), ("reinforce", 3_000)])
def test_three_runs_of_three_reach_the_optimum_of_line_walk(name: str, steps: int) -> None:
    module, answers = example(name), rl_envs.truth("LineWalk")
    settings = module.Settings(discount=answers.mdp.discount)
    scores = [answers.score(module.train(env_fn_of("LineWalk"), steps, seed, settings)) for seed in range(3)]
    np.testing.assert_allclose(scores, 1.0, atol=1e-9)


def learned_values(name: str, policy: Any) -> np.ndarray:
    """What a policy has learned that states 0 and 1 are worth."""
    states = np.arange(2)
    return policy.q_values(states).max(axis=1) if name in VALUES else policy.value(states)


class TwoStates(gym.Env[Any, Any]):
    """Pays 0.25 for the one action there is in state 0 and 1 in state 1, and starts in either."""

    observation_space, action_space = gym.spaces.Discrete(2), gym.spaces.Discrete(1)

    def __init__(self, ending: str) -> None:
        self._ending, self._state = ending, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._state = int(self.np_random.integers(2))
        return self._state, {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        reward = (0.25, 1.0)[self._state]
        if self._ending == "terminated":
            return 1 - self._state, reward, True, False, {}
        return 1, reward, False, True, {}


# Right, by hand: a termination leaves the reward alone; a cut-off in state 1 has v1 = 1 + v1 / 2, v0 = 0.25 + v1 / 2.
# Wrong: bootstrapping through a termination gives (1, 1.5), taking a time limit for one (0.25, 1), and bootstrapping
# from the observation after the reset (0.875, 1.625).
@pytest.mark.parametrize(("ending", "right"), [("terminated", [0.25, 1.0]), ("truncated", [1.25, 2.0])])
@pytest.mark.parametrize("name", NAMES)
def test_each_learns_the_right_values_at_the_ends_of_episodes(name: str, ending: str, right: list[float]) -> None:
    module = example(name)
    policy = module.train(lambda: TwoStates(ending), MORE_STEPS[name], 0, module.Settings(discount=0.5))
    np.testing.assert_allclose(learned_values(name, policy), right, atol=1e-3 if name in TABULAR else 0.1)


def test_ppo_carries_no_advantage_over_the_end_of_an_episode() -> None:
    """What is carried over is 0 in the mean once the values are right, so it shows in the first update alone.

    Episodes are one step long, so each target is its own reward. Carried over at gamma lambda = 1/2 it would be too
    large by 1/2 + 1/4 + ... times the mean reward of about 0.6.
    """
    module = example("ppo")
    settings = module.Settings(discount=0.5, trace_decay=1.0, epochs=100, minibatch=512, learning_rate=1e-2)
    policy = module.train(lambda: TwoStates("terminated"), 512, 0, settings)
    np.testing.assert_allclose(learned_values("ppo", policy), [0.25, 1.0], atol=0.1)


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_decides_everything_and_no_global_generator_is_touched(name: str) -> None:
    module = example(name)

    def learned(seed: int) -> bytes:
        policy = module.train(env_fn_of("RandomMDP"), FEW_STEPS[name], seed)
        states = np.arange(rl_envs.truth("RandomMDP").mdp.num_states)
        return (policy.q_values(states) if name in VALUES else policy.value(states)).tobytes()

    before = random.getstate(), np.random.get_state()[1].tobytes(), torch.get_rng_state()  # noqa: NPY002
    first = learned(0)
    assert before[:2] == (random.getstate(), np.random.get_state()[1].tobytes())  # noqa: NPY002
    assert torch.equal(before[2], torch.get_rng_state())
    assert learned(0) == first
    assert learned(1) != first


class Log(gym.Wrapper[Any, Any, Any, Any]):
    """Writes down with which seeds an environment is reset, and how many steps it is taken through."""

    def __init__(self, env: gym.Env[Any, Any], log: dict[str, list[Any]]) -> None:
        super().__init__(env)
        self._log = log

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self._log["seeds"] += [] if seed is None else [seed]
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> Any:
        self._log["actions"].append(action)
        return self.env.step(action)


@pytest.mark.parametrize("name", NAMES)
def test_each_takes_no_more_steps_than_it_may_in_environments_with_seeds_of_their_own(name: str) -> None:
    module, seeds = example(name), []
    for seed in range(3):
        log: dict[str, list[Any]] = {"seeds": [], "actions": []}
        module.train(lambda: Log(env_fn_of("LineWalk")(), log), FEW_STEPS[name] + 3, seed)  # noqa: B023
        assert FEW_STEPS[name] <= len(log["actions"]) <= FEW_STEPS[name] + 3
        seeds += log["seeds"]
    assert len(set(seeds)) == len(seeds) == 3 * getattr(module.Settings(), "num_envs", 1)
    assert not set(seeds) & {0, 1, 2}  # else the environment's generator would be a copy of the agent's


@pytest.mark.parametrize("name", NAMES)
def test_the_discount_of_env_fn_counts(name: str) -> None:
    """A comparison gives the discount with the environments; at 0 every state is worth its reward."""
    module, env_fn = example(name), partial(TwoStates, "truncated")
    env_fn.discount = 0.0  # type: ignore[attr-defined]
    policy = module.train(env_fn, MORE_STEPS[name] // 2, 0, module.Settings(discount=0.5))
    np.testing.assert_allclose(learned_values(name, policy), [0.25, 1.0], atol=1e-3 if name in TABULAR else 0.15)


def test_the_same_files_stand_in_a_comparison(tmp_path: Path) -> None:
    comparison = baselines.Comparison(
        worlds=("LineWalk",), agents=("Random",), runs=2, library_runs=2, steps=2_000, checkpoints=1
    )
    functions = {name: example(name).train for name in ("q_learning", "a2c")}
    rows = baselines.compare(comparison, tmp_path, functions=functions, workers=1).rows
    assert [row.agent for row in rows] == ["Random", "q_learning", "a2c"]
    for row in rows[1:]:
        np.testing.assert_allclose(row.final, 1.0, atol=1e-9)
