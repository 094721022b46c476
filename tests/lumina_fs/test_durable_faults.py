"""Every operation of a write fails, or is the last one of the process: no file is torn, and no success is a lie."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from lumina_fs import leftovers
from lumina_fs.durable import ABSENT, TEMP_PREFIX, Conflict, Disk, Failed, Item, Outcome, Written
from lumina_fs.file_state import digest
from lumina_fs.kernel import Layer
from lumina_fs.roots import Root
from tests.lumina_fs.faults import FILE_SYSTEMS, Dying, Failing, Killed, TestLayer, points

REPOSITORY = Path(__file__).resolve().parents[2]
ALL = os.environ.get("LUMINA_SWEEP") == "all"
OLD, NEW = b'{"a": "old"}\n' * 400, b'{"a": "the new one"}\n' * 500


@dataclass
class Scene:
    """A folder with files to write; `old` says what lies there before, by path."""

    base: Path
    items: list[Item]
    old: dict[str, bytes]

    def run(self, layer: Layer) -> list[Outcome]:
        with Root.open(str(self.base)) as root:
            return Disk(layer).write_batch(root, self.items)

    def live(self, path: str) -> bytes | None:
        try:
            return (self.base / path).read_bytes()
        except FileNotFoundError:
            return None

    def others(self) -> list[Path]:
        """Files beside those to be written."""
        wanted = {self.base / item.path for item in self.items}
        return [path for path in sorted(self.base.rglob("*")) if path.is_file() and path not in wanted]


def new_sidecar(base: Path) -> Scene:
    return Scene(base, [Item("a.json", NEW, ABSENT)], {})


def over_a_sidecar(base: Path) -> Scene:
    (base / "a.json").write_bytes(OLD)
    return Scene(base, [Item("a.json", NEW, digest(OLD))], {"a.json": OLD})


def batch(base: Path) -> Scene:
    """Two folders; new ones, present ones, and one that somebody else changed since it was read."""
    scene = Scene(base, [], {})
    for folder in ("one", "two"):
        (base / folder).mkdir()
        for number in range(3):
            path = f"{folder}/{number}.json"
            if number:
                (base / path).write_bytes(OLD + path.encode())
                scene.old[path] = OLD + path.encode()
            condition = digest(scene.old[path]) if number else ABSENT
            scene.items.append(Item(path, NEW + path.encode(), condition))
    stale = "two/stale.json"
    (base / stale).write_bytes(b"{}")
    scene.old[stale] = b"{}"
    scene.items.append(Item(stale, NEW, digest(b"what was read")))
    return scene


SCENES: dict[str, Callable[[Path], Scene]] = {
    "new": new_sidecar,
    "over": over_a_sidecar,
    "batch": batch,
}


@pytest.fixture
def scenes(tmp_path: Path) -> Callable[[str], Scene]:
    numbers = count()

    def make(name: str) -> Scene:
        base = tmp_path / str(next(numbers))
        base.mkdir()
        return SCENES[name](base)

    return make


def check_files(scene: Scene, *, left: bool) -> None:
    """Each file is what it was or what it was to become; what else lies there has our name."""
    for item in scene.items:
        assert scene.live(item.path) in (scene.old.get(item.path), item.data), item.path
    others = scene.others()
    assert left or not others
    assert all(path.name.startswith(f"{TEMP_PREFIX}{os.getpid()}-") for path in others), others


def check_outcomes(scene: Scene, outcomes: list[Outcome]) -> None:
    for item, outcome in zip(scene.items, outcomes, strict=True):
        now = scene.live(item.path)
        if isinstance(outcome, Written):
            assert now == item.data, item.path
            assert outcome.etag == digest(item.data)
            assert outcome.stat.size == len(item.data)
        elif isinstance(outcome, Conflict):
            assert now == scene.old[item.path]
            assert digest(now) != item.if_match


def write_again(scene: Scene) -> None:
    """The caller reads and tries once more, on a disk that works: now all is written."""
    again = []
    for item in scene.items:
        now = scene.live(item.path)
        again.append(Item(item.path, item.data, ABSENT if now is None else digest(now)))
    outcomes = Scene(scene.base, again, {}).run(Layer())
    assert all(isinstance(outcome, Written) for outcome in outcomes)
    assert all(scene.live(item.path) == item.data for item in scene.items)


def sweep(scene: Scene, holder: int) -> None:
    """What a dead process left goes after an hour, and not before; the files themselves stay."""
    lying = {path: path.read_bytes() for path in scene.others()}
    for path in lying:
        path.rename(path.with_name(path.name.replace(f"{TEMP_PREFIX}{os.getpid()}-", f"{TEMP_PREFIX}{holder}-")))
    folders = sorted({os.path.dirname(item.path) for item in scene.items})
    with Root.open(str(scene.base)) as root:
        fresh = sum(time.time() - path.stat().st_mtime < 3600 for path in scene.others())
        assert sum(leftovers.sweep(Disk(), root, folder) for folder in folders) == len(lying) - fresh
        for path in scene.others():
            os.utime(path, (time.time() - 3700,) * 2)
        assert sum(leftovers.sweep(Disk(), root, folder) for folder in folders) == fresh
    assert scene.others() == []


@pytest.fixture(scope="module")
def dead() -> int:
    """The number of a process that is no more."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def total(scene: Scene, system: str) -> int:
    """How many operations it takes when nothing goes wrong."""
    layer = TestLayer(FILE_SYSTEMS[system])
    outcomes = scene.run(layer)
    check_files(scene, left=False)
    check_outcomes(scene, outcomes)
    assert not any(isinstance(outcome, Failed) for outcome in outcomes)
    return len(layer.trace)


