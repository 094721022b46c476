"""Read every document of a catalog and say what is wrong, with line and column. Changes nothing, needs no index."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterator

from lumina_fs import leftovers
from lumina_fs.catalog import CATALOG, JOBS, SOURCES, STATE, Catalog, Source
from lumina_fs.discover import Ignore, walk_sidecars
from lumina_fs.documents import checked, read
from lumina_fs.duplicates.verdicts import verdict_paths
from lumina_fs.errors import CorruptDocument, SourceOffline
from lumina_fs.plans.files import plan_ids, read_approval, read_plan
from lumina_fs.plans.journal import read_history
from lumina_fs.progress import Event, Finished, Note, Progress, Throttle, Trouble
from lumina_fs.roots import Root
from lumina_fs.settings import usable_settings
from lumina_fs.sidecar_walk import sidecar_paths
from schemas.catalog import Catalog as CatalogDocument
from schemas.document import Document
from schemas.errors import DocumentError
from schemas.job import Job
from schemas.sidecar import Sidecar
from schemas.text import locate, parse
from schemas.verdict import Verdict


def check(catalog: Catalog, *, cancel: threading.Event, originals: bool = True) -> Iterator[Event | Finished[int]]:
    """Troubles of all documents, and with `originals` what sidecars say of theirs; the number of documents read.

    The catalog may be one that was opened although its own document is wrong.
    """
    done = 0
    yield from _check_settings(catalog)
    for path, model in _own_documents(catalog):
        yield from _check_one(catalog.root, path, model, "", originals=False)
        done += 1
    for plan_id in plan_ids(catalog):
        yield from _check_plan(catalog, plan_id)
        done += 1
    for path in catalog.source_files():
        done += 1
        try:
            source = catalog.source_at(path)
        except CorruptDocument as error:
            yield Trouble("", path, "corrupt_document", error.reason, error.line, error.column)
            continue
        try:
            if source is None:
                continue
            if source.beside:
                catalog.require_online(source)
        except SourceOffline as error:
            yield Note(str(error))
            continue
        done += yield from _check_source(catalog, source, cancel, originals)
    yield Finished(done)


def sweep(catalog: Catalog) -> int:
    """Remove temporary files that killed processes left more than an hour ago; how many there were."""
    swept = 0
    for source in catalog.sources():
        if not os.path.isdir(source.path):
            continue
        with Root.open(source.path) as root:
            for directory, _ in walk_sidecars(source.path, ignore=Ignore(tuple(catalog.settings.ignore))):
                swept += leftovers.sweep(catalog.disk, root, directory)
    folders = {path.rpartition("/")[0] for path in (*verdict_paths(catalog), *_job_paths(catalog))}
    for directory in (STATE, SOURCES, *sorted(folders)):
        swept += leftovers.sweep(catalog.disk, catalog.root, directory)
    return swept


def _own_documents(catalog: Catalog) -> Iterator[tuple[str, type[Document]]]:
    yield CATALOG, CatalogDocument
    for path in verdict_paths(catalog):
        yield path, Verdict
    for path in _job_paths(catalog):
        yield path, Job


def _job_paths(catalog: Catalog) -> list[str]:
    try:
        names = sorted(os.listdir(catalog.root.directory(JOBS)))
    except FileNotFoundError:
        return []
    return [f"{JOBS}/{name}" for name in names if name.endswith(".json") and not name.startswith(".")]


def _check_settings(catalog: Catalog) -> Iterator[Event]:
    """Settings that make no sense, in the catalog's document and in variables."""
    try:
        stored = read(catalog.root, CATALOG)
        value = parse(stored.data) if stored is not None else {}
    except (DocumentError, OSError):  # which is told with the other documents
        return
    if stored is None or not isinstance(value.get("settings", {}), dict):
        return
    for wrong in usable_settings(value)[1]:
        said = f"{wrong.place()}: {wrong.reason}"
        if wrong.variable is not None:
            yield Note(said)
        else:
            line, column = locate(stored.data, ["settings", *wrong.where])
            yield Trouble("", CATALOG, "corrupt_document", said, line, column)


def _check_plan(catalog: Catalog, plan_id: str) -> Iterator[Trouble]:
    """A plan with its approval and its journal."""
    for reading in (read_plan, read_approval, read_history):
        try:
            reading(catalog, plan_id)
        except CorruptDocument as error:
            path = os.path.relpath(error.path or "", catalog.path)
            yield Trouble("", path, "corrupt_document", error.reason, error.line, error.column)


def _check_source(
    catalog: Catalog, source: Source, cancel: threading.Event, originals: bool
) -> Generator[Event, None, int]:
    """The number of sidecars that were read."""
    throttle = Throttle(0.1)
    done = 0
    with Root.open(source.path if source.beside else catalog.path) as root:
        sidecars = catalog.sidecars(source, root)
        for path in sidecar_paths(catalog, source, sidecars):
            if cancel.is_set():
                break
            yield from _check_one(sidecars.root, path, Sidecar, source.name, originals=originals)
            done += 1
            if throttle.due():
                yield Progress("checking", done, None, "sidecars")
    return done


def _check_one(root: Root, path: str, model: type[Document], source: str, *, originals: bool) -> Iterator[Trouble]:
    kind = "corrupt_document" if path.startswith(f"{STATE}/") and model is not Sidecar else "corrupt_sidecar"
    try:
        stored = read(root, path)
        value = None if stored is None else checked(stored, model, path)
    except CorruptDocument as error:
        yield Trouble(source, path, kind, error.reason, error.line, error.column)
        return
    except OSError as error:
        yield Trouble(source, path, "unreadable_document", error.strerror or type(error).__name__)
        return
    if originals and value is not None:
        for problem in value.get("problems") or ():
            yield Trouble(source, path, str(problem.get("code")), str(problem.get("message")))
