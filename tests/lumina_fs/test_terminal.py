"""Foreign text on its way to a terminal: nothing in it can act, and ordinary text is shown as it is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumina_fs.errors import LuminaError
from lumina_fs.terminal import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x1b]52;c;ZXZpbA==\x1b\\", "\\x1b]52;c;ZXZpbA==\\x1b\\"),
        ("\x9b2J", "\\x9b2J"),
        ("a\r\nb\tc\0", "a\\x0d\\x0ab\\x09c\\x00"),
        ("\x7f", "\\x7f"),
        ("photo\u202egpj.exe", "photo\\u202egpj.exe"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
        ("\ufeffx\u200b", "\\ufeffx\\u200b"),
        ("caf\udce9", "caf\\xe9"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_could_act_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    "text", ["", "IMG_0001.JPG", "Übung & <b>[/x]", "字 日本語", "👩\u200d👩\u200d👧", "e\u0301", "שלום"]
)
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    assert visible(text) == text


@settings(deadline=None)
@given(st.text(st.characters(), max_size=20))
def test_no_text_can_move_the_cursor_reorder_a_line_or_fail_to_print(text: str) -> None:
    shown = visible(text)
    shown.encode()
    assert len(shown.splitlines()) <= 1
    for letter in shown:
        assert unicodedata.category(letter) not in ("Cc", "Cs", "Zl", "Zp")
        assert unicodedata.bidirectional(letter) not in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    assert visible(shown) == shown


def test_an_error_shows_its_path_without_anything_that_acts() -> None:
    assert str(LuminaError("broken", path="a\x1b[31m\nb\udcff")) == "a\\x1b[31m\\x0ab\\xff: broken"
