"""Models of documents, their upgrades, their ids, and the schemas that are published of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any, Literal

import jsonschema  # type: ignore[import-untyped]
import pytest

from schemas import upgrade as chain
from schemas.catalog import Catalog
from schemas.checker import checker
from schemas.document import Document, load, new_id, validate
from schemas.errors import DocumentError, UnsupportedVersion
from schemas.files import file_name, published
from schemas.partial_date import first_instant, split_date
from schemas.plan import MAX_PLAN_BYTES, Plan
from schemas.publish import MODELS, generate, main
from schemas.sidecar import MACHINE_BLOCKS, Sidecar, tag_parts, taken_of
from schemas.source import Source
from schemas.text import MAX_BYTES, dump, parse
from schemas.upgrade import upgrade

REPOSITORY = Path(__file__).resolve().parents[2]
ID = "01890a5d-ac96-774b-bcce-b302099a8057"

CATALOG: dict[str, Any] = {
    "$schema": "schemas/catalog-v1.schema.json", "kind": "catalog", "version": 1, "id": ID, "name": "Photos",
    "managed": "sorted", "layout": "YYYY/MM", "settings": {"thumbnail": 256, "ignore": ["*.tmp"]},
    "schedules": [
        {"name": "nightly", "work": "scan", "arguments": {"sources": ["main"]}, "every": "1d", "at": "03:00",
         "created": "2024-02-29T12:00:00Z", "why": "quiet then"},
    ],
}  # fmt: skip
SOURCE: dict[str, Any] = {
    "kind": "source", "version": 1, "id": ID, "name": "card-2", "path": "bytes:/media/%FF", "mode": "copy",
    "managed": True, "sidecars": "catalog",
    "last_scan": {"finished": "2024-02-29T12:00:00Z", "originals": 3},
}  # fmt: skip
SIDECAR: dict[str, Any] = {
    "$schema": "../.lumina/schemas/sidecar-v1.schema.json", "kind": "sidecar", "version": 1, "id": ID,
    "curation": {
        "name": "Herons", "caption": "Two of them\nby the lake", "rating": 5, "label": "red", "pick": "pick",
        "date": "2019-07-14T12:31:05+02:00",
        "tags": ["birds/heron", {"category": "people", "value": "anna", "since": 2019}, "lake"],
        "rejected_tags": ["dog"], "related": {"similar": [ID], "mine": []},
        "metadata": {"print": {"size": [13, 18]}}, "x-mine": None,
    },
    "original": {
        "media": "video", "name": "bytes:caf%E9.mov", "size": 0, "mtime_ns": -1, "sha256": "0f" * 32, "format": "MOV",
        "width": 1920, "height": 1080, "duration": 3.5, "missing_since": "2024-02-29T12:00:00Z",
    },
    "origin": {"source": "main", "import": ID, "mode": "reference", "first_path": "a/b.mov"},
    "capture": {
        "taken": {"local": "2019-07-14T12:31:05", "offset": "+02:00", "source": "quicktime", "confidence": 90},
        "dates": [{"local": "2019", "source": "directory", "field": "2019", "confidence": 20, "raw": "2019"}],
        "date_flags": ["future"], "camera": {"make": "x", "model": "y", "serial": "1"}, "lens": {"model": "z"},
        "exposure": {"time": 0.004, "f_number": 2.8, "iso": 100, "bias": 0.0, "focal_length": 50.0,
                     "focal_length_35mm": 75.0, "flash": False, "program": "manual"},
        "gps": {"latitude": -90.0, "longitude": 180.0, "altitude": -3.5}, "orientation": 8, "reader": "ExifTool 13.50",
        "tags": {"XMP:Subject": ["a", 1, {"b": None}]}, "tags_left_out": {"count": 1, "names": ["MakerNote"]},
    },
    "text_caption": {"size": 5, "mtime_ns": 1, "sha256": "ab" * 32, "text": "heron", "written": "cd" * 32},
    "measurements": {"dhash": {"version": 1, "value": "00ff"}, "mine": {"version": 2, "value": {"a": [1.5]}}},
    "problems": [{"code": "truncated", "message": "only a part is there", "decoder": "x"}],
}  # fmt: skip
ORIGINAL: dict[str, Any] = {"source": "main", "path": "in/IMG_1.JPG", "size": 9, "sha256": "0f" * 32}
PLAN: dict[str, Any] = {
    "$schema": "../schemas/plan-v1.schema.json", "kind": "plan", "version": 1, "id": ID, "name": "By month",
    "description": "all of it", "created": "2024-02-29T12:00:00Z", "purpose": "organise",
    "strategy": {"name": "YYYY/MM", "fallback": "Unsorted"}, "rules": [{"if": "camera:canon", "to": "YYYY/MM"}],
    "on_failure": "roll_back", "on_collision": "rename", "undoes": ID,
    "actions": [
        {"do": "move", **ORIGINAL, "reason": "taken 2019-07", "warnings": ["the date is uncertain"],
         "companions": [
             {"part": "sidecar", "path": "in/IMG_1.JPG.lumina.json", "to": "2019/07/IMG_1.JPG.lumina.json"},
             {"part": "raw", "path": "in/IMG_1.CR2", "to": "2019/07/IMG_1.CR2", "size": 0, "sha256": "a0" * 32}],
         "to": {"source": "main", "path": "2019/07/IMG_1.JPG"}},
        {"do": "copy", **ORIGINAL, "to": {"source": "main", "path": "x.jpg"}, "x-mine": 1},
        {"do": "trash", **ORIGINAL, "reason": ""},
        {"do": "restore", **ORIGINAL, "trashed_by": ID},
        {"do": "skip", **ORIGINAL, "reason": "not this one", "proposed": {"do": "trash", "deep": [{"a": None}]}},
        {"do": "edit", **ORIGINAL, "fields": {
            "rating": {"before": None, "after": 5, "origins": [{"source": "main", "path": "b.jpg"}]}}},
    ],
}  # fmt: skip
APPROVAL: dict[str, Any] = {
    "$schema": "../schemas/approval-v1.schema.json", "kind": "approval", "version": 1, "id": ID, "plan": ID,
    "plan_sha256": "0f" * 32, "approved": "2024-02-29T12:00:00Z", "by": "anna@desk", "counts": {"move": 3}, "size": 27,
}  # fmt: skip
JOB: dict[str, Any] = {
    "$schema": "../schemas/job-v1.schema.json", "kind": "job", "version": 1, "id": ID, "work": "duplicates",
    "arguments": {"threshold": 5}, "state": "running", "attempts": 2, "created": "2024-02-29T12:00:00.000Z",
    "started": "2024-02-29T12:00:00.123Z", "ended": "2024-02-29T12:00:09.500Z",
    "process": {"pid": 4711, "host": "heron"}, "stage": "comparing pictures", "current": 25, "total": 100,
    "unit": "heaps", "percent": 25.0, "rate": 12.5, "seconds_left": 6.0, "message": "a note",
    "counts": {"added": 3, "problems": 1},
    "problems": [{"source": "main", "path": "bytes:caf%E9.jpg", "code": "corrupt_sidecar", "message": "no JSON",
                  "line": 3, "column": 7}],
    "changed": True, "result": {"groups": 2, "offline": []},
    "chain": {"id": ID, "position": 2, "steps": [{"work": "scan", "arguments": {}}, {"work": "duplicates"}]},
    "schedule": "nightly", "on_end": "on_job_end: mail failed with 1", "x-mine": [1],
}  # fmt: skip
VERDICT: dict[str, Any] = {
    "$schema": "../../schemas/verdict-v1.schema.json", "kind": "verdict", "version": 1, "id": ID, "sha256": "0f" * 32,
    "name": "in/IMG_1.JPG",
    "others": [
        {"sha256": "a0" * 32, "name": "b.jpg", "decision": "remove", "decided": "2024-02-29T12:00:00Z",
         "by": "anna@desk"},
        {"sha256": "0f" * 32, "name": "c.jpg", "decision": "keep_both", "keep": "in/IMG_1.JPG", "keep_source": "main",
         "decided": "2024-02-29T12:00:01Z", "by": "anna@desk, --reviewed", "x-mine": 1},
    ],
}  # fmt: skip
EXAMPLES = {
    "approval": APPROVAL, "catalog": CATALOG, "job": JOB, "plan": PLAN, "source": SOURCE, "sidecar": SIDECAR,
    "verdict": VERDICT,
}  # fmt: skip


# -- the published schemas


def test_the_published_schemas_are_those_of_the_models() -> None:
    assert main(["--check"]) == 0
    for kind in MODELS:
        assert published(kind) == generate(kind)
        assert json.loads(published(kind))["$id"] == file_name(kind) == f"{kind}-v1.schema.json"


@pytest.mark.parametrize("kind", MODELS)
def test_a_full_example_fits_its_model_and_its_schema(kind: str) -> None:
    schema = json.loads(published(kind))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(EXAMPLES[kind])
    model = load(dump(EXAMPLES[kind]), MODELS[kind])
    back = model.model_dump(by_alias=True, exclude_unset=True, mode="json")
    assert back == EXAMPLES[kind], "nothing is lost or changed on the way through the model"


@pytest.mark.parametrize("kind", MODELS)
def test_the_example_uses_every_field_of_its_kind(kind: str) -> None:
    fields = {field.alias or name for name, field in MODELS[kind].model_fields.items()}
    assert set(EXAMPLES[kind]) >= fields - {"$schema"}
    if kind == "sidecar":
        for block in ("curation", "original", "origin", "capture"):
            model = Sidecar.model_fields[block].annotation
            assert model is not None
            wanted = {field.alias or name for name, field in model.model_fields.items()}
            assert set(SIDECAR[block]) >= wanted
        assert set(MACHINE_BLOCKS) < set(SIDECAR)


def places(value: Any) -> list[tuple[Any, ...]]:
    """The way to every member and item of a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(key, *rest) for key, one in inner for rest in ((), *places(one))]


