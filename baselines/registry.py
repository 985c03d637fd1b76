"""Every agent, one line each; making one by its name, and loading one that was saved.

Classes are named by strings and imported when an agent is made, so that listing the agents imports neither torch nor
Stable-Baselines3.
"""

from __future__ import annotations

import os
from pathlib import Path

from baselines.system.atomic_files import StorageError
from baselines.training.agent import Agent
from baselines.training.agent_file import read_saved
from baselines.training.registration import Entry, Registry
from baselines.training.task import TaskLike

_SB3 = ("torch", "stable-baselines3")

AGENTS: Registry[Agent] = Registry(
    "agent",
    {
        "Random": Entry("baselines.agents.random_policy:Random", "the uniform policy: score 0"),
        "Optimal": Entry("baselines.agents.optimal:Optimal", "the exact optimal policy: score 1"),
        "QLearning": Entry("baselines.agents.q_learning:QLearning", "tabular Q-learning, epsilon-greedy"),
        "Sarsa": Entry("baselines.agents.sarsa:Sarsa", "tabular Sarsa, epsilon-greedy"),
        "ExpectedSarsa": Entry(
            "baselines.agents.expected_sarsa:ExpectedSarsa", "tabular Expected Sarsa, epsilon-greedy"
        ),
        "DoubleQLearning": Entry("baselines.agents.double_q_learning:DoubleQLearning", "tabular Double Q-learning"),
        "HierarchicalQ": Entry(
            "baselines.agents.hierarchical_q:HierarchicalQ", "Q-learning over options and primitive actions"
        ),
        "JointQ": Entry("baselines.agents.joint_q:JointQ", "one Q-table per joint, with a shared reward"),
        "EpsilonGreedy": Entry("baselines.agents.epsilon_greedy:EpsilonGreedy", "bandits: epsilon-greedy"),
        "Softmax": Entry("baselines.agents.softmax:Softmax", "bandits: Boltzmann (softmax) exploration"),
        "UCB1": Entry("baselines.agents.ucb1:UCB1", "bandits: upper confidence bounds"),
        "Thompson": Entry("baselines.agents.thompson:Thompson", "bandits: Thompson (posterior) sampling"),
        "GradientBandit": Entry(
            "baselines.agents.gradient_bandit:GradientBandit", "bandits: the gradient bandit algorithm"
        ),
        "Reinforce": Entry(
            "baselines.agents.reinforce:Reinforce", "REINFORCE with a baseline, tabular or with networks", ("torch",)
        ),
        "DQN": Entry(
            "baselines.agents.dqn:DQN", "deep Q-network with a replay buffer and a target network", ("torch",)
        ),
        "ActorCritic": Entry("baselines.agents.actor_critic:ActorCritic", "advantage actor-critic (A2C)", ("torch",)),
        "TDValue": Entry("baselines.agents.td_value:TDValue", "value prediction: semi-gradient TD(lambda)", ("torch",)),
        "MonteCarloValue": Entry(
            "baselines.agents.monte_carlo_value:MonteCarloValue", "value prediction: gradient Monte Carlo", ("torch",)
        ),
        "MaxEntIRL": Entry(
            "baselines.agents.max_ent_irl:MaxEntIRL", "maximum-entropy inverse RL from demonstrations", ("scipy",)
        ),
        "SB3DQN": Entry(
            "baselines.agents.sb3:SB3DQN", "Stable-Baselines3's DQN", _SB3, counterparts=("DQN", "QLearning")
        ),
        "SB3A2C": Entry(
            "baselines.agents.sb3:SB3A2C", "Stable-Baselines3's A2C", _SB3, counterparts=("ActorCritic", "QLearning")
        ),
    },
)


def make_agent(agent: str, task: TaskLike, *, runs: int | range = 1, seed: int = 0) -> Agent:
    """Make a registered agent.

    Args:
        agent: its name, perhaps with settings: "QLearning", "QLearning:epsilon=0.2,step_size=0.1".
        task: what it is to learn; a name as `make_task` takes it, a `World` or a `Task`.
        runs: how many runs, or a range of their numbers.
        seed: the base seed.

    Returns:
        The agent.

    Raises:
        ValueError: an unknown name or setting, naming the nearest, or a value out of range.
        TypeError: a value of the wrong type, or a task that the agent cannot learn.
    """
    return AGENTS.read(agent).make(task, runs=runs, seed=seed)


def load_agent(path: str | os.PathLike[str]) -> Agent:
    """Load an agent of whatever registered class.

    Args:
        path: a file that `Agent.save` wrote.

    Returns:
        The agent, as it was when it was saved.

    Raises:
        StorageError: no such file, one that is cut short, foreign or edited, or an agent of a class or a world that is
            not registered.
    """
    metadata, _ = read_saved(Path(path))
    try:
        name = metadata["agent"]
        if name not in AGENTS:
            raise StorageError(f"{path} holds an agent of class {name}, which is none of the registered ones")
        return AGENTS.load(name).load(path)
    except (KeyError, ValueError, TypeError) as error:
        raise StorageError(f"what {path} says of its agent cannot be understood: {error!r}") from error
