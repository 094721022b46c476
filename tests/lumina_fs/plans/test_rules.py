"""Files of rules: the first that fits decides, and a mistake is told with line and column."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lumina_fs.errors import CorruptDocument
from lumina_fs.plans.rules import described, read_rules
from tests.lumina_fs.plans.made import moves, plan_of

if TYPE_CHECKING:
    from tests.conftest import Library

RULES: list[dict[str, Any]] = [
    {"if": "camera:canon date:2019", "to": "Canon/YYYY", "name": "{date}_{name}"},
    {"if": "tag:anna OR rating:5", "to": ["{Category}/{Tag}/YYYY", "Best/YYYY"]},
]


def write(path: Path, value: Any) -> str:
    (path / "rules.json").write_text(value if isinstance(value, str) else json.dumps(value, indent=1))
    return str(path / "rules.json")


def test_a_list_of_rules_is_read_and_described_as_it_was_written(tmp_path: Path) -> None:
    strategy = read_rules(write(tmp_path, RULES))
    assert described(strategy) == RULES
    assert strategy.fallback == "Unsorted"
    assert read_rules(write(tmp_path, {"rules": RULES, "fallback": None})).fallback is None
    assert read_rules(write(tmp_path, {"rules": RULES, "fallback": "Rest/of it"})).fallback == "Rest/of it"
    assert strategy.conditions("a OR b") == [
        "(a OR b) (camera:canon date:2019)", "(a OR b) (tag:anna OR rating:5)", "(a OR b)",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "reason", "line", "column"),
    [
        ("[]", "list of rules is missing", 1, 1),
        ("{}", "list of rules is missing", 1, 1),
        ("7", "list of rules", 1, 1),
        ('[\n {"to": "YYYY",}]', "expected a key", 2, 16),
        ('[{"if": "x"}]', "to: is missing", 1, 2),
        ('[{"to": "{kamera}"}]', "did you mean {camera}", 1, 9),
        ('[{"to": 7}]', "to: must be text", 1, 9),
        ('[{"to": []}]', "template or a list", 1, 9),
        ('[{"to": "Y", "name": "a/b"}]', "no folders", 1, 22),
        ('[{"to": "Y",\n"if": "kamera:x"}]', "did you mean camera:", 2, 7),
        ('[{"when": "x"}]', "no 'when' in a rule", 1, 11),
        ('[{"if": ") OR (", "to": "Y"}]', "is missing here", 1, 9),
        ("[7]", "a rule looks like", 1, 2),
        ('{"rules": [{"to": "Y"}], "fallback": 1}', "fallback: must be", 1, 38),
        ("\xff", "", 1, 1),
        ('{"rules": [{"to": "Y"}], "x": 1}', "no 'x' here", 1, 31),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, reason: str, line: int, column: int) -> None:
    with pytest.raises(CorruptDocument) as caught:
        read_rules(write(tmp_path, text))
    assert reason in str(caught.value)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_rules_ask_the_index_in_the_language_of_search(library: Library, tmp_path: Path) -> None:
    from lumina_fs.answers import answering_index
    from lumina_fs.catalog import Catalog
    from lumina_fs.plans.propose import Request, propose

    day = "2019:07:14 12:31:05"
    library.photo("in/canon.jpg", 1, Make="Canon", Model="EOS", DateTimeOriginal=day)
    library.photo("in/best.jpg", 2, Make="Canon", Model="EOS", DateTimeOriginal=day)
    library.photo("in/anna.jpg", 3, DateTimeOriginal="2020:01:01 12:31:05")
    library.photo("other/none.jpg", 4, DateTimeOriginal="2021:01:01 12:31:05")
    library.scan()
    library.curate("in/anna.jpg", tags=["people/anna"])
    library.curate("in/best.jpg", rating=5, date="2022")
    library.scan()
    with Catalog.open(str(library.root)) as catalog:
        catalog.set_source("main", managed=True)
        with answering_index(
            catalog, show=lambda event: None, may_rebuild=lambda why: True, cancel=threading.Event()
        ) as index:
            strategy = read_rules(write(tmp_path, RULES))
            found = moves(plan_of(propose(catalog, index, Request(strategy))))
            some = moves(plan_of(propose(catalog, index, Request(strategy, query="path:in name:anna*"))))
    assert {old: new for old, new in found.items() if old.endswith("jpg")} == {
        "in/canon.jpg": "Canon/2019/2019-07-14_canon.jpg", "in/best.jpg": "Best/2022/best.jpg",
        "in/anna.jpg": "People/Anna/2020/anna.jpg", "other/none.jpg": "Unsorted/none.jpg",
    }  # fmt: skip
    assert some == {f"in/anna.jpg{end}": f"People/Anna/2020/anna.jpg{end}" for end in ("", ".lumina.json")}
