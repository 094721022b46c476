"""What a person wishes of a new plan, in the words of `lumina plan propose`: checked, and made a request."""

from __future__ import annotations

from dataclasses import dataclass, replace

from index.protocol import QueryError
from index.query import compile_query
from lumina_fs.errors import UsageError
from lumina_fs.plans.propose import Request
from lumina_fs.plans.rules import read_rules
from lumina_fs.plans.strategies import Strategy, folder_of, strategy_of

COLLISIONS = ("rename", "skip")
FAILURES = ("roll_back", "stop", "continue")


@dataclass(frozen=True, slots=True)
class Wishes:
    """One field for each option of `lumina plan propose`; None where it was not given."""

    strategy: str | None = None
    rules: str | None = None
    file_name: str | None = None
    query: str = ""
    sources: tuple[str, ...] = ()
    into: str | None = None
    copy: bool = False
    fallback: str | None = None
    """Empty: what has no place stays where it is."""
    doubtful: str | None = None
    below: int = 60
    on_collision: str = "rename"
    on_failure: str = "roll_back"
    name: str | None = None

    def request(self, layout: str) -> Request:
        """The request; `layout` is the catalog's. Raises UsageError, TemplateError, CorruptDocument, OSError."""
        return Request(
            self._strategy(layout), self.query, self.sources, self.into, self.copy, self.on_collision,
            self.on_failure, self.name,
        )  # fmt: skip

    def _strategy(self, layout: str) -> Strategy:
        if not 0 <= self.below <= 100:
            raise UsageError("--below takes a number from 0 to 100")
        if self.rules is not None:
            if self.strategy is not None or self.file_name is not None:
                raise UsageError("--rules says it all; leave the strategy and --file-name out")
            strategy = read_rules(self.rules)
        else:
            strategy = strategy_of(self.strategy or "by-date", layout=layout, file_name=self.file_name)
        if self.fallback is not None:
            strategy = replace(strategy, fallback=folder_of(self.fallback, "--fallback") if self.fallback else None)
        if self.doubtful is not None:
            strategy = replace(strategy, doubtful=folder_of(self.doubtful, "--doubtful"), below=self.below)
        return strategy

    def words(self) -> list[str]:
        """The same as words of a command. Raises UsageError for what a command cannot be told."""
        if self.strategy is not None and self.strategy.startswith("-"):
            raise UsageError("a template that starts with a dash would be taken for an option")
        given = {
            "rules": self.rules, "file-name": self.file_name, "query": self.query or None, "into": self.into,
            "fallback": self.fallback, "doubtful": self.doubtful, "name": self.name,
        }  # fmt: skip
        words = ["plan", "propose", "--json", *([self.strategy] if self.strategy is not None else [])]
        words += [f"--{option}={value}" for option, value in given.items() if value is not None]
        words += [f"--source={name}" for name in self.sources]
        words += [f"--below={self.below}"] if self.doubtful is not None else []
        words += ["--copy"] if self.copy else []
        return [*words, f"--on-collision={self.on_collision}", f"--on-failure={self.on_failure}"]


def check_query(text: str) -> None:
    """Raise UsageError, with the place, for a query that makes no sense."""
    try:
        compile_query(text, "s")
    except QueryError as error:
        raise UsageError(f"the query: {error}") from None
