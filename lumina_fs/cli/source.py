"""`lumina source`: the directory trees that a catalog takes its originals from."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from lumina_fs.cli.display import print_json, print_table, say
from lumina_fs.cli.session import add_catalog_option, add_command, add_json_option, open_catalog
from lumina_fs.errors import ExitCode, UsageError
from lumina_fs.other_catalogs import told_before_scan


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(
        subparsers, "source", "lumina source add /media/card --name card\nlumina source set main --managed yes",
    )  # fmt: skip
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="list the sources")
    adding = actions.add_parser("add", help="add a directory")
    adding.add_argument("directory", help="the folder that originals come from")
    adding.add_argument("--name", help="a name for it (default: the directory's)")
    adding.add_argument("--sidecars", choices=("beside", "catalog"), help="where its sidecars go (default: beside)")
    adding.add_argument("--managed", action="store_true", help="let approved plans move what lies in it")
    setting = actions.add_parser("set", help="change a source")
    setting.add_argument("name", help="the source, as `lumina source list` names it")
    setting.add_argument("--managed", choices=("yes", "no"), help="whether approved plans may move what lies in it")
    marking = actions.add_parser("mark", help="say that the directory is the right one although its mark is gone")
    marking.add_argument("name", help="the source")
    removing = actions.add_parser("remove", help="forget a source; its photos and sidecars stay where they are")
    removing.add_argument("name", help="the source")
    for one in (listing, adding, setting, marking, removing):
        add_catalog_option(one)
        add_json_option(one)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    with open_catalog(args.catalog) as catalog:
        if args.action == "list":
            sources = catalog.sources()
            if args.json:
                for source in sources:
                    print_json(asdict(source))
            else:
                rows = [(s.name, "yes" if s.managed else "no", s.sidecars, s.path) for s in sources]
                print_table(("SOURCE", "MANAGED", "SIDECARS", "PATH"), rows)
            return ExitCode.DONE
        if args.action == "add":
            source, note = catalog.add_source(
                args.directory, name=args.name, sidecars=args.sidecars, managed=args.managed
            )
            for text in [*([note] if note else []), *told_before_scan(catalog, source)]:
                say(text, to_stderr=True)
            print_json(asdict(source)) if args.json else say(f"{source.name}: {source.path}. Next: lumina scan")
            return ExitCode.DONE
        if args.action == "remove":
            catalog.remove_source(args.name)
            if args.json:
                print_json({"removed": args.name})
            else:
                say(
                    f"{args.name} is forgotten; its photos and sidecars stay. lumina scan drops its rows from the index"
                )
            return ExitCode.DONE
        if args.action == "mark":
            catalog.renew_mark(catalog.source(args.name))
            print_json({"marked": args.name}) if args.json else say(f"{args.name} carries its mark. Next: lumina scan")
            return ExitCode.DONE
        if args.managed is None:
            raise UsageError("nothing to set: --managed yes|no")
        changed = catalog.set_source(args.name, managed=args.managed == "yes")
        print_json({"changed": changed}) if args.json else say("changed" if changed else "nothing to change")
    return ExitCode.DONE
