"""A finite Markov decision process held as tables: the dynamics p(s', r | s, a) of Sutton & Barto (2018), eq. 3.2.

Each pair of state and action has K weighted outcomes. K is the largest number that any pair needs, so 100,000 states
with three outcomes per pair take megabytes, and there is never an array [S, A, S].
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

# How far a row of probabilities may be from 1: a row summed from a million float64 terms stays well inside it.
SUM_TOLERANCE = 1e-9


class Outcome(NamedTuple):
    """One possible result of an action, as `tabulate` takes it from a rule."""

    probability: float
    next_state: int
    reward: float = 0.0
    terminated: bool = False
    reward_std: float = 0.0


@dataclass(frozen=True, eq=False)
class FiniteMDP:
    """The dynamics of an environment as tables, validated once and then read-only.

    Two tables are equal if their contents are; `content_hash` identifies the contents.

    Args:
        probability: probability of each outcome; sums to 1 over K. Outcomes of probability 0 are padding.
        next_state: index of the state that the outcome leads to.
        reward: mean reward of the outcome.
        terminated: whether the episode ends with the outcome.
        start: distribution of the first state.
        discount: gamma, in [0, 1].
        reward_std: standard deviation of the Gaussian noise on the reward, or None for rewards without noise.

    Raises:
        TypeError: a table of the wrong kind of number.
        ValueError: a table of the wrong shape, or an entry that breaks a rule; the message names the entry.

    Source: Sutton & Barto (2018), section 3.1.
    """

    probability: np.ndarray  # [S, A, K] float64
    next_state: np.ndarray  # [S, A, K] int64
    reward: np.ndarray  # [S, A, K] float64
    terminated: np.ndarray  # [S, A, K] bool
    start: np.ndarray  # [S] float64
    discount: float
    reward_std: np.ndarray | None = None  # [S, A, K] float64

    def __post_init__(self) -> None:
        probability = _table("probability", self.probability, np.float64)
        if probability.ndim != 3 or 0 in probability.shape:
            raise ValueError(
                f"probability must have shape [states, actions, outcomes], none of them 0, but has {probability.shape}"
            )
        next_state = _table("next_state", self.next_state, np.int64)
        reward = _table("reward", self.reward, np.float64)
        terminated = _table("terminated", self.terminated, np.bool_)
        reward_std = None if self.reward_std is None else _table("reward_std", self.reward_std, np.float64)
        start = _table("start", self.start, np.float64)

        named = {"next_state": next_state, "reward": reward, "terminated": terminated, "reward_std": reward_std}
        for name, table in named.items():
            if table is not None and table.shape != probability.shape:
                raise ValueError(f"{name} must have probability's shape {probability.shape}, but has {table.shape}")
        if start.shape != probability.shape[:1]:
            raise ValueError(f"start must have shape ({probability.shape[0]},), but has {start.shape}")
        _check_distributions(probability)
        _check_next_states(next_state)
        if reward_std is not None:
            _refuse_first(reward_std < 0, reward_std, "reward_std must not be negative")
        _refuse_first(start < 0, start, "start must not be negative")
        if abs(start.sum() - 1) > SUM_TOLERANCE:
            raise ValueError(f"start must sum to 1, but sums to {start.sum():g}")

        for name, table in [*named.items(), ("probability", probability), ("start", start)]:
            if table is not None:
                table.flags.writeable = False
            object.__setattr__(self, name, table)
        object.__setattr__(self, "discount", check_discount(self.discount))

    @property
    def num_states(self) -> int:
        """S, the number of states."""
        return int(self.probability.shape[0])

    @property
    def num_actions(self) -> int:
        """A, the number of actions, the same in every state."""
        return int(self.probability.shape[1])

    @property
    def num_outcomes(self) -> int:
        """K, the largest number of outcomes of any state and action."""
        return int(self.probability.shape[2])

    @cached_property
    def mean_reward(self) -> np.ndarray:
        """The expected reward r(s, a).

        Returns:
            Array [S, A], in units of reward.

        Source: Sutton & Barto (2018), eq. 3.5.
        """
        # Padding has probability 0, so it adds nothing.
        return read_only(np.einsum("sak,sak->sa", self.probability, self.reward))

    @cached_property
    def cumulative(self) -> np.ndarray:
        """Cumulative probabilities over K, for sampling: outcome k is drawn when cumulative[k-1] <= u < cumulative[k].

        The entries are exactly 1 from the last possible outcome on. So a uniform number just below 1 never falls past a
        row whose probabilities sum to 1 - 1e-16, and never onto padding.

        Returns:
            Array [S, A, K].
        """
        cumulative = np.cumsum(self.probability, axis=2)
        possible = self.probability > 0
        last = self.num_outcomes - 1 - np.argmax(possible[:, :, ::-1], axis=2)
        cumulative[np.arange(self.num_outcomes) >= last[:, :, None]] = 1.0
        return read_only(cumulative)

    @cached_property
    def terminal_states(self) -> np.ndarray:
        """The terminal states: every action ends the episode there at once, in place and without reward.

        Returns:
            Array [S] of bool. A state in which an episode can start is never one of them.
        """
        here = np.arange(self.num_states)[:, None, None]
        ended = self.terminated & (self.next_state == here) & (self.reward == 0)
        if self.reward_std is not None:
            ended = ended & (self.reward_std == 0)
        return read_only((ended | (self.probability == 0)).all(axis=(1, 2)) & (self.start == 0))

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of every entry, as 64 hexadecimal digits; equal tables have equal hashes, on every machine."""
        digest = hashlib.sha256()
        for field in fields(self):
            value = getattr(self, field.name)
            digest.update(field.name.encode())
            if isinstance(value, np.ndarray):
                digest.update(str(value.shape).encode())
                # Adding 0 turns -0.0 into 0.0: the two are equal, so their hashes must be. Little-endian everywhere.
                number = value if value.dtype == np.bool_ else (value + 0).astype(value.dtype.newbyteorder("<"))
                digest.update(number.tobytes())
            else:
                digest.update(repr(value).encode())
        return digest.hexdigest()

    def transitions(self) -> dict[int, dict[int, list[tuple[float, int, float, bool]]]]:
        """The table in Gymnasium's toy-text form, `P[state][action] = [(probability, next_state, reward, terminated)]`.

        Returns:
            Nested dictionaries of plain Python numbers, without padding. This form cannot hold noise on rewards.
        """
        columns = (self.probability.tolist(), self.next_state.tolist(), self.reward.tolist(), self.terminated.tolist())
        return {
            s: {
                a: [row for row in zip(*(column[s][a] for column in columns), strict=True) if row[0] > 0]
                for a in range(self.num_actions)
            }
            for s in range(self.num_states)
        }

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FiniteMDP):
            return NotImplemented
        return self is other or self.content_hash == other.content_hash

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def __reduce__(self) -> tuple[Any, ...]:
        # Through the constructor, because plain unpickling would return writable arrays.
        return FiniteMDP, tuple(getattr(self, field.name) for field in fields(self))

    def __deepcopy__(self, memo: dict[int, Any]) -> FiniteMDP:
        return self  # nothing in it can change

    def __repr__(self) -> str:
        return (
            f"FiniteMDP(num_states={self.num_states}, num_actions={self.num_actions}, "
            f"num_outcomes={self.num_outcomes}, discount={self.discount})"
        )


