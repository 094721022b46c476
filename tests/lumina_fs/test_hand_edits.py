"""What a person wrote into a sidecar stays, byte for byte where nothing else had to change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from lumina_fs import leftovers
from lumina_fs.answers import answering_index
from lumina_fs.catalog import Catalog
from lumina_fs.documents import read
from lumina_fs.durable import KEPT, TEMP_PREFIX, Disk
from lumina_fs.errors import CorruptDocument
from lumina_fs.roots import Root

if TYPE_CHECKING:
    from tests.conftest import Library


def test_a_valid_edit_is_found_and_left_as_it_is(library: Library) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    text = library.curate("a.jpg", caption="Two herons", rating=4, tags=["birds/heron", {"value": "lake"}])
    library.scan()
    assert library.sidecar("a.jpg").read_bytes() == text
    assert library.search("heron rating:>=4") == ["a.jpg"]
    assert library.search("tag:lake") == ["a.jpg"]
    assert library.search("tag:birds/heron") == ["a.jpg"]


def test_a_date_of_the_person_wins(library: Library) -> None:
    library.photo("a.jpg", 1, DateTimeOriginal="2019:07:14 12:00:01")
    library.scan()
    assert library.search("date:2019-07") == ["a.jpg"]
    library.curate("a.jpg", date="1987-05")
    library.scan()
    assert library.search("date:1987") == ["a.jpg"]
    assert library.search("date:2019") == []
    assert library.value("a.jpg")["capture"]["taken"]["local"] == "2019-07-14T12:00:01"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_unknown_keys_odd_layout_bom_and_crlf_survive_a_machine_write(library: Library, newline: str) -> None:
    photo = library.photo("a.jpg", 1)
    library.scan()
    value = library.value("a.jpg")
    value["curation"] = {"caption": "x", "x-mine": {"b": 1.50, "a": [1, 2]}}
    value["original"]["x-note"] = "kept too"
    value["zz_top"] = "unknown at the top"
    text = json.dumps(value, indent=3).replace("1.5", "1.50").replace("\n", newline)
    library.sidecar("a.jpg").write_bytes(b"\xef\xbb\xbf" + text.encode())
    library.scan()
    assert library.sidecar("a.jpg").read_bytes() == b"\xef\xbb\xbf" + text.encode()
    # now the machine has to write: the same content, decoded by a decoder that was not there before
    value["problems"] = [{"code": "undecodable", "message": "by another", "decoder": "none"}]
    text = json.dumps(value, indent=3).replace("1.5", "1.50").replace("\n", newline)
    library.sidecar("a.jpg").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert library.scan().updated == 1
    after = library.sidecar("a.jpg").read_bytes()
    assert after.startswith(b"\xef\xbb\xbf{" + newline.encode() + b"   ")
    assert (b"\r\n" in after) == (newline == "\r\n")
    assert b'"b": 1.50' in after
    assert b"kept too" in after
    assert b"unknown at the top" in after
    assert json.loads(after[3:])["problems"] == []
    assert photo.exists()


BROKEN = {
    "a comma too many": b'{"kind": "sidecar",}',
    "a key twice": b'{"kind": "sidecar", "kind": "sidecar"}',
    "not a number": b'{"kind": "sidecar", "version": NaN}',
    "cut off": b'{"kind": "side',
    "empty": b"",
    "not UTF-8": b'{"kind": "\xff"}',
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_sidecar_stays_as_it_is_and_its_last_good_row_stands(library: Library, text: bytes) -> None:
    library.photo("a.jpg", 1)
    library.photo("b.jpg", 2)
    library.scan()
    library.curate("a.jpg", caption="heron")
    library.scan()
    library.sidecar("a.jpg").write_bytes(text)
    for options in ({}, {}, {"rehash": True}):
        result = library.scan(**options)
        assert library.sidecar("a.jpg").read_bytes() == text
        assert result.problems == 1
        assert [event.code for event in library.events if hasattr(event, "code")] == ["corrupt_sidecar"]
    assert library.search("heron") == ["a.jpg"]
    assert library.search("is:stale") == ["a.jpg"]


def test_a_mended_sidecar_is_taken_again(library: Library) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    good = library.sidecar("a.jpg").read_bytes()
    library.sidecar("a.jpg").write_bytes(good[:-3])
    library.scan()
    library.sidecar("a.jpg").write_bytes(good)
    assert library.scan().problems == 0
    assert library.search("is:stale") == []


@pytest.mark.parametrize("first_photo_then_sidecar", [True, False])
def test_of_a_photo_that_went_with_its_broken_sidecar_nothing_stays(
    library: Library, first_photo_then_sidecar: bool
) -> None:
    for number in range(4):
        library.photo(f"{number}.jpg", number)
    library.scan()
    library.sidecar("0.jpg").write_text("{")
    library.scan()
    if first_photo_then_sidecar:
        (library.root / "0.jpg").unlink()
        library.scan()
        library.sidecar("0.jpg").unlink()
    else:
        library.sidecar("0.jpg").unlink()
        (library.root / "0.jpg").unlink()
    library.scan()
    assert library.search("") == ["3.jpg", "2.jpg", "1.jpg"]
    with (
        Catalog.open(str(library.root)) as catalog,
        answering_index(catalog, show=print, may_rebuild=lambda why: False, cancel=threading.Event()) as index,
    ):
        assert index.problems() == []


def test_a_sidecar_that_an_editor_is_just_saving_is_waited_for(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    path = library.sidecar("a.jpg")
    whole = path.read_bytes()
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            path.write_bytes(whole)

    monkeypatch.setattr("lumina_fs.sidecars.time.sleep", pause)
    with Catalog.open(str(library.root)) as catalog, Root.open(str(library.root)) as root:
        sidecars = catalog.sidecars(catalog.sources()[0], root)
        path.write_bytes(whole[:100])
        found = sidecars.find("a.jpg")
        assert found is not None
        assert len(pauses) == 3
        assert found[0].data == whole
        path.write_bytes(whole[:100])
        os.utime(path, (1_600_000_000, 1_600_000_000))
        with pytest.raises(CorruptDocument):
            sidecars.find("a.jpg")
        assert len(pauses) == 3, "what was broken long ago is not waited for"


def test_a_value_that_makes_no_sense_is_told_with_line_and_column(library: Library) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    library.curate("a.jpg", rating=9)
    library.scan()
    [trouble] = [event for event in library.events if hasattr(event, "code")]
    line = library.sidecar("a.jpg").read_text().splitlines()[trouble.line - 1]
    assert line[trouble.column - 1 :] == "9"
    assert "curation.rating" in trouble.message


def test_an_edit_that_comes_while_a_scan_composes_is_merged(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scan has read the sidecar; before it writes, the person saves: both must be in the result."""
    from lumina_fs import documents, sidecars

    library.photo("a.jpg", 1)
    library.photo("b.jpg", 2)
    library.scan()
    os.utime(library.root / "a.jpg")
    value = library.value("a.jpg")
    value["problems"] = [{"code": "undecodable", "message": "by another", "decoder": "none"}]
    library.sidecar("a.jpg").write_text(json.dumps(value))
    real, edits = documents.text_for, iter(["first save", "second save"])

    def save_in_between(*args: object) -> bytes:
        caption = next(edits, None)
        if caption:
            library.curate("a.jpg", caption=caption)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(sidecars, "text_for", save_in_between)
    library.scan()
    assert library.value("a.jpg")["curation"] == {"caption": "second save"}
    assert library.value("a.jpg")["problems"] == []


