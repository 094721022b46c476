"""All pairs of codes within a radius are found, exactly, and all that are equal under a mask and near."""

from __future__ import annotations

import itertools

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from index.hamming import LARGEST_RADIUS, SPREAD, Band, Bands, near_pairs

Codes = NDArray[np.uint64]
Pairs = set[tuple[int, int]]
CODES = st.integers(0, 2**64 - 1)


def planted(seed: int, centres: int, around: int, farthest: int) -> Codes:
    """Distinct codes in heaps: around each centre some with 0 to `farthest` bits flipped."""
    choose = np.random.default_rng(seed)
    found = []
    for _ in range(centres):
        centre = int(choose.integers(0, 2**64, dtype=np.uint64))
        found.append(centre)
        for number in range(around):
            code = centre
            for bit in choose.choice(64, number % (farthest + 1), replace=False):
                code ^= 1 << int(bit)
            found.append(code)
    return np.unique(np.array(found, np.uint64))[choose.permutation(len(set(found)))]


def by_force(codes: Codes, radius: int) -> Pairs:
    apart = np.bitwise_count(codes[:, None] ^ codes[None])
    first, second = np.nonzero(np.triu(apart <= radius, 1))
    return set(zip(first.tolist(), second.tolist(), strict=True))


def by_faiss(codes: Codes, radius: int) -> Pairs:
    index = faiss.IndexBinaryFlat(64)
    data = codes.astype("<u8").view(np.uint8).reshape(-1, 8)
    index.add(data)
    limits, _, found = index.range_search(data, radius + 1)  # FAISS leaves out what is at the radius itself
    asking = np.repeat(np.arange(len(codes)), np.diff(limits.astype(np.int64)))
    return {(int(a), int(b)) for a, b in zip(asking, found, strict=True) if a < b}


def ours(codes: Codes, radius: int) -> Pairs:
    first, second = near_pairs(codes, radius)
    assert np.all(first < second)
    pairs = list(zip(first.tolist(), second.tolist(), strict=True))
    assert pairs == sorted(set(pairs)), "each pair once, in order"
    return set(pairs)


@pytest.mark.parametrize("radius", range(LARGEST_RADIUS + 1))
def test_the_pairs_within_a_radius_are_those_of_the_flat_index(radius: int) -> None:
    codes = planted(radius, 20, 60, 18)
    assert ours(codes, radius) == by_faiss(codes, radius)


@given(st.lists(CODES, unique=True, max_size=40), st.integers(0, 2**32), st.integers(0, 10))
def test_no_pair_is_missed_and_none_is_made_up(codes: list[int], seed: int, radius: int) -> None:
    # some codes that differ from the first by just about the radius, at bits that fall on either side of the cuts
    choose = np.random.default_rng(seed)
    for code in codes[:5]:
        for size in (radius, radius + 1):
            flipped = code
            for bit in choose.choice(64, size, replace=False):
                flipped ^= 1 << int(bit)
            codes.append(flipped)
    array = np.array(sorted(set(codes)), np.uint64)
    assert ours(array, radius) == by_force(array, radius)


@pytest.mark.parametrize("radius", [0, 1, 5, 6, 12])
def test_pairs_of_some_codes_are_those_of_all_with_one_of_them(radius: int) -> None:
    codes = planted(radius, 20, 60, 14)
    asked = np.random.default_rng(radius).random(len(codes)) < 0.1
    first, second = near_pairs(codes, radius, asked)
    pairs = list(zip(first.tolist(), second.tolist(), strict=True))
    assert pairs == sorted((one, other) for one, other in by_faiss(codes, radius) if asked[one] or asked[other])


@pytest.mark.parametrize("radius", [0, 1, 2, 3, 5, 6, 10, 11, 12, 16])
def test_flips_that_fill_one_part_are_found_too(radius: int) -> None:
    """The worst for the pigeonhole: all flipped bits side by side, at every place."""
    base = 0x0123456789ABCDEF
    codes = [base]
    for start in range(64):
        flips = 0
        for bit in range(radius):
            flips |= 1 << ((start + bit) % 64)
        codes.append(base ^ flips)
    array = np.array(sorted(set(codes)), np.uint64)
    assert ours(array, radius) == by_force(array, radius)


