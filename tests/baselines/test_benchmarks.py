"""The benchmark of the comparison, on few cells: what it measures must go on existing."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from baselines.comparison.results import read_results
from baselines.report.contents import Contents
from baselines.report.writing import write_report


def test_the_folder_whose_report_is_timed_is_one_that_can_be_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(__file__).parents[2] / "benchmarks" / "comparison.py"
    spec = importlib.util.spec_from_file_location("benchmark_of_the_comparison", path)
    assert spec is not None
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    monkeypatch.setattr(benchmark, "MANY_WORLDS", 2)
    monkeypatch.setattr(benchmark, "MANY_AGENTS", 4)
    benchmark.many_cells(tmp_path)
    results = read_results(tmp_path)
    assert [row.world for row in results.rows] == ["LineWalk:size=11"] * 4 + ["FourRooms:noise=0.01"] * 4
    assert (tmp_path / "report.html") in write_report(Contents(results), tmp_path)
