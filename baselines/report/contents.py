"""What every report shows, computed once: summaries per world and over all worlds, profiles and cross-checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from baselines.comparison.game_rows import GameSummary, summarise_game
from baselines.comparison.measures import complete
from baselines.comparison.profile import Profile, performance_profile
from baselines.comparison.rows import Row
from baselines.comparison.summary import (
    AcrossWorlds,
    CrossCheck,
    Summary,
    across_worlds,
    cross_checks,
    not_checked,
    summarise,
)
from baselines.games.task import GameTask
from baselines.report.scores import Kind, figure_title, kind_of, kind_of_agent, kinds_of
from baselines.report.value_maps import ValueMaps, single_state, value_maps
from baselines.training.regret import RegretCurve, regret_bounds
from rl_envs.games import NormalFormGame

if TYPE_CHECKING:
    from baselines.comparison.results import Results

# Runs between these quantiles are shaded.
BAND = (0.1, 0.9)

# Drawn as horizontal lines: these do not learn, and their exact scores are 0 and 1 by definition.
LEVELS = ("Random", "Optimal")
OPTIMUM, RANDOM_POLICY = "optimum", "uniform policy"

# Curves and profiles are cut off below this score, so that one bad run does not squeeze the others. The figure names
# the curves that go lower.
LOWEST_SCORE = -1.0

# Up to so many of these curves are named in a figure; beyond, only their number is.
MOST_NAMED = 4

# Parts of the provenance that do not apply to a comparison without worlds, or without games.
OF_WORLDS = {"configs", "functions", "worlds", "agents", "library_runs", "steps", "checkpoints"}
OF_GAMES = {"game_configs", "games", "game_agents", "rounds"}

# Number of thresholds of a profile of sampled returns.
NUM_THRESHOLDS = 101


@dataclass(frozen=True, eq=False)
class Band:
    """Runs of one agent over training, as drawn: the mean, and the middle 80% of the runs.

    Attributes:
        steps: at the checkpoints, [C].
        runs: what each run had, [C, R].
    """

    steps: np.ndarray
    runs: np.ndarray

    @cached_property
    def mean(self) -> np.ndarray:
        """The mean over runs, [C]."""
        return self.runs.mean(axis=1)

    @cached_property
    def edges(self) -> np.ndarray:
        """The quantiles 0.1 and 0.9 over runs, [2, C]."""
        return np.quantile(self.runs, BAND, axis=1)


@dataclass(frozen=True, eq=False)
class WorldProfile:
    """The performance profile of one agent that learns.

    Attributes:
        world: on which; empty for the one over all of its worlds.
        agent: its name.
        kind: what its scores measure.
        profile: the shares of runs.
    """

    world: str
    agent: str
    kind: Kind
    profile: Profile

    @property
    def title(self) -> str:
        """The title of its figure."""
        return figure_title(self.world or "All worlds", self.kind)


@dataclass(frozen=True, eq=False)
class ScoreFigure:
    """Scores of one kind on one world over training, which share an axis.

    Attributes:
        world: its name.
        kind: what the scores measure.
        rows: agents that learn.
        levels: reference scores, drawn as horizontal lines, by name.
        steps: at the end of training, of the longest row.
    """

    world: str
    kind: Kind
    rows: Sequence[Row]
    levels: Mapping[str, float]
    steps: int

    @property
    def title(self) -> str:
        """The figure's title."""
        return figure_title(self.world, self.kind)

    @property
    def below(self) -> dict[str, str]:
        """The notes on curves that leave the figure at its lower edge, by agent."""
        if self.kind == "episodes":
            return {}
        lowest = {row.agent: float(row.scores.mean(axis=1).min()) for row in self.rows}
        return {
            agent: f"{agent}: below {LOWEST_SCORE:g}, down to {score:.3g}"
            for agent, score in lowest.items()
            if score < LOWEST_SCORE
        }


