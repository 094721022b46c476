"""The sidecar: the document of one original. One block belongs to the person, the others to the machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field

from schemas.document import Block, Document
from schemas.partial_date import split_date

#: The blocks that the machine owns and may replace; everything else in a sidecar is the person's.
MACHINE_BLOCKS = ("original", "origin", "capture", "text_caption", "measurements", "problems")

#: Codes of problems that only tell something: nothing is broken, nobody has to do anything.
NOTES = frozenset({"extension_mismatch"})

Label = Literal["red", "orange", "yellow", "green", "blue", "purple", "pink", "grey"]
DateSource = Literal["exif", "xmp", "quicktime", "filename", "directory", "filesystem", "manual"]


class Tag(Block):
    """One tag."""

    category: str = ""
    """What kind of tag: people, places, events ... Empty for a plain word."""

    value: str = Field(min_length=1)
    """The tag itself; levels are separated by "/"."""


class SeenTag(NamedTuple):
    """What a model saw in a picture. `times`: how many, of an object."""

    category: str
    value: str
    confidence: float
    times: int | None = None


#: The category under which objects are found.
OBJECTS = "objects"


def seen_tags(doc: Mapping[str, Any]) -> list[SeenTag]:
    """What models saw in the picture of a sidecar's value, the surest first, without what the person rejected.

    "dog" among the rejected tags means it in every category, "animals/dog" in that one.
    """
    measurements = doc.get("measurements") or {}
    found = [
        SeenTag(tag.get("category", ""), tag["value"], tag["confidence"])
        for tag in (measurements.get("clip_tags") or {}).get("tags") or ()
    ]
    found += [
        SeenTag(OBJECTS, one["value"], one["confidence"], one.get("count", 1))
        for one in (measurements.get("objects") or {}).get("objects") or ()
    ]
    if not found:
        return found
    rejected = {_folded(*tag_parts(tag)) for tag in (doc.get("curation") or {}).get("rejected_tags") or ()}
    kept: dict[tuple[str, str], SeenTag] = {}
    for tag in sorted(found, key=lambda tag: (-tag.confidence, tag.category, tag.value)):
        key = _folded(tag.category, tag.value)
        if key not in rejected and ("", key[1]) not in rejected:
            kept.setdefault(key, tag)
    return list(kept.values())


def _folded(category: str, value: str) -> tuple[str, str]:
    return category.casefold(), value.casefold()


Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
TagText = Annotated[str, Field(min_length=1, examples=["people/anna", "beach"])]


def tag_parts(tag: Any) -> tuple[str, str]:
    """(category, value) of a tag in either form: "people/anna" and {"category": "people", "value": "anna"}."""
    if isinstance(tag, str):
        category, slash, value = tag.partition("/")
        return (category, value) if slash and value else ("", category)
    if isinstance(tag, Tag):
        return tag.category, tag.value
    return str(tag.get("category", "")), str(tag.get("value", ""))


def taken_of(doc: Mapping[str, Any]) -> dict[str, Any] | None:
    """The date in force of a sidecar's value: the person's own, else the one that was selected; None without one.

    A dict as in `Taken`: local, source, confidence, and offset and field where they are known.
    """
    date = (doc.get("curation") or {}).get("date")
    if date:
        local, offset = split_date(date)
        taken = {"local": local, "source": "manual", "confidence": 100}
        return taken if offset is None else {**taken, "offset": offset}
    return (doc.get("capture") or {}).get("taken") or None


def device_name(device: Mapping[str, Any] | None) -> str:
    """A camera or lens as people call it: make and model, the make once where the model repeats it, "" for neither."""
    make, model = ((device or {}).get(part) or "" for part in ("make", "model"))
    repeated = make.split() and model.lower().startswith(make.lower().split()[0])
    return model if repeated else f"{make} {model}".strip()


#: Apple's identifier of a Live Photo, as ExifTool names it in stills (older and newer versions) and in videos.
_CONTENT_IDS = ("MakerNotes:MediaGroupUUID", "MakerNotes:ContentIdentifier", "QuickTime:ContentIdentifier")


def content_id_of(capture: Mapping[str, Any]) -> str | None:
    """The identifier that the still and the video of a Live Photo share, from a capture block; None without one."""
    tags = capture.get("tags") or {}
    return next((said for name in _CONTENT_IDS if isinstance(said := tags.get(name), str) and said), None)


def _is_date(text: str) -> str:
    split_date(text)
    return text


class Curation(Block):
    """What the person says of the picture. Lumina never changes it by itself."""

    name: str | None = None
    """A title."""

    caption: str | None = None
    """What the picture shows, in your words."""

    rating: Annotated[int, Field(ge=0, le=5)] | None = None
    """Stars, 0 to 5."""

    label: Label | None = None
    """A colour label."""

    pick: Literal["pick", "reject"] | None = None
    """Picked, or rejected."""

    date: Annotated[str, AfterValidator(_is_date)] | None = Field(
        default=None, examples=["2019", "2019-07", "2019-07-14", "2019-07-14T12:31:05+02:00"]
    )
    """When the picture was taken, if you know better than the file. As exact as you know."""

    tags: list[Tag | TagText] = Field(default_factory=list)
    """Tags, in your order: "people/anna", or {"category": "people", "value": "anna"}."""

    rejected_tags: list[Tag | TagText] = Field(default_factory=list)
    """Tags that the machine found and that you do not want."""

    related: dict[str, list[str]] = Field(default_factory=dict)
    """Ids of related originals, by relation: similar, masks, variations, or any other."""

    metadata: dict[str, Any] = Field(default_factory=dict)
    """Anything else that you want to keep with the picture."""


class Original(Block):
    """The file."""

    media: Literal["image", "video", "mask", "video_frame"]
    """What it is."""
    name: str
    """The file's name; a name that is not UTF-8 starts with "bytes:" and has its odd bytes as %XX."""
    size: int = Field(ge=0)
    """Bytes."""
    mtime_ns: int
    """Modification time in nanoseconds since 1970, when it was last read."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """Digest of the content; absent while the file cannot be read."""
    format: str
    """The format of the content, whatever the name says."""
    width: int | None = Field(default=None, ge=1)
    """Pixels across, as displayed."""
    height: int | None = Field(default=None, ge=1)
    """Pixels down, as displayed."""
    duration: float | None = Field(default=None, ge=0)
    """Seconds, for videos and animations."""
    missing_since: str | None = None
    """When the original was found to be gone; absent while it is there."""


class Origin(Block):
    """Where the original came from; written once."""

    source: str
    """The source that it was first seen in."""
    import_: str | None = Field(default=None, alias="import")
    """The import that brought it."""
    mode: Literal["reference", "copy", "move"]
    """How it came into the catalog."""
    first_path: str
    """Its first path in that source."""


class Taken(Block):
    """A date with where it comes from."""

    local: str
    """Wall time where the picture was taken, as exact as known."""
    offset: str | None = None
    """Offset from UTC, where it is known."""
    source: DateSource
    """The kind of evidence."""
    field: str | None = None
    """The tag, or the part of the path."""
    confidence: int = Field(ge=0, le=100)
    """How much it is to be trusted."""


class DateCandidate(Taken):
    """A date that was found."""

    raw: str
    """The text it was read from."""


class Camera(Block):
    """The camera."""

    make: str | None = None
    """Maker."""
    model: str | None = None
    """Model."""
    serial: str | None = None
    """Serial number of the body."""


class Lens(Block):
    """The lens."""

    make: str | None = None
    """Maker."""
    model: str | None = None
    """Model."""


class Exposure(Block):
    """The exposure."""

    time: float | None = None
    """Seconds."""
    f_number: float | None = None
    """Aperture."""
    iso: int | None = None
    """Sensitivity."""
    bias: float | None = None
    """Exposure compensation in EV."""
    focal_length: float | None = None
    """Millimetres."""
    focal_length_35mm: float | None = None
    """Millimetres on 35 mm film."""
    flash: bool | None = None
    """Whether the flash fired."""
    program: str | None = None
    """The exposure program."""


class Gps(Block):
    """The place."""

    latitude: float = Field(ge=-90, le=90)
    """Degrees, north positive."""
    longitude: float = Field(ge=-180, le=180)
    """Degrees, east positive."""
    altitude: float | None = None
    """Metres above sea level."""


class LeftOut(Block):
    """Tags for which there was no room."""

    count: int = Field(ge=0)
    """How many."""
    names: list[str] = Field(default_factory=list)
    """Some of their names."""


class Capture(Block):
    """What the metadata says of how the picture was made."""

    taken: Taken | None = None
    """The date that was selected."""
    dates: list[DateCandidate] = Field(default_factory=list)
    """All dates that were found, best first."""
    date_flags: list[str] = Field(default_factory=list)
    """Why the date may be wrong."""
    camera: Camera | None = None
    """The camera."""
    lens: Lens | None = None
    """The lens."""
    exposure: Exposure | None = None
    """The exposure."""
    gps: Gps | None = None
    """The place."""
    orientation: int | None = Field(default=None, ge=1, le=8)
    """EXIF orientation of the stored pixels."""
    reader: str | None = None
    """The program that read the metadata."""
    tags: dict[str, Any] = Field(default_factory=dict)
    """All other tags, under ExifTool's names."""
    tags_left_out: LeftOut | None = None
    """Tags for which there was no room."""


