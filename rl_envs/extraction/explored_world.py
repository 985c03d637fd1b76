"""A world that was found by walking an environment, and the account of how."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rl_envs.extraction.replay import Proof
from rl_envs.mdp.finite_mdp import FiniteMDP
from rl_envs.mdp.solve import solve
from rl_envs.worlds.world import World


@dataclass(frozen=True)
class Account:
    """How a world was found.

    Attributes:
        environment: the id or the class of the environment.
        states: how many states an episode can go on in; the world's further states only stand for its end.
        steps: how many of its steps were run.
        seconds: how long the walk took.
        left_out: the largest mass of chance that was left out of any step or the start, because each branch of it was
            less likely than `skip_below`.
        clock: name of the attribute that counts an episode's steps, if one was found and held still.
        clock_limit: the number of steps after which it ends the episode, or None.
        clock_terminates: whether it then says `terminated`.
        ignored: names of attributes that decide nothing, and are no part of the state.
        proof: how the real environment's steps fared in the table, or None where it was not asked for.
    """

    environment: str
    states: int
    steps: int
    seconds: float
    left_out: float
    clock: str | None
    clock_limit: int | None
    clock_terminates: bool
    ignored: tuple[str, ...]
    proof: Proof | None


@dataclass(frozen=True, eq=False, kw_only=True)
class ExploredWorld(World):
    """A world that was found by walking an environment.

    Args:
        account: how it was found.
        left_out: the mass of chance left out of each pair, [S, A], or None where none was.
        start_left_out: the mass left out of the start.
    """

    account: Account
    left_out: np.ndarray | None = None  # [S, A]
    start_left_out: float = 0.0

    def optimum_interval(self) -> tuple[float, float]:
        """Between which numbers the optimal value lies, whatever happens in the branches of chance that were left out.

        Rewards there are taken to lie between the smallest and the largest seen, and an episode to last no longer than
        the time limit where the discount is 1.

        Returns:
            The lower and the upper bound.
        """
        mdp = self.mdp
        if self.left_out is None and not self.start_left_out:
            solution = solve(mdp)
            possible = mdp.start > 0
            value = float(solution.v_star[possible] @ mdp.start[possible])
            bound = float(solution.certificate.bound)
            return value - bound, value + bound
        return self._bound(-1), self._bound(1)

    def _bound(self, side: int) -> float:
        """The optimum where all that was left out is as bad (-1) or as good (1) as it may be."""
        mdp = self.mdp
        left_out = np.zeros(mdp.probability.shape[:2]) if self.left_out is None else self.left_out
        rewards = mdp.reward[mdp.probability > 0]
        extreme = float(min(rewards.min(), 0.0) if side < 0 else max(rewards.max(), 0.0))
        steps = 1 / (1 - mdp.discount) if mdp.discount < 1 else self.max_episode_steps
        if steps is None:
            return side * np.inf if extreme else 0.0
        worth = extreme * steps
        widened = _with_end(mdp, left_out, worth)
        solution = solve(widened)
        possible = mdp.start > 0
        value = float(solution.v_star[possible] @ mdp.start[possible])
        return (
            (1 - self.start_left_out) * value + self.start_left_out * worth + side * float(solution.certificate.bound)
        )


def _with_end(mdp: FiniteMDP, left_out: np.ndarray, worth: float) -> FiniteMDP:
    """The table in which the mass left out ends the episode with a reward."""
    pad = ((0, 0), (0, 0), (0, 1))
    probability = np.pad(mdp.probability * (1 - left_out)[:, :, None], pad)
    probability[:, :, -1] = left_out
    reward, terminated = np.pad(mdp.reward, pad), np.pad(mdp.terminated, pad)
    reward[:, :, -1], terminated[:, :, -1] = worth, True
    return replace(
        mdp,
        probability=probability,
        reward=reward,
        terminated=terminated,
        next_state=np.pad(mdp.next_state, pad),
        reward_std=None,
    )
