"""Exact answers for the functions inside an agent, and checks that name what is wrong with a user's own.

    from rl_envs.diagnosis.oracles import check_gae
    print(check_gae(my_gae))

Nothing is trained. See docs/oracles.md.
"""

from rl_envs.diagnosis.oracles.checks import (
    check_gae,
    check_lambda_returns,
    check_n_step,
    check_returns,
    check_td_targets,
)
from rl_envs.diagnosis.oracles.references import discounted_returns, gae, lambda_returns, n_step_returns
from rl_envs.diagnosis.oracles.results import CheckResult, Example, Finding, WrongFunctionError
from rl_envs.diagnosis.oracles.td_references import (
    double_td_targets,
    expected_td_targets,
    max_td_targets,
    soft_td_targets,
    td_targets,
)

__all__ = [
    "CheckResult",
    "Example",
    "Finding",
    "WrongFunctionError",
    "check_gae",
    "check_lambda_returns",
    "check_n_step",
    "check_returns",
    "check_td_targets",
    "discounted_returns",
    "double_td_targets",
    "expected_td_targets",
    "gae",
    "lambda_returns",
    "max_td_targets",
    "n_step_returns",
    "soft_td_targets",
    "td_targets",
]
