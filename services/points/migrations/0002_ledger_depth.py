"""Columns and laws for pending earnings, freezing, idleness, grace and transfers.

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Expand only: processes of the version before go on with what they know (ledger.md §7, rolling upgrade).
    op.add_column('points_assets', sa.Column('unit_en', sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column('points_assets', sa.Column('unit_zh', sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column('points_assets', sa.Column('scale', sa.SmallInteger(), server_default=sa.text('0'), nullable=False))
    op.add_column('points_assets', sa.Column('pending', sa.Text(), server_default=sa.text("'none'"), nullable=False))
    op.add_column('points_assets', sa.Column('grace_days', sa.SmallInteger(), server_default=sa.text('0'), nullable=False))
    op.add_column('points_assets', sa.Column('transferable', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.add_column('points_assets', sa.Column('transfer_most', sa.BigInteger(), nullable=True))
    op.add_column('points_assets', sa.Column('transfer_most_per_day', sa.BigInteger(), nullable=True))
    op.create_check_constraint('assets_show_up_to_four_places', 'points_assets', 'scale BETWEEN 0 AND 4')
    op.create_check_constraint('assets_grace_is_days', 'points_assets', 'grace_days BETWEEN 0 AND 366')
    op.create_check_constraint(
        'assets_transfer_something_or_nothing', 'points_assets', 'transfer_most > 0 AND transfer_most_per_day > 0'
    )

    op.add_column('points_accounts', sa.Column('frozen', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.add_column('points_accounts', sa.Column('idle_day', sa.Integer(), nullable=True))

    op.add_column('points_holds', sa.Column('purpose', sa.SmallInteger(), server_default=sa.text('0'), nullable=False))
    op.add_column('points_holds', sa.Column('validity', sa.Text(), nullable=True))
    op.add_column('points_holds', sa.Column('grace_days', sa.SmallInteger(), server_default=sa.text('0'), nullable=False))
    op.drop_constraint('holds_end_once', 'points_holds')
    op.create_check_constraint('holds_end_once', 'points_holds', 'state BETWEEN 0 AND 4')
    op.create_check_constraint('holds_have_a_purpose', 'points_holds', 'purpose BETWEEN 0 AND 1')
    op.create_check_constraint(
        'holds_of_pending_know_their_validity', 'points_holds', '(purpose = 1) = (validity IS NOT NULL)'
    )
    op.create_check_constraint('holds_release_what_was_pending', 'points_holds', 'purpose = 1 OR state < 4')

    op.create_index(
        'points_entries_given',
        'points_entries',
        ['program_id', 'member_id', 'asset_id', 'at'],
        postgresql_where=sa.text('kind = 13'),
    )

    op.add_column('points_orders', sa.Column('refunds_at', sa.ARRAY(sa.BigInteger()), server_default='{}', nullable=False))
    op.add_column('points_orders', sa.Column('refunds_fen', sa.ARRAY(sa.BigInteger()), server_default='{}', nullable=False))
    op.add_column('points_orders', sa.Column('claims', postgresql.JSONB(), server_default='[]', nullable=False))
    op.add_column('points_orders', sa.Column('confirmed_event', sa.Text(), nullable=True))
    op.add_column('points_orders', sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        'points_events_of_order',
        'points_events',
        ['program_id', sa.text("(data ->> 'order_id')")],
        postgresql_where=sa.text("data ->> 'order_id' IS NOT NULL"),
    )
    op.create_index('points_events_in_time', 'points_events', ['program_id', 'time', 'source', 'id'])


def downgrade() -> None:
    op.drop_index('points_events_in_time', table_name='points_events')
    op.drop_index('points_events_of_order', table_name='points_events')
    op.drop_column('points_orders', 'confirmed_at')
    op.drop_column('points_orders', 'confirmed_event')
    op.drop_column('points_orders', 'claims')
    op.drop_column('points_orders', 'refunds_fen')
    op.drop_column('points_orders', 'refunds_at')
    op.drop_index('points_entries_given', table_name='points_entries', postgresql_where=sa.text('kind = 13'))
    op.drop_constraint('holds_release_what_was_pending', 'points_holds')
    op.drop_constraint('holds_of_pending_know_their_validity', 'points_holds')
    op.drop_constraint('holds_have_a_purpose', 'points_holds')
    op.drop_constraint('holds_end_once', 'points_holds')
    op.create_check_constraint('holds_end_once', 'points_holds', 'state BETWEEN 0 AND 3')
    op.drop_column('points_holds', 'grace_days')
    op.drop_column('points_holds', 'validity')
    op.drop_column('points_holds', 'purpose')
    op.drop_column('points_accounts', 'idle_day')
    op.drop_column('points_accounts', 'frozen')
    op.drop_constraint('assets_transfer_something_or_nothing', 'points_assets')
    op.drop_constraint('assets_grace_is_days', 'points_assets')
    op.drop_constraint('assets_show_up_to_four_places', 'points_assets')
    op.drop_column('points_assets', 'transfer_most_per_day')
    op.drop_column('points_assets', 'transfer_most')
    op.drop_column('points_assets', 'transferable')
    op.drop_column('points_assets', 'grace_days')
    op.drop_column('points_assets', 'pending')
    op.drop_column('points_assets', 'scale')
    op.drop_column('points_assets', 'unit_zh')
    op.drop_column('points_assets', 'unit_en')
