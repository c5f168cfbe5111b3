"""birthdays, and what was told of them and of the days of joining

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "levels_birthdays",
        sa.Column("program_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("month", sa.SmallInteger(), nullable=True),
        sa.Column("day", sa.SmallInteger(), nullable=True),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(month IS NULL) = (day IS NULL)", name="birthdays_have_a_month_and_a_day"),
        sa.CheckConstraint("month BETWEEN 1 AND 12 AND day BETWEEN 1 AND 31", name="birthdays_are_days_of_a_year"),
        sa.PrimaryKeyConstraint("program_id", "member_id"),
    )
    op.create_index(
        "levels_birthdays_by_day",
        "levels_birthdays",
        ["program_id", "month", "day", "member_id"],
        postgresql_where=sa.text("month IS NOT NULL"),
    )
    op.create_table(
        "levels_anniversaries",
        sa.Column("program_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('birthday', 'anniversary')", name="anniversaries_are_of_a_kind"),
        sa.PrimaryKeyConstraint("program_id", "member_id", "kind", "year"),
    )
    op.create_table(
        "levels_anniversary_days",
        sa.Column("program_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("program_id"),
    )
    # Members go on joining while it is built.
    with op.get_context().autocommit_block():
        op.create_index(
            "levels_members_by_joining",
            "levels_members",
            ["program_id", "joined_at"],
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    op.drop_index("levels_members_by_joining", table_name="levels_members")
    op.drop_table("levels_anniversary_days")
    op.drop_table("levels_anniversaries")
    op.drop_table("levels_birthdays")
