"""Environments with one fault each. A corridor of cells, from left to right, is what most of them are made of."""

import random

import gymnasium as gym
import numpy as np
from gymnasium import spaces


class Corridor(gym.Env):
    """Cells 0..size-1, the goal at the right end; no fault."""

    size, first, prize, cost = 5, 1, 1.0, 0.0

    def __init__(self):
        self.observation_space = spaces.Discrete(self.size)
        self.action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.cell = self.first
        return self.cell, {}

    def moved(self, action):
        return min(max(self.cell + (1 if action == 1 else -1), 0), self.size - 1)

    def step(self, action):
        self.cell = self.moved(action)
        home = self.cell == self.size - 1
        return self.cell, self.prize if home else -self.cost, home, False, {}


# Learning ------------------------------------------------------------------------------------------------------------


class Pit(Corridor):
    """Cell 0 is a pit: whoever falls in stays there, and the episode goes on."""

    def moved(self, action):
        return 0 if self.cell == 0 else super().moved(action)


class Closed(Corridor):
    """A wall hides the only cell that pays; the left end ends the episode for nothing."""

    def step(self, action):
        self.cell = min(self.moved(action), self.size - 2)
        gone = self.cell == 0
        return self.cell, 0.0, gone, False, {}


class WrongWay(Corridor):
    """A goal that half of the starts cannot get to: what is left of cell 2 stays there."""

    size = 6

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.cell = int(self.np_random.choice([1, 3]))
        return self.cell, {}

    def moved(self, action):
        after = super().moved(action)
        return min(after, 1) if self.cell < 2 else max(after, 3)


class Far(Corridor):
    """A goal so far away that random play does not find it: every step left leads back to the beginning."""

    size, first = 30, 0

    def moved(self, action):
        return super().moved(action) if action == 1 else 0


class Hasty(Corridor):
    """A goal further away than the time limit."""

    size, first = 9, 0


class OneWay(Corridor):
    """Cell 0 is a way out of the corridor into a yard without the goal, where one can still end the episode."""

    size = 5

    def __init__(self):
        super().__init__()
        self.observation_space = spaces.Discrete(7)

    def step(self, action):
        if self.cell >= 5:
            self.cell = 5 if action == 0 else 6
            return self.cell, 0.0, self.cell == 6, False, {}
        if self.cell == 0 and action == 0:
            self.cell = 5
            return self.cell, 0.0, False, False, {}
        return super().step(action)


class Deaf(Corridor):
    """The action is not used."""

    def moved(self, action):
        return min(self.cell + 1, self.size - 1)


class Silent(Corridor):
    """No reward at all."""

    prize = 0.0


# Incentives ----------------------------------------------------------------------------------------------------------


class Impatient(Corridor):
    """Each step costs so much that ending the episode at the left end is better than walking to the goal.

    At discount 1: from cell 2 of 12 it is 2 steps to the left end, worth -2, and 9 to the goal, worth -8 + 1 = -7. From
    cell 1 they are worth -1 and -8.
    """

    size, first, prize, cost = 12, 2, 1.0, 1.0

    def step(self, action):
        cell, reward, terminated, truncated, info = super().step(action)
        return cell, reward, terminated or cell == 0, truncated, info


class Slippery(Impatient):
    """The same, where each step may go the other way: the goal may come about by chance, but nobody aims at it."""

    def moved(self, action):
        return super().moved(1 - action if self.np_random.random() < 0.1 else action)


class Boat(Corridor):
    """A target that pays each time it is passed, half as much as the finish pays once.

    From cell 1 with discount d: going round is worth 0.5 / (1 - d^2), finishing 0.5 + d^2.
    """

    def step(self, action):
        before = self.cell
        cell, reward, terminated, truncated, info = super().step(action)
        return cell, reward + 0.5 * (cell == 2 and before == 1), terminated, truncated, info


class Sulking(Corridor):
    """Moving costs more than the goal pays, and standing still is free."""

    cost = 1.0

    def __init__(self):
        super().__init__()
        self.action_space = spaces.Discrete(3)

    def step(self, action):
        if action == 2:
            return self.cell, 0.0, False, False, {}
        return super().step(action)


