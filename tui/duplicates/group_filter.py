"""Which groups of duplicates are shown: a question in a window of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Select, Static

from lumina_fs.duplicates.kinds import RELATED
from lumina_fs.duplicates.standing import Filter
from lumina_fs.viewing.duplicates import KINDS, SORTS, Wanted
from lumina_fs.wording import twin_kind
from tui.foreign import foreign
from tui.windows import ModalWindow

_STATES = ("pending", "reviewed", "resolved")
_PLACES = (("anywhere", ""), ("across several sources", "across"), ("within one source", "within"))


class GroupFilter(ModalWindow[Wanted | None]):
    """Asks for state, kind, source, place, confidence and order; None where it was given up."""

    CSS = """
    GroupFilter .line { height: 1; margin-bottom: 1; }
    GroupFilter .line Static { width: 14; }
    GroupFilter .line Select { width: 1fr; }
    GroupFilter .line Input { width: 8; }
    GroupFilter .line .to { width: 6; text-align: center; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel"),
        Binding("ctrl+r", "reset", "All groups"),
    ]

    def __init__(self, wanted: Wanted, sources: Sequence[str]) -> None:
        super().__init__()
        self._wanted = wanted
        self._sources = sources

    def compose(self) -> ComposeResult:
        """A box with a line for each property."""
        which = self._wanted.filter
        place = "" if which.across is None else "across" if which.across else "within"
        kinds = [(twin_kind(kind) + (" (belong together)" if kind in RELATED else ""), kind) for kind in KINDS]
        with Vertical(classes="asking"):
            yield Static("Which groups are shown", classes="asking-title")
            yield from _line("State", "state", [("any", ""), *((s, s) for s in _STATES)], _only(which.states))
            yield from _line("Kind", "kind", [("all duplicates", ""), *kinds], _only(which.kinds))
            sources = [("all", ""), *((name, name) for name in self._sources)]
            yield from _line("Source", "source", sources, which.source or "")
            yield from _line("Files lie", "place", list(_PLACES), place)
            with Horizontal(classes="line"):
                yield Static("Confidence")
                yield Input(str(which.least), type="integer", compact=True, id="least")
                yield Static("to", classes="to")
                yield Input(str(which.most), type="integer", compact=True, id="most")
            yield from _line("Sorted by", "sort", [(name, name) for name in SORTS], self._wanted.sort)
            with Horizontal(classes="asking-buttons"):
                yield Button("Show", variant="success", id="show")
                yield Button("All", id="all")
                yield Button("Cancel", id="cancel")

    @on(Input.Submitted)
    @on(Button.Pressed, "#show")
    def action_show(self) -> None:
        """Take what is chosen."""
        chosen = {select.id: str(select.value) for select in self.query(Select)}
        across = {"": None, "across": True, "within": False}[chosen["place"]]
        which = Filter(
            kinds=_some(chosen["kind"]), states=_some(chosen["state"]), source=chosen["source"] or None, across=across,
            least=self._number("#least", 0), most=self._number("#most", 100),
        )  # fmt: skip
        self.dismiss(replace(self._wanted, filter=which, sort=chosen["sort"]))

    def _number(self, which: str, otherwise: int) -> int:
        text = self.query_one(which, Input).value
        return max(0, min(100, int(text))) if text.isdecimal() else otherwise

    @on(Button.Pressed, "#all")
    def action_reset(self) -> None:
        """All groups in all states."""
        self.dismiss(replace(self._wanted, filter=Filter()))

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)


def _line(title: str, name: str, options: list[tuple[str, str]], value: str) -> ComposeResult:
    shown = [(foreign(text), key) for text, key in options]
    with Horizontal(classes="line"):
        yield Static(title)
        known = value if value in (key for _, key in options) else options[0][1]
        yield Select(shown, value=known, allow_blank=False, compact=True, id=name)


def _only(values: tuple[str, ...]) -> str:
    return values[0] if len(values) == 1 else ""


def _some(value: str) -> tuple[str, ...]:
    return (value,) if value else ()
