"""The exact answers of an environment: its optimum, and what any policy, trained or not, is worth in it.

    answers = rl_envs.truth("rl_envs/LineWalk-v0")
    answers.optimal_value           # 0.81450625
    answers.score(model)            # 1.0 for a perfect policy, 0.0 for the uniform one

Nothing is sampled. A policy is asked for its action in every state, then evaluated by a linear system.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rl_envs.extraction.sample import check_table
from rl_envs.extraction.transparent import TRANSPARENT, is_one_of
from rl_envs.making import make_environment
from rl_envs.mdp.evaluation import action_values, evaluate_policy
from rl_envs.mdp.finite_horizon import best_finite_horizon_values, finite_horizon_values
from rl_envs.mdp.finite_mdp import FiniteMDP, check_integer, from_transitions
from rl_envs.mdp.policy import as_probabilities
from rl_envs.mdp.solve import Certificate, Solution, solve, worst_values
from rl_envs.specification import Specification
from rl_envs.worlds.actions import action_indices
from rl_envs.worlds.observation import Index, Observation
from rl_envs.worlds.world import World

# Whatever may act: an array of actions or probabilities, a function of observations, an object with `predict`.
Policy = Any

# Wrappers that only turn each observation into another, by a method of one observation that can be followed.
OBSERVATION_ONLY = {
    ("gymnasium.wrappers", "FlattenObservation"),
    ("gymnasium.wrappers", "DtypeObservation"),
    ("gymnasium.wrappers", "ReshapeObservation"),
    ("gymnasium.wrappers", "RescaleObservation"),
    ("gymnasium.wrappers", "TransformObservation"),
}

# A policy is asked about as many observations at once as hold so many numbers.
NUMBERS_AT_ONCE = 2**24

# The second time each observation is asked about often enough to make at least so many questions.
QUESTIONS = 64

# How far apart the probabilities of look-alike states may be: single precision.
PROBABILITY_TOLERANCE = 1e-6


class NoTableError(ValueError):
    """An environment has no table of its dynamics, or none that says all of them."""


class Truth:
    """The exact answers of one environment; each is computed when first asked for, and kept.

    Values are discounted and over the distribution of the first state, as agents that discount see them. Episode
    returns are plain sums of rewards within the time limit, as a progress bar shows them.

    A policy may be
    - an array: actions [S] or [R, S] of int, or probabilities [S, A] or [R, S, A] of float, of one policy or R of them;
    - a function that takes a batch of observations [n, ...] and returns n actions (or probabilities [n, A] of float);
    - an object with Stable-Baselines3's `predict(observations, deterministic=True)`.
    Functions and objects are asked for their action on every state's observation at once, and twice, to see that they
    keep to it. A policy must be a function of the observation: where several states look alike, it may not tell them
    apart. `hidden_state=True` evaluates an array that does, as the optimum itself may.

    Args:
        mdp: the table.
        name: what to call it in messages.
        observation: what is seen in each state; its index when left out.
        action_space: of the environment; `Discrete(A)` when left out.
        max_episode_steps: time limit of an episode, or None for none.
    """

    def __init__(
        self,
        mdp: FiniteMDP,
        *,
        name: str = "FiniteMDP",
        observation: Observation | None = None,
        action_space: spaces.Discrete | spaces.MultiDiscrete | None = None,
        max_episode_steps: int | None = None,
    ) -> None:
        self.mdp = mdp
        self.name = name
        self.max_episode_steps = max_episode_steps
        self._observation = Index(mdp.num_states) if observation is None else observation
        self._action_space = spaces.Discrete(mdp.num_actions) if action_space is None else action_space

    def __repr__(self) -> str:
        return f"Truth({self.name!r}, {self.mdp}, max_episode_steps={self.max_episode_steps})"

    @cached_property
    def solution(self) -> Solution:
        """The optimum as `rl_envs.mdp.solve.solve` gives it."""
        return solve(self.mdp)

    @property
    def v_star(self) -> np.ndarray:
        """The optimal value of each state, [S]."""
        return self.solution.v_star

    @property
    def q_star(self) -> np.ndarray:
        """The optimal value of each action in each state, [S, A]."""
        return self.solution.q_star

    @property
    def optimal_actions(self) -> np.ndarray:
        """Which actions lose nothing, [S, A] bool: every one of them where several are equally good."""
        return self.solution.optimal_actions

    @property
    def optimal_policy(self) -> np.ndarray:
        """One action for each state, [S] int64, such that together they attain `optimal_value`."""
        return self.solution.policy

    @property
    def certificate(self) -> Certificate:
        """The Bellman residual of `v_star`, and the bound on its error that follows from it."""
        return self.solution.certificate

    @property
    def optimal_value(self) -> float:
        """The largest value that any policy has, discounted, over the start distribution."""
        return float(self._from_start(self.v_star))

    @cached_property
    def random_value(self) -> float:
        """The value of choosing every action with equal probability, discounted, over the start distribution."""
        return float(self._from_start(evaluate_policy(self.mdp, self._uniform)))

    @cached_property
    def worst_value(self) -> float:
        """The smallest value that any policy has, discounted, over the start distribution; -inf if it pays for ever."""
        return float(self._from_start(worst_values(self.mdp)))

    def value(self, policy: Policy, *, hidden_state: bool = False) -> float | np.ndarray:
        """The value of a policy, discounted, over the start distribution.

        Args:
            policy: an array, a function or an object with `predict` (see the class).
            hidden_state: whether the policy may see the state itself, and tell look-alike states apart.

        Returns:
            The value; [R] for a batch of R policies. At discount 1 it is infinite where rewards of one sign never end.

        Raises:
            ValueError: not a policy of this environment, or no function of its observations; discount is 1 and its
                total reward does not exist.
            TypeError: nothing that can be asked for actions.
        """
        table = self.policy_table(policy, hidden_state=hidden_state)
        return _number(self._from_start(evaluate_policy(self.mdp, table)))

    def score(self, policy: Policy, *, hidden_state: bool = False) -> float | np.ndarray:
        """How far a policy is from the uniform one to the best: (J - J_random) / (J_optimal - J_random), all exact.

        Args, Returns and Raises: as `value`; 1 is optimal, 0 as good as uniform, and below 0 is worse. ValueError also
        where every policy is worth the same as the uniform one, or that one's value is infinite.
        """
        value = self.value(policy, hidden_state=hidden_state)
        gain = self.optimal_value - self.random_value
        if not np.isfinite(gain) or gain <= 1e-12 * max(abs(self.optimal_value), abs(self.random_value)):
            raise ValueError(
                f"a score needs an optimal policy that is better than the uniform one by a finite amount, but in "
                f"{self.name} they are worth {self.optimal_value:g} and {self.random_value:g}"
            )
        return (value - self.random_value) / gain

    def loss(self, policy: Policy, *, hidden_state: bool = False) -> np.ndarray:
        """What a policy loses from each state on: v*(s) - v_policy(s), exact.

        Args:
            policy: an array, a function or an object with `predict` (see the class).
            hidden_state: whether the policy may see the state itself, and tell look-alike states apart.

        Returns:
            Losses [S] in units of discounted reward, at least 0 but for rounding, infinite where rewards below 0 never
            end; [R, S] for a batch of R policies.

        Raises:
            ValueError, TypeError: as `value`.
        """
        v = evaluate_policy(self.mdp, self.policy_table(policy, hidden_state=hidden_state))
        # Where nothing but -inf can be had, nothing is lost.
        return np.subtract(self.v_star, v, out=np.zeros(v.shape), where=self.v_star != v)

    def value_function(self, policy: Policy, *, hidden_state: bool = False) -> np.ndarray:
        """The value of a policy from each state on, discounted.

        Args:
            policy: an array, a function or an object with `predict` (see the class).
            hidden_state: whether the policy may see the state itself, and tell look-alike states apart.

        Returns:
            Values [S]; [R, S] for a batch of R policies.

        Raises:
            ValueError, TypeError: as `value`.
        """
        return evaluate_policy(self.mdp, self.policy_table(policy, hidden_state=hidden_state))

    def q_function(self, policy: Policy, *, hidden_state: bool = False) -> np.ndarray:
        """The value of each action in each state if a policy is followed from then on, discounted.

        Args:
            policy: an array, a function or an object with `predict` (see the class).
            hidden_state: whether the policy may see the state itself, and tell look-alike states apart.

        Returns:
            Values [S, A]; [R, S, A] for a batch of R policies.

        Raises:
            ValueError, TypeError: as `value`.
        """
        return action_values(self.mdp, self.value_function(policy, hidden_state=hidden_state))

    def episode_return(
        self, policy: Policy, *, horizon: int | None = None, hidden_state: bool = False
    ) -> float | np.ndarray:
        """The exact mean of the undiscounted return of an episode.

        Args:
            policy: an array, a function or an object with `predict` (see the class).
            horizon: the time limit in steps; the environment's own when left out.
            hidden_state: whether the policy may see the state itself, and tell look-alike states apart.

        Returns:
            The mean return; [R] for a batch of R policies.

        Raises:
            ValueError: as `value`, or no horizon where the environment has no time limit.
            TypeError: nothing that can be asked for actions.
        """
        table = self.policy_table(policy, hidden_state=hidden_state)
        return _number(self._from_start(finite_horizon_values(self.mdp, table, self._horizon(horizon))))

    def optimal_episode_return(self, *, horizon: int | None = None) -> float:
        """The largest mean undiscounted return of an episode, over all policies, also those that watch the clock.

        Args and Raises: as `episode_return`.
        """
        return float(self._from_start(best_finite_horizon_values(self.mdp, self._horizon(horizon))))

    def random_episode_return(self, *, horizon: int | None = None) -> float:
        """The exact mean undiscounted return of an episode with every action equally probable.

        Args and Raises: as `episode_return`.
        """
        values = finite_horizon_values(self.mdp, self._uniform, self._horizon(horizon))
        return float(self._from_start(values))

    @property
    def reward_threshold(self) -> float:
        """The episode return at which the environment counts as solved: random + 0.95 (optimal - random)."""
        lowest = self.random_episode_return()
        return lowest + 0.95 * (self.optimal_episode_return() - lowest)

    def regret(self, state: int | np.ndarray, action: int | np.ndarray) -> float | np.ndarray:
        """What an action loses: v*(s) - q*(s, a).

        Args:
            state: index or indices of states.
            action: index or indices of the table's actions, of a shape that fits.

        Returns:
            The loss, at least 0 but for rounding; an array for arrays.

        Raises:
            TypeError: indices that are no integers.
            ValueError: a state or action that does not exist.
        """
        states = _indices("state", state, self.mdp.num_states)
        actions = _indices("action", action, self.mdp.num_actions)
        v, q = np.broadcast_arrays(self.v_star[states], self.q_star[states, actions])
        # Where nothing but -inf can be had, nothing is lost.
        return _number(np.subtract(v, q, out=np.zeros(v.shape), where=v != q))

    def policy_table(self, policy: Policy, *, hidden_state: bool = False) -> np.ndarray:
        """What a policy does in every state, as it is evaluated.

        Args:
            policy: an array, a function or an object with `predict` (see the class).
            hidden_state: whether the policy may see the state itself, and tell look-alike states apart.

        Returns:
            Probabilities [S, A], or [R, S, A] for a batch.

        Raises:
            ValueError: not a policy of this environment, or no function of its observations.
            TypeError: nothing that can be asked for actions.
        """
        num_states, num_actions = self.mdp.num_states, self.mdp.num_actions
        if hasattr(policy, "predict"):
            return self._ask(lambda observations: _predict(policy, observations))
        if callable(policy):
            return self._ask(policy)
        if not isinstance(policy, (np.ndarray, list, tuple)):
            raise TypeError(
                "a policy must be an array, a function of a batch of observations or an object with "
                f"predict(observations, deterministic=True), but is {policy!r}"
            )
        table = as_probabilities(np.asarray(policy), num_states, num_actions)
        if not hidden_state:
            self._check_look_alikes(table)
        return table

    @cached_property
    def _uniform(self) -> np.ndarray:
        return np.full((self.mdp.num_states, self.mdp.num_actions), 1 / self.mdp.num_actions)

    @property
    def observations(self) -> Any:
        """What is seen in every state, [S, ...]; of environments with dictionaries, a dictionary of such arrays."""
        return self._observation.batch(np.arange(self.mdp.num_states))

    @cached_property
    def _look_alike(self) -> np.ndarray:
        """For each state the first one that looks the same, [S]; states that only stand for the end look like none."""
        states = np.arange(self.mdp.num_states)
        return np.where(self.mdp.terminal_states, states, self._observation.first_alike(len(states)))

    def _ask(self, answer: Callable[[np.ndarray], Any]) -> np.ndarray:
        """The probabilities [S, A] with which a policy answers to every state's observation.

        It is asked again in the opposite order and repeatedly: an answer that depends on chance, on earlier questions
        or on the place in the batch comes out differently.
        """
        states = np.arange(self.mdp.num_states)
        table = self._answers(answer, states)
        again = np.tile(states[::-1], max(1, -(-QUESTIONS // len(states))))
        second = self._answers(answer, again)
        differs = np.abs(second - table[self._look_alike[again]]).max(axis=1) > PROBABILITY_TOLERANCE
        if differs.any():
            state = again[np.argmax(differs)]
            raise ValueError(
                "a policy must be a function of the observation alone, but asked twice about that of "
                f"state {state} it answered {_describe(table[self._look_alike[state]])} and then "
                f"{_describe(second[np.argmax(differs)])}; for a stochastic policy, pass its probabilities as an array"
            )
        return table

    def _answers(self, answer: Callable[[np.ndarray], Any], states: np.ndarray) -> np.ndarray:
        size = max(1, NUMBERS_AT_ONCE // max(1, _numbers_in(self._observation.batch(states[:1]))))
        parts = [states[i : i + size] for i in range(0, len(states), size)]
        return np.concatenate(
            [self._to_probabilities(answer(self._observation.batch(part)), len(part)) for part in parts]
        )

    def _to_probabilities(self, answers: Any, count: int) -> np.ndarray:
        """A policy's answers to so many observations, actions or probabilities, as probabilities [count, A]."""
        array = np.asarray(answers)
        num_actions = self.mdp.num_actions
        if array.dtype.kind == "f" and array.shape == (count, num_actions):
            return as_probabilities(array, count, num_actions)
        try:
            actions = action_indices(array, self._action_space, count)
        except gym.error.InvalidAction as error:
            raise ValueError(
                f"a policy asked about {count} observations must give an action for each: {error}"
            ) from None
        return as_probabilities(actions, count, num_actions)

    def _check_look_alikes(self, table: np.ndarray) -> None:
        if isinstance(self._observation, Index):
            return
        differs = np.abs(table - table[..., self._look_alike, :]).max(axis=-1) > PROBABILITY_TOLERANCE
        if differs.any():
            index = tuple(int(i) for i in np.argwhere(differs)[0])
            state = index[-1]
            run = f" of run {index[0]}" if len(index) == 2 else ""
            raise ValueError(
                f"a policy must be a function of the observation, but states {self._look_alike[state]} and {state} "
                f"look the same and the policy{run} treats them differently; hidden_state=True evaluates it anyway"
            )

    def _from_start(self, v: np.ndarray) -> np.ndarray:
        """The mean over the start distribution of values [..., S]."""
        possible = self.mdp.start > 0  # an infinite value where no episode starts is no part of the mean
        return v[..., possible] @ self.mdp.start[possible]

    def _horizon(self, horizon: int | None) -> int:
        if horizon is not None:
            return check_integer("horizon", horizon, low=0)
        if self.max_episode_steps is None:
            raise ValueError(f"an episode return needs a horizon, but {self.name} has no time limit: pass horizon=")
        return self.max_episode_steps


