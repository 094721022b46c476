"""The text of documents: strict when read, exact when edited, and errors that point at the right character."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import DocumentError
from schemas.text import MAX_BYTES, dump, locate, parse, patch, same, tree

# -- what is refused, and where

REFUSED: list[tuple[str | bytes, str, int, int]] = [
    ("", "ends too early", 1, 1),
    ("   \n ", "ends too early", 2, 2),
    ("[]", "one JSON object", 1, 1),
    ('"text"', "one JSON object", 1, 1),
    ('{"a": NaN}', "NaN is not allowed", 1, 7),
    ('{"a": [1,\n Infinity]}', "Infinity is not allowed", 2, 2),
    ('{"a": -Infinity}', "-Infinity is not allowed", 1, 7),
    ('{"a": 1e999}', "too large", 1, 7),
    ('{"a": ' + "9" * 5000 + "}", "too many digits", 1, 7),
    ('{"a": 1,\r\n "b": 2,\r\n "a": 3}', "'a' stands here twice", 3, 2),
    ('{"a": {"b": 1, "\\u0062": 2}}', "'b' stands here twice", 1, 16),
    ('{"a": "\\ud800"}', "lone surrogate", 1, 7),
    ('{"\\udfff": 1}', "lone surrogate", 1, 2),
    ('{"a": 1} x', "after the end", 1, 10),
    ('{"a": 1}\n{"b": 2}', "after the end", 2, 1),
    ('{"a": 1,}', "expected a key", 1, 9),
    ('{"a": [1,]}', "expected a value", 1, 10),
    ('{"a" 1}', "expected ':'", 1, 6),
    ('{"a": 1 "b": 2}', "expected ','", 1, 9),
    ("{'a': 1}", "expected a key", 1, 2),
    ('{"a": 01}', "expected ','", 1, 8),
    ('{"a": +1}', "expected a value", 1, 7),
    ('{"a": .5}', "expected a value", 1, 7),
    ('{"a": 1.}', "expected ','", 1, 8),
    ('{"a": tru}', "expected a value", 1, 7),
    ('{"a": "tab\there"}', "invalid control character", 1, 11),
    ('{"a": "\\x"}', "invalid", 1, 8),
    ('{"a": "open', "unterminated string", 1, 7),
    ('{"a": [1, 2', "ends too early", 1, 12),
    ('{"a": 1, // why\n "b": 2}', "expected a key", 1, 10),
    ('{"é字😀": NaN}', "NaN", 1, 9),
    (b'\xef\xbb\xbf{"a": NaN}', "NaN", 1, 7),
    (b'\xef\xbb\xbf\xef\xbb\xbf{"a": 1}', "expected a value", 1, 1),
    (b'{"a": 1,\n "b": "\xff"}', "not valid UTF-8", 2, 8),
    ('{"a": 1}'.encode("utf-16"), "not valid UTF-8", 1, 1),
    (b'{"a": "\xed\xa0\x80"}', "not valid UTF-8", 1, 8),
    (b'{"a": 1}\0', "after the end", 1, 9),
    ('{"a": \u00a01}', "expected a value", 1, 7),
]


@pytest.mark.parametrize(("text", "reason", "line", "column"), REFUSED, ids=lambda value: ascii(value)[:40])
def test_what_is_not_strict_json_is_refused_where_it_stands(
    text: str | bytes, reason: str, line: int, column: int
) -> None:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(DocumentError, match=reason) as caught:
        parse(data)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(caught.value).startswith(f"line {line}, column {column}: ")
    with pytest.raises(DocumentError):
        patch(data, {})


def deep(levels: int, *, arrays: bool = False) -> bytes:
    value: Any = 1
    for _ in range(levels - 1):
        value = [value] if arrays else {"a": value}
    return dump({"top": value})


@pytest.mark.parametrize("arrays", [False, True])
@pytest.mark.parametrize("layout", [lambda data: data, lambda data: data.replace(b"\n", b"").replace(b" ", b"")])
def test_the_64th_level_is_the_last(layout: Callable[[bytes], bytes], arrays: bool) -> None:
    assert parse(layout(deep(64, arrays=arrays)))
    with pytest.raises(DocumentError, match="nested deeper than 64"):
        parse(layout(deep(65, arrays=arrays)))


def test_a_text_that_is_all_brackets_is_refused_and_not_recursed_into() -> None:
    with pytest.raises(DocumentError, match="deeper"):
        parse(b'{"a": ' + b"[" * 1_000_000)


def test_a_document_that_is_too_large_is_refused_unread() -> None:
    with pytest.raises(DocumentError, match="larger than 16 MiB"):
        parse(b" " * (MAX_BYTES + 1))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{\r\n  "a": 1\r\n}\r\n', {"a": 1}),
        (b"{}", {}),
        (b'\n\t{ "a" :\t[ ] , "b":{ } }', {"a": [], "b": {}}),
        (b'{"a": 12345678901234567890123, "b": 1E+2, "c": -0, "d": -0.0}',
         {"a": 12345678901234567890123, "b": 100.0, "c": 0, "d": -0.0}),
        (b'{"a": "\\ud83d\\ude00\\u00e9\\/\\u0000"}', {"a": "😀é/\0"}),
        (b'{"": {"": null}}', {"": {"": None}}),
    ],
)  # fmt: skip
def test_what_is_strict_json_is_read_as_it_says(text: bytes, value: dict[str, Any]) -> None:
    assert same(parse(text), value)


def test_every_node_knows_its_text() -> None:
    text = '{"a": [1.50, "é"], "b": {"c": true}}'
    root = tree(text.encode())
    assert root.members is not None
    assert [text[m.node.start : m.node.end] for m in root.members] == ['[1.50, "é"]', '{"c": true}']
    assert [text[m.start] for m in root.members] == ['"', '"']


def test_a_place_in_a_document_is_found_or_what_is_nearest_above_it() -> None:
    data = b'\xef\xbb\xbf{\r\n "curation": {\r\n  "tags": ["a", {"value": ""}]\r\n }\r\n}'
    assert locate(data, []) == (1, 1)
    assert locate(data, ["curation", "tags", 1, "value"]) == (3, 27)
    assert locate(data, ["curation", "tags", 1, "missing"]) == (3, 17)
    assert locate(data, ["curation", "tags", 9]) == (3, 11)
    assert locate(data, ["other", "x"]) == (1, 1)


# -- equality


def test_equality_tells_types_apart() -> None:
    for one, other in [(1, 1.0), (1, True), (0, False), (0.0, -0.0), ("1", 1), ([1], [1.0]), ({"a": 0}, {"a": None})]:
        assert not same(one, other)
        assert not same(other, one)
    assert same({"a": 1, "b": [1.5, None]}, {"b": [1.5, None], "a": 1})
    assert not same({"a": None}, {})


# -- edits

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NUMBERS = st.one_of(
    st.integers(), st.integers(-(10**40), 10**40), st.floats(allow_nan=False, allow_infinity=False), st.just(-0.0)
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=6)
SPACE = st.text(" \t\n\r", max_size=3)


@st.composite
def written(draw: st.DrawFn, values: st.SearchStrategy[dict[str, Any]] = OBJECTS) -> tuple[bytes, dict[str, Any]]:
    """A value, and one of the texts in which a person or a program may have written it."""
    value = draw(values)
    how = draw(st.sampled_from(["canonical", "indented", "crlf", "one line", "tabs", "wild"]))
    if how == "canonical":
        data = dump(value)
    elif how == "wild":
        data = _wild(draw, value).encode()
    else:
        indent: int | str | None = {"one line": None, "tabs": "\t"}.get(how, draw(st.integers(0, 5)))
        text = json.dumps(value, indent=indent, ensure_ascii=draw(st.booleans()))
        data = (text.replace("\n", "\r\n") if how == "crlf" else text).encode()
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + data, value


def _wild(draw: st.DrawFn, value: Any) -> str:
    """White space wherever JSON allows it."""

    def space() -> str:
        return draw(SPACE)

    if isinstance(value, dict):
        members = [f"{space()}{json.dumps(k)}{space()}:{space()}{_wild(draw, v)}{space()}" for k, v in value.items()]
        return "{" + (",".join(members) or space()) + "}"
    if isinstance(value, list):
        return "[" + (",".join(f"{space()}{_wild(draw, v)}{space()}" for v in value) or space()) + "]"
    return json.dumps(value)


@given(written())
def test_every_way_to_write_a_value_is_read_as_that_value(case: tuple[bytes, dict[str, Any]]) -> None:
    data, value = case
    assert same(parse(data), value)
    assert patch(data, value) is data


@given(OBJECTS)
def test_the_canonical_text_is_read_back_and_never_edited(value: dict[str, Any]) -> None:
    data = dump(value)
    assert same(parse(data), value)
    assert list(parse(data)) == list(value)
    assert data.endswith(b"\n")
    assert dump(parse(data)) == data


@settings(max_examples=300)
@given(written(), OBJECTS)
def test_an_edited_text_holds_exactly_the_new_value(case: tuple[bytes, dict[str, Any]], new: dict[str, Any]) -> None:
    data, _ = case
    assert same(parse(patch(data, new)), new)


@st.composite
def neighbours(draw: st.DrawFn) -> tuple[bytes, dict[str, Any], dict[str, Any]]:
    """A text and a value that shares most of its members with it, at every level."""
    data, value = draw(written())
    return data, value, _altered(draw, value)


def _altered(draw: st.DrawFn, value: dict[str, Any]) -> dict[str, Any]:
    new: dict[str, Any] = {}
    for key, inner in value.items():
        match draw(st.sampled_from(["keep", "keep", "keep", "change", "drop"])):
            case "keep":
                new[key] = inner
            case "change":
                new[key] = _altered(draw, inner) if isinstance(inner, dict) else draw(VALUES)
    if draw(st.booleans()):
        new.update(draw(st.dictionaries(TEXTS, VALUES, max_size=2)))
    return new


def check_kept(old: bytes, new: bytes) -> None:
    """Members of the same value have the same text, key and all, in the same order, at every level they share."""
    old_text, new_text = (data.removeprefix(b"\xef\xbb\xbf").decode() for data in (old, new))

    def check(one: Any, other: Any) -> None:
        after = {member.key: member for member in other.members}
        shared = [member for member in one.members if member.key in after]
        assert [m.key for m in shared] == [m.key for m in other.members if m.key in {k.key for k in shared}]
        for member in shared:
            twin = after[member.key]
            head = old_text[member.start : member.node.start]
            assert new_text[twin.start : twin.node.start] == head, "the key and what stands around its colon"
            if same(member.node.value, twin.node.value):
                text = old_text[member.node.start : member.node.end]
                assert new_text[twin.node.start : twin.node.end] == text
            elif member.node.members and twin.node.members:
                check(member.node, twin.node)

    check(tree(old), tree(new))
    assert old.startswith(b"\xef\xbb\xbf") == new.startswith(b"\xef\xbb\xbf")


@settings(max_examples=400)
@given(neighbours())
def test_members_that_did_not_change_keep_every_byte(case: tuple[bytes, dict[str, Any], dict[str, Any]]) -> None:
    data, _, new = case
    edited = patch(data, new)
    assert same(parse(edited), new)
    check_kept(data, edited)


@given(neighbours())
def test_an_edit_back_and_forth_ends_where_it_began(case: tuple[bytes, dict[str, Any], dict[str, Any]]) -> None:
    data, value, new = case
    there = patch(data, new)
    assert same(parse(patch(there, value)), value)
    assert patch(there, new) is there


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("indent", [1, 2, 3, 8, "\t"])
def test_a_new_member_is_laid_out_as_its_neighbours(newline: str, indent: int | str) -> None:
    before = {"a": {"b": 1}, "z": 1}
    after = {"a": {"b": 1, "c": [1, {"d": 2}]}, "m": {"n": []}, "z": 1}
    old, new = (json.dumps(value, indent=indent).replace("\n", newline).encode() for value in (before, after))
    assert patch(old, after) == new
    assert patch(new, before) == old


def test_a_member_put_in_or_taken_out_of_one_line_leaves_the_line_in_order() -> None:
    assert patch(b'{"a": 1, "b": 2}', {"a": 1, "x": [1], "b": 2}) == b'{"a": 1, "x": [1], "b": 2}'
    assert patch(b'{"a": 1, "b": 2}', {"b": 2}) == b'{"b": 2}'
    assert patch(b'{"a": 1, "b": 2}', {"a": 1}) == b'{"a": 1}'
    assert patch(b'{ "a": 1 }', {}) == b"{}"


def test_numbers_and_escapes_that_did_not_change_keep_their_spelling() -> None:
    old = b'{"a": 1.50, "b": 1E2, "c": "\\u00e9", "d": [1.0, 2.00], "e": 1}'
    value = {**parse(old), "e": 2, "d": [1.0, 3.0]}
    assert patch(old, value) == b'{"a": 1.50, "b": 1E2, "c": "\\u00e9", "d": [1.0, 3.0], "e": 2}'


def test_what_json_cannot_hold_never_gets_into_a_text() -> None:
    for number in (math.nan, math.inf, -math.inf):
        for data in (b'{\n  "a": 1\n}\n', b'{"a": 1}'):
            try:
                text = patch(data, {"a": number})
            except ValueError:
                continue
            assert parse(text) == {"a": None}