@pytest.mark.parametrize("kind", MODELS)
def test_schema_and_model_agree_on_what_is_wrong(kind: str) -> None:
    """Each value of the example in turn becomes one of another type: an editor warns where Lumina would refuse."""
    validator = jsonschema.Draft202012Validator(json.loads(published(kind)))
    for where in places(EXAMPLES[kind]):
        wrongs: list[Any] = [-7, "", "no", [], {}, None, True, 1.5]
        for wrong in wrongs:
            value = json.loads(json.dumps(EXAMPLES[kind]))
            holder = value
            for step in where[:-1]:
                holder = holder[step]
            holder[where[-1]] = wrong
            try:
                load(dump(value), MODELS[kind])
                fits = True
            except DocumentError:
                fits = False
            if where == ("curation", "date") and isinstance(wrong, str):
                assert not fits  # the schema says no more than that it is text
                continue
            assert fits == validator.is_valid(value), (where, wrong)


@pytest.mark.parametrize("kind", MODELS)
def test_the_check_without_a_model_refuses_what_the_model_refuses(kind: str) -> None:
    """Each value of the example in turn becomes another, or goes: so much for each limit that a model sets."""
    accepts = checker(MODELS[kind])
    assert accepts(EXAMPLES[kind])
    others: list[Any] = [
        -7,
        0,
        6,
        181,
        2**70,
        "",
        "no",
        "red",
        [],
        [1],
        {},
        {"value": ""},
        None,
        True,
        1.5,
        "2019-02-30",
    ]
    for where in places(EXAMPLES[kind]):
        for other in [*others, "gone", "beside"]:
            value = json.loads(json.dumps(EXAMPLES[kind]))
            holder = value
            for step in where[:-1]:
                holder = holder[step]
            if other == "gone":
                del holder[where[-1]]
            elif other == "beside" and isinstance(holder, dict):
                holder[f"{where[-1]}_"] = 1
            else:
                holder[where[-1]] = other
            try:
                validate(value, MODELS[kind])
            except DocumentError:
                assert not accepts(value), (where, other)
            else:
                assert accepts(value), (where, other)


