"""Intake: outside events come in once each, rules decide, the ledger posts, and the reasons are kept."""
