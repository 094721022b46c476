"""From verdicts to a plan: what goes to the trash, and what its keeper takes over before. Nothing is done here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.merging import Said, merged
from lumina_fs.duplicates.standing import Copy, Standing
from lumina_fs.errors import SourceOffline
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
        """A plan without envelope; None when no file was decided to go."""
        actions = [action for group in groups if group.going for action in self._resolved(group)]
        if not actions:
            return None
        return {
            "name": "Resolve duplicates",
            "description": "Duplicates that you decided about go to the trash; their keepers take over what you wrote.",
            "purpose": "resolve_duplicates",
            "strategy": {"name": "verdicts"},
            "on_failure": "roll_back",
            "actions": actions,
        }

    def _resolved(self, group: Standing) -> Iterator[Value]:
        """First the keeper takes over, then the others go; what cannot go is skipped, with the reason."""
        keeper = self._said(group.keeper)
        said = [(copy, self._said(copy)) for copy in group.going]
        obstacles = [self._obstacle(group, keeper, copy, one) for copy, one in said]
        leaving = [one for (_, one), why in zip(said, obstacles, strict=True) if one is not None and why is None]
        if keeper is not None and (changes := merged(keeper, leaving)):
            reason = f"takes over what was written to {len(leaving)} duplicates that go"
            yield {**self._action("edit", group.keeper, reason), "fields": changes}
        for copy, why in zip(group.going, obstacles, strict=True):
            reason = f"{copy.kind}, {copy.confidence} % certain: {group.keeper.twin.path} stays"
            if why is None:
                yield {**self._action("trash", copy, reason), "companions": self._companions(copy)}
            else:
                yield {**self._action("skip", copy, why), "proposed": {"do": "trash", "reason": reason}}

    def _obstacle(self, group: Standing, keeper: Said | None, copy: Copy, said: Said | None) -> str | None:
        """Why a file cannot go though it was decided; None when it can."""
        name = copy.twin.source
        if name not in self._sources:
            return f"source {name} is no part of the catalog any more: lumina scan"
        if not self._sources[name].managed:
            return f"source {name} is referenced; `lumina source set {name} --managed yes` lets plans move it"
        if keeper is None:
            return f"the sidecar of {group.keeper.twin.path}, which stays, cannot be used: lumina check"
        return None if said is not None else "its sidecar cannot be used, so nothing of it could be kept: lumina check"

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
