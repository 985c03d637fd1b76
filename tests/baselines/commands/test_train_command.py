"""`python -m baselines train`: what it learns, shows, logs, films and saves."""

from __future__ import annotations

import errno
import os
import re
import shlex
import signal
import warnings
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baselines.__main__ import main
from baselines.agents.q_learning import QLearning
from baselines.commands.train import Experiment, Training
from baselines.games.registry import GAME_AGENTS
from baselines.monitoring import playback, training_display
from baselines.monitoring.tensorboard_log import Episodes, new_folder
from baselines.monitoring.video import record_video
from baselines.registry import AGENTS, load_agent, make_agent
from baselines.system.interrupts import Interruption, StoppedBetweenSteps
from baselines.training.loop import score, train

SHORT = ["--steps", "300", "--checkpoints", "3"]

# Small enough for a test, and so that each of them learns within it.
SPECIFICATIONS = {
    "QLearning": "QLearning",
    "HierarchicalQ": "HierarchicalQ",
    "DQN": "DQN:learning_starts=50,hidden=(8,)",
    "ActorCritic": "ActorCritic:hidden=(8,),num_envs=4",
    "SB3DQN": "SB3DQN:learning_starts=50,hidden=(8,)",
    "SB3A2C": "SB3A2C:hidden=(8,)",
}


def trained(*more: str) -> int:
    return main(["train", *more])


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard reads in a run's folder: (step, value) by tag."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


# What is learned and shown -------------------------------------------------------------------------------------------


def test_it_learns_what_the_library_learns_and_prints_the_exact_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new" / "agent"
    assert trained("--world", "LineBalance", "--runs", "3", "--seed", "7", *SHORT, "--save", str(path)) == 0
    agent = QLearning("LineBalance", runs=3, seed=7)
    curve = train(agent, steps=300, checkpoints=3)
    agent.save(tmp_path / "expected")
    assert path.read_bytes() == (tmp_path / "expected").read_bytes()
    said = capsys.readouterr().out
    for run, number in enumerate(score(agent)):
        assert f"run {run}    {number:.4f}\n" in said
    for steps, scores in zip(curve.steps, curve.scores):
        assert f"{steps:>9,} steps: score {scores.mean():.3f}, worst run {scores.min():.3f}\n" in said
    assert f"exact score of 3 runs: mean {curve.scores[-1].mean():.4f}, worst {curve.scores[-1].min():.4f}, " in said
    assert "normalised (0 = uniform policy, 1 = optimal)" in said
    assert f"watch it with: python -m baselines watch {path}" in said


@pytest.mark.parametrize(
    ("typed", "settings"),
    [
        (["--agent", "QLearning:epsilon=0.25"], "epsilon=0.25"),
        (["--agent", "QLearning", "--epsilon", "0.25"], "epsilon=0.25"),
        (["--agent=QLearning:epsilon=0.75", "--epsilon=0.25"], "epsilon=0.25"),
        (["--step-size-half-life", "inf", "--epsilon_steps", "9"], "step_size_half_life=inf,epsilon_steps=9"),
        (["--agent", "QLearning:preset=FourRooms", "--epsilon", "0.25"], "preset=FourRooms,epsilon=0.25"),
    ],
)
def test_settings_stand_in_the_specification_or_are_flags_which_go_before(
    typed: list[str], settings: str, tmp_path: Path
) -> None:
    assert trained(*typed, *SHORT, "--save", str(tmp_path / "agent")) == 0
    assert load_agent(tmp_path / "agent").config == make_agent(f"QLearning:{settings}", "LineWalk").config


def test_no_setting_of_an_agent_is_called_like_a_flag_of_the_command() -> None:
    flags = {field.name for cls in (Experiment, Training) for field in fields(cls)} | {"resume", "help"}
    for cls in (*map(AGENTS.load, AGENTS), *map(GAME_AGENTS.load, GAME_AGENTS)):
        assert not flags & {field.name for field in fields(cls.Config)}, cls.__name__


