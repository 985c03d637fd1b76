"""The plugin in a fresh pytest: light at the start, its fixtures there, and a failing assert prints the finding."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent.parent

TESTS = """
import numpy as np

def gae(rewards, values, dones, last_value, gamma, lam):
    advantages, carried = np.zeros(len(rewards)), 0.0
    values = np.append(values, last_value)
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * values[t + 1] * (1 - dones[t]) - values[t]
        carried = advantages[t] = delta + gamma * lam * (1 - dones[t]) * carried
    return advantages

def test_right(assert_gae):
    assert_gae(gae)

def test_wrong(assert_gae):
    def negated(rewards, values, dones, last_value, gamma, lam):
        return -gae(rewards, values, dones, last_value, gamma, lam)

    assert_gae(negated)

def test_others(assert_lambda_returns, assert_n_step, assert_returns, assert_td_target, assert_values, assert_solves):
    import rl_envs
    from rl_envs.diagnosis import oracles
    assert_lambda_returns(oracles.lambda_returns)
    assert_n_step(oracles.n_step_returns)
    assert_returns(oracles.discounted_returns)
    assert_td_target(oracles.td_targets)
    assert_values(rl_envs.truth("LineWalk").q_star, "LineWalk")
    assert_solves(lambda env_fn, steps, seed: rl_envs.truth("LineWalk").optimal_policy, "LineWalk", runs=10)
"""

LIGHT = """
import sys

def test_nothing_heavy_is_imported():
    heavy = {"numpy", "gymnasium", "torch", "scipy", "rl_envs"} & set(sys.modules)
    assert not heavy, heavy
"""


def run_pytest(folder: Path, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_user.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "--color=no", "-p", "pytest_rl_envs", *arguments, str(folder)]
    environment = {"PYTHONPATH": str(REPOSITORY), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": ""}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)


@pytest.mark.parametrize("text", [LIGHT])
def test_the_plugin_brings_nothing_heavy_into_a_run_that_does_not_use_it(tmp_path: Path, text: str) -> None:
    done = run_pytest(tmp_path, text, "-W", "error")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_fixtures_pass_what_is_right_and_print_the_finding_of_what_is_wrong(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, TESTS)
    assert "1 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    assert "GAE of negated: wrong" in done.stdout
    assert "[wrong_sign] the sign is wrong: everything is negated." in done.stdout
    assert "Smallest example" in done.stdout
    assert "raise_if_wrong" not in done.stdout  # frames inside the assert are hidden


def test_every_fixture_says_what_it_is(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, LIGHT, "--fixtures", "-v")
    for name in ("gae", "lambda_returns", "n_step", "returns", "td_target", "values", "solves"):
        assert f"assert_{name}" in done.stdout
    assert "no docstring available" not in done.stdout.split("fixtures defined from pytest_rl_envs")[-1]
