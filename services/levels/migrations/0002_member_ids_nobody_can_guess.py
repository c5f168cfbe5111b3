"""member ids that nobody can name in advance

Revision: 0002, after 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SEQUENCE levels_member_numbers CYCLE")
    op.execute("ALTER TABLE levels_members ALTER member_id DROP IDENTITY")
    op.execute(
        "ALTER TABLE levels_members ALTER member_id SET DEFAULT"
        " ((extract(epoch FROM clock_timestamp()) * 1000)::bigint - 1577836800000) * 4096"
        " + nextval('levels_member_numbers') % 4096"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE levels_members ALTER member_id DROP DEFAULT")
    op.execute("DROP SEQUENCE levels_member_numbers")
    op.execute("ALTER TABLE levels_members ALTER member_id ADD GENERATED ALWAYS AS IDENTITY")