def test_without_a_table_the_score_is_said_to_be_sampled(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        trained("--world", "CartPole-v1", "--agent", SPECIFICATIONS["DQN"], "--steps", "60", "--checkpoints", "1") == 0
    )
    said = capsys.readouterr().out
    assert re.search(r"^mean return of 10 sampled episodes \d+\.\d$", said, re.MULTILINE)
    assert re.search(r"^ +60 steps: mean return \d+\.\d{3}$", said, re.MULTILINE)
    assert "score" not in said
    assert "because CartPole-v1 has no table" in said
    assert "exact" not in said


def test_agents_that_predict_values_are_scored_by_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert trained("--agent", "TDValue", "--world", "RandomWalk", *SHORT) == 0
    assert "TDValue acts uniformly at random" in capsys.readouterr().out


def test_a_terminal_shows_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    assert trained(*SHORT) == 0
    said = re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().out)
    assert "300/300" in said
    assert re.search(r"score -?\d\.\d{3}", said)
    assert "300 steps: score" not in said


def test_many_runs_are_not_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert trained("--runs", str(training_display.LISTED + 1), *SHORT) == 0
    said = capsys.readouterr().out
    assert "run 0 " not in said
    assert f"exact score of {training_display.LISTED + 1} runs: mean" in said


# TensorBoard ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SPECIFICATIONS)
def test_a_log_changes_nothing_of_what_is_learned(name: str, tmp_path: Path) -> None:
    world = "SubtaskGrid" if name == "HierarchicalQ" else "LineWalk"
    typed = ["--world", world, "--agent", SPECIFICATIONS[name], "--runs", "2", *SHORT]
    assert trained(*typed, "--save", str(tmp_path / "without")) == 0
    assert trained(*typed, "--save", str(tmp_path / "with"), "--tensorboard", str(tmp_path / "runs")) == 0
    assert (tmp_path / "with").read_bytes() == (tmp_path / "without").read_bytes()
    (folder,) = (tmp_path / "runs").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["seed0-run0", "seed0-run1"]
    logged = scalars(folder / "seed0-run1")
    wanted = {"rollout/ep_rew_mean", "rollout/ep_len_mean", "time/fps", "eval/exact_score", "eval/mean_reward"}
    wanted |= {
        "QLearning": {"rollout/exploration_rate", "rollout/success_rate", "train/td_error"},
        "HierarchicalQ": {"rollout/exploration_rate", "rollout/success_rate", "train/td_error"},
        "DQN": {"rollout/exploration_rate", "train/loss", "train/learning_rate"},
        "ActorCritic": {"train/policy_loss", "train/value_loss", "train/learning_rate"},
        "SB3DQN": {"rollout/exploration_rate", "train/loss", "train/learning_rate"},
        "SB3A2C": {"train/policy_loss", "train/value_loss", "train/learning_rate"},
    }[name]
    assert wanted <= logged.keys()
    if not name.startswith("SB3"):  # which counts these for the screen alone
        assert all(step == value for step, value in logged["time/total_timesteps"])
        assert [step for step, _ in logged["time/iterations"]] == [step for step, _ in logged["time/total_timesteps"]]
    agent = load_agent(tmp_path / "with")
    last, exact = logged["eval/exact_score"][-1]
    assert last == (320 if name == "SB3A2C" else 300)  # A2C ends with the update that it then collects for
    assert exact == pytest.approx(agent.exact_score()[1], abs=1e-6)
    policy = agent.policy()[1]
    assert logged["eval/mean_reward"][-1][1] == pytest.approx(agent.task.truth.episode_return(policy), abs=1e-6)


