"""The values that go into the index and come out of it, and the errors that its users can act on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple


class IndexUnavailable(Exception):
    """No server can be reached, or it stopped answering. Files are unaffected."""


class IndexUnusable(Exception):
    """The server is there and the index of this catalog is missing, of another version or damaged: rebuild it."""


class Interrupted(Exception):
    """The answer to a question was not waited for."""


class QueryError(ValueError):
    """A query that does not parse; `column` counts from 1."""

    def __init__(self, reason: str, column: int) -> None:
        super().__init__(f"{reason} (at character {column})")
        self.reason = reason
        self.column = column


class Problem(NamedTuple):
    """Something wrong with an original or its sidecar; `path` is encoded as in documents."""

    path: str
    code: str
    message: str
    line: int | None = None
    column: int | None = None


class Seen(NamedTuple):
    """How to recognise an original and its sidecar as unchanged, and the sidecar's ETag."""

    path: str
    fingerprint: str
    etag: str


class Entry(NamedTuple):
    """What one sidecar becomes in the index: COPY lines for its row and its problems, and how to know it again."""

    path: str
    line: bytes
    problems: bytes
    seen: Seen


@dataclass(frozen=True, slots=True)
class Hit:
    """One row of an answer. `path` is encoded as in documents."""

    source: str
    path: str
    id: str
    taken: str | None
    camera: str | None
    format: str
    media: str
    width: int | None
    height: int | None
    size: int
    rating: int | None
    quality: float | None
    missing: bool
    sha256: str | None
    distance: int | None = None


class Row(NamedTuple):
    """What a listing says of one original. `path` is encoded as in documents; `choice`: the first condition it fits."""

    source: str
    path: str
    sha256: str | None
    size: int
    format: str
    media: str
    camera: str | None
    taken: str | None
    """The date in force, as exact as it is known."""
    evidence: str | None
    """The source of that date: exif, filename, manual ..."""
    confidence: int
    """How far it is to be trusted, 0 to 100."""
    tags: tuple[tuple[str, str], ...]
    """(category, value), in the person's order."""
    content_id: str | None
    choice: int | None


class TagCount(NamedTuple):
    """A tag, and how many originals have it."""

    category: str
    value: str
    originals: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What the index holds, in numbers. `media` and `problems` count by kind."""

    originals: int = 0
    size: int = 0
    missing: int = 0
    stale: int = 0
    duplicates: int = 0
    duplicate_groups: int = 0
    wasted: int = 0
    first: str | None = None
    last: str | None = None
    media: dict[str, int] = field(default_factory=dict)
    problems: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that the live index and the files do not agree on. `columns` are those that differ."""

    source: str
    path: str
    kind: str
    columns: dict[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of `verify`: the digests of the live index and of what the files give, and the first differences."""

    live: str
    files: str
    rows: int
    differences: list[Difference]
    different: int

    @property
    def equal(self) -> bool:
        """True when the index says exactly what the files say."""
        return self.live == self.files and not self.different
