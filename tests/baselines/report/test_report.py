"""The table, the file of numbers and the picture."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from rich.console import Console

from baselines.comparison.decimals import decimals
from baselines.comparison.rows import Row
from baselines.comparison.statistics import mean_interval
from baselines.comparison.summary import MARGIN, MINIMUM_RUNS, summarise
from baselines.report.console_table import BREAKS, MORE_BREAKS, folded
from baselines.report.pictures import COLOURS, draw_learning_curves
from baselines.report.spreadsheet import write_csv
from baselines.report.terminal import explanation, terminal_table
from baselines.report.wording import COVERAGE, FEW, few_runs_text, interval_text
from baselines.training.specification import WorldSpecification
from rl_envs.specification import Specification
from tests.baselines.interval_cases import FEW_RUNS, Case, coverage, standard_error

on = WorldSpecification.read

STEPS = np.array([0, 50, 100])

# Of the columns of numbers.
HEADS = ("runs", "score, 95% interval", "worst tenth", "solve rate", "steps to 95%", "steps/s", "time")


def rows(worlds: tuple[str, ...] = ("LineWalk", "Bandit"), runs: int = 10) -> list[Row]:
    curve = np.linspace(0, 1, 3)[:, None] * np.ones(runs)
    curves = {"Random": 0 * curve, "Optimal": 0 * curve + 1, "QLearning": curve, "SB3DQN": curve**2 - 0.001}
    return [
        Row(on(world), Specification.parse(agent), STEPS, scores, True, 2.0)
        for world in worlds
        for agent, scores in curves.items()
    ]


def printed(all_rows: list[Row], width: int = 150) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(terminal_table([summarise(row) for row in all_rows]))
    return console.file.getvalue()


def test_the_table_has_a_line_a_world_and_agent_with_every_number() -> None:
    lines = [line for line in printed(rows()).splitlines() if "QLearning" in line]
    assert len(lines) == 2
    cells = [cell.strip() for cell in lines[0].split("│")[1:-1]]
    assert cells == [
        "",
        "QLearning",
        "10",
        "1.000 [1.000, 1.000]",
        "1.000",
        "100% [72%, 100%]",
        "100",
        "500",
        "2.0 s",
    ]
    assert "not reached" in printed(rows())


LONG = ["QLearning:epsilon=0.05,final_epsilon=0.01,step_size=0.25", "QLearning:epsilon=0.15,step_size=0.25"]


def column(text: str, number: int) -> str:
    """What stands in a column of a printed table, its lines put together."""
    lines = [line.split("│") for line in text.splitlines() if line.startswith("│")]
    return "".join(cells[number].strip() for cells in lines)


@pytest.mark.parametrize("width", [60, 80, 100, 120, 140, 200])
def test_however_narrow_the_terminal_no_name_is_cut_short_and_no_number_broken(width: int) -> None:
    spread = np.linspace(0, 1, 3)[:, None] * np.linspace(0.7, 0.9, 10)
    text = printed(
        [
            Row(on("LineWalk:size=21,slip=0.125"), Specification.parse(agent), STEPS, spread, True, 2.0)
            for agent in LONG
        ],
        width,
    )
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    assert column(text, 2) == "".join(LONG)
    assert column(text, 1) == "LineWalk:size=21,slip=0.125"
    interval = interval_text(mean_interval(spread[-1]))
    shown = [heading for heading in HEADS if heading in text.partition("No room for")[0]]
    assert text.count(interval) == 2 * (HEADS[1] in shown)
    assert text.count("0% [0%, 28%]") == 2 * (HEADS[3] in shown)
    told = " ".join(text.partition("No room for: ")[2].partition("\nscore: ")[0].split())
    assert ", ".join([*shown, *filter(None, [told])]) == ", ".join(HEADS)
    assert len(shown) >= {60: 2, 80: 3, 100: 4, 120: 5, 140: 7, 200: 7}[width]


def test_square_brackets_in_a_name_are_no_markup() -> None:
    assert "mine[bold]x[/bold][/]" in printed(
        [Row(on("LineWalk"), Specification.parse("mine[bold]x[/bold][/]"), STEPS, np.ones((3, 2)), True, 1.0)]
    )


def test_a_single_run_has_no_interval_and_sampled_scores_say_so() -> None:
    sampled = Row(
        WorldSpecification.read("CartPole-v1"),
        Specification.parse("Random"),
        STEPS,
        np.full((3, 2), 20.0) + np.arange(2),
        False,
        1.0,
    )
    assert "(sampled return)" in printed([sampled])
    assert (
        "["
        not in printed(
            [Row(on("LineWalk"), Specification.parse("QLearning"), STEPS, np.ones((3, 1)), True, 1.0)]
        ).split("%")[0]
    )


def test_names_are_folded_after_commas_and_colons_and_no_number_in_them_is_broken() -> None:
    names = ["QLearning:epsilon=0.2,step_size=0.5", "MonteCarloValue"]
    text = printed(
        [Row(on("LineWalk:size=21"), Specification.parse(name), STEPS, np.ones((3, 10)), True, 2.0) for name in names],
        80,
    )
    cells = [line.split("│")[2].strip() for line in text.splitlines() if line.startswith("│")]
    assert cells == ["QLearning:", "epsilon=0.2,", "step_size=0.5", "MonteCarloValue"]
    # With less room than the score needs beside whole settings, they are folded inside too.
    assert folded("QLearning:step_size=0.25", 10, MORE_BREAKS).split("\n") == ["QLearning:", "step_size=", "0.25"]
    assert folded("QLearning:step_size=0.25", 12, BREAKS).split("\n") == ["QLearning:", "step_size=0.25"]


def test_below_a_narrow_table_columns_are_explained_that_are_shown_and_no_others() -> None:
    wide, narrow = printed(rows(), 150), printed(rows(), 60)
    for heading in ("score", "worst tenth", "solve rate", "steps to 95%", "steps/s"):
        assert f"\n{heading}: " in wide
    assert "\nscore: " in narrow
    assert "\nsteps to 95%: " not in narrow
    assert "steps/s" in narrow.partition("No room for: ")[2]
    assert "\nsteps/s: " not in narrow


def test_intervals_of_few_runs_are_marked_and_the_mark_is_explained() -> None:
    few = printed([*rows(runs=5), *rows(("RandomMDP",), runs=3)])
    assert few.count(f"]{FEW}") == 12
    assert "With 3 normally distributed runs, a 95% interval covers the true mean in about 73%" in few
    assert FEW not in printed(rows(runs=MINIMUM_RUNS))
    assert few_runs_text([1, MINIMUM_RUNS, 30]) == ""
    assert set(COVERAGE) == set(range(2, MINIMUM_RUNS))
    assert FEW not in printed(
        [Row(on("LineWalk"), Specification.parse("QLearning"), STEPS, np.ones((3, 1)), True, 1.0)]
    )  # without an interval


@pytest.mark.parametrize("case", FEW_RUNS[::3], ids=lambda case: case.says)
def test_intervals_of_few_runs_hold_the_truth_as_rarely_as_is_said(case: Case) -> None:
    # Of 400 draws the standard error is about 0.02, so this tells 50% from 80% from 87%; proofs are sharper.
    assert abs(coverage(case, 400, seed=0) - case.covered) < 0.005 + 4 * standard_error(case.covered, 400)


def test_a_number_that_is_rounded_to_zero_has_no_minus() -> None:
    assert [decimals(number) for number in (-0.0004, -0.0, 0.0004, -0.0006)] == ["0.000", "0.000", "0.000", "-0.001"]
    signed = [decimals(number, 2, sign=True) for number in (-0.004, 0.0, 0.5, -0.5)]
    assert signed == ["+0.00", "+0.00", "+0.50", "-0.50"]
    scores = np.linspace(0, 1, 3)[:, None] * np.ones(10)
    below = [
        Row(on("LineWalk"), Specification.parse(agent), STEPS, scores * end, True, 1.0)
        for agent, end in (("DQN", -1e-5), ("SB3DQN", 0.0))
    ]
    text = printed(below) + "\n".join(explanation(below))
    assert "0.000 [0.000, 0.000]" in text
    assert "difference +0.000, 95% interval +0.000 to +0.000" in text
    assert "-0.000" not in text


def test_the_margin_and_the_cross_check_are_explained() -> None:
    text = "\n".join(explanation(rows()))
    assert f"within ±{MARGIN}. This margin was fixed beforehand" in text
    assert "LineWalk: QLearning and SB3DQN agree" in text
    assert "Cross-check" not in "\n".join(explanation(rows()[:3]))


def test_the_file_of_numbers_has_all_digits_and_leaves_out_what_is_not_known(tmp_path: Path) -> None:
    sampled = Row(on("CartPole-v1"), Specification.parse("Random"), STEPS, np.full((3, 1), 1 / 3), False, 1.0)
    write_csv([summarise(row) for row in (*rows(), sampled)], tmp_path / "results.csv")
    with (tmp_path / "results.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert len(found) == 9
    assert found[2]["agent"] == "QLearning"
    assert float(found[3]["score"]) == summarise(rows()[3]).score.estimate
    assert found[0]["steps_to_95_percent"] == "inf"
    assert (found[8]["score"], found[8]["score_low"], found[8]["within_1_percent"]) == (repr(1 / 3), "", "")


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are saved meanwhile."""
    drawn = []
    savefig = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (drawn.append(self), savefig(self, *a, **k)))
    return drawn


