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

pytestmark = pytest.mark.proofs

REPOSITORY = Path(__file__).parents[2]
PAGES = ("README.md", "docs/tutorial.md")


def shown() -> list[tuple[str, str]]:
    """Every command of an exam that a page shows, and the line below it."""
    found = []
    for page in PAGES:
        text = (REPOSITORY / page).read_text(encoding="utf-8")
        found += re.findall(r"^\$ (python -m rl_envs diagnose \S+)\n(.+)$", text, re.MULTILINE)
    return found


def first_line(command: str) -> str:
    words = shlex.split(command)
    done = subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True, check=False, cwd=REPOSITORY)
    print(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr[-2_000:]}")
    return done.stdout.splitlines()[0]


def test_the_pages_show_a_dqn_and_the_tutorials_agents() -> None:
    assert len(shown()) == 4


@pytest.mark.parametrize(("command", "headline"), shown())
def test_a_command_prints_the_headline_that_its_page_shows(command: str, headline: str) -> None:
    assert first_line(command) == headline


def test_the_readmes_dqn_scores_well() -> None:
    command, returns = re.findall(
        r"^\$ (python docs/exercises/\S+)\n(.+)$", (REPOSITORY / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )[0]
    assert first_line(command) == returns


@pytest.mark.parametrize("agent", [name for name in AGENTS if name not in REFUSED])
def test_a_registered_agent_is_right(agent: str) -> None:
    assert first_line(f"python -m baselines diagnose {agent}") == f"{agent}: right"
