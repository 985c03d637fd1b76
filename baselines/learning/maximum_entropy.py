"""Maximum causal entropy: to be as random as a reward allows, and the reward that explains what was done.

For a reward r(s, a) the soft values are

    q(s, a) = r(s, a) + gamma sum_s' p(s' | s, a) v(s'),    v(s) = log sum_a exp q(s, a)

and pi(a | s) = exp(q(s, a) - v(s)) is the policy with the largest sum of reward and entropy. It is a softmax over
what is still to come, not over what comes next, and a log-sum-exp where the best policy has a maximum.

Nothing is sampled here: the dynamics are known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rl_envs.mdp.bellman import Dynamics, Matrix, solve_chain

# The largest |log sum exp q - v| that is left, relative to the largest value.
SOFT_RESIDUAL = 1e-12

# Newton steps before giving up; five to ten are usual.
NEWTON_STEPS = 200


def log_sum_exp(q: np.ndarray) -> np.ndarray:
    """The soft maximum log sum_a exp q(s, a), without overflow however large the values are.

    Args:
        q: [S, A].

    Returns:
        [S].
    """
    best = q.max(axis=1)
    return best + np.log(np.exp(q - best[:, None]).sum(axis=1))


def soft_policy(q: np.ndarray) -> np.ndarray:
    """The policy that goes with soft action values, exp(q - log sum exp q), [S, A]."""
    weights = np.exp(q - q.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def soft_values(dynamics: Dynamics, discount: float) -> np.ndarray:
    """The soft action values of the dynamics' reward.

    Newton's method on v = log sum exp q: each step solves v' = r_pi + H(pi) + gamma P_pi v' exactly, the value with
    entropy of the policy that goes with v, which is then improved. It converges from anywhere, since the backup is a
    contraction, and doubles the correct digits once it is near, where sweeps of the backup would gain one factor of
    gamma each.

    Args:
        dynamics: the transitions, and the reward in question.
        discount: gamma, below 1. At 1 a policy might collect infinite entropy.

    Returns:
        q [S, A].

    Raises:
        ValueError: a discount of 1.

    Source: Ziebart (2010), section 6.2 (soft value iteration); Haarnoja et al. (2018) for soft policy iteration.
    """
    if not discount < 1:
        raise ValueError(f"soft values need a discount below 1, but it is {discount:g}")
    v = np.zeros(dynamics.num_states)
    previous = np.inf
    for step in range(NEWTON_STEPS):
        q = dynamics.action_values(v, discount)
        residual = log_sum_exp(q) - v
        size = np.abs(residual).max()
        # Near the solution each residual is the square of the last; one that does not shrink is made of rounding.
        if size <= SOFT_RESIDUAL * np.abs(v).max() or (step > 20 and size >= previous):
            break
        previous = size
        p, _ = dynamics.under_policy(soft_policy(q))
        v = v + solve_chain(p, residual, discount)
    return q


def expected_visits(dynamics: Dynamics, policy: np.ndarray, begins: np.ndarray, discount: float) -> np.ndarray:
    """The discounted number of times that a policy takes each action in each state, when this is where it begins.

    Args:
        dynamics: the transitions.
        policy: probabilities [S, A].
        begins: how often it begins in each state, [S]; what is negative is taken away.
        discount: gamma.

    Returns:
        [S, A].
    """
    p, _ = dynamics.under_policy(policy)
    return solve_chain(p, begins, discount, transpose=True)[:, None] * policy


def unexplained_visits(dynamics: Dynamics, visits: np.ndarray, discount: float) -> np.ndarray:
    """The visits of states that nothing before them led to: where demonstrations begin, less where they break off.

        d(s') = c(s') - gamma sum_{s, a} c(s, a) p(s' | s, a)

    For the exact visits of a policy this is the start distribution. For those of episodes that were cut off it has the
    discounted last states taken away from it, so that what was never seen is not missed; for a finite number of
    episodes it carries the luck of the dynamics, which then is not taken for a liking.

    Args:
        dynamics: the transitions.
        visits: c, [S, A].
        discount: gamma.

    Returns:
        [S].
    """
    return visits.sum(axis=1) - discount * (dynamics.p.T @ visits.ravel())


@dataclass(frozen=True, eq=False)
class Likelihood:
    """How well rewards r = features . theta explain what was done, and in which direction they would do so better.

        L(theta) = sum_{s, a} c(s, a) log pi_theta(a | s) - penalty / 2 |theta|^2
        grad L   = features^T (c - visits of pi_theta) - penalty theta

    The gradient is what the demonstrator visits minus what the model visits, as features see it: at the maximum both
    see the same. Both begin alike, with `unexplained_visits`.

    Args:
        dynamics: the transitions.
        discount: gamma.
        features: of each state and action, [S * A, D], dense or sparse.
        visits: the demonstrator's discounted visits c, [S, A].
        penalty: how much the square of the weights counts. Whoever never errs is explained ever better by ever larger
        rewards,
            and only a penalty ends that.

    Source: Ziebart, Bagnell & Dey (2010), theorems 2 and 3.
    """

    dynamics: Dynamics
    discount: float
    features: Matrix
    visits: np.ndarray
    penalty: float

    def policy(self, theta: np.ndarray) -> np.ndarray:
        """The soft policy of a reward, [S, A]."""
        return soft_policy(soft_values(self._rewarded(theta), self.discount))

    def gap(self, theta: np.ndarray) -> np.ndarray:
        """The features that the demonstrator sees minus those that the model sees, discounted, [D]."""
        return self._gap(self.policy(theta))

    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """L and its gradient [D]."""
        q = soft_values(self._rewarded(theta), self.discount)
        value = (self.visits * (q - log_sum_exp(q)[:, None])).sum() - self.penalty / 2 * theta @ theta
        return float(value), self._gap(soft_policy(q)) - self.penalty * theta

    def _rewarded(self, theta: np.ndarray) -> Dynamics:
        return replace(self.dynamics, reward=(self.features @ theta).reshape(self.dynamics.reward.shape))

    def _gap(self, policy: np.ndarray) -> np.ndarray:
        begins = unexplained_visits(self.dynamics, self.visits, self.discount)
        visits = expected_visits(self.dynamics, policy, begins, self.discount)
        return np.asarray(self.features.T @ (self.visits - visits).ravel())


@dataclass(frozen=True, eq=False)
class Explanation:
    """A reward that explains what was done.

    Attributes:
        theta: the weights of the features, [D].
        reward: of each state and action, [S, A]. Only the policy that follows from it is determined by what was seen;
            any shaping by a potential may be in it.
        policy: the soft policy of the reward, [S, A].
        feature_gap: the largest difference between the features that the demonstrator and the model see, discounted.
        iterations: steps of L-BFGS.
        converged: whether the gradient came down to the tolerance.
    """

    theta: np.ndarray
    reward: np.ndarray
    policy: np.ndarray
    feature_gap: float
    iterations: int
    converged: bool


def explain(likelihood: Likelihood, *, tolerance: float = 1e-6, max_iterations: int = 500) -> Explanation:
    """The reward of the largest likelihood, by L-BFGS from a reward of 0.

    Args:
        likelihood: what is to be explained, and by which features.
        tolerance: the largest entry of the gradient at which to stop, in discounted visits.
        max_iterations: steps after which to stop in any case.

    Returns:
        The reward and its policy.

    Source: Liu & Nocedal (1989) for L-BFGS, as `scipy.optimize.minimize` has it.
    """
    from scipy.optimize import minimize

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = likelihood.value_and_gradient(theta)
        return -value, -gradient

    options: dict[str, Any] = {"maxiter": max_iterations, "gtol": tolerance, "ftol": 0.0, "maxcor": 20}
    found = minimize(loss, np.zeros(likelihood.features.shape[1]), jac=True, method="L-BFGS-B", options=options)
    policy = likelihood.policy(found.x)
    return Explanation(
        theta=found.x,
        reward=(likelihood.features @ found.x).reshape(policy.shape),
        policy=policy,
        feature_gap=float(np.abs(likelihood.gap(found.x)).max()),
        iterations=int(found.nit),
        converged=bool(np.abs(found.jac).max() <= tolerance),
    )
