"""The whole house for tests: the real stack with a program, its people and a shop's key, driven through the gateway."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from deploy.demo import program
from deploy.demo.client import Gateway, Person, Shop, sign_in_member, sign_in_staff
from deploy.local import data_folder
from deploy.local.background import BackgroundStack
from deploy.local.verification import verify
from tests.servers import running_stack


@dataclass
class House:
    """A running stack and who may come in."""

    stack: BackgroundStack
    gateway: Gateway
    shop: Shop
    marketer: Person
    credentials: program.Credentials

    def staff(self, name: str) -> Person:
        """One of the demo's people: boss, mia, carl, fay."""
        return sign_in_staff(self.gateway, program.PROGRAM, name, self.credentials.passwords[name])

    def member(self, name: str) -> Person:
        """A member by the sandbox login."""
        return sign_in_member(self.gateway, program.PROGRAM, name)

    def rows(self, service: str, query: str, **values: Any) -> list[Any]:
        """Look into a service's database: for what no API shows."""
        engine = create_engine(self.stack.env[f"JIFEN_{service.upper()}_DATABASE_URL"])
        try:
            with engine.connect() as connection:
                return list(connection.execute(text(query), values))
        finally:
            engine.dispose()

    def violations(self) -> list[Any]:
        """What `verify` finds wrong on the live system."""
        note = data_folder.read_note(self.stack.folder)
        assert note is not None
        return [finding for finding in verify(note) if finding.violations]


@contextmanager
def running_house(folder: Path, **variables: str) -> Iterator[House]:
    """A stack on free ports, with the demo's program set up over HTTP; `variables` go into its environment."""
    with running_stack(folder, ready_seconds=120, variables=variables) as stack:
        gateway = Gateway(stack.url("gateway"))
        credentials = program.open_program(folder, stack.env)
        marketer, shop = program.set_up(gateway, credentials)
        yield House(stack, gateway, shop, marketer, credentials)


def purchase(number: int, customer: int, fen: int, *, kind: str = "order.paid", **data: Any) -> dict[str, Any]:
    """An order.paid (or other) event of a shop, just now; the number is its key."""
    return {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": "shop",
        "type": kind,
        "subject": f"customer_id:{customer}",
        "time": datetime.now(UTC).isoformat(),
        "data": {"order_id": f"o{number}", "paid_fen": fen, **data},
    }


def eventually(look: Callable[[], Any], expected: Any, *, seconds: float = 90) -> None:
    """Wait until `look()` equals `expected`; the last look is compared by assert, so that a failure shows it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if look() == expected:
            return
        time.sleep(0.25)
    found = look()
    assert found == expected, f"still {found!r} after {seconds:g} s, not {expected!r}"
