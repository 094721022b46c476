"""The published JSON Schemas as files: their names and bytes, without loading a model."""

from __future__ import annotations

from importlib import resources

from schemas.upgrade import CURRENT

#: Every kind of document that has a published schema.
KINDS = tuple(sorted(CURRENT))


def file_name(kind: str, version: int = 1) -> str:
    """The name of a published schema: `sidecar-v1.schema.json`."""
    return f"{kind}-v{version}.schema.json"


def published(kind: str) -> bytes:
    """The published schema of `kind`, as it came with this program."""
    return (resources.files("schemas") / "published" / file_name(kind)).read_bytes()
