"""Notices that a server has stopped answering (it hangs, or somebody stopped it), so that nobody waits for ever.

Statements may take as long as they need while the server lives: it is asked over another connection.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator

import psycopg

#: A statement that takes longer than this makes us ask whether the server still answers, for at most so long.
LIMIT_SECONDS = 10.0
ASK_SECONDS = 10


class Patience:
    """Watches one connection from a thread of its own. What waits fails with OperationalError once nobody answers."""

    def __init__(self, conninfo: str, conn: psycopg.Connection[tuple[object, ...]]) -> None:
        self._conninfo, self._conn = conninfo, conn
        self._since: float | None = None
        self._closed = threading.Event()
        self._lock = threading.Lock()
        threading.Thread(target=self._watch, name="patience", daemon=True).start()

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Around statements, also within each other."""
        before, self._since = self._since, time.monotonic()
        try:
            yield
        finally:
            self._since = before and time.monotonic()

    def close(self) -> None:
        """The connection is about to be closed."""
        with self._lock:
            self._closed.set()

    def _watch(self) -> None:
        while not self._closed.wait(1.0):
            since = self._since
            if since is None or time.monotonic() - since < LIMIT_SECONDS:
                continue
            if self._answers():
                if self._since == since:
                    self._since = time.monotonic()
            elif self._since == since:
                self._hang_up()

    def _answers(self) -> bool:
        """Would a new connection be served? One more question is not asked: it might hang as well."""
        try:
            psycopg.connect(self._conninfo, connect_timeout=ASK_SECONDS).close()
        except psycopg.Error:
            return False
        return True

    def _hang_up(self) -> None:
        """Let the call that waits find its connection ended."""
        with self._lock, contextlib.suppress(OSError, psycopg.Error):
            if not self._closed.is_set():
                with socket.socket(fileno=os.dup(self._conn.fileno())) as line:
                    line.shutdown(socket.SHUT_RDWR)
