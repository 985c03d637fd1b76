"""The checker finds every fault that is planted in a native vector environment, and says where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import Error, NameNotFound
from gymnasium.vector import AutoresetMode

import rl_envs
from rl_envs.envs import flat_table as flat_table_module
from rl_envs.envs.checks import Lockstep, VectorEnvMismatch, check_vector_env
from rl_envs.envs.random_streams import Streams
from rl_envs.envs.tabular_vector_env import TabularVectorEnv
from tests.strategies import random_table, spec_of, world_of

NEXT_STEP, SAME_STEP, DISABLED = AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, AutoresetMode.DISABLED

# Random first states, chance, noise, terminations, truncations and a goal: room for every fault.
WORLD = world_of(
    random_table(3, num_states=5, num_outcomes=4, terminating=0.15, noisy=True, num_starts=2),
    max_episode_steps=9,
    goal_states=np.array([True, False, True, False, True]),
)


def check(faulty: type[TabularVectorEnv], **arguments: Any) -> None:
    check_vector_env(spec_of(WORLD, vector_entry_point=faulty), num_steps=200, **arguments)


def of_reset(change: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> type[TabularVectorEnv]:
    """A fault in what `reset` returns."""

    class Faulty(TabularVectorEnv):
        def reset(self, **keywords: Any) -> Any:
            return change(super().reset(**keywords))

    return Faulty


def of_step(change: Callable[..., tuple[Any, ...]]) -> type[TabularVectorEnv]:
    """A fault in what `step` returns."""

    class Faulty(TabularVectorEnv):
        def step(self, actions: Any) -> Any:
            return change(*super().step(actions))

    return Faulty


class LimitOffByOne(TabularVectorEnv):
    def __init__(self, *args: Any, max_episode_steps: int, **keywords: Any) -> None:
        super().__init__(*args, max_episode_steps=max_episode_steps + 1, **keywords)


class SwappedSeeds(TabularVectorEnv):
    def reset(self, *, seed: Any = None, **keywords: Any) -> Any:
        if isinstance(seed, int):
            seed = [seed + i for i in reversed(range(self.num_envs))]
        return super().reset(seed=seed, **keywords)


class SameSeedForAll(TabularVectorEnv):
    def reset(self, *, seed: Any = None, **keywords: Any) -> Any:
        return super().reset(seed=[seed] * self.num_envs if isinstance(seed, int) else seed, **keywords)


class ReseedsAtEveryReset(TabularVectorEnv):
    def reset(self, *, seed: Any = None, **keywords: Any) -> Any:
        return super().reset(seed=7 if seed is None else seed, **keywords)


class IgnoresTheMask(TabularVectorEnv):
    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> Any:
        return super().reset(seed=seed)


class StaleObservation(TabularVectorEnv):
    """The first observation of an episode is the last one of the episode before."""

    def step(self, actions: Any) -> Any:
        resetting = self._ended
        before = self.world.observation.batch(self._flat.state[self._outcome])
        row = super().step(actions)
        row[0][resetting] = before[resetting]
        return row


class ReusedArrays(TabularVectorEnv):
    _rewards: np.ndarray

    def step(self, actions: Any) -> Any:
        observations, rewards, *rest = super().step(actions)
        if not hasattr(self, "_rewards"):
            self._rewards = np.empty(self.num_envs)
        self._rewards[:] = rewards
        return (observations, self._rewards, *rest)


class FinalObservationAfterReset(TabularVectorEnv):
    def step(self, actions: Any) -> Any:
        row = super().step(actions)
        for i in np.flatnonzero(row[2] | row[3]):
            row[4]["final_obs"][i] = int(row[0][i])
        return row


class RewardOfTheResettingStep(TabularVectorEnv):
    def step(self, actions: Any) -> Any:
        resetting = self._ended
        row = super().step(actions)
        row[1][resetting] = 1.0
        return row


class WastesANumberAtResets(TabularVectorEnv):
    """A copy that is reset draws once more than it should."""

    def _first_states(self, copies: np.ndarray) -> np.ndarray:
        if self._random.uniforms is not None:
            self._random.uniforms.next_of(copies)
        return super()._first_states(copies)


class ForgetsToPutNoiseBack(TabularVectorEnv):
    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)

    def step(self, actions: Any) -> Any:
        resetting = self._ended
        row = super().step(actions)
        if resetting.size and self._random.noises is not None:
            self._random.noises.next_of(resetting)
        return row


class WrongAutoresetMetadata(TabularVectorEnv):
    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode.value}


class SmallerActionSpace(TabularVectorEnv):
    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.single_action_space = gym.spaces.Discrete(1)


def without(infos: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in infos.items() if key != name}


def truncated_as_terminated(o: Any, r: Any, terminations: Any, truncations: Any, infos: Any) -> tuple[Any, ...]:
    return o, r, terminations | truncations, truncations, infos


def never_both(o: Any, r: Any, terminations: Any, truncations: Any, infos: Any) -> tuple[Any, ...]:
    return o, r, terminations, truncations & ~terminations, infos


def negative_zero(o: Any, r: Any, *rest: Any) -> tuple[Any, ...]:
    return (o, np.where(r == 0, -0.0, r), *rest)


def final_first(o: Any, r: Any, t: Any, u: Any, infos: dict[str, Any]) -> tuple[Any, ...]:
    """Always the same order of keys, where Gymnasium's depends on which copy ended."""
    final = {key: infos[key] for key in ("final_obs", "_final_obs", "final_info", "_final_info") if key in infos}
    return o, r, t, u, {**final, **infos}


