"""TensorBoard logs of training, with Stable-Baselines3's tags and a folder for each run.

Logging never affects learning: it draws no random numbers, nor does it make the agent draw any.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from baselines.agents.sb3_agent import SB3Agent
from baselines.learning.transition import Transition
from baselines.system.atomic_files import file_name, make_folder
from baselines.training.agent import Agent
from baselines.training.task import Task

# Means are over so many latest episodes, as in Stable-Baselines3.
WINDOW = 100

# Number of log entries per training, evenly spaced.
ENTRIES = 100

# Metrics in TensorBoard's table of hyperparameters.
RESULTS = ("eval/exact_score", "eval/mean_reward", "rollout/ep_rew_mean")


class Episodes:
    """Statistics of the latest episodes of each run.

    Args:
        num_runs: R.
        num_envs: parallel environments per run, C.
        begun_before: whether episodes are already under way; those are not counted.

    Attributes:
        finished: number of finished episodes of each run, [R] int64.
    """

    def __init__(self, num_runs: int, num_envs: int, *, begun_before: bool) -> None:
        self.finished = np.zeros(num_runs, dtype=np.int64)
        self._num_envs = num_envs
        self._returns = [deque[float](maxlen=WINDOW) for _ in range(num_runs)]
        self._lengths = [deque[int](maxlen=WINDOW) for _ in range(num_runs)]
        self._successes = [deque[float](maxlen=WINDOW) for _ in range(num_runs)]
        self._return = np.zeros(num_runs * num_envs)  # of the episode that goes on
        self._length = np.zeros(num_runs * num_envs, dtype=np.int64)
        self._seen_whole = np.full(num_runs * num_envs, not begun_before)

    def add(self, reward: np.ndarray, ended: np.ndarray, success: np.ndarray | None) -> None:
        """Add one step of every run.

        Args:
            reward: [R * C].
            ended: whether the episode ended, [R * C] bool.
            success: whether it ended in success, [R * C]; None where the environment does not report it.
        """
        self._return += reward
        self._length += 1
        for place in np.flatnonzero(ended).tolist():
            run = place // self._num_envs
            self.finished[run] += 1
            if self._seen_whole[place]:
                self._returns[run].append(float(self._return[place]))
                self._lengths[run].append(int(self._length[place]))
                if success is not None:
                    self._successes[run].append(float(success[place]))
        self._return[ended] = 0.0
        self._length[ended] = 0
        self._seen_whole |= ended

    def means(self, run: int) -> dict[str, float]:
        """Means over a run's latest episodes by tag; tags without data are left out."""
        windows: dict[str, Sequence[float]] = {
            "rollout/ep_rew_mean": self._returns[run],
            "rollout/ep_len_mean": self._lengths[run],
            "rollout/success_rate": self._successes[run],
        }
        return {tag: sum(window) / len(window) for tag, window in windows.items() if window}


