"""States that look alike but behave differently, and what it costs to see only the observation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rl_envs.inspection.behaviour import LookAlikes, look_alikes
from rl_envs.inspection.finding import Fact, Finding
from rl_envs.inspection.memoryless import Memoryless, best_memoryless
from rl_envs.inspection.table_view import TableView, counted, number, shown

# What attributes differ between two states: a name and the two values, of each.
Differences = Callable[[int, int], list[tuple[str, str, str]]]


@dataclass(frozen=True)
class Hidden:
    """What an agent does not see.

    Attributes:
        groups: how the states look and behave.
        best: the best deterministic policy found that sees only the observation; None where the search was too large.
        uniform: the value of the uniform policy, which sees nothing; None where it does not exist.
    """

    groups: LookAlikes
    best: Memoryless | None
    uniform: float | None

    @staticmethod
    def of(view: TableView) -> Hidden:
        """Look for states that look alike, and for the best that can be done without telling them apart.

        Args:
            view: the table.
        """
        groups = look_alikes(view)
        try:
            uniform: float | None = view.truth.random_value
        except ValueError:  # at discount 1 its total may not exist
            uniform = None
        best = best_memoryless(view, groups.seen) if groups.pair is not None else None
        return Hidden(groups, best, uniform)

    @property
    def value(self) -> float | None:
        """The value of the best of these policies, which a stochastic one may exceed; None where none was found."""
        if self.best is None:
            return None
        return self.best.value if self.uniform is None else max(self.best.value, self.uniform)

    @property
    def worth(self) -> str:
        """The values of these policies, in words."""
        if self.best is None:
            return ""
        said = f"the best deterministic policy of the observation that was found is worth {number(self.best.value)} "
        said += f"({self.best.how})"
        return said if self.uniform is None else f"{said}, the uniform one {number(self.uniform)}"


def facts(view: TableView, hidden: Hidden) -> Iterator[Fact]:
    """The numbers of this part.

    Args:
        view: the table.
        hidden: what is not seen.

    Yields:
        One fact at a time.
    """
    groups = hidden.groups
    yield Fact("observations", "hidden", "different observations", groups.observations)
    different = counted(groups.different, "state") if groups.different else "none"
    yield Fact("look_alike", "hidden", "states that look like another and behave differently", different)
    if hidden.best is not None:
        uniform = "" if hidden.uniform is None else f", the uniform one {number(hidden.uniform)}"
        yield Fact(
            "observation_value",
            "hidden",
            "best policy found that sees only the observation",
            hidden.value,
            f"the best deterministic one {number(hidden.best.value)} ({hidden.best.how}){uniform}; the best that sees "
            f"all {number(view.truth.optimal_value)}",
        )


def findings(view: TableView, hidden: Hidden, differences: Differences | None) -> Iterator[Finding]:
    """Two states that look alike and behave differently, if there are any.

    Args:
        view: the table.
        hidden: what is not seen.
        differences: says which attributes of the environment differ between two states; None where nobody can.

    Yields:
        At most one finding.
    """
    pair = hidden.groups.pair
    if pair is None:
        return
    one, other, action, how = pair
    named = differences(one, other) if differences is not None else []
    because = "; ".join(f"{name} is {a} in one and {b} in the other" for name, a, b in named[:3])
    optimum = view.truth.optimal_value
    value = hidden.value
    cost = None if value is None else max(0.0, optimum - value)
    free = cost is not None and cost <= view.tolerance
    if value is None:
        worth = ""
    elif free:
        worth = " It costs nothing: some policy of the observation alone is optimal."
    else:
        worth = f" {hidden.worth[:1].upper()}{hidden.worth[1:]}, the best that sees all {number(optimum)}."
    yield Finding(
        key="hidden_state",
        severity="note" if free else "warning",
        section="hidden",
        what=f"{counted(hidden.groups.different, 'state')} of {int(view.playing.sum()):,} look like another that "
        f"behaves differently. Both {view.describe(one)} and {view.describe(other)} are seen as "
        f"{shown(view.world.observation.of(one))}, but with {view.action(action)} {how}."
        f"{f' Attribute {because}.' if because else ''}{worth}",
        change="Show what differs in the observation, or use an agent with memory.",
        where=view.describe(other),
        cost=cost,
        cost_of="what the best policy of the observation alone loses, at most: a stochastic one may lose less",
    )
