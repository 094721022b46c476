"""Conditional writes beside editors and other processes: what a person saved is live, merged or kept."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lumina_fs import leftovers
from lumina_fs.cache_files import clear_cache, write_cache
from lumina_fs.documents import edit
from lumina_fs.durable import ABSENT, TEMP_PREFIX, Conflict, Disk, Failed, Item, Written
from lumina_fs.errors import CorruptDocument, EtagMismatch, Locked, Refused, UnsafePath, WriteFailed
from lumina_fs.file_state import digest, has_settled
from lumina_fs.kernel import Layer
from lumina_fs.locks import lock
from lumina_fs.roots import Root
from schemas.catalog import Catalog
from schemas.text import dump
from tests.lumina_fs.faults import FILE_SYSTEMS, Failing, Interrupted, TestLayer, caption, document

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Root]:
    with Root.open(str(tmp_path)) as opened:
        yield opened


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def save(path: Path, data: bytes) -> None:
    """As most editors save: a new file, and a rename."""
    fresh = path.with_name("editor~")
    fresh.write_bytes(data)
    fresh.replace(path)


# -- what a write does


def test_the_bytes_are_on_the_disk_before_they_get_their_name_and_the_name_before_success(
    root: Root, tmp_path: Path
) -> None:
    new, over = TestLayer(), TestLayer()
    first = Disk(new).write(root, "a.json", b"one", if_match=ABSENT)
    assert isinstance(first, Written)
    assert new.trace == ["create", "write", "fsync", "rename_new", "fsync"]
    second = Disk(over).write(root, "a.json", b"two", if_match=first.etag)
    assert isinstance(second, Written)
    assert over.trace == ["create", "write", "fsync", "exchange", "fsync", "unlink"]
    assert (tmp_path / "a.json").read_bytes() == b"two"


def test_a_batch_shares_one_sync_and_syncs_each_folder_once(root: Root, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    items = [Item(f"{folder}/{number}.json", b"x", ABSENT) for folder in ("one", "two") for number in range(5)]
    layer = TestLayer()
    assert all(isinstance(outcome, Written) for outcome in Disk(layer).write_batch(root, items))
    assert layer.trace == ["create", "write"] * 10 + ["syncfs"] + ["rename_new"] * 10 + ["fsync"] * 2


def test_a_batch_larger_than_the_directory_cache_keeps_every_outcome_with_its_item(root: Root, tmp_path: Path) -> None:
    items = []
    for number in range(300):
        (tmp_path / str(number)).mkdir()
        items.append(Item(f"{number}/a.json", str(number).encode(), ABSENT if number % 7 else "0" * 64))
    outcomes = Disk().write_batch(root, items)
    for number, outcome in enumerate(outcomes):
        assert isinstance(outcome, Written if number % 7 else Conflict)
        assert names(tmp_path / str(number)) == (["a.json"] if number % 7 else [])


def test_every_disk_that_a_batch_touches_is_synced(tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system to write to")
    synced = []

    class Watching(Layer):
        def syncfs(self, fd: int) -> None:
            synced.append(os.fstat(fd).st_dev)
            super().syncfs(fd)

    with tempfile.TemporaryDirectory(dir=memory) as other, Root.open("/") as root:
        folders = [str(tmp_path)[1:], other[1:]]
        items = [Item(f"{folder}/{number}", b"x", ABSENT) for folder in folders for number in range(2)]
        assert all(isinstance(outcome, Written) for outcome in Disk(Watching()).write_batch(root, items))
    assert sorted(synced) == sorted([memory.stat().st_dev, tmp_path.stat().st_dev])


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o666, 0o444, 0o755])
def test_the_mode_of_a_file_is_kept_whatever_the_umask_says(root: Root, tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    path.chmod(mode)
    umask = os.umask(0o027)
    try:
        assert isinstance(Disk().write(root, "a.json", b"new", if_match=digest(b"old")), Written)
    finally:
        os.umask(umask)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o7777 == mode


def test_a_new_file_has_the_mode_that_the_umask_gives(root: Root, tmp_path: Path) -> None:
    umask = os.umask(0o027)
    try:
        Disk().write(root, "a.json", b"new", if_match=ABSENT)
    finally:
        os.umask(umask)
    assert (tmp_path / "a.json").stat().st_mode & 0o7777 == 0o640


@pytest.mark.parametrize("system", FILE_SYSTEMS)
def test_a_condition_that_does_not_hold_writes_nothing(root: Root, tmp_path: Path, system: str) -> None:
    (tmp_path / "a.json").write_bytes(b"here")
    before = (tmp_path / "a.json").stat()
    disk = Disk(TestLayer(FILE_SYSTEMS[system]))
    assert disk.write(root, "a.json", b"new", if_match=ABSENT) == Conflict(digest(b"here"))
    assert disk.write(root, "a.json", b"new", if_match=digest(b"was")) == Conflict(digest(b"here"))
    assert disk.write(root, "gone.json", b"new", if_match=digest(b"was")) == Conflict(None)
    assert names(tmp_path) == ["a.json"]
    after = (tmp_path / "a.json").stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_size) == (before.st_ino, before.st_mtime_ns, before.st_size)


def test_times_vouch_for_a_file_only_when_a_later_change_must_show_in_them() -> None:
    assert has_settled(1_000_000_001, 1_000_000_002)
    assert not has_settled(1_000_000_001, 1_000_000_001)
    assert not has_settled(5_000_000_000, 6_000_000_000), "a whole second may stand for two"
    assert has_settled(5_000_000_000, 7_000_000_001)
    assert not has_settled(9_000_000_000, 7_000_000_001), "another machine's clock goes a little faster"
    assert has_settled(200_000_000_000_000, 7_000_000_001), "a camera's clock was wrong: a write shows the time of day"


# -- an editor in between


@pytest.mark.parametrize("system", ["all there is", "no exchange", "no renameat2, no links"])
def test_an_edit_before_the_swap_is_a_conflict_and_stays_live(root: Root, tmp_path: Path, system: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"read")
    layer = Interrupted({("exchange", 1): lambda: save(path, b"edited")}, FILE_SYSTEMS[system])
    assert Disk(layer).write(root, "a.json", b"new", if_match=digest(b"read")) == Conflict(digest(b"edited"))
    assert path.read_bytes() == b"edited"
    assert names(tmp_path) == ["a.json"]


def test_a_file_removed_before_the_swap_stays_removed(root: Root, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"read")
    layer = Interrupted({("exchange", 1): path.unlink})
    assert Disk(layer).write(root, "a.json", b"new", if_match=digest(b"read")) == Conflict(None)
    assert names(tmp_path) == []


def test_a_file_made_before_a_new_one_gets_its_name_stays(root: Root, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    layer = Interrupted({("rename_new", 1): lambda: path.write_bytes(b"made")})
    assert Disk(layer).write(root, "a.json", b"new", if_match=ABSENT) == Conflict(digest(b"made"))
    assert path.read_bytes() == b"made"
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize("name", ["a.json", "n" * 243 + ".lumina.json"])
def test_two_saves_around_the_swap_are_both_kept(root: Root, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"read")
    edits = {("exchange", n): lambda n=n: save(path, b"edit %d" % n) for n in (1, 2)}
    outcome = Disk(Interrupted(edits)).write(root, name, b"new", if_match=digest(b"read"))
    assert isinstance(outcome, Conflict)
    assert outcome.etag == digest(path.read_bytes())
    assert {file.read_bytes() for file in tmp_path.iterdir()} == {b"edit 1", b"edit 2"}
    [kept] = [found for found in names(tmp_path) if found != name]
    assert kept.startswith(name[:200])
    assert ".lumina-kept-" in kept


def test_an_edit_in_place_right_after_the_link_is_kept_where_nothing_can_be_swapped(root: Root, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"read")
    layer = Interrupted({("rename", 1): lambda: path.write_bytes(b"edited in place")}, FILE_SYSTEMS["no exchange"])
    outcome = Disk(layer).write(root, "a.json", b"new", if_match=digest(b"read"))
    assert isinstance(outcome, Written)
    assert {file.read_bytes() for file in tmp_path.iterdir()} == {b"new", b"edited in place"}
    assert [name.startswith("a.json.lumina-kept-") for name in names(tmp_path)] == [False, True]


@pytest.mark.parametrize("system", ["all there is", "no exchange"])
def test_an_editor_that_had_the_file_open_across_the_swap_writes_into_a_file_that_is_kept(
    root: Root, tmp_path: Path, system: str
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"read")
    with path.open("r+b", buffering=0) as file:
        layer = Interrupted({("fsync", 2): lambda: file.write(b"late")}, FILE_SYSTEMS[system])
        outcome = Disk(layer).write(root, "a.json", b"new", if_match=digest(b"read"))
    assert isinstance(outcome, Written)
    assert path.read_bytes() == b"new"
    assert {found.read_bytes() for found in tmp_path.iterdir()} == {b"new", b"late"}
    assert names(tmp_path)[1].startswith("a.json.lumina-kept-")


def test_an_editor_that_writes_after_all_was_done_writes_into_a_file_that_is_kept(root: Root, tmp_path: Path) -> None:
    """It had opened the file before the swap, and only then came to writing."""
    path = tmp_path / "a.json"
    path.write_bytes(b"read")
    with path.open("r+b", buffering=0) as file:
        assert isinstance(Disk().write(root, "a.json", b"new", if_match=digest(b"read")), Written)
        file.write(b"late")
    assert {found.read_bytes() for found in tmp_path.iterdir()} == {b"new", b"late"}
    with path.open("rb"):  # whoever only reads loses nothing
        assert isinstance(Disk().write(root, "a.json", b"newer", if_match=digest(b"new")), Written)
    assert len(names(tmp_path)) == 2


def test_what_cannot_be_read_is_not_thrown_away_by_a_swap(root: Root, tmp_path: Path) -> None:
    """In the last moment somebody puts a link in the place of the file."""
    path = tmp_path / "a.json"
    path.write_bytes(b"read")
    (tmp_path / "elsewhere").write_bytes(b"theirs")

    def put_link() -> None:
        path.unlink()
        path.symlink_to("elsewhere")

    outcome = Disk(Interrupted({("exchange", 1): put_link})).write(root, "a.json", b"new", if_match=digest(b"read"))
    assert not isinstance(outcome, Written)
    assert path.readlink() == Path("elsewhere")
    assert (tmp_path / "elsewhere").read_bytes() == b"theirs"
    assert names(tmp_path) == ["a.json", "elsewhere"]


def run_editor(style: str, path: Path, seconds: float) -> subprocess.Popen[str]:
    """A process that saves all the time; it ends by saying what it saved, and what it replaced itself."""
    code = "import sys; from tests.lumina_fs.faults import Editor; Editor(*sys.argv[1:3]).work(float(sys.argv[3]))"
    command = [sys.executable, "-c", code, style, str(path), str(seconds)]
    child = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "started\n"
    return child


def turned(value: dict[str, Any] | None) -> dict[str, Any]:
    assert value is not None
    return {**value, "turns": value["turns"] + 1}


def carefully(root: Root) -> bool:
    """As everything in Lumina writes."""
    return edit(Disk(), root, "doc.json", Catalog, turned)


def carelessly(root: Root) -> bool:
    """The twin: it reads, and renames over whatever lies there by now."""
    path = Path(root.path, "doc.json")
    try:
        value = json.loads(path.read_bytes())
    except json.JSONDecodeError as error:
        raise CorruptDocument("in the middle of a save", path=str(path)) from error
    fresh = path.with_name("fresh")
    fresh.write_bytes(dump(turned(value)))
    fresh.replace(path)
    return True


def lost_versions(root: Root, style: str, write: Callable[[Root], bool]) -> list[str]:
    """The versions of an editor, saving all the time, that neither it replaced nor anybody has any more."""
    path = Path(root.path, "doc.json")
    path.write_bytes(document("version 0"))
    written = torn = busy = 0
    with run_editor(style, path, 2.0) as child:
        while child.poll() is None:
            try:
                written += write(root)
            except CorruptDocument:  # the editor was in the middle of writing
                torn += 1
            except EtagMismatch:
                busy += 1
        assert child.stdout is not None
        told = json.loads(child.stdout.read())
    kept = [file for file in path.parent.iterdir() if ".lumina-kept-" in file.name]
    safe = {*told["replaced"], *(caption(file.read_bytes()) for file in [*kept, path])}
    saved = ["version 0", *told["saved"]]
    print(f"{style}: {len(saved)} saves, {written} writes between them, {len(kept)} kept, {torn} torn, {busy} busy")
    assert len(saved) > 30
    assert written >= 1
    assert torn == 0 or style == "in_place"
    assert names(path.parent) == sorted([path.name, *(file.name for file in kept)])
    return [version for version in saved if version not in safe]


@pytest.mark.parametrize("style", ["by_rename", "in_place"])
def test_no_version_of_an_editor_that_saves_all_the_time_is_lost(root: Root, style: str) -> None:
    assert lost_versions(root, style, carefully) == []


def test_a_careless_twin_that_renames_over_loses_what_an_editor_saves(root: Root) -> None:
    assert lost_versions(root, "by_rename", carelessly) != []


# -- what is refused


def test_a_link_in_the_place_of_a_document_is_refused(root: Root, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"theirs")
    (tmp_path / "a.json").symlink_to("target")
    for condition in (ABSENT, digest(b"theirs")):
        outcome = Disk().write(root, "a.json", b"new", if_match=condition)
        assert isinstance(outcome, Failed)
        assert outcome.error.errno == errno.ELOOP
    assert target.read_bytes() == b"theirs"
    assert (tmp_path / "a.json").is_symlink()
    assert names(tmp_path) == ["a.json", "target"]


def test_a_link_in_the_place_of_a_folder_fails_that_item_alone(root: Root, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "link").symlink_to("outside")
    first, second, third = Disk().write_batch(
        root, [Item("real/a", b"x", ABSENT), Item("link/a", b"x", ABSENT), Item("real/b", b"x", ABSENT)]
    )
    assert isinstance(first, Written)
    assert isinstance(second, Failed)
    assert "link" in str(second.error)
    assert isinstance(third, Written)
    assert names(tmp_path / "outside") == []
    assert names(tmp_path / "real") == ["a", "b"]


@pytest.mark.parametrize("path", ["../out.json", "/etc/out.json", "a/../../out.json", "a//b.json", "a/./b", "a\0b"])
def test_a_path_that_leaves_its_root_is_refused(root: Root, tmp_path: Path, path: str) -> None:
    (tmp_path / "a").mkdir()
    outcome = Disk().write(root, path, b"x", if_match=ABSENT)
    assert isinstance(outcome, Failed)
    assert not list(tmp_path.rglob("*out.json"))
    assert names(tmp_path.parent) == [tmp_path.name] or "out.json" not in names(tmp_path.parent)


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_not_replaced(root: Root, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.json"
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    for condition in (ABSENT, "0" * 64):
        assert isinstance(Disk().write(root, "a.json", b"x", if_match=condition), Failed)
    assert path.is_dir() == (kind == "folder")
    assert names(tmp_path) == ["a.json"]


# -- moves, folders, caches


@pytest.mark.parametrize("system", FILE_SYSTEMS)
def test_a_move_never_overwrites(root: Root, tmp_path: Path, system: str) -> None:
    disk = Disk(TestLayer(FILE_SYSTEMS[system]))
    (tmp_path / "b").mkdir()
    (tmp_path / "one").write_bytes(b"1")
    (tmp_path / "b" / "two").write_bytes(b"2")
    assert not disk.move_new(root, "one", root, "b/two")
    assert (tmp_path / "one").read_bytes() == b"1"
    assert (tmp_path / "b" / "two").read_bytes() == b"2"
    assert disk.move_new(root, "one", root, "b/one")
    assert names(tmp_path) == ["b"]
    assert (tmp_path / "b" / "one").read_bytes() == b"1"


class Claimed(TestLayer):
    """Somebody acts right after a name was taken with an empty file."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__(FILE_SYSTEMS["no renameat2, no links"])
        self.act = act

    def create(self, directory: int, name: str, mode: int) -> int:
        fd = super().create(directory, name, mode)
        self.act()
        return fd


