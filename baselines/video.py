"""Films of trained agents, by Gymnasium's RecordVideo."""

from __future__ import annotations

import warnings
from pathlib import Path

from baselines.agent import Agent
from baselines.replaying import check_episodes, make_env, play_episode, player_of
from baselines.storage import make_folder


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
        StorageError: the folder cannot be written to.
        DependencyNotInstalled: pygame or moviepy is missing.
    """
    from gymnasium.wrappers import RecordVideo

    check_episodes(episodes)
    number = agent.runs.start if run is None else run
    player = player_of(agent, number, seed=seed)
    env = make_env(agent.task, "rgb_array")
    readable = "".join(c if c.isalnum() or c in "-." else "_" for c in f"{agent.task.name}-{agent.name}-run{number}")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*Overwriting existing videos", category=UserWarning)
        film = RecordVideo(env, str(make_folder(folder)), episode_trigger=lambda _: True, name_prefix=readable)
    try:
        for episode in range(episodes):
            play_episode(film, player, seed=seed if episode == 0 else None)
    finally:
        film.close()
    return [folder / f"{readable}-episode-{episode}.mp4" for episode in range(episodes)]
