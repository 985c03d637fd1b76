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
        best: the best policy found that sees only the observation; None where the search was too large.
    """

    groups: LookAlikes
    best: Memoryless | None

    @staticmethod
    def of(view: TableView) -> Hidden:
        """Look for states that look alike, and for the best that can be done without telling them apart.

        Args:
            view: the table.
        """
        groups = look_alikes(view)
        return Hidden(groups, best_memoryless(view, groups.seen) if groups.pair is not None else None)


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
        yield Fact(
            "observation_value",
            "hidden",
            "best policy that sees only the observation",
            hidden.best.value,
            f"{hidden.best.how}; the best that sees all has {number(view.truth.optimal_value)}",
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
    best = hidden.best
    cost = None if best is None else max(0.0, optimum - best.value)
    free = cost is not None and cost <= view.tolerance
    if best is None:
        worth = ""
    elif free:
        worth = " It costs nothing: some policy of the observation alone is optimal."
    else:
        worth = f" The best policy of the observation alone is worth {number(best.value)} ({best.how}), "
        worth += f"the best that sees all {number(optimum)}."
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
        cost_of="what the best policy of the observation alone loses, at most"
        if best and not best.exact
        else "what the best deterministic policy of the observation alone loses",
    )
