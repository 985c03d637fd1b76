"""A table that an environment carries is compared with what its steps do; without one, the environment is walked."""

import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv

sys.path.insert(0, str(Path(__file__).parent))
import small_environments as small

from rl_envs import truth

WALK = r"truth\(env, explore=True\) walks the environment and finds"


class Cruel(FrozenLakeEnv):
    """A hole costs 1, which P does not say."""

    def step(self, a):
        state, reward, terminated, truncated, info = super().step(a)
        return state, -1.0 if terminated and not reward else reward, terminated, truncated, info


class Mirrored(FrozenLakeEnv):
    """It acts the other way round."""

    def step(self, a):
        return super().step(3 - a)


class Elsewhere(FrozenLakeEnv):
    """It starts where P's start says it cannot."""

    def reset(self, **arguments):
        super().reset(**arguments)
        self.s = 1
        return 1, {}


class Icier(FrozenLakeEnv):
    """Goes the way meant half as often as P says: every outcome is possible, but not so often."""

    def step(self, a):
        return super().step(a if self.np_random.random() < 0.5 else self.np_random.choice([(a - 1) % 4, (a + 1) % 4]))


@pytest.mark.parametrize("slippery", [True, False])
def test_an_environment_that_is_what_its_table_says_is_answered_for_and_left_alone(slippery: bool) -> None:
    env = FrozenLakeEnv(is_slippery=slippery)
    env.reset(seed=4)
    before, stream = dict(env.__dict__), env.np_random.bit_generator.state
    assert truth(env).optimal_value == pytest.approx(14 / 17 if slippery else 1.0)
    assert env.__dict__.keys() == before.keys()
    assert all(env.__dict__[name] is value for name, value in before.items())
    assert env.np_random.bit_generator.state == stream


def test_a_reward_that_the_table_does_not_have_is_shown_and_refused() -> None:
    with pytest.raises(
        ValueError,
        match=rf"led to state \d+ with reward -1 and ended the episode, where P has .* with reward 0.*{WALK}",
    ):
        truth(Cruel())
    # By an independent way: the same table, with -1 written in.
    env = FrozenLakeEnv()
    for actions in env.P.values():
        for outcomes in actions.values():
            outcomes[:] = [(p, s, -1.0 if end and not r else r, end) for p, s, r, end in outcomes]
    from rl_envs import from_transitions

    wanted = truth(from_transitions(env.P, env.initial_state_distrib, discount=0.99)).optimal_value
    assert truth(Cruel(), explore=True, discount=0.99).optimal_value == pytest.approx(wanted)


@pytest.mark.parametrize("slippery", [True, False])
def test_actions_the_other_way_round_are_shown_and_refused(slippery: bool) -> None:
    with pytest.raises(ValueError, match=rf"the table of Mirrored must be what step\(\) does, but action \d.*{WALK}"):
        truth(Mirrored(is_slippery=slippery))


def test_a_start_that_the_table_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match=rf"must be what reset\(\) does, but reset\(\) gave state 1, .*{WALK}"):
        truth(Elsewhere())


def test_frequencies_that_the_table_does_not_have_are_refused() -> None:
    # A slippery lake whose P says 0.8 and whose steps go the way meant in half of them less.
    with pytest.raises(ValueError, match=r"outcomes as frequent as those of 2,000 steps have probability|led to state"):
        truth(Icier(success_rate=0.8))


def test_an_environment_without_a_table_is_told_how_to_get_one() -> None:
    with pytest.raises(ValueError, match=r"Line has no attribute P: truth\(env, explore=True\) walks the environment"):
        truth(small.Line())
    assert 0.9 < truth(small.Line(), explore=True).optimal_value <= 1


def test_an_id_is_walked_too() -> None:
    assert truth("FrozenLake-v1", explore=True, discount=0.99).optimal_value == pytest.approx(0.5420259320, abs=1e-9)
    assert truth("FrozenLake-v1", explore=True).max_episode_steps == gym.spec("FrozenLake-v1").max_episode_steps


def test_a_policys_values_are_those_of_its_equations() -> None:
    answers = truth("FrozenLake-v1", discount=0.9)
    mdp = answers.mdp
    policy = np.full((mdp.num_states, mdp.num_actions), 0.25)
    p = np.zeros((mdp.num_states, mdp.num_actions, mdp.num_states))
    for s, a, k in np.ndindex(mdp.probability.shape):
        p[s, a, mdp.next_state[s, a, k]] += mdp.probability[s, a, k] * (not mdp.terminated[s, a, k])
    v = np.linalg.solve(np.eye(mdp.num_states) - 0.9 * p.mean(axis=1), mdp.mean_reward.mean(axis=1))
    assert answers.value_function(policy) == pytest.approx(v)
    assert answers.q_function(policy) == pytest.approx(mdp.mean_reward + 0.9 * p @ v)
    assert answers.q_function(np.stack([policy, policy])).shape == (2, mdp.num_states, mdp.num_actions)
    assert answers.value_function(np.stack([policy, policy])).shape == (2, mdp.num_states)