def test_codes_whose_neighbouring_bits_are_alike_are_no_harder() -> None:
    """Runs of six equal bits, as a dHash has them: a part of bits side by side would have a few hundred values."""
    choose = np.random.default_rng(6)
    runs = choose.integers(0, 2, (4_000, 11), dtype=np.uint64).repeat(6, axis=1)[:, :64]
    codes = np.bitwise_or.reduce(runs << np.arange(64, dtype=np.uint64), axis=1)
    codes[::2] ^= np.uint64(1) << choose.integers(0, 64, 2_000, dtype=np.uint64)
    codes = np.unique(codes)
    assert len(codes) > 2_000
    assert ours(codes, 5) == by_faiss(codes, 5)


def test_nothing_and_one_code_have_no_pairs() -> None:
    for codes in ([], [0], [2**64 - 1]):
        first, second = near_pairs(np.array(codes, np.uint64), 5)
        assert len(first) == len(second) == 0


@pytest.mark.parametrize("radius", [-1, LARGEST_RADIUS + 1, 64])
def test_a_radius_that_is_not_searched_exactly_is_refused(radius: int) -> None:
    with pytest.raises(ValueError, match="a radius is 0 to"):
        near_pairs(np.zeros(1, np.uint64), radius)


TWO_WORDS = st.lists(st.tuples(CODES, CODES), max_size=30)


@given(TWO_WORDS, TWO_WORDS, st.integers(4, 21), st.integers(1, 5), st.integers(0, 128))
@settings(max_examples=100)
def test_codes_that_are_equal_under_a_mask_and_near_are_those_that_a_comparison_of_all_finds(
    queries: list[tuple[int, int]], codes: list[tuple[int, int]], bits: int, limit: int, radius: int
) -> None:
    codes += queries[::2]  # so that there is something to find
    bands = [Band(sum(1 << at for at in range(first, 64, 3)), SPREAD, bits) for first in range(3)]
    wanted: Pairs = set()
    among: Pairs = set()
    for band in bands:

        def bucket(code: int, band: Band = band) -> int:
            return (code & band.mask) * band.factor % (1 << 64) >> (64 - band.bits)

        buckets = [bucket(code) for code, _ in codes]
        for at, (query, beside) in enumerate(queries):
            same = [number for number, other in enumerate(buckets) if other == bucket(query)]
            near = [n for n in same if (codes[n][0] ^ query).bit_count() + (codes[n][1] ^ beside).bit_count() <= radius]
            if len(same) <= limit:
                wanted.update((at, number) for number in near)
        for (at, code), (number, its) in itertools.combinations(enumerate(codes), 2):
            apart = sum((word ^ another).bit_count() for word, another in zip(code, its, strict=True))
            if apart <= radius and buckets[at] == buckets[number] and buckets.count(buckets[at]) <= limit:
                among.add((at, number))
    found: Pairs = set()
    known, asked = (np.array(words, np.uint64).reshape(-1, 2).T for words in (codes, queries))
    table = Bands(known[0], known[1], bands, limit)
    for one, other in table.near(asked[0], asked[1], radius):
        found.update(zip(one.tolist(), other.tolist(), strict=True))
    assert found == wanted
    pairs = [pair for one, other in table.among(radius) for pair in zip(one.tolist(), other.tolist(), strict=True)]
    assert {(min(pair), max(pair)) for pair in pairs} == among
    assert all(one != other for one, other in pairs)
    some = np.arange(len(codes))[::3]
    found = set()
    for one, other in table.only(some).near(asked[0], asked[1], radius):
        found.update(zip(one.tolist(), other.tolist(), strict=True))
    assert found == {(one, other) for one, other in wanted if other % 3 == 0}


def test_few_codes_lie_in_fewer_buckets_and_meet_nobody_else_there() -> None:
    choose = np.random.default_rng(4)
    codes = choose.integers(0, 2**64, (2, 20_000), dtype=np.uint64)
    whole = Bands(codes[0], codes[1], [Band((1 << 24) - 1, SPREAD, 21)], 256)
    some = np.arange(40)
    found, wanted = (
        {
            pair
            for one, other in table.near(codes[0], codes[1], 128)
            for pair in zip(one.tolist(), other.tolist(), strict=True)
        }
        for table in (whole.only(some), whole)
    )
    assert found == {(one, other) for one, other in wanted if other < 40}
