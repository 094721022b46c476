"""`lumina catalogs`: the catalogs that this user has used; forgetting one, and deleting one."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.cli.display import Reporter, print_json, print_table, say
from lumina_fs.cli.session import add_command, add_json_option, finish, interruptible, ready_index
from lumina_fs.durable import Disk
from lumina_fs.errors import ExitCode, Refused, UsageError
from lumina_fs.known_catalogs import Known, forget, known_catalogs
from lumina_fs.wording import plural
from schemas.names import decode_name

_EXAMPLE = """\
lumina catalogs
lumina catalogs forget old-disk
lumina catalogs delete holiday"""


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(
        subparsers, "catalogs", _EXAMPLE,
        "The catalogs you have used. `forget` takes one from this list and changes nothing of it. `delete` renames its "
        ".lumina, drops its index and forgets it; no photo is touched.",
    )  # fmt: skip
    add_json_option(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    add_json_option(actions.add_parser("list", help="list them (the default)"))
    forgetting = actions.add_parser("forget", help="take one from this list; nothing of it changes")
    deleting = actions.add_parser("delete", help="set its .lumina aside; its photos stay")
    for one in (forgetting, deleting):
        one.add_argument("catalog", help="its name, id or folder")
        add_json_option(one)
    deleting.add_argument("--yes", metavar="NAME", help="do not ask: the name of the catalog, typed once more")
    deleting.add_argument("--sidecars", action="store_true", help="set aside the sidecars beside originals too")
    deleting.add_argument(
        "--trash-managed",
        action="store_true",
        help="first propose a plan that trashes the photos of managed sources; delete once more when it is applied",
    )


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    if args.action == "forget":
        return _forget(args)
    if args.action == "delete":
        return _delete(args)
    found = known_catalogs()
    if args.json:
        for known in found:
            print_json(asdict(known))
    elif found:
        rows = [(known.name, known.path + ("" if known.present else " (not there now)")) for known in found]
        print_table(("CATALOG", "PATH"), rows)
    else:
        say("none yet: lumina scan ~/Photos", to_stderr=True)
    return ExitCode.DONE


def _known(which: str) -> Known:
    """The catalog of the list that is meant. Raises UsageError."""
    fits = [one for one in known_catalogs() if which.rstrip("/") == one.path] or [
        one for one in known_catalogs() if which in (decode_name(one.name), one.id)
    ]
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise UsageError(f"{which!r} may be any of {', '.join(one.path for one in fits)}; give the folder")
    raise UsageError(f"{which!r} is not in the list: lumina catalogs")


def _forget(args: argparse.Namespace) -> ExitCode:
    known = _known(args.catalog)
    forget(Disk(), known.path)
    if args.json:
        print_json({"forgotten": known.path})
    else:
        say(f"{known.name} left the list; {known.path} is as it was. Using it puts it back")
    return ExitCode.DONE


def _delete(args: argparse.Namespace) -> ExitCode:
    from lumina_fs.farewell import delete, outlook

    path = _known(args.catalog).path
    with Catalog.open(path) as catalog:
        if args.trash_managed:
            return _propose(catalog, as_json=args.json)
        seen = outlook(catalog)
        if seen.busy:
            raise Refused(f"not deleted, because {seen.busy}", path=path)
        for line in seen.lines(sidecars=args.sidecars):
            say(line, to_stderr=args.json)
        if _typed(args.yes, catalog.name) not in (catalog.name, decode_name(catalog.name)):
            raise Refused("that is not its name; nothing was deleted", path=path)
        with interruptible() as cancel:
            result = finish(
                delete(catalog, aside=seen.aside, sidecars=args.sidecars, cancel=cancel), Reporter(quiet=args.json)
            )
    if result is None:
        return ExitCode.INTERRUPTED
    if args.json:
        print_json({"deleted": path, "aside": result.aside, "sidecars": result.sidecars})
    else:
        say(f"deleted. What was in its .lumina is in {result.aside}")
    return ExitCode.DONE


def _typed(given: str | None, name: str) -> str:
    """The name as a person typed it."""
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise UsageError("this has to be answered on a terminal; or give its name with --yes NAME")
    sys.stderr.write(f"Type its name ({decode_name(name)!r}) to delete it: ")
    sys.stderr.flush()
    return sys.stdin.readline().rstrip("\n")


def _propose(catalog: Catalog, *, as_json: bool) -> ExitCode:
    from lumina_fs.plans.clear_out import propose_clear_out

    with interruptible() as cancel, ready_index(catalog, cancel, quiet=as_json) as index:
        found = finish(propose_clear_out(catalog, index, cancel=cancel), Reporter(quiet=as_json))
    if found is None:
        return ExitCode.INTERRUPTED
    if as_json:
        print_json(found._asdict())
    elif found.plan is None:
        say("no photo lies in a managed source; delete it without --trash-managed")
    else:
        photos = plural(found.actions, "photo")
        say(f"plan {found.plan[-8:]} would trash {photos}: lumina plan show, approve, apply; then delete the catalog "
            "again, without --trash-managed")  # fmt: skip
    return ExitCode.DONE
