"""What the contexts and the log of a training tell: was anything learned, from the right things, and by trying?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rl_envs.diagnosis.probes import Probe
from rl_envs.diagnosis.training import TrainingRun

# Exploration counts as never ending while the last fifth's shares of actions are within this of equal shares.
EQUAL_SHARES = 0.05
# A learner has tried an action once it took it in more than this share of the visits.
TRIED = 0.002
# Values that are flat say that actions are not told apart only where each was taken in more than this share of visits.
OFTEN = 0.02
# Actions come in rows where there are fewer switches than this for each of the rarer ones.
IN_ROWS = 0.5


@dataclass(frozen=True)
class Gate:
    """How the one-step world was read.

    Attributes:
        read: whether the best action is known in every context, by nearly all seeds.
        right_choices: share of contexts and seeds in which the best action is chosen.
        worst_choices: share in which the worst one is.
    """

    read: bool
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


def holds_values(probe: Probe, runs: Sequence[TrainingRun]) -> bool:
    """Whether the numbers given back are values: said by the object, or to be seen in the one-step world.

    A bare network with one output an action may be a policy's as well, whose outputs are preferences.
    """
    if all(run.learned.certain or run.learned.q is None for run in runs):
        return True
    q = np.mean([run.learned.q for run in runs if run.learned.q is not None], axis=0)
    rewards = probe.mdp.mean_reward
    return bool(np.abs(q - rewards).mean() < 0.5 * np.abs(rewards).mean())


def misread_contexts(probe: Probe, runs: Sequence[TrainingRun]) -> tuple[tuple[str, ...], str] | None:
    """What is wrong with the one-step world's action values or choices, where a known bug explains it.

    Returns:
        The keys that explain it and what was seen, or None.
    """
    rewards = probe.mdp.mean_reward  # [S, A]
    tables = [run.learned.q for run in runs if run.learned.q is not None and run.learned.certain]
    if len(tables) == len(runs):
        q = np.mean(tables, axis=0)
        between = q - q.mean(axis=1, keepdims=True)
        should = rewards - rewards.mean(axis=1, keepdims=True)
        slope = float((between * should).sum() / (should**2).sum())
        if slope < -0.5:
            return ("wrong_sign",), "the better an action is, the less it is thought to be worth"
        action = (("action_shifted",), "the values are those of another action")
        situation = (("stale_observation",), "the values are those of another situation, one step away")
        for name, axis in ((action, 1), (situation, 0)):
            for shift in (1, 2):
                other = np.roll(should, shift, axis)
                if ((between - other) ** 2).mean() < 0.02 * (other**2).mean() and slope < 0.5:
                    return name
        # Rows that are flat at the level of what is earned: actions have nothing to do with what they are paid.
        earned = np.mean([_earned(run, rewards) for run in runs], axis=0)  # [S]
        flat = np.abs(between).mean() < 0.35 * np.abs(should).mean()
        level = np.abs(q.mean(axis=1) - earned).max() < 0.2 * np.abs(rewards).max()
        apart = np.ptp(q.mean(axis=1)) > 0.5 * np.ptp(earned)
        # What optimism drives down comes to rest at the best action's value, too, but the others are rarely taken.
        often = all((run.log.counts > OFTEN * run.log.counts.sum(axis=1, keepdims=True)).all() for run in runs)
        if often and flat and level and apart and np.ptp(earned) > 0.05 * np.abs(rewards).max():
            return ("action_shifted",), "in every situation all actions are thought to be worth what is earned there"
    policies = [np.argmax(run.learned.policy, axis=1) for run in runs if run.learned.policy is not None]
    for shift in (1, 2):
        of_another = np.roll(np.argmax(rewards, axis=1), shift)
        if len(policies) == len(runs) and np.mean([policy == of_another for policy in policies]) >= 0.9:
            return ("stale_observation",), "in each situation the action is chosen that is best in another one"
    one = gate(probe, runs)
    if one.worst_choices >= 0.9:
        return ("wrong_sign",), "in nearly all situations the worst action is chosen"
    same = [(policy == policy[0]).all() for policy in policies]
    if len(policies) == len(runs) and all(same) and np.mean([_became_sure_of_one(run) for run in runs]) >= 0.75:
        return (
            ("action_shifted", "observation_ignored"),
            "each training came to take one and the same action in every situation, whatever it is paid there",
        )
    return None


def _became_sure_of_one(run: TrainingRun) -> bool:
    """Whether in the end one action is taken nearly always, by a learner that had taken the others about as often.

    A network that learns nothing may prefer one action everywhere as well, but it does so from the beginning.
    """
    late = run.log.late_counts.sum(axis=0)
    early = run.log.early_counts.sum(axis=0)
    tried = run.log.counts.sum(axis=0) > TRIED * run.log.counts.sum()
    settled = late.max() > 0.85 * late.sum()
    return bool(settled and early.max() < 0.7 * early.sum() and tried.all())


def _earned(run: TrainingRun, rewards: np.ndarray) -> np.ndarray:
    """The mean reward of each situation in the last fifth of the training, [S]."""
    counts = run.log.late_counts
    return (counts * rewards).sum(axis=1) / np.maximum(1, counts.sum(axis=1))


def never_explores(runs: Sequence[TrainingRun]) -> str | None:
    """Whether, in most contexts and seeds, nothing is tried by chance.

    Either some action was never tried and what was done hardly ever changed; or the rarer actions come in long rows, as
    they do where a policy is followed without chance and only an update changes it.

    Returns:
        What was seen, or None.
    """
    stuck, in_rows = [], []
    for run in runs:
        visits = run.log.counts.sum(axis=1)
        untried = (run.log.counts == 0).any(axis=1)
        stuck += (untried & (run.log.switches <= np.maximum(3, 0.005 * visits)))[visits > 20].tolist()
        rarer = visits - run.log.counts.max(axis=1)
        # By chance alone the rarer actions stand mostly alone: two switches for each, one where all are as frequent.
        in_rows += (run.log.switches < IN_ROWS * rarer)[rarer > 10].tolist()
    if stuck and float(np.mean(stuck)) >= 0.6:
        return "in most situations some action was never tried"
    if len(in_rows) >= 2 * len(runs) and float(np.mean(in_rows)) >= 0.9:
        return "actions changed when the policy was updated and never by chance between two updates"
    return None


def never_stops_exploring(runs: Sequence[TrainingRun]) -> bool:
    """Whether in the end, over all seeds, every action in every context is as frequent as chance would have it."""
    late = np.sum([run.log.late_counts for run in runs], axis=0)
    visits = late.sum(axis=1, keepdims=True)
    if (visits < 100).any():
        return False
    even = 1 / late.shape[1]
    # Three standard errors of a share that chance alone makes.
    return bool((np.abs(late / visits - even) < EQUAL_SHARES + 3 * np.sqrt(even * (1 - even) / visits)).all())


def never_takes_the_loud(runs: Sequence[TrainingRun]) -> bool:
    """Whether every seed takes the small sure reward in both situations of Loud, where a policy was given back."""
    policies = [np.argmax(run.learned.policy, axis=1) for run in runs if run.learned.policy is not None]
    return len(policies) == len(runs) and all((policy == np.arange(2)).all() for policy in policies)


def values_its_exploration(probe: Probe, runs: Sequence[TrainingRun]) -> dict[str, float] | None:
    """Whether what is expected at the start of Detour is what exploring earns, and not what the best policy does.

    Returns:
        The value that was learned, the best policy's and the exploring one's; None where it is not the latter's, or
        where too little is explored to tell.
    """
    if any(run.learned.q is None for run in runs):
        return None
    scale = float(probe.mdp.reward.max())
    late = np.sum([run.log.late_counts[1] for run in runs], axis=0)
    if late.sum() == 0:
        return None
    best = probe.mdp.discount * scale
    explored = best * float(late[0] / late.sum())
    starts = [float(np.mean(run.learned.q[0])) for run in runs if run.learned.q is not None]
    learned = float(np.mean(starts))
    noise = 0.02 * best + float(np.std(starts, ddof=1)) / np.sqrt(len(starts))
    if best - explored < 3 * noise or abs(learned - explored) > abs(learned - best) / 3:
        return None
    return {"learned": learned, "best": best, "exploring": explored}
