"""The catalog's duplicates in numbers: counted in arrays where nobody decided anything, else group by group."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from index.parts import keys_of
from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.distinct import Contents
from lumina_fs.duplicates.find import Found, state_of
from lumina_fs.duplicates.kinds import DUPLICATES
from lumina_fs.duplicates.matched import Groups
from lumina_fs.duplicates.standing import CERTAIN, Standings
from lumina_fs.duplicates.verdicts import Verdicts

if TYPE_CHECKING:
    from index.postgres import PostgresIndex


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a search came to. `files` and `savings` (bytes) could go; `certain` groups are as good as sure."""

    analysed: int
    not_compared: int
    threshold: int
    related: dict[str, int]
    current: bool
    groups: int
    files: int
    savings: int
    certain: int
    kinds: dict[str, int]
    states: dict[str, int]


def of_standings(standings: Standings) -> Numbers:
    """Of groups as they stand."""
    groups, result = standings.groups, standings.result
    states: Counter[str] = Counter(group.state for group in groups)
    if standings.gone:
        states["resolved"] += standings.gone
    return Numbers(
        result.analysed,
        result.not_compared,
        result.threshold,
        _in_order(Counter(relation.kind for relation in result.relations)),
        standings.fresh,
        len(groups),
        sum(len(group.spare) for group in groups),
        sum(group.savings for group in groups),
        sum(group.confidence >= CERTAIN for group in groups),
        _in_order(Counter(group.kind for group in groups)),
        _in_order(states),
    )


def of_found(catalog: Catalog, index: PostgresIndex, found: Found) -> Numbers:
    """Right after a search; only groups about which somebody decided something are looked at one by one."""
    verdicts = Verdicts.load(catalog)
    groups = found.result.groups
    touched = groups.touching(keys_of(sorted({content for pair in verdicts.rulings for content in pair})))
    counted = _counted(groups.some(~touched), found.contents)
    if counted is None:  # an original went while the search was still at work
        touched[:], counted = True, _NONE
    rest = groups.some(touched)
    slow = of_standings(Standings.of(replace(found.result, groups=rest), index, verdicts))
    kinds, states = Counter(slow.kinds), Counter(slow.states)
    kinds.update(counted.kinds)
    if counted.groups:
        states["pending"] += counted.groups
    return replace(
        slow,
        current=found.result.state == state_of(index),
        groups=slow.groups + counted.groups,
        files=slow.files + counted.files,
        savings=slow.savings + counted.savings,
        certain=slow.certain + counted.certain,
        kinds=_in_order(kinds),
        states=_in_order(states),
    )


class _Counted(NamedTuple):
    groups: int
    files: int
    savings: int
    certain: int
    kinds: dict[str, int]


_NONE = _Counted(0, 0, 0, 0, {})
#: What a primary adds: the least kind, and all confidence.
_ALONE = 100


def _counted(groups: Groups, there: Contents) -> _Counted | None:
    """Of groups about which nobody decided anything; None where a content of one is not there."""
    if not len(groups):
        return _NONE
    members = groups.members
    first = groups.starts[:-1] + np.arange(len(groups))
    keys = np.insert(groups.others, groups.starts[:-1], groups.primaries)
    ranks = np.insert(members["kind"], groups.starts[:-1], 0)
    sure = np.insert(members["confidence"], groups.starts[:-1], _ALONE)
    places = there.places(keys)
    if places.min() < 0:
        return None
    copies, size = there.copies[places], there.size[places]
    files = np.add.reduceat(copies, first) - 1
    savings = np.add.reduceat(copies * size, first) - size[first]
    stands = files > 0  # a search finds no others
    kinds = np.bincount(np.maximum.reduceat(ranks, first)[stands], minlength=len(DUPLICATES)).tolist()
    return _Counted(
        int(stands.sum()),
        int(files[stands].sum()),
        int(savings[stands].sum()),
        int((np.minimum.reduceat(sure, first)[stands] >= CERTAIN).sum()),
        {kind: count for kind, count in zip(DUPLICATES, kinds, strict=True) if count},
    )


def _in_order(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))
