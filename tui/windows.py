"""What lies on a screen until it is answered: it is answered once, and then nothing goes on in it any more."""

from __future__ import annotations

from typing import Any, TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, Screen
from textual.worker import NoActiveWorker, Worker, get_current_worker

Result = TypeVar("Result")


class Window(Screen[Result]):
    """A screen on another one. Textual takes away whichever screen lies on top, and its widgets before its work."""

    _answered = False

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close it with an answer, where it is what is shown; a second answer, as by a double click, is none."""
        if not self.is_active:
            return AwaitComplete.nothing()  # type: ignore[no-any-return,no-untyped-call]
        self._answered = True
        try:
            present: Worker[Any] | None = get_current_worker()
        except NoActiveWorker:
            present = None
        for worker in self.workers:
            if worker.node is self and worker is not present:
                worker.cancel()
        return super().dismiss(result)

    def run_worker(self, *work: Any, **how: Any) -> Worker[Any]:
        """Begin some work; it is given up at once where the window was answered."""
        worker = super().run_worker(*work, **how)
        if self._answered:
            worker.cancel()
        return worker


class ModalWindow(ModalScreen[Result], Window[Result]):
    """A window that has the keys for itself. What it looks like Textual takes from the first it derives from."""
