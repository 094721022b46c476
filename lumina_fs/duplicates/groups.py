"""From neighbours to groups. Every member of a group was compared with its primary, so nothing is chained.

The best picture of each heap of neighbours looks at all the others; those that are its duplicates form its group, and
the best of the rest is next. Many heaps are looked at in one go. A heap of n equal pictures costs n comparisons.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

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


@dataclass(slots=True)
class _Heap:
    """Pictures that hang together by their hashes, the preferred first, on the way to groups."""

    waiting: list[int]
    kin: Callable[[int], int]
    around: Callable[[int], set[int]]
    primary: int = -1
    asked: set[int] = field(default_factory=set)
    members: list[Bond] = field(default_factory=list)

    def questions(self) -> list[tuple[int, int]]:
        """What to compare next; nothing when all is settled."""
        if self.primary < 0:
            self.primary, self.asked, self.members = self.waiting[0], set(), []
        found = {self.kin(self.primary), *(self.kin(bond.other) for bond in self.members)}
        near = set().union(*map(self.around, found))
        fresh = [one for one in self.waiting[1:] if one not in self.asked and self.kin(one) in near]
        self.asked.update(fresh)
        return [(self.primary, one) for one in fresh]

    def settle(self) -> Group | None:
        """The group of the present primary, which is done with; None for one that is alone."""
        taken = {self.primary, *(bond.other for bond in self.members)}
        group = Group(self.primary, tuple(self.members)) if self.members else None
        self.waiting = [one for one in self.waiting if one not in taken]
        self.primary = -1
        return group


def group(
    heaps: Sequence[Sequence[int]], kin: Callable[[int], int], around: Callable[[int], set[int]], judges: Judges
) -> Iterator[Group | Bond | int]:
    """Groups, bonds of pictures that belong together and are no duplicates, and now and then how many heaps are done.

    `heaps` hold pictures in the order of preference. `kin` is the signature of a picture, `around` the signatures
    that are worth comparing with one.
    """
    waiting = iter(heaps)
    active: list[_Heap] = []
    done = 0
    while True:
        active += [_Heap(list(heap), kin, around) for heap in itertools.islice(waiting, _AT_ONCE - len(active))]
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
                    heap.members.append(bond)
                else:
                    yield bond
            if not questions:
                found = heap.settle()
                if found is not None:
                    yield found
        left = [heap for heap in active if heap.waiting]
        done += len(active) - len(left)
        active = left
        yield done
