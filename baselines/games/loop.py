"""Playing and learning in games, in the loop that agents in worlds learn in too."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from baselines.games.agent import GameAgent
from baselines.games.rollout import GameRollout, JointTransition
from baselines.training.loop import Callback, checkpoint_steps, learn
from rl_envs.games import NormalFormGame
from rl_envs.mdp.finite_mdp import check_integer

# The last rounds, as a share of all, that decide where a run has ended.
LATE = 0.1


@dataclass(frozen=True)
class GameRecord:
    """How a population played.

    Attributes:
        steps: rounds of each run at the checkpoints, [C] int64.
        exploitability: of each run's strategies at the checkpoints, [C, R], exact: 0 at an equilibrium.
        joint_play: how often each run played each joint action, [R, A_1, ..., A_N] int64; empty, [R, 0], in a game with
            states.
        late_play: the same in the last tenth of the rounds.
        late_payoff: mean payoff a round in the last tenth, [R, N].
        seconds: time spent on playing and learning in all runs, without scoring.
    """

    steps: np.ndarray
    exploitability: np.ndarray
    joint_play: np.ndarray
    late_play: np.ndarray
    late_payoff: np.ndarray
    seconds: float

    @property
    def joint_frequency(self) -> np.ndarray:
        """The share of each joint action in each run's play, [R, A_1, ..., A_N]; sums to 1 over joint actions."""
        return self.joint_play / self.joint_play.sum(axis=tuple(range(1, self.joint_play.ndim)), keepdims=True)

    @property
    def final_joint_action(self) -> np.ndarray:
        """The joint action that each run played most in the last tenth, the first of equals, [R, N] int64.

        Raises:
            ValueError: in a game with states, where joint actions are not counted.
        """
        if self.late_play.ndim == 2 and self.late_play.shape[1] == 0:
            raise ValueError("joint actions are counted in matrix games only, but this record is of a game with states")
        flat = self.late_play.reshape(len(self.late_play), -1).argmax(axis=1)
        return np.stack(np.unravel_index(flat, self.late_play.shape[1:]), axis=1)


def play(
    agent: GameAgent,
    *,
    steps: int,
    checkpoints: int = 1,
    rollout: GameRollout | None = None,
    on_step: Callback[JointTransition] | None = None,
) -> GameRecord:
    """Let every run of an agent play and learn for a number of rounds.

    A second call continues where the first ended: two calls equal one long call byte for byte, also with saving and
    loading in between.

    Args:
        agent: the population.
        steps: rounds per run. A run in C copies of the game takes C rounds at a time, and may pass a checkpoint by up
            to C - 1.
        checkpoints: number of evaluations, evenly spaced, besides the one at the start.
        rollout: where to play; NumPy environments by default. `agent.pettingzoo_rollout()` uses PettingZoo's, which
            play the same but slower.
        on_step: called with each transition and the agent's metrics.

    Returns:
        The record of play.

    Raises:
        ValueError: steps or checkpoints below 1.
    """
    check_integer("steps", steps, low=1)
    check_integer("checkpoints", checkpoints, low=1)
    rollout = agent.rollout if rollout is None else rollout
    taken, begin = checkpoint_steps(steps, checkpoints), agent.steps
    late_begin = begin + steps - max(1, math.ceil(steps * LATE))
    tally, late = _Tally(agent), _Tally(agent)

    def count(transition: JointTransition, metrics: Mapping[str, np.ndarray]) -> None:
        (late if agent.steps > late_begin else tally).add(transition)
        if on_step is not None:
            on_step(transition, metrics)

    exploitability, seconds = learn(
        agent,
        rollout,
        begin + taken,
        scorer=lambda: agent.task.exploitability(agent.strategies()),
        on_step=count,
    )
    return GameRecord(
        steps=begin + taken,
        exploitability=exploitability,
        joint_play=tally.joint_play + late.joint_play,
        late_play=late.joint_play,
        late_payoff=late.mean_payoff,
        seconds=seconds,
    )


class _Tally:
    """Counts of joint actions and sums of payoffs, a run each."""

    def __init__(self, agent: GameAgent) -> None:
        # Nothing is counted in a game with states, where a joint action means something else in each.
        self._shape = agent.task.num_actions if isinstance(agent.task.table, NormalFormGame) else (0,)
        self._run = np.repeat(np.arange(agent.num_runs), agent.num_envs)  # [R * C] the run of each copy
        self._counts = np.zeros((agent.num_runs, math.prod(self._shape)), dtype=np.int64)
        self._payoff = np.zeros((agent.num_runs * agent.num_envs, agent.task.num_players))
        self._rounds = np.zeros_like(self._payoff)

    def add(self, transition: JointTransition) -> None:
        """Count one round; a joint action counts only where all players were present."""
        self._payoff += transition.reward
        self._rounds += transition.present
        if self._counts.size:
            complete = transition.present.all(axis=1)
            joint = np.ravel_multi_index(tuple(transition.action[complete].T), self._shape)
            np.add.at(self._counts, (self._run[complete], joint), 1)

    @property
    def joint_play(self) -> np.ndarray:
        """[R, A_1, ..., A_N], or [R, 0]."""
        return self._counts.reshape(-1, *self._shape) if self._counts.size else self._counts

    @property
    def mean_payoff(self) -> np.ndarray:
        """[R, N], a round in which the player was present."""
        shape = (len(self._counts), -1, self._payoff.shape[1])
        rounds = self._rounds.reshape(shape).sum(axis=1)
        return self._payoff.reshape(shape).sum(axis=1) / np.maximum(rounds, 1)
