"""An environment inspected: numbers from its exact table, and what is wrong with it.

inspection = rl_envs.inspect_env("CliffWalking-v1")
print(inspection)
inspection.save_html("cliff.html")
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym

from rl_envs.extraction.refusal import NotTabular
from rl_envs.inspection import contract, hidden_state, incentives, learnability, sizes, walk_findings
from rl_envs.inspection.finding import SECTIONS, SEVERITIES, Fact, Finding
from rl_envs.inspection.outcome import Outcome
from rl_envs.inspection.page import as_html
from rl_envs.inspection.report import as_json, as_text
from rl_envs.inspection.subject import Subject
from rl_envs.inspection.table_view import TableView
from rl_envs.inspection.walking import Walked, differences_by_walking_again, walk
from rl_envs.making import make_environment
from rl_envs.mdp.finite_mdp import check_discount, check_integer
from rl_envs.specification import Specification
from rl_envs.worlds.world import World

# Environments carry no discount; this is the one that most agents use.
DISCOUNT = 0.99


class Inspection(Outcome):
    """What was found in an environment, with the ways to show it."""

    def __str__(self) -> str:
        return as_text(self)

    def to_json(self) -> str:
        """The report as one JSON object."""
        return json.dumps(as_json(self), indent=2, allow_nan=False)

    def save_html(self, path: str | Path) -> None:
        """Write the report as one HTML page that needs nothing beside itself.

        Args:
            path: of the file; its folder must be there.
        """
        Path(path).write_text(as_html(self), encoding="utf-8")


def inspect_env(
    environment: Any,
    *,
    discount: float | None = None,
    seed: int | None = None,
    state: Callable[[Any], Any] | Sequence[str] | str | None = None,
    ignore: Sequence[str] | str = (),
    clock: str | None = None,
    max_states: int = 20_000,
    max_branches: int = 20_000,
    skip_below: float = 1e-9,
    check_steps: int = 5_000,
    max_seconds: float = 60.0,
    progress: bool = False,
    **arguments: Any,
) -> Inspection:
    """Find the exact table of an environment, and what is wrong with its rewards, observations and steps.

    An environment without a finite table is told why, and its contract is tried all the same. It is left as it was.

    Args:
        environment: a name, perhaps with settings ("LineWalk:size=7"; any Gymnasium id; "module:EnvId-v0" or
            "file.py:make_env" for one of your own); an environment, with wrappers if any; a function that makes one; or
            a `World`, whose table alone is looked at.
        discount: gamma; a world's own, or 0.99 for environments of others.
        seed: for every reset of the walk, which then draws nothing; left out, all ways to start are walked.
        state: what tells states apart, as for `tabulate_env`.
        ignore: names of attributes that decide nothing, as for `tabulate_env`.
        clock: "layers" or "stopped" where rewards depend on a count of steps, as for `tabulate_env`; left out,
            "stopped", and a finding says so.
        max_states: with more states there is no table.
        max_branches: nor with more ways for one step to go.
        skip_below: branches of chance less likely than this are left out.
        check_steps: how many random steps of the real environment are compared with the table.
        max_seconds: the walk ends there at the latest.
        progress: whether to print how far the walk is, to standard error.
        **arguments: settings of the environment, beside a name.

    Returns:
        The facts and findings.

    Raises:
        TypeError: something else, arguments without a name, or one that the environment does not take.
        ValueError: an unknown name, naming the nearest, or an argument out of range.
    """
    walking = {
        "seed": seed,
        "state": state,
        "ignore": ignore,
        "clock": clock,
        "max_states": check_integer("max_states", max_states, low=1),
        "max_branches": max_branches,
        "skip_below": skip_below,
        "check_steps": check_steps,
    }
    return _inspect(environment, arguments, discount, max_seconds, progress, walking, whole=True)


def exact_values(
    environment: Any,
    *,
    discount: float | None = None,
    max_seconds: float = 60.0,
    progress: bool = False,
    **walking: Any,
) -> Inspection:
    """The short answer: size, optimum and other exact values, without looking for what is wrong.

    Args, Returns and Raises: as `inspect_env`, without settings of the environment beside its name.
    """
    given = {"max_states": 20_000, "max_branches": 20_000, "skip_below": 1e-9, "check_steps": 5_000, **walking}
    return _inspect(environment, {}, discount, max_seconds, progress, given, whole=False)


def _inspect(
    environment: Any,
    arguments: dict[str, Any],
    discount: float | None,
    max_seconds: float,
    progress: bool,
    walking: dict[str, Any],
    *,
    whole: bool,
) -> Inspection:
    began = time.monotonic()
    if discount is not None:
        check_discount(discount)
    if not max_seconds > 0:
        raise ValueError(f"max_seconds must be above 0, but is {max_seconds}")
    if isinstance(environment, World):
        if arguments:
            raise TypeError(f"arguments are for a name or an id, but got {', '.join(arguments)} with {environment!r}")
        return _inspection(environment.name, None, Walked(environment), discount, began, whole)
    subject, gamma, owned = _subject(environment, arguments)
    discount = gamma if discount is None else discount
    try:
        walked = walk(
            subject.env,
            name=subject.name,
            discount=DISCOUNT if discount is None else check_discount(discount),
            max_seconds=max_seconds,
            progress=progress,
            **walking,
        )
        return _inspection(subject.name, subject, walked, discount, began, whole)
    finally:
        if owned:
            subject.env.close()


def _subject(environment: Any, arguments: dict[str, Any]) -> tuple[Subject, float | None, bool]:
    """The environment to inspect, the discount among its settings, and whether it was made here."""
    if isinstance(environment, str):
        specification = Specification.parse(environment)
        settings = specification.also(arguments)
        gamma = settings.pop("discount", None)
        name = specification.name

        def make() -> gym.Env[Any, Any]:
            return make_environment(name, settings)

        return Subject(make(), Specification(name, settings).label, make), gamma, True
    if arguments:
        raise TypeError(f"arguments are for a name or an id, but got {', '.join(arguments)} with {environment!r}")
    if isinstance(environment, gym.vector.VectorEnv):
        raise TypeError(f"inspect_env() takes one environment, not a vector of them: pass one copy of {environment}")
    if isinstance(environment, gym.Env):
        return Subject(environment, _name_of(environment)), None, False
    if callable(environment):
        env = environment()
        if not isinstance(env, gym.Env):
            raise TypeError(f"a function given to inspect_env() must make a gymnasium.Env, but makes {env!r}")
        return Subject(env, _name_of(env), environment), None, True
    raise TypeError(
        f"inspect_env() takes a name, an id, an environment, a function that makes one or a World, not {environment!r}"
    )


def _name_of(env: gym.Env[Any, Any]) -> str:
    spec = getattr(env, "spec", None)
    return type(env.unwrapped).__name__ if spec is None else str(spec.id)


def _inspection(
    name: str, subject: Subject | None, walked: Walked, discount: float | None, began: float, whole: bool
) -> Inspection:
    found: list[Finding] = []
    facts: list[Fact] = []
    view, reason, untried = None, walked.reason, None
    if walked.world is not None:
        view = TableView(walked.world, discount)
        try:
            view.solution  # noqa: B018  (at discount 1 it may not exist)
        except ValueError as error:
            view, reason = None, f"{error}: pass a discount below 1"
    threshold = None if subject is None else subject.threshold
    if view is not None:
        facts += sizes.facts(view)
        if threshold is not None:
            label = "return at which it counts as solved (reward_threshold)"
            facts.append(Fact("reward_threshold", "size", label, threshold))
    if whole and view is not None:
        found += sizes.threshold_findings(view, threshold)
        _add_of_table(view, subject, walked, found, facts)
    if whole and subject is None:
        untried = "a World has no steps of its own, so the contract was not tried"
    elif whole and subject is not None:
        found += walk_findings.findings(subject, walked, view)
        try:
            found += contract.findings(subject)
        except NotTabular as error:
            untried = (
                f"its steps were not tried, because it could not be left as it was: {error}. Pass a function that "
            )
            untried += "makes it: inspect_env(make_env)"
    found.sort(key=lambda one: (SEVERITIES.index(one.severity), list(SECTIONS).index(one.section)))
    return Inspection(
        name=name,
        findings=tuple(found),
        facts=tuple(facts),
        reason=reason,
        untried=untried,
        world=walked.world,
        seconds=time.monotonic() - began,
        looked=whole,
    )


def _add_of_table(
    view: TableView, subject: Subject | None, walked: Walked, found: list[Finding], facts: list[Fact]
) -> None:
    """Add what a table says of learning, rewards and hidden state."""
    differences = None if subject is None else differences_by_walking_again(subject.env, walked)
    hidden = hidden_state.Hidden.of(view)
    found += learnability.findings(view)
    found += incentives.findings(view)
    found += hidden_state.findings(view, hidden, differences)
    facts += learnability.facts(view)
    facts += incentives.facts(view)
    facts += hidden_state.facts(view, hidden)
