"""Texts that are broken into lines: between words where that is possible, and nothing of them is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumina_fs.wording import width, wrapped


@pytest.mark.parametrize(
    ("text", "columns", "lines"),
    [
        ("RAW data is not decoded, and no preview", 16, ["RAW data is not", "decoded, and no", "preview"]),
        ("abcdefghij kl", 4, ["abcd", "efgh", "ij", "kl"]),
        ("漢字漢字 x", 4, ["漢字", "漢字", "x"]),
        ("short", 20, ["short"]),
        ("", 5, [""]),
    ],
)
def test_lines_are_broken_between_words(text: str, columns: int, lines: list[str]) -> None:
    assert wrapped(text, columns) == lines


@given(st.text(), st.integers(min_value=2, max_value=30))
def test_every_line_fits_and_all_letters_are_there(text: str, columns: int) -> None:
    lines = wrapped(text, columns)
    assert all(width(line) <= columns for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
