"""What the command palette finds: every screen, every action of the one that is shown, and those of all others."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from textual.actions import parse
from textual.app import SystemCommand
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Input

from tui.asking import actions_of
from tui.catalog_screen import CatalogScreen
from tui.host import Host
from tui.rooms import KEYS, ROOMS

#: Ways about within a screen, of which nothing is said elsewhere.
_WAYS = frozenset({"back", "close", "rows", "reload"})


def commands(app: Host, screen: Screen[Any]) -> Iterator[SystemCommand]:
    """All of them, each by a title of its own."""
    for name, room in ROOMS.items():
        yield SystemCommand(f"Go to {room.title}", f"key: {KEYS[name]}", lambda name=name: app.action_go(name))
    yield from _here(app, screen)
    if app.session is None or not isinstance(screen, CatalogScreen):
        return  # one goes nowhere from a window
    for name in ROOMS:
        if name != screen.NAME:
            yield from _elsewhere(app, name)
    yield from _work(app)


def _here(app: Host, screen: Screen[Any]) -> Iterator[SystemCommand]:
    nodes = {active.binding.action: active.node for active in screen.active_bindings.values()}
    listed = [(keys, what, action, nodes[action]) for keys, what, action in actions_of(screen)]
    if isinstance(screen.focused, Input):  # their keys are letters now, and they can be done all the same
        there = {what for _, what, _, _ in listed}
        for binding in bindings_of(type(screen)):
            _, name, values = parse(binding.action)
            what = binding.tooltip or binding.description
            if what and what not in there and screen.check_action(name, values):
                there.add(what)
                listed.append((app.get_key_display(binding), what, binding.action, screen))
    for keys, what, action, node in listed:
        if action.startswith(("go(", "command_palette")):
            continue

        def run(action: str = action, node: Any = node) -> None:
            app.call_later(node.run_action, action)

        yield SystemCommand(what, f"{'keys' if ' ' in keys else 'key'}: {keys}", run)


def _elsewhere(app: Host, name: str) -> Iterator[SystemCommand]:
    """What can be done in another room. One goes there; what needs nothing under the cursor is done at once."""
    room = ROOMS[name]
    screen: type[CatalogScreen] = getattr(import_module(room.module), room.screen)
    seen: set[str] = set()
    for binding in (one for owner in (screen, *screen.PARTS) for one in bindings_of(owner)):
        what = binding.tooltip or binding.description
        if not what or what in seen or binding.action in _WAYS:
            continue
        seen.add(what)
        action = binding.action if binding.action in screen.ANYWHERE else ""
        key = app.get_key_display(binding)
        said = f"in {room.title}, key: {key}" if action else f"goes to {room.title}, where the key is {key}"

        def go(action: str = action) -> None:
            app.go_and(name, action)

        yield SystemCommand(f"{room.title}: {what}", said, go)


def _work(app: Host) -> Iterator[SystemCommand]:
    """Each kind of work that can be started."""
    from tui.jobs.job_forms import KINDS

    for kind, text in KINDS.items():

        def start(kind: str = kind) -> None:
            app.go_and("jobs", f"start_kind('{kind}')")

        yield SystemCommand(f"Start {text}", "in Jobs, asks for its options", start)


def bindings_of(owner: type) -> Iterator[Binding]:
    """Keys of a screen or a part of one, with those of what it derives from among ours, as they were written."""
    for one in owner.__mro__:
        if one.__module__.startswith("tui.") and one is not CatalogScreen:
            given = one.__dict__.get("BINDINGS", ())
            yield from (binding for several in given for binding in Binding.make_bindings([several]))
