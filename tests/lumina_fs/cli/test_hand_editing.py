"""`lumina set`, `lumina edit` and `lumina history` as a person types them."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lumina_fs.cli import main
from lumina_fs.errors import ExitCode
from lumina_fs.index_session import BEHIND
from lumina_fs.progress import Finished
from tests.lumina_fs.plans.scenes import NO_INDEX

if TYPE_CHECKING:
    from tests.conftest import Library


class Shell:
    """Commands in the folder of a library with three photos."""

    def __init__(self, library: Library, capsys: pytest.CaptureFixture[str]) -> None:
        self.library = library
        self._capsys = capsys

    def __call__(self, *words: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        code = main(words)
        said = self._capsys.readouterr()
        return code, said.out, said.err

    def json(self, *words: str) -> Any:
        code, out, err = self(*words, "--json")
        assert out, (code, err)
        return json.loads(out)

    def undo(self, plan: str) -> dict[str, Any]:
        """Take a plan back, from proposal to the end."""
        draft = self.json("plan", "undo", plan)
        assert self("plan", "approve", draft["plan"], "--yes", draft["digest"][:12])[0] == ExitCode.DONE
        result: dict[str, Any] = self.json("plan", "apply", draft["plan"], "--yes", draft["digest"][:12])
        return result


@pytest.fixture
def lumina(library: Library, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    for number, name in enumerate(("a.jpg", "b.jpg", "2019/c.jpg")):
        library.photo(name, number)
    library.scan()
    monkeypatch.chdir(library.root)
    return Shell(library, capsys)


def originals(library: Library) -> dict[str, tuple[int, int, int]]:
    return {path: seen for path, seen in library.tree().items() if path.endswith(".jpg")}


# -- set


def test_many_are_set_at_once_found_at_once_and_taken_back(lumina: Shell) -> None:
    library = lumina.library
    library.curate("b.jpg", rating=1, tags=["sea"])
    library.scan()
    before = {name: library.sidecar(name).read_bytes() for name in ("a.jpg", "b.jpg")}
    photos = originals(library)
    done = lumina.json(
        "set", "a.jpg", "b.jpg.lumina.json", "rating=4", "tags+=people/anna", "caption=Two herons", "--yes"
    )
    assert (done["outcome"], done["done"], done["index"]) == ("complete", 2, "current")
    assert library.value("b.jpg")["curation"] == {"caption": "Two herons", "rating": 4, "tags": ["sea", "people/anna"]}
    assert library.search("herons rating:4 tag:people/anna") == ["b.jpg", "a.jpg"]
    assert not (library.root / BEHIND).exists()
    assert lumina.undo(done["plan"])["done"] == 2
    assert {name: library.sidecar(name).read_bytes() for name in before} == before
    assert library.search("herons") == []
    assert originals(library) == photos


def test_a_query_says_which_and_what_is_so_already_is_left_alone(lumina: Shell) -> None:
    lumina.library.curate("a.jpg", rating=5)
    lumina.library.scan()
    done = lumina.json("set", "--query", "path:2019 OR rating:5", "b.jpg", "rating=5", "--yes")
    assert {change["path"] for change in done["changes"]} == {"b.jpg", "2019/c.jpg"}
    assert done["unchanged"] == 1
    again = lumina.json("set", "--query", "rating:5", "rating=5", "--yes")
    assert (again["plan"], again["unchanged"]) == (None, 3)
    assert lumina("set", "--query", "colour:red", "rating=5", "--yes")[0] == ExitCode.USAGE


def test_a_dry_run_shows_all_and_writes_nothing(lumina: Shell) -> None:
    tree = lumina.library.tree()
    code, out, err = lumina("set", "a.jpg", "2019/c.jpg", 'caption=say "\x1b[31m"', "metadata.roll=12", "--dry-run")
    assert (code, out) == (ExitCode.DONE, "")
    assert 'a.jpg: caption (nothing) -> "say \\"\\u001b[31m\\""' in err
    assert 'metadata.roll (nothing) -> "12"' in err
    assert "2 photos to change" in err
    assert "\x1b" not in err
    after = lumina.library.tree()
    assert {path: seen for path, seen in after.items() if not path.startswith(".lumina/")} == {
        path: seen for path, seen in tree.items() if not path.startswith(".lumina/")
    }
    assert not (lumina.library.root / ".lumina" / "plans").exists()


def test_where_nobody_can_be_asked_it_needs_a_yes(lumina: Shell) -> None:
    before = lumina.library.sidecar("a.jpg").read_bytes()
    code, _, err = lumina("set", "a.jpg", "rating=4")
    assert code == ExitCode.REFUSED
    assert "--yes" in err
    assert lumina.library.sidecar("a.jpg").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a.jpg"], "what is to be changed"), (["rating=4"], "of which photos"), (["a.jpg", "stars=4"], "rating=0..5"),
        (["a.jpg", "rating=9"], "0, 1, 2, 3, 4 or 5"), ([".", "rating=4"], "is a folder"),
        (["/etc/passwd", "rating=4", "--catalog", "."], "lies in no source"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(lumina: Shell, words: list[str], said: str) -> None:
    code, _, err = lumina("set", *words)
    assert code == ExitCode.USAGE
    assert said in err


def test_where_nothing_is_to_be_done_a_program_is_told_so_in_the_same_words(lumina: Shell) -> None:
    lumina.library.sidecar("a.jpg").write_bytes(b"{")
    left = lumina.json("set", "a.jpg", "rating=3", "--yes")
    assert (left["done"], left["plan"], len(left["left_out"])) == (0, None, 1)
    assert lumina.json("set", "b.jpg", "rating=3", "--yes")["done"] == 1
    again = lumina.json("set", "b.jpg", "rating=3", "--yes")
    assert (again["done"], again["plan"], again["unchanged"]) == (0, None, 1)


def test_what_cannot_be_changed_is_left_out_with_the_reason_and_the_rest_is_done(lumina: Shell) -> None:
    library = lumina.library
    library.photo("new.jpg", 9)
    library.photo("gone.jpg", 10)
    library.scan()
    (library.root / "gone.jpg").unlink()
    library.sidecar("b.jpg").write_bytes(b"{")
    library.scan()
    library.sidecar("new.jpg").unlink()
    done = lumina.json("set", "a.jpg", "b.jpg", "new.jpg", "gone.jpg", "rating=4", "--yes")
    why = {one["path"]: one["why"] for one in done["left_out"]}
    assert {change["path"] for change in done["changes"]} == {"a.jpg"}
    assert "cannot be used" in why["b.jpg"]
    assert "no sidecar yet" in why["new.jpg"]
    assert "missing" in why["gone.jpg"]
    assert library.sidecar("b.jpg").read_bytes() == b"{"
    assert lumina("set", "b.jpg", "rating=4", "--yes")[0] == ExitCode.PROBLEMS


def test_referenced_photos_without_an_index_are_set_too(lumina: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("LUMINA_DATABASE_URL", NO_INDEX)
        done = lumina.json("set", "a.jpg", "caption=offline", "--yes")
        assert (done["outcome"], done["index"]) == ("complete", "behind")
    assert lumina.library.search("offline") == ["a.jpg"]


def test_the_words_of_a_hostile_name_do_nothing_to_a_terminal(lumina: Shell) -> None:
    name = "x \x1b]52;c;eA==\x07[bold]\udcff.jpg"
    lumina.library.photo("plain.jpg", 20).rename(os.path.join(lumina.library.root, name))
    lumina.library.scan()
    code, out, err = lumina("set", name, "rating=3", "--yes")
    assert code == ExitCode.DONE
    assert "\x1b" not in out + err
    assert "\\x1b]52" in err
    code, out, err = lumina("history", name)
    assert "rating (nothing) -> 3" in out
    assert "\x1b" not in out + err


AS_IT_WAS = {
    "empty": b"{}",
    "with room": b"{ }",
    "over lines": b"{\n\n  }",
    "null": b'{"rating": null, "tags": []}',
    "tags in one line": b'{"x-mine": 1.50, "tags": ["sea",   {"value": "lake"}]   , "rating" :2}',
    "caption between": b'{"name": "n", "caption": "old", "rating": 1}',
}


@pytest.mark.parametrize("block", AS_IT_WAS.values(), ids=AS_IT_WAS.keys())
@pytest.mark.parametrize(("mark", "newline"), [(b"", b"\n"), (b"\xef\xbb\xbf", b"\r\n")], ids=["plain", "BOM, CRLF"])
def test_undo_gives_every_byte_back(lumina: Shell, block: bytes, mark: bytes, newline: bytes) -> None:
    sidecar = lumina.library.sidecar("a.jpg")
    text = mark + sidecar.read_bytes().replace(b'"curation": {}', b'"curation": ' + block).replace(b"\n", newline)
    sidecar.write_bytes(text)
    done = lumina.json("set", "a.jpg", "rating=4", "tags+=people/anna", "tags-=sea", "caption=", "label=red", "--yes")
    assert sidecar.read_bytes() != text
    assert lumina.undo(done["plan"])["outcome"] == "complete"
    assert sidecar.read_bytes() == text


def test_undo_keeps_what_a_person_wrote_since_and_takes_back_the_rest(lumina: Shell) -> None:
    lumina.library.curate("a.jpg", tags=["sea"])
    done = lumina.json("set", "a.jpg", "rating=4", "label=red", "tags+=people/anna", "--yes")
    value = lumina.library.value("a.jpg")["curation"]
    lumina.library.curate("a.jpg", **{**value, "rating": 2, "tags": ["mine", *value["tags"]], "caption": "new"})
    assert lumina.undo(done["plan"])["outcome"] == "complete"
    assert lumina.library.value("a.jpg")["curation"] == {"rating": 2, "tags": ["mine", "sea"], "caption": "new"}


def test_a_person_who_saves_in_the_middle_wins_and_the_other_is_kept(
    lumina: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the approval and the write somebody saves: one field that is set too, and one that is not."""
    from lumina_fs.plans import files

    real = files.write_approval

    def saved_meanwhile(*arguments: Any) -> Any:
        approval = real(*arguments)
        lumina.library.curate("a.jpg", rating=1, caption="by hand", tags=["mine"])
        return approval

    monkeypatch.setattr("lumina_fs.curating.carrying_out.write_approval", saved_meanwhile)
    done = lumina.json("set", "a.jpg", "b.jpg", "rating=4", "tags+=people/anna", "--yes")
    assert (done["outcome"], done["done"]) == ("complete", 2)
    assert [one["path"] for one in done["gave_way"]] == ["a.jpg"]
    assert lumina.library.value("a.jpg")["curation"] == {
        "rating": 1, "caption": "by hand", "tags": ["mine", "people/anna"],
    }  # fmt: skip
    versions = lumina.json("history", "a.jpg")["versions"]
    [lost] = [one for one in versions if one["clash"]]
    assert (lost["clash"], lost["then"]) == (["rating"], {"rating": [1, 4]})
    lumina("history", "a.jpg", "--restore", str(lost["number"]))
    assert lumina.library.value("a.jpg")["curation"]["rating"] == 4
    assert lumina.library.value("a.jpg")["curation"]["caption"] == "by hand"