@pytest.mark.parametrize("system", FILE_SYSTEMS)
@pytest.mark.parametrize("name", SCENES)
def test_a_fault_at_any_operation_tears_nothing_and_is_told(
    scenes: Callable[[str], Scene], dead: int, name: str, system: str
) -> None:
    last = total(scenes(name), system)
    tried = 0
    for for_good in (False, True):
        for number in (errno.ENOSPC, errno.EIO):
            for at in points(last, sample=8):
                scene = scenes(name)
                outcomes = scene.run(Failing(at, number, FILE_SYSTEMS[system], for_good=for_good))
                tried += 1
                if for_good and "no links" in system:  # not even the removal of the empty file works any more
                    excuse_taken_names(scene)
                check_files(scene, left=True)
                check_outcomes(scene, outcomes)
                for failed in (outcome for outcome in outcomes if isinstance(outcome, Failed)):
                    assert failed.error.errno in {number, *FILE_SYSTEMS[system].values()}
                write_again(scene)
                sweep(scene, dead)
    scene = scenes(name)
    assert not any(isinstance(outcome, Failed) for outcome in scene.run(Failing(last + 1, errno.EIO)))
    print(f"{name}, {system}: {tried} faults at {last} operations")
    assert last >= 5
    assert tried >= 20


@pytest.mark.parametrize("system", FILE_SYSTEMS)
@pytest.mark.parametrize("name", SCENES)
def test_a_process_killed_at_any_operation_leaves_old_or_new(
    scenes: Callable[[str], Scene], dead: int, name: str, system: str
) -> None:
    last = total(scenes(name), system)
    whole = points(last, sample=12)
    for at in whole:
        scene = scenes(name)
        with pytest.raises(Killed):
            scene.run(Dying(at, FILE_SYSTEMS[system]))
        if "no links" in system:
            excuse_taken_names(scene)
        check_files(scene, left=True)
        write_again(scene)
        sweep(scene, dead)
    print(f"{name}, {system}: killed at {len(whole)} of {last} operations")
    assert len(whole) >= 5


def excuse_taken_names(scene: Scene) -> None:
    """Where a disk knows neither links nor exclusive renames, a new file's name is taken by an empty one before."""
    for item in scene.items:
        if item.if_match == ABSENT and scene.live(item.path) == b"":
            (scene.base / item.path).unlink()


@pytest.mark.parametrize("system", ["all there is", "no syncfs", "no renameat2"])
def test_an_edit_in_the_last_moment_survives_a_fault_at_any_operation(
    scenes: Callable[[str], Scene], system: str
) -> None:
    """The editor saves right before the swap, and then the disk fails: its text is live, or kept under a clear name."""
    saved = b'{"a": "what the person wrote"}'
    trials = 0
    for number, for_good in ((errno.EIO, False), (errno.ENOSPC, True)):
        for at in count(1):
            scene = scenes("over")
            layer = Racing(at, number, FILE_SYSTEMS[system], for_good=for_good)
            layer.live, layer.saved = scene.base / "a.json", saved
            [outcome] = scene.run(layer)
            assert not isinstance(outcome, Written)
            if layer.edited:
                trials += 1
                kept = [path.name for path in scene.others() if path.read_bytes() == saved]
                assert layer.live.read_bytes() == saved or kept, (at, layer.trace)
                if not for_good and layer.live.read_bytes() != saved:
                    assert any(name.startswith("a.json.lumina-kept-") for name in kept), (at, layer.trace)
            if at > len(layer.trace):
                break
    print(f"{system}: {trials} faults around an edit")
    assert trials >= 6


