"""`lumina tags` as a person types it: listed, renamed, deleted, taken back."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest

from lumina_fs.cli import main
from lumina_fs.errors import ExitCode

if TYPE_CHECKING:
    from tests.conftest import Library


class Shell:
    """Runs `lumina tags` in a library's catalog."""

    def __init__(self, library: Library, capsys: pytest.CaptureFixture[str]) -> None:
        self.library = library
        self.capsys = capsys

    def run(self, line: str) -> tuple[int, str, str]:
        code = main([*shlex.split(line), "--catalog", str(self.library.root)])
        said = self.capsys.readouterr()
        return code, said.out, said.err


@pytest.fixture
def shell(library: Library, capsys: pytest.CaptureFixture[str]) -> Shell:
    for seed, name in enumerate(("a.jpg", "b.jpg")):
        library.photo(name, seed)
    library.scan()
    library.curate("a.jpg", tags=["people/ana", "beach"])
    library.curate("b.jpg", tags=["people/anna", {"category": "people", "value": "ana"}])
    library.scan()
    return Shell(library, capsys)


def test_tags_are_listed_with_how_many_photos_have_them(shell: Shell) -> None:
    code, out, _ = shell.run("tags list --json")
    assert code == 0
    assert [tuple(json.loads(line).values()) for line in out.splitlines()] == [
        ("", "beach", 1), ("people", "ana", 2), ("people", "anna", 1),
    ]  # fmt: skip


def test_a_dry_run_says_what_would_change_and_writes_nothing(shell: Shell) -> None:
    before = shell.library.tree()
    code, _, err = shell.run("tags rename people/ana people/anna --dry-run")
    assert code == 0
    assert "a.jpg: tags +people/anna -people/ana" in err
    assert shell.library.tree() == before


def test_without_a_terminal_a_change_needs_yes(shell: Shell) -> None:
    code, _, err = shell.run("tags delete beach")
    assert code == ExitCode.REFUSED
    assert "--yes" in err
    assert shell.library.value("a.jpg")["curation"]["tags"] == ["people/ana", "beach"]


def test_a_renamed_tag_becomes_one_with_the_one_that_is_there_and_undo_gives_both_back(shell: Shell) -> None:
    before = [shell.library.sidecar(name).read_bytes() for name in ("a.jpg", "b.jpg")]
    code, out, err = shell.run("tags rename people/ana people/anna --yes --json")
    assert code == 0, err
    assert shell.library.value("a.jpg")["curation"]["tags"] == ["people/anna", "beach"]
    assert shell.library.value("b.jpg")["curation"]["tags"] == ["people/anna"]
    assert shell.library.search("tag:people/ana") == []
    plan = json.loads(out)["plan"]
    draft = json.loads(shell.run(f"plan undo {plan} --json")[1])
    assert shell.run(f"plan approve {draft['plan']} --yes {draft['digest']}")[0] == 0
    assert shell.run(f"plan apply {draft['plan']} --yes {draft['digest']}")[0] == 0
    assert [shell.library.sidecar(name).read_bytes() for name in ("a.jpg", "b.jpg")] == before


@pytest.mark.parametrize("line", ["tags rename beach beach", "tags rename beach /", "tags delete ''"])
def test_a_change_that_makes_no_sense_is_refused(shell: Shell, line: str) -> None:
    code, _, err = shell.run(f"{line} --yes")
    assert code == ExitCode.USAGE
    assert "tag" in err or "name" in err
