"""An index that can be asked: reached, made where there is none, and brought up to date where it is behind."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from index.protocol import IndexUnavailable, IndexUnusable
from lumina_fs.catalog import Catalog
from lumina_fs.errors import Locked, NeedsIndex
from lumina_fs.index_session import connect, is_behind
from lumina_fs.progress import Event, Note

if TYPE_CHECKING:
    from index.postgres import PostgresIndex

Show = Callable[[Event], None]


@contextlib.contextmanager
def answering_index(
    catalog: Catalog, *, show: Show, may_rebuild: Callable[[str], bool], cancel: threading.Event
) -> Iterator[PostgresIndex]:
    """The index of `catalog`, ready to be asked. `may_rebuild(why)` is asked before an unusable one is made anew.

    Raises NeedsIndex with the reason and the next step.
    """
    try:
        with connect(catalog) as index:
            try:
                index.check()
            except IndexUnusable as reason:
                if not may_rebuild(str(reason)):
                    raise NeedsIndex(f"{reason}; make it with: lumina index rebuild") from None
                _rebuild(catalog, show, cancel)
            else:
                if is_behind(catalog):
                    _catch_up(catalog, show, cancel)
            yield index
    except IndexUnavailable as error:
        raise NeedsIndex(
            f"the index cannot be reached: {error}. Your files are unaffected; `lumina doctor` says what is missing"
        ) from None
    except IndexUnusable as error:
        raise NeedsIndex(f"the index is damaged: {error}; make it anew with: lumina index rebuild") from None


def _rebuild(catalog: Catalog, show: Show, cancel: threading.Event) -> None:
    from lumina_fs.rebuild import rebuild

    for event in rebuild(catalog, cancel=cancel):
        if isinstance(event, Event):
            show(event)
    if cancel.is_set():
        raise KeyboardInterrupt


def _catch_up(catalog: Catalog, show: Show, cancel: threading.Event) -> None:
    """Reconcile; where another process is at it already, the answer may lack its latest."""
    from lumina_fs.scan import reconcile

    try:
        for event in reconcile(catalog, cancel=cancel):
            if isinstance(event, Event):
                show(event)
    except Locked as error:
        show(Note(f"{error}; the answer may lack what it is writing"))
