"""Named hyperparameters besides the defaults, by agent: `DQN:preset=CartPole`.

Each is a mapping from fields of the agent's Config to values; fields left out keep their defaults.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

# For worlds on which the defaults take too long; an agent may depart from them. SubtaskGrid: three errands in a row, so
# exploring is given up later. FourRooms: chance everywhere and values close together, so exploring goes on. RobotGrasp:
# no chance, and ways too long to be stumbled on, so every target is taken over whole, and what is untried looks better
# than doing nothing.
TABULAR: Mapping[str, Mapping[str, Any]] = {
    "SubtaskGrid": {"epsilon_steps": 20_000},
    "FourRooms": {"epsilon": 0.5, "final_epsilon": 0.5},
    "RobotGrasp": {"step_size_half_life": math.inf, "initial_value": 0.2, "epsilon": 0.1},
}

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
