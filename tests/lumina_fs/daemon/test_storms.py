"""Everything at once: bursts, renames, editors that save all the time, and processes that are killed.

A sample in the normal run; the full numbers with LUMINA_SWEEP=all.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from index import server
from schemas.document import load
from schemas.sidecar import Sidecar
from tests.lumina_fs.daemon.watched import ALL, REPOSITORY, Watched, eventually, photos_in_bulk

BURST = 20_000 if ALL else 250
FOLDERS = 2_000 if ALL else 50
KILLS = 50 if ALL else 4
EDITED, EDIT_SECONDS = (20, 10.0) if ALL else (5, 2.0)


def contents(root: Path) -> dict[bytes, list[Path]]:
    """Every photo by its bytes."""
    found: dict[bytes, list[Path]] = {}
    for path in root.rglob("*.jpg"):
        found.setdefault(path.read_bytes(), []).append(path)
    return found


@pytest.mark.parametrize("how", ["watched", "stopped", "polled"])
def test_no_photo_of_a_burst_is_missed(watched: Watched, how: str) -> None:
    library, root = watched.library, watched.root
    photos_in_bulk(library, [f"before/{n % 10}/{n}.jpg" for n in range(40)], first=BURST * 2)
    library.scan()
    ids = {library.value(str(p.relative_to(root)))["id"] for p in root.rglob("before/*/*.jpg")}
    if how == "polled":
        document = root / ".lumina/catalog.json"
        few = '"settings": {"daemon_watches": 5, "daemon_poll_seconds": 1}'
        document.write_text(document.read_text().replace('"settings": {}', few))
    watched.start()
    if how == "stopped":
        os.kill(watched.pid, signal.SIGSTOP)
    photos_in_bulk(library, [f"flat/{n}.jpg" for n in range(BURST)])
    photos_in_bulk(library, [f"deep/{n % FOLDERS}/x/{n}.jpg" for n in range(BURST)], first=BURST)
    for number in range(0, FOLDERS, 2):  # folders move while they are looked at, and so do photos
        os.rename(root / f"deep/{number}", root / f"deep/moved {number}")
    os.rename(root / "before", root / "after")
    for path in sorted((root / "flat").glob("1*.jpg")):
        os.rename(path, root / f"deep/1/{path.name}")
    os.kill(watched.pid, signal.SIGCONT)
    answer = watched.sync(3600)
    assert answer["done"], answer
    assert answer["found"] == 2 * BURST + 40
    assert watched.missing_sidecars() == []
    values = [library.value(str(path.relative_to(root))) for path in root.rglob("*.jpg")]
    assert ids <= {value["id"] for value in values}
    assert len({value["id"] for value in values}) == len(values)
    assert library.search("is:missing") == []
    watched.verify()


class Editor(threading.Thread):
    """Saves the caption of some sidecars again and again, in one of two styles, and remembers the last of each."""

    def __init__(self, watched: Watched, names: list[str], style: str, end: float) -> None:
        super().__init__()
        self.watched, self.names, self.style, self.end = watched, names, style, end
        self.last: dict[str, str] = {}
        self.saved = 0

    def run(self) -> None:
        number = 0
        while time.monotonic() < self.end:
            for name in self.names:
                number += 1
                with suppress(FileNotFoundError, json.JSONDecodeError):
                    self.save(name, f"{self.style} {number}")
            time.sleep(0.01)

    def save(self, name: str, caption: str) -> None:
        side = self.watched.library.sidecar(name)
        value = json.loads(side.read_bytes())
        value["curation"]["caption"] = caption
        data = json.dumps(value, indent=2).encode()
        if self.style == "rename":
            temporary = side.with_name(f"{side.name}.swp")
            temporary.write_bytes(data)
            temporary.rename(side)
        else:
            with side.open("r+b") as file:
                file.truncate()
                file.write(data)
        self.last[name] = caption
        self.saved += 1


def in_a_thread(act: Callable[[], object], end: float) -> threading.Thread:
    def work() -> None:
        while time.monotonic() < end:
            act()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_no_edit_is_lost_while_daemon_and_scan_write_the_same_sidecars(watched: Watched) -> None:
    library = watched.library
    names = [f"{number}.jpg" for number in range(2 * EDITED)]
    for number, name in enumerate(names):
        library.photo(name, number)
    library.scan()
    library.scan()
    watched.start()
    end = time.monotonic() + EDIT_SECONDS
    editors = [
        Editor(watched, names[:EDITED], "rename", end),
        Editor(watched, names[EDITED:], "truncate", end),
    ]
    for editor in editors:
        editor.start()

    def disturb() -> None:
        """What makes machines write the very same sidecars: originals that go and come back, measurements that lack."""
        for name in names:
            with suppress(OSError):
                os.rename(watched.root / name, watched.root / f"{name}.away")
        time.sleep(0.2)
        for name in names:
            with suppress(OSError):
                os.rename(watched.root / f"{name}.away", watched.root / name)
        time.sleep(0.2)

    def scan() -> None:
        subprocess.run(
            [sys.executable, "-m", "lumina_fs", "scan", str(watched.root), "--quiet", "--accept-missing"],
            cwd=REPOSITORY, capture_output=True, check=False,
        )  # fmt: skip

    others = [in_a_thread(disturb, end), in_a_thread(scan, end)]
    for thread in [*editors, *others]:
        thread.join()
    assert all(editor.saved > 20 for editor in editors)
    watched.sync()
    kept = [path.read_text(errors="replace") for path in watched.root.rglob("*") if path.is_file() and
            path.suffix == ".json" and ".lumina" not in path.parts]  # fmt: skip
    for editor in editors:
        for name, caption in editor.last.items():
            assert any(f'"{caption}"' in text for text in kept), (name, caption)
    for side in watched.root.glob("*.lumina.json"):
        load(side.read_bytes(), Sidecar)
    eventually(lambda: watched.sync()["done"])
    watched.verify()


def test_killed_at_any_moment_everything_parses_and_catches_up(watched: Watched) -> None:
    choose = random.Random(11)
    library = watched.library
    library.photo("first.jpg", 1)
    library.scan()
    made = 1
    for turn in range(KILLS):
        watched.start()
        photos_in_bulk(library, [f"{turn}/{n}.jpg" for n in range(20)], first=1000 * turn)
        made += 20
        what = ("daemon", "scan", "postgres")[turn % 3]
        scan = None
        if what == "scan":
            scan = subprocess.Popen(
                [sys.executable, "-m", "lumina_fs", "scan", str(watched.root), "--quiet"],
                cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        time.sleep(choose.uniform(0.1, 2.0))
        if scan is not None:
            scan.kill()
            scan.wait()
        if what == "postgres":
            pid = int((Path(server.directory()) / "data/postmaster.pid").read_text().split()[0])
            os.kill(pid, signal.SIGKILL)
            assert watched.sync()["done"]
            watched.verify()
        watched.kill()
        for side in watched.root.rglob("*.lumina.json"):
            load(side.read_bytes(), Sidecar)
    watched.start()
    answer = watched.sync()
    assert (answer["done"], answer["found"]) == (True, made)
    assert watched.missing_sidecars() == []
    watched.verify()
