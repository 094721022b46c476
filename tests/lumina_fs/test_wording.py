"""Texts that are broken into lines: between words where that is possible, and nothing of them is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumina_fs.wording import fit_apart, fit_middle, twin_kind, width, wrapped


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


def test_paths_that_are_cut_to_the_same_show_where_they_differ() -> None:
    one, other = "archive/phone/2019/07/IMG_0001.JPG", "archive/camera/2019/07/IMG_0001.JPG"
    assert fit_middle(one, 20) == fit_middle(other, 20)
    assert fit_apart(one, [other], 20) == "…/phon…/IMG_0001.JPG"
    assert fit_apart(other, ["elsewhere", one], 20) == "…/came…/IMG_0001.JPG"
    assert fit_apart(one, [one, "elsewhere"], 20) == fit_middle(one, 20), "nothing to tell it from"
    assert fit_apart(one, [f"{one}.d/IMG_0001.JPG"], 20) == "…019/07/IMG_0001.JPG", "all the room is used"


@given(st.text(), st.lists(st.text()), st.integers(min_value=3, max_value=30))
def test_a_text_told_apart_fits(text: str, others: list[str], columns: int) -> None:
    assert width(fit_apart(text, others, columns)) <= columns


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("exact", "exact"), ("same_pixels", "same pixels"), ("re_encoded", "re-encoded"), ("raw_jpeg", "RAW+JPEG"),
        ("live_photo", "Live Photo"),
    ],
)  # fmt: skip
def test_kinds_of_twins_are_words(kind: str, words: str) -> None:
    assert twin_kind(kind) == words
