"""Semi-gradient TD: learn the value of a state from the estimated value of the next one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from baselines.agents.value_prediction import ValueAgent, ValueConfig
from baselines.learning.transition import Transition
from baselines.learning.updates import accumulating_trace, semi_gradient_step, td_target
from baselines.training.task import TaskLike
from rl_envs.mdp.finite_mdp import check_probability


@dataclass(frozen=True)
class TDValueConfig(ValueConfig):
    """Hyperparameters, beside those of all value prediction."""

    trace_decay: float = 0.0
    """lambda, in [0, 1]; 0 updates the current state alone, 1 the whole episode so far"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_probability("trace_decay", self.trace_decay)


# A network needs smaller steps: its features move as well.
NETWORK = TDValueConfig(approximation="network", step_size=0.03, step_size_half_life=20_000.0)


@final
class TDValue(ValueAgent):
    """Semi-gradient TD(lambda) for the uniform policy's value (Sutton 1988; Sutton & Barto 2018, ch. 6, 9, 12).

        delta = R + gamma v(S'; w) - v(S; w)
        z <- gamma lambda z + grad v(S; w)
        w <- w + alpha delta z

    The target R + gamma v(S') is itself an estimate: it is biased while v is wrong, and varies little, for one step's
    chance is all that is in it. The gradient is taken of v(S) and not of the target, hence "semi-gradient": it
    follows no error function downhill, and with shared weights it ends not at the least squares solution but at the
    TD fixed point (`baselines.training.exact_prediction.td_fixed_point`). With a table and lambda = 0 this is TD(0).

    Args:
        task: a task with a table, which is read for the score alone; its actions must be Discrete.
        runs: see `Agent`.
        seed: see `Agent`.
        config: a `TDValueConfig`.

    Attributes:
        function: the estimated values, with the weights of all runs.
        trace: z, [R, D] float64.

    Raises:
        TypeError: no table, actions that are not Discrete, or observations that the approximation cannot take.
        ValueError: values that are not finite or all 0, or more features than can be.

    Differences from the paper: alpha falls on a schedule, and is divided by the largest square of a row of features.
    Where a time limit cuts an episode off, the target bootstraps from the last observation. Traces accumulate.
    """

    Config = TDValueConfig
    PRESETS = {"network": NETWORK}

    def __init__(
        self, task: TaskLike, *, runs: int | range = 1, seed: int = 0, config: TDValueConfig | None = None
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        self.trace = np.zeros_like(self.function.weights)

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Move each run's weights along its trace, by the error of one step.

        Args:
            transition: one step of every run.

        Returns:
            "td_error", [R].
        """
        value, gradient = self.function.value_and_gradient(transition.observation, self._everyone)
        next_value = self.function.value(transition.next_observation, self._everyone)
        target = td_target(transition.reward, transition.terminated, next_value, self.task.discount)
        td_error = target - value
        self.trace = accumulating_trace(self.trace, gradient, self.task.discount, self.config.trace_decay)
        self.function.weights += semi_gradient_step(td_error, self.trace, self.step_size)
        # What happens in the next episode is no merit of this one's states.
        self.trace[transition.terminated | transition.truncated] = 0.0
        self.steps += 1
        return {"td_error": td_error}

    def break_off(self) -> None:
        self.trace[:] = 0.0

    def parts(self) -> dict[str, object]:
        return {**super().parts(), "trace": self.trace}