class Racing(Failing):
    """An editor saves by rename right before the swap, or what stands for it."""

    live: Path
    saved: bytes
    edited = False

    def before(self, number: int, name: str, arguments: tuple[object, ...]) -> None:
        if name == "exchange" and not self.edited:
            self.edited = True
            fresh = self.live.with_name("a.json~")
            fresh.write_bytes(self.saved)
            fresh.replace(self.live)
        super().before(number, name, arguments)


VERSIONS = r"""
import hashlib, json, sys
from lumina_fs.durable import ABSENT, Disk, Item, Written
from lumina_fs.file_state import digest
from lumina_fs.roots import Root

def text(path, version):
    body = {"path": path, "version": version, "fill": [version] * (version * 37 % 900)}
    body["check"] = hashlib.sha256(json.dumps(body).encode()).hexdigest()
    return json.dumps(body, indent=1).encode()

base, version = sys.argv[1], int(sys.argv[2])
paths = [f"{folder}/{name}.json" for folder in ("one", "two") for name in range(6)]
with Root.open(base) as root:
    etags = {}
    for path in paths:
        try:
            etags[path] = digest(open(f"{base}/{path}", "rb").read())
        except FileNotFoundError:
            etags[path] = ABSENT
    while True:
        print("begin", version, flush=True)
        items = [Item(path, text(path, version), etags[path]) for path in paths]
        for path, outcome in zip(paths, Disk().write_batch(root, items), strict=True):
            assert isinstance(outcome, Written), outcome
            etags[path] = outcome.etag
        print("written", version, flush=True)
        version += 1
"""


def kills(base: Path, rounds: int) -> Iterator[tuple[int, int]]:
    """Start a writer and kill it at a random moment; the last version it began and the last it reported written."""
    chance, begun = random.Random(20240229), 0
    for _ in range(rounds):
        command = [sys.executable, "-c", VERSIONS, str(base), str(begun + 1)]
        with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            head = child.stdout.readline()
            while "written" not in head:  # then in the middle of a later one
                head += child.stdout.readline()
                assert child.poll() is None, head
            time.sleep(chance.uniform(0, 0.12))
            child.send_signal(signal.SIGKILL)
            lines = [line.split() for line in (head + child.stdout.read()).splitlines() if line.count(" ") == 1]
            assert child.wait() == -signal.SIGKILL
        begun = max(int(version) for word, version in lines if word == "begin")
        yield begun, max([int(version) for word, version in lines if word == "written"], default=0)


def test_a_writer_killed_at_random_moments_leaves_whole_documents(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    rounds, written, met = 60 if ALL else 15, 0, set()
    for begun, done in kills(tmp_path, rounds):
        written = max(written, done)
        for path in sorted(tmp_path.glob("*/*.json")):
            body = json.loads(path.read_bytes())
            check = body.pop("check")
            assert check == hashlib.sha256(json.dumps(body).encode()).hexdigest()
            assert body["path"] == str(path.relative_to(tmp_path))
            assert written <= body["version"] <= begun
            met.add(body["version"])
    print(f"killed {rounds} times; {written} versions were written, {len(met)} of them were met afterwards")
    assert written >= rounds
    left = [path for path in tmp_path.glob("*/*") if path.suffix != ".json"]
    assert all(path.name.startswith(TEMP_PREFIX) for path in [*tmp_path.glob("*/.*"), *left])
    with Root.open(str(tmp_path)) as root:
        for path in left:
            with suppress(FileNotFoundError):
                os.utime(path, (time.time() - 3700,) * 2)
        assert leftovers.sweep(Disk(), root, "one") + leftovers.sweep(Disk(), root, "two") == len(left)
    assert {path.suffix for path in tmp_path.glob("*/*")} == {".json"}
    assert len(list(tmp_path.glob("*/*"))) == 12
