"""The numbers behind the page's figures, as plain values for JSON: the browser only draws.

Long arrays travel as the bytes of float32 numbers in base64, which browsers read without parsing a single digit.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import numpy as np

from baselines.comparison.profile import Profile
from baselines.comparison.rows import Row
from baselines.comparison.summary import Summary
from baselines.report.contents import LOWEST_SCORE, MOST_NAMED, Band, Contents
from baselines.report.scores import AXES
from baselines.report.value_maps import ENDED_WORDS, INFINITE, ValueMaps
from baselines.report.world_pictures import APART, ENDED, LINE_WIDTH, LINES, CutOut
from rl_envs.drawing.palette import HEAT


def page_data(contents: Contents) -> dict[str, Any]:
    """All data of the page's figures.

    Args:
        contents: what the report shows.

    Returns:
        Plain values: lists, strings, finite numbers and None.
    """
    return {
        "styles": contents.styles,
        "heat": [rounded(colour, 0) for colour in HEAT],
        "curves": _learning_curves(contents),
        "most_named": MOST_NAMED,
        "profiles": _profiles(contents),
        "regret": _regret(contents),
        "values": {maps.world: _value_maps(maps) for maps in contents.value_maps},
        "infinite": INFINITE,
        "ended": {"colour": ENDED, "lines": LINES, "apart": APART, "width": LINE_WIDTH, "words": ENDED_WORDS},
        "exploitability": [
            {
                "world": row.game,
                "agent": row.agent,
                **_band(Band(row.record.steps, row.record.exploitability)),
            }
            for row in contents.results.games
        ],
    }


def packed(numbers: np.ndarray) -> str:
    """Numbers as little-endian float32 bytes in base64."""
    return base64.b64encode(np.ascontiguousarray(numbers, dtype="<f4").tobytes()).decode()


def rounded(numbers: Iterable[float], digits: int) -> list[float]:
    """Numbers rounded to a number of decimals."""
    return np.round(np.asarray(numbers, dtype=np.float64), digits).tolist()


def _band(band: Band) -> dict[str, Any]:
    """Runs over training; `runs` holds one run after the other."""
    low, high = band.edges
    return {
        "steps": band.steps.tolist(),
        "count": band.runs.shape[1],
        "mean": packed(band.mean),
        "low": packed(low),
        "high": packed(high),
        "runs": packed(band.runs.T),
    }


def _learning_curves(contents: Contents) -> list[dict[str, Any]]:
    """A figure a world and kind of scores; of each curve `end` is the last mean with its interval."""
    ends = {(summary.world, summary.agent): summary for summary in contents.summaries}
    return [
        {
            "world": figure.world,
            "title": figure.title,
            "axis": AXES[figure.kind],
            "exact": figure.kind != "episodes",
            "levels": figure.levels,
            "last": figure.steps,
            "lowest": LOWEST_SCORE,
            "below": figure.below,
            "curves": [_learning_curve(row, ends[row.world, row.agent]) for row in figure.rows],
        }
        for figure in contents.score_figures
    ]


def _learning_curve(row: Row, summary: Summary) -> dict[str, Any]:
    end = rounded(summary.score, 5) if row.num_runs > 1 else None
    return {"agent": row.agent, "end": end, **_band(Band(row.steps, row.scores))}


def _profiles(contents: Contents) -> list[dict[str, Any]]:
    """A figure a world and kind of scores, those over all worlds first."""
    figures: dict[str, dict[str, Any]] = {}
    for found in (*contents.profiles_across, *contents.profiles):
        figure = {"world": found.world, "title": found.title, "axis": AXES[found.kind], "profiles": []}
        profiles = figures.setdefault(found.title, figure)["profiles"]
        profiles.append({"agent": found.agent, **_profile(found.profile)})
    return list(figures.values())


def _profile(profile: Profile) -> dict[str, Any]:
    return {name: packed(getattr(profile, name)) for name in ("thresholds", "share", "low", "high")}


def _regret(contents: Contents) -> dict[str, Any]:
    """The regret of the agents that learn, and the bounds at the first agent's checkpoints."""
    found = {}
    for world, curves in contents.regret.items():
        shown = {agent: curve for agent, curve in curves.items() if agent in contents.styles}
        if not shown:
            continue
        bounds = next(iter(curves.values())).bounds
        known = {name: getattr(bounds, name) for name in ("uniform", "ucb1", "lai_robbins")}
        found[world] = {
            "bounds": {
                "steps": bounds.pulls.tolist(),
                **{name: rounded(bound, 4) for name, bound in known.items() if bound is not None},
            },
            "rows": [
                {"world": world, "agent": agent, **_band(Band(curve.steps, curve.regret))}
                for agent, curve in shown.items()
            ],
        }
    return found


def _value_maps(maps: ValueMaps) -> dict[str, Any]:
    return {
        "worst": {"all": maps.worst_of_all, "learners": maps.worst_of_learners},
        "upper": {
            "all": maps.upper_end(maps.worst_of_all),
            "learners": maps.upper_end(maps.worst_of_learners),
        },
        "note": maps.note,
        "shows_ended": maps.shows_ended,
        "pictures": [_picture(picture) for picture in maps.pictures],
        "rows": [{"agent": agent, "errors": packed(error)} for agent, error in maps.errors.items()],
    }


def _picture(picture: CutOut) -> dict[str, Any]:
    """A picture; `tiles` holds five numbers a tile."""
    tiles = [n for tile in picture.tiles for n in (tile.state, tile.x, tile.y, tile.width, tile.height)]
    return {
        "png": picture.png(),
        "size": list(picture.size),
        "tiles": rounded(tiles, 1),
        "labels": [[label.state, label.x, label.y, label.size, label.text] for label in picture.labels],
    }
