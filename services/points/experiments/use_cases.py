"""What came of a rule's experiment."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from services.points.experiments import domain, repository
from services.points.experiments.domain import Comparison, Figures, NoExperiment, Study, TooManyEvents
from services.points.rules import use_cases as rules
from services.points.rules.domain import rule_of
from services.points.rules.experiment import Experiment


@dataclass(frozen=True, slots=True)
class Outcome:
    """An experiment's figures, variant by variant, over the events of `since` ≤ time < `until`."""

    rule: str
    experiment: Experiment
    versions: list[int]
    since: datetime
    until: datetime
    figures: list[Figures]
    comparisons: list[Comparison | None]


def show_experiment(
    session: Session, *, program_id: int, code: str, since: datetime | None, until: datetime | None, now: datetime
) -> Outcome:
    """The newest experiment of the rule, from its first publication on unless told.

    Raises `UnknownRule`, `NoExperiment`, `TooManyEvents`.
    """
    shown = rules.show_rule(session, program_id=program_id, code=code)
    published = [(row, rule_of(row.document)) for row in shown["versions"]]
    newest = next((rule for _, rule in published if rule.experiment is not None), None)
    if newest is None or newest.experiment is None:
        raise NoExperiment(rule=code)
    experiment = newest.experiment
    mine = [row for row, rule in published if rule.experiment and rule.experiment.name == experiment.name]
    begun, ended = since or min(row.at for row in mine), until or now
    versions = {row.id: row.version for row in mine}
    study = Study(program_id, code, experiment, versions, newest.trigger, begun, ended)
    figures = _count(session, study)
    return Outcome(code, experiment, sorted(versions.values()), begun, ended, figures, domain.compare(figures))


def _count(session: Session, study: Study) -> list[Figures]:
    most, goal = domain.MOST_EVENTS, study.experiment.goal
    if repository.count_events(session, study, limit=most + 1) > most:
        raise TooManyEvents(most=most)
    converted = domain.reached(repository.stream_reached(session, study), goal) if goal else set()
    return domain.figures_of(repository.stream_met(session, study), converted, study)
