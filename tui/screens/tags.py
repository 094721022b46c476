"""The tags of the catalog as a tree, the photos of the one under the cursor, and changes of them everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Input, Static, Tree
from textual.widgets.tree import TreeNode

from lumina_fs.curating.proposing import EditProposal
from lumina_fs.errors import LuminaError
from lumina_fs.jobs.launch import Ended
from lumina_fs.terminal import visible
from lumina_fs.viewing import tags as asked
from lumina_fs.viewing.access import Photo
from lumina_fs.viewing.query_text import exactly, with_value
from lumina_fs.viewing.tags import Key, TagRow, Wish, shown_tag
from lumina_fs.wording import plural
from tui.asking import AskText, Confirm
from tui.catalog_screen import CatalogScreen
from tui.foreign import foreign, named
from tui.plans.words import deeds
from tui.waiting import Waiting
from tui.widgets.virtual_table import Cell, Column, VirtualTable

Tags = tuple[TagRow, ...]

_COLUMNS = (Column("path", "Photo", 0, "middle"), Column("taken", "Taken", 16), Column("rating", "Stars", 5))
_NO_CATEGORY = "(no category)"
#: Action -> what it is about.
_NEEDS = {
    "rename": "tag", "merge": "tag", "delete": "tag", "photos": "tag", "add": "photos", "remove": "photos",
    "undo": "changes",
}  # fmt: skip


class TagsScreen(CatalogScreen):
    """Categories with their tags on the left, photos on the right."""

    NAME = "tags"
    AUTO_FOCUS = "#tags"
    CSS = """
    TagsScreen #tree-side { width: 38%; min-width: 26; border-right: solid $panel; }
    TagsScreen #find { background: $panel; padding: 0 1; }
    TagsScreen #find:focus { background: $surface; }
    TagsScreen Tree { height: 1fr; }
    TagsScreen #photos-side { width: 1fr; }
    """
    ANYWHERE = frozenset({"find", "undo"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "Find", key_display="/", tooltip="Find a tag by a part of it"),
        Binding("r", "rename", "Rename", tooltip="Rename the tag or category everywhere; an existing name merges both"),
        Binding("m", "merge", "Merge", tooltip="Merge the tag into another one everywhere", show=False),
        Binding("d", "delete", "Delete", tooltip="Take the tag, or all of the category, away everywhere"),
        Binding("a", "add", "Add tag", tooltip="Add a tag to the marked photos, or to all of this tag"),
        Binding("x", "remove", "Remove", tooltip="Take this tag away from the marked photos"),
        Binding("p", "photos", "In Photos", tooltip="Show the photos of this tag in the room of photos"),
        Binding("u", "undo", "Undo", tooltip="Take the last change of tags back"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._tags: list[TagRow] = []
        self._keys: list[Key] = []
        #: Where the cursor is to be once the tags are read.
        self._wanted: str | None = None
        self._done: list[str] = []

    def content(self) -> Iterable[Widget]:
        """A tree with a field to find in it, and a table."""
        with Horizontal():
            with Vertical(id="tree-side"):
                yield Input(placeholder="find a tag", id="find", compact=True)
                tree: Tree[Tags] = Tree("tags", id="tags")
                tree.show_root = False
                tree.guide_depth = 2
                yield tree
            with Vertical(id="photos-side"):
                yield Static("", id="said", classes="heading")
                yield VirtualTable(_COLUMNS, id="photos")

    # -- loading

    @work(exclusive=True, group="tags")
    async def load(self) -> None:
        """The tree, with the cursor where it was."""
        rows = await self.ask(asked.tag_rows)
        if rows is not None:
            self._tags = rows
            self._grow()
            self._wanted = None

    def _grow(self) -> None:
        """The tree of the tags that hold what is looked for."""
        tree = self._tree
        place = self._wanted or self._place(tree.cursor_node)
        text = self.query_one("#find", Input).value.casefold()
        tree.unselect()  # else the line of the cursor is taken over, whatever stands there by then
        tree.clear()
        fits = [row for row in self._tags if text in shown_tag(row.parts).casefold()]
        by_category: dict[str, list[TagRow]] = {}
        for row in fits:
            by_category.setdefault(row.category, []).append(row)
        for category, rows in by_category.items():
            node = tree.root.add(
                _label(category or _NO_CATEGORY, sum(r.originals for r in rows)), tuple(rows), expand=True
            )
            for row in rows:
                node.add_leaf(_label(row.value, row.originals), (row,))
        if not fits:
            none = "No photo has a tag yet. In the room of photos (2), mark some and give them one."
            self._say(none if not self._tags else f"No tag holds {text}.")
            self._keys = []
            self.query_one(VirtualTable).fill([])
            self.refresh_bindings()
        self._return_to(place)

    def _return_to(self, place: str | None) -> None:
        """The cursor on the node of that name, else on the first."""
        tree = self._tree
        nodes = [node for top in tree.root.children for node in (top, *top.children)]
        if not nodes:
            tree.move_cursor(None)
            return
        # by its line: a new node knows its own only when the tree has been laid out
        line = next((line for line, node in enumerate(nodes) if self._place(node) == place), 0)
        tree.move_cursor_to_line(line)
        self.call_after_refresh(self._scroll)
        self._show_photos(nodes[line].data or ())  # also where the cursor stays on the same line, its photos may differ

    def _scroll(self) -> None:
        """To the cursor, once it is known how much of the tree can be seen."""
        tree = self._tree
        if tree.cursor_line >= 0:
            tree.scroll_to_line(tree.cursor_line, animate=False)

    def state(self) -> dict[str, Any]:
        """The tag under the cursor, and what is looked for."""
        return {"tag": self._place(self._tree.cursor_node), "find": self.query_one("#find", Input).value}

    def restore(self, state: dict[str, Any]) -> None:
        """The same again."""
        self._wanted = str(state["tag"]) if state.get("tag") else None
        self.query_one("#find", Input).value = str(state.get("find", ""))

    def allows(self, action: str) -> bool:
        """What is about a tag or its photos makes no sense without them."""
        if self.is_gone or action not in _NEEDS:
            return True
        return bool({"tag": self._chosen, "photos": self._keys, "changes": self._done}[_NEEDS[action]])

    # -- the tree

    @property
    def _tree(self) -> Tree[Tags]:
        tree: Tree[Tags] = self.query_one("#tags", Tree)
        return tree

    @property
    def _chosen(self) -> Tags:
        """The tag under the cursor, or all of the category."""
        node = self._tree.cursor_node
        return (node.data or ()) if node is not None else ()

    def _on_category(self) -> bool:
        node = self._tree.cursor_node
        return node is not None and bool(node.children)

    @staticmethod
    def _place(node: TreeNode[Tags] | None) -> str | None:
        if node is None or not node.data:
            return None
        return f"{node.data[0].category}/" if node.children else "\n".join(node.data[0].parts)

    @on(Tree.NodeHighlighted)
    def _moved(self, event: Tree.NodeHighlighted[Tags]) -> None:
        if event.node.data:
            self._show_photos(event.node.data)

    @on(Input.Changed, "#find")
    def _looked_for(self) -> None:
        self._grow()

    @on(Input.Submitted, "#find")
    def _found(self) -> None:
        self._tree.focus()

    def action_find(self) -> None:
        """To the field."""
        self.query_one("#find", Input).focus()

    # -- the photos

    @work(exclusive=True, group="photos of the tag")
    async def _show_photos(self, rows: Tags) -> None:
        keys = await self.ask(asked.photos_with, [row.parts for row in rows])
        if keys is not None:
            self._keys = keys
            name = shown_tag(rows[0].parts) if len(rows) == 1 else rows[0].category or _NO_CATEGORY
            self._say(f"{name}: {plural(len(keys), 'photo')}")
            self.query_one(VirtualTable).reset(len(keys), cursor=0)
            self.refresh_bindings()

    @on(VirtualTable.NeedRows)
    def _needed(self, event: VirtualTable.NeedRows) -> None:
        self._fetch(event.first, self._keys[event.first : event.end])

    @work(group="rows of photos")
    async def _fetch(self, first: int, keys: list[Key]) -> None:
        rows = await self.ask(asked.photo_rows, keys)
        if rows is not None and self._keys[first : first + len(keys)] == keys:
            shown = [_shown(key, row) for key, row in zip(keys, rows, strict=True)]
            self.query_one(VirtualTable).put(first, shown)

    @on(VirtualTable.Chosen)
    def _chosen_photo(self, event: VirtualTable.Chosen) -> None:
        if self._chosen and event.row < len(self._keys):
            self.app.show_photos(self._query(), self._keys[event.row])

    def action_photos(self) -> None:
        """The photos of this tag in their room."""
        if self._chosen:
            self.app.show_photos(self._query())

    def _query(self) -> str:
        """The query that finds the photos of what is under the cursor."""
        found = [with_value("", "tag", exactly("tag", shown_tag(row.parts))) for row in self._chosen]
        return found[0] if len(found) == 1 else f"({' OR '.join(found)})"

    def _marked(self) -> list[Key]:
        return [self._keys[at] for at in sorted(self.query_one(VirtualTable).marks)]

    def _say(self, text: str) -> None:
        self.query_one("#said", Static).update(foreign(text))

    # -- changes everywhere

    @work(exclusive=True, group="change")
    async def action_rename(self) -> None:
        """Give what is under the cursor another name."""
        rows = self._chosen
        if rows and self._on_category():
            await self._rename_category(rows)
        elif rows:
            await self._rename([rows[0].parts], f"Rename {shown_tag(rows[0].parts)} to", shown_tag(rows[0].parts))

    @work(exclusive=True, group="change")
    async def action_merge(self) -> None:
        """Make it one with another tag."""
        rows = self._chosen
        if rows:
            await self._rename([row.parts for row in rows], f"Merge {self._named(rows)} into the tag", "")

    async def _rename(self, old: Sequence[tuple[str, str]], title: str, value: str) -> None:
        text = await self.app.push_screen_wait(AskText(title, value, hint="A tag: beach, or people/anna"))
        if text is None:
            return
        try:
            new = asked.tag_of(text)
            asked.require_other(old, new)
        except LuminaError as error:
            self.app.complain(error)
            return
        there = next((row for row in self._tags if row.parts == new), None)
        note = (
            f"{shown_tag(new)} is there already, on {plural(there.originals, 'photo')}: both become one."
            if there
            else ""
        )
        await self._agree(await self.ask(asked.renamed, list(old), new), note, to="\n".join(new))

    async def _rename_category(self, rows: Tags) -> None:
        title = f"Rename the category {rows[0].category or _NO_CATEGORY} to"
        text = await self.app.push_screen_wait(AskText(title, rows[0].category, hint="Empty: no category"))
        if text is None or text.strip() == rows[0].category:
            return
        if "/" in text:
            self.notify("A category has no / in its name.", severity="error")
            return
        category = text.strip()
        wish = await self.ask(asked.category_renamed, [row.parts for row in rows], category)
        await self._agree(wish, to=f"{category}/")

    @work(exclusive=True, group="change")
    async def action_delete(self) -> None:
        """Take it away from every photo."""
        rows = self._chosen
        if rows:
            await self._agree(await self.ask(asked.renamed, [row.parts for row in rows], None))

    @work(exclusive=True, group="change")
    async def action_add(self) -> None:
        """Add a tag to photos."""
        keys = self._marked() or list(self._keys)
        if not keys:
            return
        text = await self.app.push_screen_wait(AskText(f"Add to {plural(len(keys), 'photo')} the tag"))
        if text:
            await self._set(keys, [text], added=True)

    @work(exclusive=True, group="change")
    async def action_remove(self) -> None:
        """Take the tags under the cursor away from marked photos."""
        keys = self._marked()
        if not keys:
            self.notify("Mark photos with space first; d takes the tag away everywhere.")
            return
        await self._set(keys, [shown_tag(row.parts) for row in self._chosen], added=False)

    async def _set(self, keys: list[Key], tags: list[str], *, added: bool) -> None:
        try:
            wish = asked.tagged_so(keys, tags, added=added)
        except LuminaError as error:
            self.app.complain(error)
            return
        await self._agree(wish)

    async def _agree(self, wish: Wish | None, note: str = "", to: str | None = None) -> None:
        """Show what would change, ask, and have it done as a plan; then the cursor goes `to` that place."""
        if wish is None:
            return
        waiting = Waiting[EditProposal]("Reading what would change. Nothing is written by it.")
        proposal = await waiting.until(
            self.app,
            self.read(lambda catalog: waiting.through(asked.proposed(catalog, wish, cancel=waiting.cancel))),
        )
        if proposal is None:
            if waiting.stopped:
                self.notify("Stopped: nothing was changed.")
            return
        lines = ([note, ""] if note else []) + asked.told_lines(proposal)
        if not proposal.changes:
            self.notify("\n".join(map(visible, lines)) or "Nothing to change.", title="Nothing to change", markup=False)
            return
        title = f"{wish.name}: {plural(len(proposal.changes), 'photo')}"
        lines += ["", "Only sidecars are written, no photo. It is a plan, and u takes it back."]
        if await self.app.push_screen_wait(Confirm(title, lines, "Change them")):
            self._apply(await self.read(asked.agreed, proposal), remember=True, to=to)

    def _apply(self, plan: asked.Agreed | None, *, remember: bool, to: str | None = None) -> None:
        if plan is None:
            return

        def ended(end: Ended) -> None:
            if end.code in (0, 3) and remember:
                self._done.append(plan.plan)
                self._wanted = to or self._wanted
            if end.code != 0:
                self.notify(visible(end.complaint or f"exit code {end.code}"), title="Not all was changed",
                            severity="error", markup=False)  # fmt: skip
            self.load()

        self.app.start(["plan", "apply", plan.plan, "--yes", plan.digest[:16], "--json"], ended)

    @work(exclusive=True, group="change")
    async def action_undo(self) -> None:
        """Take the last change of this room back."""
        if not self._done:
            self.notify("Nothing was changed here since the start. Older changes: Plans (4).")
            return
        found = await self.read(asked.undo_of, self._done[-1])
        if found is None:
            return
        draft, counts = found
        lines = deeds(counts)
        if await self.app.push_screen_wait(Confirm(draft.plan.name, lines, "Take it back")):
            self._done.pop()
            self._apply(await self.read(asked.agreed_to, draft), remember=False)

    def _named(self, rows: Tags) -> str:
        return shown_tag(rows[0].parts) if len(rows) == 1 else plural(len(rows), "tag")


def _label(name: str, count: int) -> Text:
    return Text(f"{visible(name)} ({count:,})")


def _shown(key: Key, row: Photo | None) -> tuple[str | Cell, ...]:
    if row is None:
        return (Cell(named(key[1]), "dim"), "", "")
    return named(row.path), (row.taken or "").replace("T", " ")[:16], "★" * (row.rating or 0)
