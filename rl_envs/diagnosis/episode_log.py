"""What the copies of a probe world saw during one training, put together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rl_envs.diagnosis.watched_env import CopyLog

# The parts of a training that count as its beginning and its end, for the shares of actions.
EARLY, LATE = 0.05, 0.2


@dataclass(frozen=True)
class EpisodeLog:
    """The log of one training.

    Attributes:
        steps: environment steps of all copies.
        resets: resets of all copies.
        copies: how many copies were made.
        steps_after_end: steps taken after an end and before a reset.
        changed_observations: observations that the caller changed.
        seeds: seeds given to reset.
        counts: how often each action was taken at each observation, [N, A].
        early_counts: the same in the first twentieth of the training, [N, A].
        late_counts: the same in the last fifth of the training, [N, A].
        switches: how often, from one visit of an observation to the next, another action was taken, [N].
        digest: stands for every observation and action in their order; equal logs have equal digests.
    """

    steps: int
    resets: int
    copies: int
    steps_after_end: int
    changed_observations: int
    seeds: tuple[int, ...]
    counts: np.ndarray  # [N, A] int64
    early_counts: np.ndarray  # [N, A] int64
    late_counts: np.ndarray  # [N, A] int64
    switches: np.ndarray  # [N] int64
    digest: str

    @classmethod
    def of(cls, logs: Sequence[CopyLog], num_observations: int, num_actions: int) -> EpisodeLog:
        """Put the logs of all copies together."""
        counts = np.zeros((num_observations, num_actions), dtype=np.int64)
        early_counts, late_counts = np.zeros_like(counts), np.zeros_like(counts)
        switches = np.zeros(num_observations, dtype=np.int64)
        digest = hashlib.sha256()
        for log in logs:
            labels, actions = np.array(log.labels, dtype=np.int64), np.array(log.actions, dtype=np.int64)
            np.add.at(counts, (labels, actions), 1)
            early = int(EARLY * len(labels))
            np.add.at(early_counts, (labels[:early], actions[:early]), 1)
            late = int((1 - LATE) * len(labels))
            np.add.at(late_counts, (labels[late:], actions[late:]), 1)
            for label in range(num_observations):
                switches[label] += np.count_nonzero(np.diff(actions[labels == label]))
            digest.update(labels.tobytes() + actions.tobytes())
        return cls(
            steps=sum(len(log.labels) for log in logs),
            resets=sum(log.resets for log in logs),
            copies=len(logs),
            steps_after_end=sum(log.steps_after_end for log in logs),
            changed_observations=sum(log.changed_observations for log in logs),
            seeds=tuple(seed for log in logs for seed in log.seeds),
            counts=counts,
            early_counts=early_counts,
            late_counts=late_counts,
            switches=switches,
            digest=digest.hexdigest(),
        )
