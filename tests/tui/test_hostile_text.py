"""300 hostile names and values through every screen on a real pty: only the program's own control bytes come out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from textual_image.renderable.tgp import _NUMBER_TO_DIACRITIC as DIACRITICS

from lumina_fs.terminal import visible
from tests.conftest import Library
from tests.tui.hostile import MARKUP, PAYLOADS, names, values
from tests.tui.pty_terminal import REPOSITORY, Pty, lumina_on_pty
from tests.tui.sixel import SLICE

_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[P_^X][^\x1b]*\x1b\\|[ -/]*[0-~])")
#: Pictures, of which nothing is foreign but what is base64 or Sixel.
_PICTURES = {
    b"a question for kitty": re.compile(rb"\x1b_Gi=\d+,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"),
    b"a picture for kitty": re.compile(rb"\x1b_G(?:a=T,U=1,f=100,i=\d+,c=\d+,r=\d+,)?q=2,m=[01];[A-Za-z0-9+/=]+\x1b\\"),
    b"a picture taken back": re.compile(rb"\x1b_Ga=d,d=I,i=\d+,q=2\x1b\\"),
    b"a picture by sixel": re.compile(SLICE.pattern.encode()),
}
#: A place for a part of a picture: a character that stands for it, with its row and its column.
_PLACE = re.compile("\U0010eeee[" + "".join(map(chr, DIACRITICS)) + "]{2}")
_PAGE_DOWN, _ENTER, _ESCAPE, _END = "\x1b[6~", "\r", "\x1b", "\x1b[F"


def lumina(*words: str) -> subprocess.CompletedProcess[bytes]:
    """A command."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "tui", *words], cwd=REPOSITORY, capture_output=True, check=False, timeout=120,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip


