"""Pictures: their form, that they need no display, and that what lies over them says what the tables say."""

import copy
import os
import pickle
import re
import subprocess
import sys
import warnings
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import DependencyNotInstalled, ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import HumanRendering, RecordVideo

import rl_envs
from rl_envs.drawing.canvas import Canvas
from rl_envs.drawing.overlay import Overlay
from rl_envs.drawing.palette import COLOURS, HEAT, heat
from rl_envs.drawing.picture import Box
from rl_envs.options import hallway_options
from rl_envs.registry import WORLDS, world_id
from rl_envs.rendering.renderer import Renderer
from rl_envs.worlds.world import Drawing, Frame

NAMES = list(WORLDS)


def make(name, render_mode="rgb_array", **arguments):
    return gym.make(world_id(name), render_mode=render_mode, **arguments)


def walk(env, steps, seed=0):
    """Reset, then random steps, with a new episode after each end; yields after each of them."""
    env.reset(seed=seed)
    env.action_space.seed(seed)
    yield
    for _ in range(steps):
        *_, terminated, truncated, _ = env.step(env.action_space.sample())
        yield
        if terminated or truncated:
            env.reset()
            yield


def level_at(frame, x, y):
    """Where the colour of one pixel lies on the heat map, 0..1."""
    levels = np.linspace(0, 1, 1001)
    colours = np.array([heat(level) for level in levels])
    return levels[np.abs(colours - frame[y, x].astype(int)).sum(axis=1).argmin()]


# The form of pictures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_pictures_have_one_size_three_channels_and_an_array_of_their_own(name):
    env = make(name)
    frames = [env.render() for _ in walk(env, 12)]
    (shape,) = {frame.shape for frame in frames}
    assert len(shape) == 3
    assert shape[2] == 3
    assert shape[0] % 2 == shape[1] % 2 == 0  # what video codecs take
    assert all(frame.dtype == np.uint8 and frame.flags.c_contiguous for frame in frames)
    frames[-1][:] = 0
    assert env.render().any()


@pytest.mark.parametrize("name", NAMES)
def test_the_size_stays_the_same_with_every_overlay_and_option(name):
    shapes = set()
    for overlay in (None, "value", "policy", "visits"):
        env = make(name, render_overlay=overlay)
        env.reset(seed=0)
        shapes.add(env.render().shape)
        env.unwrapped.show_option("a long name of an option")
        shapes.add(env.render().shape)
    assert len(shapes) == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_pictures_and_text(name):
    for mode in ("rgb_array", "ansi"):
        first, second = (make(name, mode) for _ in range(2))
        for _ in zip(walk(first, 6, seed=3), walk(second, 6, seed=3), strict=True):
            np.testing.assert_array_equal(first.render(), second.render())


@pytest.mark.parametrize("name", NAMES)
def test_pictures_show_what_happens(name):
    env = make(name)
    frames = {env.render().tobytes() for _ in walk(env, 5)}
    assert len(frames) > 3


@pytest.mark.parametrize("name", NAMES)
def test_drawing_changes_nothing_about_the_episode(name):
    drawn, plain = make(name), make(name, None)
    for _ in zip(walk(drawn, 30), walk(plain, 30), strict=True):
        drawn.render()
        assert drawn.unwrapped.get_state() == plain.unwrapped.get_state()


@pytest.mark.parametrize("name", NAMES)
def test_copies_in_mid_episode_draw_the_same(name):
    env = make(name, render_overlay="value")
    list(walk(env, 4))
    for twin in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        np.testing.assert_array_equal(twin.render(), env.render())


