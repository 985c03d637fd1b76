"""The Bellman operators of a table: its dynamics as one matrix, dense or sparse, and linear systems in it.

The matrix leaves out outcomes that terminate, so a product with it never bootstraps from them.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rl_envs.mdp.finite_mdp import FiniteMDP

# A matrix [n, n] or [S * A, S]: a NumPy array, or a SciPy sparse array in CSR form.
Matrix = Any

# Relative to the largest value: how close two actions must be to count as equally good, in addition to the error bound.
TIE_TOLERANCE = 1e-9

# Below this many entries a dense product beats the fixed cost of a sparse one.
SMALL = 20_000

# Up to this many states elimination in a dense array takes well under a second.
DENSE_STATES = 1500

# The residual that an iterative solution must reach, relative to the numbers in the system: elimination's own.
BACKWARD_ERROR = 1e-13

# The largest number of sweeps for a system, and the number between two checks whether that will be enough.
SWEEPS = 3000
SWEEPS_AT_A_TIME = 50

# Iterations in a round of GMRES, each of which must gain a factor of 100.
KRYLOV_STEPS = 50


@dataclass(frozen=True, eq=False)
class Dynamics:
    """p(s' | s, a) over the outcomes after which the episode continues, and r(s, a).

    Row s * A + a of the matrix belongs to state s and action a; it sums to 1 less the probability of termination.
    """

    p: Matrix  # [S * A, S] float64, dense or CSR
    reward: np.ndarray  # [S, A] float64
    ends: np.ndarray  # [S, A] bool: whether the episode can end with the pair

    @staticmethod
    def of(mdp: FiniteMDP) -> Dynamics:
        """The matrix form of a table, made once and kept with it like the table's own cached properties."""
        if "_dynamics" not in mdp.__dict__:
            mdp.__dict__["_dynamics"] = Dynamics(_matrix(mdp), _without_rounding(mdp), _can_end(mdp))
        return mdp.__dict__["_dynamics"]

    @property
    def num_states(self) -> int:
        """S."""
        return self.reward.shape[0]

    @property
    def num_actions(self) -> int:
        """A."""
        return self.reward.shape[1]

    def negated(self) -> Dynamics:
        """The same dynamics with negated rewards, so that the optimal policy is the worst one."""
        return Dynamics(self.p, -self.reward, self.ends)

    def action_values(self, v: np.ndarray, discount: float) -> np.ndarray:
        """q(s, a) = r(s, a) + discount * sum over s' of p(s' | s, a) v(s').

        Args:
            v: values [S], or [S, R] for R value functions at once.
            discount: gamma.

        Returns:
            Array [S, A] or [S, A, R].
        """
        if np.isinf(v).any():
            return self._action_values_with_infinities(v, discount)
        q = (self.p @ v).reshape(*self.reward.shape, *v.shape[1:])
        q *= discount
        q += self.reward if v.ndim == 1 else self.reward[:, :, None]
        return q

    def _action_values_with_infinities(self, v: np.ndarray, discount: float) -> np.ndarray:
        # A sum with infinite terms: leave out 0 * inf, because an outcome of probability 0 does not happen.
        q = self.action_values(np.where(np.isinf(v), 0.0, v), discount)
        for infinity in (np.inf, -np.inf):
            reached = (self.p @ (v == infinity).astype(np.float64)).reshape(q.shape) > 0
            q[reached & (discount > 0)] = infinity
        return q

    def mass_bounds(self, discount: float) -> tuple[float, float]:
        """The smallest and the largest discounted probability that the episode continues, over all pairs."""
        if not self.ends.any():
            return discount, discount
        mass = np.asarray(self.p.sum(axis=1))
        return discount * float(mass.min()), discount * float(mass.max())

    def under_actions(self, action: np.ndarray) -> tuple[Matrix, np.ndarray]:
        """The chain of a deterministic policy [S]: its matrix [S, S] and its rewards [S]."""
        row = np.arange(self.num_states) * self.num_actions + action
        return self._rows(row), self.reward.ravel()[row]

    def _rows(self, row: np.ndarray) -> Matrix:
        k = self._entries_a_row
        if k is None:
            return self.p[row]
        from scipy.sparse import csr_array

        # Rows of equal length are taken twice as fast from the arrays inside.
        data = self.p.data.reshape(-1, k).take(row, axis=0).ravel()
        indices = self.p.indices.reshape(-1, k).take(row, axis=0).ravel()
        return csr_array((data, indices, self.p.indptr[: len(row) + 1]), shape=(len(row), self.num_states))

    @cached_property
    def _entries_a_row(self) -> int | None:
        """The number of entries of every row of a sparse matrix; None if they differ, and for a dense matrix."""
        if isinstance(self.p, np.ndarray):
            return None
        lengths = np.diff(self.p.indptr)
        return int(lengths[0]) if (lengths == lengths[0]).all() else None

    def under_policy(self, policy: np.ndarray) -> tuple[Matrix, np.ndarray]:
        """The chain of a stochastic policy [S, A]: its matrix [S, S] and its rewards [S]."""
        reward = (policy * self.reward).sum(axis=1)
        if isinstance(self.p, np.ndarray):
            p = self.p.reshape(*self.reward.shape, self.num_states)
            return np.matmul(policy[:, None, :], p)[:, 0, :], reward
        from scipy.sparse import csr_array

        pairs = policy.size
        weights = csr_array(
            (policy.flatten(), np.arange(pairs), np.arange(0, pairs + 1, self.num_actions)),
            shape=(self.num_states, pairs),
        )
        weights.eliminate_zeros()
        return weights @ self.p, reward


def greedy(q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The largest entry of each row and the first column that has it.

    Column by column, because with few actions that is several times faster than NumPy's reduction along short rows.

    Args:
        q: [n, A].

    Returns:
        Largest entries [n] and columns [n].
    """
    if q.shape[1] > 16:
        column = q.argmax(axis=1)
        return np.take_along_axis(q, column[:, None], axis=1)[:, 0], column
    columns = np.array(q.T, order="C")  # a copy: what is returned may be written to
    best = columns[0]
    column = np.zeros(len(q), dtype=np.int8)
    for a in range(1, len(columns)):
        # The last column that beats those before it has the largest number: a maximum, where a masked copy is slow.
        column = np.maximum(column, (columns[a] > best) * np.int8(a))
        best = np.maximum(best, columns[a])
    return best, column.astype(np.int64)


def solve_chain(p: Matrix, b: np.ndarray, discount: float, *, transpose: bool = False) -> np.ndarray:
    """The x with x = b + discount * p x, or x = b + discount * p^T x.

    Small or dense systems are solved by elimination. Large sparse ones are solved by sweeps if that is fast, else by
    GMRES; both results count only if the true residual is at rounding level. Otherwise sparse elimination solves them:
    chains that are hard for the first two mix slowly, so their graph has small separators and elimination is easy.

    Args:
        p: square matrix [n, n] with rows that sum to at most 1.
        b: right side [n], or [n, m] for m of them.
        discount: gamma; with 1 the chain must end from everywhere.
        transpose: whether to solve in p^T.

    Returns:
        Array of b's shape.
    """
    n = p.shape[0]
    if isinstance(p, np.ndarray) or n <= DENSE_STATES:
        dense = p if isinstance(p, np.ndarray) else p.toarray()
        system = np.eye(n) - discount * (dense.T if transpose else dense)
        return np.linalg.solve(system, b)

    from scipy.sparse import csr_array, identity
    from scipy.sparse.linalg import splu

    chain = p.T if transpose else p
    system = csr_array(identity(n, format="csr")) - discount * chain
    columns = []
    for right_side in b.reshape(n, -1).T:
        x = _swept(chain, right_side, discount)
        if x is None or not _is_solution(system, x, right_side):
            x = _krylov(system, right_side)
        if x is None:
            return splu(system.tocsc()).solve(b)
        columns.append(x)
    return np.stack(columns, axis=1).reshape(b.shape)


def _swept(chain: Matrix, b: np.ndarray, discount: float) -> np.ndarray | None:
    """The solution by sweeps x <- b + discount * chain x, or None if that takes too many."""
    mass = np.asarray(chain.sum(axis=1))
    even = discount < 1 and bool((np.abs(mass - 1) < 1e-12).all())
    # A change that is equal in all states repeats in every later sweep, so only its span has to shrink.
    later = discount / (1 - discount) if even else 0.0
    x, size = b, np.inf
    for sweep in range(1, SWEEPS + 1):
        swept = chain @ x
        swept *= discount
        swept += b
        change = swept - x
        x = swept
        if sweep % SWEEPS_AT_A_TIME:
            continue
        before, size = size, (np.ptp(change) if even else np.abs(change).max())
        target = BACKWARD_ERROR / 4 * (np.abs(b).max() + np.abs(x).max())
        if size <= target:
            return x + later * (change.max() + change.min()) / 2
        gained = before / size
        if not gained > 1 or sweep + SWEEPS_AT_A_TIME * np.log(size / target) / np.log(gained) > SWEEPS:
            return None
    return None


def _krylov(system: Matrix, b: np.ndarray) -> np.ndarray | None:
    """The solution by GMRES, or None if it converges too slowly."""
    from scipy.sparse.linalg import gmres

    # SciPy renamed the argument in 1.12.
    name = "rtol" if "rtol" in inspect.signature(gmres).parameters else "tol"
    x, residual = np.zeros_like(b), b
    while True:
        # Each round starts from the true residual, which the recurrence inside drifts away from.
        x = x + gmres(system, residual, restart=KRYLOV_STEPS, maxiter=1, atol=0.0, **{name: 1e-12})[0]
        if _is_solution(system, x, b):
            return x
        before, residual = residual, b - system @ x
        if not np.linalg.norm(residual) < np.linalg.norm(before) / 100:
            return None


def _is_solution(system: Matrix, x: np.ndarray, b: np.ndarray) -> bool:
    """Whether the residual is no larger than elimination's would be."""
    return bool(np.abs(b - system @ x).max() <= BACKWARD_ERROR * (np.abs(b).max() + np.abs(x).max()))


def _matrix(mdp: FiniteMDP) -> Matrix:
    num_states, num_actions, num_outcomes = mdp.probability.shape
    pairs = num_states * num_actions
    dense = pairs * num_states <= SMALL or 4 * num_outcomes >= num_states
    continuing = np.where(mdp.terminated, 0.0, mdp.probability) if mdp.terminated.any() else mdp.probability
    continuing = continuing.reshape(pairs, num_outcomes)
    if dense and num_outcomes == num_states:
        in_order = np.arange(num_states)
        # The first row almost always decides, and saves a pass over the table.
        if (mdp.next_state[0, 0] == in_order).all() and (mdp.next_state == in_order).all():
            return continuing

    from scipy.sparse import csr_array

    # Narrow indices where they suffice: the speed of a sparse product is that of memory.
    index = np.int32 if continuing.size <= np.iinfo(np.int32).max else np.int64
    row_ends = np.arange(0, continuing.size + 1, num_outcomes, dtype=index)
    next_state = mdp.next_state.ravel().astype(index)
    matrix = csr_array((continuing.ravel(), next_state, row_ends), shape=(pairs, num_states))
    if dense:
        return matrix.toarray()
    if (matrix.data == 0).any():
        matrix = matrix.copy()  # the next works in place, and the table is read-only
        matrix.eliminate_zeros()
    return matrix


def _without_rounding(mdp: FiniteMDP) -> np.ndarray:
    """r(s, a), with 0 where the outcomes' rewards cancel but for rounding: at discount 1 the difference is infinite."""
    if mdp.discount < 1:
        return mdp.mean_reward
    size = np.einsum("sak,sak->sa", mdp.probability, np.abs(mdp.reward))
    rounding = 4 * mdp.num_outcomes * np.finfo(np.float64).eps * size
    return np.where(np.abs(mdp.mean_reward) <= rounding, 0.0, mdp.mean_reward)


def _can_end(mdp: FiniteMDP) -> np.ndarray:
    if not mdp.terminated.any():
        return np.zeros(mdp.mean_reward.shape, dtype=np.bool_)
    return np.asarray((mdp.terminated & (mdp.probability > 0)).any(axis=2))
