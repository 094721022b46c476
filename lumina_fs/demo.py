"""`make demo`: a small library of sample photos made on the spot, or a folder of yours, scanned and shown."""

from __future__ import annotations

import os
import shlex
import sys

from lumina_fs.cli import main as lumina
from lumina_fs.sample_photos import make_samples
from lumina_fs.utf8 import require_utf8

FOLDER = "demo-photos"


def main(arguments: list[str]) -> int:
    """Scan `arguments[0]`, or the sample photos, and show what was found."""
    folder = arguments[0] if arguments else FOLDER
    if not arguments and not os.path.isdir(folder):
        print(f"making sample photos in {folder}/", flush=True)
        make_samples(folder)
    at = ["--catalog", folder]
    _show(["scan", folder])
    _show(["status", *at])
    queries = ["is:duplicate", "has:problems"]
    if not arguments:
        queries = ["camera:canon date:2018..2019", "type:heic", *queries]
    for query in queries:
        _show(["search", query, "--limit", "4", *at])
    _show(["duplicates", "find", *at])
    _show(["duplicates", "list", "--limit", "6", *at])
    _show(["index", "verify", "--quiet", *at])
    print(_next(folder, samples=not arguments))
    return 0


def _show(command: list[str]) -> None:
    print(f"\n$ lumina {shlex.join(command)}", flush=True)
    code = lumina(command)
    sys.stdout.flush()
    if code not in (0, 3):  # 3: done, and some files have problems, which the samples have on purpose
        raise SystemExit(code)


def _next(folder: str, *, samples: bool) -> str:
    photo = f"{folder}/2018/2018-07-14 Lake/IMG_0001.JPG" if samples else f"{folder}/SOME-PHOTO.JPG"
    quoted = shlex.quote(folder)
    return f"""
What to try next (lumina is .venv/bin/lumina):
  lumina ui --catalog {quoted}  the same in the terminal: browse, compare duplicates, propose and approve a plan
  lumina show {shlex.quote(photo)}
  open {photo}.lumina.json in an editor, write
      "curation": {{"caption": "A day at the lake", "rating": 5, "tags": ["people/anna"]}}
  and then:  lumina scan {quoted}  and:  lumina search "lake rating:5 tag:people/anna" --catalog {quoted}
  lumina duplicates show GROUP --catalog {quoted}  why two pictures are taken for one, and which would stay
  lumina index drop --catalog {quoted}  and search again: the index comes back from the sidecars
  make demo PHOTOS=~/Pictures  the same with your own photos, which are read and never changed"""


if __name__ == "__main__":
    require_utf8()
    sys.exit(main(sys.argv[1:]))
