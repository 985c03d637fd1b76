"""How fast the environments are, as ratios to what is installed with Gymnasium.

    python benchmarks/environments.py

Every round measures each subject once, one after the other on one core, so that a ratio compares what ran under the
same conditions; the table has the medians over the rounds. Ratios travel between machines, nanoseconds do not.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

os.environ["OMP_NUM_THREADS"] = "1"

import gymnasium as gym
import numpy as np

import rl_envs  # noqa: F401 - registers the worlds

NATIVE, SYNC = "vector_entry_point", "sync"
Subject = Callable[[], float]  # runs once and says how many seconds one environment step took


@dataclass(frozen=True)
class Claim:
    """`subject` is at least `target` times as fast as `reference`; a target below 1: it may be slower by so much."""

    name: str
    subject: str
    reference: str
    target: float


CLAIMS = (
    Claim("one copy of LineWalk, unwrapped", "LineWalk", "FrozenLake", 15),
    Claim("one copy of RandomMDP, unwrapped", "RandomMDP", "FrozenLake", 3),
    Claim("LineWalk at 4,096 copies against CartPole's own", "4,096 LineWalk", "4,096 CartPole", 5),
    Claim("LineWalk at 256 copies against SyncVectorEnv", "256 LineWalk", "256 FrozenLake (sync)", 500),
    Claim("RandomMDP at 4,096 copies against LineWalk", "4,096 RandomMDP", "4,096 LineWalk", 1 / 4),
)


def one_copy(env_id: str, num_steps: int) -> Subject:
    """Random actions in one unwrapped environment, with a reset after each end."""
    env = gym.make(env_id).unwrapped
    actions = np.random.default_rng(0).integers(env.action_space.n, size=num_steps).tolist()
    env.reset(seed=0)

    def run() -> float:
        step, reset = env.step, env.reset
        began = time.process_time()
        for action in actions:
            if step(action)[2]:
                reset()
        return (time.process_time() - began) / num_steps

    return run


def many_copies(env_id: str, num_envs: int, mode: str, num_steps: int) -> Subject:
    """Random actions in a vector environment, which resets its copies itself."""
    env = gym.make_vec(env_id, num_envs, mode)
    num_actions = env.single_action_space.n
    actions = list(np.random.default_rng(0).integers(num_actions, size=(num_steps, num_envs)))
    env.reset(seed=0)

    def run() -> float:
        step = env.step
        began = time.process_time()
        for row in actions:
            step(row)
        return (time.process_time() - began) / (num_steps * num_envs)

    return run


def import_time(statement: str) -> float:
    """Seconds that an import takes in a fresh interpreter."""
    code = f"import time; began = time.perf_counter(); {statement}; print(time.perf_counter() - began)"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="how often everything is measured (default: 9)")
    rounds = max(5, parser.parse_args().rounds)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

    subjects = {
        "FrozenLake": one_copy("FrozenLake-v1", 5_000),
        "LineWalk": one_copy("rl_envs/LineWalk-v0", 50_000),
        "RandomMDP": one_copy("rl_envs/RandomMDP-v0", 20_000),
        "4,096 CartPole": many_copies("CartPole-v1", 4_096, NATIVE, 200),
        "4,096 LineWalk": many_copies("rl_envs/LineWalk-v0", 4_096, NATIVE, 1_000),
        "4,096 RandomMDP": many_copies("rl_envs/RandomMDP-v0", 4_096, NATIVE, 500),
        "256 LineWalk": many_copies("rl_envs/LineWalk-v0", 256, NATIVE, 5_000),
        "256 FrozenLake (sync)": many_copies("FrozenLake-v1", 256, SYNC, 20),
    }
    seconds: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, run in subjects.items():
            seconds[name].append(run())
    imports = [(import_time("import gymnasium"), import_time("import gymnasium, rl_envs")) for _ in range(rounds)]

    print(f"{'environment step':<50} {'ns':>10}")
    for name, measured in seconds.items():
        print(f"{name:<50} {statistics.median(measured) * 1e9:>10.1f}")
    print(f"\n{'claim: so many times as fast':<50} {'wanted':>10} {'measured':>10} {'rounds from .. to':>20}")
    for claim in CLAIMS:
        ratios = [r / s for s, r in zip(seconds[claim.subject], seconds[claim.reference])]
        spread = f"{min(ratios):.2f} .. {max(ratios):.2f}"
        print(f"{claim.name:<50} {claim.target:>10.2f} {statistics.median(ratios):>10.2f} {spread:>20}")
    plain, both = (statistics.median(column) for column in zip(*imports))
    print(
        f"\nimport gymnasium takes {plain * 1e3:.0f} ms; rl_envs adds {(both / plain - 1) * 100:.1f}% (wanted: < 20%)"
    )


if __name__ == "__main__":
    main()
