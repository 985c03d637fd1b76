"""Making environments by name: worlds, Gymnasium ids, and environments of a user's own."""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path

import gymnasium as gym
import pytest

import rl_envs
from rl_envs.making import make_environment, parameters_of, source_hash
from rl_envs.registry import WORLDS, build, environment_id, own_world, world_id
from tests.corridor import OWN
from tests.corridor import own as own


@pytest.mark.parametrize("name", WORLDS)
def test_a_name_and_its_ids_are_the_same_world_everywhere(name: str) -> None:
    version = WORLDS[name].version
    names = (name, f"{name}-v{version}", f"rl_envs/{name}-v{version}")
    assert {environment_id(one) for one in names} == {world_id(name)}
    assert {own_world(one)[0] for one in names} == {name}
    if name != "BanditTestbed":  # large
        assert len({build(one).mdp.content_hash for one in names}) == 1
    assert environment_id(f"{name}OneHot-v{version}") == world_id(name, one_hot=True)
    assert own_world("CartPole-v1") is None


def test_settings_behind_a_name_are_those_beside_it() -> None:
    seven = build("LineWalk", size=7).mdp.content_hash
    assert build("LineWalk:size=7").mdp.content_hash == seven
    assert rl_envs.truth("LineWalk:size=7").mdp.content_hash == seven
    assert (
        rl_envs.truth("LineWalk-v0:size=7,discount=0.5").optimal_value
        == rl_envs.truth("LineWalk", size=7, discount=0.5).optimal_value
    )
    with pytest.raises(
        TypeError, match="a setting must be given once, but size is given both in LineWalk:size=7 and as an argument"
    ):
        build("LineWalk:size=7", size=7)
    with pytest.raises(TypeError, match="LineWalk's size must be an integer, but is 'seven'"):
        build("LineWalk:size=seven")


def test_a_lake_that_is_not_slippery_is_not() -> None:
    """Its optimum is 1 discounted over the five steps of the shortest path around the holes, after the first."""
    assert rl_envs.truth("FrozenLake-v1:is_slippery=false,discount=0.9").optimal_value == pytest.approx(0.9**5)
    with pytest.raises(
        TypeError, match=r"FrozenLake-v1's is_slippery must be true or false, but is 'fals'. Did you mean"
    ):
        rl_envs.truth("FrozenLake-v1:is_slippery=fals")
    with pytest.raises(TypeError, match=r"unknown argument of FrozenLake-v1 'is_slipery'. Did you mean 'is_slippery'"):
        rl_envs.truth("FrozenLake-v1:is_slipery=false")


def test_an_environment_of_one_s_own_is_made_by_its_module_and_by_its_file(own: Path) -> None:
    by_module = make_environment("corridors:Corridor-v0", {})
    by_file = make_environment("rooms.py:make_env", {"size": 5})
    assert (by_module.observation_space.n, by_file.observation_space.n) == (4, 5)
    assert by_module.spec.max_episode_steps == 50
    # Two steps to the right end, so discounted once.
    assert rl_envs.truth("rooms.py:make_env:table=true,discount=0.5").optimal_value == 0.5
    assert rl_envs.truth("corridors:Corridor-v0:table=true,size=3,discount=0.5").optimal_value == 0.5


def test_what_an_environment_of_one_s_own_takes_is_read_from_its_constructor(own: Path) -> None:
    parameters = parameters_of("corridors:Corridor-v0")
    assert (parameters["size"].default, parameters["walled"].default) == (4, False)  # 4 as it is registered
    assert parameters_of("rooms.py:make_env").keys() == {"size", "walled", "table"}
    assert parameters_of("rooms.py:takes_anything") is None
    assert parameters_of("rl_envs/LineWalk-v0") is None  # its world's builder says it
    for name in ("corridors:Corridor-v0", "rooms.py:make_env"):
        with pytest.raises(
            TypeError, match=rf"{name}'s walled must be true or false, but is 'flase'. Did you mean false"
        ):
            make_environment(name, {"walled": "flase"})
        with pytest.raises(TypeError, match=rf"unknown argument of {name} 'sise'. Did you mean 'size'"):
            make_environment(name, {"sise": 3})


def test_the_hash_of_the_source_follows_the_file(own: Path) -> None:
    names = ("corridors:Corridor-v0", "rooms.py:make_env")
    before = [source_hash(name) for name in names]
    for name, path, earlier in zip(names, ("corridors.py", "rooms.py"), before):
        assert earlier == hashlib.sha256((own / path).read_bytes()).hexdigest()
        (own / path).write_text(OWN + "\n# changed\n")
        assert source_hash(name) not in (None, earlier)
    assert source_hash("CartPole-v1") is None
    assert source_hash("no_such_module:X-v0") is None


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        (
            "no_such_module:X-v0",
            ValueError,
            "the module of no_such_module:X-v0 cannot be imported: ModuleNotFoundError",
        ),
        ("json:X-v0", ValueError, "the module json must register X-v0 with Gymnasium, but registers no such id"),
        ("nowhere.py:make_env", ValueError, "cannot read nowhere.py: there is no such file"),
        ("rooms.py:make_evn", ValueError, "unknown function of rooms.py 'make_evn'. Did you mean 'make_env'"),
        ("rooms.py:makes_nothing", TypeError, "rooms.py:makes_nothing must make a gymnasium.Env, but makes 3"),
        ("broken.py:make_env", ValueError, r"broken.py cannot be imported: ZeroDivisionError"),
        ("broken_too.py:FEW", TypeError, "broken_too.py:FEW must be a function that makes an environment, but is 3"),
        ("apart/twins.py:make_env", ValueError, "imports rooms, but another module of that name was imported from"),
        ("LineWlk", ValueError, "unknown world 'LineWlk'. Did you mean 'LineWalk'"),
    ],
)
def test_what_cannot_be_made_is_refused_with_the_reason(
    own: Path, name: str, error: type[Exception], message: str
) -> None:
    (own / "broken.py").write_text("1 / 0")
    (own / "broken_too.py").write_text("FEW = 3")
    (own / "apart").mkdir()
    (own / "apart" / "rooms.py").write_text("")
    (own / "apart" / "twins.py").write_text("import rooms")
    importlib.import_module("rooms")
    with pytest.raises(error, match=message):
        make_environment(name, {})


def test_an_environment_whose_packages_are_missing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    gym.register("NeedsAPackage-v0", entry_point="a_package_that_is_missing:Env")
    try:
        assert parameters_of("NeedsAPackage-v0") is None
        with pytest.raises(
            ValueError, match="cannot make NeedsAPackage-v0:size=3: ModuleNotFoundError: No module named"
        ):
            make_environment("NeedsAPackage-v0", {"size": 3})
    finally:
        gym.registry.pop("NeedsAPackage-v0")
