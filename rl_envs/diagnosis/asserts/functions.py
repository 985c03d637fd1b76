"""Asserts that a function is right, without training: milliseconds, and no chance in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rl_envs.diagnosis.oracles import check_gae, check_lambda_returns, check_n_step, check_returns, check_td_targets
from rl_envs.diagnosis.oracles.results import CheckResult


def assert_gae(function: Callable[..., Any], **options: Any) -> None:
    """Assert that a function computes generalised advantages.

    Args:
        function: see `check_gae`.
        **options: of `check_gae`.

    Raises:
        AssertionError: it is wrong, or could not be called; the message is the finding.
    """
    __tracebackhide__ = True
    _assert(check_gae(function, **options))


def assert_lambda_returns(function: Callable[..., Any], **options: Any) -> None:
    """Assert that a function computes lambda-returns; as `assert_gae`, with `check_lambda_returns`."""
    __tracebackhide__ = True
    _assert(check_lambda_returns(function, **options))


def assert_n_step(function: Callable[..., Any], **options: Any) -> None:
    """Assert that a function computes n-step returns; as `assert_gae`, with `check_n_step`."""
    __tracebackhide__ = True
    _assert(check_n_step(function, **options))


def assert_returns(function: Callable[..., Any], **options: Any) -> None:
    """Assert that a function computes discounted returns; as `assert_gae`, with `check_returns`."""
    __tracebackhide__ = True
    _assert(check_returns(function, **options))


def assert_td_target(function: Callable[..., Any], **options: Any) -> None:
    """Assert that a function computes TD targets; as `assert_gae`, with `check_td_targets`."""
    __tracebackhide__ = True
    _assert(check_td_targets(function, **options))


def _assert(result: CheckResult) -> None:
    __tracebackhide__ = True
    result.raise_if_wrong()
