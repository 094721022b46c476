"""What is loaded when: the run-time twin of the import contracts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "faiss", "psycopg", "textual", "PIL", "numpy", "pillow_heif", "av", "open_clip", "ultralytics")


def modules(statement: str) -> set[str]:
    """All that a process has loaded after a statement."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def loaded(statement: str) -> set[str]:
    """The packages of it."""
    return {name.partition(".")[0] for name in modules(statement)}


@pytest.mark.parametrize(
    "statement", ["import lumina_fs.cli", "from lumina_fs.cli import build_parser; build_parser()"]
)
def test_the_command_line_loads_nothing_heavy(statement: str) -> None:
    assert loaded(statement) & set(HEAVY) == set()


def test_documents_know_nothing_of_the_program() -> None:
    names = loaded("import schemas.sidecar, schemas.publish, schemas.text")
    assert names & {"lumina_fs", "index", "tui", *HEAVY} == set()


def test_the_index_knows_nothing_of_the_program() -> None:
    assert "lumina_fs" not in loaded(
        "import index.postgres, index.generation, index.server, index.vectors, index.query"
    )


def test_a_scan_that_finds_nothing_new_loads_no_decoder() -> None:
    assert loaded("import lumina_fs.scan") & {"torch", "faiss", "textual", "open_clip", "ultralytics"} == set()


@pytest.mark.parametrize(
    "statement",
    ["import lumina_fs.tagging.run, lumina_fs.tagging.model_worker, lumina_fs.cli.tag, lumina_fs.cli.doctor",
     "import lumina_fs.daemon.running, lumina_fs.jobs.kinds, lumina_fs.worker", "import tui.entry, tui.app, tui.rooms",
     "import tui.screens.jobs, tui.screens.photos", "from lumina_fs.tagging.extra import hindrance; hindrance()"],
)  # fmt: skip
def test_only_the_process_of_the_models_loads_a_model(statement: str) -> None:
    assert loaded(statement) & {"torch", "torchvision", "open_clip", "ultralytics", "cv2"} == set()


def test_the_first_screen_loads_nothing_that_only_others_need() -> None:
    there = modules("import tui.app, tui.screens.photos")
    assert "tui.photos.photo_grid" in there
    assert (
        there & {"psycopg", "faiss", "lumina_fs.rebuild", "lumina_fs.plans.rows", "lumina_fs.curating.by_editor"}
        == set()
    )
