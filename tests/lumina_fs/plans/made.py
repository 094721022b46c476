"""Folders of small files that stand for photos, proposals for them without a server, and plans carried out."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from index.protocol import Row
from lumina_fs.catalog import Catalog
from lumina_fs.filetypes import by_extension
from lumina_fs.plans.propose import Proposal, Request, propose
from lumina_fs.plans.strategies import strategy_of
from lumina_fs.plans.targets import fold
from lumina_fs.sidecars import sidecar_name
from schemas.document import new_id, validate
from schemas.names import decode_name, encode_name
from schemas.plan import Plan

TAKEN = "2019-07-14T12:31:05"


def row(path: str = "in/IMG_1.JPG", **more: Any) -> Row:
    """A row of the index."""
    kind = by_extension(path)
    found: dict[str, Any] = {
        "source": "main", "path": encode_name(path), "sha256": hashlib.sha256(os.fsencode(path)).hexdigest(), "size": 3,
        "format": kind.format if kind else "JPEG", "media": kind.media if kind else "image", "camera": "Canon EOS 80D",
        "taken": TAKEN, "evidence": "exif", "confidence": 95, "tags": (), "content_id": None, "choice": 0,
    }  # fmt: skip
    return Row(**{**found, **more})


class World:
    """A managed catalog in a folder; `rows` is what its index would say."""

    def __init__(self, root: Path, *, managed: bool = True) -> None:
        self.root = root
        self.rows: dict[str, Row] = {}
        root.mkdir(exist_ok=True)
        Catalog.create(str(root), managed=managed).close()

    def file(self, path: str, text: str = "") -> None:
        """A file that is no original."""
        target = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w") as file:
            file.write(text)

    def photo(self, path: str, *, sidecar: bool = True, **more: Any) -> None:
        """An original with its sidecar."""
        self.file(path, "abc")
        if sidecar:
            folder, slash, name = path.rpartition("/")
            self.file(folder + slash + sidecar_name(name))
        self.rows[path] = row(path, **more)

    def propose(self, monkeypatch: Any, template: str = "YYYY/MM", name: str | None = None, **more: Any) -> Proposal:
        """A proposal by rows that need no server."""

        def originals(index: Any, conditions: Sequence[str]) -> Iterator[Row]:
            yield from sorted(self.rows.values())

        monkeypatch.setattr("index.listing.originals", originals)
        strategy = more.pop("strategy", None) or strategy_of(template, layout="YYYY/MM", file_name=name)
        with Catalog.open(str(self.root)) as catalog:
            return propose(catalog, cast(Any, None), Request(strategy, **more))

    def moves(
        self, monkeypatch: Any, template: str = "YYYY/MM", name: str | None = None, **more: Any
    ) -> dict[str, str]:
        """Every file of the actions with its target."""
        proposal = self.propose(monkeypatch, template, name, **more)
        return moves(plan_of(proposal)) if proposal.plan else {}

    def apply(self, plan: Plan) -> None:
        """Carry it out, in order; a place that is taken is an error."""
        taken = {fold(path) for path in self.tree()}
        for action in plan.actions:
            for old, new in moves_of(action.model_dump()).items():
                assert fold(new) not in taken - {fold(old)}, f"{new} is taken when its turn comes"
                os.makedirs(os.path.dirname(os.path.join(self.root, new)), exist_ok=True)
                assert not os.path.lexists(os.path.join(self.root, new))
                os.rename(os.path.join(self.root, old), os.path.join(self.root, new))
                taken = (taken - {fold(old)}) | {fold(new)}
                if old in self.rows:
                    self.rows[new] = self.rows.pop(old)._replace(path=encode_name(new))

    def tree(self) -> list[str]:
        """Every file outside `.lumina`."""
        found = []
        for folder, folders, names in os.walk(self.root):
            if ".lumina" in folders:
                folders.remove(".lumina")
            found += [os.path.relpath(os.path.join(folder, name), self.root) for name in names]
        return found


def plan_of(proposal: Proposal) -> Plan:
    """The checked plan of a proposal."""
    assert proposal.plan is not None
    return plan(proposal.plan)


def plan(value: Mapping[str, Any]) -> Plan:
    """A checked plan."""
    head = {"kind": "plan", "version": 1, "id": new_id(), "created": "2024-01-01T00:00:00Z", "name": "x",
            "purpose": "organise"}  # fmt: skip
    return validate({**head, **value}, Plan)


def moves_of(action: Mapping[str, Any]) -> dict[str, str]:
    """Each file of an action's value with its target."""
    if action["do"] not in ("move", "copy"):
        return {}
    pairs = {action["path"]: action["to"]["path"]} | {one["path"]: one["to"] for one in action.get("companions", ())}
    return {decode_name(old): decode_name(new) for old, new in pairs.items()}


def moves(found: Plan) -> dict[str, str]:
    """Each file of a plan with its target."""
    return {old: new for action in found.actions for old, new in moves_of(action.model_dump()).items()}
