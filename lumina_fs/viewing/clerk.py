"""A process that reads plans for somebody who must not wait: requests are lines of JSON on stdin, answers on stdout.

A plan of 100,000 actions takes seconds to read and hundreds of megabytes to hold. All that stays here; what goes out is
what is on the screen.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from lumina_fs.catalog import Catalog
from lumina_fs.errors import CorruptDocument, LuminaError
from lumina_fs.viewing.open_plan import OpenPlans
from lumina_fs.viewing.open_trash import OpenTrash

Tell = Callable[[Mapping[str, Any]], None]


class Clerk:
    """Answers one request after the other."""

    def __init__(self, catalog: Catalog) -> None:
        plans, trash = OpenPlans(catalog), OpenTrash(catalog)
        self._answers: dict[str, Callable[..., Any]] = {
            "list": plans.list, "open": plans.open, "judge": plans.judge, "again": plans.again, "choose": plans.choose,
            "rows": plans.rows, "folders": plans.folders, "detail": plans.detail, "reject": plans.reject,
            "approve": plans.approve, "delete": plans.delete, "check": plans.check, "forget": plans.forget,
            "trash": trash.look, "trash_rows": trash.rows, "trash_pick": trash.pick, "trash_restore": trash.restore,
        }  # fmt: skip
        self._tellers: dict[str, Callable[..., Any]] = {"trash_empty": trash.empty}

    def answer(self, request: Mapping[str, Any], tell: Tell) -> Mapping[str, Any]:
        """The answer to a request, or what went wrong."""
        what, arguments = request["ask"], request["with"]
        try:
            if what in self._tellers:
                return {"answer": self._tellers[what](tell, **arguments)}
            return {"answer": self._answers[what](**arguments)}
        except CorruptDocument as error:
            return {"error": {"text": str(error), "kind": "CorruptDocument", "line": error.line,
                              "column": error.column}}  # fmt: skip
        except (LuminaError, OSError) as error:
            return {"error": {"text": str(error), "kind": type(error).__name__}}


def serve(clerk: Clerk, requests: TextIO, answers: TextIO) -> None:
    """Until the requests end. Answers that nobody reads any more are no reason to stop in the middle of something."""
    for line in requests:
        request = json.loads(line)

        def send(value: Mapping[str, Any], number: int = request["n"]) -> None:
            try:
                answers.write(json.dumps({"n": number, **value}) + "\n")  # ASCII: names may hold anything
                answers.flush()
            except BrokenPipeError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), answers.fileno())

        send(clerk.answer(request, lambda value: send({"so_far": value})))


def main() -> None:
    """`python -m lumina_fs.viewing.clerk CATALOG`."""
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # nothing else may speak here
    with Catalog.open(sys.argv[1]) as catalog, answers:
        serve(Clerk(catalog), sys.stdin, answers)


if __name__ == "__main__":
    main()
