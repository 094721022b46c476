"""`lumina search`: find photos by words, fields and likeness."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lumina_fs.catalog import Catalog
from lumina_fs.cli.display import print_json, print_table, say
from lumina_fs.cli.session import (
    add_catalog_option,
    add_command,
    add_json_option,
    interruptible,
    open_catalog,
    ready_index,
)
from lumina_fs.cli.show import locate
from lumina_fs.errors import ExitCode, UsageError
from lumina_fs.wording import size
from schemas.names import decode_name, encode_name

if TYPE_CHECKING:
    from index.postgres import PostgresIndex
    from index.protocol import Hit

LANGUAGE = """\
words            beach sunset    in names, folders, captions, tags, camera (sun finds sunset)
phrase           '"red bike"'    a shell takes quotation marks away that are not in others
camera: lens:    camera:canon lens:50mm 'camera:="Canon EOS 6D"'    = is exactly this value
type:            type:heic type:video
date:            date:2019 date:2019-07..2019-08 date:>=2020-05-01
tag: name: path: tag:people/anna tag:=beach name:IMG_12* path:2019/italy
auto:            auto:dog        what models saw (lumina tag), without what you rejected
rating: quality: iso: size: width: height: duration:    rating:>=3 quality:70..90 size:>10MB
label: pick: source: flag: problem:
has: is:         has:gps has:problems is:missing is:duplicate is:stale
not, or          -tag:work (beach OR lake)
"""


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(
        subparsers,
        "search",
        "lumina search beach date:2019-07..2019-08 -camera:canon\nlumina search --like 2019/IMG_0001.JPG\n\n"
        "the query:\n" + LANGUAGE.rstrip(),
    )
    parser.add_argument("query", nargs="*", help="what to look for (nothing: everything, newest first)")
    parser.add_argument("--like", metavar="PHOTO", help="photos that look like this one")
    parser.add_argument("--within", type=int, default=8, metavar="BITS", help="with --like: bits that may differ (8)")
    parser.add_argument("--limit", type=int, default=50, help="rows at most (50)")
    parser.add_argument("--offset", type=int, default=0, help="rows to leave out at the start")
    parser.add_argument("--count", action="store_true", help="print only how many there are")
    add_catalog_option(parser)
    add_json_option(parser)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    from index.protocol import QueryError

    query = " ".join(word.strip() for word in args.query)
    if args.limit < 0 or args.offset < 0 or args.within < 0:
        raise UsageError("--limit, --offset and --within cannot be negative")
    with open_catalog(args.catalog) as catalog, interruptible() as cancel:
        with ready_index(catalog, cancel, quiet=args.json) as index:
            try:
                if args.count:
                    count = index.count(query)
                    print_json({"count": count}) if args.json else say(f"{count:,}")
                    return ExitCode.DONE
                hits = _like(index, catalog, args) if args.like else _found(index, query, args)
            except QueryError as error:
                raise UsageError(f"the query: {error}") from None
            paths = {source.name: source.path for source in catalog.sources()}
        more = len(hits) > args.limit
        _print(hits[: args.limit], paths, os.getcwd(), as_json=args.json)
    if more and not args.json:
        say(f"there are more: --offset {args.offset + args.limit}", to_stderr=True)
    return ExitCode.DONE


def _found(index: PostgresIndex, query: str, args: argparse.Namespace) -> list[Hit]:
    return index.search(query, limit=args.limit + 1, offset=args.offset)


def _like(index: PostgresIndex, catalog: Catalog, args: argparse.Namespace) -> list[Hit]:
    from lumina_fs.likeness import like

    source, inner = locate(catalog, os.path.abspath(args.like))
    hits = like(catalog, index, source.name, encode_name(inner), args.within)
    return hits[args.offset : args.offset + args.limit + 1]


def _print(hits: list[Hit], paths: dict[str, str], here: str, *, as_json: bool) -> None:
    if as_json:
        for hit in hits:
            print_json({name: value for name, value in asdict(hit).items() if value is not None})
        return
    rows = []
    for hit in hits:
        path = os.path.join(paths.get(hit.source, ""), decode_name(hit.path))
        near = os.path.relpath(path, here)
        rows.append(
            (
                (hit.taken or "").replace("T", " ")[:16],
                hit.format,
                f"{hit.width}x{hit.height}" if hit.width else "",
                size(hit.size),
                "" if hit.quality is None else f"{hit.quality:.0f}",
                "*" * (hit.rating or 0),
                (hit.camera or "")[:24],
                (path if near.startswith("../..") else near) + (" (missing)" if hit.missing else "")
                + (f" ({hit.distance} bits)" if hit.distance is not None else ""),
            )
        )  # fmt: skip
    heads = ("TAKEN", "TYPE", "PIXELS", "SIZE", "Q", "RATING", "CAMERA", "PATH")
    if rows:
        print_table(heads, rows, spare=("Q", "SIZE", "PIXELS", "TYPE"))
    else:
        say("nothing found", to_stderr=True)
