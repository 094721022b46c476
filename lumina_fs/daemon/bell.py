"""The daemon's end of its doorbell: answers questions of other processes of the same user, each in a thread."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from typing import Any

from lumina_fs.doorbell import address, is_ours, read_line

Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Bell:
    """Listens for one catalog; a context manager. Raises OSError where another daemon does already."""

    def __init__(self, path: str, answer: Answer) -> None:
        self._answer = answer
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.bind(address(path))
            self._socket.listen(64)
        except OSError:
            self._socket.close()
            raise
        self._thread = threading.Thread(target=self._listen, name="bell", daemon=True)
        self._thread.start()

    def __enter__(self) -> Bell:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.closing(connection), contextlib.suppress(OSError):
            if not is_ours(connection):
                return
            connection.settimeout(10.0)
            question = read_line(connection)
            if question is None:
                return
            connection.settimeout(None)
            connection.sendall(json.dumps(self._answer(question)).encode() + b"\n")
