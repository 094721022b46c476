"""What counts as a date in a name, and what only looks like one."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumina_fs.filename_dates import NamedDate, date_in_folders, date_in_name
from schemas.partial_date import split_date

NAMES = st.text(max_size=255) | st.text(alphabet="0129 _-.:TZPMapm/()", max_size=255)
PATHS = st.lists(NAMES | st.sampled_from(["2019", "07", "14", "August", "2019-07", "2012-07-14 Hochzeit"])).map(
    "/".join
)


def local(name: str) -> str | None:
    found = date_in_name(name)
    return found.local if found else None


def folder(path: str) -> str | None:
    found = date_in_folders(path)
    return found.local if found else None


def test_every_known_name_and_folder_is_read_right(photos: Path) -> None:
    truth = json.loads((photos / "dates" / "expected.json").read_bytes())
    assert len(truth) > 40
    wrong = []
    for one in truth:
        name = one["file"].rpartition("/")[2]
        if "date_in_name" in one:
            wanted, found = one["date_in_name"], local(name)
            wanted = wanted.replace(" ", "T") if wanted else wanted
        else:
            wanted, found = one["date_in_folder"], folder(one["file"])
        if found != wanted and (name, found) != ("20231006_256000.jpg", "2023-10-06"):
            wrong.append((one["file"], wanted, found))
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("VID_20190714_123105.mp4", "2019-07-14T12:31:05"),
        ("IMG20190714123105.jpg", "2019-07-14T12:31:05"),
        ("IMG-20190714-WA0007.jpg", "2019-07-14"),
        ("2019-07-14-beach.jpg", "2019-07-14"),
        ("2019_07_14 Hochzeit.jpg", "2019-07-14"),
        ("14.07.2019.jpg", "2019-07-14"),
        ("3.7.2019 Oma.jpg", "2019-07-03"),
        ("14.07.2019 12.31.05.jpg", "2019-07-14T12:31:05"),
        ("Photo 14-07-2019, 12 31 05.jpg", "2019-07-14T12:31:05"),
        ("Capture d’écran 2019-07-14 à 12.31.05.png", "2019-07-14T12:31:05"),
        ("Screenshot 2019-07-14 at 12.31.05 AM.png", "2019-07-14T00:31:05"),
        ("Screenshot 2019-07-14 at 12.31.05\u202fPM (2).png", "2019-07-14T12:31:05"),
        ("C360_2014-07-14-12-31-05-123.jpg", "2014-07-14T12:31:05.123"),
        ("2019-07-14T12-31-05-123456.jpg", "2019-07-14T12:31:05"),
        ("2019.07.14", "2019-07-14"),
        ("18500101.tif", "1850-01-01"),
    ],
)
def test_names_that_nobody_listed_are_read(name: str, wanted: str) -> None:
    assert local(name) == wanted


@pytest.mark.parametrize(
    "name",
    [
        "5551234567-20.jpg", "+49 170 20190714123.jpg", "0049170123456.jpg", "2048x1536.jpg", "IMG_2019.jpg",
        "DSC02019.jpg", "2019.jpg", "2019-07.jpg", "18491231.jpg", "21010101.jpg", "2019-13-01.jpg", "2019-0714.jpg",
        "05-07-2019.jpg", "201907141.jpg", "received_201907141231051.jpg", "1234567890123456.jpg", "2696573800000.jpg",
        "x1696573800000y.jpg", "cafe20190714beef20190714cafe.jpg", "20190714-8b86-d011-b42d-00c04fc964ff.jpg",
        "٢٠١٩٠٧١٤.jpg", "", ".", ".jpg", "20199914.20199914",
    ],
)  # fmt: skip
def test_a_number_that_is_no_day_is_no_date(name: str) -> None:
    assert date_in_name(name) is None


def test_a_phone_number_is_no_date() -> None:
    assert date_in_name("5551234567-20.jpg") is None


def test_a_date_with_an_impossible_time_keeps_its_day() -> None:
    assert date_in_name("20231006_256000.jpg") == NamedDate("2023-10-06", None, "20231006")


def test_the_german_word_am_is_no_clock_of_twelve_hours() -> None:
    assert local("2015-02-04 12.34.56 am Strand.jpg") == "2015-02-04T12:34:56"
    assert local("2015-02-04 12.34.56 am.jpg") == "2015-02-04T00:34:56"


def test_names_that_are_known_to_be_utc_say_so() -> None:
    pixel = NamedDate("2023-10-06T06:30:00.139", "+00:00", "20231006_063000139")
    assert date_in_name("PXL_20231006_063000139.jpg") == pixel
    assert date_in_name("2023-10-06T06-30-00Z.jpg") == ("2023-10-06T06:30:00", "+00:00", "2023-10-06T06-30-00Z")
    assert date_in_name("FB_IMG_1696573800000.jpg") == ("2023-10-06T06:30:00", "+00:00", "1696573800000")
    assert date_in_name("1696573800250(1).jpg") == ("2023-10-06T06:30:00.250", "+00:00", "1696573800250")


def test_all_other_names_are_in_the_time_of_the_place() -> None:
    for name in ("IMG_20231006_063000.jpg", "20231006_063000Zoo.jpg", "IMG-20231006-WA0001.jpg", "14.07.2019.jpg"):
        found = date_in_name(name)
        assert found is not None
        assert found.offset is None


def test_the_matched_text_is_kept() -> None:
    assert date_in_name("Oma 14.07.2019 (2).jpg") == NamedDate("2019-07-14", None, "14.07.2019")
    assert date_in_name("x_20190714_123105_HDR.jpg") == NamedDate("2019-07-14T12:31:05", None, "20190714_123105")


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("2012/2012-07/2012-07-14 Hochzeit/x.jpg", "2012-07-14"),
        ("Photos/1998/August/x.jpg", "1998-08"),
        ("2005-00-00/x.jpg", "2005"),
        ("2012-07-00/x.jpg", "2012-07"),
        ("2019/07/14/x.jpg", "2019-07-14"),
        ("2019/07/x.jpg", "2019-07"),
        ("2019/7/4/x.jpg", "2019-07-04"),
        ("2019_07_14/x.jpg", "2019-07-14"),
        ("20190714/x.jpg", "2019-07-14"),
        ("14.07.2019 Oma/x.jpg", "2019-07-14"),
        ("Hochzeit 2012-07-14/raw/x.jpg", "2012-07-14"),
        ("2019-07 Italy/x.jpg", "2019-07"),
        ("2019-07/14/x.jpg", "2019-07-14"),
        ("201907__/x.jpg", "2019-07"),
        ("1999/x.jpg", "1999"),
        ("2019 Italy/x.jpg", "2019"),
        ("2019-Italy/x.jpg", "2019"),
        ("2019_Italy/x.jpg", "2019"),
        ("2019 Italy/Rome/x.jpg", "2019"),
        ("2019/Mär/x.jpg", "2019-03"),
        ("2019/Ma\u0308rz/x.jpg", "2019-03"),
        ("2019/08 Aug/x.jpg", "2019-08"),
        ("2019/Dezember Wien/x.jpg", "2019-12"),
        ("2019 October/x.jpg", "2019-10"),
        ("2019/02/30/x.jpg", "2019-02"),
        ("2019-13 x/x.jpg", "2019"),
    ],
)
def test_folders_say_a_year_a_month_or_a_day(path: str, wanted: str) -> None:
    assert folder(path) == wanted


@pytest.mark.parametrize("month", "January Januar Jan Mai May Okt Oct oktober DEC Dez märz Mar".split())
def test_months_are_known_in_english_and_german(month: str) -> None:
    numbers = {"j": "01", "m": "05" if month in ("Mai", "May") else "03", "o": "10", "d": "12"}
    assert folder(f"2019/{month}/x.jpg") == f"2019-{numbers[month[0].lower()]}"


@pytest.mark.parametrize(
    "path",
    [
        "x.jpg", "2019-07-14.jpg", "", "/", "IMG1999/x.jpg", "100CANON/x.jpg", "DCIM/101_0714/x.jpg", "07/x.jpg",
        "07/14/x.jpg", "August/x.jpg", "1999x/x.jpg", "1999é/x.jpg", "1849/x.jpg", "2101/x.jpg", "1920x1080/x.jpg",
        "1990-1999/x.jpg", "1990 - 1999 Oma/x.jpg", "20190714123/x.jpg", "Best of 2019/x.jpg", "٢٠١٩/x.jpg",
    ],
)  # fmt: skip
def test_other_folders_say_nothing(path: str) -> None:
    assert date_in_folders(path) is None


def test_a_number_is_a_month_only_directly_below_a_year() -> None:
    assert folder("2019/Italy/07/x.jpg") == "2019"
    assert folder("2019 Italy/07/x.jpg") == "2019"
    assert folder("2019/13/x.jpg") == "2019"
    assert folder("2019/7 Zwerge/x.jpg") == "2019"


def test_a_name_of_a_person_or_place_is_no_month() -> None:
    assert folder("2019/Jan und Anna/x.jpg") == "2019"
    assert folder("2019 Mar del Plata/x.jpg") == "2019"


def test_the_innermost_folder_with_a_day_wins() -> None:
    assert folder("2012-07-14 Hochzeit/2012-07-15 Brunch/x.jpg") == "2012-07-15"
    assert folder("2012-07-14 Hochzeit/Best/x.jpg") == "2012-07-14"


def test_a_folder_around_refines_what_it_does_not_contradict() -> None:
    assert folder("2012-07-14 Hochzeit/2012/x.jpg") == "2012-07-14"
    assert folder("2012-07-14 Hochzeit/2012-07 Fotos/x.jpg") == "2012-07-14"
    assert folder("2015-03-01 Backup/1998/August/x.jpg") == "1998-08"


def test_the_text_of_the_folders_is_kept() -> None:
    assert date_in_folders("a/2019/07/14/b/x.jpg") == NamedDate("2019-07-14", None, "2019/07/14")
    assert date_in_folders("Photos/1998/August/x.jpg") == NamedDate("1998-08", None, "1998/August")
    assert date_in_folders("2012-07-14 Hochzeit/x.jpg") == NamedDate("2012-07-14", None, "2012-07-14")


@given(NAMES)
def test_any_name_gives_a_whole_day_of_the_calendar_or_nothing(name: str) -> None:
    found = date_in_name(name)
    assert found == date_in_name(name)
    if found is not None:
        assert len(found.local) >= 10
        assert 1850 <= int(found.local[:4]) <= 2100
        assert split_date(found.local)[0] == found.local
        assert found.raw


@given(PATHS)
def test_any_path_gives_a_date_of_the_calendar_or_nothing(path: str) -> None:
    found = date_in_folders(path)
    assert found == date_in_folders(path)
    if found is not None:
        assert len(found.local) in (4, 7, 10)
        assert split_date(found.local)[0] == found.local
        assert found.offset is None


@given(st.datetimes(), st.sampled_from(["%Y%m%d_%H%M%S", "%Y-%m-%d %H.%M.%S", "%Y-%m-%dT%H-%M-%S", "%Y%m%d%H%M%S"]))
def test_a_moment_that_was_written_is_read_again(moment: datetime, form: str) -> None:
    wanted = moment.isoformat()[:19] if 1850 <= moment.year <= 2100 else None
    year = f"{moment.year:04}"  # strftime does not pad
    assert local("IMG_" + moment.strftime(form.replace("%Y", year)) + ".jpg") == wanted


@pytest.mark.parametrize(
    "part", ["2019", "20190714", "2019-07-14 ", "20190714_1231", "1.", "12-", " AM", "1696573800000"]
)
def test_a_long_name_takes_no_longer_than_its_length(part: str) -> None:
    long = (part * 255)[:255]
    begin = time.process_time()
    for _ in range(20):
        date_in_name(long)
        date_in_folders(f"{long}/x")
    assert time.process_time() - begin < 5  # a pattern that goes back and forth would take hours
