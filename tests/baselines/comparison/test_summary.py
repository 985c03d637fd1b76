"""What results come to, and whether two agents agree."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from baselines.comparison.measures import worst_decile
from baselines.comparison.rows import Row
from baselines.comparison.statistics import difference_interval, interquartile_mean, mean_interval
from baselines.comparison.summary import MARGIN, across_worlds, cross_check, cross_checks, summarise, until_half
from baselines.report.spreadsheet import write_csv
from baselines.report.terminal import cells_of
from baselines.training.specification import WorldSpecification
from rl_envs.specification import Specification

on = WorldSpecification.read

RNG = np.random.default_rng(0)


def row(agent: str, final: object, *, world: str = "LineWalk", exact: bool = True) -> Row:
    final = np.asarray(final, dtype=float)
    scores = np.stack([np.zeros_like(final), final])
    return Row(on(world), Specification.parse(agent), np.array([0, 100]), scores, exact=exact, seconds=2.0)


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


@pytest.mark.parametrize("upper", [1.0, 0.5, 0.95, 0.3])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_difference_of_exactly_the_margin_is_inside_it_on_both_sides(upper: float, swapped: bool) -> None:
    scores = (np.full(10, upper), np.full(10, upper - 0.05))
    ours, library = reversed(scores) if swapped else scores
    assert cross_check(row("QLearning", ours), row("SB3DQN", library)).verdict == "agree"
    beyond = (np.full(10, upper), np.full(10, upper - 0.05 - 1e-6))
    ours, library = reversed(beyond) if swapped else beyond
    assert cross_check(row("QLearning", ours), row("SB3DQN", library)).verdict == "differ"


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


def test_a_cross_check_is_data() -> None:
    ours, library = row("QLearning:epsilon=0.2", RNG.random(12)), row("SB3DQN", RNG.random(10))
    found = cross_checks([ours, library])[0]
    assert (found.world, found.ours, found.library) == ("LineWalk", "QLearning:epsilon=0.2", "SB3DQN")
    assert found.difference == difference_interval(ours.final, library.final)
    assert found.sentence == cross_check(ours, library).sentence


@pytest.mark.parametrize(
    ("library", "verdict"),
    [
        (np.ones(10), "agree"),
        (np.full(10, 0.5), "differ"),
        (np.array([1.0] * 9 + [0.2]), "unclear"),
        (np.ones(9), "too few runs"),
        (np.ones(1), "too few runs"),
    ],
)
def test_a_verdict_is_one_of_four(library: np.ndarray, verdict: str) -> None:
    found = cross_check(row("QLearning", np.ones(30)), row("SB3DQN", library))
    assert found.verdict == verdict
    assert (found.difference is None) == (len(library) == 1)


def test_sampled_returns_are_not_cross_checked() -> None:
    rows = [row(agent, np.ones(10), world="CartPole-v1", exact=False) for agent in ("DQN", "SB3DQN")]
    assert cross_checks(rows) == []


def test_a_users_own_agent_has_no_counterpart_whatever_its_name() -> None:
    names = ("DQN", "train_ppo", "mine: a,b", "", "SB3DQN")
    rows = [replace(row("DQN", np.ones(10)), who=Specification(name)) for name in names]
    assert [(check.ours, check.library) for check in cross_checks(rows)] == [("DQN", "SB3DQN")]
    assert [summarise(own).agent for own in rows] == [own.agent for own in rows]


def test_scores_known_at_the_end_only_have_neither_steps_nor_area() -> None:
    own = Row(
        WorldSpecification.read("LineWalk"),
        Specification.parse("train_ppo"),
        np.array([100]),
        np.array([[1.0, 0.5]]),
        exact=True,
        seconds=2.0,
    )
    found = summarise(own)
    assert (found.steps_to_95_percent, found.area) == (None, None)
    assert found.score.estimate == 0.75
    assert cells_of(found)[5] == "-"


def test_an_area_that_is_not_known_is_empty_in_the_spreadsheet(tmp_path: Path) -> None:
    own = Row(
        WorldSpecification.read("LineWalk"),
        Specification.parse("train_ppo"),
        np.array([100]),
        np.array([[1.0, 0.5]]),
        exact=True,
        seconds=2.0,
    )
    write_csv([summarise(own)], tmp_path / "results.csv")
    line = next(csv.DictReader((tmp_path / "results.csv").read_text().splitlines()))
    assert (line["area_under_curve"], line["steps_to_95_percent"], line["score"]) == ("", "", "0.75")


def test_an_agent_over_its_worlds_is_summed_up_by_its_final_scores() -> None:
    finals = {"LineWalk": RNG.random(12), "FourRooms": RNG.random(8)}
    [found] = across_worlds([row("QLearning", final, world=world) for world, final in finals.items()])
    assert (found.agent, found.worlds) == ("QLearning", ("LineWalk", "FourRooms"))
    assert found.score == mean_interval(*finals.values(), resamples=2_000)
    assert found.interquartile_mean == interquartile_mean(*finals.values(), resamples=2_000)
    assert found.worst_decile == worst_decile(*finals.values())


def test_agents_of_the_same_worlds_stand_together_and_say_which() -> None:
    rows = [
        row("A", [1, 1], world="LineWalk"),
        row("B", [1, 1], world="LineWalk"),
        row("C", [1, 1], world="FourRooms"),
        row("C", [1, 1], world="LineWalk"),
        row("A", [1, 1], world="FourRooms"),
        row("A", [1, 1], world="CartPole-v1", exact=False),
        row("B", [1, 1], world="RandomMDP"),
        row("D", [1, 1], world="LineWalk"),
        row("E", [1, 1], world="CartPole-v1", exact=False),
        row("E", [1, 1], world="LineWalk"),
    ]
    # D has one world, and E one with exact scores. In the order of the rows LineWalk is first, FourRooms second.
    assert [(found.agent, found.worlds) for found in across_worlds(rows)] == [
        ("A", ("LineWalk", "FourRooms")),
        ("C", ("LineWalk", "FourRooms")),
        ("B", ("LineWalk", "RandomMDP")),
    ]


def test_a_world_of_a_single_run_leaves_an_agent_over_its_worlds_without_ends() -> None:
    [found] = across_worlds([row("A", [1.0], world="LineWalk"), row("A", [0.0, 0.5], world="FourRooms")])
    assert found.score.estimate == pytest.approx(0.625)
    # Weights: 0 and 0.5 a quarter each, 1 a half. The middle half is 0.5 (1/4) and 1 (1/4).
    assert found.interquartile_mean.estimate == pytest.approx(0.75)
    assert math.isnan(found.score.low)
    assert math.isnan(found.interquartile_mean.high)
    assert found.worst_decile == 0.0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_run_without_a_finite_score_is_named_with_its_agent_and_world(bad: float) -> None:
    broken, whole = row("SB3DQN", [1.0, bad] + [1.0] * 9), row("DQN", np.ones(11))
    elsewhere = row("SB3DQN", np.ones(11), world="FourRooms")
    for call in (
        lambda: summarise(broken),
        lambda: cross_checks([whole, broken]),
        lambda: across_worlds([elsewhere, broken]),
    ):
        with pytest.raises(ValueError, match=f"but run 1 of SB3DQN on LineWalk has {bad}"):
            call()


def test_two_rows_of_an_agent_on_one_world_are_refused() -> None:
    with pytest.raises(ValueError, match="an agent must have one row a world, but A has several of LineWalk"):
        across_worlds([row("A", [1, 1]), row("A", [1, 1])])
