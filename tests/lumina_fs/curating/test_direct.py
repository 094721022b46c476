"""One sidecar changed at once: what somebody else wrote meanwhile is kept, or told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from index.protocol import TagCount
from lumina_fs.catalog import Catalog
from lumina_fs.curating.direct import (
    Clash,
    Done,
    Version,
    Wish,
    change_curation,
    read_curation,
    save_curation,
    save_curations,
)
from lumina_fs.curating.tags import all_tags, tag_changes
from lumina_fs.errors import CorruptDocument, UsageError
from lumina_fs.index_session import BEHIND, connect, exclusive
from tests.conftest import Library
from tests.lumina_fs.plans.scenes import NO_INDEX


@pytest.fixture
def own(library: Library) -> Library:
    library.photo("a.jpg", 1)
    library.photo("b.jpg", 2)
    library.scan()
    return library


def save(library: Library, wished: dict[str, Any], seen: Version | None = None) -> Done | Clash:
    with Catalog.open(str(library.root)) as catalog:
        return save_curation(catalog, "main", "a.jpg", wished, seen=seen or read(library))


def read(library: Library) -> Version:
    with Catalog.open(str(library.root)) as catalog:
        return read_curation(catalog, "main", "a.jpg")


def versions(library: Library) -> list[dict[str, Any]]:
    id_ = library.value("a.jpg")["id"]
    with Catalog.open(str(library.root)) as catalog:
        from lumina_fs.history import History

        return [version.curation for version in History(catalog.disk, catalog.root, "main").of(id_)]


def test_a_change_is_on_the_disk_and_found_at_once(own: Library) -> None:
    done = save(own, {"caption": "Two herons", "tags": ["birds/heron"]})
    assert isinstance(done, Done)
    assert (done.wrote, done.index, done.joined) == (True, "current", ())
    assert done.version == read(own)
    assert own.search("herons tag:birds/heron") == ["a.jpg"]
    assert not (own.root / BEHIND).exists()
    before = own.sidecar("a.jpg").read_bytes()
    again = save(own, {"caption": "Two herons", "tags": ["birds/heron"]})
    assert isinstance(again, Done)
    assert not again.wrote
    assert own.sidecar("a.jpg").read_bytes() == before
    assert own.scan().updated == 0


def test_other_fields_that_somebody_changed_meanwhile_are_joined(own: Library) -> None:
    seen = read(own)
    own.curate("a.jpg", rating=5, tags=["x"])
    done = save(own, {"caption": "mine", "tags": ["y"]}, seen)
    assert isinstance(done, Done)
    assert own.value("a.jpg")["curation"] == {"caption": "mine", "rating": 5, "tags": ["x", "y"]}
    assert set(done.joined) == {"rating", "tags"}
    assert versions(own) == [{"rating": 5, "tags": ["x"]}]


def test_the_same_field_is_a_clash_that_writes_nothing_until_somebody_decides(own: Library) -> None:
    seen = read(own)
    text = own.curate("a.jpg", rating=5, label="red")
    clash = save(own, {"rating": 2, "caption": "mine"}, seen)
    assert isinstance(clash, Clash)
    assert own.sidecar("a.jpg").read_bytes() == text
    assert clash.fields == ("rating",)
    assert (clash.live.curation, clash.live.etag) == ({"rating": 5, "label": "red"}, read(own).etag)
    assert clash.merged == {"caption": "mine", "rating": 2, "label": "red"}
    done = save(own, dict(clash.merged), clash.live)
    assert isinstance(done, Done)
    assert own.value("a.jpg")["curation"] == clash.merged
    assert versions(own) == [{"rating": 5, "label": "red"}]


def test_what_a_sidecar_cannot_hold_is_refused_and_a_broken_one_stays(own: Library) -> None:
    before = own.sidecar("a.jpg").read_bytes()
    with pytest.raises(UsageError, match=r"curation\.rating"):
        save(own, {"rating": 9})
    assert own.sidecar("a.jpg").read_bytes() == before
    seen = read(own)
    own.sidecar("a.jpg").write_bytes(before[:-3])
    with pytest.raises(CorruptDocument, match="line"):
        save(own, {"rating": 3}, seen)
    assert own.sidecar("a.jpg").read_bytes() == before[:-3]


def test_without_an_index_the_file_is_written_and_the_index_catches_up(
    own: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("LUMINA_DATABASE_URL", NO_INDEX)
        done = save(own, {"caption": "unheard"})
        assert isinstance(done, Done)
        assert done.index == "behind"
    assert (own.root / BEHIND).exists()
    assert own.search("unheard") == ["a.jpg"]


def test_a_scan_that_runs_meanwhile_neither_blocks_the_change_nor_hides_it(own: Library) -> None:
    """The scan may send a row of what it read before the change: so the mark stays, and the next search catches up."""
    with Catalog.open(str(own.root)) as catalog, exclusive(catalog, "scanning"):
        assert isinstance(save(own, {"caption": "heron"}), Done)
        assert (own.root / BEHIND).exists()
    assert own.search("heron") == ["a.jpg"]
    assert not (own.root / BEHIND).exists()


def test_a_function_of_the_present_value_is_applied_whatever_it_is(own: Library) -> None:
    with Catalog.open(str(own.root)) as catalog:
        change_curation(catalog, "main", "a.jpg", lambda value: {**value, "rating": (value.get("rating") or 0) + 1})
        change_curation(catalog, "main", "a.jpg", lambda value: {**value, "rating": (value.get("rating") or 0) + 1})
    assert own.value("a.jpg")["curation"]["rating"] == 2


def test_of_many_that_are_saved_in_one_go_each_has_its_own_result(own: Library, tmp_path: Path) -> None:
    other = Library(tmp_path / "other")
    for name, seed in (("c.jpg", 3), ("d.jpg", 4)):
        other.photo(name, seed)
    with Catalog.open(str(own.root)) as catalog:
        catalog.add_source(str(other.root), name="other")
    own.scan()
    wanted = [("main", "a.jpg"), ("other", "c.jpg"), ("main", "b.jpg"), ("other", "d.jpg"), ("main", "none.jpg")]
    with Catalog.open(str(own.root)) as catalog:
        seen = [read_curation(catalog, source, path) for source, path in wanted[:4]]
        own.curate("b.jpg", caption="theirs")
        text = own.sidecar("b.jpg").read_bytes()
        other.curate("d.jpg", label="red")
        wishes = [
            Wish(source, path, {"caption": f"mine {path}"}, version)
            for (source, path), version in zip(wanted, [*seen, seen[0]], strict=True)
        ]
        bad = Wish("main", "a.jpg", {"rating": 9}, seen[0])
        lost = Wish("nowhere", "a.jpg", {}, seen[0])
        first, second, clash, joined, none, refused, nowhere = save_curations(catalog, [*wishes, bad, lost])
    for one in (first, second, joined):
        assert isinstance(one, Done)
        assert (one.wrote, one.index) == (True, "current")
    assert isinstance(clash, Clash)
    assert clash.live.curation == {"caption": "theirs"}
    assert own.sidecar("b.jpg").read_bytes() == text
    assert isinstance(joined, Done)
    assert joined.joined == ("label",)
    assert other.value("d.jpg")["curation"] == {"caption": "mine d.jpg", "label": "red"}
    for one, word in ((none, "no sidecar yet"), (refused, "rating"), (nowhere, "nowhere")):
        assert isinstance(one, UsageError)
        assert word in str(one)
    assert sorted(own.search("mine")) == ["a.jpg", "c.jpg", "d.jpg"]
    assert not (own.root / BEHIND).exists()


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_text_around_a_change_stays(own: Library, newline: str) -> None:
    value = own.value("a.jpg")
    value["curation"] = {"x-mine": {"b": 1.5}, "rating": 2}
    text = json.dumps(value, indent=3).replace("1.5", "1.50").replace("\n", newline)
    own.sidecar("a.jpg").write_bytes(b"\xef\xbb\xbf" + text.encode())
    save(own, {**value["curation"], "rating": 3})
    assert own.sidecar("a.jpg").read_bytes() == b"\xef\xbb\xbf" + text.replace('"rating": 2', '"rating": 3').encode()


def test_tags_of_the_whole_catalog_are_counted_and_found(own: Library, tmp_path: Path) -> None:
    own.curate("a.jpg", tags=["people/anna", "sea", {"category": "people", "value": "anna"}])
    own.curate("b.jpg", tags=[{"category": "people", "value": "anna"}, "people/anna/young", "\\back\tslash"])
    own.scan()
    with Catalog.open(str(own.root)) as catalog, connect(catalog) as index:
        assert all_tags(index) == [
            TagCount("", "\\back\tslash", 1), TagCount("", "sea", 1), TagCount("people", "anna", 2),
            TagCount("people", "anna/young", 1),
        ]  # fmt: skip
        edits = tag_changes(index, ("people", "anna"), ("family", "anna"), below=True)
        assert [(edit.source, edit.path) for edit in edits] == [("main", "a.jpg"), ("main", "b.jpg")]
        assert edits[0].change({"tags": ["people/anna", "sea"], "x": 1}) == {"tags": ["family/anna", "sea"], "x": 1}
        assert tag_changes(index, ("", "heron"), None) == []