@pytest.mark.parametrize("name", NAMES)
def test_text_says_how_far_the_episode_is_and_what_was_done(name):
    env = make(name, "ansi")
    env.reset(seed=0)
    assert env.render().startswith("step 0 | total reward 0\n")
    env.action_space.seed(0)
    env.step(env.action_space.sample())
    text = env.render()
    assert isinstance(text, str)
    assert text.startswith("step 1 | total reward ")
    assert "| took " in text


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("LineWalk", {"size": 1}),
        ("LineWalk", {"size": 400}),
        ("LineBalance", {"size": 60}),
        ("RandomWalk", {"num_states": 1, "max_jump": 1}),
        ("RandomWalk", {"num_states": 19, "max_jump": 1}),
        ("RandomMDP", {"num_states": 1}),
        ("RandomMDP", {"num_states": 60, "num_actions": 2}),
        ("RandomMDP", {"num_states": 100_000, "num_actions": 4, "branching": 3}),
        ("Bandit", {"means": [0.0]}),
        ("Bandit", {"means": [-3.0, -2.0]}),
        ("BernoulliBandit", {"probabilities": [0.5] * 300}),
        ("SubtaskGrid", {"map": ["SKDG"]}),
        ("FourRooms", {"map": ["." * 40 + "G"]}),
        ("FourRooms", {"map": ["G", *["."] * 90]}),
        ("RobotGrasp", {"num_angles": 2, "target": [2, 0]}),
        ("RobotGrasp", {"num_angles": 30}),
    ],
)
def test_unusual_sizes_are_drawn_too(name, arguments):
    for overlay in (None, "visits"):
        env = make(name, render_overlay=overlay, **arguments)
        frames = [env.render() for _ in walk(env, 5)]
        assert len({frame.shape for frame in frames}) == 1
        assert all(frame.std() > 5 for frame in frames)


# Without a display, without pygame, without a mode ------------------------------------------------------------------


def test_pictures_need_no_display_and_leave_the_window_module_alone():
    program = (
        "import gymnasium as gym, rl_envs, pygame\n"
        "env = gym.make('rl_envs/LineWalk-v0', render_mode='rgb_array')\n"
        "env.reset(seed=0)\n"
        "assert env.render().shape[2] == 3\n"
        "assert not pygame.display.get_init()\n"
        "env.close()\n"
    )
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, timeout=120)


def test_pygame_is_never_initialised_as_a_whole():
    """`pygame.init()` would take the sound and the joysticks too, and take them down with the window."""
    for path in sorted(Path(rl_envs.__file__).parent.rglob("*.py")):
        assert not re.search(r"pygame\.init\(", path.read_text()), path


def test_pictures_go_on_after_somebody_has_quit_pygame():
    import pygame

    env = make("LineWalk")
    env.reset(seed=0)
    before = env.render()
    pygame.quit()
    np.testing.assert_array_equal(env.render(), before)


