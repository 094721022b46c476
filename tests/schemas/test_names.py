"""Names in documents: any bytes that a file system allows survive, and text stays readable."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.names import MARK, decode_name, encode_name
from schemas.text import dump, parse

PIECES = st.sampled_from([b"%", b"%41", b"bytes:", b"\xff", b"\xed\xa0\x80", "é".encode(), b"\0", b"a", b"/", b"\n"])
BYTES = st.binary(max_size=12) | st.lists(PIECES, max_size=6).map(b"".join)


@given(BYTES)
def test_any_bytes_survive_the_way_through_a_document(raw: bytes) -> None:
    name = os.fsdecode(raw)
    written = encode_name(name)
    assert parse(dump({"name": written})) == {"name": written}
    assert os.fsencode(decode_name(written)) == raw
    assert "\0" not in written


@given(BYTES, BYTES)
def test_two_names_are_never_written_alike(one: bytes, other: bytes) -> None:
    assert (encode_name(os.fsdecode(one)) == encode_name(os.fsdecode(other))) == (one == other)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_text_is_written_as_itself(name: str) -> None:
    assert encode_name(name) == (MARK + name.replace("%", "%25") if name.startswith(MARK) else name)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("IMG_0001.JPG", "IMG_0001.JPG"),
        ("100%.jpg", "100%.jpg"),
        ("caf\udce9.jpg", "bytes:caf%E9.jpg"),
        ("100%\udcff字.jpg", "bytes:100%25%FF字.jpg"),
        ("bytes:x", "bytes:bytes:x"),
        ("a\0b", "bytes:a%00b"),
        ("", ""),
    ],
)
def test_a_name_that_is_no_text_is_marked_and_still_readable(name: str, written: str) -> None:
    assert encode_name(name) == written
    assert decode_name(written) == name


@pytest.mark.parametrize("text", ["bytes:%", "bytes:%4", "bytes:%zz", "bytes:"])
def test_a_marked_name_that_a_person_spoiled_is_read_as_far_as_it_goes(text: str) -> None:
    assert decode_name(text) == text.removeprefix(MARK)
