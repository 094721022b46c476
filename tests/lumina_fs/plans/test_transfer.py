"""The primitives on originals: they never overwrite, and a copy is what the disk gives back."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lumina_fs.durable import Disk
from lumina_fs.errors import Refused, UnsafePath, WriteFailed
from lumina_fs.growing import GrowingFile, append_durable
from lumina_fs.kernel import Layer
from lumina_fs.roots import Root
from lumina_fs.transfer import Changed, NotRenamed, Spot, Transfer
from tests.lumina_fs.faults import FILE_SYSTEMS, Failing, Interrupted, TestLayer
from tests.lumina_fs.plans.scenes import sha256

TRIES = 1000


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Root]:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    with Root.open(str(tmp_path)) as opened:
        yield opened


class Intruding(TestLayer):
    """Somebody puts a file at the target in the last moment, before the call that takes the name."""

    target: Path

    def before(self, number: int, name: str, arguments: tuple[Any, ...]) -> None:
        if name in ("rename_new", "link") or (name == "create" and arguments[1] == self.target.name):
            self.intrude()

    def intrude(self) -> None:
        if not self.target.exists():
            self.target.write_bytes(b"theirs")


class Careless(Intruding):
    """A twin that looks whether the name is free, and then renames."""

    def rename_new(self, old_dir: int, old: str, new_dir: int, new: str) -> None:
        try:
            os.stat(new, dir_fd=new_dir)
        except FileNotFoundError:
            self.intrude()
            os.rename(old, new, src_dir_fd=old_dir, dst_dir_fd=new_dir)
        else:
            raise FileExistsError(errno.EEXIST, "taken")

    def before(self, number: int, name: str, arguments: tuple[Any, ...]) -> None:
        """Nobody comes before the look."""


def contest(root: Root, layer: Intruding, tries: int, *, copy: bool) -> int:
    """Move or copy to a name that is taken in the last moment; how many files were lost."""
    base, transfer, lost = Path(root.path), Transfer(Disk(layer)), 0
    old, new = Spot(root, "in/a.jpg"), Spot(root, "out/b.jpg")
    layer.target = base / "out/b.jpg"
    for _ in range(tries):
        (base / "in/a.jpg").write_bytes(b"ours")
        try:
            if copy:
                copied = transfer.copy(old, new, ".lumina-tmp-1-x", sha256=None, seen=None)
                transfer.publish(new, copied.temp)
            else:
                transfer.rename(old, new)
        except (FileExistsError, NotRenamed):
            pass
        found = {path.read_bytes() for path in base.rglob("*") if path.is_file()}
        lost += found != {b"ours", b"theirs"}
        for path in (base / "in/a.jpg", base / "out/b.jpg"):
            path.unlink(missing_ok=True)
    return lost


@pytest.mark.parametrize("copy", [False, True], ids=["move", "copy"])
@pytest.mark.parametrize("system", ["all there is", "no renameat2", "no renameat2, no links"])
def test_a_target_that_appears_between_check_and_publish_is_never_overwritten(
    root: Root, system: str, copy: bool
) -> None:
    tries = TRIES if system == "all there is" else TRIES // 5
    assert contest(root, Intruding(FILE_SYSTEMS[system]), tries, copy=copy) == 0
    assert list(Path(root.path).glob("out/.lumina-tmp-*")) == []


@pytest.mark.parametrize("copy", [False, True], ids=["move", "copy"])
def test_a_careless_twin_that_checks_and_then_renames_fails_this(root: Root, copy: bool) -> None:
    assert contest(root, Careless(), 20, copy=copy) == 20


def test_a_copy_has_content_mode_times_and_attributes(root: Root, tmp_path: Path) -> None:
    source = tmp_path / "in/a.jpg"
    data = os.urandom(3_000_000)
    source.write_bytes(data)
    source.chmod(0o604)
    os.utime(source, ns=(1_600_000_000_111_222_333, 1_500_000_000_987_654_321))
    try:
        os.setxattr(source, "user.note", b"kept")
        noted = True
    except OSError:
        noted = False
    old, new = Spot(root, "in/a.jpg"), Spot(root, "out/b.jpg")
    transfer = Transfer(Disk())
    copied = transfer.copy(old, new, ".lumina-tmp-1-x", sha256=sha256(data), seen=None)
    assert not (tmp_path / "out/b.jpg").exists()
    transfer.publish(new, copied.temp)
    made = tmp_path / "out/b.jpg"
    info = made.stat()
    assert made.read_bytes() == data
    assert copied.sha256 == sha256(data)
    assert copied.inode == info.st_ino
    assert (info.st_mode & 0o777, info.st_mtime_ns) == (0o604, 1_500_000_000_987_654_321)
    assert not noted or os.getxattr(made, "user.note") == b"kept"
    transfer.remove_twin(old, new, copied.source)
    assert not source.exists()


def test_a_copy_of_what_changes_meanwhile_is_thrown_away(root: Root, tmp_path: Path) -> None:
    source = tmp_path / "in/a.jpg"
    source.write_bytes(bytes(3_000_000))
    old, new = Spot(root, "in/a.jpg"), Spot(root, "out/b.jpg")

    def grow() -> None:
        with source.open("ab") as file:
            file.write(b"more")

    with pytest.raises(Changed, match="while it was copied"):
        Transfer(Disk(Interrupted({("write", 2): grow}))).copy(old, new, ".lumina-tmp-1-x", sha256=None, seen=None)
    with pytest.raises(Changed, match="not what the plan says"):
        Transfer(Disk()).copy(old, new, ".lumina-tmp-1-x", sha256="0" * 64, seen=None)
    copied = Transfer(Disk()).copy(old, new, ".lumina-tmp-1-x", sha256=None, seen=None)
    Transfer(Disk()).publish(new, copied.temp)
    grow()
    with pytest.raises(Changed, match="both files stay"):
        Transfer(Disk()).remove_twin(old, new, copied.source)
    assert source.exists()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.jpg"]


class Lying(Layer):
    """A disk that loses a bit of what it was given."""

    def write(self, fd: int, data: bytes | memoryview) -> None:
        flipped = bytearray(data)
        flipped[len(flipped) // 2] ^= 1
        super().write(fd, bytes(flipped))


def test_a_disk_that_gives_back_other_bytes_is_found_out(root: Root, tmp_path: Path) -> None:
    (tmp_path / "in/a.jpg").write_bytes(os.urandom(100_000))
    with pytest.raises(OSError, match="other bytes than were written"):
        Transfer(Disk(Lying())).copy(
            Spot(root, "in/a.jpg"), Spot(root, "out/b.jpg"), ".lumina-tmp-1-x", sha256=None, seen=None
        )
    assert list((tmp_path / "out").iterdir()) == []


def test_no_link_is_followed(root: Root, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"theirs")
    (tmp_path / "in/a.jpg").symlink_to(tmp_path / "secret")
    (tmp_path / "link").symlink_to("in")
    transfer = Transfer(Disk())
    with pytest.raises(OSError):
        transfer.copy(Spot(root, "in/a.jpg"), Spot(root, "out/b.jpg"), ".lumina-tmp-1-x", sha256=None, seen=None)
    for old, new in (("link/a.jpg", "out/b.jpg"), ("secret", "link/b.jpg")):
        with pytest.raises(UnsafePath):
            transfer.rename(Spot(root, old), Spot(root, new))
    with pytest.raises(Refused):
        transfer.rename(Spot(root, "secret"), Spot(root, "../out.jpg"))
    assert (tmp_path / "secret").read_bytes() == b"theirs"
    assert list((tmp_path / "out").iterdir()) == []


def test_a_growing_file_keeps_whole_lines_whatever_fails(root: Root, tmp_path: Path) -> None:
    total = TestLayer()
    append_durable(Disk(total), root, "log/a.jsonl", [b"one", b"two"])
    for at in range(1, len(total.trace) + 1):
        name = f"log{at}/a.jsonl"
        with pytest.raises(WriteFailed, match="cannot"):
            append_durable(Disk(Failing(at, errno.EIO)), root, name, [b"one", b"two"])
        append_durable(Disk(), root, name, [b"three"])
        assert (tmp_path / name).read_bytes().split(b"\n")[-2] == b"three"
    with GrowingFile(Disk(Failing(5, errno.EIO)), root, "log/a.jsonl") as file:
        file.append([b"fine"])
        with pytest.raises(WriteFailed, match="cannot be written"):
            file.append([b"lost"])
        with pytest.raises(WriteFailed, match="an append before this one failed"):
            file.append([b"never"])
