"""Why an original has no picture, as a decoder says it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Why there is no picture. `try_preview`: an embedded preview may stand in."""

    code: str
    message: str
    try_preview: bool = False
