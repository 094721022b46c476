"""Tags across the whole catalog: which there are, and the changes that rename, merge or delete one everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lumina_fs.curating.proposing import SidecarEdit
from lumina_fs.curation import TagParts, put_fields, renamed_tag
from schemas.names import decode_name

if TYPE_CHECKING:
    from index.postgres import PostgresIndex
    from index.protocol import TagCount

Value = dict[str, Any]


def all_tags(index: PostgresIndex) -> list[TagCount]:
    """Every tag with how many originals have it, by category and value."""
    from index.tags import tags

    return tags(index)


def tag_changes(index: PostgresIndex, old: TagParts, new: TagParts | None, *, below: bool = False) -> list[SidecarEdit]:
    """The changes that put `new` in the place of `old` on every original that has it; None takes it away.

    Where `new` is there already the two become one. `below`: also tags that continue `old` after a "/". The index says
    which originals have it, and each sidecar has the last word when the changes become a plan (`propose_edits`).
    """
    from index.tags import tagged

    def wanted(parts: TagParts) -> bool:
        return parts == old or (below and parts[0] == old[0] and parts[1].startswith(f"{old[1]}/"))

    def change(curation: Value) -> Value:
        tags = curation.get("tags") or []
        kept = renamed_tag(tags, old, new, below=below)
        return curation if kept == tags else put_fields(curation, {"tags": kept or None})

    return [SidecarEdit(source, decode_name(path), change) for source, path in tagged(index, wanted)]
