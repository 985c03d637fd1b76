"""assert_values tells right values from those of an agent that acts perfectly and believes in values that are not."""

from __future__ import annotations

from functools import partial

import gymnasium as gym
import numpy as np
import pytest
import torch

import rl_envs
from rl_envs.diagnosis.asserts import assert_values
from rl_envs.diagnosis.asserts.solving import MakeEnv
from tests.diagnosis.asserts.tabular_training import Table, q_learning

ANSWERS = rl_envs.truth("LineWalk")
ENV_FN = MakeEnv("rl_envs/LineWalk-v0", ANSWERS.mdp.discount)


def test_a_right_agent_has_right_values() -> None:
    assert_values(q_learning(ENV_FN, 20_000, 0), "LineWalk")


def test_an_agent_that_discounts_twice_scores_perfectly_and_is_told_by_its_values() -> None:
    wrong = partial(q_learning, discounts=2)(ENV_FN, 20_000, 0)
    assert ANSWERS.score(wrong) == 1.0
    with pytest.raises(AssertionError, match=r"the values of Table are not q\* of LineWalk: off by up to ") as raised:
        assert_values(wrong, "LineWalk")
    message = str(raised.value)
    # Its fixed point is the optimum of the world discounted by the square.
    assert_values(wrong, "LineWalk", discount=ANSWERS.mdp.discount**2, tolerance=1e-6)
    assert "(5% of the largest q*) is allowed, in units of reward discounted by 0.95" in message
    assert "the worst (state, action: learned, right):" in message


def test_the_exact_values_pass_at_any_tolerance_in_every_form() -> None:
    q, v = ANSWERS.q_star, ANSWERS.v_star

    class Critic:
        def value(self, observations):
            return torch.as_tensor(v[observations])[:, None].requires_grad_()

    for model in (q, v, Critic(), Table(q), lambda observations: q[observations], v.tolist()):
        assert_values(model, "LineWalk", tolerance=1e-12)


def test_environments_worlds_and_tables_are_taken() -> None:
    env = gym.make("rl_envs/LineWalk-v0")
    for world in ("rl_envs/LineWalk-v0", env, rl_envs.build("LineWalk"), ANSWERS.mdp):
        assert_values(ANSWERS.q_star, world, tolerance=1e-9)
    env.close()
    assert_values(rl_envs.truth("LineWalk", discount=0.5).v_star, "LineWalk", discount=0.5, tolerance=1e-9)
    with pytest.raises(AssertionError, match="not v"):
        assert_values(rl_envs.truth("LineWalk", discount=0.5).v_star, "LineWalk")


def test_one_hot_observations_are_handed_over_as_they_are_seen() -> None:
    def linear(observations):
        assert observations.shape == (ANSWERS.mdp.num_states, ANSWERS.mdp.num_states)
        return observations @ ANSWERS.q_star

    assert_values(linear, gym.make("rl_envs/LineWalkOneHot-v0"))


def test_states_that_are_never_trained_do_not_count() -> None:
    q = ANSWERS.q_star.copy()
    q[ANSWERS.mdp.terminal_states] = 1e6
    assert_values(q, "LineWalk", tolerance=1e-9)
    q[3] = -5
    assert_values(q, "LineWalk", tolerance=1e-9, states=[1, 2])
    with pytest.raises(AssertionError, match="3, 0: -5"):
        assert_values(q, "LineWalk")
    with pytest.raises(AssertionError, match="3, 0: -5"):
        assert_values(q, "LineWalk", states=np.arange(ANSWERS.mdp.num_states) == 3)


def test_values_that_are_no_numbers_fail() -> None:
    q = ANSWERS.q_star.copy()
    q[1, 0] = np.nan
    with pytest.raises(AssertionError, match="1, 0: nan"):
        assert_values(q, "LineWalk")


def test_what_has_no_values_is_refused() -> None:
    with pytest.raises(TypeError, match=r"a model must have q_values\(observations\) or value\(observations\)"):
        assert_values(3, "LineWalk")
    with pytest.raises(ValueError, match=r"values of LineWalk must have shape \(\d+, 2\) or \(\d+,\), but have \(3,\)"):
        assert_values(np.zeros(3), "LineWalk")
    with pytest.raises(ValueError, match=r"states must be in 0\.\.\d+, but one is 99"):
        assert_values(ANSWERS.q_star, "LineWalk", states=[99])
    with pytest.raises(ValueError, match="there must be a state to look at"):
        assert_values(ANSWERS.q_star, "LineWalk", states=[])
    with pytest.raises(ValueError, match="look the same and are worth different things"):
        assert_values(rl_envs.truth("BanditTestbed").q_star, "BanditTestbed")
