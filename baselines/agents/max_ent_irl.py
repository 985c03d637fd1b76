"""Maximum causal entropy inverse reinforcement learning: find a reward that explains demonstrations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast, final

import numpy as np

from baselines.learning.exploration import sample_action
from baselines.learning.features import Basis, feature_map
from baselines.learning.maximum_entropy import Explanation, Likelihood, explain
from baselines.learning.transition import Transition
from baselines.training.agent import Agent
from baselines.training.demonstrations import Demonstrations
from baselines.training.task import Task, TaskLike, make_task
from rl_envs.mdp.bellman import Dynamics, Matrix
from rl_envs.mdp.finite_mdp import FiniteMDP, check_integer, check_probability
from rl_envs.names import unknown

REWARDS = ("state_action", "state", "features")
BASES = ("aggregation", "tiles", "fourier")


@dataclass(frozen=True)
class MaxEntIRLConfig:
    """Hyperparameters."""

    reward: Literal["state_action", "state", "features"] = "state_action"
    """form of the reward: state_action (one per state and action), state (one per next state) or features (linear in
    features of the next state)"""
    penalty: float = 1e-5
    """L2 penalty: half of it times the squared weights is subtracted from the likelihood. Smaller fits the
    demonstrations better; with 0 the rewards of a perfect demonstrator grow without bound"""
    tolerance: float = 1e-6
    """stop once no entry of the gradient exceeds this, in discounted visits"""
    max_iterations: int = 500
    """largest number of L-BFGS iterations"""
    slip: float = 0.0
    """probability of a random action in demonstrations that the agent itself generates"""
    basis: Literal["aggregation", "tiles", "fourier"] = "fourier"
    """for features, of the position observed: aggregation, tiles or fourier"""
    groups: int = 10
    """cells along each coordinate, for aggregation"""
    tilings: int = 8
    """number of tilings, for tiles"""
    tiles: int = 5
    """tiles along each coordinate in each tiling"""
    order: int = 5
    """highest frequency along each coordinate, for fourier"""

    def __post_init__(self) -> None:
        if self.reward not in REWARDS:
            raise ValueError(unknown("reward", self.reward, REWARDS))
        if self.basis not in BASES:
            raise ValueError(unknown("basis", self.basis, BASES))
        if not self.penalty >= 0:
            raise ValueError(f"penalty must not be negative, but is {self.penalty}")
        if not self.tolerance > 0:
            raise ValueError(f"tolerance must be positive, but is {self.tolerance}")
        check_probability("slip", self.slip)
        for name in ("max_iterations", "groups", "tilings", "tiles"):
            check_integer(name, getattr(self, name), low=1)
        check_integer("order", self.order, low=0)


@final
class MaxEntIRL(Agent):
    """Maximum causal entropy inverse reinforcement learning with known dynamics (Ziebart, Bagnell & Dey 2010).

        q(s, a) = r(s, a) + gamma sum_s' p(s'|s, a) v(s'),    v(s) = log sum_a exp q(s, a),    pi = exp(q - v)
        gradient of the likelihood of what was done = features of the demonstrator - features of pi

    Many rewards explain the same behaviour, 0 among them. Of all policies that see the same features as the
    demonstrator, on average and discounted, this takes the one that commits itself to nothing else: the one of
    largest causal entropy. It is the soft policy of a reward that is linear in the features, and the weights of that
    reward are those that make what was done most likely. Only the policy is determined by what was seen, and never
    the reward: shaping by a potential changes nothing, nor does a constant where episodes never end. So what is judged
    is what the policy earns under the true reward.

    In `train` the world's optimal policy demonstrates, and each step of the loop is one that is watched: the learning
    curve is over the amount seen. `watch` takes demonstrations from anywhere else. Each run has demonstrations of its
    own. The reward is fitted when it is asked for, from the start, so that looking changes nothing.

    Args:
        task: a task with a table, whose discount is below 1; its actions must be Discrete. The state is shown, as to
            `Optimal`. Of the table the transitions are read, and the rewards only by the demonstrator and the score.
        runs: see `Agent`.
        seed: see `Agent`.
        config: a `MaxEntIRLConfig`.

    Attributes:
        features: of each state and action, [S * A, D], dense or sparse.
        visits: the discounted sum of the times that each action was seen in each state, [R, S, A] float64.
        episodes: how many episodes were seen, whole or in part, [R] int64.

    Raises:
        TypeError: no table, or actions that are not Discrete.
        ValueError: a discount of 1, at which entropy could be collected for ever.

    Differences from the paper: rewards are discounted, as are visits and demonstrations, by the same gamma. A
    demonstrator who begins at the start distribution but is cut off by a time limit would seem to dislike what comes
    after it; and a few episodes in a world with chance carry luck. So the model does not begin at the start
    distribution, but with those visits of the demonstrations that nothing before them explains
    (`baselines.learning.maximum_entropy.unexplained_visits`): the same where visits are exact. The likelihood has a
    penalty on the weights, and is climbed by L-BFGS instead of exponentiated gradients.
    """

    Config = MaxEntIRLConfig
    PRESETS = {"state": MaxEntIRLConfig(reward="state"), "features": MaxEntIRLConfig(reward="features")}

    def __init__(
        self, task: TaskLike, *, runs: int | range = 1, seed: int = 0, config: MaxEntIRLConfig | None = None
    ) -> None:
        task = make_task(task)
        if task.truth is None:
            raise TypeError(
                f"MaxEntIRL needs a world with a table, because it uses the dynamics, but {task.name} has none"
            )
        if not task.discount < 1:
            raise ValueError(
                f"MaxEntIRL needs a discount below 1, for otherwise entropy could be collected for ever, but that of "
                f"{task.name} is {task.discount:g}"
            )
        super().__init__(task.revealed(), runs=runs, seed=seed, config=config)
        self.mdp = task.truth.mdp
        shape = self.mdp.num_states, self.task.num_actions
        errs = self.config.slip
        self._demonstrator = errs / shape[1] + (1 - errs) * np.eye(shape[1])[task.truth.optimal_policy]  # [S, A]
        self.features = _features(task, self.mdp, self.config)
        self.visits = np.zeros((self.num_runs, *shape))
        self.episodes = np.zeros(self.num_runs, dtype=np.int64)
        self._age = np.zeros(self.num_runs, dtype=np.int64)  # [R] steps seen of the episode that goes on
        self._everyone = np.arange(self.num_runs)
        self._explanations: list[Explanation] | None = None

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """What the demonstrator does; greedily, what has been learned: an action drawn from the recovered policy."""
        if greedy:
            return sample_action(self.policy()[self._everyone, observation], self.uniform(greedy=True))
        return sample_action(self._demonstrator[observation], self.uniform())

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Record one step of the demonstrator in every run; its reward is not used.

        Args:
            transition: the step.

        Returns:
            No metrics.
        """
        self.episodes += self._age == 0
        self.visits[self._everyone, transition.observation, transition.action] += self.task.discount**self._age
        self._age += 1
        self._age[transition.terminated | transition.truncated] = 0
        self.steps += 1
        self._explanations = None
        return {}

    def watch(self, shown: Demonstrations | Sequence[Demonstrations]) -> None:
        """Watch demonstrations, beside what was seen before.

        Args:
            shown: of each run its own, R of them, or the same for all.

        Raises:
            ValueError: another number of them than runs, or those of another world or discount.
        """
        sets = [shown] * self.num_runs if isinstance(shown, Demonstrations) else list(shown)
        if len(sets) != self.num_runs:
            raise ValueError(
                f"there must be demonstrations for each of {self.num_runs} runs, but there are {len(sets)}"
            )
        for run, one in enumerate(sets):
            if one.table != self.task.table_hash:  # the discount is part of the table
                raise ValueError(
                    f"demonstrations must be of {self.task.name}, but those of run {run} are of another table"
                )
            self.visits[run] += one.num_episodes * one.visitation(*self.visits.shape[1:])
            self.episodes[run] += one.num_episodes
        self._explanations = None

    def explanations(self) -> list[Explanation]:
        """The reward that explains best what each run has seen, and its soft policy; of R runs."""
        if self._explanations is None:
            self._explanations = [
                explain(
                    Likelihood(
                        dynamics=Dynamics.of(self.mdp),
                        discount=self.task.discount,
                        features=self.features,
                        visits=visits / max(episodes, 1),
                        penalty=self.config.penalty,
                    ),
                    tolerance=self.config.tolerance,
                    max_iterations=self.config.max_iterations,
                )
                for visits, episodes in zip(self.visits, self.episodes.tolist())
            ]
        return self._explanations

    def policy(self) -> np.ndarray:
        """The recovered policy itself, soft as it is, [R, S, A]."""
        return np.stack([explanation.policy for explanation in self.explanations()])

    def rewards(self) -> np.ndarray:
        """The recovered rewards, [R, S, A]; determined only as far as the policy depends on them."""
        return np.stack([explanation.reward for explanation in self.explanations()])

    def feature_gap(self) -> np.ndarray:
        """How far each run's policy is from what it has seen, in the feature where that is most, discounted, [R]."""
        return np.array([explanation.feature_gap for explanation in self.explanations()])

    def parts(self) -> dict[str, object]:
        return {"visits": self.visits, "episodes": self.episodes, "age": self._age}  # the reward follows from these

    def break_off(self) -> None:
        self._age[:] = 0

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        super().restore(state)
        self._explanations = None


def _features(task: Task, mdp: FiniteMDP, config: MaxEntIRLConfig) -> Matrix:
    """The features of each state and action, [S * A, D]."""
    from scipy.sparse import identity

    if config.reward == "state_action":
        return identity(mdp.num_states * mdp.num_actions, format="csr")
    next_states = next_state_probabilities(mdp)
    if config.reward == "state":
        return next_states
    features = feature_map(
        cast(Basis, config.basis),
        task.observation_space,
        groups=config.groups,
        tilings=config.tilings,
        tiles=config.tiles,
        order=config.order,
    )
    return next_states @ features.of(task.observation_in_state)


def next_state_probabilities(mdp: FiniteMDP) -> Matrix:
    """The probability of arriving in each state, also where the episode ends with it, [S * A, S] sparse."""
    from scipy.sparse import csr_array

    num_states, num_actions, num_outcomes = mdp.probability.shape
    pairs = num_states * num_actions
    row_ends = np.arange(0, pairs * num_outcomes + 1, num_outcomes)
    # Copies, because the table is read-only and duplicates are summed in place.
    matrix = csr_array((mdp.probability.flatten(), mdp.next_state.flatten(), row_ends), shape=(pairs, num_states))
    matrix.sum_duplicates()
    return matrix
