"""Gradient Monte Carlo: learn the value of a state from the returns that followed it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from baselines.agents.value_prediction import ValueAgent, ValueConfig
from baselines.learning.transition import Transition
from baselines.learning.updates import returns_to_go, semi_gradient_step
from baselines.training.agent_file import prefixed
from baselines.training.task import TaskLike
from rl_envs.mdp.finite_mdp import check_integer


@dataclass(frozen=True)
class MonteCarloValueConfig(ValueConfig):
    """Hyperparameters, beside those of all value prediction."""

    step_size: float = 0.02
    """alpha at step 0, divided by the largest x . x; smaller than for TD, as returns vary more"""
    step_size_half_life: float = 1_000.0
    """steps until half of alpha is left, decaying harmonically; inf for never"""
    max_length: int = 5_000
    """longest episode in steps, if the world's own limit is not shorter"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_integer("max_length", self.max_length, low=1)


# A network needs smaller steps: its features move as well.
NETWORK = MonteCarloValueConfig(approximation="network", step_size=0.005, step_size_half_life=1_000.0)


@final
class MonteCarloValue(ValueAgent):
    """Every-visit gradient Monte Carlo for the uniform policy's value (Sutton & Barto 2018, sections 6.1, 9.3).

        w <- w + alpha [G_t - v(S_t; w)] grad v(S_t; w)    for each step t of an episode that has ended

    The return G_t = R_{t+1} + gamma R_{t+2} + ... is what the value is the mean of, so there is no bias, and this is
    honest stochastic gradient descent on the value error: with linear features it ends at the least squares solution
    (`baselines.training.exact_prediction.least_squares_weights`). The price is variance, for all the chance of an
    episode is in each return, and that nothing is learned before the episode ends.

    Args:
        task: a task with a table, which is read for the score alone; its actions must be Discrete.
        runs: see `Agent`.
        seed: see `Agent`.
        config: a `MonteCarloValueConfig`.

    Attributes:
        function: the estimated values, with the weights of all runs.

    Raises:
        TypeError: no table, actions that are not Discrete, or observations that the approximation cannot take.
        ValueError: values that are not finite or all 0, or more features than can be.

    Differences from the paper: alpha falls on a schedule, and is divided by the largest square of a row of features.
    Where a time limit cuts an episode off, the estimated value of the last observation stands for the rest of the
    return; in worlds with such a limit the returns are therefore biased while the values are wrong, and with shared
    weights it ends at neither fixed point exactly.
    """

    Config = MonteCarloValueConfig
    PRESETS = {"network": NETWORK}

    def __init__(
        self,
        task: TaskLike,
        *,
        runs: int | range = 1,
        seed: int = 0,
        config: MonteCarloValueConfig | None = None,
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        limits = [self.config.max_length, self.task.max_episode_steps]
        self._max_length = min(limit for limit in limits if limit is not None)
        space, shape = self.task.observation_space, (self._max_length, self.num_runs)
        self._observation = np.zeros((*shape, *(space.shape or ())), dtype=space.dtype)  # [T, R, ...]
        self._reward = np.zeros(shape)  # [T, R]
        self._length = np.zeros(self.num_runs, dtype=np.int64)  # [R] steps of each run's episode so far

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Keep the step; runs whose episode has ended with it learn from the episode.

        Args:
            transition: one step of every run.

        Returns:
            "return", the discounted return of each run's episode where one has ended, else NaN, [R].
        """
        place = self._length, self._everyone
        self._observation[place] = transition.observation
        self._reward[place] = transition.reward
        self._length += 1
        self.steps += 1
        ended = transition.terminated | transition.truncated | (self._length == self._max_length)
        returns = np.full(self.num_runs, np.nan)
        if ended.any():
            runs = np.flatnonzero(ended)
            returns[runs] = self._learn(runs, transition)
            self._length[runs] = 0
        return {"return": returns}

    def break_off(self) -> None:
        self._length[:] = 0

    def parts(self) -> dict[str, object]:
        episode = {"observation": self._observation, "reward": self._reward, "length": self._length}
        return {**super().parts(), **prefixed("episode", episode)}

    def _learn(self, runs: np.ndarray, transition: Transition) -> np.ndarray:
        """Let some runs learn from the episodes that have just ended; the returns of these, [M]."""
        length = self._length[runs]
        last_value = self.function.value(transition.next_observation[runs], runs)
        tail = np.where(transition.terminated[runs], 0.0, last_value)
        is_last = np.arange(length.max())[:, None] == length - 1
        returns = returns_to_go(
            self._reward[: length.max(), runs], is_last, np.broadcast_to(tail, is_last.shape), self.task.discount
        )
        for step in range(length.max()):
            # Each step learns from the weights that the one before it left, as the algorithm has it.
            inside = length > step
            value, gradient = self.function.value_and_gradient(self._observation[step, runs[inside]], runs[inside])
            error = returns[step, inside] - value
            self.function.weights[runs[inside]] += semi_gradient_step(error, gradient, self.step_size)
        return returns[0]
