"""All files of a report, written into the folder of its comparison."""

from __future__ import annotations

from pathlib import Path

from baselines.report.contents import Contents
from baselines.report.markdown import markdown
from baselines.report.page import page
from baselines.report.pictures import draw_games, draw_learning_curves, draw_profiles
from baselines.report.regret_pictures import draw_regret_curves
from baselines.report.spreadsheet import write_csv
from baselines.report.value_maps import draw_value_maps
from baselines.storage import write_atomically

PAGE, TEXT, NUMBERS = "report.html", "report.md", "results.csv"


def write_report(contents: Contents, folder: Path) -> list[Path]:
    """Write everything there is to look at of what a comparison found.

    Args:
        contents: of what it found.
        folder: where the files go; it exists.

    Returns:
        The files: `report.html`, a page that needs nothing beside itself, `report.md`, `results.csv`, and PNGs.

    Raises:
        ValueError: a number that is missing or NaN; the message names it.
        StorageError: a file cannot be written.
    """
    html = page(contents)  # what is wrong with a number is found before anything is written
    pictures = _draw(contents, folder)
    write_csv(contents.summaries, folder / NUMBERS, contents.game_summaries)
    write_atomically(folder / TEXT, markdown(contents, pictures).encode())
    write_atomically(folder / PAGE, html.encode())
    return [folder / name for name in (PAGE, TEXT, NUMBERS, *pictures.values())]


def _draw(contents: Contents, folder: Path) -> dict[str, str]:
    """Draw the pictures there are; gives back their titles with the names of their files."""
    pictures = {}
    if contents.rows:
        pictures["Learning curves"] = "learning_curves.png"
        draw_learning_curves(contents.rows, folder / "learning_curves.png")
        if any(row.agent in contents.styles for row in contents.rows):
            pictures["Performance profiles"] = "performance_profiles.png"
            draw_profiles(contents, folder / "performance_profiles.png")
    for world, curves in contents.regret.items():
        shown = {agent: curve for agent, curve in curves.items() if agent in contents.styles}
        if shown:
            name = pictures[f"Regret on {world}"] = _file("regret", world, pictures)
            draw_regret_curves(shown, folder / name, title=world, styles=contents.styles)
    for maps in contents.value_maps:
        name = pictures[f"Where values are wrong on {maps.world}"] = _file("value_error", maps.world, pictures)
        draw_value_maps(maps, folder / name)
    if contents.games:
        pictures["Where games end"] = "games.png"
        draw_games(contents, folder / "games.png")
    return pictures


def _file(kind: str, world: str, taken: dict[str, str]) -> str:
    """The name of a world's picture: "regret_Bandit.png"; two worlds never get the same one."""
    readable = "".join(character if character.isalnum() or character in "-." else "_" for character in world)[:100]
    names = (
        f"{kind}_{readable}{suffix}.png" for suffix in ("", *(f"-{number}" for number in range(2, len(taken) + 3)))
    )
    return next(name for name in names if name not in taken.values())
