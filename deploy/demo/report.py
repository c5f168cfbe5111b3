"""What the demo shows at its end: figures, tiers, a board, a member's statement, a redemption."""

from rich.console import Console
from rich.table import Table

from deploy.demo.client import JSON, Gateway, Person, Shop, sign_in_member
from deploy.demo.program import PROGRAM, STAFF, Credentials


def show_figures(console: Console, shop: Shop, marketer: Person) -> None:
    """Members, points issued, redeemed, expired and outstanding; members per tier; the first ten by spend."""
    points = shop.call("GET", "/v1/assets/points/totals")
    table = Table("figure", "value", title="Points", title_justify="left")
    for name in ("members", "issued", "redeemed", "expired", "reversed", "outstanding"):
        table.add_row(name, f"{points[name]:,}")
    console.print(table)
    table = Table("tier", "等级", "members", title="Members per tier", title_justify="left")
    for tier in marketer.call("GET", "/v1/tiers/counts")["tiers"]:
        table.add_row(tier["name_en"], tier["name_zh"], f"{tier['members']:,}")
    console.print(table)
    table = Table("rank", "member", "spent", title="Top 10 by spend, all time", title_justify="left")
    for place in marketer.call("GET", "/v1/leaderboards/spend?period=all&limit=10")["places"]:
        table.add_row(str(place["rank"]), f"{place['name']} (member {place['member_id']})", _yuan(place["score"]))
    console.print(table)


def redeem_as(console: Console, gateway: Gateway, shop: Shop, customer: str) -> None:
    """Give a customer a mini-program identity, sign in as them, redeem a mug, and show their statement."""
    name = f"cdnow-{customer}"
    identities = [
        {"type": "customer_id", "value": customer},
        {"type": "wechat_openid", "app": f"sandbox-{PROGRAM}", "value": f"sandbox-{name}"},
    ]
    shop.call("POST", "/v1/members", {"identities": identities})
    member = sign_in_member(gateway, PROGRAM, name)
    order = member.call("POST", "/v1/redemptions", {"item": "mug", "quantity": 1}, key="demo-mug")
    account = member.call("GET", "/v1/accounts/points")
    console.print(
        f"\nMember [bold]{name}[/bold] redeemed a [bold]{order['item']}[/bold]: "
        f"order {order['order_id']} is {order['state']}; "
        f"{account['available']:,} points left, {account['next_expiry']['amount']:,} of them "
        f"until {account['next_expiry']['on']}"
    )
    show_statement(console, name, member.call("GET", "/v1/accounts/points/statement"))


def show_statement(console: Console, name: str, statement: JSON) -> None:
    """A month of an account; the newest lines when there are many."""
    title = f"Statement of {name}, {statement['month']}: opening {statement['opening']:,}"
    table = Table("seq", "at", "kind", "amount", "balance", "cause", title=title, title_justify="left")
    for entry in statement["entries"][-8:]:
        amount = f"{entry['amount']:+,}" if entry["amount"] else f"held {entry['held_delta']:+,}"
        balance = f"{entry['balance_after']:,}"
        table.add_row(str(entry["seq"]), entry["at"][:19], entry["kind"], amount, balance, entry["cause"])
    table.caption = f"closing {statement['closing']:,}"
    console.print(table)


def show_doors(console: Console, gateway: Gateway, credentials: Credentials) -> None:
    """Where everything answers and who may come in."""
    table = Table("what", "where or who", title="The doors", title_justify="left")
    table.add_row("API, browsable", f"{gateway.url}/docs")
    table.add_row("OpenAPI 3.1", f"{gateway.url}/openapi.json")
    for name, role in STAFF:
        table.add_row(f"staff, {role}", f"program {PROGRAM}, name {name}, password {credentials.passwords[name]}")
    table.add_row("member, sandbox", f'program {PROGRAM}, code "sandbox:<any name>"')
    table.add_row("system (HMAC)", f"key {credentials.key_id}, secret {credentials.key_secret}")
    console.print(table)


def _yuan(fen: int) -> str:
    return f"¥{fen // 100:,}.{fen % 100:02d}"
