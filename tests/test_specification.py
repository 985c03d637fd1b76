"""Names with settings: the grammar, and what stands in tables and files."""

from __future__ import annotations

import copy
import inspect
import math
import pickle
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_envs.specification import Specification, check_no_word, named, read_value


@pytest.mark.parametrize(
    ("text", "name", "settings"),
    [
        ("LineWalk", "LineWalk", {}),
        ("LineWalk:", "LineWalk", {}),
        ("LineWalk:size=9,slip=0.1", "LineWalk", {"size": 9, "slip": 0.1}),
        ("Bandit: means=(0, 1.5) , std=1", "Bandit", {"means": (0, 1.5), "std": 1}),
        ("Bandit:means=[0,1]", "Bandit", {"means": (0, 1)}),
        ("LineWalk:observation=one_hot", "LineWalk", {"observation": "one_hot"}),
        ("RandomMDP:branching=None", "RandomMDP", {"branching": None}),
        ("my_module:MyEnv-v0", "my_module:MyEnv-v0", {}),
        ("my_package.envs:mine/MyEnv-v12:size=3", "my_package.envs:mine/MyEnv-v12", {"size": 3}),
        ("path/to/file.py:make_env", "path/to/file.py:make_env", {}),
        ("path=a,b/to:file.py:make_env:size=3,kind=maze", "path=a,b/to:file.py:make_env", {"size": 3, "kind": "maze"}),
        ("C:\\mazes\\file.py:make_env:size=3", "C:\\mazes\\file.py:make_env", {"size": 3}),
    ],
)
def test_a_specification_is_taken_apart(text: str, name: str, settings: dict[str, object]) -> None:
    found = Specification.parse(text)
    assert (found.name, dict(found.settings)) == (name, settings)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("True", True),
        ("false", False),
        ("False", False),
        ("9", 9),
        ("-1_000", -1000),
        ("+5", 5),
        ("0x1F", 31),
        ("1e-3", 0.001),
        ("inf", math.inf),
        ("+inf", math.inf),
        ("-inf", -math.inf),
        ("[1, -inf, [true]]", (1, -math.inf, (True,))),
        ("(1,)", (1,)),
        ("[]", ()),
        ("one_hot", "one_hot"),
        ("8x8", "8x8"),
        ("'true'", "true"),
        ('"a, b"', "a, b"),
        ("it's", "it's"),
        ("{'lanes': 4}", {"lanes": 4}),
        ("1 if 2", "1 if 2"),
    ],
)
def test_values_are_those_of_toml_and_python(text: str, value: object) -> None:
    found = read_value(text)
    assert (found, type(found)) == (value, type(value))
    assert Specification.parse(f"X:a={text},b=1").settings == {"a": value, "b": 1}


def test_not_a_number_is_read_as_such() -> None:
    assert math.isnan(read_value("nan"))


settings = st.dictionaries(
    st.sampled_from(["size", "slip", "means", "name"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3).map(tuple),
        max_leaves=5,
    ),
)


@given(settings)
def test_a_label_is_read_as_an_equal_specification(settings: dict[str, Any]) -> None:
    """Whatever the settings are: quotes, commas, brackets, escapes, words that would be values."""
    given = Specification("World", settings)
    found = Specification.parse(given.label)
    assert found == given
    assert dict(found.settings) == dict(sorted(settings.items()))


def test_what_means_the_same_is_equal_and_has_the_same_label() -> None:
    first, *others = (
        Specification.parse(text)
        for text in ("World:b=(1, [2]),a=true", "World: a = True , b=[1,(2,)]", "World:a=True,b=(1, (2,))")
    )
    assert all(other == first and hash(other) == hash(first) for other in others)
    assert first.label == str(first) == "World:a=True,b=(1, (2,))"
    assert repr(first) == "Specification('World:a=True,b=(1, (2,))')"
    assert first != Specification.parse("World:a=1,b=(1, (2,))")  # 1 is no true
    assert first != first.label


