"""The exam from a training function to a report, with small tabular agents, right and with a bug."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rl_envs
from rl_envs.__main__ import main
from rl_envs.diagnosis.bugs import BUG_TABLE
from rl_envs.diagnosis.exam import Diagnosis, WrongAgentError
from rl_envs.diagnosis.training import TrainingError

AGENT = '''
import numpy as np

MASKED = {masked}

def train(env_fn, steps, seed):
    """Q-learning in a table; epsilon 0.2, step size 0.1."""
    env, rng = env_fn(), np.random.default_rng(seed)
    q = np.zeros((env.observation_space.n, env.action_space.n))
    state, _ = env.reset(seed=seed)
    for _ in range(steps):
        explores = rng.random() < 0.2
        action = int(rng.integers(env.action_space.n)) if explores else int(q[state].argmax())
        next_state, reward, terminated, truncated, _ = env.step(action)
        following = 0.0 if terminated and MASKED else q[next_state].max()
        q[state, action] += 0.1 * (reward + env_fn.discount * following - q[state, action])
        state = next_state
        if terminated or truncated:
            state, _ = env.reset()
    return q
'''


def q_learning(*, masked: bool = True) -> Any:
    names: dict[str, Any] = {}
    exec(AGENT.format(masked=masked), names)
    return names["train"]


@pytest.fixture(scope="module")
def right() -> Diagnosis:
    return rl_envs.diagnose(q_learning(), seeds=2, budget=1_500)


@pytest.fixture(scope="module")
def wrong() -> Diagnosis:
    return rl_envs.diagnose(q_learning(masked=False), seeds=2, budget=1_500)


def test_a_correct_agent_is_right(right: Diagnosis) -> None:
    assert (right.verdict, right.findings, right.depth) == ("right", (), "values")
    right.raise_if_wrong()
    assert str(right).startswith("right\n")


def test_a_missing_terminal_mask_is_named_with_its_numbers(wrong: Diagnosis) -> None:
    assert wrong.verdict == "wrong"
    finding = wrong.findings[0]
    assert finding.keys[0] == "terminal_not_masked"
    # The end of the Ruler looks like s1: by hand, s2 = 10 + s1 / 2 and s1 = 1 + s2 / 2, so s2 = 14, s1 = 8, s0 = 4.1.
    # Which world shows it best is for the exam to say; the numbers must be the bug's there.
    assert set(finding.learned) == set(finding.right) == set(finding.would_be)
    far = [name for name in finding.right if abs(finding.would_be[name] - finding.right[name]) > 1.5]
    assert far
    for name in far:
        assert finding.learned[name] == pytest.approx(finding.would_be[name], rel=0.05)


def test_raise_if_wrong_raises_the_report(wrong: Diagnosis) -> None:
    with pytest.raises(WrongAgentError, match="wrong: terminal_not_masked"):
        wrong.raise_if_wrong()


def test_the_text_has_the_verdict_first_then_the_numbers_and_the_line(wrong: Diagnosis) -> None:
    text = str(wrong)
    assert text.splitlines()[0].startswith("wrong: terminal_not_masked")
    assert f"- {BUG_TABLE['terminal_not_masked'].before}" in text
    assert f"+ {BUG_TABLE['terminal_not_masked'].after}" in text
    assert wrong.pictures[wrong.findings[0].probe].splitlines()[0] in text
    assert "learned" in text


def test_the_json_has_what_is_promised(wrong: Diagnosis) -> None:
    report = json.loads(wrong.to_json())
    assert report["verdict"] == "wrong"
    first = report["findings"][0]
    assert first["keys"][0] == "terminal_not_masked"
    assert {"keys", "probe", "learned", "right", "advice"} <= set(first)
    assert BUG_TABLE["terminal_not_masked"].sentence in first["advice"]


def test_the_page_needs_nothing_beside_itself(wrong: Diagnosis, tmp_path: Path) -> None:
    wrong.save_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "terminal_not_masked" in page
    assert "http" not in page
    assert "<script" not in page


def test_the_same_exam_gives_the_same_report(wrong: Diagnosis) -> None:
    again = rl_envs.diagnose(q_learning(masked=False), seeds=2, budget=1_500)
    assert again.findings == wrong.findings


def unseeded(env_fn: Any, steps: int, seed: int) -> Any:
    return q_learning()(env_fn, steps, int(np.random.default_rng().integers(10**6)))


def test_a_training_that_ignores_its_seed_is_told() -> None:
    found = rl_envs.diagnose(unseeded, seeds=2, budget=1_500)
    assert ("unseeded",) in [finding.keys for finding in found.findings]


def never_resets(env_fn: Any, steps: int, seed: int) -> None:
    env, rng = env_fn(), np.random.default_rng(seed)
    env.reset(seed=seed)
    for _ in range(steps):
        env.step(int(rng.integers(env.action_space.n)))


def test_steps_after_an_end_are_told_of_an_agent_that_gives_nothing_back() -> None:
    found = rl_envs.diagnose(never_resets, seeds=2, budget=200)
    assert found.depth == "training only"
    assert ("steps_after_end",) in [finding.keys for finding in found.findings]


def changes_observations(env_fn: Any, steps: int, seed: int) -> None:
    env, rng = env_fn(), np.random.default_rng(seed)
    observation, _ = env.reset(seed=seed)
    for _ in range(steps):
        observation -= 0.5
        observation, _, terminated, truncated, _ = env.step(int(rng.integers(env.action_space.n)))
        if terminated or truncated:
            observation, _ = env.reset()


def test_changed_observations_are_told() -> None:
    found = rl_envs.diagnose(changes_observations, seeds=2, budget=200, observation="one_hot")
    assert ("observation_aliased",) in [finding.keys for finding in found.findings]


def greedy(env_fn: Any, steps: int, seed: int) -> Any:
    """Q-learning that never explores, from values at random."""
    env, rng = env_fn(), np.random.default_rng(seed)
    q = rng.uniform(-0.01, 0.01, (env.observation_space.n, env.action_space.n))
    state, _ = env.reset(seed=seed)
    for _ in range(steps):
        action = int(q[state].argmax())
        next_state, reward, terminated, truncated, _ = env.step(action)
        target = reward + (0.0 if terminated else env_fn.discount * q[next_state].max())
        q[state, action] += 0.1 * (target - q[state, action])
        state = env.reset()[0] if terminated or truncated else next_state
    return q


def test_an_agent_that_never_explores_is_told_by_what_it_never_tried() -> None:
    found = rl_envs.diagnose(greedy, seeds=2, budget=600)
    assert ("no_exploration",) in [finding.keys for finding in found.findings]


def learns_nothing(env_fn: Any, steps: int, seed: int) -> Any:
    never = q_learning()(env_fn, steps, seed) * 0
    return never + np.random.default_rng(seed).uniform(0, 0.01, never.shape)


def test_too_little_training_is_no_accusation() -> None:
    found = rl_envs.diagnose(learns_nothing, seeds=2, budget=300)
    assert found.verdict == "cannot_tell"
    assert found.findings[-1].keys == ("not_trained_enough",)
    assert not found.findings[-1].fault


def one_hot_only(env_fn: Any, steps: int, seed: int) -> Any:
    class Numbered:
        """A Discrete view of a one-hot environment."""

        def __init__(self, env: Any) -> None:
            self.env, self.action_space = env, env.action_space
            self.observation_space = type("Space", (), {"n": int(env.observation_space.shape[0])})

        def reset(self, **kwargs: Any) -> Any:
            observation, info = self.env.reset(**kwargs)
            return int(observation.argmax()), info

        def step(self, action: int) -> Any:
            observation, *rest = self.env.step(action)
            return (int(observation.argmax()), *rest)

    wrapped = type("Factory", (), {"discount": env_fn.discount, "__call__": lambda self: Numbered(env_fn())})()
    return q_learning()(wrapped, steps, seed)


def test_a_function_that_refuses_discrete_observations_gets_arrays() -> None:
    assert rl_envs.diagnose(one_hot_only, seeds=2, budget=1_500).verdict == "right"


def raises(env_fn: Any, steps: int, seed: int) -> None:
    raise RuntimeError("my network has no such layer")


def test_a_training_that_raises_is_reported_with_the_end_of_its_traceback() -> None:
    with pytest.raises(TrainingError, match="my network has no such layer"):
        rl_envs.diagnose(raises, seeds=2, budget=200)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"train": 3}, TypeError, "train must be a function train"),
        ({"seeds": 1}, ValueError, "seeds must be at least 2, but is 1"),
        ({"budget": 10}, ValueError, "budget must be at least 100, but is 10"),
        ({"scale": 5.0}, ValueError, "scale must be one of 100, 10, 1, but is 5.0"),
        ({"discount": 1.0}, ValueError, "discount must be between 0 and 1, but is 1.0"),
        ({"observation": "pixels"}, ValueError, "observation must be one of index, one_hot, but is 'pixels'"),
    ],
)
def test_bad_arguments_are_refused(wrong: dict[str, Any], error: type[Exception], message: str) -> None:
    arguments = {"train": never_resets} | wrong
    with pytest.raises(error, match=message):
        rl_envs.diagnose(arguments.pop("train"), **arguments)


def write(path: Path, *, masked: bool) -> Path:
    path.write_text(AGENT.format(masked=masked), encoding="utf-8")
    return path


def test_the_command_prints_one_json_object_and_says_wrong_with_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    agent = write(tmp_path / "unmasked_agent.py", masked=False)
    page = tmp_path / "report.html"
    typed = ["diagnose", f"{agent}:train", "--json", "--seeds", "2", "--budget", "1500", "--html", str(page)]
    assert main(typed) == 1
    assert json.loads(capsys.readouterr().out)["findings"][0]["keys"][0] == "terminal_not_masked"
    assert page.exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("train", "name the function as file.py:function, but got 'train'"),
        ("nowhere.py:train", "there is no such file"),
        ("{agent}:learn", "unknown function of"),
        ("{broken}:train", "cannot be imported: ZeroDivisionError"),
    ],
)
def test_the_command_says_what_it_cannot_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, message: str
) -> None:
    agent = write(tmp_path / "some_agent.py", masked=True)
    broken = tmp_path / "broken_agent.py"
    broken.write_text("1 / 0\n", encoding="utf-8")
    assert main(["diagnose", name.format(agent=agent, broken=broken)]) == 2
    assert message in capsys.readouterr().err


def test_the_command_shows_the_traceback_of_a_training_that_raises(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    agent = tmp_path / "raising_agent.py"
    agent.write_text("def train(env_fn, steps, seed):\n    raise RuntimeError('no such layer')\n", encoding="utf-8")
    assert main(["diagnose", f"{agent}:train"]) == 2
    error = capsys.readouterr().err
    assert "RuntimeError: no such layer" in error
    assert "the training function" in error


def test_an_unknown_command_lists_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnos"]) == 2
    assert "diagnose" in capsys.readouterr().err


def test_no_heavy_library_is_needed() -> None:
    """In a process where torch, Stable-Baselines3, rich and the like cannot be imported."""
    code = (
        "import sys\n"
        "for name in ('torch', 'stable_baselines3', 'rich', 'matplotlib', 'pandas', 'baselines'):\n"
        "    sys.modules[name] = None\n"
        "import rl_envs\n"
        "found = rl_envs.diagnose(lambda env_fn, steps, seed: None, seeds=2, budget=100)\n"
        "from rl_envs.diagnosis.report import show\n"
        "show(found)\n"
    )
    done = subprocess.run(  # the repository's own sources come first on the path
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cannot tell")


def test_a_policy_alone_is_never_called_right() -> None:
    with_values = q_learning()
    found = rl_envs.diagnose(
        lambda env_fn, steps, seed: with_values(env_fn, steps, seed).argmax(axis=1), seeds=2, budget=1_500
    )
    assert (found.verdict, found.depth, found.findings) == ("cannot_tell", "policy", ())
    assert "give back q_values or value" in found.reason


def optimistic(env_fn: Any, steps: int, seed: int, *, first: float = 20.0, step_size: float | None = 0.1) -> np.ndarray:
    """Greedy Q-learning from values that are too high, which is all its exploration; sample averages without a step."""
    env = env_fn()
    q = np.full((env.observation_space.n, env.action_space.n), first)
    tried = np.zeros_like(q)
    state, _ = env.reset(seed=seed)
    for _ in range(steps):
        action = int(q[state].argmax())
        next_state, reward, terminated, truncated, _ = env.step(action)
        target = reward + (0.0 if terminated else env_fn.discount * q[next_state].max())
        tried[state, action] += 1
        q[state, action] += (step_size or 1 / tried[state, action]) * (target - q[state, action])
        state = env.reset()[0] if terminated or truncated else next_state
    return q


@pytest.mark.parametrize(
    "settings",
    [{"first": 10.0}, {}, {"step_size": None}, {"step_size": 0.5}],
    ids=["10", "20", "sample averages", "large steps"],
)
def test_an_agent_that_explores_by_optimism_alone_is_not_accused(settings: dict[str, Any]) -> None:
    found = rl_envs.diagnose(partial(optimistic, **settings))
    assert found.verdict != "wrong", str(found)


@pytest.mark.parametrize("favourite", ["one", "each seed its own"])
def test_a_network_that_learns_nothing_is_not_accused(favourite: str) -> None:
    def train(env_fn: Any, steps: int, seed: int) -> np.ndarray:
        env, rng = env_fn(), np.random.default_rng(seed)
        num_actions = env.action_space.n
        liked = (0 if favourite == "one" else seed) % num_actions
        env.reset(seed=seed)
        for _ in range(steps):
            action = int(rng.integers(num_actions)) if rng.random() < 0.05 else liked
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        return np.tile(0.1 * np.eye(num_actions)[liked], (env.observation_space.n, 1))

    assert rl_envs.diagnose(train, budget=1_000).verdict == "cannot_tell"


@pytest.mark.parametrize("epsilon", [0.5, 0.7])
def test_much_exploration_is_not_taken_for_exploration_that_never_ends(epsilon: float) -> None:
    def train(env_fn: Any, steps: int, seed: int) -> np.ndarray:
        env, rng = env_fn(), np.random.default_rng(seed)
        q = np.zeros((env.observation_space.n, env.action_space.n))
        state, _ = env.reset(seed=seed)
        for _ in range(steps):
            explores = rng.random() < epsilon
            action = int(rng.integers(env.action_space.n)) if explores else int(q[state].argmax())
            next_state, reward, terminated, truncated, _ = env.step(action)
            q[state, action] += 0.2 * (
                reward + env_fn.discount * (not terminated) * q[next_state].max() - q[state, action]
            )
            state = env.reset()[0] if terminated or truncated else next_state
        return q

    assert rl_envs.diagnose(train).verdict != "wrong"


def test_steps_that_the_worlds_did_not_see_are_told() -> None:
    def train(env_fn: Any, steps: int, seed: int) -> np.ndarray:
        return q_learning(masked=False)(copy.deepcopy(env_fn), steps, seed)

    found = rl_envs.diagnose(train, seeds=2, budget=500)
    assert found.verdict == "cannot_tell"
    assert "the worlds saw 0 of 500 steps" in found.reason


def test_values_that_are_no_numbers_are_not_right() -> None:
    def train(env_fn: Any, steps: int, seed: int) -> np.ndarray:
        q = q_learning()(env_fn, steps, seed)
        return np.full_like(q, np.nan) if len(q) == 2 else q  # in Ratchet and Detour

    found = rl_envs.diagnose(train, seeds=2, budget=1_000)
    assert found.verdict == "cannot_tell"
    assert "some values learned in Ratchet are not numbers" in found.reason


def test_the_command_keeps_what_a_training_prints_apart_and_outlives_sys_exit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loud = tmp_path / "loud.py"
    prints = "\nold = train\ndef train(*given):\n    print('episode 1')\n    return old(*given)\n"
    loud.write_text("print('imported')\n" + AGENT.format(masked=True) + prints)
    assert main(["diagnose", f"{loud}:train", "--json", "--seeds", "2", "--budget", "1000", "--workers", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "right"
    leaves = tmp_path / "leaves.py"
    leaves.write_text("import sys\ndef train(env_fn, steps, seed):\n    sys.exit(0)\n")
    assert main(["diagnose", f"{leaves}:train", "--workers", "1"]) == 2
    assert "SystemExit: 0" in capsys.readouterr().err