@pytest.mark.parametrize("mode", ["human", "rgb_array"])
def test_a_missing_pygame_is_said_when_the_environment_is_made(mode, monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(DependencyNotInstalled, match=r'pip install "rl-envs\[render\]"'):
        make("LineWalk", mode)


@pytest.mark.parametrize("name", NAMES)
def test_text_needs_no_pygame(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    env = make(name, "ansi", render_overlay="visits")
    env.reset(seed=0)
    assert env.render().strip()


def test_rendering_without_a_mode_warns():
    env = rl_envs.TabularEnv("LineWalk")
    env.reset(seed=0)
    with pytest.warns(UserWarning, match="draws nothing without a mode"):
        assert env.render() is None


def test_rendering_before_the_first_reset_is_refused():
    with pytest.raises(ResetNeeded, match="nothing to draw before the first reset"):
        rl_envs.TabularEnv("LineWalk", render_mode="ansi").render()


def test_an_unknown_mode_is_answered_with_those_known():
    with pytest.raises(ValueError, match=r"must be one of \['human', 'rgb_array', 'ansi'\], but is 'rgb'"):
        rl_envs.TabularEnv("LineWalk", render_mode="rgb")


# Windows and films --------------------------------------------------------------------------------------------------


@pytest.fixture
def window(monkeypatch):
    """SDL's window that nobody sees, closed at the end whatever happened."""
    import pygame

    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    yield pygame.display
    pygame.display.quit()


@pytest.mark.parametrize("name", NAMES)
def test_the_window_shows_what_the_picture_shows(name, window):
    import pygame

    env, same = make(name, "human"), make(name)
    env.unwrapped._renderer._fps = 1000  # not to wait
    for _ in zip(walk(env, 2), walk(same, 2), strict=True):
        assert env.render() is None
        shown = pygame.surfarray.array3d(window.get_surface()).transpose(1, 0, 2)
        np.testing.assert_array_equal(shown, same.render())
    env.close()
    assert not window.get_init()
    env.close()  # twice is fine


def test_a_window_that_somebody_closed_is_opened_again(window):
    env = make("LineWalk", "human")
    env.unwrapped._renderer._fps = 1000
    env.reset(seed=0)
    window.quit()
    env.step(1)
    assert window.get_surface() is not None
    env.close()


def test_closing_without_a_window_leaves_the_windows_of_others(window):
    window.init()
    env = make("LineWalk")
    env.reset(seed=0)
    env.render()
    env.close()
    assert window.get_init()


def test_a_window_shows_no_more_pictures_a_second_than_it_should(window):
    import time

    env = make("LineWalk", "human")
    env.unwrapped._renderer._fps = 20
    env.reset(seed=0)
    begin = time.perf_counter()
    for _ in range(4):
        env.unwrapped.render()
    assert time.perf_counter() - begin > 3 * (1 / 20) * 0.8


def test_gymnasiums_own_window_takes_our_pictures(window):
    env = HumanRendering(make("LineWalk"))
    env.reset(seed=0)
    env.step(1)
    assert window.get_surface().get_size() == (644, 186)
    env.close()


def test_films_are_recorded(tmp_path):
    with warnings.catch_warnings():
        # What moviepy and Gymnasium warn of while writing a film is none of ours.
        warnings.simplefilter("ignore")
        env = RecordVideo(make("LineWalk"), str(tmp_path), disable_logger=True)
        env.reset(seed=0)
        for _ in range(5):
            env.step(1)
        env.close()
    (film,) = tmp_path.glob("*.mp4")
    assert film.stat().st_size > 1000


@pytest.mark.parametrize("name", NAMES)
def test_gymnasiums_checker_has_nothing_to_say_about_rendering(name, window):
    check_env(make(name, None).unwrapped)


def test_pictures_can_be_collected():
    env = gym.make("rl_envs/LineWalk-v0", render_mode="rgb_array_list")
    env.reset(seed=0)
    env.step(1)
    assert len(env.render()) == 2


# Overlays -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_overlay_changes_the_picture_and_adds_its_words(name):
    pictures, texts = set(), set()
    for overlay in (None, "value", "policy", "visits"):
        env, written = make(name, render_overlay=overlay), make(name, "ansi", render_overlay=overlay)
        env.reset(seed=0)
        written.reset(seed=0)
        pictures.add(env.render().tobytes())
        texts.add(written.render())
    assert len(pictures) == 4
    assert len(texts) == 4


def test_the_brightest_tile_is_the_state_of_the_highest_optimal_value():
    env = make("LineWalk", render_overlay="value", slip=0.2)
    env.reset(seed=0, options={"state": 5})
    frame = env.render()
    v = rl_envs.truth(env).v_star
    # Tiles are 56 pixels wide from x = 14 on, and their upper left corners are free of text and agent.
    shown = np.array([level_at(frame, 14 + 56 * state + 6, 40 + 28 + 6) for state in range(1, 10)])
    levels = (v[1:10] - v[1:10].min()) / (v[1:10].max() - v[1:10].min())
    np.testing.assert_allclose(shown, levels, atol=0.01)
    assert frame[40 + 28 + 6, 14 + 56 * 9 + 6].tolist() == HEAT[-1].tolist()


def test_visits_are_counted_over_episodes_and_shown():
    env = make("LineWalk", render_overlay="visits")
    for _ in range(3):
        env.reset(seed=0)
        env.step(1)
    frame = env.render()
    shown = [level_at(frame, 14 + 56 * state + 6, 40 + 28 + 6) for state in range(1, 10)]
    # The start, state 5, and state 6 were visited three times each, the others never.
    assert shown == pytest.approx([0, 0, 0, 0, 1, 1, 0, 0, 0], abs=0.002)
    env = make("LineWalk", "ansi", render_overlay="visits")
    env.reset(seed=0)
    env.reset()
    assert env.render().endswith("visits here 2\n")


def test_optimal_actions_are_named_as_a_set_where_they_tie():
    # At discount 1 and without slip, one half of the line's moves are as good as the other: both lead to the end.
    env = make("LineWalk", "ansi", render_overlay="policy")
    env.reset(seed=0)
    assert env.render().endswith("optimal actions: right\n")
    env = make("Bandit", "ansi", render_overlay="policy", means=[0.5, 1.0, 1.0])
    env.reset(seed=0)
    assert env.render().endswith("optimal actions: arm 1, arm 2\n")


def test_ties_are_drawn_as_several_arrows():
    tied = make("Bandit", render_overlay="policy", means=[0.5, 1.0, 1.0])
    single = make("Bandit", render_overlay="policy", means=[0.5, 1.0, 0.99])
    counts = []
    for env in (tied, single):
        env.reset(seed=0)
        counts.append((env.render() == COLOURS["goal"]).all(axis=2).sum())
    assert counts[0] == pytest.approx(2 * counts[1], rel=0.02)


def test_an_agents_own_values_and_policy_lie_over_the_picture_until_they_are_taken_away():
    env = make("LineWalk", render_overlay="value")
    env.reset(seed=0)
    exact = env.render()
    values = np.zeros(11)
    values[3] = 7.0
    env.unwrapped.overlay(values=values, title="mine")
    frame = env.render()
    assert frame[40 + 28 + 6, 14 + 56 * 3 + 6].tolist() == HEAT[-1].tolist()
    assert frame[40 + 28 + 6, 14 + 56 * 4 + 6].tolist() == HEAT[0].tolist()
    env.unwrapped.overlay(policy=np.ones(11, dtype=int))
    assert env.render().tobytes() not in (exact.tobytes(), frame.tobytes())
    env.unwrapped.overlay()
    np.testing.assert_array_equal(env.render(), exact)


def test_the_value_of_a_state_with_action_values_is_that_of_its_best_action():
    env = make("LineWalk", "ansi")
    env.reset(seed=0)
    env.unwrapped.overlay(values=np.tile([0.25, 0.75], (11, 1)), title="q")
    assert env.render().endswith("q here 0.75\n")


def test_a_stochastic_policy_names_what_it_may_do():
    env = make("LineBalance", "ansi")
    env.reset(seed=0)
    env.unwrapped.overlay(policy=np.tile([0.5, 0.5, 0.0], (11, 1)), title="policy")
    assert env.render().endswith("policy: left, stay\n")


def test_an_ended_episode_has_neither_value_nor_optimal_action():
    for overlay, words in (("value", "v* here none: the episode is over"), ("policy", "none: the episode is over")):
        env = make("LineWalk", "ansi", render_overlay=overlay, size=1)
        env.reset(seed=0)
        env.step(1)
        assert env.render().endswith(words + "\n")


def test_the_overlay_of_an_agent_leaves_its_own_array_alone():
    values = np.ones(11)
    policy = np.full((11, 2), 0.5)
    env = make("LineWalk")
    env.unwrapped.overlay(values=values, policy=policy)
    assert (values == 1).all()
    assert (policy == 0.5).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": np.zeros(5)}, r"values must have shape \(11,\) or \(11, 2\), but have \(5,\)"),
        ({"values": np.full(11, np.nan)}, "values must be finite, but state 0 has nan"),
        ({"policy": np.full(11, 2)}, r"actions must be in 0..1"),
        ({"policy": np.full((11, 2), 0.7)}, "probabilities must sum to 1"),
        ({"policy": np.zeros((3, 11), dtype=int)}, "an overlay shows one policy, but was given 3"),
    ],
)
def test_an_overlay_that_does_not_fit_is_refused(arguments, message):
    env = make("LineWalk")
    env.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        env.unwrapped.overlay(**arguments)


