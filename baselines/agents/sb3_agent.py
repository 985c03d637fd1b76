"""Stable-Baselines3's algorithms as agents, trained run by run, scored along the way, and saved.

torch and Stable-Baselines3 are imported only when a model is made.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from baselines.training.global_random import library_conventions
from baselines.training.library_agent import LibraryAgent
from baselines.training.seeding import integer_seeds
from baselines.training.task import TaskLike


@dataclass(frozen=True)
class SB3Config:
    """Hyperparameters that all of the library's agents have."""

    learning_rate: float  # of the optimiser
    hidden: tuple[int, ...] = (64,)  # units of each hidden layer of every network


class Listener(Protocol):
    """Callbacks for the training of the library's models, which runs outside our own loop, run by run."""

    def begin(self, run: int, model: Any) -> None:
        """The run of this place in the population begins to learn with this model; it may be given a logger."""

    def step(self, run: int, steps: int) -> None:
        """A run has taken so many environment steps."""

    def checkpoint(self, run: int, steps: int, score: float) -> None:
        """A run has been scored after so many environment steps."""


class SB3Agent(LibraryAgent):
    """The base class of the library's agents.

    Args:
        task: what to learn.
        runs: see `Agent`.
        seed: see `Agent`.
        config: the agent's own `Config`.

    Attributes:
        listener: optional callbacks; they do not affect learning.

    Raises:
        TypeError: actions that are not Discrete.
    """

    Config = SB3Config
    listener: Listener | None = None

    def __init__(self, task: TaskLike, *, runs: int | range = 1, seed: int = 0, config: Any = None) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        self._num_actions = self.task.num_actions
        self._trained: list[Any] = []  # one of the library's models a run

    @property
    @abstractmethod
    def algorithm(self) -> Any:
        """The library's class."""

    @abstractmethod
    def arguments(self, steps: int) -> dict[str, Any]:
        """What the library's class is made with, besides what every one is.

        Args:
            steps: environment steps that it will be trained for.
        """

    def log_interval(self, steps: int) -> int:
        """Episodes, or updates where the library counts those, between two entries of its log."""
        return 4  # the library's default for DQN

    @property
    def models(self) -> list[Any]:
        """The library's model of every run."""
        if not self._trained:
            with library_conventions():
                self._trained = [self._new_model(seed, steps=1) for seed in self._model_seeds()]
        return self._trained

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """Each run's model's own action; without `greedy` as it explores."""
        with library_conventions():
            answers = [model.predict(seen, deterministic=greedy)[0] for model, seen in zip(self.models, observation)]
        return np.array(answers)

    def policy(self) -> np.ndarray:
        """What each run's model does in each state, [R, S, A]."""
        truth = self.task.truth
        if truth is None:
            raise TypeError(f"{self.task.name} has no table, so its states cannot be listed")
        return np.stack([truth.policy_table(model) for model in self.models])

    def learn(self, checkpoints: np.ndarray, *, episodes: int) -> tuple[np.ndarray, float]:
        """Train every run from the start and score it at each checkpoint.

        Args:
            checkpoints: environment steps at which to score, rising, [C]; training ends with the last of them, or with
                the update that is then being collected for.
            episodes: episodes per evaluation where there is no table.

        Returns:
            Scores [C, R], and the seconds spent on training without scoring.

        Raises:
            ValueError: the agent has been trained before; the library's models are trained in one go.
        """
        self._check_untrained()
        steps = int(checkpoints[-1])
        scores = np.empty((len(checkpoints), self.num_runs))
        models, seconds = [], 0.0
        for run, seed in enumerate(self._model_seeds()):
            with library_conventions():
                model = self._new_model(seed, steps)
                watch = _Checkpoints(checkpoints, partial(self._score, model, episodes), run, self.listener)
                seconds += watch.learn(model, self.log_interval(steps))
            scores[:, run] = watch.scores
            models.append(model)
        self._trained = models
        self.steps = steps
        return scores, seconds

    def fit(self, steps: int) -> None:
        """Train every run from the start without scoring it.

        Args:
            steps: environment steps of each run, or a few more where the library collects several at a time.

        Raises:
            ValueError: the agent has been trained before.
        """
        self._check_untrained()
        models = []
        for seed in self._model_seeds():
            with library_conventions():
                models.append(self._new_model(seed, steps).learn(steps, log_interval=self.log_interval(steps)))
        self._trained = models
        self.steps = steps

    def state(self) -> dict[str, np.ndarray]:
        """The networks' parameters, besides what every agent saves. They act as before, but do not learn on."""
        parameters = [model.policy.state_dict() for model in self.models]
        stacked = {f"parameters.{name}": np.stack([run[name].numpy() for run in parameters]) for name in parameters[0]}
        return {**super().state(), **stacked}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Restore saved parameters."""
        import torch

        super().restore(state)
        for run, model in enumerate(self.models):
            names = model.policy.state_dict()
            model.policy.load_state_dict({name: torch.from_numpy(state[f"parameters.{name}"][run]) for name in names})

    def _check_untrained(self) -> None:
        if self.steps:
            raise ValueError(f"{self.name} is trained in one call, but has been trained for {self.steps} steps before")

    def _model_seeds(self) -> list[int]:
        # The library hands its seed to NumPy's and torch's global generators, which take 32 bits.
        return integer_seeds(self.seeds("model"), bits=31)

    def _new_model(self, seed: int, steps: int) -> Any:
        from stable_baselines3.common.monitor import Monitor
        from stable_baselines3.common.vec_env import DummyVecEnv

        def make() -> Any:
            # What the library logs of episodes comes from its Monitor, which changes nothing but costs time.
            return self.task.make_single() if self.listener is None else Monitor(self.task.make_single())

        return self.algorithm(
            "MlpPolicy",
            DummyVecEnv([make] * self.num_envs),
            learning_rate=self.config.learning_rate,
            gamma=self.task.discount,
            policy_kwargs={"net_arch": list(self.config.hidden)},
            seed=seed,
            device="cpu",
            **self.arguments(steps),
        )

    def _score(self, model: Any, episodes: int) -> float:
        if self.task.truth is not None:
            return float(self.task.truth.score(model))
        from stable_baselines3.common.evaluation import evaluate_policy
        from stable_baselines3.common.monitor import Monitor
        from stable_baselines3.common.vec_env import DummyVecEnv

        env = DummyVecEnv([lambda: Monitor(self.task.make_single())])
        env.seed(model.seed)
        mean, _ = evaluate_policy(model, env, n_eval_episodes=episodes)
        return float(np.mean(mean))


class _Checkpoints:
    """Scores a model as its training passes each checkpoint.

    Args:
        checkpoints: environment steps, rising, [C].
        score: gives the model's present score.
        run: which of the population's runs the model is, counted from 0.
        listener: callbacks.
    """

    def __init__(
        self, checkpoints: np.ndarray, score: Callable[[], float], run: int = 0, listener: Listener | None = None
    ) -> None:
        self._checkpoints = checkpoints
        self._score_of_now = score
        self._run = run
        self._listener = listener
        self.scores: list[float] = []

    def learn(self, model: Any, log_interval: int) -> float:
        """Train the model to the last checkpoint; gives the seconds that this took without scoring."""
        if self._listener is not None:
            self._listener.begin(self._run, model)
        self._score(model)
        scoring = 0.0

        def after_step(local: dict[str, Any], _: dict[str, Any]) -> bool:
            nonlocal scoring
            started = time.perf_counter()
            # The last checkpoint is left for after the last update.
            while len(self.scores) < len(self._checkpoints) - 1 and model.num_timesteps >= self._next:
                self._score(model)
            if self._listener is not None:
                self._listener.step(self._run, model.num_timesteps)
            scoring += time.perf_counter() - started
            return True

        started = time.perf_counter()
        model.learn(int(self._checkpoints[-1]), callback=after_step, log_interval=log_interval)
        seconds = time.perf_counter() - started - scoring
        self._score(model)
        return seconds

    def _score(self, model: Any) -> None:
        self.scores.append(self._score_of_now())
        if self._listener is not None:
            self._listener.checkpoint(self._run, model.num_timesteps, self.scores[-1])

    @property
    def _next(self) -> int:
        return int(self._checkpoints[len(self.scores)])
