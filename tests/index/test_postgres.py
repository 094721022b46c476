"""Rows in a real Postgres: what goes in comes out, whatever a document holds, and queries find what they should."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from index.entry import entry
from index.generation import Generation
from index.postgres import PostgresIndex
from index.protocol import Entry, IndexUnavailable, IndexUnusable, Problem, Seen

ETAG = "ab" * 32


def document(number: int = 0, **blocks: Any) -> dict[str, Any]:
    value: dict[str, Any] = {
        "kind": "sidecar",
        "version": 1,
        "id": f"0192d2a4-7c5e-7a10-9d3e-{number:012x}",
        "curation": {},
        "original": {
            "media": "image", "name": f"{number}.jpg", "size": 1000 + number, "mtime_ns": 1,
            "sha256": f"{number:064x}", "format": "JPEG", "width": 40, "height": 30,
        },
        "origin": {"source": "main", "mode": "reference", "first_path": f"{number}.jpg"},
        "capture": {},
        "measurements": {},
        "problems": [],
    }  # fmt: skip
    for name, block in blocks.items():
        value[name] = {**value[name], **block} if isinstance(block, dict) else block
    return value


def row(number: int = 0, path: str | None = None, **blocks: Any) -> Entry:
    return entry(document(number, **blocks), "main", path or f"{number}.jpg", ETAG, f"seen {number}")


def make_empty(index: PostgresIndex) -> None:
    """An index of no originals, made as a rebuild makes it."""
    generation = Generation(index, "new")
    with generation.filling():
        pass
    generation.swap()


@pytest.fixture
def index(postgres: str) -> Iterator[PostgresIndex]:
    with PostgresIndex(postgres, str(uuid.uuid4()), "/somewhere") as found:
        make_empty(found)
        yield found
        found.drop()


def paths(index: PostgresIndex, query: str = "") -> list[str]:
    return [hit.path for hit in index.search(query)]


def test_a_new_index_is_usable_and_a_missing_one_says_so(postgres: str) -> None:
    with PostgresIndex(postgres, str(uuid.uuid4()), "/somewhere") as index:
        with pytest.raises(IndexUnusable, match="no index yet"):
            index.check()
        make_empty(index)
        index.check()
        assert index.drop()
        assert not index.drop()


def test_no_server_is_told_without_a_password() -> None:
    with pytest.raises(IndexUnavailable) as caught:
        PostgresIndex("host=/nonexistent user=me password=secret", str(uuid.uuid4()), "/x")
    assert "secret" not in str(caught.value)


def test_rows_replace_rows_and_paths_can_be_removed(index: PostgresIndex) -> None:
    index.upsert("main", [row(1), row(2)])
    index.upsert("main", [row(1, curation={"caption": "heron"})])
    assert paths(index, "heron") == ["1.jpg"]
    assert index.count("") == 2
    index.upsert("main", removed=["1.jpg"])
    assert paths(index) == ["2.jpg"]
    assert index.known("main") == {"2.jpg": f"seen 2\t{ETAG}"}


def test_what_was_seen_comes_back_exactly_for_every_name(index: PostgresIndex) -> None:
    names = [
        "plain.jpg",
        "tab\tnew\nline\\back.jpg",
        "bytes:caf%E9.jpg",
        "ünï 漢字 🎈.jpg",
        "\u202eevil.jpg",
        r"\N",
        r"\.",
    ]
    index.upsert("main", [row(number, path=name) for number, name in enumerate(names)])
    assert set(index.known("main")) == set(names)
    assert set(paths(index)) == set(names)
    index.upsert("main", seen=[Seen(names[1], "new mark", ETAG)])
    assert index.known("main")[names[1]] == f"new mark\t{ETAG}"


HOSTILE = {
    "nul": {"caption": "a\0b"},
    "nul escaped twice": {"caption": "a\\u0000b"},
    "huge text": {"caption": "word " * 400_000},
    "one huge word": {"caption": "x" * 3_000_000},
    "many words": {"caption": " ".join(f"w{n}" for n in range(60_000))},
    "quotes": {"caption": "o'clock \\ 'x' \"y\" & | ! <-> :* $1 %s"},
    "huge number": {"metadata": {"n": 10**400}},
    "deep": {"metadata": {"a": {"b": {"c": [[[[1]]]]}}}},
    "odd tags": {"tags": ["a/b/c", {"category": "x y", "value": "ö'z"}]},
}


@pytest.mark.parametrize("curation", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_value_is_taken(index: PostgresIndex, curation: dict[str, Any]) -> None:
    index.upsert("main", [row(1, curation=curation), row(2)])
    assert len(paths(index)) == 2


def test_more_words_than_postgres_takes_leave_the_fields_findable(index: PostgresIndex) -> None:
    camera = {"camera": {"make": "Nikon", "model": "D90"}}
    caption = "first " + " ".join(f"w{number}" for number in range(60_000))
    index.upsert("main", [row(1, curation={"caption": caption, "rating": 3}, capture=camera), row(2)])
    assert paths(index, "camera:d90 type:image has:caption name:1") == ["1.jpg"]
    assert paths(index, "first") == ["1.jpg"]


def test_impossible_machine_values_become_nothing(index: PostgresIndex) -> None:
    broken = row(
        1,
        original={"width": 10**30, "duration": 1e308, "sha256": None},
        capture={"taken": {"local": "0000-00", "source": "exif", "confidence": 1}, "exposure": {"iso": 10**25}},
        measurements={"dhash": {"version": 1, "value": "zz"}, "quality": {"version": 1, "value": "good"}},
    )
    index.upsert("main", [broken])
    [hit] = index.search("")
    assert (hit.width, hit.sha256, hit.quality) == (None, None, None)


def test_fields_find_what_they_name(index: PostgresIndex) -> None:
    index.upsert(
        "main",
        [
            row(1, path="2019/Italy/IMG_0001.JPG", original={"name": "IMG_0001.JPG"}, capture={
                "camera": {"make": "Canon", "model": "Canon EOS 80D"}, "lens": {"model": "EF 50mm f/1.8"},
                "taken": {"local": "2019-07-14T12:00:00", "source": "exif", "confidence": 95},
                "gps": {"latitude": 1.0, "longitude": 2.0}, "exposure": {"iso": 1600},
                "tags": {"IPTC:Keywords": ["regatta"], "XMP:Title": "Boats"}}),
            row(2, path="2020/two.heic", original={"format": "HEIC", "size": 20_000_000},
                curation={"rating": 4, "tags": ["people/anna", "Été"], "label": "red", "caption": "a red bike"},
                capture={"taken": {"local": "2020", "source": "directory", "confidence": 50},
                         "date_flags": ["future"]}),
            row(3, path="three.mp4", original={"media": "video", "format": "MP4", "missing_since": "2020"},
                problems=[{"code": "undecodable", "message": "x"}]),
        ],
    )  # fmt: skip
    found = {
        "camera:canon": [1], "camera:\"canon eos\"": [1], "lens:50mm": [1], "type:heic": [2], "type:video": [3],
        "date:2019-07": [1], "date:2020": [2], "date:2018..2021": [2, 1], "tag:anna": [2], "tag:people/anna": [2],
        "tag:ete": [2], "name:IMG_00*": [1], "name:img_0001.jpg": [1], "path:2019/Italy": [1], "rating:>=3": [2],
        "iso:>800": [1], "size:>10MB": [2], "label:red": [2], "flag:future": [2], "has:gps": [1], "has:problems": [3],
        "is:missing": [3], "-is:missing": [2, 1], "regatta": [1], "boats": [1], '"red bike"': [2], '"bike red"': [],
        "ital": [1], "-camera:canon type:image": [2], "source:main": [2, 1, 3], "eos OR bike": [2, 1],
    }  # fmt: skip
    names = {1: "2019/Italy/IMG_0001.JPG", 2: "2020/two.heic", 3: "three.mp4"}
    assert {query: paths(index, query) for query in found} == {
        query: [names[number] for number in numbers] for query, numbers in found.items()
    }


def test_a_corrupt_sidecar_keeps_its_last_good_row_marked_stale(index: PostgresIndex) -> None:
    index.upsert("main", [row(1, curation={"caption": "heron"})])
    index.upsert("main", corrupt=[Problem("1.jpg", "corrupt_sidecar", "cut off", 3, 7), Problem("new.jpg", "c", "m")])
    assert paths(index, "heron is:stale") == ["1.jpg"]
    assert index.known("main") == {}
    assert index.summary().stale == 1
    assert ("main", Problem("1.jpg", "corrupt_sidecar", "cut off", 3, 7)) in index.problems()
    index.upsert("main", [row(1)])
    assert paths(index, "is:stale") == []
    assert [problem.path for _, problem in index.problems()] == ["new.jpg"]


def test_exact_duplicates_leave_out_missing_and_empty_ones(index: PostgresIndex) -> None:
    same = {"sha256": "5" * 64, "size": 500}
    index.upsert("main", [row(number, original=same) for number in (1, 2, 3)])
    index.upsert("main", [row(4, original={**same, "missing_since": "2020"}), row(5)])
    index.upsert("main", [row(number, original={"sha256": "0" * 64, "size": 0}) for number in (6, 7)])
    [group] = index.exact_duplicates()
    assert [hit.path for hit in group] == ["1.jpg", "2.jpg", "3.jpg"]
    summary = index.summary()
    assert (summary.duplicates, summary.duplicate_groups, summary.wasted) == (2, 1, 1000)
    assert index.count_duplicates() == 2


def test_files_that_cannot_be_read_are_no_duplicates_of_each_other(index: PostgresIndex) -> None:
    index.upsert("main", [row(number, original={"sha256": None}) for number in (1, 2, 3)])
    summary = index.summary()
    assert (index.count_duplicates(), summary.duplicates, summary.duplicate_groups) == (0, 0, 0)


def test_a_batch_that_cannot_be_taken_leaves_nothing_behind(index: PostgresIndex) -> None:
    index.upsert("main", [row(1)])
    good = row(2)
    bad = Entry("3.jpg", b"not\ta\trow\n", b"", Seen("3.jpg", "x", ETAG))
    with pytest.raises(IndexUnavailable):
        index.upsert("main", [good, bad])
    assert paths(index) == ["1.jpg"]
    index.upsert("main", [good])
    assert index.count("") == 2


def test_rows_that_go_with_their_source_are_a_change_of_the_index(index: PostgresIndex) -> None:
    index.upsert("main", [row(1)])
    index.upsert("card", [entry(document(2), "card", "2.jpg", ETAG, "seen 2")])
    before = index.meta("revision")
    assert index.keep_sources(["main", "card"]) == 0
    assert index.meta("revision") == before
    assert index.keep_sources(["main"]) == 1
    assert index.meta("revision") != before
    assert paths(index) == ["1.jpg"]
