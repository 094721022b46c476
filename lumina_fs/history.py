"""Earlier versions of curation, in files that only grow: what a write of ours displaced, or what lost to a person's.

A line holds the text of one block as it stood in its file, so that it can be put back character for character.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from lumina_fs.durable import Disk
from lumina_fs.errors import WriteFailed
from lumina_fs.file_state import digest, read_at
from lumina_fs.growing import append_durable
from lumina_fs.roots import Root
from lumina_fs.stamps import utc_now, who
from schemas.errors import DocumentError
from schemas.names import encode_name
from schemas.spans import Node, scan

HISTORY = ".lumina/history"

#: A file takes no more lines when it is this long; the oldest files go when all together are longer than the bound.
_FILE_BYTES = 4 << 20
_BOUND = 256 << 20


class Kept(NamedTuple):
    """A version to keep: the sidecar it is from, where its original is, the text of its block (None: it had none).

    `after` is the text of the block that takes its place, where it is displaced; `clash` names the fields of a version
    that never came to be, because a person's own were kept.
    """

    id: str
    path: str
    text: str | None
    after: str | None
    why: str
    clash: tuple[str, ...] = ()


class Copied(NamedTuple):
    """A sidecar that was copied along with its photo, so that it got an id of its own: where it lies, and both ids."""

    id: str
    path: str
    copy_of: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version that was kept. `clash`: fields for which it lost to a person's edit and never was in the file."""

    when: str
    by: str
    why: str
    source: str
    path: str
    text: str | None
    after: str
    clash: tuple[str, ...] = ()

    @property
    def curation(self) -> dict[str, Any]:
        """The block as a value."""
        found = _parsed(self.text)
        return found if isinstance(found, dict) else {}


