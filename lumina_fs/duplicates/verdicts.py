"""What people decided about twins: documents under `.lumina/verdicts/`, keyed by content, never asked twice."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lumina_fs.catalog import VERDICTS, Catalog
from lumina_fs.documents import checked, edit, read
from lumina_fs.errors import CorruptDocument
from schemas.document import new_id
from schemas.files import file_name
from schemas.verdict import Decision, Verdict


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


#: By what a document is known to be the one that was read: inode, size and time of the last change.
Stamp = tuple[int, int, int]


@dataclass(slots=True)
class Verdicts:
    """All decisions of a catalog. `corrupt` are documents that do not parse: what they say is unknown until mended."""

    rulings: dict[frozenset[str], Ruling] = field(default_factory=dict)
    _said: dict[str, tuple[Ruling, ...] | CorruptDocument] = field(default_factory=dict)
    _stamps: dict[str, Stamp] = field(default_factory=dict)
    _elsewhere: set[str] = field(default_factory=set)
    """Documents that do not lie where their content says."""
    _together: dict[str, str] | None = None
    _of: dict[str, list[Ruling]] | None = None

    @classmethod
    def load(cls, catalog: Catalog) -> Verdicts:
        """Read them all."""
        verdicts = cls()
        verdicts.refresh(catalog)
        return verdicts

    @property
    def corrupt(self) -> list[CorruptDocument]:
        """Why documents cannot be read, in the order of their paths."""
        return [said for _, said in sorted(self._said.items()) if isinstance(said, CorruptDocument)]

    def refresh(self, catalog: Catalog, contents: Iterable[str] | None = None) -> set[str]:
        """Read what changed on disk since, everywhere or in the documents about some contents.

        Returns the contents of all pairs about which something else holds now.
        """
        stamps = _stamps(catalog) if contents is None else _some_stamps(catalog, contents)
        looked_at = self._stamps.keys() | stamps.keys() if contents is None else stamps.keys()
        changed: set[frozenset[str]] = set()
        for path in looked_at:
            stamp = stamps.get(path)
            if stamp == self._stamps.get(path):
                continue
            before, now = self._said.pop(path, ()), _read(catalog, path) if stamp is not None else None
            self._stamps.pop(path, None)
            self._elsewhere.discard(path)
            if stamp is not None and now is not None:
                self._stamps[path], self._said[path] = stamp, now
                if not isinstance(now, CorruptDocument) and any(_path(ruling.kept) != path for ruling in now):
                    self._elsewhere.add(path)
            for said in (before, now or ()):
                if not isinstance(said, CorruptDocument):
                    changed.update(frozenset((ruling.kept, ruling.other)) for ruling in said)
        moved = [pair for pair in changed if self._settle(pair)]
        return {content for pair in moved for content in pair}

    def _settle(self, pair: frozenset[str]) -> bool:
        """What holds about a pair, by the documents about either; True if that is something else than before.

        Of two decisions about one pair the later counts; in doubt the one that lets both stay.
        """
        paths = [*map(_path, sorted(pair)), *self._elsewhere]
        said = [self._said.get(path, ()) for path in paths]
        rulings = [one for some in said if not isinstance(some, CorruptDocument) for one in some]
        about = [one for one in rulings if frozenset((one.kept, one.other)) == pair]
        before, now = self.rulings.get(pair), max(about, key=_weight, default=None)
        if now == before:
            return False
        if now is None:
            del self.rulings[pair]
        else:
            self.rulings[pair] = now
        self._replace(before, now)
        return True

    def _replace(self, before: Ruling | None, now: Ruling | None) -> None:
        """What was worked out from rulings follows."""
        if self._of is not None:
            if before is not None and before in self._of.get(before.other, ()):
                self._of[before.other].remove(before)
            if now is not None and _removes(now):
                self._of.setdefault(now.other, []).append(now)
        if before is not None and before.decision == "keep_both":
            self._together = None
        elif self._together is not None and now is not None and now.decision == "keep_both":
            self._together[self._stays_with(now.kept)] = self._stays_with(now.other)

    def about(self, one: str, other: str) -> Ruling | None:
        """What was decided about two contents, or about the copies of one."""
        return self.rulings.get(frozenset((one, other))) if self.rulings else None

    def removing(self, content: str) -> list[Ruling]:
        """The decisions by which a content may go because another stays."""
        if self._of is None:
            self._of = {}
            for ruling in self.rulings.values():
                if _removes(ruling):
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

    def stay_with(self, contents: Iterable[str]) -> set[str]:
        """These, and all that stay together with one of them."""
        found = set(contents)
        if any(self.stay_together(one, one) for one in found):
            firsts = {self._stays_with(one) for one in found}
            found.update(one for one in list(self._together or ()) if self._stays_with(one) in firsts)
        return found

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


def _removes(ruling: Ruling) -> bool:
    """True for a decision by which another content goes, not further copies of the one that stays."""
    return ruling.decision == "remove" and ruling.other != ruling.kept


def _weight(ruling: Ruling) -> tuple[str, bool]:
    return ruling.decided, ruling.decision != "remove"


def _read(catalog: Catalog, path: str) -> tuple[Ruling, ...] | CorruptDocument | None:
    """What a document says; None where there is none any more."""
    stored = read(catalog.root, path)
    if stored is None:
        return None
    try:
        value = checked(stored, Verdict, os.path.join(catalog.path, path))
    except CorruptDocument as error:
        return error
    return tuple(_ruling(value["sha256"], other) for other in value.get("others") or ())


def _stamps(catalog: Catalog) -> Mapping[str, Stamp | None]:
    """All documents as they lie on disk."""
    return {path: stamp for path in verdict_paths(catalog) if (stamp := _stamp(catalog, path)) is not None}


def _some_stamps(catalog: Catalog, contents: Iterable[str]) -> Mapping[str, Stamp | None]:
    return {path: _stamp(catalog, path) for path in map(_path, contents)}


def _stamp(catalog: Catalog, path: str) -> Stamp | None:
    try:
        info = os.lstat(os.path.join(catalog.path, path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return info.st_ino, info.st_size, info.st_ctime_ns


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
