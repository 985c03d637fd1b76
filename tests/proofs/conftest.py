"""Writes the page of reproduced results to RL_ENVS_PROOFS_PAGE, and the confusion matrix of diagnose beside it."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rl_envs
from tests.baselines.processes import no_command_outlives_its_test  # noqa: F401  (pytest finds it here)
from tests.proofs import diagnose_matrix
from tests.proofs.figures import Figure, draw, figure_of, together
from tests.proofs.results_page import Proof, Reproduced, results_page

_proofs: list[Proof] = []
_figures: list[Figure] = []
# What diagnose said in each exam.
_exams: list[diagnose_matrix.Case] = []


@pytest.fixture
def reproduced(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """`reproduced(result, published=..., ours=..., figure=name)` adds a line to the table of the page."""

    def add(result: str, *, published: str, ours: str, figure: str = "") -> None:
        record_property("reproduced", [result, published, ours, figure])

    return add


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[..., str]:
    """`figure(name, title, x_label=..., y_label=..., curves=..., published=...)` adds curves to a figure of the page.

    It returns the name. The figure is drawn after all tests, and only if the page is written.
    """

    def add(name: str, title: str, **arguments: Any) -> str:
        record_property("figure", list(figure_of(name, title, **arguments)))
        return name

    return add


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and "tests/proofs/" in report.nodeid:
        module, _, test = report.nodeid.partition("::")
        sentence = test.removeprefix("test_").replace("_", " ")
        results = [Reproduced(*value) for name, value in report.user_properties if name == "reproduced"]
        printed = report.capstdout.strip()
        _proofs.append(Proof(module, sentence, report.outcome, report.duration, results, printed))
        _figures.extend(Figure(*value) for name, value in report.user_properties if name == "figure")
        exams = [said for name, said in report.user_properties if name == "diagnose"]
        _exams.extend(diagnose_matrix.Case(**{**exam, "named": tuple(exam["named"])}) for exam in exams)


def pytest_sessionfinish(session: pytest.Session) -> None:
    page = os.environ.get("RL_ENVS_PROOFS_PAGE")
    # With several workers, each process calls this; only the controller has all reports.
    if not page or hasattr(session.config, "workerinput") or not _proofs:
        return
    header = [
        f"- date: {datetime.date.today()}",
        "- command: `make proofs`",
        f"- versions: rl-envs {rl_envs.__version__}, Python {platform.python_version()}, NumPy {np.__version__}",
    ]
    figures, folder = together(_figures), Path(page).with_suffix("")
    for one in figures:
        draw(one, folder)
    Path(page).write_text(results_page(_proofs, header, figures, folder.name))
    if _exams:
        lines = [*header[-2:], f"- exams: {len(_exams)}"]
        Path(page).with_name("diagnose-matrix.md").write_text(diagnose_matrix.page(_exams, lines))
