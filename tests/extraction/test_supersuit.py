"""Environments in SuperSuit's wrappers, where it is installed, against models of the wrapped line written by hand."""

import sys
import warnings
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import small_environments as small

from rl_envs import tabulate, tabulate_env, truth

pytest.importorskip("supersuit")


def ways(cell: int, action: int) -> list[tuple[float, int]]:
    """Where a step of the line leads: the other way with probability 0.1."""
    right, left = min(cell + 1, 4), max(cell - 1, 0)
    way, other = (right, left) if action else (left, right)
    return [(0.9, way), (0.1, other)]


def wrapped(name: str, *arguments):
    import supersuit

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(supersuit, name)(small.Line(), *arguments)


def test_a_step_of_two_steps() -> None:
    def outcomes(cell: int, action: int):
        found = []
        for p, first in [(1.0, 4)] if cell == 4 else ways(cell, action):
            if first == 4:
                found.append((p, 4, float(cell != 4), True))
            else:
                found += [(p * q, second, float(second == 4), second == 4) for q, second in ways(first, action)]
        return found

    model = truth(tabulate(outcomes, num_states=5, num_actions=2, start=1, discount=0.99))
    walked = truth(tabulate_env(wrapped("frame_skip_v0", 2), check_steps=300))
    assert walked.optimal_value == pytest.approx(model.optimal_value)
    assert walked.random_value == pytest.approx(model.random_value)


def test_actions_that_stick() -> None:
    def outcomes(state: int, action: int):
        cell, last = divmod(state, 3)  # last: 0 left, 1 right, 2 none yet
        if cell == 4:
            return [(1.0, state, 0.0, True)]
        taken = [(0.75, action), (0.25, last)] if last < 2 else [(1.0, action)]
        return [(p * q, 3 * to + which, float(to == 4), to == 4) for p, which in taken for q, to in ways(cell, which)]

    model = truth(tabulate(outcomes, num_states=15, num_actions=2, start=3 + 2, discount=0.99))
    world = tabulate_env(wrapped("sticky_actions_v0", 0.25), check_steps=300)
    assert world.account.states == 4 * 2 + 1
    assert truth(world).optimal_value == pytest.approx(model.optimal_value)
    assert truth(world).random_value == pytest.approx(model.random_value)
