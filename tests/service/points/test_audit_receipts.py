"""Receipts, fetched over HTTP and checked by the offline script as a process of its own; and every way to forge one."""

import json
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from services.points.audit.jobs import seal_posted
from tests.points import Brand, built_once, done
from tests.support import Callers
from tools.verify_receipt.ed25519 import ORDER, is_signed, point_of
from tools.verify_receipt.form import Invalid
from tools.verify_receipt.receipt import check_receipt

FOLDER = Path(__file__).parents[3] / "tools" / "verify_receipt"
PUBLIC_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


@built_once
def thirteen_leaves(brand: Brand) -> None:
    """Entries of every kind for member 7 among those of others, under two heads of 8 and 13 leaves."""
    earned = brand.earn(100, validity="9D", reason="欢迎")  # 1
    brand.earn(10, member_id=8)
    spent = brand.spend(30)  # 2
    brand.reverse(spent, amount=20)  # 3
    held = brand.hold(25)  # 4
    brand.capture(held, amount=10)  # 5
    brand.void(brand.hold(5))  # 6, 7
    seal_posted()
    for member in range(20, 24):
        brand.earn(1, member_id=member)
    brand.reverse(earned, amount=7)  # 8
    seal_posted()


@pytest.fixture
def history(brand: Brand) -> Brand:
    """A log of thirteen leaves."""
    thirteen_leaves(brand)
    return brand


def receipt(brand: Brand, seq: int, *, member: int = 7) -> dict[str, Any]:
    """A receipt, fetched over HTTP by its member."""
    return done(brand.callers.member(member).get(f"/v1/audit/receipts/points/{seq}"))


def run(folder: Path, given: Any, *more: str) -> tuple[int, str]:
    """The check of a receipt, saved as a file beside the tool."""
    path = folder / "receipt.json"
    path.write_text(given if isinstance(given, str) else json.dumps(given, ensure_ascii=False), encoding="utf-8")
    return verify(folder, str(path), *more)


def verify(folder: Path, *arguments: str) -> tuple[int, str]:
    """A copy of the tool as a process that sees neither our packages nor installed ones: exit status, what it said."""
    shutil.copytree(FOLDER, folder / "verify_receipt", dirs_exist_ok=True)
    command = [sys.executable, "-E", "-s", "-S", "-X", "utf8", "-m", "verify_receipt", *arguments]
    ended = subprocess.run(command, capture_output=True, cwd=folder, check=False, timeout=60)
    return ended.returncode, (ended.stdout + ended.stderr).decode()


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of every value in a JSON document, lists and objects themselves too."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([path] if path else []), *(found for key, item in inner for found in leaves(item, (*path, key)))]


def changed(value: Any) -> list[Any]:
    """Other values in the place of one, near and far."""
    if value is None:
        return [0, "", {}]
    if isinstance(value, bool | int):
        return [value + 1, value - 1, -value or 7, str(value), float(value), None, value + 2**64]
    if isinstance(value, str):
        flipped = [value[:at] + ("0" if value[at] != "0" else "1") + value[at + 1 :] for at in range(0, len(value), 9)]
        return [*flipped, value + "0", value[:-1], value.upper() if value.upper() != value else value + " ", None, 7]
    if isinstance(value, list):
        return [[*value, *value[-1:]] if value else [1, 2], value[:-1] if value else None, [*value[::-1], 0], None]
    return [{**value, "more": 1}, dict(list(value.items())[1:]), None, []]


