"""JSON Schemas of every kind of document, for editors: `python -m schemas.publish` writes, `--check` compares."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from schemas.approval import Approval
from schemas.catalog import Catalog
from schemas.document import Document
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
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": file_name(kind)}
    return (json.dumps({**head, **schema}, indent=2, ensure_ascii=False) + "\n").encode()


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
