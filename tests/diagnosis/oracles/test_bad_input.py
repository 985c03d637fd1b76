"""Functions that cannot be read, raise, or return what is no answer: the message says which, and what to do."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from rl_envs.diagnosis.oracles import check_gae, check_lambda_returns, check_n_step, check_returns, check_td_targets
from tests.diagnosis.oracles import functions_of_others as others
from tests.diagnosis.oracles.unwrapped import unwrapped


def right(rewards, values, dones, last_value, gamma, lam):
    return others.baselines_trpo(rewards, values, np.append(0, dones[:-1]), last_value * (1 - dones[-1]), gamma, lam)[
        "adv"
    ]


def test_a_function_that_always_raises_is_not_judged() -> None:
    def broken(rewards, values, dones, last_value, gamma, lam):
        raise KeyError("advantages")

    result = check_gae(broken)
    assert result.verdict == "cannot_tell"
    assert "it never returned: KeyError: 'advantages' (given NumPy arrays [T]" in result.reason
    with pytest.raises(AssertionError, match="cannot tell\n  it never returned: KeyError"):
        result.raise_if_wrong()


def test_a_function_that_raises_on_some_rollouts_is_wrong_there() -> None:
    def fragile(rewards, values, dones, last_value, gamma, lam):
        if dones[0]:
            raise ZeroDivisionError("no steps left")
        return right(rewards, values, dones, last_value, gamma, lam)

    result = check_gae(fragile)
    assert result.verdict == "wrong"
    assert result.keys == ("raises",)
    assert "it raises ZeroDivisionError: no steps left" in unwrapped(result)
    assert result.findings[0].example.rows["ends"] == ["terminated", "-"]
    assert result.findings[0].example.gave is None


def test_numbers_that_are_not_finite_are_named() -> None:
    def divides(rewards, values, dones, last_value, gamma, lam):
        return right(rewards, values, dones, last_value, gamma, lam) / (1 - dones)

    result = check_gae(divides)
    assert result.keys == ("not_finite",)
    assert "it gives numbers that are not finite" in unwrapped(result)


def test_none_is_said_to_be_none() -> None:
    result = check_gae(lambda rewards, values, dones, last_value, gamma, lam: None)
    assert result.verdict == "cannot_tell"
    assert "it returned None: let it return the advantages" in result.reason


def test_things_that_are_no_numbers_are_quoted() -> None:
    result = check_returns(lambda rewards, gamma: "returns")
    assert result.verdict == "cannot_tell"
    assert "it returned 'returns', which is no array of numbers" in result.reason


def test_tuples_and_dictionaries_that_cannot_be_read_are_described() -> None:
    result = check_returns(lambda rewards, gamma: (rewards, rewards, rewards))
    assert "it returned a tuple of 3: let it return the returns, or the pair of returns and advantages" in result.reason
    result = check_td_targets(lambda rewards, dones, next_values, gamma: (rewards, rewards))
    assert "it returned a tuple of 2: let it return the targets" in result.reason
    result = check_returns(lambda rewards, gamma: {"loss": rewards})
    assert "it returned a dictionary without returns; its keys are loss" in result.reason


def test_a_wrong_shape_is_wrong() -> None:
    result = check_gae(lambda rewards, values, dones, last_value, gamma, lam: rewards[:-1])
    assert result.verdict == "wrong"
    assert result.keys == ("wrong_shape",)
    assert "it returned advantages of shape (1,), where (2,) is wanted" in unwrapped(result)


def test_a_length_that_changes_is_a_wrong_shape() -> None:
    result = check_n_step(lambda rewards, dones, gamma: 7 * rewards if dones[0] else 7 * rewards[0])
    assert result.keys == ("wrong_shape",)
    assert "returns here and 1 for another rollout of the same length" in unwrapped(result)


def test_no_known_mistake_is_said_so_with_the_smallest_example() -> None:
    def odd(rewards, values, dones, last_value, gamma, lam):
        advantages = right(rewards, values, dones, last_value, gamma, lam)
        return advantages + 0.1 * np.sin(np.arange(len(rewards)))

    result = check_gae(odd)
    assert result.verdict == "wrong"
    assert result.keys == ()
    assert "no known mistake fits, nor do any two together" in unwrapped(result)
    example = result.findings[0].example
    assert example.rows["ends"] == ["-", "-"]
    # sin(0) = 0: the first step is right; delta = 10 + 0.5 * 23 - 3
    assert example.right == [5.125, 18.5]
    np.testing.assert_allclose(example.gave, [5.125, 18.5 + 0.1 * np.sin(1)])


def test_two_mistakes_in_one_function_are_both_named() -> None:
    def doubly(rewards, values, dones, last_value, gamma, lam):
        return right(rewards, values, np.zeros_like(dones), last_value, gamma, lam) + values

    result = check_gae(doubly)
    assert set(result.keys) == {"terminal_not_masked", "return_leaks_across_episodes", "return_for_advantage"}
    assert "two mistakes together" in unwrapped(result)


def test_two_outputs_may_be_wrong_each_in_its_own_way() -> None:
    def both_wrong(rewards, values, dones, last_value, gamma, lam):
        advantages = right(rewards, values, dones, last_value, gamma, lam)
        return -advantages, advantages

    result = check_gae(both_wrong)
    assert result.verdict == "wrong"
    assert len(result.findings) <= 2
    assert "wrong_sign" in result.keys or "advantage_for_return" in result.keys


def test_mistakes_that_nothing_tells_apart_are_named_together() -> None:
    """With one step a rollout's last value is its only one: ends are all that differs."""

    def never_masked(reward, next_value, discount):
        return reward - discount * next_value

    result = check_td_targets(never_masked)
    assert result.keys == ("wrong_sign",)


