"""The audit read from its end gives what it gives from its start, turned round; and its export."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lumina_fs.audit import AUDIT, Line, read_audit, record
from lumina_fs.audit_csv import COLUMNS, export
from lumina_fs.catalog import Catalog
from lumina_fs.errors import Refused, WriteFailed
from lumina_fs.viewing import audit_lines
from lumina_fs.viewing.audit_lines import AuditLines, Wanted


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    (tmp_path / "library").mkdir()
    with Catalog.create(str(tmp_path / "library")) as opened:
        yield opened


def line(number: int, **more: Any) -> Line:
    when = f"2026-{1 + number % 11:02}-{1 + number // 11 % 28:02}T10:00:{number % 60:02}Z"
    return {"when": when, "what": ("moved", "trashed")[number % 2], "source": "main", "path": f"2026/{number}.jpg",
            "size": number, "sha256": f"{number:064x}", "plan": "p", "action": number, "by": "me", **more}  # fmt: skip


def found(catalog: Catalog, wanted: Wanted, some: int = 50) -> list[Line]:
    lines = AuditLines(wanted)
    while not lines.whole:
        lines.more(catalog, len(lines) + some)
    return lines.page(catalog, 0, len(lines))


@pytest.mark.parametrize("wanted", [
    Wanted(), Wanted(since="2026-03"), Wanted(until="2026-03-04"), Wanted(since="2026-02-02", until="2026-05"),
    Wanted(kinds=("moved",)), Wanted(about="12"), Wanted(about="Ö"), Wanted(kinds=("edited",)),
])  # fmt: skip
def test_from_the_end_are_the_same_lines_as_from_the_start(
    catalog: Catalog, wanted: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_lines, "_BLOCK", 1000)
    record(catalog, [line(number) for number in range(300)])
    record(catalog, [line(301, path="Ö/12.jpg", reason="x" * 5000), line(302, what="copied")])
    there = list(read_audit(catalog, since=wanted.since, until=wanted.until, kinds=wanted.kinds, entity=wanted.about))
    by_month: dict[str, list[Line]] = {}
    for one in there:
        by_month.setdefault(one["when"][:7], []).append(one)
    turned = [one for month in sorted(by_month, reverse=True) for one in reversed(by_month[month])]
    assert found(catalog, wanted) == turned


def test_what_was_told_twice_is_there_once_and_torn_lines_are_left_out(catalog: Catalog) -> None:
    record(catalog, [line(0), line(11), line(0)])
    with open(Path(catalog.path) / AUDIT / "2026-01.jsonl", "ab") as file:
        file.write(b'{"when": "2026-01-')
    assert sorted(one["action"] for one in found(catalog, Wanted())) == [0, 11]


#: What a person may have made of a field, and what is read of it.
EDITED: list[tuple[str, Any, Any]] = [
    ("to", "x", None), ("to", ["x"], None), ("to", 1, None), ("to", {"source": 1, "path": "y.jpg"}, {"path": "y.jpg"}),
    ("to", {"source": "main", "path": ["y.jpg"]}, {"source": "main"}), ("fields", [1], None), ("fields", "x", None),
    ("plan", ["p"], None), ("plan", {}, None), ("action", [1], None), ("action", True, None), ("action", {}, None),
    ("what", ["moved"], None), ("what", None, None), ("when", 2026, None), ("when", {}, None), ("path", 7, None),
    ("source", [], None), ("size", True, None), ("size", "x", None), ("sha256", {"x": 1}, None), ("by", [], None),
    ("more", [1], [1]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "read"), EDITED)
def test_a_field_that_a_person_made_nonsense_of_is_left_out_and_the_rest_of_the_line_holds(
    catalog: Catalog, name: str, value: Any, read: Any
) -> None:
    (Path(catalog.path) / AUDIT).mkdir()
    edited = line(0, **{name: value})
    texts = [json.dumps(one) for one in (line(11), edited, "text", [1], 7)]
    (Path(catalog.path) / AUDIT / "2026-01.jsonl").write_text("\n".join(texts) + "\n")
    wanted = {key: one for key, one in edited.items() if key != name} | ({} if read is None else {name: read})
    assert list(read_audit(catalog)) == [line(11), wanted]
    assert found(catalog, Wanted()) == [wanted, line(11)]
    for about in ("2026/0", "y.jpg"):
        there = list(read_audit(catalog, since="2026-01", kinds=("moved", "trashed"), entity=about))
        assert found(catalog, Wanted(since="2026-01", kinds=("moved", "trashed"), about=about)) == there[::-1]
    assert export(catalog, os.path.join(catalog.path, "audit.csv")) == 2


def test_what_no_reader_of_json_can_bear_is_left_out(catalog: Catalog) -> None:
    record(catalog, [line(0)])
    with open(Path(catalog.path) / AUDIT / "2026-01.jsonl", "a") as file:
        file.write("[" * 100_000 + '\n{"path": NaN}\n{"path": "\\ud800"}\n' + "1" * 5000 + "\n")
    assert list(read_audit(catalog)) == found(catalog, Wanted()) == [line(0)]


def test_without_an_audit_there_is_nothing(catalog: Catalog) -> None:
    assert found(catalog, Wanted()) == []


def test_the_newest_of_very_many_are_found_without_reading_the_rest(catalog: Catalog) -> None:
    (Path(catalog.path) / AUDIT).mkdir()
    text = b"\n".join(json.dumps(line(11 * number)).encode() for number in range(50_000)) + b"\n"
    (Path(catalog.path) / AUDIT / "2026-01.jsonl").write_bytes(text)
    lines = AuditLines(Wanted())
    lines.more(catalog, 1000)
    assert len(lines) >= 1000
    assert lines.looked_at < 5000
    assert not lines.whole
    assert lines.page(catalog, 0, 1)[0]["action"] == 11 * 49_999


def test_the_export_holds_the_lines_that_fit_and_never_replaces_a_file(catalog: Catalog, tmp_path: Path) -> None:
    record(catalog, [line(0), line(1, path="=cmd()"), line(2)])
    target = tmp_path / "audit.csv"
    assert export(catalog, str(target), kinds=("trashed",)) == 1
    rows = list(csv.reader(target.read_text().splitlines()))
    assert rows[0] == list(COLUMNS)
    assert rows[1][3] == "'=cmd()"
    before = target.read_bytes()
    with pytest.raises(Refused, match="is there already"):
        export(catalog, str(target))
    assert target.read_bytes() == before
    with pytest.raises(WriteFailed):
        export(catalog, str(tmp_path / "nowhere/audit.csv"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["audit.csv", "library"]


def test_a_page_asked_for_before_anything_was_looked_for_is_empty(catalog: Catalog) -> None:
    record(catalog, [line(number) for number in range(9)])
    lines = AuditLines(Wanted())
    assert lines.page(catalog, 0, 64) == []
    lines.more(catalog, 50)
    assert len(lines.page(catalog, 0, 64)) == len(lines) == 9