def test_an_approved_edit_plan_of_old_is_refused_where_the_field_was_changed(lumina: Shell) -> None:
    from lumina_fs.catalog import Catalog
    from lumina_fs.curating.carrying_out import approved
    from lumina_fs.curating.proposing import SidecarEdit, propose_edits

    with Catalog.open(str(lumina.library.root)) as catalog:
        edits = [SidecarEdit("main", "a.jpg", lambda curation: {**curation, "rating": 4})]
        *_, last = propose_edits(catalog, edits, name="stars", cancel=threading.Event())
        assert isinstance(last, Finished)
        plan = approved(catalog, last.result)
    text = lumina.library.curate("a.jpg", rating=1)
    code, _, err = lumina("plan", "apply", plan.id, "--yes", plan.digest[:12])
    assert code == ExitCode.REFUSED
    assert "edited since the plan was made" in err
    assert lumina.library.sidecar("a.jpg").read_bytes() == text


def test_what_is_stopped_while_sidecars_are_read_proposes_nothing(
    lumina: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C comes with the second sidecar."""
    from lumina_fs.curating import proposing

    action, asked = proposing._action, []

    def pressed(*args: Any) -> Any:
        asked.append(args)
        if len(asked) == 2:
            signal.raise_signal(signal.SIGINT)
        return action(*args)

    monkeypatch.setattr(proposing, "_action", pressed)
    for words in (("set", "--query", "", "rating=4", "--yes"), ("tags", "rename", "sea", "lake", "--yes")):
        for path in ("a.jpg", "b.jpg", "2019/c.jpg"):
            lumina.library.curate(path, tags=["sea"])
        lumina.library.scan()
        before = lumina.library.tree()
        asked.clear()
        code, out, _ = lumina(*words)
        assert (code, out) == (ExitCode.INTERRUPTED, "")
        assert len(asked) == 2
        assert lumina.library.tree() == before
        assert not list((lumina.library.root / ".lumina").glob("plans/*.json"))


# -- tags


def test_a_tag_is_renamed_merged_and_deleted_everywhere_and_taken_back(lumina: Shell) -> None:
    library = lumina.library
    library.curate("a.jpg", tags=["sea", {"value": "beach"}, "places/sea"])
    library.curate("b.jpg", tags=["beach"], rating=2)
    library.scan()
    before = {name: library.sidecar(name).read_bytes() for name in ("a.jpg", "b.jpg", "2019/c.jpg")}
    code, out, _ = lumina("tags", "list")
    assert (code, [line.split() for line in out.splitlines()][1:]) == (
        ExitCode.DONE, [["2", "beach"], ["1", "sea"], ["places", "1", "sea"]],
    )  # fmt: skip
    assert lumina("tags", "rename", "sea", "places/sea")[0] == ExitCode.REFUSED
    merged = lumina.json("tags", "rename", "sea", "places/sea", "--yes")
    assert library.value("a.jpg")["curation"]["tags"] == [{"value": "beach"}, "places/sea"]
    deleted = lumina.json("tags", "delete", "beach", "--yes")
    assert deleted["done"] == 2
    assert library.value("b.jpg")["curation"] == {"rating": 2}
    assert library.search("tag:beach") == []
    lumina.undo(deleted["plan"])
    lumina.undo(merged["plan"])
    assert {name: library.sidecar(name).read_bytes() for name in before} == before
    assert "no photo has the tag" in lumina("tags", "delete", "nothing", "--yes")[1]
    assert lumina("tags", "delete", "/", "--yes")[0] == ExitCode.USAGE


# -- edit


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that does to the file what `script.py` says, each line once."""
    program, script = tmp_path / "editor.py", tmp_path / "script.py"
    program.write_text(
        "import os, sys\nscript, path = sys.argv[1:]\nlines = open(script).read().splitlines()\n"
        "data = open(path, 'rb').read()\ndata = eval(lines[0])\nopen(path, 'wb').write(data)\n"
        "open(script, 'w').write('\\n'.join(lines[1:]))\n"
    )
    monkeypatch.setenv("VISUAL", f"{sys.executable} {program} {script}")
    return script


EMPTY, NINE, FOUR = """b'"curation": {}\'""", """b'"curation": {"rating": 9}\'""", """b'"curation": {"rating": 4}\'"""


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    terminal = io.StringIO(typed)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)


