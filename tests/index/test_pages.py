"""Pages of an ordered answer: glued together they are the whole order, wherever one starts."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index import first_rows, pages
from index.entry import entry
from index.facets import facets
from index.order import KEYS, Listed, Sort
from index.postgres import PostgresIndex
from index.protocol import Entry, Interrupted, QueryError
from tests.index.test_postgres import ETAG, document, make_empty

SORTS = [Sort(key, descending) for key in KEYS for descending in (True, False)]


@pytest.fixture(scope="module")
def index(postgres: str) -> Iterator[PostgresIndex]:
    with PostgresIndex(postgres, str(uuid.uuid4()), "/somewhere") as found:
        make_empty(found)
        yield found
        found.drop()


def rows(values: list[tuple[str, int, int | None, int | None, int | None]]) -> dict[str, list[Entry]]:
    """Originals by source, with ties and gaps: (source, size, rating, quality, year)."""
    found: dict[str, list[Entry]] = {"a": [], "b": []}
    for number, (source, size, rating, quality, year) in enumerate(values):
        doc = document(number)
        doc["original"]["size"] = size
        if rating is not None:
            doc["curation"]["rating"] = rating
        if quality is not None:
            doc["measurements"]["quality"] = {"version": 1, "value": quality}
        if year is not None:
            taken = {"local": f"{year}-07", "source": "exif", "confidence": 90}
            doc["capture"] = {"taken": taken}
        found[source].append(entry(doc, source, f"f{number % 3}/ö{number}.jpg", ETAG, f"seen {number}"))
    return found


def fill(index: PostgresIndex, values: list[Any]) -> None:
    with index.cursor() as cursor:
        cursor.execute(f"DELETE FROM {index.schema}.original".encode())
    index.upsert_together({source: (entries, (), ()) for source, entries in rows(values).items()})


def glued(index: PostgresIndex, query: str, sort: Sort, step: int) -> list[Listed]:
    order = pages.order(index, query, sort)
    found: list[Listed] = []
    for start in range(0, len(order), step):
        part = pages.page(index, order, start, start + step)
        assert None not in part
        found += [one for one in part if one is not None]
    assert order.size == sum(one.hit.size for one in found)
    return found


def place(sort: Sort, one: Listed) -> tuple[Any, ...]:
    """By what a row is sorted, worked out here: what has no value comes last either way."""
    hit = one.hit
    value: Any = {"date": hit.taken, "name": "", "size": hit.size, "quality": hit.quality, "rating": hit.rating}[
        sort.key
    ]
    return value is None, value


def is_ordered(sort: Sort, found: list[Listed]) -> bool:
    ties_turned = not sort.descending if sort.key == "date" else sort.descending and sort.key == "name"
    for one, other in itertools.pairwise(found):
        (gap, value), (other_gap, other_value) = place(sort, one), place(sort, other)
        if gap != other_gap:
            if gap:
                return False
        elif value != other_value:
            if (value < other_value) == sort.descending:
                return False
        else:
            ties = (one.hit.source, one.hit.path), (other.hit.source, other.hit.path)
            if (ties[0] > ties[1]) != ties_turned:
                return False
    return True


few = st.one_of(st.none(), st.integers(0, 3))
originals = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.integers(1, 3), few, few, st.one_of(st.none(), st.integers(1990, 1993))),
    max_size=25,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=originals, step=st.integers(1, 9))
def test_pages_glued_together_are_the_whole_order_for_every_sort(
    index: PostgresIndex, values: list[Any], step: int
) -> None:
    fill(index, values)
    for query in ("", "rating:>=2"):
        for sort in SORTS:
            found = glued(index, query, sort, step)
            assert len(found) == index.count(query)
            assert len({(one.hit.source, one.hit.path) for one in found}) == len(found)
            assert is_ordered(sort, found), sort
            assert pages.first(index, query, sort, 7) == found[:7]


QUERIES = (
    "", "type:jpeg", "rating:>=2", "date:1992..1993", "date:>1990 type:jpeg date:<=1994", "-date:1991",
    "date:1991 OR rating:3", "(date:1992 rating:>=1)",
)  # fmt: skip


def test_the_first_page_is_the_same_whether_many_or_few_rows_fit(
    index: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(index, [("ab"[n % 2], n % 5 + 1, n % 4 or None, n % 7 or None, 1990 + n % 6 or None) for n in range(60)])
    for sort in SORTS:
        for query in QUERIES:
            whole = glued(index, query, sort, 50)
            for few, tried in ((0, 5), (0, 1000), (1000, 5)):
                monkeypatch.setattr(first_rows, "_FEW", few)
                monkeypatch.setattr(first_rows, "_FIRST", tried)
                assert pages.first(index, query, sort, 4) == whole[:4]
                assert pages.first(index, query, sort, 100) == whole
                if sort == Sort():
                    hits = [one.hit for one in whole]
                    assert index.search(query, limit=4, offset=3) == hits[3:7]
                    assert index.search(query, limit=100, offset=3) == hits[3:]


def test_an_order_by_date_is_entered_where_the_dates_of_a_query_begin(
    index: PostgresIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are newer: they are not looked through, and not all that fit are sorted."""
    fill(index, [("a", 1, 3 if n % 2 else None, None, 2020 if n < 300 else 2015) for n in range(600)])
    monkeypatch.setattr(first_rows, "_FEW", 0)
    monkeypatch.setattr(first_rows, "_FIRST", 20)
    asked: list[str] = []
    page = first_rows._page

    def noted(
        index: PostgresIndex, columns: str, inner: str, sort: Sort, params: Sequence[Any]
    ) -> list[tuple[Any, ...]]:
        asked.append(inner)
        return page(index, columns, inner, sort, params)

    monkeypatch.setattr(first_rows, "_page", noted)
    for query in ("date:2015", "date:2015 rating:3", "type:jpeg (date:..2016 rating:3)"):
        asked.clear()
        found = pages.first(index, query, Sort(), 10)
        assert len(found) == 10
        assert {(one.hit.taken or "")[:4] for one in found} == {"2015"}
        assert len(asked) == 1, query
    asked.clear()
    pages.first(index, "date:2015 OR rating:5", Sort(), 10)
    assert len(asked) == 2


