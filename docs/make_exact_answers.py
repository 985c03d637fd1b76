"""Write docs/exact_answers.md: the exact answers of environments of others, found by walking them.

MiniGrid must be installed (`pip install minigrid`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.toy_text.blackjack import is_natural, sum_hand, usable_ace

from rl_envs import tabulate_env, truth

PAGE = Path(__file__).parent / "exact_answers.md"

COLUMNS = """| environment | arguments | states | optimum | uniform policy |
|---|---|---:|---:|---:|
"""

HEAD = f"""# Exact answers of environments of others

Written by `python docs/make_exact_answers.py`, which walks each environment with `rl_envs.tabulate_env`. Values are
discounted by 0.99 and over the distribution of the first state; the uniform policy takes every action equally often.
`States` counts those in which an episode can go on.

{COLUMNS}"""

BLACKJACK_HEAD = """
## Blackjack

Discount 1. Its observation hides the dealer's second card, so it is walked with `state=` a function that gives the
sum, the usable ace, whether the hand is a natural, and both cards of the dealer. The optimum is that of a player who
sees all of that; the best policy that sees the observation alone is in the last column: it sticks where the book does
(Sutton & Barto 2018, figure 5.2). A game written by hand, which knows sums instead of cards, has the same values.

| environment | arguments | states | optimum | uniform policy | best of the observation |
|---|---|---:|---:|---:|---:|
"""

MINIGRID_HEAD = f"""
## MiniGrid

One level each, `seed=0`. Its reward depends on the number of steps, so `clock="stopped"` holds that at the first step:
success pays 1 - 0.9 / max_steps, and discounting alone makes it urgent.

{COLUMNS}"""

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

BLACKJACKS: list[dict[str, Any]] = [{"sab": True}, {"sab": False}]

LEVELS = ("Empty-8x8", "DoorKey-6x6", "FourRooms", "KeyCorridorS3R1", "LavaCrossingS9N1")


def rows() -> Iterator[str]:
    """A line for each environment of Gymnasium's but Blackjack."""
    for name, arguments in ENVIRONMENTS:
        yield _line(name, arguments, tabulate_env(gym.make(name, **arguments)))


def blackjack_rows() -> Iterator[str]:
    """A line for each way of playing Blackjack."""

    def state(env: Any) -> tuple[int, int, bool, int, int]:
        return sum_hand(env.player), usable_ace(env.player), is_natural(env.player), env.dealer[0], env.dealer[1]

    for arguments in BLACKJACKS:
        world = tabulate_env(gym.make("Blackjack-v1", **arguments), state=state, discount=1.0)
        best = truth(world).value(as_the_book)
        # Deals less likely than `skip_below` are left out, which the eighth decimal shows.
        yield _line("Blackjack-v1", arguments, world, decimals=7).rstrip("\n") + f" {best:.7f} |\n"


def minigrid_rows() -> Iterator[str]:
    """A line for each level of MiniGrid."""
    import minigrid  # noqa: F401 - registers the levels

    for level in LEVELS:
        name = f"MiniGrid-{level}-v0"
        yield _line(name, {}, tabulate_env(gym.make(name), seed=0, clock="stopped", check_steps=2_000))


def as_the_book(observations: Any) -> np.ndarray:
    """Sticks and hits as the best policy of the observation does: 0 sticks, 1 hits."""
    total, dealer, usable = (np.asarray(part) for part in observations)
    without = np.select([np.isin(dealer, (2, 3)), np.isin(dealer, (4, 5, 6))], [13, 12], 17)
    sticks_from = np.where(usable == 1, np.where(np.isin(dealer, (1, 9, 10)), 19, 18), without)
    return np.where(total >= sticks_from, 0, 1)


def _line(name: str, arguments: dict[str, Any], world: Any, *, decimals: int = 10) -> str:
    answers = truth(world)
    written = ", ".join(f"`{key}={value!r}`" for key, value in arguments.items())
    return (
        f"| {name} | {written} | {world.account.states:,} | {answers.optimal_value:.{decimals}f} | "
        f"{answers.random_value:.{decimals}f} |\n"
    )


if __name__ == "__main__":
    text = ""
    for head, lines in ((HEAD, rows), (BLACKJACK_HEAD, blackjack_rows), (MINIGRID_HEAD, minigrid_rows)):
        text += head
        for line in lines():
            text += line
            sys.stdout.write(line)
            sys.stdout.flush()
    PAGE.write_text(text)
