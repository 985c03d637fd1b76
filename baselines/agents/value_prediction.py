"""What the agents that predict values have in common: the uniform policy, the approximation, the error.

They do not control anything. They act uniformly at random for ever, and learn what that is worth from each state. How
they learn it is each file's own business.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, cast

import numpy as np
from gymnasium import spaces

from baselines.learning.exploration import uniform_action
from baselines.learning.features import Basis, feature_map
from baselines.learning.schedules import harmonic
from baselines.learning.value_functions import LinearValues, ValueFunction
from baselines.training.agent import Agent
from baselines.training.exact_prediction import on_policy_distribution, value_error
from baselines.training.task import TaskLike
from rl_envs.mdp.evaluation import evaluate_policy
from rl_envs.mdp.finite_mdp import check_integer
from rl_envs.names import unknown

APPROXIMATIONS = ("table", "aggregation", "tiles", "fourier", "network")


@dataclass(frozen=True)
class ValueConfig:
    """Hyperparameters. Steps are environment steps of each run."""

    approximation: Literal["table", "aggregation", "tiles", "fourier", "network"] = "aggregation"
    """table (a weight for each observation), aggregation, tiles, fourier or network"""
    step_size: float = 0.5
    """alpha at step 0. It is divided by the largest x . x: by the number of tilings, by the number of cosines, by 1
    for tables and groups. So 1 removes a whole error where it was seen. For a network it is the learning rate"""
    step_size_half_life: float = 2_000.0
    """steps after which half of alpha is left; it decays harmonically. inf keeps it constant"""
    groups: int = 10
    """cells along each coordinate of the position, for aggregation"""
    tilings: int = 8
    """number of tilings, for tiles"""
    tiles: int = 5
    """tiles along each coordinate in each tiling"""
    order: int = 5
    """highest frequency along each coordinate, for fourier"""
    hidden: tuple[int, ...] = (32,)
    """units of each hidden layer (tanh), for network"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))
        if self.approximation not in APPROXIMATIONS:
            raise ValueError(unknown("approximation", self.approximation, APPROXIMATIONS))
        if not self.step_size > 0:
            raise ValueError(f"step_size must be positive, but is {self.step_size}")
        if not self.step_size_half_life > 0:
            raise ValueError(f"step_size_half_life must be positive, but is {self.step_size_half_life}")
        for name in ("groups", "tilings", "tiles"):
            check_integer(name, getattr(self, name), low=1)
        check_integer("order", self.order, low=0)
        for width in self.hidden:
            check_integer("hidden", width, low=1)


class ValueAgent(Agent):
    """Acts uniformly at random and predicts what that is worth; a final class says how the prediction is learned.

    Args:
        task: a task with a table, which is read for the score alone; its actions must be Discrete.
        runs: see `Agent`.
        seed: see `Agent`.
        config: of the agent's own `Config`.

    Attributes:
        function: the estimated values, with the weights of all runs.
        v: the true values of the uniform policy, [S].
        weight: the share of its time that it spends in each state, [S].

    Raises:
        TypeError: no table, actions that are not Discrete, or observations that the approximation cannot take.
        ValueError: values that are not finite or all 0, or more features than can be.
    """

    Config = ValueConfig

    def __init__(
        self, task: TaskLike, *, runs: int | range = 1, seed: int = 0, config: ValueConfig | None = None
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        if self.task.truth is None:
            raise TypeError(
                f"{self.name} needs a world with a table, because its score is the error of its values, "
                f"but {self.task.name} has none"
            )
        mdp = self.task.truth.mdp
        uniform = np.full((mdp.num_states, self.task.num_actions), 1 / self.task.num_actions)
        self.v = evaluate_policy(mdp, uniform)
        self.weight = on_policy_distribution(mdp, uniform, self.task.max_episode_steps)
        self._acting = ~mdp.terminal_states  # [S]
        if not np.isfinite(self.v).all() or self._error_of_nothing == 0:
            raise ValueError(
                f"{self.name} needs values to predict, finite and not all 0, but on {self.task.name} the uniform "
                f"policy's go from {self.v.min():g} to {self.v.max():g}"
            )
        self.function = self._make_function()
        self._everyone = np.arange(self.num_runs)

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """A uniformly random action: this is the policy whose values are predicted."""
        return uniform_action(self.task.num_actions, self.uniform(greedy=greedy))

    def policy(self) -> np.ndarray:
        """The uniform policy, [R, S, A]: it is what the values are of, and no part of what is learned."""
        num_actions = self.task.num_actions
        return np.full((self.num_runs, len(self.v), num_actions), 1 / num_actions)

    def values(self) -> np.ndarray:
        """The predicted value of each state, [R, S] in units of discounted reward; 0 where an episode is over."""
        return np.where(self._acting, self.function.by_state(), 0.0)

    def value_error(self) -> np.ndarray:
        """The root of the mean squared error of the values, [R], each state weighted by the time spent in it."""
        return value_error(self.values(), self.v, self.weight)

    def exact_score(self) -> np.ndarray:
        """1 - (value error) / (value error of predicting 0 everywhere), [R]: 1 is exact, and 0 is to know nothing.

        Where states share weights even the best weights score below 1.
        """
        return 1 - self.value_error() / self._error_of_nothing

    def errors_by_state(self) -> np.ndarray:
        """How far each predicted value is from the true one, |v(s) - v_uniform(s)|, [R, S]."""
        return np.abs(self.values() - self.v)

    @property
    def step_size(self) -> float:
        """Alpha at this step, divided by the largest square of a row of features."""
        alpha = harmonic(self.steps, self.config.step_size, self.config.step_size_half_life)
        return alpha / self.function.largest_square

    def parts(self) -> dict[str, object]:
        return {"weights": self.function.weights}

    @cached_property
    def _error_of_nothing(self) -> float:
        return float(value_error(np.zeros(len(self.v)), self.v, self.weight))

    def _make_function(self) -> ValueFunction:
        config, task = self.config, self.task
        if config.approximation == "network":
            from baselines.learning.value_networks import NetworkValues

            seeds = self.seeds("networks")
            return NetworkValues(task.observation_space, task.observation_in_state, config.hidden, seeds)
        features = feature_map(
            cast(Basis, config.approximation),
            task.observation_space,
            groups=config.groups,
            tilings=config.tilings,
            tiles=config.tiles,
            order=config.order,
        )
        numbered = not isinstance(task.observation_space, spaces.Box)
        index = task.observation_index if numbered else None
        return LinearValues(features, self.num_runs, task.observation_in_state, index)
