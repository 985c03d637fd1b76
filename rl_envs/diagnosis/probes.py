"""The probe worlds of the exam: worlds so small that what a known bug learns in them can be computed.

Each is a table with a few facts beside it. An end shows an observation that is trained and is not the next start, so
that a missing terminal mask leaves a trace of its own. Starts come in a fixed order, and where the first episode enters
that order depends on the seed and the copy, so that an error in how rollouts are cut does not agree between seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rl_envs.mdp.finite_mdp import FiniteMDP, Outcome, tabulate

# (state, action) -> what may follow
Rule = Callable[[int, int], list[Outcome]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Probe:
    """A probe world and what the exam has to know about it.

    Args:
        name: what it is called in reports.
        purpose: what it shows, in one sentence.
        picture: a drawing of it as text, with the rewards as they are at this scale.
        mdp: its dynamics.
        labels: what is seen in each state, [S] int; two states with the same label look alike.
        label_names: a name for each observation.
        starts: the states in which episodes start, in the order in which they do.
        max_episode_steps: time limit in steps.
        chooses: whether actions differ. Where they do not, values depend on no policy.
    """

    name: str
    purpose: str
    picture: str
    mdp: FiniteMDP
    labels: np.ndarray  # [S] int64
    label_names: tuple[str, ...]
    starts: tuple[int, ...]
    max_episode_steps: int
    chooses: bool = False

    @property
    def num_observations(self) -> int:
        """How many different observations there are."""
        return len(self.label_names)

    def outcome_due(self, taken: np.ndarray, state: int, action: int) -> int:
        """Which outcome comes next: they take turns, each as often as is probable, so that chance adds no noise.

        Args:
            taken: how often each outcome came so far, [S, A, K]; counted on here.
            state: where the action is taken.
            action: which one.
        """
        probability = self.mdp.probability[state, action]
        counts = taken[state, action]
        due = np.where(probability > 0, probability * (counts.sum() + 1) - counts, -np.inf)
        outcome = int(np.argmax(due))
        counts[outcome] += 1
        return outcome

    @cached_property
    def entrances(self) -> tuple[tuple[int, int, int], ...]:
        """Where the first episode may begin: (index of the start, state, steps already taken of the time limit).

        In worlds without a choice these are all the steps of the cycle that episodes make; where actions differ, the
        first steps of episodes alone.
        """
        places = []
        for index, start in enumerate(self.starts):
            state, elapsed = start, 0
            while True:
                places.append((index, state, elapsed))
                following = int(np.argmax(self.mdp.probability[state, 0]))
                ended = self.mdp.terminated[state, 0, following]
                state, elapsed = int(self.mdp.next_state[state, 0, following]), elapsed + 1
                if self.chooses or ended or elapsed >= self.max_episode_steps:
                    break
        return tuple(places)


def ruler(*, scale: float = 100.0, discount: float = 0.5, end_shows: int = 1) -> Probe:
    """Three steps that pay 1, 10 and 100: the digits tell which reward came, the halves how often it was discounted.

    Args:
        scale: the largest reward.
        discount: gamma.
        end_shows: the state whose observation the end shows.
    """
    rewards = [scale / 100, scale / 10, scale]

    def rule(state: int, action: int) -> list[Outcome]:
        ends = state == 2
        return [Outcome(1.0, end_shows if ends else state + 1, rewards[state], ends)]

    pays = [f"{reward:g}" for reward in rewards]
    return Probe(
        name="Ruler",
        purpose="which reward reached which state, and how often it was discounted on the way",
        picture=f"s0 --{pays[0]}--> s1 --{pays[1]}--> s2 --{pays[2]}--> end (looks like s{end_shows})",
        mdp=tabulate(rule, num_states=3, num_actions=2, start=0, discount=discount),
        labels=np.arange(3),
        label_names=("s0", "s1", "s2"),
        starts=(0,),
        max_episode_steps=100,
    )


def ratchet(*, scale: float = 100.0, discount: float = 0.5, reward: float | None = None) -> Probe:
    """A loop that pays for ever and is cut by a time limit of 3: what is made of a time limit.

    Args:
        scale: the largest reward of the other worlds.
        discount: gamma.
        reward: what the loop pays; so much that its value is about `scale` when left out.
    """
    pay = 0.4 * scale if reward is None else reward

    def rule(state: int, action: int) -> list[Outcome]:
        return [Outcome(1.0, 1, pay if state == 1 else 0.0)]

    return Probe(
        name="Ratchet",
        purpose="what is made of a time limit",
        picture=f"a --0--> b, and b --{pay:g}--> b for ever; a time limit cuts every episode after 3 steps",
        mdp=tabulate(rule, num_states=2, num_actions=2, start=0, discount=discount),
        labels=np.arange(2),
        label_names=("a", "b"),
        starts=(0,),
        max_episode_steps=3,
    )


def twin_episodes(*, scale: float = 100.0, discount: float = 0.5) -> Probe:
    """Rich and poor episodes take turns and start alike: whether anything comes over the end of an episode.

    A start that looks the same before both is worth their mean, and so is what bootstraps from it. Returns that leak
    over the end bring the very next episode's rewards, which after a poor one are a rich one's.
    """
    # state: (label, next state or None for the end, reward)
    steps = [
        ("s", 1, 0.0),
        ("p", 2, 0.2),
        ("p'", None, 0.1),
        ("s", 4, 1.0),
        ("r", 5, 0.5),
        ("r'", 6, 0.2),
        ("r''", None, 0.8),
    ]
    names = ("s", "p", "p'", "r", "r'", "r''")
    shown_at_the_end = {2: 4, 6: 1}  # a poor episode ends in the sight of r, a rich one in that of p

    def rule(state: int, action: int) -> list[Outcome]:
        _, following, share = steps[state]
        ends = following is None
        return [Outcome(1.0, shown_at_the_end[state] if following is None else following, share * scale, ends)]

    def pay(state: int) -> str:
        return f"{steps[state][2] * scale:g}"

    return Probe(
        name="Twin episodes",
        purpose="whether anything comes over the end of an episode",
        picture=(
            f"poor: s --{pay(0)}--> p --{pay(1)}--> p' --{pay(2)}--> end (looks like r)\n"
            f"rich: s --{pay(3)}--> r --{pay(4)}--> r' --{pay(5)}--> r'' --{pay(6)}--> end (looks like p)\n"
            "poor and rich episodes take turns"
        ),
        mdp=tabulate(rule, num_states=7, num_actions=2, start=np.eye(7)[0] / 2 + np.eye(7)[3] / 2, discount=discount),
        labels=np.array([names.index(label) for label, _, _ in steps]),
        label_names=names,
        starts=(0, 3),
        max_episode_steps=100,
    )


def split(*, scale: float = 100.0, discount: float = 1.0) -> Probe:
    """A goes to B or C with equal probability, B pays and C does not: whether targets are detached.

    Source: Sutton & Barto (2018), example 11.2.
    """

    def rule(state: int, action: int) -> list[Outcome]:
        if state == 0:
            return [Outcome(0.5, 1), Outcome(0.5, 2)]
        pays = state == 1
        return [Outcome(1.0, 3 + (not pays) if state < 3 else state, scale if pays else 0.0, True)]

    return Probe(
        name="Split",
        purpose="whether the target is held fixed while the prediction moves",
        picture=(
            "A --0--> B or C, one as often as the other\n"
            f"B --{scale:g}--> end, C --0--> end (each end looks like nothing else)"
        ),
        mdp=tabulate(rule, num_states=5, num_actions=2, start=0, discount=discount),
        labels=np.arange(5),
        label_names=("A", "B", "C", "end of B", "end of C"),
        starts=(0,),
        max_episode_steps=100,
    )


# What each action pays in each context, as shares of the scale: another action is best in each, all sums differ, and
# the worst ones are not the best ones of the contexts around.
CONTEXT_REWARDS = ((1.0, 0.4, 0.1), (0.2, 0.8, 0.4), (0.1, 0.3, 0.6))


def contexts(*, scale: float = 100.0, discount: float = 0.5) -> Probe:
    """One step, three situations, three actions, another one best in each: whether anything is learned at all."""
    table = np.array(CONTEXT_REWARDS) * scale

    def rule(state: int, action: int) -> list[Outcome]:
        # The observation at the end is that of the context that comes neither now nor next.
        return [Outcome(1.0, (state + 2) % 3, float(table[state, action]), True)]

    rows = [", ".join(f"{pay:g}" for pay in row) for row in table]
    return Probe(
        name="Contexts",
        purpose="whether one step is learned, in the right situation and for the right action",
        picture="\n".join(
            f"{name}: three actions pay {row}, then the end (looks like {'xyz'[(index + 2) % 3]})"
            for index, (name, row) in enumerate(zip("xyz", rows))
        ),
        mdp=tabulate(rule, num_states=3, num_actions=3, start=np.full(3, 1 / 3), discount=discount),
        labels=np.arange(3),
        label_names=("x", "y", "z"),
        starts=(0, 1, 2),
        max_episode_steps=100,
        chooses=True,
    )


def loud(*, scale: float = 100.0, discount: float = 0.5) -> Probe:
    """A large reward with probability 1/2 against a tenth of it for sure: whether rewards are clipped.

    The large one is worth five times as much, but half as much once both count as 1.
    """

    def rule(state: int, action: int) -> list[Outcome]:
        if action == state:
            return [Outcome(1.0, state, scale / 10, True)]
        return [Outcome(0.5, state, scale, True), Outcome(0.5, state, 0.0, True)]

    return Probe(
        name="Loud",
        purpose="whether a large reward counts as more than a small one",
        picture=(
            f"u: the first action pays {scale / 10:g} for sure, the second {scale:g} or nothing, one as often as the "
            "other\nv: the same with the actions exchanged"
        ),
        mdp=tabulate(rule, num_states=2, num_actions=2, start=np.full(2, 0.5), discount=discount),
        labels=np.arange(2),
        label_names=("u", "v"),
        starts=(0, 1),
        max_episode_steps=100,
        chooses=True,
    )


def detour(*, scale: float = 100.0, discount: float = 0.5) -> Probe:
    """A step for nothing, then one action in three that pays: is it valued as if one always took it?

    A learner of the best policy expects all of the reward, one of the policy that it follows as much as it takes of it.
    """

    def rule(state: int, action: int) -> list[Outcome]:
        if state == 0:
            return [Outcome(1.0, 1)]
        return [Outcome(1.0, 1, scale if action == 0 else 0.0, True)]

    return Probe(
        name="Detour",
        purpose="whether values are those of the best policy, or of the one that explores",
        picture=f"s --0--> t, where one action of three pays {scale:g}, the others nothing; the end looks like t",
        mdp=tabulate(rule, num_states=2, num_actions=3, start=0, discount=discount),
        labels=np.arange(2),
        label_names=("s", "t"),
        starts=(0,),
        max_episode_steps=100,
        chooses=True,
    )
