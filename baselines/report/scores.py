"""What a score means, which depends on the agent and on the world: the one place for these words in every report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from baselines.comparison.rows import Row
from baselines.comparison.summary import Summary, base_name

# These predict values of the uniform policy; all others are to act well.
PREDICTORS = ("TDValue", "MonteCarloValue")

# What a score is of: a learned policy or predicted values, both computed from the world's table, or sampled episodes.
Kind = Literal["policy", "values", "episodes"]

MEANINGS: dict[Kind, str] = {
    "policy": "how good the greedy policy is, computed exactly: 0 is the uniform policy, 1 the optimum",
    "values": "how near the agent's predictions are to the values of the uniform policy, computed exactly: 0 is to "
    "predict 0 everywhere, 1 to be exact",
    "episodes": "the mean return of sampled episodes of the greedy policy; the world has no table from which it "
    "could be computed",
}

# What stands behind a score that is none of a policy.
MARKS: dict[Kind, str] = {"policy": "", "values": " (prediction)", "episodes": " (sampled return)"}

# What stands beside an axis of scores.
AXES: dict[Kind, str] = {
    "policy": "exact score",
    "values": "exact score of predicted values",
    "episodes": "mean return (sampled)",
}

TITLES: dict[Kind, str] = {
    "policy": "Distance from the exact optimum",
    "values": "Distance from exact values",
    "episodes": "Mean returns of sampled episodes",
}

MIXED_TITLE = "How each agent ends"

# What is said beside learning curves.
ON_CURVES: dict[Kind, str] = {
    "policy": "0 is the uniform policy, 1 the optimum, and both are drawn as level lines.",
    "values": "Of predicted values, 0 is to predict 0 everywhere and 1 to be exact.",
    "episodes": "Where a world has no table, returns are sampled, and the axis says so; the uniform policy is a level "
    "line where it was in the comparison.",
}

# What stands behind a world's name where its figure is not of policies.
OF_VALUES = ": predicted values"


def kind_of(scored: Row | Summary) -> Kind:
    """What the scores of a row are of."""
    return kind_of_agent(scored.agent) if scored.exact else "episodes"


def kind_of_agent(agent: str) -> Kind:
    """What the exact scores of an agent are of."""
    return "values" if base_name(agent) in PREDICTORS else "policy"


def kinds_of(scored: Iterable[Row | Summary]) -> list[Kind]:
    """What the scores of several rows are of, each kind once, those of policies first."""
    found = {kind_of(one) for one in scored}
    return [kind for kind in MEANINGS if kind in found]


def title_of(scored: Iterable[Row | Summary]) -> str:
    """What stands above a table of scores."""
    kinds = kinds_of(scored)
    return TITLES[kinds[0]] if len(kinds) == 1 else MIXED_TITLE


def figure_title(world: str, kind: Kind) -> str:
    """What stands above a figure of scores of one kind on a world."""
    return world + OF_VALUES if kind == "values" else world


def meanings(scored: Iterable[Row | Summary]) -> dict[str, str]:
    """What the scores of several rows mean, by "score" with the mark that such a score bears."""
    return {f"score{MARKS[kind]}": MEANINGS[kind] for kind in kinds_of(scored)}


def meanings_text(scored: Iterable[Row | Summary]) -> str:
    """The same as one text, to stand beside the word "score"."""
    found = meanings(scored)
    if len(found) == 1:
        return next(iter(found.values()))
    return "; ".join(f"{name.removeprefix('score').strip()} {meaning}".strip() for name, meaning in found.items())
