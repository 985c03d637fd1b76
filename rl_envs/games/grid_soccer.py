"""Littman's grid soccer as a PettingZoo environment: `parallel_env`, `env` and `raw_env`.

    env = parallel_env(max_cycles=100)
    observations, infos = env.reset(seed=0)
    observations, rewards, terminations, truncations, infos = env.step({"player_0": 3, "player_1": 4})

The environment samples from the table in `soccer_rules`; `solve_markov_game(env.table)` solves it.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pettingzoo import AECEnv, ParallelEnv

from rl_envs.games import soccer_drawing
from rl_envs.games.simultaneous import SimultaneousGame
from rl_envs.games.soccer_rules import MOVES, position_of, soccer_table
from rl_envs.games.turn_taking import OrderEnforced, TurnTakingGame


class parallel_env(SimultaneousGame, ParallelEnv):  # PettingZoo's name for it
    """Two players, a ball and two goals on a pitch of 4 x 5 squares.

    ## Description
    player_0 attacks the goal on the left, player_1 the one on the right. Both choose simultaneously; the two moves are
    executed in random order. A player who moves onto the other stays in place and loses the ball. A deterministic
    player can be blocked for ever: only mixed policies guarantee anything.

    ## Action Space
    `Discrete(5)`: 0 north, 1 east, 2 south, 3 west, 4 stand.

    ## Observation Space
    The same for both agents: the state. `Discrete(763)` with state s shown as s + 1; 0 is never used. s is 0 to 759 in
    play, 760 and 761 after a goal of player_0 and player_1 (`soccer_rules.position_of` decodes it).
    `observation="one_hot"`: a `Box` of 762 numbers.

    ## Starting State
    player_0 at row 1, column 3, player_1 at row 2, column 1, the ball with either with probability 1/2.

    ## Rewards
    1 for the scorer and -1 for the other in the round of the goal, otherwise 0.

    ## Episode End
    Termination with a goal; truncation after `max_cycles` rounds.

    ## Information
    For every agent, at reset and after every round: `joint_action`, int64 [2], -1 before the first round; `has_ball`,
    int8, 1 for the agent with the ball; `is_success`, int8, 1 for the agent that has just scored.

    ## Arguments
    `max_cycles`: rounds per episode. `render_mode`: "human", "rgb_array" or "ansi".
    `observation`: "index" or "one_hot".
    `discount` of the table, 0.9 in the paper; it changes no rule, only what the exact solution is.

    ## Exact Solution
    `solve_markov_game(env.table)`: the start is worth 0, and 0.21848444 to the player with the ball at the kick-off.

    ## References
    Littman (1994), Markov games as a framework for multi-agent reinforcement learning.

    ## Version History
    v0: first version.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "name": "grid_soccer_v0",
        "render_modes": ["human", "rgb_array", "ansi"],
        "render_fps": 4,
        "is_parallelizable": True,
    }

    def __init__(
        self,
        max_cycles: int = 100,
        *,
        render_mode: str | None = None,
        observation: str = "index",
        discount: float = 0.9,
    ) -> None:
        self.table = soccer_table(discount)
        self._set_up(self.table.num_actions, self.table.num_states, max_cycles, render_mode, observation)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, dict[str, Any]]]:
        """Kick off.

        Args:
            seed: seeds `np_random`; None keeps the current generator.
            options: `{"state": s}` starts in state s (0 to 759) and draws nothing; other options are ignored.

        Returns:
            Observations and infos, one entry per agent.

        Raises:
            ValueError: if the state in `options` is not one in play.
        """
        self._seed(seed)
        wanted = (options or {}).get("state")
        self._state = self._drawn(self.table.start) if wanted is None else self._state_in_play(wanted)
        self._cycle = 0
        self.agents = self.possible_agents[:]
        if self.render_mode == "human":
            self.render()
        return self._observations(), self._infos((-1, -1))

    def _play(self, joint: int) -> tuple[tuple[float, ...], bool, dict[str, dict[str, Any]]]:
        """Make both moves; one uniform number is drawn, for their order."""
        actions = divmod(joint, len(MOVES))
        entry = (self._state, *actions)
        outcome = (*entry, self._drawn(self.table.probability[entry]))
        self._state = int(self.table.next_state[outcome])
        reward = float(self.table.reward[outcome])
        return (reward, 0.0 - reward), bool(self.table.terminated[outcome]), self._infos(actions)

    def _drawn(self, probabilities: np.ndarray) -> int:
        """An index drawn from a distribution with one uniform number."""
        cumulative = np.cumsum(probabilities)
        return int(np.searchsorted(cumulative[:-1], self.np_random.random(), side="right"))

    def _state_in_play(self, state: Any) -> int:
        in_play = self.table.num_states - 2
        if isinstance(state, bool) or not isinstance(state, (int, np.integer)) or not 0 <= state < in_play:
            raise ValueError(f"the state in options must be an integer from 0 to {in_play - 1}, but is {state!r}")
        return int(state)

    def _infos(self, joint_action: tuple[int, int]) -> dict[str, dict[str, Any]]:
        position = position_of(self._state)
        return {
            agent: {
                "joint_action": np.array(joint_action, dtype=np.int64),
                "has_ball": np.int8(position.ball == player),
                "is_success": np.int8(position.scorer == player),
            }
            for player, agent in enumerate(self.possible_agents)
        }

    def _as_text(self) -> str:
        return soccer_drawing.as_text(position_of(self._state), self._cycle, self.max_cycles)

    def _as_pixels(self) -> np.ndarray:
        return soccer_drawing.as_pixels(position_of(self._state), self._cycle, self.max_cycles)


class raw_env(TurnTakingGame, AECEnv):  # PettingZoo's name for it
    """The same game with PettingZoo's turn-based AEC interface; all arguments are those of `parallel_env`."""

    def __init__(self, *args: Any, **arguments: Any) -> None:
        super().__init__(parallel_env(*args, **arguments))


def env(*args: Any, **arguments: Any) -> AECEnv:
    """The same game with PettingZoo's turn-based AEC interface, which checks the order of calls.

    Args:
        *args: those of `parallel_env`.
        **arguments: those of `parallel_env`.

    Returns:
        The wrapped environment.
    """
    return OrderEnforced(raw_env(*args, **arguments))
