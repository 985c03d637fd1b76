"""A world's table with what every part of an inspection asks of it: graph, optimum, goal, names of states."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np

from rl_envs.exact import Truth, truth
from rl_envs.mdp.bellman import TIE_TOLERANCE, Dynamics
from rl_envs.mdp.finite_mdp import FiniteMDP
from rl_envs.mdp.solve import Solution, worst_values
from rl_envs.mdp.undiscounted import expected_visits
from rl_envs.worlds.world import World

# At most so many actions, and characters of an observation, are written out.
ACTIONS_SHOWN, OBSERVATION_SHOWN = 12, 60


@dataclass(frozen=True)
class Goal:
    """What an episode is for.

    Attributes:
        hit: the outcomes that reach it, [S, A, K] bool.
        rule: which outcomes those are, in words.
    """

    hit: np.ndarray
    rule: str


class TableView:
    """A world's table, and what follows from it.

    Args:
        world: the world.
        discount: gamma, instead of the world's own.
    """

    def __init__(self, world: World, discount: float | None = None) -> None:
        self.world = world
        self.mdp: FiniteMDP = (
            world.mdp if discount in (None, world.mdp.discount) else replace(world.mdp, discount=discount)
        )

    @cached_property
    def truth(self) -> Truth:
        """The exact answers."""
        return truth(self.world, discount=self.mdp.discount)

    @property
    def solution(self) -> Solution:
        """The optimum."""
        return self.truth.solution

    @cached_property
    def worst(self) -> np.ndarray:
        """The smallest value of each state under any policy, [S]."""
        return worst_values(self.mdp)

    @cached_property
    def dynamics(self) -> Dynamics:
        """The table as a matrix."""
        return Dynamics.of(self.mdp)

    @cached_property
    def tolerance(self) -> float:
        """Values that differ by no more are equal."""
        v = self.solution.v_star
        bound = self.solution.certificate.bound
        scale = max(float(np.abs(v[np.isfinite(v)]).max(initial=0.0)), float(np.abs(self.mdp.mean_reward).max()))
        return TIE_TOLERANCE * max(scale, 1e-12) + (2 * bound if np.isfinite(bound) else 0.0)

    @cached_property
    def possible(self) -> np.ndarray:
        """The outcomes that can happen, [S, A, K] bool."""
        return self.mdp.probability > 0

    @cached_property
    def goes_on(self) -> np.ndarray:
        """The outcomes that can happen after which the episode goes on, [S, A, K] bool."""
        return self.possible & ~self.mdp.terminated

    @cached_property
    def reachable(self) -> np.ndarray:
        """The states in which an episode can be running, [S] bool."""
        return self.forward(self.mdp.start > 0)

    @cached_property
    def playing(self) -> np.ndarray:
        """The states in which an episode can be running and something can still happen, [S] bool."""
        return self.reachable & ~self.mdp.terminal_states

    def forward(self, start: np.ndarray, pairs: np.ndarray | None = None) -> np.ndarray:
        """The states [S] of bool that an episode can come to from some states, with some of the actions [S, A]."""
        graph = self._graph(pairs)
        return _spread(graph.T.tocsr(), start)

    def backward(self, hit: np.ndarray, pairs: np.ndarray | None = None) -> np.ndarray:
        """The states [S] of bool from which some of the outcomes [S, A, K] can still come about, with some actions."""
        allowed = np.ones(self.mdp.mean_reward.shape, dtype=np.bool_) if pairs is None else pairs
        now = (hit & self.possible & allowed[:, :, None]).any(axis=(1, 2))
        return _spread(self._graph(pairs), now)

    def _graph(self, pairs: np.ndarray | None) -> Any:
        from scipy.sparse import csr_array

        mdp = self.mdp
        edges = self.goes_on if pairs is None else self.goes_on & pairs[:, :, None]
        states = np.nonzero(edges)[0]
        targets = mdp.next_state[edges]
        size = (mdp.num_states, mdp.num_states)
        return csr_array((np.ones(len(states)), (states, targets)), shape=size)

    @cached_property
    def ends(self) -> np.ndarray:
        """The outcomes that can happen and end the episode, [S, A, K] bool, in states where one can be running."""
        return self.possible & self.mdp.terminated & self.playing[:, None, None]

    @cached_property
    def rewarded(self) -> np.ndarray:
        """The outcomes that an episode can come to and that pay or cost something, [S, A, K] bool."""
        noise = False if self.mdp.reward_std is None else self.mdp.reward_std != 0
        return self.possible & self.playing[:, None, None] & ((self.mdp.reward != 0) | noise)

    @cached_property
    def goal(self) -> Goal | None:
        """What an episode is for, by the first rule that fits; None where nothing says so."""
        mdp, playing = self.mdp, self.playing[:, None, None]
        if self.world.goal_states is not None:
            hit = self.ends & self.world.goal_states[mdp.next_state]
            return Goal(hit, "the episode ends in one of the world's goal states") if hit.any() else None
        if not self.rewarded.any():
            return None
        paid = self.possible & playing & (mdp.reward > 0)
        if paid.any():
            # Under noise, or where every step pays, a positive reward is no sign of having got anywhere.
            if mdp.reward_std is not None or self._all_pay:
                return None
            return Goal(paid, "a step pays a positive reward")
        if self.ends.any() and self._seeks_the_end:
            best = mdp.reward[self.ends].max()
            return Goal(
                self.ends & (mdp.reward >= best - self.tolerance), "the episode ends with the highest reward for ending"
            )
        return None

    @cached_property
    def _all_pay(self) -> bool:
        """Whether every step that does not end the episode pays, so that a positive reward is no goal."""
        rewards = self.mdp.reward[self.goes_on & self.playing[:, None, None]]
        return bool(rewards.size) and bool((rewards > 0).all())

    @cached_property
    def _seeks_the_end(self) -> bool:
        """Whether optimal play comes to an end, and no later than uniform play."""
        p, _ = self.dynamics.under_actions(self.solution.policy)
        ends = self.dynamics.ends[np.arange(self.mdp.num_states), self.solution.policy]
        optimal = expected_visits(p, ends, self.mdp.start)[~self.mdp.terminal_states].sum()
        uniform = np.full((self.mdp.num_states, self.mdp.num_actions), 1 / self.mdp.num_actions)
        p, _ = self.dynamics.under_policy(uniform)
        wandering = expected_visits(p, np.asarray(self.dynamics.ends.any(axis=1)), self.mdp.start)[
            ~self.mdp.terminal_states
        ].sum()
        return bool(np.isfinite(optimal) and optimal <= wandering)

    @cached_property
    def lasting_share(self) -> float:
        """The share of episodes that optimal play goes on with for ever."""
        return float(self.mdp.start[~self.backward(self.ends, self.optimal_pairs)].sum())

    @cached_property
    def optimal_pairs(self) -> np.ndarray:
        """The pairs that lose nothing, [S, A] bool."""
        return np.asarray(self.solution.optimal_actions)

    def from_start(self, v: np.ndarray) -> float:
        """The mean over the start of values [S]."""
        possible = self.mdp.start > 0
        return float(v[possible] @ self.mdp.start[possible])

    # Names ----------------------------------------------------------------------------------------------------------

    @cached_property
    def _way(self) -> tuple[np.ndarray, np.ndarray]:
        """For each state the state and the action that it is first reached by, [S] each; -1 at a start."""
        mdp = self.mdp
        before = np.full(mdp.num_states, -2)
        action = np.full(mdp.num_states, -1)
        frontier = np.flatnonzero(mdp.start > 0)
        before[frontier] = -1
        while len(frontier):
            found: list[int] = []
            for state in frontier.tolist():
                for a, k in np.argwhere(self.goes_on[state]).tolist():
                    target = int(mdp.next_state[state, a, k])
                    if before[target] == -2:
                        before[target], action[target] = state, a
                        found.append(target)
            frontier = np.array(found, dtype=np.int64)
        return before, action

    def action(self, number: int) -> str:
        """An action in words: "action 0", "action left"."""
        name = self.world.action_names[number]
        return name if name.startswith("action ") else f"action {name}"

    def actions_to(self, state: int) -> list[str]:
        """Names of the fewest actions that can lead to a state from a start."""
        before, action = self._way
        names: list[str] = []
        while before[state] >= 0:
            names.append(self.world.action_names[action[state]])
            state = int(before[state])
        return names[::-1]

    def describe(self, state: int) -> str:
        """A state in words: its number, what is seen there, and the actions that lead there."""
        seen = shown(self.world.observation.of(state))
        actions = _runs(self.actions_to(state))
        short = actions if len(actions) <= ACTIONS_SHOWN else [*actions[: ACTIONS_SHOWN - 1], "..."]
        way = f"reached by {', '.join(short)}" if actions else "a start" if self.mdp.start[state] > 0 else "not reached"
        return f"state {state} ({'' if seen == str(state) else f'seen as {seen}, '}{way})"

    def listed(self, states: np.ndarray, most: int = 3) -> str:
        """Some states in words."""
        names = [self.describe(int(state)) for state in states[:most]]
        more = f" and {len(states) - most:,} more" if len(states) > most else ""
        return "; ".join(names) + more


def _runs(names: list[str]) -> list[str]:
    """Names in which those that follow themselves are counted: "right x8"."""
    groups = [(name, len(list(some))) for name, some in groupby(names)]
    if groups and all(name.startswith("action ") for name, _ in groups):
        first, *others = [(name.removeprefix("action "), count) for name, count in groups]
        plural = "" if not others and first[1] == 1 else "s"
        groups = [(f"action{plural} {first[0]}", first[1]), *others]
    return [name if count == 1 else f"{name} x{count}" for name, count in groups]


def shown(observation: Any) -> str:
    """An observation on one line."""
    if isinstance(observation, np.ndarray):
        observation = observation.tolist() if observation.size <= 20 else f"an array of {observation.shape}"
    elif isinstance(observation, dict):
        observation = "{" + ", ".join(f"{key}: {shown(value)}" for key, value in observation.items()) + "}"
    elif isinstance(observation, tuple):
        observation = "(" + ", ".join(map(shown, observation)) + ")"
    text = " ".join(str(observation).split())
    return text if len(text) <= OBSERVATION_SHOWN else f"{text[:OBSERVATION_SHOWN]}..."


def number(value: float) -> str:
    """A number for a sentence; what rounding leaves of 0 is 0."""
    if abs(value) < 1e-12:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def counted(count: int, what: str) -> str:
    """A number of things: "1 state", "1,200 states"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _spread(graph: Any, start: np.ndarray) -> np.ndarray:
    """The states [S] of bool from which the graph [S, S] leads to some of the states [S]."""
    reached = start.copy()
    while True:
        more = reached | (graph @ reached.astype(np.float64) > 0)
        if (more == reached).all():
            return reached
        reached = more
