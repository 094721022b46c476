"""One module changes files: read from the source, of every package."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

#: Modules that may change something, and what.
ALLOWED = {
    "lumina_fs/durable.py": "the one module that changes a person's files",
    "lumina_fs/kernel.py": "the system calls under it",
    "lumina_fs/locks.py": "an empty file that the kernel locks",
    "lumina_fs/exif.py": "links with safe names in a private temporary folder",
    "lumina_fs/sample_photos.py": "the photos of the demo, which are made here",
    "index/server.py": "the data of the embedded server, a cache",
    "index/account.py": "the folders of the embedded server, a cache",
    "schemas/publish.py": "a developer's tool that writes the published schemas",
}
#: Modules that call the layer of system calls: the primitives. All others ask these.
PRIMITIVES = {
    "lumina_fs/durable.py", "lumina_fs/cache_files.py", "lumina_fs/transfer.py", "lumina_fs/pouring.py",
    "lumina_fs/growing.py", "lumina_fs/free_names.py", "lumina_fs/new_file.py",
}  # fmt: skip
CHANGING = {
    "rename", "renames", "replace", "link", "symlink", "unlink", "remove", "rmdir", "removedirs", "mkdir", "makedirs",
    "truncate", "ftruncate", "chmod", "fchmod", "chown", "fchown", "lchown", "utime", "mkfifo", "mknod", "copyfile",
    "copy", "copy2", "copytree", "move", "rmtree",
}  # fmt: skip
MODULES = {"os", "shutil"}
METHODS = {"write_text", "write_bytes", "touch", "hardlink_to", "symlink_to"}


def changes(source: str) -> list[str]:
    """The calls in `source` that could change a file."""
    source = source.replace(_NOWHERE, "0")
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module in MODULES:
            found += [f"from {node.module} import {name.name}" for name in node.names if name.name in CHANGING]
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Attribute):
            owner = called.value.id if isinstance(called.value, ast.Name) else ""
            if (owner in MODULES and called.attr in CHANGING) or called.attr in METHODS:
                found.append(f"{owner}.{called.attr}")
            if owner == "os" and called.attr == "open" and any(flag in source for flag in _WRITING):
                text = ast.unparse(node)
                if any(flag in text for flag in _WRITING) or ", flags" in text or "0o" in text or "420" in text:
                    found.append(text)
        elif isinstance(called, ast.Name) and called.id == "open":
            mode = ast.unparse(node.args[1]) if len(node.args) > 1 else ""
            mode += "".join(ast.unparse(word.value) for word in node.keywords if word.arg == "mode")
            if any(letter in mode for letter in "wax+") and "os.devnull" not in ast.unparse(node):
                found.append(ast.unparse(node))
    return found


# the null device is no file
_NOWHERE = "os.open(os.devnull, os.O_WRONLY)"
_WRITING = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND")


def modules() -> list[Path]:
    return [
        path for package in ("lumina_fs", "index", "schemas", "tui") for path in (REPOSITORY / package).rglob("*.py")
    ]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_it_changes_no_file(path: Path) -> None:
    name = str(path.relative_to(REPOSITORY))
    found = changes(path.read_text())
    if name in ALLOWED:
        assert found, f"{name} changes nothing and needs no permission"
    else:
        assert found == []


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_only_primitives_call_the_layer_of_system_calls(path: Path) -> None:
    called = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and re.search(r"\b_?layer\.\w+$", ast.unparse(node.func))
    ]
    assert bool(called) == (str(path.relative_to(REPOSITORY)) in PRIMITIVES), called


@pytest.mark.parametrize(
    "source",
    ["import os\nos.rename('a', 'b')", "open('x', 'w')", "open('x', mode='ab')", "import shutil\nshutil.move('a', 'b')",
     "from pathlib import Path\nPath('x').write_text('y')", "import os\nos.open('x', os.O_WRONLY)",
     "from os import replace", "import os\nos.unlink('x', dir_fd=3)"],
)  # fmt: skip
def test_this_test_can_fail(source: str) -> None:
    assert changes(source)
