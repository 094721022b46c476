"""What `lumina duplicates` prints: groups, one group, numbers, exports."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from lumina_fs.catalog import Catalog
from lumina_fs.cli.display import print_json, print_pairs, print_table, say
from lumina_fs.duplicates.export import copy_value, export_row, twin_value, write_csv
from lumina_fs.terminal import visible
from lumina_fs.wording import plural, size, twin_kind
from schemas.names import decode_name

if TYPE_CHECKING:
    from index.contents import Twin
    from index.postgres import PostgresIndex
    from lumina_fs.duplicates.numbers import Numbers
    from lumina_fs.duplicates.standing import Copy, Standing, Standings


def summary(numbers: Numbers, *, as_json: bool) -> None:
    """The numbers."""
    from lumina_fs.duplicates.standing import CERTAIN

    value: dict[str, Any] = {
        "analysed": numbers.analysed,
        "not_compared": numbers.not_compared,
        "groups": numbers.groups,
        "files": numbers.files,
        "savings": numbers.savings,
        "high_confidence": numbers.certain,
        "low_confidence": numbers.groups - numbers.certain,
        "kinds": numbers.kinds,
        "states": numbers.states,
        "related": numbers.related,
        "threshold": numbers.threshold,
        "current": numbers.current,
    }
    if as_json:
        print_json(value)
        return
    rows = [
        ("analysed", plural(numbers.analysed, "picture")),
        ("groups", f"{numbers.groups:,}, {value['high_confidence']:,} of them at least {CERTAIN} % certain"),
        ("could go", f"{plural(value['files'], 'file')}, {size(value['savings'])}"),
        ("kinds", _by_kind(value["kinds"])),
        ("states", _counted(value["states"])),
        ("related", f"{_by_kind(value['related'])} (no duplicates)" if value["related"] else ""),
        ("not compared", plural(numbers.not_compared, "picture") if numbers.not_compared else ""),
    ]
    print_pairs([row for row in rows if row[1]])
    if numbers.groups:
        say("next: lumina duplicates list", to_stderr=True)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _by_kind(counts: dict[str, int]) -> str:
    return _counted({twin_kind(kind): count for kind, count in counts.items()})


def groups(found: Sequence[Standing], catalog: Catalog, limit: int, *, as_json: bool) -> None:
    """A line a group."""
    some = found[:limit] if limit > 0 else found
    if as_json:
        for group_ in some:
            print_json(_group_value(group_))
        return
    if not found:
        say("no groups", to_stderr=True)
        return
    paths, here = {source.name: source.path for source in catalog.sources()}, os.getcwd()
    rows = [
        (
            one.id,
            twin_kind(one.kind),
            f"{one.confidence} %",
            str(len(one.copies)),
            size(one.savings),
            one.state,
            _near(one.keeper.twin, paths, here),
        )
        for one in some
    ]
    heads = ("GROUP", "KIND", "SURE", "FILES", "COULD FREE", "STATE", "KEEPER")
    print_table(heads, rows, spare=("STATE", "FILES", "COULD FREE"))
    if len(some) < len(found):
        say(f"there are {len(found) - len(some):,} more: --limit 0", to_stderr=True)


def relations(standings: Standings, index: PostgresIndex, kinds: Sequence[str], limit: int, *, as_json: bool) -> None:
    """A line for each pair that belongs together and is no duplicate."""
    from index.contents import twins

    wanted = [relation for relation in standings.result.relations if relation.kind in kinds]
    some = wanted[:limit] if limit > 0 else wanted
    rows: dict[str, Twin] = {}
    for twin in twins(index, sorted({sha256 for one in some for sha256 in (one.one, one.other)})):
        rows.setdefault(twin.sha256, twin)
    there = [one for one in some if one.one in rows and one.other in rows]
    if as_json:
        for one in there:
            pair = [twin_value(rows[one.one]), twin_value(rows[one.other])]
            print_json({"kind": one.kind, "confidence": one.confidence, "reasons": one.reasons, "files": pair})
        return
    lines = [
        (
            twin_kind(one.kind),
            decode_name(rows[one.one].path),
            "; ".join(one.reasons),
            decode_name(rows[one.other].path),
        )
        for one in there
    ]
    if lines:
        print_table(("KIND", "FILE", "WHY", "AND"), lines)
    else:
        say(f"no pairs of kind {', '.join(map(twin_kind, kinds))}", to_stderr=True)
    if len(some) < len(wanted):
        say(f"there are {len(wanted) - len(some):,} more: --limit 0", to_stderr=True)


def group(found: Standing, standings: Standings, index: PostgresIndex, catalog: Catalog, *, as_json: bool) -> None:
    """All about one group."""
    if as_json:
        print_json(_group_value(found))
        return
    paths, here = {source.name: source.path for source in catalog.sources()}, os.getcwd()
    print_pairs(
        [
            ("group", found.id),
            ("kind", f"{twin_kind(found.kind)}, {found.confidence} % certain"),
            ("state", found.state),
            ("could free", size(found.savings)),
        ]
    )
    sys.stdout.write("\n")
    heads = ("", "KIND", "SURE", "PIXELS", "SIZE", "QUALITY", "FORM+RES+SIZE+META", "TAKEN", "BITS", "FILE")
    rows = [_file_row(copy, found, paths, here) for copy in found.copies]
    print_table(heads, rows, spare=("BITS", "SURE", "TAKEN", "SIZE"))
    sys.stdout.write("\n")
    for copy in found.others:
        sys.stdout.write(f"{visible(decode_name(copy.twin.path))}: {visible('; '.join(copy.reasons))}\n")


_MARKS = {None: "?", "remove": "goes", "keep_both": "stays", "not_duplicate": "stays"}


def _file_row(copy: Copy, found: Standing, paths: dict[str, str], here: str) -> tuple[str, ...]:
    twin = copy.twin
    parts = json.loads(twin.parts or "{}")
    return (
        "keeper" if copy is found.keeper else _MARKS[copy.decision],
        "" if copy is found.keeper else twin_kind(copy.kind),
        "" if copy is found.keeper else f"{copy.confidence} %",
        f"{twin.width}x{twin.height}" if twin.width else "",
        size(twin.size),
        "" if twin.quality is None else f"{twin.quality:.0f}",
        "+".join(f"{parts.get(name, 0):.0f}" for name in ("format", "resolution", "size", "metadata")) if parts else "",
        (twin.taken or "").replace("T", " ")[:19],
        "/".join(map(str, copy.distance)) if copy.distance is not None else "",
        _near(twin, paths, here),
    )


def export(found: Iterable[Standing], *, as_json: bool) -> None:
    """A row for every file of every group."""
    if not as_json:
        write_csv(found, sys.stdout)
        return
    for one in found:
        for copy in one.copies:
            print_json(export_row(one, copy))


def _group_value(one: Standing) -> dict[str, Any]:
    return {
        "group": one.id,
        "kind": one.kind,
        "confidence": one.confidence,
        "state": one.state,
        "savings": one.savings,
        "sources": one.sources,
        "keeper": twin_value(one.keeper.twin),
        "others": [{**copy_value(copy), "decision": copy.decision} for copy in one.others],
    }


def decided(what: str, count: int, *, as_json: bool) -> None:
    """What a decision came to."""
    print_json({"result": what, "count": count}) if as_json else say(f"{what}: {count:,}")


def proposed(plan_id: str, value: dict[str, Any]) -> None:
    """What a plan would do, and how to go on."""
    from lumina_fs.plans.files import short

    name = short(plan_id)
    counts = Counter(action["do"] for action in value["actions"])
    freed = _freed(value["actions"])
    say(f"plan {name}: {_counted(dict(sorted(counts.items())))}; {size(freed)} would go to the trash")
    say(f"look at it: lumina plan show {name}")
    say(f"say yes:    lumina plan approve {name}")
    skipped = [action for action in value["actions"] if action["do"] == "skip"]
    if skipped:
        say(f"{plural(len(skipped), 'file')} skipped: {skipped[0]['reason']}", to_stderr=True)


def proposal_value(plan_id: str, value: dict[str, Any]) -> dict[str, Any]:
    """A plan in numbers: actions by kind, bytes that would go, and why others are skipped, the most frequent first."""
    actions = value["actions"]
    skipped = Counter(action["reason"] for action in actions if action["do"] == "skip")
    return {
        "plan": plan_id,
        "counts": dict(sorted(Counter(action["do"] for action in actions).items())),
        "size": _freed(actions),
        "skipped": [{"reason": reason, "count": count} for reason, count in skipped.most_common()],
    }


def _freed(actions: list[dict[str, Any]]) -> int:
    """Bytes that would go to the trash, with those of what goes along."""
    gone = [one for action in actions if action["do"] == "trash" for one in (action, *action.get("companions", ()))]
    return sum(one.get("size") or 0 for one in gone)


def _near(twin: Twin, paths: dict[str, str], here: str) -> str:
    """The path as a person who stands `here` would write it."""
    path = os.path.join(paths.get(twin.source, ""), decode_name(twin.path))
    near = os.path.relpath(path, here)
    return path if near.startswith("../..") else near
