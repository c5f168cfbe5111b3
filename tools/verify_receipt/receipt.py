"""Receipts: an entry of the ledger with all that proves it, checked to the last field."""

import json
from hashlib import sha256

from .form import Invalid, check_fields, check_hex, check_number, check_path, malformed, pack
from .head import check_head, check_head_shape
from .merkle import is_included

FORMAT = "jifen receipt v1"
RECEIPT_FIELDS = ("format", "entry", "previous", "hash", "index", "path", "head", "public_key")
KEY = ("program_id", "member_id", "asset_id", "seq")
NUMBERS = (*KEY, "kind", "amount", "held_delta", "balance_after", "held_after", "at_us")
DETAILS = ("cause", "rule_version", "reverses", "reversed", "hold_id", "meta")
ENTRY_FIELDS = (*NUMBERS, "posting_id", "lots", *DETAILS)


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
        if not is_sealed(receipt, computed):
            raise Invalid(
                "The entry is not in the log under this head: its key, hash, index or path was changed.",
                "该记录不在此日志头之下:记录、哈希、序号或路径被改动。",
            )
    elif is_sealed(receipt, bytes.fromhex(receipt["hash"])):
        raise Invalid(
            "The entry's content was changed: it does not give the hash that was sealed.",
            "记录内容被改动:与封存的哈希不符。",
        )
    elif is_sealed(receipt, computed):
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
    details = [entry[name] for name in DETAILS]
    text = json.dumps(details, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        raise malformed("entry.meta") from None
    return sha256(previous + fixed + lots + sha256(encoded).digest()).digest()


def is_sealed(receipt, chain_hash):
    """Whether the entry with that hash is in the tree under the receipt's head."""
    entry, head = receipt["entry"], receipt["head"]
    leaf = pack("iqhq32s", *(entry[name] for name in KEY), chain_hash)
    path = [bytes.fromhex(step) for step in receipt["path"]]
    return is_included(leaf, receipt["index"], path, head["size"], bytes.fromhex(head["root"]))
