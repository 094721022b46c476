"""Python looks for cycles of dead objects while everything waits: in an app, in short looks, and not at what stays."""

from __future__ import annotations

import gc

#: New objects before a short look, short looks before a longer one, and these before one at everything.
_RUNNING = 3_000, 2, 1_000
#: The same while the app begins, when nearly all that is made stays.
_STARTING = 50_000, 10, 10


def starting() -> None:
    """Before the first widget is made, however the app was begun."""
    if not gc.get_freeze_count():
        gc.set_threshold(*_STARTING)


def running() -> None:
    """The start is over: what is there is not looked through again, and no look is so long as to be felt."""
    if not gc.get_freeze_count():  # once in a process: later there is also what is dead among it
        gc.freeze()
    gc.set_threshold(*_RUNNING)
