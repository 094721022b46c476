"""What is judged in arrays is what is judged one by one; what is read of many originals is what is read of one."""

from __future__ import annotations

import itertools
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import contents
from index.columns import Columns, columns
from index.contents import Twin
from index.parts import keys_of
from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.comparison import Likeness
from lumina_fs.duplicates.distinct import hexadecimal
from lumina_fs.duplicates.exposures import moment
from lumina_fs.duplicates.groups import Bond, Group, group
from lumina_fs.duplicates.keeper import ordered, preference
from lumina_fs.duplicates.kinds import Case, Judgement, judge
from lumina_fs.duplicates.originals import Originals
from lumina_fs.duplicates.recorded import moments
from lumina_fs.duplicates.remembered import Remembered, pair_key
from lumina_fs.duplicates.signatures import Heaps, Signatures
from lumina_fs.duplicates.stars import Stars
from tests.lumina_fs.duplicates import made
from tests.lumina_fs.duplicates.made import likeness, texts_of
from tests.lumina_fs.duplicates.searching import opened

if TYPE_CHECKING:
    from tests.conftest import Library

Plainly = tuple[str, int, tuple[str, ...]]
Bonds = dict[tuple[int, int], Plainly]

_TIMES = (
    None, "2020", "2020-05-01T12:00:00", "2020-05-01T12:00:00.25", "2020-05-01T12:00:00.251", "2020-05-01T12:00:00.9",
    "2020-05-01T12:00:01", "2020-05-01T13:00:00", "2020-05-01T13:00:00.25", "1961-05-01T11:59:59.7",
    "2020-02-30T12:00:00", "2020-05-01T12:00:00+02:00", "0000-05-01T12:00:00",
)  # fmt: skip
_NAMES = ("IMG_0001.jpg", "IMG_0002.jpg", "IMG_0009.jpg", "IMG_0001 copy.jpg", "a.jpg", "%name: b%FF.jpg")


def plainly(judgement: Judgement) -> Plainly:
    return judgement.kind, judgement.confidence, judgement.reasons


def name_of(number: int) -> str:
    return f"{number * 0x9E3779B97F4A7C15 % (1 << 64):016x}" * 4


def columns_of(twins: Sequence[Twin]) -> Columns:
    """The same originals in columns."""
    values = {name: [getattr(twin, name) for twin in twins] for name in Twin._fields}
    texts = ("source", "path", "media", "format", "taken", "recorded", "offset", "camera", "serial")
    found: dict[str, Any] = {name: texts_of(values[name]) for name in texts}
    for name in ("size", "width", "height", "orientation"):
        found[name] = np.array([one or 0 for one in values[name]], np.int64)
    known: dict[str | None, int] = {None: 0}
    for name in ("format", "camera", "serial", "offset"):
        found[f"{name}s"] = np.array([known.setdefault(one, len(known)) for one in values[name]], np.int64)
    found["sha256"] = keys_of(values["sha256"])
    found["duration"] = np.array(values["duration"], np.float64)
    found["quality"] = np.array(values["quality"], np.float32)
    return Columns(**found)


