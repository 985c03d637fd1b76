"""Learning rules as pure functions: numbers in, numbers out, nothing remembered.

The names are those of Sutton & Barto (2018). A rule works on a whole batch at once, one row a run; it masks the
bootstrap by `terminated` only, for a time limit ends an episode and not the future: what would have come after is
still worth something.
"""

from __future__ import annotations

import numpy as np


def td_target(
    reward: np.ndarray, terminated: np.ndarray, next_value: np.ndarray, discount: float | np.ndarray
) -> np.ndarray:
    """The one-step target R + gamma V(S'), where V(S') counts as 0 if the episode terminated.

    Args:
        reward: [R].
        terminated: whether the step ended the episode by the world's rules, [R] bool. Truncation has no part in it.
        next_value: the estimated value of the true next state, [R]; not read where terminated, so it may be anything.
        discount: gamma; [R] where it differs, as after n-step returns of different length.

    Returns:
        Targets [R], in units of discounted reward.

    Source: Sutton & Barto (2018), eq. 6.2.
    """
    return reward + discount * np.where(terminated, 0.0, next_value)


def q_learning_target(reward: np.ndarray, terminated: np.ndarray, next_q: np.ndarray, discount: float) -> np.ndarray:
    """The target of Q-learning, R + gamma max_a Q(S', a).

    Args:
        reward: [R].
        terminated: [R] bool.
        next_q: the estimated action values of the true next state, [R, A].
        discount: gamma.

    Returns:
        Targets [R].

    Source: Sutton & Barto (2018), eq. 6.8.
    """
    return td_target(reward, terminated, next_q.max(axis=-1), discount)


def hysteretic_step(td_error: np.ndarray, falling: float) -> np.ndarray:
    """How far to follow an error: all the way up, and only partly down.

    Args:
        td_error: target minus estimate, [R].
        falling: the share of a negative error that is followed, in [0, 1].

    Returns:
        Steps [R], to be multiplied by the step size.

    Source: Lauer & Riedmiller (2000), An algorithm for distributed reinforcement learning in cooperative multi-agent
        systems (`falling` = 0); Matignon, Laurent & Le Fort-Piat (2007), Hysteretic Q-learning.
    """
    return np.where(td_error >= 0, td_error, falling * td_error)


def n_step_return(reward: np.ndarray, stops: np.ndarray, discount: float) -> tuple[np.ndarray, np.ndarray]:
    """The discounted sum of the next n rewards, or of fewer where the episode ends sooner.

        G = R_1 + gamma R_2 + ... + gamma^(k-1) R_k,    k the first step that stops, or n

    Args:
        reward: the next n rewards, [..., n].
        stops: whether nothing after the step belongs to it, [..., n] bool: an episode's end, by truncation too.
        discount: gamma.

    Returns:
        The sums [...], and how many rewards each has, k, [...] int64. What follows is to be discounted by gamma^k.

    Source: Sutton & Barto (2018), eq. 7.1.
    """
    earlier = np.cumsum(stops, axis=-1) - stops  # how many stops came before
    counts = earlier == 0
    weight = discount ** np.arange(reward.shape[-1])
    total = np.sum(np.where(counts, reward, 0.0) * weight, axis=-1)
    return total, counts.sum(axis=-1)


def returns_to_go(reward: np.ndarray, ended: np.ndarray, tail: np.ndarray, discount: float) -> np.ndarray:
    """The discounted return from each step on, found in one pass backwards.

        G_t = R_{t+1} + gamma G_{t+1},  and at an end  R_{t+1} + gamma tail_t

    Args:
        reward: what each of T steps earned, [T, ...].
        ended: where the episode ended, [T, ...] bool, by truncation too; the last step counts as one in any case.
        tail: what comes after an end: 0 where it was a termination, the estimated value of the last observation where
            it was a truncation, [T, ...]; not read elsewhere.
        discount: gamma.

    Returns:
        Returns [T, ...].

    Source: Sutton & Barto (2018), eq. 3.9.
    """
    returns = np.empty(reward.shape)
    following = tail[-1]
    for step in reversed(range(len(reward))):
        following = reward[step] + discount * np.where(ended[step], tail[step], following)
        returns[step] = following
    return returns


