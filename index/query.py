"""The query language: `beach -camera:canon date:2019-07..2019-08 (rating:>=3 OR tag:people/anna) "red bike"`.

`parse` turns a text into a tree; `compile_query` turns the tree into a condition with parameters, never with values
of the person's in the SQL itself.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from index.conditions import Condition, dated, joined, negated, numbered
from index.protocol import QueryError
from index.words import phrase_of, quoted, words
from schemas.names import encode_name
from schemas.sidecar import tag_parts

#: Field -> what it looks at, as `lumina search --help` and the documentation list it.
FIELDS = {
    "camera": 'make and model: camera:canon, camera:"canon eos" or exactly camera:="Canon EOS 6D"',
    "lens": "lens: lens:50mm",
    "type": "format or kind: type:heic, type:video",
    "date": "when it was taken: date:2019, date:2019-07..2019-08, date:>=2020-05-01",
    "tag": "a tag: tag:beach, tag:people/anna or exactly tag:=beach",
    "auto": "what models saw: auto:dog, auto:animals/dog",
    "name": "the file name, with * and ?: name:IMG_12*",
    "path": "the folder it lies in, from the top: path:2019/italy",
    "source": "the source: source:main",
    "rating": "stars: rating:5, rating:>=3",
    "quality": "score 0 to 100: quality:>=70",
    "iso": "sensitivity: iso:>1600",
    "size": "bytes, kB, MB, GB: size:>10MB",
    "width": "pixels across",
    "height": "pixels down",
    "duration": "seconds: duration:>60",
    "label": "colour label: label:red",
    "pick": "pick or reject",
    "flag": "why a date may be wrong: flag:future, flag:filename_disagrees",
    "has": "has:gps date camera lens caption tags rating problems duration auto",
    "problem": "what is wrong with it: problem:truncated",
    "is": "is:missing, is:duplicate, is:stale",
}
_NUMBERS = {"rating", "quality", "iso", "size", "width", "height", "duration"}
_HAS = FIELDS["has"].removeprefix("has:").split()
_IS = ("missing", "duplicate", "stale")
#: Other names of types.
TYPE_NAMES = {"jpg": "jpeg", "tif": "tiff", "heif": "heic", "picture": "image", "photo": "image"}
#: Fields that take `="value"`: what is this value letter by letter, and not only holds its words.
EXACT = ("camera", "lens", "tag", "auto", "type", "source", "problem")
_INSIDE = "jsonb_path_exists(o.rest, %s::jsonpath, %s::jsonb, true)"
_EXACTLY = {"camera": "o.camera = %s", "lens": "o.lens = %s", "tag": _INSIDE, "auto": _INSIDE}
_TOKEN = re.compile(
    r'\s*(?:(?P<paren>[()])|(?P<minus>-(?=[\w"(]))'
    r'|(?P<field>[A-Za-z_]+):(?P<value>="(?:[^"]|"")*"|"[^"]*"|[^\s()]*)'
    r'|"(?P<phrase>[^"]*)"|(?P<word>[^\s()"]+))'
)
_MAX_TERMS = 200


class Term(NamedTuple):
    """A piece of a query's text, from `start` up to `end`: a sign, a word, a phrase or a field with its value."""

    start: int
    end: int
    text: str
    field: str | None
    value: str
    negated: bool


def value_of(written: str) -> str:
    """A field's value as it is meant: without quotation marks; one that begins with `=` is meant exactly."""
    if written.startswith('="'):
        return "=" + written[2:].removesuffix('"').replace('""', '"')
    return written.strip('"')


def terms(text: str) -> list[Term]:
    """The pieces of a query in their order; what is behind an open quotation mark is one piece of its own."""
    found: list[Term] = []
    at, minus = 0, None
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        start = at + len(text[at:]) - len(text[at:].lstrip())
        end = match.end() if match is not None else len(text)
        if match is not None and match.group("minus"):
            minus, at = start, end
            continue
        begin = start if minus is None else minus
        field = match.group("field") if match is not None else None
        value = value_of(match.group("value") or "") if match is not None else ""
        found.append(Term(begin, end, text[begin:end], field.lower() if field else None, value, minus is not None))
        at, minus = end, None
    return found


def compile_query(text: str, schema: str) -> tuple[str, tuple[Any, ...]]:
    """SQL condition over `original o` and its parameters. `schema` is our own name, not the person's.

    Raises QueryError with the place of what is wrong.
    """
    return _Parser(text, schema).whole().as_sql()


def compile_dates(text: str, schema: str) -> tuple[str, tuple[Any, ...]]:
    """The same of the dates alone that all matches have, "true" for any: an order by date is entered there."""
    dates = _Parser(text, schema).whole().dated
    return joined(dates, " & ", " AND ").as_sql() if dates else ("true", ())


