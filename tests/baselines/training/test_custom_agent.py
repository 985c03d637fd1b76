"""Agents of others: any function train(env_fn, steps, seed) -> policy."""

from __future__ import annotations

import inspect
import math
import pickle
import random
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from baselines.comparison.cells import FunctionCell
from baselines.comparison.comparison import Comparison
from baselines.comparison.running import compare
from baselines.comparison.summary import summarise
from baselines.system.atomic_files import StorageError
from baselines.system.workers import JobError
from baselines.training.custom_agent import EnvMaker, check_function, load_function, mean_return, train_function
from baselines.training.origin import origin_of
from baselines.training.specification import WorldSpecification
from baselines.training.task import make_task

RANDOM_MDP = WorldSpecification.read("RandomMDP")

ONE = Comparison(worlds=("LineWalk",), agents=("Random",), runs=3, library_runs=3, steps=50, checkpoints=2)


def always_right(env_fn: EnvMaker, steps: int, seed: int) -> np.ndarray:
    """A policy as an array of actions."""
    return np.ones(env_fn().observation_space.n, dtype=np.int64)


def as_it_came(env_fn: EnvMaker, steps: int, seed: int) -> np.ndarray:
    """A policy that depends on nothing but what chance there was in training, though nothing was seeded here."""
    env = env_fn()
    observation, _ = env.reset()
    seen = []
    for _ in range(steps):
        observation, _, terminated, truncated, _ = env.step(env.action_space.sample())
        seen.append(int(observation))
        if terminated or truncated:
            observation, _ = env.reset()
    return np.array(seen[:5]) % 3


def test_a_function_stands_in_the_same_table(tmp_path: Path) -> None:
    rows = compare(ONE, tmp_path, functions={"Mine": always_right}, workers=1).rows
    assert [(row.world, row.agent) for row in rows] == [("LineWalk", "Random"), ("LineWalk", "Mine")]
    mine = rows[1]
    np.testing.assert_array_equal(mine.steps, [50])
    np.testing.assert_allclose(mine.scores, np.ones((1, 3)), atol=1e-12)
    np.testing.assert_allclose(mine.value_error, 0.0, atol=1e-12)
    summary = summarise(mine)
    assert (summary.area, summary.steps_to_95_percent) == (None, None)
    assert summary.score.estimate == pytest.approx(1.0)


def test_finished_runs_of_a_function_are_kept_until_its_source_changes(tmp_path: Path) -> None:
    told: list[str] = []
    source = "import numpy as np\n\ndef train(env_fn, steps, seed):\n    return np.ones(11, dtype=int)\n"

    def run(text: str) -> list[str]:
        (tmp_path / f"mine{len(told)}").mkdir(exist_ok=True)
        path = tmp_path / f"mine{len(told)}" / "mine.py"
        path.write_text(text)
        told.clear()
        alone = replace(ONE, agents=(), functions=(f"Mine={path}:train",))
        compare(alone, tmp_path / "results", on_cell=lambda what, _: told.append(what), workers=1)
        return list(told)

    assert run(source).count("finished") == 2
    assert run(source) == ["reused"] * 2
    assert run(source.replace("ones", "zeros")).count("finished") == 2


