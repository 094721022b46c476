"""File names are bytes and mostly UTF-8, whatever the locale says: the process reads and writes text as UTF-8."""

from __future__ import annotations

import io
import os
import sys


def require_utf8() -> None:
    """Start again in Python's UTF-8 mode where the locale has another encoding; to be called first in a process.

    In Latin-1, say, a name would be read as other letters, written so into documents, and not found from elsewhere.
    A stream that cannot show a character (PYTHONIOENCODING) shows its number.
    """
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        os.environ["PYTHONUTF8"] = "1"  # also for the processes that this one starts
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() != "utf-8":
            stream.reconfigure(errors="backslashreplace")
