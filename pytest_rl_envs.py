"""The pytest plugin of rl-envs: its asserts as fixtures, `assert_gae`, `assert_solves`, `assert_values` and others.

    def test_our_advantages(assert_gae):
        assert_gae(our_gae)

It stands outside the package because pytest imports it at every start: `import rl_envs` would bring NumPy and Gymnasium
along. They are imported when a test asks for a fixture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def _assert(name: str) -> Callable[..., Any]:
    """The assert of that name, imported now."""
    from rl_envs.diagnosis import asserts

    return getattr(asserts, name)


@pytest.fixture(scope="session")
def assert_gae() -> Callable[..., Any]:
    """Assert that a function computes generalised advantages."""
    return _assert("assert_gae")


@pytest.fixture(scope="session")
def assert_lambda_returns() -> Callable[..., Any]:
    """Assert that a function computes lambda-returns."""
    return _assert("assert_lambda_returns")


@pytest.fixture(scope="session")
def assert_n_step() -> Callable[..., Any]:
    """Assert that a function computes n-step returns."""
    return _assert("assert_n_step")


@pytest.fixture(scope="session")
def assert_returns() -> Callable[..., Any]:
    """Assert that a function computes discounted returns."""
    return _assert("assert_returns")


@pytest.fixture(scope="session")
def assert_td_target() -> Callable[..., Any]:
    """Assert that a function computes TD targets."""
    return _assert("assert_td_target")


@pytest.fixture(scope="session")
def assert_values() -> Callable[..., Any]:
    """Assert that a model's values are the optimal ones of a world."""
    return _assert("assert_values")


@pytest.fixture(scope="session")
def assert_solves() -> Callable[..., Any]:
    """Assert that a training function solves a world, with a computed rate of false alarms."""
    return _assert("assert_solves")
