"""A draft that takes all originals of managed sources to the trash, for a catalog that is to be deleted with them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from lumina_fs.catalog import Catalog
from lumina_fs.errors import Refused
from lumina_fs.plans.files import write_draft
from lumina_fs.plans.folder_units import FolderUnits, measured
from lumina_fs.plans.ground import Ground
from lumina_fs.progress import Event, Finished, Progress, Throttle
from lumina_fs.roots import Root
from lumina_fs.units import part_of
from schemas.names import decode_name, encode_name

if TYPE_CHECKING:
    from index.postgres import PostgresIndex
    from index.protocol import Row

Value = dict[str, Any]


class ClearOut(NamedTuple):
    """The id of the draft and how many actions it has; None and 0 where there is nothing to trash."""

    plan: str | None
    actions: int


def propose_clear_out(
    catalog: Catalog, index: PostgresIndex, *, cancel: threading.Event
) -> Iterator[Event | Finished[ClearOut]]:
    """Write the draft, which is in the last event. Stopped, it writes none.

    Raises Refused where no source is managed, SourceOffline.
    """
    managed = {source.name: source for source in catalog.sources() if source.managed}
    if not managed:
        raise Refused("no source of it is managed, so none of its photos may be moved", path=catalog.path)
    actions: list[Value] = []
    throttle = Throttle()
    with ExitStack() as stack:
        units: dict[str, FolderUnits] = {}
        for source in managed.values():
            catalog.require_online(source)
            root = stack.enter_context(Root.open(source.path))
            units[source.name] = FolderUnits(catalog.sidecars(source, root), Ground(root))
        for action in _actions(index, units):
            if cancel.is_set():
                return
            actions.append(action)
            if throttle.due():
                yield Progress("looking what belongs together", len(actions), None, "photos")
    if not actions:
        yield Finished(ClearOut(None, 0))
        return
    value = {
        "name": f"Trash the managed photos of {catalog.name}",
        "description": "All photos of managed sources go to the trash, from where they can be brought back.",
        "purpose": "organise",
        "strategy": {"name": "clear-out"},
        "on_failure": "roll_back",
        "actions": actions,
    }
    yield Finished(ClearOut(write_draft(catalog, value), len(actions)))


def _actions(index: PostgresIndex, units: dict[str, FolderUnits]) -> Iterator[Value]:
    """An action for each unit, by its first original."""
    from index.listing import originals

    rows = {(row.source, row.path): row for row in originals(index) if row.source in units}
    taken: set[tuple[str, str]] = set()
    for (source, path), row in rows.items():
        if (source, path) in taken:
            continue
        yield {
            "do": "trash", "source": source, "path": path, "size": row.size, "sha256": row.sha256,
            "reason": "its catalog is to be deleted with its photos",
            "companions": list(_companions(units[source], row, rows)),
        }  # fmt: skip
        folder, _, name = decode_name(path).rpartition("/")
        unit = units[source].of(folder).get(name)
        taken |= {(source, _path(folder, one)) for one in (unit.originals if unit else (name,))}


def _companions(units: FolderUnits, row: Row, rows: dict[tuple[str, str], Row]) -> Iterator[Value]:
    folder, _, name = decode_name(row.path).rpartition("/")
    unit = units.of(folder).get(name)
    if unit is None:
        return
    for other in unit.originals:
        found = rows.get((row.source, _path(folder, other)))
        if other != name and found is not None:
            yield {"part": part_of(other), "path": found.path, "size": found.size, "sha256": found.sha256}
    for one in unit.travellers:
        value: Value = {"part": one.part, "path": _path(folder, one.name)}
        if one.part != "sidecar":
            value |= measured(units.ground.root, decode_name(value["path"]))
        yield value


def _path(folder: str, name: str) -> str:
    """The path of a name in a folder, as documents write it."""
    return encode_name(f"{folder}/{name}" if folder else name)
