"""Names with settings."""

from __future__ import annotations

import pytest

from baselines.training.specification import label, named, parse


@pytest.mark.parametrize(
    ("text", "name", "settings"),
    [
        ("LineWalk", "LineWalk", {}),
        ("LineWalk:size=9,slip=0.1", "LineWalk", {"size": 9, "slip": 0.1}),
        ("Bandit: means=(0, 1.5) , std=1", "Bandit", {"means": (0, 1.5), "std": 1}),
        ("Bandit:means=[0,1]", "Bandit", {"means": [0, 1]}),
        ("LineWalk:observation=one_hot", "LineWalk", {"observation": "one_hot"}),
        ("RandomMDP:branching=None", "RandomMDP", {"branching": None}),
    ],
)
def test_a_specification_is_taken_apart(text: str, name: str, settings: dict[str, object]) -> None:
    assert parse(text) == (name, settings)


def test_putting_together_and_taking_apart_are_inverse() -> None:
    settings = {"size": 9, "means": (0, 1.5), "observation": "one_hot", "branching": None}
    assert parse(label("World", settings)) == ("World", settings)
    assert label("World", {"b": 1, "a": 2}) == label("World", {"a": 2, "b": 1}) == "World:a=2,b=1"


@pytest.mark.parametrize("text", ["LineWalk:size", "LineWalk:=3", "LineWalk:a b=3", "LineWalk:size=1,,slip=2"])
def test_a_setting_without_key_or_value_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a setting must have the form key=value"):
        parse(text)


def test_a_setting_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="'size' twice"):
        parse("LineWalk:size=1,size=2")


def test_a_label_is_the_same_for_lists_as_for_tuples() -> None:
    assert (
        label("Bandit", {"means": [0, [1, 2]]}) == label("Bandit", {"means": (0, (1, 2))}) == "Bandit:means=(0, (1, 2))"
    )


@pytest.mark.parametrize("error", [ValueError, TypeError])
def test_an_error_is_put_behind_what_it_concerns(error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^World:size=0: size must be at least 1$"), named("World:size=0"):
        raise error("size must be at least 1")


def test_an_error_that_says_what_it_concerns_and_one_of_another_kind_stay_as_they_are() -> None:
    with pytest.raises(ValueError, match=r"^unknown world 'World'$"), named("World:size=0"):
        raise ValueError("unknown world 'World'")
    with pytest.raises(ZeroDivisionError, match=r"^nothing$"), named("World:size=0"):
        raise ZeroDivisionError("nothing")
