"""truth(): whom it answers for, what it refuses, and whether its numbers are right."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

import rl_envs
from rl_envs.exact import Truth, truth
from rl_envs.mdp.finite_mdp import tabulate
from rl_envs.registry import WORLDS, build, world_id

NEWER = "CliffWalking-v1" in gym.registry  # ids rose with Gymnasium 1.x
CLIFF = "CliffWalking-v1" if NEWER else "CliffWalking-v0"
TAXI = "Taxi-v4" if "Taxi-v4" in gym.registry else "Taxi-v3"


@pytest.fixture(scope="module")
def walk() -> Truth:
    return truth("rl_envs/LineWalk-v0")


@pytest.fixture(scope="module")
def testbed() -> Truth:
    return truth("rl_envs/BanditTestbed-v0", num_problems=20)


class Model:
    """Something like a Stable-Baselines3 model: always the same action, or a memory of its own."""

    def __init__(self, action: int, hidden: Any = None) -> None:
        self.action = action
        self.hidden = hidden

    def predict(self, observation: np.ndarray, deterministic: bool = False) -> tuple[np.ndarray, Any]:
        assert deterministic
        return np.full(len(observation), self.action), self.hidden


# --- numbers ---------------------------------------------------------------------------------------------------------


def test_line_walk_knows_its_own_answers(walk: Truth) -> None:
    assert walk.optimal_value == pytest.approx(0.95**4, abs=1e-14)
    assert walk.random_value == pytest.approx(130321 / 647210, abs=1e-14)
    assert walk.worst_value == 0.0
    assert walk.v_star[9] == 1.0
    assert walk.q_star[5, 0] == pytest.approx(0.95**6, abs=1e-14)
    assert walk.optimal_actions[5].tolist() == [False, True]
    assert walk.optimal_policy[1:10].tolist() == [1] * 9
    assert walk.certificate.bound < 1e-12
    assert walk.max_episode_steps == 100


def test_values_and_scores_of_arrays_functions_and_models_agree(walk: Truth) -> None:
    right = np.ones(11, dtype=int)
    for policy in (right, right.tolist(), np.eye(2)[right], lambda o: np.ones(len(o), int), Model(1)):
        assert walk.value(policy) == pytest.approx(0.81450625, abs=1e-14)
        assert walk.score(policy) == pytest.approx(1.0, abs=1e-14)
        assert isinstance(walk.score(policy), float)
    assert walk.score(Model(0)) == pytest.approx(-walk.random_value / (0.81450625 - walk.random_value))
    assert walk.score(np.full((11, 2), 0.5)) == pytest.approx(0.0, abs=1e-14)


def test_a_batch_of_policies_gives_an_array_with_one_number_each(walk: Truth) -> None:
    right, left = np.ones(11, dtype=int), np.zeros(11, dtype=int)
    np.testing.assert_allclose(walk.value(np.stack([right, left, right])), [0.81450625, 0.0, 0.81450625])
    scores = walk.score(np.stack([np.eye(2)[right], np.full((11, 2), 0.5)]))
    assert isinstance(scores, np.ndarray)
    np.testing.assert_allclose(scores, [1.0, 0.0], atol=1e-14)
    np.testing.assert_allclose(walk.episode_return(np.stack([right, left])), [1.0, 0.0])


def test_episode_returns_count_steps_and_do_not_discount(walk: Truth) -> None:
    right = np.ones(11, dtype=int)
    assert walk.episode_return(right) == 1.0
    assert walk.episode_return(right, horizon=5) == 1.0
    assert walk.episode_return(right, horizon=4) == 0.0, "the goal is 5 steps away"
    assert walk.optimal_episode_return(horizon=4) == 0.0
    assert walk.optimal_episode_return() == 1.0
    # within 5 steps only 5 times right arrives: 1 chance in 32
    assert walk.random_episode_return(horizon=5) == pytest.approx(1 / 32, abs=1e-16)
    assert walk.episode_return(np.full((11, 2), 0.5), horizon=5) == pytest.approx(1 / 32, abs=1e-16)


def test_line_balance_meets_its_published_return() -> None:
    answers = truth("rl_envs/LineBalance-v0")
    assert answers.random_episode_return() == pytest.approx(-96752106370 / 3486784401, abs=1e-11)
    assert answers.optimal_value == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("name", sorted(WORLDS))
def test_the_registered_reward_threshold_is_95_percent_of_the_way_from_random_to_optimal(name: str) -> None:
    answers = truth(build(name))
    if answers.max_episode_steps is None:
        with pytest.raises(ValueError, match="has no time limit"):
            _ = answers.reward_threshold
        return
    low, high = answers.random_episode_return(), answers.optimal_episode_return()
    assert low < answers.reward_threshold < high
    assert answers.reward_threshold == pytest.approx(0.05 * low + 0.95 * high, rel=1e-12)
    assert gym.spec(world_id(name)).reward_threshold == pytest.approx(answers.reward_threshold, rel=1e-9)


def test_frozen_lake_meets_its_two_numbers() -> None:
    answers = truth("FrozenLake-v1")
    assert answers.optimal_episode_return() == pytest.approx(0.7441903, abs=5e-8)
    assert answers.max_episode_steps == 100
    assert answers.optimal_value == pytest.approx(14 / 17, abs=1e-12)
    assert answers.mdp.discount == 1.0
    assert answers.worst_value == 0.0
    assert answers.score(answers.optimal_policy) == pytest.approx(1.0, abs=1e-12)
    assert answers.certificate.bound < 1e-9


def test_taxis_optimum_within_its_steps_is_below_its_registered_threshold() -> None:
    answers = truth(TAXI)
    assert answers.optimal_episode_return() == pytest.approx(7.93, abs=1e-10)
    assert answers.optimal_value == pytest.approx(7.93, abs=1e-10)
    assert answers.worst_value == -np.inf
    assert gym.spec(TAXI).reward_threshold == 8


def test_cliff_walking_takes_13_steps_and_can_take_for_ever() -> None:
    answers = truth(CLIFF)
    assert answers.optimal_value == -13.0
    assert answers.worst_value == -np.inf
    assert np.isfinite(answers.random_value)
    up = np.zeros(48, dtype=int)
    assert answers.value(up) == -np.inf
    assert answers.score(up) == -np.inf
    assert answers.episode_return(up, horizon=50) == -50.0
    discounted = truth(CLIFF, discount=0.9)
    assert discounted.optimal_value == pytest.approx(-(1 - 0.9**13) / 0.1, abs=1e-12)
    assert discounted.worst_value > -1001


def test_regret_is_what_an_action_loses(walk: Truth) -> None:
    assert walk.regret(5, 1) == pytest.approx(0.0, abs=1e-15)
    assert walk.regret(5, 0) == pytest.approx(0.95**4 - 0.95**6, abs=1e-14)
    assert isinstance(walk.regret(5, 0), float)
    table = walk.regret(np.arange(11)[:, None], np.arange(2))
    np.testing.assert_allclose(table, walk.v_star[:, None] - walk.q_star, atol=1e-15)
    for state, action, message in ((11, 0, r"state must be in 0\.\.10, but is 11"), (0, -1, r"in 0\.\.1, but is -1")):
        with pytest.raises(ValueError, match=message):
            walk.regret(state, action)
    with pytest.raises(TypeError, match=r"state must be an integer or an array of them, but is 0\.5"):
        walk.regret(0.5, 0)  # type: ignore[arg-type]


def test_where_everything_is_lost_no_action_loses_more() -> None:
    answers = truth(
        tabulate(lambda s, a: [(1.0, s, -1.0, s * a == 1)], num_states=2, num_actions=2, start=1, discount=1.0)
    )
    assert answers.v_star.tolist() == [-np.inf, -1.0]
    assert answers.regret(0, 1) == 0.0
    assert answers.regret(1, 0) == 1.0, "one step lost, then the end"


def test_an_infinite_value_where_no_episode_starts_is_no_part_of_the_mean() -> None:
    rows = {0: [(1.0, 0, 2.0, True)], 1: [(1.0, 1, -1.0)]}
    answers = truth(tabulate(lambda s, a: rows[s], num_states=2, num_actions=1, start=[1.0, 0.0], discount=1.0))
    assert answers.optimal_value == 2.0
    assert answers.random_value == 2.0


# --- whom it answers for ---------------------------------------------------------------------------------------------


def test_an_id_an_environment_a_world_and_a_table_give_the_same_answers(walk: Truth) -> None:
    world = build("LineWalk")
    env = gym.make("rl_envs/LineWalk-v0")
    for environment in (env, env.unwrapped, world, world.mdp):
        answers = rl_envs.truth(environment)
        assert answers.optimal_value == walk.optimal_value
        assert answers.mdp == walk.mdp
    assert truth(env).max_episode_steps == 100
    assert truth(world).max_episode_steps == 100
    assert truth(env.unwrapped).max_episode_steps is None, "without its wrapper there is no limit"
    assert repr(truth(world)).startswith("Truth('LineWalk', FiniteMDP(num_states=11")


def test_the_function_can_be_called_by_its_public_name_also_after_its_module_was_imported() -> None:
    import rl_envs.exact

    assert (
        rl_envs.exact.truth("rl_envs/LineWalk-v0").optimal_value == rl_envs.truth("rl_envs/LineWalk-v0").optimal_value
    )
    assert rl_envs.truth("rl_envs/LineWalk-v0", discount=0.5, size=2).optimal_value == 0.5


def test_a_world_has_a_short_name() -> None:
    assert truth("LineWalk", slip=0.1).optimal_value == truth("rl_envs/LineWalk-v0", slip=0.1).optimal_value


def test_arguments_go_to_gym_make_and_discount_replaces_the_tables_own() -> None:
    assert truth("rl_envs/LineWalk-v0", size=3, slip=0.1).mdp.num_states == 7
    assert truth("rl_envs/LineWalk-v0", discount=0.5).optimal_value == 0.5**4
    assert truth(build("LineWalk"), discount=0.5).optimal_value == 0.5**4
    assert truth(build("LineWalk").mdp, discount=0.5).optimal_value == 0.5**4
    assert truth(gym.make("rl_envs/LineWalk-v0"), discount=0.5).optimal_value == 0.5**4
    assert truth("rl_envs/LineWalk-v0", max_episode_steps=4).optimal_episode_return() == 0.0
    assert truth("FrozenLake-v1", is_slippery=False, discount=0.9).optimal_value == pytest.approx(0.9**5, abs=1e-12)
    with pytest.raises(TypeError, match="arguments are for a name or an id, but got size with"):
        truth(build("LineWalk"), size=3)
    with pytest.raises(ValueError, match=r"discount must be in \[0, 1\], but is 2"):
        truth("FrozenLake-v1", discount=2)


def test_it_looks_through_the_wrappers_that_change_nothing() -> None:
    env = gym.make("rl_envs/LineWalk-v0", max_episode_steps=50)
    wrapped = gym.wrappers.RecordEpisodeStatistics(gym.wrappers.TimeLimit(env, 30))
    names = set()
    inner: Any = wrapped
    while isinstance(inner, gym.Wrapper):
        names.add(type(inner).__name__)
        inner = inner.env
    assert {"TimeLimit", "OrderEnforcing", "PassiveEnvChecker", "RecordEpisodeStatistics"} <= names
    assert truth(wrapped).max_episode_steps == 30, "the shortest limit ends the episode"
    assert truth(wrapped).optimal_value == pytest.approx(0.81450625)


def test_it_follows_a_wrapper_that_turns_each_observation_into_another() -> None:
    env = gym.wrappers.FlattenObservation(gym.make("FrozenLake-v1"))
    assert env.observation_space.shape == (16,)
    answers = truth(env)
    best = answers.optimal_policy

    def from_one_hot(observations: np.ndarray) -> np.ndarray:
        assert observations.shape[1:] == (16,)
        return best[observations.argmax(axis=1)]

    assert answers.score(from_one_hot) == pytest.approx(1.0, abs=1e-12)


class HalvedReward(gym.RewardWrapper):
    def reward(self, reward: Any) -> float:
        return float(reward) / 2


class TimeLimit(gym.Wrapper):
    """Not Gymnasium's, whatever its name."""


