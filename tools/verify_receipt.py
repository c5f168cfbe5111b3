#!/usr/bin/env python3
"""Check a Jifen receipt offline: one file, the standard library alone, nothing of Jifen. See docs/receipts.md.

    python verify_receipt.py receipt.json [--trust KEY]… [--head head.json [--consistency proof.json]]

Exit status 0: valid. 1: invalid, and what exactly is wrong. 2: the files cannot be read.

离线验证 Jifen 凭证:单个文件,只用标准库。退出状态 0 有效,1 无效(并说明原因),2 文件无法读取。
"""

import argparse
import json
import re
import struct
import sys
from datetime import datetime, timedelta, timezone
from hashlib import sha256, sha512

FORMAT = "jifen receipt v1"
RECEIPT_FIELDS = ("format", "entry", "previous", "hash", "index", "path", "head", "public_key")
NUMBERS = (
    *("program_id", "member_id", "asset_id", "seq", "kind", "amount", "held_delta", "balance_after", "held_after"),
    "at_us",
)
ENTRY_FIELDS = (*NUMBERS, "posting_id", "lots", "cause", "rule_version", "reverses", "reversed", "hold_id", "meta")
HEAD_FIELDS = ("program_id", "number", "size", "root", "at_us", "key_id", "signature")
KINDS = {
    1: ("earned", "获得"),
    2: ("spent", "消费"),
    3: ("held", "预留"),
    4: ("captured", "扣减预留"),
    5: ("voided", "取消预留"),
    6: ("expired", "过期"),
    7: ("hold expired", "预留到期"),
    8: ("reversed", "撤销"),
    9: ("released", "转为可用"),
    10: ("deferred", "延期可用"),
    11: ("frozen", "冻结"),
    12: ("unfrozen", "解冻"),
    13: ("transferred out", "转出"),
    14: ("transferred in", "转入"),
}


class Invalid(Exception):
    """What is wrong, in English and Chinese."""


class Unreadable(Exception):
    """A file that is no JSON or not there."""


def check_receipt(receipt, trusted=()):
    """Raise `Invalid` unless every field of the receipt is proven by its signed head. `trusted`: public keys (hex)."""
    check_shape(receipt)
    entry, head = receipt["entry"], receipt["head"]
    public_key = bytes.fromhex(receipt["public_key"])
    if trusted and receipt["public_key"] not in trusted:
        raise Invalid("The receipt's public key is not one that you trust.", "凭证的公钥不在您信任的公钥之列。")
    check_head(head, {sha256(public_key).hexdigest(): public_key})
    if head["program_id"] != entry["program_id"]:
        raise Invalid("The head is of another program than the entry.", "日志头与记录不属于同一项目。")
    if receipt["index"] >= head["size"]:
        raise Invalid("The index lies behind the end of the log.", "序号超出日志范围。")
    first = sha256(pack("iqh", entry["program_id"], entry["member_id"], entry["asset_id"])).hexdigest()
    if entry["seq"] == 1 and receipt["previous"] != first:
        raise Invalid(
            "`previous` of a first entry must be its account's opening hash.", "首条记录的 `previous` 不正确。"
        )
    computed = entry_hash(entry, bytes.fromhex(receipt["previous"]))
    if computed.hex() == receipt["hash"]:
        if not is_included(receipt, computed):
            raise Invalid(
                "The entry is not in the log under this head: its key, hash, index or path was changed.",
                "该记录不在此日志头之下:记录、哈希、序号或路径被改动。",
            )
    elif is_included(receipt, bytes.fromhex(receipt["hash"])):
        raise Invalid(
            "The entry's content was changed: it does not give the hash that was sealed.",
            "记录内容被改动:与封存的哈希不符。",
        )
    elif is_included(receipt, computed):
        raise Invalid(
            "`hash` was changed; the entry's content is the sealed one.", "`hash` 被改动;记录内容与封存一致。"
        )
    else:
        raise Invalid("Neither content nor hash is what was sealed.", "记录内容和哈希都与封存不符。")