def truth(environment: Any, *, discount: float | None = None, explore: bool = False, **arguments: Any) -> Truth:
    """The exact answers of an environment that has a table of its dynamics.

    Args:
        environment: a name, perhaps with settings ("LineWalk", "LineWalk:size=7"; any Gymnasium id;
            "my_module:MyEnv-v0" or "file.py:make_env" for an environment of your own); an environment, also with
            Gymnasium's usual wrappers around it; a `World`; or a `FiniteMDP`. Environments of others need `P` and
            `initial_state_distrib` in toy-text form, which is compared with a sample of their steps; or `explore`.
        discount: gamma, instead of the table's own; environments of others have 1 when left out.
        explore: whether to walk an environment of others and find its table, as `tabulate_env` does.
        **arguments: settings of the environment, beside a name.

    Returns:
        The answers, computed when they are asked for.

    Raises:
        TypeError: something else, arguments without a name, or one that the environment does not take.
        ValueError: an unknown name, naming the nearest; an environment whose steps contradict its table; or, as a
            `NoTableError`, one without a table or with a wrapper that may change rewards, observations or actions.
    """
    if isinstance(environment, str):
        specification = Specification.parse(environment)
        settings = specification.also(arguments if discount is None else {**arguments, "discount": discount})
        gamma = settings.pop("discount", None)
        made = make_environment(specification.name, settings)
        try:
            return truth(made, discount=gamma, explore=explore)
        finally:
            made.close()
    if arguments:
        raise TypeError(f"arguments are for a name or an id, but got {', '.join(arguments)} with {environment!r}")
    if isinstance(environment, FiniteMDP):
        return Truth(_with_discount(environment, discount))
    if isinstance(environment, World):
        return _of_world(environment, discount, environment.max_episode_steps, environment.observation)
    # Before Gymnasium 1.0 a vector environment is an environment too, so it is looked for first.
    if isinstance(environment, gym.vector.VectorEnv):
        raise TypeError(
            f"truth() takes one environment, not a vector of them: pass the id or one copy of {environment}"
        )
    if isinstance(environment, gym.Env):
        if explore and not isinstance(getattr(environment.unwrapped, "world", None), World):
            from rl_envs.extraction.explored import tabulate_env

            return truth(tabulate_env(environment, discount=1.0 if discount is None else discount))
        return _of_env(environment, discount)
    raise TypeError(f"truth() takes a name, an id, an environment, a World or a FiniteMDP, not {environment!r}")


