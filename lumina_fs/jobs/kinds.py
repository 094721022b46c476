"""The kinds of work that there are: as a value for the record, and as something that its name and arguments start."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lumina_fs.catalog import Catalog, Source
from lumina_fs.errors import UsageError
from lumina_fs.jobs.work import Told, Work
from lumina_fs.progress import Event, Finished, Progress
from schemas.names import decode_name, encode_name

if TYPE_CHECKING:
    from lumina_fs.thumbnails import Made

#: Photos that a record names; more are started again by their own command.
_NAMED = 1000


class Started(NamedTuple):
    """Work, and the generator that does it while it is drawn from."""

    work: Work
    events: Iterator[Any]


class ThumbnailsMade(NamedTuple):
    """How many thumbnails were made now, were there, and could not be made."""

    made: int
    kept: int
    failed: int


# -- work as a value


def scan_work(*, sources: Sequence[str] = (), rehash: bool = False, accept_missing: bool = False) -> Work:
    """A scan."""
    arguments = {"sources": list(sources), "accept_missing": accept_missing}
    return Work("rehash" if rehash else "scan", arguments, _tell_scan, uses_index=True)


def _tell_scan(result: Any) -> Told:
    return Told(result.as_dict(), bool(result.added or result.updated or result.moved or result.offline))


def rebuild_work() -> Work:
    """Making the index anew."""
    return Work("rebuild", {}, lambda result: Told(result._asdict(), changed=True), uses_index=True)


def verify_work() -> Work:
    """Comparing the index with the files."""
    return Work("verify", {}, _tell_verify, uses_index=True)


def _tell_verify(result: Any) -> Told:
    numbers = {"equal": result.equal, "rows": result.rows, "different": result.different}
    return Told(numbers, changed=not result.equal)


def duplicates_work(catalog: Catalog, threshold: int) -> Work:
    """A search for duplicates."""
    before = _found(catalog)

    def tell(found: Any) -> Told:
        result = found.result
        numbers = {
            "analysed": result.analysed, "not_compared": result.not_compared, "groups": len(result.groups),
            "relations": len(result.relations),
        }  # fmt: skip
        return Told(numbers, changed=_found(catalog) != before)

    return Work("duplicates", {"threshold": threshold}, tell)


def _found(catalog: Catalog) -> str | None:
    """By what the result of the last search is known."""
    from lumina_fs.documents import read
    from lumina_fs.duplicates.results import RESULT

    stored = read(catalog.root, RESULT)
    return None if stored is None else stored.etag


def thumbnails_work(originals: Sequence[tuple[Source, str]] | None, size: int) -> Work:
    """Thumbnails of some originals, or (None) of all."""
    arguments: dict[str, Any] = {"size": size}
    if originals is not None:
        arguments |= _named_originals(originals)
    return Work("thumbnails", arguments, lambda result: Told(result._asdict(), changed=result.made > 0))


def tag_work(
    *,
    measurers: Sequence[str] = (),
    originals: Sequence[tuple[Source, str]] | None = None,
    query: str = "",
    again: bool = False,
    optional: bool = False,
) -> Work:
    """Letting models look at some originals, or (None, and no query) at all. `measurers` empty: all of them."""
    arguments: dict[str, Any] = {"measurers": list(measurers), "again": again, "optional": optional}
    if query:
        arguments["query"] = query
    if originals is not None:
        arguments |= _named_originals(originals)
    return Work("tag", arguments, lambda result: Told(result.as_dict(), changed=result.tagged > 0))


def _named_originals(originals: Sequence[tuple[Source, str]]) -> dict[str, Any]:
    """Originals as a record names them."""
    named: dict[str, Any] = {"photos": [[source.name, encode_name(path)] for source, path in originals[:_NAMED]]}
    if len(originals) > _NAMED:
        named["left_out"] = len(originals) - _NAMED
    return named


def _originals_named(
    catalog: Catalog, photos: Sequence[Sequence[str]] | None, left_out: int, command: str
) -> list[tuple[Source, str]] | None:
    """The way back: the originals that a record names; None for one about all. Raises UsageError, with what to do."""
    if left_out:
        raise UsageError(f"the record does not name all photos; use `{command}` again")
    if photos is None:
        return None
    sources = {source.name: source for source in catalog.sources()}
    return [(sources[name], decode_name(path)) for name, path in photos if name in sources]


def apply_work(plan_id: str, how: str) -> Work:
    """Carrying a plan out: apply, resume or rollback. It takes the lock of the index itself."""
    return Work("apply", {"plan": plan_id, "how": how}, lambda result: Told(result.as_dict(), changed=result.done > 0))


# -- work started by its name


def start(catalog: Catalog, kind: str, arguments: dict[str, Any], cancel: threading.Event) -> Started:
    """What does this kind of work with these arguments. Raises UsageError for what cannot be started so."""
    starter = STARTERS.get(kind)
    if starter is None:
        raise UsageError(f"{kind} cannot be started from its record; use its own command again")
    try:
        return starter(catalog, cancel, **arguments)
    except TypeError as error:
        raise UsageError(f"the arguments of this {kind} make no sense: {error}") from None


def _scan(
    catalog: Catalog, cancel: threading.Event, *, sources: Sequence[str] = (), accept_missing: bool = False
) -> Started:
    from lumina_fs.scan import scan

    work = scan_work(sources=sources, accept_missing=accept_missing)
    return Started(work, scan(catalog, cancel=cancel, sources=sources, accept_missing=accept_missing))


def _rehash(
    catalog: Catalog, cancel: threading.Event, *, sources: Sequence[str] = (), accept_missing: bool = False
) -> Started:
    from lumina_fs.scan import scan

    work = scan_work(sources=sources, rehash=True, accept_missing=accept_missing)
    return Started(work, scan(catalog, cancel=cancel, sources=sources, rehash=True, accept_missing=accept_missing))


def _rebuild(catalog: Catalog, cancel: threading.Event) -> Started:
    from lumina_fs.rebuild import rebuild

    return Started(rebuild_work(), rebuild(catalog, cancel=cancel))


def _verify(catalog: Catalog, cancel: threading.Event) -> Started:
    from lumina_fs.rebuild import verify

    return Started(verify_work(), verify(catalog, cancel=cancel))


def _duplicates(catalog: Catalog, cancel: threading.Event, *, threshold: int = 5) -> Started:
    return Started(duplicates_work(catalog, threshold), _find(catalog, threshold, cancel))


def _find(catalog: Catalog, threshold: int, cancel: threading.Event) -> Iterator[Event | Finished[Any]]:
    """The search, with the index made ready for it."""
    from lumina_fs.answers import answering_index
    from lumina_fs.duplicates.find import find

    first: list[Event] = []
    try:
        with answering_index(catalog, show=first.append, may_rebuild=lambda why: True, cancel=cancel) as index:
            yield from first
            yield from find(catalog, index, threshold=threshold, cancel=cancel)
    except KeyboardInterrupt:
        if not cancel.is_set():  # else it is how the making of the index says that it was stopped
            raise


def _thumbnails(
    catalog: Catalog,
    cancel: threading.Event,
    *,
    size: int = 150,
    photos: Sequence[Sequence[str]] | None = None,
    left_out: int = 0,
) -> Started:
    chosen = _originals_named(catalog, photos, left_out, "lumina cache thumbnail")
    originals = _all_originals(catalog) if chosen is None else chosen
    return Started(thumbnails_work(chosen, size), thumbnails(catalog, originals, size, cancel=cancel))


def _all_originals(catalog: Catalog) -> list[tuple[Source, str]]:
    from lumina_fs.roots import Root
    from lumina_fs.sidecar_walk import sidecar_paths
    from lumina_fs.sidecars import original_path

    found = []
    for source in catalog.sources():
        with Root.open(source.path if source.beside else catalog.path) as root:
            sidecars = catalog.sidecars(source, root)
            paths = sidecar_paths(catalog, source, sidecars)
            found += [(source, original_path(path[len(sidecars.prefix) :])) for path in paths]
    return found


def thumbnails(
    catalog: Catalog, originals: Sequence[tuple[Source, str]], size: int, *, cancel: threading.Event
) -> Iterator[Made | Event | Finished[ThumbnailsMade]]:
    """Each thumbnail as it is there, with progress in between."""
    from lumina_fs.thumbnails import make

    made = kept = failed = 0
    for one in make(catalog, originals, size, cancel=cancel):
        failed += one.thumbnail is None
        made += one.fresh
        kept += one.thumbnail is not None and not one.fresh
        yield one
        yield Progress("thumbnails", made + kept + failed, len(originals), "pictures")
    yield Finished(ThumbnailsMade(made, kept, failed))


def _tag(
    catalog: Catalog,
    cancel: threading.Event,
    *,
    measurers: Sequence[str] = (),
    photos: Sequence[Sequence[str]] | None = None,
    query: str = "",
    again: bool = False,
    optional: bool = False,
    left_out: int = 0,
) -> Started:
    chosen = _originals_named(catalog, photos, left_out, "lumina tag")
    work = tag_work(measurers=measurers, originals=chosen, query=query, again=again, optional=optional)
    return Started(work, tags(catalog, chosen, work.arguments, cancel=cancel))


def tags(
    catalog: Catalog,
    originals: Sequence[tuple[Source, str]] | None,
    arguments: dict[str, Any],
    *,
    cancel: threading.Event,
) -> Iterator[Event | Finished[Any]]:
    """The work of `tag_work` with these arguments; a query is asked when it begins, and adds to the originals."""
    from lumina_fs.answers import answering_index
    from lumina_fs.tagging.run import tag
    from lumina_fs.tagging.wishes import VERSIONS

    places = None if originals is None else [(source.name, path) for source, path in originals]
    if query := arguments.get("query", ""):
        from index.pages import keys

        first: list[Event] = []
        found: list[tuple[str, str]] = []
        try:
            with answering_index(catalog, show=first.append, may_rebuild=lambda why: True, cancel=cancel) as index:
                found = [(source, decode_name(path)) for source, path, _ in keys(index, query)]
        except KeyboardInterrupt:
            if not cancel.is_set():  # else it is how the making of the index says that it was stopped
                raise
        yield from first
        places = list(dict.fromkeys([*(places or ()), *found]))
    yield from tag(
        catalog, cancel=cancel, photos=places, measurers=arguments["measurers"] or tuple(VERSIONS),
        again=arguments["again"], optional=arguments["optional"],
    )  # fmt: skip


Starter = Callable[..., Started]

#: By the kind of work. Work that is not here is started by its own command only.
STARTERS: dict[str, Starter] = {
    "scan": _scan,
    "rehash": _rehash,
    "rebuild": _rebuild,
    "verify": _verify,
    "duplicates": _duplicates,
    "thumbnails": _thumbnails,
    "tag": _tag,
}
