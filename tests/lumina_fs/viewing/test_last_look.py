"""The first photos of an answer, kept in the cache from one start to the next."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.viewing import last_look, photos
from lumina_fs.viewing.access import Access
from tests.conftest import Library

BY_DATE = photos.sort_of("date", True)
KEPT = ".lumina/cache/last-look-v1.json"


def look(library: Library) -> list[photos.Listed]:
    """Look at all photos, and keep what was seen."""
    with Catalog.open(str(library.root)) as catalog:
        access = Access(catalog)
        try:
            found = access.answer(photos.first_page, "", BY_DATE, 200)
        finally:
            access.close()
        last_look.keep(catalog, "", BY_DATE, found)
    return found


def recalled(library: Library, query: str = "", sort: photos.Sort = BY_DATE) -> list[photos.Listed]:
    with Catalog.open(str(library.root)) as catalog:
        return last_look.recalled(catalog, query, sort)


@pytest.fixture
def scanned(library: Library) -> Library:
    library.photo("a.jpg", 1, DateTimeOriginal="2019:07:01 12:00:00", Make="Canon", Model="EOS 5D")
    library.photo("schön.jpg", 2)
    library.scan()
    library.curate("a.jpg", caption="dear", rating=4, tags=["people/anna"])
    library.scan()
    return library


def test_what_was_seen_is_there_again_as_it_was(scanned: Library) -> None:
    seen = look(scanned)
    assert len(seen) == 2
    assert recalled(scanned) == seen
    assert any(one.curation.get("caption") == "dear" for one in recalled(scanned))


def test_another_question_recalls_nothing(scanned: Library) -> None:
    look(scanned)
    assert recalled(scanned, "dear") == []
    assert recalled(scanned, "", photos.sort_of("date", False)) == []
    assert recalled(scanned, "", photos.sort_of("size", True)) == []


def test_the_same_look_writes_nothing(scanned: Library) -> None:
    look(scanned)
    before = (scanned.root / KEPT).stat()
    look(scanned)
    after = (scanned.root / KEPT).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: b"[]",
        lambda data: data.replace(b'"size":', b'"size":"', 1),
        lambda data: data.replace(b'"missing":false', b'"missing":"no"', 1),
        lambda data: data.replace(b'"hit":', b'"hat":', 1),
        lambda data: b"\xff" + data,
        lambda data: re.sub(rb'"sha256":"..', b'"sha256":"..', data, count=1),
    ],
)
def test_a_file_that_was_damaged_recalls_nothing(scanned: Library, harm: Any) -> None:
    look(scanned)
    path = scanned.root / KEPT
    path.write_bytes(harm(path.read_bytes()))
    assert recalled(scanned) == []
    assert len(look(scanned)) == 2
    assert len(recalled(scanned)) == 2
