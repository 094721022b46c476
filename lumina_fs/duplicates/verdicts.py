"""What people decided about twins: documents under `.lumina/verdicts/`, keyed by content, never asked twice."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lumina_fs.catalog import STATE, Catalog
from lumina_fs.documents import checked, edit, read
from lumina_fs.errors import CorruptDocument
from schemas.document import new_id
from schemas.files import file_name
from schemas.verdict import Decision, Verdict

VERDICTS = f"{STATE}/verdicts"


class Ruling(NamedTuple):
    """What was decided about two contents; `kept` stays whatever it is, `other` may go if the decision is "remove".

    About copies of one content both are the same, and `keep` is the path of the one that was to stay, in `keep_source`.
    """

    kept: str
    other: str
    decision: Decision
    keep: str | None
    keep_source: str | None
    decided: str
    by: str


class Choice(NamedTuple):
    """A decision to be written down. Names (paths of that moment) are for people who read the document."""

    kept: str
    kept_name: str
    other: str
    other_name: str
    decision: Decision
    keep: str | None = None
    keep_source: str | None = None


@dataclass(slots=True)
class Verdicts:
    """All decisions of a catalog. `corrupt` are documents that do not parse: what they say is unknown until mended."""

    rulings: dict[frozenset[str], Ruling] = field(default_factory=dict)
    corrupt: list[CorruptDocument] = field(default_factory=list)
    _together: dict[str, str] | None = None
    _of: dict[str, list[Ruling]] | None = None

    @classmethod
    def load(cls, catalog: Catalog) -> Verdicts:
        """Read them all."""
        verdicts = cls()
        for path in verdict_paths(catalog):
            stored = read(catalog.root, path)
            if stored is None:
                continue
            try:
                value = checked(stored, Verdict, os.path.join(catalog.path, path))
            except CorruptDocument as error:
                verdicts.corrupt.append(error)
                continue
            for other in value.get("others") or ():
                verdicts._take(_ruling(value["sha256"], other))
        return verdicts

    def _take(self, ruling: Ruling) -> None:
        """Of two decisions about one pair the later counts; in doubt the one that lets both stay."""
        pair = frozenset((ruling.kept, ruling.other))
        present = self.rulings.get(pair)
        if present is None or _weight(ruling) > _weight(present):
            self.rulings[pair] = ruling

    def about(self, one: str, other: str) -> Ruling | None:
        """What was decided about two contents, or about the copies of one."""
        return self.rulings.get(frozenset((one, other))) if self.rulings else None

    def removing(self, content: str) -> list[Ruling]:
        """The decisions by which a content may go because another stays."""
        if self._of is None:
            self._of = {}
            for ruling in self.rulings.values():
                if ruling.decision == "remove" and ruling.other != ruling.kept:
                    self._of.setdefault(ruling.other, []).append(ruling)
        return self._of.get(content, [])

    def stay_together(self, one: str, other: str) -> bool:
        """True when both stay: so decided about the two, or about each and a third that is the best no more."""
        if self._together is None:
            self._together = {}
            for ruling in self.rulings.values():
                if ruling.decision == "keep_both":
                    self._together[self._stays_with(ruling.kept)] = self._stays_with(ruling.other)
        return one in self._together and self._stays_with(one) == self._stays_with(other)

    def _stays_with(self, content: str) -> str:
        """One content that stands for all that stay together with this one."""
        assert self._together is not None
        while (further := self._together.setdefault(content, content)) != content:
            self._together[content] = self._together.setdefault(further, further)
            content = further
        return content

    def no_duplicates(self, one: str, other: str) -> bool:
        """True when a person said that they are none."""
        ruling = self.about(one, other)
        return ruling is not None and ruling.decision == "not_duplicate"


def decide(catalog: Catalog, choices: Sequence[Choice], *, by: str, now: str) -> int:
    """Write decisions down; how many documents changed. What was decided before about the same pairs gives way.

    Raises CorruptDocument where a document that has to be changed does not parse, WriteFailed.
    """
    changed = 0
    by_kept: dict[str, list[Choice]] = {}
    for choice in choices:
        by_kept.setdefault(choice.kept, []).append(choice)
        if choice.kept != choice.other and read(catalog.root, _path(choice.other)) is not None:
            changed += _edit(catalog, choice.other, choice.other_name, [choice.kept], [])
    for kept, some in by_kept.items():
        added = [_decided(choice, by, now) for choice in some]
        changed += _edit(catalog, kept, some[0].kept_name, [choice.other for choice in some], added)
    return changed


def withdraw(catalog: Catalog, contents: Sequence[str]) -> int:
    """Take back what was decided about any two of these, so that it is asked again; how many documents changed."""
    known = [sha256 for sha256 in contents if read(catalog.root, _path(sha256)) is not None]
    return sum(_edit(catalog, sha256, "", contents, []) for sha256 in known)


def _decided(choice: Choice, by: str, now: str) -> dict[str, Any]:
    said = {
        "sha256": choice.other,
        "name": choice.other_name,
        "decision": choice.decision,
        "keep": choice.keep,
        "keep_source": choice.keep_source,
        "decided": now,
        "by": by,
    }
    return {name: value for name, value in said.items() if value is not None}


def _edit(catalog: Catalog, sha256: str, name: str, gone: Sequence[str], added: Sequence[dict[str, Any]]) -> bool:
    """Change the document about one content."""
    path = _path(sha256)

    def change(value: dict[str, Any] | None) -> dict[str, Any]:
        if value is None:
            value = {
                "$schema": f"../../schemas/{file_name('verdict')}",
                "kind": "verdict",
                "version": 1,
                "id": new_id(),
                "sha256": sha256,
                "name": name,
            }
        left = [other for other in value.get("others") or () if other["sha256"] not in gone]
        return {**value, "others": [*left, *added]}

    catalog.disk.make_directory(catalog.root, os.path.dirname(path))
    return edit(catalog.disk, catalog.root, path, Verdict, change)


def _ruling(kept: str, other: dict[str, Any]) -> Ruling:
    keep, source = other.get("keep"), other.get("keep_source")
    return Ruling(kept, other["sha256"], other["decision"], keep, source, other["decided"], other["by"])


def _weight(ruling: Ruling) -> tuple[str, bool]:
    return ruling.decided, ruling.decision != "remove"


def _path(sha256: str) -> str:
    return f"{VERDICTS}/{sha256[:2]}/{sha256}.json"


def verdict_paths(catalog: Catalog) -> Iterator[str]:
    """The documents, relative to the catalog, in order."""
    base = os.path.join(catalog.path, VERDICTS)
    for folder, folders, names in os.walk(base):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".json") and not name.startswith("."):
                yield os.path.relpath(os.path.join(folder, name), catalog.path)
