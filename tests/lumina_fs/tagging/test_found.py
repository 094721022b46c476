"""What models saw is found by its own field and by words, is no tag of the person's, and gives way to the person."""

from __future__ import annotations

import json
import shlex
import threading
from typing import Any

import pytest

from index.entry import entry
from index.facets import facets
from index.tags import machine_tags, tags
from lumina_fs.answers import answering_index
from lumina_fs.catalog import Catalog
from lumina_fs.cli import main
from lumina_fs.rebuild import verify
from lumina_fs.tagging import models
from lumina_fs.viewing.detail import detail
from lumina_fs.viewing.query_text import completed
from schemas.sidecar import SeenTag, seen_tags
from tests.conftest import Library
from tests.lumina_fs.tagging.fakes import Tagging

TAGS = (("animals", "dog", 0.7), ("scene", "beach", 0.4))
OBJECTS = (("dog", 2, 0.9),)


def seen(*rejected: Any) -> list[tuple[str, str]]:
    tags = [dict(zip(("category", "value", "confidence"), one, strict=True)) for one in TAGS]
    objects = [dict(zip(("value", "count", "confidence"), one, strict=True)) for one in OBJECTS]
    measurements = {"clip_tags": {"version": 1, "tags": tags}, "objects": {"version": 1, "objects": objects}}
    return [tag[:2] for tag in seen_tags({"measurements": measurements, "curation": {"rejected_tags": list(rejected)}})]


def test_tags_and_objects_are_one_list_the_surest_first() -> None:
    assert seen() == [("objects", "dog"), ("animals", "dog"), ("scene", "beach")]
    assert seen_tags({}) == []
    assert seen_tags({"measurements": {"clip_tags": {"version": 1}, "objects": {"version": 1, "objects": None}}}) == []


@pytest.mark.parametrize(
    ("rejected", "left"),
    [("dog", ["beach"]), ("Dog", ["beach"]), ("animals/dog", ["dog", "beach"]), ("objects/dog", ["dog", "beach"]),
     ("scene", ["dog", "dog", "beach"]), ({"category": "scene", "value": "beach"}, ["dog", "dog"])],
)  # fmt: skip
def test_a_rejected_tag_is_seen_no_more(rejected: Any, left: list[str]) -> None:
    assert [value for _, value in seen(rejected)] == left


def test_the_times_of_an_object_are_told() -> None:
    doc = {"measurements": {"objects": {"version": 1, "objects": [{"value": "cup", "confidence": 0.5, "boxes": []}]}}}
    assert seen_tags(doc) == [SeenTag("objects", "cup", 0.5, 1)]


def test_queries_find_what_was_seen_apart_from_the_person_s_tags(tagging: Tagging) -> None:
    tagging.run()
    library = tagging.library
    library.curate("a/red.jpg", tags=["green", "colours/blue"])
    library.scan()
    assert sorted(library.search("auto:red")) == ["a/red.jpg", "b/red too.jpg"]
    assert library.search("auto:green") == library.search("auto:colours/green") == ["a/green.jpg"]
    assert library.search("tag:green") == ["a/red.jpg"]
    assert library.search("tag:colours/green") == library.search("auto:other/green") == []
    assert library.search("-auto:red") == ["a/green.jpg"]
    assert library.search("auto:gre*") == library.search("auto:objects/cow") == ["a/green.jpg"]
    assert sorted(library.search("colours")) == ["a/green.jpg", "a/red.jpg", "b/red too.jpg"]  # words of the search
    assert library.search("-has:auto") == []


def test_a_rejected_tag_is_found_no_more_wherever_it_comes_from(tagging: Tagging) -> None:
    tagging.run()
    library = tagging.library
    library.curate("b/red too.jpg", rejected_tags=["red"])
    library.scan()
    assert library.search("auto:red") == ["a/red.jpg"]
    assert library.search("-has:auto") == ["b/red too.jpg"]
    tagging.run(again=True)
    assert library.search("auto:red") == ["a/red.jpg"]
    with Catalog.open(str(library.root)) as catalog:
        *_, last = verify(catalog, cancel=threading.Event())
        assert last.result.equal  # type: ignore[union-attr]
        told = detail(catalog, "main", "b/red too.jpg")
        assert "Seen by the machine" not in [section.title for section in told.sections]


def test_what_was_seen_is_counted_and_completed(tagging: Tagging) -> None:
    tagging.run()
    tagging.library.curate("a/green.jpg", tags=["mine"])
    tagging.library.scan()
    with (
        Catalog.open(str(tagging.library.root)) as catalog,
        answering_index(
            catalog, show=lambda event: None, may_rebuild=lambda why: True, cancel=threading.Event()
        ) as index,
    ):
        assert [tuple(count) for count in machine_tags(index)] == [
            ("colours", "green", 1), ("colours", "red", 2), ("objects", "cow", 1),
        ]  # fmt: skip
        assert [tuple(count) for count in tags(index)] == [("", "mine", 1)]
        choices = facets(index)
    assert choices["auto"] == {"colours/red": 2, "colours/green": 1, "objects/cow": 1}
    assert completed("auto:c", choices)[0] == "auto:colours/red"
    assert completed("beach -auto:co", choices)[:2] == ["beach -auto:colours/red", "beach -auto:colours/green"]
    assert completed("beach au", choices) == ["beach auto:"]


