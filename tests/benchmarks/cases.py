"""The figures: each is a ratio of two things measured in one run, with the answer checked in that run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks import daemon, duplicates, plans, terminal
from tests.benchmarks.figures import Options, copy_of, corpus_or_small
from tests.benchmarks.floors import bare_walk, shared_floor
from tests.benchmarks.measure import REPOSITORY, SHARED, Figure, lumina, median, run, timed


def scan(options: Options) -> Iterator[Figure]:
    """A cold scan with everything against the floor pipeline, its memory, and a scan killed half way."""
    with corpus_or_small(options.corpus, 200, "--mp", "3-6") as corpus, copy_of(corpus) as photos:
        [floor] = shared_floor("pipeline", "--corpus", str(corpus), "--procs", "2")
        first = lumina("scan", str(photos), "--quiet", "--json", watch=True)
        result = json.loads(first.out)
        assert result["added"] == result["found"] >= floor["files"]
        wall = floor["seconds"] * result["found"] / floor["files"]
        detail = f"{result['found']} files, {first.wall:.1f} s against {wall:.1f} s"
        yield Figure("cold scan, wall / floor pipeline", first.wall / wall, 1.2, detail)
        cpu = 2 * wall
        yield Figure("cold scan, CPU / floor pipeline", first.cpu / cpu, 1.2, f"{first.cpu:.1f} s against {cpu:.1f} s")
        yield Figure("cold scan, memory in MB", first.peak, 450, "all processes and ExifTool, without Postgres")
    with corpus_or_small(options.corpus, 200, "--mp", "3-6") as corpus, copy_of(corpus) as photos:
        command = [sys.executable, "-m", "lumina_fs", "scan", str(photos), "--quiet"]
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(first.wall / 2)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        rest = lumina("scan", str(photos), "--quiet", "--json")
        assert json.loads(rest.out)["found"] == result["found"]
        yield Figure(
            "repeating a scan killed half way / a full one", rest.wall / first.wall, 0.55, f"{rest.wall:.1f} s"
        )


def reading(options: Options) -> Iterator[Figure]:
    """How much is read for a cold scan: by us and by ExifTool, with all that goes through pipes."""
    with corpus_or_small(options.corpus, 200, "--mp", "3-6") as corpus, copy_of(corpus) as photos:
        (photos / "one").mkdir()
        lumina("scan", str(photos / "one"), "--quiet")
        nothing = lumina("scan", str(photos / "one"), "--quiet").read
        shutil.rmtree(photos / "one")
        size = sum(path.stat().st_size for path in photos.rglob("*") if path.is_file())
        done = lumina("scan", str(photos), "--quiet", "--json")
        assert json.loads(done.out)["added"] == json.loads(done.out)["found"]
        read = done.read - nothing
        detail = f"{read / 1e6:.0f} MB of {size / 1e6:.0f}"
        yield Figure("bytes read / size of the originals", read / size, 1.1, detail)


def peer(options: Options) -> Iterator[Figure]:
    """A cold scan against the fastest peer's near-duplicate search alone (pip install czkawka)."""
    with corpus_or_small(options.corpus, 200, "--mp", "3-6") as corpus, copy_of(corpus) as photos:
        command = [sys.executable, str(SHARED / "peers.py"), str(corpus), "czkawka_core (PyPI binding) similarity 5"]
        lines = [json.loads(line) for line in run(command).out.splitlines()]
        assert lines, "the peer is not installed: pip install czkawka"
        other = lines[0]["wall_s"]
        ours = lumina("scan", str(photos), "--quiet", "--json")
        assert json.loads(ours.out)["found"] >= lines[0]["files"]
        detail = f"{ours.wall:.1f} s against {other:.1f} s"
        yield Figure("cold scan / czkawka", ours.wall / other, 0.6, detail)


