"""Deliberate faults in the games, planted one at a time: the tests named beside each must catch it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from rl_envs.games import (
    correlated,
    equilibria,
    grid_soccer,
    matrix_game,
    simultaneous,
    soccer_rules,
    vertex_enumeration,
)
from rl_envs.games.normal_form import NormalFormGame
from tests.games import (
    test_correlated,
    test_equilibria,
    test_grid_soccer,
    test_matrix_game,
    test_normal_form,
    test_pettingzoo_rules,
    test_soccer_rules,
    test_vector_forms,
)

Patch = pytest.MonkeyPatch
CLIMBING = test_pettingzoo_rules.CASES["climbing"]
SOCCER = test_pettingzoo_rules.CASES["soccer"]


@dataclass(frozen=True)
class Fault:
    name: str
    plant: Callable[[Patch], None]
    caught_by: Callable[[], Any]


def lost_vertex(patch: Patch) -> None:
    patch.setattr(equilibria, "vertices", lambda matrix: vertex_enumeration.vertices(matrix)[:-1])


def every_pair_adjacent(patch: Patch) -> None:
    patch.setattr(vertex_enumeration, "_adjacent", lambda common, masks, dimension: True)


def exchanged_payoff_matrices(patch: Patch) -> None:
    original = equilibria._certified
    patch.setattr(equilibria, "_certified", lambda first, second, x, y: original(second, first, x, y))


def blind_to_degeneracy(patch: Patch) -> None:
    patch.setattr(equilibria, "_has_degenerate_vertex", lambda found, dimension: False)


def separate_components(patch: Patch) -> None:
    patch.setattr(equilibria, "_share_an_equilibrium", lambda one, other: False)


def nash_conv_of_the_first_player(patch: Patch) -> None:
    original = NormalFormGame.deviation_gains
    patch.setattr(NormalFormGame, "deviation_gains", lambda self, strategies: original(self, strategies)[..., :1])


def commitment_for_obedience(patch: Patch) -> None:
    patch.setattr(correlated, "_obedience_rows", correlated._commitment_rows)


def rewards_of_the_other_player(patch: Patch) -> None:
    change_step(patch, matrix_game, lambda env, row: (row[0], dict(zip(row[1], reversed(row[1].values()))), *row[2:]))


def one_round_too_many(patch: Patch) -> None:
    original = simultaneous._validated_max_cycles
    patch.setattr(simultaneous, "_validated_max_cycles", lambda max_cycles: original(max_cycles) + 1)


def stale_observation_after_reset(patch: Patch) -> None:
    original = matrix_game.parallel_env.reset

    def reset(self: Any, seed: int | None = None, options: Any = None) -> Any:
        before = self._state
        observations, infos = original(self, seed, options)
        return (observations if before is None else dict.fromkeys(observations, self._shown[before]), infos)

    patch.setattr(matrix_game.parallel_env, "reset", reset)


def shared_observation(patch: Patch) -> None:
    patch.setattr(
        simultaneous.SimultaneousGame, "_observations", lambda self: dict.fromkeys(self.agents, self._observed())
    )


def ignored_seed(patch: Patch) -> None:
    patch.setattr(simultaneous.SimultaneousGame, "_seed", lambda self, seed: None)


def constant_seed(patch: Patch) -> None:
    original = simultaneous.SimultaneousGame._seed
    patch.setattr(simultaneous.SimultaneousGame, "_seed", lambda self, seed: original(self, 0))


def termination_told_as_truncation(patch: Patch) -> None:
    change_step(patch, grid_soccer, lambda env, row: (*row[:2], dict.fromkeys(row[2], False), row[2], row[4]))


def wrong_side_of_the_cumulative_distribution(patch: Patch) -> None:
    patch.setattr(
        grid_soccer.parallel_env,
        "_drawn",
        lambda self, probabilities: (
            len(probabilities)
            - 1
            - int(np.searchsorted(np.cumsum(probabilities)[:-1], self.np_random.random(), side="right"))
        ),
    )


def another_draw_a_round(patch: Patch) -> None:
    change_step(patch, grid_soccer, lambda env, row: (env.np_random.random(), row)[1])


def actions_exchanged(patch: Patch) -> None:
    original = simultaneous.SimultaneousGame._joint_index
    patch.setattr(
        simultaneous.SimultaneousGame,
        "_joint_index",
        lambda self, actions: original(self, dict(zip(actions, reversed(actions.values())))),
    )


def the_ball_stays_with_who_runs_into_the_other(patch: Patch) -> None:
    original = soccer_rules.moved

    def moved(position: Any, player: int, action: int) -> Any:
        after = original(position, player, action)
        return replace(after, ball=position.ball)

    patch.setattr(soccer_rules, "moved", moved)
    rebuilt(patch)


def player_0_always_first(patch: Patch) -> None:
    original = soccer_rules._both_moved
    patch.setattr(soccer_rules, "_both_moved", lambda position, actions, first_mover: original(position, actions, 0))
    rebuilt(patch)


def goals_in_every_row(patch: Patch) -> None:
    patch.setattr(soccer_rules, "GOAL_ROWS", (0, 1, 2, 3))
    rebuilt(patch)


def rebuilt(patch: Patch) -> None:
    """Let the table be built anew with the fault, and let no later test see it."""
    uncached = soccer_rules.soccer_table.__wrapped__
    patch.setattr(soccer_rules, "soccer_table", uncached)
    patch.setattr(test_soccer_rules, "soccer_table", uncached)
    patch.setattr(grid_soccer, "soccer_table", uncached)


def change_step(patch: Patch, module: Any, change: Callable[[Any, tuple[Any, ...]], tuple[Any, ...]]) -> None:
    original = module.parallel_env.step
    patch.setattr(module.parallel_env, "step", lambda self, actions: change(self, original(self, actions)))


def solved_soccer() -> Any:
    from rl_envs.games import solve_markov_game

    table = test_soccer_rules.soccer_table(0.9)
    return table, solve_markov_game(table)


FAULTS = [
    Fault(
        "an extreme strategy is lost",
        lost_vertex,
        lambda: test_equilibria.test_penalty_has_the_equilibria_its_docstring_derives(-10, 6),
    ),
    Fault(
        "rays that are not adjacent are joined",
        every_pair_adjacent,
        test_equilibria.test_vertices_are_the_feasible_solutions_of_as_many_equations_as_coordinates,
    ),
    Fault(
        "certificates use the other player's payoffs",
        exchanged_payoff_matrices,
        test_equilibria.test_payoffs_are_each_players_own,
    ),
    Fault(
        "no game is called degenerate",
        blind_to_degeneracy,
        test_equilibria.test_an_edge_of_equilibria_is_one_subset_with_two_corners,
    ),
    Fault(
        "components are not joined",
        separate_components,
        test_equilibria.test_two_subsets_that_share_a_corner_are_one_component,
    ),
    Fault(
        "NashConv forgets a player",
        nash_conv_of_the_first_player,
        lambda: test_normal_form.test_nash_conv_is_the_sum_of_the_best_gains_and_exploitability_its_average((2, 3, 4)),
    ),
    Fault(
        "coarse correlated equilibria are sold as correlated",
        commitment_for_obedience,
        test_correlated.test_a_coarse_equilibrium_may_beat_every_correlated_one,
    ),
    Fault(
        "each player gets the other's payoff",
        rewards_of_the_other_player,
        test_matrix_game.test_rewards_are_the_payoffs_of_the_table,
    ),
    Fault("the time limit is off by one", one_round_too_many, test_pettingzoo_rules.test_max_cycles_test),
    Fault(
        "the observation after a reset is the old one",
        stale_observation_after_reset,
        test_matrix_game.test_the_observation_is_one_before_the_first_round_and_then_tells_the_joint_action,
    ),
    Fault(
        "agents share one array",
        shared_observation,
        lambda: test_pettingzoo_rules.test_observations_are_fresh_arrays_inside_their_space(CLIMBING),
    ),
    Fault(
        "the seed is ignored",
        ignored_seed,
        lambda: test_pettingzoo_rules.test_the_same_seed_repeats_a_whole_episode_and_another_does_not(SOCCER),
    ),
    Fault(
        "every seed is the same",
        constant_seed,
        lambda: test_pettingzoo_rules.test_the_same_seed_repeats_a_whole_episode_and_another_does_not(SOCCER),
    ),
    Fault(
        "a goal is told as a truncation",
        termination_told_as_truncation,
        test_grid_soccer.test_a_goal_ends_the_episode_with_one_point_for_the_scorer,
    ),
    Fault(
        "outcomes are drawn from the wrong end",
        wrong_side_of_the_cumulative_distribution,
        test_vector_forms.test_copies_of_soccer_walk_the_trajectories_of_single_environments_with_their_seeds,
    ),
    Fault(
        "a second number is drawn every round",
        another_draw_a_round,
        test_vector_forms.test_copies_of_soccer_walk_the_trajectories_of_single_environments_with_their_seeds,
    ),
    Fault(
        "the players' actions are exchanged",
        actions_exchanged,
        test_matrix_game.test_infos_tell_the_joint_action_and_both_regrets,
    ),
    Fault(
        "running into the other keeps the ball",
        the_ball_stays_with_who_runs_into_the_other,
        lambda: test_soccer_rules.test_the_order_of_the_moves_decides_who_gets_an_empty_square(solved_soccer()[0]),
    ),
    Fault(
        "player 0 always moves first",
        player_0_always_first,
        lambda: test_soccer_rules.test_the_table_looks_the_same_to_both_players(solved_soccer()[0]),
    ),
    Fault(
        "the goals are too wide",
        goals_in_every_row,
        lambda: test_soccer_rules.test_the_start_is_worth_nothing_and_the_ball_there_what_the_docs_say(
            *solved_soccer()
        ),
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_a_planted_fault_is_caught(fault: Fault) -> None:
    with pytest.MonkeyPatch.context() as patch:
        fault.plant(patch)
        with pytest.raises(AssertionError):
            fault.caught_by()
    fault.caught_by()
