"""What is asked of a person at a terminal."""

from __future__ import annotations

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
