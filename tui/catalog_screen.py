"""What the screens of the app share: the bar on top, questions with their errors shown, and a memory of their state."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from lumina_fs.catalog import Catalog
from lumina_fs.errors import LuminaError
from lumina_fs.terminal import visible
from lumina_fs.viewing.access import Access
from tui.following import CatalogChanged, Change
from tui.host import Host
from tui.session import Session
from tui.widgets.key_bar import KeyBar
from tui.widgets.top_bar import TopBar

P = ParamSpec("P")
Answer = TypeVar("Answer")


class CatalogScreen(Screen[None]):
    """A screen about the open catalog. Those that derive say what is in it, how to load it, and what to remember."""

    NAME: ClassVar[str] = ""
    """Its mode, as in `tui.app.ROOMS`."""
    PARTS: ClassVar[tuple[type[Widget], ...]] = ()
    """Widgets in it that have keys of their own, for the command palette."""
    ANYWHERE: ClassVar[frozenset[str]] = frozenset()
    """Actions that make sense without looking at it: the command palette does them from every other screen."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "reload", "Reload", show=False),
    ]

    app: Host

    def compose(self) -> Iterable[Widget]:
        """The bar, the content, the footer."""
        yield TopBar(self.NAME)
        if self._lacks_catalog:
            yield Static("No catalog is open. Press 1 for the list of catalogs.", classes="hint", markup=False)
        else:
            with Vertical(id="content"):
                yield from self.content()
        yield KeyBar()

    #: False for screens that make sense without an open catalog.
    needs_catalog: ClassVar[bool] = True

    @property
    def _lacks_catalog(self) -> bool:
        return self.session is None and self.needs_catalog

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without the catalog that it needs nothing can be done; else what `allows` says."""
        return not self._lacks_catalog and self.allows(action)

    # -- what screens say

    def allows(self, action: str) -> bool:
        """True where this makes sense for what is shown now."""
        return True

    def content(self) -> Iterable[Widget]:
        """The widgets between bar and footer."""
        return ()

    def load(self) -> object:
        """Ask for what is shown, again: at the start, on F5, and after changes that concern this screen."""

    def concerns(self, change: Change) -> bool:
        """True when a change under the app may have changed what is shown here."""
        return isinstance(change, CatalogChanged)

    def changed(self, change: Change) -> None:
        """A change that concerns this screen, while it is shown."""
        self.load()

    def load_anew(self) -> None:
        """Ask for all of it: on F5, and after changes while another screen was shown."""
        self.load()

    def state(self) -> dict[str, Any]:
        """What to show again at the next start: plain JSON values."""
        return {}

    def left(self) -> None:
        """It is left, for another screen or for good: what it keeps of its own can be written."""

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a state of an earlier start, before the first `load`; what makes no sense in it is ignored."""

    # -- what they use

    @property
    def session(self) -> Session | None:
        """The open catalog, None without one."""
        return self.app.session

    @property
    def open_session(self) -> Session:
        """The open catalog, for work that begins only with one. Raises CancelledError where it was closed meanwhile."""
        if self.app.session is None:  # who asks is about to end too
            raise asyncio.CancelledError
        return self.app.session

    async def ask(
        self, question: Callable[Concatenate[Access, P], Answer], *args: P.args, **kwargs: P.kwargs
    ) -> Answer | None:
        """An answer from the index; None after an error, which was shown, or when the catalog was closed meanwhile."""
        try:
            return None if self.session is None else await self.session.ask(question, *args, **kwargs)
        except (LuminaError, OSError) as error:
            self.app.complain(error)
            return None

    async def read(
        self, question: Callable[Concatenate[Catalog, P], Answer], *args: P.args, **kwargs: P.kwargs
    ) -> Answer | None:
        """An answer from files, which may also be something done to them; None as with `ask`."""
        try:
            return None if self.session is None else await self.session.read(question, *args, **kwargs)
        except (LuminaError, OSError) as error:
            self.app.complain(error)
            return None

    @property
    def is_gone(self) -> bool:
        """True when the widgets are not there (any more): to be asked after waiting, before they are used."""
        return not self.is_mounted or not self.query("#content")

    # -- life

    def on_mount(self) -> None:
        """Begin."""
        self.begin()

    def begin(self) -> None:
        """Take up the remembered state, load, and listen for changes."""
        if self._lacks_catalog:
            return
        self.restore(self.app.remembered(self.NAME))
        self.app.changes.subscribe(self, self._hear)
        self.load()

    def show_state(self, state: dict[str, Any]) -> None:
        """Show this now, because another screen sent a person here."""
        self.restore(state)
        self.load()

    _stale = False

    def _hear(self, change: Change) -> None:
        if not self.concerns(change):
            return
        if self.app.screen is self or self in self.app.screen_stack:
            self.changed(change)
        else:
            self._stale = True

    def on_screen_resume(self) -> None:
        """Changes that came while another screen was shown count now."""
        if self._stale:
            self._stale = False
            self.load_anew()

    def action_reload(self) -> None:
        """Ask for everything again."""
        self.load_anew()

    @work(group="asking")
    async def confirm_then(self, title: str, lines: list[str], yes: str, then: Callable[[], object]) -> None:
        """Ask a person, with what will happen in `lines` (foreign text allowed); `then` if they agree."""
        from tui.asking import Confirm

        if await self.app.push_screen_wait(Confirm(title, [visible(line) for line in lines], yes)):
            then()
