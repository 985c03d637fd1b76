"""JointQ: one table of action values a joint, all learning from the one reward that they earn together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from gymnasium import spaces

from baselines.agents.tabular import TabularAgent, TabularConfig
from baselines.learning.action_values import max_over_actions
from baselines.learning.exploration import argmax_random_ties, epsilon_greedy, greedy_policy
from baselines.learning.hyperparameters import Positive, Probability
from baselines.learning.transition import Transition
from baselines.learning.updates import hysteretic_step
from baselines.training.task import TaskLike

UNDECIDED = -1


@dataclass(frozen=True)
class JointQConfig(TabularConfig):
    """Hyperparameters, besides those of every agent with a table; some of these have other defaults here."""

    step_size_half_life: Positive = float("inf")
    """updates of a value after which half of alpha is left; inf keeps it constant"""
    final_epsilon: Probability = 0.5
    """probability of exploring after the linear decay"""
    falling_step_size: Probability = 0.0
    """step size for targets below the estimate, as a share of step_size. 0 is distributed Q-learning, 1 independent
    Q-learning, and between them the joints are hysteretic. With a single joint it counts as 1"""


@final
class JointQ(TabularAgent):
    """One Q-table a joint, sharing the reward (Lauer & Riedmiller 2000, distributed Q-learning).

        Q_j(S, A_j) <- max{ Q_j(S, A_j),  R + gamma max_a Q_j(S', a) }      for each joint j and its own command A_j

    A table over all joints' commands together has 4 x 4 x 4 columns; three tables of 4 columns have 12. Three learners
    that each see only their own angle and their own reward cannot learn to grasp. What makes these sound:

    - Each table sees the whole arm's state, so what a joint sees is Markov.
    - All learn from the same reward, so they want the same thing.
    - A joint's value is that of its command when the others play their best, max over their commands of q*(s, a). The
      estimate therefore never falls: a bad outcome may have been the fault of another joint that was trying something.
      Where the world is deterministic, step sizes are 1 (the default) and `initial_value` is not above any value that
      can be had, it rises to exactly that.
    - Several combinations may be equally good, and half of one with half of another may be bad. So each joint keeps to
      the command that last raised its best value, which in every joint is part of the same combination, until a better
      one.

    In a world with chance (RobotGrasp's `slip`) lucky outcomes would never be forgotten: let `falling_step_size` be
    above 0 there (hysteretic Q-learning, Matignon et al. 2007), which forgets them slowly and promises nothing exact.

    Where the joints are commanded one after the other (RobotGrasp's own control, actions Discrete) the state says whose
    turn it is. The rows with joint j's turn are joint j's table, which sees what the joints before it were told and
    bootstraps from the next joint's; nobody else acts at the same time, so nobody has to be forgiven, values fall as
    they rise, and this is Q-learning: sound in any world.

    Args:
        task: what to learn; its observations must be countable, its actions MultiDiscrete with as many commands for
            each joint, or Discrete.
        runs: see `Agent`.
        seed: see `Agent`.
        config: a `JointQ.Config`.

    Attributes:
        q: the estimated action values, [R, J, S, A] float64, where S counts the observations and A a joint's commands.
        updates: how often each of them has been updated, int64, of the same shape.
        decided: the command that each joint keeps to, [R, J, S] int64; -1 where it has no reason to yet.

    Raises:
        TypeError: observations or actions that cannot be counted, or joints with different numbers of commands.

    Differences from the paper: each joint explores by itself, epsilon-greedily, with epsilon falling on a schedule;
    undecided joints break ties at random; a step size; where the time limit cuts an episode off, the target bootstraps
    from the last observation.
    """

    Config = JointQConfig
    # As for Q-learning, which it is there: what is untried looks better than doing nothing.
    PRESETS = {"RobotGrasp": JointQConfig(initial_value=0.2, epsilon=0.1, final_epsilon=0.1)}

    def __init__(
        self, task: TaskLike, *, runs: int | range = 1, seed: int = 0, config: JointQConfig | None = None
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        num_joints, num_states, _ = self.table_shape()
        self.decided = np.full((self.num_runs, num_joints, num_states), UNDECIDED)
        self._joint = np.arange(num_joints)[:, None]  # [J, 1]
        self._one_number = isinstance(self.task.action_space, spaces.Discrete)
        self._falling = 1.0 if num_joints == 1 else self.config.falling_step_size

    def table_shape(self) -> tuple[int, ...]:
        """A table a joint."""
        space = self.task.action_space
        if not isinstance(space, spaces.MultiDiscrete):
            return 1, self.task.num_observations, self.task.num_actions
        commands = np.asarray(space.nvec)
        if commands.ndim != 1 or (commands != commands[0]).any():
            raise TypeError(
                f"every joint of {self.task.name} must have as many commands, but they have {commands.tolist()}"
            )
        return len(commands), self.task.num_observations, int(commands[0])

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """Each joint's command: what it decided on or an undecided one's best guess, and now and then anything."""
        run, state = np.arange(self.num_runs), self.task.observation_index(observation)
        q, decided = self.q[run, self._joint, state], self.decided[run, self._joint, state]  # [J, R, A], [J, R]
        commands = np.arange(q.shape[-1])
        preference = np.where(commands == decided[..., None], np.inf, q).reshape(-1, len(commands))  # [J * R, A]
        if greedy:
            command = argmax_random_ties(preference, self._uniforms(greedy=True))
        else:
            command = epsilon_greedy(preference, self.epsilon, explore=self._uniforms(), choice=self._uniforms())
        return command if self._one_number else command.reshape(-1, self.num_runs).T.copy()

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Let every joint learn from its own command and the common reward.

        Args:
            transition: one step of every run.

        Returns:
            "td_error", the mean over the joints, [R].
        """
        run, joint = np.arange(self.num_runs), self._joint
        state = self.task.observation_index(transition.observation)
        command = transition.action.reshape(self.num_runs, -1).T  # [J, R]
        next_state = self.task.observation_index(transition.next_observation)
        best_before = max_over_actions(self.q[run, joint, state])  # [J, R]

        next_value = np.where(transition.terminated, 0.0, max_over_actions(self.q[run, joint, next_state]))
        target = transition.reward + self.task.discount * next_value  # [J, R]
        value = self.q[run, joint, state, command]
        td_error = target - value
        forgiving_target = value + hysteretic_step(td_error, self._falling)
        step_size = self.step_size(self.updates[run, joint, state, command])
        self.q[run, joint, state, command] += step_size * (forgiving_target - value)
        self.updates[run, joint, state, command] += 1

        self._decide(state, command, best_before)
        self.steps += 1
        return {"td_error": td_error.mean(axis=0)}

    def policy(self) -> np.ndarray:
        """What the joints command together, [R, S, A]; undecided joints share equally among ties."""
        preference = self.q.copy()
        runs, joints, states = np.nonzero(self.decided != UNDECIDED)
        preference[runs, joints, states, self.decided[runs, joints, states]] = np.inf
        by_joint = greedy_policy(preference)[:, :, self.task.observation_index_in_state]  # [R, J, S, A]
        # Joints choose by themselves, so a combination's probability is the product; the last joint's command runs
        # fastest.
        together = by_joint[:, 0]
        for of_joint in np.moveaxis(by_joint, 1, 0)[1:]:
            together = (together[..., :, None] * of_joint[..., None, :]).reshape(*together.shape[:2], -1)
        return together

    def parts(self) -> dict[str, object]:
        return {**super().parts(), "decided": self.decided}

    def _decide(self, state: np.ndarray, command: np.ndarray, best_before: np.ndarray) -> None:
        """Decide on the command just taken where it has raised the best value; drop a decision that is best no more.

        Args:
            state: of each run, [R].
            command: what each joint did, [J, R].
            best_before: each joint's best value before it learned, [J, R].
        """
        run, joint = np.arange(self.num_runs), self._joint
        decided = self.decided[run, joint, state]  # [J, R]
        raised = self.q[run, joint, state, command] > best_before
        best = max_over_actions(self.q[run, joint, state])
        stands = (decided != UNDECIDED) & (self.q[run, joint, state, np.maximum(decided, 0)] == best)
        self.decided[run, joint, state] = np.where(raised, command, np.where(stands, decided, UNDECIDED))

    def _uniforms(self, *, greedy: bool = False) -> np.ndarray:
        """A random number for each joint of each run, [J * R]."""
        return np.concatenate([self.uniform(greedy=greedy) for _ in self._joint])
