"""Playing with a trained agent in one copy of its world, to look at: greedily, and as it is scored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from baselines.agents.hierarchical_q import HierarchicalQ
from baselines.training.agent import Agent
from baselines.training.task import Task
from rl_envs.options import Option
from rl_envs.worlds.actions import action_index

# An episode of a world without a time limit is cut off after so many steps: some policies never end one.
LONGEST = 500


@dataclass(frozen=True)
class Frame:
    """How far an episode is.

    Attributes:
        steps: taken so far.
        action: the last one, in words; None at the start.
        reward: the last one; 0 at the start.
        total_reward: their sum.
        discounted: their sum, each discounted to the start.
        option: what the agent follows, where it follows options.
        end: how the episode ended, "terminated", "truncated" or "cut off"; empty while it goes on.
    """

    steps: int
    action: str | None
    reward: float
    total_reward: float
    discounted: float
    option: str | None
    end: str


class Player:
    """One run of a population, which acts greedily in one copy of the world.

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
        """The action for what is observed, as the environment takes it."""
        seen = np.stack([np.asarray(observation)] * self.agent.num_runs)
        action = self.agent.act(seen, greedy=True)[self.place]
        return action.item() if np.ndim(action) == 0 else action


class OptionPlayer(Player):
    """One run of HierarchicalQ, which follows the options that it thinks best to their ends, as it is scored.

    Args:
        agent: the population.
        run: the number of the run.
        seed: of its choices among options and actions that it thinks equally good.

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
        """An episode begins, and no option is followed yet."""
        self.option = None

    def act(self, observation: Any) -> Any:
        """The action of the option that is followed; another option is chosen where that ends."""
        state = int(self.agent.task.observation_index(np.asarray([observation]))[0])
        if self.option is not None and self._generator.random() < self.option.termination[state]:
            self.option = None
        if self.option is None:
            self.option = self._options[self._generator.choice(len(self._options), p=self._choice[state])]
        weights = self.option.policy[state]
        return int(self._generator.choice(len(weights), p=weights))


def player_of(agent: Agent, run: int, *, seed: int = 0) -> Player:
    """The way in which a run of an agent is looked at.

    Args:
        agent: the population.
        run: the number of the run.
        seed: of choices that the agent leaves open.

    Returns:
        The player.

    Raises:
        ValueError: a run that the population does not have.
    """
    return OptionPlayer(agent, run, seed=seed) if isinstance(agent, HierarchicalQ) else Player(agent, run)


def make_env(task: Task, render_mode: str, *, fps: float | None = None) -> gym.Env[Any, Any]:
    """One copy of a task's world, with its time limit, that can be looked at.

    Args:
        task: the task.
        render_mode: "ansi", "rgb_array" or "human".
        fps: pictures a second in a window or film; the world's own when left out.

    Returns:
        The environment.

    Raises:
        ValueError: a mode that the environment does not have, or fps that are not positive.
        DependencyNotInstalled: pygame is needed and missing.
    """
    if fps is not None and not fps > 0:
        raise ValueError(f"fps must be positive, but is {fps:g}")
    plain = task.make_single()
    modes, speed = plain.metadata.get("render_modes", []), {} if fps is None else {"render_fps": fps}
    plain.close()
    if render_mode not in modes:
        raise ValueError(f"{task.name} can be drawn as {', '.join(modes) or 'nothing'}, but not as {render_mode}")
    if task.world is None:
        env = gym.make(task.environment, render_mode=render_mode, **task.arguments)
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
    """Play one episode; in a world without a time limit no longer than `LONGEST` steps.

    Args:
        env: a copy of the agent's world, made by `make_env`.
        player: who acts.
        seed: of the environment; it goes on with its own generator when left out.
        on_frame: called with the start and after each step.

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
    """What an action is called in its world, or its number."""
    if task.world is None:
        return str(action)
    return task.world.action_names[action_index(action, task.world.action_space)]


def expectation(player: Player) -> dict[str, float]:
    """What an episode of the player is worth on average, exactly.

    Args:
        player: who acts.

    Returns:
        The mean "return" within the time limit, and the mean "discounted return" of episodes without one; those are
        missing that cannot be computed: both without a table, and the first without a time limit or with options.
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
