"""Every draw of the stand-in generator against its exact law, and against what NumPy's own generator draws."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from laws import law_of, p_value

from rl_envs.extraction.chance import Chance
from rl_envs.extraction.generator import EnumeratingGenerator
from rl_envs.extraction.refusal import NotTabular

P = [0.2, 0.5, 0.3]


def shuffled(generator):
    values = [1, 2, 3]
    generator.shuffle(values)
    return tuple(values)


def shuffled_rows(generator):
    values = np.arange(6).reshape(3, 2)
    generator.shuffle(values)
    return values


DRAWS = {
    "random": lambda g: g.random() < 0.3,
    "random >": lambda g: g.random() > 0.3,
    "random of a size": lambda g: g.random(3) < 0.25,
    "random of a shape": lambda g: (g.random((2, 2)) < [0.1, 0.5]).sum(),
    "two random numbers": lambda g: g.random() < 0.5 and g.random() < 0.2,
    "one asked twice": lambda g: (lambda u: (u < 0.5, u < 0.8))(g.random()),
    "argmax of a cumulative sum": lambda g: np.argmax(np.cumsum(P) > g.random()),
    "searchsorted": lambda g: np.searchsorted(np.cumsum(P), g.random()),
    "searchsorted, a method": lambda g: np.cumsum(P).searchsorted(g.random(), side="right"),
    "digitize": lambda g: np.digitize(g.random(), [0.1, 0.7]),
    "int": lambda g: int(g.random() * 5),
    "int of an array": lambda g: (g.random(2) * 3).astype(int),
    "floor": lambda g: np.floor(g.uniform(-1.5, 1.5)),
    "round": lambda g: round(g.uniform(0, 2)),
    "round to a digit": lambda g: round(g.uniform(0, 0.3), 1),
    "remainder": lambda g: int((g.random() * 6) % 2),
    "absolute": lambda g: abs(g.uniform(-1, 3)) < 0.5,
    "clip": lambda g: np.clip(g.uniform(-1, 2), 0.0, 1.0) == 1.0,
    "the larger": lambda g: max(g.random(), 0.5) > 0.75,
    "arithmetic": lambda g: 1 - 2 * g.random() / 4 > np.float64(0.6),
    "uniform": lambda g: g.uniform(-1, 1) > 0.5,
    "uniform of arrays": lambda g: g.uniform([0, 1], [2, 3]) > 1.5,
    "normal": lambda g: g.normal(1, 2) > 2,
    "standard_normal": lambda g: g.standard_normal(2) > 0,
    "exponential": lambda g: g.exponential(2.0) < 1,
    "integers": lambda g: g.integers(4),
    "integers of a range": lambda g: g.integers(2, 5, endpoint=True),
    "integers of arrays": lambda g: g.integers([1, 2], [2, 4]),
    "integers of a size": lambda g: g.integers(2, size=3),
    "choice": lambda g: g.choice(["a", "b", "c"]),
    "choice by p": lambda g: g.choice(3, p=P),
    "choice of a deck": lambda g: g.choice([1, 2, 10, 10, 10]),
    "choice of a size": lambda g: g.choice([5, 7], size=2, p=[0.25, 0.75]),
    "choice without replacement": lambda g: g.choice(4, size=2, replace=False),
    "choice without replacement by p": lambda g: g.choice(3, size=2, replace=False, p=P),
    "choice of rows": lambda g: g.choice(np.arange(6).reshape(3, 2)),
    "permutation": lambda g: g.permutation(4),
    "permutation of an array": lambda g: g.permutation(np.array([5, 6, 7])),
    "shuffle": shuffled,
    "shuffle of rows": shuffled_rows,
    "permuted": lambda g: g.permuted(np.arange(4).reshape(2, 2), axis=1),
    "permuted, all": lambda g: g.permuted([1, 2, 3]),
    "binomial": lambda g: g.binomial(4, 0.3),
    "binomial of a size": lambda g: g.binomial(2, [0.3, 0.6]),
    "multinomial": lambda g: g.multinomial(3, P),
    "geometric": lambda g: g.geometric(0.4),
    "poisson": lambda g: g.poisson(1.5),
    "hypergeometric": lambda g: g.hypergeometric(3, 4, 2),
}


@pytest.mark.parametrize("name", DRAWS)
def test_a_draw_has_a_law_that_sums_to_1_and_that_numpy_draws_by(name: str) -> None:
    law, left_out = law_of(DRAWS[name])
    assert sum(law.values()) + left_out == pytest.approx(1.0, abs=1e-9)
    # NumPy's own draws come out so, or further from the law, once in 10,000 times: 50 draws, so rarely one of them.
    assert p_value(law, DRAWS[name]) > 1e-4


def test_names_of_the_old_generator_draw_the_same() -> None:
    assert law_of(lambda g: g.rand() < 0.3)[0] == law_of(lambda g: g.random() < 0.3)[0]
    assert law_of(lambda g: g.rand(2) < 0.3)[0] == law_of(lambda g: g.random_sample(2) < 0.3)[0]
    assert law_of(lambda g: g.randint(3))[0] == law_of(lambda g: g.integers(3))[0]
    assert type(EnumeratingGenerator(Chance(skip_below=0, max_branches=9)).randint(3)) is int
    assert law_of(lambda g: g.randn() < 0)[0] == pytest.approx({True: 0.5, False: 0.5})


def test_probabilities_are_those_of_arithmetic() -> None:
    # 0.2; then 0.5 and 0.3 shared out in proportion: 0.2 * 0.5/0.8 = 0.125, 0.5 * 0.2/0.5 = 0.2 ...
    law, _ = law_of(lambda g: g.choice(3, size=2, replace=False, p=P))
    assert law[0, 1] == pytest.approx(0.2 * 0.5 / 0.8)
    assert law[1, 0] == pytest.approx(0.5 * 0.2 / 0.5)
    assert law_of(lambda g: g.multinomial(3, [0.5, 0.5]))[0][(1, 2)] == pytest.approx(3 / 8)
    assert law_of(lambda g: g.choice([1, 2, 10, 10, 10]))[0] == pytest.approx({1: 0.2, 2: 0.2, 10: 0.6})
    assert len(law_of(lambda g: g.choice([1, 2, 10, 10, 10]))[0]) == 3


def test_a_branch_that_only_rounding_makes_is_folded_away() -> None:
    thirds = np.cumsum([1 / 300] * 300)
    assert thirds[-1] != 1.0  # so that argmax would give 0 with probability 1 - thirds[-1]
    law, _ = law_of(lambda g: np.argmax(thirds > g.random()))
    assert len(law) == 300
    assert min(law.values()) == pytest.approx(1 / 300)
    assert law[0] == pytest.approx(1 / 300, abs=1e-14)


def test_a_loop_that_rejects_is_cut_off_and_the_rest_counted() -> None:
    def until(generator):
        while True:
            drawn = generator.integers(4)
            if drawn:
                return drawn

    law, left_out = law_of(until, skip_below=1e-6)
    assert left_out == pytest.approx(4.0**-9)  # 4 ** -10 is below 1e-6, so what is left after 9 draws is left out
    assert sum(law.values()) + left_out == pytest.approx(1.0)
    assert law[1] == pytest.approx(law[2])


def test_a_loop_without_end_is_refused() -> None:
    def forever(generator):
        while generator.random() < 2:
            generator.integers(2)

    with pytest.raises(NotTabular, match=r"at most 100,000 draws|ways to fall"):
        law_of(forever, skip_below=0.0, max_branches=10**9)


def test_too_many_branches_are_refused_with_the_line() -> None:
    with pytest.raises(NotTabular, match=r"max_branches=100 values, but the one at test_generator.py:\d+ has 101"):
        law_of(lambda g: g.integers(101), max_branches=100)
    with pytest.raises(NotTabular, match=r"max_branches=100 ways to fall, but has more, drawn at test_gener\S+:\d+"):
        law_of(lambda g: g.integers(2, size=10), max_branches=100)


def test_a_step_that_draws_something_else_the_second_time_is_refused() -> None:
    calls = []

    def unsteady(generator):
        calls.append(1)
        return generator.integers(2 + len(calls))

    with pytest.raises(NotTabular, match="must draw the same when it is run again"):
        law_of(unsteady)
    calls.clear()
    with pytest.raises(NotTabular, match="fewer draws"):
        law_of(lambda g: calls.append(1) or (g.integers(2) if len(calls) == 1 else 0))


NEEDS_THE_NUMBER = {
    "made a float": lambda g: float(g.random()),
    "used as a key": lambda g: {g.random(): 1},
    "multiplied by another draw": lambda g: g.random() * g.random(),
    "compared with another draw": lambda g: g.random() < g.random(),
    r"raised to a power": lambda g: g.random() ** 2,
    r"given to np.sqrt": lambda g: np.sqrt(g.random()),
    r"given to np.interp": lambda g: np.interp(g.random(), [0, 1], [0, 1]),
    r"divided by": lambda g: 1 / g.random(),
}


@pytest.mark.parametrize("what", NEEDS_THE_NUMBER)
def test_what_needs_the_number_itself_is_refused_with_the_line(what: str) -> None:
    with pytest.raises(NotTabular, match=rf"drawn at test_generator.py:\d+ is {what} at test_generator.py:\d+"):
        law_of(NEEDS_THE_NUMBER[what])


@pytest.mark.parametrize("name", ["dirichlet", "standard_cauchy", "bytes", "vonmises", "spawn", "multivariate_normal"])
def test_draws_without_a_finite_law_are_refused_by_name(name: str) -> None:
    with pytest.raises(NotTabular, match=rf"{name}\(\) is drawn at test_generator.py:\d+"):
        law_of(lambda g: getattr(g, name)(1))


def test_the_stream_of_the_stand_in_is_out_of_reach() -> None:
    with pytest.raises(NotTabular, match=r"bit_generator\(\) is drawn"):
        law_of(lambda g: g.bit_generator)
    own = {name for name in dir(np.random.Generator) if not name.startswith("_")}
    assert all(name in vars(EnumeratingGenerator) for name in own), "a method of NumPy's would draw from the stand-in"


def test_the_stand_in_is_a_generator() -> None:
    assert isinstance(EnumeratingGenerator(Chance(skip_below=0, max_branches=1)), np.random.Generator)


def test_sums_of_normal_noise_keep_their_mean_and_deviation() -> None:
    generator = EnumeratingGenerator(Chance(skip_below=0, max_branches=1))
    noise = 1 + generator.normal(2, 3) - 2 * generator.standard_normal() / 4
    assert noise.normal() == pytest.approx((3.0, np.hypot(3, 0.5)))
    assert (generator.random() + noise).normal() is None


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda g: g.choice([]), "a cannot be empty"),
        (lambda g: g.choice(3, p=[0.5, 0.5]), "a and p must have same size"),
        (lambda g: g.choice(2, p=[0.5, 0.6]), "(?i)probabilities do not sum to 1"),
        (lambda g: g.choice(2, size=3, replace=False), "Cannot take a larger sample"),
        (lambda g: g.integers(3, 3), "low >= high"),
    ],
)
def test_bad_arguments_get_numpys_own_error(draw, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw(np.random.default_rng(0))
    with pytest.raises(ValueError, match=message):
        law_of(draw)
