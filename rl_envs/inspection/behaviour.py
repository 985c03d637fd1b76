"""Which states behave the same, whatever is done in them: the coarsest bisimulation of the table.

States are told apart by what is seen in them, then by the law of what is seen, paid and ended next, then by the law of
what those states do, until nothing more is told apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rl_envs.inspection.table_view import TableView, number

# Probabilities are compared in steps of this. It is no round number, so that no probability that one meets lies at the
# edge of a step, where rounding would tell equal ones apart.
QUANTUM = 1.0000000123e-9


@dataclass(frozen=True)
class LookAlikes:
    """How states look and behave.

    Attributes:
        seen: for each state the first one that looks the same, [S].
        observations: how many different observations there are where an episode is running.
        different: how many states look like another that behaves differently.
        pair: two of them, an action that behaves differently there, and how; None where there are none.
    """

    seen: np.ndarray
    observations: int
    different: int
    pair: tuple[int, int, int, str] | None


def look_alikes(view: TableView) -> LookAlikes:
    """Find states that look alike and behave differently.

    Args:
        view: the table.

    Returns:
        What was found.

    Source: Givan, Dean & Greig (2003), Equivalence notions and model minimization in Markov decision processes.
    """
    mdp = view.mdp
    seen = view.world.observation.first_alike(mdp.num_states)
    states = np.flatnonzero(view.playing)
    observations = len(np.unique(seen[states]))
    if observations == len(states):
        return LookAlikes(seen, observations, 0, None)
    # Ends are told apart by nothing: what is seen after the end changes nothing that can be earned.
    label = np.unique(seen, return_inverse=True)[1].astype(np.int64)
    first = last = label
    while True:
        refined = _refined(view, last)
        if int(refined.max()) == int(last.max()):
            break
        if first is label:
            first = refined
        last = refined
    pair = _pair(view, seen, states, label, first, last)
    if pair is None:
        return LookAlikes(seen, observations, 0, None)
    different = sum(
        len(members)
        for members in _groups(seen[states], states)
        if len(members) > 1 and len(np.unique(last[members])) > 1
    )
    return LookAlikes(seen, observations, different, pair)


def _groups(by: np.ndarray, states: np.ndarray) -> list[np.ndarray]:
    order = np.argsort(by, kind="stable")
    cuts = np.flatnonzero(np.diff(by[order])) + 1
    return np.split(states[order], cuts)


def _refined(view: TableView, label: np.ndarray) -> np.ndarray:
    """The partition [S] in which states also differ by the law of their outcomes."""
    mdp = view.mdp
    s, a, k = np.nonzero(view.possible)
    code = _codes(view, label)[s, a, k]
    pair = s * mdp.num_actions + a
    order = np.lexsort((code, pair))
    pair, code, p = pair[order], code[order], mdp.probability[s, a, k][order]
    new = np.concatenate([[True], (np.diff(pair) != 0) | (np.diff(code) != 0)])
    mass = np.add.reduceat(p, np.flatnonzero(new))
    pair, code = pair[new], code[new]
    # A law is hashed to 64 bits: the sum of its parts' hashes, modulo 2^64, which no order changes.
    parts = np.rint(mass / QUANTUM).astype(np.uint64) * _hash(code.astype(np.uint64))
    laws = np.zeros(mdp.num_states * mdp.num_actions, dtype=np.uint64)
    np.add.at(laws, pair, parts)
    weights = _hash(np.arange(1, mdp.num_actions + 1, dtype=np.uint64))
    rows = (_hash(laws).reshape(mdp.num_states, mdp.num_actions) * weights).sum(axis=1, dtype=np.uint64)
    both = np.stack([label.astype(np.uint64), rows], axis=1)
    return np.unique(both, axis=0, return_inverse=True)[1].ravel().astype(np.int64)


def _codes(view: TableView, label: np.ndarray) -> np.ndarray:
    """A number for each outcome [S, A, K]: the same where reward, its noise, the end and the next label are."""
    mdp = view.mdp
    rewards = np.unique(np.round(mdp.reward, 9), return_inverse=True)[1].reshape(mdp.reward.shape)
    next_label = np.where(mdp.terminated, 0, label[mdp.next_state] + 1)
    code = rewards * (int(label.max()) + 2) + next_label
    if mdp.reward_std is not None:
        noise = np.unique(np.round(mdp.reward_std, 9), return_inverse=True)[1].reshape(mdp.reward.shape)
        code = code * (int(noise.max()) + 1) + noise
    return np.asarray(code, dtype=np.int64)


def _hash(values: np.ndarray) -> np.ndarray:
    """Steele, Lea & Flood's splitmix64 of each value."""
    with np.errstate(over="ignore"):
        x = values + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def _pair(
    view: TableView, seen: np.ndarray, states: np.ndarray, label: np.ndarray, first: np.ndarray, last: np.ndarray
) -> tuple[int, int, int, str] | None:
    """Two states that look alike and behave differently, at once if any do; each is compared directly."""
    for partition, by in ((first, label), (last, last)):
        for members in _groups(seen[states], states):
            labels = partition[members]
            if len(members) < 2 or (labels == labels[0]).all():
                continue
            one, other = int(members[0]), int(members[np.argmax(labels != labels[0])])
            found = _difference(view, one, other, by)
            if found is not None:
                return one, other, *found
    return None


def _difference(view: TableView, one: int, other: int, label: np.ndarray) -> tuple[int, str] | None:
    """The first action whose outcomes differ, and how in words; None where all are the same."""
    codes = _codes(view, label)
    mdp = view.mdp
    for action in range(mdp.num_actions):
        laws: list[dict[int, float]] = [{}, {}]
        for law, state in zip(laws, (one, other)):
            for k in np.flatnonzero(view.possible[state, action]).tolist():
                code = int(codes[state, action, k])
                law[code] = law.get(code, 0.0) + float(mdp.probability[state, action, k])
        keys = laws[0].keys() | laws[1].keys()
        if all(abs(laws[0].get(key, 0.0) - laws[1].get(key, 0.0)) <= 2 * QUANTUM for key in keys):
            continue
        pay = [float(mdp.mean_reward[state, action]) for state in (one, other)]
        if abs(pay[0] - pay[1]) > 1e-9 * max(1.0, abs(pay[0])):
            return action, f"the first pays {number(pay[0])} on average and the other {number(pay[1])}"
        end = [float((mdp.probability * mdp.terminated)[state, action].sum()) for state in (one, other)]
        if abs(end[0] - end[1]) > 1e-9:
            return action, f"the first ends with probability {number(end[0])} and the other with {number(end[1])}"
        return action, "they lead to states that look or behave differently"
    return None
