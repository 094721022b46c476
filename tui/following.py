"""What changes under the app: jobs of any process, and the contents of the index; looked at twice a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from lumina_fs.errors import LuminaError
from lumina_fs.jobs.records import Record
from lumina_fs.viewing.access import revision
from lumina_fs.viewing.changes import Changes, Watched
from tui.session import Session

_EVERY = 0.5


@dataclass(frozen=True, slots=True)
class CatalogChanged:
    """The index says something else than before; `problem` says why it cannot be asked."""

    problem: str = ""


@dataclass(frozen=True, slots=True)
class FilesChanged:
    """Documents changed: which of plans, verdicts, audit, trash, sources."""

    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class JobsChanged:
    """All jobs, the latest first, and those that ended since the last look."""

    jobs: tuple[Record, ...]
    ended: tuple[Record, ...]


Change = CatalogChanged | FilesChanged | JobsChanged


async def follow(
    session: Session,
    tell: Callable[[Change], None],
    complain: Callable[[LuminaError | OSError], None],
    *,
    first: float = 0.0,
) -> None:
    """Tell of changes until cancelled. `first`: seconds that are left to what the screen shows first.

    What cannot be read is looked at again each time; `complain` hears of it once, until it can be read again.
    """
    changes, failing = Changes(), False

    async def look() -> Watched:
        nonlocal failing
        try:
            found: Watched = await session.read(changes.look)
        except (LuminaError, OSError) as error:
            found = Watched(None, (), frozenset(), error)
        if found.trouble is not None and not failing:
            complain(found.trouble)
        failing = found.trouble is not None
        return found

    before = await _revision(session)
    seen = await look()
    if isinstance(before, str):
        tell(CatalogChanged(before))
    await asyncio.sleep(first)
    while True:
        if seen.jobs is not None:
            tell(JobsChanged(seen.jobs, seen.ended))
        if seen.kinds:
            tell(FilesChanged(seen.kinds))
        now = await _revision(session)
        if now != before:
            before = now
            tell(CatalogChanged(now if isinstance(now, str) else ""))
        await asyncio.sleep(_EVERY)
        seen = await look()


async def _revision(session: Session) -> object:
    """By what a change of the contents is known; a text where the index cannot be asked."""
    try:
        return await session.ask(revision)
    except (LuminaError, OSError) as error:
        return str(error)