Share = Annotated[float, Field(ge=0, le=1)]


class MachineTag(Block):
    """A tag that a model gave."""

    category: str = ""
    """The category of its vocabulary: animals, scene ..."""
    value: str = Field(min_length=1)
    """The word."""
    confidence: Share
    """How sure the model is, 0 to 1."""


class MachineObject(Block):
    """A kind of object that a model recognised."""

    value: str = Field(min_length=1)
    """What it is."""
    count: int = Field(default=1, ge=1)
    """How many there are."""
    confidence: Share
    """How sure the model is of the surest of them, 0 to 1."""
    boxes: list[Annotated[list[Share], Field(min_length=4, max_length=4)]] = Field(default_factory=list)
    """Where: left, top, width and height as fractions of the picture as displayed, of at most eight of them."""


class Measurement(Block):
    """A fact that a measurer computed from the picture."""

    version: int = Field(ge=1)
    """Version of the measurer."""
    value: Any = None
    """What it found."""
    model: str | None = None
    """Of what a model saw: which one. Another model, or other weights, look again."""
    vocabulary: str | None = None
    """Of `clip_tags`: by which words and threshold, as a short digest."""
    tags: list[MachineTag] | None = None
    """Of `clip_tags`: the tags, the surest first. `curation.rejected_tags` stands above them."""
    least: Share | None = None
    """Of `objects`: from which confidence on they count."""
    objects: list[MachineObject] | None = None
    """Of `objects`: what there is, the surest first. `curation.rejected_tags` stands above them."""