class _Followed(Observation):
    """What is seen through wrappers that turn each observation into another."""

    def __init__(self, base: Observation, wrapper: Any) -> None:
        self._base = base
        self._wrapper = wrapper
        self.space = wrapper.observation_space

    def of(self, state: int) -> Any:
        return self._wrapper.observation(self._base.of(state))

    def batch(self, states: np.ndarray) -> np.ndarray:
        return np.stack([np.asarray(self.of(int(state))) for state in states])


def _of_world(world: World, discount: float | None, max_episode_steps: int | None, observation: Observation) -> Truth:
    return Truth(
        _with_discount(world.mdp, discount),
        name=world.name,
        observation=observation,
        action_space=world.action_space,
        max_episode_steps=max_episode_steps,
    )


def _of_env(env: gym.Env[Any, Any], discount: float | None) -> Truth:
    """Look through the wrappers, outermost first, and read the table of what is inside."""
    limits: list[int] = []
    following: list[Any] = []
    while isinstance(env, gym.Wrapper):
        if is_one_of(env, TRANSPARENT):
            if type(env).__name__ == "TimeLimit":
                limits.append(env.get_wrapper_attr("_max_episode_steps"))
        elif is_one_of(env, OBSERVATION_ONLY):
            following.append(env)
        else:
            raise NoTableError(
                f"truth() cannot look through {type(env).__module__}.{type(env).__name__}, which may change rewards, "
                "observations or actions: pass the environment inside it"
            )
        env = env.env
    max_episode_steps = min(limits, default=None)
    world = getattr(env, "world", None)
    observation = world.observation if isinstance(world, World) else None
    if observation is None:
        mdp = _toy_text(env)
        observation = Index(mdp.num_states)
    for wrapper in reversed(following):
        observation = _Followed(observation, wrapper)
    if isinstance(world, World):
        for method in ("step", "reset"):
            if getattr(type(env), method).__module__ != "rl_envs.envs.tabular_env":
                raise ValueError(
                    f"truth() answers for the table alone, but {type(env).__name__} has a {method}() of its own, which "
                    "may do something else: pass its world"
                )
        return _of_world(world, discount, max_episode_steps, observation)
    name = env.spec.id if env.spec is not None else type(env).__name__
    return Truth(_with_discount(mdp, discount), name=name, observation=observation, max_episode_steps=max_episode_steps)


