"""Videos of trained agents, by Gymnasium's RecordVideo."""

from __future__ import annotations

import warnings
from contextlib import closing
from pathlib import Path

from baselines.monitoring.playback import make_env, play_episode, player_of
from baselines.system.atomic_files import StorageError, file_name, make_folder
from baselines.training.agent import Agent
from rl_envs.mdp.finite_mdp import check_integer


def record_video(agent: Agent, folder: Path, *, run: int | None = None, episodes: int = 1, seed: int = 0) -> list[Path]:
    """Record one run of an agent, acting greedily.

    Args:
        agent: the population; it does not learn while it is recorded.
        folder: where the videos go, made if missing; those of an earlier call are replaced.
        run: the number of the run; the first one when left out.
        episodes: number of episodes, one video each.
        seed: of the environment.

    Returns:
        The files, mp4.

    Raises:
        ValueError: a run that the population does not have, less than one episode, or a world without pictures.
        StorageError: a video cannot be written, for a full disk say.
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
        recorder = RecordVideo(env, str(make_folder(folder)), episode_trigger=lambda _: True, name_prefix=name)
    try:
        with closing(recorder):
            for episode in range(episodes):
                play_episode(recorder, player, seed=seed if episode == 0 else None)
    except OSError as error:  # of moviepy, with all that ffmpeg had to say
        recorder.recorded_frames.clear()
        reason = next(filter(None, str(error).splitlines()), "the disk may be full")
        raise StorageError(f"cannot write the video into {folder}: {reason}") from error
    videos = [folder / f"{name}-episode-{episode}.mp4" for episode in range(episodes)]
    for video in videos:
        check_video(video)
    return videos


def check_video(path: Path) -> None:
    """Raise StorageError unless a video opens: moviepy does not check whether ffmpeg could write the end."""
    from imageio_ffmpeg import count_frames_and_secs  # type: ignore[import-untyped]

    try:
        count_frames_and_secs(str(path))
    except RuntimeError as error:
        raise StorageError(f"the video {path} is incomplete; the disk may be full") from error
