"""REINFORCE: make what was done in good episodes more probable."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, final

import numpy as np
import torch

from baselines.agents import presets
from baselines.learning.encoding import Encoder, distinct_observations
from baselines.learning.exploration import argmax_random_ties, greedy_policy, sample_action, softmax
from baselines.learning.networks import Perceptron, StackedNetworks
from baselines.learning.optimisers import Adam, Descent
from baselines.learning.transition import Transition
from baselines.learning.updates import returns_to_go, score_of_softmax
from baselines.training.agent import Agent
from baselines.training.agent_file import part_of
from baselines.training.task import Task
from rl_envs.mdp.finite_mdp import check_integer
from rl_envs.worlds.world import World


@dataclass(frozen=True)
class ReinforceConfig:
    """What can be set.

    Attributes:
        policy: "table", a preference for each action in each state, or "network".
        step_size: alpha of the table's preferences, or the network's learning rate.
        baseline: whether to compare returns with the estimated value of the state they follow.
        baseline_step_size: how far the table's values move towards the mean return of an episode, in (0, 1].
        weight_visits: whether the step at time t counts gamma^t, as the gradient of the discounted value has it.
        max_length: steps after which an episode is cut off if the world does not do so sooner.
        hidden: units of each hidden layer of the network (tanh).
        optimiser: of the network: "adam", or "descent" for steps in exact proportion to the gradient.
    """

    policy: Literal["table", "network"] = "table"
    step_size: float = 0.02
    baseline: bool = True
    baseline_step_size: float = 0.2
    weight_visits: bool = True
    max_length: int = 1_000
    hidden: tuple[int, ...] = (32,)
    optimiser: Literal["adam", "descent"] = "adam"

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))
        for width in self.hidden:
            check_integer("hidden", width, low=1)
        check_integer("max_length", self.max_length, low=1)
        if self.policy not in ("table", "network"):
            raise ValueError(f'policy must be "table" or "network", but is {self.policy!r}')
        if self.optimiser not in ("adam", "descent"):
            raise ValueError(f'optimiser must be "adam" or "descent", but is {self.optimiser!r}')
        if not self.step_size > 0:
            raise ValueError(f"step_size must be positive, but is {self.step_size}")
        if not 0 < self.baseline_step_size <= 1:
            raise ValueError(f"baseline_step_size must be in (0, 1], but is {self.baseline_step_size}")


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


class Learner(ABC):
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
        """Go on from what `state` gave."""


@final
class Reinforce(Agent):
    """REINFORCE (Williams 1992; Sutton & Barto 2018, sections 13.3 and 13.4).

        theta <- theta + alpha sum_t gamma^t (G_t - b(S_t)) grad ln pi(A_t|S_t; theta)    after each episode

    G_t is the return from step t on: what came before an action is none of its merit. The baseline b, the estimated
    value of the state, takes away noise and no truth, for it does not depend on the action; no gradient flows through
    it. With gamma^t the mean of the sum is exactly the gradient of the discounted value from the start.

    Args:
        task: what to learn; its actions must be Discrete, and its observations countable for a table, or Discrete,
            MultiDiscrete or Box for a network.
        runs: as for every `Agent`.
        seed: as for every `Agent`.
        config: a `ReinforceConfig`.

    Attributes:
        learner: the policy and the baseline, as tables or networks.

    Raises:
        TypeError: observations that the policy cannot take, or actions that are not Discrete.

    Differences from the paper: theta and the baseline stand still during an episode, so that the mean of its update is
    the exact gradient; a table's value moves towards the mean return of all visits in an episode; where a time limit
    cuts an episode off, the baseline's value of the last observation stands for the rest. Without a baseline nothing
    does, and the update is biased there.
    """

    Config = ReinforceConfig
    PRESETS = {name: ReinforceConfig(**settings) for name, settings in presets.REINFORCE.items()}

    def __init__(
        self, task: Task | World | str, *, runs: int | range = 1, seed: int = 0, config: ReinforceConfig | None = None
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        limits = [self.config.max_length, self.task.max_episode_steps]
        self._max_length = min(limit for limit in limits if limit is not None)
        self.learner: Learner
        if self.config.policy == "table":
            self.learner = TableLearner(self.task, self.num_runs, self.config)
        else:
            self.learner = NetworkLearner(self.task, self.seeds("networks"), self.config)
        space, shape = self.task.observation_space, (self._max_length, self.num_runs)
        self._memory = {
            "observation": np.zeros((*shape, *(space.shape or ())), dtype=space.dtype),
            "action": np.zeros(shape, dtype=np.int64),
            "reward": np.zeros(shape),
        }
        self._length = np.zeros(self.num_runs, dtype=np.int64)  # [R] steps of each run's episode so far
        self._everyone = np.arange(self.num_runs)

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
        place = self._length, self._everyone
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

    def policy(self) -> np.ndarray:
        """The most probable action of each state, its probability shared equally among tied ones, [R, S, A]."""
        return greedy_policy(self.learner.preferences_by_state())

    def probabilities(self) -> np.ndarray:
        """The policy that is learned, with which actions are drawn while learning, [R, S, A]."""
        return softmax(self.learner.preferences_by_state())

    def state(self) -> dict[str, np.ndarray]:
        """The learner and the unfinished episodes, beside what every agent saves."""
        return {
            **super().state(),
            **{f"learner.{name}": array for name, array in self.learner.state().items()},
            **{f"episode.{name}": array for name, array in self._memory.items()},
            "length": self._length,
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over a saved learner and unfinished episodes."""
        super().restore(state)
        self.learner.restore(part_of(state, "learner"))
        for name, array in self._memory.items():
            array[...] = state[f"episode.{name}"]
        # An environment that could not be saved begins new episodes, and what was seen of the old ones is of no use.
        self._length[...] = state["length"] if part_of(state, "environment") else 0

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