# Hidden --------------------------------------------------------------------------------------------------------------


class Coin(Corridor):
    """A coin decides at reset which way is right, and nobody sees it."""

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.swapped = bool(self.np_random.integers(2))
        return self.cell, {}

    def step(self, action):
        return super().step(1 - action if self.swapped else action)


class Colour(Corridor):
    """What differs and is not seen changes what is right nowhere: the goal pays 1 or 2."""

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.bonus = float(self.np_random.integers(2))
        return self.cell, {}

    def step(self, action):
        cell, reward, terminated, truncated, info = super().step(action)
        return cell, reward + self.bonus * terminated, terminated, truncated, info


class Fading(Corridor):
    """The goal pays less the later it is reached, as MiniGrid's does."""

    def reset(self, *, seed=None, options=None):
        self.steps = 0
        return super().reset(seed=seed)

    def step(self, action):
        self.steps += 1
        cell, reward, terminated, _, info = super().step(action)
        return cell, reward * (1 - 0.9 * self.steps / 20), terminated, self.steps >= 20, info


# Contract ------------------------------------------------------------------------------------------------------------


class Counting(Corridor):
    """A count of steps that ends the episode, and calls it the task's end."""

    def reset(self, *, seed=None, options=None):
        self.elapsed = 0
        return super().reset(seed=seed)

    def step(self, action):
        self.elapsed += 1
        cell, reward, terminated, truncated, info = super().step(action)
        return cell, reward, terminated or self.elapsed >= 30, truncated, info


class Paying(Corridor):
    """A step after the end pays the prize again."""

    size = 3


class Strict(Corridor):
    """A step after the end is refused, as it should be."""

    def step(self, action):
        if self.cell == self.size - 1:
            raise gym.error.ResetNeeded("call reset() first")
        return super().step(action)


class SharedDice(Corridor):
    """Chance from the module random."""

    def moved(self, action):
        return super().moved(action if random.random() < 0.7 else 1 - action)


class OwnDice(Corridor):
    """Chance from a generator of its own, which reset does not seed."""

    def __init__(self):
        super().__init__()
        self.dice = np.random.default_rng(3)

    def moved(self, action):
        return super().moved(action if self.dice.random() < 0.7 else 1 - action)


class Unseeded(Corridor):
    """reset() forgets super().reset(seed=seed)."""

    def reset(self, *, seed=None, options=None):
        self.cell = self.first
        return self.cell, {}

    def moved(self, action):
        return super().moved(action if self.np_random.random() < 0.7 else 1 - action)


class Keeping(Corridor):
    """The door that an episode opened stays open in the next."""

    def __init__(self):
        super().__init__()
        self.door = False

    def reset(self, *, seed=None, options=None):
        return super().reset(seed=seed)

    def step(self, action):
        cell, reward, terminated, truncated, info = super().step(action)
        self.door = self.door or cell == 0
        return cell, reward + float(terminated and self.door), terminated, truncated, info


class Elsewhere(Corridor):
    """It remembers something in its class, where neither reset nor a copy of it reaches."""

    calls = [0]

    def step(self, action):
        self.calls[0] += 1
        cell, reward, terminated, truncated, info = super().step(action)
        return cell, reward + 0.25 * (self.calls[0] % 3 == 0), terminated, truncated, info


class Buffer(Corridor):
    """It hands out the very array that it keeps and changes."""

    def __init__(self):
        super().__init__()
        self.observation_space = spaces.Box(0, self.size - 1, (1,), np.int64)
        self.at = np.zeros(1, np.int64)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at[0] = self.first
        return self.at, {}

    def step(self, action):
        cell, reward, terminated, truncated, info = super().step(action)
        self.at[0] = cell
        return self.at, reward, terminated, truncated, info


class Infinite(Corridor):
    """The logarithm of nothing."""

    def step(self, action):
        cell, _, terminated, truncated, info = super().step(action)
        return cell, float("-inf") if cell == 0 else 0.0, terminated, truncated, info