def test_an_overlay_that_is_refused_leaves_the_one_before_in_place():
    env = make("LineWalk")
    env.reset(seed=0)
    env.unwrapped.overlay(values=np.arange(11))
    before = env.render()
    with pytest.raises(ValueError, match="must have shape"):
        env.unwrapped.overlay(values=np.zeros(5))
    np.testing.assert_array_equal(env.render(), before)


def test_a_world_without_an_optimum_has_no_overlay_of_it():
    env = make("Bandit", render_overlay="value", discount=1.0)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="discount"):
        env.render()


def test_a_long_title_is_cut_off():
    env = make("LineWalk")
    env.reset(seed=0)
    plain = env.render()
    env.unwrapped.overlay(values=np.arange(11), title="a title far longer than there is room for " * 3)
    frame = env.render()
    assert frame.shape == plain.shape
    np.testing.assert_array_equal(frame[:40, :150], plain[:40, :150])  # the world's name stays readable


def test_an_unknown_overlay_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match=r"unknown render_overlay 'values'\. Did you mean 'value'"):
        rl_envs.TabularEnv("LineWalk", render_mode="rgb_array", render_overlay="values")


def test_overlays_and_options_need_a_picture():
    env = rl_envs.TabularEnv("LineWalk")
    with pytest.raises(ValueError, match="overlay\\(\\) needs a picture to draw on"):
        env.overlay(values=np.zeros(11))
    with pytest.raises(ValueError, match="show_option\\(\\) needs a picture"):
        env.show_option("home")


