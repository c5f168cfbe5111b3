"""What goes over the wire about birthdays."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from common.http.fields import Instant, integer, member_id
from services.levels.anniversaries.domain import LONGEST, Birthday

MOST_BIRTHDAYS = 1000


class _DayOfYear(Schema):
    """A month and a day; there is no year, for nobody needs it."""

    month = integer(1, 12, required=True)
    day = integer(1, 31, required=True)

    @validates_schema
    def _in_calendar(self, given: dict[str, Any], **_: Any) -> None:
        if given["day"] > LONGEST[given["month"] - 1]:
            raise ValidationError("The month has no such day.", "day")


class BirthdayRequest(_DayOfYear):
    """A birthday, without its year; kept on 28 February where there is no 29th."""

    @post_load
    def _made(self, given: dict[str, Any], **_: Any) -> Birthday:
        return Birthday(given["month"], given["day"])


class MemberBirthday(_DayOfYear):
    """The birthday of one member."""

    member_id = member_id(required=True)


class BirthdaysRequest(Schema):
    """Birthdays of up to a thousand members, each member once."""

    birthdays = fields.List(
        fields.Nested(MemberBirthday), required=True, validate=validate.Length(min=1, max=MOST_BIRTHDAYS)
    )

    @validates_schema
    def _once(self, given: dict[str, Any], **_: Any) -> None:
        named = [one["member_id"] for one in given["birthdays"]]
        if len(set(named)) < len(named):
            raise ValidationError("Name each member once.", "birthdays")

    @post_load
    def _by_member(self, given: dict[str, Any], **_: Any) -> dict[int, Birthday]:
        return {one["member_id"]: Birthday(one["month"], one["day"]) for one in given["birthdays"]}


class BirthdayResponse(Schema):
    """A birthday, and who entered it when."""

    month = fields.Integer(required=True)
    day = fields.Integer(required=True)
    entered_by = fields.String(required=True)
    entered_at = Instant(required=True)


class KeptResponse(Schema):
    """How many birthdays were entered or corrected and how many were so already.

    `not_members` are none of the program; `erased` had their birthday wiped, which a list does not undo.
    """

    entered = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    not_members = fields.List(fields.Integer(), required=True)
    erased = fields.List(fields.Integer(), required=True)


class ErasedResponse(Schema):
    """Nothing is left of it."""

    erased = fields.Boolean(required=True)
