"""What REINFORCE learns: a softmax policy of every run, and the values that its returns are compared with.

`TablePolicy` has a row for each observation, `NetworkPolicy` two small networks. Both follow the same gradient.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch

from baselines.learning.encoding import Encoder
from baselines.learning.exploration import softmax
from baselines.learning.networks import Perceptron, StackedNetworks
from baselines.learning.optimisers import Adam, Descent
from baselines.learning.updates import returns_to_go, score_of_softmax
from baselines.training.task import Task


@dataclass(frozen=True)
class Episodes:
    """Whole episodes of M runs, each padded to the length T of the longest.

    Attributes:
        runs: whose they are, positions in the population, [M].
        observation: [T, M, ...].
        action: [T, M].
        reward: [T, M].
        last_observation: what was seen at the end, [M, ...].
        terminated: whether the world's rules ended it, [M] bool.
        length: how many steps each has, [M].
    """

    runs: np.ndarray
    observation: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    last_observation: np.ndarray
    terminated: np.ndarray
    length: np.ndarray

    @property
    def inside(self) -> np.ndarray:
        """What is a step and no padding, [T, M] bool."""
        return np.arange(len(self.reward))[:, None] < self.length

    def returns(self, last_value: np.ndarray, discount: float) -> np.ndarray:
        """The discounted return from each step on, [T, M]; `last_value` [M] follows where no termination did."""
        is_last = np.arange(len(self.reward))[:, None] == self.length - 1
        tail = np.broadcast_to(np.where(self.terminated, 0.0, last_value), is_last.shape)
        return returns_to_go(self.reward, is_last, tail, discount)


class SoftmaxPolicy(ABC):
    """A softmax policy of every run, perhaps with values for a baseline, and how they learn from episodes."""

    @abstractmethod
    def preferences(self, observation: np.ndarray) -> np.ndarray:
        """The logits of what each run sees, [R, A]."""

    @abstractmethod
    def preferences_by_state(self) -> np.ndarray:
        """The logits in every state of the world's table, [R, S, A]."""

    @abstractmethod
    def value(self, observation: np.ndarray, runs: np.ndarray) -> np.ndarray:
        """What some runs expect from what they see, [M]; 0 without a baseline."""

    @abstractmethod
    def learn(self, episodes: Episodes, returns: np.ndarray, weight: np.ndarray) -> None:
        """Follow the gradient of the sum of weight (return - baseline) ln pi over each episode; both [T, M]."""

    @abstractmethod
    def state(self) -> dict[str, np.ndarray]:
        """Arrays from which learning goes on."""

    @abstractmethod
    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Resume from what `state` returned."""


class TablePolicy(SoftmaxPolicy):
    """Preferences and values of every observation in tables.

    Args:
        task: what to learn.
        num_runs: R.
        step_size: alpha of the preferences.
        baseline_step_size: how far values move towards the mean return of an episode; 0 for no baseline.

    Attributes:
        theta: the preferences, [R, S, A] float64, where S counts the observations.
        values: the baseline, [R, S] float64.
    """

    def __init__(self, task: Task, num_runs: int, *, step_size: float, baseline_step_size: float) -> None:
        self._task, self._step_size, self._baseline_step_size = task, step_size, baseline_step_size
        self.theta = np.zeros((num_runs, task.num_observations, task.num_actions))  # [R, S, A]
        self.values = np.zeros((num_runs, task.num_observations))  # [R, S]

    def preferences(self, observation: np.ndarray) -> np.ndarray:
        return self.theta[np.arange(len(self.theta)), self._task.observation_index(observation)]

    def preferences_by_state(self) -> np.ndarray:
        return self.theta[:, self._task.observation_index_in_state]

    def value(self, observation: np.ndarray, runs: np.ndarray) -> np.ndarray:
        return self.values[runs, self._task.observation_index(observation)]

    def learn(self, episodes: Episodes, returns: np.ndarray, weight: np.ndarray) -> None:
        run, state = episodes.runs, self._observation_index(episodes.observation)  # [M], [T, M]
        error = returns - self.values[run, state]  # [T, M]
        score = score_of_softmax(softmax(self.theta[run, state]), episodes.action)  # [T, M, A]
        # add.at goes through the episode in order and counts each visit of a state.
        np.add.at(self.theta, (run, state), (self._step_size * weight * error)[..., None] * score)
        if self._baseline_step_size:
            self._move_values(episodes, state, error)

    def _move_values(self, episodes: Episodes, state: np.ndarray, error: np.ndarray) -> None:
        """Move the value of each state that was seen towards the mean of the returns that followed it."""
        total, visits = np.zeros((2, len(episodes.runs), self.values.shape[1]))  # [M, S]
        place = np.arange(len(episodes.runs)), state
        np.add.at(total, place, np.where(episodes.inside, error, 0.0))
        np.add.at(visits, place, episodes.inside)
        self.values[episodes.runs] += self._baseline_step_size * total / np.maximum(visits, 1)

    def _observation_index(self, observation: np.ndarray) -> np.ndarray:
        """The numbers of observations [T, M, ...], as [T, M]."""
        flat = observation.reshape(-1, *observation.shape[2:])
        return self._task.observation_index(flat).reshape(observation.shape[:2])

    def state(self) -> dict[str, np.ndarray]:
        return {"theta": self.theta, "values": self.values}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        self.theta[...] = state["theta"]
        self.values[...] = state["values"]


class NetworkPolicy(SoftmaxPolicy):
    """A network for the preferences and another for the values of every run.

    Args:
        task: what to learn.
        seeds: one a run, for its first weights.
        hidden: units of each hidden layer (tanh).
        baseline: whether there are values.
        learning_rate: alpha.
        optimiser: "adam", or "descent" for steps in exact proportion to the gradient.

    Attributes:
        networks: "policy" and, with a baseline, "value".
    """

    def __init__(
        self,
        task: Task,
        seeds: Sequence[np.random.SeedSequence],
        *,
        hidden: tuple[int, ...],
        baseline: bool,
        learning_rate: float,
        optimiser: Literal["adam", "descent"],
    ) -> None:
        self._task, self._baseline, self._learning_rate = task, baseline, learning_rate
        self._encode = Encoder(task.observation_space)
        inputs = self._encode.num_features
        architectures = {"policy": Perceptron((inputs, *hidden, task.num_actions), "tanh", "orthogonal", 0.01)}
        if baseline:
            architectures["value"] = Perceptron((inputs, *hidden, 1), "tanh", "orthogonal")
        self.networks = StackedNetworks.initial(architectures, seeds)
        self._optimiser = {"adam": Adam, "descent": Descent}[optimiser](self.networks.parameters.shape)

    @torch.no_grad()
    def preferences(self, observation: np.ndarray) -> np.ndarray:
        features = self._encode(observation, (len(observation), 1))
        return self.networks.output("policy", features)[:, 0].numpy()

    @torch.no_grad()
    def preferences_by_state(self) -> np.ndarray:
        features, seen_in_state = self._distinct_observations
        logits = self.networks.output("policy", features.expand(len(self.networks.parameters), -1, -1))
        return logits.double().numpy()[:, seen_in_state]

    @torch.no_grad()
    def value(self, observation: np.ndarray, runs: np.ndarray) -> np.ndarray:
        if not self._baseline:
            return np.zeros(len(runs))
        features = self._encode(observation, (len(runs), 1))
        return self.networks.take(runs).output("value", features)[:, 0, 0].numpy()

    def learn(self, episodes: Episodes, returns: np.ndarray, weight: np.ndarray) -> None:
        networks = self.networks.take(episodes.runs)
        observation = self._encode(episodes.observation.swapaxes(0, 1), returns.T.shape)  # [M, T, D]
        action = torch.from_numpy(np.ascontiguousarray(episodes.action.T))  # [M, T]
        gain, importance, inside = _by_run(returns), _by_run(weight), _by_run(episodes.inside)  # [M, T]

        value_loss = torch.zeros(len(episodes.runs))
        if self._baseline:
            value = networks.output("value", observation).squeeze(2)  # [M, T]
            value_loss = ((gain - value) ** 2 * inside).sum(dim=1) / inside.sum(dim=1)  # [M]
            gain = gain - value.detach()
        log_policy = networks.output("policy", observation).log_softmax(dim=2)  # [M, T, A]
        log_taken = log_policy.gather(2, action.unsqueeze(2)).squeeze(2)  # [M, T]
        loss = value_loss - (importance * gain * log_taken).sum(dim=1)  # [M]

        networks.backward(loss)
        self._optimiser.step(self.networks.parameters, networks.gradient, self._learning_rate, episodes.runs)

    @cached_property
    def _distinct_observations(self) -> tuple[torch.Tensor, np.ndarray]:
        """The features of everything that can be seen, [n, D], and which of it is seen in each state, [S]."""
        return self._encode.distinct_observations(self._task.observation_in_state)

    def state(self) -> dict[str, np.ndarray]:
        return {"networks": self.networks.parameters.numpy(), **self._optimiser.state()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        self.networks.parameters.copy_(torch.tensor(state["networks"]))
        self._optimiser.restore(state)


def _by_run(array: np.ndarray) -> torch.Tensor:
    """An array [T, M] as a float32 tensor [M, T]."""
    return torch.from_numpy(np.ascontiguousarray(array.T, dtype=np.float32))
