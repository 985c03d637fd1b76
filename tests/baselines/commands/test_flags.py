"""Flags that depend on what was typed."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import tyro

from baselines.commands import flags
from baselines.commands.flags import changed_fields, check_typed, mistakes_end_the_command, value_of, values_of
from baselines.games.registry import GAME_AGENTS
from baselines.registry import AGENTS
from baselines.system.atomic_files import StorageError
from baselines.training.registration import config_of

CLASSES: list[Any] = [*map(AGENTS.load, AGENTS), *map(GAME_AGENTS.load, GAME_AGENTS)]

# Of every agent, the defaults and each preset.
CONFIGS = {cls.__name__: cls.Config() for cls in CLASSES} | {
    f"{cls.__name__}-{preset}": config_of(cls, {"preset": preset})
    for cls in CLASSES
    for preset in getattr(cls, "PRESETS", {})
}


def typed_for(field: str, value: Any, prefix: str = "") -> list[str]:
    """What a person types for a field's value."""
    flag = field.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{prefix}{flag}" if value else f"--{prefix}no-{flag}"]
    return [f"--{prefix}{flag}", *map(str, value if isinstance(value, tuple) else [value])]


def another(value: Any, kind: Any) -> Any:
    """A value of the same kind, but not the same."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return 0.25 if value == 0.125 else 0.125
    if isinstance(value, tuple):
        return (3, 5, 7)
    return next((word for word in get_args(kind) if word != value), value)  # a plain string's others are not known


def parse(give: Callable[..., Callable[..., int]], default: Any, typed: list[str], **more: Any) -> Any:
    """What a command is given for a parameter that `give` made flags of."""
    seen = []

    def run(config: Any) -> int:
        seen.append(config)
        return 0

    assert tyro.cli(give(run, "config", default, **more), args=typed) == 0
    return seen[0]


def parse_one(default: Any, typed: list[str]) -> Any:
    return parse(flags.with_config, default, typed, title="Agent")


def parse_several(defaults: dict[str, Any], typed: list[str]) -> Any:
    return parse(flags.with_configs, defaults, typed)


@pytest.mark.parametrize("name", CONFIGS)
def test_every_field_of_every_agent_goes_through_the_command_line_and_back(name: str) -> None:
    config = CONFIGS[name]
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    kinds = get_type_hints(type(config))
    # From other defaults, so that what comes back is what was typed.
    elsewhere = replace(config, **{field: another(value, kinds[field]) for field, value in values.items()})
    typed = [word for field, value in values.items() for word in typed_for(field, value)]
    assert parse_one(elsewhere, typed) == config
    assert parse_one(config, []) == config
    dotted = [word for field, value in values.items() for word in typed_for(field, value, prefix="Agent.")]
    assert parse_several({"Agent": elsewhere, "Other": elsewhere}, dotted) == {"Agent": config, "Other": elsewhere}


def documented(config: type) -> dict[str, str]:
    """What is said of each field: beside or below it, or in its line of the docstring's list of attributes."""
    found: dict[str, str] = {}
    for base in filter(is_dataclass, reversed(config.__mro__)):
        text = " ".join((base.__doc__ or "").split())
        found |= {
            field.name: text.partition(f" {field.name}: ")[2] for field in fields(base) if f" {field.name}: " in text
        }
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        for field, below in pairwise(tree.body):
            if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
                found[field.target.id] = " ".join(below.value.value.split())
        beside = re.findall(r"^    (\w+): .*?  # (.*)$", inspect.getsource(base), flags=re.MULTILINE)
        found |= dict(beside)
    return found


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_the_help_says_of_every_field_what_stands_beside_it(cls: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_one(cls.Config(), ["--help"])
    said = " ".join(capsys.readouterr().out.replace("│", " ").replace(",", " ").split())
    documentation = documented(cls.Config)
    for field in fields(cls.Config):
        beginning = " ".join(documentation[field.name].replace(",", " ").split()[:2])
        assert beginning
        beside_the_flag = said.partition(f" --{field.name.replace('_', '-')} ")[2].partition("(default: ")[0]
        assert beginning in beside_the_flag, f"{field.name} of {cls.__name__} has no help"


@dataclass(frozen=True)
class Small:
    """Settings of nobody.

    Attributes:
        weight: of nothing.
        widths: of layers.
    """

    weight: float = 0.5
    widths: tuple[int, ...] = (8,)


def test_flags_may_be_typed_with_underscores_and_equals_signs_and_left_empty() -> None:
    assert parse_one(AGENTS.config("QLearning", {}), ["--step_size=0.5"]).step_size == 0.5
    assert parse_one(Small(), ["--widths"]) == Small(widths=())
    assert parse_several({"QLearning": AGENTS.config("QLearning", {})}, ["--QLearning.step_size=0.5"]) == {
        "QLearning": AGENTS.config("QLearning", {"step_size": 0.5})
    }


def test_a_value_that_a_config_refuses_is_refused_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parse_one(AGENTS.config("QLearning", {}), ["--epsilon", "5"])
    assert left.value.code == 2
    assert "epsilon must be in [0, 1], but is 5" in capsys.readouterr().err


def test_a_command_keeps_its_other_flags_and_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    def command(steps: int, config: Any, folder: Path = Path("x")) -> int:
        """Do nothing.

        Args:
            steps: How many.
            folder: Which.
        """
        seen.append((steps, config, folder))
        return 7

    seen: list[Any] = []
    assert tyro.cli(flags.with_config(command, "config", Small(), title="Nobody"), args=["--steps", "3"]) == 7
    assert seen == [(3, Small(), Path("x"))]
    with pytest.raises(SystemExit):
        tyro.cli(flags.with_config(command, "config", Small(), title="Nobody"), args=["--help"])
    said = capsys.readouterr().out
    for words in ("Do nothing.", "How many.", "Which.", "Nobody options", "of nothing. (default: 0.5)"):
        assert words in said


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ([], "QLearning"),
        (["--steps", "3"], "QLearning"),
        (["--agent", "DQN", "--steps", "3"], "DQN"),
        (["--agent=DQN:hidden=(8,8)"], "DQN:hidden=(8,8)"),
        (["--agent"], "QLearning"),
        (["--agents", "DQN"], "QLearning"),
    ],
)
def test_an_argument_is_known_before_the_others(typed: list[str], value: str) -> None:
    assert value_of(typed, "--agent", "QLearning") == value


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ([], ["Random"]),
        (["--game_agents", "A", "B", "--runs", "3"], ["A", "B"]),
        (["--game-agents=A", "--runs", "3"], ["A"]),
        (["--game-agents", "--runs", "3"], []),
    ],
)
def test_several_values_are_known_before_the_others(typed: list[str], values: list[str]) -> None:
    assert values_of(typed, "--game-agents", ["Random"]) == values


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (
            ["--worlds", "A", "--runs", "3", "--worlds", "B"],
            "followed by all of its values, but --worlds is given twice",
        ),
        (["--functions=F=a.py:f", "--functions", "G=a.py:g"], "but --functions is given twice"),
        (["--held_out_runs", "3", "--held-out-runs=3"], "but --held-out-runs is given twice"),
        (["--out", ""], "^--out must not be empty, but is ''$"),
        (["--out="], "^--out must not be empty, but is ''$"),
        ([""], "^what is given must not be empty, but is ''$"),
    ],
)
def test_what_would_be_typed_in_vain_is_refused(typed: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_typed(typed)


def test_values_may_be_the_same_and_hold_equals_signs() -> None:
    check_typed(["folder", "--search", "step_size=", "step_size=", "--QLearning.epsilon", "1", "--Sarsa.epsilon", "1"])


def test_what_was_changed_by_flags_is_the_settings_of_a_specification() -> None:
    default = AGENTS.config("DQN", {"preset": "CartPole"})
    config = parse_one(default, ["--epsilon", "0.5", "--hidden", "8", "8"])
    assert changed_fields(config, default) == {"epsilon": 0.5, "hidden": (8, 8)}
    assert AGENTS.config("DQN", {"preset": "CartPole", **changed_fields(config, default)}) == config
    assert changed_fields(default, default) == {}
    assert asdict(default)["epsilon"] == 1.0


@pytest.mark.parametrize("error", [ValueError, TypeError, StorageError])
def test_a_mistake_ends_the_command_with_a_line(error: type[Exception], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left, mistakes_end_the_command():
        raise error("the rule, and what broke it")
    assert left.value.code == 2
    assert capsys.readouterr().err == "Error: the rule, and what broke it\n"


def test_what_is_no_mistake_of_the_user_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), mistakes_end_the_command():
        raise ZeroDivisionError