def test_an_option_is_named_until_the_next_reset():
    env = make("LineWalk", "ansi")
    env.reset(seed=0)
    env.unwrapped.show_option("go home")
    assert "option go home" in env.render()
    env.unwrapped.show_option(None)
    assert "option" not in env.render()
    env.unwrapped.show_option("go home")
    env.reset()
    assert "option" not in env.render()


# What worlds show ---------------------------------------------------------------------------------------------------


def test_pulls_and_what_they_paid_are_those_of_the_episode():
    env = make("Bandit", "ansi", means=[0.0, 1.0], std=0.0)
    env.reset(seed=0)
    for action in (1, 1, 0):
        env.step(action)
    lines = env.render().splitlines()
    assert lines[1].split() == ["arm", "pulls", "mean", "paid"]
    assert lines[2].split() == [">", "0", "1", "+0.000", "+0.000"]
    assert lines[3].split() == ["1", "2", "+1.000", "+1.000"]
    env.reset()
    assert env.render().splitlines()[3].split() == ["1", "0", "+1.000"]


def test_the_lit_state_of_the_graph_is_the_present_one():
    env = make("RandomMDP")
    env.reset(seed=0)
    first = env.render()
    env.reset(options={"state": 3})
    assert (env.render() != first).any()
    lit = (env.render() == COLOURS["agent"]).all(axis=2)
    # States stand around a circle clockwise from the top, so state 3 of 5 is on the left below the middle.
    rows, columns = np.nonzero(lit)
    assert columns.mean() < first.shape[1] / 2
    assert rows.mean() > first.shape[0] / 2


def test_the_grid_shows_the_values_of_the_present_stage():
    env = make("SubtaskGrid", render_overlay="value")
    v = rl_envs.truth(env).v_star
    layout = env.unwrapped.world.layout
    low, high = v[~env.unwrapped.world.mdp.terminal_states].min(), 1.0
    for stage, agent in ((0, 0), (1, 25), (2, 60)):
        env.reset(seed=0, options={"state": agent})
        frame = env.render()
        states = np.flatnonzero((layout.stage == stage) & (np.arange(len(v)) != agent))
        places = layout.grid.cells[layout.cell[states]]
        door = layout.grid.marks["D"], layout.grid.marks["G"]
        for state, (row, column) in zip(states, places, strict=True):
            if layout.cell[state] in door:
                continue  # painted over
            shown = level_at(frame, 14 + 44 * column + 4, 40 + 44 * row + 4)
            assert shown == pytest.approx((v[state] - low) / (high - low), abs=0.01)


def count(frame, colour):
    return int((frame == COLOURS[colour]).all(axis=2).sum())


def test_the_key_is_carried_and_the_door_opens():
    env = make("SubtaskGrid")
    env.reset(seed=0)
    keys = [count(env.render(), "key")]
    for action in (0, 0, 3, 3):  # two up, two left: onto the key
        env.step(action)
    keys.append(count(env.render(), "key"))
    shut = count(env.render(), "door")
    for action in (1, 1, 1, 2, 2, 1):  # to the door and into it
        env.step(action)
    keys.append(count(env.render(), "key"))
    assert env.unwrapped.world.layout.stage[env.unwrapped._state] == 2
    assert keys[0] > keys[1] > keys[2]  # on the ground, carried, and used; what is left is the door's handle
    assert count(env.render(), "door") < shut / 2


def test_the_active_option_is_drawn_where_it_runs():
    env = make("FourRooms")
    env.reset(seed=0)
    plain = env.render()
    assert count(plain, "tint") == 0
    options = hallway_options(env.unwrapped.world)
    for option in options:
        env.unwrapped.show_option(option)
        frame = env.render()
        cells = env.unwrapped.world.layout.grid.cells
        tinted = (frame == COLOURS["tint"]).all(axis=2)
        for cell, (row, column) in enumerate(cells):
            corner = tinted[40 + 36 * row + 4, 20 + 36 * column + 4]  # the map of 468 pixels is in the middle of 480
            assert corner == option.policy[cell].any()
    written = make("FourRooms", "ansi")
    written.reset(seed=0)
    written.unwrapped.show_option(options[0])
    assert f"option {options[0].name}" in written.render()


