"""Many copies of a world as a native Gymnasium vector environment, in NumPy and without a loop over the copies.

Needs Gymnasium 1.1 or newer. It is imported only on first use, so `import rl_envs` works with any version.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space

try:
    from gymnasium.vector import AutoresetMode
except ImportError as error:
    raise ImportError(
        f"rl_envs.envs.tabular_vector_env needs gymnasium 1.1 or newer, which has AutoresetMode, but "
        f"{gym.__version__} is installed; gymnasium.vector.SyncVectorEnv runs the same environments with any version"
    ) from error

from rl_envs.envs.copy_streams import CopyStreams
from rl_envs.envs.flat_table import FlatTable
from rl_envs.envs.random_streams import Streams
from rl_envs.mdp.finite_mdp import check_integer
from rl_envs.names import unknown
from rl_envs.registry import build
from rl_envs.worlds.actions import action_indices
from rl_envs.worlds.observation import Index
from rl_envs.worlds.world import World, initial_state

if TYPE_CHECKING:
    from rl_envs.rendering.renderer import History, Renderer

__all__ = ["AutoresetMode", "TabularVectorEnv"]

INT64, UINT64, BOOL = np.dtype(np.int64), np.dtype(np.uint64), np.dtype(np.bool_)
FOREVER = 2**62  # steps
NO_COPIES = np.empty(0, dtype=np.int64)  # no copy at all


class TabularVectorEnv(VectorEnv[Any, Any, np.ndarray]):
    """Many copies of a world that advance together, equal bit for bit to `SyncVectorEnv` over single environments.

    Copy i behaves like a `TabularEnv` in a `TimeLimit` after `reset(seed=seed + i)`: observations, rewards (float64),
    terminations, truncations and infos are the same, in every autoreset mode. Every returned array is fresh.

    Args:
        world: a `World`, or the name of a registered one ("LineWalk").
        num_envs: how many copies, at least 1.
        max_episode_steps: steps after which an episode is truncated; None for the world's own limit and -1 for none, as
            in `gym.make`.
        autoreset_mode: what happens to a copy whose episode has ended: the next step resets it (NEXT_STEP), the same
            step does and reports the end in `final_obs` and `final_info` (SAME_STEP), or the caller resets it with
            `reset(options={"reset_mask": mask})` (DISABLED). The enum or its string value.
        render_mode: "rgb_array", "ansi" or None.
        render_overlay: "value", "policy" or "visits" drawn over the pictures, or None.
        **arguments: for the builder of a registered world (size=7, slip=0.1, observation="one_hot", discount=0.9, ...).

    Raises:
        ValueError: an unknown world, autoreset mode or render mode, or a number out of range.
        TypeError: arguments that the world's builder does not take.
    """

    metadata = {"render_modes": ["rgb_array", "ansi"], "render_fps": 4, "autoreset_mode": AutoresetMode.NEXT_STEP}

    # Here too, because Gymnasium 1.1 and 1.2 close an environment whose constructor has refused its arguments.
    _renderer: Renderer | None = None

    def __init__(
        self,
        world: World | str,
        num_envs: int = 1,
        *,
        max_episode_steps: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        render_overlay: str | None = None,
        **arguments: Any,
    ) -> None:
        self.world = build(world, **arguments)
        num_envs = self.num_envs = check_integer("num_envs", num_envs, low=1)
        self.max_episode_steps = _time_limit(max_episode_steps, self.world)
        self.autoreset_mode = _autoreset_mode(autoreset_mode)
        self.metadata = {**copy.deepcopy(self.metadata), "autoreset_mode": self.autoreset_mode}
        self.action_names = self.world.action_names

        # Copies, because spaces carry a generator: environments of one world must not draw each other's samples.
        self.single_observation_space = copy.deepcopy(self.world.observation.space)
        self.single_action_space = copy.deepcopy(self.world.action_space)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

        self.render_mode = _render_mode(render_mode, self.metadata["render_modes"])
        self._histories: list[History] = []  # one per copy, kept only if something is drawn
        if render_mode is not None or render_overlay is not None:
            from rl_envs.rendering.renderer import History, Renderer

            self._renderer = Renderer(self.world, render_mode, self.metadata["render_fps"], render_overlay)
            mdp = self.world.mdp
            self._histories = [History(mdp.num_states, mdp.num_actions) for _ in range(num_envs)]

        self._flat = FlatTable(self.world)
        # What every step looks up, in plain attributes.
        self._num_actions = self.world.mdp.num_actions
        self._num_outcomes = self.world.mdp.num_outcomes
        self._plain_shape = None if self.world.simultaneous else (num_envs,)
        self._seen_is_state = isinstance(self.world.observation, Index)
        self._resets_next_step = self.autoreset_mode is AutoresetMode.NEXT_STEP
        self._resets_same_step = self.autoreset_mode is AutoresetMode.SAME_STEP
        self._all_envs = np.ones(num_envs, BOOL)

        # Where each copy is: its last outcome, and the row of the table for its next step.
        self._begun = False  # whether there was a reset
        self._ready = False  # whether a step may be taken
        self._outcome = np.zeros(num_envs, dtype=np.int64)  # [n]
        self._row = np.zeros(num_envs, dtype=np.int64)  # [n]
        self._ended = NO_COPIES  # copies whose episode has ended and that have not been reset since

        # Time counts the steps of all copies; each copy is truncated when it reaches its deadline. The earliest is a
        # lower bound, so that most steps need not look. The episode after an end has its full length from its reset on,
        # which is at the same step or at the next.
        self._time = 0
        self._limit = FOREVER if self.max_episode_steps is None else self.max_episode_steps
        self._steps_to_deadline = self._limit + self._resets_next_step
        self._deadline = np.zeros(num_envs, dtype=np.int64)  # [n]
        self._earliest = FOREVER
        self._next_deadline = np.zeros((), INT64)  # a number in an array is assigned faster than a Python int

        draws = self._num_outcomes > 1 or self._flat.starts.size > 1
        self._random = CopyStreams(num_envs, draws=draws, noisy=self.world.mdp.reward_std is not None)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode in every copy, or in those of a mask.

        Args:
            seed: an int seeds copy i with `seed + i`; a list holds a seed for each copy, or None to keep its current
                generator; None keeps all generators.
            options: `{"reset_mask": mask}` with a bool array [n] resets only those copies; `{"state": s}` starts in
                state s instead of drawing one. Other keys are ignored, and the dictionary is not changed.

        Returns:
            Observations of all copies [n, ...] and infos.

        Raises:
            ValueError: a mask of the wrong shape or without any True, a list of the wrong length, an invalid state.
            TypeError: a mask that is not a bool array, a state that is not an integer, a seed that is neither int nor
                list.
            Error: a seed that is negative or not a Python int.
            ResetNeeded: a first reset that leaves copies out.
        """
        mask = self._mask(options)
        state = initial_state(self.world, options)
        chosen = np.flatnonzero(mask)
        if not self._begun and chosen.size < self.num_envs:
            raise ResetNeeded(f"the first reset must be of all {self.num_envs} copies, but the mask has {chosen.size}")
        self._random.reset(seed, chosen.tolist())

        states = self._first_states(chosen) if state is None else np.full(chosen.size, state)
        self._place(chosen, states)
        self._begun = True
        self._ended = self._ended[~mask[self._ended]]
        self._ready = self._resets_next_step or self._ended.size == 0
        self._deadline[chosen] = self._time + self._limit
        self._earliest = min(self._earliest, self._time + self._limit)
        if self._histories:
            for i, first in zip(chosen.tolist(), states.tolist()):
                self._histories[i].begin(first)

        infos: dict[str, Any] = {}
        for name, table in self._flat.info.items():
            infos[name] = np.zeros(self.num_envs, dtype=table.dtype)
            infos[f"_{name}"] = mask.copy()
        return self.world.observation.batch(self._flat.state[self._outcome]), infos

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take an action in every copy.

        Args:
            actions: integers [n], or [n, m] if the action space is MultiDiscrete. In mode NEXT_STEP, copies whose
                episode ended with the last step are reset instead, and their action is ignored.

        Returns:
            Observations [n, ...], rewards [n] float64, terminations [n] bool, truncations [n] bool and infos.

        Raises:
            ResetNeeded: before the first reset, or in mode DISABLED with a copy whose episode has ended.
            InvalidAction: an action out of range (the message names the copy), or actions of the wrong type or shape.
                The environment does not change.
        """
        if not self._ready:
            raise ResetNeeded(self._why_not_ready())
        resetting = self._ended
        # What an agent usually sends takes the short way. Seen as unsigned numbers, negative ones are huge, so one look
        # at the largest is enough; argmax finds it several times faster than max.
        if not (
            type(actions) is np.ndarray
            and actions.dtype is INT64
            and actions.shape == self._plain_shape
            and (unsigned := actions.view(UINT64)).item(unsigned.argmax()) < self._num_actions
        ):
            actions = action_indices(actions, self.world.action_space, self.num_envs)

        outcome = self._row + actions
        if self._random.uniforms is not None:
            outcome = self._draw(self._random.uniforms, outcome, resetting)
        flat = self._flat
        state, reward, terminated, next_row = flat.columns
        states = state[outcome]
        rewards = reward[outcome]
        terminations = terminated[outcome]
        if self._random.noises is not None:
            rewards += flat.reward_std[outcome] * self._random.noises.next()
            self._random.noises.put_back(resetting)
        self._outcome = outcome
        self._row = next_row[outcome]
        time = self._time = self._time + 1
        truncations = np.zeros(self.num_envs, BOOL)
        ended = terminations.nonzero()[0] if time < self._earliest else self._truncate(terminations, truncations)
        if ended.size:
            self._next_deadline[()] = time + self._steps_to_deadline
            self._deadline[ended] = self._next_deadline
        if self._histories:
            self._record(actions, rewards, states, resetting)

        infos: dict[str, Any] = {}
        for name, mask_name, table in flat.info_columns:
            infos[name] = table[outcome]
            infos[mask_name] = self._all_envs.copy()
        if not self._resets_same_step:
            self._ended = ended
            self._ready = self._resets_next_step or ended.size == 0
        elif ended.size:
            infos = self._restart(ended, states, infos)
        seen = states if self._seen_is_state else self.world.observation.batch(states)
        return seen, rewards, terminations, truncations, infos

    def render(self) -> tuple[Any, ...] | None:
        """Draw the current state of every copy.

        Returns:
            A tuple with a picture uint8 [H, W, 3] for each copy in mode "rgb_array", text in mode "ansi".

        Raises:
            ResetNeeded: nothing to draw before the first reset.
        """
        if self._renderer is None or self.render_mode is None:
            gym.logger.warn('render() draws nothing without a mode: pass render_mode="rgb_array" to gym.make_vec')
            return None
        if not self._begun:
            raise ResetNeeded("there is nothing to draw before the first reset()")
        return tuple(self._renderer.draw(history.frame()) for history in self._histories)

    def close_extras(self, **kwargs: Any) -> None:
        """Release what drawing needed; `close()` calls it."""
        if self._renderer is not None:
            self._renderer.close()

    def get_state(self) -> dict[str, np.ndarray]:
        """The complete state of all copies, for `set_state`; the history shown in pictures is not included.

        Returns:
            Arrays by name.

        Raises:
            ResetNeeded: before the first reset.
        """
        if not self._begun:
            raise ResetNeeded("there is no state before the first reset()")
        state = {
            "world": np.frombuffer(bytes.fromhex(self.world.mdp.content_hash), dtype=np.uint8),
            "autoreset_mode": np.array(list(AutoresetMode).index(self.autoreset_mode)),
            "outcome": self._outcome.copy(),
            "row": self._row.copy(),
            "ended": self._ended.copy(),
            "deadline": self._deadline.copy(),
            "time": np.array(self._time),
        }
        for name, streams in self._random.named().items():
            state |= {f"{name}.{part}": array for part, array in streams.get_state().items()}
        return state

    def set_state(self, saved: Mapping[str, np.ndarray]) -> None:
        """Restore a state from `get_state`, in this environment or another of the same world, size and mode.

        Args:
            saved: what `get_state` returned.

        Raises:
            ValueError: the state of another table, number of copies or autoreset mode, or not a state.
        """
        if not self._begun:
            self.reset()
        own = self.get_state()
        given = {name: np.asarray(saved[name]) for name in saved} if isinstance(saved, Mapping) else {}
        for name in {**own, **given}:
            fits = name in own and name in given
            if fits and name in ("world", "autoreset_mode"):
                fits = np.array_equal(own[name], given[name])
            elif fits and name != "ended":  # how many copies wait for a reset changes from step to step
                fits = own[name].shape == given[name].shape
            if not fits:
                raise ValueError(
                    f"the state must come from get_state() of {self.num_envs} copies of this {self.world.name} in "
                    f"autoreset mode {self.autoreset_mode.value}, but does not fit in {name!r}"
                )
        self._outcome = given["outcome"].copy()
        self._row = given["row"].copy()
        self._ended = given["ended"].copy()
        self._deadline = given["deadline"].copy()
        self._ready = self._resets_next_step or self._ended.size == 0
        self._time = int(given["time"])
        self._earliest = int(self._deadline.min())
        for name, streams in self._random.named().items():
            streams.set_state({part: given[f"{name}.{part}"] for part in streams.get_state()})

    @property  # type: ignore[misc]
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]
        """The generator of every copy, as in `SyncVectorEnv`.

        They are read ahead in blocks, so a generator's next number is not the next number of its copy.
        """
        return self._random.generators

    @property
    def np_random_seed(self) -> tuple[int | None, ...]:  # type: ignore[override]
        """The seed of every copy's generator, as in `SyncVectorEnv`."""
        return self._random.seeds

    def _draw(self, uniforms: Streams, pairs: np.ndarray, resetting: np.ndarray) -> np.ndarray:
        """Draw an outcome for each pair of row and action.

        Args:
            uniforms: the source of random numbers.
            pairs: row + action, [n]; may be changed.
            resetting: the copies that this step resets, which draw a first state instead of an outcome.

        Returns:
            Indices of outcomes, [n].
        """
        flat = self._flat
        if self._num_outcomes == 1:
            if resetting.size:
                pairs[resetting] = flat.begin + self._first_states(resetting)
            return pairs
        numbers = uniforms.next()
        drawn = flat.draw(pairs, numbers)
        if resetting.size and flat.starts.size > 1:
            drawn[resetting] = flat.begin + flat.first_states(numbers[resetting])
        elif resetting.size:
            uniforms.put_back(resetting)  # with a single first state, a reset draws nothing
        return drawn

    def _truncate(self, terminations: np.ndarray, truncations: np.ndarray) -> np.ndarray:
        """Find the copies that have reached their deadline.

        Args:
            terminations: of the step, [n] bool.
            truncations: likewise; filled in here.

        Returns:
            Indices of the copies whose episode has ended, either way.
        """
        np.equal(self._deadline, self._time, out=truncations)
        ended = (terminations | truncations).nonzero()[0]
        self._row[ended] = self._flat.waiting_row
        self._deadline[ended] = self._time + self._steps_to_deadline
        self._earliest = self._deadline.item(self._deadline.argmin())
        return ended

    def _why_not_ready(self) -> str:
        """The error message for a step that is not allowed: what must be done first."""
        if not self._begun:
            return "no episode is running: call reset() before the first step()"
        return (
            f"the episode of copy {self._ended[0]} has ended: in autoreset mode Disabled, reset it with "
            'options={"reset_mask": mask} before the next step'
        )

    def _restart(self, ended: np.ndarray, states: np.ndarray, infos: dict[str, Any]) -> dict[str, Any]:
        """Reset the copies that have just ended, in the same step.

        Args:
            ended: their indices.
            states: the next states, [n]; overwritten with the first states of the new episodes.
            infos: of the step, [n] each; overwritten likewise.

        Returns:
            The infos with `final_obs` and `final_info` among them.
        """
        mask = np.zeros(self.num_envs, dtype=np.bool_)
        mask[ended] = True
        final_obs = np.full(self.num_envs, None, dtype=object)
        seen = self.world.observation.batch(states[ended])
        # A single copy's observation of a Discrete space is a Python int.
        for i, observation in zip(ended.tolist(), seen.tolist() if seen.ndim == 1 else seen):
            final_obs[i] = observation
        final_info: dict[str, Any] = {}
        for name in self._flat.info:
            final_info[name] = np.zeros_like(infos[name])
            final_info[name][ended] = infos[name][ended]
            final_info[f"_{name}"] = mask.copy()
            infos[name][ended] = 0
        final = {"final_obs": final_obs, "_final_obs": mask, "final_info": final_info, "_final_info": mask.copy()}

        first = self._first_states(ended)
        states[ended] = first
        self._place(ended, first)
        for i, state in zip(ended.tolist(), first.tolist()) if self._histories else ():
            self._histories[i].begin(state)
        # Gymnasium adds the infos copy by copy, so the order of the keys depends on whether the first one has ended.
        return {**final, **infos} if ended[0] == 0 else {**infos, **final}

    def _place(self, copies: np.ndarray, states: np.ndarray) -> None:
        """Place some copies at the beginning of an episode."""
        self._outcome[copies] = self._flat.begin + states
        self._row[copies] = self._flat.next_row[self._outcome[copies]]

    def _first_states(self, copies: np.ndarray) -> np.ndarray:
        """Draw the first state of the next episode of some copies."""
        if self._random.uniforms is None or self._flat.starts.size == 1:
            return np.full(copies.size, self._flat.starts[0])
        return self._flat.first_states(self._random.uniforms.next_of(copies))

    def _record(self, actions: np.ndarray, rewards: np.ndarray, states: np.ndarray, resetting: np.ndarray) -> None:
        """Record the last step of each copy, for drawing."""
        begun = set(resetting.tolist())
        for i, row in enumerate(zip(actions.tolist(), rewards.tolist(), states.tolist())):
            if i in begun:
                self._histories[i].begin(row[2])
            else:
                self._histories[i].add(*row)

    def _mask(self, options: dict[str, Any] | None) -> np.ndarray:
        """Which copies `reset` is asked to reset, [n] bool."""
        if options is None or "reset_mask" not in options:
            return self._all_envs
        mask = options["reset_mask"]
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
            kind = f"array of {mask.dtype}" if isinstance(mask, np.ndarray) else type(mask).__name__
            raise TypeError(f"options['reset_mask'] must be a NumPy array of bools, but is {kind}")
        if mask.shape != (self.num_envs,):
            raise ValueError(f"options['reset_mask'] must have shape ({self.num_envs},), but has {mask.shape}")
        if not mask.any():
            raise ValueError("options['reset_mask'] must be True for at least one copy, but is nowhere")
        return mask


def _time_limit(max_episode_steps: int | None, world: World) -> int | None:
    """The time limit: as in `gym.make`, None is the registered limit and -1 is none."""
    if max_episode_steps is None:
        return world.max_episode_steps
    if max_episode_steps == -1:
        return None
    return check_integer("max_episode_steps", max_episode_steps, low=1, high=FOREVER)


def _autoreset_mode(mode: AutoresetMode | str) -> AutoresetMode:
    known = [mode.value for mode in AutoresetMode]
    if not isinstance(mode, AutoresetMode) and mode not in known:
        raise ValueError(unknown("autoreset_mode", mode, known))
    return AutoresetMode(mode)


def _render_mode(mode: str | None, known: list[str]) -> str | None:
    if mode == "human":
        raise ValueError(
            "render_mode 'human' is for one copy: wrap this environment with render_mode='rgb_array' in "
            "gymnasium.wrappers.vector.HumanRendering"
        )
    if mode is not None and mode not in known:
        raise ValueError(unknown("render_mode", mode, known))
    return mode