def rescan(options: Options) -> Iterator[Figure]:
    """A second scan of a large tree, and one after a hundred changes, against a bare walk."""
    photos, first = options.scanned_tree()
    found = json.loads(first.out)["found"]
    rate = found / first.wall
    yield Figure("memory at this size in MB", first.peak, 500, f"{found:,} files, {rate:.0f} a second")
    lumina("scan", str(photos), "--quiet")
    walk = median(lambda: timed(lambda: bare_walk(photos)))
    again = lumina("scan", str(photos), "--quiet", "--json", watch=True)
    assert json.loads(again.out)["unchanged"] == found
    spent = median(lambda: lumina("scan", str(photos), "--quiet").wall)
    detail = f"{found:,} files, {spent:.2f} s, bare walk {walk:.2f} s"
    yield Figure("rescan: (seconds - 0.6) / bare walk", (spent - 0.6) / walk, 2.0, detail)
    originals = [path for path in photos.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg")][:100]
    for number, path in enumerate(originals):
        data = path.read_bytes()
        path.unlink()
        path.write_bytes(data + bytes([number]))
    with tempfile.TemporaryDirectory(prefix="bench-", dir=photos.parent) as folder:
        for number, path in enumerate(originals):
            os.link(path, f"{folder}/{number}{path.suffix}")
        pipeline = ("pipeline", "--corpus", folder, "--procs", "2", "--tmp", str(photos.parent))
        floor = median(lambda: shared_floor(*pipeline)[0]["seconds"])
    changed = lumina("scan", str(photos), "--quiet", "--json")
    assert json.loads(changed.out)["updated"] == len(originals)
    more = changed.wall - spent
    detail = f"{more:.2f} s more, floor pipeline {floor:.2f} s"
    yield Figure("100 changes: more than a rescan / scanning 100", more / floor, 1.5, detail)


def rebuild(options: Options) -> Iterator[Figure]:
    """Making the index anew, and proving it, against parsing and one COPY."""
    photos, first = options.scanned_tree()
    found = json.loads(first.out)["found"]
    tree = options.tree or photos
    parse = next(
        line["seconds"] for line in shared_floor("sidecar_parse", "--tree", str(tree), "--tmp", str(photos.parent))
        if line["how"] == "orjson" and line["procs"] == 2
    ) / 100_000  # fmt: skip
    copy = next(
        line["total_s"] / line["rows"] for line in shared_floor("postgres", "--tmp", str(photos.parent))
        if line.get("indexes") == "after"
    )  # fmt: skip
    floor = (parse + copy) * found
    made = lumina("index", "rebuild", "--quiet", "--json", "--catalog", str(photos))
    assert json.loads(made.out)["originals"] == found
    yield Figure("rebuild / floor", made.wall / floor, 1.35, f"{found:,} rows, {made.wall:.1f} s, floor {floor:.1f} s")
    proof = lumina("index", "verify", "--quiet", "--json", "--catalog", str(photos))
    assert json.loads(proof.out)["equal"]
    yield Figure("verify / rebuild", proof.wall / made.wall, 1.3, f"{proof.wall:.1f} s")


def start(options: Options) -> Iterator[Figure]:
    """How long a command takes before it does anything."""
    del options
    bare = median(lambda: run([sys.executable, "-c", "pass"]).wall, 9)
    helped = median(lambda: lumina("--help").wall, 9)
    yield Figure("lumina --help / python -c pass", helped / bare, 6.0, f"{helped * 1000:.0f} ms, {bare * 1000:.0f} ms")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder, "photos").mkdir()
        lumina("scan", f"{folder}/photos", "--quiet")
        search = ["search", "x", "--catalog", f"{folder}/photos"]
        down = median(lambda: lumina(*search).wall, 9)
        yield Figure("search with the server down, seconds", down, 0.8, "")
        from index.server import serve

        with serve():
            up = median(lambda: lumina(*search).wall, 9)
        yield Figure("search with the server up, seconds", up, 0.45, "")


def query(options: Options) -> Iterator[Figure]:
    """A page of results out of many rows, inside Postgres."""
    from index.generation import Generation
    from index.postgres import PostgresIndex
    from index.server import serve
    from tests.benchmarks.rows import rows

    with serve() as conninfo, PostgresIndex(conninfo, str(uuid.uuid4()), "/bench") as index:
        try:
            generation = Generation(index, "new")
            with generation.filling() as fill:
                for originals, seen in rows(options.rows):
                    fill(originals, b"", seen)
            generation.swap()
            asked = ["beach", "camera:canon", "date:2019-07", "beach camera:canon", "rating:>=4", "quality:>=95",
                     "type:video", "camera:powershot", "wedding -beach", "date:2015..2016 tag:people/anna"]  # fmt: skip
            for text in asked:
                assert index.search(text, limit=50)
                spent = median(lambda text=text: timed(lambda: index.search(text, limit=50)))  # type: ignore[misc]
                yield Figure(f"page for {text}, ms", spent * 1000, 50, f"{options.rows:,} rows")
        finally:
            index.drop()


def plan(options: Options) -> Iterator[Figure]:
    """Proposing, showing and checking a plan of as many originals as there are rows."""
    yield from plans.plan(options.rows)


CASES: dict[str, Callable[[Options], Iterator[Figure]]] = {
    "start": start, "scan": scan, "reading": reading, "rescan": rescan, "rebuild": rebuild, "query": query,
    "plan": plan, "peer": peer, "join": duplicates.join, "neighbours": duplicates.neighbours, "twins": duplicates.twins,
    "anew": duplicates.anew,
    "daemon": daemon.daemon, "burst": daemon.burst, "terminal": terminal.terminal,
}  # fmt: skip
