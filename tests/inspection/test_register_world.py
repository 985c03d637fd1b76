"""Worlds of others: registered by hand, and by the entry points of an installed package."""

import os
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import gymnasium as gym
import pytest

import rl_envs
from rl_envs.registry import WORLDS, build, register_entry_points, register_world, unregister_world
from rl_envs.worlds.line_walk import line_walk

REPOSITORY = Path(__file__).parent.parent.parent


def short_line(*, size: int = 4, discount: float = 0.9):
    """A line of somebody else's."""
    return line_walk(size=size, discount=discount)


@pytest.fixture
def registered() -> Iterator[str]:
    name = register_world("ShortLine", short_line, namespace="acme", version=2, reward_threshold=0.9)
    yield name
    if "ShortLine" in WORLDS:
        unregister_world("ShortLine")


def test_a_world_of_somebody_else_is_made_and_built_as_ours_are(registered: str) -> None:
    assert registered == "acme/ShortLine-v2"
    for name in ("ShortLine", "ShortLine-v2", "acme/ShortLine-v2", "ShortLine:size=6"):
        assert build(name).mdp.num_states == (13 if "size" in name else 9)  # 2 size + 1
    env = gym.make("acme/ShortLine-v2", size=5)
    assert env.unwrapped.world.mdp.num_states == 11
    assert env.spec.reward_threshold == 0.9
    # Its time limit is the world's own.
    limit = env.get_wrapper_attr("_max_episode_steps")
    assert limit == build("ShortLine").max_episode_steps
    assert rl_envs.truth("ShortLine").max_episode_steps == rl_envs.truth(env).max_episode_steps == limit
    assert rl_envs.truth("acme/ShortLine-v2").optimal_value == pytest.approx(0.9**3)
    many = gym.make_vec("acme/ShortLine-v2", num_envs=3, vectorization_mode="vector_entry_point")
    assert many.max_episode_steps == limit
    many.close()


def test_it_is_inspected_trained_on_and_listed(registered: str, capsys: pytest.CaptureFixture[str]) -> None:
    from baselines.__main__ import main as baselines
    from baselines.training.task import make_task
    from rl_envs.__main__ import main

    assert main(["truth", "ShortLine"]) == 0
    assert "ShortLine" in capsys.readouterr().out
    assert make_task("ShortLine:size=6").world.mdp.num_states == 13
    assert baselines(["list"]) in (0, None)
    assert "ShortLine" in capsys.readouterr().out


def test_a_world_may_be_taken_out_again(registered: str) -> None:
    unregister_world("ShortLine")
    assert "ShortLine" not in WORLDS
    assert registered not in gym.registry
    with pytest.raises(ValueError, match="unknown world 'ShortLine'"):
        unregister_world("ShortLine")
    with pytest.raises(ValueError, match="only worlds of others can be taken out of the registry, but LineWalk is"):
        unregister_world("LineWalk")


@pytest.mark.parametrize(
    ("name", "builder", "more", "error", "message"),
    [
        ("LineWalk", short_line, {}, ValueError, "name must not be taken, but LineWalk is one of rl_envs"),
        ("LineWalkOneHot", short_line, {}, ValueError, "rl_envs/LineWalkOneHot-v0 is registered with Gymnasium"),
        ("Short Line", short_line, {}, ValueError, "made of letters, digits and _, but is 'Short Line'"),
        ("ShortLine", short_line, {"namespace": "a/b"}, ValueError, "namespace must be .* is 'a/b'"),
        ("ShortLine", short_line, {"version": -1}, ValueError, "version must be an integer of at least 0, .* is -1"),
        ("ShortLine", "no builder", {}, TypeError, "must be a function or \"module:function\", but .* 'no builder'"),
        ("ShortLine", 3, {}, TypeError, "must be a function or .* is 3"),
    ],
)
def test_what_cannot_be_registered_is_refused(name, builder, more, error, message) -> None:
    with pytest.raises(error, match=message):
        register_world(name, builder, **more)
    assert "ShortLine" not in WORLDS


