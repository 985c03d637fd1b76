"""`python -m baselines watch`: a saved agent plays in the terminal or in a window."""

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

# How long the last picture of an episode stays, in seconds.
PAUSE_AT_THE_END = 1.0


def command(typed: Sequence[str]) -> Callable[..., int]:
    """The command, whatever was typed after it."""
    return watch


def watch(
    path: tyro.conf.Positional[Path],
    render: Literal["ansi", "human"] = "ansi",
    episodes: int = 1,
    seed: int = 0,
    fps: OptionalFloat = None,
    run: OptionalInteger = None,
) -> int:
    """Let a saved agent play greedily, and show its return beside the one that is exactly to be expected.

    Args:
        path: the agent's file, written by `train --save`.
        render: ansi for the terminal, human for a window.
        episodes: how many to play.
        seed: of the world's chance.
        fps: steps a second; the world's own pace when left out.
        run: number of the run that plays, the first when left out.
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
        except ValueError as error:  # later it is a fault of the agent, to be shown where it is
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
    """Play episodes to be looked at, and say what was to be expected of them.

    Args:
        env: a copy of the world that makes text or shows a window.
        player: who acts.
        episodes: how many.
        seed: of the world's chance.
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
    """Who plays what, and how."""
    agent = player.agent
    others = "" if agent.num_runs == 1 else f" (of {agent.runs.start} to {agent.runs.stop - 1})"
    lines = [
        f"{agent.name} on {agent.task.name}, run {agent.runs[player.place]}{others}, seed {agent.seed}, "
        f"after {agent.steps:,} steps"
    ]
    if isinstance(agent, ValueAgent):
        lines.append(f"{agent.name} learns to predict values, no policy: it acts uniformly at random.")
    if isinstance(player, OptionPlayer):
        lines.append("It follows each option to its end, as it is scored.")
    return lines


def show_frames(env: gym.Env[Any, Any], player: Player, seed: int | None, console: Console) -> Frame:
    """Play an episode in the terminal: in place, at the world's pace, or frame after frame where it is none.

    Args:
        env: makes text.
        player: who acts.
        seed: of the environment.
        console: where to.

    Returns:
        The last moment.
    """
    from rich.live import Live

    if not console.is_terminal:
        return play_episode(
            env, player, seed=seed, on_frame=lambda moment: console.print(frame(env, player, moment), soft_wrap=True)
        )
    seconds = 1 / env.metadata.get("render_fps", 4)
    with Live(console=console, auto_refresh=False) as live:

        def show(moment: Frame) -> None:
            live.update(frame(env, player, moment), refresh=True)
            time.sleep(PAUSE_AT_THE_END if moment.end else seconds)

        return play_episode(env, player, seed=seed, on_frame=show)


def show_window(env: gym.Env[Any, Any], player: Player, seed: int | None, console: Console) -> Frame:
    """Play an episode in a window.

    Args and Returns: as `show_frames`.
    """
    end = play_episode(env, player, seed=seed)
    time.sleep(PAUSE_AT_THE_END if console.is_terminal else 0)
    return end


def frame(env: gym.Env[Any, Any], player: Player, moment: Frame) -> Text:
    """The text of a moment, with a line of what happened above where the world does not write one itself."""
    from rich.text import Text

    text = Text.from_ansi(str(env.render()))
    return text if player.agent.task.world is not None else Text(f"{caption(moment)}\n").append_text(text)


def caption(moment: Frame) -> str:
    """What happened last, in words."""
    parts = [f"step {moment.steps}", f"total reward {moment.total_reward:g}"]
    if moment.action is not None:
        parts.append(f"took {moment.action}, reward {moment.reward:g}")
    return " | ".join(parts)


def summary(end: Frame) -> str:
    """How an episode ended."""
    how = f"cut off after {LONGEST} steps" if end.end == "cut off" else f"{end.end} after {end.steps:,} steps"
    return f"return {end.total_reward:.4g}, discounted return {end.discounted:.4g}, {how}"


def comparison_with_expected(player: Player, ends: Sequence[Frame]) -> list[str]:
    """The mean of what was seen beside what is exactly to be expected."""
    known = expectation(player)
    if not known:
        return [f"{player.agent.task.name} has no table, so what is to be expected cannot be computed."]
    seen = {
        "return": sum(end.total_reward for end in ends) / len(ends),
        "discounted return": sum(end.discounted for end in ends) / len(ends),
    }
    return [f"mean {name} {seen[name]:.4g}, exactly expected {number:.4g}" for name, number in known.items()]
