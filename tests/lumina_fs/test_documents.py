"""Documents on disk: edited without losing a byte that did not change, refused where they do not parse."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lumina_fs.documents import edit, read
from lumina_fs.durable import Disk
from lumina_fs.errors import CorruptDocument, EtagMismatch, UnsafePath, WriteFailed
from lumina_fs.file_state import digest
from lumina_fs.roots import Root
from schemas.catalog import Catalog
from tests.lumina_fs.faults import Failing, Interrupted, TestLayer, caption, document

ID = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Root]:
    with Root.open(str(tmp_path)) as opened:
        yield opened


def rename(value: dict[str, Any] | None) -> dict[str, Any]:
    return {**(value or {}), "name": "renamed"}


ODD = (
    b'{ "kind":"catalog" ,\n'
    b'\t"version" : 1,   "id": "' + ID.encode() + b'",\n\n'
    b'     "mine": {"b": 1.50, "a": [1,\n2 , 3e0], "\\u0061gain": "\\u00e9\xc3\xa9"},\n'
    b'  "name":\t"before"  ,"layout": "YYYY" }   \n\n'
)


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_all_but_the_changed_value_stays_byte_for_byte(root: Root, tmp_path: Path, bom: bytes, newline: bytes) -> None:
    text = bom + ODD.replace(b"\n", newline)
    (tmp_path / "c.json").write_bytes(text)
    assert edit(Disk(), root, "c.json", Catalog, rename)
    assert (tmp_path / "c.json").read_bytes() == text.replace(b'"before"', b'"renamed"')


def test_the_same_value_writes_nothing(root: Root, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_bytes(ODD.replace(b"before", b"renamed"))
    before, layer = path.stat(), TestLayer()
    assert not edit(Disk(layer), root, "c.json", Catalog, rename)
    after = path.stat()
    assert layer.trace == []
    assert (after.st_mtime_ns, after.st_ctime_ns, after.st_ino) == (
        before.st_mtime_ns,
        before.st_ctime_ns,
        before.st_ino,
    )


def test_a_document_that_is_not_there_is_made(root: Root, tmp_path: Path) -> None:
    assert read(root, "c.json") is None
    assert read(root, "folder/c.json") is None
    assert edit(Disk(), root, "c.json", Catalog, lambda value: {"kind": "catalog", "given": value})
    assert (tmp_path / "c.json").read_bytes() == b'{\n  "kind": "catalog",\n  "given": null\n}\n'


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"", "line 1, column 1"),
        (ODD[:-20], "line 6"),
        (ODD.replace(b'"version" : 1', b'"version" : NaN'), "line 2, column 14"),
        (ODD.replace(b'"version" : 1', b'"version" : 2'), "newer than this Lumina"),
        (ODD.replace(b'"before"', b"7"), "name: must be a valid string.*line 6, column 11"),
        (ODD.replace(b'"layout"', b'"kind"'), "twice.*line 6, column 22"),
        (ODD.replace(b"catalog", b"sidecar"), "kind: must be 'catalog'"),
        (b"\xff\xfe{}", "UTF-8"),
    ],
)
def test_a_document_that_does_not_parse_is_refused_and_left(
    root: Root, tmp_path: Path, text: bytes, place: str
) -> None:
    path = tmp_path / "c.json"
    path.write_bytes(text)
    before = path.stat()
    with pytest.raises(CorruptDocument, match=rf"^c\.json: .*{place}"):
        edit(Disk(), root, "c.json", Catalog, rename)
    assert path.read_bytes() == text
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert os.listdir(tmp_path) == ["c.json"]


def test_an_edit_in_between_is_read_again_and_kept(root: Root, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_bytes(document("read"))
    calls = []

    def turn(value: dict[str, Any] | None) -> dict[str, Any]:
        assert value is not None
        calls.append(value["name"])
        return {**value, "turns": value["turns"] + 1}

    edits = {("exchange", n): lambda n=n: path.write_bytes(document(f"edit {n}")) for n in (1, 3)}
    assert edit(Disk(Interrupted(edits)), root, "c.json", Catalog, turn)
    assert calls[0] == "read"
    assert calls[-1] == "edit 3"
    assert caption(path.read_bytes()) == "edit 3"
    assert b'"turns": 1' in path.read_bytes()


def test_a_document_that_somebody_writes_again_and_again_is_given_up(root: Root, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_bytes(document("0"))

    def turn(value: dict[str, Any] | None) -> dict[str, Any]:
        assert value is not None
        path.write_bytes(document(str(int(value["name"]) + 1)))
        return {**value, "turns": 1}

    with pytest.raises(EtagMismatch, match="nothing was written"):
        edit(Disk(), root, "c.json", Catalog, turn, tries=5)
    assert caption(path.read_bytes()) == "5"
    assert os.listdir(tmp_path) == ["c.json"]


def test_a_full_disk_is_told_and_the_document_stays(root: Root, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_bytes(ODD)
    with pytest.raises(WriteFailed, match="No space left"):
        edit(Disk(Failing(2, 28)), root, "c.json", Catalog, rename)
    assert path.read_bytes() == ODD
    assert os.listdir(tmp_path) == ["c.json"]


def test_no_link_is_followed_to_a_document(root: Root, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "c.json").write_bytes(ODD)
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "c.json").symlink_to("real/c.json")
    with pytest.raises(UnsafePath, match="passes through a link"):
        read(root, "folder/c.json")
    with pytest.raises(OSError):
        read(root, "c.json")
    with pytest.raises(UnsafePath):
        edit(Disk(), root, "folder/c.json", Catalog, rename)
    assert (tmp_path / "real" / "c.json").read_bytes() == ODD


def test_what_was_read_names_its_bytes_and_is_trusted_only_when_old(root: Root, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_bytes(ODD)
    fresh = read(root, "c.json")
    assert fresh is not None
    assert fresh.etag == digest(ODD)
    assert fresh.stat.inode == path.stat().st_ino
    assert not fresh.settled, "it may be written again without its times showing it"
    os.utime(path, ns=(1, time.time_ns() - 3_000_000_001))
    old = read(root, "c.json")
    assert old is not None
    assert old.settled
