"""The command line: `python -m baselines compare`, `python -m baselines list`, and so on."""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence

from baselines.commands import COMMANDS
from baselines.commands.exit_codes import BROKEN_PIPE, INTERRUPTED, complain, end_at_interrupts, raised_at_interrupts

PROGRAM = "python -m baselines"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: the words after the program's name; from `sys.argv` by default.

    Returns:
        The exit code.
    """
    import rl_envs
    from rl_envs.names import unknown

    replace_unprintable_characters()
    name, *typed = (sys.argv[1:] if arguments is None else list(arguments)) or ["--help"]
    if name in ("-h", "--help"):
        print(usage())
        return 0
    if name == "--version":
        print(f"rl-envs {rl_envs.__version__}")
        return 0
    if name not in COMMANDS:
        return complain(f"Error: {unknown('command', name, COMMANDS)}", usage())
    import tyro

    from baselines.commands.flags import check_typed
    from baselines.system.threads import one_thread

    try:
        check_typed(typed)
    except ValueError as error:
        return complain(f"Error: {error}")
    module = importlib.import_module(f"baselines.commands.{name}")
    with one_thread(), raised_at_interrupts():
        try:
            if hasattr(module, "main"):
                return module.main(typed)
            return tyro.cli(module.command(typed), prog=f"{PROGRAM} {name}", args=typed)
        except KeyboardInterrupt:
            complain("Stopped.")
            return INTERRUPTED
        except BrokenPipeError:  # the reader, `head` say, has closed the pipe
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is flushed at the end
            return BROKEN_PIPE


def usage() -> str:
    """The commands, with a line of help each."""
    lines = [f"usage: {PROGRAM} COMMAND [--help] ...", f"       {PROGRAM} --version", "", "commands:"]
    return "\n".join(lines + [f"  {name:9}{summary}" for name, summary in COMMANDS.items()])


def replace_unprintable_characters() -> None:
    """Print "?" for characters that the terminal or log cannot encode, instead of failing."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


if __name__ == "__main__":
    end_at_interrupts()
    sys.exit(main())
