"""The clerk of plans in its own process: what it answers, what it refuses, and how it ends."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.plans.files import read_plan
from lumina_fs.plans.listing import Listing
from lumina_fs.viewing.plan_desk import PlanDesk
from lumina_fs.viewing.plan_values import ActionDetail, Chosen, DeskError, OpenedPlan, Page, PlanList, TrashView
from tests.lumina_fs.plans.scenes import NO_INDEX, Scene


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setenv("LUMINA_DATABASE_URL", NO_INDEX)
    made = Scene.make(tmp_path, tmp_path)
    for number in range(6):
        made.photo(f"{number}.jpg")
    return made


@pytest.fixture
def plan(scene: Scene) -> str:
    def along(number: int) -> list[dict[str, str]]:
        return [{"part": "sidecar", "path": f"{number}.jpg.lumina.json", "to": f"x/{number}.jpg.lumina.json"}]

    return scene.draft([scene.move(f"{n}.jpg", f"x/{n}.jpg", companions=along(n)) for n in range(6)])


@pytest.fixture
def desk(scene: Scene) -> Iterator[PlanDesk]:
    made = PlanDesk(str(scene.main))
    yield made
    made.close()


def opened(desk: PlanDesk, plan: str) -> OpenedPlan:
    return desk.ask("open", OpenedPlan.of, plan=plan).result(60)


def test_a_plan_is_listed_opened_and_read_page_by_page(desk: PlanDesk, plan: str) -> None:
    [listed] = desk.ask("list", PlanList.of, seconds=10).result(60).plans
    assert (listed.id, listed.status) == (plan, "draft")
    found = opened(desk, plan)
    assert (found.facts.counts, found.facts.digest) == ({"move": 6}, listed.digest)
    page = desk.ask("rows", Page.of, view=found.chosen.view, first=2, end=4).result(60)
    assert [row.line.target for row in page.rows] == ["x/2.jpg", "x/3.jpg"]
    detail = desk.ask("detail", ActionDetail.of, view=found.chosen.view, row=5).result(60)
    assert detail.row.line.path == "5.jpg"
    assert detail.companions == (("sidecar", "5.jpg.lumina.json", "x/5.jpg.lumina.json"),)


def test_rows_of_a_choice_that_was_replaced_are_not_given(desk: PlanDesk, plan: str) -> None:
    found = opened(desk, plan)
    newer = desk.ask("choose", lambda value: Chosen(**value), match="x/4").result(60)
    assert newer.total == 1
    assert desk.ask("rows", Page.of, view=found.chosen.view, first=0, end=6).result(60).rows == ()
    with pytest.raises(DeskError, match="nothing was rejected"):
        desk.ask("reject", view=found.chosen.view, rows=[0], reason="old").result(60)


def test_only_the_bytes_that_a_person_saw_are_approved(desk: PlanDesk, plan: str, scene: Scene) -> None:
    digest = opened(desk, plan).facts.digest
    with Catalog.open(str(scene.main)) as catalog:
        path = scene.main / read_plan(catalog, plan).path
        path.write_bytes(path.read_bytes().replace(b"x/5", b"y/5"))
        with pytest.raises(DeskError, match="changed since you saw it"):
            desk.ask("approve", plan=plan, digest=digest).result(60)
        desk.ask("approve", plan=plan, digest=opened(desk, plan).facts.digest).result(60)
        with pytest.raises(DeskError, match="stays as it is"):
            desk.ask("delete", plan=plan, digest=opened(desk, plan).facts.digest).result(60)


def test_a_plan_that_makes_no_sense_is_told_with_its_line(desk: PlanDesk, plan: str, scene: Scene) -> None:
    path = scene.main / f".lumina/plans/{plan}.json"
    path.write_bytes(path.read_bytes() + b"}")
    with pytest.raises(DeskError) as told:
        opened(desk, plan)
    assert (told.value.kind, told.value.line is not None) == ("CorruptDocument", True)
    [listed] = desk.ask("list", PlanList.of, seconds=10).result(60).plans
    assert (listed.status, listed.line) == ("broken", told.value.line)


def test_what_nobody_waits_for_any_more_is_dropped_and_the_next_question_is_answered(desk: PlanDesk, plan: str) -> None:
    first = desk.ask("open", OpenedPlan.of, plan=plan)
    desk.drop()
    assert first.cancelled()
    assert opened(desk, plan).chosen.total == 6
    assert desk.ask("trash", TrashView.of).result(60).total == 0


def test_a_desk_whose_process_died_says_so_and_starts_another(desk: PlanDesk, plan: str) -> None:
    opened(desk, plan)
    assert desk._process is not None
    desk._process.send_signal(signal.SIGSTOP)
    waiting = desk.ask("list", PlanList.of, seconds=10)
    desk._process.kill()
    with pytest.raises(DeskError, match="ended"):
        waiting.result(60)
    assert opened(desk, plan).chosen.total == 6


def test_a_list_reads_only_plans_that_changed(scene: Scene, plan: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counting(catalog: Catalog, plan_id: str) -> object:
        read.append(plan_id)
        return read_plan(catalog, plan_id)

    monkeypatch.setattr("lumina_fs.plans.listing.read_plan", counting)
    with Catalog.open(str(scene.main)) as catalog:
        listing = Listing(catalog)
        assert [one.status for one in listing.look()[0]] == ["draft"]
        assert listing.look(0)[1] == 0
        assert read == [plan]
        scene.approve(plan)
        assert [one.status for one in listing.look()[0]] == ["approved"]
        assert read == [plan]
        other = scene.draft([scene.move("1.jpg", "y/1.jpg")])
        assert listing.look(0)[1] == 1
        assert [one.id for one in listing.look()[0]] == [other, plan]
        assert read == [plan, other]


def test_an_answer_that_this_program_does_not_understand_is_told_and_not_waited_for(desk: PlanDesk, plan: str) -> None:
    def older(value: dict[str, object]) -> OpenedPlan:
        return OpenedPlan.of({**value, "what a newer one says": 1})

    with pytest.raises(DeskError, match="start it again"):
        desk.ask("open", older, plan=plan).result(60)
    assert opened(desk, plan).facts.counts == {"move": 6}
