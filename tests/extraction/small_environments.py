"""Small environments, each with one thing that a walk must notice."""

import random
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces


class Line(gym.Env):
    """Five cells in a row, the goal at the right end; going left or right slips to the other side with 0.1."""

    def __init__(self):
        self.observation_space = spaces.Discrete(5)
        self.action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.cell = 1
        return self.cell, {}

    def move(self, action):
        way = 1 if action == 1 else -1
        if self.np_random.random() < 0.1:
            way = -way
        self.cell = min(max(self.cell + way, 0), 4)

    def step(self, action):
        self.move(action)
        return self.cell, float(self.cell == 4), self.cell == 4, False, {}


class NoisyReward(Line):
    """Normal noise on the reward."""

    def step(self, action):
        cell, reward, terminated, truncated, info = super().step(action)
        return cell, reward + self.np_random.normal(0.5, 2.0), terminated, truncated, info


class ContinuousState(Line):
    """A normal number moves the state."""

    def move(self, action):
        self.cell = self.cell + self.np_random.normal()


class UniformState(Line):
    """A uniform number is the state."""

    def move(self, action):
        self.position = self.np_random.uniform(-1, 1)


class NoisyObservation(Line):
    """A random number is shown."""

    def step(self, action):
        return (self.np_random.random(), *super().step(action)[1:])


class GlobalRandom(Line):
    """Chance from the module random."""

    def move(self, action):
        self.cell = min(max(self.cell + random.choice([-1, 1]), 0), 4)


class GlobalNumpy(Line):
    """Chance from NumPy's global generator."""

    def move(self, action):
        self.cell = min(max(self.cell + (1 if np.random.rand() < 0.5 else -1), 0), 4)  # noqa: NPY002


class OwnGenerator(Line):
    """A generator of its own, made in the constructor."""

    def __init__(self):
        super().__init__()
        self.rng = np.random.default_rng(3)

    def move(self, action):
        self.cell = min(max(self.cell + (1 if self.rng.random() < 0.9 else -1) * (1 if action else -1), 0), 4)


class NewGenerator(Line):
    """A generator that every reset makes anew."""

    def reset(self, *, seed=None, options=None):
        self.rng = np.random.default_rng(seed)
        return super().reset(seed=seed)


class Growing(Line):
    """Its rewards depend on all that has happened, so that no state comes back."""

    def reset(self, *, seed=None, options=None):
        self.past = []
        return super().reset(seed=seed)

    def step(self, action):
        self.past.append(int(action))
        cell, reward, terminated, truncated, info = super().step(action)
        return cell, reward + sum(self.past) % 7, terminated, truncated, info


class Unhashable(Line):
    """It keeps a generator, whose place cannot be looked up."""

    def reset(self, *, seed=None, options=None):
        self.counter = (number % 5 for number in range(10**9))
        return super().reset(seed=seed)

    def step(self, action):
        next(self.counter)
        return super().step(action)


class Cyclic(Line):
    """An iterator that decides nothing, but never comes back."""

    def reset(self, *, seed=None, options=None):
        self.counter = iter(range(10**9))
        return super().reset(seed=seed)

    def step(self, action):
        next(self.counter)
        return super().step(action)


class Failing(Line):
    """A cell in which the step raises."""

    def step(self, action):
        if self.cell == 3:
            raise RuntimeError("the engine is out of fuel")
        return super().step(action)


class NoFive(Line):
    """The old step of four."""

    def step(self, action):
        return 0, 0.0, False, {}


class ModuleState(Line):
    """It remembers something outside itself."""

    memory: dict[str, int] = {}

    def step(self, action):
        self.memory["n"] = self.memory.get("n", 0) + 1
        cell, reward, terminated, truncated, info = super().step(action)
        return cell, reward + (self.memory["n"] % 3 == 0), terminated, truncated, info


class Timed(Line):
    """An own time limit of 30 steps."""

    def reset(self, *, seed=None, options=None):
        self.elapsed = 0
        return super().reset(seed=seed)

    def step(self, action):
        self.elapsed += 1
        cell, reward, terminated, _, info = super().step(action)
        return cell, reward, terminated, self.elapsed >= 30, info


