"""What can be wrong with a line of a changeset, in words: what it is and what to do about it."""

from collections.abc import Mapping

#: What is wrong with a line and what to do about it: code -> (English, Chinese).
FAULTS: Mapping[str, tuple[str, str]] = {
    "no_header": (
        "The sheet is empty; its first line names the columns: {columns}.",
        "表格为空;第一行应为列名:{columns}。",
    ),
    "no_lines": ("The sheet has no lines under its header; add some.", "表头下没有数据行,请补充。"),
    "not_csv": (
        "From here on it is no CSV ({reason}); save the sheet as CSV (UTF-8) again.",
        "此处起不是有效的 CSV({reason}),请另存为 CSV(UTF-8)后重试。",
    ),
    "unknown_column": ("There is no such column; use {columns}.", "没有此列,可用列:{columns}。"),
    "column_twice": ("The column stands there twice; keep one.", "该列重复,请保留一个。"),
    "missing_column": ("The column is missing; add it.", "缺少该列,请补充。"),
    "wrong_number_of_cells": (
        "The line has {cells} cells under {columns} columns; quote cells that contain a comma.",
        "该行有 {cells} 格,但表头有 {columns} 列;含逗号的内容请加引号。",
    ),
    "too_many_lines": (
        "There are {lines} lines, at most {most} go into one changeset; divide them.",
        "共 {lines} 行,单批最多 {most} 行,请拆分。",
    ),
    "member_missing": ("Say which member, by member_id or identity.", "请填写 member_id 或 identity。"),
    "member_twice": ("Give member_id or identity, not both.", "member_id 与 identity 只能填写一个。"),
    "not_a_member_id": (
        "{value} is no member id; format the column as text, so that the spreadsheet keeps every digit.",
        "{value} 不是会员号;请把该列设为文本格式,避免表格软件改写数字。",
    ),
    "not_an_identity": (
        "It is no identity; write it as customer_id:00123 or wechat_openid/<app>:<openid>.",
        "身份标识格式有误,应如 customer_id:00123 或 wechat_openid/<app>:<openid>。",
    ),
    "identity_refused": ("Nobody can be found by it: {reason}", "无法按此标识查找:{reason}"),
    "unknown_member": (
        "There is no such member; check the number, or register the member first.",
        "没有该会员,请核对,或先注册会员。",
    ),
    "unknown_asset": ("There is no asset {value!r}; use one of: {known}.", "没有资产 {value!r},可选:{known}。"),
    "unknown_reason": (
        "There is no reason {value!r}; use one of: {known}.",
        "没有原因代码 {value!r},可选:{known}。",
    ),
    "amount_not_whole": (
        "{value!r} is no whole number; write it without separators, decimals or units, e.g. 1200.",
        "{value!r} 不是整数;请去掉千分位、小数和单位,如 1200。",
    ),
    "amount_nothing": ("0 changes nothing; leave the line out.", "数量为 0,请删除该行。"),
    "opening_below_zero": (
        "An opening balance is above zero; what members owe goes into a changeset of kind adjustment.",
        "期初余额应大于 0;欠分请用 adjustment 类型的批次处理。",
    ),
    "validity_twice": ("Give expires_on or validity, not both.", "expires_on 与 validity 只能填写一个。"),
    "validity_of_debit": (
        "Only what is given expires; leave the cell empty for debits.",
        "只有增加的积分才有有效期,扣减行请留空。",
    ),
    "bad_validity": (
        "The validity {value!r} is not known; write e.g. 12M, 1Y_U or unlimited.",
        "有效期 {value!r} 无法识别,应如 12M、1Y_U 或 unlimited。",
    ),
    "not_a_day": ("{value!r} is no day; write it as 2027-12-31.", "{value!r} 不是日期,应如 2027-12-31。"),
    "expiry_in_the_past": (
        "{value} is over (today is {today}); give a later day or leave the line out.",
        "{value} 已过(今天 {today}),请填写更晚日期或删除该行。",
    ),
    "bad_note": (
        "The note is longer than {most} characters or contains control characters; shorten it.",
        "备注超过 {most} 字或含控制字符,请修改。",
    ),
    "duplicate_line": (
        "It says again what line {of_line} of sheet {of_part} says; leave one of them out.",
        "与第 {of_part} 个表格的第 {of_line} 行重复,请删除其一。",
    ),
    "opened_already": (
        "The account has an opening balance already (changeset {changeset!r}); leave the line out.",
        "该账户已导入过期初余额(批次 {changeset!r}),请删除该行。",
    ),
    "insufficient_points": (
        "Only {available} would be there, {short_by} too few: it would go below zero. Take less.",
        "届时可用 {available},还差 {short_by},会低于零;请减少扣减数量。",
    ),
    "balance_capped": (
        "The member would have more than the asset allows (its most_per_member); give less.",
        "将超过会员对该资产的持有上限(most_per_member),请减少数量。",
    ),
    "earning_too_large": (
        "At most {most} may be earned at once (the asset's {limit}); divide it, or raise the limit first.",
        "单笔最多发放 {most}(资产设置 {limit});请拆分,或先调高上限。",
    ),
    "earning_limited": (
        "The member may earn {left} more in this period (the asset's {limit}); give less, or the rest after {free_at}.",
        "会员本周期还可获得 {left}(资产设置 {limit});请减少数量,或在 {free_at} 之后补发。",
    ),
    "spending_too_large": (
        "At most {most} may be taken at once (the asset's {limit}); divide it, or raise the limit first.",
        "单笔最多扣减 {most}(资产设置 {limit});请拆分,或先调高上限。",
    ),
    "spending_limited": (
        "{left} more may be taken in this period (the asset's {limit}); take less, or the rest after {free_at}.",
        "本周期还可扣减 {left}(资产设置 {limit});请减少数量,或在 {free_at} 之后再扣。",
    ),
    "balance_too_large": (
        "The balance would become too large to count exactly; give less.",
        "余额将超出可精确表示的范围,请减少数量。",
    ),
    "account_frozen": (
        "The account is frozen, so nothing can be taken from it; unfreeze it or leave the line out.",
        "账户已冻结,无法扣减;请先解冻或删除该行。",
    ),
    "points_spent": (
        "{missing} of what the line gave are gone meanwhile; take what is left by an adjustment.",
        "该行发放的积分已有 {missing} 被使用或过期,可改用调整扣回剩余部分。",
    ),
    "reversal_exceeded": (
        "Part of it was reversed already by somebody else; take the rest by an adjustment.",
        "该笔已被部分撤销,请用调整处理剩余部分。",
    ),
}
_OTHERWISE = ("The ledger refused it: {code}. Check the line again.", "账本拒绝:{code},请检查该行。")


def fault_sentence(code: str, facts: Mapping[str, int | str]) -> tuple[str, str]:
    """What is wrong and what to do, in English and in Chinese."""
    en, zh = FAULTS.get(code, _OTHERWISE)
    return en.format(code=code, **facts), zh.format(code=code, **facts)
