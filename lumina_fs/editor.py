"""The editor of the person, on one file."""

from __future__ import annotations

import os
import shlex
import subprocess

from lumina_fs.errors import UsageError

#: By the name of an editor, how it is told a line and a column. Others are given the file alone.
_AT_LINE = {
    **dict.fromkeys(("vi", "ex", "view", "joe", "jed", "mg", "elvis"), ("+{line}", "{path}")),
    **dict.fromkeys(("vim", "nvim", "gvim", "vimx"), ("+call cursor({line},{column})", "{path}")),
    **dict.fromkeys(("nano", "pico", "ne"), ("+{line},{column}", "{path}")),
    **dict.fromkeys(("emacs", "emacsclient", "micro", "kak", "gedit"), ("+{line}:{column}", "{path}")),
    **dict.fromkeys(("code", "code-insiders", "codium", "cursor"), ("--goto", "{path}:{line}:{column}")),
    **dict.fromkeys(("hx", "helix", "subl", "zed"), ("{path}:{line}:{column}",)),
    "kate": ("--line", "{line}", "--column", "{column}", "{path}"),
}
#: Editors that return at once, unless they are told to wait.
_WAIT = {"code", "code-insiders", "codium", "cursor", "subl", "zed"}


def open_editor(path: str, line: int | None = None, column: int | None = None) -> None:
    """Open `$VISUAL` or `$EDITOR` and wait for its end. Raises UsageError, which says what to do instead."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not command:
        raise UsageError("no editor is named: set EDITOR, or edit this file yourself", path=path)
    try:
        done = subprocess.run(editor_words(shlex.split(command), path, line, column), check=False)
    except ValueError as error:
        raise UsageError(f"the editor {command!r} cannot be started: {error}") from None
    except OSError as error:
        raise UsageError(f"the editor {command!r} cannot be started: {error.strerror}") from None
    if done.returncode:
        raise UsageError(f"the editor {command!r} ended with {done.returncode}; the file is as it left it", path=path)


def editor_words(command: list[str], path: str, line: int | None, column: int | None) -> list[str]:
    """The words that start an editor on a file, at a line and column where it is known how to say so."""
    name = os.path.basename(command[0]) if command else ""
    waits = ["--wait"] if name in _WAIT and not {"--wait", "-w"} & set(command) else []
    form = _AT_LINE.get(name) if line is not None else None
    if form is None:
        return [*command, *waits, path]
    said = {"line": line, "column": column or 1, "path": path}
    return [*command, *waits, *(word.format(**said) for word in form)]
