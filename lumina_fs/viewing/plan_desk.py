"""The way to the clerk of plans: requests from any thread, answers as futures. The process starts with the first."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from itertools import count
from typing import Any, TypeVar

from lumina_fs.viewing.plan_values import DeskError

Answer = TypeVar("Answer")

#: What only looks: a process that does nothing else may be ended at any moment.
_LOOKS = frozenset({
    "list", "open", "judge", "again", "choose", "rows", "folders", "detail", "check", "forget",
    "trash", "trash_rows", "trash_pick",
})  # fmt: skip


class _Waiting:
    def __init__(self, what: str, convert: Callable[[Any], Any], heard: Callable[[Mapping[str, Any]], None]) -> None:
        self.what = what
        self.convert = convert
        self.heard = heard
        self.future: Future[Any] = Future()


def _plain(value: Any) -> Any:
    return value


def _unheard(value: Mapping[str, Any]) -> None:
    """Nobody wants to know how far it is."""


class PlanDesk:
    """One clerk, who does one thing after the other."""

    def __init__(self, catalog_path: str) -> None:
        self._path = catalog_path
        self._guard = threading.Lock()
        self._waiting: dict[int, _Waiting] = {}
        self._numbers = count(1)
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None

    def ask(
        self,
        what: str,
        convert: Callable[[Any], Answer] = _plain,
        *,
        heard: Callable[[Mapping[str, Any]], None] | None = None,
        **arguments: Any,
    ) -> Future[Answer]:
        """The answer to come. The future fails with DeskError; `heard` is told, in another thread, how far it is."""
        with self._guard:
            number, waiting = next(self._numbers), _Waiting(what, convert, heard or _unheard)
            try:
                process = self._started()
                self._waiting[number] = waiting
                assert process.stdin is not None
                process.stdin.write(json.dumps({"n": number, "ask": what, "with": arguments}) + "\n")
                process.stdin.flush()
            except OSError as error:
                self._waiting.pop(number, None)
                waiting.future.set_exception(DeskError(f"plans cannot be read: {error}"))
        return waiting.future

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "lumina_fs.viewing.clerk", self._path],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
                encoding="ascii",
            )  # fmt: skip
            self._thread = threading.Thread(target=self._hear, args=[self._process], name="plans", daemon=True)
            self._thread.start()
        return self._process

    def _hear(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in process.stdout:
            value = json.loads(line)
            with self._guard:
                waiting = self._waiting.get(value["n"]) if "so_far" in value else self._waiting.pop(value["n"], None)
            if waiting is not None:
                _deliver(waiting, value)
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.stdout.close()
        process.wait()
        with self._guard:
            left = list(self._waiting.values()) if self._process is process else []
            self._waiting.clear() if self._process is process else None
        for one in left:
            if one.future.set_running_or_notify_cancel():
                one.future.set_exception(DeskError("the process that reads plans ended; try again"))

    def drop(self) -> None:
        """End the process if it is busy looking at something, because nobody waits for that any more."""
        with self._guard:
            process, thread = self._process, self._thread
            if process is None or not self._waiting:
                return
            if any(one.what not in _LOOKS for one in self._waiting.values()):
                return
            self._process = None
            dropped, self._waiting = list(self._waiting.values()), {}
        process.kill()
        _join(thread)
        for one in dropped:
            one.future.cancel()

    def close(self) -> None:
        """End the process; what it is changing at the moment is finished first."""
        self.drop()
        with self._guard:
            process, self._process, thread = self._process, None, self._thread
            if process is not None and process.stdin is not None:
                with contextlib.suppress(OSError):
                    process.stdin.close()
        _join(thread)


def _join(thread: threading.Thread | None) -> None:
    """Wait for the end of a process, which its thread waits for."""
    if thread is not None:
        thread.join()


def _deliver(waiting: _Waiting, value: Mapping[str, Any]) -> None:
    if "so_far" in value:
        waiting.heard(value["so_far"])
    elif waiting.future.set_running_or_notify_cancel():
        if "error" in value:
            error = value["error"]
            waiting.future.set_exception(
                DeskError(error["text"], kind=error["kind"], line=error.get("line"), column=error.get("column"))
            )
            return
        try:
            found = waiting.convert(value["answer"])
        except (TypeError, KeyError, ValueError):  # of a newer program than this process is
            waiting.future.set_exception(DeskError("Lumina was renewed while it runs; leave it and start it again"))
        else:
            waiting.future.set_result(found)