@pytest.mark.parametrize("style", ["in place", "by rename"])
def test_who_saves_where_only_an_empty_file_holds_the_name_keeps_it(root: Root, tmp_path: Path, style: str) -> None:
    (tmp_path / "one").write_bytes(b"1")
    (tmp_path / "theirs").write_bytes(b"theirs")

    def act() -> None:
        if style == "in place":
            (tmp_path / "two").write_bytes(b"theirs")
        else:
            (tmp_path / "theirs").rename(tmp_path / "two")

    assert not Disk(Claimed(act)).move_new(root, "one", root, "two")
    assert (tmp_path / "one").read_bytes() == b"1"
    assert (tmp_path / "two").read_bytes() == b"theirs"


def test_a_folder_is_durable_in_its_parent_and_may_be_there_already(root: Root, tmp_path: Path) -> None:
    layer = TestLayer()
    Disk(layer).make_directory(root, "a/b/c")
    assert layer.trace == ["mkdir", "fsync"] * 3
    Disk().make_directory(root, "a/b/c")
    assert (tmp_path / "a/b/c").is_dir()
    (tmp_path / "link").symlink_to("a")
    with pytest.raises(UnsafePath):
        Disk().make_directory(root, "link/d")


def test_a_cache_file_is_whole_or_not_there(root: Root, tmp_path: Path) -> None:
    write_cache(Disk(), root, ".lumina/cache/t/1.jpg", b"one")
    assert (tmp_path / ".lumina/cache/t/1.jpg").read_bytes() == b"one"
    write_cache(Disk(), root, ".lumina/cache/t/1.jpg", b"two")
    total = TestLayer()
    write_cache(Disk(total), root, ".lumina/cache/t/1.jpg", b"three")
    for at in range(total.trace.index("create") + 1, len(total.trace) + 1):
        before = (tmp_path / ".lumina/cache/t/1.jpg").read_bytes()
        with pytest.raises(WriteFailed):
            write_cache(Disk(Failing(at, errno.ENOSPC)), root, ".lumina/cache/t/1.jpg", b"four")
        assert (tmp_path / ".lumina/cache/t/1.jpg").read_bytes() == before
        assert names(tmp_path / ".lumina/cache/t") == ["1.jpg"]


