"""Writes what the proofs print to a page, where `make proofs` names one, and diagnose's confusion matrix beside it."""

from __future__ import annotations

import datetime
import os
import platform
from pathlib import Path

import numpy as np
import pytest

import rl_envs
from tests.baselines.processes import no_command_outlives_its_test  # noqa: F401  (pytest finds it here)
from tests.proofs import diagnose_matrix

# (module, sentence, outcome, seconds, what was printed)
_proofs: list[tuple[str, str, str, float, str]] = []
# What diagnose said in each exam.
_exams: list[diagnose_matrix.Case] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and "tests/proofs/" in report.nodeid:
        module, _, test = report.nodeid.partition("::")
        sentence = test.removeprefix("test_").replace("_", " ")
        _proofs.append((module, sentence, report.outcome, report.duration, report.capstdout.strip()))
        exams = [told for name, told in report.user_properties if name == "diagnose"]
        _exams.extend(diagnose_matrix.Case(**{**exam, "named": tuple(exam["named"])}) for exam in exams)


def pytest_sessionfinish(session: pytest.Session) -> None:
    page = os.environ.get("RL_ENVS_PROOFS_PAGE")
    # With several workers each process comes by here; only the one that leads them has all reports.
    if not page or hasattr(session.config, "workerinput") or not _proofs:
        return
    lines = [
        "# Proofs",
        "",
        "What `make proofs` printed last: each published result, and ours with its 95% interval.",
        "",
        f"- date: {datetime.date.today()}",
        "- command: `make proofs`",
        f"- versions: rl-envs {rl_envs.__version__}, Python {platform.python_version()}, NumPy {np.__version__}",
    ]
    for module in sorted({proof[0] for proof in _proofs}):
        lines += ["", f"## {module}"]
        for _, sentence, outcome, seconds, printed in sorted(p for p in _proofs if p[0] == module):
            lines += ["", f"**{sentence}**: {outcome}, {seconds:.0f} s"]
            if printed:
                lines += ["", "```text", *(line.rstrip() for line in printed.splitlines()), "```"]
    with open(page, "w") as file:
        file.write("\n".join(lines) + "\n")
    if _exams:
        header = [*lines[4:7], f"- exams: {len(_exams)}"]
        Path(page).with_name("diagnose-matrix.md").write_text(diagnose_matrix.page(_exams, header))
