"""DQN: Q-learning with a neural network, experience replay and a target network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, final

import numpy as np
import torch
from torch.nn import functional

from baselines.agents import presets
from baselines.learning.encoding import Encoder
from baselines.learning.exploration import argmax_random_ties, epsilon_greedy, greedy_policy
from baselines.learning.networks import Perceptron, StackedNetworks
from baselines.learning.optimisers import Adam
from baselines.learning.replay import Replay
from baselines.learning.schedules import linear, linear_to_zero
from baselines.learning.transition import Transition
from baselines.training.agent import Agent
from baselines.training.agent_file import prefixed, section
from baselines.training.task import Task
from rl_envs.mdp.finite_mdp import check_integer, check_probability
from rl_envs.worlds.world import World


@dataclass(frozen=True)
class DQNConfig:
    """Hyperparameters. Steps are environment steps of each run."""

    hidden: tuple[int, ...] = (64,)
    """units of each hidden layer (ReLU)"""
    learning_rate: float = 2e-3
    """alpha of Adam at step 0"""
    learning_rate_steps: int = 0
    """steps over which it decays linearly to 0; 0 keeps it constant"""
    adam_epsilon: float = 1e-8
    """added to the root of Adam's mean square"""
    batch_size: int = 64
    """minibatch size of an update"""
    replay_capacity: int = 10_000
    """number of latest steps in the replay buffer"""
    learning_starts: int = 200
    """steps with uniformly random actions before the first update"""
    train_every: int = 4
    """steps between updates"""
    updates: int = 1
    """gradient steps in each update"""
    target_every: int = 100
    """steps between updates of the target network; the first is at step 0"""
    n_step: int = 1
    """rewards summed before bootstrapping from the target network (n-step returns)"""
    double: bool = False
    """Double DQN: choose the next action with the online network, value it with the target network"""
    loss: Literal["huber", "mse"] = "huber"
    """huber, quadratic up to an error of 1 and linear beyond, or mse, half the squared error"""
    max_gradient_norm: float = 10.0
    """gradients are clipped to this norm; inf for no clipping"""
    epsilon: float = 1.0
    """probability of exploring at step 0"""
    final_epsilon: float = 0.1
    """probability of exploring after the linear decay"""
    epsilon_steps: int = 10_000
    """steps over which epsilon decays linearly"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))
        for width in self.hidden:
            check_integer("hidden", width, low=1)
        for name in ("batch_size", "replay_capacity", "train_every", "updates", "target_every", "n_step"):
            check_integer(name, getattr(self, name), low=1)
        for name in ("learning_starts", "learning_rate_steps", "epsilon_steps"):
            check_integer(name, getattr(self, name), low=0)
        for name in ("learning_rate", "adam_epsilon", "max_gradient_norm"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, but is {getattr(self, name)}")
        check_probability("epsilon", self.epsilon)
        check_probability("final_epsilon", self.final_epsilon)
        if self.loss not in ("huber", "mse"):
            raise ValueError(f'loss must be "huber" or "mse", but is {self.loss!r}')


@final
class DQN(Agent):
    """Deep Q-networks (Mnih et al. 2015), with Double DQN and n-step returns as options.

        for each step of an episode:
            A  <- any action with probability epsilon, otherwise argmax_a Q(S, a; w)
            R, S' <- take action A in state S, and remember (S, A, R, S') in the replay
            every train_every steps:
                for (S, A, R, S') in a batch drawn from the replay:
                    y <- R + gamma max_a Q(S', a; w-)    with Q(S', .) = 0 if S' is terminal
                w <- w - alpha grad_w mean of loss(y - Q(S, A; w))
            every target_every steps: w- <- w

    The target's weights w- are a copy of w that is updated from time to time, so that the network does not chase
    itself; the replay breaks up the order of what happened, and lets every step teach more than once.

    Args:
        task: what to learn; its observations must be Discrete, MultiDiscrete or Box, its actions Discrete.
        runs: see `Agent`.
        seed: see `Agent`.
        config: a `DQN.Config`.

    Attributes:
        online: the network "q" of every run, with weights w.
        target: the same network with weights w-.
        replay: the steps remembered.

    Raises:
        TypeError: observations that no network can be shown, or actions that are not Discrete.

    Differences from the paper: no convolutions, frames or clipped rewards, for observations here are short rows; Adam
    instead of RMSprop; the gradient is clipped by its norm beside the Huber loss; a time limit that cuts an episode off
    does not end the bootstrap.
    """

    Config = DQNConfig
    PRESETS = {name: DQNConfig(**settings) for name, settings in presets.DQN.items()}

    def __init__(
        self, task: Task | World | str, *, runs: int | range = 1, seed: int = 0, config: DQNConfig | None = None
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        space = self.task.observation_space
        self._encode = Encoder(space)
        widths = (self._encode.num_features, *self.config.hidden, self.task.num_actions)
        self.online = StackedNetworks.initial({"q": Perceptron(widths)}, self.seeds("networks"))
        self.target = self.online.copy()
        self.replay = Replay(self.config.replay_capacity, space, self.seeds("replay"))
        self._optimiser = Adam(self.online.parameters.shape, epsilon=self.config.adam_epsilon)

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """Epsilon-greedy, or greedy; ties are broken at random in either case."""
        with torch.no_grad():
            features = self._encode(observation, (self.num_runs, 1))  # [R, 1, D]
            q = self.online.output("q", features).squeeze(1).numpy()  # [R, A]
        if greedy:
            return argmax_random_ties(q, self.uniform(greedy=True))
        return epsilon_greedy(q, self.epsilon, explore=self.uniform(), choice=self.uniform())

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Store the step in the replay buffer, and learn from a batch when it is due.

        Args:
            transition: one step of every run.

        Returns:
            "loss", the mean over the batch, [R], in a step that learns.
        """
        config = self.config
        self.replay.add(transition)
        self.steps += 1
        metrics: dict[str, np.ndarray] = {}
        if self.steps > config.learning_starts and self.steps % config.train_every == 0:
            for _ in range(config.updates):
                metrics = {"loss": self._gradient_step()}
        if self.steps % config.target_every == 0:
            self.target.parameters.copy_(self.online.parameters)
        return metrics

    def _gradient_step(self) -> np.ndarray:
        """One step of every run down the gradient of its loss, which is given back, [R]."""
        config, shape = self.config, (self.num_runs, self.config.batch_size)
        batch = self.replay.sample(config.batch_size, n_step=config.n_step, discount=self.task.discount)
        observation = self._encode(batch.observation, shape)  # [R, B, D]
        next_observation = self._encode(batch.next_observation, shape)  # [R, B, D]
        action, reward = torch.from_numpy(batch.action), torch.from_numpy(batch.reward)  # [R, B]
        terminated, discount = torch.from_numpy(batch.terminated), torch.from_numpy(batch.discount)  # [R, B]

        with torch.no_grad():
            next_q = self.target.output("q", next_observation)  # [R, B, A]
            if config.double:
                best = self.online.output("q", next_observation).argmax(dim=2, keepdim=True)
                next_value = next_q.gather(2, best).squeeze(2)
            else:
                next_value = next_q.amax(dim=2)
            target = (reward + discount * next_value.masked_fill(terminated, 0.0)).float()  # [R, B]

        q = self.online.output("q", observation).gather(2, action.unsqueeze(2)).squeeze(2)  # [R, B]
        if config.loss == "huber":
            loss = functional.smooth_l1_loss(q, target, reduction="none").mean(dim=1)  # [R]
        else:
            loss = 0.5 * ((q - target) ** 2).mean(dim=1)

        self.online.backward(loss)
        self.online.clip_gradient(config.max_gradient_norm)
        self._optimiser.step(self.online.parameters, self.online.gradient, self.learning_rate)
        return loss.detach().numpy()

    @property
    def epsilon(self) -> float:
        """The probability of exploring at this step."""
        if self.steps < self.config.learning_starts:
            return 1.0
        return linear(self.steps, self.config.epsilon, self.config.final_epsilon, self.config.epsilon_steps)

    @property
    def learning_rate(self) -> float:
        """Alpha at this step."""
        return linear_to_zero(self.steps, self.config.learning_rate, self.config.learning_rate_steps)

    @torch.no_grad()
    def policy(self) -> np.ndarray:
        """Greedy with respect to Q, the probability shared equally among tied actions, [R, S, A]."""
        features, seen_in_state = self._distinct_observations
        q = self.online.output("q", features.expand(self.num_runs, -1, -1)).numpy()
        return greedy_policy(q)[:, seen_in_state]

    @cached_property
    def _distinct_observations(self) -> tuple[torch.Tensor, np.ndarray]:
        """The features of everything that can be seen, [n, D], and which of it is seen in each state, [S]."""
        return self._encode.distinct_observations(self.task.observation_in_state)

    def state(self) -> dict[str, np.ndarray]:
        """Both networks, the optimiser's memory and the replay, besides what every agent saves."""
        return {
            **super().state(),
            "online": self.online.parameters.numpy(),
            "target": self.target.parameters.numpy(),
            **prefixed("optimiser", self._optimiser.state()),
            **prefixed("replay", self.replay.state()),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Restore saved networks, memory and replay."""
        super().restore(state)
        self.online.parameters.copy_(torch.tensor(state["online"]))
        self.target.parameters.copy_(torch.tensor(state["target"]))
        self._optimiser.restore(section(state, "optimiser"))
        self.replay.restore(section(state, "replay"))
        if not section(state, "environment"):
            self.replay.break_off()  # the environment could not be saved, so its next episode is a new one
