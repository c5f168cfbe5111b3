"""Replay: compute what the journal determines anew, beside the live tables, and compare digests."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlmodel import Session

from services.points.audit import replay_repository as repository
from services.points.rebuild import Advance, Rebuild

#: Told when a rebuild begins, with its name and number of steps; gives back what is called as steps are done.
Progress = Callable[[str, int], Advance]

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """One table, live and rebuilt: rows and digests of both, how many rows differ and the first of them."""

    table: str
    rows: int
    live: str
    rebuilt_rows: int
    rebuilt: str
    differing: int = 0
    where: list[str] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether the live table is what the journal says."""
        return self.live == self.rebuilt


@contextmanager
def snapshot() -> Iterator[Session]:
    """What a replay needs: the live database of one instant, so that it may go on meanwhile. Nothing stays behind."""
    with repository.scratch_snapshot() as session:
        yield session


def replay(session: Session, rebuilds: Sequence[Rebuild], *, progress: Progress) -> Iterator[Comparison]:
    """Rebuild every listed table into a scratch copy and compare it with the live one."""
    for rebuild in rebuilds:
        advance = progress(rebuild.name, rebuild.steps(session))
        scratch = {compared.table: repository.add_scratch(session, compared.table) for compared in rebuild.tables}
        rebuild.build(session, scratch, advance)
        for compared in rebuild.tables:
            copy = scratch[compared.table]
            rows, live = repository.digest(session, compared, compared.table)
            rebuilt_rows, rebuilt = repository.digest(session, compared, copy)
            found: tuple[int, list[str]] = (0, [])
            if live != rebuilt:
                found = repository.differences(session, compared, copy, limit=_NAMED)
            yield Comparison(compared.table, rows, live, rebuilt_rows, rebuilt, *found)