def final_info_without_mask(o: Any, r: Any, t: Any, u: Any, infos: dict[str, Any]) -> tuple[Any, ...]:
    if "final_info" in infos:
        infos["final_info"] = without(infos["final_info"], "_is_success")
    return o, r, t, u, infos


FAULTS: dict[str, tuple[type[TabularVectorEnv], AutoresetMode, str]] = {
    "time limit off by one": (LimitOffByOne, NEXT_STEP, "truncations"),
    "stale observation after reset": (StaleObservation, NEXT_STEP, "observations"),
    "swapped seeds": (SwappedSeeds, NEXT_STEP, "observations"),
    "one seed for all copies": (SameSeedForAll, NEXT_STEP, "observations"),
    "reseeds at every reset": (ReseedsAtEveryReset, NEXT_STEP, ""),
    "ignores the reset mask": (IgnoresTheMask, DISABLED, ""),
    "final observation after the reset": (FinalObservationAfterReset, SAME_STEP, "infos['final_obs']"),
    "missing info mask at a step": (
        of_step(lambda o, r, t, u, infos: (o, r, t, u, without(infos, "_is_success"))),
        NEXT_STEP,
        "infos: keys",
    ),
    "missing info at reset": (of_reset(lambda row: (row[0], {})), NEXT_STEP, "infos: keys"),
    "missing mask of final_obs": (
        of_step(lambda o, r, t, u, infos: (o, r, t, u, without(infos, "_final_obs"))),
        SAME_STEP,
        "infos: keys",
    ),
    "missing mask inside final_info": (of_step(final_info_without_mask), SAME_STEP, "infos['final_info']: keys"),
    "another order of keys": (of_step(final_first), SAME_STEP, "infos: keys"),
    "truncated reported as terminated": (of_step(truncated_as_terminated), NEXT_STEP, "terminations"),
    "never terminated and truncated at once": (of_step(never_both), SAME_STEP, "truncations"),
    "rewards in float32": (
        of_step(lambda o, r, *rest: (o, r.astype(np.float32), *rest)),
        NEXT_STEP,
        "rewards: dtype",
    ),
    "observations in int32": (
        of_reset(lambda row: (row[0].astype(np.int32), row[1])),
        NEXT_STEP,
        "observations: dtype",
    ),
    "observations with another axis": (
        of_step(lambda o, *rest: (o[:, None], *rest)),
        NEXT_STEP,
        "observations: shape",
    ),
    "minus zero for zero": (of_step(negative_zero), NEXT_STEP, "rewards"),
    "reward at the resetting step": (RewardOfTheResettingStep, NEXT_STEP, "rewards"),
    "wastes a number at resets": (WastesANumberAtResets, SAME_STEP, ""),
    "draws noise in copies that are reset": (ForgetsToPutNoiseBack, NEXT_STEP, "rewards"),
    "an array that is used again": (ReusedArrays, NEXT_STEP, "results of the call before, changed by this one: [1]"),
    "the mode's name in metadata": (WrongAutoresetMetadata, NEXT_STEP, "metadata['autoreset_mode']"),
    "another action space": (SmallerActionSpace, NEXT_STEP, "single_action_space"),
    "four results of step": (of_step(lambda *row: row[:4]), NEXT_STEP, "the returned tuple"),
}


