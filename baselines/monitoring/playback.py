"""Plays a trained agent in one environment for viewing: greedily, in the way that it is scored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from baselines.agents.hierarchical_q import HierarchicalQ
from baselines.training.agent import Agent
from baselines.training.task import Task
from rl_envs.making import make_environment
from rl_envs.options import Option
from rl_envs.worlds.actions import action_index

# Without a time limit, an episode is cut off after so many steps: some policies never end one.
LONGEST = 500


@dataclass(frozen=True)
class Frame:
    """The state of an episode after a step.

    Attributes:
        steps: steps so far.
        action: the last action, in words; None at the start.
        reward: the last reward; 0 at the start.
        total_reward: undiscounted return so far.
        discounted: discounted return so far.
        option: name of the option that the agent follows, if any.
        end: "terminated", "truncated" or "cut off" at the end of the episode; empty before.
    """

    steps: int
    action: str | None
    reward: float
    total_reward: float
    discounted: float
    option: str | None
    end: str


class Player:
    """One run of a population, acting greedily in one environment.

    Args:
        agent: the population.
        run: the number of the run.

    Raises:
        ValueError: a run that the population does not have.
    """

    option: Option | None = None

    def __init__(self, agent: Agent, run: int) -> None:
        if run not in agent.runs:
            raise ValueError(
                f"run must be among those of the agent, {agent.runs.start} to {agent.runs.stop - 1}, but is {run}"
            )
        self.agent = agent
        self.place = agent.runs.index(run)

    def begin(self) -> None:
        """An episode begins."""

    def act(self, observation: Any) -> Any:
        """The greedy action for an observation, in the environment's format."""
        observations = np.stack([np.asarray(observation)] * self.agent.num_runs)
        action = self.agent.act(observations, greedy=True)[self.place]
        return action.item() if np.ndim(action) == 0 else action


class OptionPlayer(Player):
    """One run of HierarchicalQ, which follows each greedy option to its end, in the way that it is scored.

    Args:
        agent: the population.
        run: the number of the run.
        seed: for ties among options and actions.

    Raises:
        ValueError: a run that the population does not have.
    """

    agent: HierarchicalQ

    def __init__(self, agent: HierarchicalQ, run: int, *, seed: int) -> None:
        super().__init__(agent, run)
        self._options = agent.options_of(self.place)
        self._choice = agent.option_policy()[self.place]  # [S, O]
        self._generator = np.random.default_rng(seed)

    def begin(self) -> None:
        """An episode begins without an option."""
        self.option = None

    def act(self, observation: Any) -> Any:
        """The action of the current option; where it has ended, another is chosen."""
        state = int(self.agent.task.observation_index(np.asarray([observation]))[0])
        if self.option is not None and self._generator.random() < self.option.termination[state]:
            self.option = None
        if self.option is None:
            self.option = self._options[self._generator.choice(len(self._options), p=self._choice[state])]
        weights = self.option.policy[state]
        return int(self._generator.choice(len(weights), p=weights))


def player_of(agent: Agent, run: int, *, seed: int = 0) -> Player:
    """The player for a run of an agent.

    Args:
        agent: the population.
        run: the number of the run.
        seed: for ties among options.

    Returns:
        The player.

    Raises:
        ValueError: a run that the population does not have.
    """
    return OptionPlayer(agent, run, seed=seed) if isinstance(agent, HierarchicalQ) else Player(agent, run)


def make_env(task: Task, render_mode: str, *, fps: float | None = None) -> gym.Env[Any, Any]:
    """One environment of a task that renders, with its time limit.

    Args:
        task: the task.
        render_mode: "ansi", "rgb_array" or "human".
        fps: frames per second in a window or video; the environment's own by default.

    Returns:
        The environment.

    Raises:
        ValueError: a render mode that the environment does not have, or a nonpositive fps.
        DependencyNotInstalled: pygame is missing.
    """
    if fps is not None and not fps > 0:
        raise ValueError(f"fps must be positive, but is {fps:g}")
    plain = task.make_single()
    modes, speed = plain.metadata.get("render_modes", []), {} if fps is None else {"render_fps": fps}
    plain.close()
    if render_mode not in modes:
        raise ValueError(f"{task.name} can be drawn as {', '.join(modes) or 'nothing'}, but not as {render_mode}")
    if task.world is None:
        try:
            env = make_environment(task.environment, {**task.arguments, "render_mode": render_mode})
        except TypeError as error:  # a user's function that takes no render_mode
            raise ValueError(f"{task.name} cannot be drawn: {error}") from error
        env.unwrapped.metadata = {**env.unwrapped.metadata, **speed}
        return env
    from gymnasium.wrappers import TimeLimit

    from rl_envs.envs.tabular_env import TabularEnv

    class AtThisSpeed(TabularEnv):
        metadata = {**TabularEnv.metadata, **speed}

    own = AtThisSpeed(task.world, render_mode=render_mode)
    return own if task.max_episode_steps is None else TimeLimit(own, task.max_episode_steps)


def play_episode(
    env: gym.Env[Any, Any],
    player: Player,
    *,
    seed: int | None = None,
    on_frame: Callable[[Frame], None] | None = None,
) -> Frame:
    """Play one episode; without a time limit, at most `LONGEST` steps.

    Args:
        env: an environment from `make_env`.
        player: chooses the actions.
        seed: of the environment; without one, its generator continues.
        on_frame: called at the start and after each step.

    Returns:
        The last frame.
    """
    task = player.agent.task
    tell = on_frame or (lambda _: None)
    observation, _ = env.reset(seed=seed)
    player.begin()
    frame = Frame(0, None, 0.0, 0.0, 0.0, None, "")
    tell(frame)
    while not frame.end:
        action = player.act(observation)
        if isinstance(player, OptionPlayer):
            env.unwrapped.show_option(player.option)  # type: ignore[attr-defined]
        observation, reward, terminated, truncated, _ = env.step(action)
        steps = frame.steps + 1
        cut_off = task.max_episode_steps is None and steps >= LONGEST
        frame = Frame(
            steps=steps,
            action=action_in_words(task, action),
            reward=float(reward),
            total_reward=frame.total_reward + float(reward),
            discounted=frame.discounted + task.discount**frame.steps * float(reward),
            option=None if player.option is None else player.option.name,
            end="terminated" if terminated else "truncated" if truncated else "cut off" if cut_off else "",
        )
        tell(frame)
    return frame


def action_in_words(task: Task, action: Any) -> str:
    """The name of an action in its world, or its number."""
    if task.world is None:
        return str(action)
    return task.world.action_names[action_index(action, task.world.action_space)]


def expectation(player: Player) -> dict[str, float]:
    """The exact expected returns of a player.

    Args:
        player: chooses the actions.

    Returns:
        The expected "return" within the time limit and the expected "discounted return" without one. Without a table
        both are missing; without a time limit or with options the first is.
    """
    task, truth = player.agent.task, player.agent.task.truth
    if truth is None:
        return {}
    if isinstance(player, OptionPlayer):
        score = player.agent.exact_score()[player.place]
        return {"discounted return": truth.random_value + score * (truth.optimal_value - truth.random_value)}
    policy = player.agent.policy()[player.place]
    known = {} if task.max_episode_steps is None else {"return": float(truth.episode_return(policy))}
    return {**known, "discounted return": float(truth.value(policy))}
