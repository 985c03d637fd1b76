"""The commands that the pages show print the headlines that stand below them, and our registered agents are right."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from baselines.agents.probe_training import REFUSED
from baselines.registry import AGENTS
from tests.test_readme import write_the_readmes_dqn

pytestmark = pytest.mark.proofs

REPOSITORY = Path(__file__).parents[2]
PAGES = ("README.md", "docs/tutorial.md")


def shown() -> list[tuple[str, list[str]]]:
    """Every command of an exam that a page shows, and the lines below it."""
    found = []
    for page in PAGES:
        text = (REPOSITORY / page).read_text(encoding="utf-8")
        for command, lines in re.findall(r"^\$ (python -m rl_envs diagnose .+)\n((?:[^$`].*\n)+)", text, re.MULTILINE):
            found.append((command, [line for line in lines.splitlines() if line != "..."]))
    return found


def printed(command: str, folder: Path = REPOSITORY) -> list[str]:
    words = shlex.split(command)
    done = subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True, check=False, cwd=folder)
    print(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr[-2_000:]}")
    return done.stdout.splitlines()


def test_the_pages_show_two_commands() -> None:
    assert [command.rpartition(" ")[2] for command, _ in shown()] == [
        "my_dqn.py:train",
        "tests/diagnosis/tutorial/q_learning.py:train",
    ]


@pytest.mark.parametrize(("command", "lines"), shown())
def test_a_command_prints_what_its_page_shows(command: str, lines: list[str], tmp_path: Path) -> None:
    folder = REPOSITORY
    if "my_dqn.py" in command:
        folder = tmp_path
        write_the_readmes_dqn(tmp_path)
    found = printed(command, folder)
    assert found[0] == lines[0]
    assert set(lines) <= set(found)


@pytest.mark.parametrize("agent", [name for name in AGENTS if name not in REFUSED])
def test_a_registered_agent_is_right(agent: str) -> None:
    assert printed(f"python -m baselines diagnose {agent}")[0] == f"{agent}: right"
