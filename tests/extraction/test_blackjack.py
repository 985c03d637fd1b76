"""Blackjack, whose observation hides a card, against the game by hand in `blackjack_by_hand`."""

import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.toy_text import blackjack as gymnasiums

sys.path.insert(0, str(Path(__file__).parent))
from blackjack_by_hand import DECK, Blackjack

from rl_envs import tabulate_env, truth
from rl_envs.extraction.refusal import NotTabular

SMALL = [1, 7, 10, 10]  # with all 13 cards a walk takes a minute, and is one of the proofs
# The id is registered with sab=True, the class has False.
SETTINGS = [{"natural": False, "sab": False}, {"natural": True, "sab": False}, {"natural": False, "sab": True}]


def state(env):
    """What the dealer's draws and the pay depend on."""
    player = env.player
    return (
        gymnasiums.sum_hand(player), gymnasiums.usable_ace(player), gymnasiums.is_natural(player),
        env.dealer[0], env.dealer[1],
    )  # fmt: skip


def walked(**arguments):
    return tabulate_env(gym.make("Blackjack-v1", **arguments), state=state, discount=1.0, check_steps=2_000)


def check(world, game: Blackjack) -> None:
    answers = truth(world)
    assert answers.optimal_value == pytest.approx(game.optimum(), abs=1e-7)
    assert answers.random_value == pytest.approx(game.at_the_start(game.uniform), abs=1e-7)

    def best_of_the_observation(observations):
        totals, ups, usable = (np.asarray(part).tolist() for part in observations)
        return np.array([0 if game.sticks(*seen) else 1 for seen in zip(totals, ups, usable)])

    # A policy that sees what a player sees gets what the recursion over what is seen says that the best one gets.
    assert answers.value(best_of_the_observation) == pytest.approx(game.optimum_by_sight(), abs=1e-7)
    assert game.optimum_by_sight() < answers.optimal_value


@pytest.mark.parametrize("arguments", SETTINGS)
def test_a_small_deck_has_the_values_of_the_game_by_hand(arguments: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gymnasiums, "deck", SMALL)
    check(walked(**arguments), Blackjack(SMALL, **arguments))


def test_the_observation_is_no_state_and_the_hidden_card_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gymnasiums, "deck", SMALL)
    with pytest.raises(NotTabular, match=r"state= given .* comes in two kinds, with BlackjackEnv.dealer = \[") as told:
        tabulate_env(gym.make("Blackjack-v1"), state="observation")
    assert "action 0 pays" in str(told.value)


@pytest.mark.proofs
@pytest.mark.parametrize("arguments", SETTINGS)
def test_the_whole_deck_has_the_values_of_the_game_by_hand(arguments: dict) -> None:
    world = walked(**arguments)
    assert world.account.states == 2_900
    check(world, Blackjack(DECK, **arguments))


def test_the_game_by_hand_has_the_policy_of_the_book() -> None:
    """Sutton & Barto (2018), figure 5.2: at which sums to stick, by the dealer's card.

    With a usable ace it has the notch at the dealer's ace that the book wonders about: 18 is hit there.
    """
    game = Blackjack(sab=True)
    for up in range(1, 11):
        lowest = next(total for total in range(11, 22) if game.sticks(total, up, False))
        assert lowest == (17 if up in (1, 7, 8, 9, 10) else 13 if up in (2, 3) else 12)
        lowest = next(total for total in range(12, 22) if game.sticks(total, up, True))
        assert lowest == (19 if up in (1, 9, 10) else 18)
