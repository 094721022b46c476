"""Neighbours among hashes are found exactly."""

from __future__ import annotations

import random

import pytest

from index.vectors import HashIndex


def test_every_code_within_the_radius_is_found_and_none_beyond() -> None:
    choose = random.Random(1)
    query = choose.getrandbits(64)
    codes = []
    for number in range(2000):
        code = query
        for bit in choose.sample(range(64), number % 20):
            code ^= 1 << bit
        codes.append(code - (1 << 64) if code >> 63 else code)
    asked = query - (1 << 64) if query >> 63 else query
    index = HashIndex.from_bytes(HashIndex.build(codes).to_bytes())
    assert len(index) == 2000
    for radius in (0, 5, 10):
        found = index.within(asked, radius)
        wanted = sorted(((query ^ (code % (1 << 64))).bit_count(), at) for at, code in enumerate(codes))
        assert found == [pair for pair in wanted if pair[0] <= radius]


def test_an_empty_index_and_a_broken_file() -> None:
    assert HashIndex.build([]).within(0, 64) == []
    with pytest.raises(ValueError):
        HashIndex.from_bytes(b"no index at all")
