"""Worlds painted with holes where their states are, and value errors shining through them."""

from __future__ import annotations

import builtins
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from baselines.comparison.results import Results
from baselines.report import world_pictures
from baselines.report.contents import Contents
from baselines.report.markdown import markdown, plain
from baselines.report.page import page
from baselines.report.page_data import page_data
from baselines.report.value_map_pictures import draw_value_maps, tile_colours
from baselines.report.value_maps import ENDED_WORDS, INFINITE, single_state, value_maps
from baselines.report.world_pictures import ENDED, LINES, WALL, CutOut, Tile, cut_out, cut_outs, squares
from baselines.report.writing import write_report
from baselines.training.task import make_task
from rl_envs.drawing.palette import HEAT, heat
from rl_envs.rendering.renderer import Canvas
from rl_envs.specification import Specification
from tests.baselines.report.report_results import row

pygame = pytest.importorskip("pygame", reason="pictures of worlds need pygame-ce, which is not installed")


def world(name: str) -> Any:
    return make_task(name).world


@pytest.mark.parametrize(
    ("name", "count"), [("LineWalk", 1), ("RandomMDP", 1), ("FourRooms", 1), ("RandomWalk", 1), ("SubtaskGrid", 3)]
)
def test_few_pictures_show_every_state_of_a_world(name: str, count: int) -> None:
    pictures = cut_outs(world(name))
    assert len(pictures) == count
    shown = set().union(*(picture.states for picture in pictures))
    assert shown >= set(np.flatnonzero(~world(name).mdp.terminal_states).tolist())


@pytest.mark.parametrize("name", ["Bandit", "RobotGrasp", "RandomMDP:num_states=40"])
def test_a_world_whose_picture_does_not_show_its_states_has_none(name: str) -> None:
    assert cut_outs(world(name)) == []


def test_a_hole_is_where_the_tile_is_and_nowhere_else() -> None:
    picture = cut_out(world("FourRooms"), 0)
    opacity = picture.pixels[..., 3]
    for tile in picture.tiles[1:]:  # the agent stands on the first
        there = opacity[int(tile.y + 0.2 * tile.height), int(tile.x + 0.2 * tile.width)]
        assert there == (255 if world("FourRooms").mdp.terminal_states[tile.state] else 0)
    assert opacity[0, 0] == 255
    walls = (picture.pixels == (*WALL, 255)).all(axis=2)
    assert walls.mean() > 0.3


@pytest.mark.parametrize(("name", "ends"), [("LineBalance", [0, 10]), ("LineWalk", [0, 10]), ("FourRooms", [62])])
def test_where_an_episode_is_over_a_picture_is_hatched_and_like_no_colour_of_the_scale(
    name: str, ends: list[int]
) -> None:
    place = world(name)
    [picture] = cut_outs(place)
    assert picture.shows_ended
    found = [tile for tile in picture.tiles if place.mdp.terminal_states[tile.state]]
    assert [tile.state for tile in found] == ends
    scale = np.array([heat(level) for level in np.linspace(0, 1, 101)])
    for tile in found:
        inner = picture.pixels[int(tile.y) + 3 : int(tile.y + tile.height) - 3, int(tile.x) + 3 : int(tile.x) + 12]
        assert (inner[..., 3] == 255).all()
        assert {tuple(pixel) for pixel in inner[..., :3].reshape(-1, 3).tolist()} >= {ENDED, LINES}
    for colour in (ENDED, LINES, WALL):
        assert np.abs(scale - colour).max(axis=1).min() > 60


def test_tiles_of_ended_episodes_are_explained_beside_the_scale_where_there_are_any(tmp_path: Path) -> None:
    legends = []
    for name in ("LineWalk", "RandomMDP"):
        states = world(name).mdp.num_states
        rows = (row(name, "QLearning", value_error=np.linspace(0, 1, states)),)
        maps = value_maps(name, rows, [])
        assert maps is not None
        data = page_data(Contents(Results(rows, (), {})))
        assert (data["values"][name]["shows_ended"], data["ended"]["words"]) == (maps.shows_ended, ENDED_WORDS)
        draw_value_maps(maps, tmp_path / f"{name}.png")
        legend = np.asarray(Image.open(tmp_path / f"{name}.png"))[42:53, 380:600]
        legends.append((maps.shows_ended, bool((legend == LINES).all(axis=2).any())))
    assert legends == [(True, True), (False, False)]


def test_a_sentence_that_could_not_be_read_in_a_shrunk_picture_is_left_out() -> None:
    place = world("RandomMDP")
    [picture] = cut_outs(place)
    lowest = max(tile.y + tile.width / 2 for tile in picture.tiles)
    below = picture.pixels[int(lowest) + 8 :]
    assert (below == (*ENDED, 255)).all()  # paper alone
    assert [label.text for label in picture.labels] == list("01234")  # short words stay


