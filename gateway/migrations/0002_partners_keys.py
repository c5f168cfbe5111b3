"""API keys of partners: scope `exchange`.

Revision: 0002, after 0001
"""

from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

_NAME, _TABLE = 'gateway_api_keys_have_known_scopes', 'gateway_api_keys'


def upgrade() -> None:
    # Expand only: processes of the version before go on with the scopes they know (rolling upgrade).
    op.drop_constraint(_NAME, _TABLE)
    op.create_check_constraint(
        _NAME,
        _TABLE,
        "cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'events', 'ledger', 'members', 'redemptions', 'exchange']",
    )


def downgrade() -> None:
    op.drop_constraint(_NAME, _TABLE)
    op.create_check_constraint(
        _NAME,
        _TABLE,
        "cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'events', 'ledger', 'members', 'redemptions']",
    )