def check_shape(receipt):
    """Every field there, none besides, each in its one form."""
    check_fields(receipt, RECEIPT_FIELDS, "")
    if receipt["format"] != FORMAT:
        raise Invalid(f"`format` must be {FORMAT!r}.", f"`format` 必须是 {FORMAT!r}。")
    entry = receipt["entry"]
    check_fields(entry, ENTRY_FIELDS, "entry.")
    for name in NUMBERS:
        check_number(entry[name], f"entry.{name}", low=-(2**63))
    for name in ("rule_version", "reverses", "reversed"):
        if entry[name] is not None:
            check_number(entry[name], f"entry.{name}", low=-(2**63))
    check_hex(entry["posting_id"], 16, "entry.posting_id")
    if entry["hold_id"] is not None:
        check_hex(entry["hold_id"], 16, "entry.hold_id")
    if not isinstance(entry["lots"], list) or len(entry["lots"]) % 2:
        raise malformed("entry.lots")
    for number in entry["lots"]:
        check_number(number, "entry.lots", low=-(2**63))
    if not isinstance(entry["cause"], str):
        raise malformed("entry.cause")
    if entry["meta"] is not None and not isinstance(entry["meta"], dict):
        raise malformed("entry.meta")
    check_hex(receipt["previous"], 32, "previous")
    check_hex(receipt["hash"], 32, "hash")
    check_number(receipt["index"], "index")
    check_path(receipt["path"])
    check_hex(receipt["public_key"], 32, "public_key")
    check_head_shape(receipt["head"], "head.")


