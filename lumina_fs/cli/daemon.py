"""`lumina daemon`: keep catalogs true while files change."""

from __future__ import annotations

import argparse
from typing import Any

from lumina_fs.cli.display import print_json, print_pairs, say
from lumina_fs.cli.session import add_catalog_option, add_command, add_json_option, open_catalog
from lumina_fs.errors import ExitCode
from lumina_fs.wording import plural


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(
        subparsers,
        "daemon",
        "lumina daemon run ~/Photos          stay and watch\n"
        "lumina daemon sync                  wait until all that is on disk now is in the catalog\n"
        "lumina daemon install ~/Photos      a systemd unit that starts it at login",
        "Watch the sources and documents of catalogs, and scan what changes as soon as it has come to rest.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    running = actions.add_parser("run", help="watch until stopped, in the foreground")
    installing = actions.add_parser("install", help="write a systemd user unit that runs it")
    installing.add_argument("--print", action="store_true", dest="show", help="print the unit and write nothing")
    for one in (running, installing):
        one.add_argument("catalogs", nargs="*", metavar="DIR", help="catalogs: folders, or names of known ones")
    syncing = actions.add_parser("sync", help="wait until all that is on disk now is in sidecars and index")
    syncing.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS", help="at most so long (600)")
    asking = actions.add_parser("status", help="is one running, and how is it doing")
    stopping = actions.add_parser("stop", help="end it where everything is valid")
    for one in (syncing, asking, stopping):
        add_catalog_option(one)
        add_json_option(one)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    if args.action == "run":
        from lumina_fs.daemon.running import run as watch

        watch(_paths(args.catalogs))
        return ExitCode.DONE
    if args.action == "install":
        return _install(args)
    with open_catalog(args.catalog) as catalog:
        path = catalog.path
    return {"sync": _sync, "status": _status, "stop": _stop}[args.action](path, args)


def _paths(catalogs: list[str]) -> list[str]:
    paths: list[str] = []
    for where in catalogs or (None,):
        with open_catalog(where) as catalog:
            if catalog.path not in paths:
                paths.append(catalog.path)
    return paths


def _install(args: argparse.Namespace) -> ExitCode:
    from lumina_fs.daemon.unit_file import NAME, install, unit

    paths = _paths(args.catalogs)
    if args.show:
        say(*unit(paths).rstrip("\n").split("\n"))
        return ExitCode.DONE
    path, changed = install(paths)
    say(f"{path} {'written' if changed else 'is as it should be'}. Next:")
    say(f"  systemctl --user daemon-reload && systemctl --user enable --now {NAME}")
    return ExitCode.DONE


def _sync(path: str, args: argparse.Namespace) -> ExitCode:
    from lumina_fs.doorbell import ask

    answer = ask(path, {"do": "sync", "seconds": args.timeout}, timeout=args.timeout + 30)
    if args.json:
        print_json(answer)
    else:
        _tell(answer)
    if answer.get("offline"):
        return ExitCode.OFFLINE
    if answer.get("index") == "behind":
        return ExitCode.INDEX_UNAVAILABLE
    return ExitCode.DONE if answer.get("done") else ExitCode.FAILED


def _tell(answer: dict[str, Any]) -> None:
    if answer.get("done"):
        say(f"in step: {plural(answer['found'], 'original')}, {answer['seconds']:.1f} s")
    if answer.get("message"):
        say(str(answer["message"]), to_stderr=True)
    elif answer.get("offline"):
        say(f"offline, and therefore left as it is: {', '.join(answer['offline'])}", to_stderr=True)
    for unfinished in answer.get("unfinished") or ():
        say(f"{unfinished}: is still being written; it is taken in when that ends", to_stderr=True)
    if answer.get("index") == "behind":
        say("sidecars are written; the index cannot be reached and is behind. It catches up by itself", to_stderr=True)


def _status(path: str, args: argparse.Namespace) -> ExitCode:
    from lumina_fs.doorbell import NoDaemon, ask

    try:
        answer = ask(path, {"do": "status"}, timeout=10.0)
    except NoDaemon as error:
        if args.json:
            print_json({"running": False, "why": str(error)})
        else:
            say(str(error))
        return ExitCode.FAILED
    if args.json:
        print_json({"running": True, **answer})
        return ExitCode.DONE
    rows = [
        ("catalog", f"{answer['catalog']}  {answer['path']}"),
        ("process", str(answer["pid"])),
        ("state", answer["state"]),
        ("index", answer["index"]),
        ("watched", plural(answer["watched"], "folder")),
    ]
    rows += [("polled", f"{one['path']} and below: {one['why']}") for one in answer["polled"][:10]]
    rows += [("offline", name) for name in answer["offline"]]
    rows += [("being written", name) for name in answer["unfinished"]]
    if answer["overflows"]:
        rows.append(("overflows", f"{answer['overflows']:,}, each followed by a comparison of everything"))
    if answer["trouble"]:
        rows.append(("trouble", answer["trouble"]))
    print_pairs(rows)
    return ExitCode.DONE


def _stop(path: str, args: argparse.Namespace) -> ExitCode:
    from lumina_fs.doorbell import ask, wait_for_end

    answer = ask(path, {"do": "stop"}, timeout=10.0)
    wait_for_end(path, 60.0)
    print_json(answer) if args.json else say(f"stopped (process {answer['pid']})")
    return ExitCode.DONE
