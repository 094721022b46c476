"""What is taken over from the last search is what another one would say; where nothing changed nothing is done."""

from __future__ import annotations

import json
import os
import random
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from index.contents import Codes
from index.parts import keys_of
from lumina_fs.catalog import Catalog
from lumina_fs.duplicates import candidates, looking, stars
from lumina_fs.duplicates.distinct import Contents, hexadecimal
from lumina_fs.duplicates.find import find
from lumina_fs.duplicates.kept_neighbours import NEIGHBOURS
from lumina_fs.duplicates.numbers import of_found, of_standings
from lumina_fs.duplicates.originals import Originals, Ranked
from lumina_fs.duplicates.recall import SEARCH, basis_of, facts, fingerprints
from lumina_fs.duplicates.reductions import Keys, Reductions
from lumina_fs.duplicates.remembered import DIGESTS
from lumina_fs.duplicates.results import RESULT, Result
from lumina_fs.duplicates.signatures import Heaps, Positions, Signatures
from lumina_fs.duplicates.standing import Standings
from lumina_fs.duplicates.verdicts import Ruling, Verdicts, withdraw
from lumina_fs.progress import Finished, Progress
from lumina_fs.rebuild import rebuild
from tests.lumina_fs.duplicates.made import noise
from tests.lumina_fs.duplicates.searching import contents, opened, ruled, searched

if TYPE_CHECKING:
    from tests.conftest import Library


