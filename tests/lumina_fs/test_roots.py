"""Paths below an open root: no way out of it, with the kernel's help and without."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lumina_fs import kernel
from lumina_fs.errors import UnsafePath
from lumina_fs.roots import Root, check_relative


@pytest.fixture(params=["openat2", "step by step"])
def root(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Root]:
    """A root beside a folder that must not be reached; once as on a kernel that has no openat2."""
    (tmp_path / "root" / "a" / "b").mkdir(parents=True)
    (tmp_path / "root" / "a" / "file").write_bytes(b"inside")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"outside")
    if request.param == "step by step":

        def missing(directory: int, path: str, flags: int) -> int:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

        monkeypatch.setattr(kernel, "open_beneath", missing)
    with Root.open(str(tmp_path / "root")) as opened:
        yield opened


def read(root: Root, path: str) -> bytes:
    fd = root.open_file(path)
    try:
        return os.read(fd, 100)
    finally:
        os.close(fd)


PATHS = ["..", "../outside/secret", "a/../../outside", "/etc/passwd", "/", "a//file", "./a", "a/.", "a/", "a\0b"]


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_climbs_or_is_absolute_is_refused(root: Root, path: str) -> None:
    with pytest.raises(UnsafePath):
        check_relative(path)
    with pytest.raises(UnsafePath):
        root.open_file(path)
    with pytest.raises(UnsafePath):
        root.directory(path)


def test_files_and_folders_below_the_root_are_found(root: Root) -> None:
    assert read(root, "a/file") == b"inside"
    assert root.directory("") == root.fd
    assert root.directory("a/b") == root.directory("a/b")
    with pytest.raises(FileNotFoundError):
        root.open_file("a/none")
    with pytest.raises(FileNotFoundError):
        root.directory("none/b")
    with pytest.raises(NotADirectoryError):
        root.directory("a/file")


@pytest.mark.parametrize("target", ["../outside", "a", "/etc", "loop", "."])
def test_no_folder_is_reached_through_a_link(root: Root, target: str) -> None:
    os.symlink(target, os.path.join(root.path, "loop"))
    for path in ("loop", "loop/b"):
        with pytest.raises(UnsafePath, match="passes through a link"):
            root.directory(path)
    with pytest.raises(UnsafePath):
        root.open_file("loop/secret")


def test_no_file_is_opened_through_a_link(root: Root) -> None:
    for name, target in {"out": "../outside/secret", "in": "a/file", "none": "nowhere"}.items():
        os.symlink(target, os.path.join(root.path, name))
        with pytest.raises(OSError) as caught:
            root.open_file(name)
        assert caught.value.errno == errno.ELOOP


def test_a_pipe_is_not_waited_for(root: Root) -> None:
    os.mkfifo(os.path.join(root.path, "pipe"))
    os.close(root.open_file("pipe"))


def test_a_folder_that_was_looked_up_is_the_same_until_it_is_forgotten(root: Root) -> None:
    inode = os.fstat(root.directory("a")).st_ino
    os.rename(os.path.join(root.path, "a"), os.path.join(root.path, "moved"))
    os.symlink("../outside", os.path.join(root.path, "a"))
    assert os.fstat(root.directory("a")).st_ino == inode
    root.forget()
    with pytest.raises(UnsafePath):
        root.directory("a")


def test_the_root_stays_itself_when_its_path_leads_elsewhere(root: Root, tmp_path: Path) -> None:
    (tmp_path / "root").rename(tmp_path / "renamed")
    (tmp_path / "root").symlink_to("outside")
    assert read(root, "a/file") == b"inside"


def test_no_descriptor_is_left_open(tmp_path: Path, root: Root) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with Root.open(str(tmp_path)) as other:
        for number in range(600):
            (tmp_path / str(number)).mkdir()
            other.directory(str(number))
        assert len(os.listdir("/proc/self/fd")) < before + 300
        for path in ("outside/none", "none/none", "root/a/file/x"):
            with pytest.raises(OSError):
                other.directory(path)
    assert len(os.listdir("/proc/self/fd")) == before


def test_names_that_are_not_utf_8_are_names_like_others(root: Root) -> None:
    os.mkdir(os.fsencode(root.path) + b"/\xff\xfe")
    Path(os.fsdecode(os.fsencode(root.path) + b"/\xff\xfe/\xe9")).write_bytes(b"x")
    assert read(root, "\udcff\udcfe/\udce9") == b"x"
