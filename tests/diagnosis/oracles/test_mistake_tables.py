"""The tables of mistakes hold no mistake twice and none that changes nothing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from rl_envs.diagnosis.oracles import checks, problems, td_mistakes, transitions
from rl_envs.diagnosis.oracles.matching import Answer
from rl_envs.diagnosis.oracles.reading import readings
from rl_envs.diagnosis.oracles.signature import MEANINGS, NAMES
from rl_envs.diagnosis.oracles.td_reading import td_readings

# Several copies at once, so that mistakes that mix copies show.
ROLLOUTS = [replace(x, copies_at_once=x.reward.shape[1]) for x in problems.rollouts()]
TRANSITIONS = list(problems.transitions())

ANSWERS: dict[str, tuple[Answer, list]] = {
    "advantages": (checks.ADVANTAGES, ROLLOUTS),
    "lambda-returns": (checks.LAMBDA_RETURNS, ROLLOUTS),
    "n-step returns": (checks.N_STEP_RETURNS, ROLLOUTS),
    "discounted returns": (checks.DISCOUNTED_RETURNS, ROLLOUTS),
    "steps used": (checks.STEPS_USED, ROLLOUTS),
} | {
    worth.__name__: (
        Answer((partial(transitions.td_target, worth=worth),), td_mistakes.of_td_targets(worth)),
        TRANSITIONS,
    )
    for worth in td_mistakes.OF_ACTIONS
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_mistake_changes_some_number(name: str) -> None:
    answer, experience = ANSWERS[name]
    for mistake in answer.mistakes:
        with np.errstate(all="ignore"):
            changes = any(
                not np.allclose(variant(rule, x), rule(x))
                for variant in mistake.variants
                for rule in answer.rules
                for x in experience
            )
        assert changes, f"{mistake} changes nothing of the {name}"


@pytest.mark.parametrize("name", sorted(set(ANSWERS) - {"steps used"}))  # which may be k or gamma^k
def test_right_rules_agree_with_each_other(name: str) -> None:
    answer, experience = ANSWERS[name]
    for x in experience:
        for rule in answer.rules:
            np.testing.assert_allclose(rule(x), answer.rules[0](x), atol=1e-9)


@pytest.mark.parametrize("name", ANSWERS)
def test_every_sentence_is_said_once(name: str) -> None:
    sentences = [mistake.sentence for mistake in ANSWERS[name][0].mistakes]
    assert len(set(sentences)) == len(sentences)
    for mistake in ANSWERS[name][0].mistakes:
        assert mistake.keys
        assert not mistake.sentence.endswith(".")
        assert mistake.advice


def test_a_name_means_one_thing() -> None:
    every = [name for names in NAMES.values() for name in names.split()]
    assert sorted(every) == sorted(MEANINGS)


def test_every_pattern_of_ends_up_to_length_4_is_tried() -> None:
    for length in (2, 3, 4):
        told = [x for x in ROLLOUTS[:6] if len(x.reward) == length]
        assert len(told) == 2
        for x in told:
            kinds = x.terminated + 2 * x.truncated
            assert len({tuple(column) for column in kinds.T}) == 4**length == x.reward.shape[1]


def test_a_reading_hands_over_no_more_than_the_parameters_say() -> None:
    """One flag: no time limits. No flag: one episode. No last value: whole episodes."""
    shape = {"rewards": "reward", "values": "value", "gamma": "discount", "lam": "trace_decay"}
    one_flag = next(readings(shape | {"dones": "ended", "last_value": "last_value"}))
    no_flag = next(readings(shape | {"last_value": "last_value"}))
    whole = next(way for way in readings(shape | {"dones": "ended"}) if way.whole_episodes)
    for x in ROLLOUTS:
        assert not one_flag.view(x).truncated.any()
        assert not no_flag.view(x).ended[:-1].any()
        assert whole.view(x).terminated[-1].all()
        assert one_flag.view(x).reward.size
        assert no_flag.view(x).reward.size
        assert whole.view(x).reward.size
    assert all(
        not next(td_readings({"r": "reward", "d": "ended", "v": "value"})).view(x).truncated.any() for x in TRANSITIONS
    )
