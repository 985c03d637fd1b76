"""`python -m baselines train`: one agent on one world, watched in the terminal and in TensorBoard, filmed and saved."""

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

# Episodes that a score is the mean of where there is no table.
EVALUATION_EPISODES = 10


@dataclass(frozen=True)
class Population:
    """Who learns what.

    Attributes:
        world: a world's name or Gymnasium id, with settings after a colon: "LineWalk:size=9"; or an environment of your
            own: "my_module:MyEnv-v0", "file.py:make_env:size=3".
        agent: an agent's name, with settings after a colon: "DQN:preset=CartPole". Each of its settings is a flag too,
            which goes before.
        runs: how many learn, independently of each other.
        seed: the base seed of everything random.
    """

    world: str = "LineWalk"
    agent: str = "QLearning"
    runs: int = 1
    seed: int = 0


@dataclass(frozen=True)
class Training:
    """How long to train, and what to keep of it.

    Attributes:
        steps: environment steps of each run.
        checkpoints: how often each run is scored, besides once at the start.
        tensorboard: folder of logs for TensorBoard; each run gets a folder of its own in it.
        video: folder for a film of the trained agent's first run, acting greedily.
        episodes: how many episodes are filmed.
        save: file for the trained agent, which `watch` replays and --resume goes on from.
    """

    steps: int = 10_000
    checkpoints: int = 20
    tensorboard: OptionalPath = None
    video: OptionalPath = None
    episodes: int = 1
    save: OptionalPath = None


def command(typed: Sequence[str]) -> Callable[..., int]:
    """The command, with a flag for each setting of the agent that was typed; or that which goes on from a file."""
    if value_of(typed, "--resume", ""):
        return resume_training
    with mistakes_end_the_command():
        given = AGENTS.read(value_of(typed, "--agent", Population.agent))
        default = given.config

    def train_anew(
        population: tyro.conf.OmitArgPrefixes[Population],
        training: tyro.conf.OmitArgPrefixes[Training],
        config: Any,
        resume: OptionalPath = None,
    ) -> int:
        """Train an agent on a world, and show how far each run ends from the exact optimum.

        Args:
            population: who learns what.
            training: how long to train, and what to keep of it.
            config: settings of the agent.
            resume: file of a saved agent to go on from, instead of all that says who learns what.
        """
        agent = given.with_settings(changed_fields(config, default))

        def make() -> Agent:
            task = WorldSpecification.read(population.world).task
            return agent.make(task, runs=population.runs, seed=population.seed)

        return run_training(make, agent.label, training)

    return with_config(train_anew, "config", default, title=given.name)


def resume_training(resume: Path, training: tyro.conf.OmitArgPrefixes[Training]) -> int:
    """Go on with the training of a saved agent, exactly as if it had never been interrupted.

    The world, the agent, its settings, the runs and the seed are those in the file, so they are no flags here.

    Args:
        resume: file of a saved agent.
        training: how much longer to train, and what to keep of it.
    """
    return run_training(lambda: load_agent(resume), "", training)


def run_training(make: Callable[[], Agent], specification: str, training: Training) -> int:
    """Train, show, save and film, and turn what goes wrong into a message.

    Args:
        make: gives the agent.
        specification: the agent's name with its settings; empty for what the agent's own Config says.
        training: how long to train, and what to keep of it.

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
        except (ValueError, TypeError) as error:  # later these are faults of an agent, to be shown where they are
            return complain(f"Error: {error}")
        return train_and_keep(agent, training, folder, console)
    except (StorageError, gym.error.Error) as error:
        return complain(f"Error: {error}")
    except KeyboardInterrupt:
        complain("Stopped at once; nothing more is saved.")
        return INTERRUPTED


def check_training(agent: Agent, training: Training) -> None:
    """See beforehand that a training can go to its end; what goes wrong later is no mistake of the user.

    Raises:
        ValueError: numbers below 1, a world without scores or pictures, or a library's agent that was trained before.
        StorageError: a folder that cannot be made or written to, or a folder where a file shall be.
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
    """Make the folder of the log and say where it is; None where there shall be no log.

    Raises:
        StorageError: it cannot be made or written to.
    """
    if training.tensorboard is None:
        return None
    name = specification or Specification(agent.name, changed_fields(agent.config, agent.Config())).label
    folder = new_folder(training.tensorboard, f"{agent.task.name}-{name}")
    say(f"Logs in {folder}; to see them: tensorboard --logdir {shlex.quote(str(training.tensorboard))}", console)
    return folder


