"""Layers of system calls that fail, that die, or that let an editor in, at a chosen operation."""

from __future__ import annotations

import errno
import json
import os
import random
import time
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from lumina_fs.kernel import Layer
from schemas.text import dump, parse

#: Every operation that the layer offers.
OPERATIONS = tuple(name for name, found in vars(Layer).items() if callable(found) and not name.startswith("_"))

#: What file systems lack, by operation, with the error by which they say so.
FILE_SYSTEMS: dict[str, Mapping[str, int]] = {
    "all there is": {},
    "no syncfs": {"syncfs": errno.ENOSYS},
    "no exchange": {"exchange": errno.EINVAL},
    "no renameat2": {"exchange": errno.EINVAL, "rename_new": errno.EINVAL},
    "no renameat2, no links": {"exchange": errno.EINVAL, "rename_new": errno.EINVAL, "link": errno.EPERM},
}


class Killed(BaseException):
    """The process ended here: nothing of ours may run after it except the closing of descriptors."""


class TestLayer(Layer):
    """The real layer, which writes down its operations and calls `before` with the number (from 1) of each."""

    __test__ = False

    def __init__(self, lacks: Mapping[str, int] | None = None) -> None:
        self.lacks = lacks or {}
        self.trace: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in OPERATIONS:
            return found

        def call(*arguments: Any) -> Any:
            self.trace.append(name)
            self.before(len(self.trace), name, arguments)
            if name in self.lacks:
                raise OSError(self.lacks[name], os.strerror(self.lacks[name]))
            return found(*arguments)

        return call

    def before(self, number: int, name: str, arguments: tuple[Any, ...]) -> None:
        """Nothing here; for the layers below."""


class Failing(TestLayer):
    """Operation `at` fails with an error, and with `for_good` all that follow; half of a write that fails is done."""

    def __init__(self, at: int, number: int, lacks: Mapping[str, int] | None = None, *, for_good: bool = False) -> None:
        super().__init__(lacks)
        self.at, self.errno, self.for_good = at, number, for_good

    def before(self, number: int, name: str, arguments: tuple[Any, ...]) -> None:
        if number == self.at or (self.for_good and number > self.at):
            tear(name, arguments)
            raise OSError(self.errno, os.strerror(self.errno))


class Dying(TestLayer):
    """The process ends at operation `at`, in the middle of it where it is a write."""

    def __init__(self, at: int, lacks: Mapping[str, int] | None = None) -> None:
        super().__init__(lacks)
        self.at = at

    def before(self, number: int, name: str, arguments: tuple[Any, ...]) -> None:
        if number == self.at:
            tear(name, arguments)
            raise Killed


class Interrupted(TestLayer):
    """Before the given operation is done for the n-th time, somebody else does something."""

    def __init__(self, edits: Mapping[tuple[str, int], Callable[[], object]], lacks: Mapping[str, int] | None = None):
        super().__init__(lacks)
        self.edits = dict(edits)

    def before(self, number: int, name: str, arguments: tuple[Any, ...]) -> None:
        edit = self.edits.pop((name, self.trace.count(name)), None)
        if edit is not None:
            edit()


class Hooked(TestLayer):
    """Calls `act` before operation `at`; with `for_good` nothing is done any more from there on."""

    def __init__(self, at: int, act: Callable[[], object], *, for_good: bool = False) -> None:
        super().__init__()
        self.at, self.act, self.for_good = at, act, for_good

    def before(self, number: int, name: str, arguments: tuple[Any, ...]) -> None:
        if number == self.at or (self.for_good and number > self.at):
            self.act()


def die() -> None:
    raise Killed


def tear(name: str, arguments: tuple[Any, ...]) -> None:
    """Do the first half of a write."""
    if name == "write":
        fd, data = arguments
        os.write(fd, data[: len(data) // 2])


def points(total: int, *, sample: int) -> list[int]:
    """Which of the operations 1 to `total` to try: all of them with LUMINA_SWEEP=all, else about `sample`."""
    if os.environ.get("LUMINA_SWEEP") == "all" or total <= sample:
        return list(range(1, total + 1))
    return sorted({1, total, *range(1, total + 1, -(-total // sample))})


def document(caption: str) -> bytes:
    """A small document with a part that a person writes (its name) and a part that the machine counts up."""
    envelope = {"kind": "catalog", "version": 1, "id": "01890000-0000-7000-8000-000000000000"}
    return dump({**envelope, "name": caption, "turns": 0})


def caption(data: bytes) -> str:
    """What the person wrote."""
    return str(parse(data)["name"])


class Editor:
    """Saves numbered versions, each on top of what it finds, and knows which versions it replaced itself."""

    def __init__(self, style: str, path: str) -> None:
        self.path = Path(path)
        self.save: Callable[[str], None] = getattr(self, style)
        self.saved = ["version 0"]
        self.replaced: set[str] = set()

    def by_rename(self, version: str) -> None:
        """Swaps instead of renaming, so that what was replaced is known for certain."""
        fresh, folder = self.path.with_name("editor~"), os.open(self.path.parent, os.O_RDONLY)
        try:
            fresh.write_bytes(document(version))
            Layer().exchange(folder, fresh.name, self.path.name)
        finally:
            os.close(folder)
        self.replaced.add(caption(fresh.read_bytes()))
        fresh.unlink()

    def in_place(self, version: str) -> None:
        """Truncates and writes. If the file was another one when it was read, nobody can say what was replaced."""
        with self.path.open("rb") as file:
            inode, before = os.fstat(file.fileno()).st_ino, file.read()
        with self.path.open("wb") as file:
            same = os.fstat(file.fileno()).st_ino == inode
            file.write(document(version))
        self.replaced.add(caption(before) if same else self.saved[-1])

    def work(self, seconds: float) -> None:
        """Save for so long, then tell."""
        print("started", flush=True)
        chance, until = random.Random(7), time.monotonic() + seconds
        for number in count(1):
            self.save(f"version {number}")
            self.saved.append(f"version {number}")
            if time.monotonic() > until:
                break
            time.sleep(chance.choice((0, 0, 0.0005, 0.003, 0.01, 0.04)))
        print(json.dumps({"saved": self.saved, "replaced": sorted(self.replaced)}))
