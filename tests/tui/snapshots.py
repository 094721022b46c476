"""What a screen looks like, compared with a picture that was looked at: SVG, without what differs from run to run.

A screen may take its time to look so, on a busy machine. `LUMINA_SNAPSHOTS=write` writes the pictures anew: look at
them before you commit them.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

FOLDER = Path(__file__).parent / "pictures"
#: Seconds that a screen may take to look as it should.
_PATIENCE = 20.0


async def check(pilot: Pilot[Any], name: str) -> None:
    """Wait until the screen looks as `pictures/NAME-WIDTHxHEIGHT.svg` does; fails where it does not in time."""
    size = pilot.app.size
    target = FOLDER / f"{name}-{size.width}x{size.height}.svg"
    if os.environ.get("LUMINA_SNAPSHOTS") == "write":
        FOLDER.mkdir(exist_ok=True)
        target.write_text(_now(pilot))
    assert target.exists(), f"there is no picture of {name} yet: LUMINA_SNAPSHOTS=write"
    expected = target.read_text()
    found = await becomes(pilot, lambda: _now(pilot), expected)
    if found != expected:
        other = Path(tempfile.gettempdir()) / f"lumina-{target.name}"
        other.write_text(found)
        raise AssertionError(f"{name} looks different: compare {target} with {other}")


async def becomes(pilot: Pilot[Any], look: Callable[[], str], expected: str) -> str:
    """What `look` gives, as soon as it is what is expected; what it gives in the end where it never is."""
    end = time.monotonic() + _PATIENCE
    while (found := look()) != expected and time.monotonic() < end:
        await pilot.pause(0.1)
    return found


def _now(pilot: Pilot[Any]) -> str:
    return steady(pilot.app.export_screenshot(title="Lumina"))


def steady(svg: str) -> str:
    """The picture without ids of the drawing, times of today, random ids, and folders of this run."""
    svg = re.sub(r"terminal-\d+", "terminal-0", svg)
    today = datetime.now(UTC)
    for day in (today - timedelta(1), today, today + timedelta(1)):
        svg = re.sub(rf"{day:%Y-%m-%d}([T ]|&#160;)\d\d:\d\d(:\d\d)?", _like("2026-01-01 00:00:00"), svg)
        svg = svg.replace(f"{day:%Y-%m-%d}", "2026-01-01")
    svg = re.sub(r"lumina-snap-[a-z0-9_]{8}", "lumina-snap-00000000", svg)
    svg = re.sub(r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b", "0" * 36, svg)
    svg = re.sub(r"(?<=[>;])[0-9a-f]{8}(?=&#160;|[<,])", "0" * 8, svg)  # ends of ids
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)


def _like(text: str) -> Callable[[re.Match[str]], str]:
    """`text` in the length and with the space of what it stands for."""
    return lambda match: text[: len(match.group().replace("&#160;", " "))].replace(" ", match.group(1))