def test_the_time_and_batch_axes_exchanged_are_noticed_where_the_layout_is_given() -> None:
    result = check_gae(others.torchrl_gae, layout="TB")
    assert result.keys == ("time_and_batch_exchanged",)
    assert "it takes the second axis for time: right for [B, T], not for [T, B]" in unwrapped(result)


def test_a_function_of_one_copy_that_mixes_several_is_said_to() -> None:
    def mixes(rewards, values, dones, last_value, gamma, lam):
        advantages, carried = np.zeros_like(rewards), 0.0
        values = np.concatenate([values, [last_value]])
        for t in reversed(range(len(rewards))):
            delta = rewards[t] + gamma * np.mean(values[t + 1]) * (1 - dones[t]) - values[t]
            carried = advantages[t] = delta + gamma * lam * (1 - dones[t]) * carried
        return advantages

    result = check_gae(mixes)
    assert result.verdict == "right"
    assert (
        "given [T, B] it returns wrong numbers and no error (the next values of all copies are averaged"
        in unwrapped(result)
    )
    assert check_gae(mixes, layout="TB").keys == ("broadcast_mean",)


def test_parameters_that_mean_nothing_known_are_refused_with_a_way_out() -> None:
    def odd(stuff, values, dones, gamma, lam):
        return stuff

    message = r"cannot tell what is meant by 'stuff' of odd: say it with arguments=.'stuff': role."
    with pytest.raises(TypeError, match=message):
        check_gae(odd)
    assert (
        check_returns(
            lambda stuff, gamma: others.reinforce_returns(stuff, gamma), arguments={"stuff": "reward"}
        ).verdict
        == "right"
    )


def test_signatures_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(TypeError, match="a check needs a function, but got 3"):
        check_gae(3)
    with pytest.raises(TypeError, match=r"the parameters \(args, kwargs\) of <lambda>"):
        check_gae(lambda *args, **kwargs: None)
    with pytest.raises(TypeError, match=r"the signature of max cannot be read .*pass a function of your own around it"):
        check_gae(max)
    with pytest.raises(TypeError, match="rew and rewards of <lambda> both read as 'reward'"):
        check_returns(lambda rew, rewards, gamma: rew)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(
        TypeError, match="has no parameter for the discount; it has rewards, values, dones: pass the one"
    ):
        check_gae(lambda rewards, values, dones: rewards)
    with pytest.raises(TypeError, match=r"has no parameter for the trace decay; .* trace_decay=\.\.\."):
        check_lambda_returns(lambda rewards, values, dones, gamma: rewards)
    with pytest.raises(TypeError, match="has no parameter for the value; it has rewards, dones, gamma, lam: say which"):
        check_gae(lambda rewards, dones, gamma, lam: rewards)
    with pytest.raises(TypeError, match="a TD target needs to know what the next observation is worth"):
        check_td_targets(lambda rewards, dones, gamma: rewards)
    with pytest.raises(TypeError, match="an entropy bonus needs probabilities, but <lambda> takes none"):
        check_td_targets(lambda rewards, dones, next_value, alpha, gamma: rewards)


def test_options_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="layout must be one of T, TB, BT, but is 'BB'"):
        check_gae(right, layout="BB")
    with pytest.raises(ValueError, match="framework must be numpy or torch, but is 'jax'"):
        check_gae(right, framework="jax")
    with pytest.raises(ValueError, match="arguments must name parameters of right, but it has no 'v'; it has rewards"):
        check_gae(right, arguments={"v": "value"})
    with pytest.raises(ValueError, match=r"one of the roles reward, value, .*; 'values' has 'critic'"):
        check_gae(right, arguments={"values": "critic"})


def test_torch_is_imported_only_where_it_is_asked_for() -> None:
    """A check of a NumPy function, right or wrong, in a fresh process."""
    code = (
        "import sys\n"
        "from rl_envs.diagnosis.oracles import check_returns\n"
        "print(check_returns(lambda rewards, gamma: rewards).verdict, 'torch' in sys.modules)\n"
        "in_torch = check_returns(lambda rewards, gamma: rewards.clone(), framework='torch')\n"
        "print(in_torch.verdict, 'torch' in sys.modules)\n"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.split("\n")[:2] == ["wrong False", "wrong True"]


def test_an_example_of_transitions_shows_what_the_target_is_made_of() -> None:
    def swapped(rewards, dones, online_next_q, target_next_q, gamma):
        action = target_next_q.argmax(1)
        return rewards + gamma * (1 - dones) * online_next_q[np.arange(len(action)), action]

    example = check_td_targets(swapped).findings[0].example
    online = np.array(example.rows["choosing q"][0].split(), dtype=float)
    target = np.array(example.rows["next q"][0].split(), dtype=float)
    reward = example.rows["reward"][0]
    assert example.rows["end"] == ["-"]
    np.testing.assert_allclose(example.right, reward + 0.5 * target[online.argmax()])
    np.testing.assert_allclose(example.gave, reward + 0.5 * online[target.argmax()])
