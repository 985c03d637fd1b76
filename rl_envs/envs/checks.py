"""Compare a native vector environment with `SyncVectorEnv` over the same environment, bit for bit.

    from rl_envs.envs.checks import check_vector_env
    check_vector_env("rl_envs/LineWalk-v0", num_envs=5, num_steps=2000)

Works for every registered environment with a `vector_entry_point`, not only for those of this package. Needs Gymnasium
1.1 or newer.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec, load_env_creator
from gymnasium.vector import VectorEnv

from rl_envs.envs.tabular_vector_env import AutoresetMode

RESULTS_OF_RESET = ("observations", "infos")
RESULTS_OF_STEP = ("observations", "rewards", "terminations", "truncations", "infos")


class VectorEnvMismatch(AssertionError):
    """A native vector environment differs from `SyncVectorEnv` over the same environment.

    Attributes:
        name: the environment, and how it was made.
        call: the call after which they differ, or "before the first call".
        step: the number of steps taken, including the call itself.
        copy: the first copy that differs, or None if the difference is not in a copy.
        field: which of the results differs, and where in it.
        native: the native environment's value there.
        reference: `SyncVectorEnv`'s value there.
    """

    def __init__(
        self, *, name: str, call: str, step: int, copy: int | None, field: str, native: Any, reference: Any
    ) -> None:
        self.name, self.call, self.step, self.copy = name, call, step, copy
        self.field, self.native, self.reference = field, native, reference
        where = "" if copy is None else f"copy {copy}: "
        super().__init__(
            f"{name} differs from SyncVectorEnv {call} (step {step}): {where}{field} is {_shown(native)}, "
            f"but {_shown(reference)} in SyncVectorEnv"
        )


@dataclass(frozen=True)
class Comparison:
    """Statistics of one comparison; without an episode end, it shows nothing about episode ends.

    Attributes:
        autoreset_mode: the mode that both environments were in.
        num_steps: steps of each copy.
        num_terminated: episodes that were terminated, over all copies.
        num_truncated: episodes that were truncated, over all copies.
    """

    autoreset_mode: AutoresetMode
    num_steps: int
    num_terminated: int
    num_truncated: int


class Lockstep:
    """Two vector environments that get the same calls; their results are compared after each call.

    The native one's results are compared again after its next call, because an array that changes later was not fresh.

    Args:
        native: the environment under test.
        reference: `SyncVectorEnv` over the same environment.
        name: of the one under test, for error messages.

    Raises:
        VectorEnvMismatch: here and from every call, at the first difference.
    """

    def __init__(self, native: VectorEnv, reference: VectorEnv, name: str = "the native environment") -> None:
        self.native, self.reference, self.name = native, reference, name
        self.steps = 0
        self._kept: tuple[Any, Any] | None = None  # what the native one returned last, and an immediate copy of it
        attributes = ("num_envs", "single_observation_space", "single_action_space", "observation_space")
        for attribute in (*attributes, "action_space"):
            mine, theirs = getattr(native, attribute, None), getattr(reference, attribute)
            if mine != theirs:
                self._report("before the first call", (attribute, None, mine, theirs))
        mine, theirs = (env.metadata.get("autoreset_mode") for env in (native, reference))
        if mine != theirs:
            self._report("before the first call", ("metadata['autoreset_mode']", None, mine, theirs))

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Reset both with the same arguments.

        Returns:
            What the native environment returned.
        """
        arguments = {"seed": seed} if options is None else {"seed": seed, "options": options}
        said = ", ".join(f"{key}={value}" for key, value in arguments.items())
        expected = self.reference.reset(**copy.deepcopy(arguments))
        returned = self.native.reset(**copy.deepcopy(arguments))
        self._compare(f"after reset({said})", RESULTS_OF_RESET, returned, expected)
        return returned

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Take the same actions in both.

        Returns:
            What the native environment returned.
        """
        self.steps += 1
        expected = self.reference.step(copy.deepcopy(actions))
        returned = self.native.step(copy.deepcopy(actions))
        self._compare("after step()", RESULTS_OF_STEP, returned, expected)
        return returned

    def _compare(self, call: str, names: tuple[str, ...], returned: Any, expected: Any) -> None:
        if self._kept is not None:
            before, then = self._kept
            found = _difference(before, then, "results of the call before, changed by this one: ", self.native.num_envs)
            if found is not None:
                self._report(call, found)
        if not isinstance(returned, tuple) or len(returned) != len(names):
            self._report(call, ("the returned tuple", None, returned, expected))
        for name, mine, theirs in zip(names, returned, expected):
            found = _difference(mine, theirs, name, self.native.num_envs)
            if found is not None:
                self._report(call, found)
        self._kept = returned, copy.deepcopy(returned)

    def _report(self, call: str, found: tuple[str, int | None, Any, Any]) -> None:
        field, index, native, reference = found
        raise VectorEnvMismatch(
            name=self.name, call=call, step=self.steps, copy=index, field=field, native=native, reference=reference
        )


def check_vector_env(
    env_id: str | EnvSpec,
    *,
    num_envs: int = 4,
    num_steps: int = 500,
    seed: int = 0,
    autoreset_modes: Iterable[AutoresetMode | str] | None = None,
    **kwargs: Any,
) -> tuple[Comparison, ...]:
    """Check that a registered environment's native vector environment equals `SyncVectorEnv` over single copies.

    Both take the same random actions. In between there is a reset without a seed, one with a list of seeds and Nones,
    one with a mask and, in mode DISABLED, one of the ended copies after every episode end. Observations, rewards,
    terminations, truncations and infos must agree in value (bit for bit), dtype, shape and order of keys.

    Args:
        env_id: a registered id, or a specification.
        num_envs: how many copies.
        num_steps: steps of each copy, in each mode.
        seed: of the first reset and of the actions.
        autoreset_modes: the modes to compare in; None for all that the native environment can be made with (its own
            alone, if it takes no `autoreset_mode`).
        **kwargs: for `gym.make_vec`; a short `max_episode_steps` produces truncations early.

    Returns:
        The statistics of each mode.

    Raises:
        VectorEnvMismatch: at the first difference; it names the step, the copy, the field and both values.
        ValueError: a mode that the native environment cannot be made with.
        Error: the environment is not registered, or has no native vector environment.
    """
    name = env_id.id if isinstance(env_id, EnvSpec) else env_id
    own_mode, selects = _modes_of(gym.make_vec(env_id, num_envs, "vector_entry_point", **kwargs))
    if autoreset_modes is None:
        modes = list(AutoresetMode) if selects else [own_mode]
    else:
        modes = [AutoresetMode(mode) for mode in autoreset_modes]
    seen = []
    for mode in modes:
        if not selects and mode != own_mode:
            raise ValueError(f"{name} takes no autoreset_mode and has only {own_mode}, so it cannot be made in {mode}")
        chosen: dict[str, Any] = {**kwargs, "autoreset_mode": mode} if selects else kwargs
        native = gym.make_vec(env_id, num_envs, "vector_entry_point", **chosen)
        reference = gym.make_vec(env_id, num_envs, "sync", vector_kwargs={"autoreset_mode": mode}, **kwargs)
        try:
            how = f"{name} ({num_envs} copies, autoreset mode {mode.value}, seed {seed})"
            seen.append(_walk(Lockstep(native, reference, how), mode, num_steps, seed))
        finally:
            native.close()
            reference.close()
    return tuple(seen)


def _walk(both: Lockstep, mode: AutoresetMode, num_steps: int, seed: int) -> Comparison:
    """Drive both through random steps and every kind of reset."""
    num_envs = both.reference.num_envs
    generator = np.random.default_rng(seed)
    action_space = copy.deepcopy(both.reference.action_space)
    action_space.seed(seed)
    num_terminated = num_truncated = 0
    both.reset(seed=seed)
    for step in range(1, num_steps + 1):
        _, _, terminated, truncated, _ = both.step(action_space.sample())
        ended = terminated | truncated
        num_terminated += int(terminated.sum())
        num_truncated += int(truncated.sum())
        if step == num_steps // 4:
            both.reset()
        elif step == num_steps // 2:
            both.reset(seed=[None if i % 2 else seed + 1000 + i for i in range(num_envs)])
        elif step == 3 * num_steps // 4:
            mask = generator.random(num_envs) < 0.5
            mask[generator.integers(num_envs)] = True
            # In mode DISABLED, every ended copy must be reset before the next step.
            both.reset(options={"reset_mask": mask | ended if mode is AutoresetMode.DISABLED else mask})
        elif mode is AutoresetMode.DISABLED and ended.any():
            both.reset(options={"reset_mask": ended})
    return Comparison(mode, num_steps, num_terminated, num_truncated)


def _modes_of(env: VectorEnv) -> tuple[AutoresetMode, bool]:
    """The autoreset mode of an environment, and whether another can be chosen; closes the environment."""
    env.close()
    spec = env.unwrapped.spec
    entry_point = None if spec is None else spec.vector_entry_point
    creator = load_env_creator(entry_point) if isinstance(entry_point, str) else entry_point
    parameters = {} if creator is None else inspect.signature(creator).parameters
    selects = "autoreset_mode" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return AutoresetMode(env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)), selects


def _difference(native: Any, reference: Any, field: str, num_envs: int) -> tuple[str, int | None, Any, Any] | None:
    """The first difference of two results: the field, the copy and both values there; None if there is none."""
    if isinstance(reference, np.ndarray) and isinstance(native, np.ndarray):
        return _array_difference(native, reference, field, num_envs)
    if type(native) is not type(reference):
        return field, None, native, reference
    if isinstance(reference, dict):
        if list(native) != list(reference):
            return f"{field}: keys", None, list(native), list(reference)
        parts = ((f"{field}[{key!r}]", native[key], reference[key]) for key in reference)
    elif isinstance(reference, (tuple, list)):
        if len(native) != len(reference):
            return f"{field}: length", None, len(native), len(reference)
        parts = ((f"{field}[{i}]", *pair) for i, pair in enumerate(zip(native, reference)))
    elif native == reference or (native != native and reference != reference):  # NaN is what differs from itself
        return None
    else:
        return field, None, native, reference
    return next((found for part in parts if (found := _difference(part[1], part[2], part[0], num_envs))), None)


def _array_difference(
    native: np.ndarray, reference: np.ndarray, field: str, num_envs: int
) -> tuple[str, int | None, Any, Any] | None:
    for what in ("dtype", "shape"):
        mine, theirs = getattr(native, what), getattr(reference, what)
        if mine != theirs:
            return f"{field}: {what}", None, mine, theirs
    if native.size == 0:
        return None
    by_copy = native.ndim > 0 and len(native) == num_envs
    if native.dtype == object:
        for index in np.ndindex(native.shape):
            found = _difference(native[index], reference[index], field + _subscript(index), num_envs)
            if found is not None:
                return found[0], index[0] if by_copy else found[1], *found[2:]
        return None
    # The bits themselves, so that NaN equals NaN, and 0.0 is not -0.0.
    bits = [np.ascontiguousarray(array).view(np.uint8).reshape(*array.shape, -1) for array in (native, reference)]
    wrong = np.argwhere((bits[0] != bits[1]).any(axis=-1))
    if len(wrong) == 0:
        return None
    index = tuple(int(i) for i in wrong[0])
    return field + _subscript(index), index[0] if by_copy else None, native[index], reference[index]


def _subscript(index: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, index))}]" if index else ""


def _shown(value: Any) -> str:
    """A value for an error message, with its type if that is not obvious."""
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."
