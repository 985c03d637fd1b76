"""Generalised advantage estimation, as a pure function in PyTorch."""

from __future__ import annotations

import torch


def generalised_advantages(
    reward: torch.Tensor,  # [R, n, ...]
    terminated: torch.Tensor,  # [R, n, ...] bool
    ended: torch.Tensor,  # [R, n, ...] bool, terminated or truncated
    value: torch.Tensor,  # [R, n, ...] V of what was seen before each step
    next_value: torch.Tensor,  # [R, n, ...] V of what was seen after it, before any reset; not read where terminated
    discount: float,  # gamma
    trace_decay: float,  # lambda; 1 for the return up to the last step minus V, 0 for the one-step TD error
) -> torch.Tensor:
    """The advantage of each of n steps in a row, a mixture of n-step returns minus V, [R, n, ...].

        delta_t = R_{t+1} + gamma V(S_{t+1}) - V(S_t),    A_t = delta_t + gamma lambda A_{t+1}

    where V counts as 0 after a termination, and nothing is carried over from one episode to the one before it.

    Source: Schulman et al. (2016), eq. 16.
    """
    td_error = reward + discount * next_value.masked_fill(terminated, 0.0) - value
    advantage = torch.empty_like(td_error)
    following = torch.zeros_like(td_error[:, 0])
    for step in reversed(range(td_error.shape[1])):
        following = td_error[:, step] + discount * trace_decay * following.masked_fill(ended[:, step], 0.0)
        advantage[:, step] = following
    return advantage
