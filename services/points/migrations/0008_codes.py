"""Redemption codes.

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "points_code_sets",
        sa.Column("program_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("uses_per_code", sa.BigInteger(), nullable=True),
        sa.Column("uses_per_member", sa.BigInteger(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_number", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("count > 0 AND made BETWEEN 0 AND count", name="code_sets_make_no_more_than_told"),
        sa.CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="code_sets_are_closed_by_somebody"),
        sa.PrimaryKeyConstraint("program_id", "code"),
    )
    op.create_table(
        "points_codes",
        sa.Column("program_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("code_set", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("uses", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("uses >= 0", name="codes_are_used_or_not"),
        sa.PrimaryKeyConstraint("program_id", "digest"),
    )
    op.create_index("points_codes_by_number", "points_codes", ["program_id", "code_set", "number"], unique=True)
    op.create_table(
        "points_code_uses",
        sa.Column("program_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("code_set", sa.Text(), nullable=False),
        sa.Column("nth", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("nth > 0", name="code_uses_count_from_one"),
        sa.PrimaryKeyConstraint("program_id", "member_id", "code_set", "nth"),
    )
    op.create_index("points_code_uses_by_code", "points_code_uses", ["program_id", "code_set", "number"])


def downgrade() -> None:
    op.drop_table("points_code_uses")
    op.drop_table("points_codes")
    op.drop_table("points_code_sets")
