"""What is said once for many actions is what would be said of each alone."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lumina_fs.catalog import Catalog
from lumina_fs.discover import Ignore
from lumina_fs.plans import ground_check, targets, validate
from lumina_fs.plans.deeds import Act, acts
from lumina_fs.plans.files import read_plan, write_and_read
from lumina_fs.plans.ground_check import check_ground
from lumina_fs.plans.naming import Naming
from lumina_fs.plans.roads import Road, roads
from lumina_fs.plans.validate import Finding, check_plan
from lumina_fs.units import stand_alone, units_of
from tests.lumina_fs.plans.made import World, plan

SHA = "0f" * 32
MANY = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

STRANGE = st.sampled_from(
    ["b.cr2", "c.mov", "é.jpg", "e\u0301.jpg", "._a.jpg", "nul.jpg", "a", "Icon\r", "b.xmp", "ß.jpg", "SS.jpg",
     "x.jpg.lumina.json", "l" * 70 + ".jpg", "l" * 48 + "~0123456789.jpg"]
)  # fmt: skip
NAMES = st.sampled_from(["a.jpg", "A.JPG", "b.jpg", "a-1.jpg"]) | STRANGE
SOURCES = st.sampled_from(["in", "in", "more", "IN"])
TARGETS = st.sampled_from(["2019", "2019", "x/2019", "X/2019", "in", "con", ""])


def joined(folders: st.SearchStrategy[str], names: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Paths in these folders."""
    return st.builds(lambda folder, name: f"{folder}/{name}".lstrip("/"), folders, names)


ORIGINALS, PLACES = joined(SOURCES, NAMES), joined(TARGETS, NAMES)
IN_THE_WAY = joined(TARGETS, st.sampled_from(["a.jpg", "b.jpg.lumina.json", "A.jpg", "A.JPG.lumina.json"]))


@st.composite
def actions(draw: st.DrawFn) -> dict[str, Any]:
    """An action as a careless person may write it; nearly all are of one original with its sidecar."""
    path, to, do = draw(ORIGINALS), draw(PLACES), draw(st.sampled_from(["move"] * 8 + ["copy", "trash"]))
    found: dict[str, Any] = {"do": do, "source": "main", "path": path, "size": 3, "sha256": SHA}
    if do != "trash":
        found["to"] = {"source": draw(st.sampled_from(["main"] * 8 + ["other"])), "path": to}
    if draw(st.integers(0, 7)):
        one = {"part": "sidecar", "path": f"{path}.lumina.json"}
        found["companions"] = [one if do == "trash" else {**one, "to": f"{to}.lumina.json"}]
    return found


def put(world: World, paths: set[str]) -> None:
    """Files at these paths; where one would be a folder of another, it is none."""
    for path in paths:
        if not any(other.startswith(f"{path}/") for other in paths):
            world.file(path, "abc")


def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every action is looked at alone."""

    def doubted(self: Any, by_road: Sequence[Road]) -> list[Act]:
        return sorted((act for road in by_road for act in road.acts), key=lambda act: act.number)

    monkeypatch.setattr(validate._Checker, "doubted", doubted)
    monkeypatch.setattr(ground_check, "_is_beyond_doubt", lambda road, checkers: False)
    monkeypatch.setattr(targets, "_ORDINARY", re.compile(r"(?!)"))


@MANY
@given(
    proposed=st.lists(actions(), min_size=1, max_size=6),
    gone=st.integers(0, 9),
    way=st.sets(IN_THE_WAY, max_size=3),
    left_out=st.booleans(),
)
def test_the_same_is_refused_as_one_by_one(
    monkeypatch: pytest.MonkeyPatch, proposed: list[dict[str, Any]], gone: int, way: set[str], left_out: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "photos")
        put(world, {one["path"] for number, one in enumerate(proposed) if number != gone} | way)
        found = acts(plan({"actions": proposed}))
        ignore = Ignore(("x/2019",) if left_out else ())

        def findings() -> tuple[list[Finding], list[Finding]]:
            with Catalog.open(str(world.root)) as catalog:
                sources = {source.name: source for source in catalog.sources()}
                return check_plan(found, sources, ignore), check_ground(catalog, roads(found), sources)

        at_once = findings()
        with monkeypatch.context() as patched:
            one_by_one(patched)
            assert findings() == at_once


@MANY
@given(
    paths=st.sets(ORIGINALS | PLACES, max_size=10), way=st.sets(IN_THE_WAY, max_size=3), rename=st.booleans(),
    with_sidecars=st.booleans(),
)  # fmt: skip
def test_the_same_names_are_given_as_one_by_one(
    monkeypatch: pytest.MonkeyPatch, paths: set[str], way: set[str], rename: bool, with_sidecars: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "photos")
        put(world, way - paths)
        for path in sorted(paths):
            if not any(other.startswith(f"{path}/") for other in paths | way):
                world.photo(path, sidecar=with_sidecars)
        options = {"on_collision": "rename" if rename else "skip"}
        at_once = world.propose(monkeypatch, "YYYY", **options)
        with monkeypatch.context() as patched:
            patched.setattr(Naming, "_goes_at_once", lambda self, mover, at: False)
            patched.setattr("lumina_fs.plans.propose.stand_alone", lambda names: False)
            slowly = world.propose(monkeypatch, "YYYY", **options)
        assert (slowly.plan, slowly.in_place, slowly.notes) == (at_once.plan, at_once.in_place, at_once.notes)


@given(st.sets(NAMES))
def test_files_that_stand_alone_are_units_of_their_own(names: set[str]) -> None:
    if stand_alone(names):
        originals = {name for name in names if not name.endswith(".lumina.json")}
        ids = dict.fromkeys(originals, "one identifier")
        assert all(len(unit.originals) == 1 for unit in units_of(originals, names, names, ids))
        assert all(one.part == "sidecar" for unit in units_of(originals, names, names, ids) for one in unit.travellers)


def test_most_folders_of_photos_stand_alone() -> None:
    assert stand_alone(["a.jpg", "a.jpg.lumina.json", "b.HEIC", "c.cr2"])
    assert not stand_alone(["a.jpg", "a.cr2"])
    assert not stand_alone(["a.jpg", "b.MOV"])
    assert not stand_alone(["a.jpg", "b.xmp"])


@given(st.text(alphabet="aconlptumbsyfidek09._-() \r\0~j", max_size=14) | NAMES)
def test_ordinary_names_are_those_that_nothing_is_said_of(name: str) -> None:
    short = targets.name_refusal(name)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(targets, "_ORDINARY", re.compile(r"(?!)"))
        assert targets.name_refusal(name) == short


def test_a_plan_is_read_from_what_was_written_without_parsing_it(tmp_path: Path, monkeypatch: Any) -> None:
    world = World(tmp_path / "photos")
    world.photo("a/IMG.JPG", confidence=30)
    world.photo("b/IMG.JPG", sha256="b" * 64)
    world.photo("a/\udcff é.JPG")
    world.photo("c/NUL.jpg")
    world.photo("c/X.JPG")
    world.file("c/X.xmp", "words")
    made = world.propose(monkeypatch, name="{name}")
    assert made.plan is not None
    with Catalog.open(str(world.root)) as catalog:
        written = write_and_read(catalog, made.plan)
        read = read_plan(catalog, written.id)
        assert (written.plan, written.stored.data, written.digest) == (read.plan, read.stored.data, read.digest)
        assert written.stored.stat == read.stored.stat
        assert {action.do for action in read.plan.actions} == {"move", "skip"}
