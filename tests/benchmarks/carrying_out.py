"""Figures of plans that are carried out: moving many files, and copying a large one, against the bare work."""

from __future__ import annotations

import hashlib
import os
import statistics
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

from lumina_fs.catalog import Catalog
from lumina_fs.durable import Disk
from lumina_fs.plans.apply import Applied, apply
from lumina_fs.plans.files import read_plan
from lumina_fs.progress import Finished
from lumina_fs.roots import Root
from lumina_fs.transfer import Spot, Transfer
from tests.benchmarks.figures import Options
from tests.benchmarks.measure import Figure, timed
from tests.lumina_fs.plans.scenes import NO_INDEX, Scene

_FILES = 10_000
_MEGABYTES = 1000


def move(options: Options) -> Iterator[Figure]:
    """10,000 files on one volume, all checked by content first, against rename and a durable line for each."""
    ratios, details = [], ""
    for _ in range(3):
        with ExitStack() as stack:
            base = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-move-")))
            stack.enter_context(mock.patch.dict(os.environ, LUMINA_DATABASE_URL=NO_INDEX))
            scene = Scene.make(base, base)
            moves = [_photo(scene, number) for number in range(_FILES)]
            plan = scene.approved(moves)
            _twins(base / "loop")
            os.sync()
            ours = timed(lambda scene=scene, plan=plan: _apply(scene, plan))  # type: ignore[misc]
            bare = timed(lambda base=base: _rename_and_note(base / "loop"))  # type: ignore[misc]
            assert len(list(scene.main.glob("2019/*/*.jpg"))) == _FILES
            ratios.append(ours / bare)
            details = f"{ours:.2f} s against {bare:.2f} s"
    yield Figure("moving 10,000 files / rename and a durable line each", statistics.median(ratios), 2.0, details)


def _photo(scene: Scene, number: int) -> dict[str, object]:
    path = f"in/{number // 500}/{number}.jpg"
    scene.photo(path, sidecar=False)
    return scene.move(path, f"2019/{number // 800:02}/{number}.jpg")


def _twins(folder: Path) -> None:
    (folder / "in").mkdir(parents=True)
    (folder / "out").mkdir()
    for number in range(_FILES):
        (folder / f"in/{number}.jpg").write_bytes(b"photo %d" % number)


def _apply(scene: Scene, plan: str) -> None:
    with Catalog.open(str(scene.main)) as catalog:
        *_, end = apply(catalog, read_plan(catalog, plan))
    assert isinstance(end, Finished)
    assert isinstance(end.result, Applied)
    assert (end.result.outcome, end.result.done) == ("complete", _FILES)


def _rename_and_note(folder: Path) -> None:
    fd = os.open(folder / "journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in range(_FILES):
        os.rename(folder / f"in/{number}.jpg", folder / f"out/{number}.jpg")
        os.write(fd, b'{"done":%d}\n' % number)
        os.fsync(fd)
    os.close(fd)


def copy(options: Options) -> Iterator[Figure]:
    """A verified copy of 1 GB, read back from the disk, against cp, sync and SHA-256 of both sides in two threads."""
    with tempfile.TemporaryDirectory(prefix="bench-copy-") as folder:
        base = Path(folder)
        with (base / "a.mov").open("wb") as file:
            block = os.urandom(1 << 20)
            for number in range(_MEGABYTES):
                file.write(number.to_bytes(4, "big") + block[4:])
        os.sync()
        ours, peer = _alternately(base, lambda: _copy_verified(base), lambda: _cp_and_hash(base))
    yield Figure(
        "verified copy of 1 GB / cp -a, sync, two hashes", ours / peer, 1.5, f"{ours:.2f} s against {peer:.2f} s"
    )


def _alternately(base: Path, one: Callable[[], None], other: Callable[[], None]) -> tuple[float, float]:
    """The medians of five runs each, in turn, after one of each that nobody counts: new blocks of a disk are slow."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(6):
        for act, found in zip((one, other), times, strict=True):
            _digest(base / "a.mov")  # what it reads is in memory for both
            seconds = timed(act)
            (base / "b.mov").unlink()
            if turn:
                found.append(seconds)
    return statistics.median(times[0]), statistics.median(times[1])


def _copy_verified(base: Path) -> None:
    with Root.open(str(base)) as root:
        new, transfer = Spot(root, "b.mov"), Transfer(Disk())
        copied = transfer.copy(Spot(root, "a.mov"), new, ".lumina-tmp-1-bench", sha256=None, seen=None)
        transfer.publish(new, copied.temp)


def _cp_and_hash(base: Path) -> None:
    subprocess.run(["cp", "-a", str(base / "a.mov"), str(base / "b.mov")], check=True)
    subprocess.run(["sync"], check=True)
    found: list[str] = []
    threads = [threading.Thread(target=lambda p=path: found.append(_digest(p))) for path in base.glob("?.mov")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert found[0] == found[1]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


#: By name, as in `cases`.
RUNS: dict[str, Callable[[Options], Iterator[Figure]]] = {"move": move, "copy": copy}
