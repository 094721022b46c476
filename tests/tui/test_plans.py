"""The screen of plans, driven as a person would, on a catalog whose files really move."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.plans.files import plan_path
from lumina_fs.plans.journal import Journal, read_history
from tests.conftest import Library
from tests.tui.driving import app_on, settled, text, until
from tests.tui.planning import (
    agree,
    asked,
    at_plans,
    becomes,
    check_by_another,
    create,
    draft,
    fill,
    last_plan,
    opened,
    photos_in,
    run_by_another,
    screen,
)
from tui.app import LuminaApp
from tui.plans import plan_pane
from tui.plans.asking_desk import ask_desk_plainly
from tui.plans.monitor import Monitor


@pytest.fixture
def managed(library: Library) -> Library:
    return fill(library)


async def test_from_a_new_plan_to_an_undone_one_with_every_byte_as_before(managed: Library) -> None:
    before = photos_in(managed.root)
    async with app_on(managed) as pilot:
        plans = await at_plans(pilot)
        await create(pilot)
        first = plans.plan.plan
        assert plans.plan.rows.table.total == 6
        await pilot.press("end", "r")  # the last one is rejected
        await asked(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "skip 1" in text(pilot))
        await settled(pilot)
        assert plans.plan.rows.only == ""  # there is no refused one to show any more
        assert plans.plan.rows.table.total > 1
        await pilot.press("a")
        await agree(pilot)
        await becomes(pilot, "approved")
        await pilot.press("x")
        await agree(pilot)
        await becomes(pilot, "complete")
        assert sum(path.startswith("2019/") for path in photos_in(managed.root)) == 10
        await pilot.press("u")
        await agree(pilot)
        await until(pilot, lambda: plans.plan.plan != first and plans.plan.status == "draft")
        await settled(pilot)
        await pilot.press("a")
        await agree(pilot)
        await becomes(pilot, "approved")
        await pilot.press("x")
        await agree(pilot)
        await becomes(pilot, "complete")
        await pilot.press("escape")
        await until(pilot, lambda: [plan.status for plan in plans.plans.plans] == ["complete", "undone"])
    assert photos_in(managed.root) == before


async def test_no_is_what_enter_says_to_approving_and_applying(managed: Library) -> None:
    before, plan = photos_in(managed.root), draft(managed)
    async with app_on(managed) as pilot:
        await opened(pilot, plan)
        await pilot.press("a")
        await asked(pilot)
        assert "6 originals moved" in text(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert screen(pilot).plan.status == "draft"
        await pilot.press("a")
        await agree(pilot)
        await becomes(pilot, "approved")
        await pilot.press("x")
        await asked(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert screen(pilot).plan.status == "approved"
    assert photos_in(managed.root) == before


async def test_a_run_by_another_process_is_followed_stopped_and_rolled_back(managed: Library) -> None:
    before, plan = photos_in(managed.root), draft(managed, approved=True)
    async with app_on(managed) as pilot:
        await opened(pilot, plan)
        with run_by_another(managed, plan) as (go_on, stopped):
            await becomes(pilot, "executing")
            await until(pilot, lambda: screen(pilot).query_one(Monitor).has_class("-shown"))
            assert "carrying out" in text(pilot)
            await pilot.press("s")
            await until(pilot, stopped.is_set)
            go_on.set()
        await becomes(pilot, "interrupted")
        assert "‖ interrupted" in text(pilot)
        assert photos_in(managed.root) != before
        await pilot.press("b")
        await agree(pilot)
        await becomes(pilot, "rolled_back")
    assert photos_in(managed.root) == before


async def test_an_interrupted_plan_is_resumed_to_its_end(managed: Library) -> None:
    plan = draft(managed, approved=True)
    _interrupt(managed, plan)
    async with app_on(managed) as pilot:
        await opened(pilot, plan)
        assert screen(pilot).plan.status == "interrupted"
        await pilot.press("R")
        await agree(pilot)
        await becomes(pilot, "complete")
    assert len(list((managed.root / "sorted").glob("*.jpg"))) == 6


async def test_what_was_done_before_keeps_its_ticks_while_the_rest_is_carried_out(managed: Library) -> None:
    plan = draft(managed, approved=True)
    _interrupt(managed, plan)
    async with app_on(managed) as pilot:
        await opened(pilot, plan)
        done = text(pilot).count("✓ move")
        assert 0 < done < 6
        with run_by_another(managed, plan, "resume") as (go_on, _):
            await becomes(pilot, "executing")
            await until(pilot, lambda: text(pilot).count("✓ move") >= done)
            go_on.set()
        await becomes(pilot, "complete")
        assert text(pilot).count("✓ move") == 6


async def test_ticks_come_while_a_plan_is_carried_out(managed: Library) -> None:
    plan = draft(managed, approved=True)
    _interrupt(managed, plan)
    async with app_on(managed) as pilot:
        await opened(pilot, plan)
        done = text(pilot).count("✓ move")
        with check_by_another(managed, plan), Catalog.open(str(managed.root)) as catalog:
            history = read_history(catalog, plan)
            with Journal(catalog, plan, history) as journal:
                journal.append([{"record": "done", "action": max(history.done) + 1}])
            await until(pilot, lambda: text(pilot).count("✓ move") == done + 1)


async def test_a_run_is_stopped_while_it_still_checks_and_nothing_else_is_offered(managed: Library) -> None:
    plan = draft(managed, approved=True)
    async with app_on(managed) as pilot:
        await opened(pilot, plan)
        with check_by_another(managed, plan) as stopped:
            await until(pilot, lambda: "checking" in text(pilot))
            named = text(pilot).splitlines()[-1]
            assert "s Stop" in named
            assert not [word for word in ("Apply", "Edit") if word in named]
            await pilot.press("s")
            await until(pilot, stopped.is_set)
        await until(pilot, lambda: "x Apply" in text(pilot))


@pytest.mark.parametrize("do", ["trash", "move"])
async def test_the_folders_of_a_plan_say_where_photos_come_to_or_where_those_lie_that_go(
    managed: Library, do: str
) -> None:
    plan = draft(managed, do=do)
    async with app_on(managed) as pilot:
        await opened(pilot, plan)
        await pilot.press("v")
        await settled(pilot)
        rows = [line.split() for line in text(pilot).splitlines()]
        there = {"move": ["Come", "to", "sorted/"], "trash": ["Lie", "in", "incoming/"]}[do]
        assert ["Originals", *there[:2]] in rows
        assert ["›", "6", there[2]] in rows
        await pilot.press("enter")
        await settled(pilot)
        assert screen(pilot).plan.rows.table.total == 6


def _interrupt(library: Library, plan: str) -> None:
    """Carry a plan out, and stop after some actions."""
    import threading

    from lumina_fs.durable import Disk
    from lumina_fs.plans.apply import apply
    from lumina_fs.plans.files import read_plan
    from tests.lumina_fs.faults import Interrupted

    cancel = threading.Event()
    with Catalog.open(str(library.root), Disk(Interrupted({("rename_new", 4): cancel.set}))) as catalog:
        list(apply(catalog, read_plan(catalog, plan), cancel=cancel))


async def test_an_edit_after_the_approval_makes_it_void_until_it_is_approved_again(managed: Library) -> None:
    plan = draft(managed, approved=True)
    path = managed.root / plan_path(plan)
    async with app_on(managed) as pilot:
        await opened(pilot, plan)
        assert screen(pilot).plan.status == "approved"
        path.write_bytes(path.read_bytes().replace(b"because", b"Because"))
        await becomes(pilot, "void")
        assert "≠ void" in text(pilot)
        await pilot.press("x")
        await settled(pilot)
        assert len(pilot.app.screen_stack) == 1  # it cannot be carried out
        await pilot.press("a")
        await agree(pilot)
        await becomes(pilot, "approved")


async def test_what_would_be_refused_is_told_first_and_has_to_be_rejected(managed: Library) -> None:
    plan = draft(managed)
    (managed.root / "incoming/IMG_2.jpg").unlink()
    async with app_on(managed) as pilot:
        plans = await opened(pilot, plan)
        assert "1 refused as things are now" in text(pilot)
        await pilot.press("a")
        await settled(pilot)
        assert len(pilot.app.screen_stack) == 1
        await pilot.press("f")
        await until(pilot, lambda: plans.plan.rows.table.total == 1)
        await settled(pilot)
        assert "✗ refused: is not there" in text(pilot)
        await pilot.press("X")
        await asked(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "skip 1" in text(pilot))
        await settled(pilot)
        await pilot.press("a")
        await agree(pilot)
        await becomes(pilot, "approved")


async def test_rows_are_sorted_filtered_and_found_and_a_folder_leads_to_its_rows(managed: Library) -> None:
    plan = draft(managed)
    async with app_on(managed, size=(140, 36)) as pilot:
        plans = await opened(pilot, plan)
        rows = plans.plan.rows
        await pilot.press("slash", *"IMG_3")
        await until(pilot, lambda: rows.table.total == 1)
        await pilot.press("backspace", "backspace", "backspace", "backspace", "backspace", "enter")
        await until(pilot, lambda: rows.table.total == 6)
        await pilot.press("o")
        await until(pilot, lambda: rows.sort == "path" and rows.table.row(0) is not None)
        await pilot.press("O")
        await until(pilot, lambda: rows.turned and str(rows.table.row(0)).find("scan.jpg") > 0)
        await pilot.press("v")
        await settled(pilot)
        assert "sorted/" in text(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: rows.look == "actions" and rows.match == "sorted/")
        await pilot.press("v", "v")
        await settled(pilot)
        assert "digest" in text(pilot)


async def test_marked_actions_are_rejected_together_with_a_reason(managed: Library) -> None:
    plan = draft(managed)
    async with app_on(managed) as pilot:
        await opened(pilot, plan)
        await pilot.press("space", "space", "r")
        await asked(pilot)
        await pilot.press(*"not now", "enter")
        await until(pilot, lambda: "skip 2" in text(pilot))
    actions = json.loads((managed.root / plan_path(plan)).read_bytes())["actions"]
    assert [one["do"] for one in actions] == ["skip", "skip", "move", "move", "move", "move"]
    assert "not now" in actions[0]["reason"]


async def test_a_draft_is_deleted_after_a_question_and_the_list_is_shown(managed: Library) -> None:
    plan = draft(managed)
    async with app_on(managed) as pilot:
        plans = await opened(pilot, plan)
        await pilot.press("d")
        await agree(pilot)
        await until(pilot, lambda: plans.shown == "list" and not plans.plans.plans)
    assert not (managed.root / plan_path(plan)).exists()


async def test_plans_of_other_processes_appear_and_another_screen_may_send_a_person_to_one(managed: Library) -> None:
    async with app_on(managed) as pilot:
        plans = await at_plans(pilot)
        assert "No plan yet" in text(pilot)
        plan = draft(managed, name="of another")
        await until(pilot, lambda: "of another" in text(pilot))
        await pilot.press("2")
        await settled(pilot)
        app = pilot.app
        assert isinstance(app, LuminaApp)
        app.action_go("plans", {"plan": plan})
        await until(pilot, lambda: plans.shown == "plan" and plans.plan.status == "draft")


async def test_the_open_plan_with_its_filter_is_back_at_the_next_start(managed: Library) -> None:
    plan = draft(managed)
    async with app_on(managed) as pilot:
        await opened(pilot, plan)
        await pilot.press("slash", *"IMG", "enter")
        await until(pilot, lambda: screen(pilot).plan.rows.table.total == 5)
        await pilot.press("down", "down")
        await settled(pilot)
    async with app_on(managed) as pilot:
        await becomes(pilot, "draft")
        rows = screen(pilot).plan.rows
        assert (screen(pilot).plan.plan, rows.match, rows.table.total, rows.table.cursor) == (plan, "IMG", 5, 2)


async def test_a_broken_plan_is_mended_in_the_editor(
    managed: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = draft(managed)
    path = managed.root / plan_path(plan)
    path.write_bytes(path.read_bytes().replace(b'"do": "move"', b'"do": "mope"', 1))
    editor = tmp_path / "editor.py"
    editor.write_text(
        "import pathlib, sys\npath = pathlib.Path(sys.argv[-1])\n"
        "path.write_bytes(path.read_bytes().replace(b'mope', b'move'))\n"
    )
    monkeypatch.setenv("VISUAL", f"{sys.executable} {editor}")
    async with app_on(managed) as pilot:
        monkeypatch.setattr(pilot.app, "suspend", contextlib.nullcontext)
        await opened(pilot, plan)
        assert "! broken" in text(pilot)
        assert "line" in text(pilot)
        await pilot.press("e")
        await becomes(pilot, "draft")


async def test_an_edit_that_breaks_a_plan_is_told_with_its_place_and_can_be_taken_back(
    managed: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = draft(managed)
    path = managed.root / plan_path(plan)
    before = path.read_bytes()
    editor = tmp_path / "editor.py"
    editor.write_text(
        "import pathlib, sys\npath = pathlib.Path(sys.argv[-1])\n"
        "path.write_bytes(path.read_bytes().replace(b'move', b'mope'))\n"
    )
    monkeypatch.setenv("VISUAL", f"{sys.executable} {editor}")
    async with app_on(managed) as pilot:
        monkeypatch.setattr(pilot.app, "suspend", contextlib.nullcontext)
        await opened(pilot, plan)
        await pilot.press("e")
        await asked(pilot)
        assert "column" in text(pilot)
        await pilot.press("down", "enter")
        await becomes(pilot, "draft")
    assert path.read_bytes() == before


async def test_an_edited_plan_may_be_read_anew_while_it_is_read(
    managed: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = draft(managed)
    editor = tmp_path / "editor.py"
    editor.write_text("import pathlib, sys\npath = pathlib.Path(sys.argv[-1])\npath.write_text('{}')\n")
    monkeypatch.setenv("VISUAL", f"{sys.executable} {editor}")
    async with app_on(managed) as pilot:
        monkeypatch.setattr(pilot.app, "suspend", contextlib.nullcontext)
        plans = await opened(pilot, plan)
        pane, ask, [listed] = plans.plan, ask_desk_plainly, plans.plans.plans

        async def seen_meanwhile(*question: Any, **named: Any) -> Any:
            monkeypatch.setattr(plan_pane, "ask_desk_plainly", ask)
            pane.saw(dataclasses.replace(listed, digest="of the edited one"))  # the list is first to see what changed
            return await ask(*question, **named)

        monkeypatch.setattr(plan_pane, "ask_desk_plainly", seen_meanwhile)
        await pilot.press("e")
        await asked(pilot)
        assert "The plan makes no sense" in text(pilot)
        await pilot.press("down", "enter")
        await becomes(pilot, "draft")


async def test_a_plan_that_is_being_read_is_not_read_from_its_beginning_whenever_the_list_tells_the_same(
    managed: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = draft(managed)
    async with app_on(managed) as pilot:
        plans = await opened(pilot, plan)
        pane, ask, [listed] = plans.plan, ask_desk_plainly, plans.plans.plans
        asked_for, go_on = list[str](), asyncio.Event()

        async def slow(app: Any, desk: str, what: str, *more: Any, **named: Any) -> Any:
            asked_for.append(what)
            await go_on.wait()
            return await ask(app, desk, what, *more, **named)

        monkeypatch.setattr(plan_pane, "ask_desk_plainly", slow)
        for _ in range(5):  # journals of a run that goes on lie beside the plan
            pane.saw(dataclasses.replace(listed, status="executing"))
            await pilot.pause(0.05)
        assert asked_for == ["open"]
        pane.saw(dataclasses.replace(listed, status="complete"))
        await pilot.pause(0.05)
        assert asked_for == ["open", "open"]
        go_on.set()
        await settled(pilot)
        pane.saw(listed)  # what is shown by now
        await settled(pilot)
        assert asked_for == ["open", "open"]


async def test_the_trash_is_restored_by_a_plan_and_emptied_only_for_its_number(managed: Library) -> None:
    before, plan = photos_in(managed.root), draft(managed, do="trash", approved=True)
    async with app_on(managed) as pilot:
        plans = await opened(pilot, plan)
        await pilot.press("x")
        await agree(pilot)
        await becomes(pilot, "complete")
        await pilot.press("t")
        await until(pilot, lambda: plans.trash.table.total == 6)
        await settled(pilot)
        await pilot.press("space", "r")
        await agree(pilot)
        await until(pilot, lambda: plans.shown == "plan" and plans.plan.status == "draft")
        await settled(pilot)
        assert "1 restore" in text(pilot)
        restoring = last_plan(managed)
        assert plans.plan.plan == restoring
        await pilot.press("a")
        await agree(pilot)
        await becomes(pilot, "approved")
        await pilot.press("x")
        await agree(pilot)
        await becomes(pilot, "complete")
        assert len(list((managed.root / "incoming").glob("*.jpg"))) == 1
        await pilot.press("t")
        await until(pilot, lambda: plans.trash.table.total == 5)
        await settled(pilot)
        await pilot.press("E")
        await asked(pilot)
        await pilot.press("6", "enter")  # not their number
        await settled(pilot)
        assert len(list((managed.root / ".lumina/trash").rglob("*.jpg"))) == 5
        await pilot.press("E")
        await asked(pilot)
        await pilot.press("5", "enter")
        await until(pilot, lambda: plans.trash.table.total == 0)
    assert list((managed.root / ".lumina/trash").rglob("*.jpg")) == []
    left = photos_in(managed.root)
    assert left.items() <= before.items()
