"""A probe world as an ordinary Gymnasium environment that writes down what is done to it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.error import InvalidAction, ResetNeeded

from rl_envs.diagnosis.probes import Probe

OBSERVATIONS = ("index", "one_hot")
# So many of the last observations are looked at again, whether they have been changed.
HANDED_OUT = 4


@dataclass
class CopyLog:
    """What one copy of a probe world saw done to it.

    Attributes:
        labels: the observation before each step.
        actions: the action of each step.
        steps_after_end: steps taken after an episode had ended and before a reset.
        resets: how often it was reset.
        changed_observations: observations handed out that the caller changed later.
        seeds: the seeds given to reset.
    """

    labels: list[int] = field(default_factory=list)
    actions: list[int] = field(default_factory=list)
    steps_after_end: int = 0
    resets: int = 0
    changed_observations: int = 0
    seeds: list[int] = field(default_factory=list)


class WatchedEnv(gym.Env[Any, Any]):
    """One copy of a probe world.

    A step after the end of an episode is counted, and answered as Gymnasium's environments do in their usual wrappers:
    what has terminated stays where it is, what was truncated goes on.

    Args:
        probe: the world.
        observation: "index" for `Discrete`, "one_hot" for `Box`.
        entrance: at which of the probe's entrances the first episode begins.
    """

    metadata = {"render_modes": []}

    def __init__(self, probe: Probe, *, observation: str, entrance: int) -> None:
        size = probe.num_observations
        self.observation_space = (
            spaces.Discrete(size) if observation == "index" else spaces.Box(0.0, 1.0, (size,), np.float32)
        )
        self.action_space = spaces.Discrete(probe.mdp.num_actions)
        self.log = CopyLog()
        self._probe = probe
        self._one_hot = observation == "one_hot"
        self._entrance: tuple[int, int, int] | None = probe.entrances[entrance % len(probe.entrances)]
        self._taken = np.zeros(probe.mdp.probability.shape)
        # Where outcomes take turns, half of the copies begin with the second.
        self._taken[..., 0] = (self._probe.mdp.probability[..., 0] < 1) & (entrance // 2 % 2 == 1)
        self._start_index = 0
        self._state = 0
        self._elapsed = 0
        self._end: tuple[bool, bool] | None = (False, False)  # None while an episode runs
        # The last observations, with a copy of each: an agent may change one long after it got it.
        self._handed_out: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=HANDED_OUT)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start the next episode in the probe's order."""
        super().reset(seed=seed)
        if seed is not None:
            self.log.seeds.append(int(seed))
        self._check_handed_out()
        self.log.resets += 1
        if self._entrance is not None:
            self._start_index, self._state, self._elapsed = self._entrance
        elif self.log.labels:
            self._start_index = (self._start_index + 1) % len(self._probe.starts)
            self._state, self._elapsed = self._probe.starts[self._start_index], 0
        self._end = None
        return self._observe(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take an action, an integer of the action space."""
        if self._end == (False, False):
            raise ResetNeeded("no episode is running: call reset() first")
        number = np.asarray(action)
        if number.size != 1 or number.dtype.kind not in "iu" or not 0 <= number.item() < self._probe.mdp.num_actions:
            raise InvalidAction(
                f"an action must be an integer in 0..{self._probe.mdp.num_actions - 1}, but is {action!r}"
            )
        self._check_handed_out()
        if self._end is not None:
            self.log.steps_after_end += 1
            if self._end[0]:
                return self._observe(), 0.0, *self._end, {}
        self._entrance = None  # a reset before any step repeats the entrance
        mdp, state, choice = self._probe.mdp, self._state, number.item()
        self.log.labels.append(int(self._probe.labels[state]))
        self.log.actions.append(choice)
        outcome = self._probe.outcome_due(self._taken, state, choice) if mdp.num_outcomes > 1 else 0
        self._state = int(mdp.next_state[state, choice, outcome])
        self._elapsed += 1
        terminated = bool(mdp.terminated[state, choice, outcome])
        truncated = not terminated and self._elapsed >= self._probe.max_episode_steps
        if terminated or truncated:
            self._end = (terminated, truncated)
        return self._observe(), float(mdp.reward[state, choice, outcome]), terminated, truncated, {}

    def _observe(self) -> Any:
        label = int(self._probe.labels[self._state])
        if not self._one_hot:
            return label
        row = np.zeros(self._probe.num_observations, dtype=np.float32)
        row[label] = 1.0
        self._handed_out.append((row, row.copy()))
        return row

    def _check_handed_out(self) -> None:
        for place, (given, copy) in enumerate(self._handed_out):
            if not np.array_equal(given, copy):
                self.log.changed_observations += 1
                self._handed_out[place] = (given, given.copy())  # counted once


class EnvFactory:
    """What a training function is given as `env_fn`: every call makes one more copy of a probe world.

    Args:
        probe: the world.
        observation: "index" or "one_hot".
        seed: of the training; it decides where in the probe's order the first copy begins.

    Attributes:
        discount: the discount to train with.
        num_envs: how many copies are a good number, a hint only.
        probe: the world.
        copies: those made so far.
    """

    num_envs = 1

    def __init__(self, probe: Probe, *, observation: str, seed: int) -> None:
        if observation not in OBSERVATIONS:
            raise ValueError(f"observation must be one of {', '.join(OBSERVATIONS)}, but is {observation!r}")
        self.probe = probe
        self.observation = observation
        self.seed = seed
        self.discount = probe.mdp.discount
        self.copies: list[WatchedEnv] = []

    def __call__(self) -> WatchedEnv:
        copy = WatchedEnv(
            self.probe,
            observation=self.observation,
            entrance=2 * self.seed + len(self.copies),
        )
        self.copies.append(copy)
        return copy

    @property
    def observations(self) -> np.ndarray:
        """Every observation there is, [N] int or [N, N] float32, as a batch to ask what was learned about them."""
        size = self.probe.num_observations
        return np.arange(size) if self.observation == "index" else np.eye(size, dtype=np.float32)
