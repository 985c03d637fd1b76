"""Each exercise scores well, is wrong, and is right once its solution is applied."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

import rl_envs

EXERCISES = Path(__file__).parents[2] / "docs" / "exercises"
NAMES = [f"exercise_{number}" for number in range(1, 9)]


@pytest.fixture(autouse=True)
def one_thread_and_torchs_generator_as_it_was() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        yield
    torch.set_num_threads(before)


def load(path: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location(f"loaded_{path.stem}", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def apply_diff(text: str, diff: str) -> str:
    """The text with a unified diff applied; fails where the diff's context is not what the text says."""
    lines, result, at = text.splitlines(keepends=True), [], 0
    for line in diff.splitlines(keepends=True)[2:]:
        if header := re.match(r"@@ -(\d+)", line):
            begin = int(header[1]) - 1
            result += lines[at:begin]
            at = begin
        elif line[0] == "+":
            result.append(line[1:])
        else:
            assert lines[at] == line[1:]
            at += 1
            if line[0] == " ":
                result.append(line[1:])
    return "".join(result + lines[at:])


def solved(name: str, folder: Path) -> Path:
    """The exercise with its solution applied, as a file."""
    path = folder / f"{name}.py"
    path.write_text(apply_diff((EXERCISES / path.name).read_text(), (EXERCISES / f"solutions/{name}.diff").read_text()))
    return path


def key(name: str) -> str:
    """The bug that the solution names."""
    found = re.match(rf"# {name}: `(\w+)`\n", (EXERCISES / f"solutions/{name}.md").read_text())
    assert found is not None
    return found[1]


class EnvFn:
    """The environment that an exercise names in its last lines, and the discount there."""

    discount = 0.95

    def __init__(self, name: str) -> None:
        found = re.search(r'"rl_envs:rl_envs/(\w+)-v0"', (EXERCISES / f"{name}.py").read_text())
        assert found is not None
        self.world = rl_envs.build(found[1])

    def __call__(self) -> Any:
        return rl_envs.TabularEnv(self.world)


def test_the_diff_reader_changes_what_the_diff_says_and_refuses_other_text() -> None:
    diff = "--- a\n+++ b\n@@ -2,2 +2,2 @@\n two\n-three\n+THREE\n"
    assert apply_diff("one\ntwo\nthree\nfour\n", diff) == "one\ntwo\nTHREE\nfour\n"
    with pytest.raises(AssertionError):
        apply_diff("one\n2\nthree\nfour\n", diff)


@pytest.mark.parametrize("name", NAMES)
def test_an_exercise_is_one_short_file_of_three_libraries(name: str) -> None:
    text = (EXERCISES / f"{name}.py").read_text()
    imported = set(re.findall(r"^(?:import|from) (\w+)", text, flags=re.MULTILINE))
    assert imported <= {"copy", "random", "collections", "gymnasium", "numpy", "torch"}
    assert len(text.splitlines()) <= 130
    assert "Question: " in text
    assert key(name) not in text


@pytest.mark.parametrize("name", NAMES)
def test_a_solution_changes_a_few_lines_and_shows_the_diff_that_it_ships(name: str, tmp_path: Path) -> None:
    diff = (EXERCISES / f"solutions/{name}.diff").read_text()
    changed = [line for line in diff.splitlines()[2:] if line[0] in "+-"]
    assert 2 <= len(changed) <= 7
    assert f"```diff\n{diff}```" in (EXERCISES / f"solutions/{name}.md").read_text()
    assert callable(load(solved(name, tmp_path)).train)


def test_the_index_names_every_exercise_and_its_solution() -> None:
    index = (EXERCISES / "README.md").read_text()
    for name in NAMES:
        assert f"({name}.py)" in index
        assert f"(solutions/{name}.md)" in index


@pytest.mark.proofs
@pytest.mark.parametrize("name", NAMES)
def test_an_exercise_scores_as_well_as_its_solution(name: str, tmp_path: Path) -> None:
    env_fn = EnvFn(name)
    answers = rl_envs.truth(env_fn.world)
    for path in (EXERCISES / f"{name}.py", solved(name, tmp_path)):
        scores = [answers.score(load(path).train(env_fn, 6_000, seed)) for seed in range(3)]
        print(f"{path.stem} ({'solved' if path.parent == tmp_path else 'as it is'}): {np.round(scores, 3).tolist()}")
        assert np.median(scores) > 0.95


@pytest.mark.proofs
@pytest.mark.parametrize("name", NAMES)
def test_diagnose_names_the_bug_of_an_exercise(name: str) -> None:
    found = rl_envs.diagnose(load(EXERCISES / f"{name}.py").train)
    print(f"{name}: {found.verdict} {[finding.keys for finding in found.findings]}, {found.seconds:.0f} s")
    assert found.verdict == "wrong"
    assert key(name) in found.findings[0].keys


@pytest.mark.proofs
@pytest.mark.parametrize("name", NAMES)
def test_diagnose_passes_an_exercise_once_it_is_solved(name: str, tmp_path: Path) -> None:
    found = rl_envs.diagnose(load(solved(name, tmp_path)).train)
    print(f"{name}, solved: {found.verdict} {[finding.keys for finding in found.findings]}, {found.seconds:.0f} s")
    assert found.verdict == "right"