def test_only_the_cache_can_be_cleared_and_no_link_leads_out_of_it(root: Root, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"original")
    write_cache(Disk(), root, ".lumina/cache/t/1.jpg", b"one")
    (tmp_path / ".lumina/cache/out").symlink_to(tmp_path)
    for path in ("", ".lumina", ".lumina/cached", "photo.jpg"):
        with pytest.raises(Refused):
            clear_cache(Disk(), root, path)
    with pytest.raises(Refused):
        clear_cache(Disk(), root, ".lumina/cache/..")
    files, _ = clear_cache(Disk(), root, ".lumina/cache")
    assert files == 2
    assert names(tmp_path / ".lumina/cache") == []
    assert (tmp_path / "photo.jpg").read_bytes() == b"original"
    assert clear_cache(Disk(), root, ".lumina/cache/t") == (0, 0)
    with pytest.raises(Refused):
        Disk().remove_marker(root, "photo.jpg")


def test_sweep_leaves_what_is_young_alive_or_not_ours(root: Root, tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    old, dead = time.time() - 4000, child.pid
    for name, moment in (
        (f"{TEMP_PREFIX}{dead}-aaa", old),
        (f"{TEMP_PREFIX}{dead}-bbb", time.time()),
        (f"{TEMP_PREFIX}{os.getpid()}-ccc", old),
        (f"{TEMP_PREFIX}notes", old),
        ("a.json", old),
    ):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (moment, moment))
    assert leftovers.sweep(Disk(), root, "") == 1
    assert f"{TEMP_PREFIX}{dead}-aaa" not in names(tmp_path)
    assert len(names(tmp_path)) == 4


