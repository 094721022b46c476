"""The daemon's manners: it tells systemd that it is ready, and leaves processor and disk to everybody else."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import socket

_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}
_IDLE_CLASS = 3 << 13


def notify(message: str) -> bool:
    """Tell systemd, if it is that which started us ("READY=1", "STOPPING=1"); False where nobody is to be told."""
    where = os.environ.get("NOTIFY_SOCKET", "")
    if not where:
        return False
    name = "\0" + where[1:] if where.startswith("@") else where
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.connect(name)
        out.sendall(message.encode())
        return True
    return False


def stay_in_the_background() -> None:
    """Low priority for this process and its workers: everybody else first."""
    with contextlib.suppress(OSError):
        os.nice(max(0, 10 - os.nice(0)))
    number = _IOPRIO_SET.get(platform.machine())
    if number is not None:
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).syscall(number, 1, 0, _IDLE_CLASS)
