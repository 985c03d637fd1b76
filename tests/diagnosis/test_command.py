"""What the command shows while trainings run."""

from __future__ import annotations

import sys

import pytest

from rl_envs.diagnosis.command import ProgressLine


def test_without_a_terminal_a_line_is_written_each_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    line = ProgressLine(clock=lambda: now)
    for done in range(1, 31):
        now = float(done)
        line(done, 30, 30.0 - done)
    line.clear()
    assert capsys.readouterr().err.splitlines() == [
        "10 of 30 trainings, about 20 s left",
        "20 of 30 trainings, about 10 s left",
        "30 of 30 trainings, about 0 s left",
    ]


def test_on_a_terminal_one_line_is_overwritten_and_taken_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    line = ProgressLine()
    line(1, 2, 5.0)
    line(2, 2, 0.0)
    line.clear()
    error = capsys.readouterr().err
    assert "\n" not in error
    assert error.startswith("\r1 of 2 trainings, about 5 s left   \r2 of 2")
    assert error.endswith("\r")
