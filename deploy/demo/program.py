"""The demo's program: who works for it, what members own, what earns it, which tiers, badges and items there are."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.client import Gateway, Person, Shop, sign_in_staff

PROGRAM = "demo"
STAFF = (("boss", "admin"), ("mia", "marketer"), ("carl", "customer_service"), ("fay", "finance"))
_SCOPES = ("read", "events", "ledger", "members", "redemptions")

ASSETS = {
    # Eighteen months of log against twelve months of validity: some points expire, as in life.
    "points": {"name_en": "Points", "name_zh": "积分", "validity": "12M_U", "debt_allowed": True},
    "growth": {"name_en": "Growth", "name_zh": "成长值", "validity": "12M_U"},
}
RULES = {
    "purchase-points": {
        "name_en": "1 point a yuan, 2 from ¥100",
        "name_zh": "消费一元一分,满百双倍",
        "trigger": "order.paid",
        "formula": "data.paid_fen >= 10000 ? data.paid_fen / 50 : data.paid_fen / 100",
        "asset": "points",
    },
    "purchase-growth": {
        "name_en": "1 growth a yuan",
        "name_zh": "消费一元一成长值",
        "trigger": "order.paid",
        "formula": "data.paid_fen / 100",
        "asset": "growth",
    },
}
_TIERS = (("member", "Member", "普通会员", 0), ("silver", "Silver", "银卡", 100), ("gold", "Gold", "金卡", 300))
TIERS = [
    {
        "code": code,
        "name_en": english,
        "name_zh": chinese,
        "growth": growth,
        "keep": growth // 2,
        "validity_days": 365 if growth else 0,
    }
    for code, english, chinese, growth in (*_TIERS, ("black", "Black Knight", "黑骑士", 1000))
]
ITEMS = {
    "mug": {"name_en": "Enamel mug", "name_zh": "搪瓷杯", "price": 100, "stock": 1000, "per_member_limit": 5},
    "record": {"name_en": "Vinyl record", "name_zh": "黑胶唱片", "price": 300, "stock": 100, "per_member_limit": 1},
}


@dataclass(frozen=True)
class Credentials:
    """Who may come in, as the demo prints it at the end."""

    passwords: dict[str, str]
    key_id: str
    key_secret: str


def open_program(folder: Path, environment: Mapping[str, str]) -> Credentials:
    """Program, staff and an API key by the gateway's own commands; passwords are kept in the data folder, mode 0600."""
    _gateway(environment, "create-program", PROGRAM, "--name", "CDNOW demo")
    key = _gateway(environment, "create-key", PROGRAM, "shop", *(word for s in _SCOPES for word in ("--scope", s)))
    kept = folder / "demo-credentials.json"
    if kept.exists():
        passwords = json.loads(kept.read_text())
    else:
        passwords = {
            name: _gateway(environment, "create-staff", PROGRAM, name, "--role", role)["password"]
            for name, role in STAFF
        }
        with open(os.open(kept, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            json.dump(passwords, file)
    return Credentials(passwords, key["key_id"], key["secret"])


def set_up(gateway: Gateway, credentials: Credentials) -> tuple[Person, Shop]:
    """Configure the program over HTTP as its marketer would; doing it again changes nothing."""
    marketer = sign_in_staff(gateway, PROGRAM, "mia", credentials.passwords["mia"])
    marketer.call("PUT", "/v1/program", {"name": "CDNOW demo", "time_zone": "Asia/Shanghai"})
    for code, asset in ASSETS.items():
        marketer.call("PUT", f"/v1/assets/{code}", asset)
    published = {rule["code"]: rule for rule in marketer.call("GET", "/v1/rules")["rules"]}
    for code, rule in RULES.items():
        if code not in published or published[code]["live_version"] is None:
            marketer.call("PUT", f"/v1/rules/{code}/draft", rule)
            marketer.call("POST", f"/v1/rules/{code}/publication", key=f"demo-{code}")
    if not _has_ladder(marketer):
        marketer.call("PUT", "/v1/tiers", {"tiers": TIERS})
    for code, item in ITEMS.items():
        if code not in {item["code"] for item in marketer.call("GET", "/v1/items")["items"]}:
            marketer.call("PUT", f"/v1/items/{code}", item)
    return marketer, Shop(gateway, credentials.key_id, credentials.key_secret)


def _has_ladder(marketer: Person) -> bool:
    from deploy.demo.client import DemoFailed

    try:
        return len(marketer.call("GET", "/v1/tiers")["tiers"]) == len(TIERS)
    except DemoFailed:
        return False


def _gateway(environment: Mapping[str, str], *words: str) -> dict[str, str]:
    command = [sys.executable, "-m", "gateway", *words, "--json"]
    done = subprocess.run(command, env={**os.environ, **environment}, check=True, capture_output=True, text=True)
    told: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return told