def test_putting_the_colours_of_a_plain_picture_behind_the_holes_gives_the_plain_picture() -> None:
    """What is seen through the holes together with what is around them is what the world's own canvas paints."""
    place = world("FourRooms")
    picture = cut_out(place, 0)
    plain = _painted(place, (120, 200, 120))
    opacity = picture.pixels[..., 3:] / 255
    mixed = picture.pixels[..., :3] * opacity + (1 - opacity) * np.array([120, 200, 120])
    [goal] = (tile for tile in picture.tiles if place.mdp.terminal_states[tile.state])
    closed = np.zeros(plain.shape[:2], dtype=bool)
    closed[round(goal.y) : round(goal.y + goal.height), round(goal.x) : round(goal.x + goal.width)] = True
    assert np.abs(mixed - plain)[~closed].max() <= 1.5


def _painted(place: Any, colour: tuple[int, int, int]) -> np.ndarray:
    """The world with tiles of this colour, painted at once."""
    canvas = world_pictures._TileCanvas(place, colour)
    history = world_pictures.History(place.mdp.num_states, place.mdp.num_actions)
    history.begin(0)
    place.drawing.paint(canvas, history.frame())
    return Canvas.pixels(canvas).astype(float)


def test_text_on_a_tile_is_kept_for_when_its_colour_is_known() -> None:
    labels = cut_outs(world("RandomMDP"))[0].labels
    assert [(label.state, label.text) for label in labels] == [(state, str(state)) for state in range(5)]


def test_squares_stand_row_by_row_in_the_order_of_the_states() -> None:
    picture = squares([3, 5, 8, 9], columns=2, width=64)
    assert [(tile.state, tile.x, tile.y) for tile in picture.tiles] == [(3, 0, 0), (5, 32, 0), (8, 0, 32), (9, 32, 32)]
    many = squares(range(3_072))
    assert many.size[0] == 512
    assert many.tiles[64] == Tile(64, 0, 8, 8, 8)
    assert (many.pixels[:384, :, 3] == 0).all()
    assert (picture.pixels[0, 0, 3], picture.pixels[16, 16, 3]) == (255, 0)


@pytest.mark.parametrize(("name", "columns", "ended"), [("CliffWalking-v1", 12, 0), ("FrozenLake-v1", 4, 5)])
def test_toy_text_maps_are_drawn_as_the_maps_they_are(name: str, columns: int, ended: int) -> None:
    task = make_task(f"{name}:discount=0.99")
    errors = task.truth.loss(np.zeros(task.truth.mdp.num_states, dtype=int))
    maps = value_maps(task.name, [row(task.name, "QLearning", value_error=errors)], ())
    (picture,) = maps.pictures
    assert maps.note == ""
    assert picture.tiles[columns].x == picture.tiles[0].x
    assert picture.tiles[columns].y == picture.tiles[columns - 1].y + picture.tiles[0].height
    assert picture.shows_ended == (ended > 0)
    middles = [picture.pixels[int(tile.y + tile.height / 2), int(tile.x + tile.width / 2), 3] for tile in picture.tiles]
    assert middles.count(255) == ended


def test_colours_run_along_the_scale_and_beyond_its_end_they_stay() -> None:
    colours = tile_colours(np.array([0.0, 1.0, 2.0, 9.0, np.nan, np.inf]), 2.0)
    np.testing.assert_allclose(colours[0], HEAT[0])
    np.testing.assert_allclose(colours[1], heat(0.5), atol=0.51)
    np.testing.assert_allclose(colours[2:4], [HEAT[-1], HEAT[-1]])
    assert tuple(colours[4]) == ENDED
    assert tuple(colours[5]) == INFINITE
    np.testing.assert_allclose(tile_colours(np.zeros(2), 0.0), [HEAT[0], HEAT[0]])


def test_the_scale_ends_with_the_worst_of_those_that_learn() -> None:
    rows = [
        row("LineWalk", "Random", value_error=np.full(11, 5.0)),
        row("LineWalk", "QLearning", value_error=np.append(np.full(10, 0.25), 99.0)),  # the last state is an end
    ]
    maps = value_maps("LineWalk", rows, ["Random"])
    assert maps is not None
    assert (maps.worst_of_all, maps.worst_of_learners) == (5.0, 0.25)
    assert np.isnan(maps.errors["QLearning"][[0, 10]]).all()


def test_where_nothing_is_left_to_learn_the_scale_ends_with_the_worst_of_all() -> None:
    random = row("LineWalk", "Random", value_error=np.full(11, 5.0))
    for others in ([], [row("LineWalk", "QLearning", value_error=np.full(11, 1e-15))]):
        maps = value_maps("LineWalk", [random, *others], ["Random"])
        assert maps is not None
        assert maps.worst_of_learners == 5.0


