"""Playing by hand: keys, steps and waiting, with keys pressed by the test in a window that nobody sees."""

import inspect
import sys

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import DependencyNotInstalled, ResetNeeded

from rl_envs.registry import WORLDS, build, world_id
from rl_envs.rendering import keyboard
from rl_envs.rendering.keyboard import WAIT, StepsOnKeys, describe_keys, play, with_arrow_keys


def make(name, **arguments):
    return gym.make(world_id(name), render_mode="rgb_array", **arguments)


class Hand(gym.Wrapper):
    """Writes down the actions that arrive, and presses and lets go of keys after given numbers of them."""

    def __init__(self, env, events):
        super().__init__(env)
        self.events = events  # after so many steps: [(kind of event, key), ...]
        self.actions = []
        self.resets = 0

    def reset(self, **arguments):
        self.resets += 1
        return self.env.reset(**arguments)

    def step(self, action):
        self.actions.append(action)
        post(self.events.get(len(self.actions), []))
        return self.env.step(action)


def post(events):
    import pygame

    pygame.display.init()  # a game that has ended has closed it
    for kind, key in events:
        kind = getattr(pygame, kind)
        pygame.event.post(pygame.event.Event(kind) if key is None else pygame.event.Event(kind, key=key))


@pytest.fixture(autouse=True)
def fast_window(monkeypatch):
    """A window that nobody sees, in which a key held down repeats at every reading and episodes end at once."""
    import pygame

    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setattr(keyboard, "PAUSE_AT_THE_END", 0.05)
    pygame.display.init()
    pygame.event.clear()
    yield
    pygame.display.quit()


@pytest.mark.parametrize("name", list(WORLDS))
def test_every_world_has_keys_that_stand_for_its_actions(name):
    env = make(name)
    keys = env.unwrapped.get_keys_to_action()
    assert keys
    assert all(action in env.action_space for action in keys.values())
    if len(env.unwrapped.action_names) <= 10:
        assert sorted(int(action) for action in keys.values()) == list(range(env.action_space.n))


@pytest.mark.filterwarnings("ignore:.*env.get_keys_to_action")  # Gymnasium 0.29 warns of its own way to find them
@pytest.mark.parametrize("name", ["LineWalk", "SubtaskGrid", "RobotGraspMulti", "Bandit"])
def test_gymnasiums_own_play_takes_our_keys(name):
    env = Hand(make(name), {1: [("QUIT", None)]})
    key, action = next(iter(env.unwrapped.get_keys_to_action().items()))
    post([("KEYDOWN", ord(letter)) for letter in key])
    gymnasium_play = keyboard.gymnasium_play()
    if "wait_on_player" in inspect.signature(gymnasium_play).parameters:
        gymnasium_play(env, fps=1000, wait_on_player=True)
    else:
        gymnasium_play(env, fps=1000, noop=env.action_space.sample())
    np.testing.assert_array_equal(env.actions[-1], action)


def test_a_key_held_down_steps_again_and_another_key_changes_the_action(monkeypatch):
    env = Hand(make("LineWalk"), {3: [("KEYUP", ord("d")), ("KEYDOWN", ord("a"))], 5: [("QUIT", None)]})
    monkeypatch.setattr(keyboard, "READS_PER_SECOND", 4)  # LineWalk's own rate, so that every reading is a step
    monkeypatch.setitem(env.metadata, "render_fps", 4)
    post([("KEYDOWN", ord("d"))])
    play(env)
    assert env.actions == [1, 1, 1, 0, 0]


def test_arrow_keys_go_where_they_point():
    import pygame

    env = Hand(make("FourRooms"), {1: [("QUIT", None)]})
    post([("KEYDOWN", pygame.K_UP)])
    play(env)
    assert env.actions == [0]
    codes = {"w": pygame.K_UP, "a": pygame.K_LEFT, "s": pygame.K_DOWN, "d": pygame.K_RIGHT}
    assert codes == keyboard.ARROW_KEYS


def test_arrow_keys_are_for_directions_only():
    env = make("LineBalance")  # its s means stay, not down
    keys = with_arrow_keys(env.unwrapped.get_keys_to_action(), env)
    assert keyboard.ARROW_KEYS["s"] not in {key for keys_down in keys for key in keys_down}
    assert keys[(keyboard.ARROW_KEYS["a"],)] == 0
    arm = make("RobotGrasp")
    keys = arm.unwrapped.get_keys_to_action()
    assert with_arrow_keys(keys, arm) == keys


def test_nothing_happens_without_a_key():
    env = Hand(make("LineWalk"), {})
    post([("QUIT", None)])
    play(env)
    assert env.actions == []