def _toy_text(env: Any) -> FiniteMDP:
    """The table of an environment in toy-text form.

    Raises:
        NoTableError: there is none, or it is not all of the dynamics.
    """
    name = type(env).__name__
    for attribute in ("P", "initial_state_distrib"):
        if not hasattr(env, attribute):
            raise NoTableError(
                f"truth() needs a table of the dynamics, but {name} has no attribute {attribute}: "
                "truth(env, explore=True) walks the environment and finds its table"
            )
    if getattr(env, "fickle_passenger", False):
        raise NoTableError(
            f"truth() needs all of the dynamics in the table, but the fickle passenger of {name} is not in P: "
            "truth(env, explore=True) walks the environment and finds its table"
        )
    mdp = from_transitions(env.P, env.initial_state_distrib)
    for what, space, size in (
        ("observation", env.observation_space, mdp.num_states),
        ("action", env.action_space, mdp.num_actions),
    ):
        if not isinstance(space, spaces.Discrete) or space.n != size or space.start != 0:
            raise NoTableError(
                f"truth() needs the {what}s of {name} to be the table's, 0..{size - 1}, but they are {space}"
            )
    check_table(env, mdp)
    return mdp


def _with_discount(mdp: FiniteMDP, discount: float | None) -> FiniteMDP:
    return mdp if discount is None or discount == mdp.discount else replace(mdp, discount=discount)


