"""The audit: what was done to which file, the newest first; filtered, exported, and the way to the photo."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Select, Static

from lumina_fs.audit import TYPES, Line, is_date
from lumina_fs.audit_csv import export
from lumina_fs.cli.jobs_shown import moment
from lumina_fs.errors import LuminaError
from lumina_fs.viewing.audit_lines import AuditLines, Wanted
from lumina_fs.viewing.new_catalog import Opinion, absolute
from lumina_fs.wording import in_words, plural, size
from tui.foreign import foreign, named
from tui.forms import Field, Form, Values
from tui.host import Host
from tui.widgets.paged_view import PAGE
from tui.widgets.virtual_table import Cell, Column, Row, VirtualTable

_ROOMY = 120
_WIDE = (
    Column("when", "When", 19), Column("what", "What", 11), Column("path", "File", 0, "middle"),
    Column("to", "To", 0, "middle"), Column("size", "Size", 9, "right"), Column("by", "By", 14),
)  # fmt: skip
_NARROW = (Column("when", "When", 16), Column("what", "What", 11), Column("path", "File", 0, "middle"))
_LOOKS = {"trashed": "warn", "emptied": "bad", "rolled_back": "warn"}
_ALL = "all"
#: Lines that are looked for at once, and how near the end somebody has to come for more.
_SOME, _NEAR = 1000, 300


class AuditPane(Vertical):
    """Fields to filter by, the lines, and what the one under the cursor says."""

    DEFAULT_CSS = """
    AuditPane .filters { height: 1; }
    AuditPane .filters Input { width: 1fr; background: $panel; margin-right: 1; }
    AuditPane #since, AuditPane #until { max-width: 16; }
    AuditPane #type { width: 18; margin-right: 1; }
    AuditPane #line { height: auto; max-height: 4; padding: 0 1; }
    """

    app: Host

    class Go(Message):
        """Show this original."""

        def __init__(self, source: str, path: str) -> None:
            super().__init__()
            self.source = source
            self.path = path

    def __init__(self) -> None:
        super().__init__(id="audit-pane")
        self._lines = AuditLines(Wanted())
        self._known: dict[int, Line] = {}

    def compose(self) -> ComposeResult:
        """Fields, table, one line in full, how many there are."""
        with Horizontal(classes="filters"):
            yield Input(placeholder="since 2026-11", compact=True, id="since")
            yield Input(placeholder="until", compact=True, id="until")
            options = [("every kind", _ALL), *((in_words(kind), kind) for kind in TYPES)]
            yield Select(options, value=_ALL, allow_blank=False, compact=True, id="type")
            yield Input(placeholder="path, digest, plan", compact=True, id="about")
        yield VirtualTable(_WIDE, id="lines")
        yield Static("", id="line")
        yield Static("", classes="hint", id="count")

    @property
    def table(self) -> VirtualTable:
        """The lines."""
        return self.query_one("#lines", VirtualTable)

    # -- what is wanted

    @property
    def wanted(self) -> Wanted:
        """What the fields say."""
        kind = self.query_one("#type", Select).value
        since, until, about = (self.query_one(f"#{name}", Input).value.strip() for name in ("since", "until", "about"))
        return Wanted(since, until, () if kind == _ALL else (str(kind),), about)

    def take(self, state: dict[str, Any]) -> None:
        """Fill the fields."""
        for name in ("since", "until", "about"):
            self.query_one(f"#{name}", Input).value = str(state.get(name, ""))
        kind = state.get("type", _ALL)
        self.query_one("#type", Select).value = kind if kind in TYPES else _ALL

    def state(self) -> dict[str, Any]:
        """What the fields say, to be remembered."""
        wanted = self.wanted
        kind = wanted.kinds[0] if wanted.kinds else _ALL
        return {"since": wanted.since, "until": wanted.until, "type": kind, "about": wanted.about}

    @on(Input.Changed)
    @on(Select.Changed)
    def _changed(self) -> None:
        self.load()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.table.focus()

    # -- reading

    @work(exclusive=True, group="audit")
    async def load(self) -> None:
        """Read the newest lines that are wanted."""
        wanted = self.wanted
        for date in (wanted.since, wanted.until):
            if not is_date(date):
                self._say(f"{date!r} is no date; write 2026, 2026-11 or 2026-11-21")
                return
        self._lines, self._known = AuditLines(wanted), {}
        at = self.table.cursor
        await self._read(max(_SOME, at + _NEAR))

    @work(exclusive=True, group="audit")
    async def _go_on(self) -> None:
        await self._read(len(self._lines) + max(_SOME, len(self._lines) // 2))

    async def _read(self, count: int) -> None:
        """Read until there are so many lines; what is there is shown meanwhile."""
        session, lines = self.app.session, self._lines
        if session is None:
            return
        shown = -1
        while len(lines) < count and not lines.whole:
            try:
                found = await session.read(lines.more, count)
            except (LuminaError, OSError) as error:
                self.app.complain(error)
                return
            if not self.is_mounted or lines is not self._lines:
                return
            if found != shown:
                self._show(found)
            shown = found
            self._tell()
        self._show(len(lines))
        self._tell()

    def _show(self, total: int) -> None:
        table = self.table
        table.columns = list(_WIDE if self.app.size.width >= _ROOMY else _NARROW)
        table.reset(total)
        self._about()

    def _tell(self) -> None:
        lines = self._lines
        many = plural(len(lines), "line")
        if lines.whole:
            self._say(f"{many}, all there are" if len(lines) else "nothing that fits was done yet")
        else:
            among = f" of {lines.looked_at:,} looked through" if lines.looked_at > len(lines) else ""
            self._say(f"the newest {many}{among}; End reads on")

    def _say(self, text: str) -> None:
        self.query_one("#count", Static).update(foreign(text))

    @on(VirtualTable.NeedRows)
    def _need(self, event: VirtualTable.NeedRows) -> None:
        self._page(event.first, self._lines)

    @work(group="pages")
    async def _page(self, first: int, lines: AuditLines) -> None:
        session = self.app.session
        if session is None:
            return
        try:
            found = await session.read(lines.page, first, PAGE)
        except (LuminaError, OSError) as error:
            self.app.complain(error)
            return
        if lines is self._lines and self.is_mounted and len(found) >= min(PAGE, self.table.total - first):
            self._known.update(enumerate(found, first))
            for number in [number for number in self._known if abs(number - first) > 10 * PAGE]:
                del self._known[number]
            self.table.put(first, [self._row(line) for line in found])
            self._about()

    # -- what is shown

    def _row(self, line: Line) -> Row:
        to = line.get("to") or {}
        what = str(line.get("what", ""))
        path, target = named(str(line.get("path", ""))), named(str(to.get("path", "")))
        shown: dict[str, str | Cell] = {
            "when": moment(str(line.get("when", ""))), "what": Cell(in_words(what), _LOOKS.get(what, "")),
            "path": path, "to": target, "size": size(line["size"]) if isinstance(line.get("size"), int) else "",
            "by": str(line.get("by", "")),
        }  # fmt: skip
        if self.app.size.width < _ROOMY:
            shown["when"] = str(shown["when"])[:16]
            shown["path"] = f"{path} -> {target}" if target else path
        return [shown[column.key] for column in self.table.columns]

    def on_resize(self) -> None:
        """Other columns may fit."""
        if self.table.total:
            self._show(self.table.total)

    @on(VirtualTable.Moved)
    def _moved(self, event: VirtualTable.Moved) -> None:
        self._about()
        lines = self._lines
        reading = [one for one in self.workers if one.group == "audit" and one.is_running]
        if not lines.whole and not reading and event.row > len(lines) - _NEAR:
            self._go_on()

    def _about(self) -> None:
        line = self._known.get(self.table.cursor)
        self.query_one("#line", Static).update(foreign("" if line is None else _told(line)))

    @on(VirtualTable.Chosen)
    def _chosen(self, event: VirtualTable.Chosen) -> None:
        line = self._known.get(event.row)
        if line is None:
            return
        if line.get("what") in ("trashed", "emptied"):
            where = "in the trash" if line["what"] == "trashed" else "removed for good"
            self.app.notify(f"That file is {where}; plan {str(line.get('plan', ''))[-8:]}.", markup=False)
            return
        to = line.get("to") or {}
        source, path = to.get("source") or line.get("source"), to.get("path") or line.get("path")
        if source and path:
            self.post_message(self.Go(str(source), str(path)))

    # -- export

    @work(group="asking")
    async def export(self) -> None:
        """Write what is filtered to a file that the person names."""
        session, wanted = self.app.session, self.wanted
        if session is None:
            return
        field = Field(
            "file", "File", "folder", os.path.join("~", "lumina-audit.csv"), "A new file; nothing is replaced."
        )
        what = f"Lines: {_filter(wanted)}, oldest first."
        values = await self.app.push_screen_wait(
            Form("Export as CSV", [field], "Write it", lambda values: _judge(values, what))
        )
        if values is None:
            return
        target = absolute(values["file"])
        try:
            count = await session.read(
                export, target, since=wanted.since, until=wanted.until, kinds=wanted.kinds, entity=wanted.about,
                cancel=session.cancel,
            )  # fmt: skip
        except (LuminaError, OSError) as error:
            self.app.complain(error)
            return
        self.app.notify(f"{plural(count, 'line')} in {named(target)}", title="Written", markup=False)


def _judge(values: Values, what: str) -> Opinion:
    target = absolute(values["file"])
    if not values["file"].strip() or values["file"].strip().endswith("/"):
        return Opinion("the name of a new file")
    if os.path.lexists(target):
        return Opinion("there is something of that name already; another name")
    if not os.path.isdir(os.path.dirname(target)):
        return Opinion("there is no such folder")
    return Opinion(notes=[what])


def _filter(wanted: Wanted) -> str:
    parts: Iterable[str] = (
        f"since {wanted.since}" if wanted.since else "", f"until {wanted.until}" if wanted.until else "",
        ", ".join(wanted.kinds), f"about {wanted.about}" if wanted.about else "",
    )  # fmt: skip
    return ", ".join(part for part in parts if part) or "all"


def _told(line: Line) -> str:
    """A line in full."""
    to = line.get("to") or {}
    parts = [f"{line.get('what', '')} {line.get('source', '')}: {named(str(line.get('path', '')))}"]
    if to.get("path"):
        parts.append(f"-> {to.get('source', line.get('source', ''))}: {named(str(to['path']))}")
    if line.get("fields"):
        parts.append(f"({', '.join(line['fields'])})")
    parts += [f"{name} {line[name]}" for name in ("plan", "by", "sha256") if line.get(name)]
    return ", ".join(parts)
