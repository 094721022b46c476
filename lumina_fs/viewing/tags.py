"""Tags as a screen looks at them: which there are, who has them, and changes of them everywhere as a plan."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from lumina_fs.catalog import Catalog
from lumina_fs.curating.carrying_out import approved
from lumina_fs.curating.changes import apply_changes, parse_change
from lumina_fs.curating.proposing import EditProposal, SidecarEdit, propose_edits
from lumina_fs.curating.shown import told
from lumina_fs.curating.tags import all_tags, tag_changes
from lumina_fs.curation import TagParts
from lumina_fs.errors import UsageError
from lumina_fs.plans.files import StoredPlan, read_plan, weigh, write_approval, write_draft
from lumina_fs.plans.undo import propose_undo
from lumina_fs.progress import Event, Finished
from lumina_fs.viewing.access import Access, Photo
from lumina_fs.wording import plural
from schemas.names import decode_name, encode_name

#: An original: source and encoded path.
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class TagRow:
    """A tag with how many originals have it."""

    category: str
    value: str
    originals: int

    @property
    def parts(self) -> TagParts:
        """Category and value."""
        return self.category, self.value


def tag_rows(access: Access) -> list[TagRow]:
    """Every tag, by category and value."""
    return [TagRow(*row) for row in all_tags(access.index)]


def shown_tag(parts: TagParts) -> str:
    """A tag as a person writes it."""
    return "/".join(filter(None, parts))


def tag_of(text: str) -> TagParts:
    """The tag that a text means. Raises UsageError."""
    parts: TagParts = parse_change(f"tags+={text}").value
    return parts


def photos_with(access: Access, tags: Iterable[TagParts]) -> list[Key]:
    """Every original that has one of these tags, by source and path."""
    from index.tags import tagged

    wanted = set(tags)
    return list(tagged(access.index, lambda parts: parts in wanted))


def photo_rows(access: Access, keys: Sequence[Key]) -> list[Photo | None]:
    """The rows of these originals, in their order; None for one that is gone by now."""
    found = {(hit.source, hit.path): hit for hit in access.index.rows(keys)}
    return [found.get(key) for key in keys]


# -- changes everywhere


class Wish(NamedTuple):
    """Changes to propose, with what to call them."""

    name: str
    edits: list[SidecarEdit]


def renamed(access: Access, tags: Sequence[TagParts], new: TagParts | None) -> Wish:
    """Put `new` in the place of these tags everywhere; None takes them away."""
    names = ", ".join(map(shown_tag, tags[:3])) + (" ..." if len(tags) > 3 else "")
    named = f"the {'tag' if len(tags) == 1 else 'tags'} {names}"
    name = f"Delete {named}" if new is None else f"Rename {named} to {shown_tag(new)}"
    return Wish(name[:200], [edit for tag in tags for edit in tag_changes(access.index, tag, new)])


def category_renamed(access: Access, tags: Sequence[TagParts], category: str) -> Wish:
    """Move these tags to another category, everywhere."""
    edits = [edit for tag in tags for edit in tag_changes(access.index, tag, (category, tag[1]))]
    return Wish(f"Move {plural(len(tags), 'tag')} to the category {category or '(none)'}"[:200], edits)


def tagged_so(keys: Iterable[Key], tags: Sequence[str], *, added: bool) -> Wish:
    """These originals have tags more, or less. Raises UsageError."""
    changes = [parse_change(f"tags{'+' if added else '-'}={tag}") for tag in tags]
    named = f"the {'tag' if len(tags) == 1 else 'tags'} {', '.join(tags)}"

    def change(curation: dict[str, Any]) -> dict[str, Any]:
        return apply_changes(curation, changes)

    edits = [SidecarEdit(source, decode_name(path), change) for source, path in keys]
    return Wish((f"Add {named}" if added else f"Take away {named}")[:200], edits)


def proposed(catalog: Catalog, wish: Wish, *, cancel: threading.Event) -> Iterator[Event | Finished[EditProposal]]:
    """What the changes would do, read from each sidecar; nothing is written."""
    yield from propose_edits(catalog, wish.edits, name=wish.name, cancel=cancel)


def told_lines(proposal: EditProposal, most: int = 12) -> list[str]:
    """A proposal in lines for a person: the first photos with their changes, what is left out, and why."""
    lines = [f"{_named(*key)}: {told(fields)}" for key, fields in list(proposal.changes.items())[:most]]
    if len(proposal.changes) > most:
        lines.append(f"... and {len(proposal.changes) - most:,} more")
    lines += [f"left out: {_named(source, path)}: {why}" for source, path, why in proposal.left_out[:most]]
    if len(proposal.left_out) > most:
        lines.append(f"... and {len(proposal.left_out) - most:,} more are left out")
    return lines


def _named(source: str, path: str) -> str:
    return encode_name(path) if source == "main" else f"{source}:{encode_name(path)}"


class Agreed(NamedTuple):
    """An approved plan: its id, and the digest that `lumina plan apply --yes` wants."""

    plan: str
    digest: str


def agreed(catalog: Catalog, proposal: EditProposal) -> Agreed:
    """Write the plan of a proposal and approve it. Raises UsageError, WriteFailed."""
    plan = approved(catalog, proposal)
    return Agreed(plan.id, plan.digest)


def undo_of(catalog: Catalog, plan_id: str) -> tuple[StoredPlan, dict[str, int]]:
    """The draft that takes a finished plan back, and how many of its actions do what. Raises Refused, UsageError."""
    draft = read_plan(catalog, write_draft(catalog, propose_undo(catalog, read_plan(catalog, plan_id))))
    return draft, weigh(draft.plan).counts


def agreed_to(catalog: Catalog, draft: StoredPlan) -> Agreed:
    """Approve a draft that a person just agreed to. Raises Refused where it changed since."""
    write_approval(catalog, draft)
    return Agreed(draft.id, draft.digest)


def require_other(old: Sequence[TagParts], new: TagParts) -> None:
    """Raise UsageError for a new name that changes nothing."""
    if list(old) == [new]:
        raise UsageError("that is its name already")
