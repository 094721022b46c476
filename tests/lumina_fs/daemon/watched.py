"""A real daemon on a small library, and what the tests ask of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lumina_fs.doorbell import NoDaemon, ask

if TYPE_CHECKING:
    from tests.conftest import Library

REPOSITORY = Path(__file__).resolve().parents[3]
ALL = os.environ.get("LUMINA_SWEEP") == "all"


class Watched:
    """A library and the daemon that watches it."""

    def __init__(self, library: Library, log: Path) -> None:
        self.library = library
        self.root = library.root
        self.log = log
        self.process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self, *more: Path) -> float:
        """Start it and wait until it is ready; how many seconds that took."""
        begun = time.monotonic()
        command = [sys.executable, "-m", "lumina_fs", "daemon", "run", str(self.root), *map(str, more)]
        environment = {**os.environ, "PYTHONFAULTHANDLER": "1"}  # for `ended`
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=log, text=True,
                start_new_session=True,
            )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready"), (line, self.log.read_text())
        return time.monotonic() - begun

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        if self.process is not None:
            self.process.kill()
            self.ended()

    def end(self) -> int:
        """End it politely; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> int:
        """Its exit code, when it has ended. One that does not end in time says where its threads are."""
        assert self.process is not None
        try:
            code = self.process.wait(20.0)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait(20.0)
            raise AssertionError(f"the daemon did not end:\n{self.log.read_text()}") from None
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return code

    def sync(self, seconds: float = 120.0) -> dict[str, Any]:
        """`lumina daemon sync`."""
        return ask(str(self.root), {"do": "sync", "seconds": seconds}, timeout=seconds + 20)

    def status(self) -> dict[str, Any]:
        """`lumina daemon status`."""
        return ask(str(self.root), {"do": "status"}, timeout=10)

    def is_running(self) -> bool:
        """Does anybody answer?"""
        try:
            return bool(self.status())
        except NoDaemon:
            return False

    def edit(self, path: str, **curation: Any) -> None:
        """Save a sidecar as an editor does that writes anew and renames."""
        value = self.library.value(path)
        value["curation"] = curation
        side = self.library.sidecar(path)
        temporary = side.with_name(side.name + "~")
        temporary.write_text(json.dumps(value, indent=2))
        temporary.rename(side)

    def verify(self) -> None:
        """The index is what a rebuild would make."""
        from lumina_fs.catalog import Catalog
        from lumina_fs.progress import Finished
        from lumina_fs.rebuild import verify

        with Catalog.open(str(self.root)) as catalog:
            *_, last = verify(catalog, cancel=threading.Event())
        assert isinstance(last, Finished)
        assert last.result.equal, last.result

    def missing_sidecars(self) -> list[Path]:
        """Photos without sidecar."""
        photos = [path for path in self.root.rglob("*.jpg") if ".lumina" not in path.parts]
        return [path for path in photos if not path.with_name(path.name + ".lumina.json").exists()]


def eventually(condition: Callable[[], Any], seconds: float = 60.0) -> float:
    """Wait until it holds; how long that took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, "it never came true"
        time.sleep(0.02)
    return time.monotonic() - begun


@contextmanager
def watching(library: Library, log: Path) -> Iterator[Watched]:
    """A daemon, ended at the end."""
    watched = Watched(library, log)
    try:
        yield watched
    finally:
        if watched.process is not None:
            watched.end()


def photos_in_bulk(library: Library, paths: list[str], first: int = 0) -> None:
    """Many small photos, each with a content of its own, made fast: one JPEG with other comments."""
    model = library.photo("model.jpg", 999, size=(48, 32)).read_bytes()
    (library.root / "model.jpg").unlink()
    for number, path in enumerate(paths, first):
        comment = f"photo {number}".encode()
        target = library.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(model[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + model[2:])