class Contents:
    """Everything that a report shows of a comparison.

    Args:
        results: the comparison's results.

    Attributes:
        results: the same.
        worlds: names of the worlds, in their order.
        agents: names of all agents of worlds, in their order.
        games: names of the games, in their order.
        summaries: of each row.
        game_summaries: of each game row.

    Raises:
        ValueError: a run, a regret or a value error that is missing or NaN; the message names it.
    """

    def __init__(self, results: Results) -> None:
        for row in results.rows:
            check_row(row)
        for game_row in results.games:
            complete(game_row.record.exploitability, f"{game_row.agent} in {game_row.game}")
        self.results = results
        self.worlds = list(dict.fromkeys(row.world for row in results.rows))
        self.agents = list(dict.fromkeys(row.agent for row in results.rows))
        self.games = list(dict.fromkeys(row.game for row in results.games))
        self.summaries: list[Summary] = [summarise(row) for row in results.rows]
        self.game_summaries: list[GameSummary] = [summarise_game(row) for row in results.games]

    @property
    def rows(self) -> Sequence[Row]:
        """The rows of worlds."""
        return self.results.rows

    @property
    def provenance(self) -> Any:
        """The comparison's provenance, the content of comparison.json."""
        return self.results.provenance

    @cached_property
    def provenance_shown(self) -> dict[str, Any]:
        """The same without the settings of worlds where there are none, and likewise of games."""
        unused = (set() if self.worlds else OF_WORLDS) | (set() if self.games else OF_GAMES)
        shown = {name: value for name, value in self.provenance.items() if name not in unused}
        if "comparison" in shown:
            shown["comparison"] = {name: value for name, value in shown["comparison"].items() if name not in unused}
        return shown

    @cached_property
    def styles(self) -> dict[str, int]:
        """A number for each agent that learns, which chooses the colour, dashes and marker of its lines."""
        learners = dict.fromkeys(row.agent for row in self.results.rows if row.who.name not in LEVELS)
        players = list(dict.fromkeys(row.agent for row in self.results.games))
        return {agent: number for number, agent in enumerate(dict.fromkeys([*learners, *players]))}

    @cached_property
    def across(self) -> list[AcrossWorlds]:
        """Each agent's summary over all of its worlds with exact scores."""
        return across_worlds(self.rows)

    @cached_property
    def checks(self) -> list[CrossCheck]:
        """Each library agent against our counterpart."""
        return cross_checks(self.rows)

    @cached_property
    def not_checked(self) -> str:
        """Which of them cannot be checked, and why; empty where all can be."""
        return not_checked(self.rows)

    @cached_property
    def thresholds(self) -> np.ndarray:
        """Scores at which profiles of exact scores are drawn, in steps of 0.01 up to 1, [T]."""
        worst = min((float(row.final.min()) for row in self.rows if row.exact), default=0.0)
        lowest = int(np.floor(max(worst, LOWEST_SCORE) * 10)) * 10
        return np.arange(min(lowest, 0), 101) / 100

    @cached_property
    def profiles(self) -> list[WorldProfile]:
        """The profile of each row of an agent that learns."""
        found = []
        for row in self.rows:
            if row.agent in self.styles:
                thresholds = self.thresholds if row.exact else self._return_thresholds(row.world)
                profile = performance_profile(thresholds, row.final)
                found.append(WorldProfile(row.world, row.agent, kind_of(row), profile))
        return found

    @cached_property
    def profiles_across(self) -> list[WorldProfile]:
        """The profile over all worlds of each agent that has several of them with at least two runs each."""
        finals = {(row.world, row.agent): row.final for row in self.rows if row.exact}
        found = []
        for agent in self.across:
            strata = [finals[world, agent.agent] for world in agent.worlds]
            if min(map(len, strata)) > 1 and agent.agent in self.styles:
                profile = performance_profile(self.thresholds, *strata)
                found.append(WorldProfile("", agent.agent, kind_of_agent(agent.who), profile))
        return found

    @cached_property
    def regret(self) -> dict[str, dict[str, RegretCurve]]:
        """Regret curves with theoretical bounds, by world and agent, where regret was recorded."""
        found: dict[str, dict[str, RegretCurve]] = {}
        for row in self.rows:
            if row.regret is not None:
                curve = RegretCurve(row.steps, row.regret, regret_bounds(row.where.task, row.steps))
                found.setdefault(row.world, {})[row.agent] = curve
        return found

    @cached_property
    def score_figures(self) -> list[ScoreFigure]:
        """The figures of learning curves."""
        return score_figures(self.rows)

    @cached_property
    def value_maps(self) -> list[ValueMaps]:
        """The value errors on each world where they are known."""
        levels = {row.agent for row in self.results.rows if row.who.name in LEVELS}
        found = (value_maps(world, self.of_world(world), levels) for world in self.worlds)
        return [maps for maps in found if maps is not None]

    @cached_property
    def single_states(self) -> dict[str, str]:
        """A sentence on the value errors of each world with a single state, which has no map."""
        found = {world: single_state(world, self.of_world(world)) for world in self.worlds}
        return {world: sentence for world, sentence in found.items() if sentence}

    def of_world(self, world: str) -> list[Row]:
        """The rows of a world."""
        return [row for row in self.rows if row.world == world]

    def _return_thresholds(self, world: str) -> np.ndarray:
        """Returns at which profiles of a world without a table are drawn, [T]."""
        returns = np.concatenate([row.final for row in self.of_world(world)])
        return np.linspace(returns.min(), returns.max(), NUM_THRESHOLDS)


