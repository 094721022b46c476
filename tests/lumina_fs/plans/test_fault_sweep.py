"""Every file-changing operation of a plan fails, or is the last one of its process: no photo is lost or overwritten."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.errors import LuminaError
from lumina_fs.kernel import Layer
from lumina_fs.plans.files import read_plan
from lumina_fs.plans.status import status_of
from tests.lumina_fs.faults import FILE_SYSTEMS, Failing, TestLayer, points, tear
from tests.lumina_fs.plans.scenes import NO_INDEX, Scene, Tree, copy_scene, thirty_actions, volumes

SYSTEMS = ["all there is", "no renameat2", "no renameat2, no links"]


class Ending(TestLayer):
    """The process ends at operation `at`, in the middle of it where it is a write."""

    def __init__(self, at: int, lacks: Mapping[str, int]) -> None:
        super().__init__(lacks)
        self.at = at

    def before(self, number: int, name: str, arguments: tuple[Any, ...]) -> None:
        if number == self.at:
            tear(name, arguments)
            os._exit(9)


@dataclass
class Stage:
    """A scene with an approved plan, copied for each trial; and what it is before and after."""

    original: Scene
    plan: str
    base: Path
    far: Path
    before: Tree
    photos: Counter[str]
    numbers: Iterator[int]

    def fresh(self) -> Scene:
        self.clear()
        name = str(next(self.numbers))
        return copy_scene(self.original, self.base / name, self.far / name)

    def clear(self) -> None:
        for folder in (self.base, self.far):
            for old in folder.iterdir():
                shutil.rmtree(old)

    def status(self, scene: Scene) -> str:
        with Catalog.open(str(scene.main)) as catalog:
            return status_of(catalog, read_plan(catalog, self.plan))

    def nothing_is_lost(self, scene: Scene) -> None:
        missing = self.photos - scene.photos()
        assert not missing, f"{sum(missing.values())} files lost or overwritten"


@pytest.fixture(autouse=True)
def without_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMINA_DATABASE_URL", NO_INDEX)


@pytest.fixture(params=["one volume", "two volumes"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    found = volumes()
    one, two = found[0], found[0 if request.param == "one volume" else 1 % len(found)]
    if request.param == "two volumes" and one == two:
        pytest.skip("there is no second volume on this machine that can be written to")
    with (
        tempfile.TemporaryDirectory(prefix="lumina-sweep-", dir=one) as near,
        tempfile.TemporaryDirectory(prefix="lumina-sweep-", dir=two) as far,
    ):
        scene = Scene.make(Path(near) / "original", Path(far) / "original")
        plan = scene.approved(thirty_actions(scene))
        base, others = Path(near) / "trials", Path(far) / "trials"
        base.mkdir()
        others.mkdir()
        yield Stage(scene, plan, base, others, scene.tree(), scene.photos(), count())


def undisturbed(stage: Stage, system: str) -> tuple[int, Tree]:
    """How many operations the plan takes, and the tree after it."""
    layer, scene = TestLayer(FILE_SYSTEMS[system]), stage.fresh()
    result = scene.run("apply", stage.plan, layer)
    assert (result.outcome, result.done, result.skipped) == ("complete", 31, 1)
    stage.nothing_is_lost(scene)
    return len(layer.trace), scene.tree()


def kill(scene: Scene, what: str, plan: str, layer: Layer) -> bool:
    """Run in a process of its own; True when it was killed on the way."""
    child = os.fork()
    if child == 0:
        try:
            scene.run(what, plan, layer)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_plan_killed_at_any_operation_is_finished_by_resume_and_taken_back_by_rollback(
    stage: Stage, system: str
) -> None:
    total, after = undisturbed(stage, system)
    tried = points(total, sample=14)
    for at in tried:
        for what, tree in (("resume", after), ("rollback", stage.before)):
            scene = stage.fresh()
            assert kill(scene, "apply", stage.plan, Ending(at, FILE_SYSTEMS[system]))
            stage.nothing_is_lost(scene)
            status = stage.status(scene)
            if status == "approved":  # it had not begun
                assert scene.tree() == stage.before
                what, tree = "apply", after
            if status == "complete":  # it had ended
                tree = after
            else:
                scene.run(what, stage.plan, TestLayer(FILE_SYSTEMS[system]))
            assert scene.tree() == tree, (at, what)
            stage.nothing_is_lost(scene)
    print(f"{system}: killed at {len(tried)} of {total} operations")
    assert total > 200


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("what", ["resume", "rollback"])
def test_a_resume_or_rollback_that_is_killed_itself_is_finished_by_the_next(
    stage: Stage, what: str, system: str
) -> None:
    total, after = undisturbed(stage, system)
    wanted = {"resume": ("complete", after), "rollback": ("rolled_back", stage.before)}[what]
    chosen = [at for at in points(total, sample=5) if at > 30]
    tried = 0
    for first in chosen:
        for second in count(1, max(1, total // 3) if len(chosen) < total // 2 else 37):
            scene = stage.fresh()
            kill(scene, "apply", stage.plan, Ending(first, FILE_SYSTEMS[system]))
            if stage.status(scene) in ("approved", "complete"):
                break
            if not kill(scene, what, stage.plan, Ending(second, FILE_SYSTEMS[system])):
                break
            tried += 1
            stage.nothing_is_lost(scene)
            if stage.status(scene) == "interrupted":
                scene.run(what, stage.plan, TestLayer(FILE_SYSTEMS[system]))
            assert (stage.status(scene), scene.tree()) == wanted, (first, second)
            stage.nothing_is_lost(scene)
    print(f"{what}, {system}: {tried} double kills")
    assert tried >= 4


@pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_fault_at_any_operation_ends_in_one_of_the_two_trees(stage: Stage, system: str, for_good: bool) -> None:
    total, after = undisturbed(stage, system)
    tried = points(total, sample=14)
    ends: Counter[str] = Counter()
    for at in tried:
        number = (errno.EIO, errno.ENOSPC)[at % 2]
        scene = stage.fresh()
        with suppress(LuminaError, OSError):
            scene.run("apply", stage.plan, Failing(at, number, FILE_SYSTEMS[system], for_good=for_good))
        stage.nothing_is_lost(scene)
        status = stage.status(scene)
        ends[status] += 1
        if status in ("interrupted", "failed"):
            scene.run(("resume", "rollback")[at // 2 % 2], stage.plan, TestLayer(FILE_SYSTEMS[system]))
            status = stage.status(scene)
        elif status == "approved":
            scene.run("apply", stage.plan, TestLayer(FILE_SYSTEMS[system]))
            status = stage.status(scene)
        assert scene.tree() == {"complete": after, "rolled_back": stage.before}[status], at
        stage.nothing_is_lost(scene)
    print(f"{system}: {len(tried)} faults at {total} operations: {dict(ends)}")
