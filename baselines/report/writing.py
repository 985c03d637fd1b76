"""Writes all files of a report into the folder of its comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from baselines.report.contents import Contents
from baselines.report.markdown import markdown
from baselines.report.page import page
from baselines.report.pictures import draw_games, draw_learning_curves, draw_profiles
from baselines.report.regret_pictures import draw_regret_curves
from baselines.report.signature import remove_others, sign
from baselines.report.spreadsheet import write_csv
from baselines.report.value_map_pictures import draw_value_maps
from baselines.system.atomic_files import file_name, write_atomically
from rl_envs.names import unknown

# Up to so many worlds get PNG figures by default.
MANY = 12

PAGE, TEXT, NUMBERS = "report.html", "report.md", "results.csv"


def write_report(contents: Contents, folder: Path, *, pictures_of: Sequence[str] = ()) -> list[Path]:
    """Write the report of a comparison.

    The page shows all worlds. PNG figures are for papers: they show the first `MANY` worlds, and the page and the text
    say so. Figures of an earlier report that are not drawn again are removed, so the folder never mixes two reports.

    Args:
        contents: what the report shows.
        folder: where the files go; it exists.
        pictures_of: names of the worlds to draw PNG figures of, instead of the first.

    Returns:
        The files: `report.html`, a self-contained page, `report.md`, `results.csv`, and PNGs.

    Raises:
        ValueError: a number that is missing or NaN, or a world that is not in the comparison; the message names it.
        StorageError: a file cannot be written or removed.
    """
    shown = _pictured(contents, pictures_of)
    left_out = _left_out(contents, shown)
    html = page(contents, left_out)  # refuses bad numbers before anything is written
    pictures = _draw(contents, shown, folder)
    for name in pictures.values():
        sign(folder / name)
    write_csv(contents.summaries, folder / NUMBERS, contents.game_summaries)
    write_atomically(folder / TEXT, markdown(contents, pictures, left_out).encode())
    write_atomically(folder / PAGE, html.encode())
    remove_others(folder, list(pictures.values()))
    return [folder / name for name in (PAGE, TEXT, NUMBERS, *pictures.values())]


def _pictured(contents: Contents, wanted: Sequence[str]) -> Sequence[str]:
    """The worlds that PNGs show."""
    for world in wanted:
        if world not in contents.worlds:
            raise ValueError(unknown("world of this comparison", world, contents.worlds))
    return wanted or contents.worlds[:MANY]


def _left_out(contents: Contents, shown: Sequence[str]) -> str:
    """A sentence on the worlds without PNG figures; empty where all have them."""
    if len(shown) == len(contents.worlds):
        return ""
    return (
        f"The PNGs show {len(shown)} of the {len(contents.worlds)} worlds; the page shows all. For others: "
        f"python -m baselines report FOLDER --pictures-of WORLD ..."
    )


def _draw(contents: Contents, shown: Sequence[str], folder: Path) -> dict[str, str]:
    """Draw the figures of these worlds; returns their file names by their titles."""
    pictures = {}
    if shown:
        pictures["Learning curves"] = "learning_curves.png"
        rows = [row for row in contents.rows if row.world in shown]
        draw_learning_curves(rows, folder / "learning_curves.png", styles=contents.styles)
        if any(row.agent in contents.styles for row in rows):
            pictures["Performance profiles"] = "performance_profiles.png"
            draw_profiles(contents, folder / "performance_profiles.png", worlds=shown)
    for world, curves in contents.regret.items():
        learners = {agent: curve for agent, curve in curves.items() if agent in contents.styles}
        if learners and world in shown:
            name = pictures[f"Regret on {world}"] = _file("regret", world, pictures)
            draw_regret_curves(learners, folder / name, title=world, styles=contents.styles)
    for maps in contents.value_maps:
        if maps.world in shown:
            name = pictures[f"Value error by state on {maps.world}"] = _file("value_error", maps.world, pictures)
            draw_value_maps(maps, folder / name)
    if contents.games:
        pictures["Final play in games"] = "games.png"
        draw_games(contents, folder / "games.png")
    return pictures


def _file(kind: str, world: str, taken: dict[str, str]) -> str:
    """The name of a world's picture: "regret_Bandit.png"; two worlds never get the same one."""
    suffixes = ("", *(f"-{number}" for number in range(2, len(taken) + 3)))
    names = (f"{kind}_{file_name(world)}{suffix}.png" for suffix in suffixes)
    return next(name for name in names if name not in taken.values())
