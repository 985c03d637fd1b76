"""What tuning searches."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from baselines.registry import AGENTS, make_agent
from baselines.training.loop import train
from baselines.tuning.search_space import DEPENDS_ON, USUAL_RANGES, Choice, Range, search_space, usual_dimension
from rl_envs.specification import Specification

NOTHING_TO_SET = {"Random", "Optimal"}


def values_of(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    config = AGENTS.config(name, settings)
    return {field.name: getattr(config, field.name) for field in fields(config)}


@pytest.mark.parametrize("name", sorted(AGENTS.keys() - NOTHING_TO_SET))
def test_every_agent_and_preset_can_be_searched_around_the_values_it_has(name: str) -> None:
    for preset in (None, *AGENTS.load(name).PRESETS):
        settings = {} if preset is None else {"preset": preset}
        space, present = search_space(Specification(name, settings).label), values_of(name, settings)
        assert space
        for field, where in space.items():
            assert present[field] in where, (preset, field)
            ends = where.values if isinstance(where, Choice) else (where.low, where.high)
            for value in ends:
                assert type(value) is type(present[field])
                AGENTS.config(name, {**settings, field: value})  # the agent's own Config has the last word


@pytest.mark.parametrize("name", sorted(NOTHING_TO_SET))
def test_an_agent_without_settings_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} has no settings, so there is nothing to tune"):
        search_space(name)


def test_every_name_in_the_tables_is_a_field_of_some_agent() -> None:
    known = {field.name for name in AGENTS for field in fields(AGENTS.load(name).Config)}
    assert USUAL_RANGES.keys() <= known
    assert DEPENDS_ON.keys() <= known
    assert {other for conditions in DEPENDS_ON.values() for other in conditions} <= known


def other_value(field: str, present: Any) -> Any:
    if isinstance(present, tuple):
        return (5,)
    return {"optimiser": "descent"}.get(field, present + 1 if not isinstance(present, str) else None)


# prior_mean has no usual range either, but it does something.
CASES = [
    (name, field, world)
    for name, world in {
        "Reinforce": "LineWalk",
        "TDValue": "RandomWalk",
        "Thompson": "Bandit",
        "MaxEntIRL": "LineWalk",
    }.items()
    for field in sorted(values_of(name, {}).keys() & DEPENDS_ON.keys() - search_space(name).keys() - {"prior_mean"})
]


@pytest.mark.parametrize(("name", "field", "world"), CASES)
def test_a_field_that_is_left_out_for_doing_nothing_does_nothing(name: str, field: str, world: str) -> None:
    with pytest.raises(ValueError, match=f"{field} of {name} does nothing unless .*, but that is neither set nor sear"):
        search_space(name, [field])
    changed = Specification(name, {field: other_value(field, values_of(name, {})[field])}).label
    curves = [train(make_agent(one, world, runs=2), steps=60, checkpoints=2).scores for one in (name, changed)]
    np.testing.assert_array_equal(*curves)


def test_a_field_is_searched_once_what_it_depends_on_is_set_or_searched_too() -> None:
    assert "hidden" not in search_space("Reinforce")
    assert "hidden" in search_space("Reinforce:policy=network")
    assert "hidden" in search_space("Reinforce", ["usual", "policy=table|network"])
    assert search_space("Reinforce", ["hidden", "policy=table|network"]).keys() == {"hidden", "policy"}


def test_what_is_typed_is_searched_and_nothing_beside_it() -> None:
    assert search_space("DQN", ["hidden=(32,)|(64,64)", "batch_size=8..64:log", "double", "epsilon=0..1"]) == {
        "hidden": Choice(((32,), (64, 64))),
        "batch_size": Range(8, 64, log=True),
        "double": Choice((False, True)),
        "epsilon": Range(0.0, 1.0),
    }
    assert search_space("QLearning", ["epsilon"]) == {"epsilon": USUAL_RANGES["epsilon"]}
    assert search_space("DQN", ["loss=huber|mse"]) == {"loss": Choice(("huber", "mse"))}
    assert search_space("QLearning", ["step_size_half_life=5|inf"]) == {"step_size_half_life": Choice((5.0, math.inf))}


def test_usual_stands_for_all_fields_with_a_usual_range_and_others_can_be_added() -> None:
    usual = search_space("QLearning")
    assert search_space("QLearning", ["usual"]) == usual
    more = search_space("QLearning", ["usual", "initial_value=0..5", "epsilon=0.1..0.2"])
    assert more == {**usual, "initial_value": Range(0.0, 5.0), "epsilon": Range(0.1, 0.2)}


def test_a_field_that_is_set_is_held_unless_it_is_named() -> None:
    assert "epsilon" not in search_space("QLearning:epsilon=0.1")
    assert "epsilon" in search_space("QLearning:epsilon=0.1", ["usual", "epsilon"])


def test_a_usual_range_is_widened_to_the_value_that_the_agent_has() -> None:
    assert usual_dimension("learning_rate", 0.5) == Range(1e-4, 0.5, log=True)
    assert usual_dimension("target_every", 3) == Range(3, 10_000, log=True)
    assert usual_dimension("hidden", (7,)) == Choice(((7,), (32,), (64,), (32, 32), (64, 64)))
    # 0 has no logarithm, and no range ends with infinity.
    assert usual_dimension("entropy_weight", 0.0) == Choice((0.0, 1e-4, 1e-3, 1e-2, 1e-1, 1.0))
    assert usual_dimension("max_gradient_norm", math.inf) == Choice((math.inf, 0.1, 0.562, 3.16, 17.8, 100.0))


class Always:
    """A trial whose sampler always suggests the same."""

    def __init__(self, value: float) -> None:
        self.value = value

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:
        return self.value


def test_numbers_are_rounded_to_three_digits_and_stay_between_the_ends() -> None:
    where: Any = Range(0.12345, 0.98765)
    assert where.suggest(Always(0.456789), "epsilon") == 0.457
    assert where.suggest(Always(0.12346), "epsilon") == 0.12345
    assert where.suggest(Always(0.98764), "epsilon") == 0.98765


@pytest.mark.parametrize(
    ("agent", "searched", "error", "message"),
    [
        ("QLearnin", [], ValueError, "unknown agent 'QLearnin'. Did you mean 'QLearning'?"),
        ("QLearning", ["step_size="], ValueError, "what is searched must be LOW..HIGH.* but for step_size it is ''"),
        ("QLearning", ["usual="], ValueError, "'usual' stands for all usual ranges and has no values, but is given as"),
        ("QLearning", ["epsilo=0..1"], ValueError, "unknown setting of QLearning 'epsilo'. Did you mean 'epsilon'?"),
        ("QLearning", ["epsilon=0..1.5"], ValueError, r"epsilon must be in \[0, 1\], but is 1.5"),
        ("QLearning", ["epsilon", "epsilon=0..1"], ValueError, "each setting must be searched once, but 'epsilon' is"),
        ("QLearning", ["epsilon=0.3"], ValueError, "must be LOW..HIGH, LOW..HIGH:log or A|B, but for epsilon it is"),
        ("QLearning", ["epsilon=0..1:lin"], ValueError, "but for epsilon it is '0..1:lin'"),
        (
            "QLearning",
            ["epsilon=a..b"],
            ValueError,
            "the ends of a range must be numbers, but for epsilon it is 'a..b'",
        ),
        ("QLearning", ["epsilon=1..0"], ValueError, "a range must rise from one finite number to another, but is 1..0"),
        ("QLearning", ["epsilon=0..1:log"], ValueError, "a range in the logarithm must begin above 0, but is 0..1:log"),
        ("QLearning", ["epsilon=1|1.0"], ValueError, r"two values or more, each given once, but is 1.0\|1.0"),
        ("QLearning", ["initial_value"], ValueError, "initial_value has no usual range, so the values must be given"),
        ("QLearning", ["epsilon=a|b"], TypeError, "QLearning's epsilon must be a number, but is 'a'"),
        ("DQN", ["batch_size=0.5..4"], TypeError, "DQN's batch_size must be an integer, but is 0.5"),
        ("DQN", ["hidden=1..2"], TypeError, "DQN's hidden must be a list, but is 1"),
        ("MaxEntIRL:penalty=0.1", [], ValueError, "MaxEntIRL:penalty=0.1 leaves nothing to tune: name what to search"),
    ],
)
def test_what_cannot_be_searched_is_refused(
    agent: str, searched: list[str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        search_space(agent, searched)
