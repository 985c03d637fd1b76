"""The named games of the textbooks, with their usual payoffs.

Player 0 chooses the row and player 1 the column; a cell holds (payoff of 0, payoff of 1), or one number if both get
the same. A builder's keyword arguments are its parameters; `named_game("penalty", k=-10)` calls the builder by name.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rl_envs.games.normal_form import NormalFormGame, two_player
from rl_envs.names import unknown
from rl_envs.specification import check_no_word


def prisoners_dilemma() -> NormalFormGame:
    """Defection dominates, but both players would be better off cooperating.

                  cooperate   defect
        cooperate   3, 3       0, 5
        defect      5, 0       1, 1

    Exact Solution: one equilibrium, (defect, defect) with 1 each; the price of anarchy is 3.

    Source: Axelrod (1984), The Evolution of Cooperation (temptation 5, reward 3, punishment 1, sucker's payoff 0).
    """
    return _symmetric([[3, 0], [5, 1]], ["cooperate", "defect"], "prisoners_dilemma")


def stag_hunt() -> NormalFormGame:
    """Hunting the stag pays most but needs both players; hunting the hare is safe.

                stag    hare
        stag    2, 2    0, 1
        hare    1, 0    1, 1

    Exact Solution: three equilibria, (stag, stag) with 2 each, (hare, hare) with 1 each, and both mixing 1/2 : 1/2
    with 1 each.

    Source: Osborne (2004), An Introduction to Game Theory, section 2.5, after Rousseau.
    """
    return _symmetric([[2, 0], [1, 1]], ["stag", "hare"], "stag_hunt")


def chicken() -> NormalFormGame:
    """A player who swerves gets less than one who does not; if neither swerves, both get nothing. A mediator helps.

                  swerve   straight
        swerve     6, 6      2, 7
        straight   7, 2      0, 0

    Exact Solution: three equilibria, (straight, swerve), (swerve, straight) and both swerving with probability 2/3
    (14/3 each). The best correlated equilibrium is worth 10.5 together, more than any mixture of these.

    Source: Aumann (1974), Subjectivity and correlation in randomized strategies.
    """
    return _symmetric([[6, 2], [7, 0]], ["swerve", "straight"], "chicken")


def battle_of_the_sexes() -> NormalFormGame:
    """Both want to go together, but each prefers a different concert.

                      Bach    Stravinsky
        Bach          2, 1      0, 0
        Stravinsky    0, 0      1, 2

    Exact Solution: three equilibria, both pure agreements and the mixed ((2/3, 1/3), (1/3, 2/3)) with 2/3 each.

    Source: Osborne & Rubinstein (1994), A Course in Game Theory, Example 15.3, after Luce & Raiffa (1957).
    """
    return two_player([[2, 0], [0, 1]], [[1, 0], [0, 2]], ["Bach", "Stravinsky"], "battle_of_the_sexes")


def matching_pennies() -> NormalFormGame:
    """Player 0 wins if the pennies match, player 1 if they do not.

                 heads    tails
        heads    1, -1    -1, 1
        tails    -1, 1    1, -1

    Exact Solution: one equilibrium, both 1/2 : 1/2, worth 0.

    Source: Osborne & Rubinstein (1994), Example 17.1.
    """
    return _zero_sum([[1, -1], [-1, 1]], ["heads", "tails"], "matching_pennies")


def rock_paper_scissors() -> NormalFormGame:
    """Each action beats one and loses to one.

                    rock     paper    scissors
        rock        0, 0     -1, 1     1, -1
        paper       1, -1    0, 0      -1, 1
        scissors    -1, 1    1, -1     0, 0

    Exact Solution: one equilibrium, both 1/3 : 1/3 : 1/3, worth 0.

    Source: folklore; the standard zero-sum form, as in Osborne & Rubinstein (1994), chapter 2.
    """
    matrix = [[0, -1, 1], [1, 0, -1], [-1, 1, 0]]
    return _zero_sum(matrix, ["rock", "paper", "scissors"], "rock_paper_scissors")


def coordination(num_actions: int = 2) -> NormalFormGame:
    """Both get 1 if they choose alike and 0 otherwise.

                a       b
        a       1       0
        b       0       1

    Exact Solution: 2^n - 1 equilibria for n actions: both uniform over the same nonempty set of actions.

    Args:
        num_actions: at least 1.

    Raises:
        ValueError: if `num_actions` is below 1.
        TypeError: if it is not an integer.

    Source: Claus & Boutilier (1998), The dynamics of reinforcement learning in cooperative multiagent systems.
    """
    if isinstance(num_actions, bool) or not isinstance(num_actions, (int, np.integer)):
        raise TypeError(f"num_actions must be an integer, but got {num_actions!r}")
    if num_actions < 1:
        raise ValueError(f"num_actions must be at least 1, but got {num_actions}")
    return _symmetric(np.eye(int(num_actions)), None, "coordination")


def climbing() -> NormalFormGame:
    """A common payoff whose best cell is next to the worst ones: independent learners end in (c, c).

                a       b       c
        a       11     -30      0
        b      -30       7      6
        c        0       0      5

    Exact Solution: three equilibria, (a, a) with 11, (b, b) with 7 and both (5/16, 0, 11/16) with 55/16. (c, c), where
    independent learners end, is not an equilibrium: the row player gains 1 by playing b.

    Source: Claus & Boutilier (1998), The dynamics of reinforcement learning in cooperative multiagent systems.
    """
    return _common([[11, -30, 0], [-30, 7, 6], [0, 0, 5]], None, "climbing")


def penalty(k: float = -100.0) -> NormalFormGame:
    """A common payoff with two best cells and a penalty k for miscoordination: learners choose the safe (b, b).

                a       b       c
        a       10      0       k
        b        0      2       0
        c        k      0      10

    Exact Solution: (a, a), (c, c) with 10, (b, b) with 2, and both (1/6, 5/6, 0) or (0, 5/6, 1/6) with 5/3 for every
    k < 0. For -10 <= k there is also both (1/2, 0, 1/2), worth (10 + k) / 2, and for -10 < k both
    (2, 10 + k, 2) / (14 + k).

    Args:
        k: the penalty, finite and at most 0.

    Raises:
        ValueError: if `k` is positive or not finite.
        TypeError: if it is not a number.

    Source: Claus & Boutilier (1998), The dynamics of reinforcement learning in cooperative multiagent systems.
    """
    if isinstance(k, bool) or not isinstance(k, (int, float, np.integer, np.floating)):
        raise TypeError(f"the penalty k must be a number, but got {k!r}")
    if not math.isfinite(k) or k > 0:
        raise ValueError(f"the penalty k must be finite and at most 0, but got {k}")
    return _common([[10, 0, k], [0, 2, 0], [k, 0, 10]], None, "penalty")


GAMES: dict[str, Callable[..., NormalFormGame]] = {
    builder.__name__: builder
    for builder in (
        prisoners_dilemma,
        stag_hunt,
        chicken,
        battle_of_the_sexes,
        matching_pennies,
        rock_paper_scissors,
        coordination,
        climbing,
        penalty,
    )
}


def named_game(name: str, **parameters: Any) -> NormalFormGame:
    """A game of the catalogue by its name.

    Args:
        name: a key of `GAMES`.
        **parameters: the builder's keyword arguments, such as `k` of the penalty game.

    Returns:
        The game.

    Raises:
        ValueError: if no game has that name (the nearest are listed), or the builder refuses a parameter's value.
        TypeError: if the game has no such parameter, or a word stands for a number.
    """
    if not isinstance(name, str) or name not in GAMES:
        raise ValueError(unknown("game", name, GAMES))
    accepted = inspect.signature(GAMES[name]).parameters
    strangers = [parameter for parameter in parameters if parameter not in accepted]
    if strangers:
        takes = f"takes {', '.join(accepted)}" if accepted else "takes no parameters"
        raise TypeError(f"the game {name} {takes}, but got {strangers[0]}={parameters[strangers[0]]!r}")
    for parameter, value in parameters.items():
        check_no_word(f"{name}'s {parameter}", value, accepted[parameter])
    return GAMES[name](**parameters)


def _symmetric(row_payoffs: Any, action_names: list[str] | None, name: str) -> NormalFormGame:
    """The players swap roles: the column player gets what the row player would in the mirrored cell."""
    matrix = np.asarray(row_payoffs, dtype=np.float64)
    return two_player(matrix, matrix.T, action_names, name)


def _common(payoffs: Any, action_names: list[str] | None, name: str) -> NormalFormGame:
    """Both players get the payoff of the cell."""
    matrix = np.asarray(payoffs, dtype=np.float64)
    return two_player(matrix, matrix, action_names, name)


def _zero_sum(row_payoffs: Any, action_names: list[str], name: str) -> NormalFormGame:
    matrix = np.asarray(row_payoffs, dtype=np.float64)
    return two_player(matrix, -matrix, action_names, name)
