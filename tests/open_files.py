"""Which files this process holds open."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress


def scratch_files() -> int:
    """How many of them are scratch files without a name, which only closing gives back."""
    links = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            links.append(os.readlink(f"/proc/self/fd/{name}"))
    folder = f"{tempfile.gettempdir()}/"
    return sum(link.startswith(folder) and link.endswith(" (deleted)") for link in links)
