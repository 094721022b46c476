"""Compare what lies on disk with what was recorded, by names and times alone: no original is opened here.

The result says what needs a closer look. Everything that is not plainly unchanged goes to `doubtful`, where the
sidecar itself decides; without an index nothing is recorded, so every sidecar is asked.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import NamedTuple

from lumina_fs.discover import Folders, Ignore, Listing, walk_directories, walk_folders
from lumina_fs.file_state import FileStat
from lumina_fs.fingerprints import fingerprint, missing_fingerprint, other_fingerprint
from lumina_fs.sidecars import SUFFIX, Sidecars, original_path, sidecar_name
from lumina_fs.text_captions import TextFile, mark_of
from lumina_fs.units import captions_of
from schemas.names import decode_name


class Found(NamedTuple):
    """An original as the directory listing shows it. `path` is relative to its source."""

    path: str
    size: int
    mtime_ns: int


class Recorded(NamedTuple):
    """What the index has of a source: path (encoded) -> fingerprint, tab, ETag; and the paths (encoded) of which
    nothing but a problem is recorded."""

    known: dict[str, str]
    unread: list[str]


class Doubtful(NamedTuple):
    """An original whose sidecar must be read to know what it needs; with what was recorded of it, if anything."""

    found: Found
    mark: str | None
    etag: str | None


@dataclass(slots=True)
class Survey:
    """One source, compared. `changed`: a recorded original has other times or another size now.

    `ignored` are recorded originals that the settings leave out now, `orphans` the sidecars of contents that were
    replaced. `vanished` are recorded originals that are gone; `widowed` are sidecars that lie without
    their original, by the path of the original, and are not recorded as missing already (`missing` counts those);
    of `unrecorded` among them it is not recorded that they were there.
    `texts` has the text file beside each fresh or doubtful original, None where there is none. `claimed` are the
    folders in which a catalog keeps its state, or that it marked as a source; `walked` are all that could be listed.
    """

    present: int = 0
    unchanged: int = 0
    missing: int = 0
    changed: bool = False
    fresh: list[Found] = field(default_factory=list)
    doubtful: list[Doubtful] = field(default_factory=list)
    unsure: list[Found] = field(default_factory=list)
    widowed: set[str] = field(default_factory=set)
    unrecorded: set[str] = field(default_factory=set)
    vanished: set[str] = field(default_factory=set)
    ignored: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    texts: dict[str, TextFile | None] = field(default_factory=dict)
    claimed: list[str] = field(default_factory=list)
    walked: set[str] = field(default_factory=set)

    def gone(self) -> int:
        """How many originals that should be here are not."""
        return len(self.widowed | self.vanished)

    def leave_out(self, unfinished: Callable[[str], bool], root: str) -> None:
        """Leave originals that somebody is still writing for later; `unfinished` is asked for absolute paths."""
        fresh = [found for found in self.fresh if not unfinished(f"{root}/{found.path}")]
        doubtful = [one for one in self.doubtful if not unfinished(f"{root}/{one.found.path}")]
        self.present -= len(self.fresh) - len(fresh) + len(self.doubtful) - len(doubtful)
        self.fresh, self.doubtful = fresh, doubtful
        self.unsure = [found for found in self.unsure if not unfinished(f"{root}/{found.path}")]

    def recorded(self) -> int:
        """How many originals should be here, going by the records and by sidecars left alone."""
        return self.present - len(self.fresh) + self.gone()


#: Characters of a name from which on the name of its sidecar may be cut.
_LONG = 60


def survey(
    root: str,
    sidecars: Sidecars,
    ignore: Ignore,
    recorded: Future[Recorded],
    recipe: str,
    cancel: threading.Event,
    on_change: Callable[[], bool] | None = None,
    folders: Folders | None = None,
) -> Survey:
    """Walk the source at `root` and compare it with what was recorded of it, which is consumed.

    The walk begins while the records are still on their way. With `folders` only these are walked; the records are
    then those of what lies in them and no more. What is `unread` and lies nowhere any more vanished too.

    `on_change` is called as soon as an original is found that will have to be opened, and again until it says True.

    Raises OSError when the root itself cannot be read.
    """
    result = Survey()
    elsewhere = sidecars.stats(folders, result.orphans)
    if folders is None:
        walk = walk_directories(root, ignore=ignore, cancel=cancel)
    else:
        walk = walk_folders(root, folders, ignore=ignore, cancel=cancel)
    ahead = []
    for listing in walk:
        ahead.append(listing)
        if recorded.done():
            break
    known, unread = recorded.result()
    for encoded in [path for path in known if path.startswith("bytes:")]:
        known[decode_name(encoded)] = known.pop(encoded)
    cut = {sidecars.path(path)[len(sidecars.prefix) :]: path for path in known if len(path.rpartition("/")[2]) > _LONG}
    for listing in itertools.chain(ahead, walk):
        there = listing.sidecars if elsewhere is None else elsewhere.pop(listing.directory, {})
        _compare(listing, there, known, recipe, result)
        _leave_widowed(listing.directory, there, known, cut, result)
        if on_change is not None and (result.fresh or result.changed) and on_change():
            on_change = None
    unknown = _Unreadable(result.unreadable)
    for directory, there in (elsewhere or {}).items():
        if not unknown.covers(f"{directory}/"):
            _leave_widowed(directory, there, known, cut, result)
    result.widowed = {path for path in result.widowed if not unknown.covers(path)}
    if left := {decode_name(path) for path in unread}:
        met = {found.path for found in result.fresh} | {one.found.path for one in result.doubtful} | result.widowed
        known.update(dict.fromkeys(left - met, "\t"))
    for path, row in known.items():
        if unknown.covers(path):
            continue
        if ignore.path(path):
            result.ignored.append(path)
        elif not row.startswith("other "):
            result.vanished.add(path)
    return result


def _compare(
    listing: Listing, sidecars: dict[str, FileStat], known: dict[str, str], recipe: str, result: Survey
) -> None:
    """The hot loop: once for each original of the library, so it makes no object where nothing changed."""
    prefix = f"{listing.directory}/" if listing.directory else ""
    take, forget, suffix = sidecars.pop, known.pop, SUFFIX
    unchanged = 0
    texts, marks = _texts(listing), {}
    if texts:
        marks = {name: mark_of(text.size, text.mtime_ns) + "\t" for name, text in texts.items()}
    for name, size, mtime_ns in listing.originals:
        path = prefix + name
        tail = marks.get(name, "\t") if marks else "\t"
        side = take(name + suffix if len(name) < 60 else sidecar_name(name), None)
        row = forget(path, None)
        if side is None:
            result.fresh.append(Found(path, size, mtime_ns))
            result.texts[path] = texts.get(name)
            if row is not None:  # its sidecar is gone: the row goes too, unless it comes back at once
                result.vanished.add(path)
        elif row is not None and row.startswith(
            f"{recipe} {size} {mtime_ns} {side[0]} {side[1]} {side[2]} {side[3]}{tail}"
        ):
            unchanged += 1
        else:
            if row is not None and row.startswith(recipe) and f" {size} {mtime_ns} " not in row:
                result.changed = True
            result.texts[path] = texts.get(name)
            result.doubtful.append(_doubtful(Found(path, size, mtime_ns), row))
    result.present += len(listing.originals)
    result.unchanged += unchanged
    for name, size, mtime_ns in listing.unsure:
        _compare_unsure(Found(prefix + name, size, mtime_ns), take(sidecar_name(name), None), known, recipe, result)
    result.unreadable.extend((prefix + name, reason) for name, reason in listing.unreadable)
    result.orphans.extend(prefix + name for name in listing.orphans)
    if all(name for name, _ in listing.unreadable):
        result.walked.add(listing.directory)
    if listing.claimed:
        result.claimed.append(listing.directory)


def _texts(listing: Listing) -> dict[str, TextFile]:
    """The text files of a folder that are captions, by the name of their original."""
    if not listing.texts:
        return {}
    prefix = f"{listing.directory}/" if listing.directory else ""
    owned = captions_of([name for name, _, _ in listing.originals], listing.texts)
    return {owner: TextFile(prefix + name, *listing.texts[name]) for owner, name in owned.items()}


class _Unreadable:
    """What could not be listed: nobody knows whether recorded originals under it are there, so nothing is said."""

    def __init__(self, unreadable: list[tuple[str, str]]) -> None:
        self._paths = {path for path, _ in unreadable}
        self._folders = tuple(path for path in self._paths if path.endswith("/"))

    def covers(self, path: str) -> bool:
        """True when a path is one of them or lies in one."""
        return bool(self._paths) and (path in self._paths or path.startswith(self._folders))


def _compare_unsure(found: Found, side: FileStat | None, known: dict[str, str], recipe: str, result: Survey) -> None:
    """A file whose name says nothing: with a sidecar it was found to be an original before."""
    row = known.pop(found.path, None)
    mark = None if row is None else row.partition("\t")[0]
    if side is None:
        if mark != other_fingerprint(found.size, found.mtime_ns):
            result.unsure.append(found)
        return
    result.present += 1
    if mark == fingerprint(recipe, found.size, found.mtime_ns, side):
        result.unchanged += 1
    else:
        result.doubtful.append(_doubtful(found, row))


def _doubtful(found: Found, row: str | None) -> Doubtful:
    if row is None:
        return Doubtful(found, None, None)
    mark, _, etag = row.partition("\t")
    return Doubtful(found, mark, etag)


def _leave_widowed(
    directory: str, sidecars: Mapping[str, FileStat], known: dict[str, str], cut: dict[str, str], result: Survey
) -> None:
    prefix = f"{directory}/" if directory else ""
    for name, side in sidecars.items():
        path = cut.get(prefix + name) or original_path(prefix + name)
        row = known.pop(path, None)
        if row is not None and row.partition("\t")[0] == missing_fingerprint(side):
            result.missing += 1
            continue
        result.widowed.add(path)
        if row is None or row.startswith(("missing ", "\t")):  # its sidecar was changed since, or just before
            result.unrecorded.add(path)


def in_order(found: list[Found], cost: int = 48_000_000, count: int = 32) -> Iterator[list[Found]]:
    """Batches of neighbouring files: at most `count` files, or about `cost` bytes, whichever comes first.

    Few files make four batches, so that two workers end at the same time.
    """
    count = min(count, max(4, -(-len(found) // 4)))
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
