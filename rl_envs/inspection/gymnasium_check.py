"""Gymnasium's own `check_env`, with its complaints as findings."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Iterator

from gymnasium.utils.env_checker import check_env

from rl_envs.inspection.finding import Finding
from rl_envs.inspection.source import method_line
from rl_envs.inspection.subject import Subject

# Complaints that say again what a finding of ours says better, by its key.
_SAID_BETTER = {
    "observation_changes_later": r"share an object",
    "observation_outside_space": r"not within the observation space",
    "reward_not_finite": r"reward is",
    "reward_not_a_number": r"reward returned by",
}
_NOT_REPEATED = r"(?i)deterministic|super\(\)\.reset|np_random|random number"
_SAID_BETTER |= dict.fromkeys(
    ("global_random", "own_generator", "seed_ignored", "reset_keeps", "seed_does_not_repeat"), _NOT_REPEATED
)

# Recommendations, which an environment may have its reasons not to follow.
_RECOMMENDED = r"probably too (low|high)|we recommend"

# Bounds that are infinite may be right.
_UNBOUNDED, _UNBOUNDED_IS_FINE = r"(infinity|probably too (low|high))", "Nothing, if the quantity has no bound."

# News about how it was called, and not about the environment.
_ABOUT_THE_CALL = r"different from the unwrapped version|no spec|not having a spec|`check_env\(warn"


def complaints(subject: Subject, found: set[str]) -> Iterator[Finding]:
    """What `gymnasium.utils.env_checker.check_env` says, without rendering and closing.

    Args:
        subject: the environment.
        found: keys of the findings there are already.

    Yields:
        A finding for each complaint: a fault where it raises, a warning where it warns, a note where it recommends.

    Raises:
        NotTabular: there is only one copy of the environment, and what it holds cannot be copied.
    """
    options = {"skip_render_check": True, "skip_close_check": True}
    known = inspect.signature(check_env).parameters
    raised: str | None = None
    with subject.fresh() as env, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            check_env(env, **{name: value for name, value in options.items() if name in known})
        except Exception as error:  # noqa: BLE001  (asserts, and whatever its own mistakes raise)
            raised = _plain(str(error)) or type(error).__name__
    said = dict.fromkeys(_plain(str(one.message)) for one in warned)
    better = [pattern for key, pattern in _SAID_BETTER.items() if key in found]
    judged = [(text, "note" if re.search(_RECOMMENDED, text) else "warning") for text in said]
    for text, severity in [*judged, *([(raised, "fault")] if raised else [])]:
        if re.search(_ABOUT_THE_CALL, text) or any(re.search(pattern, text) for pattern in better):
            continue
        yield Finding(
            key="check_env",
            severity=severity,
            section="contract",
            what=f"Gymnasium's check_env says: {text}",
            change=_UNBOUNDED_IS_FINE
            if re.search(_UNBOUNDED, text)
            else "Do as it says: wrappers, vector environments and agents rely on it.",
            where=method_line(subject.unwrapped, "reset" if "reset" in text else "step"),
        )


def _plain(text: str) -> str:
    """A message without the colours and the label of Gymnasium's logger."""
    return " ".join(re.sub(r"\x1b\[\d+m|WARN: |DeprecationWarning: ", "", text).split())
