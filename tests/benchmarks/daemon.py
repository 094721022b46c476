"""The daemon: what it costs while nothing happens, and how soon it knows when something does."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from lumina_fs.doorbell import ask
from tests.benchmarks.figures import Options, copy_of, corpus_or_small
from tests.benchmarks.measure import REPOSITORY, Figure, lumina, memory

_IDLE_SECONDS = 30.0
_EDITS = 40
_BURST = 20_000


def daemon(options: Options) -> Iterator[Figure]:
    """A quiet tree: ready, idle, sync; and hand edits in it."""
    photos, first = options.scanned_tree()
    found = json.loads(first.out)["found"]
    lumina("scan", str(photos), "--quiet")
    begun = time.perf_counter()
    with _running(photos) as process:
        yield Figure("daemon: ready after seconds", time.perf_counter() - begun, 5.0, f"{found:,} unchanged files")
        assert _sync(photos)["found"] == found
        spent = statistics.median(_sync(photos)["seconds"] for _ in range(5))
        yield Figure("daemon sync on a quiet tree, seconds", spent, 2.0, f"{found:,} files")
        time.sleep(2)
        before = _cpu(process.pid)
        time.sleep(_IDLE_SECONDS)
        share = (_cpu(process.pid) - before) / _IDLE_SECONDS * 100
        yield Figure("daemon idle, % of one core", share, 0.5, f"over {_IDLE_SECONDS:.0f} s")
        yield Figure("daemon idle, memory in MB", memory(process.pid), 250, "without Postgres")
        waits = sorted(_edit(photos, side, number) for number, side in enumerate(_sidecars(photos, _EDITS)))
        worst = waits[int(len(waits) * 0.95) - 1]
        detail = f"median {statistics.median(waits):.2f} s of {len(waits)}"
        yield Figure("hand edit to lumina search, p95 seconds", worst, 1.0, detail)


def burst(options: Options) -> Iterator[Figure]:
    """Many new files at once under a daemon, against a plain scan of the same files."""
    with corpus_or_small(options.tree, 2000, "--thumb") as tree, copy_of(tree) as photos:
        files = list(islice((path for path in sorted(photos.rglob("*")) if path.is_file()), _BURST))
        plain = _links(files, photos.parent / "plain")
        scan = lumina("scan", str(plain), "--quiet", "--json")
        found = json.loads(scan.out)["found"]
        target = photos.parent / "watched"
        target.mkdir()
        lumina("init", str(target))
        with _running(target):
            begun = time.perf_counter()
            _links(files, target)
            answer = _sync(target)
            spent = time.perf_counter() - begun
        assert answer["done"], answer
        assert answer["found"] == found
        detail = f"{found:,} files, {spent:.1f} s against {scan.wall:.1f} s"
        yield Figure("burst under the daemon / plain scan", spent / scan.wall, 1.3, detail)


def _links(files: list[Path], target: Path) -> Path:
    for number, path in enumerate(files):
        folder = target / f"{number // 100}"
        folder.mkdir(parents=True, exist_ok=True)
        os.link(path, folder / f"{number}{path.suffix}")
    return target


@contextmanager
def _running(photos: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "lumina_fs", "daemon", "run", str(photos)]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline().startswith("ready")
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        process.stdout.close()


def _sync(photos: Path) -> dict[str, float]:
    answer: dict[str, float] = ask(str(photos), {"do": "sync", "seconds": 7200}, timeout=7300)
    return answer


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _sidecars(photos: Path, count: int) -> list[Path]:
    found = sorted(photos.rglob("*.lumina.json"))
    return found[:: max(1, len(found) // count)][:count]


def _edit(photos: Path, side: Path, number: int) -> float:
    """Save a caption; seconds until `lumina search` has found it."""
    word = f"heron{number}x{time.time_ns()}"
    value = json.loads(side.read_bytes())
    value["curation"]["caption"] = word
    temporary = side.with_name(side.name + "~")
    temporary.write_text(json.dumps(value, indent=2))
    begun = time.perf_counter()
    temporary.rename(side)
    while not lumina("search", word, "--count", "--catalog", str(photos)).out.strip().startswith("1"):
        assert time.perf_counter() - begun < 60
    return time.perf_counter() - begun