def test_the_picture_has_a_panel_a_world_with_curves_bands_and_levels(tmp_path: Path, figures: list[Figure]) -> None:
    draw_learning_curves(rows(("LineWalk", "Bandit", "RandomMDP")), tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    panels = [panel for panel in figures[0].axes if panel.get_visible()]
    assert [panel.get_title(loc="left") for panel in panels] == ["LineWalk", "Bandit", "RandomMDP"]
    curves = {line.get_label(): line for line in panels[0].get_lines()}
    assert list(curves) == ["optimum", "uniform policy", "QLearning", "SB3DQN"]
    assert set(curves["optimum"].get_ydata()) == {1}
    assert set(curves["uniform policy"].get_ydata()) == {0}
    np.testing.assert_allclose(curves["QLearning"].get_ydata(), [0, 0.5, 1])
    assert curves["QLearning"].get_color() != curves["SB3DQN"].get_color()
    assert curves["QLearning"].get_linestyle() != curves["SB3DQN"].get_linestyle()
    assert len(panels[0].collections) == 2  # a band each
    assert [text.get_text() for text in figures[0].legends[0].get_texts()] == list(curves)


def test_sampled_returns_are_drawn_on_a_scale_of_their_own(tmp_path: Path, figures: list[Figure]) -> None:
    sampled = Row(
        WorldSpecification.read("CartPole-v1"),
        Specification.parse("DQN"),
        STEPS,
        np.array([[20.0, 22.0], [100.0, 90.0], [500.0, 400.0]]),
        False,
        1.0,
    )
    draw_learning_curves([sampled], tmp_path / "curves.png")
    (panel,) = figures[0].axes
    assert panel.get_ylabel() == "mean return (sampled)"
    assert [line.get_label() for line in panel.get_lines()] == ["DQN"]
    assert panel.get_ylim()[1] > 450


def test_where_returns_are_sampled_the_random_policy_is_at_its_own_mean(tmp_path: Path, figures: list[Figure]) -> None:
    sampled = Row(
        WorldSpecification.read("CartPole-v1"),
        Specification.parse("Random"),
        STEPS,
        np.array([[20.0, 22.0], [24.0, 20.0], [18.0, 28.0]]),
        False,
        1.0,
    )
    draw_learning_curves([sampled], tmp_path / "curves.png")
    (panel,) = figures[0].axes
    (line,) = panel.get_lines()
    assert line.get_label() == "uniform policy"
    assert set(line.get_ydata()) == {22.0}


def test_without_learners_the_picture_still_covers_the_steps(tmp_path: Path, figures: list[Figure]) -> None:
    draw_learning_curves(rows(("LineWalk",))[:2], tmp_path / "curves.png")
    left, right = figures[0].axes[0].get_xlim()
    assert left <= 0 < 100 <= right < 110


@pytest.mark.parametrize(
    "scores", [[0.1 + 0.2] * 10, [0.0] * 11 + [1.0]], ids=["all runs alike", "a mean outside of the middle 80%"]
)
def test_runs_that_are_judged_at_the_end_only_are_a_point_and_a_bar(
    scores: list[float], tmp_path: Path, figures: list[Figure]
) -> None:
    draw_learning_curves(
        [Row(on("LineWalk"), Specification.parse("Mine"), STEPS[-1:], np.array([scores]), True, 1.0)],
        tmp_path / "c.png",
    )
    (panel,) = figures[0].axes
    (point,) = (line for line in panel.lines if line.get_label() == "Mine")
    assert point.get_ydata() == pytest.approx([np.mean(scores)])
    ends = sorted(float(end) for line in panel.lines if line.get_marker() == "_" for end in line.get_ydata())
    assert ends == pytest.approx(np.quantile(scores, [0.1, 0.9]))


def test_more_agents_than_colours_can_still_be_told_apart(tmp_path: Path, figures: list[Figure]) -> None:
    many = [
        Row(on("LineWalk"), Specification.parse(f"QLearning:epsilon=0.{i}"), STEPS, np.ones((3, 2)), True, 1.0)
        for i in range(1, 9)
    ]
    draw_learning_curves(many, tmp_path / "curves.png")
    assert len(COLOURS) < 8
    curves = [line for line in figures[0].axes[0].get_lines() if line.get_label().startswith("QLearning")]
    assert len({(line.get_color(), str(line._dash_pattern)) for line in curves}) == 8


def test_curves_that_leave_the_picture_below_are_named_in_it(tmp_path: Path, figures: list[Figure]) -> None:
    curve = np.linspace(0, 1, 3)[:, None] * np.ones(10)
    agents = [f"QLearning:epsilon=0.{number}" for number in range(1, 7)]
    bad = [Row(on("LineWalk"), Specification.parse(agent), STEPS, -30 * curve, True, 1.0) for agent in agents]
    sentences = [f"{agent}: below -1, down to -30" for agent in agents]
    for few, words in ((1, sentences[:1]), (6, [*sentences[:4], "and 2 more"])):
        draw_learning_curves([*rows(("LineWalk",)), *bad[:few]], tmp_path / "curves.png")
        assert [text.get_text().splitlines() for text in figures[-1].axes[0].texts] == [words]
    draw_learning_curves([*rows(("LineWalk",)), replace(bad[0], exact=False)], tmp_path / "curves.png")
    assert [len(panel.texts) for panel in figures[-1].axes] == [0] * len(figures[-1].axes)