def test_a_world_of_a_single_state_has_a_sentence_and_no_map(tmp_path: Path) -> None:
    errors = {"Random": 0.64, "QLearning": 0.0125, "mine|<b>": np.inf}
    rows = tuple(row("Bandit", "QLearning", value_error=np.array([error])) for error in errors.values())
    rows = tuple(replace(one, who=Specification.parse(agent)) for one, agent in zip(rows, errors))
    assert value_maps("Bandit", rows, []) is None
    said = "Bandit has a single state and so no map. Its value error: Random 0.64, QLearning 0.0125, mine|<b> inf."
    assert single_state("Bandit", rows) == said
    contents = Contents(Results(rows, (), {}))
    html = page(contents)
    assert "Its value error: Random 0.64, QLearning 0.0125, mine|&lt;b&gt; inf." in html
    assert "No agent in this comparison has its value error known" not in html
    assert plain(said) in markdown(contents, {})
    assert not [path for path in write_report(contents, tmp_path) if path.name.startswith("value_error")]
    assert single_state("LineWalk", [row("LineWalk", "QLearning", value_error=np.ones(11))]) == ""
    assert single_state("Bandit", [row("Bandit", "QLearning")]) == ""


def test_where_nothing_is_lost_there_is_no_scale(tmp_path: Path) -> None:
    """Errors of 1e-15 beside rewards of 1 are what linear solves leave."""
    rows = [
        row("LineWalk", "Optimal", value_error=np.full(11, 1e-15)),
        row("LineWalk", "QLearning", value_error=np.full(11, 3e-16)),
    ]
    maps = value_maps("LineWalk", rows, ["Optimal"])
    assert maps is not None
    assert (maps.worst_of_all, maps.worst_of_learners) == (0.0, 0.0)
    [values] = page_data(Contents(Results(tuple(rows), (), {})))["values"].values()
    assert values["upper"] == {"all": "0 everywhere", "learners": "0 everywhere"}
    assert replace(maps, worst_of_all=5.0).upper_end(0.25) == "0.25 and more"
    assert replace(maps, worst_of_all=5.0).upper_end(5.0) == "5"
    assert replace(maps, errors={"QLearning": np.array([0.0, np.inf])}).upper_end(0.0) == "0 elsewhere"
    draw_value_maps(maps, tmp_path / "maps.png")
    scale = np.asarray(Image.open(tmp_path / "maps.png"))[42:53, 100:196]
    assert np.ptp(scale.astype(int), axis=2).max() < 40  # grey words, and no colours of the scale


def test_without_value_errors_there_are_no_maps_and_wrong_ones_are_refused() -> None:
    assert value_maps("LineWalk", [row("LineWalk", "QLearning")], []) is None
    with pytest.raises(ValueError, match=r"QLearning on LineWalk has \(4,\) for \(11,\)"):
        value_maps("LineWalk", [row("LineWalk", "QLearning", value_error=np.zeros(4))], [])
    with pytest.raises(ValueError, match="value errors are of states in a table, but CartPole-v1 has none"):
        value_maps("CartPole-v1", [row("CartPole-v1", "QLearning", value_error=np.zeros(4))], [])


def test_without_pygame_states_are_squares_and_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def no_pygame(name: str, *more: Any, **others: Any) -> Any:
        if name == "pygame":
            raise ImportError(name)
        return imported(name, *more, **others)

    monkeypatch.setattr(builtins, "__import__", no_pygame)
    maps = value_maps("LineWalk", [row("LineWalk", "QLearning", value_error=np.zeros(11))], [])
    assert maps is not None
    assert "pictures need pygame-ce" in maps.note
    assert [tile.state for tile in maps.pictures[0].tiles] == list(range(1, 10))


def test_the_sheet_has_each_agents_colours_in_the_worlds_picture(tmp_path: Path) -> None:
    errors = {"Sarsa": np.full(104, 1.0), "SB3DQN": np.full(104, np.inf), "QLearning": np.zeros(104)}
    maps = value_maps("FourRooms", [row("FourRooms", agent, value_error=error) for agent, error in errors.items()], [])
    assert maps is not None
    draw_value_maps(maps, tmp_path / "maps.png")
    pixels = np.asarray(Image.open(io.BytesIO((tmp_path / "maps.png").read_bytes())))
    # Panels of 240 pixels, 20 apart: most of each is tiles of the one colour that all of its states have.
    for number, colour in enumerate((HEAT[-1], INFINITE, HEAT[0])):
        panel = pixels[90:, 20 + 260 * number : 260 + 260 * number]
        assert (np.abs(panel.astype(int) - colour) <= 1).all(axis=2).mean() > 0.25


def test_a_picture_is_a_png_in_a_data_url() -> None:
    url = CutOut(np.zeros((3, 5, 4), dtype=np.uint8), (), ()).png()
    assert url.startswith("data:image/png;base64,iVBOR")
