"""Rules: counts, cool-downs, a second person.

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE points_claim_windows ADD COLUMN cooldown_hours smallint NOT NULL DEFAULT '0'")
    op.create_table(
        "points_rule_settings",
        sa.Column("program_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("second_person", sa.Boolean(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column(
            "changed_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("program_id"),
    )
    op.create_table(
        "points_rule_proposals",
        sa.Column("program_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending_approval", nullable=False),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_note", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('pending_approval', 'approved', 'rejected')", name="proposals_have_a_state"),
        sa.CheckConstraint(
            "(state = 'pending_approval') = (decided_by IS NULL)", name="proposals_are_decided_by_somebody"
        ),
        sa.CheckConstraint(
            "state <> 'approved' OR decided_by <> requested_by", name="proposals_are_approved_by_a_second_person"
        ),
        sa.PrimaryKeyConstraint("program_id", "id"),
    )


def downgrade() -> None:
    op.drop_table("points_rule_proposals")
    op.drop_table("points_rule_settings")
    op.execute("ALTER TABLE points_claim_windows DROP COLUMN cooldown_hours")
