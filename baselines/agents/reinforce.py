"""REINFORCE: make what was done in good episodes more probable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import numpy as np

from baselines.agents.softmax_policies import Episodes, NetworkPolicy, SoftmaxPolicy, TablePolicy
from baselines.learning.exploration import argmax_random_ties, greedy_policy, sample_action, softmax
from baselines.learning.hyperparameters import Count, Hyperparameters, Positive, StepSize
from baselines.learning.transition import Transition
from baselines.training.agent import Agent
from baselines.training.agent_file import prefixed
from baselines.training.task import TaskLike


@dataclass(frozen=True)
class ReinforceConfig(Hyperparameters):
    """Hyperparameters."""

    policy: Literal["table", "network"] = "table"  # table, a preference for each action in each state, or network
    step_size: Positive = 0.02  # alpha of the table's preferences, or the network's learning rate
    baseline: bool = True  # whether to subtract the estimated state value from returns
    baseline_step_size: StepSize = 0.2  # step size of the table's values, in (0, 1]
    weight_visits: bool = True  # weight the step at time t by gamma^t, as in the gradient of the discounted value
    max_length: Count = 1_000  # longest episode in steps, if the world's own limit is not shorter
    hidden: tuple[Count, ...] = (32,)  # units of each hidden layer of the network (tanh)
    optimiser: Literal["adam", "descent"] = "adam"  # of the network: adam, or descent (plain gradient descent)


@final
class Reinforce(Agent):
    """REINFORCE (Williams 1992; Sutton & Barto 2018, sections 13.3 and 13.4).

        for each episode S_0, A_0, R_1, ..., S_{T-1}, A_{T-1}, R_T, with A_t drawn from pi(. | S_t; theta):
            G_t <- R_{t+1} + gamma R_{t+2} + ... + gamma^{T-t-1} R_T
            theta <- theta + alpha sum_t gamma^t (G_t - b(S_t)) grad ln pi(A_t | S_t; theta)
            b(s)  <- a step towards the mean G_t of all visits of s

    G_t is the return from step t on, because an action cannot affect earlier rewards. The baseline b, the estimated
    value of the state, reduces variance without bias, because it does not depend on the action; no gradient flows
    through it. With gamma^t the mean of the sum is exactly the gradient of the discounted value from the start.

    The update of theta and b is `learn`, of a `TablePolicy` or a `NetworkPolicy`.

    Args:
        task: what to learn; its actions must be Discrete, and its observations countable for a table, or Discrete,
            MultiDiscrete or Box for a network.
        runs: see `Agent`.
        seed: see `Agent`.
        config: a `ReinforceConfig`.

    Attributes:
        learner: the policy and the baseline, a `TablePolicy` or a `NetworkPolicy`.

    Raises:
        TypeError: observations that the policy cannot take, or actions that are not Discrete.

    Differences from the paper: theta and the baseline stand still during an episode, so that the mean of its update is
    the exact gradient; a table's value moves towards the mean return of all visits in an episode; where a time limit
    cuts an episode off, the baseline's value of the last observation stands for the rest. Without a baseline nothing
    does, and the update is biased there.
    """

    Config = ReinforceConfig

    def __init__(
        self, task: TaskLike, *, runs: int | range = 1, seed: int = 0, config: ReinforceConfig | None = None
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        limits = [self.config.max_length, self.task.max_episode_steps]
        self._max_length = min(limit for limit in limits if limit is not None)
        self.learner = self._new_learner()
        space, shape = self.task.observation_space, (self._max_length, self.num_runs)
        self._memory = {  # the unfinished episode of each run, each [T, R, ...]
            "observation": np.zeros((*shape, *(space.shape or ())), dtype=space.dtype),
            "action": np.zeros(shape, dtype=np.int64),
            "reward": np.zeros(shape),
        }
        self._length = np.zeros(self.num_runs, dtype=np.int64)  # [R] steps of each run's episode so far

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """An action drawn from the policy, or the most probable one with ties broken at random."""
        preferences = self.learner.preferences(observation)
        if greedy:
            return argmax_random_ties(preferences, self.uniform(greedy=True))
        return sample_action(softmax(preferences), self.uniform())

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Keep the step; runs whose episode has ended with it learn from the episode.

        Args:
            transition: one step of every run.

        Returns:
            "return", the discounted return of each run's episode where one has ended, else NaN, [R].
        """
        place = self._length, np.arange(self.num_runs)
        self._memory["observation"][place] = transition.observation
        self._memory["action"][place] = transition.action
        self._memory["reward"][place] = transition.reward
        self._length += 1
        self.steps += 1
        ended = transition.terminated | transition.truncated | (self._length == self._max_length)
        returns = np.full(self.num_runs, np.nan)
        if ended.any():
            runs = np.flatnonzero(ended)
            returns[runs] = self._learn(runs, transition)
            self._length[runs] = 0
        return {"return": returns}

    def _learn(self, runs: np.ndarray, transition: Transition) -> np.ndarray:
        """Let some runs learn from the episodes that have just ended; their discounted returns [M]."""
        longest = self._length[runs].max()
        episodes = Episodes(
            runs=runs,
            observation=self._memory["observation"][:longest, runs],
            action=self._memory["action"][:longest, runs],
            reward=self._memory["reward"][:longest, runs],
            last_observation=transition.next_observation[runs],
            terminated=transition.terminated[runs],
            length=self._length[runs],
        )
        last_value = self.learner.value(episodes.last_observation, runs)
        returns = episodes.returns(last_value, self.task.discount)
        weight = np.where(episodes.inside, 1.0, 0.0)
        if self.config.weight_visits:
            weight *= self.task.discount ** np.arange(longest)[:, None]
        self.learner.learn(episodes, returns, weight)
        return returns[0]

    def policy(self) -> np.ndarray:
        """The most probable action of each state, its probability shared equally among tied ones, [R, S, A]."""
        return greedy_policy(self.learner.preferences_by_state())

    def probabilities(self) -> np.ndarray:
        """The policy that is learned, with which actions are drawn while learning, [R, S, A]."""
        return softmax(self.learner.preferences_by_state())

    def parts(self) -> dict[str, object]:
        return {"learner": self.learner, **prefixed("episode", self._memory), "length": self._length}

    def break_off(self) -> None:
        self._length[:] = 0

    def _new_learner(self) -> SoftmaxPolicy:
        config = self.config
        if config.policy == "table":
            baseline_step_size = config.baseline_step_size if config.baseline else 0.0
            return TablePolicy(
                self.task, self.num_runs, step_size=config.step_size, baseline_step_size=baseline_step_size
            )
        return NetworkPolicy(
            self.task,
            self.seeds("networks"),
            hidden=config.hidden,
            baseline=config.baseline,
            learning_rate=config.step_size,
            optimiser=config.optimiser,
        )
