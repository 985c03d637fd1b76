"""`python -m baselines watch`: watch a saved agent play, in the terminal or in a window."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import gymnasium as gym
import tyro

from baselines.agents.value_prediction import ValueAgent
from baselines.commands.exit_codes import INTERRUPTED, complain
from baselines.commands.flags import OptionalFloat, OptionalInteger
from baselines.monitoring.playback import (
    LONGEST,
    Frame,
    OptionPlayer,
    Player,
    expectation,
    make_env,
    play_episode,
    player_of,
)
from baselines.monitoring.training_display import say
from baselines.registry import load_agent
from baselines.system.atomic_files import StorageError
from rl_envs.mdp.finite_mdp import check_integer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

# How long the last frame of an episode stays, in seconds.
PAUSE_AT_THE_END = 1.0


def command(typed: Sequence[str]) -> Callable[..., int]:
    """The command; its flags depend on nothing."""
    return watch


def watch(
    path: tyro.conf.Positional[Path],
    render: Literal["ansi", "human"] = "ansi",
    episodes: int = 1,
    seed: int = 0,
    fps: OptionalFloat = None,
    run: OptionalInteger = None,
) -> int:
    """Watch a saved agent play greedily, and compare its return with the exact expected return.

    Args:
        path: the agent's file, written by `train --save`.
        render: ansi for the terminal, human for a window.
        episodes: number of episodes.
        seed: seed of the environment.
        fps: frames per second; the environment's own by default.
        run: number of the run that plays; the first by default.
    """
    from rich.console import Console

    console = Console()
    try:
        try:
            check_integer("episodes", episodes, low=1)
            check_integer("seed", seed, low=0)
            agent = load_agent(path)
            player = player_of(agent, agent.runs.start if run is None else run, seed=seed)
            env = make_env(agent.task, render, fps=fps)
        except ValueError as error:  # raised later, it is a bug of the agent and needs a traceback
            return complain(f"Error: {error}")
        with closing(env):
            play(env, player, episodes, seed, console)
    except (StorageError, gym.error.Error) as error:
        return complain(f"Error: {error}")
    except KeyboardInterrupt:
        complain("Stopped.")
        return INTERRUPTED
    return 0


def play(env: gym.Env[Any, Any], player: Player, episodes: int, seed: int, console: Console) -> None:
    """Play and show episodes, and compare their returns with the expected ones.

    Args:
        env: an environment that renders text or a window.
        player: the agent's run that acts.
        episodes: number of episodes.
        seed: of the environment.
        console: where the text goes.
    """
    for line in introduction(player):
        say(line, console)
    show = show_frames if env.render_mode == "ansi" else show_window
    ends = []
    for episode in range(episodes):
        ends.append(show(env, player, seed if episode == 0 else None, console))
        say(f"episode {episode + 1}: {summary(ends[-1])}", console)
    for line in comparison_with_expected(player, ends):
        say(line, console)


def introduction(player: Player) -> list[str]:
    """Which agent plays, where, and how."""
    agent = player.agent
    others = "" if agent.num_runs == 1 else f" (of {agent.runs.start} to {agent.runs.stop - 1})"
    lines = [
        f"{agent.name} on {agent.task.name}, run {agent.runs[player.place]}{others}, seed {agent.seed}, "
        f"after {agent.steps:,} steps"
    ]
    if isinstance(agent, ValueAgent):
        lines.append(f"{agent.name} predicts values and learns no policy: it acts uniformly at random.")
    if isinstance(player, OptionPlayer):
        lines.append("It follows each option to its end, as in its score.")
    return lines


def show_frames(env: gym.Env[Any, Any], player: Player, seed: int | None, console: Console) -> Frame:
    """Play an episode in place in a terminal, or print frame after frame into a log.

    Args:
        env: renders text.
        player: the agent's run that acts.
        seed: of the environment.
        console: where to print.

    Returns:
        The last frame.
    """
    from rich.live import Live

    if not console.is_terminal:
        return play_episode(
            env, player, seed=seed, on_frame=lambda frame: console.print(rendered(env, player, frame), soft_wrap=True)
        )
    seconds = 1 / env.metadata.get("render_fps", 4)
    with Live(console=console, auto_refresh=False) as live:

        def show(frame: Frame) -> None:
            live.update(rendered(env, player, frame), refresh=True)
            time.sleep(PAUSE_AT_THE_END if frame.end else seconds)

        return play_episode(env, player, seed=seed, on_frame=show)


def show_window(env: gym.Env[Any, Any], player: Player, seed: int | None, console: Console) -> Frame:
    """Play an episode in a window.

    Args and Returns: as `show_frames`.
    """
    end = play_episode(env, player, seed=seed)
    time.sleep(PAUSE_AT_THE_END if console.is_terminal else 0)
    return end


def rendered(env: gym.Env[Any, Any], player: Player, frame: Frame) -> Text:
    """The text of a frame; with a caption above, where the environment does not write one itself."""
    from rich.text import Text

    text = Text.from_ansi(str(env.render()))
    return text if player.agent.task.world is not None else Text(f"{caption(frame)}\n").append_text(text)


def caption(frame: Frame) -> str:
    """The last step, in words."""
    parts = [f"step {frame.steps}", f"total reward {frame.total_reward:g}"]
    if frame.action is not None:
        parts.append(f"took {frame.action}, reward {frame.reward:g}")
    return " | ".join(parts)


def summary(end: Frame) -> str:
    """How an episode ended."""
    how = f"cut off after {LONGEST} steps" if end.end == "cut off" else f"{end.end} after {end.steps:,} steps"
    return f"return {end.total_reward:.4g}, discounted return {end.discounted:.4g}, {how}"


def comparison_with_expected(player: Player, ends: Sequence[Frame]) -> list[str]:
    """The mean returns beside the exact expected ones."""
    expected = expectation(player)
    if not expected:
        return [f"{player.agent.task.name} has no table, so the expected return cannot be computed."]
    observed = {
        "return": sum(end.total_reward for end in ends) / len(ends),
        "discounted return": sum(end.discounted for end in ends) / len(ends),
    }
    return [f"mean {name} {observed[name]:.4g}, exact expectation {number:.4g}" for name, number in expected.items()]
