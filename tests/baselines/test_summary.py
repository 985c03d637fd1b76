"""What results come to, and whether two agents agree."""

from __future__ import annotations

import math

import numpy as np
import pytest

from baselines.rows import Row
from baselines.summary import MARGIN, cross_check, cross_checks, summarise, until_half

RNG = np.random.default_rng(0)


def row(agent: str, final: object, *, world: str = "LineWalk", exact: bool = True) -> Row:
    final = np.asarray(final, dtype=float)
    scores = np.stack([np.zeros_like(final), final])
    return Row(world, agent, np.array([0, 100]), scores, exact=exact, seconds=2.0)


def sentence(ours: Row, library: Row) -> str:
    return cross_check(ours, library).sentence


def test_a_summary_by_hand() -> None:
    found = summarise(row("QLearning", [1.0, 1.0, 0.99, 0.5]))
    assert (found.runs, found.worst_decile, found.seconds) == (4, 0.5, 2.0)
    assert found.score.estimate == pytest.approx(0.8725)
    assert found.score.low < 0.8725 < found.score.high
    assert found.within_1_percent.estimate == 0.75
    assert found.steps_to_95_percent == 100
    assert found.area == pytest.approx(0.8725 / 2)
    assert found.steps_per_second == 100 * 4 / 2


def test_steps_to_95_percent_are_infinite_unless_half_of_the_runs_get_there() -> None:
    assert math.isinf(summarise(row("QLearning", [1.0, 0.5, 0.5])).steps_to_95_percent)


def test_steps_to_95_percent_are_those_of_the_run_that_makes_half() -> None:
    assert until_half(np.array([30.0, np.inf, 10.0, np.inf])) == 30
    assert until_half(np.array([30.0, 20.0, 10.0])) == 20
    assert until_half(np.array([np.inf, np.inf, 10.0])) == np.inf
    assert summarise(row("QLearning", [1.0, 1.0, 0.5, 0.5])).steps_to_95_percent == 100


def test_one_run_has_no_interval() -> None:
    assert math.isnan(summarise(row("QLearning", [1.0])).score.low)


def test_sampled_returns_are_not_compared_with_an_optimum() -> None:
    found = summarise(row("Random", [20.0, 30.0], world="CartPole-v1", exact=False))
    assert found.within_1_percent is None
    assert found.steps_to_95_percent is None


@pytest.mark.parametrize(
    ("ours", "library", "said"),
    [
        (np.ones(30), np.ones(10), "QLearning and SB3DQN agree (difference +0.000, 95% interval +0.000 to +0.000"),
        (np.ones(30), np.full(10, 0.96), "agree (difference +0.040"),
        (np.ones(30), np.full(10, 0.5), "differ: QLearning is better (difference +0.500"),
        (np.full(30, 0.3), np.full(10, 0.5), "differ: SB3DQN is better (difference -0.200"),
        (np.ones(30), np.array([1.0] * 9 + [0.2]), "may or may not agree (difference +0.080"),
    ],
)
def test_a_verdict_follows_from_the_interval_and_the_margin(ours: object, library: object, said: str) -> None:
    assert said in sentence(row("QLearning", ours), row("SB3DQN", library))


def test_an_interval_just_inside_and_just_outside_the_margin() -> None:
    ours = row("QLearning", np.ones(10))
    assert " agree (" in sentence(ours, row("SB3DQN", np.full(10, 1 - 0.99 * MARGIN)))
    assert " differ: " in sentence(ours, row("SB3DQN", np.full(10, 1 - 1.01 * MARGIN)))


def test_what_is_not_solved_is_said() -> None:
    said = sentence(row("QLearning", np.ones(30)), row("SB3A2C", np.full(10, 0.97)))
    assert said.endswith("Not solved by SB3A2C (mean score 0.970).")
    both = sentence(row("QLearning", np.full(30, 0.1)), row("SB3A2C", np.full(10, 0.1)))
    assert both.endswith("Not solved by QLearning (mean score 0.100) nor by SB3A2C (mean score 0.100).")
    assert "Not solved" not in sentence(row("QLearning", np.ones(30)), row("SB3A2C", np.ones(10)))


def test_too_few_runs_are_said() -> None:
    for runs in (9, 3, 1):
        said = sentence(row("QLearning", np.ones(30)), row("SB3DQN", np.ones(runs)))
        assert f"too few runs to tell whether they agree, {runs} on one side" in said


def test_each_library_agent_is_checked_against_its_counterpart_in_every_world() -> None:
    rows = [
        row(agent, np.ones(10), world=world)
        for world in ("LineWalk", "Bandit")
        for agent in ("Random", "QLearning", "DQN", "SB3DQN", "SB3A2C")
    ]
    starts = [check.sentence.split(" agree")[0] for check in cross_checks(rows)]
    assert starts == [
        "LineWalk: DQN and SB3DQN",
        "LineWalk: QLearning and SB3A2C",
        "Bandit: DQN and SB3DQN",
        "Bandit: QLearning and SB3A2C",
    ]
    assert cross_checks([row("SB3DQN", np.ones(10)), row("Random", np.ones(10))]) == []
