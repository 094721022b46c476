"""Processes that run on without anyone waiting for them: held until they have ended, so that none stays a zombie."""

from __future__ import annotations

import subprocess

_left: list[subprocess.Popen[bytes]] = []


def leave(process: subprocess.Popen[bytes]) -> None:
    """Wait for its end no more; those that were left before and have ended by now are let go."""
    _left[:] = [one for one in (*_left, process) if one.poll() is None]
