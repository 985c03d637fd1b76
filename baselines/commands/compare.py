"""`python -m baselines compare`: worlds x agents x runs, and games, into a folder of results."""

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
    """Where and how cells are computed.

    Attributes:
        out: folder of results.
        preset: what the defaults of the other options are.
        file: a TOML file whose keys are these options; what is typed goes before it.
        workers: processes; by default as many as there are cores.
        backend: where cells are computed.
        address: of a running Ray cluster, for the backend ray; one is started on this machine otherwise.
        fresh: compute all cells anew, and delete their stored results first.
    """

    out: Path = Path("results")
    preset: Preset = "default"
    file: OptionalPath = None
    workers: int = field(default_factory=cores)
    backend: Backend = "joblib"
    address: OptionalText = None
    fresh: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False


def command(typed: Sequence[str]) -> Callable[..., int]:
    """The command, with the defaults of the preset and the file that were typed, and flags for the agents named."""
    with mistakes_end_the_command():
        start = starting_point(typed)
        configs = configs_of_named(typed, start)

    def compare_all(
        comparison: tyro.conf.OmitArgPrefixes[Comparison] = start.comparison,
        execution: tyro.conf.OmitArgPrefixes[Execution] = start.execution,
        configs: Any = None,
    ) -> int:
        """Train agents on worlds and in games, and show how far each ends from the exact optimum or from equilibrium.

        The same command again goes on where an interrupted one ended. Every setting of the agents that are named is a
        flag of its own, and every flag may stand in a file.

        Args:
            comparison: what is compared with what.
            execution: where and how cells are computed.
            configs: settings of the agents that are named.
        """
        return run_comparison(with_settings(comparison, configs), execution)

    return with_configs(compare_all, "configs", configs)


@dataclass(frozen=True)
class Start:
    """What stands for all that is not typed.

    Attributes:
        comparison: what is compared.
        execution: where and how.
        settings: fields of Configs by the names of agents.
    """

    comparison: Comparison
    execution: Execution
    settings: Mapping[str, Mapping[str, Any]]


def starting_point(typed: Sequence[str]) -> Start:
    """The defaults: those of the preset that was typed, and over them what stands in the file that was typed.

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
    """The Configs of the agents that are named without settings, with what a file sets of them.

    Raises:
        ValueError, TypeError: an unknown field, naming the nearest, or a value that it cannot have.
    """
    agents = values_of(typed, "--agents", start.comparison.agents)
    game_agents = values_of(typed, "--game-agents", start.comparison.game_agents)
    registries = {name: registry for registry in (AGENTS, GAME_AGENTS) for name in registry}
    named = [name for name in dict.fromkeys([*agents, *game_agents]) if name in registries]
    return {name: registries[name].config(name, start.settings.get(name, {})) for name in named}


def with_settings(comparison: Comparison, configs: Mapping[str, Any]) -> Comparison:
    """The comparison with the settings that differ from an agent's defaults behind its name."""

    def specified(agents: Iterable[str]) -> tuple[str, ...]:
        return tuple(
            Specification(agent, changed_fields(configs[agent], type(configs[agent])())).label
            if agent in configs
            else agent
            for agent in agents
        )

    return replace(comparison, agents=specified(comparison.agents), game_agents=specified(comparison.game_agents))


def run_comparison(comparison: Comparison, execution: Execution) -> int:
    """Compare, report, and turn what goes wrong into a message.

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
        results: what the comparison found.
        out: folder of results.
        console: where the tables are shown.

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
    left_alone = len(list((out / CELLS).glob("*.npz"))) - len(set(results.provenance["cells"]))
    if left_alone > 0:
        console.print(f"Results in {CELLS}/ of other settings or versions, which are left alone: {left_alone}.")
    page, *others = [path.name for path in written]
    console.print(f"Open {out / page} in a browser. Beside it lie {', '.join(others)}.", markup=False)
