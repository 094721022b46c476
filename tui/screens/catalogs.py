"""The catalogs that a person knows: how each stands, the way into it, and making, forgetting and deleting one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from lumina_fs.catalog import Catalog
from lumina_fs.durable import Disk
from lumina_fs.errors import LuminaError
from lumina_fs.farewell import Farewell, Outlook, delete, outlook
from lumina_fs.known_catalogs import forget
from lumina_fs.plans.clear_out import ClearOut, propose_clear_out
from lumina_fs.terminal import visible
from lumina_fs.viewing.access import Access
from lumina_fs.viewing.catalogs import CatalogRow, SourceRow, catalog_rows
from lumina_fs.viewing.new_catalog import add_source, make
from lumina_fs.wording import plural, size
from tui.catalog_screen import CatalogScreen
from tui.catalogs.catalog_forms import farewell_form, new_catalog_form, source_form, wish_of
from tui.catalogs.catalog_numbers import CatalogNumbers
from tui.catalogs.catalog_rows import SOURCES, WIDE, catalog_row, columns_for, source_row
from tui.following import CatalogChanged, Change, FilesChanged, JobsChanged
from tui.foreign import foreign_lines, named
from tui.rounds import Rounds
from tui.waiting import Waiting
from tui.widgets.virtual_table import VirtualTable

#: Of more than so many things that went otherwise the first ones are told.
_NOTES = 3
#: Actions about the catalog, or its source, under the cursor.
_ABOUT_ONE = frozenset({"open", "scan", "add_source", "manage", "remove_source", "forget", "delete"})


class CatalogsScreen(CatalogScreen):
    """A row for every catalog, and all about the one under the cursor."""

    NAME = "catalogs"
    needs_catalog = False
    CSS = """
    CatalogsScreen #about { height: auto; padding: 0 1; }
    CatalogsScreen #details { height: auto; max-height: 60%; }
    CatalogsScreen #sources { height: auto; max-height: 8; min-height: 3; }
    CatalogsScreen .first { height: 1fr; content-align: center middle; text-align: center; }
    """
    ANYWHERE = frozenset({"new"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open"),
        Binding("n", "new", "New", tooltip="New catalog"),
        Binding("s", "scan", "Scan", tooltip="Scan the catalog under the cursor"),
        Binding("a", "add_source", "Add source", tooltip="Add a source to the catalog under the cursor"),
        Binding("m", "manage", "Managed or not", tooltip="Let plans move the photos of the source, or not", show=False),
        Binding("x", "remove_source", "Remove source", tooltip="Remove the source under the cursor", show=False),
        Binding("f", "forget", "Forget", tooltip="Forget the catalog: it leaves this list only"),
        Binding("d", "delete", "Delete", tooltip="Delete the catalog; photos are not touched"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[CatalogRow] = []
        self._numbers = CatalogNumbers()
        self._wanted = ""
        self._loading = Rounds()

    def allows(self, action: str) -> bool:
        """What is about a catalog makes no sense without one."""
        return bool(self._rows) if action in _ABOUT_ONE else True

    def content(self) -> Iterable[Widget]:
        """The list, and what is known of the one under the cursor."""
        yield VirtualTable(WIDE, id="catalogs")
        yield Static("No catalog yet.\nPress n to make one of a folder with photos.", classes="first")
        with Vertical(id="details"):
            yield Static("", id="about")
            yield VirtualTable(SOURCES, id="sources")

    def concerns(self, change: Change) -> bool:
        """Jobs that run or end and sources, besides the contents."""
        return not isinstance(change, FilesChanged) or "sources" in change.kinds

    def changed(self, change: Change) -> None:
        """The numbers of the open catalog are others by now, where its contents are."""
        if isinstance(change, CatalogChanged) and self.session is not None:
            self._numbers.changed(self.session.catalog.path)
        if isinstance(change, JobsChanged) and not change.jobs:
            return
        self.load()

    def load_anew(self) -> None:
        """With the numbers of all catalogs."""
        self._numbers.all_changed()
        self.load()

    # -- what is shown

    @property
    def _list(self) -> VirtualTable:
        return self.query_one("#catalogs", VirtualTable)

    @property
    def _row(self) -> CatalogRow | None:
        at = self._list.cursor
        return self._rows[at] if at < len(self._rows) else None

    @property
    def _source(self) -> SourceRow | None:
        row, at = self._row, self.query_one("#sources", VirtualTable).cursor
        return row.sources[at] if row is not None and at < len(row.sources) else None

    def on_resize(self) -> None:
        """Fewer columns where there is little room."""
        if self._rows:
            self._fill()

    def load(self) -> None:
        """The list as files tell it; numbers of the indexes follow. While it is being read, once more after that."""
        if self._loading.want():
            self._load()

    @work(group="load")
    async def _load(self) -> None:
        for _ in self._loading:
            rows = await asyncio.to_thread(catalog_rows)
            if self.is_gone:
                return
            self._show(rows)

    def _show(self, rows: list[CatalogRow]) -> None:
        scanned = {row.path: row.last_scan for row in self._rows}
        for row in rows:
            if row.last_scan != scanned.get(row.path, row.last_scan):  # by anybody
                self._numbers.changed(row.path)
        self._rows = rows
        here = self.session.catalog.path if self.session is not None else None
        wanted = self._wanted or (self._row.path if self._row is not None and self._list.total else here)
        at = next((number for number, row in enumerate(self._rows) if row.path == wanted), None)
        self._wanted = ""
        self._fill(at)
        self._count()

    @work(group="count")
    async def _count(self) -> None:
        for row in self._rows if not self.is_gone else ():
            wait = self._numbers.wait(row.path) if row.present else None
            if wait:
                self.set_timer(wait + 0.1, self._count)
            elif wait is not None and await self._numbers.count(row.path) and not self.is_gone:
                self._fill()
                again = self._numbers.wait(row.path)
                if again is not None:  # it changed while it was counted
                    self.set_timer(again + 0.1, self._count)

    def _fill(self, at: int | None = None) -> None:
        table = self._list
        table.columns = list(columns_for(self.app.size.width))
        open_ = self.session.catalog.path if self.session is not None else None
        known = self._numbers.known
        shown = [catalog_row(row, known.get(row.path), table.columns, is_open=row.path == open_) for row in self._rows]
        table.fill(shown, cursor=at)
        for widget in (table, self.query_one("#details")):
            widget.display = bool(self._rows)
        self.query_one(".first").display = not self._rows
        if self._rows and self.focused is None:
            table.focus()
        self.refresh_bindings()
        self._about()

    @on(VirtualTable.Moved, "#catalogs")
    def _about(self) -> None:
        row = self._row
        if row is None:
            return
        found = self._numbers.known.get(row.path)
        lines = [f"{named(row.name)}: {row.path}"]
        if found is not None:
            missing = f", {found.missing:,} missing" if found.missing else ""
            wrong = plural(found.problems, "problem")
            lines.append(f"{plural(found.originals, 'original')}, {size(found.size)}{missing}; {wrong}")
        lines += [f"! {problem}" for problem in row.problems[:3]]
        if not row.present:
            lines.append("! It is not there. Is its disk connected? f forgets it.")
        self.query_one("#about", Static).update(foreign_lines(lines))
        self.query_one("#sources", VirtualTable).fill([source_row(source) for source in row.sources])

    # -- opening

    @on(VirtualTable.Chosen, "#catalogs")
    def action_open(self) -> None:
        """Open the catalog under the cursor."""
        row = self._row
        if row is not None and self.session is not None and self.session.catalog.path == row.path:
            self.app.action_go("photos")
        elif row is not None:
            self._open(row.path)

    def action_scan(self) -> None:
        """Open the catalog under the cursor, and scan it."""
        row = self._row
        if row is not None:
            self._open(row.path, lambda: self.app.start(["scan"]), room="jobs")

    @work(group="acting")
    async def _open(self, path: str, then: Callable[[], object] | None = None, room: str | None = None) -> None:
        if self.session is not None and self.session.catalog.path == path:
            if then is not None:
                then()
            self.app.action_go(room or "photos")
            return
        try:
            catalog = await asyncio.to_thread(Catalog.open, path)
        except (LuminaError, OSError) as error:
            self.app.complain(error)
            return
        self.app.open_catalog(catalog, room=room, then=then)

    # -- making and changing

    @work(group="asking")
    async def action_new(self) -> None:
        """Make a catalog of a folder."""
        values = await self.app.push_screen_wait(new_catalog_form())
        if values is None:
            return
        try:
            path, notes = await asyncio.to_thread(make, wish_of(values))
        except (LuminaError, OSError) as error:
            self.app.complain(error)
            self.load()
            return
        for note in notes:
            self.app.notify(visible(note), markup=False)
        self._wanted = path
        self._open(path, (lambda: self.app.start(["scan"])) if values["scan"] else None, "jobs")

    @work(group="asking")
    async def action_add_source(self) -> None:
        """Add a folder to the catalog under the cursor."""
        row = self._row
        if row is None or not row.present:
            return
        values = await self.app.push_screen_wait(source_form(row))
        if values is not None:
            folder, managed = values["folder"], bool(values["managed"])
            added = await self._change(row, lambda catalog: add_source(catalog, folder, managed=managed))
            if added is not None:
                name, notes = added
                for note in notes:
                    self.app.notify(visible(note), markup=False)
                if values["scan"]:
                    self._open(row.path, lambda: self.app.start(["scan", "--source", name]), "jobs")

    async def _change(self, row: CatalogRow, act: Callable[[Catalog], Any]) -> Any:
        """Do something to a catalog's documents in a thread; what it gives, None after an error, which was shown."""

        def do() -> Any:
            with Catalog.open(row.path) as catalog:
                return act(catalog)

        try:
            return await asyncio.to_thread(do)
        except (LuminaError, OSError) as error:
            self.app.complain(error)
            return None
        finally:
            self._load_shown()

    def _load_shown(self) -> None:
        """The list that is shown, which is another one once the catalog that was open is closed."""
        for screen in self.app.screen_stack:
            if isinstance(screen, CatalogsScreen):
                screen.load()

    @work(group="acting")
    async def _apply(self, row: CatalogRow, act: Callable[[Catalog], Any]) -> None:
        await self._change(row, act)

    def action_manage(self) -> None:
        """Make the source under the cursor managed, or referenced."""
        row, source = self._row, self._source
        if row is None or source is None:
            return
        now = not source.managed
        what = (
            "Plans that you approve may move its photos and take them to the trash."
            if now
            else "Plans may not move its photos any more. Nothing is moved now."
        )
        self.confirm_then(
            f"Make {source.name} {'managed' if now else 'referenced'}?", [source.path, what], "Yes",
            lambda: self._apply(row, lambda catalog: catalog.set_source(source.name, managed=now)),
        )  # fmt: skip

    def action_remove_source(self) -> None:
        """Take the source under the cursor out of its catalog."""
        row, source = self._row, self._source
        if row is None or source is None:
            return
        lines = [
            f"{source.path} is no source of {named(row.name)} any more.",
            f"Its {source.originals or 0:,} photos and their sidecars stay where they are, byte for byte.",
            "The next scan drops its rows from the index.",
        ]
        self.confirm_then(
            f"Remove the source {source.name}?", lines, "Remove it",
            lambda: self._apply(row, lambda catalog: catalog.remove_source(source.name)),
        )  # fmt: skip

    # -- the end of one

    def action_forget(self) -> None:
        """Take the catalog under the cursor from the list."""
        row = self._row
        if row is not None:
            lines = [
                f"{row.path} leaves this list. Nothing on the disk changes: no photo, no sidecar, no setting.",
                "Opening it again puts it back.",
            ]
            self.confirm_then(f"Forget {named(row.name)}?", lines, "Forget it", lambda: self._forget(row))

    @work(group="acting")
    async def _forget(self, row: CatalogRow) -> None:
        try:
            await asyncio.to_thread(forget, Disk(), row.path)
        except LuminaError as error:
            self.app.complain(error)
        self.load()

    @work(group="asking")
    async def action_delete(self) -> None:
        """Delete the catalog under the cursor, after saying exactly what happens."""
        row = self._row
        if row is None or not row.present:
            return
        seen: Outlook | None = await self._change(row, outlook)
        if seen is None:
            return
        if seen.busy:
            self.app.notify(f"It cannot be deleted now: {seen.busy}", severity="warning", markup=False, timeout=10)
            return
        values = await self.app.push_screen_wait(farewell_form(seen))
        if values is None:
            return
        if values.get("photos") == "trash":
            self._open(row.path, lambda: self._propose(), "plans")
            return
        # of the app, because the work of screens ends when the catalog is closed
        self.app.run_worker(self._delete(row, seen.aside, sidecars=values["sidecars"]), group="deleting")

    async def _delete(self, row: CatalogRow, aside: str, *, sidecars: bool) -> None:
        if self.session is not None and self.session.catalog.path == row.path:
            await self.app.leave_catalog()
        waiting = Waiting[Farewell](f"Deleting {named(row.name)}. No photo is touched.")

        def act(catalog: Catalog) -> Farewell | None:
            return waiting.through(delete(catalog, aside=aside, sidecars=sidecars, cancel=waiting.cancel))

        found = await waiting.until(self.app, self._change(row, act))
        for note in waiting.notes[:_NOTES]:
            self.app.notify(visible(note), severity="warning", markup=False, timeout=15)
        if found is not None:
            self.app.notify(
                f"Its state lies in {found.aside}", title=f"{named(row.name)} is deleted", markup=False, timeout=15
            )

    def _propose(self) -> None:
        """Propose the plan in the catalog that was just opened."""
        self.app.run_worker(self._propose_in(), group="propose")

    async def _propose_in(self) -> None:
        waiting = Waiting[ClearOut]("Proposing a plan. Nothing is moved by it.")

        def proposed(access: Access) -> ClearOut | None:
            return waiting.through(propose_clear_out(access.catalog, access.index, cancel=waiting.cancel))

        try:
            found = await waiting.until(self.app, self.open_session.ask(proposed))
        except (LuminaError, OSError) as error:
            self.app.complain(error)
            return
        if found is None:
            self.app.notify("Stopped: no plan was written.", markup=False)
        elif found.plan is None:
            self.app.notify("No photo lies in a managed source.", markup=False)
        else:
            title = f"A plan to trash {plural(found.actions, 'photo')}"
            self.app.notify("Approve and apply it, then delete the catalog.", title=title, markup=False, timeout=15)
            self.app.action_go("plans", {"plan": found.plan})

    # -- memory

    def state(self) -> dict[str, Any]:
        """Which catalog the cursor is on."""
        row = self._row
        return {"at": row.path} if row is not None else {}

    def restore(self, state: dict[str, Any]) -> None:
        """Back to it."""
        self._wanted = str(state.get("at", ""))
