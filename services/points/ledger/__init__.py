"""The ledger: accounts, their lots and holds, and the append-only entries that made them."""
