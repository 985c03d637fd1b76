"""The page of reproduced results holds what the proofs recorded, in its table, its figures and its details."""

from __future__ import annotations

import math
from pathlib import Path

from tests.proofs.figures import POINTS, draw, figure_of, together
from tests.proofs.results_page import Proof, Reproduced, results_page

LABELS = {"x_label": "episode", "y_label": "return"}


def test_the_page_has_a_line_per_result_and_a_section_per_module() -> None:
    result = Reproduced("Sarsa, CliffWalking: online return", "about -25", "-27.5 [-28.7, -26.5]", "cliff")
    bare = Reproduced("UCB1: regret", "at most 9", "7")
    later = Proof("tests/proofs/test_z.py", "sarsa earns more", "passed", 8.6, [result], "Sarsa -27.5 \nas published")
    first = Proof("tests/proofs/test_a.py", "intervals have the stated coverage", "failed", 0.2, [bare], "")
    figures = [figure_of("cliff", "Cliff walking", **LABELS, curves={"Sarsa": ([1], [-27])})]
    lines = results_page([later, first], ["- date: today"], figures, "proofs").splitlines()
    assert lines[0] == "# Reproduced results"
    assert "- date: today" in lines
    row = "| Sarsa, CliffWalking: online return | about -25 | -27.5 [-28.7, -26.5] | [figure](proofs/cliff.svg) |"
    assert lines.index("| UCB1: regret | at most 9 | 7 |  |") + 1 == lines.index(row)
    assert lines[lines.index("## Figures") + 4] == "![Cliff walking](proofs/cliff.svg)"
    assert lines[lines.index("## Details") :] == [
        "## Details",
        "",
        "### tests/proofs/test_a.py",
        "",
        "**intervals have the stated coverage**: failed, 0 s",
        "",
        "### tests/proofs/test_z.py",
        "",
        "**sarsa earns more**: passed, 9 s",
        "",
        "```text",
        "Sarsa -27.5",
        "as published",
        "```",
    ]


def test_parts_of_a_figure_are_drawn_together_and_give_the_same_bytes_each_time(tmp_path: Path) -> None:
    x = range(1_000)
    parts = [
        figure_of("cliff", "Cliff walking", **LABELS, curves={"Sarsa": (x, x)}, published={"Sarsa": ([9], [-25])}),
        figure_of("cliff", "Cliff walking", **LABELS, curves={"Q-learning": (x, x)}, published={"best": (x, x)}),
        figure_of("bias", "Bias", **LABELS, curves={"one": ([1, 2, 3], [0, math.nan, 1])}),
    ]
    bias, cliff = together(parts)
    assert bias.name == "bias"
    assert list(cliff.curves) == ["Sarsa", "Q-learning"]
    xs, _ = cliff.curves["Sarsa"]
    assert (len(xs), xs[0], xs[-1]) == (POINTS, 0.0, 999.0)
    path = draw(cliff, tmp_path / "figures")
    text = path.read_text()
    for label in ("Sarsa (published)", "Q-learning", "best", "Cliff walking", "episode", "return"):
        assert f">{label}<" in text
    assert "best (published)" not in text  # no curve of ours has this label
    assert draw(cliff, tmp_path / "again").read_text() == text
    assert draw(bias, tmp_path / "figures").exists()
