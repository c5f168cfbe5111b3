"""Signed heads: how many leaves a log had at an instant, under which root; and whether two are of one log."""

from hashlib import sha256

from .ed25519 import is_signed
from .form import Invalid, check_fields, check_hex, check_number, check_path, instant, malformed, pack
from .merkle import is_consistent

HEAD_FIELDS = ("program_id", "number", "size", "root", "at_us", "key_id", "signature")


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
    roots = [bytes.fromhex(head["root"]) for head in (earlier, later)]
    path = [bytes.fromhex(step) for step in proof["path"]]
    if not is_consistent(earlier["size"], roots[0], later["size"], roots[1], path):
        raise Invalid(
            "The later log does not begin with the earlier one: something sealed was changed, dropped or inserted.",
            "较新的日志并不以较早的日志开头:已封存的内容被改动、删除或插入。",
        )


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
