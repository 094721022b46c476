"""The exact text of a document: strict parsing, canonical writing, and edits that touch nothing else.

A person's spacing, number spelling, key order, line ends and unknown keys survive `patch` byte for byte; only
members whose value changed are written anew.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from schemas.errors import DocumentError
from schemas.spans import MAX_DEPTH, Member, Node, position, scan

#: A document larger than this is refused unread, unless its reader allows more (plans).
MAX_BYTES = 16 << 20

_BOM = b"\xef\xbb\xbf"
# a canonical text has a line indented this far exactly if a value stands deeper than allowed
_TOO_DEEP = b"\n" + b"  " * (MAX_DEPTH + 1)


def parse(data: bytes, limit: int = MAX_BYTES) -> dict[str, Any]:
    """The object that `data` holds. Raises DocumentError, with line and column, for all that is not strict JSON.

    A canonical text cannot hold a duplicate key, NaN or odd number, so comparing it with its own rewriting is
    the whole check for documents that no person has touched.
    """
    if len(data) <= limit:
        try:
            value = orjson.loads(data)
        except ValueError:
            pass
        else:
            if isinstance(value, dict) and _canonical(value) == data and _TOO_DEEP not in data:
                return value
    found: dict[str, Any] = tree(data, limit).value
    return found


def _canonical(value: Mapping[str, Any]) -> bytes | None:
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return None


def tree(data: bytes, limit: int = MAX_BYTES) -> Node:
    """The tree of spans of `data` (offsets in characters, BOM not counted). Raises DocumentError."""
    root = scan(_decode(data, limit))
    if not isinstance(root.value, dict):
        raise DocumentError("a document must be one JSON object")
    return root


def _decode(data: bytes, limit: int) -> str:
    if len(data) > limit:
        raise DocumentError(f"larger than {limit >> 20} MiB")
    try:
        return data.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].removeprefix(_BOM).decode()
        raise DocumentError("not valid UTF-8", *position(before, len(before))) from None


def dump(value: Mapping[str, Any]) -> bytes:
    """The canonical text: UTF-8, two spaces, keys in the order given, a newline at the end."""
    data = _canonical(value)
    return data if data is not None else _dump(value).encode() + b"\n"


def _dump(value: Any) -> str:
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    except TypeError:  # integers beyond 64 bits, which a person may have written
        return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)


def same(one: Any, other: Any) -> bool:
    """Equality that tells 1 from 1.0 from true, and 0.0 from -0.0. The order of keys does not count."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(v, other[k]) for k, v in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    return bool(one == other)


def patch(data: bytes, value: Mapping[str, Any], limit: int = MAX_BYTES) -> bytes:
    """`data` edited so that it holds `value`; members that did not change keep every byte.

    New members come after their nearest predecessor in `value` that the text has, indented as their neighbours.
    An unchanged value gives `data` itself. Raises DocumentError when `data` does not parse.
    """
    text = _decode(data, limit)
    root = tree(data, limit)
    if same(root.value, dict(value)):
        return data
    editor = _Editor(text, _Style.of(text, root))
    edited = text[: root.start] + editor.render(root, dict(value), 0) + text[root.end :]
    return (_BOM if data.startswith(_BOM) else b"") + edited.encode()


def locate(data: bytes, where: Sequence[str | int], limit: int = MAX_BYTES) -> tuple[int, int]:
    """Line and column of the value at `where` (keys and array positions), or of what is nearest above it."""
    text = _decode(data, limit)
    node = tree(data, limit)
    for step in where:
        inner: Node | None = None
        if isinstance(step, str) and node.members is not None:
            inner = next((m.node for m in node.members if m.key == step), None)
        elif isinstance(step, int) and node.items is not None and 0 <= step < len(node.items):
            inner = node.items[step]
        if inner is None:
            break
        node = inner
    return position(text, node.start)


