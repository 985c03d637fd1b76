"""The page of reproduced results: a table of published results beside ours, then what each proof printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

INTRODUCTION = """\
# Reproduced results

Written by `make proofs`, which trains the agents again and compares them with published results. Figures and examples
without another source are those of Sutton & Barto (2018).
"""


class Reproduced(NamedTuple):
    """A published result beside ours, each as text for a cell of the table."""

    result: str
    published: str
    ours: str


class Proof(NamedTuple):
    """One test: its module, its name as a sentence, how it ended, its time, its results and its output."""

    module: str
    sentence: str
    outcome: str
    seconds: float
    results: Sequence[Reproduced]
    printed: str


def results_page(proofs: Iterable[Proof], header: Sequence[str]) -> str:
    """The page as Markdown.

    Args:
        proofs: in any order.
        header: lines on when and how the results were made.

    Returns:
        The table with one line per published result, then the details of every proof by module.
    """
    proofs = sorted(proofs)
    lines = [INTRODUCTION, *header, "", "| Result | Published | Ours, with 95% interval |", "|---|---|---|"]
    lines += [f"| {' | '.join(one)} |" for proof in proofs for one in proof.results]
    lines += ["", "## Details"]
    for module in sorted({proof.module for proof in proofs}):
        lines += ["", f"### {module}"]
        for proof in proofs:
            if proof.module == module:
                lines += ["", f"**{proof.sentence}**: {proof.outcome}, {proof.seconds:.0f} s"]
                if proof.printed:
                    lines += ["", "```text", *(line.rstrip() for line in proof.printed.splitlines()), "```"]
    return "\n".join(lines) + "\n"