def test_escape_ends_the_game():
    import pygame

    env = Hand(make("LineWalk"), {})
    post([("KEYDOWN", pygame.K_ESCAPE)])
    play(env)
    assert env.actions == []


def test_a_game_goes_on_with_another_episode_after_the_end(monkeypatch):
    monkeypatch.setattr(keyboard, "READS_PER_SECOND", 4)
    env = Hand(make("LineWalk", size=1), {2: [("QUIT", None)]})
    post([("KEYDOWN", ord("d"))])
    play(env)
    assert env.actions == [1, 1]
    assert env.resets == 3  # gymnasium's play resets twice before the first step


def test_one_line_is_enough_to_play(capsys):
    post([("QUIT", None)])
    play("LineWalk", size=7)
    assert capsys.readouterr().out == "Keys: a left; d right. Esc ends the game.\n"
    post([("QUIT", None)])
    play("rl_envs/LineWalkOneHot-v0")


def test_keys_of_ones_own_take_the_place_of_the_worlds():
    env = Hand(make("LineWalk"), {1: [("QUIT", None)]})
    post([("KEYDOWN", ord("x"))])
    play(env, keys={"x": 1})
    assert env.actions == [1]


def test_chords_are_described_by_their_single_keys():
    env = make("RobotGraspMulti")
    line = describe_keys(env.unwrapped.get_keys_to_action(), env)
    assert line.startswith("Keys: ")
    assert "g grip, grip, grip" in line
    assert line.endswith(", several at a time where that has a meaning")


def test_playing_leaves_matplotlibs_backend_alone():
    import matplotlib

    before = matplotlib.get_backend()
    sys.modules.pop("gymnasium.utils.play")
    post([("QUIT", None)])
    play("LineWalk")
    assert "gymnasium.utils.play" in sys.modules
    assert matplotlib.get_backend() == before


# The wrapper that waits ----------------------------------------------------------------------------------------------


def test_a_tap_is_one_step_and_waiting_is_none():
    env = StepsOnKeys(make("LineWalk"))  # 4 pictures a second, 60 readings: a step at every 15th
    env.reset(seed=0)
    states = [env.step(action)[0] for action in [WAIT, 1, 1, 1, WAIT, 1, 0]]
    assert states == [5, 6, 6, 6, 6, 7, 6]
    env.step(WAIT)
    assert [env.step(1)[0] for _ in range(31)] == [7] * 15 + [8] * 15 + [9]


def test_the_end_of_an_episode_stays_a_while_and_is_then_reported():
    env = StepsOnKeys(make("LineWalk", size=1))
    env.reset(seed=0)
    ends = [env.step(1)[2] for _ in range(4)]
    assert ends == [False, False, False, True]  # 0.05 seconds are three readings
    assert env.step(1)[1:3] == (1.0, True)


def test_only_the_first_episode_has_the_seed():
    env = StepsOnKeys(make("FourRooms"))
    first = env.reset(seed=3)[0]
    assert env.reset(seed=3)[0] == first
    env.step(0)
    later = [env.reset(seed=3)[0] for _ in range(5)]
    assert len(set(later)) > 1


def test_the_picture_is_painted_anew_only_after_a_step():
    env = StepsOnKeys(make("LineWalk"))
    env.reset(seed=0)
    first = env.render()
    env.step(WAIT)
    assert env.render() is first
    env.step(1)
    assert env.render() is not first


def test_a_step_before_the_first_reset_is_refused():
    with pytest.raises(ResetNeeded, match="no episode is running"):
        StepsOnKeys(make("LineWalk")).step(1)


# What cannot be played -----------------------------------------------------------------------------------------------


def test_an_unknown_world_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match=r"unknown world 'LinWalk'\. Did you mean 'LineWalk'"):
        play("LinWalk")


def test_an_environment_without_pictures_is_refused():
    with pytest.raises(ValueError, match='render_mode="rgb_array", but has None'):
        play(gym.make("rl_envs/LineWalk-v0"))


def test_an_environment_without_keys_is_refused():
    with pytest.raises(ValueError, match="this world has no keys"):
        play("CartPole-v1")


def test_arguments_for_an_environment_that_is_made_already_are_refused():
    with pytest.raises(TypeError, match="takes no arguments, but got size"):
        play(make("LineWalk"), size=3)


def test_what_is_no_environment_is_refused():
    with pytest.raises(TypeError, match="play\\(\\) takes a world's name, an id or an environment, not 3"):
        play(3)


def test_a_missing_pygame_is_said_at_once(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(DependencyNotInstalled, match=r'pip install "rl-envs\[render\]"'):
        play("LineWalk")


def test_worlds_name_no_key_twice():
    for name in WORLDS:
        keys = ["".join(sorted(key)) for key in build(name).keys]
        assert len(keys) == len(set(keys))