@dataclass(frozen=True, slots=True)
class _Style:
    """How a person lays out this file: line end and one step of indentation; None means all on one line."""

    newline: str
    step: str | None

    @staticmethod
    def of(text: str, root: Node) -> _Style:
        newline = "\r\n" if "\r\n" in text else "\n"
        if not root.members:
            return _Style(newline, "  ")
        lead = text[root.start + 1 : root.members[0].start]
        if "\n" not in lead:
            return _Style(newline, None)
        return _Style(newline, lead.rpartition("\n")[2] or "  ")

    def lead(self, depth: int) -> str:
        """The white space before a member at `depth`."""
        return "" if self.step is None else self.newline + self.step * depth

    def write(self, value: Any, depth: int) -> str:
        """`value` as text that stands at `depth`."""
        if self.step is None:
            return json.dumps(value, ensure_ascii=False, allow_nan=False)
        lines = _dump(value).split("\n")
        out = [lines[0]]
        for line in lines[1:]:
            bare = line.lstrip(" ")
            out.append(self.step * (depth + (len(line) - len(bare)) // 2) + bare)
        return self.newline.join(out)


class _Editor:
    def __init__(self, text: str, style: _Style) -> None:
        self.text = text
        self.style = style

    def render(self, node: Node, value: Any, depth: int) -> str:
        """The text for `value` in the place of `node`, with as much of the old text as still holds."""
        if same(node.value, value):
            return self.text[node.start : node.end]
        if node.members is not None and isinstance(value, dict):
            if node.members or not value:
                return self._object(node, node.members, value, depth)
        elif node.items is not None and isinstance(value, list) and len(node.items) == len(value):
            return self._array(node, node.items, value, depth)
        return self.style.write(value, depth)

    def _array(self, node: Node, items: list[Node], value: list[Any], depth: int) -> str:
        out, at = [], node.start
        for item, new in zip(items, value, strict=True):
            out += [self.text[at : item.start], self.render(item, new, depth + 1)]
            at = item.end
        return "".join(out) + self.text[at : node.end]

    def _object(self, node: Node, members: list[Member], value: dict[str, Any], depth: int) -> str:
        """Kept members with the white space that stood around them, new ones in the style of the first."""
        leads, trails = self._gaps(node, members)
        first_lead = leads[members[0].key]
        lead = first_lead if "\n" in first_lead else (" " if len(members) > 1 else first_lead)
        closing = trails[members[-1].key]
        trails[members[-1].key] = ""
        if len(members) > 1 and "\n" not in first_lead:
            lead = leads[members[1].key]
        old = {member.key: member for member in members}
        out = []
        keys = self._order([m.key for m in members], list(value))
        for at, key in enumerate(keys):
            member = old.get(key)
            if member is None:
                body = json.dumps(key, ensure_ascii=False) + ": " + self._new(value[key], lead, depth)
                out.append((lead if at else first_lead) + body)
            else:
                head = self.text[member.start : member.node.start]
                body = head + self.render(member.node, value[key], depth + 1)
                trail = trails[key] if at < len(keys) - 1 else ""
                gap = leads[key] if at or key == members[0].key else first_lead
                out.append(gap + body + trail)
        return "{" + ",".join(out) + (closing if keys else "") + "}"

    def _new(self, value: Any, lead: str, depth: int) -> str:
        if "\n" not in lead:
            return json.dumps(value, ensure_ascii=False, allow_nan=False)
        return self.style.write(value, depth + 1)

    def _gaps(self, node: Node, members: list[Member]) -> tuple[dict[str, str], dict[str, str]]:
        """White space before each key, and after each value up to its comma or brace."""
        leads: dict[str, str] = {}
        trails: dict[str, str] = {}
        at = node.start + 1
        for member in members:
            leads[member.key] = self.text[at : member.start]
            end = member.node.end
            while self.text[end] in " \t\r\n":
                end += 1
            trails[member.key] = self.text[member.node.end : end]
            at = end + 1
        return leads, trails

    @staticmethod
    def _order(old: list[str], new: list[str]) -> list[str]:
        """Old keys that stay, in their order; each new key right after its nearest predecessor in `new`."""
        wanted = set(new)
        out = [key for key in old if key in wanted]
        have = set(out)
        for at, key in enumerate(new):
            if key in have:
                continue
            before = next((k for k in reversed(new[:at]) if k in have), None)
            out.insert(0 if before is None else out.index(before) + 1, key)
            have.add(key)
        return out