class Problem(Block):
    """Something that is wrong with the original."""

    code: str
    """A short name of the problem."""
    message: str
    """What is wrong, and what can be done."""


class TextCaption(Block):
    """What the text file beside the original says: `IMG.txt` or `IMG.jpg.txt`."""

    size: int | None = Field(default=None, ge=0)
    """Bytes of the text file, when it was last read; absent, as the next three, where there is none."""
    mtime_ns: int | None = None
    """Its modification time in nanoseconds since 1970, when it was last read."""
    sha256: Digest | None = None
    """Digest of its content."""
    text: str | None = None
    """What it says, without white space around it; of a long one the beginning."""
    written: Digest | None = None
    """Digest of the text that Lumina wrote into it from `curation.caption`; absent where it never did."""


class Sidecar(Document):
    """The document of one original: `IMG_0001.JPG` has `IMG_0001.JPG.lumina.json`."""

    kind: Literal["sidecar"]
    version: Literal[1]
    curation: Curation = Field(default_factory=Curation)
    """Yours: title, caption, rating, tags, date. Edit it as you like."""
    original: Original
    """The file, as it was last read. Lumina writes this."""
    origin: Origin
    """Where it came from. Lumina writes this once."""
    capture: Capture = Field(default_factory=Capture)
    """Dates, camera, place and all other metadata. Lumina writes this."""
    text_caption: TextCaption | None = None
    """What the text file beside the photo says, if there is one. Lumina writes this."""
    measurements: dict[str, Measurement] = Field(default_factory=dict)
    """Hashes and scores by the name of their measurer. Lumina writes this."""
    problems: list[Problem] = Field(default_factory=list)
    """What is wrong with the file. Lumina writes this."""
