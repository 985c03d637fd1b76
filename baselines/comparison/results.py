"""What a folder of results holds, read back whole: nothing is left out, and nothing is used that is not as written."""

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

# Where a folder says how its results are made.
PROVENANCE = "comparison.json"

_NO_PROVENANCE = "{} does not say how results were made: run the comparison's command again"


@dataclass(frozen=True, eq=False)
class Results:
    """What a comparison found.

    Attributes:
        rows: of each world and agent, in the order of the comparison.
        games: of each game and game agent.
        provenance: how it was made, the content of comparison.json: "command" that was typed, "repeat" that makes it
            again, "comparison" with all its settings, "configs" of the agents, "versions"; and as the results
            themselves say it, "machines" where they were computed, and when the "first" and the "last" was finished.
    """

    rows: tuple[Row, ...]
    games: tuple[GameRow, ...]
    provenance: Mapping[str, Any]


def read_results(folder: Path) -> Results:
    """Read the results of a finished comparison.

    Args:
        folder: where it was made.

    Returns:
        What it found; also of a comparison that was made with other versions of the libraries, as they were then.

    Raises:
        StorageError: no comparison, one of an older version of this package, one that is not finished, or a file that
            is cut short or edited.
        ValueError: a run whose result is NaN.
    """
    provenance = read_provenance(folder)
    names = provenance.get("cells")
    if not isinstance(names, list) or not {"repeat", "comparison", "configs", "versions"} <= provenance.keys():
        raise StorageError(_NO_PROVENANCE.format(folder / PROVENANCE))
    parts, games, makings = [], [], []
    for name in names:
        found = read_file(folder / CELLS / name)
        if found is None:
            raise StorageError(
                f"every run must have a result, but there is no {folder / CELLS / name}: the comparison is not "
                f"finished; go on with: {into(folder, str(provenance['repeat']))}"
            )
        identity, arrays, made = found
        makings.append(made)
        if "game" in identity:
            games.append(GameRow.of(GameSpecification.read(identity["game"]), identity["agent"], arrays))
        else:
            first = identity["first_run"]
            runs = range(first, first + identity["num_runs"])
            world = WorldSpecification.read(identity["world"])
            parts.append((world, identity["agent"], runs, Result.of(arrays)))
    return Results(tuple(gather(parts)), tuple(games), {**provenance, **_where_and_when(makings)})


def _where_and_when(makings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The machines that results were made on, each once, and when the first and the last was finished."""
    machines = {json.dumps(made["machine"], sort_keys=True): made["machine"] for made in makings}
    moments = sorted(made["finished"] for made in makings)
    return {"machines": list(machines.values()), "first": moments[0], "last": moments[-1]} if moments else {}


def read_provenance(folder: Path) -> dict[str, Any]:
    """Read how the results in a folder are made.

    Args:
        folder: where a comparison was made.

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
