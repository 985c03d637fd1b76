"""The known mistakes at the ends of episodes: which flag masks what."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from rl_envs.diagnosis.oracles.mistakes import Mistake, Variant, reads, reads_instead
from rl_envs.diagnosis.oracles.rollout import Rollout


def with_last(array: np.ndarray, last: np.ndarray | float) -> np.ndarray:
    """The array with another last row."""
    changed = array.copy()
    changed[-1] = last
    return changed


def _masks(terminated: np.ndarray, truncated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two masks that follow from flags, whatever flags they are: bootstraps and continues."""
    continues = 1.0 - (terminated | truncated)
    continues[-1] = 0.0
    return 1.0 - terminated, continues


def shifted(array: np.ndarray, by: int, fill: np.ndarray) -> np.ndarray:
    """Row t + by in place of row t; `fill` where there is none."""
    return np.concatenate([array[1:], fill[None]] if by == 1 else [fill[None], array[:-1]])


def _shifted_masks(
    x: Rollout, by: int, fill: str, which: str, *, but_last: bool = False, but_truncated: bool = False
) -> Rollout:
    """The rollout with its masks read from the flags of another step."""
    flags = []
    for flag in (x.terminated, x.truncated):
        edge = flag[-1 if by == 1 else 0] if fill == "own" else np.full_like(flag[0], fill == "ended")
        flags.append(shifted(flag, by, edge))
    bootstraps, continues = _masks(flags[0], x.truncated if but_truncated else flags[1])
    if but_last:
        bootstraps[-1] = x.bootstraps[-1]
    return replace(
        x,
        bootstraps=x.bootstraps if which == "carry" else bootstraps,
        continues=x.continues if which == "bootstrap" else continues,
    )


def _all_shifts(by: int, *, but_last: bool = False, but_truncated: bool = False) -> tuple[Variant, ...]:
    shift = partial(_shifted_masks, by=by, but_last=but_last, but_truncated=but_truncated)
    return tuple(
        reads_instead(partial(shift, fill=fill, which=which))
        for which in ("both", "bootstrap", "carry")
        for fill in ("own", "going on", "ended")
    )


def _ones_but_last(x: Rollout) -> np.ndarray:
    ones = np.ones_like(x.continues)
    ones[-1] = 0.0
    return ones


def _after_reset(x: Rollout) -> np.ndarray:
    """The value of the next row at an end, where an automatic reset has put the next episode's first observation."""
    following = shifted(x.value, 1, x.next_value[-1])
    return np.where(x.ended, following, x.next_value)


LEAK = Mistake(
    ("return_leaks_across_episodes",),
    "returns leak over the end: the next value is masked, what is carried back is not",
    "multiply what is carried back from the next step by (1 - (terminated or truncated))",
    (
        reads(continues=_ones_but_last),
        reads(continues=lambda x: np.ones_like(x.continues)),
    ),
)

ENDS = (
    Mistake(
        ("terminal_not_masked",),
        "it bootstraps through the end: after a termination the next value still counts",
        "multiply the next value by (1 - terminated)",
        (reads(bootstraps=lambda x: np.ones_like(x.bootstraps)),),
    ),
    Mistake(
        ("terminal_not_masked",),
        "the last step of the rollout bootstraps even where it terminated",
        "mask the last value by the flag of the last step, as every other value",
        (reads(bootstraps=lambda x: with_last(x.bootstraps, 1.0)),),
    ),
    Mistake(
        ("terminal_not_masked", "return_leaks_across_episodes"),
        "ends are not looked at: the next value counts after a termination, and returns run on into the next episode",
        "multiply the next value by (1 - terminated), and what is carried back by (1 - (terminated or truncated))",
        (
            reads(bootstraps=lambda x: np.ones_like(x.bootstraps), continues=_ones_but_last),
            reads(
                bootstraps=lambda x: np.ones_like(x.bootstraps),
                continues=lambda x: np.ones_like(x.continues),
                next_value=lambda x: np.concatenate([_after_reset(x)[:-1], x.next_value[-1:]]),
            ),
        ),
    ),
    Mistake(
        ("timeout_as_terminal",),
        "time limits are not bootstrapped: a truncated step is taken for the end of the world",
        "mask the next value by terminated alone; truncated only cuts what is carried back",
        (reads(bootstraps=lambda x: 1.0 - x.ended),),
    ),
    Mistake(
        ("timeout_as_terminal", "terminal_not_masked"),
        "the two ends are exchanged: terminations bootstrap and time limits do not",
        "see which flag is which where they are handed over; Gymnasium gives terminated first",
        (reads(bootstraps=lambda x: 1.0 - x.truncated),),
    ),
    LEAK,
    Mistake(
        ("return_leaks_across_episodes",),
        "returns leak over time limits: what is carried back is cut by terminated alone",
        "cut what is carried back where the episode ended either way, (1 - (terminated or truncated))",
        (
            reads(continues=lambda x: with_last(1.0 - x.terminated, 0.0)),
            reads(continues=lambda x: 1.0 - x.terminated),
        ),
    ),
    Mistake(
        ("return_leaks_across_episodes", "timeout_as_terminal"),
        "the flags have changed places: time limits are not bootstrapped, and terminations alone cut what is carried",
        "mask the next value by terminated, and what is carried back by terminated or truncated",
        (reads(bootstraps=lambda x: 1.0 - x.ended, continues=lambda x: with_last(1.0 - x.terminated, 0.0)),),
    ),
    Mistake(
        ("reset_observation_as_next",),
        "at an end it bootstraps from the observation after the reset, which belongs to the next episode",
        "take the value of the final observation (Gymnasium: info['final_obs']), not that of the next row",
        (
            reads(next_value=_after_reset),
            reads(next_value=_after_reset, bootstraps=lambda x: 1.0 - x.terminated),
        ),
    ),
    Mistake(
        ("mask_one_step_early",),
        "the mask of step t is taken from step t+1",
        "use the flag that step t itself returned; where flags are stored before the step, say so (episode_starts)",
        (*_all_shifts(1), *_all_shifts(1, but_truncated=True)),
    ),
    Mistake(
        ("mask_one_step_late",),
        "the mask of step t is taken from step t-1",
        "use the flag that step t itself returned: dones[t + 1], where dones[t] is the flag before step t",
        (*_all_shifts(-1), *_all_shifts(-1, but_last=True), *_all_shifts(-1, but_truncated=True)),
    ),
    Mistake(
        ("mask_inverted",),
        "the mask is upside down: the next value counts where the episode ended, and nowhere else",
        "multiply by (1 - done), not by done",
        (
            reads(bootstraps=lambda x: 1.0 * x.terminated, continues=lambda x: with_last(1.0 * x.ended, 0.0)),
            reads(bootstraps=lambda x: 1.0 * x.ended, continues=lambda x: with_last(1.0 * x.ended, 0.0)),
            reads(bootstraps=lambda x: 1.0 * x.terminated),
        ),
    ),
    Mistake(
        ("reward_lost_at_end",),
        "the reward of a step that ends the episode is masked with what follows it",
        "mask the next value alone: reward + discount * (1 - terminated) * next_value",
        (
            reads(reward=lambda x: x.reward * (1.0 - x.ended)),
            reads(reward=lambda x: x.reward * (1.0 - x.terminated)),
        ),
    ),
)
