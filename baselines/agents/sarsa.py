"""Sarsa with tables: learn the value of the policy that is being followed, exploration and all."""

from __future__ import annotations

import math
from typing import final

import numpy as np

from baselines.agents.tabular import TabularAgent, TabularConfig
from baselines.learning.action_values import mean_over_actions
from baselines.learning.exploration import argmax_random_ties, epsilon_greedy, epsilon_greedy_policy
from baselines.learning.transition import Transition
from baselines.training.agent_file import prefixed
from baselines.training.task import TaskLike


@final
class Sarsa(TabularAgent):
    """Tabular Sarsa with epsilon-greedy exploration (Rummery & Niranjan 1994; Sutton & Barto 2018, section 6.4).

        A <- any action with probability epsilon, otherwise argmax_a Q(S, a)
        for each step of an episode:
            R, S' <- take action A in state S
            A' <- any action with probability epsilon, otherwise argmax_a Q(S', a)
            Q(S, A) <- Q(S, A) + alpha [R + gamma Q(S', A') - Q(S, A)]    with Q(S', .) = 0 if S' is terminal
            A <- A'

    A' is the action really taken in S', so a step is learned from one step later, when A' is known; meanwhile it waits.
    A step that ends the episode has no A' and is learned from at once. The agent learns about the policy that it
    follows (on-policy): where exploring is dangerous it keeps away from the edge.

    Args:
        task: what to learn; its observations must be countable and its actions Discrete.
        runs: see `Agent`.
        seed: see `Agent`.
        config: a `Sarsa.Config`.

    Attributes:
        q: the estimated action values, [R, S, A] float64, where S counts the observations.
        updates: how often each of them has been updated, int64, of the same shape.

    Raises:
        TypeError: observations or actions that cannot be counted.

    Differences from the paper: alpha and epsilon fall on schedules, alpha for each action in each state by itself; ties
    are broken at random. Where the time limit cuts an episode off, no action follows, so the target takes the mean over
    those that the policy might have taken in the last observation.
    """

    # What exploring costs is part of what Sarsa learns, so it must come to little in the end.
    PRESETS = {
        **TabularAgent.PRESETS,  # FourRooms: the best way stays the best however often one strays from it
        "SubtaskGrid": TabularConfig(epsilon_steps=20_000, final_epsilon=0.02),
        # No exploring at all: to begin with, everything looks as good as success.
        "RobotGrasp": TabularConfig(step_size_half_life=math.inf, initial_value=1.0, epsilon=0.0, final_epsilon=0.0),
    }

    def __init__(
        self, task: TaskLike, *, runs: int | range = 1, seed: int = 0, config: TabularConfig | None = None
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        # The step of each run that waits for its next action.
        self._waits = np.zeros(self.num_runs, dtype=np.bool_)  # [R] whether there is one
        self._state = np.zeros(self.num_runs, dtype=np.int64)  # [R]
        self._action = np.zeros(self.num_runs, dtype=np.int64)  # [R]
        self._reward = np.zeros(self.num_runs)  # [R]

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """Epsilon-greedy, or greedy; ties are broken at random in either case."""
        run, state = np.arange(self.num_runs), self.task.observation_index(observation)
        q = self.q[run, state]  # [R, A]
        if greedy:
            return argmax_random_ties(q, self.uniform(greedy=True))
        return epsilon_greedy(q, self.epsilon, explore=self.uniform(), choice=self.uniform())

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Learn from the step before, whose next action is known now, and from this one if it ended the episode.

        Args:
            transition: one step of every run.

        Returns:
            "td_error" of the last step learned from, [R]; 0 where none was.
        """
        run = np.arange(self.num_runs)
        state, action = self.task.observation_index(transition.observation), transition.action
        td_error = np.zeros(self.num_runs)

        target = self._reward + self.task.discount * self.q[run, state, action]
        waits = self._waits
        td_error[waits] = self._learn(run[waits], self._state[waits], self._action[waits], target[waits])

        ended = transition.terminated | transition.truncated
        if ended.any():
            next_q = self.q[run, self.task.observation_index(transition.next_observation)]  # [R, A]
            next_policy = epsilon_greedy_policy(next_q, self.epsilon)  # [R, A]
            next_value = np.where(transition.terminated, 0.0, mean_over_actions(next_q, next_policy))
            target = transition.reward + self.task.discount * next_value
            td_error[ended] = self._learn(run[ended], state[ended], action[ended], target[ended])

        self._waits[:], self._state[:], self._action[:], self._reward[:] = ~ended, state, action, transition.reward
        self.steps += 1
        return {"td_error": td_error}

    def _learn(self, run: np.ndarray, state: np.ndarray, action: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Q(S, A) <- Q(S, A) + alpha [target - Q(S, A)] in some runs; the errors."""
        td_error = target - self.q[run, state, action]
        self.q[run, state, action] += self.step_size(self.updates[run, state, action]) * td_error
        self.updates[run, state, action] += 1
        return td_error

    def parts(self) -> dict[str, object]:
        waiting = {"state": self._state, "action": self._action, "reward": self._reward}
        return {**super().parts(), "waits": self._waits, **prefixed("waits", waiting)}

    def break_off(self) -> None:
        self._waits[:] = False  # the action that was waited for will never be taken
