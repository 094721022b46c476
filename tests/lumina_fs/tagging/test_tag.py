"""The job: who lacks an answer gets it, once; what people and other programs do meanwhile stays."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image

from lumina_fs.catalog import Catalog
from lumina_fs.durable import SOURCE_MARK
from lumina_fs.errors import SettingsError, ToolMissing
from lumina_fs.jobs.records import list_records
from lumina_fs.progress import Note, Trouble
from lumina_fs.rebuild import verify
from lumina_fs.tagging.run import tag
from lumina_fs.tagging.vectors import CACHE
from lumina_fs.tagging.wishes import CLIP, OBJECTS
from tests.conftest import REPOSITORY, Library
from tests.lumina_fs.tagging.fakes import Tagging
from tests.lumina_fs.tagging.tiny_models import COLOURS


def test_every_photo_is_looked_at_once_and_its_sidecar_says_what_was_seen(tagging: Tagging) -> None:
    result = tagging.run()
    assert (result.photos, result.tagged, result.current, result.index) == (3, 3, 0, "current")
    assert len(tagging.models.looks) == 2  # equal files are one picture
    assert tagging.tags("a/red.jpg") == tagging.tags("b/red too.jpg") == [("colours", "red")]
    found = tagging.library.value("a/green.jpg")["measurements"]
    assert found["clip_tags"]["tags"] == [{"category": "colours", "value": "green", "confidence": 1.0}]
    assert found["clip_tags"]["model"] == "ViT-B-32 laion2b_s34b_b79k"
    assert found["objects"] == {
        "version": 1, "model": "yolo11n.pt", "least": 0.35,
        "objects": [{"value": "cow", "count": 2, "confidence": 0.812,
                     "boxes": [[0.1, 0.2, 0.3, 0.4], [0.5, 0.5, 0.25, 0.25]]}],
    }  # fmt: skip
    assert found["dhash"]
    assert found["quality"]


def test_a_second_run_and_a_scan_after_it_change_nothing(tagging: Tagging) -> None:
    tagging.run()
    before = tagging.library.tree()
    result = tagging.run()
    assert (result.photos, result.tagged, result.current) == (0, 0, 3)
    assert tagging.models.looks == []
    scanned = tagging.library.scan()
    assert (scanned.unchanged, scanned.updated) == (3, 0)
    assert tagging.library.tree() == before


def test_one_measurer_leaves_the_answer_of_the_other(tagging: Tagging) -> None:
    tagging.run(measurers=[OBJECTS])
    found = tagging.library.value("a/red.jpg")["measurements"]
    assert found["objects"]["objects"] == []
    assert "clip_tags" not in found
    assert tagging.models.asked_texts == 0
    tagging.run(measurers=[CLIP])
    found = tagging.library.value("a/green.jpg")["measurements"]
    assert found["objects"]["objects"][0]["value"] == "cow"
    assert found["clip_tags"]["tags"]


def test_only_the_photos_that_are_named_are_looked_at(tagging: Tagging) -> None:
    result = tagging.run(photos=[("main", "a/green.jpg"), ("main", "a/not there.jpg")])
    assert (result.tagged, result.problems) == (1, 1)
    [trouble] = [event for event in tagging.events if isinstance(event, Trouble)]
    assert "no sidecar" in trouble.message
    assert "clip_tags" not in tagging.library.value("a/red.jpg")["measurements"]


def test_another_vocabulary_or_threshold_needs_no_picture(tagging: Tagging) -> None:
    tagging.run(measurers=[CLIP])
    tagging.words("others.json", categories={"shades": {"words": [{"value": "rouge", "prompt": "red"}, "blue"]}})
    result = tagging.run(measurers=[CLIP])
    assert result.tagged == 3
    assert tagging.models.looks == []
    assert tagging.tags("a/red.jpg") == [("shades", "rouge")]
    assert tagging.tags("a/green.jpg") == []
    tagging.settings(clip_threshold=0.999999)
    assert tagging.run(measurers=[CLIP]).photos == 3
    assert tagging.models.looks == []
    shutil.rmtree(tagging.library.root / CACHE)  # it may be deleted
    tagging.settings(clip_threshold=0.5)
    assert tagging.run(measurers=[CLIP]).tagged == 3
    assert len(tagging.models.looks) == 2


def test_lost_vectors_are_worked_out_again_only_when_asked_for(tagging: Tagging) -> None:
    tagging.run()
    folder = tagging.library.root / CACHE
    kept = sorted(path.name for path in folder.rglob("*.keys"))
    assert len(kept) == 1
    shutil.rmtree(folder)
    assert tagging.run().photos == 0
    assert not folder.exists()
    result = tagging.run(again=True)
    assert (result.photos, result.tagged) == (3, 0)
    assert len(list(folder.rglob("*.keys"))) == 1


def test_other_weights_measure_again(tagging: Tagging, tmp_path: Path) -> None:
    weights = tmp_path / "mine.pt"
    weights.write_bytes(b"one")
    tagging.settings(objects_model=str(weights))
    tagging.run()
    model = tagging.library.value("a/red.jpg")["measurements"]["objects"]["model"]
    assert model.startswith("mine.pt@")
    assert tagging.run().photos == 0
    weights.write_bytes(b"two")
    assert tagging.run().tagged == 3
    assert tagging.library.value("a/red.jpg")["measurements"]["objects"]["model"] != model


def test_a_hand_edit_that_comes_in_between_stays(tagging: Tagging) -> None:
    edited: list[bytes] = []

    def edit() -> None:
        if not edited:
            edited.append(tagging.library.curate("a/green.jpg", caption="mine", tags=["people/anna"]))

    tagging.models.meanwhile = edit
    tagging.run()
    value = tagging.library.value("a/green.jpg")
    assert value["curation"] == {"caption": "mine", "tags": ["people/anna"]}
    assert value["measurements"]["clip_tags"]["tags"]
    assert b'\n    "curation": {' in tagging.library.sidecar("a/green.jpg").read_bytes()  # its form stays too
    assert tagging.library.search("mine auto:green") == ["a/green.jpg"]


def test_a_sidecar_that_is_about_other_content_by_now_gets_nothing(tagging: Tagging) -> None:
    def replace() -> None:
        value = tagging.library.value("a/green.jpg")
        value["original"]["sha256"] = "0" * 64
        tagging.library.sidecar("a/green.jpg").write_text(json.dumps(value))

    tagging.models.meanwhile = replace
    result = tagging.run()
    assert result.tagged == 2
    assert "clip_tags" not in tagging.library.value("a/green.jpg")["measurements"]


def test_other_content_under_the_name_drops_what_was_seen(tagging: Tagging) -> None:
    tagging.run()
    tagging.colour("a/red.jpg", "blue", (200, 100))
    tagging.library.scan()
    assert "clip_tags" not in tagging.library.value("a/red.jpg")["measurements"]
    assert tagging.run().tagged == 1
    assert tagging.tags("a/red.jpg") == [("colours", "blue")]


def test_other_measurers_that_run_again_keep_what_was_seen(tagging: Tagging, monkeypatch: pytest.MonkeyPatch) -> None:
    tagging.run()
    for path in ("a/red.jpg", "a/green.jpg", "b/red too.jpg"):
        value = tagging.library.value(path)
        value["measurements"]["dhash"]["version"] = 99
        tagging.library.sidecar(path).write_text(json.dumps(value))
    assert tagging.library.scan().updated == 3
    found = tagging.library.value("a/green.jpg")["measurements"]
    assert found["dhash"]["version"] == 1
    assert found["clip_tags"]["tags"][0]["value"] == "green"
    assert tagging.run().photos == 0


def test_what_was_stopped_goes_on(tagging: Tagging) -> None:
    cancel = threading.Event()
    tagging.models.meanwhile = lambda: cancel.set() if len(tagging.models.looks) == 2 else None
    tagging.settings(model_batch=1)
    result = tagging.run(cancel=cancel)
    assert result.cancelled
    assert 1 <= result.tagged < 3
    tagging.models.meanwhile = None
    rest = tagging.run()
    assert (rest.current, rest.tagged) == (result.tagged, 3 - result.tagged)


def test_what_cannot_be_decoded_is_passed_over_with_a_count(tagging: Tagging) -> None:
    (tagging.library.root / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"\0" * 300)
    (tagging.library.root / "empty.jpg").write_bytes(b"")
    tagging.library.scan()
    result = tagging.run()
    assert (result.tagged, result.undecodable, result.problems) == (3, 2, 0)


def test_a_photo_that_is_gone_or_changed_since_the_scan_is_told(tagging: Tagging) -> None:
    os.unlink(tagging.library.root / "a/green.jpg")
    result = tagging.run()
    assert (result.tagged, result.undecodable, result.problems) == (2, 1, 1)


def test_thumbnails_that_are_there_spare_the_originals(tagging: Tagging) -> None:
    from lumina_fs.thumbnails import make

    with Catalog.open(str(tagging.library.root)) as catalog:
        [source] = catalog.sources()
        paths = ["a/red.jpg", "a/green.jpg", "b/red too.jpg"]
        list(make(catalog, [(source, path) for path in paths], 1024, cancel=threading.Event()))
    for path in paths:
        os.unlink(tagging.library.root / path)
    assert tagging.run().tagged == 3


def test_the_index_equals_the_files_after_it(tagging: Tagging) -> None:
    tagging.run()
    assert tagging.library.search("auto:cow") == ["a/green.jpg"]
    with Catalog.open(str(tagging.library.root)) as catalog:
        *_, last = verify(catalog, cancel=threading.Event())
    assert last.result.equal  # type: ignore[union-attr]


def test_without_an_index_files_are_written_all_the_same(tagging: Tagging, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMINA_DATABASE_URL", "host=/nowhere-at-all dbname=x connect_timeout=2")
    result = tagging.run()
    assert (result.tagged, result.index) == (3, "behind")
    monkeypatch.delenv("LUMINA_DATABASE_URL")
    assert sorted(tagging.library.search("auto:red")) == ["a/red.jpg", "b/red too.jpg"]


def test_a_model_that_cannot_be_had_is_an_error_or_passed_over(tagging: Tagging) -> None:
    tagging.models.absent = "the weights are not on this machine"
    before = tagging.library.tree()
    with pytest.raises(ToolMissing, match="not on this machine"):
        tagging.run()
    assert tagging.models.fetch is True
    result = tagging.run(optional=True)
    assert tagging.models.fetch is False
    assert "not on this machine" in result.passed_over
    assert [event.text for event in tagging.events if isinstance(event, Note)] == [
        "tagging is passed over: the weights are not on this machine"
    ]
    assert tagging.library.tree() == before


def test_without_the_extra_the_error_says_how_to_get_it(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with Catalog.open(str(library.root)) as catalog:
        with pytest.raises(ToolMissing, match=r'pip install "lumina-fs\[ai\]"'):
            list(tag(catalog, cancel=threading.Event()))
        [note, last] = tag(catalog, cancel=threading.Event(), optional=True)
        assert isinstance(note, Note)
        assert "lumina-fs[ai]" in note.text
        assert last.result.passed_over  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"clip_weights": "./nowhere.safetensors"}, "no such file"), ({"objects_model": "~/no/such.pt"}, "no such file"),
     ({"clip_vocabulary": "no such.json"}, "cannot be read"), ({"clip_model": " "}, "it is empty")],
)  # fmt: skip
def test_settings_that_name_nothing_are_told(tagging: Tagging, settings: dict[str, str], message: str) -> None:
    tagging.settings(**settings)
    with pytest.raises(SettingsError, match=message):
        tagging.run()


def test_a_stranger_s_catalog_names_no_files_of_models(tagging: Tagging, tmp_path: Path) -> None:
    weights = tmp_path / "mine.pt"
    weights.write_bytes(b"one")
    tagging.settings(objects_model=str(weights))
    (tagging.library.root / ".lumina" / "catalog.json").chmod(0o666)
    with pytest.raises(SettingsError, match="stranger"):
        tagging.run()


def test_sidecars_that_lie_elsewhere_are_tagged_too(tagging: Tagging, tmp_path: Path) -> None:
    card = tmp_path / "card"
    card.mkdir()
    long = "b" * 240 + ".jpg"
    Image.new("RGB", (60, 60), COLOURS["blue"]).save(card / long)
    with Catalog.open(str(tagging.library.root)) as catalog:
        catalog.add_source(str(card), name="card", sidecars="catalog")
    tagging.library.scan()
    assert tagging.run().tagged == 4
    assert tagging.library.search("auto:blue") == [long]
    assert [path.name for path in card.iterdir() if path.name.endswith(".json") and path.name != SOURCE_MARK] == []
    assert tagging.library.scan().unchanged == 4


#: Tags slowly, and says when it has begun to write.
WORKER = """
import sys, threading, time
from lumina_fs.catalog import Catalog
from lumina_fs.jobs.kinds import start
from lumina_fs.jobs.running import run
from lumina_fs.progress import Ingested
from lumina_fs.tagging import models, writing
from tests.lumina_fs.tagging.fakes import FakeModels
fake = models.ModelProcess = FakeModels()
fake.meanwhile = lambda: time.sleep(0.1)
writing._BATCH = 2
cancel = threading.Event()
with Catalog.open(sys.argv[1]) as catalog:
    started = start(catalog, "tag", {}, cancel)
    for event in run(catalog, started.work, started.events, cancel=cancel):
        if isinstance(event, Ingested):
            print("tagged", flush=True)
