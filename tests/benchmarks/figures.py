"""What a case is given and gives: which corpora to use, copies of them, and a figure with its target."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.measure import SHARED, Run, lumina


@dataclass(frozen=True)
class Options:
    """Which corpora to use: camera photos, and a tree of many thumbnails; None: a small one is made. `catalog` is a
    large one that was scanned before, for the terminal UI."""

    corpus: Path | None
    tree: Path | None
    rows: int
    stack: ExitStack
    catalog: Path | None = None
    scans: dict[str, tuple[Path, Run]] = field(default_factory=dict)

    def scanned_tree(self) -> tuple[Path, Run]:
        """The tree after its first scan, and that scan; made once for all cases that use it."""
        if "tree" not in self.scans:
            tree = self.stack.enter_context(corpus_or_small(self.tree, 2000, "--thumb"))
            photos = self.stack.enter_context(copy_of(tree))
            self.scans["tree"] = photos, lumina("scan", str(photos), "--quiet", "--json", watch=True)
        return self.scans["tree"]


@contextmanager
def copy_of(corpus: Path) -> Iterator[Path]:
    """The same files under other names (hard links), so that sidecars do not pile up in a corpus."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=corpus.parent) as folder:
        target = Path(folder) / "photos"
        shutil.copytree(corpus, target, copy_function=os.link)
        time.sleep(6)  # inodes freed by the last one settle
        yield target


@contextmanager
def corpus_or_small(path: Path | None, count: int, *more: str) -> Iterator[Path]:
    """The corpus that was named, or one made on the spot."""
    if path is not None:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="bench-corpus-") as folder:
        target = Path(folder) / "corpus"
        command = [sys.executable, str(SHARED / "make_corpus.py"), str(target), "--count", str(count), *more]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        yield target
