"""Which files are pictures and videos, by name and by their first bytes."""

from __future__ import annotations

import os
from typing import NamedTuple

_IMAGES = {
    "JPEG": "jpg jpeg jpe jfif jif",
    "PNG": "png apng",
    "GIF": "gif",
    "BMP": "bmp dib",
    "TIFF": "tif tiff",
    "WEBP": "webp",
    "HEIC": "heic heif hif heics heifs",
    "AVIF": "avif avifs",
    "JXL": "jxl",
    "JP2": "jp2 j2k jpf jpx jpm j2c jpc",
    "PSD": "psd psb",
}
_RAW = (
    "3fr ari arq arw cr2 cr3 crw cs1 dcr dcs dng eip erf fff gpr iiq k25 kdc mef mos mrw nef nrw orf "
    "pef raf raw rw2 rwl rwz sr2 srf srw x3f"
)
_VIDEOS = {
    "MP4": "mp4 m4v mp4v insv lrv",
    "MOV": "mov qt",
    "AVI": "avi",
    "MKV": "mkv",
    "WEBM": "webm",
    "3GP": "3gp 3gpp",
    "3G2": "3g2 3gpp2",
    "M2TS": "mts m2ts m2t ts",
    "MPEG": "mpg mpeg mpe m2v vob mod tod",
    "WMV": "wmv asf",
    "FLV": "flv f4v",
    "OGV": "ogv",
    "DV": "dv",
    "MXF": "mxf",
    "R3D": "r3d",
}

RAW_FORMATS = frozenset(extension.upper() for extension in _RAW.split())

#: Extensions of files that lie beside photos and are none: discovery never opens them.
OTHER_EXTENSIONS = frozenset(
    "json xmp txt aae html htm css js ts_ md pdf doc docx odt xls xlsx ods csv tsv xml yml yaml ini cfg conf "
    "log db db-shm db-wal db-journal sqlite sqlite3 exe dll so py sh bat zip tar gz tgz bz2 xz 7z rar iso "
    "mp3 m4a wav flac ogg aac wma thm ctg ifo bup srt sub vtt gpx kml nmea url lnk webloc part tmp bak pp3 "
    "dop cos on1 vrd cube icc icm ttf otf ai eps ps indd lrcat lrprev tsv torrent".split()
)


class Kind(NamedTuple):
    """A format with what it is: `media` is "image" or "video"."""

    format: str
    media: str


class Identified(NamedTuple):
    """What a file is, by its content first; `note` says where its name lies."""

    format: str
    media: str
    note: str | None


#: What a name says by its ending, in lower case.
BY_ENDING: dict[str, Kind] = {
    **{e: Kind(f, "image") for f, extensions in _IMAGES.items() for e in extensions.split()},
    **{e: Kind(e.upper(), "image") for e in _RAW.split()},
    **{e: Kind(f, "video") for f, extensions in _VIDEOS.items() for e in extensions.split()},
}

_BRANDS: dict[bytes, Kind] = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm"), Kind("HEIC", "image")),
    **dict.fromkeys((b"avif", b"avis"), Kind("AVIF", "image")),
    b"crx ": Kind("CR3", "image"),
    b"qt  ": Kind("MOV", "video"),
    b"3g2": Kind("3G2", "video"),
    **{b"3g" + digit: Kind("3GP", "video") for digit in (b"p", b"e", b"s", b"r", b"g", b"h")},
    **dict.fromkeys((b"isom", b"iso2", b"mp41", b"mp42", b"avc1", b"M4V ", b"dash"), Kind("MP4", "video")),
}


def extension(name: str) -> str:
    """The lower-case extension of a file name, without the dot."""
    return os.path.splitext(name)[1][1:].lower()


def by_extension(name: str) -> Kind | None:
    """What the name says the file is; None if it says nothing that we know."""
    at = name.rfind(".")
    if at <= 0:
        return None
    ending = name[at + 1 :]
    return BY_ENDING.get(ending) or BY_ENDING.get(ending.lower())


def may_be_original(name: str) -> bool | None:
    """True or False where the name decides; None where only the content can tell."""
    ending = extension(name)
    if ending in BY_ENDING:
        return True
    return False if ending in OTHER_EXTENSIONS else None


