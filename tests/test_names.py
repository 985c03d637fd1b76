"""What is said of a name that nobody knows."""

from __future__ import annotations

import pytest

from rl_envs.names import nearest, unknown
from rl_envs.registry import WORLDS, world_id

OF_OTHERS = ["CartPole-v0", "CartPole-v1", "CliffWalking-v1", "CliffWalkingSlippery-v1", "FrozenLake-v1", "Pusher-v5"]
ALL_WORLDS = [*WORLDS, *(world_id(name, one_hot=one_hot) for name in WORLDS for one_hot in (False, True)), *OF_OTHERS]


def test_a_name_like_nothing_known_has_no_hint() -> None:
    assert unknown("world", "zzz", ["LineWalk"]) == "unknown world 'zzz'. Known: LineWalk"
    assert unknown("world", 3, ["LineWalk"]) == "unknown world 3. Known: LineWalk"
    assert unknown("function", "cart", ["scalarf", "cast_it"]) == "unknown function 'cart'. Known: scalarf, cast_it"


@pytest.mark.parametrize(
    ("name", "known", "near"),
    [
        ("CliffWalking", ALL_WORLDS, ["CliffWalking-v1"]),
        ("cartpole-v7", ALL_WORLDS, ["CartPole-v1"]),
        ("FrozenLke-v1", ALL_WORLDS, ["FrozenLake-v1"]),
        ("rl_envs/LineWolk-v0", ALL_WORLDS, ["LineWalk"]),
        ("rl_envs/LineWalkOneHot", ALL_WORLDS, ["rl_envs/LineWalkOneHot-v0"]),
        ("NoSuch-v7", ALL_WORLDS, []),
        ("seed", ["num_states", "model_seed", "branching"], ["model_seed"]),
        ("SB3", ["DQN", "SB3DQN", "SB3A2C"], ["SB3DQN", "SB3A2C"]),
        ("preset", ["worlds", "workers", "out"], []),
        ("Q", ["QLearning", "DQN"], []),
    ],
)
def test_the_nearest_are_alike_whatever_their_version_and_namespace(
    name: str, known: list[str], near: list[str]
) -> None:
    assert nearest(name, known) == near


def test_several_that_are_as_near_are_all_offered_up_to_three() -> None:
    assert unknown("agent", "SB3", ["DQN", "SB3DQN", "SB3A2C"]) == (
        "unknown agent 'SB3'. Did you mean 'SB3DQN' or 'SB3A2C'? Known: DQN, SB3DQN, SB3A2C"
    )
    assert nearest("step", [f"step{number}" for number in range(9)]) == ["step0", "step1", "step2"]


def test_of_many_names_the_nearest_are_said_and_else_the_first() -> None:
    assert unknown("world", "LineWlk", ALL_WORLDS) == "unknown world 'LineWlk'. Did you mean 'LineWalk'?"
    many = [f"{letter}{number}" for letter in "abcd" for number in range(10)]
    assert unknown("thing", "zzz", many) == f"unknown thing 'zzz'. Known: {', '.join(many[:12])}, and 28 more"
