"""Errors that a caller can act on: a class for each, with the path, the cause, the next step and an exit code."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

from lumina_fs.terminal import visible


class ExitCode(IntEnum):
    """What `lumina` returns to the shell."""

    DONE = 0
    """All done, or nothing to do."""
    FAILED = 1
    """An error that has no code of its own."""
    USAGE = 2
    """The command line makes no sense."""
    PROBLEMS = 3
    """Done, but some files have problems."""
    REFUSED = 4
    """Refused: doing it could lose something, or was not allowed."""
    NEEDS_RESUME = 5
    """A plan stopped half way: `lumina plan resume` or `lumina plan rollback` ends it."""
    CORRUPT = 6
    """A document on disk cannot be used until a person mends it."""
    LOCKED = 7
    """Another Lumina process is at it."""
    IO = 8
    """The disk failed, is full or may not be written to."""
    OFFLINE = 9
    """A source is not there, or most of it is not; nothing was changed."""
    INDEX_UNAVAILABLE = 10
    """The index cannot be reached or rebuilt."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C; everything on disk is valid."""


class LuminaError(Exception):
    """Base of all errors that are told to a person without a traceback."""

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(self, message: str, *, path: str | None = None) -> None:
        super().__init__(f"{visible(path)}: {message}" if path is not None else message)
        self.path = path


class CatalogNotFound(LuminaError):
    """No catalog at or above the place where one was expected."""

    exit_code = ExitCode.USAGE


class UsageError(LuminaError):
    """A request that makes no sense as it stands."""

    exit_code = ExitCode.USAGE


class SettingsError(LuminaError):
    """A setting with a value that cannot be used."""

    exit_code = ExitCode.USAGE


class Refused(LuminaError):
    """Something that would break a promise, and was therefore not done."""

    exit_code = ExitCode.REFUSED


class UnsafePath(Refused):
    """A path that leaves its root, passes through a link, or cannot be a name."""


class EtagMismatch(Refused):
    """The document changed since it was read; nothing was written."""


class CorruptDocument(LuminaError):
    """A document that does not parse or does not fit its schema; it was left as it is."""

    exit_code = ExitCode.CORRUPT

    def __init__(self, reason: str, *, path: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"{reason} (line {line}, column {column})", path=path)
        self.reason = reason
        self.line = line
        self.column = column


class Locked(LuminaError):
    """Another process holds the lock."""

    exit_code = ExitCode.LOCKED


class WriteFailed(LuminaError):
    """A write that did not reach the disk; what was there before is untouched."""

    exit_code = ExitCode.IO


class SourceOffline(LuminaError):
    """A source that is not there, or is suddenly mostly empty; nothing was changed."""

    exit_code = ExitCode.OFFLINE


class NeedsIndex(LuminaError):
    """The index is needed and cannot be used; the message says why and what to do."""

    exit_code = ExitCode.INDEX_UNAVAILABLE


class Halted(LuminaError):
    """A plan that stopped half way where it could neither go on nor back by itself; every file is whole."""

    exit_code = ExitCode.NEEDS_RESUME


class ToolMissing(LuminaError):
    """A program or package that this needs is not installed, or is too old; the message says how to get it."""
