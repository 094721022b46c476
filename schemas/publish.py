"""JSON Schemas of every kind of document, for editors: `python -m schemas.publish` writes, `--check` compares."""

from __future__ import annotations

import ast
import inspect
import json
import sys
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from schemas.approval import Approval
from schemas.catalog import Catalog
from schemas.document import Block, Document
from schemas.files import file_name
from schemas.job import Job
from schemas.plan import Plan
from schemas.sidecar import Sidecar
from schemas.source import Source
from schemas.verdict import Verdict

MODELS: dict[str, type[Document]] = {
    "approval": Approval,
    "catalog": Catalog,
    "job": Job,
    "plan": Plan,
    "sidecar": Sidecar,
    "source": Source,
    "verdict": Verdict,
}


def generate(kind: str) -> bytes:
    """The schema of `kind` made from its model: JSON Schema draft 2020-12, always the same bytes."""
    schema = MODELS[kind].model_json_schema(by_alias=True)
    said = {block.__name__: descriptions(block) for block in _blocks()}
    for name, shape in ((MODELS[kind].__name__, schema), *schema.get("$defs", {}).items()):
        for field, text in said.get(name, {}).items():
            about = shape["properties"][field]
            shape["properties"][field] = dict(sorted({**about, "description": text}.items()))
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": file_name(kind)}
    return (json.dumps({**head, **schema}, indent=2, ensure_ascii=False) + "\n").encode()


def _blocks() -> Iterator[type[Block]]:
    waiting: list[type[Block]] = [Block]
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        yield one


def descriptions(block: type[Block]) -> dict[str, str]:
    """What the source says below each field of a model, and of those that it derives from, by the field's JSON key."""
    found: dict[str, str] = {}
    for owner in reversed(block.__mro__):
        if not issubclass(owner, Block):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, text in pairwise(body.body):
            match field, text:
                case (ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said)))):
                    found[owner.model_fields[name].alias or name] = inspect.cleandoc(said)
    return found


def main(arguments: list[str]) -> int:
    """Write the schemas into the source tree, or with `--check` only say whether they are fresh."""
    folder = Path(__file__).parent / "published"
    stale = [kind for kind in MODELS if not _is_fresh(folder / file_name(kind), generate(kind))]
    if "--check" in arguments:
        if stale:
            print(f"stale: {', '.join(stale)}. Run: python -m schemas.publish", file=sys.stderr)
        return 1 if stale else 0
    folder.mkdir(exist_ok=True)
    for kind in stale:
        (folder / file_name(kind)).write_bytes(generate(kind))
        print(f"wrote {file_name(kind)}")
    return 0


def _is_fresh(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
