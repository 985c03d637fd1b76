"""Time to an exact solution, ours against QuantEcon's: medians of alternating runs in one process on one core.

    python benchmarks/solver.py [--runs 7] [--small]

Both solve the same table to the same bound on the error of the values, 1e-8. "fresh" includes what we do once for a
table, "again" is every later solution of the same table; QuantEcon's preparation (`DiscreteDP(...)`) is never counted,
nor the compilation of its kernels, which a first run warms up. The last column shows that the answers agree.
"""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy reads them

import argparse  # noqa: E402
import statistics  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
import scipy.sparse as sparse  # noqa: E402
from quantecon.markov import DiscreteDP  # noqa: E402

from rl_envs.mdp.finite_mdp import FiniteMDP  # noqa: E402
from rl_envs.mdp.solve import solve  # noqa: E402

TOLERANCE = 1e-8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="runs of each, taking turns")
    parser.add_argument("--small", action="store_true", help="a tenth of the states, to see that the script runs")
    arguments = parser.parse_args()
    shrink = 10 if arguments.small else 1
    print(f"{'table':34} {'QuantEcon':>24} {'fresh':>9} {'again':>9} {'fresh/QE':>9} {'again/QE':>9} {'max |dv|':>9}")
    dense = dense_mdp(1000 // shrink, 10, discount=0.99)
    compare(f"dense, S={dense.num_states}, A=10, 0.99", dense, dense_quantecon(dense), ["mpi"], arguments.runs)
    for discount in (0.95, 0.99):
        garnet = garnet_mdp(100_000 // shrink, 4, 3, discount=discount)
        methods = ["mpi", "vi"] if discount == 0.95 else ["mpi"]
        title = f"Garnet, S={garnet.num_states}, A=4, b=3, {discount}"
        compare(title, garnet, sparse_quantecon(garnet), methods, arguments.runs)


def compare(title: str, mdp: FiniteMDP, theirs: DiscreteDP, methods: list[str], runs: int) -> None:
    """Print the medians and ratios of one table."""
    for method in methods:  # compiles
        theirs.solve(method, epsilon=TOLERANCE, max_iter=10**6)
    solve(mdp, tolerance=TOLERANCE)
    seconds: dict[str, list[float]] = {name: [] for name in (*methods, "fresh", "again")}
    for _ in range(runs):
        for method in methods:
            elapsed, result = timed(lambda method=method: theirs.solve(method, epsilon=TOLERANCE, max_iter=10**6))
            seconds[method].append(elapsed)
        copy = FiniteMDP(mdp.probability, mdp.next_state, mdp.reward, mdp.terminated, mdp.start, mdp.discount)
        for name in ("fresh", "again"):
            elapsed, ours = timed(lambda copy=copy: solve(copy, tolerance=TOLERANCE))
            seconds[name].append(elapsed)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    best = min(methods, key=median.__getitem__)
    ratios = [median[name] / median[best] for name in ("fresh", "again")]
    difference = np.abs(ours.v_star - result.v).max()
    print(
        f"{title:34} {best + ' ' + format(median[best] * 1e3, '.1f') + ' ms':>24} {median['fresh'] * 1e3:7.1f}ms "
        f"{median['again'] * 1e3:7.1f}ms {ratios[0]:9.2f} {ratios[1]:9.2f} {difference:9.1e}"
    )


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that a call takes, and what it returns."""
    begin = time.perf_counter()
    result = call()
    return time.perf_counter() - begin, result


def dense_mdp(num_states: int, num_actions: int, *, discount: float) -> FiniteMDP:
    """Uniform transition rows, normalised; normal rewards."""
    generator = np.random.default_rng(0)
    shape = (num_states, num_actions, num_states)
    probability = generator.random(shape)
    probability /= probability.sum(axis=2, keepdims=True)
    next_state = np.broadcast_to(np.arange(num_states), shape)
    return _continuing(probability, next_state, generator.standard_normal(shape), discount)


def garnet_mdp(num_states: int, num_actions: int, branching: int, *, discount: float) -> FiniteMDP:
    """A few next states a pair, sorted uniform cuts for probabilities, normal rewards."""
    generator = np.random.default_rng(0)
    shape = (num_states, num_actions, branching)
    cuts = np.sort(generator.random((num_states, num_actions, branching - 1)), axis=2)
    probability = np.diff(cuts, axis=2, prepend=0.0, append=1.0)
    next_state = generator.integers(num_states, size=shape)
    return _continuing(probability, next_state, generator.standard_normal(shape), discount)


def _continuing(probability: np.ndarray, next_state: np.ndarray, reward: np.ndarray, discount: float) -> FiniteMDP:
    num_states = len(probability)
    terminated = np.zeros(probability.shape, dtype=np.bool_)
    return FiniteMDP(probability, next_state, reward, terminated, np.full(num_states, 1 / num_states), discount)


def dense_quantecon(mdp: FiniteMDP) -> DiscreteDP:
    """QuantEcon's product form, an array [S, A, S]."""
    return DiscreteDP(mdp.mean_reward.copy(), mdp.probability.copy(), mdp.discount)


def sparse_quantecon(mdp: FiniteMDP) -> DiscreteDP:
    """QuantEcon's state-action pairs, a sparse matrix [S * A, S]."""
    num_states, num_actions, num_outcomes = mdp.probability.shape
    pairs = num_states * num_actions
    row_ends = np.arange(pairs + 1) * num_outcomes
    matrix = sparse.csr_matrix((mdp.probability.ravel(), mdp.next_state.ravel(), row_ends), shape=(pairs, num_states))
    states = np.repeat(np.arange(num_states), num_actions)
    actions = np.tile(np.arange(num_actions), num_states)
    return DiscreteDP(mdp.mean_reward.ravel(), matrix, mdp.discount, states, actions)


if __name__ == "__main__":
    main()
