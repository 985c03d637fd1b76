"""Advantages against numbers worked out by hand; rows are runs, columns are steps."""

from __future__ import annotations

import torch

from baselines.learning.advantages import generalised_advantages


def test_generalised_advantages_by_hand() -> None:
    reward, value = torch.tensor([[1.0, 2.0, 4.0]]), torch.tensor([[1.0, 2.0, 3.0]])
    next_value = torch.tensor([[2.0, 3.0, 8.0]])
    nothing = torch.zeros(1, 3, dtype=torch.bool)
    # TD errors at discount 0.5: 1 + 1 - 1 = 1;   2 + 1.5 - 2 = 1.5;   4 + 4 - 3 = 5
    one_step = generalised_advantages(reward, nothing, nothing, value, next_value, 0.5, 0.0)
    assert one_step.tolist() == [[1.0, 1.5, 5.0]]
    # With lambda = 1: 5;   1.5 + 5/2 = 4;   1 + 4/2 = 3, which is the return 1 + 2/2 + 4/4 + 8/8 = 4 minus 1.
    whole = generalised_advantages(reward, nothing, nothing, value, next_value, 0.5, 1.0)
    assert whole.tolist() == [[3.0, 4.0, 5.0]]
    # With lambda = 0.5: 5;   1.5 + 5/4 = 2.75;   1 + 2.75/4 = 1.6875
    mixed = generalised_advantages(reward, nothing, nothing, value, next_value, 0.5, 0.5)
    assert mixed.tolist() == [[1.6875, 2.75, 5.0]]


def test_generalised_advantages_stop_at_ends_and_bootstrap_at_truncations_only() -> None:
    reward, value = torch.ones(2, 3), torch.zeros(2, 3)
    next_value = torch.tensor([[0.0, torch.nan, 0.0], [0.0, 10.0, 0.0]])  # what follows a termination is not read
    ended = torch.tensor([[False, True, False]] * 2)
    terminated = torch.tensor([[False, True, False], [False, False, False]])
    found = generalised_advantages(reward, terminated, ended, value, next_value, 0.5, 1.0)
    # Terminated at step 1: 1 and 1 + 1/2;   truncated: 1 + 10/2 = 6 and 1 + 6/2 = 4;   step 2 belongs to the next.
    assert found.tolist() == [[1.5, 1.0, 1.0], [4.0, 6.0, 1.0]]
