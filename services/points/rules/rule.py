"""What a rule says, as values; and the documents they are stored as. Pure.

A document is what a marketer sent, by name; a version keeps it for ever. Documents of before a name existed are read
with that name's default, so what they award stays the same.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

from services.points.rules.experiment import Experiment, experiment_of

Kind = Literal["award", "multiplier"]
Per = Literal["event", "day", "week", "month", "total"]
Of = Literal["member", "rule"]
Calendar = Literal["day", "week", "month", "total"]
#: How the rules of a stacking group get along: all award, the first by priority that awards, or the highest award.
Mode = Literal["all", "first", "highest"]


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `amount` `per` window (calendar units in the program's zone), of one `member` or of the `rule` in all."""

    per: Per
    of: Of
    amount: int


@dataclass(frozen=True, slots=True)
class Times:
    """At most `most` awards to one member `per` window (calendar units in the program's zone)."""

    per: Calendar
    most: int


@dataclass(frozen=True, slots=True)
class Frequency:
    """How often one member is awarded: so many times a window, `cooldown_hours` or more between two awards.

    An award that was cut to nothing or refunded wholly is none. An hour has 60 minutes, also when clocks change.
    """

    times: tuple[Times, ...] = ()
    cooldown_hours: int | None = None


@dataclass(frozen=True, slots=True)
class Audience:
    """For whom: within one list any of them, between the lists all; an empty list asks nothing.

    `channels` are compared with the event's `data.channel`.
    """

    tiers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """When, on the clocks and calendars of the program's zone; an empty list asks nothing.

    `weekdays` 1 Monday to 7 Sunday; `hours` half-open `("07:00", "09:30")`, the last minute of a day is before "24:00";
    `dates` inclusive `("2026-11-01", "2026-11-11")`.
    """

    weekdays: tuple[int, ...] = ()
    hours: tuple[tuple[str, str], ...] = ()
    dates: tuple[tuple[str, str], ...] = ()


#: What rules carry that ask neither for whom nor when nor how often.
EVERYBODY, ALWAYS, HOWEVER_OFTEN = Audience(), Schedule(), Frequency()


@dataclass(frozen=True, slots=True)
class Holdout:
    """`percent` (0-100) of the members never get it, always the same ones, so that its effect can be measured."""

    percent: int


@dataclass(frozen=True, slots=True)
class Rule:
    """For events of type `trigger`, when `condition` holds, award floor(`formula`), or what `table` says, of `asset`.

    A `multiplier` awards nothing itself: it multiplies by `factor` what award rules of its trigger and `asset` give
    (only those of `applies_to`, when it names any). An `experiment` tries other formulas on shares of the members.
    `starts_at` ≤ event time < `ends_at` when given. `validity` and `pending` override the asset's. Higher `priority`
    goes first, then the code.
    """

    name_en: str
    name_zh: str
    trigger: str
    condition: str
    formula: str | None
    asset: str
    validity: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    kind: Kind = "award"
    table: dict[str, Any] | None = None
    pending: str | None = None
    audience: Audience = EVERYBODY
    schedule: Schedule = ALWAYS
    caps: tuple[Cap, ...] = ()
    frequency: Frequency = HOWEVER_OFTEN
    budget: int | None = None
    priority: int = 0
    group: str | None = None
    holdout: Holdout | None = None
    factor: str | None = None
    applies_to: tuple[str, ...] = ()
    experiment: Experiment | None = None


def rule_of(document: Mapping[str, Any]) -> Rule:
    """The rule that a document says; names it does not have mean their defaults."""
    values = dict(document)
    for name in ("starts_at", "ends_at"):
        if isinstance(values.get(name), str):
            values[name] = datetime.fromisoformat(values[name])
    values["audience"] = _audience(values.get("audience") or {})
    values["schedule"] = _schedule(values.get("schedule") or {})
    values["caps"] = tuple(Cap(**cap) for cap in values.get("caps") or ())
    values["frequency"] = _frequency(values.get("frequency") or {})
    values["applies_to"] = tuple(values.get("applies_to") or ())
    values["experiment"] = experiment_of(values.get("experiment"))
    values["holdout"] = Holdout(**values["holdout"]) if values.get("holdout") else None
    values.setdefault("formula", None)
    values.setdefault("condition", "true")
    return Rule(**values)


def document_of(rule: Rule) -> dict[str, Any]:
    """The rule as JSON knows it; `rule_of` reads it back."""
    values = asdict(rule)
    for name in ("starts_at", "ends_at"):
        values[name] = values[name].isoformat() if values[name] else None
    return values


def as_variant(rule: Rule, number: int) -> Rule:
    """The rule as it is for members of one variant of its experiment, the last one when it has fewer; as it is without.

    What it is compared with may come to nothing: so nothing else of the rule changes.
    """
    if rule.experiment is None:
        return rule
    formula = rule.experiment.variants[min(number, len(rule.experiment.variants) - 1)].formula
    if formula is None:
        return replace(rule, experiment=None)
    return replace(rule, formula=formula, table=None, experiment=None)


def _audience(document: Mapping[str, Any]) -> Audience:
    audience = Audience(**{name: tuple(codes) for name, codes in document.items()})
    return EVERYBODY if audience == EVERYBODY else audience


def _schedule(document: Mapping[str, Any]) -> Schedule:
    schedule = Schedule(
        tuple(document.get("weekdays", ())),
        tuple((begin, end) for begin, end in document.get("hours", ())),
        tuple((first, last) for first, last in document.get("dates", ())),
    )
    return ALWAYS if schedule == ALWAYS else schedule


def _frequency(document: Mapping[str, Any]) -> Frequency:
    times = tuple(Times(**one) for one in document.get("times", ()))
    frequency = Frequency(times, document.get("cooldown_hours"))
    return HOWEVER_OFTEN if frequency == HOWEVER_OFTEN else frequency