class _Parser:
    """Recursive descent: OR binds weaker than the space between terms; `-` binds strongest."""

    def __init__(self, text: str, schema: str) -> None:
        self.text = text
        self.schema = schema
        self.tokens = list(self._cut())
        self.at = 0

    def _cut(self) -> list[re.Match[str]]:
        found, at = [], 0
        while self.text[at:].strip():
            match = _TOKEN.match(self.text, at)
            if match is None:
                column = at + len(self.text[at:]) - len(self.text[at:].lstrip()) + 1
                raise QueryError("a quotation mark is not closed", column)
            found.append(match)
            at = match.end()
            if len(found) > _MAX_TERMS:
                raise QueryError(f"more than {_MAX_TERMS} terms", at)
        return found

    def whole(self) -> Condition:
        if not self.tokens:
            return Condition(sql="true")
        result = self._any_of()
        if self.at < len(self.tokens):
            raise QueryError("a closing parenthesis without an opening one", self._column())
        return result

    def _column(self) -> int:
        if self.at >= len(self.tokens):
            return len(self.text) + 1
        match = self.tokens[self.at]
        return match.end() - len(match.group().lstrip()) + 1

    def _peek(self) -> re.Match[str] | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _any_of(self) -> Condition:
        parts = [self._all_of()]
        while (token := self._peek()) is not None and token.group("word") in ("OR", "|"):
            self.at += 1
            parts.append(self._all_of())
        return joined(parts, " | ", " OR ")

    def _all_of(self) -> Condition:
        parts = []
        while (token := self._peek()) is not None:
            if token.group("word") in ("OR", "|") or token.group("paren") == ")":
                break
            if token.group("word") == "AND":
                self.at += 1
                continue
            parts.append(self._one())
        if not parts:
            raise QueryError("something to search for is missing here", self._column())
        return joined(parts, " & ", " AND ")

    def _one(self) -> Condition:
        token = self._peek()
        if token is None:
            raise QueryError("something to search for is missing here", self._column())
        if token.group("minus"):
            self.at += 1
            return negated(self._one())
        if token.group("paren") == "(":
            self.at += 1
            inner = self._any_of()
            closing = self._peek()
            if closing is None or closing.group("paren") != ")":
                raise QueryError("a parenthesis is not closed", self._column())
            self.at += 1
            return inner
        if token.group("paren"):
            raise QueryError("a closing parenthesis without an opening one", self._column())
        column = self._column()
        self.at += 1
        if token.group("field"):
            return self._field(token.group("field").lower(), value_of(token.group("value")), column)
        if token.group("phrase") is not None:
            return _phrase(token.group("phrase"), column, prefix=False)
        return _phrase(token.group("word"), column, prefix=True)

    def _field(self, name: str, value: str, column: int) -> Condition:
        if name not in FIELDS:
            near = difflib.get_close_matches(name, FIELDS, 1)
            hint = f"did you mean {near[0]}:?" if near else "fields are " + ", ".join(FIELDS)
            raise QueryError(f"there is no field {name}: - {hint}", column)
        if not value:
            raise QueryError(f"{name}: needs a value, for example {FIELDS[name].rpartition(': ')[2]}", column)
        if name in _NUMBERS:
            return numbered(name, value, column)
        if value.startswith("=") and len(value) > 1 and name in EXACT:
            return self._exact(name, _storable(value[1:]))
        special: dict[str, Callable[[], Condition]] = {
            "date": lambda: dated(value, column),
            "path": lambda: _path(value),
            "is": lambda: self._is(value.lower(), column),
            "problem": lambda: self._problem(value.lower()),
            "has": lambda: _chosen("has", value.lower(), _HAS, column),
            "type": lambda: Condition(ts=quoted("type:" + TYPE_NAMES.get(value.lower(), value.lower()))),
        }
        if name in special:
            return special[name]()
        if name in ("source", "label", "pick", "flag"):
            return Condition(ts=quoted(f"{name}:{value if name == 'source' else value.lower()}"))
        return _marked(name, value, column)

    def _exact(self, name: str, value: str) -> Condition:
        """What is this value letter by letter. The words find few rows, the value itself decides among them."""
        if name == "problem":
            return self._problem(value)
        if name in ("type", "source"):
            return Condition(ts=quoted(f"{name}:{value}"))
        words, params = f"o.words @@ %s::tsquery AND {_EXACTLY[name]}", quoted(f"{name}:={phrase_of(value)}")
        if name in ("camera", "lens"):
            return Condition(sql=f"({words})", params=(params, value))
        path, variables = _tag_path(value) if name == "tag" else _seen_path(value)
        return Condition(sql=f"({words})", params=(params, path, variables))

    def _problem(self, code: str) -> Condition:
        table = f"{self.schema}.problem p"
        return Condition(
            sql=f"EXISTS (SELECT FROM {table} WHERE p.source = o.source AND p.path = o.path AND p.code = %s)",
            params=(code,),
        )

    def _is(self, value: str, column: int) -> Condition:
        if value == "duplicate":
            groups = f"SELECT sha256 FROM {self.schema}.original GROUP BY sha256 HAVING count(*) > 1"
            return Condition(sql=f"o.sha256 IN ({groups})")
        if value == "stale":
            return Condition(
                sql=f"EXISTS (SELECT FROM {self.schema}.stale s WHERE s.source = o.source AND s.path = o.path)"
            )
        return _chosen("is", value, _IS, column)


