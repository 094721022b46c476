"""The open catalog of the app: questions are answered in threads of their own, so that no screen ever waits."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from lumina_fs.catalog import Catalog
from lumina_fs.viewing.access import Access, Interrupted
from lumina_fs.viewing.pending import Pending
from lumina_fs.viewing.thumbnail_desk import ThumbnailDesk

if TYPE_CHECKING:
    from lumina_fs.viewing.plan_desk import PlanDesk

P = ParamSpec("P")
Answer = TypeVar("Answer")


class Session:
    """A catalog with its index and thumbnails. Closing it gives everything back.

    Beginning it raises as `Catalog.open` does, where the catalog is gone since; who opened it closes it then.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        # a handle of a catalog belongs to one thread: it closes directories that it has not used for long
        with contextlib.ExitStack() as opened:  # all of them, or none
            for_thumbnails, for_pages, for_slow = [
                opened.enter_context(Catalog.open(catalog.path, catalog.disk)) for _ in range(3)
            ]
            self._opened = opened.pop_all()
        self._own = threading.local()
        self.thumbnails = ThumbnailDesk(for_thumbnails)
        self.cancel = threading.Event()
        self._stopped_too: weakref.WeakSet[threading.Event] = weakref.WeakSet()
        #: Changes to what is said of photos that are not on the disk yet.
        self.pending = Pending()
        self._access = Access(for_pages)
        # one thread owns the connection to the index; files are read by others, so that neither waits for the other
        self._index_thread = ThreadPoolExecutor(1, "index")
        self._file_threads = ThreadPoolExecutor(2, "files")
        # what takes long has a connection of its own, so that pages never wait for it
        self._slow_access = Access(for_slow)
        self._slow_thread = ThreadPoolExecutor(1, "index, slowly")
        self._slow_now: object = None
        self._asked = 0
        self._desks: dict[str, PlanDesk] = {}

    def desk(self, name: str) -> PlanDesk:
        """A process that reads plans; one for each name, started when it is first asked."""
        from lumina_fs.viewing.plan_desk import PlanDesk

        return self._desks.setdefault(name, PlanDesk(self.catalog.path))

    def stops(self, cancel: threading.Event) -> None:
        """What is asked of the catalog and looks at this event is stopped when the catalog is closed."""
        self._stopped_too.add(cancel)

    @property
    def idle(self) -> bool:
        """True when no question waits for its answer."""
        return self._asked == 0

    async def ask(
        self, question: Callable[Concatenate[Access, P], Answer], *args: P.args, **kwargs: P.kwargs
    ) -> Answer:
        """What `question(access, ...)` answers, with the index at hand. Raises what it raises, and NeedsIndex."""
        answer: Answer = await self._run(self._index_thread, self._access.answer, question, *args, **kwargs)
        return answer

    async def ask_slowly(
        self, question: Callable[Concatenate[Access, P], Answer], *args: P.args, **kwargs: P.kwargs
    ) -> Answer:
        """The same for what may take seconds. Who gives up waiting (is cancelled) ends the question too."""
        ticket = object()
        given_up = threading.Event()

        def answered() -> Answer:
            self._slow_now = ticket
            try:
                while True:
                    try:
                        return self._slow_access.answer(question, *args, **kwargs)
                    except Interrupted:  # which may have been meant for the one before
                        if given_up.is_set():
                            raise
            finally:
                self._slow_now = None

        try:
            answer: Answer = await self._run(self._slow_thread, answered)
            return answer
        except asyncio.CancelledError:
            given_up.set()
            if self._slow_now is ticket:
                threading.Thread(target=self._slow_access.interrupt, daemon=True).start()
            raise

    async def read(
        self, question: Callable[Concatenate[Catalog, P], Answer], *args: P.args, **kwargs: P.kwargs
    ) -> Answer:
        """What `question(catalog, ...)` answers from files alone."""
        answer: Answer = await self._run(self._file_threads, self._with_files, question, *args, **kwargs)
        return answer

    def _with_files(
        self, question: Callable[Concatenate[Catalog, P], Answer], *args: P.args, **kwargs: P.kwargs
    ) -> Answer:
        if not hasattr(self._own, "catalog"):
            self._own.catalog = self._handle()
        return question(self._own.catalog, *args, **kwargs)

    def _handle(self) -> Catalog:
        """A handle of the catalog for another thread, closed with the session."""
        return self._opened.enter_context(Catalog.open(self.catalog.path, self.catalog.disk))

    async def _run(self, where: ThreadPoolExecutor, question: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self.cancel.is_set():  # closed under the one who asks, who is about to end too
            raise asyncio.CancelledError
        self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(where, lambda: question(*args, **kwargs))
        finally:
            self._asked -= 1

    def close(self) -> None:
        """End the threads, the connection and the catalog."""
        for cancel in (self.cancel, *self._stopped_too):
            cancel.set()
        self._slow_access.interrupt()
        self._slow_thread.submit(self._slow_access.close)
        for desk in self._desks.values():
            desk.close()
        self._index_thread.submit(self._access.close)
        for threads in (self._index_thread, self._slow_thread, self._file_threads):
            threads.shutdown(wait=True, cancel_futures=False)
        with contextlib.suppress(OSError):
            self.thumbnails.close()
        self._opened.close()
        self.catalog.close()
