"""How fast environments are walked, as ratios to their own steps, and how much memory that takes.

    python benchmarks/extraction.py                # without the grid of 100,000 states
    python benchmarks/extraction.py --large

Each walk runs in a process of its own, so that its peak memory is its own. A round measures the environment's step,
with a generator of NumPy's, and then a walk of it, both in CPU time; the table has the medians over the rounds. `runs`
counts every step that the walk ran: one for each way chance can fall, those of the check of laws among them. The check
by 10,000 real steps at the end of a walk is left out. DoorKey is measured where MiniGrid is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rl_envs import tabulate_env

OWN_STEPS = 3_000


class Grid(gym.Env):
    """A grid as a student writes it; with `slip` the step goes anywhere, and `work` makes it take longer."""

    def __init__(self, size: int, slip: float = 0.0, work: int = 0) -> None:
        self.size, self.slip, self.work = size, slip, work
        self.observation_space = spaces.MultiDiscrete([size, size])
        self.action_space = spaces.Discrete(4)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.row = self.column = self.steps = 0
        return np.array([self.row, self.column]), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict]:
        if self.slip and self.np_random.random() < self.slip:
            action = self.np_random.integers(4)
        down, right = ((0, 1), (1, 0), (0, -1), (-1, 0))[int(action)]
        self.row = min(max(self.row + down, 0), self.size - 1)
        self.column = min(max(self.column + right, 0), self.size - 1)
        self.steps += 1
        sum(range(self.work))
        end = self.row == self.column == self.size - 1
        return np.array([self.row, self.column]), float(end), end, self.steps >= 10_000, {}


def door_key() -> gym.Env:
    """MiniGrid's DoorKey-8x8 at seed 1, which has 7,424 states by its rules."""
    import minigrid  # noqa: F401 - registers it

    return gym.make("MiniGrid-DoorKey-8x8-v0")


SUBJECTS: dict[str, tuple[Any, dict[str, Any]]] = {
    "grid of 3,600 states": (lambda: Grid(60), {}),
    "grid of 3,600 states, a step of 5 us": (lambda: Grid(60, work=150), {}),
    "grid of 900 states with slip": (lambda: Grid(30, slip=0.2), {}),
    "Taxi-v4": (lambda: gym.make("Taxi-v4"), {}),
    "DoorKey-8x8": (door_key, {"seed": 1, "clock": "stopped"}),
    "grid of 100,489 states with slip": (lambda: Grid(317, slip=0.2), {}),
}
LARGE = "grid of 100,489 states with slip"


def own_step(env: gym.Env) -> float:
    """The CPU seconds of one of the environment's own steps, in random play."""
    env = env.unwrapped
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(OWN_STEPS)]
    began = time.process_time()
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()
    return (time.process_time() - began) / OWN_STEPS


def measure(name: str) -> dict[str, float]:
    """One round of a subject, in this process."""
    make, arguments = SUBJECTS[name]
    own = own_step(make())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    world = tabulate_env(make(), check_steps=0, **arguments)
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "own": own,
        "seconds": seconds,
        "runs": world.account.steps,
        "states": world.account.states,
        "MiB": (peak - before) / (1024 if sys.platform == "linux" else 2**20),
        "peak": peak / (1024 if sys.platform == "linux" else 2**20),
    }


def main() -> None:
    """Measure each subject, and print a line for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", action="store_true", help="with the grid of 100,000 states, in one round")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one)))
        return
    heads = zip(("states", "runs", "own step", "walk", "runs/s", "x own", "memory", "peak"), (9, 11, 10, 9, 9, 7, 9, 9))
    print(" " * 38 + "".join(f"{head:>{width}}" for head, width in heads))
    for name in SUBJECTS:
        if name == LARGE and not options.large:
            continue
        if name == "DoorKey-8x8" and importlib.util.find_spec("minigrid") is None:
            continue
        rounds = []
        for _ in range(1 if name == LARGE else options.rounds):
            command = [sys.executable, __file__, "--one", name]
            rounds.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        found = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
        rate = found["runs"] / found["seconds"]
        print(
            f"{name:38}{found['states']:>9,.0f}{found['runs']:>11,.0f}{found['own'] * 1e6:>7.1f} us"
            f"{found['seconds']:>7.1f} s{rate:>9,.0f}{1 / rate / found['own']:>7.1f}{found['MiB']:>5.0f} MiB"
            f"{found['peak']:>5.0f} MiB",
            flush=True,
        )


if __name__ == "__main__":
    main()