def test_an_original_is_found_in_an_order_and_so_is_a_date(index: PostgresIndex) -> None:
    fill(index, [("ab"[n % 2], 1, None, None, 1990 + n if n % 3 else None) for n in range(12)])
    for descending in (True, False):
        order = pages.order(index, "", Sort("date", descending))
        found = [one for one in pages.page(index, order, 0, 99) if one is not None]
        for at, one in enumerate(found):
            assert pages.place_of(index, order, one.hit.source, one.hit.path) == at
        assert pages.place_of(index, order, "a", "no such") is None
        for moment in ("1980-01-01", "1995-01-01", "1995-08-01", "2030-01-01"):
            dates = [one.hit.taken for one in found]
            sooner = [d is not None and (d >= moment if descending else d < moment) for d in dates]
            assert pages.place_of_date(index, order, moment) == sum(sooner)


def test_what_changed_since_the_order_was_made_is_left_out_of_a_page(index: PostgresIndex) -> None:
    fill(index, [("a", n + 1, None, None, None) for n in range(4)])
    order = pages.order(index, "", Sort("size", False))
    index.upsert("a", rows([("a", 9, 5, None, None)])["a"], removed=["f1/ö1.jpg"])
    found = pages.page(index, order, 0, 4)
    assert [one.hit.size if one else None for one in found] == [None, None, 3, 4]
    again = pages.order(index, "", Sort("size", False))
    assert [one.hit.size if one else None for one in pages.page(index, again, 0, 9)] == [3, 4, 9]


def test_a_list_tells_what_the_person_said_and_of_which_sidecar(index: PostgresIndex) -> None:
    doc = document(1, curation={"rating": 4, "label": "red", "tags": ["x/y"]})
    index.upsert("c", [entry(doc, "c", "only.jpg", ETAG, "seen")])
    [one] = pages.listed(index, [("c", "only.jpg"), ("c", "no such")])
    assert (one.curation, one.etag) == ({"rating": 4, "label": "red", "tags": ["x/y"]}, ETAG)
    assert list(pages.keys(index, "source:c")) == [("c", "only.jpg", 1001)]
    index.upsert("c", removed=["only.jpg"])


def test_values_are_counted_and_a_wrong_query_is_told(index: PostgresIndex) -> None:
    fill(index, [("a", 1, None, None, None), ("b", 1, None, None, None), ("b", 1, None, None, None)])
    found = facets(index)
    assert found["type"] == {"jpeg": 3}
    assert found["source"] == {"b": 2, "a": 1}
    for question in (pages.first, pages.order):
        with pytest.raises(QueryError):
            question(index, "kamera:x", Sort(), *([5] if question is pages.first else []))


def test_an_answer_that_nobody_waits_for_is_given_up(index: PostgresIndex) -> None:
    given_up = threading.Event()

    def interrupt() -> None:
        while not given_up.wait(0.3):  # one that comes before the question is lost
            index.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(Interrupted), index.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(60)")
    finally:
        given_up.set()
        thread.join()
    assert index.count("") >= 0
