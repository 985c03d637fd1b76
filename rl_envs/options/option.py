"""An option, a policy with an initiation set and a termination condition, and its exact model.

Conventions:
- an option lasts at least one step: termination is checked in each state that it arrives in, not in its first state;
- rewards and next states are discounted by discount^k, with k the number of steps taken;
- if the episode ends during an option, the option ends too, and nothing is added for a next state.

Source: Sutton, Precup & Singh (1999), "Between MDPs and semi-MDPs: a framework for temporal abstraction in
reinforcement learning", Artificial Intelligence 112; sections are cited below. Options here are Markov: policy and
termination depend on the state alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rl_envs.mdp.bellman import Matrix, solve_chain
from rl_envs.mdp.finite_mdp import SUM_TOLERANCE, FiniteMDP
from rl_envs.mdp.semi_mdp import reached, scale_rows


@dataclass(frozen=True, eq=False)
class Option:
    """An option: initiation set, policy and termination condition.

    Args:
        name: for messages and pictures.
        initiation: in which states it may start.
        policy: probabilities of actions; a row counts only where the option runs (see `runs`) and must sum to 1 there.
            The other rows are stored as 0.
        termination: the probability that it ends on arriving in a state.

    Raises:
        TypeError: an array of the wrong kind of number.
        ValueError: an array of the wrong shape, invalid probabilities, or an option without a start state; the message
            names the option and the state.

    Source: Sutton, Precup & Singh (1999), section 2.
    """

    name: str
    initiation: np.ndarray  # [S] bool
    policy: np.ndarray  # [S, A] float64
    termination: np.ndarray  # [S] float64

    def __post_init__(self) -> None:
        initiation = np.array(self.initiation)
        policy, termination = (_numbers(self, name) for name in ("policy", "termination"))
        if initiation.dtype != np.bool_:
            raise TypeError(f"initiation of option {self.name!r} must hold bools, but has dtype {initiation.dtype}")
        if initiation.ndim != 1 or policy.shape[:1] != initiation.shape or policy.ndim != 2:
            raise ValueError(
                f"option {self.name!r} must have initiation [states] and policy [states, actions], "
                f"but they have shapes {initiation.shape} and {policy.shape}"
            )
        if termination.shape != initiation.shape:
            raise ValueError(
                f"termination of option {self.name!r} must have initiation's shape {initiation.shape}, "
                f"but has {termination.shape}"
            )
        if not initiation.any():
            raise ValueError(f"option {self.name!r} must start in some state, but may start in none")
        wrong = np.flatnonzero(~((termination >= 0) & (termination <= 1)))
        if len(wrong):
            raise ValueError(
                f"termination of option {self.name!r} must be in [0, 1], "
                f"but in state {wrong[0]} is {termination[wrong[0]]:g}"
            )
        runs = initiation | (termination < 1)
        policy[~runs] = 0.0
        right = (policy >= 0).all(axis=1) & (np.abs(policy.sum(axis=1) - runs) <= SUM_TOLERANCE)  # also refuses NaN
        wrong = np.flatnonzero(~right)
        if len(wrong):
            raise ValueError(
                f"the policy of option {self.name!r} must be probabilities that sum to 1 wherever it runs, "
                f"but in state {wrong[0]} is {policy[wrong[0]].tolist()}"
            )
        for name, array in (("initiation", initiation), ("policy", policy), ("termination", termination)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def runs(self) -> np.ndarray:
        """The states in which it may choose an action, at its start or later. Array [S] of bool."""
        return self.initiation | (self.termination < 1)

    def __repr__(self) -> str:
        return f"Option({self.name!r}, starts in {self.initiation.sum()} of {len(self.initiation)} states)"


@dataclass(frozen=True, eq=False)
class OptionModel:
    """The exact model of an option, from its start to its end.

    Rows for states in which the option cannot run are 0. In a state in which it runs but may not start, the model is
    that of continuing from there.

    Attributes:
        reward: expected discounted reward from here to the end.
        transition: sum over k of discount^k times the probability to end in a state after k steps, SciPy CSR; a row
            sums to at most the discount.
        duration: expected number of steps.
        episode_ends: probability that the episode ends before the option does.
    """

    reward: np.ndarray  # [S] float64
    transition: Any  # [S, S] CSR
    duration: np.ndarray  # [S] float64
    episode_ends: np.ndarray  # [S] float64


def primitive_options(mdp: FiniteMDP, names: Sequence[str] | None = None) -> tuple[Option, ...]:
    """Every action as an option that lasts one step and may start in every nonterminal state.

    Args:
        mdp: the dynamics.
        names: of the actions; by default "action 0", "action 1", ...

    Returns:
        A options, in the order of the actions.

    Raises:
        ValueError: another number of names than of actions.
    """
    names = [f"action {a}" for a in range(mdp.num_actions)] if names is None else list(names)
    if len(names) != mdp.num_actions:
        raise ValueError(f"names must name {mdp.num_actions} actions, but there are {len(names)}")
    everywhere = np.ones(mdp.num_states)
    alone = np.eye(mdp.num_actions)
    return tuple(
        Option(name, ~mdp.terminal_states, np.tile(alone[a], (mdp.num_states, 1)), everywhere)
        for a, name in enumerate(names)
    )


def option_model(mdp: FiniteMDP, option: Option) -> OptionModel:
    """The exact model of an option, by linear solves over the states in which it can run.

    Args:
        mdp: the dynamics.
        option: over the same states and actions.

    Returns:
        Its model.

    Raises:
        TypeError: not an option.
        ValueError: an option over other states or actions, or one that may never end; the message names the state in
            which it is trapped.

    Source: Sutton, Precup & Singh (1999), section 3. Their expectations over discount^k, with the actual length k, are
        the solutions of the linear equations solved here.
    """
    from scipy.sparse import csr_array

    if not isinstance(option, Option):
        raise TypeError(f"option must be an Option, but is {option!r}")
    if option.policy.shape != (mdp.num_states, mdp.num_actions):
        raise ValueError(
            f"option {option.name!r} must be over {mdp.num_states} states and {mdp.num_actions} actions, "
            f"but is over {option.policy.shape[0]} and {option.policy.shape[1]}"
        )
    arrive, ends = _chain(mdp, option.policy)
    go_on, stop = _split(arrive, option.termination)
    running = reached(go_on, option.initiation & ~mdp.terminal_states)
    stop = scale_rows(stop, running)
    trapped = running & ~reached(go_on.T.tocsr(), (np.diff(stop.indptr) > 0) | (ends > 0))
    if trapped.any():
        raise ValueError(
            f"option {option.name!r} must end with probability 1 from every state it reaches, "
            f"but is trapped in state {np.flatnonzero(trapped)[0]}"
        )
    here = np.flatnonzero(running)
    inside = go_on[here][:, here]
    one_step = inside.nnz == 0

    def to_the_end(each_step: np.ndarray, discount: float) -> np.ndarray:
        """The sum of a quantity over all steps until the option ends: x = each_step + discount * inside x."""
        return each_step if one_step or each_step.size == 0 else solve_chain(inside, each_step, discount)

    def spread(values: np.ndarray) -> np.ndarray:
        everywhere = np.zeros(mdp.num_states)
        everywhere[here] = values
        return everywhere

    if one_step:
        transition = mdp.discount * stop
    else:
        # Most options end in few states, so there are few right-hand sides.
        last = np.unique(stop.indices)
        discounted = to_the_end(mdp.discount * stop[here][:, last].toarray(), mdp.discount)
        row, column = np.nonzero(discounted > 0)  # anything below 0 is rounding: no term of the series is negative
        transition = csr_array((discounted[row, column], (here[row], last[column])), shape=stop.shape)
    reward = np.einsum("sa,sa->s", option.policy, mdp.mean_reward)
    return OptionModel(
        reward=spread(to_the_end(reward[here], mdp.discount)),
        transition=transition,
        duration=spread(to_the_end(np.ones(len(here)), 1.0)),
        episode_ends=spread(to_the_end(ends[here], 1.0)),
    )


def _chain(mdp: FiniteMDP, policy: np.ndarray) -> tuple[Matrix, np.ndarray]:
    """Under a policy [S, A], the probability of arriving in each state, CSR [S, S], and of ending the episode, [S]."""
    from scipy.sparse import csr_array

    weight = policy[:, :, None] * mdp.probability
    ends = np.where(mdp.terminated, weight, 0.0).sum(axis=(1, 2))
    s, a, k = np.nonzero(np.where(mdp.terminated, 0.0, weight))
    shape = (mdp.num_states, mdp.num_states)
    return csr_array((weight[s, a, k], (s, mdp.next_state[s, a, k])), shape=shape), ends


def _split(arrive: Matrix, termination: np.ndarray) -> tuple[Matrix, Matrix]:
    """The transitions after which the option continues, and those at which it ends."""
    parts = []
    for share in (1 - termination, termination):
        part = arrive.copy()
        part.data = part.data * share[part.indices]
        part.eliminate_zeros()
        parts.append(part)
    return parts[0], parts[1]


def _numbers(option: Option, name: str) -> np.ndarray:
    """One of an option's arrays as a new float64 array."""
    array = np.array(getattr(option, name))
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} of option {option.name!r} must hold real numbers, but has dtype {array.dtype}")
    return array.astype(np.float64)