def test_a_function_that_seeds_nothing_repeats_all_the_same() -> None:
    first, again, other = (
        train_function(as_it_came, RANDOM_MDP, name="X", runs=range(6), steps=40, seed=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.scores, again.scores)
    assert len(set(first.scores)) > 1
    assert not np.array_equal(first.scores, other.scores)
    part = train_function(as_it_came, RANDOM_MDP, name="X", runs=range(4, 6), steps=40, seed=0)
    np.testing.assert_array_equal(part.scores, first.scores[4:])


def test_copies_of_the_world_have_random_numbers_of_their_own() -> None:
    make = EnvMaker(WorldSpecification.read("LineWalk:slip=0.5"), seed=3)
    assert make.discount == make_task("LineWalk").discount
    numbers = [make().unwrapped.np_random.random() for _ in range(3)]
    assert len(set(numbers)) == 3
    again = EnvMaker(WorldSpecification.read("LineWalk:slip=0.5"), seed=3)
    assert [again().unwrapped.np_random.random() for _ in range(3)] == numbers


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (None, "a training function must return a policy, but it returned None"),
        (np.full(11, np.nan), r"a policy of floats must have shape \(11, 2\)"),
        (np.full((3, 11, 2), 0.5), "a training function must return one policy, but it returned 3"),
        (lambda seen: "left", "a policy asked about 11 observations must give an action for each"),
    ],
)
def test_what_is_no_policy_is_told_in_a_line_that_names_whose_it_is(policy: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(JobError, match=f"(?m)^what Mine returns on LineWalk: .*{message}") as told:
        compare(ONE, tmp_path, functions={"Mine": lambda env_fn, steps, seed: policy}, workers=1)
    assert "Traceback" not in str(told.value)


def test_an_error_in_a_users_own_code_comes_with_its_traceback(tmp_path: Path) -> None:
    def broken(observations: np.ndarray) -> Any:
        raise ValueError("the user's own")

    with pytest.raises(JobError, match=r"Traceback(?s:.*)in broken(?s:.*)ValueError: the user's own"):
        compare(ONE, tmp_path, functions={"Mine": lambda env_fn, steps, seed: broken}, workers=1)


@pytest.mark.parametrize("answer", [math.nan, "left", [2], [0, 1], [0.0], np.full((1, 2), math.nan), []])
@pytest.mark.parametrize("world", ["CartPole-v1", "Pendulum-v1"])
def test_where_there_is_no_table_what_is_no_action_is_refused(world: str, answer: Any) -> None:
    with pytest.raises(ValueError, match=r"must return n actions of .* for n observations, but for one it returned"):
        mean_return(lambda seen: answer, make_task(world), 0)


def test_an_action_of_a_box_may_be_of_any_float_type_and_beyond_its_bounds() -> None:
    assert mean_return(lambda seen: np.array([[99.0]]), make_task("Pendulum-v1"), 0) < 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (3, r"must be a function train\(env_fn, steps, seed\), but is 3"),
        (
            lambda env_fn, steps: None,
            r"\(env_fn, steps, seed\), but .*<lambda> takes \(env_fn, steps\): too many positional arguments",
        ),
        (max, r"\(env_fn, steps, seed\), but the arguments of max are unknown"),
        (
            lambda a, b, c, d: None,
            r"\(env_fn, steps, seed\), but .*<lambda> takes \(a, b, c, d\): missing a required argument: 'd'",
        ),
    ],
)
def test_what_cannot_be_called_is_refused_before_anything_runs(wrong: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=message):
        compare(ONE, tmp_path / "results", functions={"Mine": wrong}, workers=1)
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("name", ["QLearning", "", " ", "a:b"])
def test_a_name_that_could_be_taken_for_another_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the name of an agent of your own must not be that of a registered agent"):
        compare(ONE, tmp_path, functions={name: always_right}, workers=1)


def test_a_function_is_found_in_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def train(env_fn, steps, seed):\n    return [1] * 11\n\nNUMBER = 3\n")
    assert load_function(f"{path}:train")(None, 1, 0) == [1] * 11
    assert load_function(f"{path}:train") is load_function(f"{path}:train")
    with pytest.raises(ValueError, match=r"unknown function of .*mine\.py 'trian'. Did you mean 'train'"):
        load_function(f"{path}:trian")
    with pytest.raises(TypeError, match="must be a function"):
        load_function(f"{path}:NUMBER")
    with pytest.raises(StorageError, match=r"cannot read nowhere\.py: there is no such file"):
        load_function("nowhere.py:train")
    for place in ("mine", "mine.py", "mine.py:", "mine.txt:train"):
        with pytest.raises(ValueError, match=r"must be given as file\.py:name, but is"):
            load_function(place)


def test_a_file_that_cannot_be_run_is_run_again_once_it_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def train(env_fn, steps, seed)\n")
    with pytest.raises(ValueError, match=r"mine\.py cannot be imported: SyntaxError: expected ':'"):
        load_function(f"{path}:train")
    path.write_text("def train(env_fn, steps, seed): pass\n")
    check_function(load_function(f"{path}:train"))