@pytest.mark.filterwarnings("ignore:.*is not an instance of AutoresetMode")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(fault: str) -> None:
    faulty, mode, field = FAULTS[fault]
    with pytest.raises(VectorEnvMismatch) as caught:
        check(faulty, autoreset_modes=[mode])
    assert caught.value.field.startswith(field), caught.value


def test_the_world_of_the_faults_has_none_without_them() -> None:
    for seen in check_vector_env(spec_of(WORLD), num_steps=200):
        assert seen.num_terminated > 5
        assert seen.num_truncated > 5


def test_a_wrong_side_of_the_cumulative_distribution_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """It only shows where a number falls on an edge, so numbers are rounded to the edges here."""
    half = random_table(0, num_states=3, num_outcomes=2, padding=0.0)
    mdp = type(half)(
        probability=np.full(half.probability.shape, 0.5),
        next_state=half.next_state,
        reward=half.reward,
        terminated=half.terminated,
        start=half.start,
        discount=half.discount,
    )
    world = world_of(mdp, max_episode_steps=20)

    class Rounded(np.random.Generator):
        def random(self, *args: Any, out: np.ndarray | None = None, **keywords: Any) -> Any:
            number = super().random(*args, out=out, **keywords)
            if out is not None:
                out[:] = np.floor(out * 2) / 2
                return out
            return np.floor(number * 2) / 2

    monkeypatch.setattr(gym.utils.seeding, "np_random", lambda seed=None: (Rounded(np.random.PCG64(seed)), seed))
    check_vector_env(spec_of(world), num_steps=100)

    class WrongSide(flat_table_module.FlatTable):
        def draw(self, pairs: np.ndarray, numbers: np.ndarray) -> np.ndarray:
            return super().draw(pairs, np.nextafter(numbers, -1))

    monkeypatch.setattr("rl_envs.envs.tabular_vector_env.FlatTable", WrongSide)
    with pytest.raises(VectorEnvMismatch):
        check_vector_env(spec_of(world), num_steps=100)


def test_block_wise_numbers_that_skip_one_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Streams._refill

    def refill(self: Streams) -> None:
        empty = self._left == 0 and bool((self._position == self._row_end).any())
        original(self)
        if empty:
            self._position += 1
            self._left -= 1

    monkeypatch.setattr(Streams, "_refill", refill)
    with pytest.raises(VectorEnvMismatch):
        check_vector_env(spec_of(WORLD), num_steps=50)


def test_the_message_names_the_step_the_copy_the_field_and_both_values() -> None:
    class Faulty(TabularVectorEnv):
        def step(self, actions: Any) -> Any:
            row = super().step(actions)
            if self._time == 5:
                row[1][2] = 123.5
            return row

    with pytest.raises(VectorEnvMismatch) as caught:
        check(Faulty, autoreset_modes=["NextStep"], seed=3)
    mismatch = caught.value
    assert (mismatch.step, mismatch.copy, mismatch.field) == (5, 2, "rewards[2]")
    assert mismatch.native == 123.5
    assert mismatch.reference != 123.5
    assert isinstance(mismatch, AssertionError)
    said = str(mismatch)
    assert said.startswith("tests/Random-v0 (4 copies, autoreset mode NextStep, seed 3) differs from SyncVectorEnv")
    assert "after step() (step 5): copy 2: rewards[2] is" in said
    assert repr(mismatch.reference) in said


