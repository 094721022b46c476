"""Rounds of work: one more for all who ask meanwhile, never two at once, and a new beginning after a failure."""

from __future__ import annotations

import asyncio
import contextlib

from tui.rounds import Rounds


def test_all_who_ask_during_a_round_get_one_more_and_the_first_to_ask_begins() -> None:
    rounds = Rounds()
    assert rounds.want()
    done = 0
    for _ in rounds:
        done += 1
        if done < 3:
            assert not rounds.want()
            assert not rounds.want()
    assert (done, rounds.going, rounds.wanted) == (3, False, False)
    assert rounds.want()


async def test_work_that_is_given_up_can_be_begun_anew() -> None:
    rounds = Rounds()

    async def work() -> None:
        for _ in rounds:
            await asyncio.sleep(10)

    rounds.want()
    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert rounds.want()
