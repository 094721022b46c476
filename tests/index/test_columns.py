"""Texts of originals in one string of bytes: which are equal, and what stands before a mark in them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from index.columns import _END, _NONE, Texts
from tests.lumina_fs.duplicates.made import texts_of

TEXTS = st.lists(st.one_of(st.none(), st.text("ab/é\x1e\x1f", max_size=6), st.text("/a", min_size=60, max_size=70)))


@given(TEXTS, st.booleans())
def test_two_texts_are_alike_if_they_are_equal(some: list[str | None], unsure: bool) -> None:
    texts = texts_of(some)
    every = np.arange(len(some))
    one, other = (side.ravel() for side in np.meshgrid(every, every))
    for first, second, alike in zip(one, other, texts.alike(one, other, unsure=unsure), strict=True):
        a, b = (None if text is None else text.encode() for text in (some[first], some[second]))
        if a is None or b is None or len(a) <= 64:
            assert alike == (a == b)
        else:
            assert alike == (unsure and len(a) == len(b) and a[:64] == b[:64])


@given(TEXTS)
def test_the_head_of_a_text_is_what_stands_before_the_last_mark(some: list[str | None]) -> None:
    rows = np.arange(len(some))[::-1]
    heads = texts_of(some).heads(rows, "/")
    assert heads.some(np.arange(len(rows))) == [(one or "").rpartition("/")[0] for one in some[::-1]]


def test_several_parts_are_put_together() -> None:
    parts = [_END.join(("a", "bc")).encode(), _END.join(("", _NONE)).encode()]
    assert list(Texts.of(parts, 4).told(np.arange(4))) == ["a", "bc", "", None]
