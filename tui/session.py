"""The open catalog of the app: questions are answered in threads of their own, so that no screen ever waits."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, TypeVar

from lumina_fs.catalog import Catalog
from lumina_fs.viewing.access import Access
from lumina_fs.viewing.plan_desk import PlanDesk
from lumina_fs.viewing.thumbnail_desk import ThumbnailDesk

P = ParamSpec("P")
Answer = TypeVar("Answer")


class Session:
    """A catalog with its index and thumbnails. Closing it gives everything back."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.thumbnails = ThumbnailDesk(catalog)
        self.cancel = threading.Event()
        self._access = Access(catalog)
        # one thread owns the connection to the index; files are read by others, so that neither waits for the other
        self._index_thread = ThreadPoolExecutor(1, "index")
        self._file_threads = ThreadPoolExecutor(2, "files")
        self._asked = 0
        self._desks: dict[str, PlanDesk] = {}

    def desk(self, name: str) -> PlanDesk:
        """A process that reads plans; one for each name, started when it is first asked."""
        return self._desks.setdefault(name, PlanDesk(self.catalog.path))

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

    async def read(
        self, question: Callable[Concatenate[Catalog, P], Answer], *args: P.args, **kwargs: P.kwargs
    ) -> Answer:
        """What `question(catalog, ...)` answers from files alone."""
        answer: Answer = await self._run(self._file_threads, question, self.catalog, *args, **kwargs)
        return answer

    async def _run(self, where: ThreadPoolExecutor, question: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(where, lambda: question(*args, **kwargs))
        finally:
            self._asked -= 1

    def close(self) -> None:
        """End the threads, the connection and the catalog."""
        self.cancel.set()
        for desk in self._desks.values():
            desk.close()
        self._index_thread.submit(self._access.close)
        for threads in (self._index_thread, self._file_threads):
            threads.shutdown(wait=True, cancel_futures=False)
        with contextlib.suppress(OSError):
            self.thumbnails.close()
        self.catalog.close()