def entry_hash(entry, previous):
    """The hash of an entry in its account's chain, over all of its content and the hash before it."""
    fixed = pack(
        "iqhqhqqqqq16sI",
        *(entry[name] for name in NUMBERS),
        bytes.fromhex(entry["posting_id"]),
        len(entry["lots"]),
    )
    lots = pack(f"{len(entry['lots'])}q", *entry["lots"])
    details = [entry[name] for name in ("cause", "rule_version", "reverses", "reversed", "hold_id", "meta")]
    text = json.dumps(details, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        raise malformed("entry.meta") from None
    return sha256(previous + fixed + lots + sha256(encoded).digest()).digest()


def is_included(receipt, chain_hash):
    """Whether the entry with that hash is in the tree under the receipt's head (RFC 9162 2.1.3.2)."""
    entry, head = receipt["entry"], receipt["head"]
    leaf = pack("iqhq32s", entry["program_id"], entry["member_id"], entry["asset_id"], entry["seq"], chain_hash)
    reached, place, last = sha256(b"\x00" + leaf).digest(), receipt["index"], head["size"] - 1
    for step in map(bytes.fromhex, receipt["path"]):
        if not last:
            return False
        if place & 1 or place == last:
            reached = node(step, reached)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            reached = node(reached, step)
        place, last = place >> 1, last >> 1
    return not last and reached.hex() == head["root"]


def check_head(head, public_keys):
    """Raise `Invalid` unless the head is signed by one of the keys `{key id: public key}`."""
    public_key = public_keys.get(head["key_id"])
    if public_key is None:
        raise Invalid(
            f"The head of size {head['size']} is signed by a key that is not given: {head['key_id']}.",
            f"大小为 {head['size']} 的日志头由未提供的密钥签名:{head['key_id']}。",
        )
    name, root = b"jifen head v1".ljust(16, b"\x00"), bytes.fromhex(head["root"])
    message = pack("16siqq32sq", name, head["program_id"], head["number"], head["size"], root, head["at_us"])
    if not is_signed(message, bytes.fromhex(head["signature"]), public_key):
        raise Invalid(
            f"The signature of the head of size {head['size']} does not hold: head, signature or key was changed.",
            f"大小为 {head['size']} 的日志头签名不成立:内容被改动,或并非该密钥签名。",
        )


def check_other_head(receipt, other, proof, trusted=()):
    """Raise `Invalid` unless the log of the receipt's head and that of another, kept head are one and the same log.

    `proof` is the answer of `/v1/audit/consistency` for both; heads of equal size need none.
    """
    other = normal_head(other, "head file: ")
    public_keys = {sha256(bytes.fromhex(key)).hexdigest(): bytes.fromhex(key) for key in trusted}
    own = bytes.fromhex(receipt["public_key"])
    check_head(other, {sha256(own).hexdigest(): own, **public_keys})
    earlier, later = sorted((other, receipt["head"]), key=lambda head: (head["size"], head["number"]))
    if earlier["program_id"] != later["program_id"]:
        raise Invalid("The two heads are of different programs.", "两个日志头不属于同一项目。")
    if earlier["number"] > later["number"] or earlier["at_us"] > later["at_us"]:
        raise Invalid("The smaller head is numbered or dated after the larger one.", "较小的日志头反而编号或时间更晚。")
    if earlier["size"] == later["size"]:
        if earlier["root"] != later["root"]:
            raise Invalid(
                "Two heads of one size have different roots: the log was forked.", "同样大小的日志头根不同:日志被分叉。"
            )
        return
    if proof is None:
        raise Invalid("Heads of different sizes need --consistency.", "大小不同的日志头需要 --consistency 一致性证明。")
    check_fields(proof, ("first", "second", "path"), "proof: ")
    check_path(proof["path"])
    if [normal_head(proof["first"], "first."), normal_head(proof["second"], "second.")] != [earlier, later]:
        raise Invalid("The consistency proof is about other heads.", "一致性证明针对的是其他日志头。")
    if not is_consistent(earlier, later, [bytes.fromhex(step) for step in proof["path"]]):
        raise Invalid(
            "The later log does not begin with the earlier one: something sealed was changed, dropped or inserted.",
            "较新的日志并不以较早的日志开头:已封存的内容被改动、删除或插入。",
        )


def is_consistent(first, second, path):
    """Whether the tree of `second` begins with that of `first` (RFC 9162 2.1.4.2)."""
    place, last = first["size"] - 1, second["size"] - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    if place:
        if not path:
            return False
        old = new = path[0]
        path = path[1:]
    else:
        old = new = bytes.fromhex(first["root"])
    for step in path:
        if not last:
            return False
        if place & 1 or place == last:
            old, new = node(step, old), node(step, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = node(new, step)
        place, last = place >> 1, last >> 1
    return not last and old.hex() == first["root"] and new.hex() == second["root"]


def normal_head(head, where):
    """A head as it is signed; over HTTP it also says its instant in words, which must be the same."""
    if isinstance(head, dict) and "at" in head:
        at = head["at"]
        head = {name: value for name, value in head.items() if name != "at"}
        check_head_shape(head, where)
        if at != instant(head["at_us"]).isoformat().replace("+00:00", "Z"):
            raise malformed(f"{where}at")
    check_head_shape(head, where)
    return head


def check_head_shape(head, where):
    """Every field of a head, each in its one form."""
    check_fields(head, HEAD_FIELDS, where)
    check_number(head["program_id"], f"{where}program_id")
    check_number(head["number"], f"{where}number", low=1)
    check_number(head["size"], f"{where}size", low=1)
    check_number(head["at_us"], f"{where}at_us")
    for name, size in (("root", 32), ("key_id", 32), ("signature", 64)):
        check_hex(head[name], size, where + name)


def check_fields(value, names, where):
    """An object with exactly these fields."""
    if not isinstance(value, dict):
        raise malformed(where or "receipt")
    for name in names:
        if name not in value:
            raise Invalid(f"`{where}{name}` is missing.", f"缺少 `{where}{name}`。")
    for name in value:
        if name not in names:
            raise Invalid(f"`{where}{name}` does not belong there.", f"多出 `{where}{name}`。")


def check_number(value, where, low=0):
    """A whole number that fits into 64 bits."""
    if type(value) is not int or not low <= value < 2**63:
        raise malformed(where)


def check_hex(value, size, where):
    """So many bytes in lower-case hexadecimal."""
    if not isinstance(value, str) or not re.fullmatch(f"[0-9a-f]{{{2 * size}}}", value):
        raise malformed(where)


def check_path(path):
    """A list of hashes, as many as a tree can be high."""
    if not isinstance(path, list) or len(path) > 128:
        raise malformed("path")
    for step in path:
        check_hex(step, 32, "path")


def malformed(where):
    """The refusal of a field that has not its form."""
    return Invalid(f"`{where}` is malformed.", f"`{where}` 格式不正确。")


def node(left, right):
    """The hash over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def pack(form, *values):
    """Big-endian bytes. A number out of its range is no number that we ever sealed."""
    try:
        return struct.pack(f">{form}", *values)
    except struct.error:
        raise Invalid("A number is out of its range.", "数值超出范围。") from None


def instant(microseconds):
    """Microseconds since 1970 as an instant."""
    try:
        return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=microseconds)  # noqa: UP017
    except OverflowError:
        raise malformed("at_us") from None


# Ed25519 (RFC 8032 5.1.7), verification only: a point is (X, Y, Z, T), x = X/Z, y = Y/Z, x·y = T/Z.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def is_signed(message, signature, public_key):
    """Whether the key signed the message: [S]B = R + [k]A."""
    key, commitment = point_of(public_key), point_of(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or key is None or commitment is None or scalar >= ORDER:
        return False
    challenge = int.from_bytes(sha512(signature[:32] + public_key + message).digest(), "little") % ORDER
    left, right = times(scalar, BASE), plus(commitment, times(challenge, key))
    return not (left[0] * right[2] - right[0] * left[2]) % P and not (left[1] * right[2] - right[1] * left[2]) % P


def point_of(encoded):
    """The point that 32 bytes encode, or None when they encode none."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if len(encoded) != 32 or y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (not x and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def plus(one, other):
    """The sum of two points."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar, point):
    """A point added to itself so many times."""
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = plus(total, point)
        point = plus(point, point)
        scalar >>= 1
    return total


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


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
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise Invalid(f"`{name}` comes twice.", f"`{name}` 重复出现。")
    return dict(pairs)


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


def main(arguments=None):
    """Read, check, tell; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
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


if __name__ == "__main__":
    sys.exit(main())
