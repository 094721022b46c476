"""`lumina duplicates` as a person types it: every action, what is refused, and what a script gets."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lumina_fs.cli import main
from lumina_fs.errors import ExitCode

if TYPE_CHECKING:
    from tests.conftest import Library


class Shell:
    """Types commands in a catalog."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.capsys = capsys

    def __call__(self, line: str) -> tuple[int, str, str]:
        code = main(["duplicates", *shlex.split(line), "--catalog", str(self.root)])
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def json(self, line: str) -> Any:
        """The one value that a command prints."""
        code, out, _ = self(f"{line} --json")
        assert code == 0
        return json.loads(out)

    def lines(self, line: str) -> list[Any]:
        """The values that a command prints, one a line."""
        code, out, _ = self(f"{line} --json")
        assert code == 0
        return [json.loads(one) for one in out.splitlines()]

    def group(self, name: str) -> dict[str, Any]:
        """The group that has a file of this name."""
        [found] = [one for one in self.lines("list --limit 0") if any(name in path for path in paths(one))]
        value: dict[str, Any] = found
        return value


def paths(group: dict[str, Any]) -> list[str]:
    return [group["keeper"]["path"], *(other["path"] for other in group["others"])]


@pytest.fixture
def lumina(library: Library, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Three groups: equal bytes, other metadata, and another size."""
    library.photo("2019/lake.jpg", 1, size=(320, 240))
    shutil.copy2(library.photo("2020/lake copy.jpg", 1, size=(320, 240)), library.root / "2020/lake (1).jpg")
    library.photo("2019/tree.jpg", 2, Make="Canon", Software="a long description " * 9)
    library.photo("2020/tree.jpg", 2)
    library.photo("2019/house.jpg", 3, size=(640, 480))
    library.photo("2020/house small.jpg", 3, size=(320, 240))
    library.photo("2020/alone.jpg", 4)
    library.scan()
    shell = Shell(library.root, capsys)
    assert shell("find")[0] == 0
    return shell


# -- find, summary


def test_find_says_in_numbers_what_there_is_and_what_comes_next(lumina: Shell) -> None:
    code, out, err = lumina("find")
    assert code == 0
    assert "3, 3 of them at least 95 % certain" in out
    assert "4 files" in out
    assert "next: lumina duplicates list" in err
    value = lumina.json("find --threshold 0")
    assert {name: value[name] for name in ("groups", "files", "analysed", "threshold", "current")} == {
        "groups": 3, "files": 4, "analysed": 6, "threshold": 0, "current": True,
    }  # fmt: skip
    assert value == lumina.json("summary")
    assert sum(value["kinds"].values()) == value["high_confidence"] + value["low_confidence"] == 3


@pytest.mark.parametrize("threshold", ["-1", "11", "x", "1.5"])
def test_a_threshold_that_is_none_is_refused(lumina: Shell, threshold: str) -> None:
    try:
        code = lumina(f"find --threshold={threshold}")[0]
    except SystemExit as ended:
        code = ended.code  # type: ignore[assignment]
    assert code == ExitCode.USAGE


def test_before_any_search_every_action_says_what_to_do(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    shell = Shell(library.root, capsys)
    for line in (
        "list",
        "summary",
        "export",
        "show abc",
        "decide abc --keep-both",
        "decide --reviewed --yes",
        "propose",
    ):
        code, out, err = shell(line)
        assert (code, out) == (ExitCode.USAGE, ""), line
        assert "lumina duplicates find" in err


def test_a_catalog_that_changed_since_is_told(lumina: Shell, library: Library) -> None:
    library.photo("2021/new.jpg", 9)
    library.scan()
    assert "changed since the last search" in lumina("list")[2]
    assert lumina.json("summary")["current"] is False


def test_nothing_found_is_no_error(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    shell = Shell(library.root, capsys)
    assert shell("find")[0] == 0
    code, out, err = shell("list")
    assert (code, out) == (0, "")
    assert "no groups" in err
    assert shell.lines("list") == shell.lines("export") == []
    code, _, err = shell("decide --certain --yes")
    assert (code, "nothing to decide" in err) == (0, True)
    assert "nothing to do" in shell("propose")[2]
    assert shell.json("propose") == {"plan": None}


def test_kinds_are_words_for_people_and_names_for_programs(lumina: Shell) -> None:
    numbers = lumina("summary")[1]
    assert "1 same pixels" in numbers
    assert "same pixels" in lumina("list")[1]
    assert "same pixels, 99 % certain" in lumina("show 2019/tree.jpg")[1]
    [value] = lumina.lines("list --kind same_pixels")
    assert value["kind"] == "same_pixels"
    assert "same_pixels" in lumina.json("summary")["kinds"]
    rows = list(csv.DictReader(io.StringIO(lumina("export --kind same_pixels")[1])))
    assert {row["kind"] for row in rows if row["role"] != "keeper"} == {"same_pixels"}
    for line in ("summary", "list", "show 2019/tree.jpg"):
        assert "same_pixels" not in lumina(line)[1]


# -- list, show


def test_list_prints_a_line_a_group_those_that_free_most_first(lumina: Shell) -> None:
    code, out, _ = lumina("list")
    assert code == 0
    heads, *rows = out.splitlines()
    assert heads.split()[:3] == ["GROUP", "KIND", "SURE"]
    assert len(rows) == 3
    values = lumina.lines("list")
    assert [one["savings"] for one in values] == sorted((one["savings"] for one in values), reverse=True)
    assert {one["kind"] for one in values} == {"exact", "same_pixels", "resized"}
    code, out, err = lumina("list --limit 1")
    assert len(out.splitlines()) == 2
    assert "2 more: --limit 0" in err


def test_filters_let_through_what_they_say(lumina: Shell) -> None:
    def count(options: str) -> int:
        return len(lumina.lines(f"list {options}"))

    assert count("--kind exact") == 1
    assert count("--kind exact --kind resized") == 2
    assert count("--state pending") == 3
    assert count("--state resolved") == 0
    assert count("--source main") == 3
    assert count("--source nowhere") == 0
    assert count("--across") == 0
    assert count("--within") == 3
    assert count("--above 100") == 1
    assert count("--below 100") == 2
    assert count("--above 99 --below 100") == 1
    assert lumina("list --across --within")[0] == ExitCode.USAGE
    assert lumina.lines("list --kind burst") == []


def test_show_takes_an_id_its_beginning_or_a_file(lumina: Shell) -> None:
    group = lumina.group("lake")
    for reference in (group["group"], group["group"][:5], "2019/lake.jpg", "lake copy.jpg"):
        assert lumina.json(f"show '{reference}'") == group
    _, out, _ = lumina(f"show {group['group']}")
    assert "exact, 100 % certain" in out
    assert "FORM+RES+SIZE+META" in out
    assert out.count("the same bytes") == 2
    for reference in ("nothing", "", "ab", "alone.jpg", "jpg"):
        code, out, err = lumina(f"show '{reference}'")
        assert (code, out) == (ExitCode.USAGE, ""), reference
        assert err
    assert "may be any of" in lumina("show lake.jpg")[2] or lumina("show lake.jpg")[0] == 0


# -- decide


def test_keep_one_file_and_undo_it(lumina: Shell) -> None:
    name = lumina.group("tree")["group"]
    code, out, _ = lumina(f"decide {name} --keep 2020/tree.jpg")
    assert code == 0
    assert "decided: 1" in out
    assert "1 file may go" in out
    group = lumina.group("tree")
    assert (group["keeper"]["path"], group["state"]) == ("2020/tree.jpg", "reviewed")
    assert [other["decision"] for other in group["others"]] == ["remove"]
    assert lumina.json(f"decide {group['group']} --undo") == {"result": "taken back", "count": 1}
    assert lumina.group("tree")["state"] == "pending"


def test_keep_both_and_not_duplicate(lumina: Shell) -> None:
    before = lumina.json("summary")
    assert lumina("decide 2020/tree.jpg --keep-both")[0] == 0
    assert lumina.group("tree")["state"] == "resolved"
    after = lumina.json("summary")
    assert (before["files"], after["files"]) == (4, 3), "what stays could not go"
    assert before["savings"] > after["savings"] > 0
    house = lumina.group("house")
    assert lumina("decide 2019/house.jpg --not-duplicate 'house small.jpg'")[0] == 0
    assert not [one for one in lumina.lines("list") if "house" in paths(one)[0]]
    found = lumina.json("find")
    assert (found["files"], found["savings"]) == (2, after["savings"] - house["savings"])
    assert not [one for one in lumina.lines("list") if "house" in paths(one)[0]]


def test_remove_only_some(lumina: Shell) -> None:
    group = lumina.group("lake")
    first, second = (other["path"] for other in group["others"])
    code, _, err = lumina(f"decide {group['group']} --remove '{first}'")
    assert code == ExitCode.USAGE, "it would be said of the other as well"
    assert second in err
    assert lumina(f"decide {group['group']} --remove '{first}' --remove '{second}'")[0] == 0
    assert lumina.group("lake")["state"] == "reviewed"
    keeper = lumina.group("house")["keeper"]["path"]
    code, _, err = lumina(f"decide 2019/house.jpg --remove '{keeper}'")
    assert code == ExitCode.USAGE
    assert "--keep FILE" in err


@pytest.mark.parametrize(
    "line",
    ["decide", "decide lake", "decide --keep x", "decide --keep-both", "decide 2020/tree.jpg --certain",
     "decide 2020/tree.jpg --keep 2020/tree.jpg --keep-both", "decide --certain --reviewed", "decide --undo",
     "decide 2020/tree.jpg --keep nowhere.jpg", "decide 2020/tree.jpg --keep jpg",
     "decide 'lake copy.jpg' --not-duplicate 'lake (1).jpg'"],
)  # fmt: skip
def test_what_is_no_decision_is_refused_and_nothing_is_written(lumina: Shell, line: str) -> None:
    code, out, err = lumina(line)
    assert (code, out) == (ExitCode.USAGE, "")
    assert err
    assert not (lumina.root / ".lumina/verdicts").exists()


def test_a_batch_is_shown_first_and_refused_where_nobody_can_be_asked(lumina: Shell) -> None:
    for what in ("--certain", "--certain 90", "--primaries", "--reviewed"):
        code, out, err = lumina(f"decide {what}")
        assert (code, out) == (ExitCode.REFUSED, ""), what
        assert "needs --yes" in err
        assert "3 groups" in err
    assert not (lumina.root / ".lumina/verdicts").exists()
    code, out, err = lumina("decide --primaries --dry-run")
    assert code == 0
    assert "would be decided" in out
    assert "4 files may go" in err
    assert "2020/" not in err or "stays" in err
    assert not (lumina.root / ".lumina/verdicts").exists()


def test_batches_decide_what_is_pending_and_no_more(lumina: Shell) -> None:
    assert lumina("decide 2020/tree.jpg --keep-both")[0] == 0
    assert lumina.json("decide --certain 100 --yes") == {"result": "decided", "count": 1}
    assert lumina.group("lake")["state"] == "reviewed"
    assert lumina.group("tree")["state"] == "resolved"
    assert lumina.group("house")["state"] == "pending"
    assert lumina.json("decide --primaries --kind exact --yes")["count"] == 0
    assert lumina.json("decide --reviewed --yes")["count"] == 1
    assert {one["state"] for one in lumina.lines("list")} == {"reviewed", "resolved"}
    [document] = [p for p in (lumina.root / ".lumina/verdicts").rglob("*.json") if "certain" in p.read_text()]
    assert "--certain 100" in document.read_text(), "who decided is written down"


def test_undo_says_how_many_documents_changed_and_undoing_nothing_changes_none(lumina: Shell) -> None:
    assert lumina.json("decide 2020/tree.jpg --undo") == {"result": "taken back", "count": 0}
    assert not (lumina.root / ".lumina/verdicts").exists()


def test_a_corrupt_verdict_is_told_at_every_look(lumina: Shell) -> None:
    lumina("decide 2020/tree.jpg --keep-both")
    [document] = (lumina.root / ".lumina/verdicts").rglob("*.json")
    document.write_text("{ broken")
    code, out, err = lumina("list")
    assert code == 0
    assert len(out.splitlines()) == 4
    assert "cannot be read" in err
    assert document.name in err
    code, _, err = lumina("decide 2020/tree.jpg --keep-both")
    assert code not in (0, None)
    assert document.read_text() == "{ broken"


def test_no_action_touches_a_photo_or_a_sidecar(lumina: Shell, library: Library) -> None:
    before = {path: value for path, value in library.tree().items() if not path.startswith(".lumina")}
    for line in ("find", "list", "show 2020/tree.jpg", "export", "decide --primaries --yes", "summary"):
        assert lumina(line)[0] == 0, line
    assert lumina("propose")[0] == 4  # the source is referenced
    assert {path: value for path, value in library.tree().items() if not path.startswith(".lumina")} == before


# -- propose


def test_propose_writes_a_draft_and_says_where(lumina: Shell) -> None:
    assert main(["source", "set", "main", "--managed", "yes", "--catalog", str(lumina.root)]) == 0
    lumina.capsys.readouterr()
    lumina("decide --primaries --yes")
    code, out, _ = lumina("propose")
    assert code == 0
    told, look, _ = out.splitlines()
    assert "4 trash" in told
    assert main([*look.partition("lumina ")[2].split(), "--catalog", str(lumina.root)]) == 0
    lumina.capsys.readouterr()
    told = lumina.json("propose --kind exact")
    assert (told["counts"], told["skipped"]) == ({"trash": 2}, [])
    plan = json.loads((lumina.root / f".lumina/plans/{told['plan']}.json").read_bytes())
    assert [one["do"] for one in plan["actions"]] == ["trash", "trash"]
    assert told["size"] == sum(one["size"] for one in plan["actions"])


# -- export


def test_export_is_csv_with_a_row_a_file_or_json(lumina: Shell) -> None:
    code, out, _ = lumina("export")
    assert "; resolution " in out
    assert "{" not in out, "a cell is no Python value"
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 7
    assert {row["role"] for row in rows} == {"keeper", "other"}
    values = lumina.lines("export")
    assert [row["path"] for row in rows] == [value["path"] for value in values]
    assert list(rows[0]) == list(values[0])
    assert int(rows[0]["size"]) == values[0]["size"]
    assert len(list(csv.DictReader(io.StringIO(lumina("export --kind exact")[1])))) == 3


def test_export_is_safe_in_a_spreadsheet_and_in_a_terminal_and_keeps_every_name(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["=cmd|'/c calc'!A1.jpg", "+1.jpg", "-2+3.jpg", "@sum.jpg", "\x1b[31mred.jpg", "a,b \"c\".jpg",
             "two\nlines.jpg", "\t=tab.jpg", "日本語 ümlaut 🦆.jpg", "\u202egpj.exe.jpg"]  # fmt: skip
    for name in names:
        library.photo(name, 1)
    with open(os.path.join(str(library.root).encode(), b"caf\xe9.jpg"), "wb") as file:
        file.write((library.root / "+1.jpg").read_bytes())
    library.scan()
    shell = Shell(library.root, capsys)
    assert shell("find")[0] == 0
    code, out, _ = shell("export")
    assert code == 0
    assert "\x1b" not in out
    assert "\u202e" not in out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == len(names) + 1
    for row in rows:
        for cell in row.values():
            assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r"), cell
    shown = [row["path"] for row in rows]
    assert "日本語 ümlaut 🦆.jpg" in shown
    assert 'a,b "c".jpg' in shown
    assert "'=cmd|'/c calc'!A1.jpg" in shown
    # JSON gives every name as it is
    assert {value["path"] for value in shell.lines("export")} >= {*names[:7], names[8]}
    for line in ("list", "show +1.jpg", "decide +1.jpg --keep-both --dry-run", "decide --reviewed --dry-run"):
        code, out, err = shell(line)
        assert code == 0, line
        assert "\x1b" not in out + err
        assert "\u202e" not in out + err


def test_an_export_without_groups_still_has_its_heads(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    shell = Shell(library.root, capsys)
    shell("find")
    assert next(csv.reader(io.StringIO(shell("export")[1])))[:4] == ["group", "state", "role", "decision"]


def test_related_pairs_are_listed_and_never_offered_for_removal(
    library: Library, capsys: pytest.CaptureFixture[str], photos: Path
) -> None:
    for name in ("train.jpg", "train.mov"):
        shutil.copy2(photos / "live_photo/apple_pair" / name, library.root / name)
    library.scan()
    shell = Shell(library.root, capsys)
    assert shell.json("find")["related"] == {"live_photo": 1}
    code, out, _ = shell("list --kind live_photo")
    assert code == 0
    assert "train.mov" in out
    assert "Live Photo" in out
    [value] = shell.lines("list --kind live_photo")
    assert [one["path"] for one in value["files"]] == ["train.jpg", "train.mov"]
    assert shell.lines("list") == []
