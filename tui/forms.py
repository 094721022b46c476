"""A window with fields that are checked as a person types: folders with completion, choices, yes or no, texts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Button, Checkbox, Input, Label, Select, Static

from lumina_fs.viewing.new_catalog import Opinion, completed
from tui.foreign import foreign, foreign_lines
from tui.host import Host
from tui.windows import ModalWindow

Values = dict[str, Any]
Kind = Literal["text", "folder", "folders", "check", "choice"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `options` are (value, what it says) of a choice; `value` is what it starts with."""

    name: str
    label: str
    kind: Kind = "text"
    value: Any = ""
    hint: str = ""
    options: Sequence[tuple[str, str]] = ()


class _Folders(Suggester):
    """Completes folders from the disk, in a thread."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """The first folder that begins so."""
        return await asyncio.to_thread(completed, value)


class FolderInput(Input):
    """A field for a folder: Tab and the right arrow take what is offered."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "complete", "Complete the folder", show=False)]

    def __init__(self, value: str, **kwargs: Any) -> None:
        super().__init__(value, suggester=_Folders(), **kwargs)

    def action_complete(self) -> None:
        """Take what is offered, else go to the next field."""
        before = self.value
        self.action_end()
        self.action_cursor_right()
        if self.value == before:
            self.screen.focus_next()


class FolderList(Vertical):
    """Several folders: Enter takes the one that was typed into the list; Backspace in the empty field takes it back."""

    DEFAULT_CSS = """
    FolderList { height: auto; width: 1fr; }
    FolderList .taken { color: $foreground 80%; }
    """

    def __init__(self, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.taken: list[str] = []

    def compose(self) -> ComposeResult:
        """What is taken, and a field for one more."""
        yield Static("", classes="taken")
        yield FolderInput("", compact=True, placeholder="Enter adds it")

    @property
    def folders(self) -> list[str]:
        """All of them, with what is typed."""
        typed = self.query_one(Input).value.strip()
        return [*self.taken, *([typed] if typed else [])]

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.taken.append(event.value.strip())
            event.input.value = ""
            self._show()

    def on_key(self, event: Any) -> None:
        """Backspace in the empty field."""
        field = self.query_one(Input)
        if event.key == "backspace" and not field.value and self.taken:
            event.stop()
            field.value = self.taken.pop()
            field.cursor_position = len(field.value)
            self._show()

    def _show(self) -> None:
        self.query_one(".taken", Static).update(foreign_lines(self.taken))


class Check(Checkbox):
    """Yes or no, told by a sign and not by a colour alone."""

    def watch_value(self) -> None:
        """Show the sign."""
        self.BUTTON_INNER = "✓" if self.value else " "
        super().watch_value()
        self.refresh(layout=True)

    def on_mount(self) -> None:
        """The sign from the start."""
        self.BUTTON_INNER = "✓" if self.value else " "


class Form(ModalWindow[Values | None]):
    """Asks for the values of fields; None where it was given up. `judge` is called in a thread."""

    CSS = """
    Form .asking { width: 78; max-height: 100%; padding: 0 2; }
    Form .fields { height: auto; max-height: 60vh; }
    Form .field { height: auto; }
    Form .field Label { width: 20; padding: 0 1 0 0; color: $foreground 80%; }
    Form .field Input, Form .field Select { width: 1fr; }
    Form .field Input { background: $panel; }
    Form .field Checkbox { width: 1fr; }
    Form .note { color: $foreground 60%; padding: 0 0 0 20; height: auto; }
    Form #opinion { margin-top: 1; height: auto; max-height: 10; }
    Form #notes { color: $foreground 80%; height: auto; }
    Form #wrong { color: $error; height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel"),
        Binding("ctrl+s", "accept", "Take it"),
    ]

    app: Host

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        accept: str,
        judge: Callable[[Values], Opinion] | None = None,
        *,
        dangerous: bool = False,
    ) -> None:
        super().__init__()
        self._title = title
        self._fields = fields
        self._accept = accept
        self._judge = judge
        self._dangerous = dangerous

    def compose(self) -> ComposeResult:
        """A row a field, what is thought of them, two buttons."""
        with Vertical(classes="asking"):
            yield Static(foreign(self._title), classes="asking-title")
            with VerticalScroll(classes="fields", can_focus=False):
                for field in self._fields:
                    with Horizontal(classes="field"):
                        if field.kind != "check":
                            yield Label(field.label)
                        yield _widget(field)
                    if field.hint:
                        yield Static(foreign(field.hint), classes="note")
            with VerticalScroll(id="opinion", can_focus=False):
                yield Static("", id="notes")
            yield Static("", id="wrong")
            with Horizontal(classes="asking-buttons"):
                yield Button(f"{self._accept} (^s)", variant="error" if self._dangerous else "success", id="accept")
                yield Button("Cancel (esc)", id="cancel")

    def on_mount(self) -> None:
        """The first field first; what is thought of the values as they are."""
        first = self.query(".field Input, .field Checkbox, .field Select") or self.query("#accept")
        first.first(Widget).focus()
        self._think()

    @property
    def values(self) -> Values:
        """What the fields say."""
        return {field.name: self._value(field) for field in self._fields}

    def _value(self, field: Field) -> Any:
        match field.kind:
            case "check":
                return self.query_one(f"#field-{field.name}", Checkbox).value
            case "choice":
                return self.query_one(f"#field-{field.name}", Select).value
            case "folders":
                return self.query_one(f"#field-{field.name}", FolderList).folders
            case _:
                return self.query_one(f"#field-{field.name}", Input).value

    @on(Input.Changed)
    @on(Checkbox.Changed)
    @on(Select.Changed)
    def _changed(self) -> None:
        self._think()

    @work(exclusive=True, group="judge")
    async def _think(self) -> None:
        opinion = await self._opinion()
        self.query_one("#notes", Static).update(foreign_lines(f"· {note}" for note in opinion.notes))
        self.query_one("#wrong", Static).update(foreign(f"✗ {opinion.wrong}" if opinion.wrong else ""))
        self.query_one("#accept", Button).disabled = bool(opinion.wrong)

    async def _opinion(self) -> Opinion:
        if self._judge is None:
            return Opinion()
        return await asyncio.to_thread(self._judge, self.values)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_accept()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.action_accept() if event.button.id == "accept" else self.action_cancel()

    @work(exclusive=True, group="accept")
    async def action_accept(self) -> None:
        """Close with the values, if nothing is wrong with them."""
        values = self.values
        opinion = await self._opinion()
        if not opinion.wrong:
            await self.app.close_screen(self, values)
            return
        self._think()

    def action_cancel(self) -> None:
        """Close without."""
        self.dismiss(None)


def _widget(field: Field) -> Widget:
    name = f"field-{field.name}"
    match field.kind:
        case "check":
            return Check(foreign(field.label), value=bool(field.value), compact=True, id=name)
        case "choice":
            options = [(foreign(said), value) for value, said in field.options]
            return Select(options, value=field.value, allow_blank=False, compact=True, id=name)
        case "folders":
            return FolderList(name)
        case "folder":
            return FolderInput(str(field.value), compact=True, id=name)
        case _:
            return Input(str(field.value), compact=True, id=name)
