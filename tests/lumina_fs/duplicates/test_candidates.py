"""Neighbours by hashes: many equal codes cost no more than their number, and what is known is not asked again."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lumina_fs.duplicates import candidates
from lumina_fs.duplicates.candidates import neighbours
from lumina_fs.duplicates.kept_neighbours import Kept
from lumina_fs.duplicates.signatures import Signatures
from lumina_fs.duplicates.views import COUNT, Views

Codes = NDArray[np.uint64]


def signatures(phash: Sequence[int], dhash: Sequence[int], radius: int) -> Signatures:
    """Signatures whose views are all themselves."""
    made = Signatures(np.array(phash, np.uint64), np.array(dhash, np.uint64))

    def views(pictures: NDArray[np.int64]) -> Views:
        numbers = made.of[pictures]
        return Views(*(np.repeat(codes[numbers][:, None], COUNT, 1) for codes in (made.phash, made.dhash)))

    made.join(neighbours(made, views, radius).pairs)
    return made


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=40))
@settings(max_examples=40)
def test_at_threshold_0_no_pair_of_equal_hashes_is_missed(some: list[tuple[int, int]]) -> None:
    spread = np.random.default_rng(0).integers(0, 2**64, 6, dtype=np.uint64)
    made = signatures([int(spread[p]) for p, _ in some], [int(spread[d]) for _, d in some], 0)
    heaps = [set(heap) for heap in made.heaps().lists()]
    for one, first in enumerate(some):
        assert one not in made.beside(one)
        for other, second in enumerate(some):
            if one < other and first == second:
                assert other in made.beside(one)
                assert one in made.beside(other)
                assert any({one, other} <= heap for heap in heaps)


def test_hashes_within_the_radius_in_one_hash_are_neighbours_if_the_other_agrees() -> None:
    base = 0x0123456789ABCDEF
    near, far = base ^ 0b11111, base ^ ((1 << 23) - 1)  # 5 and 23 bits
    assert signatures([base, near], [base, far], 5).beside(0) == {1}  # 5 + 23 = 28
    assert signatures([base, near], [base, base ^ ((1 << 24) - 1)], 5).beside(0) == set()
    assert signatures([base, base ^ 0b111111], [base, far ^ (1 << 40)], 5).beside(0) == set()


def test_a_large_cluster_of_equal_codes_is_held_in_memory_of_its_size() -> None:
    """A million pairs would be 16 MB, and 100,000 equal pictures have five milliards of them."""
    choose = np.random.default_rng(1)
    count = 100_000
    phash = np.full(count, 0x0123456789ABCDEF, np.uint64)
    dhash = np.full(count, 0x00FF00FF00FF00FF, np.uint64)
    phash[: count // 10] = choose.integers(0, 2**64, count // 10, dtype=np.uint64)
    tracemalloc.start()
    made = signatures(phash.tolist(), dhash.tolist(), 5)
    heaps = made.heaps().lists()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert max(map(len, heaps)) >= count - count // 10  # by chance one or two others are alike
    assert peak < 200 << 20


def test_a_crowd_that_shares_one_hash_makes_no_pair_by_that_hash_alone() -> None:
    choose = np.random.default_rng(2)
    count = 3_000
    dhash = choose.integers(0, 2**64, count, dtype=np.uint64)
    dhash[1] = dhash[0] ^ np.uint64(1)
    made = signatures([7] * count, dhash.tolist(), 5)
    assert made.beside(0) == {1}
    assert sum(len(made.beside(one)) for one in range(count)) < count


# -- what is known from before


def some_signatures(choose: np.random.Generator, heaps: int) -> Codes:
    """(n, 2, views): in heaps, whose members are near in one hash, or look like a view of the first; some in crowds."""
    made = []
    for number in range(heaps):
        centre = choose.integers(0, 2**64, (2, COUNT), dtype=np.uint64)
        made.append(centre)
        for _ in range(int(choose.integers(0, 4)) + 8 * (number % 7 == 0)):
            other = choose.integers(0, 2**64, (2, COUNT), dtype=np.uint64)
            near = choose.random() < 0.3
            other[:, 0] = centre[:, 0 if near else int(choose.integers(0, COUNT))]
            for word, most in enumerate((5, 23) if near else (12, 12)):
                for bit in choose.choice(64, int(choose.integers(most // 2, most + 1)), replace=False):
                    other[word, 0] ^= np.uint64(1) << np.uint64(bit)
            if number % 5 == 0:
                other[int(choose.integers(0, 2)), 0] = np.uint64(number % 10)  # many share it
            made.append(other)
    return np.array(made)


@pytest.mark.parametrize("seed", range(100 if os.environ.get("LUMINA_SWEEP") == "all" else 10))
@pytest.mark.parametrize("few", [True, False], ids=["all with all", "by masks"])
def test_what_is_taken_over_and_what_is_new_make_what_a_search_anew_finds(
    seed: int, few: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "_CROWD", 12)
    monkeypatch.setattr(candidates, "_FEW", 1024 if few else 8)
    choose = np.random.default_rng(seed)
    every = some_signatures(choose, 60)
    digests = choose.integers(0, 256, (len(every), 32), dtype=np.uint8)
    order = choose.permutation(len(every))
    new, gone = int(choose.integers(0, 20)), int(choose.integers(0, 20))
    kept: Kept | None = None
    for some in (order[new:], order[: len(order) - gone], order[3:]):
        own, keys = every[some], np.ascontiguousarray(digests[some]).view("V32")[:, 0]
        made = Signatures(own[:, 0, 0], own[:, 1, 0])

        def views(pictures: NDArray[np.int64], own: Codes = own) -> Views:
            return Views(own[pictures, 0], own[pictures, 1])

        anew = neighbours(made, views, 5)
        assert len(anew.pairs) > 50
        names = made.names(keys)
        if kept is not None:
            since = kept.since(names)
            found = neighbours(made, views, 5, since=since)
            assert found.pairs.tolist() == anew.pairs.tolist()
            assert found.terms == anew.terms
        kept = Kept(names, anew)


def test_all_views_that_are_looked_up_are_told_of_and_a_no_ends_the_search() -> None:
    every = some_signatures(np.random.default_rng(3), 40)
    made = Signatures(every[:, 0, 0], every[:, 1, 0])
    told: list[tuple[int, int]] = []

    def views(pictures: NDArray[np.int64]) -> Views:
        return Views(every[pictures, 0], every[pictures, 1])

    def go_on(more: int, total: int) -> bool:
        told.append((more, total))
        return True

    assert len(neighbours(made, views, 5, go_on=go_on).pairs) > 30
    assert sum(more for more, _ in told) == len(made.phash)
    assert {total for _, total in told} == {len(made.phash)}
    assert len(neighbours(made, views, 5, go_on=lambda more, total: False).pairs) == 0