def tour(terminal: Pty, photos: int) -> None:
    """Every room, its lists to the end, and what opens from them."""
    terminal.until("2 Photos]")
    terminal.rest()
    for key in ("v", "i", *[_PAGE_DOWN] * (photos // 25 + 1), "v", *[_PAGE_DOWN] * 12, "f", _PAGE_DOWN, _ESCAPE):
        terminal.press(key)
        terminal.rest()
    for key in ("g", _ENTER, _PAGE_DOWN, "\x1b[C", "\x1b[C", _ESCAPE, _ESCAPE):
        terminal.press(key)
        terminal.rest()
    for room in "1345672":
        terminal.press(room)
        terminal.rest(0.6)
        for key in ("\x1b[B", _ENTER, _PAGE_DOWN, _PAGE_DOWN, _END, "\t", "?", _PAGE_DOWN, _ESCAPE, _ESCAPE):
            terminal.press(key)
            terminal.rest(0.6 if key == _ESCAPE else 0.3)  # with what comes at once after it, it is another key
        if "Cancel" in terminal.shown or "No (n)" in terminal.shown:
            terminal.press(_ESCAPE)
            terminal.rest()


def prepared(library: Library, names: list[str], values: list[bytes]) -> None:
    """A scanned library with these names and values, groups of duplicates, and two plans."""
    for number, (name, value) in enumerate(zip(names, values, strict=True)):
        library.photo(f"new/{name}", number, Model=value, ImageDescription=value, Artist=value)  # type: ignore[arg-type]
        if number % 10 == 0:
            library.photo(f"copies/{name}", number, Model=value)  # type: ignore[arg-type]
    library.scan()
    for number, name in enumerate(names[:60]):
        text = PAYLOADS[number % len(PAYLOADS)]
        try:
            library.curate(
                f"new/{name}", caption=f"caption {text}", tags=[f"tags/{MARKUP[number % len(MARKUP)]}{number}"]
            )
        except OSError:
            continue  # its sidecar has another name, because this one is too long
    library.scan()
    at = ("--catalog", str(library.root))
    assert lumina("source", "set", "main", "--managed", "yes", *at).returncode == 0
    assert lumina("duplicates", "find", *at).returncode in (0, 3)
    for _ in range(2):
        assert lumina("plan", "propose", "YYYY", *at).returncode in (0, 3)


def kinds(data: bytes) -> set[bytes]:
    """What sorts of control sequences there are: numbers do not count, but in what is told to the terminal itself."""
    found = set()
    for match in _SEQUENCE.finditer(data):
        sequence = match.group()
        kind = next((name for name, form in _PICTURES.items() if form.fullmatch(sequence)), None)
        if kind is None:
            kind = sequence if sequence[1:2] in b"]P_^X" else re.sub(rb"[0-9;:]+", b"#", sequence)
        found.add(kind)
    return found


def assert_only_own_control_bytes(written: bytes, harmless: bytes) -> None:
    """No sequence and no control byte that a run over harmless names would not write."""
    strange = kinds(written) - kinds(harmless)
    assert not strange, strange
    text = _SEQUENCE.sub(b"", written).decode("utf-8")  # strictly: no byte that is no text
    text = _PLACE.sub("", text)
    for line in re.split(r"[\n\r]+", text):
        assert visible(line) == line, visible(line)


@pytest.fixture
def own(tmp_path: Path) -> dict[str, str]:
    return {"LUMINA_HOME": str(tmp_path / "own home")}


@pytest.mark.slow
def test_nothing_foreign_acts_on_the_terminal(library: Library, own: dict[str, str]) -> None:
    harmless = Library(library.root.parent / "harmless")
    prepared(harmless, [f"{number:03}.jpg" for number in range(30)], [b"Maker"] * 30)
    prepared(library, names(150), values(150))
    catalog = library.root / ".lumina" / "catalog.json"
    catalog.write_text(
        json.dumps({**json.loads(catalog.read_text()), "name": "my \x1b]0;owned\x07[bold]\u202e photos"})
    )
    with lumina_on_pty("ui", "--catalog", str(harmless.root), "--pictures", "blocks", environment=own) as usual:
        tour(usual, 30)
    with lumina_on_pty("ui", "--catalog", str(library.root), "--pictures", "blocks", environment=own) as terminal:
        tour(terminal, 150)
    assert_only_own_control_bytes(bytes(terminal.written), bytes(usual.written))
    shown = bytes(terminal.written)
    assert shown.count(rb"\x1b") > 10  # as text: they were on the screen
    assert any(f"{markup}tail".encode() in shown for markup in MARKUP)
    assert b"?1049l" in shown[-2000:]  # it was there to the end
    assert b"Traceback" not in shown


@pytest.mark.slow
@pytest.mark.parametrize(("way", "sign"), [("kitty", b"\x1b_Ga=T,U=1"), ("sixel", b"\x1bP0;1;0q")])
def test_nothing_foreign_acts_beside_pictures_of_the_terminals_own(
    library: Library, own: dict[str, str], way: str, sign: bytes
) -> None:
    written = []
    for photos in (Library(library.root.parent / "harmless"), library):
        hostile = photos is library
        called, said = (names(150), values(150)) if hostile else ([f"{at:03}.jpg" for at in range(30)], [b"M"] * 30)
        for number, (name, value) in enumerate(zip(called, said, strict=True)):
            photos.photo(name, number, Model=value, ImageDescription=value)  # type: ignore[arg-type]
        photos.scan()
        words = ("ui", "--catalog", str(photos.root), "--pictures", way)
        with lumina_on_pty(*words, environment={**own, "TMUX": ""}) as terminal:
            terminal.until("2 Photos]")
            terminal.until_written(sign, 1)
            for key in (*[_PAGE_DOWN] * (12 if hostile else 2), "?", _ESCAPE, "+", "+", _ENTER, _ENTER, _ESCAPE):
                terminal.press(key)
                terminal.rest(0.4)
        written.append(bytes(terminal.written))
    harmless, shown = written
    assert_only_own_control_bytes(shown, harmless)
    assert shown.count(rb"\x1b") > 10
    assert any(markup.encode() in shown for markup in MARKUP)
    if way == "kitty":
        last = shown.rindex(b"\x1b_Ga=d,d=I")
        assert last < shown.rindex(b"\x1b[?1049l")  # in the screen in which pictures were
        assert set(re.findall(rb"a=T,[^;]*i=(\d+)", shown)) == set(re.findall(rb"a=d,d=I,i=(\d+)", shown))


@pytest.mark.slow
def test_nothing_foreign_acts_through_the_tables_of_the_commands(library: Library) -> None:
    prepared(library, names(150), values(150))
    at = ("--catalog", str(library.root))
    plan = json.loads(lumina("plan", "list", "--json", *at).stdout.splitlines()[0])["plan"]
    commands = [
        ("search", "--limit", "500", ""), ("status",), ("check",), ("duplicates", "list"), ("plan", "list"),
        ("plan", "show", plan), ("tags", "list"), ("source", "list"), ("jobs", "list"), ("audit",), ("trash", "list"),
        ("catalogs",), ("show", str(library.root / "new" / names(150)[40])),
    ]  # fmt: skip
    for words in commands:
        done = lumina(*words, *(at if words[0] != "catalogs" else ()))
        for line in (done.stdout + done.stderr).decode("utf-8").split("\n"):
            assert visible(line) == line, (words, visible(line))
