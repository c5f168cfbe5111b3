"""Terms of assets: caps, pending, validity.

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('points_orders', sa.Column('told', postgresql.JSONB(), server_default='{}', nullable=False))
    op.add_column('points_assets', sa.Column('most_per_member', sa.BigInteger(), nullable=True))
    op.create_check_constraint('assets_leave_room_for_something', 'points_assets', 'most_per_member > 0')
    op.add_column('points_assets', sa.Column('returns', sa.Text(), server_default=sa.text("'available'"), nullable=False))
    op.create_check_constraint(
        'assets_return_what_there_is_or_what_is_pending', 'points_assets', "returns IN ('available', 'pending')"
    )
    op.add_column('points_postings', sa.Column('wanted', sa.BigInteger(), nullable=True))
    op.create_check_constraint('postings_are_cut_to_less', 'points_postings', 'wanted > amount')


def downgrade() -> None:
    op.drop_constraint('postings_are_cut_to_less', 'points_postings', type_='check')
    op.drop_column('points_postings', 'wanted')
    op.drop_constraint('assets_return_what_there_is_or_what_is_pending', 'points_assets', type_='check')
    op.drop_column('points_assets', 'returns')
    op.drop_constraint('assets_leave_room_for_something', 'points_assets', type_='check')
    op.drop_column('points_assets', 'most_per_member')
    op.drop_column('points_orders', 'told')
