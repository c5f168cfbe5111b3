"""What goes over the wire about profiles. The parts are what the services answer; their documents describe them."""

from typing import Any

from marshmallow import Schema, fields

from common.http.fields import Instant


def _part(path: str, what: str) -> dict[str, Any]:
    said = f"{what}, as `GET {path}` answers; null when it is missing"
    return {"required": True, "allow_none": True, "metadata": {"description": said}}


def _object(path: str, what: str) -> fields.Dict:
    return fields.Dict(keys=fields.String(), **_part(path, what))


def _list(path: str, what: str) -> fields.List[Any]:
    return fields.List(fields.Dict(keys=fields.String()), **_part(path, what))


class MissingSchema(Schema):
    """A part that is not there, and why."""

    part = fields.String(required=True)
    service = fields.String(required=True)
    code = fields.String(required=True)
    detail = fields.String(required=True)


class PartsSchema(Schema):
    """The parts of a profile."""

    member = _object("/v1/members/{member_id}", "Who they are: tier and progress, streaks, badges")
    accounts = _list("/v1/accounts", "What they own by bucket, and what expires next")
    holds = _list("/v1/accounts/{asset}", "Their open holds, each with its asset")
    timeline = _list("/v1/timeline", "What happened last, each with its cause")
    redemptions = _list("/v1/redemptions", "Their latest orders")
    relations = _object("/v1/bindings/members/{member_id}", "Who brought them, and whom they brought")
    groupbuys = _list("/v1/groupbuys/members/{member_id}", "The open groups in which they sit")


class ProfileResponse(Schema):
    """A member, part by part. Every part that could not be had is named in `missing`, with the reason."""

    member_id = fields.Integer(required=True)
    as_of = Instant(required=True)
    parts = fields.Nested(PartsSchema, required=True)
    missing = fields.List(fields.Nested(MissingSchema), required=True)
