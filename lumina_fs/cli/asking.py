"""What is asked of a person at a terminal: an answer, or an edit in their own editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

from lumina_fs.errors import UsageError


def ask(question: str, otherwise: str, instead: str) -> str:
    """The answer on a terminal, in lower case. Raises UsageError, saying what to do instead, where nobody is there."""
    if not sys.stdin.isatty():
        raise UsageError(f"this has to be answered on a terminal; {instead}")
    sys.stderr.write(question)
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        raise KeyboardInterrupt
    return answer.strip().lower() or otherwise


def open_editor(path: str) -> None:
    """Let the person edit a file in $VISUAL or $EDITOR; returns when they are done. Raises UsageError."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not command:
        raise UsageError("no editor is named: set EDITOR, or edit this file yourself", path=path)
    try:
        done = subprocess.run([*shlex.split(command), path], check=False)
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UsageError(f"the editor {command!r} cannot be started: {why}") from None
    if done.returncode:
        raise UsageError(f"the editor {command!r} ended with {done.returncode}; the file is as it left it", path=path)
