"""Compare what lies on disk with what was recorded, by names and times alone: no original is opened here.

The result says what needs a closer look. Everything that is not plainly unchanged goes to `doubtful`, where the
sidecar itself decides; without an index nothing is recorded, so every sidecar is asked.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from index.protocol import Seen
from lumina_fs.discover import Ignore, Listing, walk_directories
from lumina_fs.sidecars import Placement, SidecarStat, sidecar_name


class Found(NamedTuple):
    """An original as the directory listing shows it. `path` is relative to its source."""

    path: str
    size: int
    mtime_ns: int


class Doubtful(NamedTuple):
    """An original whose sidecar must be read to know what it needs; `row` is what the index recorded."""

    found: Found
    sidecar: SidecarStat
    row: Seen | None


@dataclass(slots=True)
class Survey:
    """One source, compared. `vanished` are recorded originals that are gone; `widowed` their sidecars that stayed."""

    present: int = 0
    unchanged: int = 0
    fresh: list[Found] = field(default_factory=list)
    doubtful: list[Doubtful] = field(default_factory=list)
    widowed: dict[str, SidecarStat] = field(default_factory=dict)
    vanished: dict[str, Seen] = field(default_factory=dict)
    unsure: list[Found] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    def recorded(self) -> int:
        """How many originals should be here, going by the records and by sidecars left alone."""
        gone = {path for path, row in self.vanished.items() if not row.missing}
        gone.update(path for path in self.widowed if path not in self.vanished)
        return self.present - len(self.fresh) + len(gone)


def survey(
    root: str,
    placement: Placement,
    ignore: Ignore,
    known: dict[str, Seen],
    recipe: str,
    cancel: threading.Event,
) -> Survey:
    """Walk the source at `root` and compare it with `known` (path -> row; consumed: what is left has vanished)."""
    result = Survey()
    elsewhere = placement.stats_elsewhere()
    for listing in walk_directories(root, ignore=ignore, cancel=cancel):
        sidecars = listing.sidecars
        if elsewhere is not None:
            sidecars = elsewhere.pop(listing.directory, {})
        _compare(listing, sidecars, known, recipe, result)
    for directory, sidecars in (elsewhere or {}).items():
        _leave_widowed(directory, sidecars, result)
    result.vanished = known
    return result


def _compare(
    listing: Listing,
    sidecars: dict[str, SidecarStat],
    known: dict[str, Seen],
    recipe: str,
    result: Survey,
) -> None:
    """The hot loop: once for each original of the library, so it makes no object where nothing changed."""
    prefix = f"{listing.directory}/" if listing.directory else ""
    take = sidecars.pop
    forget = known.pop
    unchanged = 0
    for name, size, mtime_ns in listing.originals:
        path = prefix + name
        side = take(sidecar_name(name), None)
        row = forget(path, None)
        if side is None:
            result.fresh.append(Found(path, size, mtime_ns))
        elif (
            row is not None
            and row.settled
            and row.size == size
            and row.mtime_ns == mtime_ns
            and row.recipe == recipe
            and not row.missing
            and row.sidecar_mtime_ns == side[1]
            and row.sidecar_size == side[0]
            and row.sidecar_ctime_ns == side[2]
            and row.sidecar_inode == side[3]
        ):
            unchanged += 1
        else:
            result.doubtful.append(Doubtful(Found(path, size, mtime_ns), side, row))
    result.present += len(listing.originals)
    result.unchanged += unchanged
    for name, size, mtime_ns in listing.unsure:
        found = Found(prefix + name, size, mtime_ns)
        side = take(sidecar_name(name), None)
        if side is None:
            result.unsure.append(found)
        else:
            result.present += 1
            result.doubtful.append(Doubtful(found, side, forget(found.path, None)))
    result.unreadable.extend((prefix + name, reason) for name, reason in listing.unreadable)
    _leave_widowed(listing.directory, sidecars, result)


def _leave_widowed(
    directory: str, sidecars: Mapping[str, SidecarStat], result: Survey
) -> None:
    prefix = f"{directory}/" if directory else ""
    for name, stat in sidecars.items():
        result.widowed[prefix + name] = stat


def in_order(found: list[Found], cost: int = 48_000_000, count: int = 32) -> Iterator[list[Found]]:
    """Batches of neighbouring files: at most `count` files, or about `cost` bytes, whichever comes first."""
    batch: list[Found] = []
    weight = 0
    for one in found:
        if batch and (len(batch) >= count or weight + one.size > cost):
            yield batch
            batch, weight = [], 0
        batch.append(one)
        weight += one.size
    if batch:
        yield batch
