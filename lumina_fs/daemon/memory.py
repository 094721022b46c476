"""Gives memory back to the system after a comparison of everything: the daemon mostly waits."""

from __future__ import annotations

import contextlib
import ctypes
import gc


def give_back() -> None:
    """Collect what is no longer used, and return it where the C library can."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
