"""The exact values, action values and occupancy of a given policy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rl_envs.mdp import undiscounted
from rl_envs.mdp.bellman import Dynamics, Matrix, solve_chain
from rl_envs.mdp.finite_mdp import FiniteMDP
from rl_envs.mdp.policy import as_probabilities

# The largest memory for a batch of dense chains.
CHUNK_BYTES = 2**26


def evaluate_policy(mdp: FiniteMDP, policy: np.ndarray) -> np.ndarray:
    """The value of each state under a policy, or under each of a batch.

    Guarantee: a linear system is solved to rounding level, by elimination or to a residual of 1e-13
    (`rl_envs.mdp.bellman.solve_chain`). At discount 1, states from which the policy may collect reward for ever have
    infinite values, and staying for ever without reward is worth 0 (`rl_envs.mdp.undiscounted.chain_values`).

    Args:
        mdp: the table.
        policy: actions [S] or [R, S] of int, or probabilities [S, A] or [R, S, A] of float.

    Returns:
        Values [S], or [R, S] for a batch.

    Raises:
        ValueError: no policy of this table, or discount is 1 and its total reward does not exist.

    Source: Sutton & Barto (2018), eq. 4.3 and 4.4.
    """
    probabilities = as_probabilities(policy, mdp.num_states, mdp.num_actions)
    dynamics = Dynamics.of(mdp)
    batch = probabilities.reshape(-1, mdp.num_states, mdp.num_actions)
    if mdp.discount < 1 and _fits_dense(mdp):
        v = np.concatenate([_dense_values(dynamics, chunk, mdp.discount) for chunk in _chunks(batch)])
    else:
        v = np.stack([_chain_values(dynamics, one, mdp.discount) for one in batch])
    return v.reshape(probabilities.shape[:-1])


def action_values(mdp: FiniteMDP, v: np.ndarray) -> np.ndarray:
    """q(s, a) for a value v of the next state; with the v of `evaluate_policy`, the action values of that policy.

    Args:
        mdp: the table.
        v: values [S] or, for a batch, [R, S].

    Returns:
        Array [S, A] or [R, S, A].

    Raises:
        ValueError: values of the wrong shape.

    Source: Sutton & Barto (2018), eq. 4.6.
    """
    v = np.asarray(v, dtype=np.float64)
    if v.ndim not in (1, 2) or v.shape[-1] != mdp.num_states:
        raise ValueError(f"v must have shape ({mdp.num_states},) or (runs, {mdp.num_states}), but has {v.shape}")
    q = Dynamics.of(mdp).action_values(v.T, mdp.discount)
    return q if v.ndim == 1 else np.moveaxis(q, 2, 0)


def occupancy(mdp: FiniteMDP, policy: np.ndarray) -> np.ndarray:
    """The expected discounted number of times that a policy takes each action in each state.

    The sum over t of discount^t P(S_t = s, A_t = a) from the start distribution. It sums to 1 / (1 - discount) if no
    episode terminates. Its sum over actions is the state occupancy; its sum weighted by r(s, a) is the value.

    Args:
        mdp: the table.
        policy: actions [S] or [R, S] of int, or probabilities [S, A] or [R, S, A] of float.

    Returns:
        Array [S, A], or [R, S, A] for a batch; at discount 1 infinite where the policy stays for ever.

    Raises:
        ValueError: no policy of this table.

    Source: Puterman (1994), section 6.9.
    """
    probabilities = as_probabilities(policy, mdp.num_states, mdp.num_actions)
    dynamics = Dynamics.of(mdp)
    batch = probabilities.reshape(-1, mdp.num_states, mdp.num_actions)
    visits = np.stack([_visits(dynamics, one, mdp.start, mdp.discount) for one in batch])
    taken = np.zeros(batch.shape)
    np.multiply(visits[:, :, None], batch, out=taken, where=batch > 0)
    return taken.reshape(probabilities.shape)


def _fits_dense(mdp: FiniteMDP) -> bool:
    """Whether chains are small enough for a dense batch."""
    return 8 * mdp.num_states * mdp.num_states * max(mdp.num_actions, 16) <= CHUNK_BYTES


def _chunks(batch: np.ndarray) -> Iterator[np.ndarray]:
    """A batch [R, S, A] in parts whose dense chains stay within `CHUNK_BYTES`."""
    size = max(1, CHUNK_BYTES // (8 * batch.shape[1] ** 2))
    return (batch[i : i + size] for i in range(0, len(batch), size))


def _dense_values(dynamics: Dynamics, batch: np.ndarray, discount: float) -> np.ndarray:
    """The values [R, S] of a batch of policies [R, S, A], as one stack of dense systems."""
    num_states, num_actions = dynamics.reward.shape
    p = _dense(dynamics.p).reshape(num_states, num_actions, num_states)
    chains = np.matmul(batch.transpose(1, 0, 2), p).transpose(1, 0, 2)  # [R, S, S]
    reward = (batch * dynamics.reward).sum(axis=2)
    return np.linalg.solve(np.eye(num_states) - discount * chains, reward[:, :, None])[:, :, 0]


def _dense(p: Matrix) -> np.ndarray:
    return p if isinstance(p, np.ndarray) else p.toarray()


def _chain_values(dynamics: Dynamics, policy: np.ndarray, discount: float) -> np.ndarray:
    """The values [S] of one policy [S, A]."""
    p, reward = dynamics.under_policy(policy)
    if discount < 1:
        return solve_chain(p, reward, discount)
    return undiscounted.chain_values(p, reward, _can_end(dynamics, policy))


def _visits(dynamics: Dynamics, policy: np.ndarray, start: np.ndarray, discount: float) -> np.ndarray:
    """The discounted number of visits [S] of one policy [S, A]."""
    p, _ = dynamics.under_policy(policy)
    if discount < 1:
        return solve_chain(p, start, discount, transpose=True)
    return undiscounted.expected_visits(p, _can_end(dynamics, policy), start)


def _can_end(dynamics: Dynamics, policy: np.ndarray) -> np.ndarray:
    """Whether the episode can end in each state's step under a policy [S, A]: [S] bool."""
    return np.asarray((dynamics.ends & (policy > 0)).any(axis=1))
