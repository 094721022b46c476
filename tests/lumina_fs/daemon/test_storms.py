"""Everything at once: bursts, renames, editors that save all the time, and processes that are killed.

A sample in the normal run; the full numbers with LUMINA_SWEEP=all.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from index import server
from lumina_fs.catalog import Catalog
from lumina_fs.documents import edit
from lumina_fs.durable import Disk
from lumina_fs.errors import CorruptDocument, EtagMismatch
from lumina_fs.jobs.records import list_records
from lumina_fs.kernel import Layer
from lumina_fs.roots import Root
from lumina_fs.sidecars import sidecar_name
from schemas.document import load
from schemas.sidecar import Sidecar
from tests.lumina_fs.daemon.watched import ALL, REPOSITORY, Watched, eventually, photos_in_bulk

if TYPE_CHECKING:
    from tests.conftest import Library

BURST = 20_000 if ALL else 250
FOLDERS = 2_000 if ALL else 50
KILLS = 50 if ALL else 6
EDITED, EDIT_SECONDS = (20, 10.0) if ALL else (8, 2.5)


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
    """Saves the caption of some sidecars again and again, in one of two styles, each time on top of what it finds.

    It knows its last save of each, the saves that it did not find again, and the tags that it replaced itself.
    """

    def __init__(self, watched: Watched, names: list[str], style: str, end: float) -> None:
        super().__init__()
        self.watched, self.names, self.style, self.end = watched, names, style, end
        self.last: dict[str, str] = {}
        self.not_found: list[tuple[str, str]] = []
        self.replaced: set[str] = set()
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
        with side.open("r+b") as file:
            value = json.loads(file.read())
            found = value["curation"].get("caption")
            if name in self.last and found != self.last[name]:
                self.not_found.append((name, self.last[name]))
            tags = set(value["curation"].get("tags", ()))
            value["curation"]["caption"] = caption
            data = json.dumps(value, indent=2).encode()
            if self.style == "truncate":
                file.seek(0)
                file.truncate()
                file.write(data)
        if self.style == "rename":  # by a swap, so that what was replaced is known for certain
            temporary = side.with_name(f"{side.name}.swp")
            temporary.write_bytes(data)
            folder = os.open(side.parent, os.O_RDONLY)
            try:
                Layer().exchange(folder, temporary.name, side.name)
            finally:
                os.close(folder)
            with suppress(json.JSONDecodeError):
                self.replaced |= set(json.loads(temporary.read_bytes())["curation"].get("tags", ())) - tags
            temporary.unlink()
        self.last[name] = caption
        self.saved += 1


class Setter:
    """Sets a tag of each sidecar by a conditional write, as `lumina set` does."""

    def __init__(self, root: Path, names: list[str]) -> None:
        self.root, self.names = root, names
        self.last: dict[str, str] = {}
        self.count = 0

    def __call__(self) -> None:
        with Root.open(str(self.root)) as root:
            for name in self.names:
                tag = f"set {self.count}"

                def change(value: dict[str, Any] | None, tag: str = tag) -> dict[str, Any]:
                    if value is None:
                        raise FileNotFoundError
                    return {**value, "curation": {**value["curation"], "tags": [tag]}}

                with suppress(FileNotFoundError, CorruptDocument, EtagMismatch):  # in the middle of a save: later
                    if edit(Disk(), root, sidecar_name(name), Sidecar, change):
                        self.last[name], self.count = tag, self.count + 1


class SetCommand:
    """Puts the number of the run into all of them by the command itself.

    While photos are away or sidecars not whole it may leave some.
    """

    def __init__(self, root: Path, names: list[str]) -> None:
        self.root, self.names = root, names
        self.runs = self.done = 0

    def __call__(self) -> None:
        words = [sys.executable, "-m", "lumina_fs", "set", *self.names, f"metadata.run={self.runs}", "--yes"]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        ended = subprocess.run(
            [*words, "--json"], cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode in (0, 3, 4), ended.stderr
        self.runs += 1
        if ended.returncode != 4:
            self.done += json.loads(ended.stdout)["done"]


def in_a_thread(act: Callable[[], object], end: float) -> threading.Thread:
    def work() -> None:
        while time.monotonic() < end:
            act()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_no_edit_is_lost_while_daemon_and_scan_write_the_same_sidecars(watched: Watched) -> None:
    library = watched.library
    names = [f"{number}.jpg" for number in range(EDITED)]
    for number, name in enumerate(names):
        library.photo(name, number)
    library.scan()
    library.scan()
    watched.start()
    end = time.monotonic() + EDIT_SECONDS
    editors = [
        Editor(watched, names[::2], "rename", end),
        Editor(watched, names[1::2], "truncate", end),
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

    setter, command = Setter(watched.root, names), SetCommand(watched.root, names)
    others = [in_a_thread(act, end) for act in (disturb, scan, setter, command)]
    for thread in [*editors, *others]:
        thread.join()
    saves = [editor.saved for editor in editors]
    print(
        f"{saves} saves by hand, {setter.count} by conditional writes and {command.done} by {command.runs} runs of "
        f"lumina set in {EDIT_SECONDS} s"
    )
    assert min(saves) > 5
    assert command.runs > 0
    assert setter.count > 5
    watched.sync()
    kept = [
        path.read_text(errors="replace")
        for path in watched.root.iterdir()
        if ".lumina.json" in path.name or ".lumina-orphan" in path.name
    ]
    for editor in editors:
        for name, caption in [*editor.last.items(), *editor.not_found]:
            assert any(f'"{caption}"' in text for text in kept), (name, caption)
    replaced = editors[0].replaced
    for name, tag in setter.last.items():
        assert tag in replaced or any(f'"{tag}"' in text for text in kept), (name, tag)
    for side in watched.root.glob("*.lumina.json"):
        load(side.read_bytes(), Sidecar)
    eventually(lambda: watched.sync()["done"])
    before = command.done
    command()
    assert command.done == before + len(names)
    watched.verify()


class Busy(threading.Thread):
    """A person who adds, edits and moves photos until `stop` is set, and knows each photo and each last caption."""

    def __init__(self, library: Library, turn: int) -> None:
        super().__init__()
        self.library, self.turn = library, turn
        self.stop = threading.Event()
        self.chance = random.Random(turn)
        self.photos: list[bytes] = []
        self.captions: dict[str, str] = {}
        self.count: Counter[str] = Counter()

    def run(self) -> None:
        number = 0
        while not self.stop.is_set() and number < 400:
            paths = [f"{self.turn}/{number + n}.jpg" for n in range(5)]
            photos_in_bulk(self.library, paths, first=1000 * self.turn + number)
            self.photos += [(self.library.root / path).read_bytes() for path in paths]
            number += 5
            self.count["added"] += 5
            with suppress(FileNotFoundError):
                self.edit()
                self.move()
            self.stop.wait(0.05)

    def edit(self) -> None:
        """The caption of one sidecar, by id, so that it may be anywhere afterwards."""
        folders = [self.library.root / name for name in (f"{self.turn}", f"{self.turn - 1}", "moved")]
        sides = sorted(side for folder in folders for side in folder.glob("*.lumina.json"))
        if sides:
            side = self.chance.choice(sides)
            value = json.loads(side.read_bytes())
            caption = f"turn {self.turn} edit {self.count['edited']}"
            value["curation"] = {"caption": caption}
            fresh = side.with_name("fresh~")
            fresh.write_text(json.dumps(value))
            fresh.replace(side)
            self.captions[value["id"]] = caption
            self.count["edited"] += 1

    def move(self) -> None:
        """One photo to another folder; one folder to another name."""
        (self.library.root / "moved").mkdir(exist_ok=True)
        photos = sorted((self.library.root / f"{self.turn}").glob("*.jpg"))
        if photos:
            photo = self.chance.choice(photos)
            photo.rename(self.library.root / "moved" / f"{self.turn} {photo.name}")
            self.count["moved"] += 1
        if self.turn and self.count["moved"] == 3:
            with suppress(OSError):
                (self.library.root / f"{self.turn - 1}").rename(self.library.root / f"{self.turn - 1} renamed")


def test_killed_at_any_moment_everything_parses_and_catches_up(watched: Watched) -> None:
    choose = random.Random(11)
    library = watched.library
    first = library.photo("first.jpg", 1).read_bytes()
    library.scan()
    photos, done = [first], Counter[str]()
    captions: dict[str, str] = {}
    for turn in range(KILLS):
        watched.start()
        what = ("daemon", "scan", "postgres")[turn % 3]
        busy = Busy(library, turn)
        busy.start()
        scan = None
        if what == "scan":
            scan = subprocess.Popen(
                [sys.executable, "-m", "lumina_fs", "scan", str(watched.root), "--quiet", "--accept-missing"],
                cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        time.sleep(choose.uniform(0.1, 2.0))
        if scan is not None:
            scan.kill()
            scan.wait()
        if what == "postgres":
            pid = int((Path(server.directory()) / "data/postmaster.pid").read_text().split()[0])
            os.kill(pid, signal.SIGKILL)
        if what == "daemon":
            watched.kill()
        time.sleep(choose.uniform(0, 0.3))
        busy.stop.set()
        busy.join()
        photos += busy.photos
        captions |= busy.captions
        done += busy.count
        done[what] += 1
        if what == "daemon":
            watched.start()
        assert watched.sync()["done"], what
        watched.verify()
        check_all_is_there(watched, photos, captions)
        watched.kill()
        with Catalog.open(str(watched.root)) as catalog:
            records, unreadable = list_records(catalog.root)
        assert unreadable == []
        assert [record.id for record in records if record.state in ("pending", "running")] == []
    print(f"{KILLS} kills: {dict(done)}")
    watched.start()
    answer = watched.sync()
    assert (answer["done"], answer["found"]) == (True, len(photos))
    watched.verify()


def check_all_is_there(watched: Watched, photos: list[bytes], captions: dict[str, str]) -> None:
    """Every photo with a sidecar that parses and is about it, and what was last written under each id."""
    found = contents(watched.root)
    assert {data: len(paths) for data, paths in found.items()} == dict(Counter(photos))
    assert watched.missing_sidecars() == []
    said = {}
    for side in [*watched.root.rglob("*.lumina.json"), *watched.root.rglob("*.lumina-orphan-*")]:
        value = json.loads(side.read_bytes())
        load(side.read_bytes(), Sidecar)
        said[value["id"]] = value["curation"].get("caption")
        photo = side.with_name(side.name.removesuffix(".lumina.json"))
        if photo.exists():
            assert value["original"]["sha256"] == hashlib.sha256(photo.read_bytes()).hexdigest()
    assert {id_: said.get(id_) for id_ in captions} == captions
