"""Pictures and texts: right size and type, and they show what they should."""

import re
import sys

import numpy as np
import pytest
from gymnasium.error import DependencyNotInstalled

from rl_envs.drawing.palette import PLAYERS
from rl_envs.drawing.picture import Picture
from rl_envs.drawing.window import Window
from rl_envs.games import grid_soccer, matrix_game
from rl_envs.games.soccer_rules import KICK_OFF, Position, state_of

BIG = np.random.default_rng(0).normal(size=(2, 40, 30)).tolist()
THREE = np.random.default_rng(0).integers(-9, 10, (3, 2, 3, 4)).tolist()


def frames(env, num_rounds, seed=0):
    rng = np.random.default_rng(seed)
    env.reset(seed=seed)
    shown = [env.render()]
    for _ in range(num_rounds):
        if env.agents:
            env.step({agent: int(rng.integers(env.action_space(agent).n)) for agent in env.agents})
            shown.append(env.render())
    return shown


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        (matrix_game, {"game": "climbing"}),
        (matrix_game, {"game": "battle_of_the_sexes", "max_cycles": 10**6}),
        (matrix_game, {"payoffs": THREE}),
        (matrix_game, {"payoffs": [[1.5, -2, 3]]}),
        (matrix_game, {"payoffs": BIG}),
        (grid_soccer, {}),
    ],
)
def test_frames_have_one_size_and_change_with_the_state(module, arguments):
    shown = frames(module.parallel_env(render_mode="rgb_array", **arguments), 8)
    for frame in shown:
        assert frame.dtype == np.uint8
        assert frame.shape == shown[0].shape
        assert frame.shape[2] == 3
        assert max(frame.shape) <= 1300
        assert frame.flags.c_contiguous
    assert len({frame.tobytes() for frame in shown}) > 1


def test_the_text_of_a_matrix_game_brackets_what_was_played_and_stars_best_responses():
    env = matrix_game.parallel_env("climbing", max_cycles=9, render_mode="ansi")
    env.reset()
    assert env.render().startswith("climbing, before the first of 9 rounds\n")
    assert "[" not in env.render()
    env.step({"player_0": 1, "player_1": 2})
    env.step({"player_0": 1, "player_1": 2})
    lines = env.render().splitlines()
    assert lines[0] == "climbing, round 2 of 9"
    assert re.split(r"\s\s+", lines[3].strip()) == ["b", "-30, -30", "7*, 7*", "[6*, 6]"]
    assert lines[-1] == "totals: player_0 12  player_1 12"


def test_the_text_of_three_players_names_the_slice():
    env = matrix_game.parallel_env(payoffs=THREE, render_mode="ansi")
    env.reset()
    env.step({"player_0": 0, "player_1": 2, "player_2": 3})
    table = np.array(THREE)
    text = env.render()
    assert "player_2: d" in text
    cell = re.search(r"\[(.*?)\]", text).group(1).replace("*", "")
    assert cell == ", ".join(str(payoff) for payoff in table[:, 0, 2, 3])


def test_the_cell_just_played_is_lit():
    env = matrix_game.parallel_env("climbing", render_mode="rgb_array")
    env.reset()
    lit = (255, 236, 153)
    assert not (env.render() == lit).all(axis=2).any()
    centers = []
    for joint in ((0, 0), (0, 2), (2, 0)):
        env.step(dict(zip(env.agents, joint)))
        rows, columns = np.nonzero((env.render() == lit).all(axis=2))
        centers.append((rows.mean(), columns.mean()))
    assert centers[1][1] > centers[0][1] + 50  # further right
    assert centers[1][0] == pytest.approx(centers[0][0], abs=10)
    assert centers[2][0] > centers[0][0] + 50  # further down


def test_the_text_of_soccer_shows_players_ball_and_goals():
    env = grid_soccer.parallel_env(render_mode="ansi")
    env.reset(options={"state": state_of(Position(((1, 0), (3, 4)), ball=0))})
    lines = env.render().splitlines()
    assert lines[0] == "grid_soccer, round 0 of 100"
    assert lines[3] == " ( )| Ao  .   .   .   .  |( )"
    assert lines[5] == "    | .   .   .   .   B  |"
    env.step({"player_0": 3, "player_1": 4})
    assert env.render().startswith("player_0 (A) scores in round 1\n")
    assert " (o)|" in env.render()
    env.reset(options={"state": state_of(Position(KICK_OFF, ball=1))})
    assert "Bo" in env.render()


def test_the_picture_of_soccer_shows_the_players_where_they_are():
    env = grid_soccer.parallel_env(render_mode="rgb_array")

    def center_of(player):
        frame = env.render()
        inside = frame[:, 90:-90]  # between the goals, which have the same colours
        rows, columns = np.nonzero((inside == PLAYERS[player]).all(axis=2))
        return rows.mean(), columns.mean()

    env.reset(options={"state": state_of(Position(((0, 0), (3, 4)), ball=0))})
    upper_left, lower_right = center_of(0), center_of(1)
    assert lower_right[0] - upper_left[0] == pytest.approx(3 * 96, abs=10)
    assert lower_right[1] - upper_left[1] == pytest.approx(4 * 96, abs=10)


@pytest.mark.parametrize("module", [matrix_game, grid_soccer])
def test_human_mode_draws_every_round_by_itself_and_returns_nothing(module, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setitem(module.parallel_env.metadata, "render_fps", 10_000)
    shown = []
    show = Window.show
    monkeypatch.setattr(Window, "show", lambda self, pixels: (shown.append(pixels), show(self, pixels)))
    env = module.parallel_env(render_mode="human")
    env.reset(seed=0)
    env.step({"player_0": 0, "player_1": 0})
    assert len(shown) == 2
    assert env.render() is None
    env.close()
    env.close()  # twice does no harm
    env.reset()  # and the window opens again
    env.close()


def test_sound_is_never_started(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    import pygame

    window = Window("x", 1000)
    window.show(np.zeros((4, 4, 3), dtype=np.uint8))
    assert pygame.display.get_init()
    assert not pygame.mixer.get_init()
    window.close()
    assert not pygame.display.get_init()


def test_pictures_need_no_display():
    import pygame

    pygame.display.quit()
    Picture(3, 2).pixels()
    assert not pygame.display.get_init()


def test_without_pygame_pictures_say_what_to_install_and_text_still_works(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    env = matrix_game.parallel_env(render_mode="rgb_array")
    env.reset()
    with pytest.raises(
        DependencyNotInstalled, match=r"pictures need pygame-ce: run `pip install \"rl-envs\[render\]\"`"
    ):
        env.render()
    env = matrix_game.parallel_env(render_mode="ansi")
    env.reset()
    assert "climbing" in env.render()
