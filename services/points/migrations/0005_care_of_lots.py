"""Customer service: the last day of lots.

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

_LAW = "adjustments_redate_to_another_day"


def upgrade() -> None:
    for name in ("from_on", "until_on", "to_on"):
        op.add_column("points_adjustments", sa.Column(name, sa.Date(), nullable=True))
    op.add_column("points_adjustments", sa.Column("moved", sa.BigInteger(), nullable=True))
    # Code of before this version cannot post what waits as a redating: it would leave `moved` empty.
    op.create_check_constraint(
        _LAW,
        "points_adjustments",
        "CASE WHEN to_on IS NULL THEN num_nonnulls(from_on, until_on, moved) = 0"
        " ELSE num_nulls(from_on, until_on) = 0 AND from_on <= until_on AND to_on NOT BETWEEN from_on AND until_on"
        " AND (amount > 0) = (undoes IS NULL) AND (moved IS NULL) = (posting_id IS NULL) END",
    )


def downgrade() -> None:
    op.drop_constraint(_LAW, "points_adjustments", type_="check")
    for name in ("moved", "to_on", "until_on", "from_on"):
        op.drop_column("points_adjustments", name)