def sniff(head: bytes) -> Kind | None:
    """What the first bytes (64 or more) say the file is; None if they are no picture or video of ours."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[4:8] == b"ftyp":
        return _sniff_ftyp(head)
    if head[:4] == b"RIFF":
        return {b"WEBP": Kind("WEBP", "image"), b"AVI ": Kind("AVI", "video")}.get(head[8:12])
    if head[:2] == b"BM" and len(head) > 26 and head[14:18] in _BMP_HEADERS:
        return Kind("BMP", "image")
    if head[4:12] in (b"moov", b"mdat") or head[4:8] in (b"moov", b"mdat", b"wide", b"free"):
        return Kind("MOV", "video")
    if len(head) > 4 and head[0] == 0x47 and head[188:189] in (b"\x47", b""):
        return None
    if len(head) > 196 and head[4] == 0x47 and head[196] == 0x47:
        return Kind("M2TS", "video")
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return Kind("WEBM" if b"webm" in head[:64] else "MKV", "video")
    return None


_BMP_HEADERS = {n.to_bytes(4, "little") for n in (12, 40, 52, 56, 64, 108, 124)}
_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"\xff\xd8\xff", Kind("JPEG", "image")),
    (b"\x89PNG\r\n\x1a\n", Kind("PNG", "image")),
    (b"GIF87a", Kind("GIF", "image")),
    (b"GIF89a", Kind("GIF", "image")),
    (b"8BPS", Kind("PSD", "image")),
    (b"\xff\x0a", Kind("JXL", "image")),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", Kind("JXL", "image")),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", Kind("JP2", "image")),
    (b"\xff\x4f\xff\x51", Kind("JP2", "image")),
    (b"FUJIFILMCCD-RAW", Kind("RAF", "image")),
    (b"II\x1a\x00\x00\x00HEAPCCDR", Kind("CRW", "image")),
    (b"\x00MRM", Kind("MRW", "image")),
    (b"FOVb", Kind("X3F", "image")),
    (b"IIRO", Kind("ORF", "image")),
    (b"IIRS", Kind("ORF", "image")),
    (b"MMOR", Kind("ORF", "image")),
    (b"IIU\x00", Kind("RW2", "image")),
    (b"II*\x00\x10\x00\x00\x00CR", Kind("CR2", "image")),
    (b"II*\x00", Kind("TIFF", "image")),
    (b"MM\x00*", Kind("TIFF", "image")),
    (b"II+\x00", Kind("TIFF", "image")),
    (b"MM\x00+", Kind("TIFF", "image")),
    (b"\x00\x00\x01\xba", Kind("MPEG", "video")),
    (b"\x00\x00\x01\xb3", Kind("MPEG", "video")),
    (b"0&\xb2u\x8ef\xcf\x11", Kind("WMV", "video")),
    (b"FLV\x01", Kind("FLV", "video")),
    (b"OggS", Kind("OGV", "video")),
)


def _sniff_ftyp(head: bytes) -> Kind:
    """By the major brand of the file type box; by its compatible brands where that one says nothing."""
    end = min(max(int.from_bytes(head[:4], "big"), 16), 256)
    compatible = [head[at : at + 4] for at in range(16, end - 3, 4)]
    for brand in (head[8:12], *compatible):
        if brand in (b"mif1", b"msf1"):
            avif = any(one in (b"avif", b"avis") for one in compatible)
            return Kind("AVIF" if avif else "HEIC", "image")
        kind = _BRANDS.get(brand) or _BRANDS.get(brand[:3])
        if kind is not None:
            return kind
    return Kind("MP4", "video")


def identify(name: str, head: bytes) -> Identified | None:
    """What the file is. Content decides; a TIFF head keeps the RAW format that the name says (NEF, ARW, DNG...).

    None: neither name nor content say that it is a picture or a video.
    """
    said, found = by_extension(name), sniff(head)
    if found is None:
        return Identified(said.format, said.media, None) if said else None
    if said is None:
        note = f"is {found.format}" + (f", but is named .{extension(name)}" if extension(name) else "")
        return Identified(found.format, found.media, note if extension(name) else None)
    if said == found or _compatible(said, found):
        return Identified(said.format, said.media, None)
    note = f"named .{extension(name)}, but its content is {found.format}"
    return Identified(found.format, found.media, note)


def _compatible(said: Kind, found: Kind) -> bool:
    """Formats that share their first bytes, so that the name may know better."""
    if found.format == "TIFF":
        return said.format in RAW_FORMATS
    if said.media == found.media == "video":
        families = ({"MP4", "MOV", "3GP", "3G2"}, {"MKV", "WEBM"}, {"MPEG", "M2TS"})
        return any(said.format in family and found.format in family for family in families)
    return said.format == "EIP" or (said.format in RAW_FORMATS and found.format in RAW_FORMATS)
