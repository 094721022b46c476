"""The labelled groups of the corpus: how much of each level is found, and that nothing else is called a duplicate."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import pytest

#: The folders that the groups name.
FOLDERS = ("duplicates", "content", "orientation", "burst", "exif", "jxl", "live_photo")
#: The share of each level that has to be found.
WANTED = {"exact": 1.0, "exact-pixels": 1.0, "easy": 1.0, "medium": 1.0, "hard": 0.8, "hostile": 0.0}
#: Copies that the corpus holds beside the labelled ones, each family by how its paths begin: one picture under other
#: metadata or in other formats.
FAMILIES: tuple[tuple[str, ...], ...] = (
    ("exif/exiv2_cameras/exiv2-",),
    ("exif/makers_stripped/",),
    ("orientation/avif_irot_imir/",),
    ("orientation/exif_ladder/",),
    ("orientation/small/g4_orientation_",),
    ("orientation/portrait",),
    ("content/photoprism/example.",),
    ("exif/photoprism/tweethog.png", "orientation/rotate-6.png"),
    ("exif/photoprism/exif-example.tiff", "orientation/rotate-6.tiff"),
    ("content/photoprism/beach_wood.jpg", "live_photo/same_stem/isom-avc1.jpg"),
)


class Found(NamedTuple):
    """What was found: the group of each path, the kind of each pair that is related, and the labels."""

    group: dict[str, int]
    kinds: dict[str, str]
    related: dict[frozenset[str], str]
    labels: list[dict[str, Any]]


@pytest.fixture(scope="module")
def found(photos: Path, tmp_path_factory: pytest.TempPathFactory, postgres: str) -> Found:
    from lumina_fs.answers import answering_index
    from lumina_fs.catalog import Catalog
    from lumina_fs.duplicates.find import find
    from lumina_fs.duplicates.standing import Standings
    from lumina_fs.progress import Finished
    from tests.conftest import Library

    root = tmp_path_factory.mktemp("labelled") / "photos"
    for folder in FOLDERS:
        shutil.copytree(photos / folder, root / folder, copy_function=shutil.copy2)
    library = Library(root)
    library.scan()
    cancel = threading.Event()
    with (
        Catalog.open(str(root)) as catalog,
        answering_index(catalog, show=lambda event: None, may_rebuild=lambda why: True, cancel=cancel) as index,
    ):
        *_, last = find(catalog, index, cancel=cancel)
        assert isinstance(last, Finished)
        group: dict[str, int] = {}
        kinds: dict[str, str] = {}
        paths: dict[str, list[str]] = defaultdict(list)
        for number, standing in enumerate(Standings.load(catalog, index).groups):
            for copy in standing.copies:
                assert copy.twin.path not in group, "no file is in two groups"
                group[copy.twin.path], kinds[copy.twin.path] = number, copy.kind
    for path in list(root.rglob("*.lumina.json")):
        value = json.loads(path.read_bytes())
        paths[value["original"].get("sha256", "")].append(os.path.relpath(path, root).removesuffix(".lumina.json"))
    related = {
        frozenset((one, other)): relation.kind
        for relation in last.result.relations
        for one in paths[relation.one]
        for other in paths[relation.other]
    }
    labels = json.loads((photos / "duplicates/groups.json").read_bytes())
    return Found(group, kinds, related, labels)


def together(found: Found, one: str, other: str) -> bool:
    return one in found.group and found.group[one] == found.group.get(other)


def base_of(label: dict[str, Any]) -> str:
    """The picture that the others are variants of; the first where none is named so."""
    files = label["files"]
    return str(next((file["file"] for file in files if file["level"] == "base"), files[0]["file"]))


def test_of_each_level_at_least_as_much_is_found_as_was_promised(found: Found) -> None:
    counts: dict[str, list[int]] = {level: [0, 0] for level in WANTED}
    missed: list[tuple[str, str, str]] = []
    for label in found.labels:
        if label["kind"] != "duplicate":
            continue
        base = base_of(label)
        for file in label["files"]:
            if file["file"] == base:
                continue
            hit = together(found, base, file["file"])
            counts[file["level"]][0] += hit
            counts[file["level"]][1] += 1
            if not hit:
                missed.append((file["level"], file["file"], file["relation"]))
    print("\nlevel          found   of  share")
    for level, (hits, total) in counts.items():
        print(f"{level:12} {hits:7} {total:4}  {hits / total:6.1%}")
    for level, path, relation in missed:
        print(f"missed: {level:8} {path} ({relation})")
    for level, (hits, total) in counts.items():
        assert total, level
        assert hits / total >= WANTED[level], level


def test_no_pair_that_is_labelled_as_different_is_called_a_duplicate(found: Found) -> None:
    wrong, pairs = [], 0
    kinds: dict[str, int] = defaultdict(int)
    for label in found.labels:
        if label["kind"] != "not-duplicate":
            continue
        for one, other in combinations([file["file"] for file in label["files"]], 2):
            pairs += 1
            if together(found, one, other):
                wrong.append((label["id"], one, other))
            kind = found.related.get(frozenset((one, other)))
            kinds[kind or "nothing"] += 1
            assert kind in (None, "burst", "similar"), (one, other)
    print(f"\n{pairs} pairs of different pictures: {dict(kinds)}")
    assert wrong == []
    assert pairs == 109


def test_the_focus_stack_belongs_together_without_being_duplicates(found: Found) -> None:
    stack = [f"burst/focus_stack/pcb_00{number}.jpg" for number in range(1, 6)]
    kinds = [found.related.get(frozenset(pair)) for pair in combinations(stack, 2)]
    assert {kind for kind in kinds if kind} <= {"burst", "similar"}
    assert any(kinds)
    assert not any(path in found.group for path in stack)


def test_no_group_mixes_files_of_different_labels(found: Found) -> None:
    """A file of one labelled group is never a duplicate of a file of another that shares no file with it."""
    label_of: dict[str, set[str]] = defaultdict(set)
    for label in found.labels:
        if label["kind"] == "duplicate":
            for file in label["files"]:
                label_of[file["file"]].add(label["id"])
    members: dict[int, list[str]] = defaultdict(list)
    for path, number in found.group.items():
        if path in label_of:
            members[number].append(path)
    mixed = [
        (one, other)
        for paths in members.values()
        for one, other in combinations(paths, 2)
        if not label_of[one] & label_of[other]
    ]
    assert mixed == []


def test_a_jpeg_under_another_extension_is_found_too(found: Found) -> None:
    names = [f"duplicates/ukbench/ukbench09380.{ending}" for ending in ("jpg", "jpeg", "bmp", "png", "svg")]
    assert len({found.group[name] for name in names}) == 1
    assert {found.kinds[name] for name in names} == {"exact"}


def test_the_still_and_the_video_of_a_live_photo_are_one_unit_and_no_duplicates(found: Found) -> None:
    pair = ("live_photo/apple_pair/train.jpg", "live_photo/apple_pair/train.mov")
    assert found.related[frozenset(pair)] == "live_photo"
    assert not together(found, *pair)
    # one stem alone makes no unit
    assert [kind for pair_, kind in found.related.items() if kind == "live_photo"] == ["live_photo"]


def test_nothing_else_of_the_corpus_is_grouped_but_what_is_known_to_be_one_picture(found: Found) -> None:
    labelled = {file["file"] for label in found.labels for file in label["files"]}
    groups: dict[int, list[str]] = defaultdict(list)
    for path, number in found.group.items():
        groups[number].append(path)
    for paths in groups.values():
        if not labelled & set(paths):
            assert any(all(path.startswith(family) for path in paths) for family in FAMILIES), sorted(paths)
