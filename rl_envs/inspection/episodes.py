"""Episodes of random play in the real environment, each step kept as it was returned and as it was at that moment."""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import numpy as np

# So many episodes are played, of at most so many steps, and for at most so many seconds.
EPISODES, EPISODE, SECONDS = 12, 200, 4.0


@dataclass
class Moment:
    """What a reset or a step returned.

    Attributes:
        observation: the very object.
        copied: a copy of it, made at once.
        reward: as it was returned; None for a reset.
        terminated: whether the task ended.
        truncated: whether the episode was cut off.
        action: what was done; None for a reset.
    """

    observation: Any
    copied: Any
    reward: Any = None
    terminated: bool = False
    truncated: bool = False
    action: Any = None

    @property
    def ended(self) -> bool:
        """Whether the episode is over."""
        return self.terminated or self.truncated


@dataclass(frozen=True)
class Failure:
    """A call that raised, or that returned something else than it must.

    Attributes:
        call: "reset" or "step".
        what: what happened, in words.
        action: what was done.
        steps: after how many steps of the episode.
        trace: where it was raised.
        raised: whether it raised.
    """

    call: str
    what: str
    action: Any
    steps: int
    trace: TracebackType | None
    raised: bool


@dataclass
class Episode:
    """One episode: its moments, the first of them the reset's.

    Attributes:
        seed: that it was reset with.
        moments: what was returned.
        failure: what went wrong, if anything did.
        after: what one more step after the end gave; None where none was taken, or it raised or warned.
    """

    seed: int
    moments: list[Moment] = field(default_factory=list)
    failure: Failure | None = None
    after: Moment | None = None


def play(env: Any, seeds: Sequence[int], *, beyond_end: bool = False, seconds: float = SECONDS) -> list[Episode]:
    """Play one episode for each seed, with actions drawn from that seed.

    Args:
        env: the environment.
        seeds: for reset.
        beyond_end: whether to take one more step after the end of an episode.
        seconds: no episode is begun after so long.

    Returns:
        The episodes, up to the first that failed.
    """
    episodes: list[Episode] = []
    began = time.monotonic()
    for seed in seeds:
        if episodes and time.monotonic() - began > seconds:
            break
        episode = Episode(seed)
        episodes.append(episode)
        actions = copy.deepcopy(env.action_space)
        actions.seed(seed)
        _play_one(env, episode, actions, beyond_end, began + 2 * seconds)
        if episode.failure is not None:
            break
    return episodes


def _play_one(env: Any, episode: Episode, actions: Any, beyond_end: bool, until: float) -> None:
    try:
        made = env.reset(seed=episode.seed)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is reported)
        episode.failure = _raised("reset", error, None, 0)
        return
    if not isinstance(made, tuple) or len(made) != 2:
        episode.failure = Failure(
            "reset", f"returned {_short(made)}, not an observation and info", None, 0, None, False
        )
        return
    episode.moments.append(Moment(made[0], copy.deepcopy(made[0])))
    for step in range(EPISODE):
        if time.monotonic() > until:
            return
        moment = _step(env, episode, actions.sample(), step)
        if moment is None:
            return
        episode.moments.append(moment)
        if moment.ended:
            if beyond_end and moment.terminated:
                with warnings.catch_warnings(record=True) as warned:
                    warnings.simplefilter("always")
                    after = _step(env, Episode(episode.seed), actions.sample(), step + 1)
                episode.after = None if warned else after
            return


def _step(env: Any, episode: Episode, action: Any, step: int) -> Moment | None:
    try:
        made = env.step(action)
    except Exception as error:  # noqa: BLE001  (whatever it is, it is reported)
        episode.failure = _raised("step", error, action, step)
        return None
    if not isinstance(made, tuple) or len(made) != 5:
        what = f"returned {_short(made)}, not observation, reward, terminated, truncated and info"
        episode.failure = Failure("step", what, action, step, None, False)
        return None
    observation, reward, terminated, truncated, _ = made
    return Moment(observation, copy.deepcopy(observation), reward, bool(terminated), bool(truncated), action)


def _raised(call: str, error: Exception, action: Any, step: int) -> Failure:
    text = " ".join(str(error).split())
    return Failure(call, f"raises {type(error).__name__}: {text}", action, step, error.__traceback__, True)


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 120 else f"{text[:120]}..."


def same(one: Any, other: Any) -> bool:
    """Whether two observations, rewards or flags are equal; NaN equals NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray):
        if one.shape != other.shape or one.dtype != other.dtype:
            return False
        return bool(np.array_equal(one, other, equal_nan=one.dtype.kind in "fc"))
    return bool(one == other) or (one != one and other != other)
