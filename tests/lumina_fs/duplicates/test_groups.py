"""Groups: every member matches its primary, nothing depends on an order, and equal pictures cost no n squared."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from index.contents import Twin
from lumina_fs.duplicates.candidates import neighbours
from lumina_fs.duplicates.groups import Bond, Group, group
from lumina_fs.duplicates.keeper import ordered, preference
from lumina_fs.duplicates.kinds import Judgement
from lumina_fs.duplicates.signatures import Signatures
from lumina_fs.duplicates.views import COUNT, Views
from tests.lumina_fs.duplicates.made import twin

Pair = frozenset[int]

SAME = Judgement("re_encoded", 90, ("as a test says",))
BESIDE = Judgement("burst", 95, ("as a test says",))


class World:
    """Pictures 0 to n - 1, which of them are neighbours, and what pairs of them are; questions are counted."""

    def __init__(self, neighbours: set[Pair], kinds: dict[Pair, Judgement]) -> None:
        self.neighbours = neighbours
        self.kinds = kinds
        self.asked: list[Pair] = []

    def beside(self, one: int) -> set[int]:
        return {other for pair in self.neighbours if one in pair for other in pair} - {one}

    def signature(self, one: int) -> int:
        return one

    def judges(self, pairs: Sequence[tuple[int, int]]) -> list[Judgement | None]:
        self.asked += [frozenset(pair) for pair in pairs]
        return [self.kinds.get(frozenset(pair)) for pair in pairs]

    def heaps(self, count: int) -> list[list[int]]:
        """What hangs together, each in the order of preference: that of the numbers."""
        seen: set[int] = set()
        found = []
        for start in range(count):
            heap, waiting = set(), [start]
            while waiting:
                one = waiting.pop()
                if one not in seen:
                    seen.add(one)
                    heap.add(one)
                    waiting += self.beside(one)
            if len(heap) > 1:
                found.append(sorted(heap))
        return found

    def run(self, heaps: Sequence[Sequence[int]]) -> tuple[dict[int, tuple[int, ...]], set[Pair]]:
        """Members by primary, and the pairs that belong together without being duplicates."""
        groups: dict[int, tuple[int, ...]] = {}
        bonds: set[Pair] = set()
        for found in group(heaps, self, self.judges):
            if isinstance(found, Group):
                assert found.primary not in groups
                groups[found.primary] = tuple(sorted(bond.other for bond in found.members))
                assert all(bond.one == found.primary for bond in found.members)
            elif isinstance(found, Bond):
                bonds.add(frozenset((found.one, found.other)))
        return groups, bonds


@st.composite
def worlds(draw: st.DrawFn) -> tuple[int, World]:
    count = draw(st.integers(2, 14))
    every = [frozenset((a, b)) for a in range(count) for b in range(a)]
    kinds = {pair: draw(st.sampled_from([None, None, SAME, BESIDE])) for pair in every}
    # what is the same is mostly, but not always, also near by its hashes
    near = {pair for pair in every if draw(st.integers(0, 9)) < (9 if kinds[pair] is SAME else 3)}
    return count, World(near, {pair: kind for pair, kind in kinds.items() if kind is not None})


@given(worlds(), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_groups_do_not_depend_on_the_order_in_which_heaps_come(made: tuple[int, World], order: random.Random) -> None:
    count, world = made
    heaps = world.heaps(count)
    first = world.run(heaps)
    order.shuffle(heaps)
    assert world.run(heaps) == first
    # one heap at a time gives the same as all at once
    groups: dict[int, tuple[int, ...]] = {}
    bonds: set[Pair] = set()
    for heap in heaps:
        some, others = world.run([heap])
        groups.update(some)
        bonds |= others
    assert (groups, bonds) == first


@given(worlds())
@settings(max_examples=200, deadline=None)
def test_every_member_matches_its_primary_which_is_the_best_of_them(made: tuple[int, World]) -> None:
    count, world = made
    groups, bonds = world.run(world.heaps(count))
    grouped = [one for primary, members in groups.items() for one in (primary, *members)]
    assert len(grouped) == len(set(grouped)), "no picture is in two groups"
    for primary, members in groups.items():
        assert members, "a group has a keeper and somebody that may go"
        assert primary < min(members)
        assert all(world.kinds[frozenset((primary, one))] is SAME for one in members)
    assert all(world.kinds[pair] is BESIDE for pair in bonds)
    assert len(world.asked) == len(set(world.asked)), "no pair is asked for twice"


@given(worlds())
@settings(max_examples=100, deadline=None)
def test_whoever_is_the_same_as_a_better_neighbour_is_in_a_group(made: tuple[int, World]) -> None:
    """Only one whose better twin itself went into another group may be left alone."""
    count, world = made
    groups, _ = world.run(world.heaps(count))
    member_of = {one: primary for primary, members in groups.items() for one in members}
    for pair in world.neighbours:
        better, worse = sorted(pair)
        if world.kinds.get(pair) is SAME and better not in member_of:
            assert worse in member_of or worse in groups


def test_nothing_is_chained_from_picture_to_picture() -> None:
    """0 is like 1, 1 like 2, and so on; 0 is not like 2."""
    pairs = {frozenset((one, one + 1)) for one in range(5)}
    groups, _ = World(pairs, dict.fromkeys(pairs, SAME)).run([[0, 1, 2, 3, 4, 5]])
    assert groups == {0: (1,), 2: (3,), 4: (5,)}


def test_neighbours_of_members_are_looked_at_too() -> None:
    """A crop that only the hashes of another copy lead to is compared with the primary all the same."""
    kinds = dict.fromkeys((frozenset(pair) for pair in ((0, 1), (0, 2), (0, 3))), SAME)
    groups, _ = World({frozenset((0, 1)), frozenset((1, 2)), frozenset((2, 3))}, kinds).run([[0, 1, 2, 3]])
    assert groups == {0: (1, 2, 3)}


def test_a_heap_whose_pictures_are_gone_by_now_is_no_trouble() -> None:
    """Rows are read after the hashes, and a scan may run beside."""
    assert World(set(), {}).run([[], [3]]) == ({}, set())


def test_progress_counts_every_heap() -> None:
    pairs = {frozenset((one, one + 1)) for one in range(0, 5000, 2)}
    world = World(pairs, dict.fromkeys(pairs, SAME))
    world.beside = lambda one: {one ^ 1}  # type: ignore[method-assign]
    seen = list(group([[one, one + 1] for one in range(0, 5000, 2)], world, world.judges))
    counted = [one for one in seen if isinstance(one, int)]
    assert counted == sorted(counted)
    assert counted[-1] == 2500
    assert sum(isinstance(one, Group) for one in seen) == 2500


# -- many equal pictures


def equal(count: int) -> Signatures:
    made = Signatures(np.full(count, 5, np.uint64), np.full(count, 9, np.uint64))
    codes = (np.full(COUNT, 5, np.uint64), np.full(COUNT, 9, np.uint64))
    made.join(neighbours(made, lambda pictures: Views(*(np.tile(code, (len(pictures), 1)) for code in codes)), 5).pairs)
    return made


def seconds(count: int) -> float:
    """For a heap of pictures with the same two hashes, all of them twins: the time; each is asked for once."""
    made, world = equal(count), World(set(), {})
    asked = 0

    def judges(pairs: Sequence[tuple[int, int]]) -> list[Judgement | None]:
        nonlocal asked
        asked += len(pairs)
        return [SAME] * len(pairs)

    start = time.process_time()
    heaps = [sorted(heap) for heap in made.heaps().lists()]
    found = [one for one in group(heaps, made, judges) if isinstance(one, Group)]
    assert [len(one.members) for one in found] == [count - 1]
    assert asked == count - 1
    assert not world.asked
    return time.process_time() - start


def test_a_heap_of_equal_pictures_costs_about_as_many_steps_as_it_has_pictures() -> None:
    seconds(100)
    small, large = min(seconds(1000) for _ in range(3)), min(seconds(8000) for _ in range(2))
    assert large < 8 * 5 * small, (small, large)  # n squared would be 64 times


# -- the keeper

TWINS = st.lists(
    st.builds(
        twin,
        st.sampled_from(
            ["a.jpg", "a copy.jpg", "IMG_1.jpg", "backup/a.jpg", "x/y/a (1).jpg", "bytes:%FF.jpg", "noname"]
        ),
        source=st.sampled_from(["main", "card"]),
        quality=st.sampled_from([None, 0.0, 50.0, 90.0]),
        taken=st.sampled_from([None, "2019", "2019-07-14T12:00:00", "1999-01-01"]),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda one: (one.source, one.path),
)


@given(TWINS, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_a_keeper_always_exists_and_is_the_same_in_any_order(some: list[Twin], order: random.Random) -> None:
    first = ordered(some)
    order.shuffle(some)
    assert ordered(some) == first
    assert len({preference(one) for one in some}) == len(some), "no two are equally good"


def test_the_better_then_the_earlier_then_the_better_named_stays() -> None:
    good, bad = twin("z copy.jpg", quality=80.0), twin("a.jpg", quality=20.0, taken="1999")
    assert ordered([bad, good])[0] is good
    early, late = twin("z copy.jpg", taken="2019-01-01"), twin("a.jpg", taken="2019-01-01T12:00:00")
    assert ordered([late, early])[0] is early
    assert ordered([twin("a.jpg"), early])[0] is early, "one with a date comes before one without"
    for better, worse in (
        ("IMG_1.jpg", "IMG_1 copy.jpg"),
        ("IMG_1.jpg", "IMG_1 (1).jpg"),
        ("IMG_1.jpg", "IMG_1-edited.jpg"),
        ("IMG_1.jpg", "IMG_1 - Kopie.jpg"),
        ("2019/IMG_1.jpg", "backup/IMG_1.jpg"),
        ("2019/IMG_1.jpg", "WhatsApp Images/IMG_1.jpg"),
        ("2019/IMG_1.jpg", "2019/lake/IMG_1.jpg"),
        ("b.jpg", "aa.jpg"),
        ("copyright.jpg", "copyright copy.jpg"),
    ):
        assert ordered([twin(worse), twin(better)])[0].path == better
