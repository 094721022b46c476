"""What the screen of plans does with files by itself: the editor, and asking a run to stop."""

from __future__ import annotations

import os

from lumina_fs.catalog import Catalog
from lumina_fs.documents import read
from lumina_fs.durable import Conflict, Failed
from lumina_fs.editor import open_editor
from lumina_fs.errors import EtagMismatch, LuminaError, WriteFailed
from lumina_fs.jobs.records import find_record, request_cancel
from lumina_fs.plans.files import plan_path


def ask_to_stop(catalog: Catalog, job_id: str) -> bool:
    """Ask a running job to stop; False if it does not run any more."""
    record = find_record(catalog, job_id)
    if record.alive:
        request_cancel(catalog.disk, catalog.root, record.id)
    return record.alive


def plan_bytes(catalog: Catalog, plan_id: str) -> bytes:
    """What the file of a plan holds; empty where there is none."""
    stored = read(catalog.root, plan_path(plan_id))
    return stored.data if stored is not None else b""


def edit_plan(catalog: Catalog, plan_id: str, line: int | None = None) -> str:
    """Open a plan in the person's editor; what went wrong, empty if nothing did. To be called off every screen."""
    try:
        open_editor(os.path.join(catalog.path, plan_path(plan_id)), line)
    except LuminaError as error:
        return str(error)
    return ""


def put_back(catalog: Catalog, plan_id: str, data: bytes) -> None:
    """Make a plan what it was before an edit. Raises EtagMismatch, WriteFailed."""
    path = plan_path(plan_id)
    now = read(catalog.root, path)
    if now is None or now.data == data or not data:
        return
    outcome = catalog.disk.write(catalog.root, path, data, if_match=now.etag)
    if isinstance(outcome, Conflict):
        raise EtagMismatch("was changed meanwhile; it stays as it is now", path=path)
    if isinstance(outcome, Failed):
        raise WriteFailed(f"cannot write: {outcome.error.strerror}", path=path)
