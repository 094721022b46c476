"""The one way by which foreign text reaches a terminal, a log or an error: with nothing in it that could act."""

from __future__ import annotations

import re

# C0, DEL and C1; soft hyphen and zero-width marks; line and paragraph separators; bidirectional controls;
# invisible operators; byte order mark; interlinear annotations; lone surrogates (bytes that are not UTF-8)
_ACTING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def visible(text: str) -> str:
    """`text` with every character that could move a cursor, reorder a line or hide itself shown as an escape."""
    return _ACTING.sub(_escape, text) if not text.isascii() or _ACTING.search(text) else text


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
