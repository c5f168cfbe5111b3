"""How refusals about birthdays are answered."""

from common.http.problems import Wording, Wordings
from services.levels.anniversaries.domain import BirthdayKnown, NoBirthday

WORDINGS: Wordings = {
    BirthdayKnown: Wording(
        409,
        "Your birthday was entered before, and is entered once; ask customer service to correct it.",
        "生日只能填写一次,您此前已填写;如需更正请联系客服。",
    ),
    NoBirthday: Wording(
        404,
        "No birthday is entered; PUT /v1/members/…/birthday enters one.",
        "尚未填写生日,可用 PUT /v1/members/…/birthday 填写。",
    ),
}
