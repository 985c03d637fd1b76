"""Asserts that learned values are the optimal ones, state by state."""

from __future__ import annotations

from typing import Any

import numpy as np

from rl_envs.exact import Truth, truth

# How far values may be off where nothing is said, as a share of the largest optimal value.
SHARE = 0.05

# So many of the worst entries are told.
TOLD = 5


def assert_values(
    model: Any,
    world: Any,
    *,
    tolerance: float | None = None,
    discount: float | None = None,
    states: Any = None,
) -> None:
    """Assert that a model's values are the optimal ones, v* or q*, which are exact.

    Values often tell what a score does not: an agent that bootstraps through the end of episodes may act perfectly and
    believe in values that do not exist.

    Args:
        model: an object with `q_values(observations)` or `value(observations)`, a function of observations, or an
            array. Observations come in one batch, [S, ...]; it gives action values [S, A], compared with q*, or values
            [S] or [S, 1], compared with v*. A torch tensor will do.
        world: what `rl_envs.truth` takes: a name, an id, an environment, a `World` or a `FiniteMDP`.
        tolerance: how far a value may be off, in units of discounted reward; 5% of the largest optimal value, positive
            or negative, when left out.
        discount: gamma; the world's own when left out.
        states: the states to look at, indices or a mask [S]; when left out all that can be reached from the start and
            do not end the episode. An agent that learns on its own path knows little of other states: name those.

    Raises:
        AssertionError: a value is off by more, or is not finite; the message lists the worst.
        TypeError: no values can be had from the model.
        ValueError: values of a shape that fits no table, no state to look at, or states that look alike and differ.
    """
    __tracebackhide__ = True
    answers = truth(world, discount=discount)
    looked_at = _states(answers, states)
    learned = _learned(model, answers)
    right = answers.q_star if learned.ndim == 2 else answers.v_star
    _check_look_alikes(answers, right, looked_at)
    learned, right = learned[looked_at], right[looked_at]
    largest = float(np.abs(right).max())
    allowed = SHARE * largest if tolerance is None else tolerance
    error = np.abs(learned - right)
    error = np.where(np.isfinite(error), error, np.inf)
    if error.max() <= allowed:
        return
    name, index = ("q*", "state, action") if learned.ndim == 2 else ("v*", "state")
    origin = f" ({SHARE:.0%} of the largest {name})" if tolerance is None else ""
    lines = [
        f"the values of {_name(model)} are not {name} of {answers.name}: off by up to {error.max():.4g}, where "
        f"{allowed:.4g}{origin} is allowed, in units of reward discounted by {answers.mdp.discount:g}",
        f"{int((error > allowed).sum())} of {error.size} are off by more; the worst ({index}: learned, right):",
    ]
    for place in np.argsort(-error, axis=None, kind="stable")[:TOLD]:
        where = np.unravel_index(place, error.shape)
        labels = [str(looked_at[where[0]]), *map(str, where[1:])]
        lines.append(f"  {', '.join(labels)}: {learned[where]:.4g}, {right[where]:.4g}")
    raise AssertionError("\n".join(lines))


def _states(answers: Truth, states: Any) -> np.ndarray:
    """Indices of the states to look at."""
    mdp = answers.mdp
    if states is None:
        chosen = np.flatnonzero(_reachable(answers) & ~mdp.terminal_states)
    else:
        states = np.asarray(states)
        chosen = np.flatnonzero(states) if states.dtype == bool else states.reshape(-1)
        outside = chosen[(chosen < 0) | (chosen >= mdp.num_states)]
        if len(outside):
            raise ValueError(f"states must be in 0..{mdp.num_states - 1}, but one is {outside[0]}")
    if len(chosen) == 0:
        raise ValueError(f"there must be a state to look at, but states={states!r} has none of {answers.name}")
    return np.asarray(chosen)


def _reachable(answers: Truth) -> np.ndarray:
    """Whether each state can be reached from the start, [S] bool."""
    mdp = answers.mdp
    reached = mdp.start > 0
    while True:
        leads = (mdp.probability[reached] > 0) & ~mdp.terminated[reached]
        more = reached.copy()
        more[mdp.next_state[reached][leads]] = True
        if (more == reached).all():
            return reached
        reached = more


def _learned(model: Any, answers: Truth) -> np.ndarray:
    """The model's values of every state, [S] or [S, A]."""
    observations = answers.observations  # [S, ...]
    num_states, num_actions = answers.mdp.num_states, answers.mdp.num_actions
    if hasattr(model, "q_values"):
        given = model.q_values(observations)
    elif hasattr(model, "value"):
        given = model.value(observations)
    elif callable(model):
        given = model(observations)
    elif isinstance(model, (np.ndarray, list, tuple)):
        given = model
    else:
        raise TypeError(
            "a model must have q_values(observations) or value(observations), be a function of observations or an "
            f"array, but is {model!r}"
        )
    given = np.asarray(given.detach().cpu() if hasattr(given, "detach") else given, dtype=np.float64)
    if given.shape == (num_states, num_actions):
        return given
    if given.shape in ((num_states,), (num_states, 1)):
        return given.reshape(num_states)
    raise ValueError(
        f"values of {answers.name} must have shape ({num_states}, {num_actions}) or ({num_states},), but have "
        f"{given.shape}"
    )


def _check_look_alikes(answers: Truth, right: np.ndarray, states: np.ndarray) -> None:
    """Raise if two states look the same and are not worth the same: no function of observations can be right."""
    first: dict[bytes, int] = {}
    observations = np.asarray(answers.observations)
    for state in states:
        twin = first.setdefault(observations[state].tobytes(), int(state))
        if not np.allclose(right[twin], right[state]):
            raise ValueError(
                f"values must be a function of the observation, but states {twin} and {state} of {answers.name} look "
                "the same and are worth different things"
            )


def _name(model: Any) -> str:
    return getattr(model, "__name__", type(model).__name__)