def save(image: Image.Image, path: Path, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    os.utime(path, ns=(1_600_000_000_123_456_789,) * 2)


@pytest.fixture
def twins(library: Library) -> Library:
    """Pictures with copies of several kinds, two frames of a burst, plain pictures, and one that is alone."""
    for seed in range(4):
        image = Image.fromarray(noise(seed))
        save(image, library.root / f"{seed}/base.png")
        save(image, library.root / f"{seed}/again.jpg", quality=80)
        save(image.resize((50, 40)), library.root / f"{seed}/small.jpg", quality=85)
    shutil.copy2(library.root / "0/base.png", library.root / "0/base copy.png")
    for second in (1, 2):
        tags = Image.Exif()
        tags[271], tags[272] = "Canon", "EOS 1"
        tags.get_ifd(0x8769)[0x9003] = f"2020:05:01 12:00:0{second}"
        save(Image.fromarray(noise(7)), library.root / f"burst/{second}.jpg", quality=80 + second, exif=tags)
    for number in range(3):
        library.photo(f"same/{number}.jpg", 8, Software=str(number))
        save(Image.new("RGB", (60, 40), (9, 9, 9)), library.root / f"plain/{number}.png", compress_level=number * 4)
    library.photo("alone.jpg", 99)
    library.scan()
    return library


def cached(library: Library, path: str) -> Path:
    return library.root / path


def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on nobody may look for neighbours, at pixels, or at what is recorded of a pair."""

    def fail(*_: object) -> Any:
        raise AssertionError("nothing changed, so nothing is to be done")

    monkeypatch.setattr(candidates, "near_pairs", fail)
    monkeypatch.setattr(looking, "look", fail)
    monkeypatch.setattr(looking, "judge", fail)
    monkeypatch.setattr(stars, "judged", fail)


def test_where_nothing_changed_the_last_result_is_the_answer(twins: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    first = searched(twins)
    assert first is not None
    assert len(first.groups) == 6
    assert first.relations
    before = twins.tree()
    no_work(monkeypatch)
    assert searched(twins) == first
    changed = {path for path, stat in twins.tree().items() if before.get(path) != stat}
    assert changed <= {path for path in changed if path.startswith(".lumina/jobs")}


def test_an_index_made_anew_from_the_same_files_changes_only_the_name_of_its_state(
    twins: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = searched(twins)
    assert first is not None
    with Catalog.open(str(twins.root)) as catalog:
        for _ in rebuild(catalog, cancel=threading.Event()):
            pass
    no_work(monkeypatch)
    again = searched(twins)
    assert again is not None
    assert again.state != first.state
    assert (again.groups, again.relations, again.analysed) == (first.groups, first.relations, first.analysed)
    with opened(twins.root) as (catalog, index):
        assert Standings.load(catalog, index).fresh
    assert searched(twins) == again


def test_what_is_stopped_gives_no_result_though_one_is_there(twins: Library) -> None:
    searched(twins)
    cancel = threading.Event()
    cancel.set()
    assert searched(twins, cancel=cancel) is None


def test_the_search_for_neighbours_tells_how_far_it_is_and_ends_when_it_is_stopped(
    twins: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched(twins)
    real = candidates.neighbours
    cancel, ended = threading.Event(), threading.Event()

    def slow(*some: Any) -> Any:
        go_on = some[-1]
        for done in range(10_000):
            if not go_on(1, 10_000):
                ended.set()
                return None
            time.sleep(0.01)
            if done == 100:
                cancel.set()
        return real(*some)

    monkeypatch.setattr("lumina_fs.duplicates.kept_neighbours.neighbours", slow)
    for path in (SEARCH, NEIGHBOURS, RESULT):
        cached(twins, path).unlink()
    assert searched(twins, cancel=cancel) is None
    assert ended.is_set()
    assert not cached(twins, NEIGHBOURS).exists()
    assert not cached(twins, RESULT).exists()
    told = [e.done for e in twins.events if isinstance(e, Progress) and e.stage == "comparing hashes"]
    assert told == sorted(told)
    assert len(told) > 3


@pytest.mark.parametrize(
    "change",
    [
        lambda library: (library.curate("1/base.png", rating=4), library.scan()),
        lambda library: (library.photo("other.jpg", 98), library.scan()),
        lambda library: ruled(library, "1/base.png", ["1/small.jpg"], "not_duplicate"),
        lambda library: cached(library, ".lumina/cache/duplicates/likeness-v1.bin").unlink(),
        lambda library: shutil.rmtree(cached(library, ".lumina/cache/reductions")),
        lambda library: cached(library, RESULT).write_bytes(b"{}"),
    ],
    ids=["sidecar", "original", "verdict", "likenesses", "reductions", "result"],
)
def test_whatever_an_answer_depends_on_makes_for_another_search(
    twins: Library, change: Callable[[Library], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    def counted(self: Signatures) -> Heaps:
        nonlocal asked
        asked += 1
        return real(self)

    real = Signatures.heaps
    monkeypatch.setattr(Signatures, "heaps", counted)
    searched(twins)
    searched(twins)
    assert asked == 1
    change(twins)
    assert searched(twins) is not None
    assert asked == 2


def test_another_threshold_is_another_search(twins: Library) -> None:
    results = [searched(twins, threshold=bits) for bits in (5, 0, 5)]
    assert [one.threshold for one in results if one is not None] == [5, 0, 5]
    assert results[0] == results[2]


def test_only_the_heap_that_changed_is_judged_again(twins: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    first = searched(twins)
    assert first is not None
    judged: list[str] = []

    def counted(self: Originals, heaps: Heaps, keys: Keys) -> Ranked:
        asked = hexadecimal(keys[heaps.pictures])
        judged.extend(twin.path for one in asked for twin in self[one])
        return real(self, heaps, keys)

    real = Originals.ranked
    monkeypatch.setattr(Originals, "ranked", counted)
    twins.curate("2/base.png", rating=1)
    save(Image.fromarray(noise(50)), twins.root / "new.png")  # its reduced picture comes into the cache
    twins.scan()
    again = searched(twins)
    assert again is not None
    assert judged
    assert {path.partition("/")[0] for path in judged} == {"2"}
    assert again.groups == first.groups
    assert again.relations == first.relations


def fresh(library: Library, threshold: int) -> Result:
    """What a search finds that knows of none before; the caches are left as they were."""
    folder, aside = cached(library, ".lumina/cache/duplicates"), library.root.parent / "aside"
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(folder, aside)
    for path in (SEARCH, NEIGHBOURS, RESULT):
        cached(library, path).unlink()
    found = searched(library, threshold=threshold)
    assert found is not None
    shutil.rmtree(folder)
    shutil.copytree(aside, folder)
    return found


def test_heaps_that_are_sorted_out_in_two_halves_are_judged_as_all_at_once(
    twins: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert searched(twins) is not None
    whole = fresh(twins, 5)
    assert len(whole.groups) > 2
    monkeypatch.setattr("lumina_fs.duplicates.find._MANY", 1)
    assert fresh(twins, 5) == whole


@given(st.lists(st.integers(2, 9), max_size=9), st.integers(0, 3))
def test_two_halves_of_heaps_are_all_of_them(sizes: list[int], few: int) -> None:
    heaps = Heaps(np.arange(sum(sizes))[::-1], np.cumsum([0, *sizes]))
    halves = heaps.halves(few)
    assert [heap for half in halves for heap in half.lists()] == heaps.lists()
    assert len(halves) == (1 if len(sizes) < few else 2)


def numbers_agree(library: Library) -> None:
    """The summary in arrays is that of the groups one by one."""
    with opened(library.root) as (catalog, index):
        for event in find(catalog, index, cancel=threading.Event()):
            if isinstance(event, Finished):
                assert of_found(catalog, index, event.result) == of_standings(Standings.load(catalog, index))


def test_what_is_remembered_of_pixels_is_asked_of_no_picture_again(
    twins: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = searched(twins)
    assert first is not None
    for path in (SEARCH, NEIGHBOURS, RESULT):
        cached(twins, path).unlink()
    read: list[int] = []

    def counted(self: Reductions, at: Positions) -> NDArray[np.uint8]:
        read.extend(at.tolist())
        return real(self, at)

    real = Reductions.gray
    monkeypatch.setattr(Reductions, "gray", counted)
    assert searched(twins) == first
    assert len(read) == 3, "those that are too plain for hashes: they are compared by the byte each time"
    cached(twins, DIGESTS).unlink()
    cached(twins, SEARCH).unlink()
    assert searched(twins) == first
    assert len(read) > 6


@pytest.mark.parametrize("seed", range(6 if os.environ.get("LUMINA_SWEEP") == "all" else 2))
def test_after_any_story_the_answer_is_that_of_a_search_from_scratch(twins: Library, seed: int) -> None:
    """Sweep: six stories, else two."""
    choose = random.Random(seed)
    root = twins.root

    def some() -> str:
        found = [str(path.relative_to(root)) for path in root.rglob("*.[jp][pn]g") if ".lumina" not in path.parts]
        return choose.choice(sorted(found))

    def move() -> None:
        path = root / some()
        path.rename(path.with_name(f"moved {path.name}"))
        os.rename(f"{path}.lumina.json", f"{path.with_name(f'moved {path.name}')}.lumina.json")

    def copy() -> None:
        path = root / some()
        shutil.copy2(path, path.with_name(f"{choose.random()}{path.suffix}"))

    def smaller() -> None:
        with Image.open(root / some()) as image:
            save(image.convert("RGB").resize((70, 60)), root / f"later/{choose.random()}.jpg", quality=90)

    def stranger() -> None:
        ruled(twins, some(), [some()], choose.choice(("not_duplicate", "remove", "keep_both")))

    def mind() -> None:
        with Catalog.open(str(root)) as catalog:
            withdraw(catalog, [content for path in (some(), some(), some()) for content in contents(twins, path)])

    def again() -> None:
        with Catalog.open(str(root)) as catalog:
            for _ in rebuild(catalog, cancel=threading.Event()):
                pass

    changes: list[Callable[[], object]] = [
        move, copy, smaller, stranger, stranger, mind, again,
        lambda: (root / some()).unlink(), lambda: twins.curate(some(), rating=choose.randint(1, 5)),
    ]  # fmt: skip
    searched(twins)
    for _ in range(7):
        for change in choose.sample(changes, choose.randint(1, 3)):
            change()
            twins.scan(accept_missing=True)
        threshold = choose.choice((5, 5, 5, 2))
        found = searched(twins, threshold=threshold)
        assert found == fresh(twins, threshold)
        numbers_agree(twins)


@pytest.mark.parametrize("said", [b"", b"[]", b"{}", b"nonsense", b'{"result": 1, "way": 2, "heaps": "zz"}'])
def test_a_damaged_note_of_the_last_search_is_as_none(twins: Library, said: bytes) -> None:
    first = searched(twins)
    cached(twins, SEARCH).write_bytes(said)
    data = cached(twins, NEIGHBOURS).read_bytes()
    cached(twins, NEIGHBOURS).write_bytes(data[:40] + b"x" + data[41:])
    assert searched(twins) == first
    assert json.loads(cached(twins, SEARCH).read_bytes())["basis"]
    assert cached(twins, NEIGHBOURS).read_bytes() == data


# -- the arrays


ROWS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.booleans(), st.booleans()), max_size=12)


def codes_of(rows: list[tuple[int, int, bool, bool]]) -> Codes:
    """Rows of (content, stamp, hashed, image); what a content's size and hashes are follows from it."""
    digests = b"".join(bytes([content]) * 31 + b"\0" for content, *_ in rows)
    stamps = b"".join(bytes([stamp, number]) * 12 for number, (_, stamp, *_) in enumerate(rows))
    numbers = np.array([content for content, *_ in rows], np.uint64)
    return Codes(
        np.frombuffer(digests, "V32").copy(),
        numbers * np.uint64(3),
        numbers * np.uint64(5),
        np.array([hashed for _, _, hashed, _ in rows], bool),
        np.array([image for *_, image in rows], bool),
        numbers.astype(np.int64) * 100,
        np.frombuffer(stamps, "V24").copy(),
    )


def shuffled(codes: Codes, order: random.Random) -> Codes:
    places = list(range(len(codes.size)))
    order.shuffle(places)
    return Codes._make(column[places] for column in codes)


@given(ROWS, st.randoms(use_true_random=False))
def test_contents_and_their_basis_do_not_depend_on_the_order_of_rows(
    rows: list[tuple[int, int, bool, bool]], order: random.Random
) -> None:
    codes = codes_of(rows)
    other, verdicts = shuffled(codes, order), Verdicts()
    one, two = Contents.of(codes), Contents.of(other)
    for name in Contents.__slots__:
        assert np.array_equal(getattr(one, name), getattr(two, name)), name
    assert basis_of(codes, 5, verdicts, ["b", "a"]) == basis_of(other, 5, verdicts, ["a", "b"])
    assert one.copies.tolist() == [
        sum(row[0] == content for row in rows) for content in sorted({content for content, *_ in rows})
    ]
    assert one.places(one.keys).tolist() == list(range(len(one.keys)))
    assert one.places(keys_of(["ff" * 32])).tolist() == [-1]


def test_a_basis_changes_with_every_column_the_threshold_the_sources_and_what_is_no_duplicate() -> None:
    rows = [(1, 1, True, True), (2, 2, True, True), (2, 3, False, False)]
    codes, none = codes_of(rows), Verdicts()
    found = {basis_of(codes, 5, none, ["a"]), basis_of(codes, 4, none, ["a"]), basis_of(codes, 5, none, ["b"])}
    for number in range(len(codes)):
        columns = [column.copy() for column in codes]
        columns[number].view(np.uint8)[0] ^= 1
        found.add(basis_of(Codes._make(columns), 5, none, ["a"]))
    assert len(found) == 3 + len(codes)
    found.add(basis_of(codes, 5, said("not_duplicate"), ["a"]))
    assert len(found) == 4 + len(codes)
    assert basis_of(codes, 5, said("remove"), ["a"]) in found, "what goes is not asked by a search"


def said(decision: Any) -> Verdicts:
    one, other = hexadecimal(Contents.of(codes_of([(1, 1, True, True), (2, 2, True, True)])).keys)
    return Verdicts({frozenset((one, other)): Ruling(one, other, decision, None, None, "2024", "a test")})


def test_facts_change_for_both_of_a_pair_that_is_none() -> None:
    there = Contents.of(codes_of([(1, 1, True, True), (2, 2, True, True), (3, 3, True, True)]))
    plain, told = facts(there, Verdicts()), facts(there, said("not_duplicate"))
    assert (plain != told).any(axis=1).tolist() == [True, True, False]


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), max_size=14))
@settings(max_examples=200)
def test_heaps_are_all_that_hang_together(pairs: list[tuple[int, int]]) -> None:
    numbers = np.arange(16, dtype=np.uint64)
    made = Signatures(numbers, numbers)
    made.join(np.unique(np.array([min(pair) * 16 + max(pair) for pair in pairs if pair[0] != pair[1]], np.int64)))
    heap = {one: {one} for one in range(16)}
    for one, other in pairs:
        both = heap[one] | heap[other]
        heap.update(dict.fromkeys(both, both))
    wanted = sorted(sorted(one) for one in {frozenset(one) for one in heap.values()} if len(one) > 1)
    assert sorted(made.heaps().lists()) == wanted
    for one in range(16):
        assert made.beside(one) == {a ^ b ^ one for a, b in pairs if one in (a, b) and a != b}