def test_an_option_of_another_world_is_refused():
    env = make("LineWalk")
    env.reset(seed=0)
    option = hallway_options(rl_envs.build("FourRooms"))[0]
    with pytest.raises(ValueError, match=r"must have a policy \(11, 2\) as the world, not \(104, 4\)"):
        env.unwrapped.show_option(option)


def test_what_is_no_option_is_refused():
    env = make("LineWalk")
    env.reset(seed=0)
    with pytest.raises(TypeError, match="option must be an Option, the name of one or None, but is 3"):
        env.unwrapped.show_option(3)


def test_the_joint_in_turn_is_marked():
    env = make("RobotGrasp")
    env.reset(seed=0)
    heights = []
    for _ in range(3):
        rows, _ = np.nonzero((env.render()[:, 430:] == COLOURS["agent"]).all(axis=2))
        heights.append(rows.mean())
        env.step(0)
    assert heights[0] < heights[1] < heights[2]


def test_the_arms_commands_have_the_colours_of_their_values():
    env = make("RobotGrasp", render_overlay="value")
    env.reset(seed=0)
    frame = env.render()
    exact = rl_envs.truth(env)
    going_on = ~env.unwrapped.world.mdp.terminal_states
    q = exact.q_star
    low, high = q[going_on].min(), q[going_on].max()
    for command in range(4):
        # The chips of the first dial: 44.5 pixels apart, 20 high, under a dial of 126 from y = 40 on.
        shown = level_at(frame, round(14 + 600 - 190 + 6 + 44.5 * command + 6), 40 + 126 - 28 + 4)
        assert shown == pytest.approx((q[0, command] - low) / (high - low), abs=0.01)


class Plain(Drawing):
    """A drawing with text only."""

    def text(self, frame):
        return f"here is {frame.state}"


def test_a_world_of_ones_own_needs_no_more_than_text():
    import dataclasses

    world = dataclasses.replace(rl_envs.build("LineWalk"), drawing=Plain())
    env = rl_envs.TabularEnv(world, render_mode="rgb_array", render_overlay="value")
    env.reset(seed=0)
    first = env.render()
    env.step(1)
    assert env.render().shape == first.shape
    assert (env.render() != first).any()


# The canvas ---------------------------------------------------------------------------------------------------------


def test_the_heat_map_gets_lighter_with_the_level():
    light = [0.299 * r + 0.587 * g + 0.114 * b for r, g, b in (heat(level) for level in np.linspace(0, 1, 200))]
    assert (np.diff(light) > -0.5).all()  # rounding to whole colours
    assert heat(-1) == heat(0) == (0, 34, 78)
    assert heat(2) == heat(1) == (254, 232, 56)


def test_boxes_are_filled_where_they_are_and_nowhere_else():
    canvas = Canvas(20, 10, Box(0, 0, 20, 10))
    canvas.box(Box(4, 2, 6, 5), (10, 20, 30))
    inside = np.zeros((10, 20), dtype=bool)
    inside[2:7, 4:10] = True
    np.testing.assert_array_equal((canvas.pixels() == (10, 20, 30)).all(axis=2), inside)


def test_numbers_under_a_row_keep_their_distance():
    canvas = Canvas(20, 10, Box(0, 0, 20, 10))
    assert canvas.spaced(range(-3, 4), 40) == [-3, -2, -1, 0, 1, 2, 3]
    assert canvas.spaced(range(-3, 4), 10) == [0]
    assert canvas.spaced(range(12), 6) == [0, 5, 10]


def test_a_value_is_placed_between_the_lowest_and_the_highest():
    overlay = Overlay("v", values=np.array([np.nan, 1.0, 3.0]))
    assert overlay.range == (1.0, 3.0)
    assert [overlay.level(value) for value in (1.0, 1.5, 3.0)] == [0.0, 0.25, 1.0]
    assert overlay.number(0) == ""
    assert Overlay("v", values=np.ones(3)).level(1.0) == 0.5
    assert Overlay("v", values=np.array([-1.5e308, 1.5e308])).level(0.0) == 0.5  # so far apart that 3e308 overflows


def test_a_renderer_draws_a_moment_without_an_environment():
    world = rl_envs.build("LineWalk")
    frame = Frame(
        state=5, action=None, reward=None, steps=0, total_reward=0.0,
        action_counts=np.zeros(2, dtype=np.int64), state_counts=np.zeros(11, dtype=np.int64),
    )  # fmt: skip
    assert "A" in Renderer(world, "ansi", 4).draw(frame)
