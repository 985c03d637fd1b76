"""Films of trained agents, by Gymnasium's RecordVideo."""

from __future__ import annotations

import warnings
from contextlib import closing
from pathlib import Path

from baselines.monitoring.playback import make_env, play_episode, player_of
from baselines.system.atomic_files import StorageError, file_name, make_folder
from baselines.training.agent import Agent
from rl_envs.mdp.finite_mdp import check_integer


def record_video(agent: Agent, folder: Path, *, run: int | None = None, episodes: int = 1, seed: int = 0) -> list[Path]:
    """Film a run of an agent that acts greedily.

    Args:
        agent: the population; it learns nothing from being filmed.
        folder: where the films go, made if need be; those of an earlier call are replaced.
        run: the number of the run; the first one when left out.
        episodes: how many episodes, each a film.
        seed: of the world.

    Returns:
        The files, mp4.

    Raises:
        ValueError: a run that the population does not have, less than one episode, or a world that gives no pictures.
        StorageError: a film cannot be written, for want of room perhaps.
        DependencyNotInstalled: pygame or moviepy is missing.
    """
    from gymnasium.wrappers import RecordVideo

    check_integer("episodes", episodes, low=1)
    number = agent.runs.start if run is None else run
    player = player_of(agent, number, seed=seed)
    env = make_env(agent.task, "rgb_array")
    name = file_name(f"{agent.task.name}-{agent.name}-run{number}")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*Overwriting existing videos", category=UserWarning)
        film = RecordVideo(env, str(make_folder(folder)), episode_trigger=lambda _: True, name_prefix=name)
    try:
        with closing(film):
            for episode in range(episodes):
                play_episode(film, player, seed=seed if episode == 0 else None)
    except OSError as error:  # of moviepy, with all that ffmpeg had to say
        film.recorded_frames.clear()
        reason = next(filter(None, str(error).splitlines()), "the disk may be full")
        raise StorageError(f"cannot write the film into {folder}: {reason}") from error
    films = [folder / f"{name}-episode-{episode}.mp4" for episode in range(episodes)]
    for written in films:
        check_film(written)
    return films


def check_film(path: Path) -> None:
    """Raise StorageError unless a film opens: moviepy does not ask ffmpeg whether it could write the end."""
    from imageio_ffmpeg import count_frames_and_secs  # type: ignore[import-untyped]

    try:
        count_frames_and_secs(str(path))
    except RuntimeError as error:
        raise StorageError(f"the film {path} was not written whole; the disk may be full") from error
