"""A world that was found by walking is a world as any other: drawn, vectorised, learned in, compared."""

import pickle
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import small_environments as small
from own_grid import GridEnv

from rl_envs import tabulate_env, truth
from rl_envs.envs.tabular_env import TabularEnv

pytest.importorskip("torch")

from baselines import make_agent, make_task, train


def test_it_is_drawn_by_the_environments_own_text() -> None:
    env = GridEnv()
    world = tabulate_env(env, check_steps=0)
    copy = TabularEnv(world, render_mode="ansi", render_overlay="value")
    for state in (0, 5):
        observation, _ = copy.reset(options={"state": state})
        row, column = observation["agent"]
        shown = copy.render().splitlines()
        assert shown[1 + row][column] == "A"
        assert "v* here" in copy.render()
    assert env.render_mode is None


def test_it_is_drawn_by_the_environments_own_picture_with_the_value_beneath() -> None:
    pytest.importorskip("pygame")
    env = gym.make("FrozenLake-v1")
    before = set(env.unwrapped.__dict__)
    world = tabulate_env(env, check_steps=0)
    copy = TabularEnv(world, render_mode="rgb_array", render_overlay="value")
    pictures = []
    for state in (0, 1):
        copy.reset(options={"state": state})
        pictures.append(copy.render())
    assert pictures[0].shape == pictures[1].shape
    assert (pictures[0] != pictures[1]).any()
    own = gym.make("FrozenLake-v1", render_mode="rgb_array")
    own.reset(seed=0)
    # The corner of the lake, far from the agent, is there pixel by pixel but for scaling: its mean colour is the same.
    height, width = own.render().shape[:2]
    corner = own.render()[height * 3 // 4 :, : width // 4].mean(axis=(0, 1))
    size = copy.render().shape
    middle = pictures[0][size[0] // 2 :, : size[1]]
    assert np.abs(middle.mean(axis=(0, 1)) - corner).max() < 120
    assert set(env.unwrapped.__dict__) == before  # no window of ours stays behind


def test_it_can_be_sent_to_another_process_which_has_not_the_environment() -> None:
    world = tabulate_env(GridEnv(), check_steps=0)
    sent = pickle.loads(pickle.dumps(world))
    assert sent.mdp == world.mdp
    copy = TabularEnv(sent, render_mode="ansi")
    copy.reset(options={"state": 0})
    assert f"state 0 of {world.mdp.num_states}" in copy.render()


class CannotDraw(small.Line):
    """Its render() fails."""

    metadata = {"render_modes": ["rgb_array"]}

    def render(self):
        raise RuntimeError("no display")


def test_a_render_that_fails_leaves_the_states_number() -> None:
    copy = TabularEnv(tabulate_env(CannotDraw(), check_steps=0), render_mode="ansi")
    copy.reset(seed=0)
    assert "state 0 of 5" in copy.render()


def test_its_vector_form_walks_as_single_copies_do() -> None:
    from rl_envs.envs.tabular_vector_env import TabularVectorEnv

    world = tabulate_env(small.Line(), check_steps=0)
    vector = TabularVectorEnv(world, num_envs=2, max_episode_steps=9)
    singles = [TabularEnv(world) for _ in range(2)]
    seen, _ = vector.reset(seed=[1, 2])
    assert seen.tolist() == [env.reset(seed=seed)[0] for env, seed in zip(singles, (1, 2), strict=True)]
    one = vector.step(np.array([1, 0]))[0]
    assert one.tolist() == [env.step(action)[0] for env, action in zip(singles, (1, 0), strict=True)]


def test_a_tabular_agent_learns_in_it_and_is_scored_against_the_exact_optimum() -> None:
    world = tabulate_env(small.Line(), check_steps=0)
    task = make_task(world)
    assert task.discount == 0.99
    agent = make_agent("QLearning", world, runs=2)
    curve = train(agent, steps=1_500, checkpoints=2)
    assert curve is not None
    assert truth(world).score(agent.policy()[0]) == pytest.approx(1.0, abs=0.05)


def test_a_walk_is_not_much_slower_than_the_environments_own_steps() -> None:
    import time

    class Slow(small.Line):
        def step(self, action):
            sum(range(2_000))  # some 20 microseconds
            return super().step(action)

    env = Slow()
    env.reset(seed=0)
    began = time.process_time()
    for _ in range(2_000):
        if env.step(env.action_space.sample())[2]:
            env.reset()
    own = (time.process_time() - began) / 2_000
    began = time.process_time()
    world = tabulate_env(env, check_steps=0)
    assert (time.process_time() - began) / world.account.steps < 10 * own
