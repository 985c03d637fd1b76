"""What is compared with what: worlds x agents x runs, and games, and the cells that they come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from baselines.comparison.cells import AgentCell, Cell, FunctionCell
from baselines.comparison.game_cells import game_cells
from baselines.games.registry import GAME_AGENTS
from baselines.games.specification import GameSpecification
from baselines.registry import AGENTS
from baselines.training.custom_agent import TrainFunction, check_function, load_function, pickle_by_value
from baselines.training.library_agent import LibraryAgent
from baselines.training.origin import origin_of
from baselines.training.registration import AgentSpecification
from baselines.training.specification import WorldSpecification, each_once
from rl_envs.mdp.finite_mdp import check_integer
from rl_envs.specification import named

# Runs of a library's agent per cell: two take seconds, and a kill loses no more than that.
LIBRARY_RUNS_PER_CELL = 2


@dataclass(frozen=True)
class Specifications:
    """The names of a comparison, parsed.

    Attributes:
        worlds: where agents learn.
        agents: the agents on worlds.
        games: the games.
        game_agents: the agents in games; none for all that can play each game.
    """

    worlds: tuple[WorldSpecification, ...]
    agents: tuple[AgentSpecification, ...]
    games: tuple[GameSpecification, ...]
    game_agents: tuple[AgentSpecification, ...]


@dataclass(frozen=True)
class Comparison:
    """What to compare.

    Attributes:
        worlds: names of worlds or Gymnasium ids, with settings after a colon: "LineWalk:size=9". Your own environment
            is "my_module:MyEnv-v0" or "file.py:make_env:size=3".
        agents: names of agents, with settings after a colon: "QLearning:epsilon=0.2".
        functions: your own agents: "PPO=my_agents.py:train", where train(env_fn, steps, seed) returns a policy.
        runs: independent runs of each agent on each world, each with a seed of its own.
        library_runs: the same for agents of libraries and your own agents, which train one run after the other.
        steps: environment steps per run.
        checkpoints: number of evaluations per run, besides the one at the start.
        seed: base seed, from which every run's seed is derived.
        games: names of games, with settings after a colon: "climbing", "penalty:k=-10". With games, worlds may be
            empty.
        game_agents: names of agents that play the games, with settings: "IndependentQ:exploration=softmax". By default
            all agents that can play a game.
        rounds: rounds per run of a game.
    """

    worlds: tuple[str, ...] = ("LineWalk", "LineBalance", "RandomMDP", "Bandit")
    agents: tuple[str, ...] = ("Random", "Optimal", "QLearning", "DQN", "ActorCritic", "SB3DQN", "SB3A2C")
    functions: tuple[str, ...] = ()
    runs: int = 30
    library_runs: int = 10
    steps: int = 6_000
    checkpoints: int = 40
    seed: int = 0
    games: tuple[str, ...] = ()
    game_agents: tuple[str, ...] = ()
    rounds: int = 10_000

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(entry.default, tuple):
                object.__setattr__(self, entry.name, _names(entry.name, value))
            elif isinstance(value, np.integer):  # which JSON does not know
                object.__setattr__(self, entry.name, int(value))

    @cached_property
    def specifications(self) -> Specifications:
        """The names, parsed here and nowhere else.

        Raises:
            ValueError, TypeError: text that is no name with settings, or an unknown agent or setting; the message
                names the nearest.
        """
        return Specifications(
            tuple(map(WorldSpecification.read, self.worlds)),
            tuple(map(AGENTS.read, self.agents)),
            tuple(map(GameSpecification.read, self.games)),
            tuple(map(GAME_AGENTS.read, self.game_agents)),
        )

    def cells(self, functions: Mapping[str, TrainFunction] | None = None) -> list[Cell]:
        """All cells, in the order of the table.

        Args:
            functions: your own agents by name, besides those in the comparison's `functions`.

        Raises:
            ValueError: a number out of range, a repeated name, or an unknown world, agent or setting; the message names
                the nearest.
            TypeError: an agent that cannot learn one of the worlds, or something that is no training function.
            StorageError: a file of functions cannot be read.
        """
        for number in ("runs", "library_runs", "steps", "checkpoints"):
            check_integer(number, getattr(self, number), low=1)
        check_integer("seed", self.seed, low=0)
        own = {**_loaded(self.functions), **_mapping(functions)}
        _check(own)
        given = self.specifications
        agents = each_once("agents", given.agents)
        origins = {name: origin_of(function) for name, function in own.items()}
        cells: list[Cell] = []
        for world in self._worlds(given.worlds):
            cells += self._agent_cells(world, agents, needed=not own)
            for name, function in own.items():
                cells += [
                    FunctionCell(world, name, *part, self.steps, 1, self.seed, function=function, origin=origins[name])
                    for part in _parts(self.library_runs, LIBRARY_RUNS_PER_CELL)
                ]
        return cells + game_cells(
            given.games,
            given.game_agents,
            runs=self.runs,
            rounds=self.rounds,
            checkpoints=self.checkpoints,
            seed=self.seed,
        )

    def _worlds(self, given: Sequence[WorldSpecification]) -> Sequence[WorldSpecification]:
        """The worlds; refuses an empty list without games, and one world under two names."""
        worlds = each_once("worlds", given)
        if not worlds and not self.games:
            raise ValueError("worlds must name at least one, but is empty")
        return worlds

    def _agent_cells(
        self, world: WorldSpecification, agents: Sequence[AgentSpecification], *, needed: bool
    ) -> list[AgentCell]:
        if not agents and needed:
            raise ValueError("agents must name at least one, but is empty")
        truth = world.task.truth
        if truth is not None:
            truth.score(truth.optimal_policy)  # refuses a world where the optimum is no better than chance
        cells: list[AgentCell] = []
        for agent in agents:
            with named(agent.specification):
                agent.make(world.task)  # refuses a wrong agent now, not after hours of training
            library = issubclass(agent.agent_class, LibraryAgent)
            num_runs = self.library_runs if library else self.runs
            cells += [
                AgentCell(world, agent, *part, self.steps, self.checkpoints, self.seed)
                for part in _parts(num_runs, LIBRARY_RUNS_PER_CELL if library else num_runs)
            ]
        return cells


def _names(what: str, value: object) -> tuple[str, ...]:
    """Names as a tuple; refuses a single string, whose letters would count as names, and unordered collections."""
    if not isinstance(value, (list, tuple)):
        hint = f": write ({value!r},)" if isinstance(value, str) else ""
        raise TypeError(f"{what} must be a tuple or a list of names, but is {value!r}{hint}")
    for name in value:
        if not isinstance(name, str):
            raise TypeError(f"{what} must hold names, which are strings, but holds {name!r}")
    return tuple(value)


def _mapping(functions: Mapping[str, TrainFunction] | None) -> Mapping[str, TrainFunction]:
    """Functions by name; none for None."""
    if not (functions is None or isinstance(functions, Mapping)):
        raise TypeError(f"functions must be a dictionary of functions by name, but is {functions!r}")
    for name in functions or {}:
        if not isinstance(name, str):
            raise TypeError(f"functions must have names that are strings, but one is {name!r}")
    return functions or {}


def _parts(num_runs: int, size: int) -> list[tuple[int, int]]:
    """The first run and the number of runs of each cell."""
    return [(first, min(size, num_runs - first)) for first in range(0, num_runs, size)]


def _loaded(functions: Sequence[str]) -> dict[str, TrainFunction]:
    """Functions by name, from "NAME=file.py:function"."""
    found: dict[str, TrainFunction] = {}
    for given in functions:
        name, equals, place = given.partition("=")
        if not equals:
            raise ValueError(f"functions must be given as NAME=file.py:function, but there is {given!r}")
        if name in found:
            raise ValueError(f"functions must have different names, but {name!r} is given twice")
        found[name] = load_function(place)
    return found


def _check(functions: Mapping[str, TrainFunction]) -> None:
    """Refuse bad functions, and names that could be mistaken for a registered agent's."""
    for name, function in functions.items():
        check_function(function)
        pickle_by_value(function)
        if name in AGENTS or not name.strip() or ":" in name:
            raise ValueError(
                f"the name of an agent of your own must not be that of a registered agent, empty or hold a colon, "
                f"but is {name!r}"
            )


# Small enough for a first look, or to check every change.
QUICK = Comparison(runs=10, library_runs=2, steps=3_000, checkpoints=20, rounds=2_000)

PRESETS = {"default": Comparison(), "quick": QUICK}
