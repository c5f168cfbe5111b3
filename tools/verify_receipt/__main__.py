"""Check a Jifen receipt offline.

    python -m verify_receipt receipt.json [--trust KEY]… [--head head.json [--consistency proof.json]]

Run it where the folder `verify_receipt` lies.
Exit status 0: valid. 1: invalid, and what exactly is wrong. 2: the files cannot be read.

离线验证 Jifen 凭证:只用标准库,在 `verify_receipt` 文件夹所在处运行。
退出状态 0 有效,1 无效(并说明原因),2 文件无法读取。
"""

import argparse
import json
import sys

from .form import Invalid, check_hex, instant
from .head import check_other_head
from .receipt import check_receipt

KINDS = {
    1: ("earned", "获得"),
    2: ("spent", "消费"),
    3: ("held", "预留"),
    4: ("captured", "扣减预留"),
    5: ("voided", "释放预留"),
    6: ("expired", "过期"),
    7: ("hold expired", "预留到期"),
    8: ("reversed", "撤销"),
    9: ("released", "到账"),
    10: ("deferred", "到账时间调整"),
    11: ("frozen", "冻结"),
    12: ("unfrozen", "解冻"),
    13: ("transferred out", "转出"),
    14: ("transferred in", "转入"),
}


class Unreadable(Exception):
    """A file that is no JSON or not there."""


def main(arguments=None):
    """Read, check, tell; returns the exit status."""
    parser = argparse.ArgumentParser(
        "python -m verify_receipt", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("receipt", help="the receipt, JSON / 凭证文件")
    parser.add_argument(
        "--trust", action="append", default=[], help="a public key that you trust, 64 hex digits / 信任的公钥"
    )
    parser.add_argument("--head", help="a head that you kept / 您保存的日志头")
    parser.add_argument("--consistency", help="the proof between it and the receipt's head / 一致性证明")
    asked = parser.parse_args(arguments)
    try:
        for key in asked.trust:
            check_hex(key, 32, "--trust")
        receipt = read(asked.receipt)
        check_receipt(receipt, asked.trust)
        if asked.head:
            proof = read(asked.consistency) if asked.consistency else None
            check_other_head(receipt, read(asked.head), proof, asked.trust)
    except Unreadable as error:
        print(f"UNREADABLE: {error}\n无法读取:{error}", file=sys.stderr)
        return 2
    except Invalid as error:
        english, chinese = error.args
        print(f"INVALID: {english}\n无效:{chinese}")
        return 1
    tell(receipt)
    if asked.head:
        print("  and one log with the head that you kept / 与您保存的日志头属于同一日志")
    return 0


def read(path):
    """The JSON of a file; numbers must be whole, names may not come twice. Raises `Unreadable`, `Invalid`."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file, parse_float=refuse_number, parse_constant=refuse_number, object_pairs_hook=unique)
    except (OSError, ValueError, RecursionError) as error:
        raise Unreadable(f"{path}: {error}") from error


def refuse_number(text):
    """Nothing in a receipt is a fraction."""
    raise Invalid(f"{text} is not a whole number.", f"{text} 不是整数。")


def unique(pairs):
    """An object whose names are all different."""
    found = {}
    for name, value in pairs:
        if name in found:
            raise Invalid(f"`{name}` comes twice.", f"`{name}` 重复出现。")
        found[name] = value
    return found


def tell(receipt):
    """What a valid receipt proves."""
    entry, head = receipt["entry"], receipt["head"]
    english, chinese = KINDS.get(entry["kind"], (f"kind {entry['kind']}", f"类型 {entry['kind']}"))
    at, sealed = (instant(value).isoformat(timespec="seconds") for value in (entry["at_us"], head["at_us"]))
    who = f"{entry['program_id']}/{entry['member_id']}/{entry['asset_id']}/{entry['seq']}"
    print(
        f"VALID: entry {who}: {english} {entry['amount']:+}, balance {entry['balance_after']}, {at}, {entry['cause']}"
    )
    print(f"  sealed as leaf {receipt['index']} under head {head['number']} of {head['size']} leaves, {sealed}")
    print(f"  signed by key {head['key_id']}: compare it with the published one")
    print(f"有效:记录 {who}:{chinese} {entry['amount']:+},余额 {entry['balance_after']},{at}")
    print(
        f"  封存于第 {head['number']} 个日志头(共 {head['size']} 条)之下,序号 {receipt['index']};请核对公布的密钥编号"
    )


if __name__ == "__main__":
    sys.exit(main())
