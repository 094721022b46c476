"""What the machine could do at best for the same work: the other side of each ratio."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import SHARED


def shared_floor(section: str, *options: str) -> list[dict[str, Any]]:
    """The lines that a section of the shared floor script prints."""
    script = SHARED / "floors.py"
    done = subprocess.run(
        [sys.executable, str(script), section, *options], capture_output=True, text=True, check=True
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("section") == section]


def bare_walk(root: Path) -> int:
    """scandir and stat of everything, and nothing else."""
    count, waiting = 0, [str(root)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
                    count += 1
    return count
