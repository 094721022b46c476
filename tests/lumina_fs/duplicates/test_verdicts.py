"""Decisions are files, keyed by content: they outlive the index, names and places, and nothing is asked twice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.decisions import batch, file_of, keep, part
from lumina_fs.duplicates.verdicts import Choice, Verdicts, decide, withdraw
from lumina_fs.errors import CorruptDocument, UsageError
from schemas.document import load
from schemas.verdict import Verdict
from tests.lumina_fs.duplicates.searching import (
    contents,
    decisions,
    fresh_groups,
    groups,
    only,
    opened,
    ruled,
    searched,
    standings,
)

if TYPE_CHECKING:
    from tests.conftest import Library

A, B, C = "aa" * 32, "bb" * 32, "cc" * 32
ABOUT_A = {"kind": "verdict", "version": 1, "id": "01890a5d-ac96-774b-bcce-b302099a8057", "sha256": A}
NOW, LATER = "2024-01-01T00:00:00Z", "2024-01-01T00:00:01Z"


def documents(root: Path) -> dict[str, dict[str, Any]]:
    """Every verdict, by the content that it is about."""
    found = {}
    for path in sorted((root / ".lumina/verdicts").rglob("*.json")):
        load(path.read_bytes(), Verdict)
        assert path.parent.name == path.stem[:2]
        found[path.stem] = json.loads(path.read_bytes())
    return found


@pytest.fixture
def copies(library: Library) -> Library:
    """Three pictures, each under other metadata twice or thrice, and one of them also as equal bytes."""
    for name, seed in (("lake", 1), ("tree", 2), ("house", 3)):
        library.photo(f"2019/{name}.jpg", seed, Make="Canon", Software="a long description " * 4)
        library.photo(f"2020/{name} copy.jpg", seed)
        library.photo(f"2021/{name}-small.jpg", seed, Make="x")
    shutil.copy2(library.root / "2019/lake.jpg", library.root / "2019/lake (1).jpg")
    library.scan()
    searched(library)
    return library


def put(root: Path, sha256: str, text: str | bytes) -> Path:
    path = root / f".lumina/verdicts/{sha256[:2]}/{sha256}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_decision_is_a_readable_document_that_names_both(copies: Library) -> None:
    group = next(one for one in standings(copies).groups if "tree" in one.keeper.twin.path)
    kept, other = group.keeper.twin, group.others[0].twin
    assert ruled(copies, kept.path, [other.path], "remove") == 1
    [value] = documents(copies.root).values()
    assert value["sha256"] == kept.sha256
    assert value["others"] == [
        {"sha256": other.sha256, "name": other.path, "decision": "remove", "decided": NOW, "by": "a test"}
    ]
    assert (copies.root / ".lumina/verdicts/xx" / value["$schema"]).resolve().is_file()


def test_decisions_outlive_index_cache_names_folders_and_a_copied_catalog(copies: Library, tmp_path: Path) -> None:
    """Decide, drop the index, rename files, copy the catalog elsewhere, rebuild: the same holds, nothing is asked."""
    from tests.conftest import Library as Made

    with opened(copies.root) as (catalog, _):
        chosen = []
        for group, what in zip(standings(copies).groups, ("remove", "keep_both", "not_duplicate"), strict=True):
            others = [copy for copy in group.others if copy.twin.sha256 != group.keeper.twin.sha256]
            if what == "not_duplicate":
                chosen += part(group, others[:1])
            else:
                chosen += keep(group, group.keeper, group.others, what)  # type: ignore[arg-type]
        decide(catalog, chosen, by="a test", now=NOW)
    before = {
        frozenset(copy.twin.sha256 for copy in one.copies): (one.state, one.keeper.twin.sha256, sorted(
            (copy.twin.sha256, str(copy.decision)) for copy in one.others))
        for one in standings(copies).groups
    }  # fmt: skip
    written = documents(copies.root)
    assert written

    def now(library: Library) -> dict[Any, Any]:
        searched(library)
        return {
            frozenset(copy.twin.sha256 for copy in one.copies): (one.state, one.keeper.twin.sha256, sorted(
                (copy.twin.sha256, str(copy.decision)) for copy in one.others))
            for one in standings(library).groups
        }  # fmt: skip

    assert now(copies) == before
    shutil.rmtree(copies.root / ".lumina/cache")
    with opened(copies.root) as (_, index):
        index.drop()
    assert now(copies) == before
    for path in sorted(copies.root.glob("20*/*.jpg")):
        name = f"{path.stem[::-1]}.jpeg"
        path.with_name(f"{path.name}.lumina.json").rename(path.with_name(f"{name}.lumina.json"))
        path.rename(path.with_name(name))
    (copies.root / "2019").rename(copies.root / "another place")
    copies.scan()
    assert now(copies) == before
    elsewhere = Made(tmp_path / "elsewhere" / "library")
    shutil.copytree(copies.root, elsewhere.root)
    shutil.rmtree(elsewhere.root / ".lumina/cache")
    for path in elsewhere.root.rglob("*.lumina.json"):
        path.unlink()
    elsewhere.scan()
    assert now(elsewhere) == before
    assert documents(elsewhere.root) == written


def test_pictures_that_are_no_duplicates_never_come_back_together(copies: Library) -> None:
    group = next(one for one in standings(copies).groups if "house" in one.keeper.twin.path)
    stranger = group.others[0].twin
    ruled(copies, group.keeper.twin.path, [stranger.path], "not_duplicate")
    left = [others for keeper, others in groups(copies) if "house" in keeper]
    assert [len(others) for others in left] == [1]
    assert [others for keeper, others in fresh_groups(copies) if "house" in keeper] == left


def test_keeping_all_is_never_asked_again_though_another_becomes_the_best(copies: Library) -> None:
    """What was decided about a group holds when its best file is gone, or when another becomes it."""
    group = next(one for one in standings(copies).groups if "tree" in one.keeper.twin.path)
    ruled(copies, group.keeper.twin.path, [copy.twin.path for copy in group.others], "keep_both")
    first, second = (copy.twin.path for copy in group.others)
    # another becomes the best: the person gives the first an early date
    copies.curate(second, date="1970-01-01")
    copies.scan()
    searched(copies)
    trees = [one for one in standings(copies).groups if "tree" in one.keeper.twin.path]
    assert [one.state for one in trees] == ["resolved"]
    # and the best of them goes away
    for path in (copies.root / trees[0].keeper.twin.path, copies.sidecar(trees[0].keeper.twin.path)):
        path.unlink()
    copies.scan()
    searched(copies)
    trees = [one for one in standings(copies).groups if "tree" in one.keeper.twin.path]
    assert [(one.state, len(one.copies)) for one in trees] in ([("resolved", 2)], [])
    assert first


def test_a_new_copy_is_asked_about_and_the_old_ones_are_not(copies: Library) -> None:
    group = next(one for one in standings(copies).groups if "tree" in one.keeper.twin.path)
    ruled(copies, group.keeper.twin.path, [copy.twin.path for copy in group.others], "keep_both")
    copies.photo("2022/tree again.jpg", 2, Make="z", Software="another description " * 30)  # the largest: it may lead
    copies.scan()
    searched(copies)
    group = next(one for one in standings(copies).groups if any("again" in copy.twin.path for copy in one.copies))
    assert group.state == "pending"


def test_a_later_decision_replaces_an_earlier_one_from_either_side(copies: Library) -> None:
    group = next(one for one in standings(copies).groups if "tree" in one.keeper.twin.path)
    one, other = group.keeper.twin.path, group.others[0].twin.path
    ruled(copies, one, [other], "remove", NOW)
    assert decisions(copies)[other] == "remove"
    assert ruled(copies, other, [one], "remove", LATER) == 2
    assert decisions(copies).get(one) == "remove"
    assert other not in decisions(copies), "now it is the keeper"
    ruled(copies, one, [other], "keep_both", "2024-01-01T00:00:02Z")
    assert decisions(copies)[other] == "keep_both"
    [said] = [other for value in documents(copies.root).values() for other in value["others"]]
    assert said["decision"] == "keep_both"


def test_deciding_the_same_again_writes_nothing_of_anybody_else(copies: Library) -> None:
    group = next(one for one in standings(copies).groups if "tree" in one.keeper.twin.path)
    paths = [copy.twin.path for copy in group.others]
    ruled(copies, group.keeper.twin.path, paths, "remove")
    first = documents(copies.root)
    ruled(copies, group.keeper.twin.path, paths[:1], "remove", LATER)
    before = {one["sha256"]: one for value in first.values() for one in value["others"]}
    after = {one["sha256"]: one for value in documents(copies.root).values() for one in value["others"]}
    untouched, again = contents(copies, paths[1])[0], contents(copies, paths[0])[0]
    assert after[untouched] == before[untouched]
    assert after[again]["decided"] == LATER


def test_withdrawing_asks_again(copies: Library) -> None:
    group = next(one for one in standings(copies).groups if "tree" in one.keeper.twin.path)
    paths = [copy.twin.path for copy in group.copies]
    ruled(copies, paths[0], paths[1:], "remove")
    every = contents(copies, *paths)
    with Catalog.open(str(copies.root)) as catalog:
        assert withdraw(catalog, every) == 1
        assert withdraw(catalog, every) == 0
    assert set(decisions(copies).values()) == {None}


def test_a_keeper_always_exists_whatever_documents_say(copies: Library) -> None:
    """Everybody is to go for somebody else: the best stays all the same."""
    group = next(one for one in standings(copies).groups if "tree" in one.keeper.twin.path)
    first, second, third = (copy.twin.path for copy in group.copies)
    for kept, gone in ((first, second), (second, third), (third, first)):
        ruled(copies, kept, [gone], "remove")
    group = next(one for one in standings(copies).groups if one.id[:8] == group.id[:8])
    assert group.keeper.twin.path == first
    assert group.keeper not in group.going
    assert len(group.copies) == 3


# -- copies of one content


def test_of_equal_files_the_one_that_was_named_stays(library: Library) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        library.photo(name, 1)
    library.scan()
    searched(library)
    group = only(library)
    kept = file_of(group, "c.jpg")
    with opened(library.root) as (catalog, _):
        decide(catalog, keep(group, kept, group.copies, "remove"), by="a test", now=NOW)
    group = only(library)
    assert group.keeper.twin.path == "c.jpg"
    assert sorted(copy.twin.path for copy in group.going) == ["a.jpg", "b.jpg"]


def test_one_of_several_equal_files_cannot_go_alone_unknown_to_the_person(library: Library) -> None:
    """A decision is about contents: that b may go would be said of c as well, so it is refused."""
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        library.photo(name, 1)
    library.scan()
    searched(library)
    group = only(library)
    with pytest.raises(UsageError, match=r"c\.jpg"):
        keep(group, group.keeper, [file_of(group, "b.jpg")], "remove")


def test_files_of_one_path_in_two_sources_can_be_told_apart(library: Library, tmp_path: Path) -> None:
    """A backup has the same paths: the person must be able to say which of the two stays."""
    library.photo("2019/a.jpg", 1)
    other = tmp_path / "backup"
    (other / "2019").mkdir(parents=True)
    shutil.copy2(library.root / "2019/a.jpg", other / "2019/a.jpg")
    library.scan()
    with Catalog.open(str(library.root)) as catalog:
        catalog.add_source(str(other), name="backup")
    library.scan()
    searched(library)
    group = only(library)
    assert group.sources == ["backup", sorted(group.sources)[1]]
    for source in group.sources:
        kept = file_of(group, f"{source}:2019/a.jpg")
        assert kept.twin.source == source
        with opened(library.root) as (catalog, _):
            decide(catalog, keep(group, kept, group.copies, "remove"), by="a test", now=NOW)
        assert only(library).keeper.twin.source == source
        assert [copy.twin.source for copy in only(library).going] == [one for one in group.sources if one != source]


# -- batches


def test_a_batch_decides_only_what_is_pending_and_sure_enough(copies: Library) -> None:
    found = standings(copies).groups
    everything = batch(found, "primaries")
    assert (everything.groups, everything.going) == (3, 7)
    assert everything.size == sum(copy.twin.size for group in found for copy in group.others)
    assert batch(found, "certain", 100).choices == []
    assert batch(found, "certain", 99).groups == 3
    reviewed = batch(found, "reviewed")
    assert (reviewed.going, {choice.decision for choice in reviewed.choices}) == (0, {"keep_both"})
    with opened(copies.root) as (catalog, _):
        decide(catalog, reviewed.choices, by="a test", now=NOW)
    after = standings(copies).groups
    assert {group.state for group in after} == {"resolved"}
    assert batch(after, "primaries").choices == []


# -- documents that people edit


def test_hand_edits_are_believed_and_kept(copies: Library) -> None:
    one, other = contents(copies, "2019/tree.jpg", "2020/tree copy.jpg")
    said = {
        "sha256": other,
        "decision": "keep_both",
        "decided": "2024-05-05",
        "by": "anna, by hand",
        "x-why": "a print",
    }
    value = {"kind": "verdict", "version": 1, "id": "01890a5d-ac96-774b-bcce-b302099a8057", "sha256": one, "x": [1],
             "others": [said]}  # fmt: skip
    path = put(copies.root, one, json.dumps(value, indent=7))
    searched(copies)
    assert decisions(copies).get("2020/tree copy.jpg", decisions(copies).get("2019/tree.jpg")) == "keep_both"
    ruled(copies, "2019/tree.jpg", ["2021/tree-small.jpg"], "keep_both")
    after = json.loads(path.read_bytes())
    assert after["x"] == [1]
    assert after["others"][0] == said
    assert b"\n       " in path.read_bytes(), "the person's own indentation"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"kind": "verdict"}', '{"kind": "sidecar", "version": 1}', b"\xff\xfe",
     json.dumps({**ABOUT_A, "version": 99}), json.dumps({**ABOUT_A, "others": [{}]})],
)  # fmt: skip
def test_a_corrupt_document_is_told_and_never_written_over(copies: Library, text: str | bytes) -> None:
    one, other = contents(copies, "2019/tree.jpg", "2020/tree copy.jpg")
    path = put(copies.root, one, text)
    before = path.read_bytes()
    put(copies.root, B, json.dumps({"kind": "verdict", "version": 1, "id": "01890a5d-ac96-774b-bcce-b302099a8057",
                                    "sha256": B, "others": []}))  # fmt: skip
    assert searched(copies) is not None
    found = standings(copies)
    assert [type(error) for error in found.verdicts.corrupt] == [CorruptDocument]
    assert one in str(found.verdicts.corrupt[0])
    assert len(found.groups) == 3
    with pytest.raises(CorruptDocument):
        ruled(copies, "2019/tree.jpg", ["2020/tree copy.jpg"], "remove")
    with pytest.raises(CorruptDocument), Catalog.open(str(copies.root)) as catalog:
        withdraw(catalog, [other, one])
    assert path.read_bytes() == before


def test_of_two_documents_that_contradict_each_other_the_later_counts_and_in_doubt_both_stay(copies: Library) -> None:
    def say(about: str, other: str, decision: str, decided: str) -> None:
        value = {"kind": "verdict", "version": 1, "id": "01890a5d-ac96-774b-bcce-b302099a8057", "sha256": about,
                 "others": [{"sha256": other, "decision": decision, "decided": decided, "by": "x"}]}  # fmt: skip
        put(copies.root, about, json.dumps(value))

    def ruling() -> str:
        with Catalog.open(str(copies.root)) as catalog:
            found = Verdicts.load(catalog).about(B, A)
        assert found is not None
        return found.decision

    say(A, B, "remove", LATER)
    say(B, A, "keep_both", NOW)
    assert ruling() == "remove"
    say(B, A, "keep_both", LATER)
    assert ruling() == "keep_both"
    say(B, A, "not_duplicate", "2025")
    assert ruling() == "not_duplicate"


def test_names_with_any_bytes_are_written_down(copies: Library) -> None:
    with Catalog.open(str(copies.root)) as catalog:
        choice = Choice(A, 'bytes:%FF"\n.jpg', C, "\u202egpj.exe", "keep_both")
        assert decide(catalog, [choice], by="a\x1btest", now=NOW) == 1
        assert Verdicts.load(catalog).about(A, C) is not None


def test_what_is_edited_after_a_decision_is_a_new_content_and_asked_about(copies: Library) -> None:
    group = next(one for one in standings(copies).groups if "house" in one.keeper.twin.path)
    ruled(copies, group.keeper.twin.path, [copy.twin.path for copy in group.others], "keep_both")
    path = copies.root / group.others[0].twin.path
    with Image.open(path) as image:
        image.load()
    image.save(path, "JPEG", quality=55)
    copies.scan()
    searched(copies)
    after = next(one for one in standings(copies).groups if "house" in one.keeper.twin.path)
    assert after.state == "pending"
