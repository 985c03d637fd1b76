"""DQN: Q-learning with a neural network, experience replay and a target network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
import torch

from baselines.agents import presets
from baselines.learning.encoding import Encoder
from baselines.learning.exploration import argmax_random_ties, epsilon_greedy, greedy_policy
from baselines.learning.hyperparameters import Count, Hyperparameters, Positive, Probability, Steps
from baselines.learning.networks import Perceptron, StackedNetworks
from baselines.learning.optimisers import Adam
from baselines.learning.replay import Replay
from baselines.learning.schedules import linear, linear_to_zero
from baselines.learning.transition import Transition
from baselines.training.agent import Agent
from baselines.training.task import TaskLike


@dataclass(frozen=True)
class DQNConfig(Hyperparameters):
    """Hyperparameters. Steps are environment steps of each run."""

    hidden: tuple[Count, ...] = (64,)  # units of each hidden layer (ReLU)
    learning_rate: Positive = 2e-3  # alpha of Adam at step 0
    learning_rate_steps: Steps = 0  # steps over which it decays linearly to 0; 0 keeps it constant
    adam_epsilon: Positive = 1e-8  # added to the root of Adam's mean square
    batch_size: Count = 64  # minibatch size of an update
    replay_capacity: Count = 10_000  # number of latest steps in the replay buffer
    learning_starts: Steps = 200  # steps with uniformly random actions before the first update
    train_every: Count = 4  # steps between updates
    updates: Count = 1  # gradient steps in each update
    target_every: Count = 100  # steps between updates of the target network; the first is at step 0
    n_step: Count = 1  # rewards summed before bootstrapping from the target network (n-step returns)
    double: bool = False  # Double DQN: the online network chooses the next action, the target network values it
    loss: Literal["huber", "mse"] = "huber"  # huber, linear beyond an error of 1, or mse, half the squared error
    max_gradient_norm: Positive = 10.0  # gradients are clipped to this norm; inf for no clipping
    epsilon: Probability = 1.0  # probability of exploring at step 0
    final_epsilon: Probability = 0.1  # probability of exploring after the linear decay
    epsilon_steps: Steps = 10_000  # steps over which epsilon decays linearly


@final
class DQN(Agent):
    """Deep Q-networks (Mnih et al. 2015), with Double DQN and n-step returns as options.

        for each step of an episode:
            A  <- any action with probability epsilon, otherwise argmax_a Q(S, a; w)
            R, S' <- take action A in state S, and store (S, A, R, S') in the replay buffer
            every train_every steps:
                for (S, A, R, S') in a batch sampled from the replay buffer:
                    y <- R + gamma max_a Q(S', a; w-)    with Q(S', .) = 0 if S' is terminal
                w <- w - alpha grad_w mean of loss(y - Q(S, A; w))
            every target_every steps: w- <- w

    Args:
        task: what to learn; its observations must be Discrete, MultiDiscrete or Box, its actions Discrete.
        runs, seed, config: see `Agent`.

    Raises:
        TypeError: observations that no network can be shown, or actions that are not Discrete.

    Differences from the paper: no convolutions, stacked frames or clipped rewards, as observations are short rows; Adam
    instead of RMSprop; gradients clipped by norm besides the Huber loss; bootstrapping at a time limit.
    """

    Config = DQNConfig
    PRESETS = {name: DQNConfig(**settings) for name, settings in presets.DQN.items()}

    def __init__(
        self, task: TaskLike, *, runs: int | range = 1, seed: int = 0, config: DQNConfig | None = None
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        space = self.task.observation_space
        self.encode = Encoder(space)
        widths = (self.encode.num_features, *self.config.hidden, self.task.num_actions)
        self.online = StackedNetworks.initial({"q": Perceptron(widths)}, self.seeds("networks"))  # w
        self.target = self.online.copy()  # w-
        self.optimiser = Adam(self.online.parameters.shape, epsilon=self.config.adam_epsilon)
        self.replay = Replay(self.num_runs, self.config.replay_capacity, space)
        self.add_stream("replay")

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """Epsilon-greedy, or greedy; ties are broken at random in either case."""
        with torch.no_grad():
            q = self.online.output("q", self.encode(observation, (self.num_runs, 1))).squeeze(1).numpy()  # [R, A]
        if greedy:
            return argmax_random_ties(q, self.uniform(greedy=True))
        return epsilon_greedy(q, self.epsilon, explore=self.uniform(), choice=self.uniform())

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Store the step, and learn from a batch when it is due; "loss" is then its mean over the batch, [R]."""
        config, metrics = self.config, {}
        self.replay.add(transition)
        self.steps += 1
        if self.steps > config.learning_starts and self.steps % config.train_every == 0:
            for _ in range(config.updates):
                metrics = {"loss": self._gradient_step()}
        if self.steps % config.target_every == 0:
            self.target.parameters.copy_(self.online.parameters)
        return metrics

    def _gradient_step(self) -> np.ndarray:
        """One step of every run down the gradient of its loss, which is returned, [R]."""
        config, shape = self.config, (self.num_runs, self.config.batch_size)
        uniform = self.streams["replay"].next_batch(config.batch_size)  # [R, B]
        batch = self.replay.sample(uniform, n_step=config.n_step, discount=self.task.discount)
        observation = self.encode(batch.observation, shape)  # [R, B, D]
        next_observation = self.encode(batch.next_observation, shape)  # [R, B, D]
        action, reward = torch.from_numpy(batch.action), torch.from_numpy(batch.reward)  # [R, B]
        terminated, discount = torch.from_numpy(batch.terminated), torch.from_numpy(batch.discount)  # [R, B]

        with torch.no_grad():
            next_q = self.target.output("q", next_observation)  # [R, B, A]
            chosen_by = self.online.output("q", next_observation) if config.double else next_q
            next_value = next_q.gather(2, chosen_by.argmax(dim=2, keepdim=True)).squeeze(2)  # [R, B]
            target = (reward + discount * next_value.masked_fill(terminated, 0.0)).float()  # [R, B]

        q = self.online.output("q", observation).gather(2, action.unsqueeze(2)).squeeze(2)  # [R, B]
        huber = config.loss == "huber"
        losses = torch.nn.functional.smooth_l1_loss(q, target, reduction="none") if huber else 0.5 * (q - target) ** 2
        loss = losses.mean(dim=1)  # [R]

        self.online.backward(loss)
        self.online.clip_gradient(config.max_gradient_norm)
        self.optimiser.step(self.online.parameters, self.online.gradient, self.learning_rate)
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

    def policy(self) -> np.ndarray:
        """Greedy with respect to Q, the probability shared equally among tied actions, [R, S, A]."""
        return greedy_policy(self.encode.by_state(self.online, "q", self.task.observation_in_state).numpy())

    def parts(self) -> dict[str, object]:
        learned = {"online": self.online.parameters, "target": self.target.parameters}
        return {**learned, "optimiser": self.optimiser, "replay": self.replay}

    def break_off(self) -> None:
        self.replay.break_off()
