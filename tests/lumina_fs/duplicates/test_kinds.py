"""What kind of twins two originals are, and why: pixels, times of exposure, names, formats."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.contents import Twin
from lumina_fs.duplicates.kinds import DUPLICATES, RELATED, Case, Judgement, judge
from tests.lumina_fs.duplicates.made import likeness, twin

NOON = "2019-07-14T12:00:00"
CANON = {"camera": "Canon EOS 80D", "serial": "1"}


def judged(first: Twin, second: Twin, same_pixels: bool = False, **seen: Any) -> Judgement | None:
    """The judgement, which must be the same from either side, but for which size is named first."""
    saw = likeness(**seen)
    found, back = judge([Case([first], [second], saw, same_pixels), Case([second], [first], saw, same_pixels)])
    assert (found is None) == (back is None)
    if found is not None and back is not None:
        assert found[:2] == back[:2]
        assert [one for one in found.reasons if " x " not in one] == [one for one in back.reasons if " x " not in one]
    return found


def at(recorded: str | None, path: str = "a.jpg", **said: Any) -> Twin:
    """A picture of one Canon with this recorded time."""
    return twin(path, recorded=recorded, taken=recorded, **{**CANON, **said})


def kind(first: Twin, second: Twin, **seen: Any) -> str | None:
    found = judged(first, second, **seen)
    return None if found is None else found.kind


# -- what was done


def test_pictures_that_are_not_alike_have_nothing_in_common() -> None:
    assert judged(twin(), twin("b.jpg"), alike=False) is None
    assert judge([Case([twin()], [twin("b.jpg")], None, False)]) == [None]


def test_each_change_has_its_kind_and_its_reason() -> None:
    small = twin("b.jpg", width=320, height=240)
    for second, seen, wanted, reason in (
        (twin("b.jpg"), {}, "re_encoded", "details agree"),
        (small, {}, "resized", "640 x 480 and 320 x 240 pixels"),
        (twin("b.jpg"), {"orientation": 6}, "edited", "turned"),
        (twin("b.jpg"), {"orientation": 2}, "edited", "mirrored"),
        (twin("b.jpg"), {"orientation": 7}, "edited", "mirrored"),
        (twin("b.jpg"), {"angle": -3.2}, "edited", "turned by 3 degrees"),
        (small, {"area": 0.8}, "edited", "one shows 80% of the other"),
        (small, {"area": 1.25}, "edited", "one shows 80% of the other"),
        (twin("b.jpg"), {"drawn": True}, "edited", "written or drawn"),
        (twin("b.jpg"), {"brightness": -12.0}, "edited", "brightness or contrast changed"),
        (twin("b.jpg"), {"contrast": 0.8}, "edited", "brightness or contrast changed"),
    ):
        found = judged(twin(), second, **seen)
        assert found is not None
        assert found.kind == wanted, (seen, found)
        assert any(reason in one for one in found.reasons), found
        assert found.kind in DUPLICATES


def test_what_was_edited_is_less_sure_than_what_was_only_coded_again() -> None:
    for detail in (0.8, 0.9, 0.99):
        plain, edited = (
            judged(twin(), twin("b.jpg"), detail=detail),
            judged(twin(), twin("b.jpg"), detail=detail, angle=3),
        )
        assert plain is not None
        assert edited is not None
        assert edited.confidence < 95, "a batch that decides what is certain never touches an edited picture"
        assert edited.confidence < plain.confidence < 99
    poor, good = judged(twin(), twin("b.jpg"), detail=0.85), judged(twin(), twin("b.jpg"), detail=0.99)
    assert poor is not None
    assert good is not None
    assert poor.confidence < 95 <= good.confidence


def test_two_pictures_that_each_show_something_of_their_own_are_only_similar() -> None:
    assert kind(twin(), twin("b.jpg"), contained=False) == "similar"


def test_equal_pixels_are_said_to_be_so_unless_they_were_exposed_twice() -> None:
    same = judged(twin(), twin("b.jpg"), same_pixels=True)
    assert same is not None
    assert (same.kind, same.confidence) == ("same_pixels", 99)
    twice = judged(at(NOON), at("2019-07-14T12:07:01"), same_pixels=True)
    assert twice is not None
    assert twice.kind == "same_pixels"
    assert twice.confidence < 95
    assert "two exposures" in " ".join(twice.reasons)


def test_what_moves_is_no_copy_of_what_stands_still() -> None:
    assert kind(twin("a.gif", duration=2.5), twin("b.gif")) == "similar"
    assert kind(twin("a.gif", duration=2.5), twin("b.gif", duration=2.5)) in DUPLICATES


# -- times


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        (NOON, NOON, "re_encoded"),
        (NOON, "2019-07-14T12:00:01", "burst"),
        (NOON, "2019-07-14T12:00:02", "similar"),
        (NOON, "2019-07-14T12:07:00", "similar"),
        (NOON, "2020-07-14T12:00:00", "similar"),
        # parts of a second count where both tell them
        (f"{NOON}.100", f"{NOON}.100", "re_encoded"),
        (f"{NOON}.100", f"{NOON}.101", "re_encoded"),
        (f"{NOON}.100", f"{NOON}.180", "burst"),
        (f"{NOON}.1", f"{NOON}.9", "burst"),
        (f"{NOON}.900", "2019-07-14T12:00:01.900", "burst"),
        (f"{NOON}.900", "2019-07-14T12:00:01.950", "similar"),
        (f"{NOON}.900", NOON, "re_encoded"),
        (f"{NOON}.900", "2019-07-14T12:00:01", "burst"),
        # a clock that was set
        (NOON, "2019-07-14T13:00:00", "re_encoded"),
        (NOON, "2019-07-14T05:30:00", "re_encoded"),
        (NOON, "2019-07-15T12:00:00", "re_encoded"),
        (NOON, "2019-07-15T13:00:00", "similar"),
        (NOON, "2019-07-14T13:00:01", "similar"),
        # what is not exact to the second says nothing
        (NOON, "2019-07-14", "re_encoded"),
        (NOON, "2019", "re_encoded"),
        (NOON, None, "re_encoded"),
        (None, None, "re_encoded"),
        (NOON, "2019-07-14T99:00:00", "re_encoded"),
        (NOON, "", "re_encoded"),
    ],
)
def test_times_of_one_camera_tell_a_copy_from_the_next_frame(first: str, second: str, wanted: str) -> None:
    assert kind(at(first, "x.jpg"), at(second, "y.jpg")) == wanted


def test_hours_that_differ_are_another_exposure_where_both_tell_their_offset() -> None:
    """A camera on a tripod takes one picture an hour: with the offset known, no clock was set between them."""
    hourly = kind(at(NOON, "x.jpg", offset="+02:00"), at("2019-07-14T13:00:00", "y.jpg", offset="+02:00"))
    assert hourly in RELATED
    # the same moment, told in two zones
    moved = kind(at(NOON, "x.jpg", offset="+02:00"), at("2019-07-14T10:00:00", "y.jpg", offset="+00:00"))
    assert moved == "re_encoded"
    # the wall time is the same, and the zones differ: somebody set the zone
    assert kind(at(NOON, "x.jpg", offset="+02:00"), at(NOON, "y.jpg", offset="+00:00")) == "re_encoded"
    # one of them tells none
    assert kind(at(NOON, "x.jpg", offset="+02:00"), at("2019-07-14T13:00:00", "y.jpg")) == "re_encoded"


def test_two_cameras_never_make_a_burst() -> None:
    second = at("2019-07-14T12:00:01", "y.jpg", serial="2")
    assert kind(at(NOON, "x.jpg"), second) == "similar"
    assert kind(at(NOON, "x.jpg"), at("2019-07-14T12:00:01", "y.jpg", camera="Nikon D1", serial=None)) == "similar"
    # a serial number that only one of them tells contradicts nothing
    assert kind(at(NOON, "x.jpg"), at("2019-07-14T12:00:01", "y.jpg", serial=None)) == "burst"


def test_a_burst_without_a_camera_is_not_said_to_be_of_one_camera() -> None:
    found = judged(
        at(NOON, "x.jpg", camera=None, serial=None), at("2019-07-14T12:00:01", "y.jpg", camera=None, serial=None)
    )
    assert found is not None
    assert found.kind in RELATED
    assert "one camera" not in " ".join(found.reasons)


def test_consecutive_numbers_of_one_second_are_frames() -> None:
    for one, other, wanted in (
        ("d/IMG_0001.JPG", "d/IMG_0002.JPG", "burst"),
        ("d/IMG_0001.JPG", "d/IMG_0004.JPG", "burst"),
        ("d/IMG_0001.JPG", "d/IMG_0005.JPG", "re_encoded"),
        ("d/IMG_0001.JPG", "e/IMG_0002.JPG", "re_encoded"),
        ("d/IMG_0001.JPG", "d/IMG_0001 (1).JPG", "re_encoded"),
        ("d/IMG_0001.JPG", "d/IMG_0001 copy.JPG", "re_encoded"),
        ("d/IMG_0001.JPG", "d/DSC_0002.JPG", "re_encoded"),
        ("d/IMG_0001_1.JPG", "d/IMG_0002_1.JPG", "re_encoded"),
        ("d/a1.JPG", "d/a2.JPG", "re_encoded"),
        ("d/IMG_٠٠٠١.JPG", "d/IMG_٠٠٠٢.JPG", "burst"),
    ):
        assert kind(at(NOON, one), at(NOON, other)) == wanted, (one, other)
    # of another size, format or camera they are copies; and a time to the thousandth that is equal is one exposure
    others: tuple[dict[str, Any], ...] = ({"width": 320, "height": 240}, {"format": "HEIC"}, {"camera": "Nikon D1"})
    for change in others:
        assert kind(at(NOON, "IMG_0001.JPG"), at(NOON, "IMG_0002.JPG", **change)) in DUPLICATES
    exact = f"{NOON}.123"
    assert kind(at(exact, "IMG_0001.JPG"), at(exact, "IMG_0002.JPG")) == "re_encoded"


def test_numbers_that_follow_each_other_say_nothing_where_a_time_is_missing() -> None:
    """'Taken in the same second' must not be said of a picture whose second nobody knows."""
    found = judged(at(NOON, "IMG_0001.JPG"), at(None, "IMG_0002.JPG"))
    assert found is not None
    assert "same second" not in " ".join(found.reasons)


# -- RAW


@pytest.mark.parametrize("raw", ["CR2", "NEF", "DNG"])
def test_a_raw_file_and_its_jpeg_are_one_shot(raw: str) -> None:
    first = at(NOON, "d/IMG_0001.CR2", format=raw)
    assert kind(first, at(NOON, "d/IMG_0001.JPG")) == "raw_jpeg"
    assert kind(first, at(None, "export/img_0001.jpg", camera=None)) == "raw_jpeg"
    assert kind(first, at(NOON, "d/other.jpg")) == "raw_jpeg", "one camera, one second"
    assert kind(first, at("2019-07-14T12:00:09", "d/IMG_0001.JPG")) in RELATED, "the number came round again"
    # two RAW files are no such pair
    assert kind(first, at(NOON, "d/IMG_0001.DNG", format="DNG")) in DUPLICATES


def test_any_of_the_files_with_one_content_may_tell_that_it_belongs_to_a_raw_file() -> None:
    raw = [at(None, "d/IMG_0001.CR2", format="CR2", camera=None)]
    jpegs = [at(None, "x/lake.jpg", camera=None), at(None, "y/IMG_0001.jpg", camera=None)]
    [found] = judge([Case(raw, jpegs, likeness(), False)])
    assert found is not None
    assert found.kind == "raw_jpeg"


# -- whatever is said


TIMES = st.sampled_from(
    [None, "", "2019", "2019-07-14", NOON, f"{NOON}.5", f"{NOON}.501", "2019-07-14T12:00:01", "2019-07-14T13:00:00",
     "0000-00-00T00:00:00", "x" * 30, f"{NOON}+02:00", f"{NOON}Z", f"{NOON}.123456789"]
)  # fmt: skip
TWINS = st.builds(
    at,
    TIMES,
    st.sampled_from(["IMG_0001.JPG", "IMG_0002.JPG", "IMG_0001.CR2", "d/x", "", "bytes:%FF.jpg", "\0.jpg"]),
    camera=st.sampled_from([None, "A", "B"]),
    serial=st.sampled_from([None, "1", "2"]),
    format=st.sampled_from(["JPEG", "CR2", "PNG"]),
    width=st.sampled_from([None, 0, 640]),
    offset=st.sampled_from([None, "+02:00", "+00:00", "Z", "nonsense"]),
)


@given(TWINS, TWINS, st.booleans(), st.booleans(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_judgement_is_the_same_from_either_side_and_always_has_a_reason(
    first: Twin, second: Twin, same: bool, contained: bool, drawn: bool
) -> None:
    found = judged(first, second, same, contained=contained, drawn=drawn)
    assert found is not None
    assert found.kind in (*DUPLICATES, *RELATED)
    assert 0 <= found.confidence <= 100
    assert found.reasons
    assert all(found.reasons)


def test_only_equal_bytes_and_equal_pixels_are_ever_surer_than_98() -> None:
    for detail, brightness, recorded in product((0.8, 1.0), (0.0, 9.0), (None, NOON, f"{NOON}.5")):
        found = judged(at(recorded), at(recorded), detail=detail, brightness=brightness)
        assert found is not None
        assert found.confidence <= 98
