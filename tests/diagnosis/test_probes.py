"""The probe worlds as tables and as environments that write down what is done to them."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import check_env

from rl_envs.diagnosis.episode_log import EpisodeLog
from rl_envs.diagnosis.probes import Probe, contexts, detour, loud, ratchet, ruler, split, twin_episodes
from rl_envs.diagnosis.watched_env import EnvFactory

PROBES = [ruler(), ratchet(), twin_episodes(), split(), contexts(), loud(), detour()]


@pytest.mark.parametrize("observation", ["index", "one_hot"])
@pytest.mark.parametrize("probe", [ruler(), ratchet()], ids=lambda probe: probe.name)
@pytest.mark.filterwarnings("ignore:.*not registered:UserWarning")
def test_a_probe_passes_gymnasiums_check(probe: Probe, observation: str) -> None:
    # The check seeds twice and expects the same start: worlds whose starts take turns keep their own order instead.
    check_env(EnvFactory(probe, observation=observation, seed=0)(), skip_render_check=True)


@pytest.mark.parametrize("observation", ["index", "one_hot"])
@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_every_observation_lies_in_its_space(probe: Probe, observation: str) -> None:
    env = EnvFactory(probe, observation=observation, seed=0)()
    seen, _ = env.reset(seed=3)
    for _ in range(30):
        assert env.observation_space.contains(seen)
        seen, _, terminated, truncated, _ = env.step(env.action_space.n - 1)
        if terminated or truncated:
            assert env.observation_space.contains(seen)
            seen, _ = env.reset()


# The ends of Split look like nothing else, as the example has it, and in Loud choices alone are read.
@pytest.mark.parametrize(
    "probe", [one for one in PROBES if one.name not in ("Split", "Loud")], ids=lambda probe: probe.name
)
def test_an_end_shows_what_is_trained_and_is_not_the_next_start(probe: Probe) -> None:
    mdp, labels = probe.mdp, probe.labels
    starts = [labels[start] for start in probe.starts]
    for state, start_index in (
        (state, index) for index, start in enumerate(probe.starts) for state in _path(probe, start)
    ):
        if mdp.terminated[state, 0, 0]:
            shown = labels[mdp.next_state[state, 0, 0]]
            assert shown in labels[: mdp.num_states]
            assert shown != starts[(start_index + 1) % len(starts)]


def _path(probe: Probe, state: int) -> list[int]:
    """The states of an episode, first outcomes and actions alone."""
    path = [state]
    while not probe.mdp.terminated[path[-1], 0, 0] and len(path) < probe.max_episode_steps:
        path.append(int(probe.mdp.next_state[path[-1], 0, 0]))
    return path


def walk(probe: Probe, *, seed: int, steps: int) -> tuple[list[int], list[float]]:
    env = EnvFactory(probe, observation="index", seed=seed)()
    seen, rewards = [env.reset()[0]], []
    for _ in range(steps):
        observation, reward, terminated, truncated, _ = env.step(0)
        rewards.append(reward)
        seen.append(env.reset()[0] if terminated or truncated else observation)
    return seen, rewards


def test_the_ruler_pays_its_digits_in_turn() -> None:
    assert walk(ruler(), seed=0, steps=6) == ([0, 1, 2, 0, 1, 2, 0], [1, 10, 100, 1, 10, 100])


def test_another_seed_enters_the_cycle_elsewhere() -> None:
    assert {walk(ruler(), seed=seed, steps=1)[0][0] for seed in range(3)} == {0, 1, 2}


def test_the_ratchet_is_cut_after_three_steps_also_where_it_was_entered_late() -> None:
    env = EnvFactory(ratchet(), observation="index", seed=1)()  # entered at the third step of an episode
    env.reset()
    assert env.step(0)[2:4] == (False, True)
    env.reset()
    assert [env.step(0)[3] for _ in range(3)] == [False, False, True]


def test_poor_and_rich_episodes_take_turns() -> None:
    _, rewards = walk(twin_episodes(scale=10.0), seed=0, steps=7)
    assert rewards == [0, 2, 1, 10, 5, 2, 8]


def test_outcomes_take_turns_and_half_of_the_seeds_begin_with_the_other() -> None:
    branches = {}
    for seed in range(2):
        seen, _ = walk(split(), seed=seed, steps=40)
        branches[seed] = [label for label in seen if label in (1, 2)]
        assert branches[seed].count(1) == pytest.approx(branches[seed].count(2), abs=1)
    assert branches[0][:4] != branches[1][:4]


def test_steps_after_an_end_are_counted() -> None:
    env = EnvFactory(ruler(), observation="index", seed=0)()
    env.reset()
    for _ in range(5):
        env.step(0)
    assert env.log.steps_after_end == 2


def test_after_a_time_limit_the_world_goes_on_as_gymnasiums_does() -> None:
    env = EnvFactory(ratchet(reward=8.0), observation="index", seed=0)()
    env.reset()
    assert [env.step(0)[1] for _ in range(5)] == [0, 8, 8, 8, 8]
    assert env.log.steps_after_end == 2


def test_an_observation_that_the_caller_changes_is_noticed() -> None:
    env = EnvFactory(ruler(), observation="one_hot", seed=0)()
    observation, _ = env.reset()
    observation -= 0.5
    env.step(0)
    assert env.log.changed_observations == 1
    env.step(0)
    assert env.log.changed_observations == 1


def test_an_observation_that_is_changed_some_steps_later_is_noticed_once() -> None:
    env = EnvFactory(ruler(), observation="one_hot", seed=0)()
    first, _ = env.reset()
    env.step(0)
    env.step(0)
    first[...] = 7.0
    env.step(0)
    env.reset()
    assert env.log.changed_observations == 1


def test_seeds_and_actions_are_written_down() -> None:
    env = EnvFactory(contexts(), observation="index", seed=0)()
    env.reset(seed=7)
    env.step(2)
    env.reset()
    env.step(1)
    log = EpisodeLog.of([env.log], 3, 3)
    assert log.seeds == (7,)
    assert log.counts.tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_a_vector_environment_of_copies_is_written_down_copy_by_copy() -> None:
    factory = EnvFactory(ruler(), observation="index", seed=0)
    envs = gym.vector.SyncVectorEnv([factory] * 3)
    envs.reset(seed=1)
    for _ in range(4):
        envs.step(np.zeros(3, dtype=np.int64))
    envs.close()
    assert [copy.log.seeds for copy in factory.copies] == [[1], [2], [3]]
    assert sum(copy.log.steps_after_end for copy in factory.copies) == 0


def test_a_step_before_a_reset_is_refused() -> None:
    with pytest.raises(ResetNeeded, match="no episode is running: call reset"):
        EnvFactory(ruler(), observation="index", seed=0)().step(0)


def test_an_action_outside_the_space_is_refused() -> None:
    env = EnvFactory(ruler(), observation="index", seed=0)()
    env.reset()
    with pytest.raises(InvalidAction, match=r"an integer in 0\.\.1, but is 2"):
        env.step(2)


def test_an_unknown_observation_is_refused() -> None:
    with pytest.raises(ValueError, match="one of index, one_hot, but is 'pixels'"):
        EnvFactory(ruler(), observation="pixels", seed=0)
