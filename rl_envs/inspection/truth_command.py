"""`python -m rl_envs truth LineWalk`: the optimum and other exact values of an environment, from the command line."""

from __future__ import annotations

from collections.abc import Sequence

from rl_envs.inspection import flags
from rl_envs.inspection.inspection import exact_values


def main(typed: Sequence[str]) -> int:
    """Print the exact values of an environment.

    Args:
        typed: what was typed after `truth`.

    Returns:
        0 where there is a table, 2 for input that cannot be used, 3 where there is none.
    """
    parser = flags.parser(
        "truth",
        "Print the size, the optimum and other exact values of an environment. Exit code 0: done; 2: bad input; "
        "3: it has no exact table.",
    )
    asked = parser.parse_args(list(typed))
    inspection = flags.shown(asked, lambda: exact_values(asked.environment, **flags.settings(asked)))
    if inspection is None:
        return flags.BAD_INPUT
    return 0 if inspection.reason is None else 3
