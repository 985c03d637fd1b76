"""What happened in a walk, in words: how a state is reached, and what varies most where there are too many."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np

from rl_envs.extraction.attributes import Content
from rl_envs.extraction.contents import Contents

# So many contents are looked at for what varies most.
_SAMPLE = 2_000


class Story:
    """By which actions each state was first reached.

    Args:
        actions: the actions there are.
    """

    def __init__(self, actions: Sequence[Any]) -> None:
        self._actions = actions
        self._reached_by: array[int] = array("q")  # for each state the pair that it was reached by; -1 for a start

    def reached(self, pair: int) -> None:
        """The next state was first reached by a pair of state and action; by -1 at the start."""
        self._reached_by.append(pair)

    def of_state(self, state: int) -> str:
        """A state in words: the actions that lead there."""
        actions: list[Any] = []
        while state < len(self._reached_by) and self._reached_by[state] >= 0:
            state, action = divmod(self._reached_by[state], len(self._actions))
            actions.append(self._actions[action])
        return f"the state after actions {_path(actions[::-1])}" if actions else "the first state"

    def of_pair(self, pair: int) -> str:
        """A pair in words: the action, and the actions that lead to its state."""
        state, action = divmod(pair, len(self._actions))
        return f"action {plain_action(self._actions[action])} in {self.of_state(state)}"


def too_many(contents: Contents, met: Sequence[Content], walked: int, max_states: int) -> str:
    """What to say when there are more states than allowed: which attributes take how many values."""
    sample = met[:: max(1, len(met) // _SAMPLE)]
    counts = []
    for slot in contents.copied_slots():
        if slot not in contents.ignored:
            counts.append((len({contents.key_of(content, slot) for content in sample}), contents.name(slot)))
    counts.sort(reverse=True)
    most = ", ".join(f"{name} ({count:,} values among {len(sample):,} states)" for count, name in counts[:3])
    return (
        f"there must be at most max_states={max_states:,} states, but there are more after {walked:,} of them were "
        f"walked. Most varied: {most}. An attribute that decides nothing can be left out with ignore=; state= names "
        "what tells states apart"
    )


def plain_action(action: Any) -> Any:
    """An action as a number or a list of them."""
    return np.asarray(action).tolist()


def _path(actions: list[Any]) -> str:
    shown = [str(plain_action(action)) for action in actions]
    return ", ".join(shown) if len(shown) <= 20 else f"{', '.join(shown[:8])}, ... ({len(shown)} in all)"
