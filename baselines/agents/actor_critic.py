"""Advantage actor-critic (A2C): a policy network and a value network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch

from baselines.agents import presets
from baselines.learning.advantages import generalised_advantages
from baselines.learning.encoding import Encoder
from baselines.learning.exploration import argmax_random_ties, greedy_policy, sample_action
from baselines.learning.hyperparameters import Count, Hyperparameters, NonNegative, Positive, Probability, Steps
from baselines.learning.networks import Perceptron, StackedNetworks
from baselines.learning.optimisers import RMSprop
from baselines.learning.schedules import linear_to_zero
from baselines.learning.transition import Transition
from baselines.learning.transition_buffer import TransitionBuffer
from baselines.training.agent import Agent
from baselines.training.task import TaskLike


@dataclass(frozen=True)
class ActorCriticConfig(Hyperparameters):
    """Hyperparameters. Steps are environment steps of each run, over all its environments."""

    num_envs: Count = 8  # parallel environments per run
    n_step: Count = 5  # steps per environment between updates
    trace_decay: Probability = 1.0  # lambda of the advantages; 1 for n-step returns, less for GAE
    hidden: tuple[Count, ...] = (64,)  # units of each hidden layer (tanh), in the policy and in the value network
    learning_rate: Positive = 5e-3  # alpha of RMSprop at step 0
    learning_rate_steps: Steps = 0  # steps over which it decays linearly to 0; 0 keeps it constant
    rmsprop_decay: Probability = 0.99  # decay rate of RMSprop's mean square
    rmsprop_epsilon: Positive = 1e-5  # added to the root of that mean square
    value_weight: NonNegative = 0.5  # weight of the value's squared error in the loss
    entropy_weight: NonNegative = 0.1  # weight of the policy's entropy in the loss, in nats; more explores more
    max_gradient_norm: Positive = 0.5  # both networks' gradient together is clipped to this norm; inf for no clipping


@final
class ActorCritic(Agent):
    """Advantage actor-critic, synchronous (A2C; Mnih et al. 2016; Sutton & Barto 2018, section 13.5).

        repeat:
            take n_step steps in each environment, with actions drawn from pi(. | S; w)
            delta_t <- R_{t+1} + gamma V(S_{t+1}; w) - V(S_t; w)    with V(S_{t+1}) = 0 if S_{t+1} is terminal
            A_t <- delta_t + gamma lambda A_{t+1}    with A_{t+1} = 0 beyond an episode's or the rollout's end
            w <- w - alpha grad_w mean over the rollout of
                 -A_t ln pi(A_t | S_t; w) + value_weight (A_t + V_t - V(S_t; w))^2 - entropy_weight H(pi(. | S_t; w))

    No gradient flows through the advantage A_t, nor through the target A_t + V_t.

    Args:
        task: what to learn; its observations must be Discrete, MultiDiscrete or Box, its actions Discrete.
        runs, seed, config: see `Agent`.

    Raises:
        TypeError: observations that no network can be shown, or actions that are not Discrete.

    Differences from the paper: the environments of a run advance in step, not each at its own time; every run has its
    own; the two networks share no layer; a time limit that cuts an episode off does not end the bootstrap. Visits are
    not weighted by gamma^t, as is usual, so the policy's gradient is not quite that of the discounted value.
    """

    Config = ActorCriticConfig
    PRESETS = {name: ActorCriticConfig(**settings) for name, settings in presets.ACTOR_CRITIC.items()}

    def __init__(
        self, task: TaskLike, *, runs: int | range = 1, seed: int = 0, config: ActorCriticConfig | None = None
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        space, config = self.task.observation_space, self.config
        self.encode = Encoder(space)
        inputs, actions = self.encode.num_features, self.task.num_actions
        policy = Perceptron((inputs, *config.hidden, actions), "tanh", "orthogonal", output_gain=0.01)
        value = Perceptron((inputs, *config.hidden, 1), "tanh", "orthogonal")
        self.networks = StackedNetworks.initial({"policy": policy, "value": value}, self.seeds("networks"))  # w
        shape = self.networks.parameters.shape
        self.optimiser = RMSprop(shape, decay=config.rmsprop_decay, epsilon=config.rmsprop_epsilon)
        self.buffer = TransitionBuffer(self.num_runs, config.n_step, space, num_envs=config.num_envs)

    @property
    def num_envs(self) -> int:
        """The number of parallel environments per run, C."""
        return self.config.num_envs

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """An action drawn from the policy, or the most probable one with ties broken at random."""
        rows = (self.num_runs, len(observation) // self.num_runs)
        with torch.no_grad():
            logits = self.networks.output("policy", self.encode(observation, rows)).flatten(0, 1)  # [R * C, A]
        if greedy:
            return argmax_random_ties(logits.numpy(), self.uniform(greedy=True))
        return sample_action(logits.softmax(dim=1).numpy(), self.uniform())

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Store the step of every environment, and learn from n of them; gives metrics in a step that learns, [R]."""
        self.buffer.add(transition)
        self.steps += self.num_envs
        if len(self.buffer) < self.config.n_step:
            return {}
        metrics = self._gradient_step()
        self.buffer.clear()
        return metrics

    def _gradient_step(self) -> dict[str, np.ndarray]:
        """One step of every run down the gradient of its loss; the means of its terms over the rollout, each [R]."""
        config, rollout, shape = self.config, self.buffer, self.buffer.reward.shape  # [R, n, C]
        rows = (self.num_runs, config.n_step * self.num_envs)  # [R, n C]
        observation = self.encode(rollout.observation, rows)  # [R, n C, D]
        next_observation = self.encode(rollout.next_observation, rows)

        value = self.networks.output("value", observation).squeeze(2)  # [R, n C]
        with torch.no_grad():
            next_value = self.networks.output("value", next_observation).squeeze(2)
            advantage = generalised_advantages(
                torch.from_numpy(rollout.reward),
                torch.from_numpy(rollout.terminated),
                torch.from_numpy(rollout.ended),
                value.reshape(shape),
                next_value.reshape(shape),
                discount=self.task.discount,
                trace_decay=config.trace_decay,
            ).reshape(rows)  # [R, n C]
            target = advantage + value

        log_policy = self.networks.output("policy", observation).log_softmax(dim=2)  # [R, n C, A]
        action = torch.from_numpy(rollout.action).reshape(*rows, 1)
        policy_loss = -(advantage * log_policy.gather(2, action).squeeze(2)).mean(dim=1)  # [R]
        value_loss = ((target - value) ** 2).mean(dim=1)
        entropy = -(log_policy.exp() * log_policy).sum(dim=2).mean(dim=1)
        loss = policy_loss + config.value_weight * value_loss - config.entropy_weight * entropy

        self.networks.backward(loss)
        self.networks.clip_gradient(config.max_gradient_norm)
        self.optimiser.step(self.networks.parameters, self.networks.gradient, self.learning_rate)
        metrics = {"policy_loss": policy_loss, "value_loss": value_loss, "entropy": entropy}
        return {name: metric.detach().numpy() for name, metric in metrics.items()}

    @property
    def learning_rate(self) -> float:
        """Alpha at this step."""
        return linear_to_zero(self.steps, self.config.learning_rate, self.config.learning_rate_steps)

    def policy(self) -> np.ndarray:
        """The most probable action of each state, its probability shared equally among tied ones, [R, S, A]."""
        return greedy_policy(self.encode.by_state(self.networks, "policy", self.task.observation_in_state).numpy())

    def probabilities(self) -> np.ndarray:
        """The policy that is learned, with which actions are drawn while learning, [R, S, A]."""
        logits = self.encode.by_state(self.networks, "policy", self.task.observation_in_state)
        return logits.double().softmax(dim=2).numpy()

    def parts(self) -> dict[str, object]:
        return {"networks": self.networks.parameters, "optimiser": self.optimiser, "rollout": self.buffer}

    def break_off(self) -> None:
        self.buffer.break_off()
