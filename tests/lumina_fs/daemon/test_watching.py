"""What the watcher hears, and what it says of what it cannot hear."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from watchdog.observers.inotify_c import InotifyConstants, InotifyEvent, WatchDescriptor

from lumina_fs.daemon.mounts import Mounts
from lumina_fs.daemon.settling import Gathered, is_being_written
from lumina_fs.daemon.watching import Hint, Place, Watcher
from tests.lumina_fs.daemon.watched import eventually


class Ear:
    """A watcher of one folder, and what it said."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.hints: list[Hint] = []
        self.doubts: list[str] = []
        self.watcher = Watcher(self.hints.append, self.doubts.append)

    def listen(self, limit: int = 0) -> None:
        self.watcher.renew([Place("main", str(self.root), lambda folder, name: name == "skipped")], limit)

    def folders(self) -> set[str]:
        return {hint.folder for hint in self.hints}


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    ear = Ear(tmp_path)
    yield ear
    ear.watcher.close()


def test_a_change_is_heard_by_folder_and_name(ear: Ear) -> None:
    (ear.root / "a/b").mkdir(parents=True)
    (ear.root / "skipped").mkdir()
    ear.listen()
    assert ear.watcher.count == 3
    (ear.root / "a/b/x.jpg").write_bytes(b"x")
    (ear.root / "skipped/x.jpg").write_bytes(b"x")
    (ear.root / "a/.lumina-tmp-1-x").write_bytes(b"x")
    eventually(lambda: Hint("main", "a/b", "x.jpg", False) in ear.hints)
    time.sleep(0.05)
    assert ear.folders() == {"a/b"}


def test_folders_made_in_one_breath_are_all_watched_and_all_told(ear: Ear) -> None:
    ear.listen()
    for number in range(50):
        folder = ear.root / f"{number}/deep/er"
        folder.mkdir(parents=True)
        (folder / "x.jpg").write_bytes(b"x")
    eventually(lambda: ear.watcher.count == 151)

    def covered(folder: str) -> bool:
        return any(hint.below and (folder + "/").startswith(hint.folder + "/") for hint in ear.hints)

    eventually(lambda: all(covered(f"{number}/deep/er") for number in range(50)))
    ear.hints.clear()
    (ear.root / "7/deep/er/late.jpg").write_bytes(b"x")
    eventually(lambda: Hint("main", "7/deep/er", "late.jpg", False) in ear.hints)


def test_a_folder_that_was_renamed_is_heard_under_its_new_name(ear: Ear) -> None:
    (ear.root / "old/inner").mkdir(parents=True)
    ear.listen()
    os.rename(ear.root / "old", ear.root / "new")
    eventually(lambda: {Hint("main", "old", "", True), Hint("main", "new", "", True)} <= set(ear.hints))
    ear.hints.clear()
    (ear.root / "new/inner/x.jpg").write_bytes(b"x")
    eventually(lambda: "new/inner" in ear.folders())
    assert "old/inner" not in ear.folders()
    assert ear.watcher.count == 3


def test_folders_without_a_watch_are_named(ear: Ear) -> None:
    for number in range(10):
        (ear.root / f"{number}").mkdir()
    ear.listen(limit=4)
    assert ear.watcher.count == 4
    assert len(ear.watcher.unwatched) == 7
    assert all("max_user_watches" in why for why in ear.watcher.unwatched.values())


def test_an_overflow_and_the_loss_of_the_top_folder_are_told(ear: Ear) -> None:
    inner = ear.root / "top"
    inner.mkdir()
    ear.root = inner
    ear.listen()
    reader = ear.watcher._reader
    assert reader is not None
    reader.handle_event(InotifyEvent(WatchDescriptor(-1), InotifyConstants.IN_Q_OVERFLOW, 0, b""))
    assert len(ear.doubts) == 1
    assert ear.watcher.overflows == 1
    os.rename(inner, inner.with_name("elsewhere"))
    eventually(lambda: len(ear.doubts) == 2)


def test_network_mounts_are_known_by_their_type() -> None:
    table = (
        "22 1 0:20 / / rw - ext4 /dev/a rw\n"
        "40 22 0:50 / /mnt/nas\\040box rw - nfs4 nas:/x rw\n"
        "41 22 0:51 / /mnt/cloud rw - fuse.rclone x rw\n"
        "42 40 0:52 / /mnt/nas\\040box/disk rw - xfs /dev/b rw\n"
    )
    mounts = Mounts(table)
    assert mounts.network("/mnt/nas box/photos/2019") == "nfs4"
    assert mounts.network("/mnt/cloud") == "fuse.rclone"
    assert mounts.network("/mnt/nas box/disk/x") is None
    assert mounts.network("/home") is None
    assert mounts.is_mount("/mnt/cloud")


def test_a_file_that_is_open_for_writing_is_not_finished(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)
    try:
        path = tmp_path / "x.jpg"
        with path.open("wb") as file:
            file.write(b"x")
            file.flush()
            assert is_being_written(str(path))
            assert not is_being_written(str(path), now=time.time() + 1000)  # nobody writes for so long
        assert not is_being_written(str(path))
        assert not is_being_written(str(tmp_path / "absent"))
    finally:
        signal.signal(signal.SIGIO, before)
    assert is_being_written(str(path))  # where the kernel does not say: it changed just now
    assert not is_being_written(str(path), now=time.time() + 5)


def test_hints_are_gathered_until_it_is_quiet_but_not_for_ever() -> None:
    gathered = Gathered(threading.Condition())
    assert gathered.due() is None
    gathered.add("main", "a", "/p/a/x")
    first = gathered.due()
    assert first is not None
    gathered.add("main", "a", "/p/a/y")
    gathered.add("main", "b", "/p/b/z")
    gathered.add("main", "c", "", below=True)
    assert (gathered.due() or 0) >= first
    assert gathered.take(lambda path: path.startswith("/p/b")) == {"main": {"a": False, "c": True}}
    assert gathered.due() is None
    gathered.add("main", "b", "/p/b/z")
    assert gathered.take(lambda path: True) == {}
    for number in range(6000):
        gathered.add("main", str(number), "")
    assert gathered.take(lambda path: False) is None
