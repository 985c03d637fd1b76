"""The drawings of the probe worlds have what their tables have."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from rl_envs.diagnosis import probes
from rl_envs.diagnosis.drawing import draw
from rl_envs.diagnosis.probes import Probe
from rl_envs.diagnosis.staircase import staircases

# World: circles, ends, arrows, counted by hand from the worlds' descriptions.
COUNTS = {
    "Ruler": (3, 1, 3),
    "Ratchet": (2, 0, 2),
    "Twin episodes": (7, 2, 7),
    "Split": (3, 2, 4),
    "Contexts": (3, 3, 3),
    "Staircase to the Ruler": (4, 2, 5),
    "Staircase to the Ratchet": (3, 1, 4),
    "Staircase to the Split": (4, 3, 6),
    "Loud": (2, 2, 2),
    "Detour": (2, 1, 2),
}
WORLDS = [
    probes.ruler(scale=10.0),
    probes.ratchet(scale=10.0),
    probes.twin_episodes(scale=10.0),
    probes.split(scale=10.0),
    probes.contexts(scale=10.0),
    probes.loud(scale=10.0),
    probes.detour(scale=10.0),
    *(staircase.probe for staircase in staircases(10.0, 0.5)),
]


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_a_drawing_has_each_state_end_and_arrow_inside_its_frame(world: Probe) -> None:
    svg = ElementTree.fromstring(draw(world))
    circles, ends = svg.findall("circle"), svg.findall("rect")
    arrows = [path for path in svg.findall("path") if path.get("marker-end")]
    assert (len(circles), len(ends), len(arrows)) == COUNTS[world.name]
    width, height = float(svg.get("width", "0")), float(svg.get("height", "0"))
    for circle in circles:
        x, y, r = (float(circle.get(name, "nan")) for name in ("cx", "cy", "r"))
        assert r <= x <= width - r
        assert r <= y <= height - r
    places = [(circle.get("cx"), circle.get("cy")) for circle in circles]
    middles = [[float(end.get(name, "nan")) for name in ("x", "y", "width")] for end in ends]
    places += [(f"{x + side / 2:g}", f"{y + side / 2:g}") for x, y, side in middles]
    assert len(set(places)) == len(places)


def texts(world: Probe) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(draw(world)).findall("text")]


def test_arrows_say_what_is_paid() -> None:
    found = texts(probes.ruler(scale=100.0))
    assert [text for text in found if re.fullmatch(r"[\d.]+", text)] == ["1", "10", "100"]
    assert "looks like s1" in found


def test_chance_choice_and_time_limit_are_told() -> None:
    assert texts(probes.split(scale=10.0)).count("0 (50%)") == 2
    assert "10 or 4 or 1" in texts(probes.contexts(scale=10.0))
    assert "cut after 3 steps" in texts(probes.ratchet(scale=10.0))


def test_one_offer_stands_for_all_of_a_staircase() -> None:
    found = texts(staircases(10.0, 0.5)[0].probe)
    assert found.count("offer") == 1
    assert found.count("x") == 1
