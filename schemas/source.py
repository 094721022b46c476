"""The source document: `.lumina/sources/<name>.json`, one directory tree that originals come from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.document import Block, Document


class LastScan(Block):
    """The last scan that changed something."""

    finished: str
    """When it ended, in UTC."""
    originals: int = Field(ge=0)
    """How many originals there were."""


class Source(Document):
    """A directory tree that originals come from."""

    kind: Literal["source"]
    version: Literal[1]
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    """Its name in this catalog."""
    path: str
    """Where it is: relative to the catalog's directory ("." is that directory), or absolute."""
    mode: Literal["reference", "copy", "move"] = "reference"
    """How originals come into the catalog: reference leaves them where they are."""
    managed: bool = False
    """True lets approved plans move what lies here."""
    sidecars: Literal["beside", "catalog"] = "beside"
    """Where sidecars go: beside the originals, or under `.lumina/sidecars/` for media not to be written to."""
    last_scan: LastScan | None = None
    """The last scan that changed something."""