class History:
    """The earlier versions of a catalog's sidecars, for the writers of one source. `bound`: bytes of all together."""

    def __init__(self, disk: Disk, root: Root, source: str, bound: int = _BOUND) -> None:
        self._disk = disk
        self._root = root
        self._source = source
        self._bound = bound

    def keep(self, versions: Sequence[Kept]) -> None:
        """Write versions down, durably, before what displaces them is written. Raises WriteFailed."""
        now, by = utc_now("milliseconds"), who()
        self._append([_line(now, by, self._source, one) for one in versions])

    def link(self, copies: Sequence[Copied]) -> None:
        """Remember of which sidecars others are copies: what was said before is theirs too. Raises WriteFailed."""
        now, by = utc_now("milliseconds"), who()
        self._append([_link(now, by, self._source, one) for one in copies])

    def _append(self, lines: Sequence[bytes]) -> None:
        if not lines:
            return
        names = self._names()
        newest = names[-1] if names and self._size(names[-1]) < _FILE_BYTES else None
        name = newest or f"{int(names[-1].partition('.')[0]) + 1 if names else 1:06}.jsonl"
        try:
            append_durable(self._disk, self._root, f"{HISTORY}/{name}", lines)
        except OSError as error:
            raise WriteFailed(f"the history cannot be written: {error.strerror}", path=HISTORY) from error
        if newest is None:
            self._let_go([*names, name])

    def of(self, id_: str) -> list[Version]:
        """The versions of one sidecar, oldest first; of a copy also those of before it was made."""
        return self._of(id_, set())

    def _of(self, id_: str, met: set[str]) -> list[Version]:
        met.add(id_)
        marker = f'"id":"{id_}"'.encode()
        found: list[Version] = []
        parents: list[tuple[str, str]] = []
        for line in self._lines():
            if marker not in line or (value := _value(line)) is None or value.get("id") != id_:
                continue
            if "copy_of" in value:
                parents.append((str(value.get("when")), str(value["copy_of"])))
            else:
                found.append(_version(value))
        for when, parent in parents:
            if parent not in met:
                found = [one for one in self._of(parent, met) if one.when <= when] + found
        return found

    def texts_before(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """By id the text that the block had before it became what it is; `wanted`: the digest of what it is, by id.

        Nothing for those of which nothing was kept, or that had no block.
        """
        found: dict[str, str] = {}
        digests = {digest.encode() for digest in wanted.values()}
        for line in self._lines():
            at = line.find(b'"after":"')
            if at < 0 or line[at + 9 : at + 73] not in digests:
                continue
            value = _value(line)
            if value is None or not isinstance(value.get("text"), str):
                continue
            if wanted.get(str(value.get("id"))) == value["after"]:
                found[value["id"]] = value["text"]
        return found

    def _lines(self) -> Iterator[bytes]:
        for name in self._names():
            directory, _ = self._root.place(f"{HISTORY}/{name}")
            found = read_at(directory, name)
            if found is not None:
                yield from found[0].split(b"\n")

    def _names(self) -> list[str]:
        """The files, oldest first."""
        try:
            names = os.listdir(self._root.directory(HISTORY))
        except FileNotFoundError:
            return []
        return sorted(
            (name for name in names if name.endswith(".jsonl") and name[:-6].isdecimal()),
            key=lambda name: int(name[:-6]),
        )

    def _size(self, name: str) -> int:
        try:
            return os.stat(name, dir_fd=self._root.directory(HISTORY), follow_symlinks=False).st_size
        except FileNotFoundError:
            return 0

    def _let_go(self, names: list[str]) -> None:
        """Remove the oldest files beyond the bound; never the two newest."""
        sizes = {name: self._size(name) for name in names}
        for name in names[:-2]:
            if sum(sizes.values()) <= self._bound:
                return
            self._disk.remove_marker(self._root, f"{HISTORY}/{name}")
            del sizes[name]


def text_of_block(data: bytes) -> str | None:
    """The exact text of the block `curation` in a sidecar that parses; None where there is none."""
    node = _block(data)
    return None if node is None else data.decode("utf-8-sig")[node.start : node.end]


def with_text_of_block(data: bytes, text: str) -> bytes:
    """The sidecar with this text in the place of its block. Raises ValueError where it has none."""
    node = _block(data)
    if node is None:
        raise ValueError("there is no block to put it in the place of")
    whole = data.decode("utf-8-sig")
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    return mark + (whole[: node.start] + text + whole[node.end :]).encode()


def _block(data: bytes) -> Node | None:
    root = scan(data.decode("utf-8-sig"))
    return next((member.node for member in root.members or () if member.key == "curation"), None)


def text_digest(text: str | None) -> str:
    """By what the text of a block is known again."""
    return digest((text or "").encode())


def _line(when: str, by: str, source: str, one: Kept) -> bytes:
    value: dict[str, Any] = {
        "when": when, "by": by, "why": one.why, "id": one.id, "source": source, "path": encode_name(one.path),
        "after": text_digest(one.after), "text": one.text,
    }  # fmt: skip
    if one.clash:
        value["clash"] = list(one.clash)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def _link(when: str, by: str, source: str, one: Copied) -> bytes:
    value = {
        "when": when, "by": by, "id": one.id, "source": source, "path": encode_name(one.path), "copy_of": one.copy_of,
    }  # fmt: skip
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def _value(line: bytes) -> dict[str, Any] | None:
    """A line as a value; None for one that is torn or not ours."""
    try:
        value = orjson.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _version(value: Mapping[str, Any]) -> Version:
    text, clash = value.get("text"), value.get("clash")
    when, by, why, source, path, after = (
        str(value.get(name) or "") for name in ("when", "by", "why", "source", "path", "after")
    )
    names = tuple(map(str, clash)) if isinstance(clash, list) else ()
    return Version(when, by, why, source, path, text if isinstance(text, str) else None, after, names)


def _parsed(text: str | None) -> Any:
    try:
        return scan(text).value if text is not None else None
    except DocumentError:
        return None
