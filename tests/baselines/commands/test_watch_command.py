"""`python -m baselines watch`: saved agents play."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baselines.__main__ import main
from baselines.agents.hierarchical_q import HierarchicalQ, HierarchicalQConfig
from baselines.agents.q_learning import QLearning
from baselines.commands import watch as command
from baselines.monitoring import playback
from baselines.monitoring.playback import expectation, make_env, play_episode, player_of
from baselines.registry import AGENTS, load_agent, make_agent
from baselines.system.atomic_files import StorageError
from baselines.training.loop import train

# Small settings for those that take long.
SMALL = {"SB3DQN": "SB3DQN:learning_starts=50", "MonteCarloValue": "MonteCarloValue:max_length=100"}


def trained(name: str, path: Path, *, steps: int = 200, runs: int = 1) -> Path:
    """An agent saved after some steps, on the first of these worlds that it can learn."""
    refusals = []
    for world in ("LineWalk", "Bandit", "SubtaskGrid", "RobotGrasp"):
        try:
            agent = make_agent(SMALL.get(name, name), world, runs=runs)
        except TypeError as error:
            refusals.append(str(error))
        else:
            train(agent, steps=steps, checkpoints=1)
            agent.save(path)
            return path
    raise AssertionError(f"{name} learns nothing: {refusals}")


def watched(path: Path, *more: str) -> int:
    return main(["watch", str(path), *more])


@pytest.mark.parametrize("name", AGENTS)
def test_every_agent_can_be_trained_saved_and_watched(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = trained(name, tmp_path / "agent.safetensors")
    assert watched(path, "--fps", "1000") == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{name} on ")
    frames = re.findall(r"^step (\d+) \| total reward (\S+)", said, re.MULTILINE)
    assert [int(steps) for steps, _ in frames] == list(range(len(frames)))
    total, discounted, steps = re.search(
        r"^episode 1: return (\S+), discounted return (\S+), \w+ after ([\d,]+) steps$", said, re.MULTILINE
    ).groups()
    assert int(steps.replace(",", "")) == len(frames) - 1
    assert float(total) == pytest.approx(float(frames[-1][1]), rel=1e-2, abs=1e-2)
    assert abs(float(discounted)) <= abs(float(total)) + 1e-9
    assert f"mean discounted return {discounted}, exact expectation " in said
    predicts = name in ("TDValue", "MonteCarloValue")
    assert (f"{name} predicts values and learns no policy: it acts uniformly at random." in said) == predicts


def test_what_is_expected_is_what_many_episodes_give() -> None:
    agent = make_agent("QLearning", "RandomMDP", runs=3)
    train(agent, steps=500, checkpoints=1)
    player = player_of(agent, 1)
    env = make_env(agent.task, "ansi")
    ends = [play_episode(env, player, seed=0 if episode == 0 else None) for episode in range(150)]
    expected = expectation(player)
    # The discounted one is of episodes without a limit; so much of it may come after these have been cut off.
    truth = agent.task.truth
    later = agent.task.discount**agent.task.max_episode_steps * np.abs(truth.v_star).max()
    for name, numbers, slack in (
        ("return", [end.total_reward for end in ends], 0.0),
        ("discounted return", [end.discounted for end in ends], later),
    ):
        error = np.std(numbers) / np.sqrt(len(numbers))
        assert error > 0
        assert abs(np.mean(numbers) - expected[name]) < 3 * error + slack


@pytest.mark.parametrize("policies", ["exact", "learned"])
def test_options_are_followed_to_their_ends_and_shown(policies: str) -> None:
    agent = HierarchicalQ("SubtaskGrid", runs=2, config=HierarchicalQConfig(option_policies=policies))
    train(agent, steps=4_000, checkpoints=1)
    player = player_of(agent, 1)
    env = make_env(agent.task, "ansi")
    frames: list[str] = []
    moments = []

    def note(moment: playback.Frame) -> None:
        moments.append(moment)
        frames.append(env.render())

    end = play_episode(env, player, seed=0, on_frame=note)
    assert all(f"option {moment.option}" in frame for moment, frame in zip(moments[1:], frames[1:]))
    names = [moment.option for moment in moments[1:]]
    # An option that has ended may be followed by itself, but one that goes on is never dropped.
    assert set(names) <= {option.name for option in agent.options}
    assert end.discounted == pytest.approx(expectation(player)["discounted return"])


def test_an_option_is_not_dropped_before_it_ends() -> None:
    agent = HierarchicalQ("FourRooms", config=HierarchicalQConfig(primitives=False))
    # Untrained, it thinks all options equally good: were one dropped on the way, another would soon be followed.
    player = player_of(agent, 0)
    env = make_env(agent.task, "ansi")
    followed = []
    play_episode(env, player, seed=0, on_frame=lambda _: followed.append((env.unwrapped._state, player.option)))
    for (_, option), (state, _), (_, after) in zip(followed[1:], followed[1:], followed[2:]):
        if after is not option:
            assert option.termination[state] == 1
    assert len({option.name for _, option in followed[1:]}) > 1


def test_the_run_is_chosen_by_its_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    agent = QLearning("LineWalk", runs=range(5, 7))
    agent.q[0, :, 0], agent.q[1, :, 1] = 1.0, 1.0  # run 5 walks left, run 6 right
    agent.save(tmp_path / "agent")
    for number, action in (([], "left"), (["--run", "5"], "left"), (["--run", "6"], "right")):
        assert watched(tmp_path / "agent", *number) == 0
        said = capsys.readouterr().out
        assert f"took {action}" in said
        assert ("took right" in said) == (action == "right")
    assert watched(tmp_path / "agent", "--run", "0") == 2
    assert capsys.readouterr().err == "Error: run must be among those of the agent, 5 to 6, but is 0\n"


def test_the_same_seed_shows_the_same_episodes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_agent("Random", "RandomMDP").save(tmp_path / "agent")
    shown = []
    for seed in ("3", "3", "4"):
        assert watched(tmp_path / "agent", "--episodes", "2", "--seed", seed) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] != shown[2]
    assert "episode 2: " in shown[0]


def test_an_episode_without_a_time_limit_is_cut_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playback, "LONGEST", 7)
    monkeypatch.setattr(command, "LONGEST", 7)
    make_agent("Random", "RandomWalk").save(tmp_path / "agent")
    # The walk begins in the middle, and its longest step of 100 does not leave 1,000 states within 4.
    assert watched(tmp_path / "agent", "--seed", "1") == 0
    said = capsys.readouterr().out
    assert "cut off after 7 steps" in said
    assert "mean return" not in said  # without a time limit there is none to be computed


def test_a_terminal_shows_the_frames_in_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(command.time, "sleep", waited.append)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    path = trained("Optimal", tmp_path / "agent")
    assert watched(path, "--fps", "20") == 0
    said = capsys.readouterr().out
    assert "\x1b[1A\x1b[2K" in said  # the cursor goes up and the line is cleared
    assert "step 5 | total reward 1 | took right, reward 1" in said
    assert waited == [0.05] * 5 + [command.PAUSE_AT_THE_END]


def test_a_window_is_opened_and_closed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import pygame

    path = trained("Optimal", tmp_path / "agent")
    shown: list[Any] = []
    flip = pygame.display.flip
    monkeypatch.setattr(pygame.display, "flip", lambda: shown.append(pygame.display.get_surface().get_size()) or flip())
    assert watched(path, "--render", "human", "--fps", "1000") == 0
    assert len(shown) == 6  # the start and five steps
    assert not pygame.display.get_init()
    assert "mean return 1, exact expectation 1\n" in capsys.readouterr().out


def test_gymnasiums_own_environments_are_watched_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_agent("DQN", "CartPole-v1").save(tmp_path / "pole")
    assert watched(tmp_path / "pole") == 2
    assert capsys.readouterr().err == "Error: CartPole-v1 can be drawn as human, rgb_array, but not as ansi\n"
    assert watched(tmp_path / "pole", "--render", "human", "--fps", "5000") == 0
    assert "CartPole-v1 has no table, so the expected return cannot be computed." in capsys.readouterr().out
    make_agent("QLearning", "FrozenLake-v1").save(tmp_path / "lake")
    assert watched(tmp_path / "lake") == 0
    said = capsys.readouterr().out
    assert "step 0 | total reward 0\n" in said
    assert re.search(r"^step 1 \| total reward 0 \| took [0-3], reward 0$", said, re.MULTILINE)
    assert "SFFF" in said
    assert "\x1b" not in said  # no colours in a log


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read .*agent: No such file"),
        (b"nonsense", "is cut short or is no safetensors file"),
        ("folder", "cannot read .*agent: it is a folder, and no file of a saved agent"),
        ("cut", "is cut short or is no safetensors file"),
        ("foreign", "is a safetensors file, but not one that an agent was saved to"),
        ("class", "holds an agent of class Nobody, which is none of the registered ones"),
        ("environment", "was trained on NoWorld, which is not registered"),
        ("edited", "what .*agent says of its agent cannot be understood: KeyError"),
    ],
)
def test_a_file_that_is_no_saved_agent_is_refused_in_a_line(
    content: Any, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import safetensors.numpy

    path = tmp_path / "agent"
    QLearning("LineWalk").save(path)
    saved = path.read_bytes()
    path.unlink()
    if content == "folder":
        path.mkdir()
    elif content == "foreign":
        path.write_bytes(safetensors.numpy.save({"a": np.zeros(3)}))
    elif content == "cut":
        path.write_bytes(saved[:-20])
    elif content in ("class", "environment", "edited"):
        old, new = {
            "class": (rb"\"QLearning\"", rb"\"Nobody\"   "),
            "environment": (rb"\"environment\": \"LineWalk\"", rb"\"environment\": \"NoWorld\" "),
            "edited": (rb"\"agent\"", rb"\"angel\""),
        }[content]
        assert old in saved
        path.write_bytes(saved.replace(old, new))
    elif content is not None:
        path.write_bytes(content)
    assert watched(path) == 2
    said = capsys.readouterr().err
    assert said.startswith("Error: ")
    assert said.count("\n") == 1
    assert re.search(message, said)
    with pytest.raises(StorageError, match=message):
        load_agent(path)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--episodes", "0"], "Error: episodes must be at least 1, but is 0\n"),
        (["--seed", "-1"], "Error: seed must be at least 0, but is -1\n"),
        (["--fps", "0"], "Error: fps must be positive, but is 0\n"),
    ],
)
def test_a_mistake_is_said_in_a_line(
    more: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert watched(trained("Random", tmp_path / "agent"), *more) == 2
    assert capsys.readouterr().err == message


def test_an_interrupt_is_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = trained("Random", tmp_path / "agent")

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "play_episode", interrupt)
    assert watched(path) == 130
    assert capsys.readouterr().err == "Stopped.\n"
