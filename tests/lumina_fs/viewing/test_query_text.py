"""A query as text that a panel edits: what was written stays, and what is read is what was put in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.query import compile_query
from lumina_fs.viewing.query_text import completed, values_of, with_value, with_values


@pytest.mark.parametrize(
    ("before", "field", "value", "after"),
    [
        ("", "rating", ">=3", "rating:>=3"),
        ("beach", "rating", ">=3", "beach rating:>=3"),
        ("beach rating:5 lake", "rating", ">=3", "beach rating:>=3 lake"),
        ("beach rating:5 lake", "rating", None, "beach lake"),
        ('beach camera:"canon eos" lake', "camera", "NIKON D90", 'beach camera:"NIKON D90" lake'),
        ("beach OR lake", "rating", "5", "(beach OR lake) rating:5"),
        ("(beach OR rating:1)", "rating", "5", "(beach OR rating:1) rating:5"),
        ("-rating:1 x", "rating", "5", "-rating:1 x rating:5"),
        ("-(rating:1)", "rating", "5", "-(rating:1) rating:5"),
    ],
)
def test_one_field_is_replaced_and_the_rest_stays(before: str, field: str, value: str | None, after: str) -> None:
    assert with_value(before, field, value) == after
    assert values_of(after, field) == ([value] if value else [])


def test_several_tags_must_all_fit() -> None:
    text = with_values("beach tag:a tag:b", "tag", ["b", "people/anna maria"])
    assert values_of(text, "tag") == ["people/anna maria", "b"]
    assert with_values(text, "tag", []) == "beach"


def test_what_is_one_of_several_is_no_firm_value() -> None:
    assert values_of("rating:5 OR rating:4", "rating") == []
    assert values_of("(rating:5 OR rating:4) type:jpeg", "rating") == []
    assert values_of("(rating:5 OR rating:4) type:jpeg", "type") == ["jpeg"]


words = st.sampled_from(["beach", "-lake", '"red bike"', "rating:5", "-rating:2", "(a OR b)", "tag:x", "camera:nikon"])


@given(st.lists(words, max_size=5), st.sampled_from(["rating", "iso"]), st.sampled_from(["3", ">=4", ""]))
def test_whatever_is_edited_can_be_read_and_says_what_was_put_in(parts: list[str], field: str, value: str) -> None:
    text = with_value(" ".join(parts), field, value)
    compile_query(text, "s")
    assert values_of(text, field) == ([value] if value else [])
    assert with_value(text, field, value) == text


def test_fields_and_values_are_completed_where_the_text_ends() -> None:
    choices = {"camera": {"NIKON D90": 5, "Canon EOS 5D": 3}, "tag": {"people/anna": 2}}
    assert completed("beach cam", choices) == ["beach camera:"]
    assert completed("camera:ca", choices) == ['camera:"Canon EOS 5D"']
    assert completed("-camera:d9", choices) == ['-camera:"NIKON D90"']
    assert completed('camera:"nik', choices) == ['camera:"NIKON D90"']
    assert completed("tag:", choices) == ["tag:people/anna"]
    assert completed("label:r", choices) == ["label:red", "label:orange", "label:green", "label:purple", "label:grey"]
    assert completed("beach ", choices) == []
    assert completed("nosuch:x", choices) == []
