"""From neighbours to groups. Every member of a group was compared with its primary, so nothing is chained.

The best picture of each heap of neighbours looks at all the others; those that are its duplicates form its group, and
the best of the rest is next. Many heaps are looked at in one go. A heap of n equal pictures costs n comparisons.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from lumina_fs.duplicates.kinds import DUPLICATES, Judgement

#: Heaps that are worked on at once: enough to compare many pairs in one go, and few enough to hear of progress.
_AT_ONCE = 1000

#: (first, second) -> what they are to each other; asked for many at once, each once at most.
Judges = Callable[[Sequence[tuple[int, int]]], Sequence[Judgement | None]]


class Bond(NamedTuple):
    """Two pictures, and what they are to each other."""

    one: int
    other: int
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Group:
    """A primary and its duplicates, in the order of preference."""

    primary: int
    members: tuple[Bond, ...]


class Neighbours(Protocol):
    """Which pictures are near to which by their hashes."""

    def beside(self, picture: int) -> set[int]:
        """The pictures that are worth comparing with one."""

    def signature(self, picture: int) -> int:
        """The same for pictures that have the same neighbours, beside each other."""


class _Heap:
    """Pictures that hang together by their hashes, the preferred first, on the way to groups.

    Every neighbour is looked at once for each primary that looks for it, and pictures with one signature are asked for
    their neighbours once.
    """

    def __init__(self, pictures: Sequence[int], neighbours: Neighbours) -> None:
        self._neighbours = neighbours
        self._order = pictures
        self._rank = {one: rank for rank, one in enumerate(pictures)}
        self._left = set(pictures)
        self._next = 0
        self._primary = -1
        self._begin()

    @property
    def done(self) -> bool:
        """True when nobody waits any more, and the last group is settled."""
        return not self._left and self._primary < 0

    def questions(self) -> list[tuple[int, int]]:
        """What to compare next; nothing when all is settled."""
        if self._primary < 0:
            if not self._left:
                return []
            while self._order[self._next] not in self._left:
                self._next += 1
            self._primary = self._order[self._next]
            self._left.discard(self._primary)
            self._unasked.append(self._primary)
        near: set[int] = set()
        for one in self._unasked:
            signature = self._neighbours.signature(one)
            if signature not in self._signatures:
                self._signatures.add(signature)
                near |= self._neighbours.beside(one) & self._left
        self._unasked.clear()
        fresh = sorted(near - self._asked, key=self._rank.__getitem__)
        self._asked.update(fresh)
        return [(self._primary, one) for one in fresh]

    def add(self, bond: Bond) -> None:
        """A duplicate of the primary was found."""
        self._members.append(bond)
        self._left.discard(bond.other)
        self._unasked.append(bond.other)

    def settle(self) -> Group | None:
        """The group of the present primary, which is done with; None for one that is alone."""
        group = Group(self._primary, tuple(self._members)) if self._members else None
        self._begin()
        return group

    def _begin(self) -> None:
        self._primary = -1
        self._asked: set[int] = set()
        self._signatures: set[int] = set()
        self._members: list[Bond] = []
        self._unasked: list[int] = []


def group(heaps: Sequence[Sequence[int]], neighbours: Neighbours, judges: Judges) -> Iterator[Group | Bond | int]:
    """Groups, bonds of pictures that belong together and are no duplicates, and now and then how many heaps are done.

    `heaps` hold pictures in the order of preference.
    """
    waiting = iter(heaps)
    active: list[_Heap] = []
    done = 0
    while True:
        active += [_Heap(heap, neighbours) for heap in itertools.islice(waiting, _AT_ONCE - len(active))]
        if not active:
            return
        asked = [(heap, heap.questions()) for heap in active]
        answers = iter(judges([question for _, questions in asked for question in questions]))
        for heap, questions in asked:
            for one, other in questions:
                judgement = next(answers)
                if judgement is None:
                    continue
                bond = Bond(one, other, judgement)
                if judgement.kind in DUPLICATES:
                    heap.add(bond)
                else:
                    yield bond
            if not questions:
                found = heap.settle()
                if found is not None:
                    yield found
        left = [heap for heap in active if not heap.done]
        done += len(active) - len(left)
        active = left
        yield done
