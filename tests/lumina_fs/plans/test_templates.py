"""Templates: what they render, what they refuse with its column, and that no value gets out of its place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumina_fs.plans.strategies import NAMED, strategy_of
from lumina_fs.plans.targets import folder_path_refusal, name_refusal, refusal, safe_value
from lumina_fs.plans.templates import FIELDS, FolderTemplate, NameTemplate, TemplateError
from tests.lumina_fs.plans.made import row


@pytest.mark.parametrize(
    ("template", "folder"),
    [
        ("YYYY/MM", "2019/07"),
        ("YYYY-MM", "2019-07"),
        ("YYYY/MM-DD", "2019/07-14"),
        ("YYYY-MM-DD", "2019-07-14"),
        ("YYYYMMDD", "20190714"),
        ("Fotos YYYY/MM_DD HHmm", "Fotos 2019/07_14 1231"),
        ("{year}/{date}", "2019/2019-07-14"),
        ("{camera}/YYYY", "Canon EOS 80D/2019"),
        ("{media}/{format}/{extension}", "image/JPEG/jpg"),
        ("{source}/{evidence}", "main/exif"),
        ("{tag}", "anna"),
        ("{Tag:Events}/{Category}", "Wedding/People"),
        ("Summer/YYYY", "Summer/2019"),
        ("{{x}}/YYYY", "{x}/2019"),
        ("", ""),
        ("YYYY/", "2019"),
        ("{time}", "12-31-05"),
    ],
)
def test_a_template_gives_the_folder(template: str, folder: str) -> None:
    tags = (("people", "anna"), ("events", "wedding"))
    assert FolderTemplate(template).render(row(tags=tags)) == folder


@pytest.mark.parametrize(
    ("taken", "template", "folder"),
    [
        ("2019", "YYYY/MM", "2019"),
        ("2019-07", "YYYY-MM-DD", "2019-07"),
        ("2019", "YYYY/MM-DD", "2019"),
        ("2019-07", "YYYY/MM-DD", "2019/07"),
        ("2019", "{date}", "2019"),
        (None, "YYYY/MM", None),
        (None, "x/YYYY", None),
        ("2019-07-14", "{hour}/YYYY", None),
        ("2019", "{camera}/YYYY-MM", "Canon EOS 80D/2019"),
    ],
)
def test_a_date_that_is_known_in_part_ends_the_path_where_it_ends(
    taken: str | None, template: str, folder: str | None
) -> None:
    assert FolderTemplate(template).render(row(taken=taken)) == folder


@pytest.mark.parametrize(
    ("text", "reason", "column"),
    [
        ("YYYY/{kamera}", r"no field \{kamera\}: did you mean \{camera\}", 6),
        ("{x", "without its partner", 1),
        ("YYYY}", "without its partner", 5),
        ("YYYY/../x", "dot", 6),
        ("/YYYY", "empty", 1),
        ("YYYY//MM", "empty", 6),
        ("a/.hidden", "dot", 3),
        ("YYYY/@eaDir", "scans leave out", 6),
        ("NUL/YYYY", "Windows", 1),
        ("a\\b", r"cannot hold", 2),
        ("YYYY/{name}", "only stand in a file name", 6),
        ("{counter}", "only stand in a file name", 1),
        ("YYYY/{checksum:0}", "number from 1 to 64", 6),
        ("{camera:2}", "nothing behind a colon", 1),
        ("{}", "no field", 1),
        ("YYYY/.lumina/x", "dot", 6),
        ("YYYY/\x1bx", "invisible", 6),
    ],
)
def test_a_template_that_makes_no_sense_is_refused_with_its_column(text: str, reason: str, column: int) -> None:
    with pytest.raises(TemplateError, match=reason) as caught:
        FolderTemplate(text)
    assert caught.value.column == column


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a/b", "no folders"),
        ("", "empty"),
        ("{name}{counter}", "only one"),
        (".x", "hidden"),
        ("{counter:99}", "1 to 12"),
    ],
)
def test_a_file_name_that_makes_no_sense_is_refused(text: str, reason: str) -> None:
    with pytest.raises(TemplateError, match=reason):
        NameTemplate(text)


def test_a_name_knows_what_it_named_already() -> None:
    named = NameTemplate("{date}_{name}").render(row())
    assert named is not None
    assert named.with_name("IMG_1") == "2019-07-14_IMG_1"
    assert named.fits("2019-07-14_IMG_1")
    assert not named.fits("2019-07-15_IMG_1")
    assert not named.fits("2019-07-14_")
    counted = NameTemplate("{date} {counter:3}").render(row())
    assert counted is not None
    assert counted.with_number(7) == "2019-07-14 007"
    assert counted.fits("2019-07-14 1234")
    assert not counted.fits("2019-07-14 x07")
    fixed = NameTemplate("{hour}{minute}{second}{millisecond}_{checksum:4}").render(
        row(sha256="abcdef", taken="2019-07-14T12:31:05.5")
    )
    assert fixed is not None
    assert fixed.before == "123105500_abcd"
    assert fixed.fits("123105500_abcd-2")
    assert NameTemplate("{time}").render(row(taken="2019-07-14")) is None


HOSTILE = [
    "../../etc",
    "a/b",
    "..",
    ".",
    "/",
    "\\",
    "x\0y",
    "a\nb",
    "\x1b[2J",
    "\u202egpj.exe",
    ".hidden",
    "CON",
    "nul.txt",
    " . ",
    "x" * 5000,
    "é" * 300,
    "C:",
    "@eaDir",
    "lost+found",
    "🎈" * 200,
    "\ud800",
    "a.",
    "-",
    "'; DROP TABLE x",
    "bytes:%2F",
]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value)[:20])
@pytest.mark.parametrize(
    "template", ["{camera}/YYYY", "YYYY/{camera}", "YYYY/{tag}", "x-{camera}", "{category}/{camera}y"]
)
def test_a_hostile_value_is_never_more_than_a_part_of_one_name(value: str, template: str) -> None:
    folder = FolderTemplate(template).render(row(camera=value, tags=((value, value),)))
    if folder is not None:
        assert folder.count("/") == template.count("/")
        assert folder_path_refusal(folder) is None
        assert folder.isprintable()


@given(st.text())
def test_any_text_becomes_a_safe_name_or_none_and_stays_so(text: str) -> None:
    safe = safe_value(text)
    assert safe == "" or (folder_path_refusal(safe) is None and "/" not in safe and not safe.startswith("."))
    assert safe_value(safe) == safe
    assert len(safe.encode()) <= 110


@given(st.text(alphabet="YMDHms{}/:.-_ abtcamernu\\é\0", max_size=14))
def test_any_template_is_refused_or_gives_folders_that_may_be(text: str) -> None:
    try:
        folder = FolderTemplate(text).render(row())
    except TemplateError as error:
        place = error.column
    else:
        place = 1
        assert folder is None or folder_path_refusal(folder) is None
    assert 1 <= place <= len(text) + 1


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../x.jpg", r"'\.\.'"),
        ("/x.jpg", "not relative"),
        ("a//x.jpg", "empty"),
        ("C:/x.jpg", "not relative"),
        ("a/\0.jpg", "NUL"),
        (".lumina/x.jpg", "leave out"),
        ("a/aux.jpg", "Windows"),
        ("é" * 128 + ".jpg", "255 bytes"),
        ("a/IMG.jpg.lumina.json", "name of a sidecar"),
        ("a/._IMG.jpg", "leave out"),
        ("x/" * 2000 + "y.jpg", "4,000"),
        ("a/..", "empty part"),
        ("", "empty part"),
        ("a/.Trash-0/x.jpg", "leave out"),
        ("\\x.jpg", None),
        ("a/b.jpg", None),
    ],
)
def test_where_nothing_may_go_is_known(path: str, reason: str | None) -> None:
    import re

    found: Any = refusal(path)
    assert found is None if reason is None else re.search(reason, found)


def test_every_named_strategy_and_every_field_can_be_used() -> None:
    for name in NAMED:
        strategy = strategy_of(name, layout="YYYY/MM")
        assert strategy.place(row(), 0) is not None, name
    for name in FIELDS:
        assert NameTemplate(f"x{{{name}}}").render(row(tags=(("a", "b"),))) is not None, name
    assert name_refusal("x") is None
