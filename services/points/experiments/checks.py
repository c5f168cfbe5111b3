"""What must hold of experiments: checked over a live database by `verify`."""

from collections.abc import Iterable

from sqlalchemy import text
from sqlmodel import Session

from common.service import Finding
from services.points.rules.experiment import experiment_of, variant_of

_AWARDED = """
SELECT e.program_id, e.member_id, v.code, v.version, d ->> 'variant' AS variant, v.document -> 'experiment' AS tried
  FROM points_events e CROSS JOIN LATERAL jsonb_array_elements(e.result -> 'decisions') d
  JOIN points_rule_versions v
    ON (v.program_id, v.code, v.version) = (e.program_id, d ->> 'rule', CAST(d ->> 'version' AS int))
 WHERE d ? 'variant' GROUP BY 1, 2, 3, 4, 5, 6"""


def check_experiments(session: Session) -> Iterable[Finding]:
    """Every award was given by the variant that the member has."""
    checked, wrong = 0, []
    for row in session.execute(text(_AWARDED)):
        checked += 1
        experiment = experiment_of(row.tried)
        which = variant_of(experiment, program_id=row.program_id, member_id=row.member_id) if experiment else 0
        if experiment is None or experiment.variants[which].code != row.variant:
            wrong.append(f"{row.program_id}/{row.member_id}/{row.code} version {row.version}")
    yield Finding("awards are of the member's own variant", checked, len(wrong), "; ".join(wrong[:3]))
