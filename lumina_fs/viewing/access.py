"""The index as a screen reaches it: connected when it is first asked, and again after the server went away."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from index.protocol import Hit, IndexUnavailable, IndexUnusable, Interrupted
from lumina_fs.answers import answering_index
from lumina_fs.catalog import Catalog
from lumina_fs.errors import NeedsIndex
from lumina_fs.index_session import connect, is_behind
from lumina_fs.progress import Event

if TYPE_CHECKING:
    from index.postgres import PostgresIndex

P = ParamSpec("P")
Answer = TypeVar("Answer")

__all__ = ["Access", "Interrupted", "Photo", "catch_up", "revision"]

#: An original as a row of the index tells of it; `path` is encoded.
Photo = Hit


class Access:
    """A catalog with a connection to its index, for one thread at a time."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._held = contextlib.ExitStack()
        self._index: PostgresIndex | None = None

    @property
    def index(self) -> PostgresIndex:
        """The index. Raises NeedsIndex with the reason and the next step where it cannot be asked."""
        if self._index is None:
            try:
                index = self._held.enter_context(connect(self.catalog))
                index.check()
            except IndexUnusable as error:
                self.close()
                raise NeedsIndex(f"{error}; it has to be made anew from the sidecars") from None
            except IndexUnavailable as error:
                self.close()
                raise NeedsIndex(f"the index cannot be reached: {error}. Your files are unaffected") from None
            self._index = index
        return self._index

    def answer(self, question: Callable[Concatenate[Access, P], Answer], *args: P.args, **kwargs: P.kwargs) -> Answer:
        """What `question(self, ...)` answers. Raises NeedsIndex where the index fails in the middle of it."""
        try:
            return question(self, *args, **kwargs)
        except (IndexUnavailable, IndexUnusable) as error:
            self.close()
            raise NeedsIndex(f"the index stopped answering: {error}. Your files are unaffected") from None

    def interrupt(self) -> None:
        """End the question that is being answered: it raises Interrupted. From any thread."""
        index = self._index
        if index is not None:
            index.interrupt()

    def close(self) -> None:
        """Give the connection back; the next question makes a new one."""
        self._index = None
        with contextlib.suppress(Exception):
            self._held.close()
        self._held = contextlib.ExitStack()


def revision(access: Access) -> tuple[str | None, str | None]:
    """By what a change of the index's contents is known: its generation, and its changes since."""
    return access.index.meta("generation"), access.index.meta("revision")


def catch_up(catalog: Catalog, show: Callable[[Event], None], cancel: threading.Event) -> bool:
    """Bring an index up to date that was behind, as every command does; False if there was nothing to do.

    Raises NeedsIndex.
    """
    if not is_behind(catalog):
        return False
    with answering_index(catalog, show=show, may_rebuild=lambda why: False, cancel=cancel):
        return True
