"""MiniGrid's levels at fixed seeds, where it is installed, against its rules by hand in `minigrid_by_hand`."""

import sys
from pathlib import Path

import gymnasium as gym
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from minigrid_by_hand import Level

from rl_envs import tabulate_env, truth
from rl_envs.extraction.refusal import NotTabular

pytest.importorskip("minigrid")


def walked(name: str, seed: int, **options):
    return tabulate_env(gym.make(name), seed=seed, clock="stopped", **{"check_steps": 300, **options})


def optimum(name: str, steps: int) -> float:
    """The clock stands still at the first step: success pays 1 - 0.9 / max_steps, discounted by the steps before it."""
    return (1 - 0.9 / gym.make(name).unwrapped.max_steps) * 0.99 ** (steps - 1)


def test_the_reward_is_said_to_depend_on_the_clock() -> None:
    with pytest.raises(NotTabular, match=r"EmptyEnv.step_count is another.*clock=\"layers\""):
        tabulate_env(gym.make("MiniGrid-Empty-5x5-v0"), seed=0, check_steps=0)


def test_an_empty_room_is_left_on_the_shortest_way() -> None:
    name = "MiniGrid-Empty-5x5-v0"
    world = walked(name, 0)
    states, steps = Level(gym.make(name), 0).search()
    assert world.account.states == len(states) == 8 * 4  # 9 cells without the goal, 4 directions
    assert world.account.clock_limit == world.max_episode_steps == 100
    assert truth(world).optimal_value == pytest.approx(optimum(name, steps))


def test_layers_give_the_very_reward_of_the_environment() -> None:
    env = gym.make("MiniGrid-Empty-5x5-v0", max_steps=7)
    world = tabulate_env(env, seed=0, clock="layers", discount=1.0, check_steps=100)
    _, steps = Level(env, 0).search()
    assert truth(world).optimal_value == pytest.approx(1 - 0.9 * steps / 7)


def test_a_door_with_its_key_has_the_states_of_the_rules_by_hand() -> None:
    name = "MiniGrid-DoorKey-5x5-v0"
    level = Level(gym.make(name), 0)
    states, steps = level.search()
    world = walked(name, 0)
    # A key that was dropped where it lay first is for the walk not as it was: its place is an array instead of a tuple.
    # A state of the user's own takes the two together.
    assert world.account.states == len(level.search(touched=True)[0]) > len(states)
    assert truth(world).optimal_value == pytest.approx(optimum(name, steps))

    def seen_from_above(env):
        carried = None if env.carrying is None else env.carrying.encode()
        return tuple(map(int, env.agent_pos)), int(env.agent_dir), carried, env.grid.encode().tobytes()

    smaller = walked(name, 0, state=seen_from_above)
    assert smaller.account.states == len(states)
    assert truth(smaller).optimal_value == pytest.approx(truth(world).optimal_value)
    assert truth(smaller).random_value == pytest.approx(truth(world).random_value)


@pytest.mark.proofs
@pytest.mark.parametrize(
    ("name", "seed", "counted", "more"),
    [
        ("MiniGrid-DoorKey-8x8-v0", 0, 9_152, 0),
        ("MiniGrid-DoorKey-8x8-v0", 1, 7_424, 0),
        ("MiniGrid-FourRooms-v0", 0, 1_036, 0),
        # The agent's place is an array until its first step, and a tuple from then on: it is there twice, four ways.
        ("MiniGrid-LavaCrossingS9N1-v0", 0, 168, 4),
    ],
)
def test_larger_levels_have_the_shortest_way_of_the_rules_by_hand(
    name: str, seed: int, counted: int, more: int
) -> None:
    level = Level(gym.make(name), seed)
    states, steps = level.search()
    assert len(states) == counted
    world = walked(name, seed, check_steps=2_000)
    assert world.account.states == len(level.search(touched=True)[0]) + more
    assert truth(world).optimal_value == pytest.approx(optimum(name, steps))


@pytest.mark.proofs
def test_a_level_whose_objects_random_play_seldom_changes_is_walked() -> None:
    name = "MiniGrid-KeyCorridorS3R1-v0"
    _, steps = Level(gym.make(name), 0).search()
    assert truth(walked(name, 0)).optimal_value == pytest.approx(optimum(name, steps))
