"""A search in a library, and what it found, by paths."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lumina_fs.answers import answering_index
from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.find import find
from lumina_fs.duplicates.results import Result
from lumina_fs.duplicates.standing import Standing, Standings
from lumina_fs.duplicates.verdicts import Choice, decide
from lumina_fs.progress import Finished
from schemas.verdict import Decision

if TYPE_CHECKING:
    from pathlib import Path

    from index.postgres import PostgresIndex
    from tests.conftest import Library


@contextlib.contextmanager
def opened(root: Path) -> Iterator[tuple[Catalog, PostgresIndex]]:
    """The catalog at `root` and its index."""
    with (
        Catalog.open(str(root)) as catalog,
        answering_index(
            catalog, show=lambda event: None, may_rebuild=lambda why: True, cancel=threading.Event()
        ) as index,
    ):
        yield catalog, index


def searched(library: Library, *, cancel: threading.Event | None = None, threshold: int = 5) -> Result | None:
    """Search; the result, and the events in the library. None for a search that was stopped."""
    library.events = []
    with opened(library.root) as (catalog, index):
        for event in find(catalog, index, threshold=threshold, cancel=cancel or threading.Event()):
            if isinstance(event, Finished):
                result: Result = event.result
                return result
            library.events.append(event)
    return None


def standings(library: Library) -> Standings:
    """How things stand after the last search."""
    with opened(library.root) as (catalog, index):
        return Standings.load(catalog, index)


def groups(library: Library) -> list[tuple[str, list[str]]]:
    """(keeper, [others]) of every group, sorted."""
    return sorted(
        (one.keeper.twin.path, sorted(copy.twin.path for copy in one.others)) for one in standings(library).groups
    )


def fresh_groups(library: Library) -> list[tuple[str, list[str]]]:
    """The same after another search."""
    assert searched(library) is not None
    return groups(library)


def only(library: Library) -> Standing:
    """The only group."""
    [group] = standings(library).groups
    return group


def kinds(library: Library) -> dict[str, str]:
    """The kind of every file that is not a keeper."""
    return {copy.twin.path: copy.kind for group in standings(library).groups for copy in group.others}


def contents(library: Library, *paths: str) -> list[str]:
    """The digests of these originals, as their sidecars say."""
    return [library.value(path)["original"]["sha256"] for path in paths]


def ruled(
    library: Library,
    kept: str,
    others: Sequence[str],
    decision: Decision,
    now: str = "2024-01-01T00:00:00Z",
    **said: Any,
) -> int:
    """Decide that of these paths; how many documents changed."""
    [content] = contents(library, kept)
    choices = [
        Choice(content, kept, other, path, decision, **said)
        for path, other in zip(others, contents(library, *others), strict=True)
    ]
    with Catalog.open(str(library.root)) as catalog:
        return decide(catalog, choices, by="a test", now=now)


def decisions(library: Library) -> dict[str, str | None]:
    """What was decided about every file that is not a keeper."""
    return {copy.twin.path: copy.decision for group in standings(library).groups for copy in group.others}