def _phrase(text: str, column: int, *, prefix: bool) -> Condition:
    """Words that follow each other; the last one may go on when it was not put in quotation marks."""
    found = words(text)
    if not found:
        raise QueryError(f"there is no word in {text!r} to search for", column)
    lexemes = [quoted(word) for word in found]
    if prefix and (len(found[-1]) >= 3 or text.endswith("*")):
        lexemes[-1] += ":*"
    return Condition(ts="(" + " <-> ".join(lexemes) + ")" if len(lexemes) > 1 else lexemes[0])


def _marked(name: str, value: str, column: int) -> Condition:
    """A field whose words were marked: the whole value, its beginning with `*`, or all words of it."""
    if name == "name" and any(sign in value[:-1] for sign in "*?"):
        pattern = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in value)
        return Condition(sql="o.path ~* %s", params=(f"(^|/){pattern}$",))
    if value.endswith("*") and len(value) > 1:
        return Condition(ts=quoted(f"{name}:={phrase_of(value[:-1])}") + ":*")
    if name == "name":
        exact = quoted(f"name:={phrase_of(encode_name(value))}")
        whole = quoted(f"name:={phrase_of(value)}.")
        return Condition(ts=f"({exact} | {whole}:*)")
    if name in ("tag", "auto") and "/" in value:
        return Condition(ts=quoted(f"{name}:={phrase_of(value)}"))
    found = words(value)
    if not found:
        raise QueryError(f"there is no word in {value!r} to search for", column)
    parts = [quoted(f"{name}:{word}") for word in found]
    return Condition(ts="(" + " & ".join(parts) + ")" if len(parts) > 1 else parts[0])


def _tag_path(name: str) -> tuple[str, str]:
    """What finds a tag of this name in a person's list, in whichever form it was written; and its variables."""
    name = "/".join(filter(None, tag_parts(name)))
    said = {"whole": name, "ahead": f"/{name}", "behind": f"{name}/"}
    tests = ["@ == $whole", "@ == $ahead", "@ == $behind"][: 2 if "/" in name else 3]
    tests += ['@.value == $whole && (!exists(@.category) || @.category == "")']
    for number, at in enumerate(at for at, sign in enumerate(name) if sign == "/"):
        said |= {f"c{number}": name[:at], f"v{number}": name[at + 1 :]}
        tests.append(f"@.category == $c{number} && @.value == $v{number}")
    return f"$.curation.tags[*] ? ({' || '.join(f'({test})' for test in tests)})", json.dumps(said)


def _seen_path(name: str) -> tuple[str, str]:
    """The same for what models saw: pairs of category and value. Strict, because a lax path takes pairs apart."""
    said, tests = {"none": "", "whole": name}, ["@[0] == $none && @[1] == $whole"]
    for number, at in enumerate(at for at, sign in enumerate(name) if sign == "/"):
        said |= {f"c{number}": name[:at], f"v{number}": name[at + 1 :]}
        tests.append(f"@[0] == $c{number} && @[1] == $v{number}")
    return f"strict $.auto[*] ? ({' || '.join(f'({test})' for test in tests)})", json.dumps(said)


def _storable(text: str) -> str:
    """A text as a row holds it: Postgres takes no NUL and no surrogate."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _chosen(name: str, value: str, choices: tuple[str, ...] | list[str], column: int) -> Condition:
    if value not in choices:
        raise QueryError(f"{name}:{value} is not known; there are {', '.join(choices)}", column)
    return Condition(ts=quoted(f"{name}:{value}"))


def _path(value: str) -> Condition:
    start = encode_name(value.strip("/"))
    return Condition(sql="(o.path = %s OR starts_with(o.path, %s))", params=(start, start + "/"))