def test_a_builder_that_gives_no_world_or_cannot_be_imported_is_told_when_it_is_built() -> None:
    register_world("ShortLine", lambda: 3)
    try:
        with pytest.raises(TypeError, match="must return a World, but that of ShortLine returned 3"):
            build("ShortLine")
    finally:
        unregister_world("ShortLine")
    register_world("ShortLine", "nowhere.at_all:build")
    try:
        with pytest.raises(
            ValueError, match=r"of the package nowhere.at_all cannot be built, because nowhere.at_all:bu"
        ):
            build("ShortLine")
    finally:
        unregister_world("ShortLine")


# Entry points --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PullLever", "acme_worlds:lever", "like namespace.Name-v0, but is 'PullLever'"),
        ("acme.LineWalk-v0", "acme_worlds:lever", "LineWalk is one of rl_envs"),
        ("acme.PullLever-v0", "acme_worlds", "must name \"module:function\", but is 'acme_worlds'"),
    ],
)
def test_an_entry_point_that_cannot_be_used_is_warned_of_by_its_package(name: str, value: str, message: str) -> None:
    point = EntryPoint(name=name, value=value, group="rl_envs.worlds")
    with pytest.warns(UserWarning, match=rf"of the package acme_worlds is left out .*{message}"):
        register_entry_points([point])
    assert "PullLever" not in WORLDS


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package as it lies in site-packages: its module, and what its installer wrote about it."""
    (tmp_path / "acme_worlds.py").write_text(
        textwrap.dedent(
            """
            import rl_envs
            from rl_envs import World

            print("acme_worlds is imported")


            def pull_lever(*, size=4, discount=0.9) -> World:
                from rl_envs.worlds.line_walk import line_walk
                return line_walk(size=size, discount=discount)
            """
        )
    )
    info = tmp_path / "acme_worlds-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-worlds\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[rl_envs.worlds]\n"
        "acme.PullLever-v0 = acme_worlds:pull_lever\n"
        "acme.Broken-v0 = acme_broken:build\n"
        "acme.FourRooms-v0 = acme_worlds:pull_lever\n"
    )
    (tmp_path / "acme_broken.py").write_text("raise RuntimeError('out of paint')\n")
    return tmp_path


def run(package: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    typed = [sys.executable, *(["-c", code] if code else []), *arguments]
    path = os.pathsep.join([str(package), str(REPOSITORY)])
    return subprocess.run(typed, cwd=package, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)


def test_the_worlds_of_an_installed_package_are_there_and_nothing_of_it_is_imported_before(package: Path) -> None:
    done = run(
        package,
        "import rl_envs, gymnasium as gym\n"
        "print('made', 'PullLever' in rl_envs.WORLDS)\n"
        "world = gym.make('acme/PullLever-v0').unwrapped.world\n"
        "print(world.mdp.num_states, rl_envs.truth('PullLever').optimal_value)\n"
        "try:\n    rl_envs.build('Broken')\nexcept ValueError as error:\n    print(error)\n",
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == ["made True", "acme_worlds is imported"]
    states, value = lines[2].split()
    assert (int(states), float(value)) == (9, pytest.approx(0.729))
    assert lines[3].startswith("the world Broken of the package acme-worlds cannot be built, because acme_broken:build")
    assert "RuntimeError: out of paint" in lines[3]
    # The name of one of ours is refused, with the package, and the others are there all the same.
    assert "of the package acme-worlds is left out" in done.stderr
    assert "FourRooms is one of rl_envs" in done.stderr


def test_a_package_that_is_imported_first_finds_its_worlds_too(package: Path) -> None:
    done = run(package, "import acme_worlds, rl_envs; print(rl_envs.build('PullLever').mdp.num_states)")
    assert done.stdout.splitlines()[-1] == "9", done.stderr


def test_the_commands_know_them_and_a_broken_one_hides_no_other(package: Path) -> None:
    listed = run(package, "", "-W", "ignore", "-m", "baselines", "list")
    assert listed.returncode == 0, listed.stderr
    assert "PullLever" in listed.stdout
    assert "Broken" not in listed.stdout
    assert "Left out: Broken: the world Broken of the package acme-worlds cannot be built" in listed.stderr
    shown = run(package, "", "-W", "ignore", "-m", "rl_envs", "inspect", "PullLever:size=6", "--json")
    assert shown.returncode == 0, shown.stderr
    assert '"states": 11' in shown.stdout


def test_importing_without_such_packages_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        register_entry_points([])
