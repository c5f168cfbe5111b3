"""How refusals about staff are answered."""

from common.http.problems import Wording, Wordings
from gateway.staff.domain import BadCredentials, BadStaff, LastAdmin, StaffExists, UnknownStaff, WeakPassword

WORDINGS: Wordings = {
    StaffExists: Wording(
        409,
        "There is staff named {name} already; change them with PUT /v1/staff/{name}.",
        "员工 {name} 已存在,可用 PUT /v1/staff/{name} 修改。",
        pointer="/name",
    ),
    UnknownStaff: Wording(
        404, "There is no staff named {name}; GET /v1/staff lists them.", "没有员工 {name},可用 GET /v1/staff 查看。"
    ),
    LastAdmin: Wording(
        409,
        "{name} is the last admin; make somebody else admin first.",
        "{name} 是最后一名管理员,请先指定另一名管理员。",
    ),
    WeakPassword: Wording(
        422,
        "Choose a password of {shortest} to {longest} characters that is not the name.",
        "密码需 {shortest}-{longest} 个字符,且不能是姓名,请重新设置。",
        pointer="/password",
    ),
    BadStaff: Wording(
        422,
        "The {what} {value!r} will not do: names are a-z 0-9 _ -, roles customer_service, marketer, finance, admin.",
        "{what} {value!r} 不符合要求:姓名用 a-z 0-9 _ -,角色为 customer_service、marketer、finance、admin。",
    ),
    BadCredentials: Wording(
        401,
        "Program, name and password do not belong together; check them, or ask an admin for a new password.",
        "项目、姓名与密码不匹配,请核对,或请管理员重设密码。",
    ),
}