def test_known_episodes_are_logged_as_they_are(tmp_path: Path) -> None:
    assert trained("--agent", "Optimal", "--steps", "400", "--checkpoints", "4", "--tensorboard", str(tmp_path)) == 0
    logged = scalars(tmp_path / "LineWalk-Optimal" / "seed0-run0")
    # From the middle of 11 cells it is five steps to the right end, where the reward is 1.
    assert logged["rollout/ep_rew_mean"] == [(step, 1.0) for step in range(8, 401, 4)]
    assert logged["rollout/ep_len_mean"] == [(step, 5.0) for step in range(8, 401, 4)]
    assert logged["rollout/success_rate"] == [(step, 1.0) for step in range(8, 401, 4)]
    assert logged["time/episodes"] == [(step, step // 5) for step in range(4, 401, 4)]
    assert logged["time/iterations"] == [(step, step) for step in range(4, 401, 4)]
    assert logged["eval/exact_score"] == logged["eval/mean_reward"] == [(step, 1.0) for step in range(0, 401, 100)]
    assert "rollout/exploration_rate" not in logged
    assert all(value > 0 for _, value in logged["time/fps"])


@pytest.mark.parametrize("name", ["QLearning", "ActorCritic"])
def test_what_is_logged_agrees_with_an_independent_count(name: str, tmp_path: Path) -> None:
    agent = make_agent(SPECIFICATIONS[name], "LineBalance", runs=3, seed=5)
    num_envs, run = agent.num_envs, 2
    returns: list[float] = []
    lengths: list[int] = []
    metrics: list[tuple[int, dict[str, float]]] = []
    under_way = [[] for _ in range(num_envs)]
    expected: dict[int, tuple[float, float]] = {}
    rates = {}

    def count(transition: Any, said: Any) -> None:
        for copy in range(num_envs):
            place = run * num_envs + copy
            under_way[copy].append(float(transition.reward[place]))
            if transition.terminated[place] or transition.truncated[place]:
                returns.append(sum(under_way[copy]))
                lengths.append(len(under_way[copy]))
                under_way[copy].clear()
        metrics.append((agent.steps, {key: float(values[run]) for key, values in said.items()}))
        rates[agent.steps] = getattr(agent, "epsilon", None)
        if returns:
            expected[agent.steps] = (np.mean(returns[-100:]), np.mean(lengths[-100:]))

    train(agent, steps=4_000, checkpoints=1, on_step=count)
    assert len(returns) > 150  # so that the window of the last 100 matters
    typed = ["--world", "LineBalance", "--agent", SPECIFICATIONS[name], "--runs", "3", "--seed", "5"]
    assert trained(*typed, "--steps", "4000", "--checkpoints", "1", "--tensorboard", str(tmp_path)) == 0
    (folder,) = tmp_path.iterdir()
    logged = scalars(folder / "seed5-run2")
    steps = [step for step, _ in logged["time/total_timesteps"]]
    assert len(steps) == 100
    assert steps[-1] == agent.steps == 4_000
    for place, tag in enumerate(("rollout/ep_rew_mean", "rollout/ep_len_mean")):
        assert [step for step, _ in logged[tag]] == [step for step in steps if step in expected]
        for step, value in logged[tag]:
            assert value == pytest.approx(expected[step][place], rel=1e-6)
    for key in {key for _, said in metrics for key in said}:
        for (_, last), (step, value) in zip(
            [(0, 0), *((s, s) for s, _ in logged[f"train/{key}"])], logged[f"train/{key}"]
        ):
            numbers = [said[key] for at, said in metrics if last < at <= step and key in said]
            assert value == pytest.approx(np.mean(numbers), rel=1e-4, abs=1e-6)
    if name == "QLearning":
        assert logged["rollout/exploration_rate"] == [(step, pytest.approx(rates[step])) for step in steps]


def test_the_librarys_own_log_counts_what_the_world_does(tmp_path: Path) -> None:
    typed = ["--world", "LineBalance", "--agent", SPECIFICATIONS["SB3DQN"], "--steps", "400", "--checkpoints", "2"]
    assert trained(*typed, "--tensorboard", str(tmp_path)) == 0
    (folder,) = tmp_path.iterdir()
    logged = scalars(folder / "seed0-run0")
    steps, lengths = zip(*logged["rollout/ep_len_mean"])
    # An entry every 4 episodes: they ended with the step of the entry, so their lengths add up to it.
    assert [round(length * 4 * (place + 1)) for place, length in enumerate(lengths[:25])] == list(steps[:25])
    assert [step for step, _ in logged["eval/exact_score"]] == [0, 200, 400]


def test_the_settings_stand_in_the_log(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    for agent in ("DQN", "SB3DQN"):
        typed = ["--world", "LineWalk:size=5", "--agent", SPECIFICATIONS[agent], "--max-gradient-norm", "inf"]
        typed = typed if agent == "DQN" else typed[:-2]
        assert (
            trained(
                *typed, "--seed", "3", "--steps", "60", "--checkpoints", "1", "--tensorboard", str(tmp_path / agent)
            )
            == 0
        )
        (folder,) = (tmp_path / agent).iterdir()
        events = EventAccumulator(str(folder / "seed3-run0"))
        events.Reload()
        content = events.PluginTagToContent("hparams")
        started = HParamsPluginData.FromString(content["_hparams_/session_start_info"]).session_start_info.hparams
        assert started["agent"].string_value == agent
        assert started["world"].string_value == "LineWalk:size=5"
        assert started["seed"].number_value == 3
        assert started["learning_rate"].number_value == 2e-3
        assert started["hidden"].string_value == "(8,)"
        if agent == "DQN":
            assert started["max_gradient_norm"].string_value == "inf"
        experiment = HParamsPluginData.FromString(content["_hparams_/experiment"]).experiment
        assert {info.name.tag for info in experiment.metric_infos} >= {"eval/exact_score", "rollout/ep_rew_mean"}


def test_each_training_has_a_folder_of_its_own(tmp_path: Path) -> None:
    assert new_folder(tmp_path, "LineWalk:size=5-QLearning:epsilon=0.2").name == "LineWalk_size_5-QLearning_epsilon_0.2"
    for _ in range(2):
        assert (
            trained("--steps", "10", "--checkpoints", "1", "--epsilon", "0.5", "--tensorboard", str(tmp_path / "runs"))
            == 0
        )
    assert {folder.name for folder in (tmp_path / "runs").iterdir()} == {
        "LineWalk-QLearning_epsilon_0.5",
        "LineWalk-QLearning_epsilon_0.5_2",
    }


def test_episodes_whose_beginning_was_not_seen_do_not_count() -> None:
    episodes = Episodes(1, 2, begun_before=True)
    for step in range(1, 7):  # the first copy's episodes end every 2 steps, the second's every 3
        ended = np.array([step % 2 == 0, step % 3 == 0])
        episodes.add(np.array([1.0, 10.0]), ended, np.array([1.0, 0.0]))
        if step == 3:
            assert episodes.means(0) == {}
    # Left out: the first 2 steps of the one and the first 3 of the other.
    assert episodes.means(0) == {
        "rollout/ep_rew_mean": pytest.approx((2 + 2 + 30) / 3),
        "rollout/ep_len_mean": pytest.approx((2 + 2 + 3) / 3),
        "rollout/success_rate": pytest.approx(2 / 3),
    }
    assert episodes.finished.tolist() == [5]


# Saving, resuming, stopping ------------------------------------------------------------------------------------------


def test_a_resumed_training_equals_an_unbroken_one(tmp_path: Path) -> None:
    paths = {name: str(tmp_path / name) for name in ("first", "second", "whole")}
    typed = ["--world", "LineBalance", "--agent", "ActorCritic", "--hidden", "8", "--runs", "2", "--checkpoints", "2"]
    assert trained(*typed, "--steps", "120", "--save", paths["first"]) == 0
    assert trained("--resume", paths["first"], "--steps", "160", "--save", paths["second"]) == 0
    assert trained(*typed, "--steps", "280", "--save", paths["whole"]) == 0
    assert load_agent(paths["second"]).steps == 280
    assert Path(paths["second"]).read_bytes() == Path(paths["whole"]).read_bytes()


def test_a_resumed_log_goes_on_with_the_steps(tmp_path: Path) -> None:
    assert trained(*SHORT, "--epsilon", "0.5", "--save", str(tmp_path / "agent")) == 0
    assert trained("--resume", str(tmp_path / "agent"), *SHORT, "--tensorboard", str(tmp_path / "runs")) == 0
    logged = scalars(tmp_path / "runs" / "LineWalk-QLearning_epsilon_0.5" / "seed0-run0")
    assert [step for step, _ in logged["eval/exact_score"]] == [300, 400, 500, 600]
    assert logged["time/total_timesteps"][-1] == (600, 600)


def interrupt_after(steps: int, cls: type, monkeypatch: pytest.MonkeyPatch, send: Callable[[], None]) -> None:
    """Let Ctrl-C come in the middle of the update after so many."""
    update = cls.update
    count = iter(range(10**9))

    def interrupted(self: Any, transition: Any) -> Any:
        if next(count) == steps:
            send()
        return update(self, transition)

    monkeypatch.setattr(cls, "update", interrupted)


def ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupted_training_is_saved_and_says_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "an agent"
    typed = ["--world", "LineBalance", "--runs", "2", "--steps", "300", "--checkpoints", "2"]
    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        interrupt_after(123, QLearning, patch, ctrl_c)
        assert trained(*typed, "--save", str(path), "--tensorboard", str(tmp_path / "runs")) == 130
    assert signal.getsignal(signal.SIGINT) is before
    said = capsys.readouterr().err
    assert said.startswith("Stopped after 124 of 300 steps.\nSaved to ")
    (*program,) = shlex.split(said.splitlines()[-1])
    assert program[:4] == ["python", "-m", "baselines", "train"]
    assert program[4:8] == ["--resume", str(path), "--steps", "176"]
    logged = scalars(tmp_path / "runs" / "LineBalance-QLearning" / "seed0-run0")
    assert logged["time/total_timesteps"][-1] == (124, 124)
    assert main(program[3:]) == 0
    assert trained(*typed, "--save", str(tmp_path / "whole")) == 0
    assert path.read_bytes() == (tmp_path / "whole").read_bytes()


def test_what_an_interrupted_training_loses_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt_after(5, QLearning, patch, ctrl_c)
        assert trained(*SHORT) == 130
    assert "Nothing saved; use --save PATH to save the agent.\n" in capsys.readouterr().err
    from stable_baselines3 import DQN

    with monkeypatch.context() as patch:
        predict = DQN.predict
        patch.setattr(
            DQN, "predict", lambda self, *a, **k: (self.num_timesteps == 20 and ctrl_c()) or predict(self, *a, **k)
        )
        assert trained("--agent", "SB3DQN:learning_starts=9", *SHORT, "--save", str(tmp_path / "agent")) == 130
    said = capsys.readouterr().err
    assert "Nothing saved: SB3DQN cannot be resumed." in said
    assert not (tmp_path / "agent").exists()


def test_a_full_disk_under_the_log_does_not_cost_what_was_learned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch.utils.tensorboard import SummaryWriter

    write, path, folder = SummaryWriter.add_scalar, tmp_path / "agent", tmp_path / "runs"

    def full_from_step_200_on(self: Any, tag: str, number: float, step: int) -> None:
        if step >= 200:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(self, tag, number, step)

    with monkeypatch.context() as patch:
        patch.setattr(SummaryWriter, "add_scalar", full_from_step_200_on)
        assert trained(*SHORT, "--save", str(path), "--tensorboard", str(folder)) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        f"Error: cannot write the log in {folder}/LineWalk-QLearning: No space left on device\nSaved to "
    )
    assert load_agent(path).steps == 200
    assert main(shlex.split(said.splitlines()[-1])[3:]) == 0
    assert trained(*SHORT, "--save", str(tmp_path / "whole")) == 0
    assert path.read_bytes() == (tmp_path / "whole").read_bytes()


def test_a_second_interrupt_does_not_wait_for_the_end_of_the_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_after(5, QLearning, monkeypatch, lambda: (ctrl_c(), ctrl_c()))
    assert trained(*SHORT, "--save", str(tmp_path / "agent")) == 130
    assert capsys.readouterr().err == "Stopped at once; nothing more is saved.\n"
    assert not (tmp_path / "agent").exists()


def test_an_interrupt_is_raised_where_it_is_asked_for() -> None:
    with Interruption() as interruption:
        interruption.check()
        ctrl_c()
        with pytest.raises(StoppedBetweenSteps):
            interruption.check()


# Films ---------------------------------------------------------------------------------------------------------------


def frames_of(film: Path) -> np.ndarray:
    import imageio.v3

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # imageio leaves the pipes of ffmpeg to be collected
        return imageio.v3.imread(film, plugin="FFMPEG")


def test_a_film_shows_every_moment_of_an_episode(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed = ["--agent", "Optimal", "--steps", "10", "--checkpoints", "1", "--video", str(tmp_path), "--episodes", "2"]
    for _ in range(2):  # the second time over the first
        assert trained(*typed) == 0
    films = sorted(tmp_path.iterdir())
    assert [film.name for film in films] == [f"LineWalk-Optimal-run0-episode-{episode}.mp4" for episode in (0, 1)]
    assert f"Recorded: {films[1]}\n" in capsys.readouterr().out
    for film in films:
        frames = frames_of(film)
        assert len(frames) == 6  # the start and five steps
        env = playback.make_env(make_agent("Optimal", "LineWalk").task, "rgb_array")
        env.reset(seed=0)
        first = env.render()
        assert frames[0].shape == first.shape
        assert np.abs(frames[0].astype(float) - first).mean() < 5  # but for the codec's losses
        assert np.abs(frames[5].astype(float) - first).mean() > np.abs(frames[0].astype(float) - first).mean()


def test_an_episode_without_a_time_limit_is_cut_off_in_a_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playback, "LONGEST", 4)
    (film,) = record_video(make_agent("Random", "RandomWalk"), tmp_path)
    assert len(frames_of(film)) == 5


@pytest.mark.parametrize("raised", [True, False])
def test_a_film_that_cannot_be_written_whole_is_said(
    raised: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from moviepy.video.io.ImageSequenceClip import ImageSequenceClip

    write = ImageSequenceClip.write_videofile

    def write_a_part(self: Any, path: str, **more: Any) -> None:
        if raised:
            raise OSError("\n\nffmpeg: no room\nand much more")
        write(self, path, **more)
        os.truncate(path, os.path.getsize(path) // 2)

    monkeypatch.setattr(ImageSequenceClip, "write_videofile", write_a_part)
    typed = [
        "--steps",
        "10",
        "--checkpoints",
        "1",
        "--save",
        str(tmp_path / "agent"),
        "--video",
        str(tmp_path / "videos"),
    ]
    assert trained(*typed) == 2
    assert capsys.readouterr().err == "Error: " + (
        f"cannot write the video into {tmp_path}/videos: ffmpeg: no room\n"
        if raised
        else f"the video {tmp_path}/videos/LineWalk-QLearning-run0-episode-0.mp4 is incomplete; the disk may be full\n"
    )
    assert load_agent(tmp_path / "agent").steps == 10


def test_a_film_of_gymnasiums_own_environments(tmp_path: Path) -> None:
    agent = make_agent(SPECIFICATIONS["DQN"], "CartPole-v1", runs=2)
    (film,) = record_video(agent, tmp_path, run=1, seed=3)
    player = playback.player_of(make_agent(SPECIFICATIONS["DQN"], "CartPole-v1", runs=2), 1)
    end = playback.play_episode(playback.make_env(agent.task, "rgb_array"), player, seed=3)
    assert film.name == "CartPole-v1-DQN-run1-episode-0.mp4"
    # moviepy rounds the duration down, which may cost the last frame.
    assert len(frames_of(film)) in (end.steps, end.steps + 1)


# Mistakes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (["--world", "LineWlk"], "unknown world 'LineWlk'. Did you mean 'LineWalk'?"),
        (["--agent", "QLearning", "--world", "LineWalk:size=0"], "LineWalk:size=0: size must be at least 1, but is 0"),
        (["--agent", "UCB1"], "UCB1 is for bandits"),
        (["--world", "Bandit:means=(1,1)"], "a score needs an optimal policy that is better"),
        (["--runs", "0"], "runs must be at least 1, but is 0"),
        (["--seed", "-1"], "seed must be at least 0, but is -1"),
        (["--steps", "0"], "steps must be at least 1, but is 0"),
        (["--checkpoints", "0"], "checkpoints must be at least 1, but is 0"),
        (["--video", "{}/films", "--episodes", "0"], "episodes must be at least 1, but is 0"),
        (["--save", "{}"], "cannot write {}: it is a folder"),
        (["--save", "{}/file/agent"], "cannot make the folder {}/file"),
        (["--tensorboard", "{}/file"], "cannot make the folder {}/file/LineWalk-QLearning"),
        (["--video", "{}/file"], "cannot make the folder {}/file"),
        (["--resume", "{}/nothing"], "cannot read {}/nothing"),
        (["--resume", "{}/file"], "{}/file is cut short or is no safetensors file"),
    ],
)
def test_a_mistake_is_said_in_a_line_before_anything_is_trained(
    typed: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QLearning, "update", lambda *_: pytest.fail("it was trained"))
    (tmp_path / "file").touch()
    assert trained(*(word.format(tmp_path) for word in typed)) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"Error: {message.format(tmp_path)}")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("agent", "message"),
    [
        ("QLearnin", "unknown agent 'QLearnin'. Did you mean 'QLearning'?"),
        ("QLearning:epsilo=1", "unknown setting of QLearning 'epsilo'. Did you mean 'epsilon'?"),
        ("QLearning:epsilon", "a setting must have the form key=value"),
        ("QLearning:epsilon=high", "QLearning's epsilon must be a number, but is 'high'"),
    ],
)
def test_a_mistake_in_the_agents_specification_is_said_in_a_line(
    agent: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        trained("--agent", agent)
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"Error: {message}")
    assert said.count("\n") == 1


