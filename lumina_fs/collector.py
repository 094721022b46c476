"""When Python looks for cycles of dead objects while everything waits: seldom, shortly, and not at what stays."""

from __future__ import annotations

import gc

#: New objects before a short look, short looks before a longer one, and these before one at everything: in a command,
#: of which a start and a list of 100,000 files make none that are dead, and in an app that runs.
_STARTING = 50_000, 10, 10
_RUNNING = 3_000, 2, 1_000


def starting() -> None:
    """A command begins."""
    gc.set_threshold(*_STARTING)


def running() -> None:
    """The start of an app is over: what is there is not looked through again, and no look is so long as to be felt."""
    if not gc.get_freeze_count():  # once in a process: later there is also what is dead among it
        gc.freeze()
    gc.set_threshold(*_RUNNING)


def ending() -> None:
    """The process ends: nobody needs the memory of what is dead, and the last look at all there is takes a while."""
    gc.freeze()
