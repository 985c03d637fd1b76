"""The page of reproduced results: a table of published results beside ours, then what each proof printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tests.proofs.figures import Figure

INTRODUCTION = """\
# Reproduced results

Written by `make proofs`, which trains the agents again and compares them with published results. Figures and examples
without another source are those of Sutton & Barto (2018).
"""


class Reproduced(NamedTuple):
    """A published result beside ours, each as text for a cell of the table, and the name of their figure, if any."""

    result: str
    published: str
    ours: str
    figure: str = ""


class Proof(NamedTuple):
    """One test: its module, its name as a sentence, how it ended, its time, its results and its output."""

    module: str
    sentence: str
    outcome: str
    seconds: float
    results: Sequence[Reproduced]
    printed: str


def results_page(proofs: Iterable[Proof], header: Sequence[str], figures: Sequence[Figure], folder: str) -> str:
    """The page as Markdown.

    Args:
        proofs: in any order.
        header: lines on when and how the results were made.
        figures: each once.
        folder: where their files lie, relative to the page.

    Returns:
        The table with one line per published result, the figures, then the details of every proof by module.
    """
    proofs = sorted(proofs)
    files = {figure.name: f"{folder}/{figure.name}.svg" for figure in figures}
    lines = [
        INTRODUCTION,
        *header,
        "",
        "| Result | Published | Ours, with 95% interval | Figure |",
        "|---|---|---|---|",
    ]
    for one in (one for proof in proofs for one in proof.results):
        link = f"[figure]({files[one.figure]})" if one.figure else ""
        lines.append(f"| {one.result} | {one.published} | {one.ours} | {link} |")
    if figures:
        lines += ["", "## Figures", "", "Solid lines are ours; dashed lines and circles are the published values."]
    for figure in figures:
        lines += ["", f"![{figure.title}]({files[figure.name]})"]
    lines += ["", "## Details"]
    for module in sorted({proof.module for proof in proofs}):
        lines += ["", f"### {module}"]
        for proof in proofs:
            if proof.module == module:
                lines += ["", f"**{proof.sentence}**: {proof.outcome}, {proof.seconds:.0f} s"]
                if proof.printed:
                    lines += ["", "```text", *(line.rstrip() for line in proof.printed.splitlines()), "```"]
    return "\n".join(lines) + "\n"
