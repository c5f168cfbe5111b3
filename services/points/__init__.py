"""What every member owns, and why: programs and assets, the ledger, earning rules, intake of outside events."""