def put(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """A copy with another value at a path."""
    made = deepcopy(document)
    inner = made
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return made


def test_a_receipt_of_every_kind_of_entry_is_valid(history: Brand, tmp_path: Path) -> None:
    for seq in range(1, 9):
        status, said = run(tmp_path, receipt(history, seq))
        assert status == 0, said
        assert "VALID: entry 1/7/" in said
        assert "有效" in said
    assert run(tmp_path, receipt(history, 1, member=8))[0] == 0


def test_a_receipt_says_what_it_proves(history: Brand, tmp_path: Path) -> None:
    status, said = run(tmp_path, receipt(history, 2), "--trust", PUBLIC_KEY)
    assert (status, "spent -30, balance 70" in said, "消费 -30" in said, "of 13 leaves" in said) == (0, *[True] * 3)


@pytest.mark.parametrize("seq", [1, 3, 5, 8])
def test_any_change_of_any_field_makes_it_invalid(history: Brand, seq: int) -> None:
    genuine = receipt(history, seq)
    check_receipt(genuine)
    tried = 0
    for path in leaves(genuine):
        value: Any = genuine
        for step in path:
            value = value[step]
        for other in changed(value):
            forged = put(genuine, path, other)
            if json.dumps(forged) == json.dumps(genuine):
                continue
            tried += 1
            with pytest.raises(Invalid) as refusal:
                check_receipt(forged)
            english, chinese = refusal.value.args
            assert english.isascii()
            assert not chinese.isascii()
    assert tried > 200


def test_a_forged_receipt_fails_as_a_process_too(history: Brand, tmp_path: Path) -> None:
    genuine = receipt(history, 2)
    for path, value, expected in (
        (("entry", "amount"), -31, "content was changed"),
        (("entry", "meta"), {"reason": "gift"}, "content was changed"),
        (("hash",), "0" * 64, "`hash` was changed"),
        (("index",), 0, "not in the log under this head"),
        (("path", 0), "0" * 64, "not in the log under this head"),
        (("previous",), "0" * 64, "content was changed"),
        (("entry", "member_id"), 8, "Neither content nor hash"),
        (("entry", "program_id"), 2, "another program"),
        (("head", "size"), 12, "signature of the head of size 12"),
        (("head", "root"), "0" * 64, "does not hold"),
        (("head", "number"), 1, "does not hold"),
        (("head", "key_id"), "0" * 64, "signed by a key that is not given"),
        (("public_key",), "0" * 64, "signed by a key that is not given"),
        (("head", "at_us"), 0, "does not hold"),
        (("format",), "jifen receipt v2", "`format` must be"),
    ):
        status, said = run(tmp_path, put(genuine, path, value))
        assert status == 1, path
        assert expected in said, (path, said)
        assert "无效" in said


def test_a_head_signed_by_somebody_else_is_not_trusted(history: Brand, tmp_path: Path) -> None:
    other = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    status, said = run(tmp_path, receipt(history, 2), "--trust", other)
    assert (status, "not one that you trust" in said) == (1, True)
    assert run(tmp_path, receipt(history, 2), "--trust", other, "--trust", PUBLIC_KEY)[0] == 0
    assert run(tmp_path, receipt(history, 2), "--trust", "abc")[0] == 1


@pytest.mark.parametrize(
    ("text", "status", "expected"),
    [
        ("", 2, "UNREADABLE"),
        ("{", 2, "UNREADABLE"),
        ("[]", 1, "`receipt` is malformed"),
        ("{}", 1, "`format` is missing"),
        ('{"format": "jifen receipt v1", "format": "jifen receipt v1"}', 1, "comes twice"),
        ('{"format": 1.5}', 1, "not a whole number"),
        ('{"format": NaN}', 1, "not a whole number"),
        ("[" * 100_000, 2, "UNREADABLE"),
    ],
)
def test_what_is_no_receipt_is_said_to_be_none(tmp_path: Path, text: str, status: int, expected: str) -> None:
    ended, said = run(tmp_path, text)
    assert ended == status
    assert expected in said


def test_a_file_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    ended, said = verify(tmp_path, str(tmp_path / "none.json"))
    assert (ended, "UNREADABLE" in said) == (2, True)


class Auditor:
    """Somebody who kept a head and asks for the proof that leads from there to a receipt's head, or back."""

    def __init__(self, brand: Brand, folder: Path) -> None:
        self.brand, self.folder = brand, folder
        heads = done(brand.shop.get("/v1/audit/heads"))["heads"]
        self.heads = {head["size"]: head for head in heads}

    def proof(self, first: int, second: int) -> dict[str, Any]:
        return done(self.brand.shop.get("/v1/audit/consistency", first=first, second=second))

    def check(self, given: dict[str, Any], head: Any, proof: Any = None) -> tuple[int, str]:
        (self.folder / "head.json").write_text(json.dumps(head))
        more = ["--head", str(self.folder / "head.json")]
        if proof is not None:
            (self.folder / "proof.json").write_text(json.dumps(proof))
            more += ["--consistency", str(self.folder / "proof.json")]
        return run(self.folder, given, *more)


def test_an_earlier_head_is_proven_to_be_of_the_same_log(history: Brand, tmp_path: Path) -> None:
    auditor = Auditor(history, tmp_path)
    given = receipt(history, 2)
    status, said = auditor.check(given, auditor.heads[8], auditor.proof(8, 13))
    assert (status, "one log" in said) == (0, True)
    assert auditor.check(given, auditor.heads[13])[0] == 0
    assert auditor.check(given, {k: v for k, v in auditor.heads[8].items() if k != "at"}, auditor.proof(8, 13))[0] == 0


def test_an_old_receipt_is_proven_under_a_later_head(history: Brand, tmp_path: Path) -> None:
    old = receipt(history, 2)
    history.earn(5, member_id=30)
    seal_posted()
    auditor = Auditor(history, tmp_path)
    assert auditor.check(old, auditor.heads[14], auditor.proof(13, 14))[0] == 0


def test_a_log_that_was_rewritten_does_not_follow_from_a_kept_head(history: Brand, tmp_path: Path) -> None:
    auditor, given = Auditor(history, tmp_path), receipt(history, 2)
    proof = auditor.proof(8, 13)
    for head, shown, expected in (
        (auditor.heads[8], None, "need --consistency"),
        ({**auditor.heads[8], "root": "0" * 64}, proof, "does not hold"),
        ({**auditor.heads[8], "at": "2020-01-01T00:00:00Z"}, proof, "`head file: at` is malformed"),
        (auditor.heads[8], {**proof, "path": proof["path"][:-1]}, "does not begin with the earlier one"),
        (auditor.heads[8], {**proof, "path": ["0" * 64, *proof["path"][1:]]}, "does not begin with the earlier one"),
        (auditor.heads[8], {**proof, "path": []}, "does not begin with the earlier one"),
        (auditor.heads[8], {**proof, "first": proof["second"]}, "about other heads"),
        (auditor.heads[8], {**proof, "more": 1}, "does not belong there"),
        ([], proof, "`head file: ` is malformed"),
    ):
        status, said = auditor.check(given, head, shown)
        assert (status, expected in said) == (1, True), (expected, said)


def test_a_forked_log_is_found_even_when_both_heads_are_signed(history: Brand, points: Callers, tmp_path: Path) -> None:
    from services.points.audit.domain import head_bytes
    from services.points.audit.signing import signer
    from tests.points import sql

    given, auditor = receipt(history, 2), Auditor(history, tmp_path)
    row = sql("SELECT at FROM points_audit_heads WHERE number = 2")[0]

    def forge(size: int, number: int) -> dict[str, Any]:
        message = head_bytes(program_id=1, number=number, size=size, root=bytes(32), at=row.at)
        head = {**auditor.heads[13], "size": size, "number": number, "root": "0" * 64}
        return {**head, "signature": signer().sign(message).hex()}

    assert "forked" in auditor.check(given, forge(13, 2))[1]
    forged = forge(8, 1)
    assert "does not begin" in auditor.check(given, forged, {**auditor.proof(8, 13), "first": forged})[1]
    assert "numbered or dated" in auditor.check(given, forge(8, 9))[1]


#: RFC 8032 7.1: public key, message, signature.
VECTORS = [
    (
        PUBLIC_KEY,
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_signatures_are_checked_as_the_rfc_says(key: str, message: str, signature: str) -> None:
    signed, given, by = (bytes.fromhex(text) for text in (signature, message, key))
    assert is_signed(given, signed, by)
    assert not is_signed(given + b"\x00", signed, by)
    assert not is_signed(given, signed, bytes.fromhex(VECTORS[0][0 if key != PUBLIC_KEY else 2])[:32])
    for place in range(0, 64, 7):
        flipped = signed[:place] + bytes([signed[place] ^ 1]) + signed[place + 1 :]
        assert not is_signed(given, flipped, by)
    scalar = int.from_bytes(signed[32:], "little") + ORDER
    assert not is_signed(given, signed[:32] + scalar.to_bytes(32, "little"), by)
    assert not is_signed(given, signed[:-1], by)
    assert not is_signed(given, signed, by[:-1])


@pytest.mark.parametrize("encoded", ["02" + "00" * 31, "ff" * 32, "01" + "00" * 30 + "80"])
def test_bytes_that_encode_no_point_are_no_key(encoded: str) -> None:
    assert point_of(bytes.fromhex(encoded)) is None


def test_the_script_agrees_with_a_library(history: Brand) -> None:
    import os

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    for _ in range(20):
        private, message = Ed25519PrivateKey.generate(), os.urandom(76)
        public = private.public_key().public_bytes_raw()
        assert is_signed(message, private.sign(message), public)


def test_the_script_needs_nothing_but_the_standard_library() -> None:
    own = {f".{path.stem}" for path in FOLDER.glob("*.py")}
    lines = [line for path in FOLDER.glob("*.py") for line in path.read_text().splitlines()]
    imported = {line.split()[1] for line in lines if line.startswith(("import ", "from "))}
    assert imported <= {*own, *sys.stdlib_module_names}
