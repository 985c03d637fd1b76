"""Reads what was learned from whatever a training function gives back.

Found by type and by the names of methods; torch and Stable-Baselines3 are never imported here: a user's object that is
theirs brings them along.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rl_envs.diagnosis.operators import Family


@dataclass(frozen=True)
class Learned:
    """What a training function gave back, as numbers.

    Attributes:
        source: what it was read from, in words.
        values: the value of each observation, [N], or None.
        q: the value of each action at each observation, [N, A], or None.
        policy: the probability of each action at each observation, [N, A], or None.
        family: how the learner forms its targets, where the object says so.
        target_interval: environment steps between two updates of the target network, where the object says so.
        certain: whether q is known to hold values; a bare network's outputs may be preferences.
    """

    source: str
    values: np.ndarray | None = None
    q: np.ndarray | None = None
    policy: np.ndarray | None = None
    family: Family | None = None
    target_interval: int | None = None
    certain: bool = True

    @property
    def depth(self) -> str:
        """How deep the exam can look: "values", "policy" or "training only"."""
        if self.values is not None or self.q is not None:
            return "values"
        return "training only" if self.policy is None else "policy"


def read(given: Any, observations: np.ndarray, num_actions: int) -> Learned:
    """What an object has learned about every observation.

    Args:
        given: what the training function gave back.
        observations: every observation there is, [N] int or [N, N] float32.
        num_actions: A.

    Returns:
        The numbers; with none of them where nothing was given back.

    Raises:
        TypeError: an object that cannot be asked.
        ValueError: answers of the wrong shape.
    """
    if given is None:
        return Learned("nothing was given back")
    if isinstance(given, tuple) and len(given) > 0 and not isinstance(given[0], (int, float, list)):
        given = given[0]
    asks = _Asking(observations, num_actions)
    if type(given).__module__.startswith(("stable_baselines3", "sb3_contrib")) or (
        hasattr(given, "predict") and hasattr(given, "policy") and hasattr(given.policy, "obs_to_tensor")
    ):
        return asks.stable_baselines3(given)
    if _is_torch_module(given) and not (hasattr(given, "q_values") or hasattr(given, "value")):
        return asks.torch_module(given)
    if isinstance(given, (np.ndarray, list)) or _is_tensor(given):
        return asks.array(_numpy(given))
    if isinstance(given, Mapping):
        return asks.array(asks.rows(given))
    if hasattr(given, "q_values") or hasattr(given, "value") or hasattr(given, "predict"):
        return asks.methods(given)
    if hasattr(given, "num_runs") and hasattr(given, "policy"):
        return asks.population(given)
    if callable(given):
        return asks.function(given)
    raise TypeError(
        "a training function must give back an object with value(observations), q_values(observations) or "
        "predict(observations), a function of observations, an array, a network or None, "
        f"but gave {type(given).__module__}.{type(given).__name__}"
    )


class _Asking:
    """The questions, one method for each kind of object."""

    def __init__(self, observations: np.ndarray, num_actions: int) -> None:
        self.observations = observations
        self.n = len(observations)
        self.num_actions = num_actions

    def array(self, array: np.ndarray) -> Learned:
        if array.ndim == 3 and len(array) == 1:
            array = array[0]
        if array.shape == (self.n, self.num_actions) and array.dtype.kind in "fiu":
            return self._table(array, "an array")
        if array.shape == (self.n,) and array.dtype.kind in "iu":
            return Learned("an array of actions", policy=self._one_hot(array))
        if array.shape == (self.n,) and array.dtype.kind == "f":
            return Learned("an array of values", values=array.astype(np.float64))
        raise ValueError(
            f"an array must hold actions or values [{self.n}] or values or probabilities "
            f"[{self.n}, {self.num_actions}], but has shape {array.shape} and dtype {array.dtype}"
        )

    def function(self, function: Callable[[np.ndarray], Any]) -> Learned:
        answer = self._ask(function)
        if isinstance(answer, tuple):
            answer = answer[0]
        answer = _numpy(answer)
        if answer.shape == (self.n, 1):
            answer = answer[:, 0]
        return self.array(answer)

    def rows(self, table: Mapping[Any, Any]) -> np.ndarray:
        """The rows of a dictionary from an observation, as a number or a tuple of numbers, to its values."""
        keys = [i if self.observations.ndim == 1 else tuple(self.observations[i].tolist()) for i in range(self.n)]
        # What was never seen is not in it, or is made by a defaultdict.
        found = [table[key] if key in table or hasattr(table, "default_factory") else None for key in keys]
        empty = np.zeros(self.num_actions)
        return np.stack([empty if row is None else np.asarray(row, dtype=np.float64) for row in found])

    def methods(self, given: Any) -> Learned:
        values = q = policy = None
        if callable(table := getattr(given, "q_values", None)) and not isinstance(table, Mapping):
            q = self._shaped("q_values", self._ask(table), (self.n, self.num_actions))
        elif table is not None:
            table = self.rows(table) if isinstance(table, Mapping) else table
            q = self._shaped("q_values", table, (self.n, self.num_actions))
        if callable(getattr(given, "value", None)):
            values = self._shaped("value", self._ask(given.value), (self.n,))
        if callable(getattr(given, "predict", None)):
            answer = self._ask(given.predict)
            answer = _numpy(answer[0] if isinstance(answer, tuple) else answer)
            policy = self._one_hot(answer.reshape(-1).astype(np.int64)) if answer.size == self.n else None
        elif callable(given) and not _is_torch_module(given):
            policy = self.function(given).policy
        if policy is None and q is not None:
            policy = self._greedy(q)
        name = type(given).__name__
        if values is None and q is None and policy is None:
            return self.function(given)
        return Learned(f"an object of class {name}", values=values, q=q, policy=policy)

    def population(self, given: Any) -> Learned:
        q = getattr(given, "q", None)
        policy = np.asarray(given.policy())[0]
        if isinstance(q, np.ndarray) and q.shape[1:] == (self.n, self.num_actions):
            return Learned(f"a population of {type(given).__name__}", q=q[0], policy=policy)
        return Learned(f"a population of {type(given).__name__}", policy=policy)

    def stable_baselines3(self, model: Any) -> Learned:
        torch = sys.modules["torch"]
        name = type(model).__name__
        with torch.no_grad():
            seen, _ = model.policy.obs_to_tensor(self.observations)
            if hasattr(model.policy, "q_net"):
                q = _numpy(model.policy.q_net(seen))
                if q.ndim == 3:  # quantiles [n, quantiles, A]
                    q = q.mean(axis=1)
                interval = getattr(model, "target_update_interval", None)
                family = Family("n_step", model.n_steps) if getattr(model, "n_steps", 1) > 1 else Family("one_step")
                return Learned(
                    f"a Stable-Baselines3 {name}", q=q, policy=self._greedy(q), family=family, target_interval=interval
                )
            if hasattr(model.policy, "predict_values"):
                values = _numpy(model.policy.predict_values(seen)).reshape(-1)
                policy = _numpy(model.policy.get_distribution(seen).distribution.probs)
                family = Family("rollout", int(model.n_steps), float(model.gae_lambda))
                return Learned(f"a Stable-Baselines3 {name}", values=values, policy=policy, family=family)
        return self.methods(model)

    def torch_module(self, module: Any) -> Learned:
        torch = sys.modules["torch"]
        # One-hot first: a network for rows of features may take a row of numbers for one observation.
        one_hot = [np.eye(self.n, dtype=np.float32)] if self.observations.ndim == 1 else []
        parameter = next(iter(module.parameters()), None)
        device = None if parameter is None else parameter.device
        error: Exception | None = None
        was_training = module.training
        module.eval()
        try:
            for form in [*one_hot, self.observations]:
                try:
                    with torch.no_grad():
                        answer = module(torch.as_tensor(form, device=device))
                    first = answer[0] if isinstance(answer, tuple) else answer
                    if first.ndim in (1, 2) and len(first) == self.n:
                        break
                    error = ValueError(f"an answer of shape {tuple(first.shape)} to {self.n} observations")
                except (RuntimeError, TypeError, IndexError, AttributeError, ValueError) as caught:
                    error = caught
            else:
                raise TypeError(
                    f"a network must take a batch of observations {self.observations.shape}, but "
                    f"{type(module).__name__} says: {error}"
                )
        finally:
            module.train(was_training)
        name = type(module).__name__
        parts = [_numpy(part) for part in (answer if isinstance(answer, tuple) else (answer,)) if _is_tensor(part)]
        values = next((part.reshape(-1) for part in parts if part.size == self.n), None)
        q = next((part for part in parts if part.shape == (self.n, self.num_actions)), None)
        if values is not None:  # an actor and its critic
            policy = None if q is None else self._greedy(q)
            return Learned(f"the network {name}", values=values, policy=policy)
        if q is None:
            raise ValueError(
                f"a network must answer with [{self.n}, {self.num_actions}] or [{self.n}] numbers, but "
                f"{name} answers with {[part.shape for part in parts]}"
            )
        return Learned(f"the network {name}", q=q, policy=self._greedy(q), certain=False)

    def _table(self, table: np.ndarray, source: str) -> Learned:
        table = table.astype(np.float64)
        if (table >= 0).all() and np.allclose(table.sum(axis=1), 1, atol=1e-5):
            return Learned(f"{source} of probabilities", policy=table)
        return Learned(f"{source} of action values", q=table, policy=self._greedy(table))

    def _ask(self, function: Callable[..., Any]) -> Any:
        """Ask about all observations at once, or one by one where that is not understood."""
        try:
            answer = function(self.observations)
            first = answer[0] if isinstance(answer, tuple) and len(answer) else answer
            if len(_numpy(first).reshape(-1)) in (self.n, self.n * self.num_actions):
                return answer
        except (TypeError, ValueError, IndexError, RuntimeError, KeyError, AttributeError):
            pass  # asked one by one below, where an error of the function's own is raised as it is
        one_by_one = [function(self._single(i)) for i in range(self.n)]
        if isinstance(one_by_one[0], tuple):
            one_by_one = [answer[0] for answer in one_by_one]
        return np.stack([_numpy(answer).squeeze() for answer in one_by_one])

    def _single(self, i: int) -> Any:
        return int(self.observations[i]) if self.observations.ndim == 1 else self.observations[i]

    def _shaped(self, name: str, answer: Any, shape: tuple[int, ...]) -> np.ndarray:
        array = _numpy(answer).astype(np.float64)
        if array.size != np.prod(shape):
            raise ValueError(f"{name}(observations) must answer with shape {shape}, but answers with {array.shape}")
        return array.reshape(shape)

    def _greedy(self, q: np.ndarray) -> np.ndarray:
        return self._one_hot(np.argmax(q, axis=1))

    def _one_hot(self, actions: np.ndarray) -> np.ndarray:
        if ((actions < 0) | (actions >= self.num_actions)).any():
            raise ValueError(f"actions must be in 0..{self.num_actions - 1}, but are {actions.tolist()}")
        return np.eye(self.num_actions)[actions]


def _is_torch_module(given: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(given, torch.nn.Module)


def _is_tensor(given: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(given, torch.Tensor)


def _numpy(answer: Any) -> np.ndarray:
    if _is_tensor(answer):
        return answer.detach().cpu().numpy()
    return np.asarray(answer)
