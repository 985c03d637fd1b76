"""The numbers of an inspection against other methods: simulation, enumeration, hand calculation."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

import rl_envs
from rl_envs.inspection.behaviour import look_alikes
from rl_envs.inspection.learnability import most_probable, smallest_gap, stuck_states
from rl_envs.inspection.lookahead import lookahead
from rl_envs.inspection.memoryless import ALL, best_memoryless
from rl_envs.inspection.sizes import best_return, optimal_steps
from rl_envs.inspection.table_view import TableView, counted, number, shown
from rl_envs.inspection.waiting import expected_wait
from rl_envs.mdp.evaluation import evaluate_policy
from rl_envs.mdp.finite_mdp import FiniteMDP, tabulate
from rl_envs.worlds.observation import Index, Labels
from rl_envs.worlds.world import StateNumber, World


def world_of(mdp: FiniteMDP, *, limit: int | None = None, labels: list[int] | None = None) -> World:
    """A world of a table alone."""
    return World(
        name="Table",
        mdp=mdp,
        max_episode_steps=limit,
        action_names=tuple("abcdef"[: mdp.num_actions]),
        observation=Index(mdp.num_states) if labels is None else Labels(np.array(labels)),
        drawing=StateNumber(mdp.num_states),
    )


def line(length: int, *, discount: float = 0.9) -> FiniteMDP:
    """Cells 0..length-1 and the goal: action 0 goes back to cell 0, action 1 forward."""
    return tabulate(
        lambda s, a: (
            [(1.0, s + 1, float(s == length - 1), s == length - 1) if a else (1.0, 0, 0.0, False)]
            if s < length
            else [(1.0, s, 0.0, True)]
        ),
        num_states=length + 1,
        num_actions=2,
        start=0,
        discount=discount,
    )


@pytest.mark.parametrize("length", [1, 2, 5, 10])
def test_the_wait_for_a_run_of_heads_is_that_of_the_textbook(length: int) -> None:
    """The expected number of tosses until n heads in a row is 2^(n+1) - 2 (Feller, vol. 1, section XIII.7)."""
    mdp = line(length)
    assert expected_wait(mdp, mdp.reward > 0, None) == pytest.approx(2 ** (length + 1) - 2)


@pytest.mark.parametrize("limit", [3, 7])
def test_the_wait_within_a_time_limit_is_that_of_a_simulation(limit: int) -> None:
    mdp = line(3)
    exact = expected_wait(mdp, mdp.reward > 0, limit)
    rng = np.random.default_rng(0)
    waits = []
    for _ in range(4_000):
        steps = 0
        while True:
            state = 0
            for _ in range(limit):
                steps += 1
                state = state + 1 if rng.random() < 0.5 else 0
                if state == 3:
                    break
            if state == 3:
                break
        waits.append(steps)
    assert abs(np.mean(waits) - exact) < 4 * np.std(waits) / np.sqrt(len(waits))


def test_the_wait_is_infinite_where_it_may_be_for_ever() -> None:
    pit = tabulate(
        lambda s, a: [(0.5, 1, 0.0), (0.5, 2, 1.0, True)] if s == 0 else [(1.0, s, 0.0, s == 2)],
        num_states=3,
        num_actions=1,
        start=0,
        discount=0.9,
    )
    assert expected_wait(pit, pit.reward > 0, None) == np.inf
    # Within 10 steps the pit costs 9 more of them: E[T] = 0.5 * 1 + 0.5 * 10, p = 0.5.
    assert expected_wait(pit, pit.reward > 0, 10) == pytest.approx(11.0)
    assert expected_wait(pit, pit.reward > 5, 10) == np.inf


def test_looking_ahead_one_step_is_enough_where_play_at_random_shows_the_way() -> None:
    """In the line every step forward is worth more under uniform play, too."""
    assert lookahead(TableView(world_of(line(4)))) == 1


def test_the_lookahead_is_the_depth_of_a_detour() -> None:
    """Left pays 0.5 at once. Right pays 1 after n more steps, of which uniform play takes each with probability 1/2.

    With discount 1 greedy for Q^k prefers right from k on with (1/2)^(n - k + 1) > 0.5: n - k + 1 < 1. So k = n + 1.
    """
    for n in (1, 2, 4):

        def outcomes(s, a, n=n):
            if s == n + 1:
                return [(1.0, s, 0.0, True)]
            if a == 0:
                return [(1.0, n + 1, 0.5 if s == 0 else 0.0, True)]
            return [(1.0, s + 1, float(s == n), s == n)]

        mdp = tabulate(outcomes, num_states=n + 2, num_actions=2, start=0, discount=1.0)
        assert lookahead(TableView(world_of(mdp))) == n + 1
        assert lookahead(TableView(world_of(replace(mdp, discount=0.99)))) == n + 1


def test_the_gap_the_steps_and_the_best_return_of_a_line() -> None:
    view = TableView(world_of(line(3)))
    # In cell 2 forward pays 1, and back is worth 0.9^3; in cell 0 it is 0.81 against 0.9 * 0.81, the smallest gap.
    gap, state = smallest_gap(view)
    assert (gap, state) == (pytest.approx(0.081), 0)
    assert optimal_steps(view) == (pytest.approx(3), "")
    assert best_return(view) == (pytest.approx(1), "of a whole episode")
    limited = TableView(world_of(line(3), limit=2))
    assert best_return(limited) == (0.0, "within 2 steps")
    assert optimal_steps(limited) == (2.0, "up to the time limit")


def test_the_chance_of_coming_to_the_goal_in_time() -> None:
    mdp = line(3)
    hit = mdp.reward > 0
    assert [float(most_probable(mdp, hit, steps)[0]) for steps in (2, 3)] == [0.0, 1.0]


def test_nothing_is_stuck_where_no_episode_ends() -> None:
    mdp = tabulate(lambda s, a: [(1.0, s, 1.0)], num_states=2, num_actions=2, start=0, discount=0.9)
    assert not stuck_states(TableView(world_of(mdp))).any()


# Hidden state --------------------------------------------------------------------------------------------------------


def test_states_that_look_and_behave_alike_are_one() -> None:
    """Two copies of a line that look the same and do the same: rounding differs, behaviour does not."""

    def outcomes(s, a):
        if s == 4:
            return [(1.0, 4, 0.0, True)]
        if s >= 2:
            return [(1.0, 4, 1.0, True)] if a else [(0.1, 0, 0.0), (0.2, 1, 0.0), (0.7, 4, 0.0, True)]
        return [(1 / 3, 2, 0.0), (2 / 3, 3, 0.0)] if s == 0 else [(2 / 3, 2, 0.0), (1 / 3, 3, 0.0)]

    mdp = tabulate(outcomes, num_states=5, num_actions=2, start=[0.5, 0.5, 0, 0, 0], discount=0.9)
    groups = look_alikes(TableView(world_of(mdp, labels=[0, 0, 1, 1, 2])))
    assert (groups.pair, groups.different) == (None, 0)
    assert groups.observations == 2


def test_a_difference_that_shows_only_later_is_found() -> None:
    """States 0 and 1 look alike and lead to states that look alike; those pay differently."""

    def outcomes(s, a):
        if s == 4:
            return [(1.0, 4, 0.0, True)]
        return [(1.0, s + 2, 0.0)] if s < 2 else [(1.0, 4, float(s == 3) * a, True)]

    mdp = tabulate(outcomes, num_states=5, num_actions=2, start=[0.5, 0.5, 0, 0, 0], discount=0.9)
    groups = look_alikes(TableView(world_of(mdp, labels=[0, 0, 1, 1, 2])))
    assert groups.different == 4
    assert groups.pair is not None
    assert groups.pair[:3] == (2, 3, 1)  # what shows at once is shown
    assert "pays 0 on average and the other 1" in groups.pair[3]


@pytest.mark.parametrize("seed", range(3))
def test_the_best_policy_of_the_observation_is_the_best_of_all(seed: int) -> None:
    """Against an enumeration with plain loops; the second search may only climb, and must come close from below."""
    rng = np.random.default_rng(seed)
    world = rl_envs.build("RandomMDP", num_states=8, num_actions=2, branching=3, model_seed=seed)
    labels = np.concatenate([np.arange(4), rng.integers(4, size=4)])
    view = TableView(world_of(world.mdp, labels=labels.tolist()))
    groups = look_alikes(view)
    found = best_memoryless(view, groups.seen)
    assert found is not None
    assert found.exact
    values = [
        float(world.mdp.start @ evaluate_policy(world.mdp, np.array(choice)[labels]))
        for choice in product((0, 1), repeat=4)
    ]
    assert found.value == pytest.approx(max(values))


def test_a_search_that_cannot_try_all_says_that_it_is_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    world = rl_envs.build("RandomMDP", num_states=16, num_actions=3, branching=3, model_seed=1)
    labels = np.concatenate([np.arange(8), np.arange(8)])
    view = TableView(world_of(world.mdp, labels=labels.tolist()))
    assert ALL < 3**8
    climbed = best_memoryless(view, look_alikes(view).seen)
    assert climbed is not None
    assert not climbed.exact
    assert "lower bound" in climbed.how
    # What the whole search finds is an upper bound of it, and the policy is worth what is said.
    monkeypatch.setattr("rl_envs.inspection.memoryless.ALL", 10**5)
    best = best_memoryless(view, look_alikes(view).seen)
    assert best is not None
    assert best.value * 0.98 < climbed.value <= best.value + 1e-12
    assert climbed.value == pytest.approx(float(world.mdp.start @ evaluate_policy(world.mdp, climbed.policy)))


def test_a_search_ends_in_time_and_is_a_bound_then_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """With no time at all it has tried the actions of one observation from its first beginning, and no more."""
    monkeypatch.setattr("rl_envs.inspection.memoryless.SECONDS", 0.0)
    evaluated: list[int] = []
    evaluate = evaluate_policy
    monkeypatch.setattr(
        "rl_envs.inspection.memoryless.evaluate_policy",
        lambda mdp, policies: (evaluated.append(len(policies)), evaluate(mdp, policies))[1],
    )
    world = rl_envs.build("RandomMDP", num_states=16, num_actions=3, branching=3, model_seed=1)
    labels = np.concatenate([np.arange(8), np.arange(8)])
    view = TableView(world_of(world.mdp, labels=labels.tolist()))
    found = best_memoryless(view, look_alikes(view).seen)
    assert found is not None
    assert "lower bound" in found.how
    assert evaluated == [1, 3]


# Words ---------------------------------------------------------------------------------------------------------------


def test_actions_that_lead_to_a_state_are_counted() -> None:
    view = TableView(world_of(line(9)))
    assert view.describe(8) == "state 8 (reached by b x8)"
    plain = TableView(replace(world_of(line(9)), action_names=("action 0", "action 1")))
    assert plain.describe(8) == "state 8 (reached by actions 1 x8)"
    assert plain.describe(1) == "state 1 (reached by action 1)"


def test_numbers_and_observations_in_words() -> None:
    assert [number(value) for value in (0.123456, 1234.5, -2e-16)] == ["0.1235", "1,234", "0"]
    assert [counted(count, "state") for count in (1, 2000)] == ["1 state", "2,000 states"]
    assert (
        shown({"at": np.array([1, 2]), "picture": np.zeros((7, 7, 3))})
        == "{at: [1, 2], picture: an array of (7, 7, 3)}"
    )
    assert shown((1, "a" * 100)).endswith("...")