def accumulating_trace(trace: np.ndarray, gradient: np.ndarray, discount: float, trace_decay: float) -> np.ndarray:
    """The eligibility trace after one more step: each weight's part in it, z = gamma lambda z + grad v(S).

    Args:
        trace: z before the step, [R, D]; 0 at the start of an episode.
        gradient: of v(S) with respect to the weights, [R, D].
        discount: gamma.
        trace_decay: lambda.

    Returns:
        [R, D].

    Source: Sutton & Barto (2018), eq. 12.5.
    """
    return discount * trace_decay * trace + gradient


def semi_gradient_step(error: np.ndarray, gradient: np.ndarray, step_size: float) -> np.ndarray:
    """What is added to the weights of an estimate: alpha (target - v(S)) grad v(S), with no gradient of the target.

    Args:
        error: target minus estimate, [R].
        gradient: of the estimate with respect to the weights, or its trace, [R, D].
        step_size: alpha; for tile coding already divided by the number of tilings.

    Returns:
        [R, D].

    Source: Sutton & Barto (2018), eq. 9.7 and 12.7.
    """
    return (step_size * error)[:, None] * gradient


def score_of_softmax(probabilities: np.ndarray, action: np.ndarray) -> np.ndarray:
    """The gradient of ln pi(a) with respect to the preferences of a softmax policy: 1 for the action itself, minus pi.

    Args:
        probabilities: pi, [..., A].
        action: a, [...] int.

    Returns:
        [..., A]; its mean over actions drawn from pi is 0.

    Source: Sutton & Barto (2018), eq. 13.9 and exercise 13.3.
    """
    return (np.arange(probabilities.shape[-1]) == action[..., None]) - probabilities


def regret_matching_strategy(regret: np.ndarray) -> np.ndarray:
    """The strategy of regret matching: in proportion to positive regret, and uniform where there is none.

    Args:
        regret: what each action would have earned more than what was played, summed over rounds, [..., A].

    Returns:
        Probabilities [..., A].

    Source: Hart & Mas-Colell (2000), theorem B.
    """
    positive = np.maximum(regret, 0.0)
    total = positive.sum(axis=-1, keepdims=True)
    return np.where(total > 0, positive, 1.0) / np.where(total > 0, total, regret.shape[-1])


def sample_average(value: np.ndarray, reward: np.ndarray, count: np.ndarray) -> np.ndarray:
    """The mean of the rewards so far, from the mean of those before the last: Q + (R - Q) / n.

    Args:
        value: the mean before, [R]; not read where the reward is the first.
        reward: the last reward, [R].
        count: how many rewards there are with it, n, [R], at least 1.

    Returns:
        The mean with it, [R].

    Source: Sutton & Barto (2018), eq. 2.3.
    """
    return np.where(count == 1, reward, value + (reward - value) / count)


def upper_confidence_bound(value: np.ndarray, pulls: np.ndarray, exploration: float) -> np.ndarray:
    """What each arm might be worth: its mean and a bonus for what is not known, Q + c sqrt(ln t / N).

    Args:
        value: mean reward of each arm, [R, A].
        pulls: how often each was pulled, N, [R, A]; t is their sum.
        exploration: c, in units of reward.

    Returns:
        Bounds [R, A]; infinite for an arm that was never pulled, so that each is pulled once whatever the others pay.

    Source: Auer, Cesa-Bianchi & Fischer (2002), UCB1, with c = sqrt(2); Sutton & Barto (2018), eq. 2.10.
    """
    total = np.maximum(pulls.sum(axis=-1, keepdims=True), 1)
    bonus = exploration * np.sqrt(np.log(total) / np.maximum(pulls, 1))
    return np.where(pulls == 0, np.inf, value + bonus)


