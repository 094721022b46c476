"""What holds of the last search: all of it where nothing is different that it depends on, or what it said of heaps.

What is said of a heap depends on its pictures, on what is recorded of their originals, on who is whose neighbour, and
on what a person said to be no duplicate: all that is in the fingerprint of the heap. So has the catalog.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import metadata, resources

import numpy as np
import orjson
from numpy.typing import NDArray

from index.contents import Codes
from index.parts import keys_of
from lumina_fs.cache_files import write_cache
from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.distinct import Contents
from lumina_fs.duplicates.reduction_writer import CACHE as REDUCTIONS
from lumina_fs.duplicates.reductions import taken
from lumina_fs.duplicates.remembered import CACHE, DIGESTS, LIKENESSES
from lumina_fs.duplicates.results import Result, parsed, stored
from lumina_fs.duplicates.signatures import Heaps, Signatures, Words
from lumina_fs.duplicates.verdicts import Verdicts

SEARCH = f"{CACHE}/search-v1.json"

_BYTES = 16
#: Beside this folder, what an answer depends on.
_MORE = (
    ("index", "columns.py"), ("index", "contents.py"), ("index", "entry.py"), ("index", "hamming.py"),
    ("index", "parts.py"), ("lumina_fs", "filetypes.py"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Last:
    """The last search. `basis`: all that its result depends on, "" where another search may find something else."""

    result: Result | None = None
    basis: str = ""
    heaps: frozenset[bytes] = frozenset()
    """Fingerprints of the heaps that it looked at."""


def recall(catalog: Catalog) -> Last:
    """The last search, as far as it was made in the way of this version and with the caches that are there."""
    try:
        with open(os.path.join(catalog.path, SEARCH), "rb") as file:
            value = orjson.loads(file.read())
        data = stored(catalog)
        if data is None or (value["result"], value["way"]) != (_digest(data), _way(catalog)):
            return Last()
        heaps = bytes.fromhex(value["heaps"])
        return Last(
            parsed(data),
            str(value["basis"]) if value["reductions"] == _reductions(catalog) else "",
            frozenset(heaps[start : start + _BYTES] for start in range(0, len(heaps), _BYTES)),
        )
    except (OSError, ValueError, TypeError, KeyError):
        return Last()


def keep(catalog: Catalog, result: bytes, basis: str, heaps: Iterable[bytes]) -> None:
    """Keep what the next search needs; `result` is the result as it was kept."""
    value = {
        "result": _digest(result), "way": _way(catalog), "basis": basis, "reductions": _reductions(catalog),
        "heaps": b"".join(heaps).hex(),
    }  # fmt: skip
    write_cache(catalog.disk, catalog.root, SEARCH, orjson.dumps(value))


def basis_of(codes: Codes, threshold: int, verdicts: Verdicts, sources: Iterable[str]) -> str:
    """A digest of all that a result depends on, in no order: rebuilt from the same files, an index gives the same."""
    # two paths with one number may come in either order: then a search is made again
    order = np.argsort(codes.stamp.view(np.uint64).reshape(-1, 3)[:, 2])
    digests = [taken(column, order) for column in (codes.sha256, codes.stamp)]
    numbers = [column[order] for column in (codes.phash, codes.dhash, codes.hashed, codes.image, codes.size)]
    said = orjson.dumps([threshold, sorted(sources), sorted(map(sorted, strangers(verdicts)))])
    return _digest(said, *(column.tobytes() for column in (*digests, *numbers)))


def facts(contents: Contents, verdicts: Verdicts) -> Words:
    """(n, 3) for each content what changes with anything that is recorded of it, or was said about what it is not."""
    found = contents.stamps.copy()
    pairs = [sorted(pair) for pair in strangers(verdicts)]
    places = contents.places(keys_of([content for pair in pairs for content in pair]))
    for number, (one, other) in enumerate(pairs):
        said = np.frombuffer(hashlib.sha256(f"{one} {other}".encode()).digest()[:24], np.uint64)
        for place in places[2 * number : 2 * number + 2]:
            if place >= 0:
                found[place] ^= said
    return found


def fingerprints(heaps: Heaps, records: NDArray[np.uint8], signatures: Signatures | None) -> list[bytes]:
    """Of each heap, from a row of bytes for each of its pictures in order, and from who is whose neighbour."""
    rows, width = records.tobytes(), records.shape[1]
    edges, bounds = _edges(heaps, signatures)
    found = []
    for number, (start, end) in enumerate(itertools.pairwise(heaps.starts.tolist())):
        said = hashlib.blake2b(rows[start * width : end * width], digest_size=_BYTES, salt=b"heap")
        said.update(edges[16 * bounds[number] : 16 * bounds[number + 1]])
        said.update((end - start).to_bytes(8, "little"))
        found.append(said.digest())
    return found


def _edges(heaps: Heaps, signatures: Signatures | None) -> tuple[bytes, list[int]]:
    """The neighbours of each heap as places within it, 16 bytes a pair, by signature; and where each heap begins."""
    if signatures is None:
        return b"", [0] * len(heaps.starts)
    place = np.empty(len(signatures.of), np.int64)
    place[heaps.pictures] = np.arange(len(heaps.pictures))
    one, other = (place[signatures.representatives[some]] for some in signatures.pairs)
    heap = np.searchsorted(heaps.starts, one, "right") - 1
    order = np.argsort(heap, kind="stable")
    pairs = np.stack([one, other], 1)[order] - heaps.starts[heap[order]][:, None]
    return pairs.tobytes(), np.searchsorted(heap[order], np.arange(len(heaps.starts))).tolist()


def strangers(verdicts: Verdicts) -> list[frozenset[str]]:
    """Pairs of contents that somebody said to be no duplicates."""
    return [pair for pair, ruling in verdicts.rulings.items() if ruling.decision == "not_duplicate"]


def _way(catalog: Catalog) -> str:
    """How a search looks, and what it remembers having seen: when these are other ones, it looks at all heaps again."""
    said = [f"{path} {_size(os.path.join(catalog.path, path))}" for path in (LIKENESSES, DIGESTS)]
    return _digest("\n".join([rules(), *said]).encode())


def _reductions(catalog: Catalog) -> str:
    """A digest of which reduced pictures are in the cache: when some are gone, a search reads them again."""
    try:
        with os.scandir(os.path.join(catalog.path, REDUCTIONS)) as found:
            said = sorted(f"{entry.name} {entry.stat().st_size}" for entry in found)
    except OSError:
        said = []
    return _digest("\n".join(said).encode("utf-8", "surrogateescape"))


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return -1


@cache
def rules() -> str:
    """A digest of what decides about duplicates: this package itself, so that nobody has to think of a version."""
    own = [one for one in resources.files("lumina_fs.duplicates").iterdir() if one.name.endswith(".py")]
    more = [resources.files(package) / name for package, name in _MORE]
    said = [one.read_bytes() for one in (*sorted(own, key=lambda one: one.name), *more)]
    return _digest(metadata.version("lumina-fs").encode(), *said)


def _digest(*parts: bytes) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()[:32]