"""


def test_a_killed_run_leaves_everything_valid_and_its_record_goes_on(tagging: Tagging) -> None:
    for number in range(24):
        tagging.colour(f"many/{number}.jpg", "green", (60 + number, 60))
    tagging.library.scan()
    command = [sys.executable, "-c", WORKER, str(tagging.library.root)]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "tagged\n"
    process.kill()
    process.communicate()
    done = sum("clip_tags" in tagging.library.value(f"many/{at}.jpg")["measurements"] for at in range(24))
    assert done < 24
    with Catalog.open(str(tagging.library.root)) as catalog:
        [killed] = list_records(catalog.root)[0]
        assert (killed.job.work, killed.state) == ("tag", "interrupted")
    assert subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True).returncode == 0
    with Catalog.open(str(tagging.library.root)) as catalog:
        [again] = list_records(catalog.root)[0]
        assert (again.id, again.state, again.job.attempts) == (killed.id, "success", 2)
        assert again.job.result is not None
        assert again.job.result["current"] == 27 - again.job.counts["tagged"] > 0
    assert len(tagging.library.search("auto:green")) == 25
    with Catalog.open(str(tagging.library.root)) as catalog:
        *_, last = verify(catalog, cancel=threading.Event())
    assert last.result.equal  # type: ignore[union-attr]


def test_the_colours_of_the_fakes_are_told_apart() -> None:
    assert len({max(range(3), key=colour.__getitem__) for colour in COLOURS.values()}) == 3
