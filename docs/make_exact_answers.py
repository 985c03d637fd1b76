"""Write docs/exact_answers.md: the exact answers of environments of others, found by walking them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym

from rl_envs import tabulate_env, truth

PAGE = Path(__file__).parent / "exact_answers.md"

HEAD = """# Exact answers of environments of others

Written by `python docs/make_exact_answers.py`, which walks each environment with `rl_envs.tabulate_env`. Values are
discounted by 0.99 and over the distribution of the first state; the uniform policy takes every action equally often.
`States` counts those in which an episode can go on.

| environment | arguments | states | optimum | uniform policy |
|---|---|---:|---:|---:|
"""

ENVIRONMENTS: list[tuple[str, dict[str, Any]]] = [
    ("FrozenLake-v1", {}),
    ("FrozenLake-v1", {"is_slippery": False}),
    ("FrozenLake-v1", {"map_name": "8x8"}),
    ("CliffWalking-v1", {}),
    ("CliffWalking-v1", {"is_slippery": True}),
    ("Taxi-v4", {}),
    ("Taxi-v4", {"is_rainy": True}),
    ("Taxi-v4", {"fickle_passenger": True}),
    ("Taxi-v4", {"is_rainy": True, "fickle_passenger": True}),
]


def rows() -> Iterator[str]:
    """A line of the table for each environment."""
    for name, arguments in ENVIRONMENTS:
        world = tabulate_env(gym.make(name, **arguments))
        answers = truth(world)
        written = ", ".join(f"`{key}={value!r}`" for key, value in arguments.items())
        yield (
            f"| {name} | {written} | {world.account.states:,} | {answers.optimal_value:.10f} | "
            f"{answers.random_value:.10f} |\n"
        )


if __name__ == "__main__":
    lines = []
    for line in rows():
        lines.append(line)
        sys.stdout.write(line)
        sys.stdout.flush()
    PAGE.write_text(HEAD + "".join(lines))
