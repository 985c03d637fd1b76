"""`python -m baselines train`: train one agent on one world, with optional TensorBoard logs and videos."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import tyro

from baselines.agents.sb3_agent import SB3Agent
from baselines.agents.value_prediction import ValueAgent
from baselines.commands.exit_codes import INTERRUPTED, complain
from baselines.commands.flags import OptionalPath, changed_fields, mistakes_end_the_command, value_of, with_config
from baselines.learning.transition import Transition
from baselines.monitoring.playback import make_env
from baselines.monitoring.tensorboard_log import LibraryLog, TensorBoardLog, new_folder
from baselines.monitoring.training_display import TrainingDisplay, say, show_scores
from baselines.monitoring.video import record_video
from baselines.registry import AGENTS, load_agent
from baselines.system.atomic_files import StorageError, make_folder
from baselines.system.interrupts import Interruption, StoppedBetweenSteps
from baselines.training.agent import Agent
from baselines.training.loop import LearningCurve, score, train
from baselines.training.specification import WorldSpecification
from rl_envs.mdp.finite_mdp import check_integer
from rl_envs.specification import Specification

if TYPE_CHECKING:
    from rich.console import Console

# Where there is no table, a score is the mean return of so many episodes.
EVALUATION_EPISODES = 10


@dataclass(frozen=True)
class Experiment:
    """Which agent to train, and on which world.

    Attributes:
        world: name of a world or Gymnasium id, with settings after a colon: "LineWalk:size=9". Your own environment is
            "my_module:MyEnv-v0" or "file.py:make_env:size=3".
        agent: name of an agent, with settings after a colon: "DQN:preset=CartPole". Each hyperparameter is a flag too,
            which overrides the setting.
        runs: number of independent runs, each with a seed of its own.
        seed: base seed, from which every run's seed is derived.
    """

    world: str = "LineWalk"
    agent: str = "QLearning"
    runs: int = 1
    seed: int = 0


@dataclass(frozen=True)
class Training:
    """How long to train, and what to record.

    Attributes:
        steps: environment steps per run.
        checkpoints: number of evaluations per run, besides the one at the start.
        tensorboard: folder for TensorBoard logs, with a subfolder for each run.
        video: folder for videos of the trained agent: its first run, acting greedily.
        episodes: number of episodes to record, one video each.
        save: file for the trained agent, for `watch` and --resume.
    """

    steps: int = 10_000
    checkpoints: int = 20
    tensorboard: OptionalPath = None
    video: OptionalPath = None
    episodes: int = 1
    save: OptionalPath = None


def command(typed: Sequence[str]) -> Callable[..., int]:
    """The command, with a flag for each hyperparameter of the typed agent; or the one that resumes from a file."""
    if value_of(typed, "--resume", ""):
        return resume_training
    with mistakes_end_the_command():
        given = AGENTS.read(value_of(typed, "--agent", Experiment.agent))
        default = given.config

    def train_anew(
        experiment: tyro.conf.OmitArgPrefixes[Experiment],
        training: tyro.conf.OmitArgPrefixes[Training],
        config: Any,
        resume: OptionalPath = None,
    ) -> int:
        """Train an agent on a world, and score each run against the exact optimum.

        Args:
            experiment: which agent to train, and on which world.
            training: how long to train, and what to record.
            config: hyperparameters of the agent.
            resume: file of a saved agent to train further. World, agent, hyperparameters, runs and seed come from it.
        """
        agent = given.with_settings(changed_fields(config, default))

        def make() -> Agent:
            task = WorldSpecification.read(experiment.world).task
            return agent.make(task, runs=experiment.runs, seed=experiment.seed)

        return run_training(make, agent.label, training)

    return with_config(train_anew, "config", default, title=given.name)


def resume_training(resume: Path, training: tyro.conf.OmitArgPrefixes[Training]) -> int:
    """Resume the training of a saved agent, exactly as if it had never been interrupted.

    World, agent, hyperparameters, runs and seed come from the file, so they are not flags here.

    Args:
        resume: file of a saved agent.
        training: how much longer to train, and what to record.
    """
    return run_training(lambda: load_agent(resume), "", training)


def run_training(make: Callable[[], Agent], specification: str, training: Training) -> int:
    """Train, show scores, save, and record videos; errors become messages.

    Args:
        make: makes the agent.
        specification: the agent's name with its settings; empty to take them from the agent's Config.
        training: how long to train, and what to record.

    Returns:
        The exit code.
    """
    from rich.console import Console

    console = Console()
    try:
        try:
            agent = make()
            check_training(agent, training)
            folder = log_folder(agent, specification, training, console)
        except (ValueError, TypeError) as error:  # raised later, these are bugs of an agent and need a traceback
            return complain(f"Error: {error}")
        return train_and_save(agent, training, folder, console)
    except (StorageError, gym.error.Error) as error:
        return complain(f"Error: {error}")
    except KeyboardInterrupt:
        complain("Stopped at once; nothing more is saved.")
        return INTERRUPTED


def check_training(agent: Agent, training: Training) -> None:
    """Check before training that it can finish: whatever fails later is not the user's mistake.

    Raises:
        ValueError: a number below 1, a world without scores or pictures, or a library's agent that is already trained.
        StorageError: a folder that cannot be made or written to, or a folder in place of a file.
        DependencyNotInstalled: pygame is missing.
    """
    check_integer("steps", training.steps, low=1)
    check_integer("checkpoints", training.checkpoints, low=1)
    if isinstance(agent, SB3Agent) and agent.steps:
        raise ValueError(f"{agent.name} is trained in one go, so its training cannot be resumed")
    if agent.task.truth is not None and not isinstance(agent, ValueAgent):
        agent.task.truth.score(agent.task.truth.optimal_policy, hidden_state=True)
    if training.save is not None:
        make_folder(training.save.parent)
        if training.save.is_dir():
            raise StorageError(f"cannot write {training.save}: it is a folder")
    if training.video is not None:
        check_integer("episodes", training.episodes, low=1)
        make_folder(training.video)
        make_env(agent.task, "rgb_array").close()


def log_folder(agent: Agent, specification: str, training: Training, console: Console) -> Path | None:
    """Make the log's folder and say where it is; None without a log.

    Raises:
        StorageError: it cannot be made or written to.
    """
    if training.tensorboard is None:
        return None
    name = specification or Specification(agent.name, changed_fields(agent.config, agent.Config())).label
    folder = new_folder(training.tensorboard, f"{agent.task.name}-{name}")
    say(f"Logging to {folder}; view with: tensorboard --logdir {shlex.quote(str(training.tensorboard))}", console)
    return folder


def train_and_save(agent: Agent, training: Training, folder: Path | None, console: Console) -> int:
    """Train, show each run's score, save, and record videos.

    Args:
        agent: the population.
        training: how long to train, and what to record.
        folder: the log's, or None for no log.
        console: where to print.

    Returns:
        The exit code.

    Raises:
        StorageError: a file cannot be written.
        DependencyNotInstalled: moviepy is missing.
    """
    end = agent.steps + training.steps
    try:
        scores = train_and_show(agent, training, folder, console)
    except StoppedBetweenSteps:
        complain(f"Stopped after {agent.steps:,} of {end:,} steps.", *save_unfinished(agent, end, training))
        return INTERRUPTED
    except StorageError as error:
        return complain(f"Error: {error}", *save_unfinished(agent, end, training))
    show_scores(agent, scores, EVALUATION_EPISODES, console)
    save_and_record(agent, training, console)
    return 0


def train_and_show(agent: Agent, training: Training, folder: Path | None, console: Console) -> np.ndarray:
    """Train with a progress bar and a TensorBoard log, until the end or Ctrl-C.

    Args:
        agent: the population.
        training: how long.
        folder: the log's, or None for no log.
        console: where the bar is shown.

    Returns:
        The scores at the end, [R].

    Raises:
        StoppedBetweenSteps: Ctrl-C, between two steps of the agent.
        StorageError: the log cannot be written, for a full disk say; the agent is between two steps.
    """
    sequential_runs = agent.num_runs if isinstance(agent, SB3Agent) else 1
    shown = TrainingDisplay(
        console, training.steps * sequential_runs, "mean return" if agent.task.truth is None else "score"
    )
    try:
        with shown as display, Interruption() as interruption:
            learn = partial(_train_library, agent) if isinstance(agent, SB3Agent) else partial(_train_own, agent)
            return learn(training, folder, display, interruption).scores[-1]
    except OSError as error:  # training writes no other file
        raise StorageError(f"cannot write the log in {folder}: {error.strerror or error}") from error


def _train_own(
    agent: Agent, training: Training, folder: Path | None, display: TrainingDisplay, interruption: Interruption
) -> LearningCurve:
    """Train one of our own agents, all runs together."""
    begin = agent.steps
    log = None if folder is None else TensorBoardLog(agent, folder, world=agent.task.name, steps=training.steps)

    def on_step(transition: Transition, metrics: Mapping[str, np.ndarray]) -> None:
        display.advance(agent.steps - begin)
        if log is not None:
            log.on_step(transition, metrics)
        interruption.check()

    def measure(agent: Agent) -> np.ndarray:
        scores = score(agent, episodes=EVALUATION_EPISODES)
        display.scored(agent.steps, scores)
        if log is not None:
            log.on_scores(scores)
        return scores

    with closing(log) if log is not None else nullcontext():
        return train(agent, steps=training.steps, checkpoints=training.checkpoints, on_step=on_step, measure=measure)


def _train_library(
    agent: SB3Agent, training: Training, folder: Path | None, display: TrainingDisplay, interruption: Interruption
) -> LearningCurve:
    """Train one of the library's agents, run by run."""
    log = None if folder is None else LibraryLog(agent, folder, world=agent.task.name)
    agent.listener = _LibraryListener(agent, training.steps, display, interruption, log)
    with closing(log) if log is not None else nullcontext():
        return train(agent, steps=training.steps, checkpoints=training.checkpoints, episodes=EVALUATION_EPISODES)