@pytest.mark.parametrize(
    ("wrap", "name"),
    [
        (HalvedReward, "HalvedReward"),
        (TimeLimit, "TimeLimit"),
        (lambda env: gym.wrappers.TransformReward(env, lambda r: -r), "TransformReward"),
        (gym.wrappers.NormalizeReward, "NormalizeReward"),
    ],
)
def test_a_wrapper_that_may_change_the_problem_is_refused_by_name(wrap: Any, name: str) -> None:
    env = wrap(gym.make("FrozenLake-v1"))
    with pytest.raises(ValueError, match=rf"truth\(\) cannot look through \S*\.{name}, which may change rewards"):
        truth(env)


class Nameless(gym.Env):
    """An environment in toy-text form whose parts can be taken away or spoilt."""

    def __init__(self, **attributes: Any) -> None:
        self.observation_space = spaces.Discrete(1)
        self.action_space = spaces.Discrete(1)
        for name, value in attributes.items():
            setattr(self, name, value)


WALK_IT = ": truth(env, explore=True) walks the environment and finds its table"
ONE = {0: {0: [(1.0, 0, 3.0, True)]}}


def test_an_environment_of_anybodys_with_a_table_is_answered_for() -> None:
    answers = truth(Nameless(P=ONE, initial_state_distrib=np.ones(1)))
    assert answers.optimal_value == 3.0
    assert answers.name == "Nameless"
    with pytest.raises(ValueError, match="an episode return needs a horizon, but Nameless has no time limit"):
        answers.optimal_episode_return()
    assert answers.optimal_episode_return(horizon=1) == 3.0