def test_writers_refuse_a_sidecar_that_does_not_parse(library: Library) -> None:
    from lumina_fs.documents import edit
    from lumina_fs.durable import Disk
    from schemas.sidecar import Sidecar

    library.sidecar("a.jpg").write_bytes(b"{")
    with Root.open(str(library.root)) as root:
        with pytest.raises(CorruptDocument, match="line 1"):
            edit(Disk(), root, "a.jpg.lumina.json", Sidecar, lambda value: {**(value or {}), "curation": {}})
        stored = read(root, "a.jpg.lumina.json")
    assert stored is not None
    assert stored.data == b"{"


def test_a_save_that_a_kill_left_under_a_temporary_name_is_kept_for_the_person(library: Library) -> None:
    """Killed between the swap and the swap back: what somebody saved in between lies under the temporary's name."""
    for number in range(3):
        library.photo(f"{number}.jpg", number)
    library.scan()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    saved = library.curate("0.jpg", caption="saved in that very moment")
    left = {
        "aaa": saved,
        "bbb": library.sidecar("1.jpg").read_bytes(),
        "ccc": library.sidecar("2.jpg").read_bytes().replace(b'"size": ', b'"size": 1'),
        "ddd": b'{"cut o',
    }
    library.curate("0.jpg", caption="before")
    for mark, data in left.items():
        path = library.root / f"{TEMP_PREFIX}{dead.pid}-{mark}"
        path.write_bytes(data)
        os.utime(path, (1_600_000_000, 1_600_000_000))
    with Root.open(str(library.root)) as root:
        assert leftovers.sweep(Disk(), root, "") == 4
    assert not list(library.root.glob(f"{TEMP_PREFIX}*"))
    [kept] = library.root.glob(f"*{KEPT}*")
    assert kept.name.startswith("0.jpg.lumina.json")
    assert kept.read_bytes() == saved
    library.scan()
    assert kept.read_bytes() == saved


