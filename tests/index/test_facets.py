"""What there is to choose from: a choice finds exactly as many originals as its number says."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from index.entry import entry
from index.facets import facets
from index.postgres import PostgresIndex
from index.protocol import Problem
from lumina_fs.viewing.query_text import exactly, values_of, with_value
from tests.index.test_postgres import ETAG, document, make_empty

CAMERAS: list[tuple[str | None, str | None]] = [
    ("Canon", "Canon EOS 6D"), ("Canon", "Canon EOS 6D"), ("Canon", "Canon EOS 6D Mark II"), ("Canon", "CANON EOS 6D"),
    ("Canon", None), (None, "Canon"), ("NIKON", "D90"), (None, "D90"), ("NIKON CORPORATION", "NIKON D90"), (None, None),
    ('The "Best"', "X (1) 100%"), ("Caf\u00e9", "a'b\\c"), ("nul", "\x00inside"), ("a", "=b"), ("*", "*"),
]  # fmt: skip
LENSES = ["EF 50mm f/1.8", "EF 50mm f/1.8 II", "50mm", None, "EF 50mm f/1.8"]
TAGS: list[list[Any]] = [
    ["beach"], ["Beach"], ["beach house"], ["places/beach"], ["/beach"], ["beach/"], ["beach", "places/beach"],
    [{"category": "places", "value": "beach"}], [{"value": "beach"}], [{"category": "", "value": "beach"}],
    [{"category": "places/italy", "value": "rome"}], ["places/italy/rome"], ['say "hi"', "say"], ["a b/c (d)"], [],
    [{"value": "two/parts"}, "two/parts"],
]  # fmt: skip
SEEN = [("animals", "dog"), ("animals", "hot dog"), ("", "dog"), ("a/b", "dog")]


def measurements(number: int) -> dict[str, Any]:
    category, value = SEEN[number % len(SEEN)]
    return {"clip_tags": {"version": 1, "tags": [{"category": category, "value": value, "confidence": 0.9}]}}


@pytest.fixture(scope="module")
def index(postgres: str) -> Iterator[PostgresIndex]:
    with PostgresIndex(postgres, str(uuid.uuid4()), "/somewhere") as found:
        make_empty(found)
        entries = []
        for number in range(60):
            doc = document(number)
            make, model = CAMERAS[number % len(CAMERAS)]
            doc["capture"] = {"camera": {"make": make, "model": model}, "lens": {"model": LENSES[number % len(LENSES)]}}
            doc["curation"]["tags"] = TAGS[number % len(TAGS)]
            doc["original"]["format"] = ("JPEG", "HEIC", "HEIF", "MOV")[number % 4]
            doc["original"]["media"] = "video" if number % 4 == 3 else "image"
            doc["measurements"] |= measurements(number)
            if number % 7 == 0:
                code = "truncated" if number % 2 else "Odd code"
                doc["problems"] = [{"code": code, "message": "x"}, {"code": code, "message": "again"}]
            entries.append(entry(doc, "ab"[number % 2], f"f/{number}.jpg", ETAG, f"seen {number}"))
        for source in "ab":
            own = [one for number, one in enumerate(entries) if "ab"[number % 2] == source]
            index_problems = [Problem("never/read.jpg", "corrupt_sidecar", "a comma", 1, 2)]
            found.upsert(source, own, corrupt=index_problems)
        yield found
        found.drop()


@pytest.mark.parametrize("field", ["camera", "lens", "type", "media", "source", "problem", "tag", "auto"])
def test_a_choice_finds_as_many_originals_as_its_number_says(index: PostgresIndex, field: str) -> None:
    choices = facets(index)[field]
    assert len(choices) > 1
    asked = "type" if field == "media" else field
    for value, count in choices.items():
        query = with_value("", asked, exactly(asked, value))
        assert index.count(query) == count, query
        assert values_of(query, asked) == [exactly(asked, value)]
        assert index.count(f"-{query}") == 60 - count, query


def test_the_words_of_a_value_find_more_than_the_value_itself(index: PostgresIndex) -> None:
    assert index.count('camera:"Canon EOS 6D"') == 16
    assert index.count('camera:="Canon EOS 6D"') == 8
    assert index.count('camera:="canon eos 6d"') == 0
    assert index.count("tag:beach") > index.count("tag:=beach") > 0


def test_a_mistaken_exact_value_finds_nothing_and_breaks_nothing(index: PostgresIndex) -> None:
    for query in (
        "tag:=///",
        "auto:=/",
        'camera:=""""',
        "tag:=\x00",
        "lens:='",
        'tag:="unclosed',
        "tag:=/x",
        "auto:=$a",
    ):
        assert index.count(query) == 0, query