def train_and_keep(agent: Agent, training: Training, folder: Path | None, console: Console) -> int:
    """Train, show how each run has ended, save and film.

    Args:
        agent: the population.
        training: how long to train, and what to keep of it.
        folder: of the log, or None for no log.
        console: where to.

    Returns:
        The exit code.

    Raises:
        StorageError: what is to be kept cannot be written.
        DependencyNotInstalled: moviepy is missing.
    """
    end = agent.steps + training.steps
    try:
        scores = train_and_show(agent, training, folder, console)
    except StoppedBetweenSteps:
        complain(f"Stopped after {agent.steps:,} of {end:,} steps.", *save_what_there_is(agent, end, training))
        return INTERRUPTED
    except StorageError as error:
        return complain(f"Error: {error}", *save_what_there_is(agent, end, training))
    show_scores(agent, scores, EVALUATION_EPISODES, console)
    keep(agent, training, console)
    return 0


def train_and_show(agent: Agent, training: Training, folder: Path | None, console: Console) -> np.ndarray:
    """Train with a bar in the terminal and a log for TensorBoard, until the end or Ctrl-C.

    Args:
        agent: the population.
        training: how long.
        folder: of the log, or None for no log.
        console: where the bar is shown.

    Returns:
        The scores at the end, [R].

    Raises:
        StoppedBetweenSteps: Ctrl-C; the agent is as after some whole step.
        StorageError: the log cannot be written, the disk is full perhaps; the agent is as after some whole step.
    """
    one_after_the_other = agent.num_runs if isinstance(agent, SB3Agent) else 1
    shown = TrainingDisplay(
        console, training.steps * one_after_the_other, "mean return" if agent.task.truth is None else "score"
    )
    try:
        with shown as display, Interruption() as interruption:
            learn = partial(_train_library, agent) if isinstance(agent, SB3Agent) else partial(_train_own, agent)
            return learn(training, folder, display, interruption).scores[-1]
    except OSError as error:  # nothing but the log is written in training
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
    """Hands on what the library's training tells, to the display and to the log."""

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
        """A run has taken so many steps; it may have taken a few more than it should by then."""
        self.display.advance(run * self.steps + min(steps, self.steps))
        self.interruption.check()

    def checkpoint(self, run: int, steps: int, score: float) -> None:
        """A run has been scored."""
        self.display.scored(steps, np.array([score]), f"run {self.agent.runs[run]}: ")
        if self.log is not None:
            self.log.checkpoint(run, steps, score)


def save_what_there_is(agent: Agent, end: int, training: Training) -> list[str]:
    """Save an agent whose training was stopped, if it was to be saved.

    Args:
        agent: the population, as after some whole step.
        end: the environment steps that it was to have learned from.
        training: where it was to be saved.

    Returns:
        What to say of it, in lines.

    Raises:
        StorageError: the file cannot be written.
    """
    if isinstance(agent, SB3Agent):
        return [f"Nothing is saved: {agent.name} is trained in one go."]
    if training.save is None:
        return ["Nothing is saved: --save PATH would have kept what was learned."]
    agent.save(training.save)
    if agent.steps >= end:
        return [f"Saved to {training.save}, with all of its training."]
    again = ["python", "-m", "baselines", "train", "--resume", str(training.save), "--steps", str(end - agent.steps)]
    for flag in ("save", "tensorboard", "video"):
        path = getattr(training, flag)
        again += [] if path is None else [f"--{flag}", str(path)]
    return [f"Saved to {training.save}. To go on:", f"  {shlex.join(again)}"]


def keep(agent: Agent, training: Training, console: Console) -> None:
    """Save a trained agent and film it, as far as that is asked for; raises as `Agent.save` and `record_video`."""
    if training.save is not None:
        agent.save(training.save)
        watch = f"python -m baselines watch {shlex.quote(str(training.save))}"
        say(f"Saved to {training.save}; to see it play: {watch}", console)
    if training.video is not None:
        for film in record_video(agent, training.video, episodes=training.episodes, seed=agent.seed):
            say(f"Filmed: {film}", console)