def test_a_row_says_nothing_of_machines_where_nothing_was_seen(library: Library) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    plain = entry(library.value("a.jpg"), "main", "a.jpg", "00" * 32, "")
    assert b"auto" not in plain.line


# -- what is shown


def test_show_tells_what_was_seen_with_confidences(
    tagging: Tagging, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tagging.run()
    monkeypatch.chdir(tagging.library.root)
    assert main(["show", "a/green.jpg"]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("seen by the machine")]
    assert line.split("  ", 1)[1].strip() == "colours/green 100 %, 2 objects/cow 81 %"
    tagging.library.curate("a/green.jpg", rejected_tags=["cow"])
    assert main(["show", "a/green.jpg"]) == 0
    assert "cow 81" not in capsys.readouterr().out


def test_the_detail_has_a_section_of_it(tagging: Tagging) -> None:
    tagging.run()
    with Catalog.open(str(tagging.library.root)) as catalog:
        told = {section.title: section.facts for section in detail(catalog, "main", "a/green.jpg").sections}
    assert [tuple(fact)[:2] for fact in told["Seen by the machine"]] == [
        ("100 %", "colours/green"), ("81 %", "objects/cow, 2 times"),
    ]  # fmt: skip


# -- the command


@pytest.fixture
def command(tagging: Tagging, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.chdir(tagging.library.root)
    monkeypatch.setattr(models, "ModelProcess", tagging.models)

    def run(line: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(shlex.split(line))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_the_command_tags_all_or_some_and_tells_it_as_json(tagging: Tagging, command: Any) -> None:
    code, out, _ = command("tag a/green.jpg --objects --json")
    told = json.loads(out)
    assert (code, told["photos"], told["tagged"]) == (0, 1, 1)
    assert "clip_tags" not in tagging.library.value("a/green.jpg")["measurements"]
    code, out, _ = command("tag --query path:b --clip --json --quiet")
    assert (code, json.loads(out)["tagged"]) == (0, 1)
    code, out, _ = command("tag")
    assert code == 0
    assert "3 photos to look at" in out
    assert "3 tagged" in out
    code, out, _ = command("tag --quiet")
    assert "3 seen before" in out
    code, _, err = command("tag --query rating:x")
    assert code == 2
    assert "the query:" in err


def test_the_command_leaves_a_record_and_a_second_run_none(tagging: Tagging, command: Any) -> None:
    command("tag --quiet")
    tree = tagging.library.tree()
    assert command("tag --quiet")[0] == 0
    assert tagging.library.tree() == tree
    [one] = [json.loads(line) for line in command("jobs list --json")[1].splitlines()]
    assert (one["work"], one["state"], one["result"]["tagged"]) == ("tag", "success", 3)
    assert one["counts"] == {"tagged": 3}


def test_a_failed_run_is_retried_and_a_schedule_runs_it(tagging: Tagging, command: Any) -> None:
    tagging.models.absent = "no weights here"
    code, _, err = command("tag a/red.jpg --quiet")
    assert (code, "no weights here" in err) == (1, True)
    [one] = [json.loads(line) for line in command("jobs list --json")[1].splitlines()]
    assert (one["state"], one["arguments"]["photos"]) == ("failure", [["main", "a/red.jpg"]])
    tagging.models.absent = ""
    assert command(f"jobs retry {one['id']}")[0] == 0
    assert tagging.tags("a/red.jpg") == [("colours", "red")]
    assert "clip_tags" not in tagging.library.value("a/green.jpg")["measurements"]
    assert command("jobs schedule tag --every 1d")[0] == 0
    assert command("jobs run-due")[0] == 0
    assert tagging.tags("a/green.jpg") == [("colours", "green")]


def test_analyze_tags_as_its_third_step_or_says_why_not(tagging: Tagging, command: Any) -> None:
    tagging.models.absent = "no weights here"
    code, out, err = command("analyze")
    assert code == 0
    assert "tagging is passed over: no weights here" in err
    assert "tag: passed over: no weights here" in out
    tagging.models.absent = ""
    code, out, _ = command("analyze --json --quiet")
    steps = json.loads(out)["steps"]
    assert list(steps) == ["scan", "duplicates", "tag"]
    assert steps["tag"]["tagged"] == 3
    assert tagging.models.fetch is False  # a chain fetches nothing


def test_doctor_tells_of_the_extra_and_of_the_models(tagging: Tagging, command: Any) -> None:
    tagging.settings(clip_model="RN50")
    found = {one["what"]: one for one in map(json.loads, command("doctor --json")[1].splitlines())}
    assert "CLIP RN50 laion2b_s34b_b79k, YOLO yolo11n.pt (catalog library)" in found["models"]["detail"]
    assert {"torch", "open-clip-torch", "ultralytics"} <= set(found)
