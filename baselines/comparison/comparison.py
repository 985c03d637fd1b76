"""The comparison: worlds x agents x runs, cell by cell, into a folder from which any interrupted one goes on."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from math import isinf
from pathlib import Path
from typing import Any, Literal

import numpy as np

from baselines.comparison.cells import Cell, FunctionCell, WorldCell, world_meant
from baselines.comparison.findings import ABOUT, CELLS, Findings, read_findings
from baselines.comparison.game_cells import GameCell, game_cells
from baselines.comparison.results import FILE_FORMAT, made_here, version
from baselines.games.registry import make_game_config
from baselines.registry import AGENTS, agent_class, agent_meant, each_once, make_agent, make_config
from baselines.system.atomic_files import make_folder, remove_leftovers, write_atomically
from baselines.system.folder_lock import locked
from baselines.system.threads import one_thread
from baselines.system.workers import Event, JobError, WorkerError, cores, run_jobs
from baselines.training.agent_file import versions
from baselines.training.custom_agent import TrainFunction, check_function, load_function, take_along
from baselines.training.library_agent import LibraryAgent
from baselines.training.origin import origin_of
from baselines.training.specification import named, parse
from baselines.training.task import named_task
from rl_envs.mdp.finite_mdp import check_integer
from rl_envs.names import unknown

# Runs of a library's agent in one cell: a cell of two takes seconds, and a kill loses no more than that.
LIBRARY_RUNS_PER_CELL = 2

# Where cells are computed: in processes of this machine, or on a Ray cluster.
Backend = Literal["joblib", "ray"]
BACKENDS: tuple[Backend, ...] = ("joblib", "ray")


@dataclass(frozen=True)
class Comparison:
    """What is compared with what.

    Attributes:
        worlds: names of worlds, with settings after a colon: "LineWalk:size=9".
        agents: names of agents, with settings after a colon: "QLearning:epsilon=0.2".
        functions: agents of your own: "PPO=my_agents.py:train", where train(env_fn, steps, seed) gives back a policy.
        runs: independent runs of each agent on each world.
        library_runs: runs of a library's agents and of your own, which train one after the other and not together.
        steps: environment steps of each run.
        checkpoints: how often each run is scored, besides once before it starts.
        seed: the base seed of everything random.
        games: names of games, with settings after a colon: "climbing", "penalty:k=-10". With games, worlds may be none.
        game_agents: names of those who play the games, with settings: "IndependentQ:exploration=softmax"; none for all
            that can play each game.
        rounds: rounds of each run of a game.
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

    def cells(self, functions: Mapping[str, TrainFunction] | None = None) -> list[Cell]:
        """All cells, in the order of the table.

        Args:
            functions: agents of your own by name, beside those that `functions` of the comparison says where to find.

        Raises:
            ValueError: a number out of range, a name given twice, or an unknown world, agent or setting, naming the
                nearest.
            TypeError: an agent that cannot learn one of the worlds, or no training function.
            StorageError: a file of functions that cannot be read.
        """
        for number in ("runs", "library_runs", "steps", "checkpoints"):
            check_integer(number, getattr(self, number), low=1)
        check_integer("seed", self.seed, low=0)
        own = {**_loaded(self.functions), **_mapping(functions)}
        _check(own)
        agents = each_once("agents", self.agents, agent_meant)
        origins = {name: origin_of(function) for name, function in own.items()}
        cells: list[Cell] = []
        for world in self._worlds():
            cells += self._agent_cells(world, agents, needed=not own)
            for name, function in own.items():
                cells += [
                    FunctionCell(world, name, *part, self.steps, 1, self.seed, function=function, origin=origins[name])
                    for part in _parts(self.library_runs, LIBRARY_RUNS_PER_CELL)
                ]
        return cells + game_cells(
            self.games,
            self.game_agents,
            runs=self.runs,
            rounds=self.rounds,
            checkpoints=self.checkpoints,
            seed=self.seed,
        )

    def _worlds(self) -> list[str]:
        """The names of the worlds; refuses none at all where there are no games either, and one under two names."""
        worlds = each_once("worlds", self.worlds, world_meant)
        if not worlds and not self.games:
            raise ValueError("worlds must name at least one, but is empty")
        return worlds

    def _agent_cells(self, world: str, agents: Sequence[str], *, needed: bool) -> list[Cell]:
        if not agents and needed:
            raise ValueError("agents must name at least one, but is empty")
        task = named_task(world)
        if task.truth is not None:
            task.truth.score(task.truth.optimal_policy)  # refuses a world in which there is nothing to be gained
        cells: list[Cell] = []
        for agent in agents:
            with named(agent):
                make_agent(agent, task)  # raises here what would otherwise be raised in the middle of the night
            library = issubclass(agent_class(parse(agent)[0]), LibraryAgent)
            num_runs = self.library_runs if library else self.runs
            cells += [
                WorldCell(world, agent, *part, self.steps, self.checkpoints, self.seed)
                for part in _parts(num_runs, LIBRARY_RUNS_PER_CELL if library else num_runs)
            ]
        return cells


