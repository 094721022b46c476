"""Decisions about many groups at once: the rule, what it would mean, file by file; and the writing of them."""

from __future__ import annotations

import asyncio
from typing import ClassVar, NamedTuple

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from lumina_fs.duplicates.decisions import Batch, Proposal
from lumina_fs.duplicates.standing import CERTAIN, Filter
from lumina_fs.viewing.duplicates import Board, Deciding, preview
from tui.foreign import named
from tui.waiting import StoppableWindow
from tui.widgets.paged_view import PAGE
from tui.widgets.virtual_table import Cell, Column, Row, VirtualTable
from tui.windows import ModalWindow

RULES: tuple[tuple[Batch, str], ...] = (
    ("certain", "Keepers stay, where the confidence is high enough"),
    ("primaries", "Keepers stay, whatever the confidence"),
    ("reviewed", "All files stay, and are not asked about again"),
)


class Agreed(NamedTuple):
    """A batch that a person said yes to, and its rule in words, for the documents."""

    proposal: Proposal
    rule: str


class GroupBatch(ModalWindow[Agreed | None]):
    """Shows what a batch would decide, and asks; None where it was given up. Enter alone decides nothing."""

    CSS = """
    GroupBatch .asking { width: 95%; height: 90%; }
    GroupBatch OptionList { height: 5; }
    GroupBatch .line { height: 1; }
    GroupBatch .line Static { width: auto; }
    GroupBatch .line Input { width: 8; }
    GroupBatch #means { height: auto; text-style: bold; }
    GroupBatch .asking-buttons { height: 3; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+y", "agree", "Decide so", priority=True),
        Binding("escape", "cancel", "Cancel"),
    ]

    def __init__(self, board: Board, wanted: Filter, within: str) -> None:
        super().__init__()
        self._board = board
        self._wanted = wanted
        self._within = within
        self._what: Batch = "certain"
        self._proposal: Proposal | None = None

    def compose(self) -> ComposeResult:
        """Rules, the confidence, what it means, the files."""
        with Vertical(classes="asking"):
            yield Static("Decide about many groups", classes="asking-title")
            yield OptionList(*(Option(text) for _, text in RULES), compact=True)
            with Horizontal(classes="line"):
                yield Static("  Confidence at least ")
                yield Input(str(CERTAIN), type="integer", compact=True, id="above")
                yield Static(" %", markup=False)
            yield Static("", id="means", markup=False)
            columns = (
                Column("does", "Would", 6),
                Column("other", "File", 0, "middle"),
                Column("kept", "Keeper", 0, "middle"),
            )
            yield VirtualTable(columns)
            yield Static("Decisions only: nothing is moved, and they can be taken back.", classes="hint")
            with Horizontal(classes="asking-buttons"):
                yield Button("Decide so (ctrl+y)", variant="success", id="yes", disabled=True)
                yield Button("Cancel (esc)", id="no")

    def on_mount(self) -> None:
        """The first rule."""
        self.query_one(OptionList).highlighted = 0

    @on(OptionList.OptionHighlighted)
    def _rule(self, event: OptionList.OptionHighlighted) -> None:
        self._what = RULES[event.option_index][0]
        self.query_one("#above", Input).disabled = self._what != "certain"
        self._show()

    @on(Input.Changed)
    def _number(self) -> None:
        self._show()

    @property
    def _above(self) -> int:
        text = self.query_one("#above", Input).value
        return max(0, min(100, int(text))) if text.isdecimal() else 100

    @work(exclusive=True)
    async def _show(self) -> None:
        """What the rule would mean."""
        self._take(None)
        proposal = await asyncio.to_thread(preview, self._board, self._wanted, self._what, self._above)
        self._take(proposal)

    def _take(self, proposal: Proposal | None) -> None:
        self._proposal = proposal
        self.query_one("#yes", Button).disabled = proposal is None or not proposal.choices
        self.query_one("#means", Static).update("…" if proposal is None else f"{proposal.said}{self._within}")
        if proposal is not None:
            self.query_one(VirtualTable).reset(len(proposal.choices), cursor=0)

    @on(VirtualTable.NeedRows)
    def _rows(self, event: VirtualTable.NeedRows) -> None:
        if self._proposal is not None:
            first = event.first // PAGE * PAGE
            choices = self._proposal.choices[first : event.end]
            rows: list[Row] = [
                (Cell("go", "warn") if one.decision == "remove" else Cell("stay", "good"), named(one.other_name),
                 named(one.kept_name)) for one in choices
            ]  # fmt: skip
            event.view.put(first, rows)

    @on(Button.Pressed, "#yes")
    def action_agree(self) -> None:
        """Say yes to what is shown."""
        if self._proposal is not None and self._proposal.choices:
            rule = f"--certain {self._above}" if self._what == "certain" else f"--{self._what}"
            self.dismiss(Agreed(self._proposal, rule))

    @on(Button.Pressed, "#no")
    def action_cancel(self) -> None:
        """Decide nothing."""
        self.dismiss(None)


class GroupWriting(StoppableWindow[None]):
    """Shows how far the writing of many decisions is; Escape stops it."""

    def __init__(self, deciding: Deciding) -> None:
        super().__init__("Writing down decisions")
        self._deciding = deciding

    def on_mount(self) -> None:
        """Look now and then."""
        self._look()
        self.set_interval(0.1, self._look)

    def _look(self) -> None:
        done, total = self._deciding.done, self._deciding.total
        self.tell(f"{done:,} of {total:,} ({100 * done // max(1, total)} %)")

    def action_stop(self) -> None:
        """What is written stays, the rest is not decided."""
        self._deciding.stop.set()
