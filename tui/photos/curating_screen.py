"""A screen on which a person rates, labels, tags and describes photos, one or all that are selected; then saves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from lumina_fs.curating.changes import CurationChange, parse_changes
from lumina_fs.errors import LuminaError
from lumina_fs.viewing import photos
from lumina_fs.viewing.detail import curated_text
from lumina_fs.viewing.pending import Edit, Outcome, save_some
from lumina_fs.viewing.photos import Key
from lumina_fs.wording import plural
from schemas.sidecar import tag_parts
from tui.asking import AskText
from tui.photos.conflict import Conflict
from tui.photos.file_screen import FileScreen
from tui.photos.listing import key_of
from tui.photos.one_key import OneKey

_LABELS = (
    ("r", "red"), ("o", "orange"), ("y", "yellow"), ("g", "green"), ("b", "blue"), ("p", "purple"), ("i", "pink"),
    ("e", "grey"),
)  # fmt: skip
#: Edits that are written in one go; the screen says in between how far it is, and hears that it shall stop.
_TOGETHER = 64

#: What both the list of photos and a single one can be told.
EDITING: list[BindingType] = [
    Binding("r", "rate", "Rate", tooltip="Rate: then 0 to 5"),
    *(Binding(f"alt+{stars}", f"curate('rating={stars}')", f"Rate {stars}", show=False) for stars in range(6)),
    Binding("l", "label", "Label", show=False, tooltip="Colour label"),
    Binding("p", "curate('pick=pick')", "Pick", show=False),
    Binding("x", "curate('pick=reject')", "Reject", show=False),
    Binding("u", "curate('pick=')", "Neither picked nor rejected", show=False),
    Binding("t", "tags", "Tags"),
    Binding("c", "caption", "Caption", show=False),
    Binding("e", "title", "Title", show=False),
    Binding("ctrl+s", "save", "Save", priority=True, tooltip="Save all changes"),
    Binding("D", "discard", "Discard changes", show=False, tooltip="Discard changes of the selected, or of all"),
    Binding("E", "edit_sidecar", "Edit the file", show=False, tooltip="Open the sidecar in your editor"),
    Binding("o", "open_original", "Open", show=False, tooltip="Open in the system's viewer"),
    Binding("y", "copy_path", "Copy path", show=False),
]


class CuratingScreen(FileScreen):
    """Edits go to the session's `pending`; Ctrl+S writes them, the disk first and the index second."""

    BINDINGS: ClassVar[list[BindingType]] = EDITING

    #: How far saving is, while it goes on.
    saving = ""
    _stop = False

    # -- changing

    def targets(self) -> list[Key]:
        """All that are selected; without a selection the one under the cursor."""
        if self.selection:
            return list(self.selection)
        here = self.current()
        return [key_of(here)] if here is not None else []

    def action_curate(self, *words: str) -> None:
        """Make these changes, written as for `lumina set`."""
        self.curate(words)

    def curate(self, words: Sequence[str]) -> None:
        """Make changes to what is selected."""
        try:
            changes = parse_changes(words)
        except LuminaError as error:
            self.app.complain(error)
            return
        self._curate(changes)

    @work(group="curating")
    async def _curate(self, changes: Sequence[CurationChange]) -> None:
        rows = await self.rows_of(self.targets())
        pending = self.open_session.pending
        seen = [(key_of(one), one.etag, one.curation) for one in rows]
        changed = pending.change(seen, changes)
        self.redraw()
        self.moved()
        if len(rows) > 1:
            self.notify(f"{plural(changed, 'photo')} changed, not saved yet", markup=False)

    def _about(self) -> str:
        targets = self.targets()
        return f"{len(targets):,} selected photos" if len(targets) != 1 else "this photo"

    @work(group="asking")
    async def action_rate(self) -> None:
        """Ask for stars."""
        answers = [(str(stars), f"rating={stars}", "★" * stars or "no star") for stars in range(6)]
        answers.append(("-", "rating=", "not rated"))
        await self._one_key(f"Rate {self._about()}", answers)

    @work(group="asking")
    async def action_label(self) -> None:
        """Ask for a colour."""
        answers = [(key, f"label={name}", name) for key, name in _LABELS]
        answers.append(("-", "label=", "no label"))
        await self._one_key(f"Label {self._about()}", answers)

    async def _one_key(self, title: str, answers: Sequence[tuple[str, str, str]]) -> None:
        if self.targets():
            answer = await self.app.push_screen_wait(OneKey(title, answers))
            if answer is not None:
                self.curate([answer])

    @work(group="asking")
    async def action_tags(self) -> None:
        """Ask for tags: with a minus before them they are taken away."""
        if not self.targets():
            return
        hint = "people/anna adds a tag, -people/anna takes it away; commas between several"
        text = await self.app.push_screen_wait(AskText(f"Tags of {self._about()}{self._present_tags()}", hint=hint))
        words = []
        for piece in (text or "").split(","):
            tag = piece.strip()
            if tag.lstrip("-").strip():
                words.append(f"tags-={tag[1:].strip()}" if tag.startswith("-") else f"tags+={tag}")
        if words:
            self.curate(words)

    def _present_tags(self) -> str:
        tags = self._said("tags")
        if self.selection or not isinstance(tags, list) or not tags:
            return ""
        return ": " + ", ".join("/".join(filter(None, tag_parts(tag))) for tag in tags)

    @work(group="asking")
    async def action_caption(self) -> None:
        """Ask for a caption."""
        await self._text("caption", "Caption")

    @work(group="asking")
    async def action_title(self) -> None:
        """Ask for a title."""
        await self._text("name", "Title")

    async def _text(self, field: str, title: str) -> None:
        if not self.targets():
            return
        before = "" if self.selection else str(self._said(field) or "")
        if "\n" in before or "\r" in before:  # a line of input would join its lines
            self.notify("it has several lines: `lumina edit` opens it in your editor", severity="warning")
            return
        hint = "Enter takes it (nothing: takes it away), Escape gives up"
        text = await self.app.push_screen_wait(AskText(f"{title} of {self._about()}", before, hint=hint))
        if text is not None and (text != before or self.selection):
            self.curate([f"{field}={text}"])

    def _said(self, field: str) -> object:
        """What is said, or wished, of the photo under the cursor."""
        here = self.current()
        if here is None:
            return None
        edit = self.open_session.pending.get(key_of(here))
        return (edit.wished if edit is not None else here.curation).get(field)

    # -- discarding and saving

    def action_discard(self) -> None:
        """Ask, then forget changes: of the selected or the one under the cursor if they have any, else all."""
        if self.session is None:
            return
        pending = self.session.pending
        keys = [key for key in self.targets() if pending.get(key) is not None] or list(pending)
        if not keys:
            self.notify("there is nothing to discard")
            return

        def discard() -> None:
            pending.discard(keys)
            self.redraw()
            self.moved()

        lines = [f"{plural(len(keys), 'photo')} will be as on disk again. Nothing is written."]
        edit = pending.get(keys[0])
        if len(keys) == 1 and edit is not None:
            for name, (before, after) in edit.fields.items():
                lines.append(f"{name}: {curated_text(name, after)} → {curated_text(name, before)}")
        self.confirm_then("Discard changes?", lines, "Discard", discard)

    def action_save(self) -> None:
        """Write all changes."""
        if self.session is None or not len(self.session.pending):
            self.notify("there is nothing to save")
        elif not self.saving:
            self._save_all()

    @work(group="saving", exclusive=True)
    async def _save_all(self) -> None:
        await self.save_all()

    def stop_saving(self) -> None:
        """Write no more than what is being written; the rest stays to be saved."""
        self._stop = True

    async def save_all(self) -> bool:
        """Write all changes; True if none is left."""
        pending = self.open_session.pending
        outcomes = await self._write(list(pending))
        outcomes |= await self._settle_clashes([one for one in outcomes.values() if one.clash is not None])
        await self._show_saved(list(outcomes))
        self._tell(list(outcomes.values()))
        return not len(pending)

    async def _write(self, keys: Sequence[Key]) -> dict[Key, Outcome]:
        """What is wished of these photos goes to the disk, some at a time, until somebody says stop."""
        session = self.open_session
        outcomes: dict[Key, Outcome] = {}
        self._stop = False
        try:
            for start in range(0, len(keys), _TOGETHER):
                self.saving = f"saving {start:,} of {len(keys):,}, Esc stops"
                self.say_status()
                some = keys[start : start + _TOGETHER]
                part = {key: edit for key in some if (edit := session.pending.get(key)) is not None}
                done = await self.read(save_some, list(part.items())) or []
                if self.session is not session:
                    break
                self._forget(done, part)
                outcomes |= {one.key: one for one in done}
                if self._stop:
                    break
        finally:
            self.saving = ""
        self.say_status()
        return outcomes

    def _forget(self, outcomes: Sequence[Outcome], sent: dict[Key, Edit]) -> None:
        """What is written is not pending any more, unless it was changed again meanwhile."""
        pending = self.open_session.pending
        for one in outcomes:
            if one.done is not None:
                now = pending.get(one.key)
                if now is sent[one.key]:
                    pending.discard([one.key])
                elif now is not None:
                    pending.put(one.key, Edit(one.done.version, now.wished))

    async def _settle_clashes(self, clashes: Sequence[Outcome]) -> dict[Key, Outcome]:
        """Ask about each; what was decided is written together, and asked about again where it changed meanwhile."""
        if self._stop:
            return {}  # they are told when the rest is saved
        pending = self.open_session.pending
        decided: list[Key] = []
        for_all = ""
        for number, one in enumerate(clashes):
            assert one.clash is not None
            answer: str | None = for_all
            if not for_all:
                left = len(clashes) - number - 1
                answer = await self.app.push_screen_wait(Conflict(one.key[1], one.clash, left))
            if answer is not None and answer.startswith("all "):
                for_all = answer = answer.removeprefix("all ")
            if answer == "theirs":
                pending.discard([one.key])
            elif answer:
                wished = one.clash.merged if answer == "merged" else one.clash.wished
                pending.put(one.key, Edit(one.clash.live, wished))
                decided.append(one.key)
        outcomes = await self._write(decided)
        again = [one for one in outcomes.values() if one.clash is not None]
        return outcomes | (await self._settle_clashes(again) if again else {})

    async def _show_saved(self, keys: Sequence[Key]) -> None:
        """The rows of what was written, read again."""
        fresh = {}
        for start in range(0, len(keys), 2000):
            found = await self.ask(photos.listed, list(keys[start : start + 2000])) or []
            fresh.update({key_of(one): one for one in found})
        self.listing.replace(fresh)
        self.redraw()
        self.moved()

    def _tell(self, outcomes: Sequence[Outcome]) -> None:
        errors = [one for one in outcomes if one.error]
        pending = self.open_session.pending
        saved = sum(one.done is not None and pending.get(one.key) is None for one in outcomes)
        for one in errors[:3]:
            self.app.complain(LuminaError(one.error))
        if len(errors) > 3:
            self.app.complain(LuminaError(f"{plural(len(errors) - 3, 'more photo')} could not be saved either"))
        if saved:
            behind = any(one.done is not None and one.done.index != "current" for one in outcomes)
            later = "; the index follows later" if behind else ""
            self.notify(f"{plural(saved, 'photo')} saved{later}", markup=False)
        if self._stop and len(pending):
            self.notify(f"stopped; {plural(len(pending), 'photo')} not saved yet", severity="warning")