def _names(what: str, value: object) -> tuple[str, ...]:
    """Names as a tuple; refuses a single string, whose letters would be taken for names, and what has no order."""
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
    """First run and number of runs of each cell."""
    return [(first, min(size, num_runs - first)) for first in range(0, num_runs, size)]


def _loaded(functions: Sequence[str]) -> dict[str, TrainFunction]:
    """Functions by name, from "NAME=file.py:function"."""
    found: dict[str, TrainFunction] = {}
    for given in functions:
        name, equals, place = given.partition("=")
        if not equals:
            raise ValueError(f"functions must be given as NAME=file.py:function, but there is {given!r}")
        if name in found:
            raise ValueError(f"functions must have each name once, but {name!r} stands there more often")
        found[name] = load_function(place)
    return found


def _check(functions: Mapping[str, TrainFunction]) -> None:
    """Names of functions stand in the same column as those of agents, and must not be taken for one."""
    for name, function in functions.items():
        check_function(function)
        take_along(function)
        if name in AGENTS or not name.strip() or ":" in name:
            raise ValueError(
                f"the name of an agent of your own must not be that of a registered agent, empty or hold a colon, "
                f"but is {name!r}"
            )


# Small enough for a look, or for a check of every change.
QUICK = Comparison(runs=10, library_runs=2, steps=3_000, checkpoints=20, rounds=2_000)

PRESETS = {"default": Comparison(), "quick": QUICK}

# Told of each cell: what became of it ("kept", "started", "finished" or "failed"), and which one.
Progress = Callable[[str, Cell], None]


# What a worker answers: the key that the cell has there, the result, and where and when it was made.
_Answer = tuple[str, dict[str, np.ndarray], dict[str, Any]]


def compare(
    comparison: Comparison,
    folder: str | os.PathLike[str],
    *,
    functions: Mapping[str, TrainFunction] | None = None,
    workers: int | None = None,
    backend: Backend = "joblib",
    address: str | None = None,
    fresh: bool = False,
    on_cell: Progress | None = None,
) -> Findings:
    """Run every cell that has no result yet, and gather the results.

    All of it computes on one thread a process; a library that is first imported meanwhile keeps to one thread.

    Args:
        comparison: what to run.
        folder: where results lie; made if need be. Cells that are finished there already are not computed again.
        functions: agents of your own by name, train(env_fn, steps, seed) -> policy; see
            `baselines.training.custom_agent`.
        workers: how many processes of this machine; as many as it has cores when left out. With 1 cells are computed in
            this one.
        backend: "joblib", or "ray" for a Ray cluster; results are the same.
        address: of a running Ray cluster; one is started on this machine when left out.
        fresh: delete the results that the cells of this comparison have in the folder, and compute all of them anew.
        on_cell: told what becomes of each cell.

    Returns:
        A row for each world and agent and for each game and game agent, in their order.

    Raises:
        ValueError: an unknown name, naming the nearest.
        TypeError: an agent that cannot learn one of the worlds, or an argument of another type.
        StorageError: a folder or file that cannot be written, a result file that is corrupt, or a folder in use.
        JobError: an agent failed in training, or gave NaN; the other cells are computed and kept all the same.
        WorkerError: a process died, or there is no cluster.
    """
    if not isinstance(comparison, Comparison):
        raise TypeError(f"comparison must be a Comparison, but is {comparison!r}")
    workers = cores() if workers is None else check_integer("workers", workers, low=1)
    if backend not in BACKENDS:
        raise ValueError(unknown("backend", backend, BACKENDS))
    if address is not None and backend != "ray":
        raise ValueError(f"an address is for the backend 'ray', but the backend is {backend!r}")
    # The tables that cells share are solved here, on one thread too; those that were solved before may not have been.
    with one_thread():
        named_task.cache_clear()
        cells = comparison.cells(functions)
        folder = make_folder(folder)
        with locked(folder, command_line(sys.argv)):
            results = make_folder(folder / CELLS)
            for place in (results, folder):
                remove_leftovers(place)
            if fresh:
                for cell in cells:
                    cell.file(results).unlink(missing_ok=True)
            about = account(comparison, folder, cells, functions, workers, backend)
            missing = _missing(cells, results, on_cell or _silence)
            write_atomically(folder / ABOUT, (json.dumps(about, indent=2, allow_nan=False) + "\n").encode())
            with closing(_run(missing, workers, backend, address)) as events:
                _keep(events, results, on_cell or _silence)
            return read_findings(folder)


