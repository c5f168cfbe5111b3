"""Limits of assets: what may be earned and spent at once and within a period, and what a posting's answer tells of it.

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("points_assets", sa.Column("earning_limits", postgresql.JSONB(none_as_null=True), nullable=True))
    op.add_column("points_assets", sa.Column("spending_limits", postgresql.JSONB(none_as_null=True), nullable=True))
    op.create_check_constraint(
        "assets_limit_to_something",
        "points_assets",
        "NOT jsonb_path_exists(earning_limits, '$.* ? (@ < 1)')"
        " AND NOT jsonb_path_exists(spending_limits, '$.* ? (@ < 1)')",
    )
    op.add_column("points_postings", sa.Column("facts", postgresql.JSONB(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("points_postings", "facts")
    op.drop_constraint("assets_limit_to_something", "points_assets", type_="check")
    op.drop_column("points_assets", "spending_limits")
    op.drop_column("points_assets", "earning_limits")
