"""What a score means, by agent and world: the wording that every report shares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from baselines.comparison.rows import Row
from baselines.comparison.summary import Summary
from rl_envs.specification import Specification

# These predict the values of the uniform policy; all others learn a policy.
PREDICTORS = ("TDValue", "MonteCarloValue")

# What is scored: a learned policy or predicted values, both computed from the world's table, or sampled episodes.
Kind = Literal["policy", "values", "episodes"]

MEANINGS: dict[Kind, str] = {
    "policy": "the exact value of the greedy policy, normalised (0 = uniform policy, 1 = optimal)",
    "values": "the exact accuracy of the predicted values of the uniform policy (0 = predicting 0 everywhere, "
    "1 = no error)",
    "episodes": "the mean return of sampled episodes of the greedy policy, because the world has no table",
}

# Suffix of a score that is not a policy's exact one.
MARKS: dict[Kind, str] = {"policy": "", "values": " (prediction)", "episodes": " (sampled return)"}

# Labels of the score axes.
AXES: dict[Kind, str] = {
    "policy": "exact score",
    "values": "exact score of predicted values",
    "episodes": "mean return (sampled)",
}

TITLES: dict[Kind, str] = {
    "policy": "Normalised scores, computed exactly",
    "values": "Scores of predicted values, computed exactly",
    "episodes": "Mean returns of sampled episodes",
}

MIXED_TITLE = "Scores at the end of training"

# Shown beside learning curves.
ON_CURVES: dict[Kind, str] = {
    "policy": "Horizontal lines mark the uniform policy (0) and the optimum (1).",
    "values": "For predicted values, 0 is predicting 0 everywhere and 1 is no error.",
    "episodes": "Where a world has no table, the axis shows sampled returns. A horizontal line marks the return of the "
    "uniform policy if it was compared.",
}

# Suffix of a world's name above a figure of predicted values.
OF_VALUES = ": predicted values"


def kind_of(scored: Row | Summary) -> Kind:
    """What the scores of a row measure."""
    return kind_of_agent(scored.who) if scored.exact else "episodes"


def kind_of_agent(agent: Specification) -> Kind:
    """What the exact scores of an agent measure."""
    return "values" if agent.name in PREDICTORS else "policy"


def kinds_of(scored: Iterable[Row | Summary]) -> list[Kind]:
    """What the scores of several rows measure: each kind once, policies first."""
    found = {kind_of(one) for one in scored}
    return [kind for kind in MEANINGS if kind in found]


def title_of(scored: Iterable[Row | Summary]) -> str:
    """The title of a table of scores."""
    kinds = kinds_of(scored)
    return TITLES[kinds[0]] if len(kinds) == 1 else MIXED_TITLE


def figure_title(world: str, kind: Kind) -> str:
    """The title of a figure of scores of one kind on a world."""
    return world + OF_VALUES if kind == "values" else world


def meanings(scored: Iterable[Row | Summary]) -> dict[str, str]:
    """What the scores of several rows mean, by "score" with its suffix."""
    return {f"score{MARKS[kind]}": MEANINGS[kind] for kind in kinds_of(scored)}


def meanings_text(scored: Iterable[Row | Summary]) -> str:
    """The same as one text, for the legend of "score"."""
    found = meanings(scored)
    if len(found) == 1:
        return next(iter(found.values()))
    return "; ".join(f"{name.removeprefix('score').strip()} {meaning}".strip() for name, meaning in found.items())