class Textual(Corridor):
    """A reward that is a text."""

    def step(self, action):
        cell, _, terminated, truncated, info = super().step(action)
        return cell, "1", terminated, truncated, info


class Outside(Corridor):
    """A cell that the space does not hold."""

    def __init__(self):
        super().__init__()
        self.observation_space = spaces.Discrete(self.size - 1)


class Table(Corridor):
    """It carries a table that says it pays 2."""

    def __init__(self):
        super().__init__()
        self.initial_state_distrib = np.eye(self.size)[self.first]
        self.P = {
            cell: {
                action: [(1.0, *self.outcome(cell, action))] if cell < self.size - 1 else [(1.0, cell, 0.0, True)]
                for action in range(2)
            }
            for cell in range(self.size)
        }

    def outcome(self, cell, action):
        after = min(max(cell + (1 if action else -1), 0), self.size - 1)
        home = after == self.size - 1
        return after, 2.0 * home, home


class Old(Corridor):
    """Its reset takes no options; only Gymnasium's check says so."""

    def reset(self, *, seed=None):
        return super().reset(seed=seed)


class Ancient(Corridor):
    """Its reset takes no seed."""

    def reset(self):
        return super().reset()


class Four(Corridor):
    """Its step returns four things, as Gym's did."""

    def step(self, action):
        cell, reward, terminated, truncated, info = super().step(action)
        return cell, reward, terminated or truncated, info


class Broken(Corridor):
    """It fails in a cell."""

    def step(self, action):
        if self.cell == 2:
            raise RuntimeError("the engine is out of fuel")
        return super().step(action)


class Unready(Corridor):
    """It cannot be reset."""

    def reset(self, *, seed=None, options=None):
        raise FileNotFoundError("level.txt")


class Inert(Corridor):
    """It forgets to say which actions there are."""

    def __init__(self):
        self.observation_space = spaces.Discrete(self.size)


class Blind(Corridor):
    """It forgets to say what is seen."""

    def __init__(self):
        self.action_space = spaces.Discrete(2)


# What has no table ---------------------------------------------------------------------------------------------------


class Continuous(Corridor):
    """Its state is a real number."""

    def __init__(self):
        super().__init__()
        self.observation_space = spaces.Box(-100, 100, (1,), np.float64)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x = 0.5
        return np.array([self.x]), {}

    def step(self, action):
        self.x = 3.9 * self.x * (1 - self.x) if 0 < self.x < 1 else 0.5
        return np.array([self.x]), float(self.x > 0.9), False, False, {}


class Normal(Corridor):
    """A normal draw is kept in the state."""

    def step(self, action):
        self.drift = self.np_random.normal()
        return super().step(action)


class TwoKinds(Corridor):
    """reset() shows an array of integers, step() one of floats."""

    def __init__(self):
        super().__init__()
        self.observation_space = spaces.Box(0, self.size - 1, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.array([self.cell]), {}

    def step(self, action):
        cell, reward, terminated, truncated, info = super().step(action)
        return np.array([cell], np.float32), reward, terminated, truncated, info


class Rejecting(Corridor):
    """It draws until something fits."""

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        while True:
            self.cell = int(self.np_random.integers(100))
            if self.cell < self.size - 1:
                return self.cell, {}


class Growing(Corridor):
    """It remembers everything, and what it pays depends on it."""

    def reset(self, *, seed=None, options=None):
        self.past = []
        return super().reset(seed=seed)

    def step(self, action):
        self.past.append(int(action))
        cell, reward, terminated, truncated, info = super().step(action)
        return cell, reward + sum(self.past) % 7, terminated, truncated, info


class Generating(Corridor):
    """It keeps a Python generator, which cannot be copied."""

    def reset(self, *, seed=None, options=None):
        self.numbers = (number % 5 for number in range(10**9))
        return super().reset(seed=seed)

    def step(self, action):
        next(self.numbers)
        return super().step(action)
