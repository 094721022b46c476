"""The search for duplicates: hashes from the index, neighbours among them, a look at their pixels, groups."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index import contents
from index.contents import Twin
from lumina_fs.catalog import Catalog
from lumina_fs.duplicates import kept_neighbours
from lumina_fs.duplicates.distinct import Contents, Names, hexadecimal
from lumina_fs.duplicates.equal import crowd, equal
from lumina_fs.duplicates.groups import Group, group
from lumina_fs.duplicates.keeper import preference
from lumina_fs.duplicates.kinds import SAME_PLAIN
from lumina_fs.duplicates.looking import Looking
from lumina_fs.duplicates.matched import MEMBER, Bound, Groups
from lumina_fs.duplicates.originals import Originals
from lumina_fs.duplicates.recall import (
    Last,
    basis_of,
    facts,
    fingerprints,
    keep,
    recall,
    strangers,
)
from lumina_fs.duplicates.reduction_writer import ReductionWriter
from lumina_fs.duplicates.reductions import Keys, Positions, Reductions, places, taken
from lumina_fs.duplicates.remembered import Remembered
from lumina_fs.duplicates.results import Relation, Result, save
from lumina_fs.duplicates.signatures import Heaps, Signatures, Words
from lumina_fs.duplicates.stars import Stars
from lumina_fs.duplicates.verdicts import Verdicts
from lumina_fs.progress import Event, Finished, Note, Progress, Throttle
from schemas.names import decode_name

if TYPE_CHECKING:
    from index.postgres import PostgresIndex
    from lumina_fs.picture_worker import Want

#: Bits by which one hash of two pictures may differ.
THRESHOLD = 5
LIVE = "live_photo"
#: Fewer heaps than this are sorted out in one go.
_MANY = 10_000


class Found(NamedTuple):
    """What a search found, and the contents that were there when it looked."""

    result: Result
    contents: Contents


def find(
    catalog: Catalog, index: PostgresIndex, *, threshold: int = THRESHOLD, cancel: threading.Event
) -> Iterator[Event | Finished[Found]]:
    """Search the whole catalog; the result is in the last event, and kept in the cache.

    Stopped, it keeps what it saw, and leaves the last result as it is. Raises IndexUnavailable, IndexUnusable.
    """
    search = _Search(catalog, index, threshold, cancel)
    found = yield from search.run()
    if found is not None:
        yield Finished(found)


def state_of(index: PostgresIndex) -> str:
    """By what a result knows that the index is still the one it was made from."""
    return f"{index.meta('generation')}-{index.meta('revision')}"


@dataclass(slots=True)
class _Pictures:
    """Contents whose pixels are at hand; those with hashes that mean something come first."""

    keys: Keys
    names: Names
    at: Positions
    phash: Words
    dhash: Words
    facts: Words
    """(n, 3): other ones when anything else is known of it."""

    def records(self, pictures: Positions) -> NDArray[np.uint8]:
        """A row of bytes for each of these: its content, its hashes, and what is known of it."""
        digests = taken(self.keys, pictures).view(np.uint64).reshape(-1, 4)
        hashes = np.zeros((len(pictures), 2), np.uint64)
        hashed = np.flatnonzero(pictures < len(self.phash))
        hashes[hashed] = np.stack([codes[pictures[hashed]] for codes in (self.phash, self.dhash)], 1)
        return np.concatenate([digests, self.facts[pictures], hashes], 1).view(np.uint8)


@dataclass(slots=True)
class _Search:
    catalog: Catalog
    index: PostgresIndex
    threshold: int
    cancel: threading.Event
    roots: dict[str, str] = field(default_factory=dict)
    rows: Originals = field(default_factory=Originals)
    verdicts: Verdicts = field(default_factory=Verdicts)
    last: Last = field(default_factory=Last)
    groups: list[Groups] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    live: list[Relation] = field(default_factory=list)
    heaps: list[bytes] = field(default_factory=list)
    """Fingerprints of all heaps there are."""
    analysed: int = 0
    missing: int = 0
    whole: bool = True
    """False when something could not be asked, and may be answered another time."""

    def run(self) -> Generator[Event, None, Found | None]:
        self.roots = {source.name: source.path for source in self.catalog.sources()}
        yield Progress("reading hashes", 0, None, "pictures")
        state, codes = state_of(self.index), contents.codes(self.index)
        self.verdicts = Verdicts.load(self.catalog)
        with ThreadPoolExecutor(1) as beside:
            told = beside.submit(basis_of, codes, self.threshold, self.verdicts, self.roots)
            there, basis = Contents.of(codes), told.result()
        del codes
        self.last = recall(self.catalog)
        if self.last.result is not None and self.last.basis == basis:
            return None if self.cancel.is_set() else self._again(state, there)
        yield from self._look(there)
        if self.cancel.is_set():
            return None
        self.relations += self.live
        groups = Groups.joined(self.groups)
        result = Result(self.threshold, state, self.analysed, self.missing, groups, self.relations)
        data = save(self.catalog, result)
        if self.whole and state_of(self.index) == state:
            keep(self.catalog, data, "" if self.missing else basis, self.heaps)
        return Found(result, there)

    def _again(self, state: str, there: Contents) -> Found:
        """The last result, which is also that of this search."""
        assert self.last.result is not None
        if self.last.result.state == state:
            return Found(self.last.result, there)
        result = replace(self.last.result, state=state)
        keep(self.catalog, save(self.catalog, result), self.last.basis, self.last.heaps)
        return Found(result, there)

    def _look(self, there: Contents) -> Iterator[Event]:
        """Three steps: neighbours by their hashes, then their pixels, then what else is recorded of them."""
        reductions, at = yield from self._reductions(there)
        some = _pictures(there, facts(there, self.verdicts), at)
        self.analysed, self.missing = len(some.keys), int(there.image.sum()) - len(some.keys)
        yield Progress("comparing hashes", 0, len(some.keys), "pictures")
        signatures = Signatures(some.phash, some.dhash)
        yield from kept_neighbours.join(
            signatures, some.keys, lambda pictures: reductions.views(some.at[pictures]), some.at,
            catalog=self.catalog, threshold=self.threshold, cancel=self.cancel,
        )  # fmt: skip
        if self.cancel.is_set():
            return
        plain = equal(reductions, some.at, crowd(np.arange(len(some.phash), len(some.keys))))
        heaps = self._unknown(signatures.heaps(), some, signatures)
        flat = self._unknown(_heaps(plain), some, None)
        asked = np.zeros(len(some.keys), bool)
        asked[heaps.pictures] = asked[flat.pictures] = True
        known = taken(some.keys, np.flatnonzero(asked))
        with ThreadPoolExecutor(1) as server:  # it looks its rows up while we look at pictures
            rows, live = server.submit(Originals.read, self.index, known), server.submit(_live_photos, self.index)
            if self.last.result is None:  # what they are known by is for the next search, and could wait
                self.heaps = [*_prints(heaps, some, signatures), *_prints(flat, some, None)]
            remembered = Remembered(self.catalog)
            crowds = signatures.crowds()
            crowds = crowds.some(asked[crowds.pictures[crowds.starts[:-1]]])
            settled = np.zeros(len(some.keys), bool)
            settled[crowds.pictures] = remembered.asked(taken(some.keys, crowds.pictures))
            alike = equal(reductions, some.at, crowds, settled)
            self.rows = rows.result()
            plain = flat.lists()
            yield from self._read_pixels([*alike, *plain], some, remembered)
            yield from self._grouped(some, heaps, signatures, reductions, remembered)
            self.live = live.result()
        remembered.save()
        self.rows.make(some.names[number] for heap in plain for number in heap)
        self.groups.append(_plain_groups(plain, some.names, self.rows, remembered))
        self.groups.append(_copied(there, self.groups))
        self.relations.sort(key=lambda one: (one.one, one.other))

    def _unknown(self, heaps: Heaps, some: _Pictures, signatures: Signatures | None) -> Heaps:
        """The heaps that the last search did not have just so; of the others, what it found is taken over."""
        if self.last.result is None:
            return heaps
        prints = _prints(heaps, some, signatures)
        self.heaps += prints
        old = np.array([one in self.last.heaps for one in prints], bool)
        if old.any():
            pictures = heaps.some(old).pictures
            groups = self.last.result.groups
            self.groups.append(groups.some(groups.of_these(taken(some.keys, pictures))))
            known = {some.names[number] for number in pictures.tolist()} if self.last.result.relations else set()
            self.relations += [one for one in self.last.result.relations if one.one in known and one.kind != LIVE]
        return heaps.some(~old)

    def _stars(
        self, some: _Pictures, unknown: Heaps, signatures: Signatures, remembered: Remembered
    ) -> list[list[int]]:
        """Take over what is plain from what is remembered; gives the heaps that need a closer look, in order."""
        told = {content for pair in strangers(self.verdicts) for content in pair}
        stars = Stars(some.keys, self.rows, remembered, told)

        def sorted_out(heaps: Heaps) -> tuple[Groups, list[list[int]]]:
            ranked = self.rows.ranked(heaps, some.keys)
            (groups, first, second), rest = stars.find(ranked, signatures)
            for name, codes in (("phash", some.phash), ("dhash", some.dhash)):
                groups.members[name] = np.bitwise_count(codes[first] ^ codes[second])
            return groups, ranked.heaps.some(rest).lists()

        with ThreadPoolExecutor(2) as threads:
            parts = list(threads.map(sorted_out, unknown.halves(_MANY)))
        self.groups += [groups for groups, _ in parts]
        return [heap for _, rest in parts for heap in rest]

    def _reductions(self, there: Contents) -> Generator[Event, None, tuple[Reductions, Positions]]:
        """All reduced pictures, and where those of all contents are; what the cache lacks is read from originals."""
        found = Reductions(self.catalog)
        at = found.positions(there.keys)
        unread = taken(there.keys, np.flatnonzero(there.image & (at < 0)))
        missing = hexadecimal(unread)
        if not missing:
            return found, at
        yield Note(f"reading {len(missing):,} originals whose reduced pictures are not in the cache")
        self.rows = Originals.read(self.index, unread)
        writer = ReductionWriter(self.catalog)
        yield from self._make("reduction", missing, "reading pictures", writer.add)
        writer.flush()
        found = Reductions(self.catalog)
        return found, found.positions(there.keys)

    def _read_pixels(self, alike: list[list[int]], some: _Pictures, remembered: Remembered) -> Iterator[Event]:
        """The digests of the pixels of contents that look exactly like another of the same size."""
        pictures = np.array([number for same in alike for number in same], np.int64)
        which = np.repeat(np.arange(len(alike)), [len(same) for same in alike])
        sizes: dict[tuple[int, ...], list[str]] = {}
        for number, same, sides in zip(
            pictures.tolist(), which.tolist(), self.rows.sides(taken(some.keys, pictures)).tolist(), strict=True
        ):
            if sides[0] >= 0:
                sizes.setdefault((same, *sides), []).append(some.names[number])
        several = (sha256 for names in sizes.values() if len(names) > 1 for sha256 in names)
        asked = [sha256 for sha256 in several if remembered.digest(sha256) is None]
        if asked:

            def learn(sha256: str, digest: bytes | None) -> None:
                remembered.learn_digest(sha256, digest.hex() if digest is not None else "")

            yield from self._make("pixels", asked, "reading pixels", learn)
            self.whole = all(remembered.digest(sha256) is not None for sha256 in asked)

    def _make(
        self, want: Want, asked: list[str], stage: str, take: Callable[[str, bytes | None], None]
    ) -> Iterator[Event]:
        """Let workers make something of these contents, from the first original of each; `take` gets it as it comes."""
        from lumina_fs import pictures  # with all that reads files, which most searches need not
        from lumina_fs.picture_worker import Order

        orders = []
        self.rows.make(asked)
        for sha256 in asked:
            twin = next((twin for twin in self.rows.get(sha256, ()) if twin.source in self.roots), None)
            if twin is not None:
                path = decode_name(twin.path)
                orders.append(Order(want, twin.source, self.roots[twin.source], path, sha256, twin.orientation))
        for done, (order, made) in enumerate(pictures.make(self.catalog, orders, cancel=self.cancel), 1):
            take(order.sha256, made.data)
            yield Progress(stage, done, len(orders), "pictures")

    def _grouped(
        self, some: _Pictures, unknown: Heaps, signatures: Signatures, reductions: Reductions, remembered: Remembered
    ) -> Iterator[Event]:
        """What neighbours are to each other: from memory where that is plain, or by a look at their pixels."""
        looking = Looking(reductions, some.at, some.names, self.rows, remembered, self.verdicts, self.cancel)
        heaps = self._stars(some, unknown, signatures, remembered)
        self.rows.make(some.names[number] for heap in heaps for number in heap)
        throttle = Throttle()
        groups: list[tuple[str, list[Bound]]] = []
        for found in group(heaps, signatures, looking):
            if self.cancel.is_set():
                break
            if isinstance(found, Group):
                members = [
                    Bound(some.names[bond.other], bond.judgement, _distance(some, found.primary, bond.other))
                    for bond in found.members
                ]
                groups.append((some.names[found.primary], members))
            elif isinstance(found, int):
                if throttle.due() or found == len(heaps):
                    yield Progress("comparing pictures", found, len(heaps), "heaps")
            else:
                one, other, judgement = some.names[found.one], some.names[found.other], found.judgement
                self.relations.append(
                    Relation(one, other, judgement.kind, judgement.confidence, list(judgement.reasons))
                )
        self.groups.append(Groups.of(groups))


def _pictures(there: Contents, known: Words, at: Positions) -> _Pictures:
    """Distinct contents of pictures, in the order of their digests; `at`: where the reduced pictures of all are."""
    ours = np.flatnonzero(there.image & (at >= 0))
    ours = ours[np.argsort(~there.hashed[ours], kind="stable")]
    hashed = ours[: int(there.hashed[ours].sum())]
    keys = taken(there.keys, ours)
    return _Pictures(keys, Names(keys), at[ours], there.phash[hashed], there.dhash[hashed], known.take(ours, axis=0))


def _prints(heaps: Heaps, some: _Pictures, signatures: Signatures | None) -> list[bytes]:
    return fingerprints(heaps, some.records(heaps.pictures), signatures)


def _heaps(lists: list[list[int]]) -> Heaps:
    """The same in one array."""
    pictures = np.array([number for heap in lists for number in heap], np.int64)
    return Heaps(pictures, np.cumsum([0, *map(len, lists)], dtype=np.int64))


def _plain_groups(
    plain: list[list[int]], names: Names, rows: Mapping[str, list[Twin]], remembered: Remembered
) -> Groups:
    """Of pictures that hold too little for hashes, those whose pixels are all the same."""
    found: list[tuple[str, list[Bound]]] = []
    for same in plain:
        digests: dict[str, list[str]] = {}
        for number in same:
            digest = remembered.digest(names[number])
            if digest and names[number] in rows:
                digests.setdefault(digest, []).append(names[number])
        for some in digests.values():
            if len(some) > 1:
                primary, *others = sorted(some, key=lambda sha256: preference(rows[sha256][0]))
                found.append((primary, [Bound(other, SAME_PLAIN) for other in others]))
    return Groups.of(found)


def _copied(there: Contents, groups: Sequence[Groups]) -> Groups:
    """A group without members for each content that several files have, and none of these groups."""
    copied = taken(there.keys, np.flatnonzero(there.copies > 1))
    alone = np.ones(len(copied), bool)
    for some in groups:
        for keys in (some.primaries, some.others):
            found = places(copied, keys)
            alone[found[found >= 0]] = False
    primaries = taken(copied, np.flatnonzero(alone))
    return Groups(primaries, np.zeros(len(primaries) + 1, np.int64), np.zeros(0, MEMBER), [])


def _distance(some: _Pictures, one: int, other: int) -> list[int]:
    """Bits by which pHash and dHash differ."""
    return [int(np.bitwise_count(codes[one] ^ codes[other])) for codes in (some.phash, some.dhash)]


def _live_photos(index: PostgresIndex) -> list[Relation]:
    reason = "still and video of one Live Photo: they carry the same identifier"
    return [Relation(one, other, LIVE, 100, [reason]) for one, other in contents.live_pairs(index)]
