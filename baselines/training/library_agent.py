"""Agents of other libraries, which have a training loop of their own."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from baselines.learning.transition import Transition
from baselines.training.agent import Agent


class LibraryAgent(Agent):
    """An agent of another library, which trains its runs one after the other in its own loop."""

    @abstractmethod
    def learn(self, checkpoints: np.ndarray, *, episodes: int) -> tuple[np.ndarray, float]:
        """Train every run and score it at each checkpoint.

        Args:
            checkpoints: environment steps at which to score, rising, [C]; training ends with the last of them.
            episodes: episodes per evaluation where there is no table.

        Returns:
            Scores [C, R], and the seconds spent on training without scoring.
        """

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Not supported: the library's own loop does the learning."""
        raise TypeError(f"{self.name} trains in its library's own loop: call train(agent, steps=...)")