@pytest.mark.parametrize(
    ("env", "message"),
    [
        (Nameless(), "truth() needs a table of the dynamics, but Nameless has no attribute P" + WALK_IT),
        (
            Nameless(P=ONE),
            "truth() needs a table of the dynamics, but Nameless has no attribute initial_state_distrib" + WALK_IT,
        ),
        (
            Nameless(P=ONE, initial_state_distrib=[1.0], fickle_passenger=True),
            "truth() needs all of the dynamics in the table, but the fickle passenger of Nameless is not in P"
            + WALK_IT,
        ),
        (
            Nameless(P=ONE, initial_state_distrib=[1.0], observation_space=spaces.Discrete(2)),
            "truth() needs the observations of Nameless to be the table's, 0..0, but they are Discrete(2)",
        ),
        (
            Nameless(P=ONE, initial_state_distrib=[1.0], action_space=spaces.Discrete(1, start=1)),
            "truth() needs the actions of Nameless to be the table's, 0..0, but they are Discrete(1, start=1)",
        ),
    ],
)
def test_an_environment_without_a_complete_table_is_refused_with_the_reason(env: Any, message: str) -> None:
    with pytest.raises(ValueError, match="truth") as caught:
        truth(env)
    assert str(caught.value) == message


def test_the_options_of_taxi_are_followed_or_refused() -> None:
    if TAXI == "Taxi-v3":  # before Gymnasium 1.2 it takes none
        with pytest.raises(TypeError, match="fickle_passenger"):
            truth(TAXI, fickle_passenger=True)
        return
    with pytest.raises(ValueError, match="the fickle passenger of TaxiEnv is not in P"):
        truth(TAXI, fickle_passenger=True)
    assert truth(TAXI, is_rainy=True).optimal_value < truth(TAXI).optimal_value


