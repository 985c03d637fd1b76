"""`python -m rl_envs diagnose my_agent.py:train`: the exam from the command line."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rl_envs.user_file import is_in_file, load_from_file

if TYPE_CHECKING:
    from rl_envs.diagnosis.exam import Diagnosis

EXIT_CODES = {"right": 0, "wrong": 1, "cannot_tell": 3}
BAD_INPUT = 2

# Four seeds in four worlds are the most that is trained at a time.
MOST_WORKERS = 16
# Seconds between two lines of progress where nobody watches a terminal.
PROGRESS_EVERY = 10.0


def main(typed: Sequence[str]) -> int:
    """Run the exam on a training function in a file or module.

    Args:
        typed: what was typed after `diagnose`.

    Returns:
        0 right, 1 wrong, 2 for input that cannot be used, 3 cannot tell.
    """
    from rl_envs.diagnosis.report import show

    parser = new_parser("python -m rl_envs diagnose")
    parser.add_argument("train", help="file.py:function, called as function(env_fn, steps, seed)")
    asked = parser.parse_args(list(typed))
    try:
        with contextlib.redirect_stdout(sys.stderr):  # what a file prints must not mix with the report
            train = load(asked.train)
    except (ValueError, ImportError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return BAD_INPUT
    diagnosis = examine(train, f"the training function {asked.train}", asked)
    if diagnosis is None:
        return BAD_INPUT
    if asked.json:
        print(diagnosis.to_json())
    else:
        show(diagnosis)
    return EXIT_CODES[diagnosis.verdict] if save_page({"": diagnosis}, asked.html) else BAD_INPUT


def new_parser(program: str) -> argparse.ArgumentParser:
    """A parser with the flags of an exam.

    Args:
        program: what is typed to run it.
    """
    parser = argparse.ArgumentParser(
        prog=program,
        description="Say whether an agent learns what it should, and if not, which known bug fits what it learned.",
    )
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
    """One a core, where processes can be copied safely, and no more than there are trainings at a time."""
    return min(len(os.sched_getaffinity(0)), MOST_WORKERS) if sys.platform == "linux" else 1


def _usable(workers: int) -> int:
    """One where a library is loaded whose state does not survive a copy of the process, with a word about it."""
    torch = sys.modules.get("torch")
    lost: list[str] = [name for name in ("jax", "tensorflow") if name in sys.modules]
    lost += ["CUDA"] if torch is not None and torch.cuda.is_available() else []
    if workers > 1 and lost:
        print(f"{lost[0]} cannot be used in copies of a process, so trainings run one by one", file=sys.stderr)
        return 1
    return workers


def examine(train: Any, name: str, asked: argparse.Namespace) -> Diagnosis | None:
    """Run the exam as the flags say, with its progress on standard error.

    Args:
        train: the training function.
        name: what it is called in messages.
        asked: what a parser of `new_parser` made of the flags.

    Returns:
        The diagnosis; None where it cannot be made, and then the reason was printed.
    """
    from rl_envs.diagnosis.exam import diagnose
    from rl_envs.diagnosis.training import TrainingError

    if "torch" in sys.modules:
        # On busy cores two threads of torch are many times slower than one, and sum in another order.
        sys.modules["torch"].set_num_threads(1)
    progress = ProgressLine()
    try:
        # Many libraries print while they train; standard output is for the report.
        with contextlib.redirect_stdout(sys.stderr):
            return diagnose(
                train,
                seeds=asked.seeds,
                budget=asked.budget,
                scale=asked.scale,
                observation=asked.observation,
                discount=asked.discount,
                workers=_usable(asked.workers),
                progress=progress,
            )
    except TrainingError as error:
        progress.clear()
        print(f"{error}\n\nError: {name} raised; see above.", file=sys.stderr)
    except (ValueError, TypeError) as error:
        progress.clear()
        print(f"Error: {error}", file=sys.stderr)
    finally:
        progress.clear()
    return None


def save_page(diagnoses: Mapping[str, Diagnosis], path: str | None) -> bool:
    """Write the reports as one HTML page where a path is given, and say so.

    Args:
        diagnoses: by the name of what was examined.
        path: of the page, or None.

    Returns:
        Whether all went well; otherwise the reason was printed.
    """
    from rl_envs.diagnosis.page import as_html

    if path is None:
        return True
    try:
        Path(path).write_text(as_html(diagnoses), encoding="utf-8")
    except OSError as error:
        print(f"Error: cannot write {path}: {error.strerror or error}", file=sys.stderr)
        return False
    print(f"The report is in {path}", file=sys.stderr)
    return True


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


class ProgressLine:
    """How far the exam is, on standard error: one line that is overwritten, or one each ten seconds without a terminal.

    Args:
        clock: gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said = clock()

    def __call__(self, done: int, total: int, seconds_left: float) -> None:
        """So many trainings are done, of so many that are planned."""
        line = f"{done} of {total} trainings, about {seconds_left:.0f} s left"
        if sys.stderr.isatty():
            print(f"\r{line}   ", end="", file=sys.stderr, flush=True)
        elif self._clock() - self._said >= PROGRESS_EVERY:
            self._said = self._clock()
            print(line, file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the line off a terminal."""
        if sys.stderr.isatty():
            print("\r" + " " * 60 + "\r", end="", file=sys.stderr, flush=True)
