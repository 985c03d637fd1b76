"""The commands of `python -m baselines`, a module each.

A module has a function `command(typed)` that is given what was typed after the command's name and gives back the
function to call: its arguments are the flags, by tyro, and what it returns is the exit code. Being given what was
typed, a command can let one argument decide the others' defaults (a preset, a file) or which flags there are (an
agent's).
"""

from __future__ import annotations

# Name, and what stands beside it in the help. The module of the same name is imported only when the command is run.
COMMANDS: dict[str, str] = {
    "compare": "train agents on worlds and in games, and show how far each ends from the exact optimum",
    "report": "write the page, the tables and the pictures of a comparison that was made before",
    "tune": "search for settings with which an agent does better, and judge them by runs of their own",
    "train": "train one agent on one world, with logs for TensorBoard and a film of the result if wished",
    "watch": "let a saved agent play in the terminal or in a window",
    "list": "list the worlds and the agents, the games and those who play them",
}