def test_a_valid_save_is_in_the_index_at_once_and_the_version_before_is_kept(lumina: Shell, editor: Path) -> None:
    editor.write_text(f"data.replace({EMPTY}, {FOUR})")
    code, out, _ = lumina("edit", "a.jpg")
    assert (code, out) == (ExitCode.DONE, "rating (nothing) -> 4\n")
    assert lumina.library.search("rating:4") == ["a.jpg"]
    [version] = lumina.json("history", "a.jpg")["versions"]
    assert (version["why"], version["then"]) == ("lumina edit", {"rating": [None, 4]})
    editor.write_text("data")
    assert lumina("edit", "a.jpg")[1] == "nothing was changed\n"


def test_a_save_with_an_error_is_shown_with_its_place_and_may_be_mended(
    lumina: Shell, editor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor.write_text(f"data.replace({EMPTY}, {NINE})\ndata.replace({NINE}, {FOUR})")
    on_a_terminal(monkeypatch, "a\n")
    code, out, err = lumina("edit", "a.jpg")
    assert code == ExitCode.DONE
    assert "curation.rating: must be less than or equal to 5 (line 6, column 26)" in err
    assert out == "rating (nothing) -> 4\n"


def test_a_save_with_an_error_may_be_taken_back_or_left(
    lumina: Shell, editor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = lumina.library.sidecar("a.jpg").read_bytes()
    editor.write_text("data[:-3]\ndata[:-3]\ndata[:-3]")
    on_a_terminal(monkeypatch, "b\nl\n")
    code, out, _ = lumina("edit", "a.jpg")
    assert (code, out) == (ExitCode.DONE, "it is what it was\n")
    assert lumina.library.sidecar("a.jpg").read_bytes() == before
    assert lumina("edit", "a.jpg")[0] == ExitCode.CORRUPT
    assert lumina.library.sidecar("a.jpg").read_bytes() == before[:-3]


def test_a_broken_sidecar_can_be_opened_and_mended(lumina: Shell, editor: Path) -> None:
    good = lumina.library.sidecar("a.jpg").read_bytes()
    lumina.library.sidecar("a.jpg").write_bytes(good[:-3])
    lumina.library.scan()
    editor.write_text(f"data\ndata + {good[-3:]!r}")
    code, _, err = lumina("edit", "a.jpg")
    assert code == ExitCode.CORRUPT
    assert "line" in err
    assert lumina("edit", "a.jpg")[0] == ExitCode.DONE
    assert lumina.library.search("is:stale") == []


def test_a_digest_that_the_editor_changed_is_told_at_its_line_and_put_right_by_the_next_scan(
    lumina: Shell, editor: Path
) -> None:
    good = lumina.library.value("a.jpg")["original"]["sha256"]
    editor.write_text(f"data.replace({good.encode()!r}, b'{'ab' * 32}')")
    code, _, err = lumina("edit", "a.jpg")
    assert code == ExitCode.CORRUPT
    line = lumina.library.sidecar("a.jpg").read_text().splitlines().index(f'    "sha256": "{"ab" * 32}",') + 1
    assert f"original.sha256: must stay {good}" in err
    assert f"(line {line}, column 16)" in err
    lumina.library.scan()
    assert lumina.library.value("a.jpg")["original"]["sha256"] == good


def test_without_an_editor_it_says_which_file_to_edit(lumina: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    code, _, err = lumina("edit", "a.jpg")
    assert code == ExitCode.USAGE
    assert "a.jpg.lumina.json" in err
    monkeypatch.setenv("EDITOR", 'unclosed "quote')
    assert lumina("edit", "a.jpg")[0] == ExitCode.USAGE


# -- history


def test_versions_are_numbered_told_and_brought_back(lumina: Shell) -> None:
    for rating in (1, 2, 3):
        lumina("set", "a.jpg", f"rating={rating}", f"tags+=t{rating}", "--yes")
    record = lumina.json("history", "a.jpg")
    assert [one["number"] for one in record["versions"]] == [1, 2, 3]
    assert [one["curation"].get("rating") for one in record["versions"]] == [None, 1, 2]
    assert record["versions"][1]["then"] == {"rating": [1, 2], "tags": [["t1"], ["t1", "t2"]]}
    assert lumina("history", "a.jpg", "--restore", "2")[0] == ExitCode.DONE
    assert lumina.library.value("a.jpg")["curation"] == {"rating": 1, "tags": ["t1"]}
    assert lumina.library.search("tag:t1 rating:1") == ["a.jpg"]
    after = lumina.json("history", "a.jpg")["versions"]
    assert [one["curation"].get("rating") for one in after] == [None, 1, 2, 3]
    assert lumina("history", "a.jpg", "--restore", "5")[0] == ExitCode.USAGE
    assert "no earlier version" in lumina("history", "b.jpg")[2]


def test_history_follows_a_photo_that_moved(lumina: Shell) -> None:
    lumina("set", "a.jpg", "rating=1", "--yes")
    (lumina.library.root / "a.jpg").rename(lumina.library.root / "2019/moved.jpg")
    lumina.library.scan()
    [version] = lumina.json("history", "2019/moved.jpg")["versions"]
    assert version["then"] == {"rating": [None, 1]}


def test_a_file_that_was_kept_beside_is_a_version(lumina: Shell) -> None:
    value = {**lumina.library.value("a.jpg"), "curation": {"caption": "saved in the very moment"}}
    (lumina.library.root / "a.jpg.lumina.json.lumina-kept-00112233").write_text(json.dumps(value))
    [version] = lumina.json("history", "a.jpg")["versions"]
    assert version["file"] == "a.jpg.lumina.json.lumina-kept-00112233"
    assert version["curation"] == {"caption": "saved in the very moment"}
    lumina("history", "a.jpg", "--restore", "1")
    assert lumina.library.value("a.jpg")["curation"] == {"caption": "saved in the very moment"}


def test_history_is_bounded_and_torn_lines_do_no_harm(lumina: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    from lumina_fs import history

    monkeypatch.setattr(history, "_FILE_BYTES", 400)
    catalog = lumina.library.root / ".lumina" / "catalog.json"
    catalog.write_text(catalog.read_text().replace('"settings": {}', '"settings": {"history_mb": 1}'))
    for number in range(4):
        lumina("set", "a.jpg", f"metadata.long={str(number) * 400_000}", "--yes")
    folder = lumina.library.root / ".lumina" / "history"
    assert sum(file.stat().st_size for file in folder.iterdir()) < 2_000_000
    assert "000001.jsonl" not in {file.name for file in folder.iterdir()}
    newest = sorted(folder.iterdir())[-1]
    newest.write_bytes(newest.read_bytes() + b'{"id":"torn')
    lumina("set", "a.jpg", "rating=2", "--yes")
    assert lumina.json("history", "a.jpg")["versions"][-1]["then"] == {"rating": [None, 2]}
