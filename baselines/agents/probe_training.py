"""The registered agents as training functions `train(env_fn, steps, seed)`, as `rl_envs.diagnose` takes them.

An agent keeps its own hyperparameters, with one exception: epsilon falls over the first half of the training where its
`epsilon_steps` is not given. The agents' default of 10,000 steps is for longer trainings; within 3,000 it would never
have fallen, and an agent whose actions stay random to the end is told that its exploration never ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import gymnasium as gym
import numpy as np

from baselines.agents.sb3_agent import SB3Agent
from baselines.training.loop import learn
from baselines.training.registration import AgentSpecification
from baselines.training.task import Task

_NO_ARMS = "its arms are worth the same whatever is seen, and in the probe worlds what is right depends on what is seen"
_NO_CHOICE = "it predicts the values of the uniform policy and chooses nothing"

# Agents that cannot take part, and why.
REFUSED: dict[str, str] = {
    "Random": "it learns nothing",
    "Optimal": "it plans with the world's table and learns nothing",
    "HierarchicalQ": "it learns over options, and the probe worlds have none",
    "JointQ": "it moves several joints at once, and the probe worlds take one action",
    "EpsilonGreedy": _NO_ARMS,
    "Softmax": _NO_ARMS,
    "UCB1": _NO_ARMS,
    "Thompson": _NO_ARMS,
    "GradientBandit": _NO_ARMS,
    "TDValue": _NO_CHOICE,
    "MonteCarloValue": _NO_CHOICE,
    "MaxEntIRL": "it learns from demonstrations and not from rewards",
}


@dataclass(frozen=True, eq=False)
class ProbeTask(Task):
    """The task of whatever a function of the exam makes.

    Args:
        env_fn: makes one more copy of the environment.
    """

    env_fn: Any = None

    @classmethod
    def of(cls, env_fn: Any, *, discount: float) -> ProbeTask:
        """The task of what `env_fn` makes, with a discount."""
        like = env_fn()
        return cls(
            name="probe",
            environment="probe",
            arguments={},
            discount=discount,
            max_episode_steps=None,
            observation_space=like.observation_space,
            action_space=like.action_space,
            truth=None,
            world=None,
            env_fn=env_fn,
        )

    def make_vector(self, num_envs: int) -> gym.vector.VectorEnv[Any, Any, Any]:
        """Copies side by side that reset within the step that ends an episode."""
        from gymnasium.vector import AutoresetMode, SyncVectorEnv

        return SyncVectorEnv([self.env_fn] * num_envs, autoreset_mode=AutoresetMode.SAME_STEP)

    def make_single(self) -> gym.Env[Any, Any]:
        """One copy."""
        return self.env_fn()


@dataclass(frozen=True)
class ProbeTraining:
    """Trains one run of a registered agent on what `env_fn` makes.

    Args:
        agent: which agent, with its settings.

    Raises:
        ValueError: an agent that cannot take part.
    """

    agent: AgentSpecification

    def __post_init__(self) -> None:
        if self.agent.name in REFUSED:
            raise ValueError(f"{self.agent.name} cannot take part in the exam: {REFUSED[self.agent.name]}")

    def __call__(self, env_fn: Any, steps: int, seed: int) -> Any:
        """Train, and give back what was learned in a form that `rl_envs.diagnose` reads."""
        learner = self.specification(steps).make(ProbeTask.of(env_fn, discount=env_fn.discount), seed=seed)
        if isinstance(learner, SB3Agent):  # its model is read as the library's own users give it back
            learner.fit(steps)
            return learner.models[0]
        learn(learner, learner.rollout, np.array([0, steps]), scorer=lambda: np.zeros(learner.num_runs))
        return learned(learner)

    def specification(self, steps: int) -> AgentSpecification:
        """The agent with the settings of a training of so many steps."""
        schedule = "epsilon_steps"
        has_schedule = schedule in {field.name for field in fields(self.agent.config)}
        if not has_schedule or schedule in self.agent.specification.settings:
            return self.agent
        return self.agent.with_settings({schedule: steps // 2})


@dataclass(frozen=True)
class ActionValues:
    """What an agent that learns action values thinks of them.

    Args:
        answer: from N observations to action values [N, A].
    """

    answer: Callable[[np.ndarray], np.ndarray]

    def q_values(self, observations: Any) -> np.ndarray:
        """Action values, [N, A]."""
        return self.answer(np.asarray(observations))


@dataclass(frozen=True)
class Choices:
    """What an agent with preferences chooses.

    Args:
        preferences: from N observations to preferences, [N, A]; the largest is the action chosen.
    """

    preferences: Callable[[np.ndarray], np.ndarray]

    def __call__(self, observations: Any) -> np.ndarray:
        """The action of each observation, [N]."""
        return self.preferences(np.asarray(observations)).argmax(axis=-1)


@dataclass(frozen=True)
class ChoicesAndValues(Choices):
    """What an actor with a critic or a baseline chooses, and what it thinks states are worth.

    Args:
        values: from N observations to values, [N].
    """

    values: Callable[[np.ndarray], np.ndarray]

    def value(self, observations: Any) -> np.ndarray:
        """The values, [N]."""
        return self.values(np.asarray(observations))


def learned(agent: Any) -> ActionValues | Choices:
    """What the first run of one of our agents has learned.

    Args:
        agent: an agent that is not in `REFUSED`.

    Returns:
        An object with `q_values`, or one that is called for actions and has `value` where the agent learns values.

    Raises:
        TypeError: an agent of another kind.
    """
    if hasattr(agent, "q"):
        q = agent.q[0]
        # Two tables are read as their mean, which is what they act on.
        return ActionValues((q if q.ndim == 2 else q.mean(axis=0)).__getitem__)
    if hasattr(agent, "online"):
        return ActionValues(lambda observations: _outputs(agent, agent.online, "q", observations))
    if hasattr(agent, "networks"):
        return ChoicesAndValues(
            lambda observations: _outputs(agent, agent.networks, "policy", observations),
            lambda observations: _outputs(agent, agent.networks, "value", observations)[:, 0],
        )
    if hasattr(agent, "learner"):
        learner, first = agent.learner, np.zeros(1, dtype=np.int64)
        preferences = _one_by_one(learner.preferences)
        if not agent.config.baseline:
            return Choices(preferences)
        return ChoicesAndValues(preferences, _one_by_one(lambda row: learner.value(row, first)))
    raise TypeError(f"{agent.name} must have tables, networks or a policy of its own to be asked, but has none")


def _outputs(agent: Any, networks: Any, name: str, observations: np.ndarray) -> np.ndarray:
    """The outputs of the first run's network, [N, K]."""
    import torch

    from baselines.learning.encoding import Encoder

    encode = Encoder(agent.task.observation_space)
    with torch.no_grad():
        return networks.output(name, encode(observations, (1, len(observations))))[0].numpy()


def _one_by_one(answer: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """Ask about one observation at a time, for a population of one run answers for one at a time."""
    return lambda observations: np.concatenate([answer(observations[i : i + 1]) for i in range(len(observations))])
