"""Stable-Baselines3's DQN and A2C behind the same interface as our own agents.

Each run is a model of its own with a seed of its own, trained in the library's loop, one after the other. At every
checkpoint the model is asked for its action in every state and scored exactly, as our agents are.

torch and Stable-Baselines3 are imported when a model is made and not before.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Protocol, final

import numpy as np

from baselines.training.agent import LibraryAgent
from baselines.training.global_random import library_conventions
from baselines.training.seeding import integer_seeds
from baselines.training.task import Task
from rl_envs.mdp.finite_mdp import check_integer
from rl_envs.worlds.world import World


@dataclass(frozen=True)
class SB3DQNConfig:
    """Settings of DQN, matched to small worlds; the library's own defaults are the preset "defaults".

    Attributes:
        learning_rate: of Adam.
        buffer_size: transitions kept for replay.
        learning_starts: environment steps before the first update.
        batch_size: transitions of an update.
        train_freq: environment steps between updates.
        gradient_steps: updates each time.
        target_update_interval: environment steps between copies of the network to the target network.
        epsilon: probability of exploring at step 0.
        final_epsilon: probability of exploring once it has fallen, in a straight line.
        epsilon_steps: environment steps that the fall of epsilon takes; 0 for a tenth of the training, as the library
            has it.
        hidden: units of each hidden layer.
    """

    learning_rate: float = 2e-3
    buffer_size: int = 10_000
    learning_starts: int = 200
    batch_size: int = 64
    train_freq: int = 4
    gradient_steps: int = 1
    target_update_interval: int = 100
    epsilon: float = 1.0
    final_epsilon: float = 0.1
    epsilon_steps: int = 10_000
    hidden: tuple[int, ...] = (64,)


@dataclass(frozen=True)
class SB3A2CConfig:
    """Settings of A2C, matched to small worlds; the library's own defaults are the preset "defaults".

    Attributes:
        learning_rate: of RMSprop.
        num_copies: copies of the world that one run collects from; steps are counted over all of them.
        num_steps: steps of each copy between updates.
        trace_decay: lambda of the generalised advantage estimate; 1 is the plain advantage.
        entropy_weight: weight of the entropy in the loss.
        value_weight: weight of the value loss.
        max_gradient_norm: longer gradients are shortened to this.
        hidden: units of each hidden layer, of the policy and of the value function.
    """

    learning_rate: float = 5e-3
    num_copies: int = 8
    num_steps: int = 5
    trace_decay: float = 1.0
    entropy_weight: float = 0.1
    value_weight: float = 0.5
    max_gradient_norm: float = 0.5
    hidden: tuple[int, ...] = (64,)


class Listener(Protocol):
    """Is told of the training of the library's models, which goes on outside our own loop, run by run."""

    def begin(self, run: int, model: Any) -> None:
        """The run of this place in the population begins to learn with this model; it may be given a logger."""

    def step(self, run: int, steps: int) -> None:
        """A run has taken so many environment steps."""

    def checkpoint(self, run: int, steps: int, score: float) -> None:
        """A run has been scored after so many environment steps."""