WRONG = "ab" * 32


def say_digest(library: Library, path: str, sha256: str = WRONG) -> str:
    """Change `original.sha256` of a sidecar by hand, and a caption with it; the digest that stood there."""
    value = library.value(path)
    good: str = value["original"]["sha256"]
    value["original"]["sha256"] = sha256
    value["curation"]["caption"] = "Two herons"
    library.sidecar(path).write_text(json.dumps(value, indent=7))
    return good


@pytest.mark.parametrize("options", [{}, {"rehash": True}], ids=["scan", "rehash"])
def test_a_digest_that_was_changed_by_hand_is_put_right_and_curation_stays(
    library: Library, options: dict[str, bool]
) -> None:
    library.photo("a.jpg", 1)
    library.photo("b.jpg", 2)
    library.scan()
    good = say_digest(library, "a.jpg", library.value("b.jpg")["original"]["sha256"])
    result = library.scan(**options)
    assert (result.updated, result.unchanged, result.problems, result.exact_duplicates) == (1, 1, 0, 0)
    assert any("a.jpg: original.sha256" in event.text for event in library.events if hasattr(event, "text"))
    value = library.value("a.jpg")
    assert (value["original"]["sha256"], value["problems"]) == (good, [])
    assert library.search("herons") == ["a.jpg"]
    assert b'\n       "curation"' in library.sidecar("a.jpg").read_bytes(), "laid out as the person had it"
    before = library.tree()
    assert library.scan(rehash=True).unchanged == 2
    assert library.tree() == before


def test_a_sidecar_of_another_photo_is_no_digest_changed_by_hand_though_the_index_knows_the_one_before(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A photo makes place for another one while the index is away, and comes back."""
    photo = library.photo("a.jpg", 1)
    library.photo("b.jpg", 2)
    library.scan()
    library.curate("a.jpg", caption="the first")
    library.scan()
    first, data = library.value("a.jpg"), photo.read_bytes()
    with monkeypatch.context() as away:
        away.setenv("LUMINA_DATABASE_URL", "host=/nonexistent user=nobody")
        library.photo("a.jpg", 3)
        library.scan()
        library.curate("a.jpg", caption="the other")
        other = library.value("a.jpg")
    assert other["id"] != first["id"]
    photo.write_bytes(data)
    library.scan()
    now = library.value("a.jpg")
    assert (now["id"], now["original"]["sha256"]) == (first["id"], first["original"]["sha256"])
    assert now["curation"]["caption"] == "the first"
    aside = [json.loads(path.read_bytes()) for path in library.root.glob("*.lumina-orphan*")]
    assert [(one["id"], one["curation"]["caption"]) for one in aside] == [(other["id"], "the other")]


def test_damage_is_told_with_the_good_digest_also_where_a_hand_changed_it(library: Library) -> None:
    photo = library.photo("a.jpg", 1)
    library.scan()
    good = say_digest(library, "a.jpg")
    times, data = photo.stat(), bytearray(photo.read_bytes())
    data[-20] ^= 1
    photo.write_bytes(data)
    os.utime(photo, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert library.scan().problems == 1
    value = library.value("a.jpg")
    assert [problem["code"] for problem in value["problems"]] == ["bit_rot"]
    assert value["original"]["sha256"] == good
    assert value["curation"]["caption"] == "Two herons"


def test_a_sidecar_that_another_catalog_wrote_anew_is_believed(library: Library) -> None:
    photo = library.photo("a.jpg", 1)
    library.scan()
    other = type(library)(library.root.parent)
    times = photo.stat()
    data = bytearray(photo.read_bytes())
    data[-20] ^= 1
    photo.write_bytes(data)
    os.utime(photo, ns=(times.st_atime_ns, times.st_mtime_ns + 1_000_000_000))
    assert other.scan().updated == 1
    shared = library.sidecar("a.jpg").read_bytes()
    assert library.scan().unchanged == 1
    assert library.sidecar("a.jpg").read_bytes() == shared


def test_a_digest_that_is_taken_out_by_hand_is_measured_anew(library: Library) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    value = library.value("a.jpg")
    good = value["original"].pop("sha256")
    value["problems"] = [{"code": "bit_rot", "message": "as if it were damaged"}]
    library.sidecar("a.jpg").write_text(json.dumps(value))
    assert library.scan().updated == 1
    assert library.value("a.jpg")["original"]["sha256"] == good
    assert library.value("a.jpg")["problems"] == []
