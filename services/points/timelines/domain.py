"""The timeline as values: its order, the place in it that a page ends at, and what caused an entry. Pure."""

import binascii
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.clock import epoch_us, from_epoch_us
from common.errors import Refusal

_NAMED = re.compile(r"^([a-z][a-z_-]*) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z")
_EXCHANGE = re.compile(r"^exchange ([a-z][a-z0-9_-]*)/(.+)\Z")
_CALLER = re.compile(r"^(staff|system|service|member):([^ ]+)(?: (.+))?\Z")
#: What only staff see of an item.
_FOR_STAFF = ("agent", "approved_by", "decided_by", "note", "evidence", "decision_note", "reason", "rule_version")


class BadPlace(Refusal):
    """The place to go on from is none that a page gave."""

    code = "bad_place"


@dataclass(frozen=True, slots=True)
class Place:
    """An item's place: later instants first; within one, by source and then by the source's own order."""

    at: datetime
    source: int
    key: str

    def text(self) -> str:
        """As a page hands it out."""
        return urlsafe_b64encode(json.dumps([epoch_us(self.at), self.source, self.key]).encode()).decode()


def place_of(text: str) -> Place:
    """What `Place.text` said; raises `BadPlace`."""
    try:
        at_us, source, key = json.loads(urlsafe_b64decode(text.encode()))
        at = from_epoch_us(at_us)
        key.encode()
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error) as error:
        raise BadPlace() from error
    if type(source) is not int or not 0 <= source < 100 or not isinstance(key, str) or "\x00" in key:
        raise BadPlace()
    return Place(at, source, key)


def event_keys(causes: Sequence[str]) -> list[tuple[str, str]]:
    """The `(source, id)` of events that causes may name: neither half of an event's name has a space."""
    halves = (cause.split(" ") for cause in dict.fromkeys(causes))
    return [(both[0], both[1]) for both in halves if len(both) == 2]


def cause_of(text: str, *, events: set[tuple[str, str]], grants: Mapping[str, str]) -> dict[str, Any]:
    """What caused an entry, as a link: an event of ours, a grant, something with an id, a partner's order, a caller, or
    time itself.
    """
    source, _, rest = text.partition(" ")
    if (source, rest) in events:
        return {"kind": "event", "source": source, "id": rest}
    if text == "time":
        return {"kind": "time"}
    if named := _NAMED.match(text):
        return {"kind": named[1], "id": named[2]}
    if made := _EXCHANGE.match(text):
        return {"kind": "exchange", "partner": made[1], "order": made[2]}
    if text in grants:
        return {"kind": "grant", "id": grants[text], "text": text}
    if caller := _CALLER.match(text):
        key = {"key": caller[3]} if caller[3] else {}
        return {"kind": caller[1], "id": caller[2], **key}
    return {"kind": "other", "text": text}


def for_members(item: dict[str, Any]) -> dict[str, Any]:
    """The item without what staff wrote for staff, or who of them did it."""
    shown = {name: value for name, value in item.items() if name not in _FOR_STAFF}
    cause = item.get("cause") or {}
    if cause.get("kind") in ("staff", "system", "service"):
        shown["cause"] = {"kind": cause["kind"]}
    return shown
