"""Independent Q-learners: every player learns by itself, as if the others were part of the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from baselines.games.agent import GameAgent
from baselines.games.rollout import JointTransition
from baselines.games.task import GameTask
from baselines.learning.exploration import epsilon_greedy, greedy_policy, sample_action, softmax
from baselines.learning.schedules import harmonic, linear
from baselines.learning.updates import q_learning_target
from rl_envs.games import NormalFormGame
from rl_envs.mdp.finite_mdp import check_integer, check_probability
from rl_envs.names import unknown

EXPLORATIONS = ("epsilon_greedy", "softmax")
REWARDS = ("own", "common")


@dataclass(frozen=True)
class IndependentQConfig:
    """Hyperparameters. Steps are rounds of each run.

    Attributes:
        reward: reward of a player: "own", its own payoff, or "common", the mean payoff of all players.
        exploration: "epsilon_greedy" (with both epsilons at 0 it is greedy) or "softmax".
        step_size: alpha at step 0, in (0, 1].
        step_size_half_life: steps after which half of alpha is left; it decays harmonically. `inf` keeps it constant.
        epsilon: probability of exploring at step 0.
        final_epsilon: probability of exploring after the linear decay.
        epsilon_steps: steps over which epsilon decays linearly.
        temperature: tau at step 0, in units of payoff; a softmax plays a with probability ~ exp(Q(a) / tau).
        final_temperature: tau after the linear decay.
        temperature_steps: steps over which the temperature decays linearly.
        initial_value: initial value of every action, in units of discounted reward.
    """

    reward: str = "own"
    exploration: str = "epsilon_greedy"
    step_size: float = 0.05
    step_size_half_life: float = np.inf
    epsilon: float = 1.0
    final_epsilon: float = 0.2
    epsilon_steps: int = 1_000
    temperature: float = 10.0
    final_temperature: float = 0.5
    temperature_steps: int = 1_000
    initial_value: float = 0.0

    def __post_init__(self) -> None:
        if self.reward not in REWARDS:
            raise ValueError(unknown("reward", self.reward, REWARDS))
        if self.exploration not in EXPLORATIONS:
            raise ValueError(unknown("exploration", self.exploration, EXPLORATIONS))
        if not 0 < self.step_size <= 1:
            raise ValueError(f"step_size must be in (0, 1], but is {self.step_size}")
        for name in ("step_size_half_life", "temperature", "final_temperature"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, but is {getattr(self, name)}")
        check_probability("epsilon", self.epsilon)
        check_probability("final_epsilon", self.final_epsilon)
        check_integer("epsilon_steps", self.epsilon_steps, low=0)
        check_integer("temperature_steps", self.temperature_steps, low=0)
        if not np.isfinite(self.initial_value):
            raise ValueError(f"initial_value must be finite, but is {self.initial_value}")


@final
class IndependentQ(GameAgent):
    """Q-learners that know nothing of each other (Claus & Boutilier 1998, "independent learners"; Tan 1993).

        Q_i(s, a_i) <- Q_i(s, a_i) + alpha [r_i + gamma max_b Q_i(s', b) - Q_i(s, a_i)]

    A player sees its own action and its own payoff, neither the others' actions nor the payoff table. In a matrix game
    there is one state and gamma is 0: Q_i(a) follows the mean payoff of a against whatever the others are doing now.

    While the others explore, their mistakes are part of that payoff. In the climbing game, against a player who plays c
    but explores with probability epsilon, the row player's b is worth 6 - 35/3 epsilon and its c 5 - 10/3 epsilon: c is
    the best answer as long as epsilon is above 3/25 = 0.12. Below that b is better, but a constant step size remembers
    each -30 long enough to keep the pair at (c, c) nearly all the time. The way up to (a, a) leads through -30 too, and
    such learners hardly ever take it. Softmax learners explore what looks bad less and less as the temperature falls:
    most of them climb back to (b, b), and about one pair in ten reaches (a, a).

    Args:
        task: what to play.
        runs: see `GameAgent`.
        seed: see `GameAgent`.
        config: an `IndependentQ.Config`.

    Attributes:
        q: the estimated action values, one array [R, S, A_i] float64 a player.

    Raises:
        ValueError: a common reward in a game whose payoffs sum to 0, where there would be nothing to learn.

    Differences from the paper: the schedules are a choice of ours (Claus & Boutilier let a softmax temperature fall);
    in games with states the learners are Tan's, with gamma and the bootstrap masked by termination.
    """

    Config = IndependentQConfig

    def __init__(
        self,
        task: GameTask | NormalFormGame | str,
        *,
        runs: int | range = 1,
        seed: int = 0,
        config: IndependentQConfig | None = None,
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        if self.config.reward == "common" and _is_zero_sum(self.task):
            raise ValueError(f"the payoffs of {self.task.name} sum to 0, so a common reward is always 0: take own")
        shape = (self.num_runs, self.task.num_states)
        self.q = [np.full((*shape, count), float(self.config.initial_value)) for count in self.task.num_actions]
        self._rows = np.arange(self.num_runs)

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        choice = self.uniform(greedy=greedy)
        explore = self.uniform(greedy=greedy)
        epsilon = 0.0 if greedy else self.epsilon
        action = np.empty(choice.shape, dtype=np.int64)
        for player, q in enumerate(self.q):
            values = q[self._rows, observation]
            if self.config.exploration == "softmax":
                action[:, player] = sample_action(softmax(values / self.temperature), choice[:, player])
            else:
                action[:, player] = epsilon_greedy(values, epsilon, explore[:, player], choice[:, player])
        return action

    def update(self, transition: JointTransition) -> dict[str, np.ndarray]:
        """Move each player's value of what it did towards its target; those that had left learn nothing.

        Args:
            transition: one round of every run.

        Returns:
            "td_error", [R, N].
        """
        reward = self._reward(transition)
        td_error = np.zeros(reward.shape)
        for player, q in enumerate(self.q):
            present = transition.present[:, player]
            entry = (self._rows, transition.observation, np.where(present, transition.action[:, player], 0))
            next_q = q[self._rows, transition.next_observation]
            target = q_learning_target(reward[:, player], transition.terminated[:, player], next_q, self.task.discount)
            td_error[:, player] = np.where(present, target - q[entry], 0.0)
            q[entry] += self.step_size * td_error[:, player]
        self.steps += 1
        return {"td_error": td_error}

    def strategies(self) -> tuple[np.ndarray, ...]:
        """Greedy with ties shared, or the softmax at its present temperature, without exploration."""
        if self.config.exploration == "softmax":
            learned = tuple(softmax(q / self.temperature) for q in self.q)
        else:
            learned = tuple(greedy_policy(q) for q in self.q)
        return tuple(one[:, 0] for one in learned) if isinstance(self.task.table, NormalFormGame) else learned

    @property
    def step_size(self) -> float:
        """Alpha at this step."""
        return harmonic(self.steps, self.config.step_size, self.config.step_size_half_life)

    @property
    def epsilon(self) -> float:
        """The probability of exploring at this step."""
        return linear(self.steps, self.config.epsilon, self.config.final_epsilon, self.config.epsilon_steps)

    @property
    def temperature(self) -> float:
        """Tau at this step, in units of payoff."""
        config = self.config
        return linear(self.steps, config.temperature, config.final_temperature, config.temperature_steps)

    def parts(self) -> dict[str, object]:
        return {"q": self.q}

    def _reward(self, transition: JointTransition) -> np.ndarray:
        """What each player learns from, [R, N]."""
        if self.config.reward == "own":
            return transition.reward
        # Absent players get no reward and are not counted; at least one player is always present.
        mean = transition.reward.sum(axis=1, keepdims=True) / transition.present.sum(axis=1, keepdims=True)
        return np.broadcast_to(mean, transition.reward.shape)


def _is_zero_sum(task: GameTask) -> bool:
    return not isinstance(task.table, NormalFormGame) or task.table.is_zero_sum
