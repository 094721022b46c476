"""A plan is proposed by a command in a process of its own, which can be stopped: then nothing was written."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from textual import work

from lumina_fs.catalog import Catalog
from lumina_fs.jobs.launch import Ended, Launched, launch
from lumina_fs.wording import duration
from tui.waiting import StoppableWindow

#: Seconds after which a proposal that was asked to stop is told again.
_PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the command printed as JSON; None where it was stopped, or failed: then `problem` says why."""

    value: dict[str, Any] | None
    problem: str = ""


class Proposing:
    """A `lumina` command that proposes a plan and prints JSON. `say` hears what goes on, ten times a second."""

    def __init__(self, catalog: Catalog, words: Sequence[str], say: Callable[[str], object]) -> None:
        self._catalog = catalog
        self._words = words
        self._say = say
        self._launched: Launched | None = None
        self._stopped: float | None = None

    async def run(self) -> Answer:
        """Until it has ended; cancelled meanwhile, it is stopped and left. Raises OSError where it cannot begin."""
        # nothing is awaited between its start and the `try`, nor where it is left: it would be left to nobody
        launched = self._launched = launch(self._catalog, self._words)
        begun = time.monotonic()
        try:
            while launched.running():
                now = time.monotonic()
                if self._stopped is not None and now - self._stopped > _PATIENCE:
                    self.stop()  # the second time: at once
                doing = "stopping" if self._stopped is not None else "proposing"
                self._say(f"{doing} … {duration(now - begun)}; Escape stops it")
                await asyncio.sleep(0.1)
        except BaseException:
            launched.stop()
            launched.forget()
            raise
        return self._answer(launched.wait())

    def stop(self) -> None:
        """Ask it to stop; what it has written by then is there all the same."""
        self._stopped = time.monotonic()
        if self._launched is not None:
            self._launched.stop()

    def _answer(self, ended: Ended) -> Answer:
        try:
            found = json.loads(ended.output)
        except ValueError:
            found = None
        if isinstance(found, dict):
            return Answer(found)
        return Answer(None, "" if self._stopped is not None else ended.complaint or f"exit code {ended.code}")


class ProposingWindow(StoppableWindow[Answer | None]):
    """Shows that a plan is being proposed, until it is. None where it could not begin."""

    def __init__(self, catalog: Catalog, words: Sequence[str]) -> None:
        super().__init__("Proposing a plan. Nothing is moved by it.")
        self._proposing = Proposing(catalog, words, self.tell)

    def on_mount(self) -> None:
        """Begin."""
        self._run()

    @work
    async def _run(self) -> None:
        answer: Answer | None
        try:
            answer = await self._proposing.run()
        except OSError as error:
            self.app.complain(error)
            answer = None
        await self.app.close_screen(self, answer)

    def action_stop(self) -> None:
        """Propose nothing."""
        self._proposing.stop()
