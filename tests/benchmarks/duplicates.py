"""Duplicates: the exact join, neighbours by views, and the whole search with its precision and recall."""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from index.hamming import near_pairs
from index.vectors import HashIndex
from lumina_fs.duplicates.candidates import neighbours as neighbours_of
from lumina_fs.duplicates.groups import Group, group
from lumina_fs.duplicates.kept_neighbours import NEIGHBOURS
from lumina_fs.duplicates.kinds import Judgement
from lumina_fs.duplicates.recall import SEARCH
from lumina_fs.duplicates.remembered import LIKENESSES
from lumina_fs.duplicates.results import RESULT
from lumina_fs.duplicates.signatures import Signatures
from lumina_fs.duplicates.views import COUNT, Views
from tests.benchmarks.figures import Options, copy_of, corpus_or_small
from tests.benchmarks.library import add_one, bases_of, library
from tests.benchmarks.measure import SHARED, Figure, lumina

Codes = NDArray[np.uint64]


def planted(count: int) -> Codes:
    """Codes of 64 bits, all different: three quarters random, and a quarter near one of those."""
    random = np.random.default_rng(5)
    some = random.integers(0, 1 << 64, count * 3 // 4, dtype=np.uint64)
    near = some[random.integers(0, len(some), count - len(some))]
    for _ in range(5):
        near ^= np.uint64(1) << random.integers(0, 64, len(near), dtype=np.uint64)
    return random.permutation(np.unique(np.concatenate([some, near])))


def join(options: Options) -> Iterator[Figure]:
    """All pairs within five bits, against FAISS's flat index, which a sample of the answer is checked by."""
    seconds = {}
    for count in (options.rows // 10, options.rows):
        codes = planted(count)
        begun = time.perf_counter()
        first, second = near_pairs(codes, 5)
        seconds[count] = time.perf_counter() - begun
        some = np.arange(min(2000, len(codes)))
        flat = faiss.IndexBinaryFlat(64)
        flat.add(codes.view(np.uint8).reshape(-1, 8))
        begun = time.perf_counter()
        limits, _, found = flat.range_search(codes[some].view(np.uint8).reshape(-1, 8), 6)
        slow = (time.perf_counter() - begun) * len(codes) / len(some)
        near = np.isin(first, some) | np.isin(second, some)
        ours = {(int(a), int(b)) for a, b in zip(first[near], second[near], strict=True)}
        asked = np.repeat(some, np.diff(limits).astype(np.int64))
        theirs = {(min(a, b), max(a, b)) for a, b in zip(asked.tolist(), found.tolist(), strict=True) if a != b}
        assert ours == theirs, "the join and the flat index disagree"
    large = seconds[options.rows]
    detail = f"{options.rows:,} codes, {large:.2f} s against {slow:.0f} s"
    yield Figure("all pairs within 5 bits / FAISS flat", large / slow, 3 / 260, detail)
    yield Figure("ten times the codes / time", large / seconds[options.rows // 10], 12, detail)
    index = HashIndex.build(planted(options.rows).astype(np.int64).tolist())
    times = []
    for code in range(50):
        begun = time.perf_counter()
        index.within(code * 0x9E3779B97F4A7C15 % (1 << 63), 5)
        times.append(time.perf_counter() - begun)
    yield Figure("one against all, ms", statistics.median(times) * 1000, 5, f"{options.rows:,} codes")


def neighbours(options: Options) -> Iterator[Figure]:
    """Neighbours by hashes and views, a fifth of them with a twin; ten times as many; and a cluster of equal codes."""
    seconds = {count: _neighbours(count) for count in (options.rows // 10, options.rows)}
    large, small = seconds[options.rows], seconds[options.rows // 10]
    yield Figure("neighbours, seconds a million", large / options.rows * 1e6, 12, f"{options.rows:,}: {large:.1f} s")
    yield Figure("ten times the pictures / time", large / small, 12, f"{small:.2f} s, {large:.2f} s")
    equal = Signatures(np.full(options.rows, 7, np.uint64), np.full(options.rows, 9, np.uint64))
    same = Judgement("re_encoded", 97, ())
    begun = time.perf_counter()
    found = list(group(equal.heaps().lists(), equal, lambda pairs: [same] * len(pairs)))
    [one] = [some for some in found if isinstance(some, Group)]
    assert len(one.members) == options.rows - 1
    yield Figure("a cluster of equal pictures / as many others", (time.perf_counter() - begun) / large, 1, "")


def _neighbours(count: int) -> float:
    random = np.random.default_rng(1)
    codes = random.integers(0, 1 << 64, (2, count, COUNT), dtype=np.uint64)
    twins = count // 5
    codes[:, count - twins :] = codes[:, :twins]
    for _ in range(4):
        codes[:, count - twins :, 0] ^= np.uint64(1) << random.integers(0, 64, (2, twins), dtype=np.uint64)
    begun = time.perf_counter()
    signatures = Signatures(codes[0, :, 0], codes[1, :, 0])
    found = neighbours_of(signatures, lambda pictures: Views(codes[0, pictures], codes[1, pictures]), 5)
    signatures.join(found.pairs)
    heaps = len(signatures.heaps().lists())
    seconds = time.perf_counter() - begun
    assert heaps >= twins
    return seconds


def twins(options: Options) -> Iterator[Figure]:
    """The whole search over the generated corpora: precision, recall, a second search, the same answer."""
    for name, named, count, more in (
        ("camera photos", options.corpus, 300, ("--mp", "3-6")),
        ("small photos", options.tree, 2000, ("--thumb",)),
    ):
        with corpus_or_small(named, count, *more) as corpus, copy_of(corpus) as photos:
            lumina("scan", str(photos), "--quiet")
            yield from _searched(name, corpus, photos)


def anew(options: Options) -> Iterator[Figure]:
    """A search with nothing but the pixels remembered, of the tree and of libraries of rows, one ten times the other.

    Pixels are looked at in a first search, which is not counted and takes the longest.
    """
    tree = options.scanned_tree()[0]
    seconds, detail = _anew(tree)
    yield Figure("search anew, the tree, seconds", seconds, 2.5, detail)
    bases, found = bases_of(tree), {}
    for count in (options.rows // 10, options.rows):
        with library(bases, count) as folder:
            found[count], detail = _anew(folder)
            limit = max(2.5, 12 * count / 1e6)
            yield Figure(f"search anew, {count:,} rows, seconds", found[count], limit, detail)
            yield _one_more(folder, bases, count, limit)
    yield Figure("ten times the rows / time", found[options.rows] / found[options.rows // 10], 12, "")


def _anew(photos: Path) -> tuple[float, str]:
    """Seconds of the quickest of three, and what they came to."""
    search = ("duplicates", "find", "--catalog", str(photos), "--json")
    wanted, runs = lumina(*search).out, []
    result = (photos / RESULT).read_bytes()
    for _ in range(3):
        for name in (SEARCH, NEIGHBOURS, RESULT):
            (photos / name).unlink()
        runs.append(lumina(*search, watch=True))
        assert runs[-1].out == wanted
        assert (photos / RESULT).read_bytes() == result
    best, summary = min(runs, key=lambda run: run.wall), json.loads(wanted)
    told = f"{summary['analysed']:,} pictures, {summary['files']:,} may go"
    return best.wall, f"{told}; {best.cpu:.1f} s of processor time, {best.peak:.0f} MB"


def _one_more(folder: Path, bases: NDArray[np.uint8], count: int, limit: float) -> Figure:
    """The quickest of three searches, each after one picture more; the result is that of a search anew."""
    search = ("duplicates", "find", "--catalog", str(folder), "--json")
    runs = []
    for number in range(count, count + 3):
        add_one(folder, bases, number)
        runs.append(lumina(*search, watch=True))
    kept = {name: (folder / name).read_bytes() for name in (NEIGHBOURS, RESULT)}
    for name in (SEARCH, *kept):
        (folder / name).unlink()
    lumina(*search)
    assert kept == {name: (folder / name).read_bytes() for name in kept}
    best = min(runs, key=lambda run: run.wall)
    detail = f"{best.cpu:.1f} s of processor time, {best.peak:.0f} MB"
    return Figure(f"search after one more, {count:,} rows, seconds", best.wall, limit, detail)


def _searched(name: str, corpus: Path, photos: Path) -> Iterator[Figure]:
    first = lumina("duplicates", "find", "--catalog", str(photos), "--json", watch=True)
    summary = json.loads(first.out)
    again = lumina("duplicates", "find", "--catalog", str(photos), "--json")
    assert json.loads(again.out) == summary
    exported = lumina("duplicates", "export", "--catalog", str(photos), "--json").out
    os.remove(photos / LIKENESSES)
    lumina("duplicates", "find", "--catalog", str(photos), "--json")
    assert lumina("duplicates", "export", "--catalog", str(photos), "--json").out == exported
    groups: dict[str, list[str]] = {}
    for line in exported.splitlines():
        row = json.loads(line)
        groups.setdefault(row["group"], []).append(row["path"])
    truth = json.loads(corpus.with_name(f"{corpus.name}.truth.json").read_text())
    found = _scorer().score(truth, list(groups.values()))
    detail = f"{summary['analysed']:,} {name}, {found['true_pairs']:,} pairs"
    yield Figure(f"precision, {name}", found["precision"], 0.999, detail, at_least=True)
    yield Figure(f"recall, {name}", found["recall"], 0.995, detail, at_least=True)
    worst = min(found["recall_by_kind"], key=found["recall_by_kind"].__getitem__)
    kinds = ", ".join(f"{kind} {share}" for kind, share in found["recall_by_kind"].items())
    yield Figure(f"recall of the worst kind ({worst})", found["recall_by_kind"][worst], 0.98, kinds, at_least=True)
    yield Figure(
        f"first search, ms a picture, {name}", first.wall / summary["analysed"] * 1000, 5, f"{first.wall:.1f} s"
    )
    limit = max(1.0, 2.5 * summary["analysed"] / 100_000 + 0.5)
    yield Figure(f"search without a new pair, seconds, {name}", again.wall, limit, f"{first.peak:.0f} MB at most")


def _scorer() -> ModuleType:
    """The shared script that scores groups against the generator's truth."""
    spec = importlib.util.spec_from_file_location("score", SHARED / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module  # type: ignore[no-any-return]
