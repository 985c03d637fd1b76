"""What following options is worth, against `rl_envs.options` and by hand; going round for ever is worth nothing."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.learning.option_values import call_and_return_values, option_models, settled, transition_probabilities
from rl_envs.options import evaluate_options, hallway_options, option_model, primitive_options
from rl_envs.registry import build


@pytest.mark.parametrize("discount", [0.9, 1.0])
def test_models_and_values_are_those_of_rl_envs(discount: float) -> None:
    mdp = build("FourRooms", discount=discount).mdp
    options = [*hallway_options(build("FourRooms", discount=discount)), *primitive_options(mdp)]
    policies, termination, runs = (
        np.stack([getattr(option, name) for option in options], axis=1) for name in ("policy", "termination", "runs")
    )
    models = option_models(mdp, transition_probabilities(mdp), policies, termination, runs)
    for o, option in enumerate(options):
        expected = option_model(mdp, option)
        np.testing.assert_allclose(models.reward[:, o], expected.reward, atol=1e-10)
        np.testing.assert_allclose(models.transition[o], expected.transition.toarray(), atol=1e-10)
    policy = np.random.default_rng(0).random((104, 12)) * np.stack([option.initiation for option in options], axis=1)
    policy /= np.maximum(policy.sum(axis=1, keepdims=True), 1e-300)
    expected = evaluate_options(mdp, options, policy)
    np.testing.assert_allclose(call_and_return_values(models, policy), expected, atol=1e-9)


def test_sums_along_a_chain_by_hand() -> None:
    # 0 goes to 1 or out, 1 back to 0: x0 = 1 + x1 / 2, x1 = 2 + x0, so x0 = 4 and x1 = 6.
    np.testing.assert_allclose(settled(np.array([[0, 0.5], [1.0, 0]]), np.array([[1.0], [2.0]])), [[4.0], [6.0]])


def test_what_is_never_left_counts_as_nothing() -> None:
    # 0 and 1 go round for ever; 2 gets 3 and goes there or out.
    chain = np.array([[0, 1.0, 0], [1.0, 0, 0], [0.5, 0, 0]])
    np.testing.assert_array_equal(settled(chain, np.array([[1.0], [1.0], [3.0]])), [[0.0], [0.0], [3.0]])


def test_a_chain_that_ends_at_once_gives_what_it_gained() -> None:
    np.testing.assert_array_equal(settled(np.zeros((2, 2)), np.array([[1.0], [2.0]])), [[1.0], [2.0]])
