"""The caption in a text file beside a photo: read, found, noticed when it changes, written where wished."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.cli import main
from lumina_fs.curating.direct import Done, change_curation
from lumina_fs.text_captions import decoded
from lumina_fs.units import captions_of

if TYPE_CHECKING:
    from tests.conftest import Library

HOUR_AGO = time.time_ns() - 3_600_123_456_789


def write(library: Library, name: str, text: str | bytes, age: int = 0) -> Path:
    path = library.root / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.utime(path, ns=(HOUR_AGO + age, HOUR_AGO + age))
    return path


def said(library: Library, name: str = "a.jpg") -> str | None:
    block = library.value(name).get("text_caption")
    return None if block is None else str(block["text"])


@pytest.fixture
def own(library: Library) -> Library:
    library.photo("a.jpg", 1)
    library.photo("b.jpg", 2)
    return library


def test_it_is_read_with_the_photo_found_among_words_and_no_caption_of_the_person(own: Library) -> None:
    write(own, "a.txt", "two herons, masterpiece\n")
    assert own.scan().added == 2
    assert said(own) == "two herons, masterpiece"
    assert said(own, "b.jpg") is None
    assert own.value("a.jpg")["curation"] == {}
    assert own.search("herons masterpiece") == ["a.jpg"]
    assert own.search("has:caption") == ["a.jpg"]
    assert list(own.value("a.jpg")).index("text_caption") == list(own.value("a.jpg")).index("capture") + 1


def test_a_change_is_noticed_and_nothing_else_is_written(own: Library, capsys: pytest.CaptureFixture[str]) -> None:
    write(own, "a.txt", "herons")
    own.scan()
    own.scan()  # the sidecars' own times vouch for them by now, or not yet
    for path in own.root.glob("*.lumina.json"):
        os.utime(path, ns=(HOUR_AGO, HOUR_AGO))
    own.scan()
    tree = own.tree()
    assert (own.scan().unchanged, own.tree()) == (2, tree)
    write(own, "a.txt", "storks", age=7)
    result = own.scan()
    assert (result.updated, result.unchanged) == (1, 1)
    assert (own.search("storks"), own.search("herons")) == (["a.jpg"], [])
    write(own, "b.jpg.txt", "a jetty")
    assert own.scan().updated == 1
    assert own.search("jetty") == ["b.jpg"]
    (own.root / "a.txt").unlink()
    assert own.scan().updated == 1
    assert said(own) is None
    assert own.search("storks") == []
    assert main(["show", str(own.root / "b.jpg")]) == 0
    assert ["text", "file", "a", "jetty"] in [line.split() for line in capsys.readouterr().out.splitlines()]


def test_a_text_file_that_was_merely_touched_changes_no_sidecar(own: Library) -> None:
    write(own, "a.txt", "herons")
    own.scan()
    before = own.sidecar("a.jpg").read_bytes()
    write(own, "a.txt", "herons", age=99)
    assert own.scan().updated == 0
    assert own.sidecar("a.jpg").read_bytes() == before


def test_a_rebuilt_index_knows_it_and_the_scan_after_it_reads_nothing_anew(own: Library) -> None:
    from lumina_fs.index_session import connect

    write(own, "a.txt", "herons")
    own.scan()
    with Catalog.open(str(own.root)) as catalog, connect(catalog) as index:
        index.drop()
    assert own.search("herons") == ["a.jpg"]
    before = own.sidecar("a.jpg").read_bytes()
    assert own.scan().unchanged == 2
    assert own.sidecar("a.jpg").read_bytes() == before


def test_an_edit_by_hand_and_a_rehash_keep_it(own: Library) -> None:
    write(own, "a.txt", "herons")
    own.scan()
    own.curate("a.jpg", caption="mine")
    own.scan(rehash=True)
    assert said(own) == "herons"
    assert own.search("mine herons") == ["a.jpg"]


def test_whose_it_is_where_several_could_own_it() -> None:
    assert captions_of(["IMG.JPG"], ["IMG.txt", "IMG.JPG.txt"]) == {"IMG.JPG": "IMG.JPG.txt"}
    assert captions_of(["IMG.JPG", "IMG.MOV"], ["IMG.txt"]) == {"IMG.JPG": "IMG.txt"}
    assert captions_of(["a.jpg", "a.png"], ["a.txt", "a.png.txt"]) == {"a.jpg": "a.txt", "a.png": "a.png.txt"}
    assert captions_of(["a.jpg"], ["b.txt", "notes.TXT"]) == {}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xef\xbb\xbfplain\r\n", "plain"), ("Möwe".encode("utf-16"), "Möwe"), ("Möwe".encode("cp1252"), "Möwe"),
        (b"two\r\nlines\r\n", "two\r\nlines"), (b"", ""), (b"\0\1binary", None), (b"\xff\xfe", ""),
    ],
)  # fmt: skip
def test_texts_of_all_kinds_are_read(data: bytes, text: str | None) -> None:
    assert decoded(data) == text


@pytest.mark.parametrize("data", [b"\0" * 100, b"x" * (2 << 20)], ids=["no text", "too large"])
def test_what_is_no_caption_is_left_alone(own: Library, data: bytes) -> None:
    write(own, "a.txt", data)
    (own.root / "b.txt").symlink_to("a.txt")
    own.scan()
    assert (said(own), said(own, "b.jpg")) == (None, None)


def test_a_hostile_caption_acts_on_nothing(own: Library, capsys: pytest.CaptureFixture[str]) -> None:
    write(own, "a.txt", "her\x1b]52;c;eA==\x07ons [/bold] \u202e" + "long " * 5000)
    own.scan()
    assert len(said(own) or "") <= 4096
    assert own.search("long") == ["a.jpg"]
    main(["show", str(own.root / "a.jpg")])
    assert "\x1b" not in capsys.readouterr().out


# -- the other way


@pytest.fixture
def writing(own: Library) -> Library:
    own.scan()
    catalog = own.root / ".lumina" / "catalog.json"
    catalog.write_text(catalog.read_text().replace('"settings": {}', '"settings": {"captions": "write"}'))
    return own


def caption(library: Library, text: str | None) -> None:
    with Catalog.open(str(library.root)) as catalog:

        def change(value: dict[str, object]) -> dict[str, object]:
            rest = {name: item for name, item in value.items() if name != "caption"}
            return rest if text is None else {**rest, "caption": text}

        assert isinstance(change_curation(catalog, "main", "a.jpg", change), Done)


def text_of(library: Library, name: str = "a.txt") -> str | None:
    path = library.root / name
    return path.read_text() if path.exists() else None


def test_a_caption_goes_into_the_text_file_when_it_changes(writing: Library) -> None:
    writing.photo("a.png.jpg", 5)
    caption(writing, "Two herons")
    assert text_of(writing) == "Two herons\n"
    assert said(writing) == "Two herons"
    caption(writing, "Three herons")
    assert text_of(writing) == "Three herons\n"
    writing.curate("a.jpg", caption="By hand")
    writing.scan()
    assert text_of(writing) == "By hand\n"
    for _ in range(2):
        tree = writing.tree()
        assert writing.scan().updated == 0
    assert writing.tree() == tree
    assert [path.name for path in writing.root.glob("*kept*")] == []
    caption(writing, None)
    assert text_of(writing) == "By hand\n"


def test_a_persons_text_is_kept_when_a_caption_takes_its_place(writing: Library) -> None:
    write(writing, "a.txt", "1girl, herons")
    writing.scan()
    caption(writing, "Two herons")
    assert text_of(writing) == "Two herons\n"
    [kept] = writing.root.glob("a.txt.lumina-kept-*")
    assert kept.read_text() == "1girl, herons"


def test_a_text_that_a_person_edited_since_stays_until_the_caption_changes(writing: Library) -> None:
    caption(writing, "Two herons")
    write(writing, "a.txt", "my own words")
    writing.scan()
    writing.scan(rehash=True)
    assert (text_of(writing), said(writing)) == ("my own words", "my own words")
    (writing.root / "a.txt").unlink()
    writing.scan()
    assert text_of(writing) is None
    caption(writing, "Four herons")
    assert text_of(writing) == "Four herons\n"


def test_without_the_setting_nothing_is_written(own: Library) -> None:
    own.scan()
    caption(own, "Two herons")
    own.scan()
    assert text_of(own) is None


def test_a_caption_that_only_a_search_heard_of_is_written_by_the_next_scan(writing: Library) -> None:
    from lumina_fs.index_session import mark_behind

    writing.curate("a.jpg", caption="By hand")
    with Catalog.open(str(writing.root)) as catalog:
        mark_behind(catalog, "a test")
    assert writing.search("hand") == ["a.jpg"]
    assert text_of(writing) is None
    writing.scan()
    assert text_of(writing) == "By hand\n"


def test_the_first_of_two_of_a_name_has_the_plain_text_file(writing: Library) -> None:
    writing.photo("a.jpeg", 7)
    writing.scan()
    caption(writing, "Two herons")
    assert (text_of(writing), text_of(writing, "a.jpg.txt")) == (None, "Two herons\n")
