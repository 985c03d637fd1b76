"""A saved world is the same world, and needs nothing of the package that made it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gymnasium import spaces

sys.path.insert(0, str(Path(__file__).parent))
import small_environments as small

from rl_envs import tabulate_env, truth
from rl_envs.extraction.space_description import describe, restored
from rl_envs.extraction.world_file import load_world, save_world


@pytest.mark.parametrize("kind", [small.Line, small.NoisyReward, small.Arrays, small.TimedBadly])
def test_a_saved_world_is_the_same(kind: type, tmp_path: Path) -> None:
    world = tabulate_env(kind(), check_steps=50)
    save_world(world, tmp_path / "world.npz")
    loaded = load_world(tmp_path / "world.npz")
    assert loaded.mdp == world.mdp
    assert loaded.account == world.account
    assert loaded.observation.space == world.observation.space
    assert (loaded.name, loaded.max_episode_steps, loaded.simultaneous, loaded.action_names) == (
        world.name,
        world.max_episode_steps,
        world.simultaneous,
        world.action_names,
    )
    for state in range(world.mdp.num_states):
        one, other = world.observation.of(state), loaded.observation.of(state)
        assert str(one) == str(other)
    assert loaded.optimum_interval() == world.optimum_interval()


def test_it_is_loaded_without_the_package_that_made_it_and_without_pickle(tmp_path: Path) -> None:
    world = tabulate_env(small.Arrays(), check_steps=0)
    save_world(world, tmp_path / "world.npz")
    with np.load(tmp_path / "world.npz", allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file.files)
    code = (
        "import sys; from rl_envs.extraction.world_file import load_world; import rl_envs;"
        f"print(rl_envs.truth(load_world({str(tmp_path / 'world.npz')!r})).optimal_value);"
        "assert 'small_environments' not in sys.modules"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(run.stdout) == truth(world).optimal_value


def test_indices_are_saved_as_indices(tmp_path: Path) -> None:
    world = tabulate_env(small.Arrays(), check_steps=0, observation="index")
    save_world(world, tmp_path / "world.npz")
    assert load_world(tmp_path / "world.npz").observation.space == spaces.Discrete(world.mdp.num_states)


def test_another_file_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", probability=np.ones(1))
    with pytest.raises(ValueError, match=r"must have a text of facts, but .* has only probability"):
        load_world(tmp_path / "other.npz")


SPACES = [
    spaces.Discrete(4, start=2),
    spaces.Box(-1.0, 1.0, (2, 3), np.float32),
    spaces.Box(np.float32([0, -np.inf]), np.float32([1, np.inf])),
    spaces.Box(0, 255, (2, 2, 3), np.uint8),
    spaces.MultiDiscrete([2, 3]),
    spaces.MultiBinary(3),
    spaces.Text(5, charset="abc"),
    spaces.Tuple([spaces.Discrete(2), spaces.Dict({"a": spaces.Discrete(3)})]),
]


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_a_space_comes_back_as_it_was(space: spaces.Space) -> None:
    assert restored(describe(space)) == space


def test_a_space_that_cannot_be_written_down_is_refused() -> None:
    with pytest.raises(TypeError, match="must be one that can be written down to be saved, but is Graph"):
        describe(spaces.Graph(spaces.Discrete(2), None))
    with pytest.raises(ValueError, match="must be of a known kind, but is 'Sphere'"):
        restored({"kind": "Sphere"})
