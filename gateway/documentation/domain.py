"""One OpenAPI document out of many: what is reachable through the door, under one roof."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Document = dict[str, Any]

_REF = "#/components/"
_DESCRIPTION = (
    "Everything the house offers, through its one door. Members and staff send `Authorization: Bearer <token>` from"
    " `POST /v1/sessions/...`; systems sign each request. Requests that move value carry an `Idempotency-Key`."
    " Errors are `application/problem+json` (RFC 9457), worded in English or Chinese by `Accept-Language`."
)
SECURITY_SCHEMES: Document = {
    "member": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of `POST /v1/sessions/member`, good for two hours.",
    },
    "staff": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of `POST /v1/sessions/staff`, good for eight hours; roles stand in each route.",
    },
    "system": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": (
            "`JIFEN-HMAC-SHA256 key=<id>, timestamp=<epoch seconds>, nonce=<16-64 characters>, signature=<hex>`: the"
            " HMAC-SHA256, keyed with the key's secret, over method, path with query, timestamp, nonce and the"
            " SHA-256 of the body in hex, joined by line feeds. The clock may differ by 300 s; a nonce counts once."
        ),
    },
}


def merge(parts: Mapping[str, Document], *, reachable: Callable[[str, str], bool], url: str) -> Document:
    """One document of the parts' documents, by service name.

    Of each part only the paths that are `reachable(service, path)`. Components that two parts define differently under
    one name get the service's name in front.
    """
    merged: Document = {
        "openapi": "3.1.0",
        "info": {"title": "Jifen", "version": "v1", "description": _DESCRIPTION},
        "servers": [{"url": url}],
        "tags": [],
        "paths": {},
        "components": {"securitySchemes": SECURITY_SCHEMES},
    }
    clashing = _clashing(parts)
    for service, part in parts.items():
        renamed = _renamed(part, service, clashing)
        paths = {path: item for path, item in renamed.get("paths", {}).items() if reachable(service, path)}
        merged["paths"].update(paths)
        for section, components in renamed.get("components", {}).items():
            if section != "securitySchemes":
                merged["components"].setdefault(section, {}).update(components)
        _add_tags(merged["tags"], renamed.get("tags", []), paths)
    _drop_unused(merged)
    return merged


def _clashing(parts: Mapping[str, Document]) -> set[tuple[str, str]]:
    """The components, as (section, name), that mean different things in different parts.

    Two that are written alike differ all the same when they refer to what differs.
    """
    seen: dict[tuple[str, str], set[str]] = {}
    refers: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for part in parts.values():
        for section, components in part.get("components", {}).items():
            for name, component in components.items():
                seen.setdefault((section, name), set()).add(json.dumps(component, sort_keys=True))
                refers.setdefault((section, name), set()).update(_references(component))
    shared = {known for known in seen if sum(_has(part, known) for part in parts.values()) > 1}
    clashing = {known for known, written in seen.items() if len(written) > 1}
    while more := {known for known in shared - clashing if refers[known] & clashing}:
        clashing |= more
    return clashing


def _has(part: Document, component: tuple[str, str]) -> bool:
    section, name = component
    return name in part.get("components", {}).get(section, {})


def _references(value: Any) -> Iterator[tuple[str, str]]:
    """The components that a piece of a document refers to."""
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str) and reference.startswith(_REF):
            section, _, name = reference.removeprefix(_REF).partition("/")
            yield section, name
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _renamed(part: Document, service: str, clashing: set[tuple[str, str]]) -> Document:
    """The part with the service's name in front of its clashing components, wherever they are named."""

    def new_name(section: str, name: str) -> str:
        return f"{service.capitalize()}{name}" if (section, name) in clashing else name

    def rename(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: special[key](inner) if key in special else rename(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [rename(inner) for inner in value]
        return value

    def _reference(reference: Any) -> Any:
        if not isinstance(reference, str) or not reference.startswith(_REF):
            return rename(reference)
        section, _, name = reference.removeprefix(_REF).partition("/")
        return f"{_REF}{section}/{new_name(section, name)}"

    special: dict[str, Callable[[Any], Any]] = {"$ref": _reference, "pattern": _pattern}
    copy: Document = rename(part)
    copy["components"] = {
        section: {new_name(section, name): component for name, component in components.items()}
        for section, components in copy.get("components", {}).items()
    }
    return copy


def _pattern(pattern: Any) -> Any:
    r"""Python's end of text is `\Z`; where documents are read (ECMA 262) it is `$`."""
    return pattern.replace(r"\Z", "$") if isinstance(pattern, str) else pattern


def _add_tags(tags: list[Document], more: list[Document], paths: Document) -> None:
    used = {
        tag
        for item in paths.values()
        for operation in item.values()
        if isinstance(operation, dict)
        for tag in operation.get("tags", [])
    }
    known = {tag["name"] for tag in tags}
    tags.extend(tag for tag in more if tag["name"] in used - known)


def _drop_unused(merged: Document) -> None:
    """Leave out components that nothing reachable refers to, e.g. those of the feeds."""
    components = merged["components"]
    used: set[tuple[str, str]] = set()
    found = set(_references(merged["paths"]))
    while found:
        used |= found
        found = {
            reference for section, name in found for reference in _references(components.get(section, {}).get(name))
        } - used
    for section in [section for section in components if section != "securitySchemes"]:
        components[section] = {name: it for name, it in components[section].items() if (section, name) in used}
