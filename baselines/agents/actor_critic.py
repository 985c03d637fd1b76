"""Advantage actor-critic (A2C): a policy network, and a value network that says how well it is doing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import torch

from baselines.agents import presets
from baselines.learning.encoding import Encoder, distinct_observations
from baselines.learning.exploration import argmax_random_ties, greedy_policy, sample_action
from baselines.learning.networks import Perceptron, StackedNetworks
from baselines.learning.optimisers import RMSprop
from baselines.learning.schedules import linear
from baselines.learning.transition import Transition
from baselines.learning.updates import generalised_advantages
from baselines.training.agent import Agent
from baselines.training.agent_file import part_of
from baselines.training.task import Task
from rl_envs.mdp.finite_mdp import check_integer, check_probability
from rl_envs.worlds.world import World


@dataclass(frozen=True)
class ActorCriticConfig:
    """What can be set. Steps are environment steps of each run, over all its copies of the world.

    Attributes:
        copies: copies of the world that each run learns in at the same time.
        n_step: steps in each copy between updates.
        trace_decay: lambda of the advantages; 1 for n-step returns, less for generalised advantage estimation.
        hidden: units of each hidden layer (tanh), of the policy's and of the value's network.
        learning_rate: alpha of RMSprop at step 0.
        learning_rate_steps: steps after which it has fallen to 0, in a straight line; 0 keeps it constant.
        rmsprop_kept: how much of RMSprop's mean square is kept in each update.
        rmsprop_epsilon: added to its root.
        value_weight: of the value's squared error in the loss.
        entropy_weight: of the policy's entropy in the loss, in nats; more keeps it exploring.
        max_gradient_norm: a longer gradient, of both networks together, is shortened to this; `inf` for never.
    """

    copies: int = 8
    n_step: int = 5
    trace_decay: float = 1.0
    hidden: tuple[int, ...] = (64,)
    learning_rate: float = 5e-3
    learning_rate_steps: int = 0
    rmsprop_kept: float = 0.99
    rmsprop_epsilon: float = 1e-5
    value_weight: float = 0.5
    entropy_weight: float = 0.1
    max_gradient_norm: float = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))
        for width in self.hidden:
            check_integer("hidden", width, low=1)
        for name in ("copies", "n_step"):
            check_integer(name, getattr(self, name), low=1)
        check_integer("learning_rate_steps", self.learning_rate_steps, low=0)
        check_probability("trace_decay", self.trace_decay)
        check_probability("rmsprop_kept", self.rmsprop_kept)
        for name in ("learning_rate", "rmsprop_epsilon", "max_gradient_norm"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, but is {getattr(self, name)}")
        for name in ("value_weight", "entropy_weight"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative, but is {getattr(self, name)}")


@final
class ActorCritic(Agent):
    """Advantage actor-critic, synchronous (A2C; Mnih et al. 2016; Sutton & Barto 2018, section 13.5).

        minimise  mean of  -A ln pi(a|s) + value_weight (A + V(s) - V(s; w))^2 - entropy_weight H(pi(.|s))

    over n steps in each of the run's copies, where the advantage A (the n-step return minus V, or a mixture of such)
    and with it the target A + V(s) are numbers: no gradient flows through them.

    Args:
        task: what to learn; its observations must be Discrete, MultiDiscrete or Box, its actions Discrete.
        runs: as for every `Agent`.
        seed: as for every `Agent`.
        config: an `ActorCritic.Config`.

    Attributes:
        networks: "policy", whose outputs are logits, and "value", of every run.

    Raises:
        TypeError: observations that no network can be shown, or actions that are not Discrete.

    Differences from the paper: the copies advance in step, not each at its own time; every run has its own copies; the
    two networks share no layer; a time limit that cuts an episode off does not end the bootstrap. Visits are not
    weighted by gamma^t, as is usual, so the policy's gradient is not quite that of the discounted value.
    """

    Config = ActorCriticConfig
    PRESETS = {name: ActorCriticConfig(**settings) for name, settings in presets.ACTOR_CRITIC.items()}

    def __init__(
        self, task: Task | World | str, *, runs: int | range = 1, seed: int = 0, config: ActorCriticConfig | None = None
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        space, hidden = self.task.observation_space, self.config.hidden
        self._encode = Encoder(space)
        inputs = self._encode.num_features
        self.networks = StackedNetworks.initial(
            {
                "policy": Perceptron((inputs, *hidden, self.task.num_actions), "tanh", "orthogonal", output_gain=0.01),
                "value": Perceptron((inputs, *hidden, 1), "tanh", "orthogonal"),
            },
            self.seeds("networks"),
        )
        self._optimiser = RMSprop(
            self.networks.values.shape, kept=self.config.rmsprop_kept, epsilon=self.config.rmsprop_epsilon
        )
        shape = (self.num_runs, self.config.n_step, self.copies)
        seen = (*shape, *(space.shape or ()))
        self._rollout_buffer = {
            "observation": np.zeros(seen, dtype=space.dtype),
            "action": np.zeros(shape, dtype=np.int64),
            "reward": np.zeros(shape, dtype=np.float32),
            "next_observation": np.zeros(seen, dtype=space.dtype),
            "terminated": np.zeros(shape, dtype=np.bool_),
            "ended": np.zeros(shape, dtype=np.bool_),
        }
        self._filled = 0  # steps of the rollout so far

    @property
    def copies(self) -> int:
        """In how many copies of the world each run learns at the same time, C."""
        return self.config.copies

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """An action drawn from the policy, or the most probable one with ties broken at random."""
        rows = (self.num_runs, len(observation) // self.num_runs)
        with torch.no_grad():
            logits = self.networks.output("policy", self._encode(observation, rows)).flatten(0, 1)
            if greedy:
                return argmax_random_ties(logits.numpy(), self.uniform(greedy=True))
            return sample_action(logits.softmax(dim=1).numpy(), self.uniform())

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Keep the step, and learn when there are n of them from each copy.

        Args:
            transition: one step of every copy of every run.

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
        self.steps += self.copies
        if self._filled < self.config.n_step:
            return {}
        self._filled = 0
        return self._learn()

    def policy(self) -> np.ndarray:
        """The most probable action of each state, its probability shared equally among tied ones, [R, S, A]."""
        logits, seen_in_state = self._logits_by_sight()
        return greedy_policy(logits.numpy())[:, seen_in_state]

    def probabilities(self) -> np.ndarray:
        """The policy that is learned, with which actions are drawn while learning, [R, S, A]."""
        logits, seen_in_state = self._logits_by_sight()
        return logits.double().softmax(dim=2).numpy()[:, seen_in_state]

    @property
    def learning_rate(self) -> float:
        """Alpha at this step."""
        duration = self.config.learning_rate_steps
        return linear(self.steps, self.config.learning_rate, 0.0, duration) if duration else self.config.learning_rate

    def state(self) -> dict[str, np.ndarray]:
        """The networks, the optimiser's memory and the unfinished rollout, beside what every agent saves."""
        return {
            **super().state(),
            "networks": self.networks.values.numpy(),
            **{f"optimiser.{name}": array for name, array in self._optimiser.state().items()},
            **{f"rollout.{name}": array for name, array in self._rollout_buffer.items()},
            "filled": np.array(self._filled),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over saved networks, memory and rollout."""
        super().restore(state)
        self.networks.values.copy_(torch.tensor(state["networks"]))
        self._optimiser.restore(part_of(state, "optimiser"))
        for name, array in self._rollout_buffer.items():
            array[...] = state[f"rollout.{name}"]
        self._filled = int(state["filled"])
        if self._filled and not part_of(state, "environment"):
            # The environment could not be saved, so its next episode is a new one.
            self._rollout_buffer["ended"][:, self._filled - 1] = True

    def _learn(self) -> dict[str, np.ndarray]:
        """One gradient step of every run; its metrics, each [R]."""
        rollout, config = self._rollout_buffer, self.config
        rows = (self.num_runs, config.n_step * self.copies)
        features = self._encode(rollout["observation"], rows)
        value = self.networks.output("value", features)[:, :, 0]  # [R, n C]
        advantage = torch.from_numpy(self._advantages(value.detach().numpy())).reshape(rows)
        target = advantage + value.detach()

        log_policy = self.networks.output("policy", features).log_softmax(dim=2)
        action = torch.from_numpy(rollout["action"]).reshape(*rows, 1)
        policy_loss = -(advantage * log_policy.gather(2, action)[:, :, 0]).mean(dim=1)
        value_loss = ((target - value) ** 2).mean(dim=1)
        entropy = -(log_policy.exp() * log_policy).sum(dim=2).mean(dim=1)

        self.networks.backward(policy_loss + config.value_weight * value_loss - config.entropy_weight * entropy)
        self.networks.clip_gradient(config.max_gradient_norm)
        self._optimiser.step(self.networks.values, self.networks.gradient, self.learning_rate)
        metrics = {"policy_loss": policy_loss, "value_loss": value_loss, "entropy": entropy}
        return {name: metric.detach().numpy() for name, metric in metrics.items()}

    def _advantages(self, value: np.ndarray) -> np.ndarray:
        """A of every step of the rollout, [R, n, C], from the values of what was seen before each, [R, n C]."""
        rollout = self._rollout_buffer
        with torch.no_grad():
            features = self._encode(rollout["next_observation"], value.shape)
            next_value = self.networks.output("value", features).numpy()
        shape = rollout["reward"].shape
        advantage = generalised_advantages(
            rollout["reward"].swapaxes(0, 1),
            rollout["terminated"].swapaxes(0, 1),
            rollout["ended"].swapaxes(0, 1),
            value.reshape(shape).swapaxes(0, 1),
            next_value.reshape(shape).swapaxes(0, 1),
            discount=self.task.discount,
            trace_decay=self.config.trace_decay,
        )
        return np.ascontiguousarray(advantage.swapaxes(0, 1), dtype=np.float32)

    @torch.no_grad()
    def _logits_by_sight(self) -> tuple[torch.Tensor, np.ndarray]:
        """The logits for everything that can be seen, [R, n, A], and which of it is seen in each state, [S]."""
        features, seen_in_state = self._sights
        return self.networks.output("policy", features.expand(self.num_runs, -1, -1)), seen_in_state

    @cached_property
    def _sights(self) -> tuple[torch.Tensor, np.ndarray]:
        """The features of everything that can be seen, [n, D], and which of it is seen in each state, [S]."""
        observations, seen_in_state = distinct_observations(self.task.observation_in_state)
        return self._encode(observations, (len(observations),)), seen_in_state