def tabulate(
    outcomes: Callable[[int, int], Iterable[Sequence[Any]]],
    *,
    num_states: int,
    num_actions: int,
    start: int | Sequence[float] | np.ndarray,
    discount: float,
) -> FiniteMDP:
    """Build the table of an environment from its rule.

    Outcomes of probability 0 are dropped, and outcomes that differ only in probability are merged, so the rule can be
    written in the simplest way.

    Args:
        outcomes: the rule; called with every state and action, it yields `Outcome`s or plain tuples in their order
            (probability, next_state, reward, terminated, reward_std), of which the last three may be left out.
        num_states: S, at least 1.
        num_actions: A, at least 1.
        start: the first state, or a distribution [S] over it.
        discount: gamma, in [0, 1].

    Returns:
        The table, with K the largest number of different outcomes of any pair.

    Raises:
        TypeError: an outcome of another form; the message names its pair.
        ValueError: a pair without outcomes, or anything that `FiniteMDP` refuses.
    """
    for name, value in (("num_states", num_states), ("num_actions", num_actions)):
        check_integer(name, value, low=1)
    rows = [
        _merge(outcomes(state, action), state, action) for state in range(num_states) for action in range(num_actions)
    ]
    width = max(len(row) for row in rows)
    shape = (num_states, num_actions, width)

    # Padding stays where it is: a next state of its own keeps every index valid.
    probability, reward, reward_std = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    terminated = np.zeros(shape, dtype=np.bool_)
    next_state = np.broadcast_to(np.arange(num_states)[:, None, None], shape).copy()
    for pair, row in enumerate(rows):
        s, a = divmod(pair, num_actions)
        for k, outcome in enumerate(row):
            probability[s, a, k], next_state[s, a, k], reward[s, a, k] = outcome[:3]
            terminated[s, a, k], reward_std[s, a, k] = outcome[3:]
    return FiniteMDP(
        probability=probability,
        next_state=next_state,
        reward=reward,
        terminated=terminated,
        start=start_distribution(start, num_states),
        discount=discount,
        reward_std=reward_std if reward_std.any() else None,
    )


