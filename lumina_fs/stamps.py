"""Who and when, as documents say it."""

from __future__ import annotations

import getpass
import os
import socket
from datetime import UTC, datetime
from typing import Literal


def utc_now(exact: Literal["seconds", "milliseconds"] = "seconds") -> str:
    """The time in UTC: 2024-02-29T12:00:00Z."""
    return datetime.now(UTC).isoformat(timespec=exact).replace("+00:00", "Z")


def who() -> str:
    """The user and the machine: anna@desk."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