def test_cart_pole_has_no_table() -> None:
    with pytest.raises(ValueError, match="CartPoleEnv has no attribute P"):
        truth("CartPole-v1")


def test_what_is_no_environment_is_refused() -> None:
    with pytest.raises(TypeError, match="takes a name, an id, an environment, a World or a FiniteMDP, not 3"):
        truth(3)
    vector = gym.vector.SyncVectorEnv([lambda: gym.make("FrozenLake-v1")])
    with pytest.raises(TypeError, match=r"takes one environment, not a vector of them"):
        truth(vector)
    with pytest.raises(ValueError, match=r"unknown world 'rl_envs/LineWolk-v0'. Did you mean 'LineWalk'"):
        truth("rl_envs/LineWolk-v0")


# --- policies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("observation", ["index", "one_hot"])
def test_a_function_is_asked_about_every_states_observation_at_once(observation: str) -> None:
    answers = truth("rl_envs/LineWalk-v0", observation=observation)
    asked = []

    def policy(observations: np.ndarray) -> np.ndarray:
        asked.append(observations.shape)
        return np.ones(len(observations), dtype=np.int32)

    assert answers.score(policy) == pytest.approx(1.0)
    assert asked[0] == ((11,) if observation == "index" else (11, 11))
    assert len(asked) == 2, "and once more, to see that it keeps to its answers"