class TableLearner(Learner):
    """Preferences and values of every state in tables.

    Attributes:
        theta: the preferences, [R, S, A] float64, where S counts the observations.
        values: the baseline, [R, S] float64.
    """

    def __init__(self, task: Task, num_runs: int, config: ReinforceConfig) -> None:
        self._task, self._config = task, config
        self.theta = np.zeros((num_runs, task.num_observations, task.num_actions))
        self.values = np.zeros((num_runs, task.num_observations))

    def preferences(self, observation: np.ndarray) -> np.ndarray:
        return self.theta[np.arange(len(self.theta)), self._task.observation_index(observation)]

    def preferences_by_state(self) -> np.ndarray:
        return self.theta[:, self._task.observation_index_in_state]

    def value(self, observation: np.ndarray, runs: np.ndarray) -> np.ndarray:
        return self.values[runs, self._task.observation_index(observation)]

    def learn(self, episodes: Episodes, returns: np.ndarray, weight: np.ndarray) -> None:
        seen = self._number(episodes.observation)  # [T, M]
        error = returns - self.values[episodes.runs, seen]
        policy = softmax(self.theta[episodes.runs, seen])  # [T, M, A]
        merit = self._config.step_size * weight * error
        # add.at goes through the episode in order and counts each visit of a state.
        np.add.at(self.theta, (episodes.runs, seen), merit[..., None] * score_of_softmax(policy, episodes.action))
        if self._config.baseline:
            self._move_values(episodes, seen, error)

    def state(self) -> dict[str, np.ndarray]:
        return {"theta": self.theta, "values": self.values}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        self.theta[...] = state["theta"]
        self.values[...] = state["values"]

    def _move_values(self, episodes: Episodes, seen: np.ndarray, error: np.ndarray) -> None:
        """Move the value of each state that was seen towards the mean of the returns that followed it."""
        total, visits = np.zeros((2, len(episodes.runs), self.values.shape[1]))
        place = np.arange(len(episodes.runs)), seen
        np.add.at(total, place, np.where(episodes.inside, error, 0.0))
        np.add.at(visits, place, episodes.inside)
        self.values[episodes.runs] += self._config.baseline_step_size * total / np.maximum(visits, 1)

    def _number(self, observation: np.ndarray) -> np.ndarray:
        """The numbers of observations [T, M, ...], as [T, M]."""
        length, num_runs = observation.shape[:2]
        return self._task.observation_index(observation.reshape(-1, *observation.shape[2:])).reshape(length, num_runs)