def test_labels_are_what_they_have_always_been() -> None:
    """Seeds and files of results depend on them."""
    given = {
        "means": [0, 1.5],
        "size": 9,
        "observation": "one_hot",
        "branching": None,
        "map_name": "8x8",
        "x": math.inf,
    }
    label = "World:branching=None,map_name=8x8,means=(0, 1.5),observation=one_hot,size=9,x=inf"
    assert Specification("World", given).label == label
    assert Specification("Bandit", {"means": [0, [1, 2]]}).label == "Bandit:means=(0, (1, 2))"
    assert (
        Specification("World", {"size": np.int64(9), "slips": (np.float64(0.5),)}).label == "World:size=9,slips=(0.5,)"
    )


def test_settings_cannot_be_changed() -> None:
    given = Specification("World", {"size": 9})
    with pytest.raises(TypeError, match="does not support item assignment"):
        given.settings["size"] = 3  # type: ignore[index]


def test_a_specification_goes_to_another_process() -> None:
    given = Specification.parse("my_module:MyEnv-v0:size=(1,2)")
    assert pickle.loads(pickle.dumps(given)) == copy.deepcopy(given) == given


def test_settings_are_put_over_others() -> None:
    given = Specification.parse("World:a=1,b=2")
    assert given.with_settings({"b": 3, "c": 4}) == Specification.parse("World:a=1,b=3,c=4")
    assert given.also({"c": 3}) == {"a": 1, "b": 2, "c": 3}
    with pytest.raises(
        TypeError, match="a setting must be given once, but b is given both in World:a=1,b=2 and as an argument"
    ):
        given.also({"b": 3})


@pytest.mark.parametrize(
    "text", ["LineWalk:size", "LineWalk:=3", "LineWalk:a b=3", "LineWalk:size=1,,slip=2", "LineWalk:size=", "X:Y-v0x"]
)
def test_a_setting_without_key_or_value_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a setting must have the form key=value"):
        Specification.parse(text)


def test_a_setting_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="'size' twice"):
        Specification.parse("LineWalk:size=1,size=2")


@pytest.mark.parametrize("part", ["means=(0,1", "means=[a, b]", "name='one", 'name="one', "means={", "means=(1))"])
def test_a_list_or_string_without_an_end_is_refused(part: str) -> None:
    with pytest.raises(ValueError, match="a list or a quoted string must be closed and hold nothing but values, but "):
        Specification.parse(f"Bandit:{part}")


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError, match="a specification must be a string, but is 3"):
        Specification.parse(3)  # type: ignore[arg-type]


def settled(flag: bool = True, size: int = 3, rate: float = 0.1, name: str = "a", kind: int | str = 0) -> None:
    """Takes settings of every type."""


def test_a_word_is_refused_where_a_bool_or_a_number_is_meant() -> None:
    parameters = inspect.signature(settled).parameters
    for name, value, message in (
        ("flag", "fals", r"X's flag must be true or false, but is 'fals'. Did you mean false\?$"),
        ("flag", "no", "X's flag must be true or false, but is 'no'$"),
        ("size", "three", "X's size must be an integer, but is 'three'$"),
        ("rate", "high", "X's rate must be a number, but is 'high'$"),
    ):
        with pytest.raises(TypeError, match=message):
            check_no_word(f"X's {name}", value, parameters[name])
    for name, value in (("flag", False), ("size", 4), ("rate", 1), ("name", "b"), ("kind", "uniform")):
        check_no_word(f"X's {name}", value, parameters[name])
    literal = inspect.Parameter("kind", inspect.Parameter.KEYWORD_ONLY, default=0, annotation=Literal[0, "all"])
    check_no_word("X's kind", "all", literal)


@pytest.mark.parametrize("error", [ValueError, TypeError])
def test_an_error_is_put_behind_what_it_concerns(error: type[Exception]) -> None:
    given = Specification.parse("World:size=0")
    with pytest.raises(error, match=r"^World:size=0: size must be at least 1$"), named(given):
        raise error("size must be at least 1")


def test_an_error_that_says_what_it_concerns_and_one_of_another_kind_stay_as_they_are() -> None:
    given = Specification.parse("World:size=0")
    with pytest.raises(ValueError, match=r"^unknown world 'World'$"), named(given):
        raise ValueError("unknown world 'World'")
    with pytest.raises(ZeroDivisionError, match=r"^nothing$"), named(given):
        raise ZeroDivisionError("nothing")