def test_a_fingerprint_tells_members_facts_and_neighbours_and_not_their_numbers() -> None:
    def prints(pairs: list[tuple[int, int]], rows: list[int], shift: int = 0) -> list[bytes]:
        made = Signatures(*[np.arange(shift + len(rows), dtype=np.uint64)] * 2)
        count = shift + len(rows)
        made.join(np.array([(a + shift) * count + b + shift for a, b in pairs], np.int64))
        records = np.array([[0]] * shift + [[row] for row in rows], np.uint8)
        return fingerprints(made.heaps(), records[made.heaps().pictures], made)

    chain = [(0, 1), (1, 2), (3, 4)]
    first = prints(chain, [1, 2, 3, 4, 5])
    assert len(set(first)) == 2
    assert prints(chain, [1, 2, 3, 4, 5], shift=3) == first
    assert prints([(0, 1), (0, 2), (3, 4)], [1, 2, 3, 4, 5])[0] != first[0], "other neighbours"
    assert prints([(0, 1), (0, 2), (3, 4)], [1, 2, 3, 4, 5])[1] == first[1]
    assert prints(chain, [1, 2, 9, 4, 5])[0] != first[0], "other facts"
    assert prints([(0, 1), (3, 4)], [1, 2, 3, 4, 5])[0] != first[0], "fewer members"
