"""`python -m rl_envs diagnose my_agent.py:train`: the exam from the command line."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

from rl_envs.user_file import is_in_file, load_from_file

EXIT_CODES = {"right": 0, "wrong": 1, "cannot_tell": 3}
BAD_INPUT = 2


def main(typed: Sequence[str]) -> int:
    """Run the exam on a training function in a file or module.

    Args:
        typed: what was typed after `diagnose`.

    Returns:
        0 right, 1 wrong, 2 for input that cannot be used, 3 cannot tell.
    """
    from rl_envs.diagnosis.exam import diagnose
    from rl_envs.diagnosis.report import show
    from rl_envs.diagnosis.training import TrainingError

    asked = _parser().parse_args(list(typed))
    try:
        train = load(asked.train)
        if "torch" in sys.modules:
            # On busy cores two threads of torch are many times slower than one, and sum in another order.
            sys.modules["torch"].set_num_threads(1)
        diagnosis = diagnose(
            train,
            seeds=asked.seeds,
            budget=asked.budget,
            scale=asked.scale,
            observation=asked.observation,
            discount=asked.discount,
            workers=asked.workers,
            progress=_show_progress,
        )
    except TrainingError as error:
        _clear_progress()
        print(f"{error}\n\nError: the training function {asked.train} raised; see above.", file=sys.stderr)
        return BAD_INPUT
    except (ValueError, TypeError, OSError, ImportError, AttributeError) as error:
        _clear_progress()
        print(f"Error: {error}", file=sys.stderr)
        return BAD_INPUT
    _clear_progress()
    if asked.html is not None:
        diagnosis.save_html(asked.html)
        print(f"The report is in {asked.html}", file=sys.stderr)
    if asked.json:
        print(diagnosis.to_json())
    else:
        show(diagnosis)
    return EXIT_CODES[diagnosis.verdict]


def load(name: str) -> Any:
    """The training function that "file.py:function" or "module:function" names.

    Raises:
        ValueError: no such file or function, a file that cannot be imported, or something that cannot be called.
        ImportError: a module that cannot be imported.
    """
    place, separator, function = name.rpartition(":")
    if not separator or not function:
        raise ValueError(f"name the function as file.py:function, but got {name!r}")
    train = load_from_file(name) if is_in_file(name) else getattr(importlib.import_module(place), function, None)
    if not callable(train):
        raise ValueError(f"{name} must be a function train(env_fn, steps, seed), but is {train!r}")
    return train


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rl_envs diagnose",
        description="Say whether an agent learns what it should, and if not, which known bug fits what it learned.",
    )
    parser.add_argument("train", help="file.py:function, called as function(env_fn, steps, seed)")
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    parser.add_argument("--html", metavar="PATH", help="write the report as one HTML page, too")
    parser.add_argument("--seeds", type=int, default=4, help="trainings in each world (%(default)s)")
    parser.add_argument("--budget", type=int, default=3_000, help="steps of a training (%(default)s)")
    parser.add_argument("--scale", type=float, default=10.0, help="the largest reward: 100, 10 or 1 (%(default)s)")
    parser.add_argument(
        "--observation", choices=("index", "one_hot"), help="Discrete or Box (Discrete, unless it is refused)"
    )
    parser.add_argument("--discount", type=float, default=0.5, help="gamma (%(default)s)")
    parser.add_argument(
        "--workers", type=int, default=_default_workers(), help="trainings side by side (%(default)s, one a core)"
    )
    return parser


def _default_workers() -> int:
    """One a core, where processes can be copied safely."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


def _show_progress(done: int, total: int, seconds_left: float) -> None:
    """One line on standard error, overwritten; on a terminal alone."""
    if sys.stderr.isatty():
        print(f"\r{done} of {total} trainings, about {seconds_left:.0f} s left   ", end="", file=sys.stderr, flush=True)


def _clear_progress() -> None:
    if sys.stderr.isatty():
        print("\r" + " " * 60 + "\r", end="", file=sys.stderr, flush=True)
