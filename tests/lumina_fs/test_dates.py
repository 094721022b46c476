"""Which dates are found in metadata, name, folders and file system, and which of them is selected."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumina_fs.dates import Dates, parse, select
from schemas.partial_date import split_date
from schemas.sidecar import DateCandidate, Taken, taken_of

NOW = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
MTIME = 1_700_000_000_123_456_789
DAY = "2019:07:14 12:31:05"
ISO = "2019-07-14T12:31:05"

KEYS = [
    "EXIF:DateTimeOriginal", "EXIF:SubSecTimeOriginal", "EXIF:OffsetTimeOriginal", "EXIF:CreateDate",
    "EXIF:SubSecTimeDigitized", "EXIF:OffsetTimeDigitized", "EXIF:ModifyDate", "EXIF:OffsetTime", "EXIF:SubSecTime",
    "XMP:DateTimeOriginal", "XMP:DateCreated", "XMP:CreateDate", "XMP:ModifyDate", "IPTC:DateCreated",
    "IPTC:TimeCreated", "MakerNotes:DateTimeOriginal", "QuickTime:CreateDate", "QuickTime:MediaCreateDate",
    "QuickTime:CreationDate", "QuickTime:ContentCreateDate", "RIFF:DateTimeOriginal", "PNG:CreationTime",
    "APP12:DateTimeOriginal", "Composite:SubSecDateTimeOriginal",
]  # fmt: skip
VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary(max_size=8) | st.text(max_size=40)
    | st.text(alphabet="0129:-+.TZ ", max_size=40) | st.lists(st.integers(), max_size=3) | st.just(10**5000)
    | st.sampled_from([DAY, "0001:01:01 00:00:00", "9999:12:31 23:59:59.999999999Z", "+02:00", "123", "2019", "٢٠١٩"])
)  # fmt: skip
TAGS = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=20), VALUES)
PATHS = st.text(max_size=60) | st.text(alphabet="/0129- _.jpg\udce4", max_size=60)


def dates(path: str = "x.jpg", **tags: Any) -> Dates:
    """Select among tags; `EXIF_CreateDate` stands for "EXIF:CreateDate"."""
    named = {key.replace("_", ":", 1): value for key, value in tags.items()}
    return select(named, path=path, mtime_ns=MTIME, now=NOW, media="image")


def best(path: str = "x.jpg", **tags: Any) -> dict[str, Any]:
    taken = dates(path, **tags).taken
    assert taken is not None
    return taken


def test_the_conflict_of_the_corpus_is_told(photos: Path) -> None:
    truth = json.loads((photos / "dates" / "expected.json").read_bytes())
    path = next(one["file"] for one in truth if "conflict" in one["file"])
    found = dates(path, EXIF_DateTimeOriginal="2015:12:05 00:59:26", EXIF_SubSecTimeOriginal=84)
    assert (found.candidates[0]["source"], found.candidates[0]["local"]) == ("exif", "2015-12-05T00:59:26.84")
    assert found.flags == ["filename_disagrees"]


def test_every_name_and_folder_of_the_corpus_becomes_a_candidate(photos: Path) -> None:
    for one in json.loads((photos / "dates" / "expected.json").read_bytes()):
        found = {candidate["source"]: candidate for candidate in dates(one["file"]).candidates}
        if one.get("date_in_name"):
            assert found["filename"]["local"] == one["date_in_name"].replace(" ", "T")
            assert found["filename"]["confidence"] == 70
        if one.get("date_in_folder"):
            assert found["directory"]["local"] == one["date_in_folder"]
            assert found["directory"]["confidence"] == 50


def test_an_exif_date_takes_its_own_subseconds_and_offset() -> None:
    found = dates(EXIF_DateTimeOriginal=DAY, EXIF_SubSecTimeOriginal="123", EXIF_OffsetTimeOriginal="+02:00")
    assert found.candidates[0] == {
        "source": "exif", "field": "EXIF:DateTimeOriginal", "raw": DAY, "local": f"{ISO}.123", "offset": "+02:00",
        "confidence": 95,
    }  # fmt: skip
    digitized = best(EXIF_CreateDate=DAY, EXIF_SubSecTimeDigitized=5, EXIF_OffsetTimeDigitized="-05:00")
    assert (digitized["local"], digitized["offset"], digitized["confidence"]) == (f"{ISO}.5", "-05:00", 93)


def test_one_date_never_takes_the_refinements_of_another() -> None:
    found = best(EXIF_DateTimeOriginal=DAY, EXIF_SubSecTimeDigitized="5", EXIF_OffsetTimeDigitized="+01:00")
    assert found == {"source": "exif", "field": "EXIF:DateTimeOriginal", "local": ISO, "confidence": 95}


def test_the_offset_time_of_exif_is_never_used() -> None:
    found = dates(EXIF_DateTimeOriginal=DAY, EXIF_CreateDate=DAY, EXIF_ModifyDate=DAY, EXIF_OffsetTime="+02:00")
    assert all("offset" not in one for one in found.candidates if one["source"] == "exif")


@pytest.mark.parametrize(
    ("digits", "fraction"),
    [
        ("5", ".5"), ("05", ".05"), ("123   ", ".123"), (123, ".123"), ("123456789", ".123456"), ("00", ""), (0, ""),
        ("", ""), ("abc", ""), (-5, ""), (True, ""), (1.5, ""), (None, ""), ("٣", ""), (10**9, ""),
    ],
)  # fmt: skip
def test_subseconds_are_digits_after_the_point(digits: Any, fraction: str) -> None:
    assert best(EXIF_DateTimeOriginal=DAY, EXIF_SubSecTimeOriginal=digits)["local"] == ISO + fraction


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2019:07:14 12:31:05", (ISO, None)),
        ("2021:04:10 12:44:00+01:00", ("2021-04-10T12:44:00", "+01:00")),
        ("2014:07:15 06:57:34.000000Z", ("2014-07-15T06:57:34", "+00:00")),
        ("2019-07-14T12:31:05.12-0500", (ISO + ".12", "-05:00")),
        ("2019:07:14 12:31", ("2019-07-14T12:31:00", None)),
        ("2019:07:14", ("2019-07-14", None)),
        ("2019-07-14", ("2019-07-14", None)),
        ("2019:07", ("2019-07", None)),
        ("2019", ("2019", None)),
        (" 2019:07:14 12:31:05 ", (ISO, None)),
    ],
)
def test_forms_of_metadata_dates(text: str, wanted: tuple[str, str | None]) -> None:
    assert parse(text) == wanted


@pytest.mark.parametrize(
    "value",
    [
        "0000:00:00 00:00:00", "    :  :     :  :  ", "", "garbage", "2019:02:29 12:00:00", "2019:13:01", "2019:00:00",
        "2019:07:14 25:00:00", "2019:07:14 12:60:00", "20190714", "14.07.2019", "٢٠١٩:٠٧:١٤", "2019:07:14 noon",
        None, 5, 20190714, 1.5, True, [DAY], {"a": DAY}, b"2019",
    ],
)  # fmt: skip
def test_a_value_that_is_no_date_is_no_candidate(value: Any) -> None:
    found = dates(EXIF_DateTimeOriginal=value, XMP_CreateDate=value, IPTC_DateCreated=value, QuickTime_CreateDate=value)
    assert [one["source"] for one in found.candidates] == ["filesystem"]


@pytest.mark.parametrize("filler", ["9", " ", "2019:", "2019:07:14 12:31:05 "])
def test_a_value_of_absurd_length_is_no_candidate(filler: str) -> None:
    found = dates(EXIF_DateTimeOriginal=filler * 100_000)
    assert [one["source"] for one in found.candidates] == ["filesystem"]


@pytest.mark.parametrize(
    ("tag", "source", "confidence"),
    [
        ("EXIF:DateTimeOriginal", "exif", 95), ("EXIF:CreateDate", "exif", 93), ("EXIF:ModifyDate", "exif", 60),
        ("XMP:DateTimeOriginal", "xmp", 92), ("XMP:DateCreated", "xmp", 92), ("XMP:CreateDate", "xmp", 85),
        ("XMP:ModifyDate", "xmp", 60), ("IPTC:DateCreated", "exif", 88), ("MakerNotes:DateTimeOriginal", "exif", 90),
        ("QuickTime:CreationDate", "quicktime", 95), ("QuickTime:ContentCreateDate", "quicktime", 95),
        ("QuickTime:DateTimeOriginal", "quicktime", 95), ("QuickTime:CreateDate", "quicktime", 90),
        ("QuickTime:MediaCreateDate", "quicktime", 90), ("QuickTime:TrackCreateDate", "quicktime", 90),
        ("QuickTime:ModifyDate", "quicktime", 60), ("RIFF:DateTimeOriginal", "exif", 80),
        ("Matroska:DateTimeOriginal", "quicktime", 80), ("PNG:CreationTime", "exif", 80),
        ("PNG:CreateDate", "exif", 80), ("PNG:ModifyDate", "exif", 60), ("APP12:DateTimeOriginal", "exif", 80),
        ("MakerNotes:ModifyDate", "exif", 60), ("Red:DateCreated", "exif", 80),
    ],
)  # fmt: skip
def test_each_tag_has_its_source_and_its_worth(tag: str, source: str, confidence: int) -> None:
    found = best(**{tag.replace(":", "_", 1): DAY})
    assert (found["field"], found["source"], found["confidence"]) == (tag, source, confidence)
    midnight = best(**{tag.replace(":", "_", 1): "2019:07:14 00:00:00"})
    assert midnight["confidence"] == confidence - 30


def test_what_exiftool_puts_together_is_no_evidence_of_its_own() -> None:
    found = dates(Composite_DateTimeOriginal=DAY, Composite_ModifyDate=DAY, Composite_SubSecDateTimeOriginal=DAY)
    assert [one["source"] for one in found.candidates] == ["filesystem"]


def test_iptc_and_red_keep_day_and_time_apart() -> None:
    found = best(IPTC_DateCreated="2019:07:14", IPTC_TimeCreated="12:31:05+02:00")
    assert (found["local"], found["offset"]) == (ISO, "+02:00")
    assert best(IPTC_DateCreated="2019:07:14", IPTC_TimeCreated="late")["local"] == "2019-07-14"
    assert best(Red_DateCreated="2019:07:14", Red_TimeCreated="12:31:05")["local"] == ISO


def test_quicktime_is_utc_unless_it_says_the_time_of_the_place() -> None:
    assert best(QuickTime_CreateDate=DAY)["offset"] == "+00:00"
    found = best(QuickTime_CreateDate="2019:07:14 10:31:05", QuickTime_CreationDate=f"{DAY}+02:00")
    assert (found["field"], found["local"], found["offset"]) == ("QuickTime:CreationDate", ISO, "+02:00")
    assert "offset" not in best(QuickTime_CreationDate=DAY)
    assert "offset" not in best(QuickTime_CreateDate="2019:07:14")


def test_midnight_with_subseconds_is_a_time() -> None:
    assert best(EXIF_DateTimeOriginal="2019:07:14 00:00:00", EXIF_SubSecTimeOriginal="04")["confidence"] == 95
    assert best(EXIF_DateTimeOriginal="2019:07:14 00:00:00", EXIF_SubSecTimeOriginal="00")["confidence"] == 65


def test_a_name_with_a_time_beats_a_midnight() -> None:
    found = best("IMG_20190714_123105.jpg", EXIF_DateTimeOriginal="2019:07:14 00:00:00")
    assert (found["source"], found["field"], found["local"], found["confidence"]) == ("filename", "name", ISO, 70)


@pytest.mark.parametrize("year", ["0001", "1825", "2028", "9999"])
def test_a_date_that_cannot_be_is_worth_next_to_nothing(year: str) -> None:
    found = dates(EXIF_DateTimeOriginal=f"{year}:07:14 12:31:05")
    assert [(one["source"], one["confidence"]) for one in found.candidates] == [("filesystem", 30), ("exif", 10)]


def test_the_order_is_by_confidence_and_then_fixed() -> None:
    tags = {
        "XMP_ModifyDate": "2019:07:14 03:00:00", "Zed_DateTimeOriginal": "2019:07:14 05:00:00",
        "Abc_DateTimeOriginal": "2019:07:14 04:00:00", "XMP_DateCreated": "2019:07:14 02:00:00",
        "XMP_DateTimeOriginal": "2019:07:14 01:00:00", "EXIF_ModifyDate": "2019:07:14 06:00:00",
    }  # fmt: skip
    found = dates("2018/2017-01-01.jpg", **tags)
    assert [one["field"] for one in found.candidates] == [
        "XMP:DateTimeOriginal", "XMP:DateCreated", "Abc:DateTimeOriginal", "Zed:DateTimeOriginal", "name",
        "EXIF:ModifyDate", "XMP:ModifyDate", "path", "mtime",
    ]  # fmt: skip
    assert dates("2018/2017-01-01.jpg", **dict(reversed(tags.items()))) == found


def test_equal_dates_of_one_source_are_one_candidate() -> None:
    found = dates(EXIF_ModifyDate=DAY, EXIF_CreateDate=DAY, EXIF_DateTimeOriginal=DAY, XMP_CreateDate=DAY)
    assert [one["field"] for one in found.candidates] == ["EXIF:DateTimeOriginal", "XMP:CreateDate", "mtime"]
    video = dates(QuickTime_CreateDate=DAY, QuickTime_MediaCreateDate=DAY, QuickTime_TrackCreateDate=DAY)
    assert [one["field"] for one in video.candidates] == ["QuickTime:CreateDate", "mtime"]


def test_a_file_without_any_date_has_that_of_the_file_system() -> None:
    found = dates()
    assert found.candidates == [
        {
            "source": "filesystem", "field": "mtime", "raw": "2023-11-14T22:13:20Z", "local": "2023-11-14T22:13:20",
            "offset": "+00:00", "confidence": 30,
        }
    ]  # fmt: skip
    assert found.flags == ["filesystem_only"]


@pytest.mark.parametrize("mtime_ns", [-(10**30), -1, 0, 10**30])
def test_no_modification_time_is_too_odd(mtime_ns: int) -> None:
    found = select({}, path="x.jpg", mtime_ns=mtime_ns, now=NOW, media="image")
    assert (found.taken is None) == (abs(mtime_ns) > 1)


def test_a_name_that_is_not_utf8_can_be_written_into_a_sidecar() -> None:
    found = dates("2019/07 \udce4/x.jpg")
    assert found.candidates[0]["local"] == "2019-07"
    json.dumps(found.candidates, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("name", "tags", "disagrees"),
    [
        ("20190714.jpg", {"EXIF_DateTimeOriginal": "2019:09:14 12:00:00"}, True),
        ("20190714.jpg", {"EXIF_DateTimeOriginal": "2019:08:10 12:00:00"}, False),
        ("20190714.jpg", {"EXIF_ModifyDate": "2020:08:10 12:00:00"}, True),
        ("20190714.jpg", {"EXIF_ModifyDate": "2020:08:10 00:00:00"}, False),
        ("20190714.jpg", {"EXIF_DateTimeOriginal": DAY, "EXIF_ModifyDate": "2024:08:10 12:00:00"}, False),
        ("20190714.jpg", {"XMP_DateTimeOriginal": "2019"}, False),
        ("20190714.jpg", {"XMP_DateTimeOriginal": "2017"}, True),
        ("20191231.jpg", {"XMP_DateTimeOriginal": "2020"}, False),
        ("20190101.jpg", {"XMP_DateTimeOriginal": "2018"}, False),
        ("20190714.jpg", {}, False),
    ],
)
def test_a_name_that_contradicts_the_metadata_is_told(name: str, tags: dict[str, str], disagrees: bool) -> None:
    assert ("filename_disagrees" in dates(name, **tags).flags) == disagrees


@pytest.mark.parametrize(
    ("date", "flags"),
    [
        ("2026:11:22 06:59:59", []),
        ("2026:11:22 07:00:01", ["future"]),
        ("1970:01:01 00:00:01", []),
        ("1969:12:31 23:59:59", ["before_1970"]),
        ("1926:11:21 07:00:01", ["before_1970"]),
        ("1926:11:21 06:59:59", ["before_1970", "century_old"]),
    ],
)
def test_dates_that_are_hard_to_believe_are_flagged(date: str, flags: list[str]) -> None:
    assert dates(EXIF_DateTimeOriginal=date).flags == flags


def test_flags_stand_in_a_fixed_order() -> None:
    old = dates("20190714.jpg", EXIF_DateTimeOriginal="1900:01:01 12:00:00")
    assert old.flags == ["filename_disagrees", "before_1970", "century_old"]
    coming = dates("20190714.jpg", EXIF_DateTimeOriginal="2027:01:01 12:00:00")
    assert coming.flags == ["filename_disagrees", "future"]


def test_the_date_of_the_person_is_certain() -> None:
    assert taken_of({"curation": {"date": "1998-08"}}) == {"local": "1998-08", "source": "manual", "confidence": 100}
    taken = taken_of({"curation": {"date": f"{ISO}+02:00"}, "capture": {"taken": {"local": "2001"}}})
    assert Taken.model_validate(taken).offset == "+02:00"
    assert taken_of({"capture": {"taken": {"local": "2001"}}}) == {"local": "2001"}
    assert taken_of({}) is None


def test_a_bare_year_counts_although_exiftool_prints_it_as_a_number() -> None:
    found = select({"XMP:DateCreated": 2019}, path="x.jpg", mtime_ns=0, now=NOW, media="image")
    assert found.taken is not None
    assert (found.taken["local"], found.taken["source"]) == ("2019", "xmp")


@given(TAGS, PATHS, st.integers(-(2**70), 2**70))
def test_nothing_in_a_file_makes_it_fail(tags: dict[str, Any], path: str, mtime_ns: int) -> None:
    found = select(tags, path=path, mtime_ns=mtime_ns, now=NOW, media="video")
    backwards = dict(reversed(tags.items()))
    assert select(backwards, path=path, mtime_ns=mtime_ns, now=NOW, media="video") == found
    worths = [one["confidence"] for one in found.candidates]
    assert worths == sorted(worths, reverse=True)
    for one in found.candidates:
        DateCandidate.model_validate(one)
        assert split_date(one["local"] + one.get("offset", "")) == (one["local"], one.get("offset"))
    json.dumps(found.candidates, ensure_ascii=False).encode()
