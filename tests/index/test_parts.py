"""What is asked of parts of a table is what is asked of all of it, at one moment."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from index import columns, contents, parts
from index.entry import entry
from index.generation import Generation
from index.postgres import PostgresIndex

COUNT = 60


def document(number: int) -> dict[str, Any]:
    return {
        "kind": "sidecar", "version": 1, "id": f"0192d2a4-7c5e-7a10-9d3e-{number:012x}", "curation": {},
        "original": {"media": "image", "name": f"{number}.jpg", "size": 1000 + number, "mtime_ns": 1,
                     "sha256": (number // 2).to_bytes(32, "little").hex(), "format": "JPEG", "width": 40, "height": 30},
        "origin": {"source": "main", "mode": "reference", "first_path": f"{number}.jpg"},
        "capture": {"camera": {"model": "long " * 200 + str(number)}}, "measurements": {}, "problems": [],
    }  # fmt: skip


@pytest.fixture
def index(postgres: str) -> Iterator[PostgresIndex]:
    with PostgresIndex(postgres, str(uuid.uuid4()), "/somewhere") as found:
        generation = Generation(found, "new")
        with generation.filling():
            pass
        generation.swap()
        found.upsert(
            "main", [entry(document(number), "main", f"{number}.jpg", "ab" * 32, "") for number in range(COUNT)]
        )
        yield found
        found.drop()


def told(index: PostgresIndex) -> tuple[list[int], list[tuple[Any, ...]]]:
    """Sizes in the codes of all, and the rows of half of the contents."""
    keys = np.frombuffer(b"".join(number.to_bytes(32, "little") for number in range(0, COUNT // 2, 2)), "V32")
    found = columns.columns(index, keys)
    return sorted(contents.codes(index).size.tolist()), sorted(found.twins(np.arange(len(found.size))), key=str)


@pytest.mark.parametrize("most", [1, 2, 1000])
def test_a_table_in_parts_gives_each_original_once(
    index: PostgresIndex, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = told(index)
    assert len(wanted[0]) == COUNT
    assert len(wanted[1]) == COUNT // 2
    monkeypatch.setattr(parts, "_FEW", 1)
    monkeypatch.setattr(parts, "_MOST", most)
    monkeypatch.setattr(columns, "_MANY", 0)
    asked: list[int] = []
    answers = parts._answers

    def counted(cursor: Any, query: Any, values: Any, some: Any) -> Any:
        asked.append(len(some))
        return answers(cursor, query, values, some)

    monkeypatch.setattr(parts, "_answers", counted)
    assert told(index) == wanted
    assert len(asked) == 4  # two connections for each question
    assert (sum(asked) > 4) == (most < 1000)


def test_what_is_put_in_meanwhile_is_in_no_part(index: PostgresIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_FEW", 1)
    another = PostgresIndex.another

    def later(self: PostgresIndex) -> PostgresIndex:
        with another(self) as writing:
            writing.upsert("main", [entry(document(COUNT), "main", f"{COUNT}.jpg", "ab" * 32, "")])
        return another(self)

    monkeypatch.setattr(PostgresIndex, "another", later)
    assert len(contents.codes(index).size) == COUNT
    monkeypatch.undo()
    assert len(contents.codes(index).size) == COUNT + 1


def test_texts_are_cut_where_they_end(index: PostgresIndex) -> None:
    names = ["\x1f\x1e", "a/\u00e9t\u00e9.jpg\x1f", "b/\U0001f431 cat.jpg"]
    index.upsert(
        "m\u00fcller",
        [entry(document(90 + 2 * at), "m\u00fcller", name, "ab" * 32, "") for at, name in enumerate(names)],
    )
    keys = np.frombuffer(b"".join((45 + at).to_bytes(32, "little") for at in range(3)), "V32")
    found = columns.columns(index, keys)
    rows = np.arange(len(found.size))
    assert sorted(found.path.some(rows)) == names
    assert set(found.source.some(rows)) == {"m\u00fcller"}
    asked = [key.tobytes().hex() for key in keys]
    assert sorted(found.twins(rows)) == sorted(twin._replace(parts=None) for twin in contents.twins(index, asked))


def test_of_many_contents_few_others_come_along(index: PostgresIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "_MANY", 0)
    beside = np.frombuffer((3).to_bytes(3, "little") + b"another".ljust(29), "V32")
    found = columns.columns(index, beside)
    assert sorted(found.path.some(np.arange(len(found.size)))) == ["6.jpg", "7.jpg"]


def test_keys_that_are_none_are_asked_for_too(index: PostgresIndex) -> None:
    assert columns.columns(index, np.empty(0, "V32")).sha256.tolist() == []
    assert list(contents.twins(index, ["ff" * 32])) == []
    assert np.all(contents.codes(index).size >= 1000)
