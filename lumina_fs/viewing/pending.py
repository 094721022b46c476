"""Changes to what a person says of their photos, kept until they are written: what was seen, and what is wished."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.curating.changes import CurationChange, apply_changes
from lumina_fs.curating.direct import Clash, Done, Version, Wish, save_curations
from lumina_fs.curation import difference
from lumina_fs.errors import LuminaError
from schemas.names import decode_name

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Edit:
    """What the sidecar said when it was seen, and what it shall say."""

    seen: Version
    wished: Mapping[str, Any]

    @property
    def fields(self) -> dict[str, tuple[Any, Any]]:
        """What differs: (before, after) by field."""
        return difference(self.seen.curation, self.wished)


class Pending:
    """Edits by (source, encoded path). For one thread: that of the screens."""

    def __init__(self) -> None:
        self._edits: dict[Key, Edit] = {}

    def __len__(self) -> int:
        return len(self._edits)

    def __iter__(self) -> Iterator[Key]:
        return iter(list(self._edits))

    def get(self, key: Key) -> Edit | None:
        """The edit of an original, if there is one."""
        return self._edits.get(key)

    def change(self, rows: Iterable[tuple[Key, str, Mapping[str, Any]]], changes: Sequence[CurationChange]) -> int:
        """Make changes to originals, each as (key, ETag, curation) that is seen; how many have other wishes now."""
        changed = 0
        for key, etag, curation in rows:
            edit = self._edits.get(key) or Edit(Version(etag, curation), curation)
            changed += self.put(key, Edit(edit.seen, apply_changes(edit.wished, changes)))
        return changed

    def put(self, key: Key, edit: Edit) -> bool:
        """Keep an edit; one that changes nothing is none. True if that is not what was wished before."""
        before = self._edits.get(key)
        if edit.fields:
            self._edits[key] = edit
        else:
            self._edits.pop(key, None)
        wished = before.wished if before is not None else edit.seen.curation
        return bool(difference(wished, edit.wished))

    def discard(self, keys: Iterable[Key]) -> None:
        """Forget edits."""
        for key in list(keys):
            self._edits.pop(key, None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an edit: written, a clash with somebody else's, or an error that left the file as it was."""

    key: Key
    done: Done | None = None
    clash: Clash | None = None
    error: str = ""


def save_some(catalog: Catalog, edits: Sequence[tuple[Key, Edit]]) -> list[Outcome]:
    """Write edits in one go, the disk first and the index second."""
    wishes = [Wish(key[0], decode_name(key[1]), edit.wished, edit.seen) for key, edit in edits]
    found: Sequence[Done | Clash | LuminaError | OSError]
    try:
        found = save_curations(catalog, wishes)
    except (LuminaError, OSError) as error:
        found = [error] * len(edits)
    return [_outcome(key, one) for (key, _), one in zip(edits, found, strict=True)]


def _outcome(key: Key, found: Done | Clash | LuminaError | OSError) -> Outcome:
    if isinstance(found, Done):
        return Outcome(key, done=found)
    return Outcome(key, clash=found) if isinstance(found, Clash) else Outcome(key, error=str(found))
