"""Whether an episode repeats with its seed, and if not, what is to blame."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from rl_envs.extraction.content import ATOMS, References, Unkeyable, fingerprint
from rl_envs.extraction.global_random import drawing_lines
from rl_envs.inspection.episodes import EPISODES, Episode, play, same
from rl_envs.inspection.finding import Finding
from rl_envs.inspection.source import assignment_line, method_line
from rl_envs.inspection.subject import Subject

# Attributes that hold Gymnasium's own generator.
_GENERATOR = ("_np_random", "_np_random_seed")


def unrepeated(subject: Subject) -> Iterator[Finding]:
    """Play the same seeds and actions twice in one environment, and compare.

    Args:
        subject: the environment.

    Yields:
        At most one finding, which names the cause where it can be seen.

    Raises:
        NotTabular: there is only one copy of the environment, and what it holds cannot be copied.
    """
    seeds = list(range(EPISODES))
    with subject.fresh() as env:
        shared = _shared_state()
        first = play(env, seeds)
        drew = [name for name, before, now in zip(("random", "np.random"), shared, _shared_state()) if before != now]
        # In the opposite order, so that what is kept from an episode is another.
        second = play(env, [episode.seed for episode in first][::-1])[::-1]
        pairs = [(one, other) for one in first for other in second if one.seed == other.seed]
        differing = [(one, other, _difference(one, other)) for one, other in pairs]
        differing = [(one, other, where) for one, other, where in differing if where is not None]
        if not differing:
            return
        generators = _own_generators(env)
        ignored = _seed_is_ignored(env)
    with subject.fresh() as env:
        kept = _kept_by_reset(env, seeds[0])
    one, _, where = differing[0]
    returns = [abs(_total(a) - _total(b)) for a, b, _ in differing]
    seen = (
        f"Two episodes with the same seed ({one.seed}) and the same actions differ: {where}. "
        f"{len(differing)} of {len(pairs)} seeds do not repeat"
    )
    cost, cost_of = max(returns), "the largest difference between the returns of an episode and its repetition"
    unwrapped = subject.unwrapped

    def finding(key: str, why: str, change: str, line: str | None) -> Finding:
        return Finding(key, "fault", "contract", f"{seen}. {why}", change, line, cost, cost_of)

    if drew:
        lines = [line for name in drew for line in drawing_lines(unwrapped, name)]
        yield finding(
            "global_random",
            f"It draws from the generator of the module {' and '.join(drew)}, which the whole process shares and "
            "reset(seed=) does not seed.",
            "Draw from self.np_random.",
            ", ".join(lines[:3]) or None,
        )
    elif generators:
        yield finding(
            "own_generator",
            f"It draws from a random generator of its own, {generators[0]}, which reset(seed=) does not seed.",
            "Draw from self.np_random.",
            assignment_line(unwrapped, generators[0]),
        )
    elif ignored:
        yield finding(
            "seed_ignored",
            "reset(seed=) does not seed self.np_random.",
            "Begin reset() with super().reset(seed=seed).",
            method_line(unwrapped, "reset"),
        )
    elif kept:
        changed = "; ".join(f"{name} is first {before} and later {now}" for name, before, now in kept[:3])
        names = " and ".join(name for name, _, _ in kept[:3])
        yield finding(
            "reset_keeps",
            f"reset() keeps something from earlier episodes: after a reset with one seed, attribute {changed}.",
            f"Set {names} in reset().",
            method_line(unwrapped, "reset"),
        )
    else:
        yield finding(
            "seed_does_not_repeat",
            "What decides is not among the environment's attributes: a class attribute, a global, the time of day or "
            "another process.",
            "Keep all that decides in the environment, and set it in reset().",
            method_line(unwrapped, "reset"),
        )


def _difference(one: Episode, other: Episode) -> str | None:
    """The first thing in which two episodes differ, in words; None where they are the same."""
    for step, (a, b) in enumerate(zip(one.moments, other.moments)):
        when = "the reset" if step == 0 else f"step {step}"
        if not same(a.copied, b.copied):
            return f"{when} shows {_short(a.copied)} or {_short(b.copied)}"
        if not same(a.reward, b.reward):
            return f"{when} pays {_short(a.reward)} or {_short(b.reward)}"
        if a.ended != b.ended:
            return f"{when} ends one of them"
    if len(one.moments) != len(other.moments) and (one.moments[-1].ended or other.moments[-1].ended):
        return f"one lasts {len(one.moments) - 1} steps and the other {len(other.moments) - 1}"
    return None


def _kept_by_reset(env: Any, seed: int) -> list[tuple[str, str, str]]:
    """Attributes that are other after a reset of the used environment than before: name and both values."""
    references = References(np.random.default_rng(0), random.Random(0), [env])
    prints: list[dict[str, Any]] = []
    values: list[dict[str, str]] = []
    for _ in range(2):
        env.reset(seed=seed)
        inner = env.unwrapped.__dict__
        prints.append({name: _print(value, references) for name, value in inner.items() if name not in _GENERATOR})
        values.append({name: _short(value) for name, value in inner.items()})
        play(env, [seed + 1])
    names = [name for name in prints[0] if name in prints[1] and prints[0][name] != prints[1][name]]
    names.sort(key=lambda name: type(env.unwrapped.__dict__[name]) not in ATOMS)
    return [(name, values[0][name], values[1][name]) for name in names]


def _print(value: Any, references: References) -> Any:
    try:
        return fingerprint(value, references)
    except (Unkeyable, ValueError, RecursionError):
        return None


def _own_generators(env: Any) -> list[str]:
    """Attributes that hold a random generator which is not Gymnasium's."""
    inner = env.unwrapped
    kinds = (np.random.Generator, np.random.RandomState, random.Random)
    return [
        name
        for name, value in inner.__dict__.items()
        if name not in _GENERATOR and isinstance(value, kinds) and value is not inner.__dict__.get("_np_random")
    ]


def _seed_is_ignored(env: Any) -> bool:
    """Whether resets with one seed leave `np_random` in different states."""
    states = []
    for _ in range(2):
        env.reset(seed=5)
        states.append(repr(env.unwrapped.np_random.bit_generator.state))
        env.unwrapped.np_random.random()
    return states[0] != states[1]


def _shared_state() -> tuple[Any, Any]:
    numpy_state: Any = np.random.get_state()  # noqa: NPY002  (it is looked at, and never drawn from)
    return random.getstate(), (numpy_state[2], numpy_state[1].tobytes())


def _total(episode: Episode) -> float:
    return float(sum(float(moment.reward) for moment in episode.moments[1:]))


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:60]}..."