def _predict(policy: Any, observations: np.ndarray) -> Any:
    try:
        actions, hidden = policy.predict(observations, deterministic=True)
    except (TypeError, ValueError) as error:
        raise TypeError(
            "an object with predict must take predict(observations, deterministic=True) and return actions and a "
            f"hidden state or None, as Stable-Baselines3's models do; that of {type(policy).__name__} says: {error}"
        ) from error
    if hidden is not None:
        raise ValueError("a policy must be a function of the observation alone, but this one remembers earlier ones")
    return actions


def _describe(probabilities: np.ndarray) -> str:
    """A row of probabilities [A] in words."""
    action = int(np.argmax(probabilities))
    return f"action {action}" if probabilities[action] == 1 else f"probabilities {probabilities.round(4).tolist()}"


def _numbers_in(observations: Any) -> int:
    """How many numbers observations are made of: an array, or a dictionary or tuple of them."""
    if isinstance(observations, dict):
        return sum(map(_numbers_in, observations.values()))
    return sum(map(_numbers_in, observations)) if isinstance(observations, tuple) else int(np.size(observations))


def _indices(name: str, values: int | np.ndarray, size: int) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be an integer or an array of them, but is {values!r}")
    wrong = (array < 0) | (array >= size)
    if wrong.any():
        raise ValueError(f"{name} must be in 0..{size - 1}, but is {array[wrong][0]}")
    return array


def _number(array: np.ndarray) -> float | np.ndarray:
    """A float where there is one number, the array where there are several."""
    return float(array) if np.ndim(array) == 0 else array
