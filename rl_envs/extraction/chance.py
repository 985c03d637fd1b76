"""The tree of everything that chance can do in one step, walked leaf by leaf by running the step again and again.

Each run replays the choices of the run before up to the last one that has another branch left, takes that branch, and
lets the rest fall as it first may. So the environment's own code is run once for each leaf, and knows nothing of it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from rl_envs.extraction.refusal import BranchLeftOut, NotTabular, calling_line

# A branch of less than this is rounding: cumulative sums that end at 1 - 1e-16 make such branches. Its mass goes to the
# others.
ROUNDING = 1e-13

# So many choices in one run of one step are a loop without end.
MOST_CHOICES = 100_000


class _Fork:
    """One choice on the way to a leaf: the branches that are followed, and how likely the way up to each of them is."""

    __slots__ = ("at", "branches", "mass", "size")

    def __init__(self, size: int, branches: Sequence[int], mass: list[float]) -> None:
        self.size = size
        self.branches = branches
        self.mass = mass
        self.at = 0


class Chance:
    """Makes the choices of one step, a different leaf of the tree each run.

        chance.begin()
        while True:
            ...                     # run the step, which calls choose() whenever it draws
            chance.mass             # how likely that run was
            if not chance.advance():
                break

    Args:
        skip_below: branches less likely than this are left out; `left_out` adds them up.
        max_branches: more leaves than this raise NotTabular.
    """

    def __init__(self, *, skip_below: float, max_branches: int) -> None:
        self._skip_below = skip_below
        self._max_branches = max_branches
        self.begin()

    def begin(self) -> None:
        """Start a new tree."""
        self._forks: list[_Fork] = []
        self._depth = 0
        self._leaves = 1
        self.left_out = 0.0

    @property
    def mass(self) -> float:
        """The probability of the choices made in this run."""
        return self._forks[-1].mass[self._forks[-1].at] if self._forks else 1.0

    def choose(self, weights: Sequence[float]) -> int:
        """Choose among branches in proportion to their weights; returns the number of the branch."""
        if self._depth < len(self._forks):
            return self._replay(len(weights))
        total = sum(weights)
        if not total > 0:
            raise NotTabular(f"probabilities must have a sum above 0, but are {list(weights)} ({calling_line()})")
        if min(weights) > ROUNDING * total:
            return self._fork(len(weights), range(len(weights)), [weight / total for weight in weights])
        possible = [branch for branch, weight in enumerate(weights) if weight > ROUNDING * total]
        total = sum(weights[branch] for branch in possible)
        return self._fork(len(weights), possible, [weights[branch] / total for branch in possible])

    def choose_evenly(self, count: int) -> int:
        """Choose among so many equally likely branches; returns the number of the branch."""
        if count == 1:
            return 0
        if self._depth < len(self._forks):
            return self._replay(count)
        if count > self._max_branches:
            raise NotTabular(
                f"a draw must have at most max_branches={self._max_branches:,} values, but the one at "
                f"{calling_line()} has {count:,}"
            )
        return self._fork(count, range(count), [1 / count] * count)

    def choose_up_to_mass(self, weights: Sequence[float], rest: float) -> int:
        """Choose among the first of infinitely many branches; the rest, of the mass given, counts as left out."""
        if self._depth < len(self._forks):
            return self._replay(len(weights))
        self.left_out += self.mass * rest
        possible = [branch for branch, weight in enumerate(weights) if weight > ROUNDING]
        return self._fork(len(weights), possible, [weights[branch] for branch in possible])

    def _fork(self, size: int, branches: Sequence[int], probabilities: list[float]) -> int:
        before = self.mass
        mass = [before * probability for probability in probabilities]
        if len(mass) > 1 and min(mass) < self._skip_below:
            kept = [i for i, m in enumerate(mass) if m >= self._skip_below]
            self.left_out += sum(mass) - sum(mass[i] for i in kept)
            if not kept:
                raise BranchLeftOut
            branches, mass = [branches[i] for i in kept], [mass[i] for i in kept]
        if len(self._forks) >= MOST_CHOICES:
            raise NotTabular(
                f"one step must make at most {MOST_CHOICES:,} draws, but is still drawing at {calling_line()}"
            )
        self._leaves += len(branches) - 1
        if self._leaves > self._max_branches:
            raise NotTabular(
                f"one step must have at most max_branches={self._max_branches:,} ways to fall, but has more, drawn at "
                f"{calling_line()}; seed= fixes what reset() draws"
            )
        self._forks.append(_Fork(size, branches, mass))
        self._depth += 1
        return branches[0]

    def _replay(self, size: int) -> int:
        fork = self._forks[self._depth]
        if fork.size != size:
            raise NotTabular(
                "a step must draw the same when it is run again, but the same state, action and draws led to another "
                f"draw at {calling_line()}: something outside the environment's attributes has changed"
            )
        self._depth += 1
        return fork.branches[fork.at]

    def advance(self) -> bool:
        """Go on to the next leaf; returns whether there is one. The step must then be run again."""
        if self._depth < len(self._forks):
            raise NotTabular(
                "a step must draw the same when it is run again, but the same state, action and draws made fewer "
                "draws: something outside the environment's attributes has changed"
            )
        self._depth = 0
        while self._forks:
            fork = self._forks[-1]
            fork.at += 1
            if fork.at < len(fork.branches):
                return True
            self._forks.pop()
        return False


class SampledChance(Chance):
    """Lets chance fall once, as it does in real play: each choice is drawn.

    Args:
        seed: of its own generator.
        max_branches: a draw of more values than this raises NotTabular.
    """

    def __init__(self, *, seed: int, max_branches: int) -> None:
        self._rng = np.random.default_rng(seed)
        super().__init__(skip_below=0.0, max_branches=max_branches)

    @property
    def mass(self) -> float:
        """No probability is kept."""
        return 1.0

    def _fork(self, size: int, branches: Sequence[int], probabilities: list[float]) -> int:
        self._leaves += 1
        if self._leaves > MOST_CHOICES:
            raise NotTabular(
                f"one step must make at most {MOST_CHOICES:,} draws, but is still drawing at {calling_line()}"
            )
        return branches[bisect_right(list(accumulate(probabilities[:-1])), self._rng.random())]
