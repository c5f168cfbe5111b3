"""A flash sale: a thousand members want one of ten pieces, all at once, through the gateway."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

import psycopg

from bench.site import Site, WrongResults
from bench.wire import ASSET, Door, Kind, as_body, every_member

BUYERS = 1000
PIECES = 10
CONNECTIONS = 64
#: So little that whoever wins in every round can pay it.
PRICE = 1
#: The price is held, then taken.
POSTINGS_OF_AN_ORDER = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """One request for the item by each owner of `tokens`: `redemption` where it may be sold out, `order` where not."""

    item: str
    tokens: Sequence[str]
    kind: Kind
    prefix: str = field(default_factory=partial(secrets.token_hex, 6))

    def requests(self, door: Door) -> list[bytes]:
        """All of them, none sent before."""
        body = as_body({"item": self.item})
        return [
            door.request("/v1/redemptions", body, key=f"{self.prefix}-{number}", token=token)
            for number, token in enumerate(self.tokens)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """An item that is on sale now, and who wants it, with what they own."""

    item: str
    buyers: Sequence[int]
    owned: dict[int, tuple[int, int]]


def put_up(site: Site, *, stock: int, per_member_limit: int | None = None) -> str:
    """Put up a new item of so many pieces; its code."""
    item = f"sale-{secrets.token_hex(6)}"
    offer = {"name_en": "Watch", "name_zh": "手表", "asset": ASSET, "price": PRICE, "stock": stock}
    site.call("redemption", "PUT", f"/v1/items/{item}", {**offer, "per_member_limit": per_member_limit}, site.marketer)
    return item


def open_sale(site: Site) -> Sale:
    """Put up a new item."""
    item = put_up(site, stock=PIECES, per_member_limit=1)
    buyers = list(islice(every_member(secrets.token_hex(6)), BUYERS))
    return Sale(item=item, buyers=buyers, owned=_owned(site, buyers))


def check(site: Site, sale: Sale) -> None:
    """Ten have paid for a piece, all others own what they owned. Raises `WrongResults`."""
    with psycopg.connect(site.database_url("redemption")) as connection:
        orders = connection.execute(
            "SELECT member_id, state, refusal_code FROM redemption_orders WHERE program_id = %s AND item = %s",
            [site.program_id, sale.item],
        ).fetchall()
    winners = {member for member, state, _ in orders if state == "completed"}
    losers = {member for member, state, why in orders if (state, why) == ("refused", "sold_out")}
    if len(winners) != PIECES or len(losers) != BUYERS - PIECES or winners | losers != set(sale.buyers):
        raise WrongResults(f"of {len(orders)} orders for {PIECES} pieces {len(winners)} were completed")
    due = {member: (had - PRICE * (member in winners), held) for member, (had, held) in sale.owned.items()}
    if _owned(site, sale.buyers) != due:
        raise WrongResults("somebody's points are not what they should be after the sale")


def _owned(site: Site, buyers: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Each buyer's balance in the program's one asset, and what of it is held."""
    with psycopg.connect(site.database_url("points")) as connection:
        rows = connection.execute(
            "SELECT member_id, balance, held FROM points_accounts WHERE program_id = %s AND member_id = ANY(%s)",
            [site.program_id, list(buyers)],
        )
        return {member: (balance, held) for member, balance, held in rows}
