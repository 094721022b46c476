"""The search for duplicates: hashes from the index, neighbours among them, a look at their pixels, groups."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from index import contents
from index.contents import Codes, Twin
from lumina_fs import pictures
from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.candidates import Signatures, Words
from lumina_fs.duplicates.groups import Group, group
from lumina_fs.duplicates.keeper import ordered, preference
from lumina_fs.duplicates.kinds import SAME_PLAIN
from lumina_fs.duplicates.looking import Looking
from lumina_fs.duplicates.reduction_writer import ReductionWriter
from lumina_fs.duplicates.reductions import Keys, Positions, Reductions
from lumina_fs.duplicates.remembered import Remembered
from lumina_fs.duplicates.results import Matched, Relation, Result, match, save
from lumina_fs.duplicates.verdicts import Verdicts
from lumina_fs.picture_worker import Order, Want
from lumina_fs.progress import Event, Finished, Note, Progress, Throttle
from schemas.names import decode_name

if TYPE_CHECKING:
    from index.postgres import PostgresIndex

#: Bits by which one hash of two pictures may differ.
THRESHOLD = 5


class Found(NamedTuple):
    """What a search found, and the originals that have the contents which it looked at, by content."""

    result: Result
    rows: dict[str, list[Twin]]


def find(
    catalog: Catalog, index: PostgresIndex, *, threshold: int = THRESHOLD, cancel: threading.Event
) -> Iterator[Event | Finished[Found]]:
    """Search the whole catalog; the result is in the last event, and kept in the cache.

    Stopped, it keeps what it saw, and leaves the last result as it is. Raises IndexUnavailable, IndexUnusable.
    """
    search = _Search(catalog, index, threshold, cancel)
    result = yield from search.run()
    if result is not None:
        save(catalog, result)
        yield Finished(Found(result, search.rows))


def state_of(index: PostgresIndex) -> str:
    """By what a result knows that the index is still the one it was made from."""
    return f"{index.meta('generation')}-{index.meta('revision')}"


@dataclass(slots=True)
class _Pictures:
    """Contents whose pixels are at hand; those with hashes that mean something come first."""

    keys: Keys
    names: list[str]
    at: Positions
    phash: Words
    dhash: Words


@dataclass(slots=True)
class _Search:
    catalog: Catalog
    index: PostgresIndex
    threshold: int
    cancel: threading.Event
    roots: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[Twin]] = field(default_factory=dict)

    def run(self) -> Generator[Event, None, Result | None]:
        self.roots = {source.name: source.path for source in self.catalog.sources()}
        yield Progress("reading hashes", 0, None, "pictures")
        state, codes = state_of(self.index), contents.codes(self.index)
        wanted = np.unique(codes.sha256[codes.image].view("S32")).view("V32")
        reductions = yield from self._reductions(wanted)
        some = _pictures(codes, reductions)
        yield Progress("comparing hashes", 0, len(some.keys), "pictures")
        signatures = Signatures(some.phash, some.dhash)
        signatures.connect(lambda pictures: reductions.views(some.at[pictures]), self.threshold)
        heaps = list(signatures.heaps())
        plain = _equal(reductions, some.at, [range(len(some.phash), len(some.keys))])
        copied = _copied(codes)
        numbers = [number for heap in (*heaps, *plain) for number in heap]
        self._read_rows([some.names[number] for number in numbers] + copied)
        remembered = Remembered(self.catalog)
        alike = _equal(reductions, some.at, signatures.crowds())
        yield from self._read_pixels([[some.names[one] for one in same] for same in (*alike, *plain)], remembered)
        verdicts = Verdicts.load(self.catalog)
        looking = Looking(reductions, some.at, some.names, self.rows, remembered, verdicts, self.cancel)
        found = yield from self._grouped(some, heaps, signatures, looking)
        remembered.save()
        if self.cancel.is_set():
            return None
        groups, relations = found
        groups += _plain_groups(plain, some.names, self.rows, remembered)
        grouped = {sha256 for one in groups for sha256 in (one.primary, *(other.sha256 for other in one.members))}
        groups += [Matched(sha256, []) for sha256 in copied if sha256 not in grouped]
        relations += _live_photos(self.index)
        missing = len(wanted) - len(some.keys)
        groups.sort(key=lambda one: one.primary)
        return Result(self.threshold, state, len(some.keys), missing, groups, relations)

    def _reductions(self, wanted: Keys) -> Generator[Event, None, Reductions]:
        """All reduced pictures; those that the cache lacks are read from the originals now."""
        found = Reductions(self.catalog)
        missing = [key.tobytes().hex() for key in wanted[found.positions(wanted) < 0]]
        if not missing:
            return found
        yield Note(f"reading {len(missing):,} originals whose reduced pictures are not in the cache")
        self._read_rows(missing)
        writer = ReductionWriter(self.catalog)
        yield from self._make("reduction", missing, "reading pictures", writer.add)
        writer.flush()
        return Reductions(self.catalog)

    def _read_pixels(self, alike: list[list[str]], remembered: Remembered) -> Iterator[Event]:
        """The digests of the pixels of contents that look exactly like another of the same size."""
        asked: dict[str, None] = {}
        for same in alike:
            sizes: dict[tuple[int | None, int | None], list[str]] = {}
            for sha256 in same:
                twin = self.rows[sha256][0] if self.rows.get(sha256) else None
                if twin is not None:
                    sizes.setdefault((twin.width, twin.height), []).append(sha256)
            for some in sizes.values():
                if len(some) > 1:
                    asked.update(dict.fromkeys(sha256 for sha256 in some if remembered.digest(sha256) is None))
        if asked:

            def learn(sha256: str, digest: bytes | None) -> None:
                remembered.learn_digest(sha256, digest.hex() if digest is not None else "")

            yield from self._make("pixels", list(asked), "reading pixels", learn)

    def _make(
        self, want: Want, asked: list[str], stage: str, take: Callable[[str, bytes | None], None]
    ) -> Iterator[Event]:
        """Let workers make something of these contents, from the first original of each; `take` gets it as it comes."""
        orders = []
        for sha256 in asked:
            twin = next((twin for twin in self.rows.get(sha256, ()) if twin.source in self.roots), None)
            if twin is not None:
                path = decode_name(twin.path)
                orders.append(Order(want, twin.source, self.roots[twin.source], path, sha256, twin.orientation))
        for done, (order, made) in enumerate(pictures.make(self.catalog, orders, cancel=self.cancel), 1):
            take(order.sha256, made.data)
            yield Progress(stage, done, len(orders), "pictures")

    def _read_rows(self, asked: Iterable[str]) -> None:
        """The originals that have these contents, the one that should stay first."""
        new = sorted({sha256 for sha256 in asked if sha256 not in self.rows})
        for twin in contents.twins(self.index, new):
            self.rows.setdefault(twin.sha256, []).append(twin)
        for sha256 in new:
            if len(self.rows.get(sha256, ())) > 1:
                self.rows[sha256] = ordered(self.rows[sha256])

    def _grouped(
        self, some: _Pictures, heaps: list[list[int]], signatures: Signatures, looking: Looking
    ) -> Generator[Event, None, tuple[list[Matched], list[Relation]]]:
        """Look at the pixels of all neighbours."""
        present = [[one for one in heap if some.names[one] in self.rows] for heap in heaps]
        preferred = [sorted(heap, key=lambda one: preference(self.rows[some.names[one]][0])) for heap in present]
        groups: list[Matched] = []
        relations: list[Relation] = []
        throttle = Throttle()
        for found in group(preferred, signatures, looking):
            if self.cancel.is_set():
                break
            if isinstance(found, Group):
                members = [
                    match(some.names[bond.other], bond.judgement, _distance(some, found.primary, bond.other))
                    for bond in found.members
                ]
                groups.append(Matched(some.names[found.primary], members))
            elif isinstance(found, int):
                if throttle.due() or found == len(heaps):
                    yield Progress("comparing pictures", found, len(heaps), "heaps")
            else:
                one, other, judgement = some.names[found.one], some.names[found.other], found.judgement
                relations.append(Relation(one, other, judgement.kind, judgement.confidence, list(judgement.reasons)))
        return groups, sorted(relations, key=lambda one: (one.one, one.other))


def _pictures(codes: Codes, reductions: Reductions) -> _Pictures:
    """Distinct contents of pictures, in the order of their digests."""
    _, first = np.unique(codes.sha256.view("S32"), return_index=True)
    first = first[codes.image[first]]
    at = reductions.positions(codes.sha256[first])
    first, at = first[at >= 0], at[at >= 0]
    hashed = codes.hashed[first]
    order = np.argsort(~hashed, kind="stable")
    first, at, count = first[order], at[order], int(hashed.sum())
    keys = codes.sha256[first]
    return _Pictures(
        keys, [key.tobytes().hex() for key in keys], at, codes.phash[first[:count]], codes.dhash[first[:count]]
    )


def _copied(codes: Codes) -> list[str]:
    """Contents that more than one original has, of pictures and videos alike."""
    keys, counts = np.unique(codes.sha256.view("S32"), return_counts=True)
    return [key.tobytes().hex() for key in keys[counts > 1].view("V32")]


def _equal(reductions: Reductions, at: Positions, crowds: Iterable[Sequence[int]]) -> list[list[int]]:
    """Sets of pictures of one crowd whose reduced pictures are equal to the byte."""
    found: dict[tuple[int, bytes], list[int]] = {}
    members = ((crowd, number) for crowd, numbers in enumerate(crowds) for number in numbers)
    while piece := list(itertools.islice(members, 4096)):
        grays = reductions.gray(at[[number for _, number in piece]])
        for (crowd, number), gray in zip(piece, grays, strict=True):
            found.setdefault((crowd, gray.tobytes()), []).append(number)
    return [same for same in found.values() if len(same) > 1]


def _plain_groups(
    plain: list[list[int]], names: list[str], rows: dict[str, list[Twin]], remembered: Remembered
) -> list[Matched]:
    """Of pictures that hold too little for hashes, those whose pixels are all the same."""
    found: list[Matched] = []
    for same in plain:
        digests: dict[str, list[str]] = {}
        for number in same:
            digest = remembered.digest(names[number])
            if digest and names[number] in rows:
                digests.setdefault(digest, []).append(names[number])
        for some in digests.values():
            if len(some) > 1:
                primary, *others = sorted(some, key=lambda sha256: preference(rows[sha256][0]))
                found.append(Matched(primary, [match(other, SAME_PLAIN, None) for other in others]))
    return found


def _distance(some: _Pictures, one: int, other: int) -> list[int]:
    """Bits by which pHash and dHash differ."""
    return [int(np.bitwise_count(codes[one] ^ codes[other])) for codes in (some.phash, some.dhash)]


def _live_photos(index: PostgresIndex) -> list[Relation]:
    reason = "still and video of one Live Photo: they carry the same identifier"
    return [Relation(one, other, "live_photo", 100, [reason]) for one, other in contents.live_pairs(index)]