class NetworkLearner(Learner):
    """A network for the preferences and another for the values of every run.

    Attributes:
        networks: "policy" and, with a baseline, "value".
    """

    def __init__(self, task: Task, seeds: list[np.random.SeedSequence], config: ReinforceConfig) -> None:
        self._task, self._config = task, config
        self._encode = Encoder(task.observation_space)
        inputs = self._encode.num_features
        forms = {"policy": Perceptron((inputs, *config.hidden, task.num_actions), "tanh", "orthogonal", 0.01)}
        if config.baseline:
            forms["value"] = Perceptron((inputs, *config.hidden, 1), "tanh", "orthogonal")
        self.networks = StackedNetworks.initial(forms, seeds)
        self._optimiser = {"adam": Adam, "descent": Descent}[config.optimiser](self.networks.values.shape)

    @torch.no_grad()
    def preferences(self, observation: np.ndarray) -> np.ndarray:
        features = self._encode(observation, (len(observation), 1))
        return self.networks.output("policy", features)[:, 0].numpy()

    @torch.no_grad()
    def preferences_by_state(self) -> np.ndarray:
        features, seen_in_state = self._sights
        logits = self.networks.output("policy", features.expand(len(self.networks.values), -1, -1))
        return logits.double().numpy()[:, seen_in_state]

    @torch.no_grad()
    def value(self, observation: np.ndarray, runs: np.ndarray) -> np.ndarray:
        if not self._config.baseline:
            return np.zeros(len(runs))
        features = self._encode(observation, (len(runs), 1))
        return self.networks.take(runs).output("value", features)[:, 0, 0].numpy()

    def learn(self, episodes: Episodes, returns: np.ndarray, weight: np.ndarray) -> None:
        networks = self.networks.take(episodes.runs)
        rows = returns.T.shape  # (M, T)
        features = self._encode(episodes.observation.swapaxes(0, 1), rows)
        gain, inside = _by_run(returns), _by_run(episodes.inside)
        loss = torch.zeros(len(episodes.runs))
        if self._config.baseline:
            value = networks.output("value", features)[:, :, 0]
            loss = ((gain - value) ** 2 * inside).sum(dim=1) / inside.sum(dim=1)
            gain = gain - value.detach()
        log_policy = networks.output("policy", features).log_softmax(dim=2)
        action = torch.from_numpy(np.ascontiguousarray(episodes.action.T))[:, :, None]
        loss = loss - (_by_run(weight) * gain * log_policy.gather(2, action)[:, :, 0]).sum(dim=1)
        networks.backward(loss)
        self._optimiser.step(self.networks.values, networks.gradient, self._config.step_size, episodes.runs)

    def state(self) -> dict[str, np.ndarray]:
        return {"networks": self.networks.values.numpy(), **self._optimiser.state()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        self.networks.values.copy_(torch.tensor(state["networks"]))
        self._optimiser.restore(state)

    @cached_property
    def _sights(self) -> tuple[torch.Tensor, np.ndarray]:
        """The features of everything that can be seen, [n, D], and which of it is seen in each state, [S]."""
        observations, seen_in_state = distinct_observations(self._task.observation_in_state)
        return self._encode(observations, (len(observations),)), seen_in_state


def _by_run(array: np.ndarray) -> torch.Tensor:
    """An array [T, M] as a float32 tensor [M, T]."""
    return torch.from_numpy(np.ascontiguousarray(array.T, dtype=np.float32))
