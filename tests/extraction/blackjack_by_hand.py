"""Blackjack by hand: Gymnasium's rules for sums instead of lists of cards, solved by recursion.

A hand is its sum with every ace as 1, and whether there is an ace. Nothing here is Gymnasium's or is walked.
"""

from collections import Counter
from functools import lru_cache

DECK = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10]


class Blackjack:
    """The game with a deck of which every card is drawn with replacement."""

    def __init__(self, deck=DECK, *, natural=False, sab=False):
        self.cards = {card: count / len(deck) for card, count in sorted(Counter(deck).items())}
        self.natural, self.sab = natural, sab
        self.dealers_end = lru_cache(maxsize=None)(self.dealers_end)
        self.best_knowing_the_hole_card = lru_cache(maxsize=None)(self.best_knowing_the_hole_card)
        self.best_by_sight = lru_cache(maxsize=None)(self.best_by_sight)
        self.sticks = lru_cache(maxsize=None)(self.sticks)
        self.stick = lru_cache(maxsize=None)(self.stick)
        self.uniform = lru_cache(maxsize=None)(self.uniform)

    @staticmethod
    def shown(low, ace):
        """The sum as it counts, and whether an ace counts as 11."""
        return (low + 10, True) if ace and low <= 11 else (low, False)

    def dealers_end(self, low, ace):
        """The law of the dealer's last sum; 0 for more than 21."""
        total, _ = self.shown(low, ace)
        if total >= 17:
            return {total if total <= 21 else 0: 1.0}
        law = Counter()
        for card, p in self.cards.items():
            for end, q in self.dealers_end(low + card, ace or card == 1).items():
                law[end] += p * q
        return law

    def stick(self, low, ace, blackjack, up, hole):
        """What sticking pays on average; blackjack says whether the hand is an ace and a ten."""
        total, _ = self.shown(low, ace)
        dealt_one = sorted((up, hole)) == [1, 10]
        value = 0.0
        for end, p in self.dealers_end(up + hole, 1 in (up, hole)).items():
            reward = (total > end) - (total < end)
            if self.sab:
                reward = 1 if blackjack and not dealt_one else reward
            elif self.natural and blackjack and reward == 1:
                reward = 1.5
            value += p * reward
        return value

    def hit(self, low, ace, value):
        """What hitting is worth where the next hand is worth value(low, ace)."""
        return sum(
            p * (-1.0 if low + card > 21 else value(low + card, ace or card == 1)) for card, p in self.cards.items()
        )

    def best_knowing_the_hole_card(self, low, ace, blackjack, up, hole):
        """The optimal value of a hand where the dealer's second card is seen."""
        return max(
            self.stick(low, ace, blackjack, up, hole),
            self.hit(low, ace, lambda a, b: self.best_knowing_the_hole_card(a, b, False, up, hole)),
        )

    def uniform(self, low, ace, blackjack, up, hole):
        """The value of hitting every other time."""
        return 0.5 * self.stick(low, ace, blackjack, up, hole) + 0.5 * self.hit(
            low, ace, lambda a, b: self.uniform(a, b, False, up, hole)
        )

    def stick_by_sight(self, low, ace, blackjack, up):
        """What sticking pays where the dealer's second card may be any: nothing seen says more about it."""
        return sum(q * self.stick(low, ace, blackjack, up, hole) for hole, q in self.cards.items())

    def best_by_sight(self, low, ace, blackjack, up):
        """The optimal value of a hand where it is not."""
        return max(self.stick_by_sight(low, ace, blackjack, up), self.hit_by_sight(low, ace, up))

    def hit_by_sight(self, low, ace, up):
        """What hitting is worth there."""
        return self.hit(low, ace, lambda a, b: self.best_by_sight(a, b, False, up))

    def sticks(self, total, up, usable):
        """Whether the best policy of the observation sticks."""
        low, ace = (total - 10, True) if usable else (total, False)
        return self.stick_by_sight(low, ace, False, up) >= self.hit_by_sight(low, ace, up)

    def at_the_start(self, value):
        """The mean over all deals of value(low, ace, blackjack, up, hole)."""
        mean = 0.0
        for one, p in self.cards.items():
            for two, q in self.cards.items():
                for up, r in self.cards.items():
                    for hole, s in self.cards.items():
                        hand = one + two, 1 in (one, two), sorted((one, two)) == [1, 10]
                        mean += p * q * r * s * value(*hand, up, hole)
        return mean

    def optimum(self):
        """The optimal value at the start with the hole card seen."""
        return self.at_the_start(self.best_knowing_the_hole_card)

    def optimum_by_sight(self):
        """The optimal value at the start without it."""
        return self.at_the_start(lambda low, ace, blackjack, up, hole: self.best_by_sight(low, ace, blackjack, up))
