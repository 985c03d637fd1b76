"""The known mistakes in n-step returns: how many rewards, how much each is discounted, and where they stop."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from rl_envs.diagnosis.oracles.end_mistakes import LEAK
from rl_envs.diagnosis.oracles.mistakes import Mistake, Variant, computes, reads
from rl_envs.diagnosis.oracles.rollout import n_step_returns, steps_used


def _n_step(**changes: object) -> Variant:
    return computes(partial(n_step_returns, **changes))  # type: ignore[arg-type]


N_STEP = (
    Mistake(
        ("n_step_discount",),
        "the value after n steps is discounted once, by gamma^1 for gamma^n",
        "discount the value by gamma to the number of rewards before it",
        (_n_step(value_discount=lambda discount, used, n: discount),),
    ),
    Mistake(
        ("n_step_discount",),
        "the value after n steps is discounted by gamma^(n-1), as the last reward is",
        "discount the value by gamma to the number of rewards before it, n",
        (_n_step(value_discount=lambda discount, used, n: discount ** (used - 1)),),
    ),
    Mistake(
        ("n_step_discount",),
        "the value after n steps is discounted by gamma^(n+1)",
        "discount the value by gamma to the number of rewards before it, n",
        (_n_step(value_discount=lambda discount, used, n: discount ** (used + 1)),),
    ),
    Mistake(
        ("n_step_discount",),
        "where fewer than n rewards are left, the value is still discounted by gamma^n",
        "discount the value by gamma to the number of rewards that were really added up",
        (_n_step(value_discount=lambda discount, used, n: discount**n),),
    ),
    Mistake(
        ("n_step_discount", "discount_ignored"),
        "the value after n steps is not discounted",
        "discount the value by gamma to the number of rewards before it, n",
        (_n_step(value_discount=lambda discount, used, n: 1.0),),
    ),
    Mistake(
        ("n_step_rewards_undiscounted",),
        "the rewards inside the n steps are not discounted",
        "multiply the reward k steps later by gamma^k",
        (_n_step(reward_discount=lambda discount, k: 1.0),),
    ),
    Mistake(
        ("discount_twice",),
        "the first reward is discounted already",
        "multiply the reward k steps later by gamma^k, so the first by 1",
        (_n_step(reward_discount=lambda discount, k: discount ** (k + 1)),),
    ),
    Mistake(
        ("return_leaks_across_episodes",),
        "rewards are added up over the end of the episode",
        "stop adding rewards at the first step that ended the episode",
        (_n_step(blind_rewards=True),),
    ),
    Mistake(
        ("terminal_not_masked",),
        "the value n steps later is added although the episode ended on the way",
        "mask the value by every flag inside the n steps, not by the last alone",
        (
            _n_step(blind_bootstrap=True),
            lambda rule, x: n_step_returns(replace(x, bootstraps=np.ones_like(x.bootstraps)), blind_bootstrap=True),
        ),
    ),
    Mistake(
        ("return_leaks_across_episodes",),
        "the n steps run over the end of the episode: only the flag of the last of them is looked at",
        "stop at the first step that ended the episode, and mask the value if it terminated there",
        (_n_step(blind_rewards=True, blind_bootstrap=True), *LEAK.variants),
    ),
    Mistake(
        ("last_value_of_wrong_state",),
        "where fewer than n rewards are left, no value is added",
        "bootstrap from the last observation, discounted by the number of rewards before it",
        (_n_step(value_discount=lambda discount, used, n: discount**n if used == n else 0.0),),
    ),
    Mistake(
        ("n_step_length",),
        "it adds up n + 1 rewards",
        "add up the rewards t to t + n - 1, and the value of the observation after them",
        (reads(n=lambda x: x.n + 1),),
    ),
    Mistake(
        ("n_step_length",),
        "it adds up n - 1 rewards",
        "add up the rewards t to t + n - 1, and the value of the observation after them",
        (reads(n=lambda x: max(1, x.n - 1)),),
    ),
)

STEPS_USED = (
    Mistake(
        ("n_step_discount",),
        "it counts n steps where fewer rewards were added up",
        "count the rewards that were really added up: the value after them is discounted by gamma to that number",
        (
            computes(lambda x: np.full(x.reward.shape, float(x.n))),
            computes(lambda x: np.full(x.reward.shape, x.discount**x.n)),
        ),
    ),
    Mistake(
        ("n_step_discount",),
        "it counts one step too few",
        "the value after k rewards is discounted by gamma^k",
        (computes(lambda x: steps_used(x) - 1), computes(lambda x: x.discount ** (steps_used(x) - 1))),
    ),
    Mistake(
        ("n_step_discount",),
        "it counts one step too many",
        "the value after k rewards is discounted by gamma^k",
        (computes(lambda x: steps_used(x) + 1), computes(lambda x: x.discount ** (steps_used(x) + 1))),
    ),
)
