"""What a function is tried on: every pattern of ends up to length 4, and longer rollouts drawn at random.

The first rollouts have numbers that a person can check by hand, for the examples of a report; the others rule out that
two mistakes agree by chance. Always the same ones, so that a check gives the same answer twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

from rl_envs.diagnosis.oracles.rollout import Rollout, make_rollout
from rl_envs.diagnosis.oracles.transitions import Transitions

# How a step may end, and the order in which patterns count them.
KINDS = ("goes on", "terminated", "truncated", "both")

# Lengths of which every pattern of ends is tried.
SHORT = (2, 3, 4)

# Longer rollouts: steps, gamma, lambda, n, how often a step ends. gamma = 1 and lambda = 0 or 1 are among them.
LONG = (
    (6, 0.99, 0.95, 3, 0.3),
    (11, 1.0, 0.6, 4, 0.2),
    (9, 0.7, 1.0, 5, 0.2),
    (8, 0.9, 0.0, 2, 0.4),
    (20, 0.97, 0.9, 7, 0.1),
)
# Copies of each with every kind of end, with terminations alone, and with none but after the last step.
ALL_KINDS, TERMINATIONS, ONE_EPISODE = 10, 6, 4


def patterns(length: int) -> np.ndarray:
    """Every pattern of ends of so many steps, as indices into `KINDS`, [T, 4^T]; those with the fewest ends first."""
    every = sorted(
        product(range(len(KINDS)), repeat=length), key=lambda kinds: (sum(kind > 0 for kind in kinds), kinds)
    )
    return np.array(every).T


def rollouts(
    discount: float | None = None, trace_decay: float | None = None, n: int | None = None
) -> Iterator[Rollout]:
    """Everything to try a function on, the simplest first.

    Args:
        discount: gamma, where the function has it fixed; otherwise several are tried.
        trace_decay: lambda, likewise.
        n: the number of rewards in an n-step return, likewise.

    Yields:
        Rollouts [T, B], each with one gamma, lambda and n.
    """
    generator = np.random.default_rng(20)

    def settings(gamma: float, decay: float, steps: int) -> dict:
        return {
            "discount": gamma if discount is None else discount,
            "trace_decay": decay if trace_decay is None else trace_decay,
            "n": steps if n is None else n,
        }

    for length in SHORT:
        kinds = patterns(length)
        column = np.ones((1, kinds.shape[1]))
        reward = 10.0 ** np.arange(length)[:, None] * column  # 1, 10, 100, 1000: the digits tell which reward came
        value = np.arange(2.0, 2 + length)[:, None] * column
        yield _with_ends(kinds, reward, value, 20 + value, **settings(0.5, 0.5, 2))
    for length in SHORT:
        kinds = patterns(length)
        reward, value, final = (generator.integers(-9, 10, kinds.shape).astype(float) for _ in range(3))
        yield _with_ends(kinds, reward, value, final + 0.5, **settings(0.9, 0.8, 3))
    for length, gamma, decay, steps, often in LONG:
        shape = (length, ALL_KINDS + TERMINATIONS + ONE_EPISODE)
        kinds = generator.choice(4, p=[1 - often, often / 2, often / 3, often / 6], size=shape)
        kinds[:, ALL_KINDS:] = kinds[:, ALL_KINDS:] > 0
        kinds[:-1, -ONE_EPISODE:] = 0
        kinds[-1, -ONE_EPISODE:] = np.arange(ONE_EPISODE) % 2
        reward, value, final = (generator.normal(scale=3.0, size=shape) for _ in range(3))
        yield _with_ends(kinds, reward, value, final, **settings(gamma, decay, steps))


def _with_ends(
    kinds: np.ndarray, reward: np.ndarray, value: np.ndarray, final: np.ndarray, **settings: float
) -> Rollout:
    """A rollout whose next values are those of the next row where the episode goes on, and `final` at ends."""
    terminated, truncated = (kinds == 1) | (kinds == 3), kinds >= 2
    next_value = np.concatenate([value[1:], final[-1:]])
    next_value = np.where(terminated | truncated, final, next_value)
    return make_rollout(reward, value, next_value, terminated, truncated, **settings)  # type: ignore[arg-type]


def transitions(
    discount: float | None = None, n: int | None = None, temperature: float | None = None
) -> Iterator[Transitions]:
    """Everything to try a function of TD targets on, the simplest first.

    Args:
        discount: gamma, where the function has it fixed; otherwise several are tried.
        n: the number of steps of each transition, likewise.
        temperature: alpha, likewise.

    Yields:
        Batches of transitions [B], each with one gamma, n and alpha.
    """
    generator = np.random.default_rng(21)
    simple = lambda shape, scale: generator.integers(-9, 10, shape) * 1.0  # noqa: E731
    drawn = lambda shape, scale: generator.normal(scale=scale, size=shape)  # noqa: E731
    cases: tuple[tuple[Callable, float, int, float, int], ...] = (
        (simple, 0.5, 2, 0.5, 4),
        (simple, 0.9, 3, 0.2, 4),
        (drawn, 0.99, 5, 0.3, 16),
        (drawn, 0.7, 1, 0.1, 6),
        (drawn, 1.0, 4, 2.0, 7),
    )
    for draw, gamma, steps, alpha, size in cases:
        kinds = np.arange(size) % 4  # every kind of end, in turn
        q, choosing_q = draw((size, 3), 3.0), draw((size, 3), 3.0)
        policy = generator.dirichlet(np.ones(3), size)
        gamma, steps = gamma if discount is None else discount, steps if n is None else n
        terminated, truncated = (kinds == 1) | (kinds == 3), kinds >= 2
        yield Transitions(
            reward=draw(size, 3.0),
            terminated=terminated,
            truncated=truncated,
            value=draw(size, 3.0),
            next_value=draw(size, 3.0),
            second_value=draw(size, 3.0) + 0.5,
            next_q=q,
            choosing_q=choosing_q + 0.25 * np.arange(3),  # no ties
            policy=policy,
            next_action=generator.integers(0, 3, size),
            log_probability=np.log(policy.max(axis=1)),
            discount=gamma,
            temperature=alpha if temperature is None else temperature,
            n=steps,
            bootstraps=1.0 - terminated,
            value_discount=gamma**steps,
        )
