"""Streams give every copy the numbers that its generator would have given it alone, one at a time."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_envs.envs.random_streams import BLOCK, Streams, noise_generator


def generators(num_streams: int, first_seed: int = 0) -> list[np.random.Generator]:
    return [np.random.default_rng(first_seed + i) for i in range(num_streams)]


class OneAtATime:
    """What Streams must equal: each number drawn by a call of its own."""

    def __init__(self, some: list[np.random.Generator], distribution: str) -> None:
        self._some, self._distribution = some, distribution
        self._waiting: list[list[float]] = [[] for _ in some]
        self._last = [0.0] * len(some)

    def draw(self, i: int) -> float:
        if self._waiting[i]:
            number = self._waiting[i].pop()
        else:
            number = self._some[i].random() if self._distribution == "uniform" else self._some[i].standard_normal()
        self._last[i] = number
        return number

    def put_back(self, i: int) -> None:
        self._waiting[i].append(self._last[i])

    def restart(self, i: int, generator: np.random.Generator) -> None:
        self._some[i], self._waiting[i] = generator, []


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_every_stream_gives_the_numbers_of_its_generator_over_many_blocks(distribution: str) -> None:
    streams = Streams(generators(5), distribution, block=7)
    alone = OneAtATime(generators(5), distribution)
    for _ in range(100):
        np.testing.assert_array_equal(streams.next(), [alone.draw(i) for i in range(5)])


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_the_block_that_is_shipped_gives_the_same_numbers_as_single_draws(distribution: str) -> None:
    streams = Streams(generators(3), distribution)
    alone = OneAtATime(generators(3), distribution)
    for _ in range(3 * BLOCK + 5):
        np.testing.assert_array_equal(streams.next(), [alone.draw(i) for i in range(3)])


@given(data=st.data(), num_streams=st.integers(1, 4), block=st.integers(1, 6))
def test_any_order_of_draws_gives_each_stream_its_own_numbers(
    data: st.DataObject, num_streams: int, block: int
) -> None:
    distribution = data.draw(st.sampled_from(["uniform", "normal"]))
    streams = Streams(generators(num_streams), distribution, block)
    alone = OneAtATime(generators(num_streams), distribution)
    some = st.lists(st.integers(0, num_streams - 1), unique=True)
    for call in data.draw(st.lists(st.sampled_from(["next", "next_of", "put_back", "restart"]), max_size=40)):
        indices = np.array(data.draw(some), dtype=np.int64)
        if call == "next_of":
            np.testing.assert_array_equal(streams.next_of(indices), [alone.draw(i) for i in indices])
        elif call == "restart":
            seed = data.draw(st.integers(100, 200))
            streams.restart(indices.tolist(), generators(len(indices), seed))
            for i, generator in zip(indices, generators(len(indices), seed)):
                alone.restart(i, generator)
        else:
            np.testing.assert_array_equal(streams.next(), [alone.draw(i) for i in range(num_streams)])
            if call == "put_back":
                streams.put_back(indices)
                for i in indices:
                    alone.put_back(i)


def test_returned_numbers_are_fresh_arrays() -> None:
    streams, twin = Streams(generators(3), block=4), Streams(generators(3), block=4)
    for _ in range(10):
        for array in (streams.next(), streams.next_of(np.array([0, 2]))):
            array[:] = -1.0
        np.testing.assert_array_equal(streams._numbers >= 0, True)
        twin.next()
        twin.next_of(np.array([0, 2]))
    np.testing.assert_array_equal(streams.next(), twin.next())


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_a_copy_goes_on_as_the_original(duplicate) -> None:
    streams = Streams(generators(3), block=5)
    for _ in range(7):
        streams.next()
    streams.next_of(np.array([1]))
    twin = duplicate(streams)
    for _ in range(20):
        np.testing.assert_array_equal(streams.next(), twin.next())


def test_an_empty_stream_does_not_refill_the_full_ones() -> None:
    """A single copy that starts anew must not cost a refill of all."""

    class Counting(np.random.Generator):
        calls = 0

        def random(self, *args, **kwargs):
            Counting.calls += 1
            return super().random(*args, **kwargs)

    streams = Streams([Counting(np.random.PCG64(i)) for i in range(10)], block=50)
    streams.next()
    assert Counting.calls == 10
    streams.restart([3], [Counting(np.random.PCG64(99))])
    streams.next()
    assert Counting.calls == 11


def test_there_is_one_stream_a_generator() -> None:
    assert len(Streams(generators(6))) == 6


def test_restarting_wants_a_generator_for_each_stream() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Streams(generators(3)).restart([0, 1], generators(1))


def test_noise_comes_from_a_generator_seeded_by_one_integer_of_the_first() -> None:
    generator, twin = np.random.default_rng(5), np.random.default_rng(5)
    noise = noise_generator(generator)
    seed = int(twin.integers(2**63))
    np.testing.assert_array_equal(noise.standard_normal(4), np.random.default_rng(seed).standard_normal(4))
    assert generator.random() == twin.random()


def seeds(numbers: range) -> list[np.random.SeedSequence]:
    return [np.random.SeedSequence([1, number]) for number in numbers]


def test_streams_from_seeds_go_on_after_a_jump_as_if_they_had_drawn_all_the_way() -> None:
    streams, jumped = Streams.from_seeds(seeds(range(3))), Streams.from_seeds(seeds(range(3)))
    drawn = np.array([streams.next() for _ in range(600)])
    jumped.jump(555)
    np.testing.assert_array_equal([jumped.next() for _ in range(45)], drawn[555:])
    assert jumped.drawn == streams.drawn == 600
    jumped.jump(7)
    np.testing.assert_array_equal(jumped.next(), drawn[7])
    alone = Streams.from_seeds(seeds(range(1, 2)))
    np.testing.assert_array_equal([alone.next()[0] for _ in range(600)], drawn[:, 1])


def test_numbers_read_in_batches_are_those_read_one_by_one() -> None:
    batches, single = Streams.from_seeds(seeds(range(2))), Streams.from_seeds(seeds(range(2)))
    for size in (1, 5, BLOCK - 3, 7, 3 * BLOCK + 1, BLOCK, 64, 64):
        np.testing.assert_array_equal(batches.next_batch(size), np.array([single.next() for _ in range(size)]).T)
        assert batches.drawn == single.drawn


def test_batches_go_on_where_streams_stand_apart() -> None:
    """One stream has been read further than the other, as where only some episodes begin."""
    batches, single = (Streams(generators(2), block=7) for _ in range(2))
    for streams in (batches, single):
        streams.next_of(np.array([1]))
    np.testing.assert_array_equal(batches.next_batch(40), np.array([single.next() for _ in range(40)]).T)


def test_streams_of_unknown_seeds_cannot_jump() -> None:
    with pytest.raises(TypeError, match="only streams made by from_seeds can jump"):
        Streams(generators(2)).jump(3)
