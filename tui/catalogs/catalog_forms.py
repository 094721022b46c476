"""What a person is asked when a catalog is made, changed or deleted."""

from __future__ import annotations

import os

from lumina_fs.farewell import Outlook
from lumina_fs.viewing.catalogs import CatalogRow
from lumina_fs.viewing.new_catalog import Opinion, Wish, judge, judge_source
from schemas.names import decode_name
from tui.foreign import named
from tui.forms import Field, Form, Values

_MANAGED = "Managed: plans that I approve may move photos in it"
_PHOTOS = (("keep", "stay where they are"), ("trash", "first a plan that takes them to the trash"))


def new_catalog_form() -> Form:
    """For a new catalog; `wish_of` makes a wish of what it gives."""
    fields = [
        Field("folder", "Folder", "folder", _here(), "Tab completes. Its .lumina folder holds what Lumina writes."),
        Field("name", "Name", "text", "", "Left empty: as the folder."),
        Field("managed", _MANAGED, "check", value=False),
        Field("further", "Further folders", "folders", hint="Sources elsewhere, as a card or another disk."),
        Field("scan", "Scan it now", "check", value=True),
    ]
    return Form("New catalog", fields, "Make it", lambda values: judge(wish_of(values)))


def wish_of(values: Values) -> Wish:
    """What a person wants."""
    return Wish(values["folder"], values["name"], bool(values["managed"]), tuple(values["further"]))


def source_form(row: CatalogRow) -> Form:
    """For one more source of a catalog."""
    places = [source.path for source in row.sources]
    fields = [
        Field("folder", "Folder", "folder", _home(), "Tab completes. It may not overlap with another source."),
        Field("managed", _MANAGED, "check", value=False),
        Field("scan", "Scan it now", "check", value=True),
    ]
    title = f"A source for {named(row.name)}"
    return Form(title, fields, "Add it", lambda values: Opinion(judge_source(values["folder"], places)))


def farewell_form(seen: Outlook) -> Form:
    """For deleting a catalog: what will happen, and its name to be typed."""
    fields = [Field("sidecars", "Set aside the sidecars beside originals too", "check", value=False)]
    if any(source.managed for source in seen.sources):
        fields.append(Field("photos", "Managed photos", "choice", "keep", options=_PHOTOS))
    fields.append(Field("typed", "Type its name"))
    title = f"Delete the catalog {named(seen.name)}?"
    return Form(title, fields, "Delete it", lambda values: _opinion(seen, values), dangerous=True)


def _opinion(seen: Outlook, values: Values) -> Opinion:
    """What will happen, and whether its name is typed."""
    if values.get("photos") == "trash":
        notes = ["A plan is proposed and shown. Nothing else happens now: approve and apply it, then delete once more."]
    else:
        notes = seen.lines(sidecars=bool(values["sidecars"]))
    typed = values["typed"].strip() in (decode_name(seen.name), seen.name, named(seen.name))
    return Opinion("" if typed else f"type {named(seen.name)} to go on", notes)


def _home() -> str:
    return os.path.join(os.path.expanduser("~"), "")


def _here() -> str:
    """The folder that a person stands in; their own where there is none."""
    try:
        return os.path.join(os.getcwd(), "")
    except OSError:
        return _home()
