"""The way to the index of a catalog: the server behind it, and what is said on disk when it falls behind.

Nothing here loads a database driver before a connection is asked for.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from index.protocol import Entry, IndexUnavailable, IndexUnusable, Problem, Seen
from lumina_fs.catalog import STATE, Catalog
from lumina_fs.documents import read
from lumina_fs.doorbell import daemon_gives_way
from lumina_fs.durable import ABSENT, Conflict, Written
from lumina_fs.errors import Locked
from lumina_fs.locks import is_held, lock
from schemas.document import new_id
from schemas.text import dump

if TYPE_CHECKING:
    from index.postgres import PostgresIndex

Answer = TypeVar("Answer")

BEHIND = f"{STATE}/index-behind.json"
LOCKS = f"{STATE}/locks"
URL = "LUMINA_DATABASE_URL"

#: How long a daemon may take to stop where everything is valid.
_HAND_OVER_SECONDS = 60.0


@contextlib.contextmanager
def connect(catalog: Catalog) -> Iterator[PostgresIndex]:
    """A connection to the catalog's index, which may not be there yet. Raises IndexUnavailable."""
    from index.postgres import PostgresIndex

    with contextlib.ExitStack() as stack:
        conninfo = stack.enter_context(server())
        yield stack.enter_context(PostgresIndex(conninfo, catalog.id, catalog.path))


@contextlib.contextmanager
def server() -> Iterator[str]:
    """How to reach the server that was named, else the embedded one, which runs as long as it is used.

    Raises IndexUnavailable.
    """
    named = os.environ.get(URL)
    if named:
        yield named
        return
    from index.account import ServerFailed
    from index.server import serve

    with contextlib.ExitStack() as stack:
        try:
            conninfo = stack.enter_context(serve())
        except (ServerFailed, OSError) as error:
            raise IndexUnavailable(str(error)) from error
        yield conninfo


def keep_server() -> None:
    """Start the embedded server again if somebody stopped or killed it; one that was named is not ours to start."""
    if os.environ.get(URL):
        return
    from index.server import running

    with contextlib.suppress(Exception):
        if not running():
            with server():
                pass


def server_version() -> str:
    """The version of the server that an index would use; it is started if need be. Raises IndexUnavailable."""
    from index.tables import server_version as ask

    with server() as conninfo:
        return ask(conninfo)


@contextlib.contextmanager
def exclusive(catalog: Catalog, what: str, wait: float = 0.5, *, hand_over: bool = True) -> Iterator[None]:
    """Be the only one who writes this catalog's index in bulk. Raises Locked.

    `hand_over`: where it is the daemon who does, ask it to stop for us; it goes on afterwards.
    """
    catalog.disk.make_directory(catalog.root, LOCKS)
    path = f"{LOCKS}/index"
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(lock(catalog.root, path, wait=wait, what=what))
        except Locked:
            if not hand_over or not daemon_gives_way(catalog.path):
                raise
            stack.enter_context(lock(catalog.root, path, wait=_HAND_OVER_SECONDS, what=what))
        yield


def is_behind(catalog: Catalog) -> bool:
    """True when sidecars were written that the index does not know."""
    return read(catalog.root, BEHIND) is not None


def behind_mark(catalog: Catalog) -> str | None:
    """By what the present mark is known from a later one; None while there is none."""
    stored = read(catalog.root, BEHIND)
    return None if stored is None else stored.etag


def mark_behind(catalog: Catalog, why: str) -> str | None:
    """Say on disk that the index lacks something; the next command that can will catch up.

    A mark that is there gives way to this one, so that who wrote it does not take it for its own. By what it is known;
    None where it could not be written.
    """
    value = {"kind": "index-behind", "version": 1, "why": why.encode("utf-8", "replace").decode(), "mark": new_id()}
    for _ in range(20):
        present = behind_mark(catalog)
        outcome = catalog.disk.write(catalog.root, BEHIND, dump(value), if_match=present or ABSENT)
        if not isinstance(outcome, Conflict):
            return outcome.etag if isinstance(outcome, Written) else None
    return None


def clear_behind(catalog: Catalog, known: Collection[str | None]) -> None:
    """Say that the index knows all again, unless there is a mark that is not among the known ones: it says of more."""
    present = behind_mark(catalog)
    if present is not None and present in known:
        catalog.disk.remove_marker(catalog.root, BEHIND)


def is_written_in_bulk(catalog: Catalog) -> bool:
    """True while a scan, or whoever else holds the lock of the index, may send rows of sidecars that it read before."""
    return is_held(catalog.root, f"{LOCKS}/index")


class IndexWriter:
    """Where a scan sends rows: to the index while it answers; when it does not, files are written all the same."""

    def __init__(self, catalog: Catalog, index: PostgresIndex | None, why: str = "") -> None:
        self._catalog = catalog
        self._index = index
        self._why = why
        self._marked = False
        self._marks = {behind_mark(catalog)}

    @property
    def index(self) -> PostgresIndex | None:
        """The index, None since it stopped answering."""
        return self._index

    def say_behind(self) -> None:
        """Say on disk that the index lacks something, unless that is said already: nothing was written since."""
        if behind_mark(self._catalog) is None:
            self.before_files_change()

    def before_files_change(self) -> None:
        """Say on disk that the index is about to lack something, so that a kill between the two is noticed."""
        if not self._marked:
            self._marks.add(mark_behind(self._catalog, self._why or "a scan has not ended yet"))
            self._marked = True

    def upsert(
        self,
        source: str,
        entries: Sequence[Entry] = (),
        seen: Sequence[Seen] = (),
        removed: Sequence[str] = (),
        corrupt: Sequence[Problem] = (),
    ) -> None:
        """Send rows; an index that does not take them is left alone from then on."""
        self.ask(lambda index: index.upsert(source, entries, seen=seen, removed=removed, corrupt=corrupt), None)

    def upsert_together(self, changes: Mapping[str, tuple[Sequence[Entry], Sequence[str], Sequence[Problem]]]) -> None:
        """The same for several sources in one step: entries, removed paths, corrupt sidecars."""
        self.ask(lambda index: index.upsert_together(changes), None)

    def ask(self, question: Callable[[PostgresIndex], Answer], otherwise: Answer) -> Answer:
        """What the index answers; `otherwise` where there is none, or it fails: then the scan goes on without it."""
        if self._index is None:
            return otherwise
        try:
            return question(self._index)
        except (IndexUnavailable, IndexUnusable) as error:
            self._index, self._why = None, str(error)
            self.before_files_change()
            return otherwise

    def finish(self) -> None:
        """All was sent: nothing is behind any more."""
        if self._index is not None:
            clear_behind(self._catalog, self._marks)
