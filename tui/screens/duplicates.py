"""Duplicates: every group with its keeper, decided about by one key each, and a plan of what was decided."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import ClassVar, Literal

from textual import work
from textual.binding import Binding, BindingType

from lumina_fs.duplicates.standing import Copy, Standing
from lumina_fs.duplicates.verdicts import Choice
from lumina_fs.errors import LuminaError, UsageError
from lumina_fs.viewing import duplicates as questions
from lumina_fs.viewing.duplicates import Board, Deciding, How, Wanted
from lumina_fs.viewing.group_list import decidable, said
from lumina_fs.wording import plural, size
from tui.asking import AskText
from tui.duplicates.compare import Compare
from tui.duplicates.group_batch import Agreed, GroupBatch, GroupWriting
from tui.duplicates.group_listing import GroupListing
from tui.duplicates.group_panel import GroupPanel
from tui.duplicates.group_rows import written
from tui.foreign import foreign
from tui.plans.proposing import ProposingWindow

#: More groups than this are decided about by one key only after a question.
_FEW = 100


class DuplicatesScreen(GroupListing):
    """The groups, and what is decided about them."""

    NAME = "duplicates"
    CSS_PATH = "../duplicates/duplicates.tcss"
    ANYWHERE = frozenset({"find"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "decide('keep')", "Keep", tooltip="The file chosen, or the keeper, stays; others may go"),
        Binding("d", "decide('remove')", "Remove", show=False, tooltip="The file chosen beside the list may go"),
        Binding("a", "decide('all')", "Keep all", tooltip="All stay, and are not asked about again"),
        Binding("n", "decide('strangers')", "No duplicate", tooltip="The file chosen is no duplicate of the others"),
        Binding("u", "take_back", "Undo", tooltip="Take decisions back: about these groups, else the last one made"),
        Binding("b", "batch", "Batch", tooltip="Decide about many groups at once"),
        Binding("p", "propose", "Plan", tooltip="Propose a plan of what was decided"),
        Binding("f", "find", "Find", tooltip="Search for duplicates"),
        Binding("e", "export", "Export", show=False, tooltip="Write the groups that are shown to a CSV file"),
    ]

    def __init__(self) -> None:
        super().__init__()
        #: What was decided last, by groups and their contents.
        self._last: list[list[tuple[str, list[str]]]] = []
        self._writing = False

    def comparison(self, group: Standing, place: str) -> Compare:
        """Files side by side, to be decided about there."""
        return Compare(self, group, place)

    # -- decisions

    def decide(self, how: How, copy: Copy | None = None) -> None:
        """Decide about the group under the cursor, or about those that are marked."""
        self.action_decide(how, copy)

    def action_decide(self, how: How, copy: Copy | None = None) -> None:
        """Decide about what is meant."""
        if self._list is None or self._writing:
            return
        if copy is None and not self._list.marked:
            copy = self.query_one(GroupPanel).chosen
        groups = [self._list.current] if copy is not None else list(self._list.meant())
        real = [group for group in groups if group is not None and decidable(group)]
        if groups and not real:
            self._told = "These belong together and are no duplicates: there is nothing to decide"
            self._show_group()
            self._tell()
            return
        try:
            choices = [choice for group in real for choice in questions.choices(how, group, copy)]
        except UsageError as error:
            self.app.complain(error)
            return
        if len(real) > _FEW:
            self.confirm_then(
                "Decide about many groups", [f"{len(real):,} groups are marked. Nothing is moved by it."], "Decide so",
                lambda: self._write(real, choices),
            )  # fmt: skip
        elif real:
            self._write(real, choices)

    @work(group="decide")
    async def _write(self, groups: Sequence[Standing], choices: Sequence[Choice]) -> None:
        if self._list is None or self._writing:
            return
        self._writing, board = True, self._list.board
        try:
            changed = await self.read(questions.write_choices, board, choices)
        finally:
            self._writing, self._wrote = False, time.monotonic()
        if changed is None:
            self._follow()  # some may have been written before it failed
            return
        self._last.append([(group.found, questions.contents_of(group)) for group in groups])
        told = written(groups, board)
        if (shown := await self._hear_of(board, changed.union(group.found for group in groups))) is not None:
            self._told = told
            shown.marked.clear()
            shown.next_pending()
            self._show()

    def take_back(self) -> None:
        """Take decisions back."""
        self.action_take_back()

    def action_take_back(self) -> None:
        """Those about what is meant, else the last ones that were made."""
        if self._list is None or self._writing:
            return
        decided = [group for group in self._list.meant() if any(copy.decision for copy in group.copies)]
        if decided:
            self._withdraw([(group.found, questions.contents_of(group)) for group in decided])
        elif self._last:
            self._withdraw(self._last.pop())
        else:
            self.notify("Nothing was decided that could be taken back.")

    @work(group="decide")
    async def _withdraw(self, some: Sequence[tuple[str, list[str]]]) -> None:
        if self._list is None:
            return
        self._writing, board = True, self._list.board
        try:
            changed = await self.read(questions.take_back, board, [contents for _, contents in some])
        finally:
            self._writing, self._wrote = False, time.monotonic()
        if changed is None:
            return
        if (shown := await self._hear_of(board, changed.union(found for found, _ in some))) is not None:
            self._told = f"Taken back: {plural(len(some), 'group')}"
            shown.marked.clear()
            shown.go_to(some[0][0])
            self._show()

    def action_batch(self) -> None:
        """Decide about many at once, after a look at what that would mean."""
        if self._list is not None and not self._writing:
            within = "" if self._wanted.filter == Wanted().filter else f" ({said(self._wanted)})"
            self.app.push_screen(GroupBatch(self._list.board, self._wanted.filter, within), self._agreed)

    def _agreed(self, agreed: Agreed | None) -> None:
        if agreed is not None and self._list is not None:
            self._carry_out(agreed, self._list.board)

    @work(group="batch", exclusive=True)
    async def _carry_out(self, agreed: Agreed, board: Board) -> None:
        deciding = Deciding(agreed.proposal.choices, agreed.rule)
        window = GroupWriting(deciding)
        self._writing = True
        self.app.push_screen(window)
        try:
            changed = await self.read(deciding.run, board)
        finally:
            self._writing, self._wrote = False, time.monotonic()
            window.close()
        if changed is None:
            self._follow()
            return
        # not by what changed for the list: that may have heard of some of them while they were written
        whole = deciding.done == deciding.total
        stopped = "" if whole else f", stopped after {deciding.done:,} of {deciding.total:,} files"
        self._told = f"{plural(agreed.proposal.groups if whole else len(changed), 'group')} decided{stopped}"
        if (shown := await self._hear_of(board, set())) is not None:
            await self._relist(shown.board)

    # -- what comes of it

    @work(group="propose", exclusive=True)
    async def action_propose(self) -> None:
        """Propose a plan, say what it would do, and go there."""
        if self._list is None:
            return
        while self._writing:  # what was decided just now counts
            await asyncio.sleep(0.05)
        if self.session is None:
            return
        words = ["duplicates", "propose", "--json"]
        answer = await self.app.push_screen_wait(ProposingWindow(self.session.catalog, words))
        if answer is None:
            return
        if answer.value is None:
            if answer.problem:
                self.app.complain(LuminaError(answer.problem))
            else:
                self.notify("Stopped: no plan was written.")
            return
        made = questions.Proposed.of(answer.value)
        if made is None:
            self.notify("No file that is here was decided to go. Decide first: o keeps one file of a group.")
            return
        lines = [f"{plural(made.going, 'file')} would go to the trash, {size(made.size)}."]
        lines += [f"{plural(made.edits, 'keeper')} would take over what was written to them."] if made.edits else []
        lines += [f"{plural(count, 'file')} skipped: {reason}" for reason, count in made.skipped[:3]]
        text = "\n".join(foreign(line).plain for line in lines)
        severity: Literal["warning", "information"] = "warning" if made.skipped else "information"
        self.notify(text, title="Draft of a plan", severity=severity, markup=False, timeout=12)
        self.app.action_go("plans", {"plan": made.plan})

    def action_export(self) -> None:
        """Write the groups that are shown to a file that a person names."""
        if self._list is not None:
            count = plural(len(self._list.keys), "group")
            hint = "A new file: one that is there already is left alone. Enter takes it, Escape gives up."
            self.app.push_screen(AskText(f"Export {count} as CSV to", "duplicates.csv", hint=hint), self._export)

    def _export(self, named: str | None) -> None:
        if named and self._list is not None:
            self._write_csv(named, [group for key in self._list.keys if (group := self._list.board.get(key))])

    @work(group="export", exclusive=True)
    async def _write_csv(self, named: str, groups: list[Standing]) -> None:
        path = await self.read(questions.export, groups, named)
        if path is not None:
            count = plural(len(groups), "group")
            self.notify(foreign(path).plain, title=f"Exported {count}", markup=False)

    def action_find(self) -> None:
        """Search; the record of the job tells how it gets on."""
        if any(record.alive and record.job.work == "duplicates" for record in self.app.jobs):
            self.notify("A search is on its way already.")
            return
        self.app.start(["duplicates", "find"])
        self._told = "The search begins"
        self._tell()