def from_transitions(
    transitions: Mapping[int, Mapping[int, Iterable[Sequence[Any]]]] | Sequence[Sequence[Iterable[Sequence[Any]]]],
    initial_distribution: int | Sequence[float] | np.ndarray,
    *,
    discount: float = 1.0,
) -> FiniteMDP:
    """Convert a table in the form of Gymnasium's toy-text environments.

    Args:
        transitions: `P[state][action] = [(probability, next_state, reward, terminated), ...]`, dictionaries or lists,
            with states and actions counted from 0.
        initial_distribution: the first state, or a distribution [S] over it (`env.unwrapped.initial_state_distrib`).
        discount: gamma; toy-text tables have none, so the default is 1, the undiscounted return.

    Returns:
        The table as a `FiniteMDP`.

    Raises:
        ValueError: states or actions that are not 0, 1, 2, ..., states with different numbers of actions, or anything
            that `FiniteMDP` refuses.

    Source: Gymnasium, `envs/toy_text`.
    """
    num_states = len(transitions)
    if num_states == 0:
        raise ValueError("transitions must have at least one state, but is empty")
    for state in range(num_states):
        if isinstance(transitions, Mapping) and state not in transitions:
            raise ValueError(f"transitions must have the states 0..{num_states - 1}, but state {state} is missing")
        actions = transitions[state]
        if len(actions) != len(transitions[0]):
            raise ValueError(
                f"every state must have the same number of actions, but state 0 has {len(transitions[0])} "
                f"and state {state} has {len(actions)}"
            )
        missing = set(range(len(actions))) - set(actions) if isinstance(actions, Mapping) else set()
        if missing:
            raise ValueError(
                f"transitions must have the actions 0..{len(actions) - 1}, but state {state} lacks {min(missing)}"
            )
    return tabulate(
        lambda state, action: transitions[state][action],
        num_states=num_states,
        num_actions=len(transitions[0]),
        start=initial_distribution,
        discount=discount,
    )


def start_distribution(start: int | Sequence[float] | np.ndarray, num_states: int) -> np.ndarray:
    """A distribution over the first state, from a state's index or from itself.

    Args:
        start: a state's index, or probabilities [S].
        num_states: S.

    Returns:
        Probabilities [S].

    Raises:
        TypeError: neither an index nor numbers.
        ValueError: an index that is not a state, or probabilities of another shape.
    """
    if isinstance(start, (int, np.integer)) and not isinstance(start, bool):
        if not 0 <= start < num_states:
            raise ValueError(f"start must be a state 0..{num_states - 1}, but is {start}")
        distribution = np.zeros(num_states)
        distribution[start] = 1.0
        return distribution
    try:
        distribution = np.array(start, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"start must be a state or probabilities, one per state, but is {start!r}") from None
    if distribution.shape != (num_states,):
        raise ValueError(f"start must be a state or have shape ({num_states},), but has {distribution.shape}")
    return distribution


def check_discount(discount: float) -> float:
    """The discount as a float; raises ValueError or TypeError unless it is a number in [0, 1]."""
    return check_probability("discount", discount)


def check_probability(name: str, value: float) -> float:
    """A number in [0, 1] as a float; raises ValueError or TypeError naming the argument otherwise."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} must be a number, but is {value!r}")
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must be in [0, 1], but is {value}")
    return float(value)


def check_integer(name: str, value: int, *, low: int, high: int | None = None) -> int:
    """An integer in low..high as an int; raises ValueError or TypeError naming the argument otherwise."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer, but is {value!r}")
    if value < low or (high is not None and value > high):
        bounds = f"at least {low}" if high is None else f"in {low}..{high}"
        raise ValueError(f"{name} must be {bounds}, but is {value}")
    return int(value)


