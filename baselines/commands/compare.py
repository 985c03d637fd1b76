"""`python -m baselines compare`: train agents on worlds and in games, and write a folder of results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from baselines.commands.flags import (
    OptionalPath,
    OptionalText,
    changed_fields,
    mistakes_end_the_command,
    value_of,
    values_of,
    with_configs,
)
from baselines.commands.resumable import ENDS, console_for_tables, end_early
from baselines.comparison.comparison import PRESETS, Comparison
from baselines.comparison.comparison_file import ComparisonFile, read_comparison_file
from baselines.comparison.result_files import CELLS
from baselines.comparison.results import Results
from baselines.comparison.running import Backend, compare
from baselines.games.registry import GAME_AGENTS
from baselines.registry import AGENTS
from baselines.system.workers import cores
from rl_envs.names import unknown
from rl_envs.specification import Specification

if TYPE_CHECKING:
    from rich.console import Console

Preset = Literal["default", "quick"]


@dataclass(frozen=True)
class Execution:
    """Where results go, and how they are computed.

    Attributes:
        out: folder for the results.
        preset: which defaults the other options have.
        file: a TOML file of options; its keys are the names of the flags. Typed flags override it.
        workers: number of processes; all cores by default.
        backend: what runs the processes: joblib on this machine, or a Ray cluster.
        address: address of a running Ray cluster; without it, the ray backend starts one on this machine.
        fresh: delete the stored results of this comparison and compute everything again.
    """

    out: Path = Path("results")
    preset: Preset = "default"
    file: OptionalPath = None
    workers: int = field(default_factory=cores)
    backend: Backend = "joblib"
    address: OptionalText = None
    fresh: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False


def command(typed: Sequence[str]) -> Callable[..., int]:
    """The command, with defaults from the typed preset and file, and a flag for each agent's hyperparameters."""
    with mistakes_end_the_command():
        start = starting_point(typed)
        configs = configs_of_named(typed, start)

    def compare_all(
        comparison: tyro.conf.OmitArgPrefixes[Comparison] = start.comparison,
        execution: tyro.conf.OmitArgPrefixes[Execution] = start.execution,
        configs: Any = None,
    ) -> int:
        """Train agents on worlds and in games, and score them against the exact optimum or equilibrium.

        Run the same command again to resume an interrupted comparison. Every hyperparameter of the agents is a flag.
        Every flag may also be set in a TOML file.

        Args:
            comparison: what to compare.
            execution: where results go, and how they are computed.
            configs: hyperparameters of the agents.
        """
        return run_comparison(with_settings(comparison, configs), execution)

    return with_configs(compare_all, "configs", configs)


@dataclass(frozen=True)
class Start:
    """The defaults, before any flag is read.

    Attributes:
        comparison: what to compare.
        execution: where and how.
        settings: hyperparameters by the names of agents.
    """

    comparison: Comparison
    execution: Execution
    settings: Mapping[str, Mapping[str, Any]]


def starting_point(typed: Sequence[str]) -> Start:
    """The defaults: those of the typed preset, overridden by the typed file.

    Raises:
        StorageError, ValueError, TypeError: as `read_comparison_file`; an unknown preset.
    """
    preset = value_of(typed, "--preset", "default")
    if preset not in PRESETS:
        raise ValueError(unknown("preset", preset, PRESETS))
    path = value_of(typed, "--file", "")
    file = read_comparison_file(Path(path), PRESETS[preset]) if path else ComparisonFile(PRESETS[preset])
    options: dict[str, Any] = {key: Path(value) if key == "out" else value for key, value in file.options.items()}
    return Start(file.comparison, Execution(**options), file.settings)


def configs_of_named(typed: Sequence[str], start: Start) -> dict[str, Any]:
    """The Configs of the agents that are named without settings, with the values that the file sets.

    Raises:
        ValueError, TypeError: an unknown field, with the nearest known one, or an invalid value.
    """
    agents = values_of(typed, "--agents", start.comparison.agents)
    game_agents = values_of(typed, "--game-agents", start.comparison.game_agents)
    registries = {name: registry for registry in (AGENTS, GAME_AGENTS) for name in registry}
    named = [name for name in dict.fromkeys([*agents, *game_agents]) if name in registries]
    return {name: registries[name].config(name, start.settings.get(name, {})) for name in named}


def with_settings(comparison: Comparison, configs: Mapping[str, Any]) -> Comparison:
    """The comparison, with each agent's settings that differ from its defaults written behind its name."""

    def specified(agents: Iterable[str]) -> tuple[str, ...]:
        return tuple(
            Specification(agent, changed_fields(configs[agent], type(configs[agent])())).label
            if agent in configs
            else agent
            for agent in agents
        )

    return replace(comparison, agents=specified(comparison.agents), game_agents=specified(comparison.game_agents))


def run_comparison(comparison: Comparison, execution: Execution) -> int:
    """Run a comparison and write its report; errors become messages.

    Args:
        comparison: what to compare.
        execution: where and how.

    Returns:
        The exit code.
    """
    from baselines.monitoring.progress import Display

    out, console = execution.out, console_for_tables()
    try:
        with Display(console, len(comparison.cells())) as display:
            results = compare(
                comparison,
                out,
                workers=execution.workers,
                backend=execution.backend,
                address=execution.address,
                fresh=execution.fresh,
                on_cell=display,
            )
        show(results, out, console)
    except ENDS as error:
        return end_early(error, "cells", out, CELLS, without="--fresh" if execution.fresh else "")
    return 0


def show(results: Results, out: Path, console: Console) -> None:
    """Show the tables and write the report.

    Args:
        results: the comparison's results.
        out: folder of results.
        console: where to print the tables.

    Raises:
        StorageError: a file cannot be written.
    """
    from baselines.report.contents import Contents
    from baselines.report.games import game_table
    from baselines.report.terminal import explanation, terminal_table
    from baselines.report.writing import write_report

    contents = Contents(results)
    written = write_report(contents, out)
    parts = []
    if results.rows:
        parts.append((terminal_table(contents.summaries), explanation(results.rows)))
    if results.games:
        parts.append((game_table(contents.game_summaries), []))
    for table, lines in parts:
        console.print(table)
        for line in lines:
            console.print(line, markup=False, highlight=False)
        console.print()
    unused = len(list((out / CELLS).glob("*.npz"))) - len(set(results.provenance["cells"]))
    if unused > 0:
        console.print(f"Results in {CELLS}/ from other settings or versions, not used here: {unused}.")
    page, *others = [path.name for path in written]
    console.print(f"Open {out / page} in a browser. Also written: {', '.join(others)}.", markup=False)
