"""The command of the person's that is told of every job that ended: for mail, a webhook, a sound."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from typing import Any

from lumina_fs.catalog import CATALOG, Catalog


def tell_person(catalog: Catalog, record: dict[str, Any]) -> str | None:
    """Start the command of the setting `on_job_end` with the record on its standard input; why it failed, or None.

    No shell is involved unless the person names one. What the command prints is ignored.
    """
    command = catalog.settings.on_job_end
    if not command:
        return None
    if not catalog.is_ours():
        return f"on_job_end was not run: {CATALOG} is not yours alone to write, so the command may be somebody else's"
    try:
        process = subprocess.Popen(
            command, cwd=catalog.path, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        return f"on_job_end: {command[0]} cannot be started: {getattr(error, 'strerror', None) or error}"
    seconds = catalog.settings.on_job_end_seconds
    with process:
        try:
            process.communicate(json.dumps(record).encode() + b"\n", timeout=seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            return f"on_job_end: {command[0]} was ended after {seconds:g} s (setting on_job_end_seconds)"
        except BaseException:
            _end(process)
            raise
    return f"on_job_end: {command[0]} failed with {process.returncode}" if process.returncode else None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command with all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
