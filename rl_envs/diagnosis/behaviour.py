"""What the contexts and the log of a training tell: was anything learned, from the right things, and by trying?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rl_envs.diagnosis.probes import Probe
from rl_envs.diagnosis.training import TrainingRun

# Exploration counts as never ending while the last fifth's shares of actions are within this of equal shares.
EQUAL_SHARES = 0.12
# An action counts as never tried when it is taken in less than this share of the visits.
NEVER_TRIED = 0.002


@dataclass(frozen=True)
class Gate:
    """How the one-step world was read.

    Attributes:
        read: whether the best action is known in every context, by nearly all seeds; None where no policy is known.
        right_choices: share of contexts and seeds in which the best action is chosen.
        worst_choices: share in which the worst one is.
    """

    read: bool | None
    right_choices: float
    worst_choices: float


def gate(probe: Probe, runs: Sequence[TrainingRun]) -> Gate:
    """Read the choices in the one-step world."""
    rewards = probe.mdp.mean_reward  # [S, A], a state is what it looks like
    policies = [run.learned.policy for run in runs if run.learned.policy is not None]
    if not policies:
        # Nothing but the log: what was done in the end is what was learned, but for exploration.
        policies = [run.log.late_counts for run in runs]
    best = np.mean([np.argmax(policy, axis=1) == np.argmax(rewards, axis=1) for policy in policies])
    worst = np.mean([np.argmax(policy, axis=1) == np.argmin(rewards, axis=1) for policy in policies])
    return Gate(bool(best >= 0.9), float(best), float(worst))


def never_explores(probe: Probe, runs: Sequence[TrainingRun]) -> bool:
    """Whether, in most contexts and seeds, some action was never tried, and what was done hardly ever changed."""
    stuck = []
    for run in runs:
        visits = run.log.counts.sum(axis=1)
        untried = (run.log.counts < np.maximum(1, NEVER_TRIED * visits[:, None])).any(axis=1)
        stuck += (untried & (run.log.switches <= np.maximum(3, 0.005 * visits)))[visits > 20].tolist()
    return bool(stuck) and float(np.mean(stuck)) >= 0.6


def never_stops_exploring(probe: Probe, runs: Sequence[TrainingRun]) -> bool:
    """Whether in every seed all actions are as frequent in the end as chance would have it."""
    for run in runs:
        visits = run.log.late_counts.sum(axis=1, keepdims=True)
        if (visits < 30).any():
            return False
        shares = run.log.late_counts / visits
        if np.abs(shares - 1 / shares.shape[1]).max() > EQUAL_SHARES + 2 / np.sqrt(visits.min()):
            return False
        if np.abs(shares.mean(axis=0) - 1 / shares.shape[1]).max() > EQUAL_SHARES:
            return False
    return True
