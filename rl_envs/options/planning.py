"""Exact planning over options: a finite MDP with a set of options is a semi-Markov decision process.

Planning only needs the models of the options. The maximum is over the options that may start in a state. Every
nonterminal state must have one; no option starts in a terminal state, whose value is 0.

Source: Sutton, Precup & Singh (1999), "Between MDPs and semi-MDPs: a framework for temporal abstraction in
reinforcement learning", Artificial Intelligence 112.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rl_envs.mdp.finite_mdp import FiniteMDP, check_integer
from rl_envs.mdp.semi_mdp import SemiMDP
from rl_envs.options.option import Option, OptionModel, option_model


@dataclass(frozen=True, eq=False)
class OptionPlan:
    """The optimum over a set of options.

    Attributes:
        v: value of each state under the optimal policy over options; 0 in terminal states.
        q: value of starting each option in each state; -inf where it may not start.
        policy: one best option in each state, as probabilities; all 0 in terminal states.
    """

    v: np.ndarray  # [S] float64
    q: np.ndarray  # [S, O] float64
    policy: np.ndarray  # [S, O] float64


def plan(mdp: FiniteMDP, options: Sequence[Option]) -> OptionPlan:
    """The optimal policy over options, by policy iteration over their models.

    Guarantee: every policy is better than the one before and there are finitely many, so it ends at the optimum; each
    is evaluated by a linear solve. At discount 1 it is the best of the policies that end every episode.

    Args:
        mdp: the dynamics.
        options: to choose from; add `primitive_options(mdp)` for primitive actions.

    Returns:
        The optimal values and a policy that attains them.

    Raises:
        ValueError: a state in which no option may start, an option that `option_model` refuses, or, at discount 1, a
            state from which the episode never ends under the options or under the best policy over them.

    Source: Sutton, Precup & Singh (1999), section 3; Puterman (1994), Markov Decision Processes, section 6.4.
    """
    process = semi_mdp_of(mdp, models_of(mdp, options), options)
    choice = process.towards(process.ends + process.value_at_end(mdp.terminal_states.astype(np.float64)))
    if mdp.discount == 1:
        process.refuse_nonterminating(choice < 0)
        choice = process.shorten(np.maximum(choice, 0))
    anything = process.offered.argmax(axis=1)
    policy = process.one_hot(process.improve(np.where(choice < 0, anything, choice)))
    v = process.evaluate(policy)
    return OptionPlan(v, process.action_values(v), policy)


def sweep_values(mdp: FiniteMDP, options: Sequence[Option], num_sweeps: int) -> np.ndarray:
    """Synchronous value iteration over options, from values of 0.

    Args:
        mdp: the dynamics.
        options: to choose from.
        num_sweeps: number of sweeps; each backs up every state once from the values of the previous sweep.

    Returns:
        The values before the first sweep and after each, [num_sweeps + 1, S].

    Raises:
        ValueError: a state in which no option may start, or an option that `option_model` refuses.

    Source: Sutton, Precup & Singh (1999), section 3.
    """
    num_sweeps = check_integer("num_sweeps", num_sweeps, low=0)
    process = semi_mdp_of(mdp, models_of(mdp, options), options)
    values = np.zeros((num_sweeps + 1, mdp.num_states))
    for sweep in range(num_sweeps):
        values[sweep + 1] = process.backup(values[sweep])
    return values


def evaluate_options(mdp: FiniteMDP, options: Sequence[Option], policy: np.ndarray) -> np.ndarray:
    """The exact value of a policy over options, each followed to its end before the next is chosen.

    Args:
        mdp: the dynamics.
        options: those that the policy chooses from.
        policy: probability of starting each option in each state, [S, O]; rows of terminal states are not read.

    Returns:
        Values [S].

    Raises:
        ValueError: a policy of the wrong shape, probabilities that do not sum to 1, an option chosen where it may not
            start, an option that `option_model` refuses, or, at discount 1, a policy under which an episode never ends.

    Source: Sutton, Precup & Singh (1999), section 3.
    """
    process = semi_mdp_of(mdp, models_of(mdp, options), options)
    return process.evaluate(process.checked(policy))


def interrupted(mdp: FiniteMDP, options: Sequence[Option], policy: np.ndarray) -> tuple[Option, ...]:
    """The options, interrupted wherever choosing a new option is worth more than continuing.

    With the interrupted options, the policy is worth at least as much in every state, and more where a gainful
    interruption can occur: `evaluate_options(mdp, interrupted(mdp, options, policy), policy)`.

    Args:
        mdp: the dynamics.
        options: those that the policy chooses from.
        policy: probability of starting each option in each state, [S, O]; rows of terminal states are not read.

    Returns:
        For each option one that also ends on arriving where q(s, option) < v(s), both under the policy.

    Raises:
        ValueError: as `evaluate_options`.

    Source: Sutton, Precup & Singh (1999), section 4 and theorem 2.
    """
    models = models_of(mdp, options)
    process = semi_mdp_of(mdp, models, options)
    v = process.evaluate(process.checked(policy))
    shortened = []
    for option, model in zip(options, models, strict=True):
        going_on = model.reward + model.transition @ v
        better_anew = (model.duration > 0) & ~mdp.terminal_states & (going_on < v - process.rounding(v))
        termination = np.where(better_anew, 1.0, option.termination)
        shortened.append(Option(option.name, option.initiation, option.policy, termination))
    return tuple(shortened)


def flat_policy(mdp: FiniteMDP, options: Sequence[Option], policy: np.ndarray) -> np.ndarray:
    """The policy over primitive actions that chooses a new option at every step and takes its action.

    If options may start wherever they continue, and the policy is greedy for its own values, this is worth at least as
    much as following each option to its end: it interrupts at every step, even where continuing would lose nothing.

    Args:
        mdp: the dynamics.
        options: those that the policy chooses from.
        policy: probability of starting each option in each state, [S, O]; rows of terminal states are not read.

    Returns:
        Probabilities [S, A]; uniform in terminal states.

    Raises:
        ValueError: as `evaluate_options`.
    """
    weights = semi_mdp_of(mdp, models_of(mdp, options), options).checked(policy)
    actions = np.einsum("so,osa->sa", weights, np.stack([option.policy for option in options]))
    return np.where(mdp.terminal_states[:, None], 1 / mdp.num_actions, actions)


def models_of(mdp: FiniteMDP, options: Sequence[Option]) -> list[OptionModel]:
    """The models of some options; raises ValueError if there are none, and as `option_model`."""
    if not options:
        raise ValueError("options must hold at least one option, but are empty")
    return [option_model(mdp, option) for option in options]


def semi_mdp_of(mdp: FiniteMDP, models: Sequence[OptionModel], options: Sequence[Option]) -> SemiMDP:
    """The semi-MDP of the options; raises ValueError if a nonterminal state has no option."""
    going_on = ~mdp.terminal_states
    offered = np.stack([option.initiation & going_on for option in options], axis=1)
    without = np.flatnonzero(going_on & ~offered.any(axis=1))
    if len(without):
        raise ValueError(
            "some option must start in every nonterminal state, "
            f"but in state {without[0]} none may; primitive_options(mdp) may everywhere"
        )
    return SemiMDP(
        offered=offered,
        reward=np.stack([model.reward for model in models], axis=1),
        transitions=[model.transition for model in models],
        ends=np.stack([model.episode_ends for model in models], axis=1),
        duration=np.stack([model.duration for model in models], axis=1),
        discounted=mdp.discount < 1,
    )
