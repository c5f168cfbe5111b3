"""Check-ins: once per business day and campaign, a table of day rewards, streaks and their milestones (P1, P2)."""
