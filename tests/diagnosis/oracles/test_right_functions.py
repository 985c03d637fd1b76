"""Right functions are found right, in every convention in which the libraries write them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from baselines.learning import updates
from baselines.learning.advantages import generalised_advantages
from rl_envs.diagnosis.oracles import (
    check_gae,
    check_lambda_returns,
    check_n_step,
    check_returns,
    check_td_targets,
    discounted_returns,
    gae,
    lambda_returns,
    n_step_returns,
    td_targets,
)
from tests.diagnosis.oracles import functions_of_others as others
from tests.diagnosis.oracles import in_numpy
from tests.diagnosis.oracles.unwrapped import unwrapped

NEXT_ACTION_VALUE = {"next_action_value": "next_values"}

RIGHT = {
    # ours
    "our generalised_advantages": partial(check_gae, generalised_advantages, framework="torch", layout="BT"),
    "advantages in NumPy": partial(check_gae, in_numpy.generalised_advantages),
    "our returns_to_go": partial(check_returns, updates.returns_to_go),
    "our n_step_return": partial(check_n_step, updates.n_step_return),
    "our td_target": partial(check_td_targets, updates.td_target),
    "our q_learning_target": partial(check_td_targets, updates.q_learning_target),
    "sarsa_target in NumPy": partial(check_td_targets, in_numpy.sarsa_target, arguments=NEXT_ACTION_VALUE),
    "expected_sarsa_target in NumPy": partial(check_td_targets, in_numpy.expected_sarsa_target),
    "double_q_target in NumPy": partial(check_td_targets, in_numpy.double_q_target),
    # the references themselves
    "gae": partial(check_gae, gae),
    "lambda_returns": partial(check_lambda_returns, lambda_returns),
    "n_step_returns": partial(check_n_step, n_step_returns),
    "discounted_returns": partial(check_returns, discounted_returns),
    "td_targets": partial(check_td_targets, td_targets),
    # advantages of others
    "Stable-Baselines3 RolloutBuffer": partial(check_gae, others.stable_baselines3),
    "CleanRL PPO": partial(check_gae, others.cleanrl_ppo),
    "CleanRL PPO in NumPy": partial(check_gae, others.cleanrl_ppo_in_numpy),
    "Spinning Up": partial(check_gae, others.spinning_up_finish_path),
    "OpenAI Baselines TRPO": partial(check_gae, others.baselines_trpo),
    "rlax GAE": partial(check_gae, others.rlax_gae),
    "TorchRL": partial(check_gae, others.torchrl_gae),
    "both flags": partial(check_gae, others.both_flags),
    "one more flag": partial(check_gae, others.one_more_flag),
    "whole episodes": partial(check_gae, others.baseline_episode),
    # returns of others
    "Kostrikov": partial(check_lambda_returns, others.kostrikov),
    "lists of steps": partial(check_lambda_returns, others.lists_of_steps),
    "rlax lambda-returns": partial(check_lambda_returns, others.rlax_lambda_returns),
    "both flags, returns": partial(check_lambda_returns, others.both_flags),
    "discount_with_dones": partial(check_returns, others.discount_with_dones),
    "OpenAI Baselines A2C": partial(check_n_step, others.baselines_a2c_returns),
    "OpenAI Baselines A2C returns": partial(check_returns, others.baselines_a2c_returns),
    "discount_cumsum": partial(check_returns, others.discount_cumsum, arguments={"x": "reward"}),
    "REINFORCE": partial(check_returns, others.reinforce_returns),
    "REINFORCE in torch": partial(check_returns, others.reinforce_returns_in_torch),
    "n steps of every step": partial(check_n_step, others.n_step_with_values),
    "full windows": partial(check_n_step, others.full_windows_only),
    # targets of others
    "CleanRL DQN": partial(check_td_targets, others.cleanrl_dqn),
    "Stable-Baselines3 DQN": partial(check_td_targets, others.stable_baselines3_dqn),
    "Double DQN": partial(check_td_targets, others.double_dqn),
    "SAC": partial(check_td_targets, others.sac),
    "discrete SAC": partial(check_td_targets, others.discrete_sac),
    "soft Q-learning": partial(check_td_targets, others.soft_q),
    "TD3": partial(check_td_targets, others.td3),
    "n-step DQN": partial(check_td_targets, others.n_step_dqn),
    "TD error": partial(check_td_targets, others.td_error),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_function_is_found_right(name: str) -> None:
    result = RIGHT[name]()
    assert result.verdict == "right", str(result)
    assert result.findings == ()
    result.raise_if_wrong()


def test_one_flag_is_said_to_be_one_flag() -> None:
    result = check_gae(others.cleanrl_ppo_in_numpy)
    assert "it cannot tell time limits from ends: it takes one flag (dones and next_done)" in unwrapped(result)
    assert "cannot tell" not in unwrapped(check_gae(others.both_flags))


def test_a_function_that_is_told_no_last_value_is_right_for_whole_episodes() -> None:
    assert "right for rollouts that end with an episode, and no others" in unwrapped(check_gae(others.baseline_episode))


def test_a_function_without_values_is_said_to_bootstrap_from_none() -> None:
    result = check_returns(others.discount_with_dones)
    assert any("it is told no value" in note for note in result.notes)
    assert not any("time limits" in note for note in result.notes)  # where nothing is bootstrapped all ends are alike


def test_arrays_that_are_changed_are_named() -> None:
    def in_place(rewards, values, dones, last_value, gamma, lam):
        rewards += gamma * np.append(values[1:], last_value) * (1 - dones) - values
        for t in reversed(range(len(rewards) - 1)):
            rewards[t] += gamma * lam * (1 - dones[t]) * rewards[t + 1]
        return rewards

    result = check_gae(in_place)
    assert result.verdict == "right"
    assert "it changes the arrays it is given as rewards" in result.notes


def test_layouts_are_found_out_or_asked_for() -> None:
    assert "torch tensors [B, T]" in check_gae(others.torchrl_gae).tried
    assert check_gae(others.torchrl_gae, layout="BT").verdict == "right"
    assert check_gae(in_numpy.generalised_advantages, layout="TB").verdict == "right"
    assert "it is right for [T] and for [T, B]" in check_gae(in_numpy.generalised_advantages).notes
    assert "it takes [T], one copy at a time" in check_gae(others.baseline_episode).notes


def test_settings_that_a_function_has_fixed_are_said_to_the_check() -> None:
    def fixed(rewards, values, dones, last_value):
        return others.cleanrl_ppo_in_numpy(
            rewards, values, np.append(0, dones[:-1]), last_value, dones[-1], gamma=0.97, gae_lambda=0.9
        )

    assert check_gae(fixed, discount=0.97, trace_decay=0.9).verdict == "right"
    wrong = check_gae(fixed, discount=0.97, trace_decay=0.5)
    assert wrong.verdict == "wrong"

    def three_steps(rewards, dones, next_q):
        return rewards + 0.9**3 * (1 - dones) * next_q.max(1)

    assert check_td_targets(three_steps, discount=0.9, n=3).verdict == "right"


def test_a_parameter_with_a_default_that_means_nothing_here_keeps_it() -> None:
    def with_extras(rewards, dones, next_values, gamma, tau=0.005, verbose=False):
        assert (tau, verbose) == (0.005, False)  # tau is a name of lambda, of which a TD target has none
        return rewards + gamma * (1 - dones) * next_values

    assert check_td_targets(with_extras).verdict == "right"


def test_bound_arguments_and_methods_are_read() -> None:
    class Agent:
        def __init__(self) -> None:
            self.gamma = 0.9

        def targets(self, rewards, terminated, next_values):
            return rewards + self.gamma * (1 - terminated) * next_values

    assert check_td_targets(Agent().targets, discount=0.9).verdict == "right"
    assert check_td_targets(partial(in_numpy.td_target, discount=0.8)).verdict == "right"


def test_a_check_leaves_the_global_generator_alone() -> None:
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    check_gae(in_numpy.generalised_advantages)
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002


def test_a_check_says_the_same_twice() -> None:
    assert str(check_gae(others.both_flags)) == str(check_gae(others.both_flags))
