"""The query language: what it means, and what it says about what it does not understand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.protocol import QueryError
from index.query import FIELDS, compile_query


def compiled(text: str) -> tuple[str, tuple[object, ...]]:
    return compile_query(text, "lumina_x")


def test_nothing_means_everything() -> None:
    assert compiled("  ") == ("true", ())


def test_words_and_fields_become_one_text_search() -> None:
    sql, params = compiled('beach camera:canon -tag:work (lake OR "red bike")')
    assert sql == "o.words @@ %s::tsquery"
    assert params == ("('beach':* & 'camera:canon' & !('tag:work') & ('lake':* | ('red' <-> 'bike')))",)


def test_or_binds_weaker_than_the_space() -> None:
    _, params = compiled("ab cd OR ef")
    assert params == ("(('ab' & 'cd') | 'ef')",)


@pytest.mark.parametrize(
    ("query", "sql", "params"),
    [
        ("date:2019", "(o.taken >= %s AND o.taken < %s)", ("2019-01-01T00:00:00", "2020-01-01T00:00:00")),
        ("date:2019-12", "(o.taken >= %s AND o.taken < %s)", ("2019-12-01T00:00:00", "2020-01-01T00:00:00")),
        ("date:2019-07..2019-08", "(o.taken >= %s AND o.taken < %s)", ("2019-07-01T00:00:00", "2019-09-01T00:00:00")),
        ("date:2020-02-28", "(o.taken >= %s AND o.taken < %s)", ("2020-02-28T00:00:00", "2020-02-29T00:00:00")),
        ("date:..1999", "(o.taken < %s)", ("2000-01-01T00:00:00",)),
        ("date:>2019", "o.taken >= %s::timestamp", ("2020-01-01T00:00:00",)),
        ("date:<=2019", "o.taken < %s::timestamp", ("2020-01-01T00:00:00",)),
        ("quality:>=70", "o.quality >= %s", (70.0,)),
        ("quality:70..90", "(o.quality >= %s AND o.quality <= %s)", (70.0, 90.0)),
        ("size:>1.5MB", "o.size > %s", (1_500_000.0,)),
        ("rating:5", "o.rating = %s", (5.0,)),
        ("path:2019/italy/", "(o.path = %s OR starts_with(o.path, %s))", ("2019/italy", "2019/italy/")),
    ],
)
def test_ranges_and_comparisons(query: str, sql: str, params: tuple[object, ...]) -> None:
    assert compiled(query) == (sql, params)


def test_a_negated_number_also_finds_what_has_none() -> None:
    assert compiled("-rating:>=3")[0] == "(o.rating >= %s) IS NOT TRUE"


@pytest.mark.parametrize(
    ("query", "reason", "column"),
    [
        ("kamera:canon", "did you mean camera:", 1),
        ("beach ratin:3", "did you mean rating:", 7),
        ("zzz:1", "fields are", 1),
        ("rating:many", "no number", 1),
        ("date:2019-13", "no date", 1),
        ("date:tomorrow", "must be a date", 1),
        ("has:wings", "not known", 1),
        ("camera:", "needs a value", 1),
        ("(beach", "parenthesis is not closed", 7),
        ("beach)", "without an opening one", 6),
        ('say "hello', "quotation mark", 5),
        ("OR", "missing here", 1),
        ("a OR", "missing here", 5),
        ("...", "no word", 1),
        ("rating:..", "at least one end", 1),
    ],
)
def test_a_mistake_is_told_with_its_place(query: str, reason: str, column: int) -> None:
    with pytest.raises(QueryError) as caught:
        compiled(query)
    assert reason in str(caught.value)
    assert caught.value.column == column


@given(st.text(max_size=80))
def test_no_text_breaks_the_parser_or_reaches_the_sql(text: str) -> None:
    try:
        sql, params = compiled(text)
    except QueryError:
        return
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,()=<>%@:! *")
    assert set(sql) <= allowed
    assert sql.count("%s") == len(params)


def test_every_field_of_the_help_can_be_asked() -> None:
    examples = {
        "camera": "x", "lens": "x", "type": "heic", "date": "2019", "tag": "x", "name": "x*", "path": "x",
        "source": "x", "rating": "1", "quality": "1", "iso": "1", "size": "1", "width": "1", "height": "1",
        "duration": "1", "label": "red", "pick": "pick", "flag": "future", "has": "gps", "is": "missing",
        "problem": "empty", "auto": "x",
    }  # fmt: skip
    assert set(examples) == set(FIELDS)
    for name, value in examples.items():
        assert compiled(f"{name}:{value}")
