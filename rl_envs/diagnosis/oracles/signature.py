"""Reads a function's parameters: what each is called in the wild, and what is meant by it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

# Ends of names that say where an array is kept, not what it is.
AFFIXES_BEFORE = ("mb", "b", "batch", "buf", "rollout", "all", "seq")
AFFIXES_AFTER = ("buf", "buffer", "batch", "b", "list", "array", "arr", "tensor", "np", "seq")

# What is meant, and the names it goes by. A name that may mean two things stands under a meaning of its own, and both
# are tried.
NAMES: dict[str, str] = {
    "reward": "reward rewards rew rews r rs r_t rwd rwds",
    "value": "value values val vals v vs v_s v_tm1 vpred vpreds v_pred v_preds value_preds state_value state_values "
    "baseline baselines critic_values old_values pred_values predicted_values value_estimates values_pred obs_values",
    "next_values": "next_values next_vals next_state_values next_state_value values_next vals_next v_t v_next next_v "
    "next_obs_values next_value_preds v_s_ v_s_prime next_vs values_tp1 next_baseline bootstrap_values "
    "next_state_vals target_values",
    "next_or_last_value": "next_value next_val value_next nextvpred next_vpred v_prime",
    "masked_next_values": "tail tails masked_next_values masked_next_value",
    "last_value": "last_value last_values last_val last_vals last_v bootstrap_value bootstrap_val "
    "final_value final_values final_val v_last value_last tail_value end_value v_final last_state_value",
    "terminated": "terminated terminateds terminations termination terminals terminal term terms is_terminal "
    "is_terminated terminates terminated_flags terminal_flags",
    "truncated": "truncated truncateds truncations truncation trunc truncs timeouts timeout time_outs time_limits "
    "time_limit is_truncated truncated_flags",
    "ended": "done dones d ds done_flags is_done is_dones end ends ended episode_end episode_ends episode_done stops "
    "stop dones_t done_t finished",
    "going_on": "mask masks m nonterminal nonterminals non_terminal non_terminals not_done not_dones notdone notdones "
    "nondone nondones continues cont conts continuation continuations alive done_mask done_masks not_terminal "
    "not_terminated undone undones",
    "next_ended": "next_done next_dones done_next dones_next last_done last_dones next_terminated next_terminal",
    "episode_starts": "episode_starts episode_start starts is_first firsts first news new is_start "
    "episode_begins is_init",
    "discounts": "discounts discount_t discounts_t pcontinues pcont gammas discount_array",
    "discount": "gamma discount discount_factor disc gam discount_rate g",
    "trace_decay": "lam lambda_ lambda lmbda lambd lamda lbd lam_ gae_lambda lambda_gae gae_lam td_lambda trace_decay "
    "tau gae_tau lambda_t",
    "n": "n n_step n_steps nstep nsteps num_steps steps horizon k n_return",
    "next_q": "next_q next_qs next_q_values next_q_value q_next q_values_next next_qvalues next_action_values q_t "
    "q_prime q_next_values qs_next max_next_input target_q_values next_q_all",
    "choosing_q": "next_q_online online_next_q online_next_q_values next_q_values_online q_next_online "
    "online_q_next q_online_next next_online_q choosing_q q_t_selector selector_q q_selector next_q_policy "
    "policy_next_q next_q_main next_q_values_policy online_q online_q_values",
    "valuing_q": "next_q_target target_next_q target_next_q_values next_q_values_target q_next_target target_q_next "
    "q_target_next next_target_q valuing_q q_t_value target_q",
    "next_q1": "next_q1 q1_next next_qf1 qf1_next q1_next_target qf1_next_target target_q1 q1_target next_q1_target",
    "next_q2": "next_q2 q2_next next_qf2 qf2_next q2_next_target qf2_next_target target_q2 q2_target next_q2_target",
    "policy": "next_policy policy probs next_probs next_pi pi action_probs next_action_probs probabilities "
    "next_action_probabilities next_probabilities probs_a_t next_state_action_probs",
    "next_action": "next_action next_actions a_next a_prime next_a actions_next a_t",
    "log_probability": "next_log_prob next_log_probs next_logp next_log_pi log_prob_next logp_next next_state_log_pi "
    "log_pi log_prob log_probs logp log_probability next_log_probability",
    "temperature": "alpha temperature ent_coef entropy_coef entropy_coefficient ent_coeff temp tau_entropy",
}  # fmt: skip

MEANINGS = {name: meaning for meaning, names in NAMES.items() for name in names.split()}

# What `arguments=` may name: the meanings above, without those that only stand for an ambiguous name.
ROLES = tuple(meaning for meaning in NAMES if meaning != "next_or_last_value")

# Tried as lengths of a rollout where a rule has no n-step return in it.
LENGTH = "length"


def read_signature(
    function: Callable[..., Any], arguments: Mapping[str, str], usable: Collection[str], *, n_means: str
) -> dict[str, str]:
    """What a function wants to be given.

    Args:
        function: the user's function.
        arguments: the meaning of parameters whose names do not tell it, {parameter: role}.
        usable: the meanings that a check of this kind can give a parameter.
        n_means: what a parameter named as `n` is, "n" or "length".

    Returns:
        {parameter: meaning}; parameters with a default that mean nothing known are left alone.

    Raises:
        TypeError: not callable, no readable signature, parameters without names, or a required one that means nothing
            known.
        ValueError: `arguments` names a parameter or a role that does not exist.
    """
    if not callable(function):
        raise TypeError(f"a check needs a function, but got {function!r}")
    name = name_of(function)
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"the signature of {name} cannot be read ({error}): pass a function of your own around it, such as "
            "lambda rewards, values, dones, last_value, gamma, lam: ..."
        ) from error
    _check_arguments(name, arguments, parameters)
    meanings: dict[str, str] = {}
    unknown = []
    for parameter in parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        meaning = arguments.get(parameter.name) or _meaning(parameter.name)
        if meaning == "n":
            meaning = n_means
        if meaning in usable:
            meanings[parameter.name] = str(meaning)
        elif parameter.default is parameter.empty:
            unknown.append(parameter.name)
    if unknown or not meanings:
        _refuse(name, unknown, parameters)
    twice = {meaning for meaning in meanings.values() if list(meanings.values()).count(meaning) > 1}
    if twice:
        meaning = min(twice)
        pair = [parameter for parameter in meanings if meanings[parameter] == meaning]
        raise TypeError(
            f"each parameter must mean something else, but {' and '.join(pair)} of {name} both read as {meaning!r}: "
            f'say which is which, as in arguments={{"{pair[0]}": "{meaning}", "{pair[1]}": ...}}; roles are '
            f"{', '.join(ROLES)}"
        )
    return meanings


def name_of(function: Callable[..., Any]) -> str:
    """What to call a function in a message."""
    inner = getattr(function, "func", function)
    return getattr(inner, "__name__", type(inner).__name__)


def _meaning(name: str) -> str | None:
    """What a parameter's name means, or None; letters' case and the name of a buffer around it do not matter."""
    name = name.lower()
    if name in MEANINGS:
        return MEANINGS[name]
    name = name.strip("_")
    if name in MEANINGS:
        return MEANINGS[name]
    first, _, rest = name.partition("_")
    if first in AFFIXES_BEFORE and rest:
        return _meaning(rest)
    rest, _, last = name.rpartition("_")
    if last in AFFIXES_AFTER and rest:
        return _meaning(rest)
    return None


def _check_arguments(name: str, arguments: Mapping[str, str], parameters: Mapping[str, Any]) -> None:
    for parameter, role in arguments.items():
        if parameter not in parameters:
            raise ValueError(
                f"arguments must name parameters of {name}, but it has no {parameter!r}; it has {', '.join(parameters)}"
            )
        if role not in ROLES and role != LENGTH:
            raise ValueError(
                f"arguments must give each parameter one of the roles {', '.join(ROLES)}, {LENGTH}; {parameter!r} has "
                f"{role!r}"
            )


def _refuse(name: str, unknown: list[str], parameters: Mapping[str, Any]) -> None:
    what = (
        f"{', '.join(map(repr, unknown))} of {name}"
        if unknown
        else f"the parameters ({', '.join(parameters)}) of {name}"
    )
    example = unknown[0] if unknown else "x"
    raise TypeError(
        f"cannot tell what is meant by {what}: say it with arguments={{{example!r}: role}}, where the roles are "
        f"{', '.join(ROLES)}, {LENGTH}; or pass a function of your own around it, such as "
        "lambda rewards, values, dones, last_value, gamma, lam: ..."
    )