class TensorBoardLog:
    """Logs the training of one of our own agents; called at every step and every evaluation.

    Args:
        agent: the population.
        folder: where each run gets a subfolder.
        world: the world's name with its settings.
        steps: environment steps per run.

    Raises:
        StorageError: the folder cannot be written to.
    """

    def __init__(self, agent: Agent, folder: Path, *, world: str, steps: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._agent = agent
        self._writers = [SummaryWriter(str(run_folder(agent, folder, run))) for run in range(agent.num_runs)]
        for run, writer in enumerate(self._writers):
            file: Any = writer.file_writer  # torch's annotation says None
            for summary in settings_summaries(agent, world, run):
                file.add_summary(summary)
        self._episodes = Episodes(agent.num_runs, agent.num_envs, begun_before=agent.steps > 0)
        self._every = max(1, steps // ENTRIES)
        self._first_step = self._written = agent.steps
        self._turns = 0
        self._started = time.perf_counter()
        self._sums: dict[str, np.ndarray] = {}  # of each metric since the last entry, [R]
        self._counts: dict[str, np.ndarray] = {}  # how many numbers these are sums of, [R]

    def on_step(self, transition: Transition, metrics: Mapping[str, np.ndarray]) -> None:
        """Add one step of every run, and the metrics of the update."""
        ended = transition.terminated | transition.truncated
        self._episodes.add(transition.reward, ended, successes(self._agent) if ended.any() else None)
        for name, values in metrics.items():
            known = np.isfinite(values)
            self._sums[name] = self._sums.get(name, 0.0) + np.where(known, values, 0.0)
            self._counts[name] = self._counts.get(name, 0) + known
        self._turns += 1
        if self._agent.steps >= self._written + self._every:
            self._write()

    def on_scores(self, scores: np.ndarray) -> None:
        """Log every run's score, [R]."""
        policy = None if self._agent.task.truth is None else self._agent.policy()
        for tag, numbers in evaluation(self._agent.task, scores, policy).items():
            for writer, number in zip(self._writers, numbers):
                writer.add_scalar(tag, number, self._agent.steps)

    def close(self) -> None:
        """Write the remaining entries, and close the files."""
        if self._agent.steps > self._written:
            self._write()
        for writer in self._writers:
            writer.close()

    def _write(self) -> None:
        """Write one entry into every run's file."""
        for run, writer in enumerate(self._writers):
            for tag, number in {**self._of_all_runs(), **self._episodes.means(run), **self._metrics(run)}.items():
                writer.add_scalar(tag, number, self._agent.steps)
            writer.add_scalar("time/episodes", self._episodes.finished[run], self._agent.steps)
        self._written = self._agent.steps
        self._sums, self._counts = {}, {}

    def _of_all_runs(self) -> dict[str, float]:
        """Numbers that all runs share, because they advance together."""
        seconds = time.perf_counter() - self._started
        numbers = {
            "time/fps": (self._agent.steps - self._first_step) / seconds,
            "time/time_elapsed": seconds,
            "time/iterations": self._turns,
            "time/total_timesteps": self._agent.steps,
            "rollout/exploration_rate": getattr(self._agent, "epsilon", None),
            "train/learning_rate": getattr(self._agent, "learning_rate", None),
        }
        return {tag: number for tag, number in numbers.items() if number is not None}

    def _metrics(self, run: int) -> dict[str, float]:
        """The mean of each metric of a run since the last entry."""
        return {
            f"train/{name}": float(self._sums[name][run] / count[run])
            for name, count in self._counts.items()
            if count[run]
        }


class LibraryLog:
    """Lets Stable-Baselines3 write its own log of each run, and adds the scores; a `Listener`.

    Args:
        agent: the population.
        folder: where each run gets a subfolder.
        world: the world's name with its settings.

    Raises:
        StorageError: the folder cannot be written to.
    """

    def __init__(self, agent: SB3Agent, folder: Path, *, world: str) -> None:
        self._agent = agent
        self._world = world
        self._folders = [run_folder(agent, folder, run) for run in range(agent.num_runs)]
        self._model: Any = None
        self._logger: Any = None

    def begin(self, run: int, model: Any) -> None:
        """Give the run's model a logger, and log its hyperparameters."""
        from stable_baselines3.common.logger import HParam, configure

        self.close()
        self._model, self._logger = model, configure(str(self._folders[run]), ["tensorboard"])
        model.set_logger(self._logger)
        settings = HParam(settings_of(self._agent, self._world, run), dict.fromkeys(RESULTS, 0.0))
        self._logger.record("hparams", settings, exclude=("stdout", "log", "json", "csv"))
        self._logger.dump(0)

    def step(self, run: int, steps: int) -> None:
        """Nothing: the library logs its steps itself."""

    def checkpoint(self, run: int, steps: int, score: float) -> None:
        """Log the run's score."""
        for tag, numbers in evaluation(self._agent.task, np.array([score]), self._model).items():
            self._logger.record(tag, float(numbers[0]))
        self._logger.dump(steps)

    def close(self) -> None:
        """Close the files of the last run."""
        if self._logger is not None:
            self._logger.close()
            self._logger = None


def new_folder(parent: Path, name: str) -> Path:
    """Make a folder for a training, with _2, _3, ... appended to the name where it is taken.

    Raises:
        StorageError: it cannot be written to.
    """
    readable = file_name(name)
    folder, number = parent / readable, 1
    while folder.exists():
        number += 1
        folder = parent / f"{readable}_{number}"
    return make_folder(folder)


def run_folder(agent: Agent, folder: Path, run: int) -> Path:
    """Make the folder of a run, which TensorBoard shows as a line; raises StorageError as `new_folder`."""
    return make_folder(folder / f"seed{agent.seed}-run{agent.runs[run]}")


def evaluation(task: Task, scores: np.ndarray, policy: Any) -> dict[str, np.ndarray]:
    """The evaluation of n runs, by tag.

    Args:
        task: their task.
        scores: one per run, [n].
        policy: their greedy policies, [n, S, A], or any other policy that `Truth` accepts if n is 1.

    Returns:
        [n] each: with a table "eval/exact_score", and with a time limit "eval/mean_reward", the exact expected return
        of an episode. Without a table only "eval/mean_reward", sampled.
    """
    if task.truth is None:
        return {"eval/mean_reward": scores}
    if task.max_episode_steps is None:
        return {"eval/exact_score": scores}
    return {"eval/exact_score": scores, "eval/mean_reward": np.atleast_1d(task.truth.episode_return(policy))}


def settings_of(agent: Agent, world: str, run: int) -> dict[str, bool | int | float | str]:
    """A run's row in TensorBoard's table of hyperparameters; other values than finite numbers and words are text."""
    values = {"agent": agent.name, "world": world, "seed": agent.seed, "run": agent.runs[run], **asdict(agent.config)}
    return {name: value if _is_plain(value) else str(value) for name, value in values.items()}


def settings_summaries(agent: Agent, world: str, run: int) -> tuple[Any, ...]:
    """The entries from which TensorBoard reads the hyperparameters, all in the run's own file."""
    from torch.utils.tensorboard.summary import hparams

    return tuple(hparams(settings_of(agent, world, run), dict.fromkeys(RESULTS, 0.0)))


def successes(agent: Agent) -> np.ndarray | None:
    """Whether the episodes that just ended were successes, [R * C]; None where the environment does not report it."""
    try:
        return agent.rollout.info("is_success")
    except (TypeError, ValueError):  # an info without it, or an empty one
        return None


def _is_plain(value: Any) -> bool:
    return isinstance(value, (bool, int, str)) or (isinstance(value, float) and math.isfinite(value))
