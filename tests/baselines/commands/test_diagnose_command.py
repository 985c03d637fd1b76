"""`python -m baselines diagnose`: registered agents by name, examined by `rl_envs.diagnose`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from baselines.__main__ import main
from baselines.commands import diagnose
from rl_envs.diagnosis.exam import Diagnosis
from tests.diagnosis.fabricated import UNMASKED, diagnosis


def test_a_registered_agent_is_examined_from_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", "QLearning:epsilon=0.8", "--seeds", "2", "--budget", "1000"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("QLearning:epsilon=0.8: right\n\n")
    assert "\nQLearning:epsilon=0.8, with epsilon_steps=500 in trainings of 1,000 steps\n-----" in printed
    assert "every known bug." in printed


FOUND = {
    "QLearning": diagnosis(),
    "DQN:n_step=3": diagnosis(UNMASKED),
    "Sarsa": diagnosis(verdict="cannot_tell", reason="3,000 steps were too few"),
}


@pytest.fixture
def examined(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the agents examined, without any training; what is found is in `FOUND`."""
    names: list[str] = []

    def examine(train: Any, name: str, asked: Any) -> Diagnosis | None:
        names.append(name)
        return FOUND.get(name)

    monkeypatch.setattr(diagnose, "examine", examine)
    return names


def test_several_agents_have_their_headlines_first_and_then_their_reports(
    examined: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diagnose", *FOUND]) == 1
    assert examined == list(FOUND)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "QLearning: right",
        "DQN:n_step=3: wrong: terminal_not_masked (also possible: autoreset_row_learned)",
        "Sarsa: cannot tell: 3,000 steps were too few",
    ]
    assert lines.index("DQN:n_step=3, with epsilon_steps=3000 in trainings of 6,000 steps") > 3


@pytest.mark.parametrize(("agents", "code"), [(["QLearning"], 0), (["QLearning", "Sarsa"], 3), (["DQN:n_step=3"], 1)])
def test_the_exit_code_is_that_of_the_worst_verdict(examined: list[str], agents: list[str], code: int) -> None:
    assert main(["diagnose", *agents]) == code


def test_json_is_one_object_by_agent_and_the_page_has_them_all(
    examined: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    assert main(["diagnose", *FOUND, "--json", "--html", str(page)]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert {name: report["verdict"] for name, report in printed.items()} == {
        "QLearning": "right",
        "DQN:n_step=3": "wrong",
        "Sarsa": "cannot_tell",
    }
    text = page.read_text(encoding="utf-8")
    assert text.count("<h1") == 3
    assert '<li class="wrong">DQN:n_step=3: wrong: terminal_not_masked' in text


@pytest.mark.parametrize(
    ("agents", "messages"),
    [
        (
            ["UCB1", "QLearning", "Optimal"],
            ["Error: UCB1 cannot take part in the exam: its arms", "Error: Optimal cannot take part in the exam: it"],
        ),
        (["JointQ"], ["Error: JointQ cannot take part in the exam: it moves several joints at once"]),
        (["QLerning"], ["Error: unknown agent 'QLerning'"]),
        (["QLearning:alpha=1"], ["Error: unknown setting of QLearning 'alpha'"]),
        (["QLearning", "QLearning:epsilon=1.0"], ["Error: agents must be different"]),
    ],
)
def test_what_cannot_take_part_is_refused_in_a_line_each_before_anything_is_trained(
    examined: list[str], capsys: pytest.CaptureFixture[str], agents: list[str], messages: list[str]
) -> None:
    assert main(["diagnose", *agents]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(messages)
    assert all(line.startswith(message) for line, message in zip(lines, messages))
    assert examined == []


def test_a_diagnosis_that_cannot_be_made_ends_the_command(examined: list[str]) -> None:
    assert main(["diagnose", "ExpectedSarsa"]) == 2


def test_a_page_that_cannot_be_written_is_told(examined: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", "QLearning", "--html", "no_such_folder/report.html"]) == 2
    assert "Error: cannot write no_such_folder/report.html: No such file or directory" in capsys.readouterr().err
