"""The table of agents."""

from __future__ import annotations

import subprocess
import sys

import pytest

from baselines.learning.transition import Transition
from baselines.registry import AGENTS, make_agent
from baselines.training.agent import Agent

FAST = [name for name, entry in AGENTS.items() if not entry.libraries]


@pytest.mark.parametrize("name", AGENTS)
def test_an_entry_names_a_class_of_that_name(name: str) -> None:
    cls = AGENTS.load(name)
    assert issubclass(cls, Agent)
    assert cls.__name__ == name
    assert cls.__doc__
    assert set(AGENTS[name].counterparts) <= set(AGENTS)


def made_on_a_small_world(name: str) -> Agent:
    """The agent on the first of these worlds that it can learn: some are for bandits or for worlds with subtasks."""
    refusals = []
    for world in ("LineWalk", "Bandit", "SubtaskGrid", "RandomWalk", "RobotGrasp"):
        try:
            return make_agent(name, world, runs=3)
        except TypeError as error:
            refusals.append(str(error))
    raise AssertionError(f"{name} learns nothing: {refusals}")


@pytest.mark.parametrize("name", FAST)
def test_an_agent_counts_the_steps_that_it_learns_from(name: str) -> None:
    agent = made_on_a_small_world(name)
    for steps in range(3):
        assert agent.steps == steps
        transition = agent.rollout.step(agent.act(agent.rollout.observation))
        assert isinstance(transition, Transition)
        metrics = agent.update(transition)
        assert all(values.shape == (3,) for values in metrics.values())
    assert agent.policy().shape == (3, len(agent.task.observation_index_in_state), agent.task.num_actions)


def test_listing_the_agents_imports_neither_torch_nor_stable_baselines3() -> None:
    program = (
        "import sys; from baselines.__main__ import main; import baselines.agents.sb3; code = main(['list']); "
        "sys.exit(code or bool({'torch', 'stable_baselines3', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True).returncode == 0


def test_settings_become_a_config() -> None:
    agent = make_agent("QLearning:epsilon=0.2,step_size=1", "LineWalk")
    assert (agent.config.epsilon, agent.config.step_size) == (0.2, 1.0)
    assert isinstance(agent.config.step_size, float)
    assert AGENTS.config("QLearning", {"step_size_half_life": "inf"}).step_size_half_life == float("inf")
    assert AGENTS.config("SB3DQN", {"hidden": [8, 8]}).hidden == (8, 8)


def test_a_preset_is_a_whole_config_to_start_from() -> None:
    config = AGENTS.config("SB3DQN", {"preset": "defaults", "batch_size": 7})
    assert (config.learning_rate, config.buffer_size, config.batch_size) == (1e-4, 1_000_000, 7)


@pytest.mark.parametrize(
    ("specification", "error", "message"),
    [
        ("QLearnin", ValueError, "unknown agent 'QLearnin'. Did you mean 'QLearning'"),
        ("QLearning:epsilo=1", ValueError, "unknown setting of QLearning 'epsilo'. Did you mean 'epsilon'"),
        ("Random:preset=fast", ValueError, "Random has no presets, but 'fast' was asked for"),
        ("SB3DQN:preset=default", ValueError, "unknown preset of SB3DQN 'default'. Did you mean 'defaults'"),
        ("QLearning:epsilon=high", TypeError, "QLearning's epsilon must be a number, but is 'high'"),
        ("QLearning:epsilon=nan", ValueError, "QLearning's epsilon must be a number, but is nan"),
        ("QLearning:epsilon_steps=0.5", TypeError, "QLearning's epsilon_steps must be an integer, but is 0.5"),
        ("QLearning:epsilon=2", ValueError, r"^QLearning:epsilon=2: epsilon must be in \[0, 1\], but is 2"),
        ("QLearning:step_size=0", ValueError, r"step_size must be in \(0, 1\], but is 0"),
        ("QLearning:step_size_half_life=0", ValueError, "step_size_half_life must be positive, but is 0"),
        ("QLearning:epsilon_steps=-1", ValueError, "epsilon_steps must be at least 0, but is -1"),
        ("QLearning:initial_value='inf'", ValueError, "initial_value must be finite, but is inf"),
    ],
)
def test_what_is_wrong_with_a_specification_is_said(specification: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make_agent(specification, "LineWalk")
