"""A Gymnasium space as plain JSON, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces


def describe(space: spaces.Space[Any]) -> dict[str, Any]:
    """A space as nested dictionaries of plain values.

    Args:
        space: Discrete, Box, MultiDiscrete, MultiBinary, Text, or a Dict or Tuple of them.

    Returns:
        The description.

    Raises:
        TypeError: another kind of space.
    """
    if isinstance(space, spaces.Discrete):
        return {"kind": "Discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, spaces.Box):
        return {
            "kind": "Box",
            "low": _bounds(space.low),
            "high": _bounds(space.high),
            "shape": list(space.shape),
            "dtype": space.dtype.str,
        }
    if isinstance(space, spaces.MultiDiscrete):
        return {"kind": "MultiDiscrete", "nvec": np.asarray(space.nvec).tolist(), "dtype": space.dtype.str}
    if isinstance(space, spaces.MultiBinary):
        return {"kind": "MultiBinary", "n": space.n if isinstance(space.n, int) else list(space.shape)}
    if isinstance(space, spaces.Text):
        return {
            "kind": "Text",
            "min_length": space.min_length,
            "max_length": space.max_length,
            "charset": "".join(sorted(space.character_set)),
        }
    if isinstance(space, spaces.Dict):
        return {"kind": "Dict", "spaces": {name: describe(part) for name, part in space.spaces.items()}}
    if isinstance(space, spaces.Tuple):
        return {"kind": "Tuple", "spaces": [describe(part) for part in space.spaces]}
    raise TypeError(f"a space must be one that can be written down to be saved, but is {space}")


def restored(description: dict[str, Any]) -> spaces.Space[Any]:
    """The space that `describe` described; raises ValueError for anything else."""
    kind = description.get("kind")
    if kind == "Discrete":
        return spaces.Discrete(description["n"], start=description["start"])
    if kind == "Box":
        shape, dtype = tuple(description["shape"]), np.dtype(description["dtype"])
        low, high = (np.broadcast_to(np.array(description[side], dtype), shape) for side in ("low", "high"))
        return spaces.Box(low, high, shape, dtype.type)
    if kind == "MultiDiscrete":
        return spaces.MultiDiscrete(np.array(description["nvec"]), dtype=np.dtype(description["dtype"]).type)
    if kind == "MultiBinary":
        return spaces.MultiBinary(description["n"])
    if kind == "Text":
        lengths = {"min_length": description["min_length"], "max_length": description["max_length"]}
        return spaces.Text(charset=description["charset"], **lengths)
    if kind == "Dict":
        return spaces.Dict({name: restored(part) for name, part in description["spaces"].items()})
    if kind == "Tuple":
        return spaces.Tuple([restored(part) for part in description["spaces"]])
    raise ValueError(f"a saved space must be of a known kind, but is {kind!r}")


def _bounds(values: np.ndarray) -> Any:
    """Bounds as one number where all are the same."""
    return values.ravel()[0].item() if values.size and (values == values.ravel()[0]).all() else values.tolist()
