"""The examples run, and print what they promise."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def test_q_learning_is_trained_and_scored(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / "train_q_learning.py"), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["0", "0.000", "-0.000"] or lines[1].split() == ["0", "0.000", "0.000"]
    assert lines[11].split() == ["2,000", "1.000", "1.000"]
    assert lines[12].startswith("100% of the runs end within 1% of the optimum")


def test_an_agent_of_ones_own_is_scored(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / "score_your_own_agent.py"), run_name="__main__")
    printed = capsys.readouterr().out
    assert "optimum 0.8145, uniform policy 0.2014" in printed
    assert "after 2,048 steps: exact score 1.0000" in printed
    assert "always right: 1.0000" in printed
    assert "always left: -0.3284" in printed


def test_an_agent_of_ones_own_stands_in_the_same_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / "compare_your_own_agent.py"), run_name="__main__")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [(world, agent) for world, agent, _ in lines] == [
        ("LineWalk", "Random"),
        ("LineWalk", "QLearning"),
        ("LineWalk", "PPO"),
    ]
    assert [score for _, _, score in lines[1:]] == ["1.000", "1.000"]
