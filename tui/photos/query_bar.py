"""Where the query is typed: completed as one types, with what is wrong told below it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.suggester import Suggester
from textual.timer import Timer
from textual.widgets import Input, Static

from lumina_fs.viewing.query_text import completed
from tui.foreign import foreign

#: Seconds of rest after which what was typed is asked.
_REST = 0.09
_SHOWN = 8

Choices = Mapping[str, Mapping[str, int]]


class QueryInput(Input):
    """The line itself."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", show=False),
        Binding("down", "leave", "To the photos", show=False),
        Binding("escape", "leave", "To the photos", show=False),
    ]

    class Left(Message):
        """A person is done with it."""

    def __init__(self) -> None:
        super().__init__(placeholder="Search: words, camera:canon, date:2019, rating:>=3 ...", id="query", compact=True)
        self.choices: Choices = {}
        self._offered: list[str] = []
        self.suggester = _Completion(self)

    def action_complete(self) -> None:
        """Take the first completion; the next one when it was taken already."""
        offers = self._offered
        if self.value in offers and len(offers) > 1:
            self.value = offers[(offers.index(self.value) + 1) % len(offers)]
        else:
            offers = self._offered = completed(self.value, self.choices)
            if not offers:
                self.screen.focus_next()
                return
            self.value = offers[0]
        self.cursor_position = len(self.value)

    def action_leave(self) -> None:
        """To the photos."""
        self.post_message(self.Left())


class _Completion(Suggester):
    """The likeliest completion, in the line behind the cursor."""

    def __init__(self, line: QueryInput) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._line = line

    async def get_suggestion(self, value: str) -> str | None:
        """A text that begins with what is typed."""
        for offer in completed(value, self._line.choices):
            if offer.startswith(value):
                return offer
        return None


class QueryBar(Vertical):
    """The line, and below it completions or what is wrong with the query."""

    DEFAULT_CSS = """
    QueryBar { height: auto; }
    QueryBar #query { background: $panel; border: none; height: 1; padding: 0 1; }
    QueryBar #query:focus { background: $surface; }
    QueryBar .told { height: auto; max-height: 3; padding: 0 1; display: none; }
    QueryBar #wrong { color: $error; }
    QueryBar #offers { color: $foreground 60%; }
    """

    class Asked(Message):
        """The query is to be asked."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__()
        self._timer: Timer | None = None
        self._asked = ""

    def compose(self) -> ComposeResult:
        """The line and two that are seldom there."""
        yield QueryInput()
        yield Static("", id="wrong", classes="told")
        yield Static("", id="offers", classes="told")

    @property
    def line(self) -> QueryInput:
        """Where one types."""
        return self.query_one(QueryInput)

    def put(self, text: str) -> None:
        """Show another query, which is known already. One that was typed here stays as somebody types on by now."""
        line = self.line
        if text != self._asked and line.value != text:
            with line.prevent(Input.Changed):
                line.value = text
            line.cursor_position = len(text)
        self._asked = text

    def tell(self, wrong: str = "", column: int = 0) -> None:
        """What is wrong, with a sign below the place; "" for nothing."""
        told = self.query_one("#wrong", Static)
        told.display = bool(wrong)
        sign = " " * max(0, column - 1) + "^ " if wrong and column < self.size.width - 8 else ""
        told.update(foreign(f"{sign}{wrong}"))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._offer()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_REST, self._ask)

    def _offer(self) -> None:
        line = self.line
        offers = completed(line.value, line.choices) if line.has_focus else []
        told = self.query_one("#offers", Static)
        told.display = bool(offers) and offers != [line.value]
        ends = [offer.rpartition(" ")[2] if '"' not in offer else offer for offer in offers[:_SHOWN]]
        told.update(foreign("Tab: " + "   ".join(ends)) if offers else "")

    def _ask(self) -> None:
        self._timer, self._asked = None, self.line.value
        self.post_message(self.Asked(self._asked))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._ask_and_leave()

    @on(QueryInput.Left)
    def _leaves(self, event: QueryInput.Left) -> None:
        if self._timer is not None:
            event.stop()
            self._ask_and_leave()

    def _ask_and_leave(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._ask()
        self.post_message(QueryInput.Left())  # one that the line posts from here goes no further

    @on(Input.Blurred)
    def _left(self) -> None:
        self.query_one("#offers", Static).display = False
