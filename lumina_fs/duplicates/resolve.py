"""From verdicts to a plan: what goes to the trash, and what its keeper takes over before. Nothing is done here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.merging import Said, merged
from lumina_fs.duplicates.standing import Copy, Standing
from lumina_fs.errors import Refused, SourceOffline
from lumina_fs.plans.files import write_draft
from lumina_fs.roots import Root
from lumina_fs.sidecars import Sidecars
from schemas.names import decode_name, encode_name

Value = dict[str, Any]


class Proposer:
    """Makes the actions of a plan that resolves groups. A context manager: it holds the sources open."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._sources = {source.name: source for source in catalog.sources()}
        self._open: dict[str, Sidecars] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Proposer:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def plan(self, groups: Iterable[Standing]) -> Value | None:
        """A plan without envelope; None when no file was decided to go. Raises Refused when none may be moved."""
        actions = [action for group in groups if group.going for action in self._resolved(group)]
        if not actions:
            return None
        if all(action["do"] == "skip" for action in actions):
            raise Refused(f"no plan was made, because no file may be moved: {actions[0]['reason']}")
        return {
            "name": "Resolve duplicates",
            "description": "Duplicates that you decided about go to the trash; their keepers take over what you wrote.",
            "purpose": "resolve_duplicates",
            "strategy": {"name": "verdicts"},
            "on_failure": "roll_back",
            "actions": actions,
        }

    def _resolved(self, group: Standing) -> Iterator[Value]:
        """First the keeper takes over, then the others go."""
        going = [(copy, said) for copy in group.going if (said := self._said(copy)) is not None]
        movable = [(copy, said) for copy, said in going if self._sources[copy.twin.source].managed]
        keeper = self._said(group.keeper)
        if keeper is None:
            return
        changes = merged(keeper, [said for _, said in movable])
        if changes:
            reason = f"takes over what was written to {len(movable)} duplicates that go"
            yield {**self._action("edit", group.keeper, reason), "fields": changes}
        for copy, _ in going:
            reason = f"{copy.kind}, {copy.confidence} % certain: {group.keeper.twin.path} stays"
            if self._sources[copy.twin.source].managed:
                yield {**self._action("trash", copy, reason), "companions": self._companions(copy)}
            else:
                name = copy.twin.source
                why = f"source {name} is referenced; `lumina source set {name} --managed yes` lets plans move its files"
                yield {**self._action("skip", copy, why), "proposed": {"do": "trash", "reason": reason}}

    @staticmethod
    def _action(do: str, copy: Copy, reason: str) -> Value:
        twin = copy.twin
        return {
            "do": do, "source": twin.source, "path": twin.path, "size": twin.size, "sha256": twin.sha256,
            "reason": reason,
        }  # fmt: skip

    def _companions(self, copy: Copy) -> list[Value]:
        sidecars = self._sidecars(copy.twin.source)
        if sidecars is None or not sidecars.beside:
            return []
        path = sidecars.path(decode_name(copy.twin.path))
        return [{"part": "sidecar", "path": encode_name(path)}]

    def _said(self, copy: Copy) -> Said | None:
        """The sidecar of a file as it is now; None where it cannot be read or tells of other content."""
        sidecars = self._sidecars(copy.twin.source)
        found = sidecars.find_usable(decode_name(copy.twin.path)) if sidecars is not None else None
        if found is None or found[1]["original"].get("sha256") != copy.twin.sha256:
            return None
        return Said(copy.twin.source, copy.twin.path, found[1])

    def _sidecars(self, name: str) -> Sidecars | None:
        source = self._sources.get(name)
        if source is None:
            return None
        if name not in self._open:
            try:
                root = self._stack.enter_context(Root.open(source.path))
            except OSError as error:
                raise SourceOffline(f"cannot be opened: {error.strerror}", path=source.path) from error
            self._open[name] = self._catalog.sidecars(source, root)
        return self._open[name]


def propose(catalog: Catalog, groups: Iterable[Standing]) -> tuple[str, Value] | None:
    """Write the draft of a plan that resolves what was decided; its id and value, None when there is nothing to do."""
    with Proposer(catalog) as proposer:
        value = proposer.plan(groups)
    return None if value is None else (write_draft(catalog, value), value)