class World:
    """Heaps of pictures with originals, pixels and words of people, by chance; `odd` of ten values are unusual."""

    def __init__(self, seed: int, odd: int, folder: Path) -> None:
        self.choose = random.Random(seed)
        self.odd = odd
        sizes = [self.choose.randint(2, 4) for _ in range(40)]
        count = sum(sizes)
        self.names = [name_of(number) for number in range(count)]
        starts = np.cumsum([0, *sizes])
        self.heaps = Heaps(np.array(self.choose.sample(range(count), count)), starts)
        of = np.empty(count, np.uint64)
        of[self.heaps.pictures] = np.repeat(np.arange(len(sizes)), sizes)
        self.signatures = Signatures(of, np.array([self.choose.randrange(3) for _ in range(count)], np.uint64))
        self.known: dict[frozenset[int], Likeness] = {}
        self.digests = {name: self.some("", "one", "one", "other") for name in self.names[::3]}
        edges = set()
        for heap in self.heaps.lists():
            for one, other in itertools.combinations(heap, 2):
                self.known[frozenset((one, other))] = self.likeness()
                a, b = sorted((self.signatures.signature(one), self.signatures.signature(other)))
                if a != b and self.choose.random() < 0.95:
                    edges.add(a * len(self.signatures.phash) + b)
        self.signatures.join(np.array(sorted(edges), np.int64))
        self.twins = [twin for heap in self.heaps.lists() for twin in self.originals(heap)]
        self.rows: dict[str, list[Twin]] = {}
        for twin in sorted(self.twins, key=preference):
            self.rows.setdefault(twin.sha256, []).append(twin)
        self.strangers = {frozenset(self.choose.sample(self.names, 2)) for _ in range(odd)}
        with Catalog.create(str(folder), managed=True) as catalog:
            self.remembered = Remembered(catalog)
            for pair, seen in self.known.items():
                keys = [bytes.fromhex(self.names[one]) for one in pair]
                self.remembered.learn([(pair_key(*keys), seen)])
            for name, digest in self.digests.items():
                self.remembered.learn_digest(name, digest)
            self.remembered.save()
            self.remembered = Remembered(catalog)

    def some(self, usual: str, *unusual: str) -> str:
        return usual if self.choose.randrange(10) >= self.odd else self.choose.choice(unusual)

    def likeness(self) -> Likeness:
        pick = self.choose.choice
        return likeness(
            alike=self.some("yes", "") == "yes",
            contained=self.some("yes", "") == "yes",
            detail=pick((0.82, 0.9, 0.95, 0.99)),
            orientation=pick((1, 1, 1, 6)),
            area=pick((1.0, 1.0, 0.8, 1.3)),
            angle=pick((0.0, 0.0, 5.0)),
            brightness=pick((0.0, 12.0)),
        )

    def originals(self, heap: Sequence[int]) -> list[Twin]:
        found: list[Twin] = []
        pick = self.choose.choice
        time, camera = pick(_TIMES), pick((None, "Canon", "Nikon"))
        for number in heap:
            twin = Twin(
                "main", "", self.names[number], "image", self.some("JPEG", "CR2", "PNG"), 1000, pick((None, 400, 300)),
                pick((300, 300, 200)), 2.5 if self.some("", "moves") else None, pick((None, 50.0, 50.0, 70.5)), None,
                pick((None, "2020-05-01")), pick(_TIMES) if self.some("", "other") else time,
                pick((None, "+01:00", "+02:00")), pick((None, "Canon")) if self.some("", "other") else camera,
                pick((None, "", "1", "2")), 1,
            )  # fmt: skip
            for _ in range(pick((1, 1, 1, 2, 0 if self.odd else 1))):
                path = f"{pick(('a', 'b', 'Backup'))}/{number}/{pick(_NAMES)}" if pick((0, 1)) else f"a/{pick(_NAMES)}"
                copy = twin._replace(path=path, source=pick(("main", "usb")))
                if any(copy[:3] == one[:3] for one in found):
                    continue
                found.append(copy)
                if self.some("", "a sidecar of its own"):
                    other = copy._replace(recorded=pick(_TIMES), camera="Leica", width=pick((None, 400, 300)))
                    found[-1] = pick((other, copy._replace(recorded=pick(_TIMES)), copy._replace(height=200)))
        return found

    def judges(self, pairs: Sequence[tuple[int, int]]) -> list[Judgement | None]:
        found: list[Judgement | None] = []
        for pair in pairs:
            names = [self.names[one] for one in pair]
            rows = [self.rows.get(name) for name in names]
            if not rows[0] or not rows[1] or frozenset(names) in self.strangers:
                found.append(None)
                continue
            same = bool(self.digests.get(names[0])) and self.digests.get(names[0]) == self.digests.get(names[1])
            found += judge([Case(rows[0], rows[1], self.known[frozenset(pair)], same)])
        return found

    def one_by_one(self, heaps: list[list[int]]) -> tuple[dict[int, Bonds], Bonds]:
        groups: dict[int, Bonds] = {}
        bonds: Bonds = {}
        for found in group(heaps, self.signatures, self.judges):
            if isinstance(found, Group):
                groups[found.primary] = {(bond.one, bond.other): plainly(bond.judgement) for bond in found.members}
            elif isinstance(found, Bond):
                bonds[found.one, found.other] = plainly(found.judgement)
        return groups, bonds