def _merge(outcomes: Iterable[Sequence[Any]], state: int, action: int) -> list[Outcome]:
    """The different possible outcomes of one pair, in the order in which the rule first gave them."""
    where = f"state {state}, action {action}"
    if not isinstance(outcomes, Iterable):
        raise TypeError(f"outcomes must be a list of them, but {where} has {outcomes!r}")
    merged: dict[tuple[int, float, bool, float], float] = {}
    for given in outcomes:
        outcome = _checked(given, where)
        if outcome.probability > 0:
            key = (outcome.next_state, outcome.reward, outcome.terminated, outcome.reward_std)
            merged[key] = merged.get(key, 0.0) + outcome.probability
    if not merged:
        raise ValueError(f"a pair must have an outcome that can happen, but {where} has none")
    return [Outcome(probability, *key) for key, probability in merged.items()]


def _checked(given: Sequence[Any], where: str) -> Outcome:
    """One outcome of a rule in plain Python numbers; errors name its state and action."""
    try:
        outcome = Outcome(*given)
    except TypeError:
        raise TypeError(
            f"an outcome must be ({', '.join(Outcome._fields)}), the last three optional, but {where} has {given!r}"
        ) from None
    if isinstance(outcome.next_state, bool) or not isinstance(outcome.next_state, (int, np.integer)):
        raise TypeError(f"next_state must be an integer, but {where} leads to {outcome.next_state!r}")
    # Any text but an empty one would count as True.
    if isinstance(outcome.terminated, str) or outcome.terminated not in (0, 1):
        raise TypeError(f"terminated must be a bool, but {where} has {outcome.terminated!r}")
    try:
        probability, reward, reward_std = map(float, (outcome.probability, outcome.reward, outcome.reward_std))
    except (TypeError, ValueError):
        raise TypeError(f"probability, reward and reward_std must be numbers, but {where} has {given!r}") from None
    if not probability >= 0:
        raise ValueError(f"probability must not be negative or NaN, but {where} has {probability:g}")
    return Outcome(probability, int(outcome.next_state), reward, bool(outcome.terminated), reward_std)


def _table(name: str, values: Any, dtype: type) -> np.ndarray:
    """A contiguous copy with the given dtype; refuses numbers that the conversion would change."""
    array = np.asarray(values)
    allowed = {np.float64: "fiu", np.int64: "iu", np.bool_: "b"}[dtype]
    if array.dtype.kind not in allowed:
        kind = {np.float64: "real numbers", np.int64: "integers", np.bool_: "bools"}[dtype]
        raise TypeError(f"{name} must hold {kind}, but has dtype {array.dtype}")
    if array.dtype.kind == "f":
        _refuse_first(~np.isfinite(array), array, f"{name} must be finite")
    return np.array(array, dtype=dtype, order="C")


def _check_distributions(probability: np.ndarray) -> None:
    _refuse_first(probability < 0, probability, "probability must not be negative")
    sums = probability.sum(axis=2)
    wrong = np.abs(sums - 1) > SUM_TOLERANCE
    if wrong.any():
        s, a = np.argwhere(wrong)[0]
        raise ValueError(f"probabilities must sum to 1, but state {s}, action {a} sums to {sums[s, a]:g}")


def _check_next_states(next_state: np.ndarray) -> None:
    num_states = next_state.shape[0]
    wrong = (next_state < 0) | (next_state >= num_states)
    _refuse_first(wrong, next_state, f"next_state must be in 0..{num_states - 1}")


def _refuse_first(wrong: np.ndarray, table: np.ndarray, rule: str) -> None:
    """Raise an error with the rule and the first offender: its state, action and outcome (if any) and its value."""
    if not wrong.any():
        return
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    place = ", ".join(f"{axis} {i}" for axis, i in zip(("state", "action", "outcome"), index, strict=False))
    raise ValueError(f"{rule}, but {place} has {table[index]:g}")


def read_only(array: np.ndarray) -> np.ndarray:
    """The same array, made read-only."""
    array.flags.writeable = False
    return array