def gradient_bandit_step(
    probabilities: np.ndarray, action: np.ndarray, reward: np.ndarray, baseline: np.ndarray
) -> np.ndarray:
    """The direction in which to move the preferences of a softmax over arms: (R - baseline) (1[a = A] - pi(a)).

    Args:
        probabilities: pi before the pull, [R, A].
        action: the arm pulled, A, [R].
        reward: what it paid, [R].
        baseline: what is counted as nothing special, [R].

    Returns:
        [R, A], to be multiplied by the step size; a sample of the gradient of the mean reward.

    Source: Sutton & Barto (2018), eq. 2.12.
    """
    return (reward - baseline)[:, None] * score_of_softmax(probabilities, action)


def gaussian_posterior(
    total: np.ndarray, pulls: np.ndarray, prior_mean: float, prior_std: float, noise_std: float
) -> tuple[np.ndarray, np.ndarray]:
    """What is believed of a mean after some rewards, where mean and noise are Gaussian.

        precision = 1 / prior_std^2 + n / noise_std^2
        mean = (prior_mean / prior_std^2 + sum / noise_std^2) / precision

    Args:
        total: sum of the rewards, [...].
        pulls: how many there were, n, [...].
        prior_mean: mean of the prior, in units of reward.
        prior_std: its standard deviation, above 0.
        noise_std: standard deviation of a reward around its mean, above 0.

    Returns:
        Mean and standard deviation of the posterior, each [...].

    Source: Russo et al. (2018), A tutorial on Thompson sampling, section 4; Murphy (2012), section 4.4.1.
    """
    precision = prior_std**-2 + pulls * noise_std**-2
    mean = (prior_mean * prior_std**-2 + total * noise_std**-2) / precision
    return mean, 1 / np.sqrt(precision)


def option_value_on_arrival(
    going_on_value: np.ndarray, next_q: np.ndarray, may_start: np.ndarray, termination: np.ndarray
) -> np.ndarray:
    """What arriving in a state is worth while an option runs: it goes on, or it ends and the best one there starts.

        U(s', o) = (1 - beta_o(s')) Q(s', o) + beta_o(s') max_{o' that may start in s'} Q(s', o')

    Args:
        going_on_value: the estimated value of going on with the option in the state arrived at, [...].
        next_q: the estimated values of all options there, [..., O].
        may_start: which of them may start there, [..., O] bool. The others' values are not read. Where none may, as in
            states in which the episode is over, the maximum counts as 0.
        termination: beta, the probability that the option ends on arriving there, [...].

    Returns:
        Values [...].

    Source: Sutton, Precup & Singh (1999), section 6, where it is called U.
    """
    best = np.where(may_start, next_q, -np.inf).max(axis=-1)
    best = np.where(np.isneginf(best), 0.0, best)
    return (1 - termination) * going_on_value + termination * best


def smdp_target(
    reward: np.ndarray, duration: np.ndarray, terminated: np.ndarray, next_value: np.ndarray, discount: float
) -> np.ndarray:
    """The target for an option that has lasted k steps, R_1 + gamma R_2 + ... + gamma^(k-1) R_k + gamma^k U(S').

    Args:
        reward: the discounted sum of what it earned on the way, [...].
        duration: k, the steps it really took, at least 1, [...] int.
        terminated: whether the episode ended with it, [...] bool.
        next_value: the estimated value of the state it arrived in, [...]; not read where terminated.
        discount: gamma.

    Returns:
        Targets [...].

    Source: Sutton, Precup & Singh (1999), section 3.2.
    """
    return td_target(reward, terminated, next_value, discount**duration)


def subtask_target(
    reached: np.ndarray, goes_on: np.ndarray, terminated: np.ndarray, next_q: np.ndarray, discount: float
) -> np.ndarray:
    """The target inside a subtask, which pays 1 on arriving in its goal and nothing else, and ends outside its region.

    Args:
        reached: whether the state arrived in is in the subtask's goal, [...] bool.
        goes_on: whether it is in the subtask's region, [...] bool; anywhere else the subtask is over, done or failed.
        terminated: whether the episode ended, [...] bool; every subtask ends with it.
        next_q: the estimated action values of the subtask there, [..., A].
        discount: gamma.

    Returns:
        Targets [...].

    Source: Sutton, Precup & Singh (1999), section 7, with a subgoal worth 1.
    """
    return td_target(np.where(reached, 1.0, 0.0), terminated | ~goes_on, next_q.max(axis=-1), discount)
