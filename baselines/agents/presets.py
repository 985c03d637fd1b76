"""Settings beside the defaults, by agent and by the name that stands for them: `DQN:preset=CartPole`.

Each is a mapping from fields of the agent's Config to values; fields left out keep their defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DQN: Mapping[str, Mapping[str, Any]] = {
    # For 40,000 steps, by which the learning rate is 0: a network that goes on learning forgets again what it can do.
    "CartPole": {
        "hidden": (64, 64),
        "learning_rate": 2.3e-3,
        "learning_rate_steps": 40_000,
        "batch_size": 64,
        "replay_capacity": 40_000,
        "learning_starts": 1_000,
        "train_every": 2,
        "target_every": 250,
        "n_step": 3,
        "double": True,
        "final_epsilon": 0.04,
        "epsilon_steps": 6_000,
    },
}

ACTOR_CRITIC: Mapping[str, Mapping[str, Any]] = {
    # For 300,000 steps, of all copies together.
    "CartPole": {
        "hidden": (64, 64),
        "num_envs": 8,
        "learning_rate": 2e-3,
        "learning_rate_steps": 300_000,
        "entropy_weight": 0.0,
    },
}

REINFORCE: Mapping[str, Mapping[str, Any]] = {}
