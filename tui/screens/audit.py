"""What was done to files, and what is wrong with them: two tabs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, TabbedContent, TabPane

from tui.audit.audit_pane import AuditPane
from tui.audit.problems_pane import ProblemsPane
from tui.catalog_screen import CatalogScreen
from tui.following import CatalogChanged, Change, FilesChanged


class AuditScreen(CatalogScreen):
    """The audit and the problems."""

    NAME = "audit"
    CSS = """
    AuditScreen TabbedContent, AuditScreen ContentSwitcher, AuditScreen TabPane { height: 1fr; }
    AuditScreen TabPane { padding: 0; }
    """
    ANYWHERE = frozenset({"tab('audit')", "tab('problems')", "filter"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "tab('audit')", "Audit", tooltip="What was done to which file"),
        Binding("p", "tab('problems')", "Problems", tooltip="What is wrong with files, by kind"),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("escape", "rows", "To the rows", show=False),
        Binding("x", "export", "Export", tooltip="Export the lines that are filtered as CSV"),
        Binding("e", "edit", "Edit", tooltip="Open the sidecar of the problem in your editor, at its line"),
        Binding("o", "order", "Order", tooltip="Sort the problems by the next column", show=False),
    ]

    def content(self) -> Iterable[Widget]:
        """The tabs."""
        with TabbedContent(initial="audit"):
            with TabPane("Audit", id="audit"):
                yield AuditPane()
            with TabPane("Problems", id="problems"):
                yield ProblemsPane()

    @property
    def _tabs(self) -> TabbedContent:
        return self.query_one(TabbedContent)

    @property
    def _pane(self) -> AuditPane | ProblemsPane:
        return self.query_one(AuditPane) if self._tabs.active == "audit" else self.query_one(ProblemsPane)

    def concerns(self, change: Change) -> bool:
        """The audit, and the contents of the index."""
        return isinstance(change, CatalogChanged) or (isinstance(change, FilesChanged) and "audit" in change.kinds)

    def changed(self, change: Change) -> None:
        """Read what changed again."""
        pane = self.query_one(ProblemsPane) if isinstance(change, CatalogChanged) else self.query_one(AuditPane)
        pane.load()

    def load(self) -> None:
        """Read both again."""
        self.query_one(AuditPane).load()
        self.query_one(ProblemsPane).load()

    def allows(self, action: str) -> bool:
        """Export is of the audit, edit of the problems."""
        if not self.is_gone and action in ("export", "edit", "order"):
            return (action == "export") == (self._tabs.active == "audit")
        return True

    def action_tab(self, tab: str) -> None:
        """Show a tab, with the cursor in its rows."""
        self._tabs.active = tab
        self._pane.table.focus()
        self.refresh_bindings()

    @on(TabbedContent.TabActivated)
    def _activated(self) -> None:
        self.refresh_bindings()

    def action_filter(self) -> None:
        """To the text to filter by."""
        self._pane.query(Input).last().focus()

    def action_rows(self) -> None:
        """From the fields back to the rows."""
        self._pane.table.focus()

    def action_export(self) -> None:
        """Export what is filtered."""
        self.query_one(AuditPane).export()

    def action_edit(self) -> None:
        """Edit the sidecar of the problem under the cursor."""
        self.query_one(ProblemsPane).edit()

    def action_order(self) -> None:
        """Sort the problems otherwise."""
        self.query_one(ProblemsPane).action_sort()

    @on(AuditPane.Go)
    def _go(self, event: AuditPane.Go) -> None:
        self.app.show_photos("", (event.source, event.path))

    # -- memory

    def state(self) -> dict[str, Any]:
        """The tab, and what is filtered."""
        audit, problems = self.query_one(AuditPane).state(), self.query_one(ProblemsPane).state()
        return {"tab": self._tabs.active, "audit": audit, "problems": problems}

    def restore(self, state: dict[str, Any]) -> None:
        """Take them up."""
        for name, pane in (("audit", self.query_one(AuditPane)), ("problems", self.query_one(ProblemsPane))):
            value = state.get(name)
            pane.take(value if isinstance(value, dict) else {})
        if state.get("tab") in ("audit", "problems"):
            self._tabs.active = str(state["tab"])
        self.call_after_refresh(self._focus_rows)

    def _focus_rows(self) -> None:
        if not self.is_gone and not isinstance(self.focused, Input):
            self._pane.table.focus()
