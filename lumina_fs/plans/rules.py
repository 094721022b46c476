"""A file of rules for `lumina plan propose --rules`: a JSON list of conditions, each with a path template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from index.protocol import QueryError
from index.query import compile_query
from lumina_fs.errors import CorruptDocument
from lumina_fs.plans.strategies import Rule, Strategy, folder_of, rule_of
from lumina_fs.plans.templates import TemplateError
from schemas.errors import DocumentError
from schemas.spans import Node, position, scan

#: The largest file of rules.
_MOST = 1 << 20
_KEYS = {"if": str, "to": (str, list), "name": str}


def read_rules(path: str) -> Strategy:
    """The strategy that a file describes: a list of rules, or {"rules": [...], "fallback": "Unsorted"}.

    Raises CorruptDocument with line and column, OSError.
    """
    with open(path, "rb") as file:
        data = file.read(_MOST + 1)
    return Reader(path, data).strategy()


class Reader:
    """The text of a rules file, and the places of what is wrong in it."""

    def __init__(self, path: str, data: bytes) -> None:
        self._path = path
        try:
            if len(data) > _MOST:
                raise DocumentError(f"larger than {_MOST >> 20} MiB")
            self._text = data.decode("utf-8-sig")
            self._root = scan(self._text)
        except UnicodeDecodeError:
            raise CorruptDocument("not valid UTF-8", path=path) from None
        except DocumentError as error:
            raise CorruptDocument(error.reason, path=path, line=error.line, column=error.column) from None

    def strategy(self) -> Strategy:
        """The strategy. Raises CorruptDocument."""
        members = self._members(self._root) if self._root.members is not None else {"rules": self._root}
        for key, node in members.items():
            if key not in ("rules", "fallback"):
                raise self._wrong(f"there is no {key!r} here; there are rules and fallback", node)
        rules = members.get("rules")
        if rules is None or rules.items is None or not rules.items:
            raise self._wrong("a list of rules is missing", rules or self._root)
        found = tuple(map(self._rule, rules.items))
        fallback = members.get("fallback")
        if fallback is None:
            return Strategy("rules", found)
        if not isinstance(fallback.value, str | None):
            raise self._wrong("fallback: must be a folder, or null to leave what fits no rule", fallback)
        return Strategy("rules", found, None if fallback.value is None else folder_of(fallback.value, "fallback"))

    def _rule(self, node: Node) -> Rule:
        if node.members is None:
            raise self._wrong('a rule looks like {"if": "camera:canon", "to": "Canon/YYYY"}', node)
        members = self._members(node)
        for key, inner in members.items():
            if key not in _KEYS:
                raise self._wrong(f"there is no {key!r} in a rule; there are {', '.join(_KEYS)}", inner)
            if not isinstance(inner.value, _KEYS[key]):  # type: ignore[arg-type]
                raise self._wrong(f"{key}: must be text", inner)
        if "to" not in members:
            raise self._wrong("to: is missing; it says the folder, for example YYYY/MM", node)
        to = members["to"]
        folders = to.items if to.items is not None else [to]
        if not folders or not all(isinstance(one.value, str) for one in folders):
            raise self._wrong("to: must be a template or a list of them", to)
        query = members.get("if")
        self._check_query(query)
        for one in [*folders, *([members["name"]] if "name" in members else [])]:
            self._check_template(one, is_name=one is members.get("name"))
        name = members["name"].value if "name" in members else None
        return rule_of(query.value if query else "", [one.value for one in folders], name)

    def _check_query(self, node: Node | None) -> None:
        if node is None:
            return
        try:
            compile_query(node.value, "s")
        except QueryError as error:
            raise self._wrong(f"if: {error}", node) from None

    def _check_template(self, node: Node, *, is_name: bool) -> None:
        try:
            rule_of("", () if is_name else (node.value,), node.value if is_name else None)
        except TemplateError as error:
            raise self._wrong(f"{'name' if is_name else 'to'}: {error}", node) from None

    @staticmethod
    def _members(node: Node) -> Mapping[str, Node]:
        return {member.key: member.node for member in node.members or ()}

    def _wrong(self, reason: str, node: Node) -> CorruptDocument:
        line, column = position(self._text, node.start)
        return CorruptDocument(reason, path=self._path, line=line, column=column)


def described(strategy: Strategy) -> list[dict[str, Any]]:
    """The rules of a strategy as its plan keeps them."""
    return [rule.describe() for rule in strategy.rules]
