"""what Valkey has not been told of boards stands in rows of its own, a page each

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "levels_board_untold",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("program_ids", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("member_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("metrics", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("periods", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("starts", postgresql.ARRAY(sa.Date()), nullable=False),
    )
    op.execute(
        "INSERT INTO levels_board_untold (program_ids, member_ids, metrics, periods, starts)"
        " SELECT array_agg(program_id), array_agg(member_id), array_agg(metric), array_agg(period),"
        "  array_agg(starts_on) FROM levels_board_scores WHERE dirty HAVING count(*) > 0"
    )
    op.drop_index("levels_board_scores_dirty", table_name="levels_board_scores")
    # A worker of the version before this one fails at its next page until it is restarted; the feed waits for it.
    op.drop_column("levels_board_scores", "dirty")


def downgrade() -> None:
    # Everything is told once more.
    dirty = sa.Column("dirty", sa.Boolean(), nullable=False, server_default=sa.true())
    op.add_column("levels_board_scores", dirty)
    op.alter_column("levels_board_scores", "dirty", server_default=None)
    op.create_index(
        "levels_board_scores_dirty",
        "levels_board_scores",
        ["program_id", "member_id"],
        postgresql_where=sa.text("dirty"),
    )
    op.drop_table("levels_board_untold")