# -- locks

HOLD = """
import sys
from lumina_fs.locks import lock
from lumina_fs.roots import Root
with Root.open(sys.argv[1]) as root, lock(root, "scan.lock"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its input ends."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield child
        if child.poll() is None:
            child.kill()


def test_a_lock_held_by_another_process_names_it(root: Root, tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(Locked, match=rf"at the scan.*process {holder.pid}\b"), lock(root, "scan.lock", what="the scan"):
        pass
    assert (tmp_path / "scan.lock").read_bytes() == b""


def test_a_lock_ends_with_its_process_however_that_dies(root: Root, holder: subprocess.Popen[str]) -> None:
    timer = threading.Timer(0.2, holder.send_signal, (signal.SIGKILL,))
    timer.start()
    with lock(root, "scan.lock", wait=10):
        timer.join()
        assert holder.wait() == -signal.SIGKILL
        with pytest.raises(Locked, match=str(os.getpid())), lock(root, "scan.lock"):
            pass
    with lock(root, "scan.lock"):
        pass


def test_a_lock_does_not_follow_a_link(root: Root, tmp_path: Path) -> None:
    (tmp_path / "scan.lock").symlink_to("elsewhere")
    with pytest.raises(OSError) as refused, lock(root, "scan.lock"):
        pass
    assert refused.value.filename == str(tmp_path / "scan.lock"), "the error says which file it is about"
    assert names(tmp_path) == ["scan.lock"]