class TimedBadly(Timed):
    """The time limit is reported as the task's own end."""

    def step(self, action):
        cell, reward, terminated, truncated, info = super().step(action)
        return cell, reward, terminated or truncated, False, info


class Hurried(Timed):
    """The goal pays less the later it is reached, as MiniGrid's does."""

    def step(self, action):
        cell, reward, terminated, truncated, info = super().step(action)
        return cell, reward * (1 - 0.9 * self.elapsed / 30), terminated, truncated, info


class Truncating(Line):
    """Truncates where the state says so, which no count of steps does."""

    def step(self, action):
        cell, reward, terminated, _, info = super().step(action)
        return cell, reward, terminated, cell == 0, info


class Secret(Line):
    """Which way is right is drawn at reset, kept, and not shown."""

    def reset(self, *, seed=None, options=None):
        observation = super().reset(seed=seed)
        self.swapped = bool(self.np_random.integers(2))
        return observation

    def step(self, action):
        return super().step(1 - action if self.swapped else action)


class Arrays(gym.Env):
    """Two arrays changed in place, a dictionary of them, two actions at once, and a dictionary to see."""

    def __init__(self):
        self.observation_space = spaces.Dict({"at": spaces.Box(0, 2, (2,), np.int64), "lit": spaces.MultiBinary(2)})
        self.action_space = spaces.MultiDiscrete([3, 2])
        self.moves = {0: np.array([0, 0]), 1: np.array([1, 0]), 2: np.array([0, 1])}
        self.lamps = {"left": np.zeros(1, np.int8), "right": np.zeros(1, np.int8)}
        self.at = np.zeros(2, np.int64)

    def seen(self):
        return {"at": self.at, "lit": np.concatenate([self.lamps["left"], self.lamps["right"]])}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at[:] = 0
        for lamp in self.lamps.values():
            lamp[:] = 0
        return self.seen(), {}

    def step(self, action):
        self.at += self.moves[int(action[0])]
        np.clip(self.at, 0, 2, out=self.at)
        self.lamps["left" if self.np_random.random() < 0.25 else "right"][0] ^= int(action[1])
        done = bool((self.at == 2).all())
        return self.seen(), float(done and self.lamps["left"][0]), done, False, {}


class Shown(Line):
    """It shows an array of its own, which it changes in place, inside of a dictionary that is pickled."""

    def __init__(self):
        super().__init__()
        self.observation_space = spaces.MultiBinary(5)
        self.inside = {"board": np.zeros(5, np.int8)}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.show(), {}

    def show(self):
        self.inside["board"][:] = 0
        self.inside["board"][self.cell] = 1
        return self.inside["board"]

    def step(self, action):
        _, reward, terminated, truncated, info = super().step(action)
        return self.show(), reward, terminated, truncated, info


class Pointing(Line):
    """The goal is one of several objects, the others of which change: it is known by being that very object."""

    def reset(self, *, seed=None, options=None):
        self.cells = [{"lit": False} for _ in range(5)]
        self.goal = self.cells[4]
        return super().reset(seed=seed)

    def step(self, action):
        self.move(action)
        here = self.cells[self.cell]
        if here is not self.goal:
            here["lit"] = not here["lit"]
        return self.cell, float(here is self.goal), here is self.goal, False, {}


class Bag(Line):
    """What changes lies in a dictionary beside a function that pickle cannot find by its name."""

    def __init__(self):
        super().__init__()
        self.bag = {"way": lambda action: 1 if action else -1, "cell": 1}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.bag["cell"] = 1
        return 1, {}

    def step(self, action):
        self.cell = self.bag["cell"]
        self.move(int(self.bag["way"](action) > 0))
        self.bag["cell"] = self.cell
        return self.cell, float(self.cell == 4), self.cell == 4, False, {}


class Doubling(gym.Wrapper):
    """Pays double: a wrapper that changes rewards, and draws nothing."""

    def step(self, action: Any):
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, 2 * reward, terminated, truncated, info
