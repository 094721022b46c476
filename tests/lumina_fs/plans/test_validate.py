"""Plans that a person edited: what must never happen is refused, each with its reason."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.plans.findings import findings_of
from tests.lumina_fs.plans.made import World, plan

SHA = "0f" * 32


def move(path: str, to: str | None, *companions: tuple[str, str, str | None], do: str = "move", **more: Any) -> Any:
    """The value of an action."""
    found: dict[str, Any] = {"do": do, "source": "main", "path": path, "size": 3, "sha256": SHA}
    if to is not None:
        found["to"] = {"source": "main", "path": to}
    if companions:
        found["companions"] = [
            {"part": part, "path": old} | ({} if new is None else {"to": new}) for part, old, new in companions
        ]
    return {**found, **more}


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path / "photos")
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        made.photo(f"in/{name}", sidecar=False)
    return made


def reasons(world: World, *actions: dict[str, Any]) -> list[str]:
    with Catalog.open(str(world.root)) as catalog:
        return [f"{one.action + 1}: {one.reason}" for one in findings_of(catalog, plan({"actions": list(actions)}))]


def test_a_good_plan_has_nothing_wrong(world: World) -> None:
    assert reasons(world, move("in/a.jpg", "x/a.jpg"), move("in/b.jpg", None, do="trash")) == []


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("../a.jpg", "'..'"),
        ("/etc/a.jpg", "not relative"),
        ("x/../../a.jpg", "'..'"),
        ("x//a.jpg", "empty"),
        ("C:/a.jpg", "not relative"),
        ("bytes:a%00.jpg", "NUL"),
        (".lumina/a.jpg", "scans leave out"),
        ("x/@eaDir/a.jpg", "scans leave out"),
        ("con/a.jpg", "Windows"),
        ("x/LPT1.jpg", "Windows"),
        ("é" * 130 + ".jpg", "255"),
        ("x/" * 2100 + "a.jpg", "4,000"),
        ("x/._a.jpg", "scans leave out"),
        ("x/a.jpg.lumina.json", "name of a sidecar"),
        ("x/a.txt", "another extension"),
        ("in/a.jpg", "already"),
        ("IN/A.jpg", "already"),
        ("in/b.jpg", "taken"),
        ("in/B.JPG", "taken"),
        ("in/a.jpg/x.jpg", "file or a link"),
        ("link/a.jpg", "file or a link"),
    ],
)
def test_a_hostile_or_impossible_target_is_refused(world: World, target: str, reason: str) -> None:
    os.symlink("/tmp", world.root / "link")
    assert re.search(reason, " ".join(reasons(world, move("in/a.jpg", target))))


@pytest.mark.parametrize(
    ("one", "other"),
    [("x/a.jpg", "x/a.jpg"), ("x/a.jpg", "X/A.jpg"), ("x/é.jpg", "x/e\u0301.jpg"), ("x/ß.jpg", "x/SS.jpg")],
)
def test_two_at_one_place_are_refused_also_where_only_some_volumes_think_so(world: World, one: str, other: str) -> None:
    [found] = reasons(world, move("in/a.jpg", one), move("in/b.jpg", other))
    assert found.startswith("2: action 1 puts something at")
    assert ("same name on some volumes" in found) == (one != other)


def test_an_original_is_in_a_plan_once(world: World) -> None:
    assert reasons(world, move("in/a.jpg", "x/a.jpg"), move("in/a.jpg", "y/a.jpg")) == [
        "2: in/a.jpg is in this plan twice (see action 1)"
    ]
    world.file("in/a.cr2")
    twin = [("raw", "in/a.cr2", "x/a.cr2")]
    assert reasons(world, move("in/a.jpg", "x/a.jpg", *twin), move("in/a.cr2", None, do="trash"))[0].startswith("2: ")
    assert "2: its unit would be split: a.jpg belongs to it and would stay behind" in reasons(
        world, move("in/a.jpg", "x/a.jpg", *twin), move("in/a.cr2", None, do="trash")
    )


def test_chains_work_in_their_order_and_swaps_never(world: World) -> None:
    chain = [move("in/b.jpg", "x/b.jpg"), move("in/a.jpg", "in/b.jpg")]
    assert reasons(world, *chain) == []
    assert reasons(world, *reversed(chain)) == [
        "1: in/b.jpg is free only after action 2; put it behind that one", "1: in/b.jpg is taken",
    ]  # fmt: skip
    assert reasons(world, move("in/b.jpg", "in/a.jpg"), move("in/a.jpg", "in/b.jpg"))
    copied = [move("in/b.jpg", "x/b.jpg", do="copy"), move("in/a.jpg", "in/b.jpg")]
    assert reasons(world, *copied) == ["2: in/b.jpg is taken"]


@pytest.mark.parametrize(
    ("name", "part"),
    [("a.jpg.lumina.json", "sidecar"), ("a.xmp", "xmp"), ("a.jpg.xmp", "xmp"), ("a.txt", "caption"), ("a.AAE", "edits"),
     ("a.cr2", "raw")],
)  # fmt: skip
def test_a_unit_is_never_split(world: World, name: str, part: str) -> None:
    world.file(f"in/{name}")
    [found] = reasons(world, move("in/a.jpg", "x/a.jpg"))
    assert found == f"1: its unit would be split: {name} belongs to it and would stay behind"
    assert reasons(world, move("in/a.jpg", "x/a.jpg", (part, f"in/{name}", f"x/{name}"))) == []
    [found] = reasons(world, move("in/a.jpg", "x/a.jpg", (part, f"in/{name}", f"y/{name}")))
    assert "would be torn from its original" in found
    [found] = reasons(world, move("in/a.jpg", "x/a.jpg", (part, f"in/{name}", None)))
    assert "has no `to`" in found
    assert reasons(world, move("in/a.jpg", None, do="trash")) == [
        f"1: its unit would be split: {name} belongs to it and would stay behind"
    ]
    assert reasons(world, move("in/a.jpg", None, (part, f"in/{name}", None), do="trash")) == []


def test_the_video_of_a_live_photo_is_known_by_the_identifiers_in_the_sidecars(world: World) -> None:
    world.file("in/clip.mov")
    world.file("in/clip.mov.lumina.json", '{"capture": {"tags": {"QuickTime:ContentIdentifier": "u"}}}')
    world.file("in/a.jpg.lumina.json", '{"capture": {"tags": {"MakerNotes:MediaGroupUUID": "u"}}}')
    sidecar = ("sidecar", "in/a.jpg.lumina.json", "x/a.jpg.lumina.json")
    assert reasons(world, move("in/a.jpg", "x/a.jpg", sidecar)) == [
        f"1: its unit would be split: {name} belongs to it and would stay behind"
        for name in ("clip.mov", "clip.mov.lumina.json")
    ]
    video = [
        ("live_photo", "in/clip.mov", "x/clip.mov"),
        ("sidecar", "in/clip.mov.lumina.json", "x/clip.mov.lumina.json"),
    ]
    assert reasons(world, move("in/a.jpg", "x/a.jpg", sidecar, *video)) == []


def test_a_companion_must_belong_to_its_original(world: World) -> None:
    world.file("in/other.xmp")
    found = reasons(world, move("in/a.jpg", "x/a.jpg", ("xmp", "in/other.xmp", "x/other.xmp")))
    assert found == ["1: other.xmp belongs to no original of this action"]


def test_what_is_not_there_is_refused(world: World) -> None:
    assert reasons(world, move("in/z.jpg", "x/z.jpg"), move("nowhere/../in/a.jpg", "x/a.jpg")) == [
        "1: is not there; propose again after a scan", "2: is not there; propose again after a scan",
    ]  # fmt: skip


def test_referenced_originals_are_copied_and_never_moved_or_trashed(world: World, tmp_path: Path) -> None:
    card = tmp_path / "card"
    World(card).photo("x.jpg", sidecar=False)
    with Catalog.open(str(world.root)) as catalog:
        catalog.add_source(str(card), name="card")
    for do in ("move", "trash"):
        [found] = reasons(world, move("x.jpg", "x/x.jpg" if do == "move" else None, do=do, source="card"))
        assert "are referenced and stay where they are" in found
    assert reasons(world, move("x.jpg", "x/x.jpg", do="copy", source="card")) == []
    back = {**move("in/a.jpg", "a.jpg"), "to": {"source": "card", "path": "a.jpg"}}
    assert reasons(world, back) == ["1: source card is not managed: nothing can be put there"]
    assert reasons(world, move("x.jpg", "y.jpg", source="no")) == ["1: there is no source no"]
