"""Mistakes planted in right functions, a line at a time, are named by their keys."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable

import numpy as np
import pytest

from baselines.learning import updates
from rl_envs.diagnosis.oracles import (
    CheckResult,
    check_gae,
    check_lambda_returns,
    check_n_step,
    check_returns,
    check_td_targets,
)
from tests.diagnosis.oracles import functions_of_others as others
from tests.diagnosis.oracles import in_numpy


def mutant(function: Callable, *changes: tuple[str, str]) -> Callable:
    """The function with pieces of its source changed, each of which must be there."""
    source = textwrap.dedent(inspect.getsource(function))
    for before, after in changes:
        assert before in source, f"{function.__name__} has no {before!r}"
        source = source.replace(before, after)
    names = dict(function.__globals__)
    exec(compile(source, function.__name__, "exec"), names)
    return names[function.__name__]


CLEANRL = others.cleanrl_ppo_in_numpy
OURS = in_numpy.generalised_advantages
BOTH = others.both_flags
UP = others.spinning_up_finish_path
N_STEP = others.n_step_with_values

# check, function, the changes, the keys of the finding
PLANTED: dict[str, tuple[Callable[..., CheckResult], Callable, list[tuple[str, str]], set[str]]] = {
    # CleanRL's PPO: dones before each step, and next_done
    "CleanRL: the flag before the step": (check_gae, CLEANRL, [("dones[t + 1]", "dones[t]")], {"mask_one_step_late"}),
    "CleanRL: no mask in the delta": (
        check_gae,
        CLEANRL,
        [("nextvalues * nextnonterminal", "nextvalues")],
        {"terminal_not_masked"},
    ),
    "CleanRL: no mask in the carry": (
        check_gae,
        CLEANRL,
        [("gae_lambda * nextnonterminal", "gae_lambda")],
        {"return_leaks_across_episodes"},
    ),
    "CleanRL: no mask at all": (
        check_gae,
        CLEANRL,
        [("nextvalues * nextnonterminal", "nextvalues"), ("gae_lambda * nextnonterminal", "gae_lambda")],
        {"terminal_not_masked", "return_leaks_across_episodes"},
    ),
    "CleanRL: next_done not looked at": (
        check_gae,
        CLEANRL,
        [("next_done if last", "0.0 if last")],
        {"terminal_not_masked"},
    ),
    "CleanRL: mask upside down": (check_gae, CLEANRL, [("1.0 - (next_done", "(next_done")], {"mask_inverted"}),
    "CleanRL: last value of its own state": (
        check_gae,
        CLEANRL,
        [("next_value if last", "values[t] if last")],
        {"last_value_of_wrong_state"},
    ),
    "CleanRL: lambda left out": (check_gae, CLEANRL, [("gamma * gae_lambda", "gamma")], {"lambda_ignored"}),
    "CleanRL: gamma left out of the carry": (
        check_gae,
        CLEANRL,
        [("gamma * gae_lambda", "gae_lambda")],
        {"discount_ignored"},
    ),
    "CleanRL: gamma left out of the delta": (
        check_gae,
        CLEANRL,
        [("gamma * nextvalues", "nextvalues")],
        {"discount_ignored"},
    ),
    "CleanRL: lambda squared": (
        check_gae,
        CLEANRL,
        [("gamma * gae_lambda", "gamma * gae_lambda * gae_lambda")],
        {"lambda_squared"},
    ),
    "CleanRL: nothing carried": (check_gae, CLEANRL, [("* lastgaelam\n", "* 0.0\n")], {"nothing_carried_back"}),
    "CleanRL: value added": (check_gae, CLEANRL, [("- values[t]\n", "+ values[t]\n")], {"wrong_sign"}),
    "CleanRL: value not subtracted": (check_gae, CLEANRL, [(" - values[t]\n", "\n")], {"value_not_subtracted"}),
    "CleanRL: next value left out": (
        check_gae,
        CLEANRL,
        [("rewards[t] + gamma * nextvalues * nextnonterminal", "rewards[t]")],
        {"next_value_left_out"},
    ),
    "CleanRL: reward left out": (check_gae, CLEANRL, [("delta = rewards[t] + ", "delta = ")], {"reward_left_out"}),
    "CleanRL: everything negated": (check_gae, CLEANRL, [("return advantages", "return -advantages")], {"wrong_sign"}),
    "CleanRL: time runs forwards": (
        check_gae,
        CLEANRL,
        [("in reversed(range(len(rewards)))", "in range(len(rewards))")],
        {"time_reversed"},
    ),
    "CleanRL: returned backwards": (
        check_gae,
        CLEANRL,
        [("return advantages", "return advantages[::-1]")],
        {"time_reversed"},
    ),
    "CleanRL: the last step is left out": (
        check_gae,
        CLEANRL,
        [("range(len(rewards))", "range(len(rewards) - 1)")],
        {"last_step_forgotten"},
    ),
    "CleanRL: normalised": (
        check_gae,
        CLEANRL,
        [("return advantages", "return (advantages - advantages.mean()) / (advantages.std() + 1e-8)")],
        {"advantages_normalised"},
    ),
    "CleanRL: returns for advantages": (
        check_gae,
        CLEANRL,
        [("return advantages", "return advantages + values")],
        {"return_for_advantage"},
    ),
    "CleanRL in torch: the flag before the step": (
        check_gae,
        others.cleanrl_ppo,
        [("dones[t + 1]", "dones[t]")],
        {"mask_one_step_late"},
    ),
    "CleanRL in torch: values not added": (
        check_gae,
        others.cleanrl_ppo,
        [("advantages + values", "advantages.clone()")],
        {"advantage_for_return"},
    ),
    # ours: both flags and the next values
    "ours: time limits for ends": (
        check_gae,
        OURS,
        [("td_target(reward, terminated,", "td_target(reward, ended,")],
        {"timeout_as_terminal"},
    ),
    "ours: carried over time limits": (
        check_gae,
        OURS,
        [("np.where(ended[step]", "np.where(terminated[step]")],
        {"return_leaks_across_episodes"},
    ),
    "ours: flags in each other's place": (
        check_gae,
        OURS,
        [("td_target(reward, terminated,", "td_target(reward, ended,"), ("np.where(ended[", "np.where(terminated[")],
        {"return_leaks_across_episodes", "timeout_as_terminal"},
    ),
    "ours: bootstraps from where it was": (
        check_gae,
        OURS,
        [("terminated, next_value, discount", "terminated, value, discount")],
        {"value_of_wrong_state"},
    ),
    "ours: bootstraps from the next row": (
        check_gae,
        OURS,
        [
            (
                "td_error = ",
                "next_value = np.concatenate([value[1:], next_value[-1:]])\n    td_error = ",
            )
        ],
        {"reset_observation_as_next"},
    ),
    "ours: discount twice": (
        check_gae,
        OURS,
        [("td_error = ", "discount = discount**2\n    td_error = ")],
        {"discount_twice"},
    ),
    "ours: lambda and discount exchanged": (
        check_gae,
        OURS,
        [("td_error = ", "discount, trace_decay = trace_decay, discount\n    td_error = ")],
        {"lambda_and_discount_swapped"},
    ),
    "ours: reward of the step before": (
        check_gae,
        OURS,
        [("td_error = ", "reward = np.concatenate([0 * reward[:1], reward[:-1]])\n    td_error = ")],
        {"reward_one_step_late"},
    ),
    "both flags: mask of the step after": (
        check_gae,
        BOTH,
        [("for t in", "terminations = np.append(terminations[1:], False)\n    for t in")],
        {"mask_one_step_early"},
    ),
    "both flags: values added twice": (
        check_lambda_returns,
        BOTH,
        [("Targets(advantages + values,", "Targets(advantages + values + values,")],
        {"values_added_twice"},
    ),
    "both flags: advantages for returns": (
        check_lambda_returns,
        BOTH,
        [("Targets(advantages + values,", "Targets(advantages,")],
        {"advantage_for_return"},
    ),
    # other conventions
    "Spinning Up: last value left out": (
        check_gae,
        UP,
        [
            ("np.append(rew_buf, last_val)", "np.append(rew_buf, 0)"),
            ("np.append(val_buf, last_val)", "np.append(val_buf, 0)"),
        ],
        {"last_value_of_wrong_state"},
    ),
    "Spinning Up: lambda left out": (check_gae, UP, [("gamma * lam", "gamma")], {"lambda_ignored"}),
    "Kostrikov: values of the step after": (
        check_lambda_returns,
        others.kostrikov,
        [("gae + value_preds[step]", "gae + value_preds[step + 1]")],
        {"value_of_wrong_state"},
    ),
    "rlax: lambda and its complement exchanged": (
        check_lambda_returns,
        others.rlax_lambda_returns,
        [("(1 - lambda_) * v_t[t] + lambda_ * g", "lambda_ * v_t[t] + (1 - lambda_) * g")],
        {"lambda_complemented"},
    ),
    "TorchRL: done for terminated": (
        check_gae,
        others.torchrl_gae,
        [("(1 - terminated[:, t])", "(1 - done[:, t])")],
        {"timeout_as_terminal"},
    ),
    "Baselines: discount left out": (
        check_returns,
        others.discount_with_dones,
        [("gamma * r * (1.0 - done)", "r * (1.0 - done)")],
        {"discount_ignored"},
    ),
    "Baselines: ends left out": (
        check_returns,
        others.discount_with_dones,
        [("gamma * r * (1.0 - done)", "gamma * r")],
        {"return_leaks_across_episodes"},
    ),
    "REINFORCE: the return of the whole episode": (
        check_returns,
        others.reinforce_returns,
        [("return returns", "return [returns[0]] * len(returns)")],
        {"undiscounted_episode_return"},
    ),
    "REINFORCE: backwards": (
        check_returns,
        others.reinforce_returns,
        [("returns.insert(0, g)", "returns.append(g)")],
        {"time_reversed"},
    ),
    # n-step returns
    "n-step: gamma for gamma^n": (
        check_n_step,
        N_STEP,
        [("returns[t] += discount * values", "returns[t] += gamma * values")],
        {"n_step_discount"},
    ),
    "n-step: gamma^n where fewer are left": (
        check_n_step,
        N_STEP,
        [("returns[t] += discount * values", "returns[t] += gamma**n_steps * values")],
        {"n_step_discount"},
    ),
    "n-step: rewards undiscounted": (
        check_n_step,
        N_STEP,
        [("returns[t] += discount * rewards[k]", "returns[t] += rewards[k]")],
        {"n_step_rewards_undiscounted"},
    ),
    "n-step: runs over the end": (
        check_n_step,
        N_STEP,
        [("if dones[k]:", "if dones[k] and k == min(t + n_steps, T) - 1:")],
        {"return_leaks_across_episodes"},
    ),
    "n-step: ends left out": (
        check_n_step,
        N_STEP,
        [("if dones[k]:", "if False:")],
        {"return_leaks_across_episodes", "terminal_not_masked"},
    ),
    "n-step: one reward too many": (check_n_step, N_STEP, [("t + n_steps", "t + n_steps + 1")], {"n_step_length"}),
    "n-step: ours, counts n always": (
        check_n_step,
        updates.n_step_return,
        [("counts.sum(axis=-1)", "counts.size")],
        {"n_step_discount"},
    ),
    # TD targets
    "DQN: no mask": (check_td_targets, others.cleanrl_dqn, [("* (1 - dones.flatten())", "")], {"terminal_not_masked"}),
    "DQN: maximum over the batch": (
        check_td_targets,
        others.cleanrl_dqn,
        [("target_max, _ = target_q_values.max(dim=1)", "target_max = target_q_values.max()")],
        {"max_over_batch"},
    ),
    "DQN: [B, 1] against [B]": (
        check_td_targets,
        others.cleanrl_dqn,
        [("rewards.flatten()", "rewards.reshape(-1, 1)")],
        {"broadcast_mean"},
    ),
    "DQN: the mean of the batch": (
        check_td_targets,
        others.cleanrl_dqn,
        [
            ("(1 - dones.flatten())", "(1 - dones.reshape(-1, 1))"),
            ("return rewards.flatten() + ", "return rewards.flatten() + 0 *"),
            ("0 *gamma", "0 * gamma"),
        ],
        {"broadcast_mean"},
    ),
    "DQN: reward masked too": (
        check_td_targets,
        others.n_step_dqn,
        [
            (
                "rewards + gamma**n_steps * (1 - dones) * next_q.max(1)",
                "(rewards + gamma**n_steps * next_q.max(1)) * (1 - dones)",
            )
        ],
        {"reward_lost_at_end"},
    ),
    "DQN: gamma for gamma^n": (check_td_targets, others.n_step_dqn, [("gamma**n_steps", "gamma")], {"n_step_discount"}),
    "DQN: rewards clipped": (
        check_td_targets,
        others.n_step_dqn,
        [("return rewards", "return np.clip(rewards, -1, 1)")],
        {"rewards_clipped"},
    ),
    "Double DQN: networks swapped": (
        check_td_targets,
        others.double_dqn,
        [("online_next_q.argmax", "target_next_q.argmax"), ("target_next_q.gather", "online_next_q.gather")],
        {"double_networks_swapped"},
    ),
    "Double DQN: target network alone": (
        check_td_targets,
        others.double_dqn,
        [("online_next_q.argmax", "target_next_q.argmax")],
        {"double_ignored"},
    ),
    "Double DQN: online network alone": (
        check_td_targets,
        others.double_dqn,
        [("target_next_q.gather", "online_next_q.gather")],
        {"no_target_network"},
    ),
    "SAC: bonus at the end": (
        check_td_targets,
        others.sac,
        [
            (" - alpha * next_log_pi", ""),
            ("min_qf_next_target.view(-1)", "min_qf_next_target.view(-1) - gamma * alpha * next_log_pi"),
        ],
        {"entropy_at_terminal"},
    ),
    "SAC: bonus of the wrong sign": (check_td_targets, others.sac, [("- alpha", "+ alpha")], {"wrong_sign"}),
    "SAC: no bonus": (check_td_targets, others.sac, [(" - alpha * next_log_pi", "")], {"entropy_left_out"}),
    "SAC: the larger critic": (check_td_targets, others.sac, [("torch.min", "torch.max")], {"larger_of_two_critics"}),
    "discrete SAC: no probabilities": (
        check_td_targets,
        others.discrete_sac,
        [("(next_probs * (next_q_values", "(1.0 * (next_q_values"), (" - alpha * np.log(next_probs)", "")],
        {"probabilities_left_out"},
    ),
    "TD3: one critic": (
        check_td_targets,
        others.td3,
        [("np.minimum(q1_target, q2_target)", "q1_target")],
        {"one_critic_ignored"},
    ),
    "TD error: time limits for ends": (
        check_td_targets,
        others.td_error,
        [("(1 - terminated)", "(1 - terminated) * (1 - truncated)")],
        {"timeout_as_terminal"},
    ),
    "TD error: subtracts the next value": (
        check_td_targets,
        others.td_error,
        [("r + gamma", "r - gamma")],
        {"wrong_sign"},
    ),
    "Expected Sarsa: the maximum": (
        check_td_targets,
        in_numpy.expected_sarsa_target,
        [("(next_policy * next_q).sum(axis=-1)", "next_q.max(axis=-1)")],
        {"largest_for_expected"},
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_mistake_is_named(name: str) -> None:
    check, function, changes, keys = PLANTED[name]
    result = check(mutant(function, *changes))
    assert result.verdict == "wrong", str(result)
    assert set(result.keys) == keys, str(result)
    example = result.findings[0].example
    assert example is not None
    assert example.gave is None or not np.allclose(example.gave, example.right)
    with pytest.raises(AssertionError, match=r": wrong\n"):
        result.raise_if_wrong()
