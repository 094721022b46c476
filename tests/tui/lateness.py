"""Everything late by chance: widgets are made late, and answers of files and of the index come late.

With LUMINA_LATE=SEED all tests of the terminal UI run so. What goes wrong then goes wrong on a slow machine, seldom.
"""

from __future__ import annotations

import asyncio
import os
import random
from typing import Any

import pytest
from textual.message_pump import MessagePump
from textual.screen import Screen

from tui.session import Session

SEED = os.environ.get("LUMINA_LATE", "")
#: Seconds, each as likely as the others.
_WIDGET = (0, 0, 0, 0, 0, 0.03, 0.2)
_SCREEN = (0, 0, 0, 0, 0, 0.03, 0.6)
_QUESTION = (0, 0, 0.02, 0.15)
_ANSWER = (0, 0, 0.02, 0.15, 0.4)


def be_late(monkeypatch: pytest.MonkeyPatch, test: str) -> None:
    """From now on, for a test: by the seed, and the same in each run of it as far as that can be."""
    chance = random.Random(SEED + test)
    make, run, to_thread = MessagePump._pre_process, Session._run, asyncio.to_thread

    async def made_late(self: MessagePump) -> bool:
        await asyncio.sleep(chance.choice(_SCREEN if isinstance(self, Screen) else _WIDGET))
        return await make(self)

    async def answered_late(self: Session, *question: Any, **named: Any) -> Any:
        await asyncio.sleep(chance.choice(_QUESTION))
        try:
            return await run(self, *question, **named)
        finally:
            await asyncio.sleep(chance.choice(_ANSWER))

    async def done_late(*work: Any, **named: Any) -> Any:
        done = await to_thread(*work, **named)
        await asyncio.sleep(chance.choice(_QUESTION))
        return done

    monkeypatch.setattr(MessagePump, "_pre_process", made_late)
    monkeypatch.setattr(Session, "_run", answered_late)
    monkeypatch.setattr(asyncio, "to_thread", done_late)
