"""A multi-armed bandit with fixed or Gaussian rewards.

     arm     0     1     2     3     4
     mean   0.0   0.2   0.5   0.1   1.0

State: a single state.
Actions: the arm to pull; 5 by default.
Rewards: the arm's mean, with Gaussian noise of standard deviation `std`, 0 by default.
Start: the single state.
Episode end: never; the registered time limit is 1,000 pulls.
Exact solution: always pull the best arm, which by default pays 1,000 in 1,000 pulls and is worth 20 at the default
    discount of 0.95. The uniform policy has a regret of 640 in 1,000 pulls. With unit noise no consistent algorithm's
    regret grows more slowly than 10.7222 ln(T) (`rl_envs.mdp.bandit_theory`).
Source: Robbins (1952), Some aspects of the sequential design of experiments; Lai & Robbins (1985).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rl_envs.drawing.canvas import Canvas
from rl_envs.drawing.picture import Box
from rl_envs.mdp.bandit_theory import check_arms, check_std, gaps
from rl_envs.mdp.finite_mdp import FiniteMDP
from rl_envs.worlds.observation import Index, choose
from rl_envs.worlds.world import Drawing, Frame, World


def bandit(
    *,
    means: Sequence[float] = (0.0, 0.2, 0.5, 0.1, 1.0),
    std: float = 0.0,
    discount: float = 0.95,
    observation: str = "index",
) -> World:
    """Pull one of several arms, over and over.

    `info["regret"]` is the pseudo-regret of the pull: how much less the arm pays on average than the best one.

    Args:
        means: mean reward of each arm, at least one.
        std: standard deviation of the Gaussian noise on every reward; 0 for none.
        discount: gamma, in [0, 1].
        observation: "index" (Discrete(1), always 0) or "one_hot" (Box, always 1).

    Returns:
        The world.

    Raises:
        ValueError: an argument out of range; the message says which.
        TypeError: an argument of the wrong type.
    """
    arms = check_arms("means", means)
    std = check_std(std)
    return World(
        name="Bandit",
        mdp=arms_that_loop(arms[None], std=std, discount=discount),
        max_episode_steps=1000,
        observation=choose(observation, {"index": Index(1)}),
        **arms_as_actions(arms[None]),
    )


def arms_that_loop(means: np.ndarray, *, std: float, discount: float) -> FiniteMDP:
    """The table of several bandit problems; no arm changes the problem.

    Args:
        means: mean reward of each arm in each problem, [S, A]; one problem per state, all equally likely at the start.
        std: standard deviation of the Gaussian noise on every reward.
        discount: gamma, in [0, 1].

    Returns:
        The table, one outcome per state and action.
    """
    num_problems, num_arms = means.shape
    shape = (num_problems, num_arms, 1)
    return FiniteMDP(
        probability=np.ones(shape),
        next_state=np.broadcast_to(np.arange(num_problems)[:, None, None], shape),
        reward=means[:, :, None],
        terminated=np.zeros(shape, dtype=np.bool_),
        start=np.full(num_problems, 1 / num_problems),
        discount=discount,
        reward_std=np.full(shape, std) if std > 0 else None,
    )


def arms_as_actions(means: np.ndarray) -> dict[str, Any]:
    """What all bandits share: the arms' names and keys, the regret of a pull, and the drawing.

    Args:
        means: mean reward of each arm in each problem, [S, A].

    Returns:
        Arguments for `World`.
    """
    num_arms = means.shape[1]
    return {
        "action_names": tuple(f"arm {arm}" for arm in range(num_arms)),
        "action_info": {"regret": gaps(means)},
        "keys": {str(arm): arm for arm in range(min(num_arms, 10))},
        "drawing": ArmsDrawing(means),
    }


class ArmsDrawing(Drawing):
    """The arms: pulls in this episode, true mean, and mean reward so far.

    Args:
        means: mean reward of each arm in each problem, [S, A].
    """

    shows_action_values = True

    def __init__(self, means: np.ndarray) -> None:
        self._means = means  # [S, A]

    @property
    def size(self) -> tuple[int, int]:
        """Room for the bars of ten arms."""
        return 560, 250

    def text(self, frame: Frame) -> str:
        """A table of arms, pulls, true means and mean rewards so far."""
        lines = ["  arm   pulls    mean    paid"]
        for arm, mean in enumerate(self._means[frame.state]):
            mark = ">" if arm == frame.action else " "
            paid = _mean_paid(frame, arm)
            line = f"{mark} {arm:3d} {frame.action_counts[arm]:7d} {mean:+7.3f}"
            lines.append(line if paid is None else f"{line} {paid:+7.3f}")
        return "\n".join(lines)

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        """A bar for each arm's true mean, a ring at its mean reward so far, the number of pulls below."""
        means = self._means[frame.state]
        low, high = min(0.0, float(means.min())), max(0.0, float(means.max()))
        plot = Box(canvas.area.x, canvas.area.y + 40, canvas.area.width, canvas.area.height - 40 - 46)
        scale = plot.height / ((high - low) or 1.0)
        zero = plot.y + high * scale
        width = min(90.0, plot.width / len(means))
        left = plot.x + (plot.width - width * len(means)) / 2
        named = canvas.spaced(range(len(means)), width, room=34)
        for arm, mean in enumerate(means.tolist()):
            column = Box(left + arm * width, plot.y, width, plot.height)
            x = column.center[0]
            if arm == frame.action:
                canvas.box(Box(column.x, plot.y - 12, width, plot.height + 58), "floor", radius=6)
            bar = Box(column.x + width / 5, zero - max(mean, 0.0) * scale, width * 3 / 5, abs(mean) * scale)
            canvas.box(bar, canvas.action_shade(frame.state, [arm], "sky"))
            paid = _mean_paid(frame, arm)
            if paid is not None:
                y = zero - min(max(paid, low), high) * scale
                canvas.circle((x, y), min(6.0, width / 4), "agent", border="white")
            if canvas.weight(frame.state, arm) > 0:
                canvas.arrow((x, bar.y - 22), (x, bar.y - 4), "goal", 1 + 2.5 * canvas.weight(frame.state, arm))
            if arm in named:
                colour = "agent" if arm == frame.action else "ink"
                canvas.text((x, plot.bottom + 14), f"arm {arm}" if width >= 44 else str(arm), 12, colour)
                canvas.text((x, plot.bottom + 32), f"{frame.action_counts[arm]:,}", 12, "faint")
        canvas.line((left, zero), (left + width * len(means), zero), "ink", 1.5)
        self._legend(canvas)

    def _legend(self, canvas: Canvas) -> None:
        y = canvas.area.y + 8
        x = canvas.area.x
        for mark, words in (("bar", "true mean"), ("ring", "mean reward so far"), ("", "pulls below each arm")):
            if mark == "bar":
                canvas.box(Box(x, y - 6, 12, 12), "sky")
            elif mark == "ring":
                canvas.circle((x + 6, y), 6, "agent", border="white")
            x += 18 if mark else 0
            x += canvas.text((x, y), words, 11, "faint", align="left") + 18


def _mean_paid(frame: Frame, arm: int) -> float | None:
    """An arm's mean reward in this episode, or None before its first pull."""
    if frame.action_rewards is None or frame.action_counts[arm] == 0:
        return None
    return float(frame.action_rewards[arm] / frame.action_counts[arm])