def test_many_large_observations_are_asked_about_in_parts(walk: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rl_envs.exact.NUMBERS_AT_ONCE", 4)
    sizes = []

    def policy(observations: np.ndarray) -> np.ndarray:
        sizes.append(len(observations))
        return (observations > 4).astype(int)

    one = walk.value(policy)
    assert max(sizes) == 4
    assert one == walk.value((np.arange(11) > 4).astype(int))


def test_a_function_may_answer_with_probabilities(walk: Truth) -> None:
    assert walk.score(lambda o: np.full((len(o), 2), 0.5, np.float32)) == pytest.approx(0.0, abs=1e-7)


def test_a_function_of_chance_of_memory_or_of_its_place_in_the_batch_is_refused(walk: Truth) -> None:
    rng = np.random.default_rng(0)
    calls = iter(range(1000))
    for policy in (
        lambda o: rng.integers(2, size=len(o)),
        lambda o: np.full(len(o), next(calls) % 2),
        lambda o: np.arange(len(o)) % 2,
    ):
        with pytest.raises(
            ValueError,
            match=r"a function of the observation alone, but asked twice about that of state \d+ it answered action",
        ):
            walk.score(policy)
    single = truth("rl_envs/Bandit-v0")  # one state: asked often enough to catch chance
    with pytest.raises(ValueError, match="asked twice about that of state 0"):
        single.value(lambda o: rng.integers(5, size=len(o)))
    with pytest.raises(ValueError, match=r"answered probabilities \[0\.\d+, 0\.\d+\] and then probabilities"):
        walk.score(lambda o: rng.dirichlet(np.ones(2), size=len(o)))


def test_a_model_that_remembers_is_refused(walk: Truth) -> None:
    with pytest.raises(ValueError, match="but this one remembers earlier ones"):
        walk.score(Model(1, hidden=(np.zeros(3),)))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda o: 1, r"must give an action for each: an action must have shape \(11,\)"),
        (lambda o: np.ones(3, int), r"must have shape \(11,\)"),
        (lambda o: np.full(len(o), 2), r"an action must be in Discrete\(2\), but 2 is out of range"),
        (lambda o: np.full(len(o), -1), r"an action must be in Discrete\(2\), but -1 is out of range"),
        (lambda o: np.full(len(o), 0.5), r"an action must be an integer of Discrete\(2\)"),
        (lambda o: np.full((len(o), 2), 0.7), r"probabilities must sum to 1, but state 0 has 1\.4"),
    ],
)
def test_an_answer_that_is_no_action_is_refused(walk: Truth, answer: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        walk.value(answer)


@pytest.mark.parametrize("policy", [3, None, "left", {0: 1}])
def test_what_cannot_be_asked_is_no_policy(walk: Truth, policy: Any) -> None:
    with pytest.raises(
        TypeError, match="a policy must be an array, a function of a batch of observations or an object"
    ):
        walk.value(policy)


def test_an_array_of_the_wrong_shape_is_refused(walk: Truth) -> None:
    with pytest.raises(ValueError, match=r"must have shape \(11,\) or \(runs, 11\), but has \(10,\)"):
        walk.value(np.zeros(10, int))


def test_look_alike_states_may_not_be_told_apart_unless_the_caller_says_so(testbed: Truth) -> None:
    best = testbed.optimal_policy
    assert len(set(best.tolist())) > 1
    with pytest.raises(
        ValueError,
        match=r"but states 0 and \d+ look the same and the policy treats them differently; hidden_state=True",
    ):
        testbed.value(best)
    assert testbed.value(best, hidden_state=True) == pytest.approx(testbed.optimal_value, rel=1e-12)
    assert testbed.score(best, hidden_state=True) == pytest.approx(1.0, rel=1e-12)
    assert testbed.episode_return(best, hidden_state=True, horizon=10) == pytest.approx(
        testbed.optimal_episode_return(horizon=10)
    )
    with pytest.raises(ValueError, match="the policy of run 1 treats them differently"):
        testbed.score(np.stack([np.zeros(20, int), best]))
    # the same for every problem is fine, also as a function, which sees one observation only
    same = testbed.value(np.full(20, 3))
    assert testbed.value(lambda o: np.full(len(o), 3)) == pytest.approx(same)
    assert same == pytest.approx(testbed.mdp.start @ testbed.mdp.mean_reward[:, 3] / 0.05)


def test_a_function_that_answers_differently_to_the_same_observation_is_refused(testbed: Truth) -> None:
    with pytest.raises(ValueError, match="asked twice about that of state"):
        testbed.value(lambda o: np.arange(len(o)) % 10)


def test_terminal_states_that_look_like_others_are_no_matter() -> None:
    # Two live states and an end; the end looks like state 0, where no action is ever taken.
    from dataclasses import replace

    from rl_envs.worlds.observation import Labels

    world = build("LineWalk", size=1)
    hidden = replace(world, observation=Labels([0, 1, 0]))
    assert truth(hidden).value(np.array([1, 1, 0])) == truth(world).value(np.array([1, 1, 0]))


def test_a_score_needs_an_optimum_that_is_better_than_chance() -> None:
    indifferent = truth(
        tabulate(lambda s, a: [(1.0, 0, 1.0, True)], num_states=1, num_actions=2, start=0, discount=0.9)
    )
    with pytest.raises(ValueError, match="a score needs an optimal policy that is better than the uniform one"):
        indifferent.score(np.zeros(1, int))
    # the uniform policy falls into state 1, which costs for ever
    trap = truth(
        tabulate(
            lambda s, a: [(1.0, 1, -1.0)] if a or s else [(1.0, 0, 0.0, True)],
            num_states=2,
            num_actions=2,
            start=0,
            discount=1.0,
        )
    )
    assert trap.random_value == -np.inf
    with pytest.raises(ValueError, match=r"better than the uniform one by a finite amount, .* worth 0 and -inf"):
        trap.score(np.zeros(2, int))


def test_combined_actions_are_counted_with_the_last_number_running_fastest() -> None:
    from dataclasses import replace

    # action (i, j) of 2 x 3 pays 10 i + j
    mdp = tabulate(
        lambda s, a: [(1.0, 0, 10.0 * (a // 3) + a % 3, True)], num_states=1, num_actions=6, start=0, discount=0.9
    )
    world = replace(
        build("LineWalk"), mdp=mdp, action_names=tuple("abcdef"), simultaneous=(2, 3), keys={}, goal_states=None,
        observation=type(build("LineWalk").observation)(1), action_info={}, layout=None,
    )  # fmt: skip
    answers = truth(world)
    assert isinstance(world.action_space, spaces.MultiDiscrete)
    assert answers.value(lambda o: np.tile([1, 2], (len(o), 1))) == 12.0
    assert answers.value(lambda o: np.tile([0, 2], (len(o), 1))) == 2.0
    assert answers.value(np.array([4])) == 11.0, "arrays hold the table's own actions"
    with pytest.raises(ValueError, match=r"must give an action for each: an action must have shape \(1, 2\)"):
        answers.value(lambda o: np.zeros(len(o), int))


def test_nothing_is_computed_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = rl_envs.mdp.solve.solve

    def counted(*arguments: Any) -> Any:
        calls.append(arguments)
        return original(*arguments)

    monkeypatch.setattr("rl_envs.exact.solve", counted)
    answers = truth("rl_envs/LineWalk-v0")
    assert not calls
    _ = answers.optimal_value, answers.v_star, answers.q_star, answers.certificate, answers.optimal_actions
    assert len(calls) == 1, "and only once"


def test_monte_carlo_episodes_of_the_environment_agree_with_the_exact_return() -> None:
    env = gym.make("rl_envs/LineWalk-v0", slip=0.3, max_episode_steps=12)
    exact = truth(env).episode_return(np.ones(11, dtype=int))
    env.reset(seed=0)
    returns = []
    for _ in range(4000):
        env.reset()
        total, over = 0.0, False
        while not over:
            _, reward, terminated, truncated, _ = env.step(1)
            total += float(reward)
            over = terminated or truncated
        returns.append(total)
    error = np.std(returns, ddof=1) / np.sqrt(len(returns))
    assert 0.1 < exact < 0.9
    assert abs(np.mean(returns) - exact) < 4 * error  # once in 16,000 seeds by chance


def test_an_empty_batch_of_policies_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must not be empty, but has shape \(0, 11\)"):
        rl_envs.truth("rl_envs/LineWalk-v0").value(np.zeros((0, 11), dtype=np.int64))


class PredictsNoPair:
    def predict(self, observations: np.ndarray, deterministic: bool = False) -> np.ndarray:
        return np.zeros(len(observations), dtype=np.int64)


class PredictsOtherwise:
    def predict(self, observations: np.ndarray) -> np.ndarray:
        return np.zeros(len(observations), dtype=np.int64)


@pytest.mark.parametrize("model", [PredictsNoPair(), PredictsOtherwise()])
def test_a_model_whose_predict_is_another_is_refused_by_name(model: object) -> None:
    with pytest.raises(TypeError, match=rf"as Stable-Baselines3's models do; that of {type(model).__name__} says"):
        rl_envs.truth("rl_envs/LineWalk-v0").value(model)


class PaysTheOpposite(rl_envs.TabularEnv):
    def step(self, action: object) -> tuple:
        observation, reward, *rest = super().step(action)
        return (observation, -reward, *rest)


def test_an_environment_with_a_step_of_its_own_is_refused_by_name() -> None:
    env = PaysTheOpposite("LineWalk")
    with pytest.raises(ValueError, match=r"PaysTheOpposite has a step\(\) of its own"):
        rl_envs.truth(env)
    assert rl_envs.truth(env.world).optimal_value == pytest.approx(0.95**4)
