"""Postgres stopped or full in the middle of things: files go on being written, and afterwards the index has all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from index import server
from index.tables import schema_of
from lumina_fs.catalog import Catalog
from lumina_fs.index_session import BEHIND, connect
from lumina_fs.progress import Finished
from lumina_fs.rebuild import verify

if TYPE_CHECKING:
    from tests.conftest import Library

REPOSITORY = Path(__file__).resolve().parents[2]


def is_equal(library: Library) -> bool:
    with Catalog.open(str(library.root)) as catalog:
        *_, last = verify(catalog, cancel=threading.Event())
    assert isinstance(last, Finished)
    return bool(last.result.equal)


def processes() -> list[int]:
    """The embedded server with all its processes, the first of them first."""
    first = int((Path(server.directory()) / "data/postmaster.pid").read_text().split()[0])
    children = []
    for entry in os.listdir("/proc"):
        with suppress(OSError, ValueError):
            if int(Path(f"/proc/{int(entry)}/stat").read_text().rpartition(")")[2].split()[1]) == first:
                children.append(int(entry))
    return [first, *children]


@contextmanager
def stopped() -> Iterator[None]:
    """The server with all its processes, stopped by SIGSTOP."""
    family = processes()
    for pid in family:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def test_a_server_that_is_stopped_before_a_scan_keeps_no_file_from_being_written(library: Library) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    library.photo("b.jpg", 2)
    library.curate("a.jpg", caption="heron")
    with stopped():
        begun = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "lumina_fs", "scan", str(library.root), "--quiet"],
            cwd=REPOSITORY, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        print(f"a scan beside a stopped server took {time.monotonic() - begun:.1f} s")
        assert done.returncode == 0, done.stderr
        assert library.sidecar("b.jpg").exists(), done.stderr
        assert (library.root / BEHIND).exists()
    assert sorted(library.search()) == ["a.jpg", "b.jpg"]
    assert library.search("heron") == ["a.jpg"]
    assert is_equal(library)


def test_a_server_that_is_stopped_in_the_middle_of_a_scan_is_given_up(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    from index import patience
    from lumina_fs.index_session import IndexWriter

    monkeypatch.setattr(patience, "LIMIT_SECONDS", 1.0)
    monkeypatch.setattr(patience, "ASK_SECONDS", 2)
    for number in range(3):
        library.photo(f"{number}.jpg", number)
    real = IndexWriter.upsert
    stop = stopped()

    def upsert(self: IndexWriter, *arguments: object) -> None:
        if "entered" not in library.events:
            library.events.append("entered")
            stop.__enter__()
        real(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(IndexWriter, "upsert", upsert)
    try:
        result = library.scan()
    finally:
        stop.__exit__(None, None, None)
    assert (result.added, result.index) == (3, "behind")
    assert (library.root / BEHIND).exists()
    assert len(library.search()) == 3
    assert is_equal(library)


def test_a_statement_that_takes_long_is_waited_for(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    from index import patience

    monkeypatch.setattr(patience, "LIMIT_SECONDS", 0.5)
    with Catalog.create(str(library.root)) as catalog, connect(catalog) as index, index.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(4)")
        assert cursor.fetchone() is not None


@pytest.fixture
def little_room(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 8 MB that Postgres may write to."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-o", "size=8m,mode=0777"]
    command = ["mount", "-t", "tmpfs", *options, "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False).returncode:
        pytest.skip("a small disk can only be mounted by root, where mounting is allowed")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_server_whose_disk_is_full_keeps_no_file_from_being_written(
    library: Library, postgres: str, little_room: Path, tmp_path: Path
) -> None:
    """The tables of the catalog lie on a disk that is full: the server answers, and takes no row."""
    library.photo("a.jpg", 1)
    library.scan()
    owner = (Path(server.directory()) / "data").stat()
    (little_room / "tables").mkdir()
    os.chown(little_room / "tables", owner.st_uid, owner.st_gid)
    for folder in (little_room.parent, *little_room.parent.parents):
        if folder.stat().st_mode & 0o005 != 0o005 and str(folder).startswith("/tmp/pytest"):
            folder.chmod(folder.stat().st_mode | 0o055)
    with Catalog.open(str(library.root)) as catalog:
        schema = schema_of(catalog.id, catalog.path)
    with psycopg.connect(postgres, autocommit=True) as conn:
        conn.execute(f"CREATE TABLESPACE little LOCATION '{little_room / 'tables'}'".encode())
        for table in ("original", "seen", "problem", "stale"):
            conn.execute(f"ALTER TABLE {schema}.{table} SET TABLESPACE little".encode())
    try:
        with suppress(OSError), (little_room / "filler").open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        for number in range(2, 120):
            library.photo(f"{number}.jpg", number, size=(24, 16))
        library.curate("a.jpg", caption="heron")
        result = library.scan()
        assert (result.added, result.index) == (118, "behind")
        assert len(list(library.root.glob("*.lumina.json"))) == 119
        assert (library.root / BEHIND).exists()
        (little_room / "filler").unlink()
        assert library.scan().index == "current"
        assert library.search("heron") == ["a.jpg"]
        assert len(library.search(limit=200)) == 119
        assert is_equal(library)
    finally:
        with psycopg.connect(postgres, autocommit=True) as conn:
            conn.execute(f"DROP SCHEMA {schema} CASCADE".encode())
            conn.execute("DROP TABLESPACE little")
