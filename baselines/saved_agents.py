"""Loading an agent from a file alone: which class it is of, and what it was trained on, stand in the file."""

from __future__ import annotations

import os
from pathlib import Path

from baselines.agent import Agent
from baselines.agent_file import read_saved
from baselines.registry import AGENTS, agent_class
from baselines.storage import StorageError


def load_agent(path: str | os.PathLike[str]) -> Agent:
    """Load an agent of whatever registered class.

    Args:
        path: a file that `Agent.save` wrote.

    Returns:
        The agent, as it was when it was saved.

    Raises:
        StorageError: no such file, one that is cut short, foreign or edited, or an agent of a class or a world that is
            not registered.
    """
    about, _ = read_saved(Path(path))
    try:
        name = about["agent"]
        if name not in AGENTS:
            raise StorageError(f"{path} holds an agent of class {name}, which is none of the registered ones")
        return agent_class(name).load(path)
    except (KeyError, ValueError, TypeError) as error:
        raise StorageError(f"what {path} says of its agent cannot be understood: {error!r}") from error
