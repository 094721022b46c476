"""Questions to the clerk of plans, from a screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from lumina_fs.viewing.plan_values import DeskError
from tui.host import Host

Answer = TypeVar("Answer")


async def ask_desk(
    app: Host, desk: str, what: str, convert: Callable[[Any], Answer], *,
    heard: Callable[[Mapping[str, Any]], None] | None = None, **arguments: Any,
) -> Answer | None:  # fmt: skip
    """The answer of a clerk; None after an error, which was shown."""
    try:
        return await ask_desk_plainly(app, desk, what, convert, heard=heard, **arguments)
    except DeskError as error:
        app.complain(error)
        return None


async def ask_desk_plainly(
    app: Host, desk: str, what: str, convert: Callable[[Any], Answer], *,
    heard: Callable[[Mapping[str, Any]], None] | None = None, **arguments: Any,
) -> Answer:  # fmt: skip
    """The same, raising DeskError."""
    session = app.session
    if session is None:
        raise DeskError("no catalog is open")
    clerk = session.desk(desk)
    # the first question starts the process, which takes a moment
    future = await asyncio.to_thread(lambda: clerk.ask(what, convert, heard=heard, **arguments))
    return await asyncio.wrap_future(future)
