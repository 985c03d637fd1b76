"""What must hold of learning, as functions that raise: the tests call them, and so does the test that plants faults."""

from __future__ import annotations

import numpy as np

from baselines.agents.q_learning import QLearning
from baselines.agents.tabular import TabularConfig
from baselines.training.loop import evaluate, score, train
from rl_envs.mdp.finite_mdp import Outcome, tabulate
from rl_envs.worlds.observation import Index
from rl_envs.worlds.world import StateNumber, World

# Q-learning in its plainest form: a constant step size, and exploration throughout.
PLAIN = TabularConfig(step_size=0.5, step_size_half_life=np.inf, epsilon=1.0, final_epsilon=1.0, epsilon_steps=0)


def small_world(outcomes, *, num_states: int, num_actions: int = 1, limit: int | None, discount: float = 0.9) -> World:
    """A world made for a test; episodes start in state 0."""
    mdp = tabulate(outcomes, num_states=num_states, num_actions=num_actions, start=0, discount=discount)
    return World(
        name="Small",
        mdp=mdp,
        max_episode_steps=limit,
        action_names=tuple(str(a) for a in range(num_actions)),
        observation=Index(num_states),
        drawing=StateNumber(num_states),
    )


def value_of_staying() -> None:
    """One state, reward 1, discount 0.9, episodes cut off after 10 steps: 1 / (1 - 0.9) = 10, and not 5.26."""
    world = small_world(lambda s, a: [Outcome(1.0, 0, 1.0)], num_states=1, limit=10)
    agent = QLearning(world, runs=2, config=PLAIN)
    _learn(agent, 400)
    np.testing.assert_allclose(agent.q[:, 0, 0], 10.0, rtol=1e-6)


def value_of_ending() -> None:
    """State 0 pays 1 and ends the episode in state 1, which looks as if it were worth 100: Q(0) is 1 all the same."""
    world = small_world(lambda s, a: [Outcome(1.0, 1, 1.0, True)], num_states=2, limit=None)
    agent = QLearning(world, runs=2, config=PLAIN)
    agent.q[:, 1] = 100.0
    _learn(agent, 100)
    np.testing.assert_allclose(agent.q[:, 0, 0], 1.0, rtol=1e-6)


def value_of_being_cut_off_elsewhere() -> None:
    """A step from 0 to 1 pays 1 and is cut off there. Q(1) stays 0, so Q(0) = 1; seen from the reset it would be 10."""
    world = small_world(lambda s, a: [Outcome(1.0, 1, 1.0)], num_states=2, limit=1)
    agent = QLearning(world, runs=2, config=PLAIN)
    _learn(agent, 400)
    np.testing.assert_allclose(agent.q[:, 0, 0], 1.0, rtol=1e-6)


def walks_to_the_paying_end() -> None:
    """From values that are all equal every run finds the reward; with first-index ties each one walks left for ever."""
    config = TabularConfig(epsilon=0.1, final_epsilon=0.1)
    agent = QLearning("LineWalk", runs=20, config=config)
    curve = train(agent, steps=1_500, checkpoints=1)
    assert (curve.scores[-1] >= 0.99).mean() >= 0.95


def runs_do_not_depend_on_their_number() -> None:
    """Run 3 learns the same, bit for bit, among 5 runs, among 12, and alone; and no two runs learn the same."""
    for world in ("LineWalk", "RandomMDP"):
        tables = {}
        for runs in (range(5), range(12), range(3, 4)):
            agent = QLearning(world, runs=runs, seed=1)
            train(agent, steps=300, checkpoints=3)
            tables[runs] = agent.q[3 - runs.start]
        first, *others = tables.values()
        assert all(np.array_equal(first, other) for other in others)
        assert len(np.unique(agent_tables(world), axis=0)) == 12


def agent_tables(world: str) -> np.ndarray:
    """What 12 runs have learned, flat."""
    agent = QLearning(world, runs=12, seed=1)
    train(agent, steps=300, checkpoints=1)
    return agent.q.reshape(12, -1)


def seeds_decide() -> None:
    """The same seed gives the same bytes, another seed does not."""
    tables = []
    for seed in (1, 1, 2):
        agent = QLearning("RandomMDP", runs=2, seed=seed)
        train(agent, steps=100, checkpoints=1)
        tables.append(agent.q.tobytes())
    assert tables[0] == tables[1] != tables[2]


def looking_changes_nothing() -> None:
    """A run that is evaluated and scored along the way goes on like one that is not, and is itself not changed."""
    looked_at, left_alone = (QLearning("RandomMDP", runs=3, seed=0) for _ in range(2))
    for agent in (looked_at, left_alone):
        train(agent, steps=200, checkpoints=1)
    before = looked_at.q.copy()
    score(looked_at)
    evaluate(looked_at, episodes=2)
    assert np.array_equal(looked_at.q, before)
    assert looked_at.steps == 200
    for agent in (looked_at, left_alone):
        train(agent, steps=200, checkpoints=1)
    assert np.array_equal(looked_at.q, left_alone.q)


def evaluation_is_greedy() -> None:
    """An agent that knows LineWalk walks straight to the end in every episode, however much it explores in training."""
    agent = QLearning("LineWalk", runs=4, config=PLAIN)
    agent.q[:, :, 1] = 1.0
    np.testing.assert_array_equal(evaluate(agent, episodes=5), 1.0)


def two_calls_are_one() -> None:
    """Training in two calls equals training in one: schedules, random streams and episodes run on."""
    once, twice = (QLearning("RandomMDP", runs=3, seed=0) for _ in range(2))
    train(once, steps=350, checkpoints=1)
    train(twice, steps=130, checkpoints=1)
    train(twice, steps=220, checkpoints=1)
    assert once.epsilon == twice.epsilon
    assert np.array_equal(once.q, twice.q)


def _learn(agent: QLearning, steps: int) -> None:
    """Train without scores, which a world with one policy does not have."""
    for _ in range(steps):
        around = agent.rollout
        agent.update(around.step(agent.act(around.observation)))


CHECKS = (
    value_of_staying,
    value_of_ending,
    value_of_being_cut_off_elsewhere,
    walks_to_the_paying_end,
    runs_do_not_depend_on_their_number,
    seeds_decide,
    looking_changes_nothing,
    evaluation_is_greedy,
    two_calls_are_one,
)
