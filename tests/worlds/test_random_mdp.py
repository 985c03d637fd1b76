"""Facts about RandomMDP: how it is drawn, and that its optimum is that of the best of all policies."""

import itertools
import tracemalloc

import numpy as np
import pytest
from scipy import stats

from rl_envs.envs.tabular_env import TabularEnv
from rl_envs.mdp.solve import solve
from rl_envs.worlds.random_mdp import random_mdp
from tests import second_method

EXACT = 1e-9


def test_the_dense_table_is_drawn_weights_first_rewards_second():
    generator = np.random.default_rng(7)
    weights = generator.random((4, 2, 4))
    rewards = generator.standard_normal((4, 2, 4))
    mdp = random_mdp(num_states=4, num_actions=2, model_seed=7).mdp
    for s, a in itertools.product(range(4), range(2)):
        assert mdp.next_state[s, a].tolist() == [0, 1, 2, 3]
        np.testing.assert_allclose(mdp.probability[s, a], weights[s, a] / sum(weights[s, a]), rtol=1e-14)
    assert np.array_equal(mdp.reward, rewards)


def test_it_starts_in_state_0_and_never_ends():
    for mdp in (random_mdp().mdp, random_mdp(branching=2).mdp):
        assert mdp.start.tolist() == [1, 0, 0, 0, 0]
        assert not mdp.terminated.any()


def test_the_best_of_all_243_policies_is_the_optimum():
    mdp = random_mdp().mdp
    policies = [np.eye(3)[list(actions)] for actions in itertools.product(range(3), repeat=5)]
    best = np.max([second_method.values(mdp, policy) for policy in policies], axis=0)
    np.testing.assert_allclose(solve(mdp).v_star, best, rtol=0, atol=EXACT)
    assert best[0] == pytest.approx(16.0099860369, abs=EXACT)


def test_the_same_arguments_give_the_same_table_and_others_another():
    for branching in (None, 3):
        one = random_mdp(model_seed=1, branching=branching).mdp
        assert one == random_mdp(model_seed=1, branching=branching).mdp
        assert one != random_mdp(model_seed=2, branching=branching).mdp


def test_the_seed_of_a_reset_does_not_move_the_table():
    env = TabularEnv("RandomMDP")
    before = env.world.mdp.content_hash
    env.reset(seed=123)
    assert env.world.mdp.content_hash == before == TabularEnv("RandomMDP").world.mdp.content_hash


@pytest.mark.parametrize(("num_states", "branching"), [(1, 1), (7, 1), (7, 3), (7, 6), (7, 7)])
def test_a_garnet_has_that_many_different_next_states(num_states, branching):
    mdp = random_mdp(num_states=num_states, num_actions=4, branching=branching, model_seed=5).mdp
    assert mdp.probability.shape == (num_states, 4, branching)
    assert (mdp.probability > 0).all()
    for s, a in itertools.product(range(num_states), range(4)):
        assert len(set(mdp.next_state[s, a].tolist())) == branching


def test_every_set_of_next_states_of_a_garnet_is_equally_likely():
    mdp = random_mdp(num_states=6, num_actions=5000, branching=3).mdp
    rows = np.sort(mdp.next_state.reshape(-1, 3), axis=1)
    seen = {tuple(row) for row in rows.tolist()}
    assert seen == set(itertools.combinations(range(6), 3))
    counts = np.unique(rows @ [36, 6, 1], return_counts=True)[1]
    assert stats.chisquare(counts).pvalue > 1e-4  # fixed seed: it cannot flake


def test_the_probabilities_of_a_garnet_are_gaps_between_uniform_cuts():
    # The b gaps between b - 1 uniform cuts are Dirichlet(1, ..., 1), so each of them is Beta(1, b - 1).
    mdp = random_mdp(num_states=50, num_actions=40, branching=4).mdp
    for k in range(4):
        assert stats.kstest(mdp.probability[:, :, k].ravel(), stats.beta(1, 3).cdf).pvalue > 1e-4


def test_the_rewards_of_a_garnet_are_standard_normal():
    rewards = random_mdp(num_states=50, num_actions=40, branching=4).mdp.reward
    assert stats.kstest(rewards.ravel(), stats.norm.cdf).pvalue > 1e-4


def test_a_garnet_of_100_000_states_is_never_dense():
    tracemalloc.start()
    mdp = random_mdp(num_states=100_000, num_actions=4, branching=3).mdp
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert mdp.probability.shape == (100_000, 4, 3)
    # 1.2 million outcomes of 25 bytes are 30 MB; [S, A, S] would be 320 GB, and [S, S] 80 GB.
    assert peak < 300e6


def test_the_text_lights_the_present_state():
    env = TabularEnv("RandomMDP", render_mode="ansi")
    env.reset(seed=0)
    assert "[0]  1   2   3   4" in env.render()
    assert "state [0] of 0..29" in _first_text(num_states=30)


def _first_text(**arguments):
    env = TabularEnv("RandomMDP", render_mode="ansi", **arguments)
    env.reset(seed=0)
    return env.render()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"num_states": 0}, ValueError, "num_states must be at least 1, but is 0"),
        ({"num_states": 5.0}, TypeError, "num_states must be an integer, but is 5.0"),
        ({"num_actions": -1}, ValueError, "num_actions must be at least 1, but is -1"),
        ({"num_actions": None}, TypeError, "num_actions must be an integer, but is None"),
        ({"model_seed": -1}, ValueError, "model_seed must be at least 0, but is -1"),
        ({"model_seed": None}, TypeError, "model_seed must be an integer, but is None"),
        ({"branching": 0}, ValueError, "branching must be in 1..5, but is 0"),
        ({"branching": 6}, ValueError, "branching must be in 1..5, but is 6"),
        ({"branching": 1.5}, TypeError, "branching must be an integer, but is 1.5"),
        ({"discount": 2}, ValueError, r"discount must be in \[0, 1\], but is 2"),
        ({"observation": "onehot"}, ValueError, "unknown observation 'onehot'. Did you mean 'one_hot'?"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, error, message):
    with pytest.raises(error, match=message):
        random_mdp(**arguments)
