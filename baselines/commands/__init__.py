"""The commands of `python -m baselines`, a module each.

Each module has a function `command(typed)`. It takes the words typed after the command's name and returns the function
to call: tyro turns its arguments into flags, and its return value is the exit code. Seeing the typed words first lets
one argument set the defaults of others (a preset, a file) or add flags (an agent's hyperparameters). `diagnose` has a
function `main(typed)` instead, for its flags are those of `python -m rl_envs diagnose`.
"""

from __future__ import annotations

# Name and one-line help. The module of the same name is imported only when the command runs.
COMMANDS: dict[str, str] = {
    "compare": "train agents on worlds and in games, and score them against the exact optimum",
    "report": "write the report of a finished comparison: a web page, tables and figures",
    "tune": "search for better hyperparameters of an agent, and test the best on fresh seeds",
    "train": "train one agent on one world, with optional TensorBoard logs and videos",
    "watch": "watch a saved agent play, in the terminal or in a window",
    "diagnose": "train agents in probe worlds, and name the bug in those that learn the wrong values",
    "list": "list all worlds, agents, games and game agents",
}
