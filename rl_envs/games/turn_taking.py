"""A simultaneous game for PettingZoo's turn-based interface (AEC): agents act in turn, then the round is played.

PettingZoo's own conversion does the work. Two errors that it misses are raised here: for an action out of range when
the agent chooses it, not after the last agent has chosen, and for a step after the end.
"""

from __future__ import annotations

from typing import Any

from gymnasium import spaces
from gymnasium.error import ResetNeeded
from pettingzoo.utils.conversions import parallel_to_aec_wrapper
from pettingzoo.utils.wrappers import OrderEnforcingWrapper


class TurnTakingGame(parallel_to_aec_wrapper):
    """The common part of both games' `raw_env`.

    Args:
        parallel_env: a `SimultaneousGame`.
    """

    @property
    def observation_spaces(self) -> dict[str, spaces.Space[Any]]:
        """The observation space of every agent."""
        return self.env.observation_spaces

    @property
    def action_spaces(self) -> dict[str, spaces.Space[Any]]:
        """The action space of every agent."""
        return self.env.action_spaces

    def step(self, action: Any) -> None:
        """Take the selected agent's action; the last agent's plays the round.

        Raises:
            InvalidAction: if the action is not an integer or out of range.
            ResetNeeded: if no episode is running.
        """
        if not getattr(self, "agents", []):
            raise ResetNeeded("call reset() before step(): no episode is running")
        agent = self.agent_selection
        if not (self.terminations[agent] or self.truncations[agent]):
            action = self.env.check_action(agent, action)
        super().step(action)


class OrderEnforced(OrderEnforcingWrapper):
    """PettingZoo's check of the order of calls, with an error for a step after the end, where it only warns.

    Args:
        env: a `TurnTakingGame`.
    """

    def step(self, action: Any) -> None:
        """Take the selected agent's action.

        Raises:
            InvalidAction: if the action is not an integer or out of range.
            ResetNeeded: if the episode is over.
        """
        if self._has_reset and not self.agents:
            raise ResetNeeded("call reset() before step(): no episode is running")
        super().step(action)

    def __str__(self) -> str:
        """The game's name, as PettingZoo's own wrapper gives it."""
        return str(self.env)
