"""What can be wrong with a document, with the line and column that a person needs to mend it."""

from __future__ import annotations


class DocumentError(ValueError):
    """A document that cannot be used. `line` and `column` count from 1, in characters."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"line {line}, column {column}: {reason}")
        self.reason = reason
        self.line = line
        self.column = column


class UnsupportedVersion(DocumentError):
    """A document written by a newer Lumina than this one; it must not be rewritten."""