def _missing(cells: Sequence[Cell], results: Path, tell: Progress) -> list[Cell]:
    """The cells without a result, in the order in which to begin them."""
    missing = []
    for cell in cells:
        # Read whole: a corrupt file is found now and not at the end.
        if cell.read(results) is None:
            missing.append(cell)
        else:
            tell("kept", cell)
    return sorted(missing, key=lambda cell: cell.cost, reverse=True)  # so that none is left with a long one at the end


def _keep(events: Iterable[Event[Cell, _Answer]], results: Path, tell: Progress) -> None:
    """Write each result as it comes; raises JobError at the end where any failed."""
    failures = []
    for what, cell, answer in events:
        if isinstance(answer, JobError):
            failures.append((cell, answer))
        elif answer is not None:
            key, arrays, made = answer
            _check_same(cell, key)
            cell.write(arrays, results, made)
        tell(what, cell)
    if failures:
        raise JobError(_told(failures))


def _told(failures: Sequence[tuple[Cell, JobError]]) -> str:
    """What failed: the first with all there is to know of it, the others by name."""
    (_, first), *others = failures
    more = "".join(f"\n{cell}" for cell, _ in others)
    return f"{first}\n{len(others)} more failed:{more}" if others else str(first)


def _run(
    cells: Sequence[Cell], workers: int, backend: Backend, address: str | None
) -> Generator[Event[Cell, _Answer], None, None]:
    if backend == "joblib":
        yield from run_jobs(cells, compute, workers)
    elif cells:
        from baselines.system.ray_workers import run_on_ray

        yield from run_on_ray(cells, compute, workers, address)


def compute(cell: Cell) -> _Answer:
    """Compute a cell, wherever this runs."""
    return cell.key, cell.compute(), made_here()


def _check_same(cell: Cell, key: str) -> None:
    """A worker with other versions would compute something else under the same name."""
    if key != cell.key:
        raise WorkerError(
            f"every worker must have the same versions as the process that sends it cells, but one has others: {cell} "
            f"has key {cell.key} here and {key} there"
        )


def account(
    comparison: Comparison,
    folder: Path,
    cells: Sequence[Cell],
    functions: Mapping[str, TrainFunction] | None,
    workers: int,
    backend: Backend,
) -> dict[str, object]:
    """How the results are made: the command, all settings, versions, and the files they lie in."""
    origins = {cell.agent: cell.origin for cell in cells if isinstance(cell, FunctionCell)}
    libraries = {library for entry in AGENTS.values() for library in entry.libraries}
    libraries |= {library for origin in origins.values() for library in origin.libraries}
    players = dict.fromkeys(cell.agent for cell in cells if isinstance(cell, GameCell))
    typed = command_line(sys.argv)
    return {
        "format": FILE_FORMAT,
        "command": typed,
        "repeat": typed if functions else repeating_command(comparison, folder),
        "comparison": asdict(comparison),
        "configs": {agent: _written(make_config(*parse(agent))) for agent in comparison.agents},
        "game_configs": {agent: _written(make_game_config(*parse(agent))) for agent in players},
        "functions": {name: asdict(origin) for name, origin in origins.items()},
        "versions": {**versions(), **{library: version(library) for library in ("scipy", *sorted(libraries))}},
        "backend": backend,
        "workers": workers,
        "cells": [cell.file(folder / CELLS).name for cell in cells],
    }


def _written(config: Any) -> dict[str, Any]:
    """A Config's values as JSON has them, which knows no infinity."""
    values = asdict(config)
    infinite = {name: str(value) for name, value in values.items() if isinstance(value, float) and isinf(value)}
    return {**values, **infinite}


def repeating_command(comparison: Comparison, folder: Path) -> str:
    """A command that makes the same comparison, whatever the defaults and presets become."""
    words = ["python", "-m", "baselines", "compare"]
    for entry in fields(comparison):
        value = getattr(comparison, entry.name)
        if value != () or entry.name in ("worlds", "agents"):
            given = value if isinstance(value, tuple) else (value,)
            words += ["--" + entry.name.replace("_", "-"), *map(str, given)]
    return shlex.join([*words, "--out", str(folder)])


def command_line(arguments: Sequence[str]) -> str:
    """What was typed, as far as a program can know it."""
    if arguments[0] in ("", "-c"):
        return "python (interactively)"
    program = Path(arguments[0])
    if program.name == "__main__.py":
        return shlex.join(["python", "-m", program.parent.name, *arguments[1:]])
    return shlex.join(["python", *arguments])


def _silence(what: str, cell: Cell) -> None:
    pass