# -- what is wrong, and where


@pytest.mark.parametrize(
    ("where", "wrong", "field", "reason"),
    [
        (["curation", "rating"], 6, "curation.rating", "less than or equal to 5"),
        (["curation", "rating"], "5", "curation.rating", "must be a valid integer"),
        (["curation", "rating"], 4.5, "curation.rating", "must be a valid integer"),
        (["curation", "label"], "rouge", "curation.label", "must be 'red', 'orange'"),
        (["curation", "date"], "14.07.2019", "curation.date", "must be a date like 2019"),
        (["curation", "date"], "2019-02-29", "curation.date", "no date of the calendar"),
        (["curation", "tags", 0], 2019, "curation.tags.0", 'must be text, or an object with "category" and "value"'),
        (["curation", "tags", 0], "", "curation.tags.0", 'must be text, or an object with "category" and "value"'),
        (["curation"], None, "curation", "must be an object, in braces"),
        (["curation", "tags"], "lake", "curation.tags", "must be a list, in brackets"),
        (["curation", "tags", 1, "value"], "", "curation.tags.1.value", "at least 1 character"),
        (["curation", "tags", 2], 7, "curation.tags.2", "must be"),
        (["curation", "related", "similar", 0], 1, "curation.related.similar.0", "must be a valid string"),
        (["original", "sha256"], "xyz", "original.sha256", "should match pattern"),
        (["original", "size"], -1, "original.size", "greater than or equal to 0"),
        (["capture", "gps", "latitude"], 91.0, "capture.gps.latitude", "less than or equal to 90"),
        (["measurements", "mine", "version"], 0, "measurements.mine.version", "greater than or equal to 1"),
        (["problems", 0], [], "problems.0", "must be an object, in braces"),
        (["id"], "1", "id", "should match pattern"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_an_error_names_line_column_and_field(
    where: list[str | int], wrong: Any, field: str, reason: str, newline: bytes
) -> None:
    value = json.loads(json.dumps(SIDECAR))
    holder = value
    for step in where[:-1]:
        holder = holder[step]
    holder[where[-1]] = wrong
    data = b"\xef\xbb\xbf" + dump(value).replace(b"\n", newline)
    with pytest.raises(DocumentError) as caught:
        load(data, Sidecar)
    assert caught.value.reason.startswith(f"{field}: ")
    assert reason in caught.value.reason
    line = data.decode("utf-8-sig").splitlines()[caught.value.line - 1]
    assert line[caught.value.column - 1 :].startswith(json.dumps(wrong)[:2])


@pytest.mark.parametrize(
    ("action", "wrong", "field", "reason", "at"),
    [
        (0, {"do": "mv"}, "actions.0.do", "must be 'move', 'copy'", '"mv"'),
        (0, {"do": None}, "actions.0.do", "must be", "null"),
        (2, {"size": -1}, "actions.2.size", "greater than or equal to 0", "-1"),
        (1, {"to": {"source": "main"}}, "actions.1.to.path", "is missing", "{"),
        (0, {"companions": [{"part": "tail", "path": "x"}]}, "actions.0.companions.0.part", "must be", '"tail"'),
        (5, {"fields": {}}, "actions.5.fields", "at least 1", "{}"),
    ],
)
def test_a_mistake_in_an_action_is_told_with_its_place(
    action: int, wrong: dict[str, Any], field: str, reason: str, at: str
) -> None:
    actions = [{**one, **wrong} if number == action else one for number, one in enumerate(PLAN["actions"])]
    data = dump({**PLAN, "actions": actions})
    with pytest.raises(DocumentError) as caught:
        load(data, Plan)
    assert caught.value.reason.startswith(f"{field}: ")
    assert reason in caught.value.reason
    assert data.decode().splitlines()[caught.value.line - 1][caught.value.column - 1 :].startswith(at)


def test_an_action_that_does_not_say_what_is_done_is_told_where_it_stands() -> None:
    action = {key: value for key, value in PLAN["actions"][2].items() if key != "do"}
    with pytest.raises(DocumentError, match=r"actions\.0: do is missing") as caught:
        load(dump({**PLAN, "actions": [action]}), Plan)
    assert caught.value.column == 5


def test_a_plan_may_be_larger_than_other_documents_but_not_endless() -> None:
    data = dump({**PLAN, "description": "x" * MAX_BYTES})
    assert load(data, Plan, MAX_PLAN_BYTES).name == "By month"
    with pytest.raises(DocumentError, match="larger than 16 MiB"):
        load(data, Plan)
    with pytest.raises(DocumentError, match="larger than 20 MiB"):
        load(data + b" " * (5 << 20), Plan, 20 << 20)


def test_actions_that_share_the_names_of_their_fields_stay_apart() -> None:
    one, other = load(dump({**PLAN, "actions": [PLAN["actions"][0]] * 2}), Plan).actions
    changed = other.model_copy(update={"reason": "x", "warnings": []})
    assert one.model_dump(exclude_unset=True) == other.model_dump(exclude_unset=True) == PLAN["actions"][0]
    assert changed.reason == "x"


def test_what_is_missing_is_told_where_it_should_stand() -> None:
    value = {**SIDECAR, "original": {k: v for k, v in SIDECAR["original"].items() if k != "format"}}
    data = dump(value)
    with pytest.raises(DocumentError, match=r"original\.format: is missing") as caught:
        load(data, Sidecar)
    assert data.decode().splitlines()[caught.value.line - 1] == '  "original": {'


def test_keys_that_nobody_knows_are_allowed_everywhere() -> None:
    def add(value: Any) -> Any:
        if isinstance(value, dict):
            return {"x-unknown": {"a": [1]}, **{key: add(inner) for key, inner in value.items()}}
        return [add(inner) for inner in value] if isinstance(value, list) else value

    value = add(SIDECAR)
    value["curation"]["related"].pop("x-unknown")  # every key of these has a meaning
    value["measurements"].pop("x-unknown")
    model = load(dump(value), Sidecar)
    assert model.model_dump(by_alias=True, exclude_unset=True, mode="json") == value


# -- tags and dates


def test_a_tag_is_the_same_in_both_forms() -> None:
    assert tag_parts("people/anna") == tag_parts({"category": "people", "value": "anna"}) == ("people", "anna")
    assert tag_parts("beach") == tag_parts({"value": "beach"}) == ("", "beach")
    assert tag_parts("places/italy/rome") == ("places", "italy/rome")
    assert tag_parts("odd/") == ("", "odd")


@pytest.mark.parametrize(
    ("text", "wall", "offset"),
    [
        ("2019", "2019", None),
        ("2019-07", "2019-07", None),
        ("2020-02-29", "2020-02-29", None),
        ("2019-07-14T12:31", "2019-07-14T12:31:00", None),
        ("2019-07-14 12:31:05.25", "2019-07-14T12:31:05.25", None),
        ("2019-07-14T12:31:05Z", "2019-07-14T12:31:05", "+00:00"),
        (" 2019-07-14T12:31:05-11:30 ", "2019-07-14T12:31:05", "-11:30"),
    ],
)
def test_a_date_is_as_exact_as_it_says(text: str, wall: str, offset: str | None) -> None:
    assert split_date(text) == (wall, offset)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?", first_instant(wall))


@pytest.mark.parametrize(
    "text",
    ["", "19", "2019-7", "2019-13", "2019-02-30", "0000", "2019-07-14T24:30", "2019-07-14T12", "2019T12:00",
     "2019-07-14T12:00+99:00", "2019-07-14T12:00:00+0200", "２０１９", "2019-07-14\n2"],
)  # fmt: skip
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        split_date(text)


def test_the_date_of_the_person_is_in_force_before_that_of_the_machine() -> None:
    taken = taken_of(SIDECAR)
    assert taken is not None
    assert (taken["local"], taken["offset"], taken["source"]) == ("2019-07-14T12:31:05", "+02:00", "manual")
    assert taken_of({**SIDECAR, "curation": {}}) == SIDECAR["capture"]["taken"]
    assert taken_of({"curation": None, "capture": {}}) is None


# -- upgrades


class Album(Document):
    """A kind of document that is made up here, at its third version."""

    kind: Literal["album"]
    version: Literal[3]
    title: str
    pages: list[str]


@pytest.fixture
def _albums(monkeypatch: pytest.MonkeyPatch) -> None:
    def second(value: dict[str, Any]) -> dict[str, Any]:
        return {("title" if key == "name" else key): inner for key, inner in {**value, "version": 2}.items()}

    def third(value: dict[str, Any]) -> dict[str, Any]:
        return {**value, "version": 3, "pages": value.get("pages", "").split()}

    monkeypatch.setitem(chain.CURRENT, "album", 3)
    monkeypatch.setitem(chain.STEPS, ("album", 1), second)
    monkeypatch.setitem(chain.STEPS, ("album", 2), third)


@pytest.mark.usefixtures("_albums")
def test_an_older_document_is_lifted_step_by_step_and_keeps_what_nobody_knows() -> None:
    old = {"kind": "album", "version": 1, "id": ID, "name": "x", "pages": "one two", "mine": [1]}
    before = json.dumps(old)
    new = {"kind": "album", "version": 3, "id": ID, "title": "x", "pages": ["one", "two"], "mine": [1]}
    assert upgrade(old) == new
    assert json.dumps(old) == before, "a step must not change its argument"
    assert upgrade({**old, "version": 2, "title": "x"})["pages"] == ["one", "two"]
    assert upgrade(new) is new
    assert load(dump(old), Album).title == "x"
    with pytest.raises(UnsupportedVersion, match=r"version 4 of an? album"):
        upgrade({**new, "version": 4})


@pytest.mark.parametrize("version", [None, 0, -1, 1.0, "1", True, [1]])
def test_a_version_is_a_whole_number(version: Any) -> None:
    with pytest.raises(DocumentError, match="version: must be a whole number"):
        upgrade({"kind": "catalog", "version": version})


@pytest.mark.parametrize("kind", [None, 1, "album", ["catalog"], {}])
def test_a_kind_is_one_that_is_known(kind: Any) -> None:
    with pytest.raises(DocumentError, match="kind: must be one of approval, catalog, job, plan, sidecar, source"):
        upgrade({"kind": kind, "version": 1})


def test_every_version_from_the_first_has_its_step() -> None:
    for kind, current in chain.CURRENT.items():
        assert kind in MODELS
        assert {number for name, number in chain.STEPS if name == kind} == set(range(1, current))
        version: Any = MODELS[kind].model_fields["version"].annotation
        assert version.__args__ == (current,)


def test_a_document_of_a_newer_program_is_told_apart_from_a_broken_one() -> None:
    with pytest.raises(UnsupportedVersion, match="update Lumina"):
        load(dump({**CATALOG, "version": 2}), Catalog)
    with pytest.raises(DocumentError) as caught:
        load(dump({**SOURCE, "name": "../x"}), Source)
    assert not isinstance(caught.value, UnsupportedVersion)


# -- ids


def test_an_id_is_a_uuid_of_version_7_of_this_moment() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid.UUID(new_id())
    after = time.time_ns() // 1_000_000
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert before <= made.int >> 80 <= after + 1
    Catalog.model_validate({**CATALOG, "id": str(made)})


def test_ids_increase_in_a_process_and_never_repeat() -> None:
    ids = [new_id() for _ in range(5000)]
    assert ids == sorted(set(ids))
    found: list[list[str]] = [[] for _ in range(4)]
    threads = [threading.Thread(target=lambda mine=mine: mine.extend(new_id() for _ in range(1000))) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one for mine in found for one in mine}) == 4000
    assert all(mine == sorted(mine) for mine in found)
    assert uuid.UUID(min(min(mine) for mine in found)).int > uuid.UUID(ids[-1]).int


def test_the_check_of_the_schemas_runs_as_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "schemas.publish", "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_document_is_read_the_same_from_any_layout() -> None:
    for kind, example in EXAMPLES.items():
        for text in (json.dumps(example), json.dumps(example, indent="\t").replace("\n", "\r\n")):
            assert parse(text.encode()) == parse(dump(example))
            load(text.encode(), MODELS[kind])
