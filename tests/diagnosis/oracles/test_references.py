"""The exact answers against their definitions: rational arithmetic, one path at a time, with no recursion shared."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from rl_envs.diagnosis.oracles import (
    discounted_returns,
    double_td_targets,
    expected_td_targets,
    gae,
    lambda_returns,
    max_td_targets,
    n_step_returns,
    soft_td_targets,
    td_targets,
)

LENGTH = 4
KINDS = {"goes on": (False, False), "terminated": (True, False), "truncated": (False, True), "both": (True, True)}
REWARD = [Fraction(3, 7), Fraction(-2, 3), Fraction(5), Fraction(11, 13)]
VALUE = [Fraction(1, 3), Fraction(17, 5), Fraction(-4, 9), Fraction(6, 7)]
NEXT_VALUE = [Fraction(17, 5), Fraction(-4, 9), Fraction(6, 7), Fraction(-8, 3)]
FINAL_VALUE = [Fraction(41, 3), Fraction(-29, 7), Fraction(31, 5), Fraction(-8, 3)]
DISCOUNTS = [Fraction(0), Fraction(9, 10), Fraction(1)]
DECAYS = [Fraction(0), Fraction(3, 5), Fraction(1)]


def next_values(kinds: tuple[str, ...]) -> list[Fraction]:
    """The value of the true next observation: of the next row, or of the final observation at an end."""
    return [NEXT_VALUE[t] if kind == "goes on" else FINAL_VALUE[t] for t, kind in enumerate(kinds)]


def n_step_return(t: int, n: int, kinds: tuple[str, ...], discount: Fraction) -> Fraction:
    """Its definition, written out: the rewards of the steps that are left, and the value where they stop."""
    steps = []
    for s in range(t, min(t + n, LENGTH)):
        steps.append(s)
        if kinds[s] != "goes on":
            break
    rewards = sum((discount**k * REWARD[s] for k, s in enumerate(steps)), Fraction(0))
    terminated = kinds[steps[-1]] in ("terminated", "both")
    return rewards + (0 if terminated else discount ** len(steps) * next_values(kinds)[steps[-1]])


def lambda_return(t: int, kinds: tuple[str, ...], discount: Fraction, decay: Fraction) -> Fraction:
    """The mean of n-step returns weighted by (1 - lambda) lambda^(n-1), the last of which has all that is left."""
    stop = next((s for s in range(t, LENGTH) if kinds[s] != "goes on"), LENGTH - 1)
    longest = stop - t + 1
    mean = sum(
        ((1 - decay) * decay ** (n - 1) * n_step_return(t, n, kinds, discount) for n in range(1, longest)), Fraction(0)
    )
    return mean + decay ** (longest - 1) * n_step_return(t, longest, kinds, discount)


def arrays(kinds: tuple[str, ...]) -> dict[str, np.ndarray]:
    flags = np.array([KINDS[kind] for kind in kinds])
    return {"reward": np.array(REWARD, dtype=float), "terminated": flags[:, 0], "truncated": flags[:, 1]}


def as_floats(numbers: list[Fraction]) -> np.ndarray:
    return np.array(numbers, dtype=float)


def assert_right_to_rounding(given: np.ndarray, exact: list[Fraction]) -> None:
    np.testing.assert_allclose(given, as_floats(exact), rtol=0, atol=1e-13)


PATTERNS = list(product(KINDS, repeat=LENGTH))


@pytest.mark.parametrize("discount", DISCOUNTS)
@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_n_step_returns_are_their_definition_on_every_pattern(discount: Fraction, n: int) -> None:
    for kinds in PATTERNS:
        exact = [n_step_return(t, n, kinds, discount) for t in range(LENGTH)]
        given = n_step_returns(**arrays(kinds), next_value=as_floats(next_values(kinds)), discount=float(discount), n=n)
        assert_right_to_rounding(given, exact)


@pytest.mark.parametrize("discount", DISCOUNTS)
@pytest.mark.parametrize("decay", DECAYS)
def test_lambda_returns_are_the_weighted_mean_of_n_step_returns_on_every_pattern(
    discount: Fraction, decay: Fraction
) -> None:
    for kinds in PATTERNS:
        exact = [lambda_return(t, kinds, discount, decay) for t in range(LENGTH)]
        following = as_floats(next_values(kinds))
        settings = {"discount": float(discount), "trace_decay": float(decay)}
        assert_right_to_rounding(lambda_returns(**arrays(kinds), next_value=following, **settings), exact)
        advantages = gae(**arrays(kinds), value=as_floats(VALUE), next_value=following, **settings)
        assert_right_to_rounding(advantages, [g - v for g, v in zip(exact, VALUE)])


@pytest.mark.parametrize("discount", DISCOUNTS)
def test_discounted_returns_are_n_step_returns_without_a_limit(discount: Fraction) -> None:
    for kinds in PATTERNS:
        exact = [n_step_return(t, LENGTH, kinds, discount) for t in range(LENGTH)]
        following = as_floats(next_values(kinds))
        assert_right_to_rounding(
            discounted_returns(**arrays(kinds), next_value=following, discount=float(discount)), exact
        )


def test_a_time_limit_is_no_end_of_the_world() -> None:
    """Reward 1 for ever at discount 0.9 is worth 10, wherever the time limit cuts it off."""
    for limit in (1, 3, 7):
        cut = np.arange(7) % limit == limit - 1
        given = lambda_returns(np.ones(7), np.zeros(7, bool), cut, np.full(7, 10.0), discount=0.9, trace_decay=0.8)
        np.testing.assert_allclose(given, 10)


def test_copies_do_not_mix() -> None:
    generator = np.random.default_rng(0)
    reward, value, following = generator.normal(size=(3, 5, 6))
    terminated, truncated = generator.random((2, 5, 6)) < 0.3
    together = gae(reward, terminated, truncated, value, following, discount=0.9, trace_decay=0.7)
    for copy in range(6):
        alone = gae(
            reward[:, copy],
            terminated[:, copy],
            truncated[:, copy],
            value[:, copy],
            following[:, copy],
            discount=0.9,
            trace_decay=0.7,
        )
        np.testing.assert_array_equal(together[:, copy], alone)


def test_what_follows_a_termination_is_not_read() -> None:
    given = gae([1.0], [True], [False], [0.25], [np.nan], discount=0.9, trace_decay=0.5)
    np.testing.assert_array_equal(given, [0.75])  # 1 - 0.25
    np.testing.assert_array_equal(td_targets([1.0], [True], [np.inf], discount=0.9), [1.0])


def test_td_targets_by_hand() -> None:
    # 1 + 0.5 * 4 = 3; a termination leaves the reward
    np.testing.assert_array_equal(td_targets([1.0, 1.0], [False, True], [4.0, 4.0], discount=0.5), [3.0, 1.0])
    # three steps: 1 + 0.125 * 4 = 1.5
    np.testing.assert_array_equal(td_targets([1.0], [False], [4.0], discount=0.5, n=3), [1.5])
    next_q = np.array([[1.0, 5.0, 3.0]])
    np.testing.assert_array_equal(max_td_targets([1.0], [False], next_q, discount=0.5), [3.5])
    # the first network prefers action 2, which the second values at 3
    np.testing.assert_array_equal(double_td_targets([1.0], [False], [[0, 1, 2]], next_q, discount=0.5), [2.5])
    # 0.5 * 1 + 0.25 * 5 + 0.25 * 3 = 2.5
    policy = np.array([[0.5, 0.25, 0.25]])
    np.testing.assert_array_equal(expected_td_targets([1.0], [False], next_q, policy, discount=0.5), [2.25])
    # the entropy of the policy is 1.5 bits = 1.5 ln 2 nats
    soft = soft_td_targets([1.0, 1.0], [False, True], next_q[[0, 0]], policy[[0, 0]], temperature=2.0, discount=0.5)
    np.testing.assert_allclose(soft, [1 + 0.5 * (2.5 + 2 * 1.5 * np.log(2)), 1.0], rtol=1e-15)


def test_an_action_that_is_never_taken_has_no_entropy() -> None:
    given = soft_td_targets([0.0], [False], [[7.0, 9.0]], [[1.0, 0.0]], temperature=1.0, discount=1.0)
    np.testing.assert_array_equal(given, [7.0])


def test_shapes_and_settings_that_cannot_be_right_are_refused() -> None:
    two, flags = np.zeros(2), np.zeros(2, dtype=bool)
    with pytest.raises(ValueError, match=r"every array must have the shape of reward, \(2,\), but value has \(3,\)"):
        gae(two, flags, flags, np.zeros(3), two, discount=0.9, trace_decay=0.9)
    with pytest.raises(ValueError, match=r"at least one step, but reward has shape \(0,\)"):
        gae([], [], [], [], [], discount=0.9, trace_decay=0.9)
    with pytest.raises(ValueError, match=r"discount must be in \[0, 1\], but is 1.5"):
        discounted_returns(two, flags, flags, discount=1.5)
    with pytest.raises(ValueError, match=r"trace_decay must be in \[0, 1\], but is -1"):
        lambda_returns(two, flags, flags, two, discount=0.9, trace_decay=-1)
    with pytest.raises(ValueError, match="n must be at least 1, but is 0"):
        n_step_returns(two, flags, flags, two, discount=0.9, n=0)
    with pytest.raises(ValueError, match=r"shape of reward, \(2,\), but next_value has \(2, 1\)"):
        td_targets(two, flags, np.zeros((2, 1)), discount=0.9)
    with pytest.raises(ValueError, match=r"discount must be in \[0, 1\], but is 2"):
        td_targets(two, flags, two, discount=2)
    with pytest.raises(ValueError, match="n must be at least 1, but is 0"):
        td_targets(two, flags, two, discount=0.9, n=0)
