"""A whole comparison in one TOML file."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from baselines.__main__ import main
from baselines.commands import compare as program
from baselines.commands.compare import Execution
from baselines.comparison.comparison import QUICK, Comparison
from baselines.comparison.comparison_file import OPTIONS, read_comparison_file
from baselines.registry import AGENTS
from baselines.system.atomic_files import StorageError

TEXT = """
worlds = ["LineWalk:size=9", "RandomMDP"]
agents = ["Random", "QLearning", "QLearning:epsilon=0.3", "DQN:preset=CartPole"]
games = ["climbing"]
game_agents = ["IndependentQ"]
runs = 7
out = "elsewhere"
workers = 1

[QLearning]
epsilon = 0.2
step_size_half_life = inf

[IndependentQ]
exploration = "softmax"
"""


def run(monkeypatch: pytest.MonkeyPatch, *typed: str) -> tuple[Comparison, Execution]:
    """What the command would run."""
    seen: list[tuple[Comparison, Execution]] = []
    monkeypatch.setattr(program, "run_comparison", lambda *given: seen.append(given) or 0)
    assert main(["compare", *typed]) == 0
    (given,) = seen
    return given


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "comparison.toml"
    path.write_text(TEXT)
    return path


def test_all_that_a_file_says_is_run(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    comparison, execution = run(monkeypatch, "--file", str(file))
    assert comparison == Comparison(
        worlds=("LineWalk:size=9", "RandomMDP"),
        agents=(
            "Random",
            "QLearning:epsilon=0.2,step_size_half_life=inf",
            "QLearning:epsilon=0.3",
            "DQN:preset=CartPole",
        ),
        games=("climbing",),
        game_agents=("IndependentQ:exploration=softmax",),
        runs=7,
    )
    assert (execution.out, execution.workers, execution.backend) == (Path("elsewhere"), 1, "joblib")
    config = AGENTS.read(comparison.agents[1]).config
    assert (config.epsilon, config.step_size_half_life) == (0.2, float("inf"))


def test_a_file_of_another_system_is_read_alike(file: Path, tmp_path: Path) -> None:
    """With the byte order mark and the line ends of Windows."""
    other = tmp_path / "windows.toml"
    other.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert read_comparison_file(other, QUICK) == read_comparison_file(file, QUICK)


def test_what_is_typed_goes_before_the_file_and_the_file_before_the_preset(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = ["--file", str(file), "--preset", "quick", "--runs", "3", "--QLearning.epsilon", "0.4", "--out", "here"]
    comparison, execution = run(monkeypatch, *typed)
    assert (comparison.runs, comparison.steps, execution.out) == (3, QUICK.steps, Path("here"))
    assert comparison.agents[1] == "QLearning:epsilon=0.4,step_size_half_life=inf"


def test_every_setting_of_the_agents_named_is_a_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    comparison, _ = run(
        monkeypatch,
        *("--agents", "Sarsa", "SB3DQN", "--Sarsa.step-size", "0.5", "--SB3DQN.hidden", "32", "32"),
        *("--games", "climbing", "--game-agents", "RegretMatching"),
    )
    assert comparison.agents == ("Sarsa:step_size=0.5", "SB3DQN:hidden=(32, 32)")
    assert AGENTS.read(comparison.agents[1]).config.hidden == (32, 32)


def test_settings_of_an_agent_that_is_not_named_are_no_flags(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["compare", "--agents", "Random", "--QLearning.epsilon", "0.4"])
    assert "QLearning.epsilon" in capsys.readouterr().err


def test_every_option_of_the_command_that_is_not_for_a_single_time_may_stand_in_a_file() -> None:
    options = {entry.name for entry in fields(Execution)} - {"preset", "file", "fresh"}
    assert options == set(OPTIONS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("world = ['LineWalk']", "unknown key 'world'. Did you mean 'worlds'?"),
        ("preset = 'quick'", "'preset' cannot stand in a file, but is typed: --preset quick"),
        ("file = 'x.toml'", "'file' cannot stand in a file, but is typed: --file x.toml"),
        ("fresh = true", "'fresh' cannot stand in a file, but is typed: --fresh\n"),
        ("runs = '3'", "runs must be an integer, but is '3'"),
        ("runs = true", "runs must be an integer, but is True"),
        ("out = 3", "out must be a string, but is 3"),
        ("out = ''", "out must not be empty, but is ''"),
        ("backend = 'rey'", "unknown backend 'rey'. Did you mean 'ray'?"),
        ("worlds = 'LineWalk'", "worlds must be a list of strings, but is 'LineWalk'"),
        ("worlds = [1]", "worlds must be a list of strings, but is [1]"),
        ("runs = ", "is no TOML"),
        ("agents = ['Random']\n[QLearning]\nepsilon = 0.1", "but [QLearning] is not. Those are: Random\n"),
        ("[QLerning]\nepsilon = 0.1", "but [QLerning] is not. Did you mean 'QLearning'?\n"),
        (
            "agents = ['QLearning:epsilon=0.3']\n['QLearning:epsilon=0.3']\nstep_size = 0.1",
            "a table must be of one of the agents, named without settings, but [QLearning:epsilon=0.3] is not.\n",
        ),
        ("[QLearning]\nepsilo = 0.1", "unknown setting of QLearning 'epsilo'. Did you mean 'epsilon'?"),
        ("[QLearning]\nepsilon = 'much'", "QLearning's epsilon must be a number, but is 'much'"),
    ],
)
def test_a_mistake_in_a_file_is_said_in_a_line(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(SystemExit) as stopped:
        main(["compare", "--file", str(path)])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("Error: ")
    assert message in said
    assert said.count("\n") == 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot read .*none\.toml: No such file or directory"):
        read_comparison_file(tmp_path / "none.toml", QUICK)


def test_the_file_in_the_documentation_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "comparison.md").read_text()
    (text,) = [block.partition("```")[0] for block in page.split("```toml\n")[1:]]
    path = tmp_path / "page.toml"
    path.write_text(text)
    assert read_comparison_file(path, QUICK).comparison.cells()