class SB3Agent(LibraryAgent):
    """What the library's agents have in common.

    Args:
        task: what to learn.
        runs: as for every `Agent`.
        seed: as for every `Agent`.
        config: the agent's own `Config`.

    Attributes:
        listener: is told of the training, if there is one. It changes nothing of what is learned.

    Raises:
        TypeError: actions that are not Discrete.
    """

    listener: Listener | None = None

    def __init__(self, task: Task | World | str, *, runs: int | range = 1, seed: int = 0, config: Any = None) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        self._num_actions = self.task.num_actions
        self._trained: list[Any] = []  # one of the library's models a run

    @abstractmethod
    def make_model(self, env: Any, seed: int, steps: int) -> Any:
        """One run's model, untrained.

        Args:
            env: the library's vector environment.
            seed: of everything random in the run.
            steps: environment steps that it will be trained for.
        """

    @property
    def num_copies(self) -> int:
        """How many copies of the world one run collects from."""
        return 1

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
            episodes: how many episodes a score is the mean of where there is no table.

        Returns:
            Scores [C, R], and the seconds spent on training without scoring.

        Raises:
            ValueError: the agent has been trained before; the library's models are trained in one go.
        """
        if self.steps:
            raise ValueError(f"{self.name} is trained in one call, but has been trained for {self.steps} steps before")
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

    def state(self) -> dict[str, np.ndarray]:
        """The networks' parameters, beside what every agent saves. They act as before, but do not learn on."""
        parameters = [model.policy.state_dict() for model in self.models]
        stacked = {f"parameters.{name}": np.stack([run[name].numpy() for run in parameters]) for name in parameters[0]}
        return {**super().state(), **stacked}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over saved parameters."""
        import torch

        super().restore(state)
        for run, model in enumerate(self.models):
            names = model.policy.state_dict()
            model.policy.load_state_dict({name: torch.from_numpy(state[f"parameters.{name}"][run]) for name in names})

    def _model_seeds(self) -> list[int]:
        # The library hands its seed to NumPy's and torch's global generators, which take 32 bits.
        return integer_seeds(self.seeds("model"), bits=31)

    def _new_model(self, seed: int, steps: int) -> Any:
        from stable_baselines3.common.monitor import Monitor
        from stable_baselines3.common.vec_env import DummyVecEnv

        def make() -> Any:
            # What the library logs of episodes comes from its Monitor, which changes nothing but costs time.
            return self.task.make_single() if self.listener is None else Monitor(self.task.make_single())

        return self.make_model(DummyVecEnv([make] * self.num_copies), seed, steps)

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


@final
class SB3DQN(SB3Agent):
    """Stable-Baselines3's DQN; the preset "defaults" is the library's own choice.

    Args:
        task: what to learn; its actions must be Discrete.
        runs: as for every `Agent`.
        seed: as for every `Agent`.
        config: an `SB3DQN.Config`.
    """

    Config = SB3DQNConfig
    PRESETS: ClassVar[Mapping[str, SB3DQNConfig]] = {
        "matched": SB3DQNConfig(),
        "defaults": SB3DQNConfig(
            learning_rate=1e-4,
            buffer_size=1_000_000,
            learning_starts=100,
            batch_size=32,
            train_freq=4,
            gradient_steps=1,
            target_update_interval=10_000,
            epsilon=1.0,
            final_epsilon=0.05,
            epsilon_steps=0,
            hidden=(64, 64),
        ),
    }

    def make_model(self, env: Any, seed: int, steps: int) -> Any:
        """A `stable_baselines3.DQN`."""
        from stable_baselines3 import DQN

        config = self.config
        return DQN(
            "MlpPolicy",
            env,
            learning_rate=config.learning_rate,
            buffer_size=config.buffer_size,
            learning_starts=config.learning_starts,
            batch_size=config.batch_size,
            gamma=self.task.discount,
            train_freq=config.train_freq,
            gradient_steps=config.gradient_steps,
            target_update_interval=config.target_update_interval,
            exploration_initial_eps=config.epsilon,
            exploration_final_eps=config.final_epsilon,
            exploration_fraction=config.epsilon_steps / steps if config.epsilon_steps else 0.1,
            policy_kwargs={"net_arch": list(config.hidden)},
            seed=seed,
            device="cpu",
        )


@final
class SB3A2C(SB3Agent):
    """Stable-Baselines3's A2C; the preset "defaults" is the library's own choice.

    Args:
        task: what to learn; its actions must be Discrete.
        runs: as for every `Agent`.
        seed: as for every `Agent`.
        config: an `SB3A2C.Config`.
    """

    Config = SB3A2CConfig
    PRESETS: ClassVar[Mapping[str, SB3A2CConfig]] = {
        "matched": SB3A2CConfig(),
        "defaults": SB3A2CConfig(
            learning_rate=7e-4,
            num_copies=1,
            num_steps=5,
            trace_decay=1.0,
            entropy_weight=0.0,
            value_weight=0.5,
            max_gradient_norm=0.5,
            hidden=(64, 64),
        ),
    }

    @property
    def num_copies(self) -> int:
        """How many copies of the world one run collects from."""
        return check_integer("num_copies", self.config.num_copies, low=1)

    def log_interval(self, steps: int) -> int:
        """Updates between two entries of the log: the library's default, but a hundred entries if somebody listens."""
        if self.listener is None:
            return 100
        return max(1, steps // (100 * self.num_copies * self.config.num_steps))

    def make_model(self, env: Any, seed: int, steps: int) -> Any:
        """A `stable_baselines3.A2C`."""
        from stable_baselines3 import A2C

        config = self.config
        return A2C(
            "MlpPolicy",
            env,
            learning_rate=config.learning_rate,
            n_steps=config.num_steps,
            gamma=self.task.discount,
            gae_lambda=config.trace_decay,
            ent_coef=config.entropy_weight,
            vf_coef=config.value_weight,
            max_grad_norm=config.max_gradient_norm,
            policy_kwargs={"net_arch": list(config.hidden)},
            seed=seed,
            device="cpu",
        )


class _Checkpoints:
    """Scores a model as its training passes each checkpoint.

    Args:
        checkpoints: environment steps, rising, [C].
        score: gives the model's present score.
        run: which of the population's runs the model is, counted from 0.
        listener: is told of the training.
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