def test_a_resumed_training_takes_no_flags_for_what_the_file_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    QLearning("LineWalk").save(tmp_path / "agent")
    for flag in ("--epsilon", "--runs", "--world"):
        with pytest.raises(SystemExit) as left:
            trained("--resume", str(tmp_path / "agent"), flag, "1")
        assert left.value.code == 2
        assert flag in capsys.readouterr().err


def test_a_librarys_agent_is_not_resumed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed = ["--agent", SPECIFICATIONS["SB3DQN"], "--steps", "60", "--checkpoints", "1"]
    assert trained(*typed, "--save", str(tmp_path / "agent")) == 0
    capsys.readouterr()
    assert trained("--resume", str(tmp_path / "agent")) == 2
    assert capsys.readouterr().err == "Error: SB3DQN is trained in one go, so its training cannot be resumed\n"


def test_a_fault_of_an_agent_is_shown_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QLearning, "update", lambda self, transition: np.zeros(2) + np.zeros(3))
    with pytest.raises(ValueError, match="could not be broadcast together"):
        trained(*SHORT)


# Documentation -------------------------------------------------------------------------------------------------------

PAGE = (Path(__file__).parents[3] / "docs" / "training.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if "baselines" in line
]


def test_the_commands_of_the_documentation_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(COMMANDS) == 9
    for command in COMMANDS:
        program, typed = shlex.split(command)[:3], shlex.split(command)[3:]
        assert program == ["python", "-m", "baselines"]
        if "--help" in typed:
            with pytest.raises(SystemExit) as left:
                main(typed)
            assert left.value.code == 0
            continue
        # Shorter, where nothing is promised of the end.
        short = typed[0] == "train" and "SubtaskGrid" not in typed
        more = ["--steps", "200", "--checkpoints", "1"] if short else ["--fps", "1000"] if "human" in typed else []
        for flag in more[::2]:
            if flag in typed:
                place = typed.index(flag)
                del typed[place : place + 2]
        assert main([*typed, *more]) == 0
    assert load_agent("sarsa.safetensors").steps == 400
    assert Path("runs/LineBalance-DQN/seed0-run2").is_dir()
    [videos] = re.findall(r"--video (\S+)", PAGE)
    assert len(list(Path(videos).iterdir())) == 2
    promised = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)[0]
    assert promised in capsys.readouterr().out
