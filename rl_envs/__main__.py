"""The command line: `python -m rl_envs inspect my_env.py:make_env`, `python -m rl_envs diagnose my_agent.py:train`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

# Command: the module whose `main` runs it with what was typed after it, and what it is for.
COMMANDS = {
    "inspect": ("rl_envs.inspection.command", "say what is wrong with an environment"),
    "truth": ("rl_envs.inspection.truth_command", "print an environment's optimum and other exact values"),
    "diagnose": ("rl_envs.diagnosis.command", "name the bug in an agent by what it learns"),
}

# What a shell makes of a program that Ctrl-C ended.
STOPPED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: what was typed after the program's name; `sys.argv` when left out.

    Returns:
        The exit code.
    """
    from rl_envs.names import unknown

    name, *typed = (sys.argv[1:] if arguments is None else list(arguments)) or ["--help"]
    if name in ("-h", "--help"):
        print(usage())
        return 0
    if name not in COMMANDS:
        print(f"Error: {unknown('command', name, list(COMMANDS))}\n{usage()}", file=sys.stderr)
        return 2
    module, _ = COMMANDS[name]
    try:
        return importlib.import_module(module).main(typed)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return STOPPED


def usage() -> str:
    """The commands, and what each is for."""
    lines = ["usage: python -m rl_envs COMMAND [--help] ...", "", "commands:"]
    return "\n".join(lines + [f"  {name:10}{summary}" for name, (_, summary) in COMMANDS.items()])


if __name__ == "__main__":
    sys.exit(main())