def score_figures(rows: Sequence[Row]) -> list[ScoreFigure]:
    """The figures of learning curves: one a world, or two where some agents predict values and others learn to act."""
    figures = []
    for world in dict.fromkeys(row.world for row in rows):
        here = [row for row in rows if row.world == world]
        learners = [row for row in here if row.who.name not in LEVELS]
        steps = max(int(row.steps[-1]) for row in here)
        for kind in kinds_of(learners or here):
            shown = [row for row in learners if kind_of(row) == kind]
            figures.append(ScoreFigure(world, kind, shown, _levels(kind, here), steps))
    return figures


def _levels(kind: Kind, rows: Sequence[Row]) -> dict[str, float]:
    """Reference scores of the agents that do not learn; predicted values have none."""
    if kind == "policy":
        return {OPTIMUM: 1.0, RANDOM_POLICY: 0.0}
    # The uniform policy is the same at every checkpoint, so all of its episodes estimate its return.
    returns = [float(row.scores.mean()) for row in rows if not row.exact and row.who.name == "Random"]
    return {RANDOM_POLICY: returns[0]} if returns and kind == "episodes" else {}


def pure_equilibria(task: GameTask) -> list[str]:
    """The names of a matrix game's pure equilibria, "(a, a)"; none in a game with states."""
    if not isinstance(task.table, NormalFormGame):
        return []
    return [task.table.joint_name(joint) for joint in task.table.pure_equilibria()]


def check_row(row: Row) -> None:
    """Refuse a row with a number that is missing or NaN; raises ValueError naming it, the agent and the world."""
    where = f"{row.agent} on {row.world}"
    complete(row.scores, where)
    if len(row.scores) != len(row.steps):
        raise ValueError(f"every checkpoint must have scores, but {where} has {len(row.scores)} of {len(row.steps)}")
    if row.regret is not None:
        complete(row.regret, f"the regret of {where}")
        if row.regret.shape != row.scores.shape:
            raise ValueError(
                f"regret must be {row.scores.shape} like the scores, but that of {where} is {row.regret.shape}"
            )
    if row.value_error is not None and np.isnan(row.value_error).any():
        state = int(np.flatnonzero(np.isnan(row.value_error))[0])
        raise ValueError(f"every state must have a value error, but state {state} has none for {where}")
