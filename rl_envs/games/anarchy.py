"""The price of anarchy: the loss of welfare because players decide individually.

The social optimum divided by the welfare of the worst equilibrium. If payoffs are costs (welfare below 0), it is the
cost of the worst equilibrium divided by the least cost, so it is at least 1 in both cases.

Source: Koutsoupias & Papadimitriou (1999), Worst-case equilibria.
"""

from __future__ import annotations

from rl_envs.games.correlated import coarse_correlated_equilibrium, correlated_equilibrium
from rl_envs.games.equilibria import all_equilibria
from rl_envs.games.normal_form import NormalFormGame
from rl_envs.names import unknown

CONCEPTS = ("nash", "pure", "correlated", "coarse_correlated")


def price_of_anarchy(game: NormalFormGame, concept: str = "nash") -> float:
    """The social optimum over the welfare of the worst equilibrium.

    Args:
        game: two players for "nash", any number otherwise.
        concept: which equilibria count: "nash" (all, mixed ones included), "pure", "correlated" or
            "coarse_correlated".

    Returns:
        A ratio, at least 1.

    Raises:
        ValueError: if the concept is unknown, the game has no pure equilibrium for "pure", or the two welfares do not
            have the same sign, because then their ratio is meaningless.
    """
    best, worst = game.social_optimum().welfare, worst_equilibrium_welfare(game, concept)
    if best > 0 and worst > 0:
        return best / worst
    if best < 0 and worst < 0:
        return worst / best
    raise ValueError(
        "the price of anarchy is a ratio and needs the welfare of optimum and worst equilibrium to have one sign, but "
        f"in {game.name} they are {best:g} and {worst:g}"
    )


def worst_equilibrium_welfare(game: NormalFormGame, concept: str = "nash") -> float:
    """The smallest sum of payoffs at an equilibrium.

    Args:
        game: two players for "nash", any number otherwise.
        concept: as for `price_of_anarchy`.

    Returns:
        The welfare of the worst equilibrium.

    Raises:
        ValueError: if the concept is unknown, or "pure" and the game has no pure equilibrium.
    """
    if concept == "nash":
        # On a maximal Nash subset each payoff is linear in the other's strategy alone: corners hold the minimum.
        return float(min(equilibrium.welfare for equilibrium in all_equilibria(game)))
    if concept == "pure":
        joint_actions, welfare = game.pure_equilibria(), game.payoffs.sum(axis=0)
        if not joint_actions:
            raise ValueError(f"{game.name} has no pure equilibrium; use another concept of {', '.join(CONCEPTS)}")
        return float(min(welfare[joint] for joint in joint_actions))
    if concept == "correlated":
        return correlated_equilibrium(game, worst=True).value
    if concept == "coarse_correlated":
        return coarse_correlated_equilibrium(game, worst=True).value
    raise ValueError(unknown("equilibrium concept", concept, CONCEPTS))
