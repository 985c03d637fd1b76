"""Softmax: arms are pulled in proportion to exponentials."""

from __future__ import annotations

import numpy as np

from baselines.agents.softmax import Softmax, SoftmaxConfig
from tests.baselines.agents.test_bandit import play


def test_arms_are_pulled_in_proportion_to_exponentials() -> None:
    agent = Softmax("Bandit", runs=4_000, config=SoftmaxConfig(temperature=0.5))
    agent.value[:] = 1000.0 + np.log([1, 2, 3, 4, 10]) / 2  # exp(value / 0.5) is in proportion to 1, 2, 3, 4, 10
    shares = np.bincount(agent.act(np.zeros(4_000)), minlength=5) / 4_000
    np.testing.assert_allclose(shares, np.array([1, 2, 3, 4, 10]) / 20, atol=0.03)  # standard error below 0.008


def test_the_temperature_falls_harmonically_with_the_steps() -> None:
    agent = Softmax("Bandit", config=SoftmaxConfig(temperature=0.8, temperature_half_life=10.0))
    play(agent, 30)
    assert agent.temperature == 0.2
