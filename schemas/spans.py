"""A strict JSON reader that remembers where every value stands in the text.

It serves what a plain parser cannot: errors with line and column, duplicate keys, and edits that leave every
other character of a person's file alone. Clean machine-written documents never come this way (see `text`).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from schemas.errors import DocumentError

#: The deepest level at which a value may stand; members of the top object are at level 1.
MAX_DEPTH = 64

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_LITERALS: dict[str, Any] = {"true": True, "false": False, "null": None}
_LITERAL = re.compile(r"true|false|null")
_NOT_NUMBERS = re.compile(r"-?(NaN|Infinity|nan|inf)")


@dataclass(slots=True)
class Node:
    """A value and its place: `text[start:end]`. Objects have `members`, arrays have `items`."""

    start: int
    end: int
    value: Any
    members: list[Member] | None = None
    items: list[Node] | None = None


@dataclass(slots=True)
class Member:
    """One `"key": value` of an object; `start` is where the key's quote stands."""

    key: str
    start: int
    node: Node


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of a character offset."""
    line = text.count("\n", 0, offset) + 1
    return line, offset - (text.rfind("\n", 0, offset) + 1) + 1


def scan(text: str) -> Node:
    """The tree of a whole JSON text. Raises DocumentError for anything that is not strict JSON."""
    scanner = _Scanner(text)
    root = scanner.value(scanner.space(0), 0)
    end = scanner.space(root.end)
    if end != len(text):
        raise scanner.error("there is text after the end of the document", end)
    return root


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text

    def error(self, reason: str, offset: int) -> DocumentError:
        return DocumentError(reason, *position(self.text, min(offset, len(self.text))))

    def space(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        assert match is not None
        return match.end()

    def value(self, at: int, level: int) -> Node:
        if level > MAX_DEPTH:
            raise self.error(f"nested deeper than {MAX_DEPTH} levels", at)
        first = self.text[at : at + 1]
        if first == "{":
            return self.object(at, level)
        if first == "[":
            return self.array(at, level)
        if first == '"':
            string, end = self.string(at)
            return Node(at, end, string)
        if match := _LITERAL.match(self.text, at):
            return Node(at, match.end(), _LITERALS[match.group()])
        if (match := _NUMBER.match(self.text, at)) and not _NOT_NUMBERS.match(self.text, at):
            return self.number(match)
        if not first:
            raise self.error("the document ends too early", at)
        if match := _NOT_NUMBERS.match(self.text, at):
            raise self.error(f"{match.group()} is not allowed in JSON", at)
        raise self.error(f"expected a value, found {first!a}", at)

    def number(self, match: re.Match[str]) -> Node:
        if match.group(1) is None and match.group(2) is None:
            try:
                return Node(match.start(), match.end(), int(match.group()))
            except ValueError:  # Python refuses to convert thousands of digits
                raise self.error("a number with too many digits", match.start()) from None
        number = float(match.group())
        if not math.isfinite(number):
            raise self.error("a number too large to keep", match.start())
        return Node(match.start(), match.end(), number)

    def string(self, at: int) -> tuple[str, int]:
        try:
            string, end = scanstring(self.text, at + 1, True)
        except JSONDecodeError as error:
            raise self.error(error.msg[:1].lower() + error.msg[1:], error.pos) from None
        if not string.isascii():
            try:
                string.encode()
            except UnicodeEncodeError:
                raise self.error("a lone surrogate in a string is not a character", at) from None
        return string, end

    def object(self, at: int, level: int) -> Node:
        members: list[Member] = []
        value: dict[str, Any] = {}
        end = self.space(at + 1)
        if self.text[end : end + 1] == "}":
            return Node(at, end + 1, value, members)
        while True:
            if self.text[end : end + 1] != '"':
                what = "the document ends too early" if end >= len(self.text) else "expected a key"
                raise self.error(what, end)
            start = end
            key, end = self.string(start)
            if key in value:
                raise self.error(f"the key {key!a} stands here twice", start)
            end = self.space(end)
            if self.text[end : end + 1] != ":":
                raise self.error(f"expected ':' after the key {key!a}", end)
            node = self.value(self.space(end + 1), level + 1)
            members.append(Member(key, start, node))
            value[key] = node.value
            end, closed = self.separator(node.end, "}")
            if closed:
                return Node(at, end, value, members)

    def array(self, at: int, level: int) -> Node:
        items: list[Node] = []
        end = self.space(at + 1)
        if self.text[end : end + 1] == "]":
            return Node(at, end + 1, [], None, items)
        while True:
            node = self.value(end, level + 1)
            items.append(node)
            end, closed = self.separator(node.end, "]")
            if closed:
                return Node(at, end, [item.value for item in items], None, items)

    def separator(self, at: int, close: str) -> tuple[int, bool]:
        """After a member or item: the offset behind what follows, and whether it closes the container."""
        at = self.space(at)
        found = self.text[at : at + 1]
        if found == close:
            return at + 1, True
        if found != ",":
            what = "the document ends too early" if not found else f"expected ',' or '{close}'"
            raise self.error(what, at)
        return self.space(at + 1), False
