"""Littman's soccer as a table: two players, one ball, and no deterministic policy that is safe.

        +---------------+       rows 0 to 3 downwards, columns 0 to 4 rightwards
        | .  .  .  .  . |       A  player_0, attacks the goal on the left
      0 | .  .  .  A  . | 0     B  player_1, attacks the goal on the right
      0 | .  B  .  .  . | 0     0  the goals: the middle two rows of either end
        | .  .  .  .  . |
        +---------------+       the kick-off; the ball is A's or B's with probability 1/2

State: the two squares, which differ, and who has the ball: 2 * 20 * 19 = 760 states; and 760 "player_0 scored", 761
"player_1 scored", where an episode ends.
Actions: 0 north, 1 east, 2 south, 3 west, 4 stand, chosen by both simultaneously; the two moves are then executed
in either order, with probability 1/2 each. A player who moves onto the other's square stays in place and, if it has the
ball, loses it to the other. Nobody can leave the pitch, except the player with the ball through the goal it attacks.
Rewards: 1 to player_0 and -1 to player_1 if player_0 scores, the negative if player_1 does, otherwise 0.
Start: the kick-off. Episode end: a goal, even if the second move has not been executed.
Exact solution: by symmetry the kick-off is worth 0; having the ball there is worth 0.21848444 to its holder.

Differences from the paper: Littman returns the players to the kick-off after a goal and continues; here the episode
ends. The kick-off is worth 0, so no value and no minimax policy changes. The squares of the kick-off are read from the
paper's figure; a figure read upside down would change no value either, because the pitch is the same upside down.

Source: Littman (1994), Markov games as a framework for multi-agent reinforcement learning, section 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rl_envs.games.markov_game import ZeroSumMarkovGame

NUM_ROWS, NUM_COLUMNS = 4, 5
GOAL_ROWS = (1, 2)
ACTION_NAMES = ("north", "east", "south", "west", "stand")
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1), (0, 0))
KICK_OFF = ((1, 3), (2, 1))
# The column a player with the ball steps into to score: just off the pitch.
GOAL_COLUMN = (-1, NUM_COLUMNS)

_NUM_CELLS = NUM_ROWS * NUM_COLUMNS
_NUM_ARRANGEMENTS = _NUM_CELLS * (_NUM_CELLS - 1)
NUM_STATES = 2 * _NUM_ARRANGEMENTS + 2


@dataclass(frozen=True)
class Position:
    """What is on the pitch.

    Attributes:
        squares: (row, column) of either player.
        ball: the player who has the ball, 0 or 1.
        scorer: the player who has just scored, or `None` while the ball is in play. A scored ball leaves the players
            at the kick-off and the ball with the scorer.
    """

    squares: tuple[tuple[int, int], tuple[int, int]]
    ball: int
    scorer: int | None = None


def state_of(position: Position) -> int:
    """The state's index of a position.

    Args:
        position: two different squares on the pitch, or a goal scored.

    Returns:
        0 to 759 in play, 760 or 761 after a goal.

    Raises:
        ValueError: if a square is off the pitch, both are the same, or there is no such player.
    """
    if position.scorer is not None:
        return 2 * _NUM_ARRANGEMENTS + position.scorer
    for player, (row, column) in enumerate(position.squares):
        if not (0 <= row < NUM_ROWS and 0 <= column < NUM_COLUMNS):
            raise ValueError(
                f"squares must be on the {NUM_ROWS} x {NUM_COLUMNS} pitch, but player {player} is at ({row}, {column})"
            )
    if position.squares[0] == position.squares[1]:
        raise ValueError(f"the players' squares must differ, but both are {position.squares[0]}")
    if position.ball not in (0, 1):
        raise ValueError(f"the ball is player 0's or 1's, but got {position.ball!r}")
    first, second = (row * NUM_COLUMNS + column for row, column in position.squares)
    return position.ball * _NUM_ARRANGEMENTS + first * (_NUM_CELLS - 1) + second - (second > first)


def position_of(state: int) -> Position:
    """The position of a state's index, the inverse of `state_of`.

    Args:
        state: 0 to 761.

    Raises:
        ValueError: if there is no such state.
    """
    if not 0 <= state < NUM_STATES:
        raise ValueError(f"soccer has states 0 to {NUM_STATES - 1}, but got {state}")
    ball, arrangement = divmod(state, _NUM_ARRANGEMENTS)
    if ball == 2:
        return Position(KICK_OFF, ball=arrangement, scorer=arrangement)
    first, rest = divmod(arrangement, _NUM_CELLS - 1)
    second = rest + (rest >= first)
    return Position((divmod(first, NUM_COLUMNS), divmod(second, NUM_COLUMNS)), ball)


def mirrored(state: int) -> int:
    """The state with the roles exchanged: the pitch turned by half a circle, and the players renamed.

    Its value to player 0 is the negative of the original's.
    """
    position = position_of(state)
    if position.scorer is not None:
        return state_of(Position(KICK_OFF, 1 - position.ball, 1 - position.scorer))
    first, second = ((NUM_ROWS - 1 - row, NUM_COLUMNS - 1 - column) for row, column in position.squares)
    return state_of(Position((second, first), 1 - position.ball))


def moved(position: Position, player: int, action: int) -> Position:
    """The position after one player's move, the other standing still.

    Args:
        position: with the ball in play.
        player: who moves, 0 or 1.
        action: 0 to 4.

    Returns:
        The new position, in which the player may have scored or lost the ball.
    """
    (row, column), (row_step, column_step) = position.squares[player], MOVES[action]
    square = (row + row_step, column + column_step)
    if action != ACTION_NAMES.index("stand") and square == position.squares[1 - player]:
        return Position(position.squares, ball=1 - player)
    if position.ball == player and square[1] == GOAL_COLUMN[player] and square[0] in GOAL_ROWS:
        return Position(KICK_OFF, ball=player, scorer=player)
    if not (0 <= square[0] < NUM_ROWS and 0 <= square[1] < NUM_COLUMNS):
        return position
    squares = (square, position.squares[1]) if player == 0 else (position.squares[0], square)
    return Position(squares, position.ball)


@lru_cache(maxsize=8)
def soccer_table(discount: float = 0.9) -> ZeroSumMarkovGame:
    """Littman's soccer as a zero-sum Markov game.

    Args:
        discount: in [0, 1); the paper's is 0.9.

    Returns:
        762 states, 5 x 5 actions, 2 outcomes: outcome 0 is player_0 moving first, outcome 1 player_1.
    """
    shape = (NUM_STATES, len(MOVES), len(MOVES), 2)
    next_state = np.zeros(shape, dtype=np.int64)
    reward = np.zeros(shape)
    terminated = np.ones(shape, dtype=bool)
    for state in range(NUM_STATES):
        position = position_of(state)
        if position.scorer is not None:
            next_state[state] = state  # nothing follows a goal
            continue
        for actions in np.ndindex(len(MOVES), len(MOVES)):
            for first_mover in (0, 1):
                after = _both_moved(position, actions, first_mover)
                outcome = (state, *actions, first_mover)
                next_state[outcome] = state_of(after)
                reward[outcome] = 0.0 if after.scorer is None else 1.0 - 2.0 * after.scorer
                terminated[outcome] = after.scorer is not None
    start = np.zeros(NUM_STATES)
    start[[state_of(Position(KICK_OFF, ball)) for ball in (0, 1)]] = 0.5
    return ZeroSumMarkovGame(np.full(shape, 0.5), next_state, reward, terminated, start, discount)


def _both_moved(position: Position, actions: tuple[int, ...], first_mover: int) -> Position:
    after = moved(position, first_mover, actions[first_mover])
    if after.scorer is not None:
        return after
    second_mover = 1 - first_mover
    return moved(after, second_mover, actions[second_mover])
