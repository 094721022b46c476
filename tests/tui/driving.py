"""A real catalog under the app, driven by Textual's pilot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from lumina_fs.catalog import Catalog
from tests.conftest import Library
from tui.app import LuminaApp
from tui.forms import Form

#: Seconds that a screen may take to come to rest before a test gives up.
PATIENCE = 60.0


def text(pilot: Pilot[Any]) -> str:
    """All that is on the screen, as plain text."""
    lines = [[segment.text for segment in strip] for strip in pilot.app.screen._compositor.render_strips()]
    return "\n".join("".join(line) for line in lines)


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until nothing is asked for any more: no worker but those that follow changes or wait for a person."""
    app: LuminaApp = pilot.app  # type: ignore[assignment]
    quiet = 0
    for _ in range(int(PATIENCE / 0.02)):
        await pilot.pause(0.02)
        busy = [w for w in app.workers if w.group not in ("follow", "processes", "asking") and not w.is_finished]
        quiet = quiet + 1 if not busy else 0
        if quiet >= 3:
            return
    raise AssertionError(
        f"the app does not come to rest: {[w.name for w in app.workers if not w.is_finished]}\n{text(pilot)}"
    )


async def until(pilot: Pilot[Any], what: Callable[[], object]) -> None:
    """Wait until `what()` is true, and is drawn."""
    for _ in range(int(PATIENCE / 0.05)):
        if what():
            await pilot.pause(0.02)
            return
        await pilot.pause(0.05)
    raise AssertionError(f"it did not come to pass; the screen shows:\n{text(pilot)}")


async def judged(pilot: Pilot[Any]) -> Form:
    """Wait for a form, and until what is in it was judged."""
    await until(pilot, lambda: isinstance(pilot.app.screen, Form))
    await settled(pilot)
    form = pilot.app.screen
    assert isinstance(form, Form)
    return form


async def jobs_ended(pilot: Pilot[Any]) -> None:
    """Wait until no job runs, as far as the app knows."""
    app: LuminaApp = pilot.app  # type: ignore[assignment]
    await until(pilot, lambda: not any(record.state in ("pending", "running") for record in app.jobs))
    await settled(pilot)


def _heard(pilot: Pilot[Any]) -> None:
    """From now on whoever presses keys goes on when they were acted upon."""
    press = pilot.press

    async def pressed(*keys: str) -> None:
        await press(*keys)
        await until(pilot, lambda: not any(one.group == "keys" and not one.is_finished for one in pilot.app.workers))

    pilot.press = pressed  # type: ignore[method-assign]


@asynccontextmanager
async def app_on(library: Library | None, *, size: tuple[int, int] = (110, 32)) -> AsyncIterator[Pilot[Any]]:
    """The app on the catalog of a library (None: on no catalog), at rest."""
    catalog = Catalog.open(str(library.root)) if library is not None else None
    app = LuminaApp(catalog)
    async with app.run_test(size=size) as pilot:
        _heard(pilot)
        await settled(pilot)
        try:
            yield pilot
        finally:
            await app.close_session()
