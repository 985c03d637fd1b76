"""Stable-Baselines3's DQN and A2C as agents, to compare ours with, trained by the library and scored as ours are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from baselines.agents.sb3_agent import SB3Agent, SB3Config
from rl_envs.mdp.finite_mdp import check_integer


@dataclass(frozen=True)
class SB3DQNConfig(SB3Config):
    """Hyperparameters of DQN, matched to small worlds; the library's own defaults are the preset "defaults"."""

    learning_rate: float = 2e-3  # learning rate of Adam
    buffer_size: int = 10_000  # transitions kept for replay
    learning_starts: int = 200  # environment steps before the first update
    batch_size: int = 64  # minibatch size of an update
    train_freq: int = 4  # environment steps between updates
    gradient_steps: int = 1  # gradient steps in each update
    target_update_interval: int = 100  # environment steps between updates of the target network
    epsilon: float = 1.0  # probability of exploring at step 0
    final_epsilon: float = 0.1  # probability of exploring after the linear decay
    epsilon_steps: int = 10_000  # environment steps of the linear decay; 0 for a tenth of the training, as SB3 has it


@dataclass(frozen=True)
class SB3A2CConfig(SB3Config):
    """Hyperparameters of A2C, matched to small worlds; the library's own defaults are the preset "defaults"."""

    learning_rate: float = 5e-3  # learning rate of RMSprop
    num_envs: int = 8  # parallel environments per run; steps are counted over all of them
    num_steps: int = 5  # steps per environment between updates
    trace_decay: float = 1.0  # lambda of the generalised advantage estimate; 1 is the plain advantage
    entropy_weight: float = 0.1  # weight of the entropy in the loss
    value_weight: float = 0.5  # weight of the value loss
    max_gradient_norm: float = 0.5  # gradients are clipped to this norm


@final
class SB3DQN(SB3Agent):
    """Stable-Baselines3's DQN; the preset "defaults" is the library's own choice.

    Args:
        task: what to learn; its actions must be Discrete.
        runs: see `Agent`.
        seed: see `Agent`.
        config: an `SB3DQN.Config`.
    """

    Config = SB3DQNConfig
    PRESETS: ClassVar[Mapping[str, SB3DQNConfig]] = {
        "matched": SB3DQNConfig(),
        "defaults": SB3DQNConfig(
            learning_rate=1e-4,
            buffer_size=1_000_000,
            learning_starts=100,
            batch_size=32,
            train_freq=4,
            gradient_steps=1,
            target_update_interval=10_000,
            epsilon=1.0,
            final_epsilon=0.05,
            epsilon_steps=0,
            hidden=(64, 64),
        ),
    }

    @property
    def algorithm(self) -> Any:
        """`stable_baselines3.DQN`."""
        from stable_baselines3 import DQN

        return DQN

    def arguments(self, steps: int) -> dict[str, Any]:
        """Its hyperparameters under the library's names."""
        config = self.config
        return {
            "buffer_size": config.buffer_size,
            "learning_starts": config.learning_starts,
            "batch_size": config.batch_size,
            "train_freq": config.train_freq,
            "gradient_steps": config.gradient_steps,
            "target_update_interval": config.target_update_interval,
            "exploration_initial_eps": config.epsilon,
            "exploration_final_eps": config.final_epsilon,
            "exploration_fraction": config.epsilon_steps / steps if config.epsilon_steps else 0.1,
        }


@final
class SB3A2C(SB3Agent):
    """Stable-Baselines3's A2C; the preset "defaults" is the library's own choice.

    Args:
        task: what to learn; its actions must be Discrete.
        runs: see `Agent`.
        seed: see `Agent`.
        config: an `SB3A2C.Config`.
    """

    Config = SB3A2CConfig
    PRESETS: ClassVar[Mapping[str, SB3A2CConfig]] = {
        "matched": SB3A2CConfig(),
        "defaults": SB3A2CConfig(
            learning_rate=7e-4,
            num_envs=1,
            num_steps=5,
            trace_decay=1.0,
            entropy_weight=0.0,
            value_weight=0.5,
            max_gradient_norm=0.5,
            hidden=(64, 64),
        ),
    }

    @property
    def num_envs(self) -> int:
        """How many copies of the world one run collects from."""
        return check_integer("num_envs", self.config.num_envs, low=1)

    def log_interval(self, steps: int) -> int:
        """Updates between two log entries: the library's default, or a hundred entries in all with a listener."""
        if self.listener is None:
            return 100
        return max(1, steps // (100 * self.num_envs * self.config.num_steps))

    @property
    def algorithm(self) -> Any:
        """`stable_baselines3.A2C`."""
        from stable_baselines3 import A2C

        return A2C

    def arguments(self, steps: int) -> dict[str, Any]:
        """Its hyperparameters under the library's names."""
        config = self.config
        return {
            "n_steps": config.num_steps,
            "gae_lambda": config.trace_decay,
            "ent_coef": config.entropy_weight,
            "vf_coef": config.value_weight,
            "max_grad_norm": config.max_gradient_norm,
        }
