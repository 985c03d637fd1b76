"""The checks of learning hold, and a check that cannot fail proves nothing: each deliberate fault is caught by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from baselines.agents.q_learning import QLearning
from baselines.learning import exploration
from baselines.training import loop, population, rollout
from baselines.training.agent import Agent
from tests.baselines import checks


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
def test_learning_is_sound(check: Callable[[], None]) -> None:
    check()


def first_index_ties(values: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    return values.argmax(axis=-1)


def change_transition(change: Callable[[Any], Any]) -> Callable[[pytest.MonkeyPatch], None]:
    def plant(patch: pytest.MonkeyPatch) -> None:
        step = rollout.Rollout.step
        patch.setattr(rollout.Rollout, "step", lambda self, action: change(step(self, action)))

    return plant


def plant_reset_observation_as_next(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rollout, "true_next_observation", lambda observation, ended, infos: observation)


def plant_first_index_ties(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(exploration, "argmax_random_ties", first_index_ties)


def plant_one_stream_for_all(patch: pytest.MonkeyPatch) -> None:
    uniform = Agent.uniform

    def shared(self: Agent, *, greedy: bool = False) -> np.ndarray:
        numbers = uniform(self, greedy=greedy)
        return np.full_like(numbers, numbers[0])

    patch.setattr(Agent, "uniform", shared)


def plant_seeds_by_position(patch: pytest.MonkeyPatch) -> None:
    def run_seeds(seed: int, world: str, agent: str, runs: range, purpose: str) -> list[np.random.SeedSequence]:
        return np.random.SeedSequence([seed, len(runs), len(purpose)]).spawn(len(runs))

    patch.setattr(population, "run_seeds", run_seeds)


def plant_ignored_seed(patch: pytest.MonkeyPatch) -> None:
    run_seeds = population.run_seeds
    patch.setattr(population, "run_seeds", lambda seed, *rest: run_seeds(0, *rest))


def plant_evaluation_from_the_training_stream(patch: pytest.MonkeyPatch) -> None:
    uniform = Agent.uniform
    patch.setattr(Agent, "uniform", lambda self, *, greedy=False: uniform(self))


def plant_evaluation_that_explores(patch: pytest.MonkeyPatch) -> None:
    act = QLearning.act
    patch.setattr(QLearning, "act", lambda self, observation, *, greedy=False: act(self, observation))


def plant_evaluation_that_learns(patch: pytest.MonkeyPatch) -> None:
    play = loop._play_one_episode

    def learn_meanwhile(agent: QLearning, episode: int, max_steps: int) -> np.ndarray:
        agent.update(agent.rollout.step(agent.act(agent.rollout.observation)))
        return play(agent, episode, max_steps)

    patch.setattr(loop, "_play_one_episode", learn_meanwhile)


def plant_schedules_that_start_again(patch: pytest.MonkeyPatch) -> None:
    train = loop.train

    def restarted(agent: QLearning, **given: Any) -> Any:
        agent.steps = 0
        return train(agent, **given)

    patch.setattr(checks, "train", restarted)


def plant_episodes_that_start_again(patch: pytest.MonkeyPatch) -> None:
    train = loop.train

    def restarted(agent: QLearning, **given: Any) -> Any:
        agent._rollout = None
        return train(agent, **given)

    patch.setattr(checks, "train", restarted)


FAULTS = {
    "bootstrap through a terminal step": (
        change_transition(
            lambda t: replace(t, terminated=np.zeros_like(t.terminated), truncated=t.terminated | t.truncated)
        ),
        checks.value_of_ending,
    ),
    "no bootstrap at a truncation": (
        change_transition(lambda t: replace(t, terminated=t.terminated | t.truncated)),
        checks.value_of_staying,
    ),
    "terminated is ignored": (
        change_transition(lambda t: replace(t, terminated=np.zeros_like(t.terminated))),
        checks.value_of_ending,
    ),
    "the reset's observation as the next one": (
        plant_reset_observation_as_next,
        checks.value_of_being_cut_off_elsewhere,
    ),
    "the observation before as the next one": (
        change_transition(lambda t: replace(t, next_observation=t.observation)),
        checks.value_of_being_cut_off_elsewhere,
    ),
    "swapped actions": (change_transition(lambda t: replace(t, action=1 - t.action)), checks.walks_to_the_paying_end),
    "ties go to the first index": (plant_first_index_ties, checks.walks_to_the_paying_end),
    "one random stream for all runs": (plant_one_stream_for_all, checks.runs_do_not_depend_on_their_number),
    "seeds depend on how many runs there are": (plant_seeds_by_position, checks.runs_do_not_depend_on_their_number),
    "the seed is ignored": (plant_ignored_seed, checks.seeds_decide),
    "evaluation draws from the training stream": (
        plant_evaluation_from_the_training_stream,
        checks.looking_changes_nothing,
    ),
    "evaluation learns": (plant_evaluation_that_learns, checks.looking_changes_nothing),
    "evaluation explores": (plant_evaluation_that_explores, checks.evaluation_is_greedy),
    "a second call restarts the schedules": (plant_schedules_that_start_again, checks.two_calls_are_one),
    "a second call restarts the episodes": (plant_episodes_that_start_again, checks.two_calls_are_one),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, check = FAULTS[fault]
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        check()