@pytest.mark.parametrize("odd", [0, 1, 3])
@pytest.mark.parametrize("seed", range(24))
def test_heaps_are_judged_in_arrays_as_one_by_one(seed: int, odd: int, tmp_path: Path) -> None:
    world = World(seed, odd, tmp_path)
    present = [[one for one in heap if world.names[one] in world.rows] for heap in world.heaps.lists()]
    preferred = [sorted(heap, key=lambda one: preference(world.rows[world.names[one]][0])) for heap in present]
    wanted, related = world.one_by_one(preferred)
    shuffled = world.choose.sample(world.twins, len(world.twins))
    originals = Originals(columns_of(shuffled))
    keys = keys_of(world.names)
    ranked = originals.ranked(world.heaps, keys)
    assert ranked.heaps.lists() == [heap for heap in preferred if len(heap) > 1]
    told = {content for pair in world.strangers for content in pair}
    plain, rest = Stars(keys, originals, world.remembered, told).find(ranked, world.signatures)
    if not odd:
        assert len(plain.groups) > 5
    found, bonds = world.one_by_one(ranked.heaps.some(rest).lists())
    pairs = iter(zip(plain.first.tolist(), plain.second.tolist(), strict=True))
    for matched in plain.groups:
        members = [(next(pairs), (one.kind, one.confidence, tuple(one.reasons))) for one in matched.members]
        primary = world.names.index(matched.primary)
        assert [one.sha256 for one in matched.members] == [world.names[pair[1]] for pair, _ in members]
        assert {pair[0] for pair, _ in members} == {primary}
        found[primary] = dict(members)
    assert next(pairs, None) is None
    assert {one: list(members.items()) for one, members in found.items()} == {
        one: list(members.items()) for one, members in wanted.items()
    }
    assert bonds == related
    originals.make(list(world.rows)[::2])
    for sha256, rows in world.rows.items():
        assert originals[sha256] == rows
    firsts = [world.rows[name][0] if name in world.rows else None for name in world.names]
    sides = [[-1, -1] if one is None else [one.width or 0, one.height or 0] for one in firsts]
    assert originals.sides(keys).tolist() == sides
    assert [name in originals for name in world.names] == [one is not None for one in firsts]


def test_of_copies_whose_sidecars_disagree_the_preferred_one_says_the_size() -> None:
    old, new = made.twin("b copy.jpg", name_of(1), width=300, height=200), made.twin("b.jpg", name_of(1))
    originals = Originals(columns_of([old, new, made.twin("c.jpg", name_of(2), width=None, height=None)]))
    assert originals.sides(keys_of([name_of(number) for number in (3, 2, 1)])).tolist() == [
        [-1, -1],
        [0, 0],
        [640, 480],
    ]
    assert Originals().sides(keys_of([name_of(1)])).tolist() == [[-1, -1]]


TIMES = st.one_of(
    st.sampled_from([one or "" for one in _TIMES]),
    st.from_regex(r"[0-2]\d{3}-[01]\d-[0-3]\d[T ][0-2]\d:[0-5]\d:[0-5]\d(\.\d{0,8}|[+Z]?)?", fullmatch=True),
    st.text(max_size=30),
)


@given(st.lists(TIMES, max_size=5), st.booleans())
def test_times_are_read_as_they_are_one_by_one(recorded: list[str], plain: bool) -> None:
    if plain:  # else one that is odd leaves all to be read one by one
        recorded = [one for one in recorded if moment(one) is not None]
    wanted = [np.datetime64(moment(one), "us") for one in recorded]
    rows = np.arange(len(recorded))[::-1]
    found = moments(texts_of([*recorded, None]), rows)
    assert np.array_equal(found[::-1], np.array(wanted, "datetime64[us]"), equal_nan=True)


def test_the_columns_of_originals_are_what_their_rows_say(library: Library) -> None:
    for number in range(3):
        library.photo(f"{number}/a.jpg", number, Make="Canon", Model="EOS 1", DateTimeOriginal="2020:05:01 12:00:00")
    shutil.copy2(library.root / "0/a.jpg", library.root / "0/a copy.jpg")
    library.photo("bare.jpg", 9)
    library.scan()
    with opened(library.root) as (_, index):
        wanted = hexadecimal(contents.codes(index).sha256)
        rows = [twin._replace(parts=None) for twin in contents.twins(index, sorted(set(wanted)))]
        found = columns(index, keys_of(sorted(set(wanted))))
        assert list(columns(index, np.empty(0, "V32")).twins(np.empty(0, np.int64))) == []
    assert len(rows) == 5
    assert all(one.quality for one in rows)
    everything = np.arange(len(rows))
    assert sorted(found.twins(everything), key=str) == sorted(rows, key=str)
    again = columns_of(list(found.twins(everything)))
    for name in ("format", "camera", "serial", "offset"):
        for one, other in itertools.product(everything, repeat=2):
            assert (
                len({getattr(some, f"{name}s")[one] == getattr(some, f"{name}s")[other] for some in (found, again)})
                == 1
            )
    originals = Originals(found)
    for sha256 in wanted:
        copies = [row for row in rows if row.sha256 == sha256]
        assert originals[sha256] == ordered(copies)
    for key, lying in zip(found.sha256.tolist(), originals.places(everything), strict=True):
        assert sorted(lying) == sorted((row.source, row.path) for row in rows if row.sha256 == key.hex())