@pytest.mark.parametrize(
    ("functions", "message"),
    [
        (("mine.py:train",), r"functions must be given as NAME=file\.py:function, but there is 'mine\.py:train'"),
        (("A=examples/compare_your_own_agent.py:train_ppo",) * 2, "functions must have different names, but 'A'"),
    ],
)
def test_functions_of_a_comparison_are_given_by_name_and_place(functions: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Comparison(functions=functions).cells()


def test_where_a_function_comes_from_is_part_of_its_results_key() -> None:
    (cell,) = Comparison(worlds=("LineWalk",), agents=(), library_runs=2).cells({"Mine": always_right})
    assert isinstance(cell, FunctionCell)
    assert cell.identity["function"] == asdict(origin_of(always_right))
    assert cell.identity["versions"]["gymnasium"] == gym.__version__


def test_a_run_leaves_the_global_generators_as_they_were_and_is_the_same_in_any_process(tmp_path: Path) -> None:
    before = global_state()
    few = replace(ONE, worlds=("RandomMDP",), agents=(), library_runs=6)
    here, there = (
        compare(few, tmp_path / str(workers), functions={"Careless": careless}, workers=workers).rows[0].scores
        for workers in (1, 2)
    )
    np.testing.assert_array_equal(here, there)
    assert len(set(here[0])) > 1
    assert global_state() == before


def careless(env_fn: EnvMaker, steps: int, seed: int) -> np.ndarray:
    """Draws from every global generator there is."""
    actions = [random.randrange(3) for _ in range(5)]
    np.random.shuffle(actions)  # noqa: NPY002 - it is careless
    return (np.array(actions) + int(torch.randint(3, ()))) % 3


def global_state() -> tuple[object, ...]:
    return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002


def test_processes_get_environments_with_random_numbers_of_their_own() -> None:
    env_fn = EnvMaker(WorldSpecification.read("LineWalk:slip=0.5"), seed=3)
    envs = gym.vector.AsyncVectorEnv(env_fn.copies(3))
    envs.reset()
    walks = np.array([envs.step(np.ones(3, dtype=np.int64))[0] for _ in range(20)]).T
    envs.close()
    assert len({tuple(walk) for walk in walks.tolist()}) == 3
    elsewhere = pickle.loads(pickle.dumps(env_fn))
    elsewhere._process = -1  # as if it were in another process
    with pytest.raises(RuntimeError, match=r"give each process one of env_fn\.copies\(number\)"):
        elsewhere()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_function_may_train_in_processes_of_its_own(workers: int, tmp_path: Path) -> None:
    few = replace(ONE, agents=(), library_runs=4, steps=5)
    scores = compare(few, tmp_path, functions={"Many": in_processes}, workers=workers).rows[0].scores
    np.testing.assert_allclose(scores, 1.0)


def in_processes(env_fn: EnvMaker, steps: int, seed: int) -> np.ndarray:
    """As the documentation shows it."""
    envs = gym.vector.AsyncVectorEnv(env_fn.copies(2))
    envs.reset()
    envs.step(np.ones(2, dtype=np.int64))
    envs.close()
    return np.ones(11, dtype=np.int64)


def test_a_policy_that_draws_at_random_is_scored_the_same_in_any_process(tmp_path: Path) -> None:
    few = Comparison(worlds=("CartPole-v1",), agents=(), library_runs=4, steps=1)
    here, there = (
        compare(few, tmp_path / str(workers), functions={"Any": at_random}, workers=workers).rows[0].scores
        for workers in (1, 2)
    )
    np.testing.assert_array_equal(here, there)


def at_random(env_fn: EnvMaker, steps: int, seed: int) -> object:
    """A policy of chance."""
    return lambda seen: np.random.randint(2, size=len(seen))  # noqa: NPY002 - it is careless


def test_what_a_function_comes_with_goes_to_workers_as_it_is_now(tmp_path: Path) -> None:
    (tmp_path / "what_it_uses.py").write_text("ACTION = 1\n")
    path = tmp_path / "mine.py"
    path.write_text("import what_it_uses\n\ndef train(e, n, s):\n    return [what_it_uses.ACTION] * 11\n")
    few = replace(ONE, agents=(), library_runs=4, functions=(f"Mine={path}:train",))
    few.cells()
    (tmp_path / "what_it_uses.py").write_text("ACTION = 0\n")  # after it was imported
    np.testing.assert_allclose(compare(few, tmp_path / "results", workers=2).rows[0].scores, 1.0)


def test_neighbours_of_one_name_in_two_folders_are_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a_twin_of_another.py").write_text(f"NAME = {folder!r}\n")
        (tmp_path / folder / "mine.py").write_text(
            "import a_twin_of_another\n\ndef train(e, n, s):\n    return a_twin_of_another.NAME\n"
        )
    assert load_function(f"{tmp_path}/a/mine.py:train")(None, 1, 0) == "a"
    with pytest.raises(ValueError, match="imports a_twin_of_another, but another module of that name was imported"):
        load_function(f"{tmp_path}/b/mine.py:train")


def test_a_file_may_import_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "a_neighbour_of_mine.py").write_text("ACTION = 1\n")
    path = tmp_path / "mine.py"
    path.write_text("import a_neighbour_of_mine\n\ndef train(e, n, s):\n    return [a_neighbour_of_mine.ACTION] * 11\n")
    assert load_function(f"{path}:train")(None, 1, 0) == [1] * 11


def test_where_there_is_no_table_returns_are_sampled() -> None:
    trained = train_function(
        lambda env_fn, steps, seed: lambda seen: (seen[:, 2] + seen[:, 3] > 0).astype(int),
        WorldSpecification.read("CartPole-v1"),
        name="Lean",
        runs=range(2),
        steps=1,
        seed=0,
    )
    assert not trained.exact
    assert trained.value_error is None
    assert (trained.scores > 100).all()  # it falls at once who pushes one way, after about 10 steps
    assert mean_return(lambda seen: np.zeros(len(seen), dtype=int), make_task("CartPole-v1"), seed=0) < 12
    with pytest.raises(TypeError, match="CartPole-v1 has no table, so its policies must be functions of observations"):
        mean_return([1, 2], make_task("CartPole-v1"), seed=0)


def test_the_examples_function_is_fifteen_lines() -> None:
    place = Path(__file__).parents[3] / "examples" / "compare_your_own_agent.py"
    code = [line for line in place.read_text().split('"""', 2)[2].splitlines() if line.strip()]
    assert len(code) <= 15
    assert "PPO" in inspect.getsource(load_function(f"{place}:train_ppo"))
    page = (place.parent.parent / "docs" / "comparison.md").read_text()
    assert place.read_text().split('"""', 2)[2].strip() == page.split("```python\n")[1].partition("```")[0].strip()
