"""MiniGrid's levels at fixed seeds, where it is installed; a breadth-first search of its own is the second method."""

from collections import deque

import gymnasium as gym
import pytest

from rl_envs import tabulate_env, truth
from rl_envs.extraction.refusal import NotTabular

pytest.importorskip("minigrid")


def shortest(name: str, seed: int) -> int:
    """The fewest steps to the goal, by replaying every prefix of a breadth-first search in the environment itself."""
    env = gym.make(name).unwrapped

    def play(actions):
        env.reset(seed=seed)
        done = False
        for action in actions:
            done = env.step(action)[2]
        return (tuple(env.agent_pos), env.agent_dir, str(env.carrying), env.grid.encode().tobytes()), done

    seen, waiting = {play(())[0]}, deque([()])
    while waiting:
        way = waiting.popleft()
        for action in (0, 1, 2, 3, 5):
            state, done = play((*way, action))
            if done:
                return len(way) + 1
            if state not in seen:
                seen.add(state)
                waiting.append((*way, action))
    raise AssertionError("the goal cannot be reached")


def test_the_reward_is_said_to_depend_on_the_clock() -> None:
    with pytest.raises(NotTabular, match=r"EmptyEnv.step_count is another.*clock=\"layers\""):
        tabulate_env(gym.make("MiniGrid-Empty-5x5-v0"), seed=0, check_steps=0)


def test_an_empty_room_is_left_on_the_shortest_way() -> None:
    world = tabulate_env(gym.make("MiniGrid-Empty-5x5-v0"), seed=0, clock="stopped", check_steps=300)
    assert world.account.states == 8 * 4  # 9 cells without the goal, 4 directions
    assert world.account.clock_limit == world.max_episode_steps == 100
    steps = shortest("MiniGrid-Empty-5x5-v0", 0)
    # The clock stands still at the first step: the goal pays 1 - 0.9 / 100, discounted once for each step before it.
    assert truth(world).optimal_value == pytest.approx((1 - 0.9 / 100) * 0.99 ** (steps - 1))


def test_layers_give_the_very_reward_of_the_environment() -> None:
    world = tabulate_env(
        gym.make("MiniGrid-Empty-5x5-v0", max_steps=12), seed=0, clock="layers", discount=1.0, check_steps=300
    )
    steps = shortest("MiniGrid-Empty-5x5-v0", 0)
    assert truth(world).optimal_value == pytest.approx(1 - 0.9 * steps / 12)


@pytest.mark.proofs
def test_a_door_with_its_key() -> None:
    world = tabulate_env(gym.make("MiniGrid-DoorKey-5x5-v0"), seed=0, clock="stopped", check_steps=2_000)
    steps = shortest("MiniGrid-DoorKey-5x5-v0", 0)
    assert truth(world).optimal_value == pytest.approx((1 - 0.9 / 250) * 0.99 ** (steps - 1))
