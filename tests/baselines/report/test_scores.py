"""What a score means, in every report: of a policy, of predicted values, or of sampled episodes."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from rich.console import Console

from baselines.agents.value_prediction import ValueAgent
from baselines.comparison.results import Results
from baselines.comparison.rows import Row
from baselines.comparison.summary import summarise
from baselines.monitoring.training_display import meaning
from baselines.registry import AGENTS, make_agent
from baselines.report.contents import Contents, score_figures
from baselines.report.markdown import markdown
from baselines.report.page import page
from baselines.report.page_data import page_data
from baselines.report.pictures import draw_learning_curves, draw_profiles
from baselines.report.scores import MEANINGS, PREDICTORS, Kind, kind_of
from baselines.report.terminal import explanation, terminal_table
from rl_envs.specification import Specification
from tests.baselines.report.report_results import row


def of(agent: str, world: str = "RandomWalk", *, exact: bool = True) -> Row:
    """A row of curves that rise."""
    like = agent if agent in ("Random", "Optimal") else "QLearning"
    return replace(row(world, like), who=Specification.parse(agent), exact=exact)


# Rows, the kinds of their scores, and what stands above their table.
CASES: dict[str, tuple[list[Row], list[Kind], str]] = {
    "policies": ([of("QLearning"), of("Random")], ["policy"], "Normalised scores, computed exactly"),
    "predictions": (
        [of("TDValue"), of("MonteCarloValue:groups=5")],
        ["values"],
        "Scores of predicted values, computed exactly",
    ),
    "returns": ([of("DQN", "CartPole-v1", exact=False)], ["episodes"], "Mean returns of sampled episodes"),
    "all": (
        [of("QLearning"), of("TDValue"), of("DQN", "CartPole-v1", exact=False)],
        ["policy", "values", "episodes"],
        "Scores at the end of training",
    ),
}


def reports(rows: list[Row]) -> dict[str, str]:
    """The terminal's table with its explanation, the text and the page."""
    console = Console(file=io.StringIO(), width=160)
    console.print(terminal_table([summarise(one) for one in rows]))
    contents = Contents(Results(tuple(rows), (), {}))
    shown = page(contents).split("<main")[1].split('<script type="application/json"')[0]
    return {
        "terminal": console.file.getvalue() + "\n".join(explanation(rows)),
        "markdown": markdown(contents, {}),
        "page": shown.replace("&#x27;", "'"),
    }


def test_those_that_predict_values_are_known_by_their_names() -> None:
    """Names, so that reading results imports neither torch nor any agent."""
    found = tuple(name for name in AGENTS if issubclass(AGENTS.load(name), ValueAgent))
    assert found == PREDICTORS


@pytest.mark.parametrize("case", CASES)
def test_every_report_says_what_the_scores_in_it_mean_and_nothing_of_others(case: str) -> None:
    rows, kinds, title = CASES[case]
    for text in reports(rows).values():
        assert title in text
        assert [kind for kind, meaning in MEANINGS.items() if meaning in text] == kinds
        assert ("(prediction)" in text) == ("values" in kinds)
        assert ("(sampled return)" in text) == ("episodes" in kinds)
        assert ("1 = optimal" in text) == ("policy" in kinds)


def test_an_agent_that_is_trained_alone_is_explained_with_the_same_words() -> None:
    assert meaning(make_agent("TDValue", "RandomWalk")).endswith(MEANINGS["values"])
    assert meaning(make_agent("QLearning", "LineWalk")).endswith(MEANINGS["policy"])


def test_level_lines_stand_only_where_they_mean_something() -> None:
    rows = [of("Random"), of("Optimal"), of("TDValue"), of("QLearning"), of("MonteCarloValue")]
    both = score_figures(rows)
    assert [(figure.title, [one.agent for one in figure.rows], figure.levels) for figure in both] == [
        ("RandomWalk", ["QLearning"], {"optimum": 1.0, "uniform policy": 0.0}),
        ("RandomWalk: predicted values", ["TDValue", "MonteCarloValue"], {}),
    ]
    no_learner = [of("Random"), of("Optimal"), of("TDValue")]
    [alone] = score_figures(no_learner)
    assert (alone.title, alone.levels) == ("RandomWalk: predicted values", {})
    assert "horizontal line" not in reports(no_learner)["page"]
    assert "Horizontal lines mark the uniform policy (0) and the optimum (1)" in reports(rows)["page"]
    [levels] = score_figures([of("Random"), of("Optimal")])
    assert list(levels.levels) == ["optimum", "uniform policy"]


def test_figures_name_what_is_on_their_axes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []
    savefig = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (drawn.append(self), savefig(self, *a, **k)))
    contents = Contents(Results((*CASES["all"][0], of("TDValue", "LineWalk")), (), {}))
    draw_learning_curves(contents.rows, tmp_path / "curves.png")
    draw_profiles(contents, tmp_path / "profiles.png", worlds=contents.worlds)
    curves, profiles = ([panel for panel in figure.axes if panel.get_visible()] for figure in drawn)
    wanted = {
        "RandomWalk": "exact score",
        "RandomWalk: predicted values": "exact score of predicted values",
        "CartPole-v1": "mean return (sampled)",
        "LineWalk: predicted values": "exact score of predicted values",
    }
    assert {panel.get_title(loc="left"): panel.get_ylabel() for panel in curves} == wanted
    assert [[line.get_label() for line in panel.get_lines()] for panel in curves[1:]] == [
        ["TDValue"],
        ["DQN"],
        ["TDValue"],
    ]
    across = {"All worlds: predicted values": "exact score of predicted values"}
    assert {panel.get_title(loc="left"): panel.get_xlabel() for panel in profiles} == across | wanted
    data = page_data(contents)
    assert {figure["title"]: figure["axis"] for figure in data["curves"]} == wanted
    assert {figure["title"]: figure["axis"] for figure in data["profiles"]} == across | wanted


def test_the_uniform_policys_return_is_the_same_line_in_pictures_and_on_the_page(tmp_path: Path) -> None:
    """At each checkpoint other episodes were sampled; the mean over all of them is what they tell."""
    random = of("Random", "CartPole-v1", exact=False)
    scores = random.scores + 20.0
    scores[-1] += 11.0
    [figure] = score_figures([replace(random, scores=scores)])
    assert figure.levels == {"uniform policy": pytest.approx(21.0)}
    [data] = page_data(Contents(Results((replace(random, scores=scores),), (), {})))["curves"]
    assert data["levels"] == figure.levels


def test_rows_are_of_the_kind_that_their_agent_and_world_make_them() -> None:
    assert kind_of(of("TDValue:groups=5")) == "values"
    assert kind_of(of("train_ppo")) == "policy"
    assert kind_of(of("train_ppo", exact=False)) == "episodes"
