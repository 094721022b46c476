"""The commands as a person types them: what they print, where, and what they return."""

from __future__ import annotations

import io
import json
import os
import pty
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lumina_fs.cli import COMMANDS, main
from lumina_fs.cli.session import interruptible
from lumina_fs.errors import ExitCode

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from tests.conftest import Library

REPOSITORY = Path(__file__).resolve().parents[3]


def run(line: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(shlex.split(line))
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def scanned(library: Library) -> Library:
    library.photo("2019/lake.jpg", 1, Make="Canon", Model="Canon EOS 80D", DateTimeOriginal="2019:07:14 12:31:05")
    library.photo("2019/copy.jpg", 1, Make="Canon", Model="Canon EOS 80D", DateTimeOriginal="2019:07:14 12:31:05")
    library.photo("2020/garden.jpg", 2)
    library.scan()
    return library


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert f"example:\n  lumina {command}" in said
    description = said.partition("\n\n")[2].partition("\n\n")[0]
    assert max(map(len, description.splitlines())) <= 98


def test_scan_makes_a_catalog_and_reports_as_json(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    library.photo("a.jpg", 1)
    code, out, err = run(f"scan {library.root} --json --quiet", capsys)
    result = json.loads(out)
    assert code == 0
    assert "is now the catalog library" in err
    assert {name: result[name] for name in ("found", "added", "updated", "unchanged", "moved", "missing")} == {
        "found": 1, "added": 1, "updated": 0, "unchanged": 0, "moved": 0, "missing": 0,
    }  # fmt: skip
    assert {"problems", "exact_duplicates", "seconds", "index"} <= set(result)


def test_problems_have_an_exit_code_of_their_own(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    library.photo("a.jpg", 1)
    (library.root / "broken.jpg").write_bytes(b"nothing")
    code, out, err = run(f"scan {library.root}", capsys)
    assert code == ExitCode.PROBLEMS
    assert "broken.jpg: cannot be decoded" in err
    assert "1 problem" in out
    assert run(f"scan {library.root}", capsys)[0] == 0  # nothing new was found


def test_search_prints_a_table_or_json_lines(scanned: Library, capsys: pytest.CaptureFixture[str]) -> None:
    at = f"--catalog {scanned.root}"
    code, out, _ = run(f"search camera:canon {at}", capsys)
    assert code == 0
    assert out.splitlines()[0].split() == ["TAKEN", "TYPE", "PIXELS", "SIZE", "Q", "CAMERA", "PATH"]
    assert "2019-07-14 12:31" in out
    code, out, _ = run(f"search camera:canon --json {at}", capsys)
    rows = [json.loads(line) for line in out.splitlines()]
    assert {row["path"] for row in rows} == {"2019/lake.jpg", "2019/copy.jpg"}
    assert run(f"search --count {at}", capsys)[1] == "3\n"
    _, out, err = run(f"search --limit 1 {at}", capsys)
    assert len(out.splitlines()) == 2
    assert "--offset 1" in err


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("2019 -camera:canon", 0), ("type:jpeg -camera:canon", 1), ("-has:camera", 1), ("-camera:canon --count", 1),
        ("-lake", 2), ("'-(lake OR copy)'", 1), ("'-\"canon eos\"' type:jpeg", 1), ("type:jpeg -- -lake", 2),
        ("-rating:5 OR lake", 3),
    ],
)  # fmt: skip
def test_what_must_not_fit_is_no_option(
    scanned: Library, capsys: pytest.CaptureFixture[str], words: str, count: int
) -> None:
    code, out, err = run(f"search --count --catalog {scanned.root} {words}", capsys)
    assert (code, out, err) == (0, f"{count}\n", "")
    code, out, err = run(f"set --dry-run --json --query -camera:canon rating=3 --catalog {scanned.root}", capsys)
    assert (code, len(json.loads(out)["changes"])) == (0, 1)
    assert run(f"search --limit -1 --catalog {scanned.root}", capsys)[0] == ExitCode.USAGE
    assert run(f"search --nosuch --catalog {scanned.root}", capsys)[0] == ExitCode.USAGE


def test_a_mistaken_query_is_told_and_nothing_is_printed(scanned: Library, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(f"search kamera:x --catalog {scanned.root}", capsys)
    assert (code, out) == (ExitCode.USAGE, "")
    assert "did you mean camera:" in err


def test_like_finds_the_twin_first(scanned: Library, capsys: pytest.CaptureFixture[str]) -> None:
    line = f"search --like {scanned.root}/2019/lake.jpg --json --catalog {scanned.root}"
    for _ in range(2):  # built, then read from the cache
        [first, *_] = [json.loads(row) for row in run(line, capsys)[1].splitlines()]
        assert (first["path"], first["distance"]) == ("2019/copy.jpg", 0)
    assert list((scanned.root / ".lumina/cache/vectors").iterdir())


def test_status_show_check_and_index_speak_of_what_is_there(
    scanned: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    at = f"--catalog {scanned.root}"
    code, out, _ = run(f"status {at}", capsys)
    assert code == 0
    assert "3 originals (3 image)" in out
    assert "1 exact duplicate in 1 group" in out
    code, out, _ = run(f"show {scanned.root}/2019/lake.jpg", capsys)
    assert "Canon EOS 80D" in out
    assert "confidence 95" in out
    assert json.loads(run(f"show {scanned.root}/2019/lake.jpg --json", capsys)[1])["kind"] == "sidecar"
    assert "EXIF:Model" in run(f"show {scanned.root}/2019/lake.jpg --all-tags", capsys)[1]
    assert run(f"check {at}", capsys)[0] == 0
    assert json.loads(run(f"index status --json {at}", capsys)[1])["originals"] == 3
    assert run(f"index verify --quiet {at}", capsys)[0] == 0
    assert run(f"index drop {at}", capsys)[0] == 0
    assert run(f"index status {at}", capsys)[0] == ExitCode.INDEX_UNAVAILABLE
    assert json.loads(run(f"index rebuild --quiet --json {at}", capsys)[1])["originals"] == 3


def test_check_names_line_and_column(scanned: Library, capsys: pytest.CaptureFixture[str]) -> None:
    scanned.curate("2019/lake.jpg", rating=7)
    code, out, _ = run(f"check --catalog {scanned.root}", capsys)
    assert code == ExitCode.CORRUPT
    assert "2019/lake.jpg.lumina.json:7:19: corrupt_sidecar: curation.rating: must be" in out


def test_what_is_done_to_sources_is_told_as_json_too(
    scanned: Library, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    card = tmp_path / "card"
    card.mkdir()
    at = f"--json --catalog {scanned.root}"
    actions = (f"add {card} --name card", "mark card", "set card --managed yes", "remove card")
    told = [json.loads(run(f"source {action} {at}", capsys)[1]) for action in actions]
    assert told[0]["name"] == "card"
    assert told[1:] == [{"marked": "card"}, {"changed": True}, {"removed": "card"}]


def test_a_source_document_of_before_keeps_what_nobody_acts_on_any_more(
    scanned: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    document = scanned.root / ".lumina/sources/main.json"
    document.write_text(document.read_text().replace('"managed": false,', '"managed":  false,\n  "auto_import": true,'))
    before = document.read_text()
    assert run(f"source set main --managed yes --catalog {scanned.root}", capsys)[0] == 0
    assert document.read_text() == before.replace("false", "true")
    assert run(f"check --catalog {scanned.root}", capsys)[0] == 0
    code, _, err = run(f"source set main --auto-import yes --catalog {scanned.root}", capsys)
    assert (code, err) == (
        ExitCode.USAGE, "lumina: nobody knows what --auto-import yes means here; see lumina source --help\n",
    )  # fmt: skip


def test_check_names_wrong_settings_and_goes_on(scanned: Library, capsys: pytest.CaptureFixture[str]) -> None:
    document = scanned.root / ".lumina/catalog.json"
    value = json.loads(document.read_bytes())
    value["settings"] = {"ignore": ["drafts/"], "workers": -1, "captions": "sometimes"}
    document.write_text(json.dumps(value, indent=2))
    scanned.sidecar("2019/lake.jpg").write_text("{")
    text = document.read_text().splitlines()
    places = {word: next(at for at, line in enumerate(text, 1) if word in line) for word in ("workers", "captions")}
    code, out, _ = run(f"check --catalog {scanned.root}", capsys)
    assert code == ExitCode.CORRUPT
    assert f".lumina/catalog.json:{places['workers']}:16: corrupt_document: settings.workers: must be greater" in out
    assert f".lumina/catalog.json:{places['captions']}:17: corrupt_document: settings.captions: must be" in out
    assert "2019/lake.jpg.lumina.json:1:2: corrupt_sidecar" in out
    assert "5 documents read: 3 cannot be used" in out
    code, _, err = run(f"scan {scanned.root}", capsys)
    assert code == ExitCode.USAGE
    assert (
        f"{document}: settings.workers: must be greater than or equal to 0 (line {places['workers']}, column 16)" in err
    )


def test_check_goes_on_after_documents_that_cannot_be_used(
    scanned: Library, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    card = tmp_path / "card"
    card.mkdir()
    run(f"source add {card} --catalog {scanned.root}", capsys)
    source = scanned.root / ".lumina/sources/card.json"
    source.write_text(source.read_text().replace('"card"', '"cord"'))
    scanned.sidecar("2019/lake.jpg").write_text("{")
    code, out, _ = run(f"check --catalog {scanned.root}", capsys)
    line = next(at for at, text in enumerate(source.read_text().splitlines(), 1) if '"cord"' in text)
    assert code == ExitCode.CORRUPT
    assert f".lumina/sources/card.json:{line}:11: corrupt_document: name: must be that of the file, card" in out
    assert "2019/lake.jpg.lumina.json:1:2: corrupt_sidecar" in out
    for broken in ('{"kind": "catalog",}', "", '{"settings": 7}', '{"kind": "catalog", "settings": {"workers": "x"}}'):
        (scanned.root / ".lumina/catalog.json").write_text(broken)
        code, out, _ = run(f"check --catalog {scanned.root}", capsys)
        assert code == ExitCode.CORRUPT
        assert ".lumina/catalog.json:1:" in out
        assert "2019/lake.jpg.lumina.json:1:2: corrupt_sidecar" in out, "the sidecars are checked all the same"
    assert scanned.root.joinpath(".lumina/catalog.json").read_text() == broken


def test_what_is_in_the_way_of_a_catalog_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".lumina").touch()
    code, _, err = run(f"scan {tmp_path}", capsys)
    assert (code, err) == (ExitCode.IO, f"lumina: {tmp_path}/.lumina: Not a directory\n")
    (tmp_path / ".lumina").unlink()
    (tmp_path / ".lumina/catalog.json").mkdir(parents=True)
    for command in ("scan", "init", "status --catalog", "search x --catalog"):
        code, _, err = run(f"{command} {tmp_path}", capsys)
        assert (code, err) == (ExitCode.IO, f"lumina: {tmp_path}/.lumina/catalog.json: not a regular file\n")
    code, out, _ = run(f"check --catalog {tmp_path}", capsys)
    assert (code, out.splitlines()[0]) == (
        ExitCode.CORRUPT, ".lumina/catalog.json: unreadable_document: not a regular file",
    )  # fmt: skip


def test_a_line_break_in_a_name_makes_no_line(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    photo = library.photo("a.jpg", 1)
    os.rename(photo, library.root / "two\nlines.jpg")
    (library.root / "two\nlines.jpg.lumina.json").write_text("{")
    run(f"scan {library.root}", capsys)
    _, out, _ = run(f"check --catalog {library.root}", capsys)
    assert out.splitlines()[0].startswith("two\\x0alines.jpg.lumina.json:1:2: corrupt_sidecar")
    assert len(out.splitlines()) == 2


def test_an_empty_audit_says_so(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    library.scan()
    code, out, err = run(f"audit --catalog {library.root}", capsys)
    assert (code, out, "nothing that fits" in err) == (0, "", True)


def test_a_variable_that_makes_no_sense_is_named(
    scanned: Library, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMINA_WORKERS", "many")
    code, _, err = run(f"scan {scanned.root}", capsys)
    assert (code, "LUMINA_WORKERS: must be a valid integer" in err) == (ExitCode.USAGE, True)
    code, _, err = run(f"check --catalog {scanned.root}", capsys)
    assert (code, "LUMINA_WORKERS: must be a valid integer" in err) == (0, True)


def test_thumbnails_are_made_once_kept_and_cleared(scanned: Library, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    line = f"cache thumbnail {scanned.root}/2019/lake.jpg --size 150 --catalog {scanned.root}"
    code, out, _ = run(line, capsys)
    assert code == 0
    made = Path(out.strip())
    with Image.open(made) as image:
        assert max(image.size) <= 150
    before = made.stat().st_mtime_ns
    assert Path(run(line, capsys)[1].strip()).stat().st_mtime_ns == before
    scanned.photo("2019/lake.jpg", 9)
    scanned.scan()
    assert run(line, capsys)[1].strip() != str(made)  # the original changed
    assert json.loads(run(f"cache size --json --catalog {scanned.root}", capsys)[1])["files"] >= 2
    assert run(f"cache clear --catalog {scanned.root}", capsys)[0] == 0
    assert not made.exists()
    assert run(f"scan {scanned.root} --quiet", capsys)[0] == 0


def test_catalogs_lists_those_that_were_used(scanned: Library, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [json.loads(line) for line in run("catalogs --json", capsys)[1].splitlines()]
    assert str(scanned.root) in {row["path"] for row in rows}
    code, out, _ = run(f"search --count --catalog {rows[-1]['id']}", capsys)
    assert (code, out) == (0, "3\n")


def test_a_catalog_that_came_from_elsewhere_is_known_after_a_scan(
    library: Library, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library.photo("a.jpg", 1)
    assert run(f"scan --quiet {shlex.quote(str(library.root))}", capsys)[0] == ExitCode.DONE
    monkeypatch.setenv("LUMINA_HOME", str(tmp_path / "another person's"))
    assert str(library.root) not in run("catalogs", capsys)[1]
    assert run(f"scan --quiet {shlex.quote(str(library.root))}", capsys)[0] == ExitCode.DONE
    assert str(library.root) in run("catalogs", capsys)[1]
    monkeypatch.chdir(tmp_path)
    assert "a.jpg" in run("search", capsys)[1]


def test_doctor_says_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("doctor --json", capsys)
    found: dict[str, Any] = {row["what"]: row for row in map(json.loads, out.splitlines())}
    assert code == 0
    assert found["exiftool"]["state"] == "ok"
    assert "embedded, 18" in found["postgres"]["detail"]


def test_doctor_says_what_to_do_about_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    code, out, _ = run("doctor --json", capsys)
    found = {row["what"]: row for row in map(json.loads, out.splitlines())}
    assert code == ExitCode.FAILED
    assert found["exiftool"]["state"] == "missing"
    assert "apt-get install" in found["exiftool"]["detail"]


def test_no_catalog_is_an_error_with_the_next_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMINA_HOME", str(tmp_path / "home"))
    code, _, err = run(f"search x --catalog {tmp_path}", capsys)
    assert code == ExitCode.USAGE
    assert "lumina scan DIR" in err


def test_names_cannot_act_on_the_terminal(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    photo = library.photo("a.jpg", 1)
    os.rename(photo, library.root / "\x1b]0;owned\x07\u202e[red]\nline.jpg")
    (library.root / "\x1b[2Jbroken.jpg").write_bytes(b"nothing")
    said = "".join(run(f"scan {library.root}", capsys)[1:]) + "".join(
        run(f"check --catalog {library.root}", capsys)[1:]
    )
    said += "".join(run(f"search --catalog {library.root}", capsys)[1:])
    assert "\\x1b" in said
    assert not {"\x1b", "\x07", "\u202e"} & set(said)


def test_a_reader_that_goes_away_is_no_error(scanned: Library) -> None:
    line = f"{sys.executable} -m lumina_fs search --json --catalog {shlex.quote(str(scanned.root))} | head -c 5"
    done = subprocess.run(line, shell=True, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_ctrl_c_in_the_midst_of_a_line_of_progress_is_heard(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Interrupted(io.RawIOBase):
        """A terminal where somebody presses Ctrl-C while it is written to."""

        def writable(self) -> bool:
            return True

        def write(self, data: Buffer) -> int:
            signal.raise_signal(signal.SIGINT)
            return memoryview(data).nbytes

    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BufferedWriter(Interrupted()), line_buffering=True))
    with interruptible() as cancel:
        sys.stderr.write("scanning: 1 of 400\n")
    assert cancel.is_set()
    assert "stopping; what is written is valid" in capfd.readouterr().err


def test_ctrl_c_stops_cleanly(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMINA_WORKERS", "1")  # so that it lasts long enough on any machine
    for number in range(400):
        library.photo(f"{number}.jpg", number)
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "lumina_fs", "scan", str(library.root)], cwd=REPOSITORY,
        stdin=slave, stdout=subprocess.PIPE, stderr=slave, start_new_session=True,
        preexec_fn=lambda: __import__("fcntl").ioctl(slave, __import__("termios").TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(slave)
    said = b""
    while b"scanning" not in said:
        said += os.read(master, 4096)
    os.write(master, b"\x03")  # as the terminal does: to the whole group, workers and server included
    process.communicate(timeout=60)
    said += os.read(master, 65536)
    os.close(master)
    assert process.returncode == ExitCode.INTERRUPTED, said.decode()
    assert b"stopping; what is written is valid" in said
    assert 0 < len(list(library.root.glob("*.lumina.json"))) < 400
    assert library.scan().found == 400


@pytest.mark.parametrize("module", ["lumina_fs", "tui.entry"])
def test_names_are_utf8_whatever_the_locale_says(scanned: Library, module: str) -> None:
    scanned.photo("2021/h\u00e9ron.jpg", 3)
    odd = {**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONPATH": str(REPOSITORY)}
    for words in (["scan", "--quiet"], ["show", "2021/h\u00e9ron.jpg"], ["check"]):
        command = [sys.executable, "-m", module, *words]
        ended = subprocess.run(command, cwd=scanned.root, env=odd, capture_output=True, text=True, encoding="utf-8")
        assert (ended.returncode, ended.stderr) == (0, ""), ended
    assert (scanned.root / "2021/h\u00e9ron.jpg.lumina.json").exists()
    assert scanned.value("2021/h\u00e9ron.jpg")["original"]["name"] == "h\u00e9ron.jpg"
    narrow = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", module, "show", "2021/h\u00e9ron.jpg"]
    ended = subprocess.run(command, cwd=scanned.root, env=narrow, capture_output=True, text=True)
    assert "h\\xe9ron.jpg" in ended.stdout


def test_a_catalog_whose_source_is_gone_says_so(scanned: Library, capsys: pytest.CaptureFixture[str]) -> None:
    (scanned.root / ".lumina/sources/main.json").unlink()
    code, out, err = run(f"scan {scanned.root}", capsys)
    assert (code, out.split(" in ")[0]) == (0, "0 originals")
    assert "no source" in err
    assert "()" not in run(f"status --catalog {scanned.root}", capsys)[1]


def test_restoring_from_an_empty_trash_is_json_too(scanned: Library, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(f"trash restore --json --catalog {scanned.root}", capsys)
    assert (code, json.loads(out)) == (0, {"plan": None, "counts": {}})
