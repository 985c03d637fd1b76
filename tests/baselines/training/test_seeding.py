"""Seeds come from what a run is."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from baselines.training.seeding import integer_seeds, run_seeds, stable_hash


def numbers(**changed: object) -> list[int]:
    given = {"seed": 0, "world": "LineWalk", "agent": "QLearning", "runs": range(3), "purpose": "environment"}
    return integer_seeds(run_seeds(**{**given, **changed}))


def test_each_part_of_a_run_changes_its_seed() -> None:
    seeds = {
        number
        for changed in ({}, {"seed": 1}, {"world": "Bandit"}, {"agent": "Sarsa"}, {"purpose": "exploration"})
        for number in numbers(**changed)
    }
    assert len(seeds) == 15


def test_a_run_has_the_same_seed_wherever_it_stands() -> None:
    assert numbers(runs=range(2, 3)) == numbers(runs=range(100))[2:3]


def test_a_name_has_the_same_number_in_every_process() -> None:
    program = "from baselines.training.seeding import stable_hash; print(stable_hash('LineWalk'))"
    printed = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."}, capture_output=True
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert printed == {f"{stable_hash('LineWalk')}\n".encode()}


def test_integer_seeds_have_the_bits_asked_for() -> None:
    sequences = run_seeds(0, "w", "a", range(200), "p")
    for bits in (31, 63):
        seeds = integer_seeds(sequences, bits)
        assert min(seeds) >= 0
        assert 2 ** (bits - 2) < max(seeds) < 2**bits
        assert len(set(seeds)) == 200


@pytest.mark.parametrize(
    ("seed", "error", "message"),
    [
        (-1, ValueError, "seed must be at least 0, but is -1"),
        (1.5, TypeError, "seed must be an integer, but is 1.5"),
    ],
)
def test_a_seed_that_is_none_is_refused(seed: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        numbers(seed=seed)


def test_global_generators_stay_as_they_were() -> None:
    import random

    from baselines import evaluate, make_agent, train

    before = random.getstate(), np.random.get_state()  # noqa: NPY002 - this is what must not change
    for name in ("Random", "Optimal", "QLearning"):
        agent = make_agent(name, "RandomMDP", runs=2, seed=0)
        train(agent, steps=20, checkpoints=2)
        evaluate(agent, episodes=1)
    after = random.getstate(), np.random.get_state()  # noqa: NPY002
    assert before[0] == after[0]
    np.testing.assert_equal(before[1], after[1])
