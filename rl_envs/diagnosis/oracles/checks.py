"""Checks of a user's function, without training: right, or wrong and how.

    result = check_gae(my_gae)
    print(result)
    result.raise_if_wrong()

A function is called as it is. Its parameters are understood by their names, in the ways in which the libraries write
them; it is tried on every pattern of ends up to length 4 and on longer rollouts; and what it gives is compared with the
exact answer and with what every known mistake would give.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import rl_envs.diagnosis.oracles.rollout as rollout
import rl_envs.diagnosis.oracles.rollout_mistakes as rollout_mistakes
import rl_envs.diagnosis.oracles.td_mistakes as td_mistakes
import rl_envs.diagnosis.oracles.transitions as transitions
from rl_envs.diagnosis.oracles.attempts import Attempt, Question, best_attempt
from rl_envs.diagnosis.oracles.matching import Answer
from rl_envs.diagnosis.oracles.mistakes import Mistake
from rl_envs.diagnosis.oracles.reading import OPTIONS, readings
from rl_envs.diagnosis.oracles.reports import report
from rl_envs.diagnosis.oracles.results import CheckResult, Finding
from rl_envs.diagnosis.oracles.signature import name_of, read_signature
from rl_envs.diagnosis.oracles.subjects import Reading, RolloutSubject, Subject, TransitionSubject
from rl_envs.diagnosis.oracles.td_reading import OPTIONS as TD_OPTIONS
from rl_envs.diagnosis.oracles.td_reading import TDReading, td_readings

ADVANTAGES = Answer((rollout.advantages,), rollout_mistakes.OF_ADVANTAGES)
LAMBDA_RETURNS = Answer(
    (rollout.lambda_returns_from_advantages, rollout.lambda_returns), rollout_mistakes.OF_LAMBDA_RETURNS
)
N_STEP_RETURNS = Answer((rollout.n_step_returns,), rollout_mistakes.OF_N_STEP_RETURNS)
# What may come with n-step returns: how many rewards each has, or what the value after them is to be multiplied by.
STEPS_USED = Answer((rollout.steps_used, lambda x: x.discount ** rollout.steps_used(x)), rollout_mistakes.OF_STEPS_USED)
DISCOUNTED_RETURNS = Answer((rollout.discounted_returns,), rollout_mistakes.OF_DISCOUNTED_RETURNS)
# What comes with advantages are lambda-returns, or in Spinning Up rewards to go.
RETURNS_BESIDE_ADVANTAGES = Answer(
    (*LAMBDA_RETURNS.rules, *DISCOUNTED_RETURNS.rules), rollout_mistakes.OF_LAMBDA_RETURNS
)

# The parts of a transition that an example shows, and the meanings of parameters that make them worth showing.
SHOWN = {
    "value": {"value"},
    "next_value": {"next_values", "next_or_last_value", "last_value", "next_q1"},
    "second_value": {"next_q2"},
    "next_q": {"next_q", "valuing_q"},
    "choosing_q": {"choosing_q"},
    "policy": {"policy"},
    "next_action": {"next_action"},
    "log_probability": {"log_probability"},
    "temperature": {"temperature"},
}

EXCHANGED = {"TB": "BT", "BT": "TB"}


def check_gae(
    function: Callable[..., Any],
    *,
    arguments: Mapping[str, str] | None = None,
    discount: float | None = None,
    trace_decay: float | None = None,
    layout: str | None = None,
    framework: str | None = None,
) -> CheckResult:
    """Check a function that computes generalised advantages.

    Args:
        function: takes rewards, values and the ends of episodes, and gives advantages, or advantages and returns in
            either order, or a dictionary, named tuple or dataclass of both. See docs/oracles.md for the names it may
            use.
        arguments: what is meant by parameters whose names do not tell, {parameter: role}.
        discount: gamma, where the function has it fixed and takes no parameter for it.
        trace_decay: lambda, likewise.
        layout: "T", "TB" or "BT", the shape of the rewards; tried in this order when left out.
        framework: "numpy" or "torch"; when left out NumPy, then torch if it is imported already.

    Returns:
        The result; nothing is printed.

    Raises:
        TypeError: a parameter that means nothing known, or one that is missing, such as the discount.
        ValueError: an unknown layout, framework, role or parameter.

    Source: Schulman et al. (2016), eq. 16; see `rl_envs.diagnosis.oracles.gae`.
    """
    question = Question(
        "GAE", "advantages", "returns", lambda _: {"advantages": ADVANTAGES, "returns": RETURNS_BESIDE_ADVANTAGES}
    )
    subject = RolloutSubject(discount, trace_decay, uses_trace_decay=True)
    return _check_rollouts(
        function, question, subject, arguments, layout, framework, needs=("reward", "value", "discount", "trace_decay")
    )


def check_lambda_returns(
    function: Callable[..., Any],
    *,
    arguments: Mapping[str, str] | None = None,
    discount: float | None = None,
    trace_decay: float | None = None,
    layout: str | None = None,
    framework: str | None = None,
) -> CheckResult:
    """Check a function that computes lambda-returns, also called TD(lambda) returns or value targets.

    Args, Returns and Raises: as `check_gae`; it gives returns, or returns and advantages.

    Source: Sutton & Barto (2018), eq. 12.18; see `rl_envs.diagnosis.oracles.lambda_returns`.
    """
    question = Question(
        "lambda-returns", "returns", "advantages", lambda _: {"returns": LAMBDA_RETURNS, "advantages": ADVANTAGES}
    )
    subject = RolloutSubject(discount, trace_decay, uses_trace_decay=True)
    return _check_rollouts(
        function, question, subject, arguments, layout, framework, needs=("reward", "discount", "trace_decay")
    )


def check_n_step(
    function: Callable[..., Any],
    *,
    arguments: Mapping[str, str] | None = None,
    discount: float | None = None,
    n: int | None = None,
    layout: str | None = None,
    framework: str | None = None,
) -> CheckResult:
    """Check a function that computes n-step returns.

    Args:
        function: takes rewards, the ends of episodes and values, and gives the n-step return of every step, of every
            step that has n steps after it, or of the first alone; and with them, if it likes, how many rewards each
            has, k, or gamma^k. Where it takes no n, the returns reach to the end of the rollout.
        arguments: what is meant by parameters whose names do not tell, {parameter: role}.
        discount: gamma, where the function has it fixed.
        n: likewise.
        layout: "T", "TB" or "BT"; tried in this order when left out.
        framework: "numpy" or "torch"; when left out NumPy, then torch if it is imported already.

    Returns:
        The result; nothing is printed.

    Raises:
        TypeError, ValueError: as `check_gae`.

    Source: Sutton & Barto (2018), eq. 7.1; see `rl_envs.diagnosis.oracles.n_step_returns`.
    """
    question = Question(
        "n-step returns", "returns", "steps", lambda _: {"returns": N_STEP_RETURNS, "steps": STEPS_USED}
    )
    has_n = n is not None or "n" in _meanings(function, arguments, OPTIONS, "n").values()
    subject = RolloutSubject(discount, n=n if has_n else "all", windows=True, uses_n=has_n)
    return _check_rollouts(
        function, question, subject, arguments, layout, framework, needs=("reward", "discount"), n_means="n"
    )


def check_returns(
    function: Callable[..., Any],
    *,
    arguments: Mapping[str, str] | None = None,
    discount: float | None = None,
    layout: str | None = None,
    framework: str | None = None,
) -> CheckResult:
    """Check a function that computes discounted returns, also called rewards to go.

    Args, Returns and Raises: as `check_gae`. Where the function is told values or a last value, episodes that are cut
    off count them; where it is not, what comes after the last step counts as 0.

    Source: Sutton & Barto (2018), eq. 3.9; see `rl_envs.diagnosis.oracles.discounted_returns`.
    """
    question = Question(
        "discounted returns",
        "returns",
        "advantages",
        lambda _: {"returns": DISCOUNTED_RETURNS, "advantages": MONTE_CARLO_ADVANTAGES},
    )
    subject = RolloutSubject(discount, trace_decay=1.0)
    return _check_rollouts(function, question, subject, arguments, layout, framework, needs=("reward", "discount"))


MONTE_CARLO_ADVANTAGES = Answer(
    (lambda x: rollout.discounted_returns(x) - x.value, rollout.advantages), rollout_mistakes.OF_ADVANTAGES
)


def check_td_targets(
    function: Callable[..., Any],
    *,
    arguments: Mapping[str, str] | None = None,
    discount: float | None = None,
    n: int | None = None,
    temperature: float | None = None,
    layout: str | None = None,
    framework: str | None = None,
) -> CheckResult:
    """Check a function that computes TD targets, or TD errors, of a batch of transitions.

    Which target is meant follows from what the function takes: values of the next observation; its action values
    (Q-learning), with the next action (Sarsa) or the policy's probabilities (Expected Sarsa); two networks' (Double
    Q-learning); two critics' (the smaller counts); each with a temperature, the entropy bonus too; with n, transitions
    of n steps.

    Args:
        function: takes rewards, whether episodes terminated, and what is known of the next observations; gives targets
            [B], or [B, 1] for such rewards. Where it is also told the value that is moved, it may give TD errors.
        arguments: what is meant by parameters whose names do not tell, {parameter: role}.
        discount: gamma, where the function has it fixed.
        n: likewise.
        temperature: alpha, likewise.
        layout: "B" or "B1", the shape of the rewards; tried in this order when left out.
        framework: "numpy" or "torch"; when left out NumPy, then torch if it is imported already.

    Returns:
        The result; nothing is printed.

    Raises:
        TypeError, ValueError: as `check_gae`.

    Source: Sutton & Barto (2018), eq. 6.2 and 6.8 to 6.10; see `rl_envs.diagnosis.oracles.td_references`.
    """
    meanings = _meanings(function, arguments, TD_OPTIONS, "n")
    known = {"next_values", "next_or_last_value", "last_value", "next_q", "valuing_q", "next_q1", "value"}
    _need(function, meanings, {"reward": None, "discount": discount})
    if not known & set(meanings.values()):
        raise TypeError(
            f"a TD target needs to know what the next observation is worth, but {name_of(function)} takes only "
            f"{', '.join(meanings)}: say which it is with arguments={{parameter: 'next_values'}} or 'next_q'"
        )
    if "temperature" in meanings.values() and not {"policy", "log_probability"} & set(meanings.values()):
        has_q = {"next_q"} & set(meanings.values())
        if not has_q:
            raise TypeError(
                f"an entropy bonus needs probabilities, but {name_of(function)} takes none: say which parameter has "
                "them with arguments={parameter: 'policy'} or 'log_probability'"
            )
    question = Question("TD targets", "targets", None, _td_answers)
    shown = {name: parts for name, parts in SHOWN.items() if {meanings[p] for p in meanings} & parts}
    subject = TransitionSubject(discount, n, temperature, tuple(shown))
    return _check(function, question, subject, list(td_readings(meanings, fixed_n=n is not None)), layout, framework)


def _td_answers(reading: Reading) -> dict[str, Answer]:
    assert isinstance(reading, TDReading)
    rules = [partial(transitions.td_target, worth=reading.worth)]
    if "value" in reading.feeds.values():
        rules.append(partial(transitions.td_error, worth=reading.worth))
    return {"targets": Answer(tuple(rules), td_mistakes.of_td_targets(reading.worth))}


def _check_rollouts(
    function: Callable[..., Any],
    question: Question,
    subject: RolloutSubject,
    arguments: Mapping[str, str] | None,
    layout: str | None,
    framework: str | None,
    *,
    needs: Sequence[str],
    n_means: str = "length",
) -> CheckResult:
    meanings = _meanings(function, arguments, OPTIONS, n_means)
    settings = {"discount": subject.discount, "trace_decay": subject.trace_decay}
    _need(function, meanings, {need: settings.get(need) for need in needs})
    return _check(function, question, subject, list(readings(meanings)), layout, framework)


def _check(
    function: Callable[..., Any],
    question: Question,
    subject: Subject,
    ways: Sequence[Reading],
    layout: str | None,
    framework: str | None,
) -> CheckResult:
    if layout is not None and layout not in subject.layouts:
        raise ValueError(f"layout must be one of {', '.join(subject.layouts)}, but is {layout!r}")
    if framework not in (None, "numpy", "torch"):
        raise ValueError(f"framework must be numpy or torch, but is {framework!r}")
    layouts = subject.layouts if layout is None else (layout,)
    positional_only = tuple(
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind == parameter.POSITIONAL_ONLY
    )

    def attempt(ways: Sequence[Reading], layouts: Sequence[str]) -> Attempt:
        return best_attempt(function, question, subject, ways, layouts, framework, positional_only)

    best = attempt([way for way in ways if not way.whole_episodes], layouts)
    if best.rank >= 2 or set(best.keys) == {"last_value_of_wrong_state"}:
        # Told no more values than there are steps, it may be right for rollouts that end with an episode.
        whole = [way for way in ways if way.whole_episodes]
        best = min([best, *(attempt(whole, layouts) for _ in whole[:1])], key=lambda tried: tried.rank)
    name = name_of(function)
    notes = []
    if best.rank and layout in EXCHANGED:
        other = EXCHANGED[layout]
        if attempt(ways, (other,)).rank == 0:
            finding = Finding(
                ("time_and_batch_exchanged",),
                f"it takes the {'second' if layout == 'TB' else 'first'} axis for time: right for "
                f"[{', '.join(other)}], not for [{', '.join(layout)}]",
                "exchange the axes where it is called, or inside",
            )
            return CheckResult(question.what, name, "wrong", (finding,), best.reading.notes())
    if best.rank == 0 and best.form.layout == "T" and layout is None:
        notes = _other_layouts([attempt([best.reading], (other,)) for other in ("TB", "BT")])
    return report(best, question, subject, name, notes)


def _other_layouts(others: Sequence[Attempt]) -> list[str]:
    """What to say of layouts with several copies, of a function that is right for one."""
    right = [other for other in others if other.rank == 0]
    if right:
        return [f"it is right for [T] and for [{', '.join(other.form.layout)}]" for other in right]
    silent = [other for other in others if other.failure is None]
    if not silent:
        return ["it takes [T], one copy at a time"]
    known: dict[str, Mistake] = {m.sentence: m for found in silent[0].explained.values() for m in found}
    return [
        "it is right for [T] alone: given [T, B] it returns wrong numbers and no error"
        + "".join(f" ({sentence})" for sentence in list(known)[:1])
    ]


def _meanings(
    function: Callable[..., Any], arguments: Mapping[str, str] | None, usable: Collection[str], n_means: str
) -> dict[str, str]:
    return read_signature(function, arguments or {}, usable, n_means=n_means)


def _need(function: Callable[..., Any], meanings: Mapping[str, str], needs: Mapping[str, float | None]) -> None:
    """Raise unless all that is needed is a parameter of the function, or given.

    Raises:
        TypeError: something is missing.
    """
    have = set(meanings.values())
    if "discounts" in have:
        have.add("discount")
    for need, given in needs.items():
        if need in have or given is not None:
            continue
        fixed = need in ("discount", "trace_decay")
        how = (
            f"pass the one that it uses, {need}=..."
            if fixed
            else f"say which it is with arguments={{parameter: '{need}'}}"
        )
        raise TypeError(
            f"{name_of(function)} has no parameter for the {need.replace('_', ' ')}; "
            f"it has {', '.join(meanings)}: {how}"
        )
