"""How a file name or path is written in a document: as itself where it is text, else in a marked, reversible form.

Inside the program a name is what `os.fsdecode` gives: a str in which bytes that are not UTF-8 are surrogates.
"""

from __future__ import annotations

import re

MARK = "bytes:"


def encode_name(name: str) -> str:
    """The form of `name` for documents and for the index. A valid name is itself; any other starts with "bytes:"."""
    if name.isascii():
        if "\0" not in name and not name.startswith(MARK):
            return name
    elif not name.startswith(MARK) and "\0" not in name:
        try:
            name.encode()
        except UnicodeEncodeError:
            pass
        else:
            return name
    return marked(name)


def marked(name: str) -> str:
    """The marked form, whether or not `name` needs it: that of a path starts with that of its folders."""
    return MARK + "".join(
        f"%{ord(c) - 0xDC00:02X}" if 0xDC80 <= ord(c) <= 0xDCFF else ("%25" if c == "%" else "%00" if c == "\0" else c)
        for c in name
    )


def decode_name(text: str) -> str:
    """The name that `encode_name` wrote as `text`, byte for byte."""
    if not text.startswith(MARK):
        return text
    raw = text[len(MARK) :].encode("utf-8", "surrogateescape")
    plain = re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match.group(1), 16)]), raw)
    return plain.decode("utf-8", "surrogateescape")
