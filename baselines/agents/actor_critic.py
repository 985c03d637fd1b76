"""Advantage actor-critic (A2C): a policy network and a value network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import torch

from baselines.agents import presets
from baselines.learning.advantages import generalised_advantages
from baselines.learning.encoding import Encoder
from baselines.learning.exploration import argmax_random_ties, greedy_policy, sample_action
from baselines.learning.networks import Perceptron, StackedNetworks
from baselines.learning.optimisers import RMSprop
from baselines.learning.schedules import linear_to_zero
from baselines.learning.transition import Transition
from baselines.training.agent import Agent
from baselines.training.agent_file import prefixed, section
from baselines.training.task import Task
from rl_envs.mdp.finite_mdp import check_integer, check_probability
from rl_envs.worlds.world import World


@dataclass(frozen=True)
class ActorCriticConfig:
    """Hyperparameters. Steps are environment steps of each run, over all its environments."""

    num_envs: int = 8
    """parallel environments per run"""
    n_step: int = 5
    """steps per environment between updates"""
    trace_decay: float = 1.0
    """lambda of the advantages; 1 for n-step returns, less for generalised advantage estimation"""
    hidden: tuple[int, ...] = (64,)
    """units of each hidden layer (tanh), in the policy and in the value network"""
    learning_rate: float = 5e-3
    """alpha of RMSprop at step 0"""
    learning_rate_steps: int = 0
    """steps over which it decays linearly to 0; 0 keeps it constant"""
    rmsprop_decay: float = 0.99
    """decay rate of RMSprop's mean square"""
    rmsprop_epsilon: float = 1e-5
    """added to the root of that mean square"""
    value_weight: float = 0.5
    """weight of the value's squared error in the loss"""
    entropy_weight: float = 0.1
    """weight of the policy's entropy in the loss, in nats; more entropy means more exploration"""
    max_gradient_norm: float = 0.5
    """the gradient of both networks together is clipped to this norm; inf for no clipping"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))
        for width in self.hidden:
            check_integer("hidden", width, low=1)
        for name in ("num_envs", "n_step"):
            check_integer(name, getattr(self, name), low=1)
        check_integer("learning_rate_steps", self.learning_rate_steps, low=0)
        check_probability("trace_decay", self.trace_decay)
        check_probability("rmsprop_decay", self.rmsprop_decay)
        for name in ("learning_rate", "rmsprop_epsilon", "max_gradient_norm"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, but is {getattr(self, name)}")
        for name in ("value_weight", "entropy_weight"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative, but is {getattr(self, name)}")


@final
class ActorCritic(Agent):
    """Advantage actor-critic, synchronous (A2C; Mnih et al. 2016; Sutton & Barto 2018, section 13.5).

        repeat:
            take n_step steps in each environment, with actions drawn from pi(. | S; w)
            delta_t <- R_{t+1} + gamma V(S_{t+1}; w) - V(S_t; w)    with V(S_{t+1}) = 0 if S_{t+1} is terminal
            A_t <- delta_t + gamma lambda A_{t+1}    with A_{t+1} = 0 beyond an episode's or the rollout's end
            w <- w - alpha grad_w mean over the rollout of
                 -A_t ln pi(A_t | S_t; w) + value_weight (A_t + V_t - V(S_t; w))^2 - entropy_weight H(pi(. | S_t; w))

    The advantage A_t and with it the target A_t + V_t are numbers: no gradient flows through them. With lambda = 1 the
    advantage is the n-step return minus V.

    Args:
        task: what to learn; its observations must be Discrete, MultiDiscrete or Box, its actions Discrete.
        runs: see `Agent`.
        seed: see `Agent`.
        config: an `ActorCritic.Config`.

    Attributes:
        networks: "policy", whose outputs are logits, and "value", of every run.

    Raises:
        TypeError: observations that no network can be shown, or actions that are not Discrete.

    Differences from the paper: the environments of a run advance in step, not each at its own time; every run has its
    own; the two networks share no layer; a time limit that cuts an episode off does not end the bootstrap. Visits are
    not weighted by gamma^t, as is usual, so the policy's gradient is not quite that of the discounted value.
    """

    Config = ActorCriticConfig
    PRESETS = {name: ActorCriticConfig(**settings) for name, settings in presets.ACTOR_CRITIC.items()}

    def __init__(
        self, task: Task | World | str, *, runs: int | range = 1, seed: int = 0, config: ActorCriticConfig | None = None
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        space, hidden = self.task.observation_space, self.config.hidden
        self._encode = Encoder(space)
        inputs, actions = self._encode.num_features, self.task.num_actions
        self.networks = StackedNetworks.initial(
            {
                "policy": Perceptron((inputs, *hidden, actions), "tanh", "orthogonal", output_gain=0.01),
                "value": Perceptron((inputs, *hidden, 1), "tanh", "orthogonal"),
            },
            self.seeds("networks"),
        )
        self._optimiser = RMSprop(
            self.networks.parameters.shape, decay=self.config.rmsprop_decay, epsilon=self.config.rmsprop_epsilon
        )
        shape = (self.num_runs, self.config.n_step, self.num_envs)
        seen = (*shape, *(space.shape or ()))
        self._rollout_buffer = {  # each [R, n, C, ...]
            "observation": np.zeros(seen, dtype=space.dtype),
            "action": np.zeros(shape, dtype=np.int64),
            "reward": np.zeros(shape, dtype=np.float32),
            "next_observation": np.zeros(seen, dtype=space.dtype),
            "terminated": np.zeros(shape, dtype=np.bool_),
            "ended": np.zeros(shape, dtype=np.bool_),
        }
        self._filled = 0  # steps of the rollout so far

    @property
    def num_envs(self) -> int:
        """In how many copies of the world each run learns at the same time, C."""
        return self.config.num_envs

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """An action drawn from the policy, or the most probable one with ties broken at random."""
        rows = (self.num_runs, len(observation) // self.num_runs)
        with torch.no_grad():
            logits = self.networks.output("policy", self._encode(observation, rows)).flatten(0, 1)  # [R * C, A]
            if greedy:
                return argmax_random_ties(logits.numpy(), self.uniform(greedy=True))
            return sample_action(logits.softmax(dim=1).numpy(), self.uniform())

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Keep the step, and learn when there are n of them from each environment.

        Args:
            transition: one step of every environment of every run.

        Returns:
            In a step that learns "policy_loss", "value_loss" and "entropy", means over the rollout, each [R].
        """
        arrived = {
            "observation": transition.observation,
            "action": transition.action,
            "reward": transition.reward,
            "next_observation": transition.next_observation,
            "terminated": transition.terminated,
            "ended": transition.terminated | transition.truncated,
        }
        for name, array in self._rollout_buffer.items():
            array[:, self._filled] = arrived[name].reshape(array[:, 0].shape)
        self._filled += 1
        self.steps += self.num_envs
        if self._filled < self.config.n_step:
            return {}
        self._filled = 0
        return self._gradient_step()

    def _gradient_step(self) -> dict[str, np.ndarray]:
        """One step of every run down the gradient of its loss over the rollout; its metrics, each [R]."""
        config, shape = self.config, (self.num_runs, self.config.n_step, self.num_envs)
        rows = (self.num_runs, config.n_step * self.num_envs)  # [R, n C]
        rollout = {name: torch.from_numpy(array) for name, array in self._rollout_buffer.items()}  # [R, n, C]
        observation = self._encode(self._rollout_buffer["observation"], rows)  # [R, n C, D]
        next_observation = self._encode(self._rollout_buffer["next_observation"], rows)

        value = self.networks.output("value", observation).squeeze(2)  # [R, n C]
        with torch.no_grad():
            next_value = self.networks.output("value", next_observation).squeeze(2)
            advantage = generalised_advantages(
                rollout["reward"],
                rollout["terminated"],
                rollout["ended"],
                value.reshape(shape),
                next_value.reshape(shape),
                discount=self.task.discount,
                trace_decay=config.trace_decay,
            ).reshape(rows)  # [R, n C]
            target = advantage + value

        log_policy = self.networks.output("policy", observation).log_softmax(dim=2)  # [R, n C, A]
        action = rollout["action"].reshape(*rows, 1)
        policy_loss = -(advantage * log_policy.gather(2, action).squeeze(2)).mean(dim=1)  # [R]
        value_loss = ((target - value) ** 2).mean(dim=1)
        entropy = -(log_policy.exp() * log_policy).sum(dim=2).mean(dim=1)
        loss = policy_loss + config.value_weight * value_loss - config.entropy_weight * entropy

        self.networks.backward(loss)
        self.networks.clip_gradient(config.max_gradient_norm)
        self._optimiser.step(self.networks.parameters, self.networks.gradient, self.learning_rate)
        metrics = {"policy_loss": policy_loss, "value_loss": value_loss, "entropy": entropy}
        return {name: metric.detach().numpy() for name, metric in metrics.items()}

    @property
    def learning_rate(self) -> float:
        """Alpha at this step."""
        return linear_to_zero(self.steps, self.config.learning_rate, self.config.learning_rate_steps)

    def policy(self) -> np.ndarray:
        """The most probable action of each state, its probability shared equally among tied ones, [R, S, A]."""
        return greedy_policy(self._logits_by_state().numpy())

    def probabilities(self) -> np.ndarray:
        """The policy that is learned, with which actions are drawn while learning, [R, S, A]."""
        return self._logits_by_state().double().softmax(dim=2).numpy()

    @torch.no_grad()
    def _logits_by_state(self) -> torch.Tensor:
        """The policy's logits, [R, S, A]."""
        features, seen_in_state = self._distinct_observations
        return self.networks.output("policy", features.expand(self.num_runs, -1, -1))[:, seen_in_state]

    @cached_property
    def _distinct_observations(self) -> tuple[torch.Tensor, np.ndarray]:
        """The features of everything that can be seen, [n, D], and which of it is seen in each state, [S]."""
        return self._encode.distinct_observations(self.task.observation_in_state)

    def state(self) -> dict[str, np.ndarray]:
        """The networks, the optimiser's memory and the unfinished rollout, besides what every agent saves."""
        return {
            **super().state(),
            "networks": self.networks.parameters.numpy(),
            **prefixed("optimiser", self._optimiser.state()),
            **prefixed("rollout", self._rollout_buffer),
            "filled": np.array(self._filled),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Restore saved networks, memory and rollout."""
        super().restore(state)
        self.networks.parameters.copy_(torch.tensor(state["networks"]))
        self._optimiser.restore(section(state, "optimiser"))
        for name, array in self._rollout_buffer.items():
            array[...] = state[f"rollout.{name}"]
        self._filled = int(state["filled"])
        if self._filled and not section(state, "environment"):
            # The environment could not be saved, so its next episode is a new one.
            self._rollout_buffer["ended"][:, self._filled - 1] = True
