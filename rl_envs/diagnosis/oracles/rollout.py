"""A stretch of experience as a learning rule reads it, and the rules for targets computed from it.

A step ends an episode in two ways. `terminated`: the world is over, and what follows is worth nothing. `truncated`: a
time limit; the world goes on without us, so the value of the last observation still counts. Either way nothing that is
earned later belongs to the step. Where both are true the world is over. So each step has two masks, and the whole art
is to keep them apart:

    bootstraps   whether the value of the next state counts: not terminated
    continues    whether the next step of the rollout belongs to the same episode: neither, and not the last step

The rules below are right as long as the masks are. A mistake of `rl_envs.diagnosis.oracles.mistakes` changes what a
rule reads, and leaves the rule alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Rollout:
    """T steps of several independent copies. Arrays are [T, ...], time first.

    Attributes:
        reward: of each step.
        value: V of what was seen before it.
        next_value: V of what was seen after it, before any reset.
        terminated, truncated: how it ended its episode, bool.
        discount: gamma.
        trace_decay: lambda.
        n: the number of rewards in an n-step return.
        bootstraps: 1.0 where the next value counts, 0.0 elsewhere.
        continues: 1.0 where the next step of the rollout belongs to the same episode, 0.0 elsewhere.
        carry_discount: gamma once more, where it multiplies what is carried back from the next step.
        copies_at_once: how many copies are handed to a function in one call.
    """

    reward: np.ndarray
    value: np.ndarray
    next_value: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    discount: float
    trace_decay: float
    n: int
    bootstraps: np.ndarray
    continues: np.ndarray
    carry_discount: float
    copies_at_once: int = 1

    @property
    def ended(self) -> np.ndarray:
        """Whether each step ended an episode, either way, [T, ...] bool."""
        return self.terminated | self.truncated


def make_rollout(
    reward: np.ndarray,
    value: np.ndarray,
    next_value: np.ndarray,
    terminated: np.ndarray,
    truncated: np.ndarray,
    *,
    discount: float,
    trace_decay: float = 1.0,
    n: int = 1,
) -> Rollout:
    """A rollout with the masks that are right for its ends.

    Args:
        reward: [T, ...].
        value: [T, ...].
        next_value: [T, ...].
        terminated: [T, ...] bool.
        truncated: [T, ...] bool.
        discount: gamma.
        trace_decay: lambda.
        n: rewards in an n-step return.

    Returns:
        The rollout; see `Rollout` for its parts.
    """
    continues = 1.0 - (terminated | truncated)
    continues[-1] = 0.0
    return Rollout(
        reward,
        value,
        next_value,
        terminated,
        truncated,
        discount,
        trace_decay,
        n,
        bootstraps=1.0 - terminated,
        continues=continues,
        carry_discount=discount,
    )


def advantages(x: Rollout) -> np.ndarray:
    """Generalised advantages, A_t = delta_t + gamma lambda A_{t+1}, [T, ...]."""
    delta = x.reward + x.discount * x.bootstraps * x.next_value - x.value
    result = np.empty(delta.shape)
    following = np.zeros(delta.shape[1:])
    for t in reversed(range(len(delta))):
        following = delta[t] + x.carry_discount * x.trace_decay * x.continues[t] * following
        result[t] = following
    return result


def lambda_returns(x: Rollout) -> np.ndarray:
    """Lambda-returns by their own recursion, G_t = r + gamma [(1 - lambda) V(s') + lambda G_{t+1}], [T, ...]."""
    result = np.empty(x.reward.shape)
    following = x.next_value[-1]
    for t in reversed(range(len(result))):
        carried = x.trace_decay * x.continues[t]
        ahead = x.discount * (1 - carried) * x.bootstraps[t] * x.next_value[t]
        following = x.reward[t] + ahead + x.carry_discount * carried * following
        result[t] = following
    return result


def lambda_returns_from_advantages(x: Rollout) -> np.ndarray:
    """Lambda-returns as most libraries have them, advantage plus value, [T, ...]."""
    return advantages(x) + x.value


def discounted_returns(x: Rollout) -> np.ndarray:
    """Rewards to go, and the value of the last observation where an episode was cut off, [T, ...]."""
    result = np.empty(x.reward.shape)
    following = x.next_value[-1]
    for t in reversed(range(len(result))):
        ahead = (1 - x.continues[t]) * x.discount * x.bootstraps[t] * x.next_value[t]
        following = x.reward[t] + ahead + x.continues[t] * x.carry_discount * following
        result[t] = following
    return result


def n_step_returns(
    x: Rollout,
    *,
    reward_discount: Callable[[float, int], float] = lambda discount, k: discount**k,
    value_discount: Callable[[float, int, int], float] = lambda discount, used, n: discount**used,
    blind_bootstrap: bool = False,
    blind_rewards: bool = False,
) -> np.ndarray:
    """Rewards of n steps and then a value; fewer rewards where the episode or the rollout stops sooner, [T, ...].

    Args:
        x: the rollout.
        reward_discount: (gamma, k) -> the weight of the reward k steps later.
        value_discount: (gamma, k, n) -> the weight of the value that follows k of at most n rewards.
        blind_bootstrap: whether the value n steps later is added whatever ended in between, as a mistake does.
        blind_rewards: whether rewards are added up whatever ended in between, as a mistake does.

    Returns:
        Returns [T, ...].
    """
    length = len(x.reward)
    result = np.zeros(x.reward.shape)
    for t in range(length):
        last = min(t + x.n, length) - 1
        alive = np.ones(x.reward.shape[1:])
        for k, s in enumerate(range(t, last + 1)):
            counts = np.ones_like(alive) if blind_rewards else alive
            result[t] += counts * reward_discount(x.discount, k) * x.reward[s]
            stops = np.ones_like(alive) if s == last else 1 - x.continues[s]
            here = float(s == last) if blind_bootstrap else alive * stops
            result[t] += here * value_discount(x.discount, k + 1, x.n) * x.bootstraps[s] * x.next_value[s]
            alive = alive * (1 - stops)
    return result


def steps_used(x: Rollout) -> np.ndarray:
    """How many rewards each n-step return has, [T, ...]."""
    return n_step_returns(
        replace(x, reward=np.ones_like(x.reward), next_value=np.zeros_like(x.next_value)),
        reward_discount=lambda discount, k: 1.0,
    )
