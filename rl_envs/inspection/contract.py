"""Gymnasium's contract, tried on the real environment: what its steps return, and what it does at an end."""

from __future__ import annotations

import math
from collections.abc import Iterator
from numbers import Real
from typing import Any

import numpy as np

from rl_envs.extraction.explored import missing_spaces
from rl_envs.inspection.episodes import EPISODES, Episode, Failure, Moment, play, same
from rl_envs.inspection.finding import Finding
from rl_envs.inspection.gymnasium_check import complaints
from rl_envs.inspection.repeating import unrepeated
from rl_envs.inspection.source import method_line, raising_line, return_line
from rl_envs.inspection.subject import Subject
from rl_envs.inspection.table_view import number, shown

_STEP = "observation, reward, terminated, truncated and info"


def findings(subject: Subject) -> Iterator[Finding]:
    """What breaks the contract, seen in random play.

    Args:
        subject: the environment.

    Yields:
        Findings.

    Raises:
        NotTabular: there is only one copy of the environment, and what it holds cannot be copied.
    """
    missing = missing_spaces(subject.env)
    if missing:
        yield from (_no_space(subject, kind) for kind in missing)
        return
    seeds = range(EPISODES)
    with subject.fresh() as env:
        episodes = play(env, seeds, beyond_end=True)
        found = [
            *_failures(subject, episodes),
            *_rewards(subject, episodes),
            *_outside(subject, env, episodes),
            *_changed(subject, episodes),
            *_after_the_end(subject, episodes),
        ]
    failed = any(episode.failure is not None for episode in episodes)
    if not failed:
        found += unrepeated(subject)
    keys = {one.key for one in found}
    yield from found
    if not failed:
        yield from complaints(subject, keys)


def _no_space(subject: Subject, kind: str) -> Finding:
    return Finding(
        key=f"no_{kind}",
        severity="fault",
        section="contract",
        what=f"It has no {kind}, so nothing can be played and its steps were not tried.",
        change=f"Set self.{kind} in __init__().",
        where=method_line(subject.unwrapped, "__init__") or method_line(subject.unwrapped, "reset"),
    )


def _failures(subject: Subject, episodes: list[Episode]) -> Iterator[Finding]:
    for episode in episodes:
        if episode.failure is not None:
            yield _failure(subject, episode, episode.failure)


def _failure(subject: Subject, episode: Episode, failure: Failure) -> Finding:
    way = "" if failure.call == "reset" else f" with action {shown(failure.action)} after {failure.steps} steps"
    line = raising_line(failure.trace) or return_line(subject.unwrapped, failure.call)
    return Finding(
        key=f"{failure.call}_fails",
        severity="fault",
        section="contract",
        what=f"{failure.call}(){way} {failure.what} (reset with seed {episode.seed}, random actions).",
        change=_repair(failure, line),
        where=line,
    )


def _repair(failure: Failure, line: str | None) -> str:
    """What to do about a failure."""
    if not failure.raised:
        made = "observation and info" if failure.call == "reset" else _STEP
        return f"Let {failure.call}() return {made}."
    if failure.call == "reset" and "unexpected keyword argument" in failure.what:
        return "Declare def reset(self, *, seed=None, options=None), and begin it with super().reset(seed=seed)."
    return "Fix the exception." if line is None else f"Fix the exception at {line}."


def _rewards(subject: Subject, episodes: list[Episode]) -> Iterator[Finding]:
    for moment in _steps(episodes):
        reward = moment.reward
        if isinstance(reward, (bool, np.bool_)):
            continue
        is_number = isinstance(reward, (Real, np.number))
        if is_number and math.isfinite(float(reward)):
            continue
        kind = "is not finite" if is_number else "is no number"
        yield Finding(
            key="reward_not_finite" if is_number else "reward_not_a_number",
            severity="fault",
            section="contract",
            what=f"A reward {kind}: step() returned {shown(reward)} ({type(reward).__name__}) for action "
            f"{shown(moment.action)}.",
            change="Return a finite float.",
            where=return_line(subject.unwrapped, "step"),
            cost=math.inf if is_number else None,
            cost_of="one such reward makes every average of returns and every target useless" if is_number else "",
        )
        return


def _outside(subject: Subject, env: Any, episodes: list[Episode]) -> Iterator[Finding]:
    space = env.observation_space
    for episode in episodes:
        for step, moment in enumerate(episode.moments):
            if _contains(space, moment.copied):
                continue
            call = "reset" if step == 0 else "step"
            yield Finding(
                key="observation_outside_space",
                severity="fault",
                section="contract",
                what=f"{call}() returned an observation outside observation_space, {shown(space)}, after {step} steps: "
                f"{shown(moment.copied)}{_kind(moment.copied)}.",
                change="Let the space hold all that is shown, or keep what is shown within it.",
                where=return_line(subject.unwrapped, call),
            )
            return


def _contains(space: Any, observation: Any) -> bool:
    try:
        return bool(space.contains(observation))
    except Exception:  # noqa: BLE001  (a space that cannot even be asked does not hold it)
        return False


def _kind(observation: Any) -> str:
    if isinstance(observation, np.ndarray):
        return f" of {observation.dtype} and shape {observation.shape}"
    return f" ({type(observation).__name__})"


def _changed(subject: Subject, episodes: list[Episode]) -> Iterator[Finding]:
    """Observations that are other than when they were returned."""
    moments = [moment for episode in episodes for moment in episode.moments]
    changed = [moment for moment in moments if not same(moment.observation, moment.copied)]
    if changed:
        first = changed[0]
        yield Finding(
            key="observation_changes_later",
            severity="fault",
            section="contract",
            what=f"{len(changed):,} of {len(moments):,} observations were changed after they had been returned: "
            f"{shown(first.copied)} became {shown(first.observation)}. Whoever keeps them, as every replay buffer "
            "does, learns from the wrong ones.",
            change="Return a copy: observation.copy().",
            where=return_line(subject.unwrapped, "step"),
            cost=None,
        )


def _after_the_end(subject: Subject, episodes: list[Episode]) -> Iterator[Finding]:
    """What a step after the end does, where it does not raise."""
    for episode in episodes:
        after, last = episode.after, episode.moments[-1] if episode.moments else None
        if after is None or last is None:
            continue
        pays = _as_number(after.reward)
        if math.isnan(pays) or (after.terminated and not (pays > 0 and pays == _as_number(last.reward))):
            continue
        yield Finding(
            key="steps_after_the_end",
            severity="note",
            section="contract",
            what=f"step() after the end of an episode still {f'pays {number(pays)}' if pays else 'goes on with it'}: "
            "Gymnasium leaves this undefined; raising ResetNeeded would catch a forgotten reset().",
            change="Nothing, or raise gymnasium.error.ResetNeeded there.",
            where=method_line(subject.unwrapped, "step"),
        )
        return


def _as_number(reward: Any) -> float:
    """The reward; NaN where it is none."""
    return float(reward) if isinstance(reward, (Real, np.number, np.bool_)) else math.nan


def _steps(episodes: list[Episode]) -> Iterator[Moment]:
    for episode in episodes:
        yield from episode.moments[1:]
