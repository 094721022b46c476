"""Groups of contents in columns: a hundred thousand of them are a few arrays, and one is made when somebody looks."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from index.parts import keys_of
from lumina_fs.duplicates.distinct import hexadecimal
from lumina_fs.duplicates.evidence import EVIDENCE, reasons
from lumina_fs.duplicates.kinds import DUPLICATES, Judgement, Kind
from lumina_fs.duplicates.reductions import Keys, Positions, in_order, taken
from lumina_fs.duplicates.signatures import ranges

#: A row for each member: its content; the place of its kind in `DUPLICATES`; how sure that is; bits by which pHash and
#: dHash differ from those of the primary, -1 where they were not compared; the number of its reasons among the texts of
#: the groups, or -1 where they are what the evidence says.
MEMBER = np.dtype(
    [
        ("content", "V32"), ("kind", "u1"), ("confidence", "u1"), ("phash", "i1"), ("dhash", "i1"), ("said", "<i4"),
        ("evidence", EVIDENCE),
    ]
)  # fmt: skip

Members = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Match:
    """A content, and what it is to the one it is listed with. `distance`: bits by which pHash and dHash differ."""

    sha256: str
    kind: Kind
    confidence: int
    reasons: list[str]
    distance: list[int] | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """A content and its duplicates. Without any, there are several files with this content."""

    primary: str
    members: list[Match]

    @property
    def contents(self) -> list[str]:
        """All contents, the primary first."""
        return [self.primary, *(member.sha256 for member in self.members)]


class Bound(NamedTuple):
    """A content on its way to become a member of a group, and what it was judged to be to the primary."""

    sha256: str
    judgement: Judgement
    distance: list[int] | None = None


@dataclass(frozen=True, eq=False)
class Groups(Sequence[Matched]):
    """Groups one after the other; where the members of each begin, with the end of all; texts for some of them."""

    primaries: Keys
    starts: Positions
    members: Members
    texts: list[list[str]]

    @classmethod
    def of(cls, groups: Sequence[tuple[str, Sequence[Bound]]]) -> Groups:
        """Primaries with what was judged of the others."""
        bound = [one for _, members in groups for one in members]
        judged = [one.judgement for one in bound]
        rows = np.zeros(len(bound), MEMBER)
        rows["content"] = keys_of([one.sha256 for one in bound])
        rows["kind"] = [DUPLICATES.index(one.kind) for one in judged]
        rows["confidence"] = [one.confidence for one in judged]
        for place, name in enumerate(("phash", "dhash")):
            rows[name] = [-1 if one.distance is None else one.distance[place] for one in bound]
        texts = sorted({one.said for one in judged if one.evidence is None})
        numbers = {text: number for number, text in enumerate(texts)}
        for row, one in zip(rows, judged, strict=True):
            if one.evidence is not None:
                row["said"], row["evidence"] = -1, one.evidence
            else:
                row["said"] = numbers[one.said]
        starts = np.cumsum([0, *(len(members) for _, members in groups)], dtype=np.int64)
        return cls(keys_of([primary for primary, _ in groups]), starts, rows, list(map(list, texts)))

    @classmethod
    def joined(cls, parts: Sequence[Groups]) -> Groups:
        """All of several, in the order of their primaries; the same whatever part they come from."""
        used = (part.texts[number] for part in parts for number in np.unique(part.members["said"]) if number >= 0)
        texts = sorted(map(list, set(map(tuple, used))))
        members = []
        for part in parts:
            numbers = [*(bisect_left(texts, text) for text in part.texts), -1]  # so that -1 stays what it is
            rows = part.members.copy()
            rows["said"] = np.array(numbers)[rows["said"]]
            members.append(rows)
        primaries = np.concatenate([np.empty(0, "V32"), *(part.primaries for part in parts)])
        sizes = np.concatenate([np.empty(0, np.int64), *(np.diff(part.starts) for part in parts)])
        starts = np.append(0, np.cumsum(sizes))
        whole = cls(primaries, starts, np.concatenate([np.zeros(0, MEMBER), *members]), texts)
        return whole.some(in_order(primaries))

    @property
    def others(self) -> Keys:
        """The contents of the members."""
        return np.ascontiguousarray(self.members["content"])

    def some(self, which: NDArray[Any]) -> Groups:
        """Those with these numbers, in this order, or where this is true."""
        numbers = np.arange(len(self))[which]
        sizes = np.diff(self.starts)[numbers]
        members = self.members[ranges(self.starts[numbers], sizes)]
        return Groups(taken(self.primaries, numbers), np.append(0, np.cumsum(sizes)), members, self.texts)

    def of_these(self, contents: Keys) -> NDArray[np.bool_]:
        """For each whether its primary is among these contents, and it has members."""
        return np.asarray(np.isin(self.primaries.view("S32"), contents.view("S32")) & (np.diff(self.starts) > 0))

    def touching(self, contents: Keys) -> NDArray[np.bool_]:
        """For each whether one of its contents is among these."""
        wanted = contents.view("S32")
        if not len(wanted):
            return np.zeros(len(self), bool)
        found = np.isin(self.primaries.view("S32"), wanted)
        among = np.flatnonzero(np.isin(self.others.view("S32"), wanted))
        found[np.searchsorted(self.starts, among, "right") - 1] = True
        return np.asarray(found)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Groups) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self.primaries)

    @overload
    def __getitem__(self, number: int) -> Matched: ...

    @overload
    def __getitem__(self, number: slice) -> Groups: ...

    def __getitem__(self, number: int | slice) -> Matched | Groups:
        some = self.some(np.arange(len(self))[number] if isinstance(number, slice) else np.array([number]))
        return some if isinstance(number, slice) else next(iter(some))

    def __iter__(self) -> Iterator[Matched]:
        rows = self.members.tolist()
        names = hexadecimal(self.others)
        for primary, (start, end) in zip(
            hexadecimal(self.primaries), itertools.pairwise(self.starts.tolist()), strict=True
        ):
            yield Matched(primary, [self._match(names[at], rows[at]) for at in range(start, end)])

    def _match(self, name: str, row: tuple[Any, ...]) -> Match:
        _, kind, confidence, phash, dhash, said, evidence = row
        why = reasons(evidence) if said < 0 else self.texts[said]
        return Match(name, DUPLICATES[kind], confidence, why, None if phash < 0 else [phash, dhash])
