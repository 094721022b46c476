"""The verdict: `.lumina/verdicts/ab/<sha256>.json`, what a person decided about the twins of one content.

Everything is keyed by content, so a verdict outlives renames, rebuilds and copies of the catalog. Names are there for
people to read.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.document import Block, Document
from schemas.plan import Digest

#: remove: the other may go, this one stays. keep_both: twins, and both stay. not_duplicate: they are no twins.
Decision = Literal["remove", "keep_both", "not_duplicate"]


class Decided(Block):
    """What was decided about one other content."""

    sha256: Digest
    """The other content. That of the verdict itself: its further copies, byte for byte."""
    name: str = ""
    """A name that it had then."""
    decision: Decision
    """remove: it may go. keep_both: both stay. not_duplicate: they are no twins."""
    keep: str | None = None
    """For further copies: the path of the one that was to stay."""
    keep_source: str | None = None
    """For further copies: the source of that one."""
    decided: str
    """When, in UTC."""
    by: str
    """Who or what: a person, or the rule of a batch that the person started."""


class Verdict(Document):
    """What was decided about the twins of one content, which is the one that stays."""

    kind: Literal["verdict"]
    version: Literal[1]
    sha256: Digest
    """The content that this is about."""
    name: str = ""
    """A name that it had then."""
    others: list[Decided] = Field(default_factory=list)
    """The others, and what was decided about each."""
