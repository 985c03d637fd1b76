"""Asserts for a library's own tests: functions and values exact, training by a test that does not flake.

    from rl_envs.diagnosis.asserts import assert_gae, assert_solves, assert_values

A failing assert raises an AssertionError whose message is the finding. The pytest plugin gives each as a fixture of the
same name.
"""

from rl_envs.diagnosis.asserts.functions import (
    assert_gae,
    assert_lambda_returns,
    assert_n_step,
    assert_returns,
    assert_td_target,
)
from rl_envs.diagnosis.asserts.sequential_test import SequentialTest
from rl_envs.diagnosis.asserts.solving import Solving, assert_solves
from rl_envs.diagnosis.asserts.values import assert_values

__all__ = [
    "SequentialTest",
    "Solving",
    "assert_gae",
    "assert_lambda_returns",
    "assert_n_step",
    "assert_returns",
    "assert_solves",
    "assert_td_target",
    "assert_values",
]
