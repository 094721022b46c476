"""The form for a new plan: what may be chosen, an example of what it makes of real originals, and the proposing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Select, Static

from lumina_fs.errors import LuminaError
from lumina_fs.plans.strategies import FALLBACK
from lumina_fs.plans.wishes import Wishes
from lumina_fs.viewing.proposing import Choices, Example, choices, example, wrong
from lumina_fs.wording import plural
from tui.foreign import foreign, foreign_lines
from tui.host import Host
from tui.plans.proposing import Answer, Proposing
from tui.widgets.virtual_table import Cell, Column, VirtualTable
from tui.windows import ModalWindow

_OWN, _RULES = "own template", "rules"
_FORMS = ("YYYY/MM", "YYYY-MM", "YYYY/MM-DD", "YYYY-MM-DD")
_FAILURES = (("take all back", "roll_back"), ("stop there", "stop"), ("go on with the others", "continue"))
_COLLISIONS = (("it gets another name (-1)", "rename"), ("it stays where it is", "skip"))
#: Seconds without a key before the example is worked out anew.
_PAUSE = 0.15

#: Fields of the form with what stands in them at first.
_FIRST = {
    "strategy": "by-date", "template": "YYYY/MM", "rules": "", "file_name": "", "query": "", "source": "",
    "copy": "", "into": "", "folder": "", "on_collision": "rename", "on_failure": "roll_back", "fallback": FALLBACK,
    "doubtful": "", "below": "60", "name": "",
}  # fmt: skip


class CreatePlan(ModalWindow[str | None]):
    """Asks for everything that `lumina plan propose` can be told; the id of the new draft, None without one."""

    DEFAULT_CSS = """
    CreatePlan #creator { width: 98%; max-width: 150; height: 96%; border: round $accent; background: $surface; }
    CreatePlan .row { height: 1; padding: 0 1; }
    CreatePlan .row Label { width: 16; color: $foreground 80%; }
    CreatePlan .row Input, CreatePlan .row Select { width: 1fr; }
    CreatePlan .-off { display: none; }
    CreatePlan #fields { height: auto; max-height: 60%; }
    CreatePlan #wrong { height: auto; max-height: 3; padding: 0 1; color: $error; }
    CreatePlan #example { height: 1fr; min-height: 5; margin-top: 1; }
    CreatePlan #example > .table--cursor { background: $surface; text-style: none; }
    CreatePlan #said { width: 1fr; height: 1; padding: 0 1; }
    CreatePlan #buttons { height: 1; }
    CreatePlan #buttons Button { margin: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", tooltip="Cancel: stop the proposing, or close"),
        Binding("ctrl+s", "propose", "Propose", priority=True),
    ]

    app: Host

    def __init__(self, filled: dict[str, Any] | None = None) -> None:
        super().__init__()
        given = filled or {}
        #: What stands in the form, to be shown again.
        self.filled = {name: str(given.get(name, first)) for name, first in _FIRST.items()}
        self._choices = Choices((), (), "", (), ())
        self._proposing: Proposing | None = None

    def compose(self) -> ComposeResult:
        """The form; its lists are filled when it is known what there is."""
        with Vertical(id="creator"):
            yield Static("New plan: where should originals lie? Nothing is moved by this.", classes="asking-title")
            yield VerticalScroll(id="fields", can_focus=False)
            yield Static("", id="wrong", markup=False)
            yield VirtualTable(
                (Column("path", "For example", 0, "middle"), Column("target", "Would go to", 0, "middle"),
                 Column("note", "Because", 28)), id="example",
            )  # fmt: skip
            with Horizontal(id="buttons"):
                yield Static("", id="said", markup=False)
                yield Button("Propose (^s)", id="propose", variant="success", compact=True)
                yield Button("Cancel (esc)", id="cancel", compact=True)

    async def on_mount(self) -> None:
        """Find out what there is to choose from."""
        session = self.app.session
        assert session is not None
        try:
            self._choices = await session.read(choices)
        except (LuminaError, OSError) as error:
            self.app.complain(error)
            self.dismiss(None)
            return
        await self.query_one("#fields").mount(*self._fields(self._choices))
        self._arrange()
        self.query_one("#strategy").focus()
        self._try()

    def _fields(self, known: Choices) -> Iterable[Widget]:
        named = [(f"{name}: {text}", name) for name, text in known.strategies if name != "by-date"]
        strategies = [
            (f"by date: {known.layout} (the layout of the catalog)", "by-date"),
            *((f"by date: {form}", form) for form in _FORMS), *named,
            ("a template of your own", _OWN), ("a file of rules", _RULES),
        ]  # fmt: skip
        sources = [("all that may be moved", ""), *((name, name) for name in (*known.managed, *known.referenced))]
        into = [("each into its own source", ""), *((name, name) for name in known.managed)]
        fields = ", ".join(f"{{{name}}}" for name, _ in known.fields[:12])
        yield self._select("Strategy", "strategy", strategies)
        yield self._input("Template", "template", f"YYYY MM DD, text, {fields} …")
        yield self._input("Rules", "rules", "path of a JSON file, as docs/plans.md says")
        yield self._input("File names", "file_name", "as they are; or for example {date}_{name}")
        yield self._input("Only", "query", "all originals; or a query as in lumina search: path:incoming -has:gps")
        yield self._select("Source", "source", sources)
        yield self._select("Move or copy", "copy", [("move", ""), ("copy from referenced sources", "copy")])
        yield self._select("Into", "into", into)
        yield self._input("Folder there", "folder", "the top; with Into only")
        yield self._select("Name is taken", "on_collision", list(_COLLISIONS))
        yield self._select("If one fails", "on_failure", list(_FAILURES))
        yield self._input("Without a place", "fallback", "it stays where it is; or a folder")
        yield self._input("Doubtful dates", "doubtful", "no place of their own; or a folder above all others")
        yield self._input("Doubtful below", "below", "60 of 100")
        yield self._input("Name of plan", "name", "made from the strategy")

    def _input(self, label: str, name: str, hint: str) -> Widget:
        return Horizontal(
            Label(label), Input(self.filled[name], placeholder=hint, id=name, compact=True), classes="row"
        )

    def _select(self, label: str, name: str, options: list[tuple[str, str]]) -> Widget:
        shown = [(foreign(text).plain, value) for text, value in options]
        value = self.filled[name] if self.filled[name] in [value for _, value in options] else options[0][1]
        self.filled[name] = value
        return Horizontal(
            Label(label), Select(shown, value=value, allow_blank=False, id=name, compact=True), classes="row"
        )

    # -- filling in

    @on(Input.Changed)
    @on(Select.Changed)
    def _changed(self, event: Input.Changed | Select.Changed) -> None:
        event.stop()
        name = event.control.id
        if name in self.filled and self.filled[name] != str(event.value):
            self.filled[name] = str(event.value)
            self._arrange()
            self._try()

    def _arrange(self) -> None:
        """Only fields that mean something."""
        strategy = self.filled["strategy"]
        off = {
            "template": strategy != _OWN, "rules": strategy != _RULES, "file_name": strategy == _RULES,
            "folder": not self.filled["into"], "below": not self.filled["doubtful"],
        }  # fmt: skip
        for name, hidden in off.items():
            for field in self.query(f"#{name}"):
                if field.parent is not None:
                    field.parent.set_class(hidden, "-off")

    def wishes(self) -> Wishes:
        """What stands in the form."""
        form = self.filled
        own, rules = form["strategy"] == _OWN, form["strategy"] == _RULES
        into = f"{form['into']}/{form['folder'].strip('/')}".rstrip("/") if form["into"] else None
        return Wishes(
            strategy=None if rules else form["template"] if own else form["strategy"],
            rules=form["rules"] if rules else None,
            file_name=form["file_name"] or None if not rules else None,
            query=form["query"],
            sources=(form["source"],) if form["source"] else (),
            into=into,
            copy=bool(form["copy"]),
            # a file of rules may name its own
            fallback=None if rules and form["fallback"] == FALLBACK else form["fallback"],
            doubtful=form["doubtful"] or None,
            below=int(form["below"]) if form["below"].isdecimal() else -1,
            on_collision=form["on_collision"],
            on_failure=form["on_failure"],
            name=form["name"] or None,
        )

    @work(exclusive=True, group="example")
    async def _try(self) -> None:
        """Say what is wrong, or show what it would make of a few originals."""
        await asyncio.sleep(_PAUSE)
        session = self.app.session
        if session is None:
            return
        wishes = self.wishes()
        reason = await session.read(wrong, wishes)
        found: list[Example] = []
        if not reason:
            try:
                found = await session.ask(example, wishes)
            except (LuminaError, OSError) as error:
                reason = str(error)
        self.query_one("#wrong", Static).update(foreign(f"✗ {reason}") if reason else "")
        self.query_one("#propose", Button).disabled = bool(reason)
        self.query_one("#example", VirtualTable).fill([_shown(one) for one in found])
        if not reason and not found and self._proposing is None:
            self._say("no original fits")
        elif self._proposing is None:
            self._say("")

    def _say(self, text: str) -> None:
        self.query_one("#said", Static).update(foreign(text))

    # -- proposing

    @on(Button.Pressed, "#propose")
    def action_propose(self) -> None:
        """Propose it in a process of its own."""
        if self._proposing is None and not self.query_one("#propose", Button).disabled:
            self._propose()

    @work(group="propose", exclusive=True)
    async def _propose(self) -> None:
        session = self.app.session
        if session is None:
            return
        wishes = self.wishes()
        if reason := await session.read(wrong, wishes):
            self.query_one("#wrong", Static).update(foreign(f"✗ {reason}"))
            return
        self._proposing = Proposing(session.catalog, wishes.words(), self._say)
        try:
            answer = await self._proposing.run()
        except OSError as error:
            self.app.complain(error)
            return
        finally:
            self._proposing = None
        await self._proposed(answer)

    async def _proposed(self, answer: Answer) -> None:
        found = answer.value
        if found is None:
            self._say("" if answer.problem else "stopped; nothing was written")
            self.query_one("#wrong", Static).update(foreign(f"✗ {answer.problem}") if answer.problem else "")
        elif found["plan"] is None:
            self._say(f"nothing to do: {plural(found['in_place'], 'photo')} in place")
            self.query_one("#wrong", Static).update(foreign_lines(found["notes"][:3]))
        else:
            if found["notes"]:
                text = foreign_lines(found["notes"]).plain
                self.app.notify(text, title="The proposal", severity="warning", markup=False, timeout=10)
            await self.app.close_screen(self, str(found["plan"]))

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Stop the proposing; close where there is none."""
        if self._proposing is None:
            self.dismiss(None)
        else:
            self._proposing.stop()
            self._say("stopping …")


def _shown(one: Example) -> tuple[str | Cell, ...]:
    return one.path, one.target or Cell("(stays)", "dim"), Cell(one.note, "dim")
