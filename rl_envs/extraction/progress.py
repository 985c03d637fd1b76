"""How far a walk is, on one line of a terminal."""

from __future__ import annotations

import sys


class Progress:
    """Prints the number of states, the rate, and how long it may take.

    Args:
        name: of the environment.
        max_states: the walk ends there at the latest.
    """

    def __init__(self, name: str, max_states: int) -> None:
        self._name = name
        self._max_states = max_states
        self._last = 0.0

    def __call__(self, found: int, done: int, seconds: float) -> None:
        """So many states were found, so many of them are done, after so many seconds."""
        finished = found == done
        if not finished and seconds - self._last < 0.5 and done > 100:
            return
        self._last = seconds
        rate = done / max(seconds, 1e-9)
        line = f"{self._name}: {done:,} of {found:,} states found so far, {rate:,.0f} states a second"
        if finished:
            line = f"{self._name}: {done:,} states in {seconds:.1f} s, {rate:,.0f} states a second"
        else:
            line += f", {(found - done) / rate:.0f} s for these, at most {self._max_states / rate:.0f} s to max_states"
        print(f"\r{line:<110}", end="\n" if finished else "", file=sys.stderr, flush=True)
