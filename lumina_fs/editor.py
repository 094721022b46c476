"""The editor of the person, on one file."""

from __future__ import annotations

import os
import shlex
import subprocess

from lumina_fs.errors import UsageError

#: Editors that take `+LINE` before the file.
_TAKES_LINE = frozenset({"vi", "vim", "nvim", "nano", "emacs", "emacsclient", "micro", "joe", "kak", "mg", "ne"})


def open_editor(path: str, line: int | None = None) -> None:
    """Open `$VISUAL` or `$EDITOR` and wait for its end. Raises UsageError, which says what to do instead."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not command:
        raise UsageError("no editor is named: set EDITOR, or edit this file yourself", path=path)
    try:
        words = shlex.split(command)
        place = [f"+{line}"] if line is not None and os.path.basename(words[0]) in _TAKES_LINE else []
        done = subprocess.run([*words, *place, path], check=False)
    except ValueError as error:
        raise UsageError(f"the editor {command!r} cannot be started: {error}") from None
    except OSError as error:
        raise UsageError(f"the editor {command!r} cannot be started: {error.strerror}") from None
    if done.returncode:
        raise UsageError(f"the editor {command!r} ended with {done.returncode}; the file is as it left it", path=path)
