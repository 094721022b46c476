"""Text that wants to be more than text: for names of files, values of EXIF, captions and tags."""

from __future__ import annotations

from itertools import product

ESC = "\x1b"

ACTING = [
    *(chr(code) for code in range(1, 32)),
    "\x7f",
    *(chr(code) for code in range(0x80, 0xA0)),
    *(chr(code) for code in (0x061C, 0x200B, 0x200E, 0x200F, 0x202A, 0x202B, 0x202D, 0x202E, 0x2066, 0x2067, 0x2069)),
    *(chr(code) for code in (0x2028, 0x2029, 0xFEFF, 0xFFF9, 0x00AD)),
]
SEQUENCES = [
    f"{ESC}[2J", f"{ESC}[31m", f"{ESC}[?1049l", f"{ESC}c", f"{ESC}[6n", f"{ESC}[1;1H", f"{ESC}[?2004l", f"{ESC}#8",
    f"{ESC}]0;owned\x07", f"{ESC}]2;owned{ESC}\\", f"{ESC}]8;;http:example.org\x07link{ESC}]8;;\x07",
    f"{ESC}]52;c;b3duZWQ=\x07", f"{ESC}]1337;File=inline=1:AAAA\x07", f"{ESC}P+q544e{ESC}\\", f"{ESC}_Ga=T;AAAA{ESC}\\",
    f"{ESC}^privacy{ESC}\\", "\x9b2J", "\x9d0;owned\x9c", f"{ESC}(0", "\x0e\x0f", "\r\n\r\n", "\x08\x08\x08",
]  # fmt: skip
MARKUP = [
    "[bold]", "[x]", "[@click=app.quit]quit[", "[red on blue]", "[link=http:x]", "[$accent]", "[b][i", "]]]", "[[[",
    "\\[",
    "{0}", "%s", "$(id)", "`id`", "&amp;<b>",
]  # fmt: skip
SHAPES = [
    "\udcff\udcfe", "\udc9b2J", "\udcc3(", "e" + "\u0301" * 60, "a" + "\u0488\u20dd\u0338" * 20,
    "👩‍👩‍👧‍👦", "🏳️‍🌈", "漢字かな交じり文" * 5,
    "한글", "𝕬𝖇𝖈", "\U000e0041\U000e0042", "x" * 180, "ﷺ", "ا" * 40, "\u0e33" * 20, "🇩🇪🇫🇷", "\u115f\u3164", "ｆｕｌｌ",
]  # fmt: skip
#: Each of them once.
PAYLOADS = [*ACTING, *SEQUENCES, *MARKUP, *SHAPES]


def names(count: int) -> list[str]:
    """That many different names of files, each payload in the middle, at the start and at the end of some."""
    places = ("{number:03}{payload}tail", "{payload}{number:03}", "{number:03}{payload}")
    pairs = product(places, PAYLOADS)
    return [
        place.format(number=number, payload=payload) + ".jpg"
        for number, (place, payload) in zip(range(count), pairs, strict=False)
    ]


def values(count: int) -> list[bytes]:
    """That many values of EXIF, as bytes."""
    return [
        f"Maker {number:03}{PAYLOADS[(number * 7) % len(PAYLOADS)]}end".encode("utf-8", "surrogateescape")
        for number in range(count)
    ]
