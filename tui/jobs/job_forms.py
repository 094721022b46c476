"""What can be started: each kind of work with its options as a form, and the words of the command that does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lumina_fs.tagging.extra import hindrance
from lumina_fs.tagging.wishes import KINDS as KINDS_OF_MODELS
from lumina_fs.viewing.new_catalog import Opinion
from tui.forms import Field, Form, Values

#: By kind of work, what it does.
KINDS = {
    "scan": "scan: look at what is new and changed in the sources",
    "duplicates": "duplicates: search for twins",
    "tag": "tag: let models say what is in photos",
    "analyze": "analyze: a scan, a search for duplicates, then tagging",
    "thumbnails": "thumbnails: make small pictures of all originals",
    "rebuild": "rebuild: make the index anew from the sidecars",
    "verify": "verify: compare the index with the sidecars",
}
_WHEN = (("every", "so long after its last start"), ("at", "each day at a time"))


@dataclass(frozen=True, slots=True)
class Work:
    """A form for one kind of work, and how its values become words."""

    form: Form
    words: Callable[[Values], list[str]]


def work_form(kind: str, sources: Sequence[str]) -> Work:
    """The form of a kind of work in a catalog with these sources."""
    match kind:
        case "scan":
            return _scan(sources)
        case "duplicates":
            field = Field("threshold", "Threshold", "text", "5", "Bits by which two hashes may differ, 0 to 10.")
            form = Form("Search for duplicates", [field], "Start", _threshold)
            return Work(form, lambda values: ["duplicates", "find", "--threshold", values["threshold"].strip()])
        case "tag":
            return _tag()
        case "thumbnails":
            sizes = Field(
                "size", "Longest side", "choice", "150", options=(("150", "150 pixels"), ("1024", "1024 pixels"))
            )
            form = Form(
                "Make thumbnails", [sizes], "Start", lambda values: Opinion(notes=["Those that are there stay."])
            )
            return Work(form, lambda values: ["cache", "thumbnail", "--all", "--size", values["size"]])
    notes = {
        "analyze": "A scan of all sources, a search for duplicates, then tagging where models are installed.",
        "rebuild": "The index is a cache: it is made anew from all sidecars. Nothing of yours is in it.",
        "verify": "A second index is built from the sidecars and compared with the live one. Nothing is changed.",
    }
    form = Form(KINDS[kind].partition(":")[0].capitalize(), [], "Start", lambda values: Opinion(notes=[notes[kind]]))
    return Work(form, lambda values: ["analyze"] if kind == "analyze" else ["index", kind])


def _scan(sources: Sequence[str]) -> Work:
    picked = [Field(f"source-{at}", f"Source {name}", "check", value=True) for at, name in enumerate(sources)]
    fields = [
        *(picked if len(picked) > 1 else []),
        Field("rehash", "Rehash: read every photo again, and find damaged ones", "check", value=False),
        Field("missing", "Accept missing: most of a source is really gone", "check", value=False),
    ]

    def chosen(values: Values) -> list[str]:
        return [name for at, name in enumerate(sources) if values.get(f"source-{at}", True)]

    def judge(values: Values) -> Opinion:
        if not chosen(values):
            return Opinion("at least one source")
        notes = ["Photos are read and never changed."]
        if values["missing"]:
            notes.append("What is not there is noted as missing, however much it is. Is the disk connected?")
        return Opinion(notes=notes)

    def words(values: Values) -> list[str]:
        picked = chosen(values)
        some = [word for name in picked for word in ("--source", name)] if len(picked) < len(sources) else []
        flags = [("--rehash", values["rehash"]), ("--accept-missing", values["missing"])]
        return ["scan", *some, *(flag for flag, wanted in flags if wanted)]

    return Work(Form("Scan", fields, "Start", judge), words)


def _tag() -> Work:
    which = (("both", "tags and objects"), ("clip", "tags (CLIP)"), ("objects", "objects (YOLO)"))
    fields = [
        Field("which", "What", "choice", "both", options=which),
        Field("again", "Again: look also at what has the answer already", "check", value=False),
    ]

    def judge(values: Values) -> Opinion:
        kinds = list(KINDS_OF_MODELS) if values["which"] == "both" else [values["which"]]
        missing = hindrance([KINDS_OF_MODELS[kind] for kind in kinds])
        if missing is not None:
            return Opinion(missing)
        return Opinion(
            notes=["Your own tags are not touched. Weights that are not on this machine are fetched by the libraries."]
        )

    def words(values: Values) -> list[str]:
        some = [] if values["which"] == "both" else [f"--{values['which']}"]
        return ["tag", *some, *(["--again"] if values["again"] else [])]

    return Work(Form("Tag", fields, "Start", judge), words)


def _threshold(values: Values) -> Opinion:
    text = values["threshold"].strip()
    if not (text.isascii() and text.isdigit() and int(text) <= 10):
        return Opinion("a number from 0 to 10")
    return Opinion(notes=["More bits find more, and what is found is still compared pixel by pixel."])


def schedule_form(taken: Sequence[str]) -> Form:
    """For work that is to be done again and again."""
    fields = [
        Field("work", "Work", "choice", "analyze", options=tuple(KINDS.items())),
        Field("when", "When", "choice", "every", options=_WHEN),
        Field("time", "Time", "text", "1d", "30m, 6h, 1d, 2w; or 03:00 for each day at a time."),
        Field("name", "Name", "text", "", "Left empty: as the work."),
    ]

    def judge(values: Values) -> Opinion:
        name = values["name"].strip() or values["work"]
        if name in taken:
            return Opinion(f"there is a schedule {name} already; give this one another name")
        if not _is_time(values["when"], values["time"].strip()):
            return Opinion("a time as 30m, 6h, 1d, 2w" if values["when"] == "every" else "a time as 03:00")
        return Opinion(notes=["A running daemon does it, or `lumina jobs run-due` from cron."])

    return Form("A schedule", fields, "Keep it", judge)


def _is_time(when: str, text: str) -> bool:
    if when == "every":
        return (
            len(text) > 1 and text[-1] in "mhdw" and text[:-1].isascii() and text[:-1].isdigit() and int(text[:-1]) > 0
        )
    hours, _, minutes = text.partition(":")
    numbers = len(hours) == len(minutes) == 2 and (hours + minutes).isascii() and (hours + minutes).isdigit()
    return numbers and int(hours) < 24 and int(minutes) < 60
