"""Calls a function with arrays in the form it takes, and reads what it gives back."""

from __future__ import annotations

import dataclasses
import importlib
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

# Names under which functions give back several things at once.
OUTPUT_NAMES = {
    "advantages": {"advantages", "advantage", "advs", "adv", "gae", "gaes", "advantage_estimates"},
    "returns": {
        "returns", "return_", "rets", "ret", "value_targets", "targets", "lambda_returns", "td_lambda", "value_target",
        "discounted_returns", "n_step_returns", "returns_to_go", "rewards_to_go", "target", "target_values",
    },
    "steps": {"steps", "step", "counts", "count", "lengths", "length", "discounts", "discount", "n"},
    "targets": {"targets", "target", "td_target", "td_targets", "q_targets", "target_q", "next_q_value", "y"},
}  # fmt: skip


@dataclass(frozen=True)
class Form:
    """How arrays are handed over.

    Attributes:
        container: "numpy" (float64), "list", or "torch" (float32).
        flags: "numbers", 0.0 and 1.0, or "bools".
        layout: "T", "TB" or "BT" for rollouts; "B" or "B1" for transitions.
    """

    container: str
    flags: str
    layout: str

    def __str__(self) -> str:
        name = {"numpy": "NumPy arrays", "list": "lists", "torch": "torch tensors"}[self.container]
        shape = {"B1": "[B, 1]"}.get(self.layout, f"[{', '.join(self.layout)}]")
        return f"{name} {shape}, flags as {'0.0 and 1.0' if self.flags == 'numbers' else 'bools'}"

    def hand_over(self, axes: str, value: Any) -> Any:
        """An array of the axes given, as the function wants it; numbers stay as they are."""
        if not isinstance(value, np.ndarray):
            return value
        array = self._arranged(axes, value)
        if array.dtype == bool and self.flags == "numbers":
            array = array.astype(np.float64)
        if self.container == "list":
            return array.tolist()
        if self.container == "torch":
            # By name: this package is built to do without, and only a user's own function brings torch in.
            torch = importlib.import_module("torch")
            dtype = torch.float32 if array.dtype == np.float64 else None
            return torch.as_tensor(array.copy(), dtype=dtype)
        return array.copy() if array.ndim else array[()]

    def _arranged(self, axes: str, array: np.ndarray) -> np.ndarray:
        if self.layout == "T":
            return array[..., 0]
        if self.layout == "BT" and axes == "TB":
            return array.T
        if self.layout == "B1" and axes == "B":
            return array[:, None]
        return array

    def take_back(self, array: np.ndarray, copies: int) -> np.ndarray:
        """What came back, with time first and copies last; [1, B] where it has no time."""
        if self.layout == "T":
            return array.reshape(-1, 1)
        if self.layout == "B1":
            return array.reshape(1, -1)
        if self.layout == "BT" and array.ndim == 2:
            return array.T
        return array.reshape(-1, copies)


def forms(layout: str, framework: str | None) -> Iterator[Form]:
    """The forms to try for a layout, the commonest first; torch only where asked for or already imported."""
    if framework in (None, "numpy"):
        yield Form("numpy", "numbers", layout)
        yield Form("numpy", "bools", layout)
        if layout in ("T", "B"):
            yield Form("list", "numbers", layout)
    if framework == "torch" or (framework is None and "torch" in sys.modules):
        yield Form("torch", "numbers", layout)
        yield Form("torch", "bools", layout)


class Failure(Exception):
    """Why what a function did could not be read as an answer.

    Args:
        kind: "raised", "nothing", "shape" or "type".
        message: what happened.
        shape: what came back, where its shape is what is wrong.
    """

    def __init__(self, kind: str, message: str, shape: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.shape = shape


def call(function: Callable[..., Any], keywords: Mapping[str, Any], positional_only: tuple[str, ...]) -> Any:
    """Call a user's function.

    Args:
        function: the function.
        keywords: what to hand over, by parameter.
        positional_only: the parameters that cannot be named, in order.

    Returns:
        What it gives.

    Raises:
        Failure: it raised.
    """
    named = {name: value for name, value in keywords.items() if name not in positional_only}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(*(keywords[name] for name in positional_only), **named)
    except Exception as error:
        raise Failure("raised", f"{type(error).__name__}: {error}") from error


def named_outputs(result: Any, part: str, other: str | None) -> list[dict[str, Any]]:
    """The ways of reading what a function gave, by the names of the parts.

    Args:
        result: what it gave: one array, a pair, a dictionary, a named tuple or a dataclass.
        part: what was asked for, as "advantages".
        other: what may come with it, as "returns".

    Returns:
        One reading, or two for a pair without names: either may come first.

    Raises:
        Failure: nothing that can be read.
    """
    if result is None:
        raise Failure("nothing", f"it returned None: let it return the {part}")
    if hasattr(result, "_asdict"):
        result = result._asdict()
    elif dataclasses.is_dataclass(result) and not isinstance(result, type):
        result = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    if isinstance(result, Mapping):
        found = {}
        for name in filter(None, (part, other)):
            keys = [key for key in result if str(key).lower().strip("_") in OUTPUT_NAMES[name]]
            if keys:
                found[name] = result[keys[0]]
        if part not in found:
            raise Failure(
                "type", f"it returned a dictionary without {part}; its keys are {', '.join(map(str, result))}"
            )
        return [found]
    if isinstance(result, tuple):
        if len(result) == 1:
            return [{part: result[0]}]
        if len(result) == 2 and other is not None:
            return [{part: result[0], other: result[1]}, {part: result[1], other: result[0]}]
        raise Failure(
            "type",
            f"it returned a tuple of {len(result)}: let it return the {part}"
            + (f", or the pair of {part} and {other}" if other else ""),
        )
    return [{part: result}]


def as_numbers(value: Any) -> np.ndarray:
    """An array of float64 from an array, a tensor, a list or a number.

    Raises:
        Failure: no numbers.
    """
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    elif isinstance(value, (list, tuple)):
        value = [item.detach().cpu().numpy() if hasattr(item, "detach") else item for item in value]
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise Failure("type", f"it returned {value!r:.80}, which is no array of numbers") from None
