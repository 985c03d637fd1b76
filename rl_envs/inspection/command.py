"""`python -m rl_envs inspect my_env.py:make_env`: an inspection from the command line."""

from __future__ import annotations

from collections.abc import Sequence

from rl_envs.inspection import flags
from rl_envs.inspection.inspection import inspect_env

# By verdict: warnings and notes are no failure.
EXIT_CODES = {"clean": 0, "warning": 0, "fault": 1, "not walked": 3}


def main(typed: Sequence[str]) -> int:
    """Inspect an environment.

    Args:
        typed: what was typed after `inspect`.

    Returns:
        0 where there is no fault, 1 where there is one, 2 for input that cannot be used, 3 where there is no fault
        but no exact table either.
    """
    parser = flags.parser(
        "inspect",
        "Find the exact table of an environment, and say what is wrong with its rewards, its observations and its "
        "steps. Exit code 0: no fault; 1: a fault; 2: bad input; 3: no fault seen, but no exact table either.",
    )
    asked = parser.parse_args(list(typed))
    inspection = flags.shown(asked, lambda: inspect_env(asked.environment, **flags.settings(asked)))
    if inspection is None:
        return flags.BAD_INPUT
    if inspection.verdict == "warning" and inspection.reason is not None:
        return EXIT_CODES["not walked"]
    return EXIT_CODES[inspection.verdict]
