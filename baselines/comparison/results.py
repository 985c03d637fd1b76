"""Reads a folder of results back: all of it, and only files that are exactly as they were written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baselines.comparison.cells import Result
from baselines.comparison.game_rows import GameRow
from baselines.comparison.provenance import into
from baselines.comparison.result_files import CELLS, FILE_FORMAT, read_file
from baselines.comparison.rows import Row, gather
from baselines.games.specification import GameSpecification
from baselines.system.atomic_files import StorageError
from baselines.training.specification import WorldSpecification
from rl_envs.specification import Specification

# The file with the provenance of a folder's results.
PROVENANCE = "comparison.json"

_NO_PROVENANCE = "{} does not say how results were made: run the comparison's command again"


@dataclass(frozen=True, eq=False)
class Results:
    """The results of a comparison.

    Attributes:
        rows: one for each world and agent, in the order of the comparison.
        games: one for each game and game agent.
        provenance: the content of comparison.json: the typed "command", a "repeat" command that reproduces it, the
            settings of the "comparison", the agents' "configs" and the "versions"; and from the result files, the
            "machines" and the times of the "first" and the "last" result.
    """

    rows: tuple[Row, ...]
    games: tuple[GameRow, ...]
    provenance: Mapping[str, Any]


def read_results(folder: Path) -> Results:
    """Read the results of a finished comparison.

    Args:
        folder: the comparison's folder of results.

    Returns:
        The results, also of a comparison that ran with other versions of the libraries.

    Raises:
        StorageError: no comparison, one from an older version of this package, an unfinished one, or a damaged file.
        ValueError: a run whose result is NaN.
    """
    provenance = read_provenance(folder)
    names = provenance.get("cells")
    if not isinstance(names, list) or not {"repeat", "comparison", "configs", "versions"} <= provenance.keys():
        raise StorageError(_NO_PROVENANCE.format(folder / PROVENANCE))
    parts, games, executions = [], [], []
    for name in names:
        found = read_file(folder / CELLS / name)
        if found is None:
            raise StorageError(
                f"every run must have a result, but there is no {folder / CELLS / name}: the comparison is not "
                f"finished; go on with: {into(folder, str(provenance['repeat']))}"
            )
        identity, arrays, execution = found
        executions.append(execution)
        if "game" in identity:
            games.append(GameRow.of(GameSpecification.read(identity["game"]), identity["agent"], arrays))
        else:
            first = identity["first_run"]
            runs = range(first, first + identity["num_runs"])
            world = WorldSpecification.read(identity["world"])
            name = identity["agent"]
            agent = Specification(name) if "function" in identity else Specification.parse(name)
            parts.append((world, agent, runs, Result.of(arrays)))
    return Results(tuple(gather(parts)), tuple(games), {**provenance, **_machines_and_times(executions)})


def _machines_and_times(executions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The machines that computed the results, each once, and the times of the first and the last result."""
    machines = {json.dumps(one["machine"], sort_keys=True): one["machine"] for one in executions}
    times = sorted(one["finished"] for one in executions)
    return {"machines": list(machines.values()), "first": times[0], "last": times[-1]} if times else {}


def read_provenance(folder: Path) -> dict[str, Any]:
    """Read the provenance of the results in a folder.

    Args:
        folder: a comparison's folder of results.

    Raises:
        StorageError: there is none, or it is of another version of this package.
    """
    path = folder / PROVENANCE
    try:
        provenance = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StorageError(f"{folder} holds no comparison: there is no {path}") from None
    except NotADirectoryError:
        raise StorageError(f"{folder} holds no comparison: it is a file, and no folder of results") from None
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise StorageError(f"cannot read {path}: {error}") from error
    if not (isinstance(provenance, dict) and isinstance(provenance.get("command"), str)):
        raise StorageError(_NO_PROVENANCE.format(path))
    made_with = provenance.get("format", 1)  # the first did not say
    if made_with != FILE_FORMAT:
        raise StorageError(
            f"{path} has format {made_with}, but this version reads format {FILE_FORMAT}: make the comparison again "
            f"with: {into(folder, provenance['command'])}"
        )
    return provenance