def test_gymnasiums_own_cart_pole_differs_from_its_single_copies_at_once() -> None:
    with pytest.raises(
        VectorEnvMismatch, match=r"CartPole-v1 .* differs from SyncVectorEnv after reset\(seed=0\)"
    ) as caught:
        check_vector_env("CartPole-v1")
    assert (caught.value.step, caught.value.copy) == (0, 0)
    assert caught.value.field == "observations[0, 1]"
    assert caught.value.native.dtype == caught.value.reference.dtype == np.float32
    single = gym.make("CartPole-v1").reset(seed=0)[0]
    assert caught.value.reference == single[1]


def test_an_environment_of_one_mode_is_not_compared_in_another() -> None:
    with pytest.raises(ValueError, match=r"CartPole-v1 takes no autoreset_mode and has only .*NEXT_STEP"):
        check_vector_env("CartPole-v1", autoreset_modes=["SameStep"])


def test_an_environment_without_a_native_vector_environment_is_an_error() -> None:
    with pytest.raises(Error, match="doesn't have a vector entry point"):
        check_vector_env("FrozenLake-v1")


def test_an_unknown_id_is_an_error() -> None:
    with pytest.raises(NameNotFound, match="LineWlak"):
        check_vector_env("rl_envs/LineWlak-v0")


def test_an_unknown_mode_is_an_error() -> None:
    with pytest.raises(ValueError, match="Sometimes"):
        check_vector_env("rl_envs/LineWalk-v0", autoreset_modes=["Sometimes"])


def test_what_was_seen_is_counted() -> None:
    next_step, disabled = check_vector_env(
        "rl_envs/LineWalk-v0", num_envs=2, num_steps=60, autoreset_modes=["NextStep", DISABLED], max_episode_steps=3
    )
    assert (next_step.autoreset_mode, disabled.autoreset_mode) == (NEXT_STEP, DISABLED)
    # No end of the line is within 3 steps, so every episode is truncated: after 3 steps, and one more where that is
    # what resets. The three resets in between cut episodes short and save resetting steps, a few of each copy.
    assert next_step.num_steps == 60
    assert next_step.num_terminated == disabled.num_terminated == 0
    assert abs(next_step.num_truncated - 2 * 60 / 4) <= 6
    assert abs(disabled.num_truncated - 2 * 60 / 3) <= 6


def test_the_keywords_reach_the_environment() -> None:
    seen = check_vector_env("rl_envs/LineWalk-v0", num_steps=80, size=1, slip=0.5)
    assert all(comparison.num_terminated >= 80 for comparison in seen)


def test_nan_equals_nan_and_nested_results_are_compared_to_the_bottom() -> None:
    class Told(gym.vector.VectorEnv):
        """Returns at reset what it was told."""

        num_envs = 2
        single_observation_space = observation_space = gym.spaces.Discrete(2)
        single_action_space = action_space = gym.spaces.Discrete(2)

        def __init__(self, result: Any) -> None:
            self.result = result

        def reset(self, **keywords: Any) -> Any:
            return self.result

    def compare(native: Any, reference: Any) -> None:
        Lockstep(Told((native, {})), Told((reference, {}))).reset()

    nested = {"a": (np.array([1.0, np.nan]), [np.zeros((2, 0))]), "b": float("nan"), "c": None}
    compare(nested, nested)
    differing = {
        "observations['a'][0][0]": {**nested, "a": (np.array([2.0, np.nan]), [np.zeros((2, 0))])},
        "observations['a']: length": {**nested, "a": (nested["a"][0],)},
        "observations['a'][1][0]: shape": {**nested, "a": (nested["a"][0], [np.zeros((0, 2))])},
        "observations['b']": {**nested, "b": 1.0},
        "observations['c']": {**nested, "c": 0},
        "observations: keys": {"b": nested["b"], "a": nested["a"], "c": None},
    }
    for field, other in differing.items():
        with pytest.raises(VectorEnvMismatch) as caught:
            compare(other, nested)
        assert caught.value.field == field
    with pytest.raises(VectorEnvMismatch, match=r"copy 1: observations\[1\] is (np\.int64\()?3"):
        compare(np.array([1, 3]), np.array([1, 2]))


def test_the_checker_can_be_asked_through_the_package() -> None:
    assert rl_envs.envs.checks.check_vector_env is check_vector_env