@dataclass(frozen=True)
class _LibraryListener:
    """Passes the library's callbacks on to the display and the log."""

    agent: SB3Agent
    steps: int
    display: TrainingDisplay
    interruption: Interruption
    log: LibraryLog | None

    def begin(self, run: int, model: Any) -> None:
        """A run begins."""
        if self.log is not None:
            self.log.begin(run, model)

    def step(self, run: int, steps: int) -> None:
        """A run has taken so many steps, perhaps a few more than asked for."""
        self.display.advance(run * self.steps + min(steps, self.steps))
        self.interruption.check()

    def checkpoint(self, run: int, steps: int, score: float) -> None:
        """A run has been scored."""
        self.display.scored(steps, np.array([score]), f"run {self.agent.runs[run]}: ")
        if self.log is not None:
            self.log.checkpoint(run, steps, score)


def save_unfinished(agent: Agent, end: int, training: Training) -> list[str]:
    """Save an agent whose training was stopped, if --save was given.

    Args:
        agent: the population, between two steps.
        end: environment steps per run at the end of the training.
        training: where to save.

    Returns:
        Lines to print.

    Raises:
        StorageError: the file cannot be written.
    """
    if isinstance(agent, SB3Agent):
        return [f"Nothing saved: {agent.name} cannot be resumed."]
    if training.save is None:
        return ["Nothing saved; use --save PATH to save the agent."]
    agent.save(training.save)
    if agent.steps >= end:
        return [f"Saved to {training.save}; its training is complete."]
    again = ["python", "-m", "baselines", "train", "--resume", str(training.save), "--steps", str(end - agent.steps)]
    for flag in ("save", "tensorboard", "video"):
        path = getattr(training, flag)
        again += [] if path is None else [f"--{flag}", str(path)]
    return [f"Saved to {training.save}. To resume:", f"  {shlex.join(again)}"]


def save_and_record(agent: Agent, training: Training, console: Console) -> None:
    """Save a trained agent and record videos, where asked for; raises as `Agent.save` and `record_video`."""
    if training.save is not None:
        agent.save(training.save)
        watch = f"python -m baselines watch {shlex.quote(str(training.save))}"
        say(f"Saved to {training.save}; watch it with: {watch}", console)
    if training.video is not None:
        for video in record_video(agent, training.video, episodes=training.episodes, seed=agent.seed):
            say(f"Recorded: {video}", console)
